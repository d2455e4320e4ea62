// SPDX-License-Identifier: GPL-2.0
/* How a VM is loaded and started, with a kernel that is made up here. */
#include <fcntl.h>
#include <linux/genetlink.h>
#include <netlink/genl/genl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "vm.h"
#include "vmfd.h"

#define RAM (16ULL << 20)

/* The only VM, what becomes of it, and what was done. */
static uint32_t state, reason;
static void (*while_locking)(void), (*while_loading)(void);
static unsigned int loads, starts;
static bool locked, unlocked_start;
static int lock_fd;

struct nl_msg *hv_nl_message_of(struct hv_nl *nl, uint8_t cmd, int flags, size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(room + 256);

	genlmsg_put(msg, 0, 0, 1, 0, flags, cmd, 1);
	return msg;
}

struct nl_msg *hv_nl_message(struct hv_nl *nl, uint8_t cmd, int flags)
{
	return hv_nl_message_of(nl, cmd, flags, 4096);
}

void hv_nl_put(struct nl_msg *msg, int attr, const void *data, size_t len)
{
	nla_put(msg, attr, (int)len, data);
}

void hv_nl_put_u32(struct nl_msg *msg, int attr, uint32_t value)
{
	hv_nl_put(msg, attr, &value, sizeof(value));
}

void hv_nl_put_uint(struct nl_msg *msg, int attr, uint64_t value)
{
	hv_nl_put(msg, attr, &value, sizeof(value));
}

void hv_nl_put_string(struct nl_msg *msg, int attr, const char *text)
{
	hv_nl_put(msg, attr, text, strlen(text) + 1);
}

uint64_t hv_nl_uint(const struct nlattr *attr)
{
	uint64_t v = 0;

	memcpy(&v, nla_data(attr), (size_t)nla_len(attr));
	return v;
}

int hv_nl_request(struct hv_nl *nl, struct nl_msg *msg, hv_nl_fn fn, void *arg, bool *interrupted,
		  struct hv_error *err)
{
	const struct genlmsghdr *genl = nlmsg_data(nlmsg_hdr(msg));
	struct nl_msg *answer;
	int ret = 0;

	if (genl->cmd == HVMM_CMD_VM_GET) {
		answer = hv_nl_message(nl, HVMM_CMD_VM_GET, 0);
		hv_nl_put_u32(answer, HVMM_A_VM_VCPUS, 1);
		hv_nl_put_uint(answer, HVMM_A_VM_MEMORY, RAM);
		hv_nl_put_u32(answer, HVMM_A_VM_STATE, state);
		hv_nl_put_u32(answer, HVMM_A_VM_REASON, reason);
		ret = fn(nlmsg_hdr(answer), arg, err);
		nlmsg_free(answer);
	} else if (genl->cmd == HVMM_CMD_VM_START) {
		starts++;
		unlocked_start = fcntl(lock_fd, F_GETFD) < 0;
	}
	nlmsg_free(msg);
	return ret;
}

int hv_vmfd_lock(uint32_t id, struct hv_error *err)
{
	locked = true;
	lock_fd = memfd_create("lock", 0);
	if (while_locking)
		while_locking();
	return lock_fd;
}

int hv_vmfd_open(uint32_t id, struct hv_error *err)
{
	return memfd_create("vm", 0);
}

void *hv_vmfd_map(int fd, uint64_t size, struct hv_error *err)
{
	void *base = ftruncate(fd, (off_t)size)
			     ? MAP_FAILED
			     : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	loads++;
	if (base == MAP_FAILED)
		return NULL;
	/* What an earlier guest left */
	memset(base, 0xff, size);
	if (while_loading)
		while_loading();
	return base;
}

static void started_by_other(void)
{
	state = HVMM_STATE_RUNNING;
	reason = HVMM_STATE_REASON_REQUEST;
}

static void stopped_for_good(void)
{
	reason = HVMM_STATE_REASON_REQUEST;
}

static int boot(enum hv_vm_boot why, uint32_t because)
{
	/* A multiboot image: magic, flags with addresses, checksum, addresses, entry. */
	static const uint32_t image[] = {
		0x1badb002, 0x10000, -0x1badb002U - 0x10000,
		0x100000, 0x100000, 0, 0, 0x100020, 0
	};
	char path[] = "/tmp/hvmm-unit.XXXXXX";
	struct hv_config config = { .kernel = path };
	struct hv_nl nl = { 0 };
	struct hv_error err;
	int fd = mkstemp(path), ret;

	state = HVMM_STATE_STOPPED;
	reason = because;
	loads = 0;
	starts = 0;
	locked = false;
	ret = write(fd, image, sizeof(image)) == sizeof(image)
		      ? hv_vm_boot(&nl, 1, &config, why, &err)
		      : -2;
	close(fd);
	unlink(path);
	while_locking = NULL;
	while_loading = NULL;
	return ret;
}

int main(void)
{
	tap_plan(6);
	tap_ok(!boot(HV_VM_START, HVMM_STATE_REASON_NONE) && locked && loads == 1 && starts == 1 &&
	       !unlocked_start && fcntl(lock_fd, F_GETFD) < 0,
	       "a VM is started under its lock, which is given back");
	while_locking = started_by_other;
	tap_ok(boot(HV_VM_START, HVMM_STATE_REASON_NONE) == -1 && !loads && !starts,
	       "nothing is loaded into a VM that another has started meanwhile");
	tap_ok(!boot(HV_VM_RESTART, HVMM_STATE_REASON_RESET) && starts == 1, "a restart");
	while_locking = started_by_other;
	tap_ok(boot(HV_VM_RESTART, HVMM_STATE_REASON_RESET) == 1 && !loads && !starts,
	       "a restart that another has done");
	while_loading = stopped_for_good;
	tap_ok(boot(HV_VM_RESTART, HVMM_STATE_REASON_RESET) == 1 && loads == 1 && !starts,
	       "a restart of a VM that is stopped for good while it is loaded");
	while_locking = stopped_for_good;
	tap_ok(boot(HV_VM_RESTART, HVMM_STATE_REASON_RESET) == 1 && !loads && !starts, "or before");
	return tap_done();
}
