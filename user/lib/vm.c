// SPDX-License-Identifier: GPL-2.0
/* The family's verbs and objects. */
#include <linux/genetlink.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "prealloc.h"
#include "util.h"
#include "vm.h"
#include "vmfd.h"

#define DUMP_TRIES 16

/* Newer than Debian 12's C library; kernels that do not know it refuse it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

static int parse(const struct nlmsghdr *nlh, struct nlattr **tb, int max, struct hv_error *err)
{
	if (nlmsg_parse((struct nlmsghdr *)nlh, GENL_HDRLEN, tb, max, NULL) < 0)
		return hv_fail_code(err, HV_EXIT_REFUSED, "netlink: an answer that makes no sense");
	return 0;
}

static void get_text(const struct nlattr *attr, char *to, size_t size)
{
	size_t len = (size_t)nla_len(attr);

	if (len >= size)
		len = size - 1;
	memcpy(to, nla_data(attr), len);
	to[len] = 0;
}

static uint32_t get_u32(const struct nlattr *attr)
{
	return attr && nla_len(attr) == 4 ? nla_get_u32(attr) : 0;
}

static uint64_t get_uint(const struct nlattr *attr)
{
	return attr ? hv_nl_uint(attr) : 0;
}

int hv_vm_parse(const struct nlmsghdr *nlh, struct hv_vm *vm, struct hv_error *err)
{
	struct nlattr *tb[HVMM_A_VM_MAX + 1];

	memset(vm, 0, sizeof(*vm));
	if (parse(nlh, tb, HVMM_A_VM_MAX, err))
		return -1;
	vm->id = get_u32(tb[HVMM_A_VM_ID]);
	if (tb[HVMM_A_VM_NAME])
		get_text(tb[HVMM_A_VM_NAME], vm->name, sizeof(vm->name));
	vm->vcpus = get_u32(tb[HVMM_A_VM_VCPUS]);
	vm->memory = get_uint(tb[HVMM_A_VM_MEMORY]);
	vm->state = get_u32(tb[HVMM_A_VM_STATE]);
	vm->reason = get_u32(tb[HVMM_A_VM_REASON]);
	if (tb[HVMM_A_VM_ERROR])
		get_text(tb[HVMM_A_VM_ERROR], vm->error, sizeof(vm->error));
	vm->console = tb[HVMM_A_VM_CONSOLE] ? (int)get_u32(tb[HVMM_A_VM_CONSOLE]) : -1;
	vm->age = get_uint(tb[HVMM_A_VM_AGE]);
	vm->uptime = get_uint(tb[HVMM_A_VM_UPTIME]);
	if (tb[HVMM_A_VM_CONFIG] && nla_len(tb[HVMM_A_VM_CONFIG]) <= (int)sizeof(vm->config)) {
		vm->config_len = (uint32_t)nla_len(tb[HVMM_A_VM_CONFIG]);
		memcpy(vm->config, nla_data(tb[HVMM_A_VM_CONFIG]), vm->config_len);
	}
	hv_quota_parse(tb, &vm->quota);
	return 0;
}

static int take_vm(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	return hv_vm_parse(nlh, arg, err);
}

int hv_vm_get(struct hv_nl *nl, const char *name, struct hv_vm *vm, struct hv_error *err)
{
	struct nl_msg *msg;

	if (strlen(name) > HVMM_NAME_MAX)
		return hv_fail_code(err, HV_EXIT_NO_VM, "no VM has a name as long as '%s'", name);
	msg = hv_nl_message(nl, HVMM_CMD_VM_GET, 0);
	hv_nl_put_string(msg, HVMM_A_VM_NAME, name);
	return hv_nl_request(nl, msg, take_vm, vm, NULL, err);
}

int hv_vm_get_id(struct hv_nl *nl, uint32_t id, struct hv_vm *vm, struct hv_error *err)
{
	struct nl_msg *msg = hv_nl_message(nl, HVMM_CMD_VM_GET, 0);

	hv_nl_put_u32(msg, HVMM_A_VM_ID, id);
	return hv_nl_request(nl, msg, take_vm, vm, NULL, err);
}

/* What a dump brings, one after another. */
struct collection {
	void *items;
	size_t count, size;
	int (*parse)(const struct nlmsghdr *nlh, void *item, struct hv_error *err);
};

static int collect(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	struct collection *c = arg;
	char *items;

	items = reallocarray(c->items, c->count + 1, c->size);
	if (!items)
		return hv_fail(err, "out of memory");
	c->items = items;
	return c->parse(nlh, items + c->size * c->count++, err);
}

static int dump(struct hv_nl *nl, uint8_t cmd, uint32_t id, struct collection *c,
		struct hv_error *err)
{
	unsigned int i;

	for (i = 0; i < DUMP_TRIES; i++) {
		struct nl_msg *msg = hv_nl_message(nl, cmd, NLM_F_DUMP);
		bool interrupted = false;

		if (id)
			hv_nl_put_u32(msg, HVMM_A_VCPU_VM, id);
		c->count = 0;
		if (hv_nl_request(nl, msg, collect, c, &interrupted, err)) {
			free(c->items);
			return -1;
		}
		if (!interrupted)
			return 0;
	}
	/* VMs come and go faster than they can be listed: what was seen is better than nothing. */
	return 0;
}

int hv_vm_list(struct hv_nl *nl, struct hv_vm **vms, size_t *count, struct hv_error *err)
{
	struct collection c = { .size = sizeof(struct hv_vm), .parse = take_vm };
	/* hv_vm_parse() takes a struct hv_vm, collect() hands out items of that size. */
	if (dump(nl, HVMM_CMD_VM_GET, 0, &c, err))
		return -1;
	*vms = c.items;
	*count = c.count;
	return 0;
}

int hv_vm_simple(struct hv_nl *nl, uint8_t cmd, uint32_t id, struct hv_error *err)
{
	struct nl_msg *msg = hv_nl_message(nl, cmd, 0);

	hv_nl_put_u32(msg, HVMM_A_VM_ID, id);
	return hv_nl_request(nl, msg, NULL, NULL, NULL, err);
}

/* RAM that can neither shrink nor grow: what is mapped stays there. */
static int new_ram(const char *name, uint64_t size, struct hv_error *err)
{
	char label[HVMM_NAME_MAX + 8];
	int fd;

	snprintf(label, sizeof(label), "hvmm:%.*s", HVMM_NAME_MAX, name);
	fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return hv_fail(err, "cannot make the VM's memory: %s", strerror(errno));
	if (ftruncate(fd, (off_t)size) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		hv_fail(err, "cannot make the VM's memory: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/* What RAM and the nested page tables for all of it take at least. */
static uint64_t full_size(uint64_t memory)
{
	uint64_t tables = 1, pages = memory / HV_PAGE;
	int level;

	for (level = 1; level <= 3; level++) {
		pages = (pages + 511) / 512;
		tables += pages;
	}
	return memory + tables * HV_PAGE;
}

/*
 * When the VM is there: from then on the kernel says no, and does not kill us, when the host or
 * our memory cgroup has too little.
 */
static int take_ram(struct hv_nl *nl, struct hv_vm *vm, int fd, uint64_t memory,
		    struct hv_error *err)
{
	struct hv_error ignored;

	if (!hv_prealloc(fd, memory))
		return 0;
	hv_fail_code(err, HV_EXIT_REFUSED, "prealloc: the host does not give %llu bytes: %s",
		     (unsigned long long)memory, strerror(errno));
	hv_vm_simple(nl, HVMM_CMD_VM_DEL, vm->id, &ignored);
	return -1;
}

int hv_vm_new(struct hv_nl *nl, const char *name, uint32_t vcpus, uint64_t memory, bool prealloc,
	      const struct hv_config *config, const struct hv_quota *quota, struct hv_vm *vm,
	      struct hv_error *err)
{
	char text[HV_CONFIG_MAX];
	struct nl_msg *msg;
	size_t len;
	int fd, ret;

	if (strlen(name) > HVMM_NAME_MAX)
		return hv_fail(err, "a name has at most %u characters", HVMM_NAME_MAX);
	if (prealloc && quota->mem_max && full_size(memory) > quota->mem_max)
		return hv_fail(err,
			       "prealloc: RAM and its page tables take %llu bytes, mem-max is %llu",
			       (unsigned long long)full_size(memory),
			       (unsigned long long)quota->mem_max);
	if (hv_config_write(config, text, &len, err))
		return -1;
	fd = new_ram(name, memory, err);
	if (fd < 0)
		return -1;
	msg = hv_nl_message(nl, HVMM_CMD_VM_NEW, 0);
	hv_nl_put_string(msg, HVMM_A_VM_NAME, name);
	hv_nl_put_u32(msg, HVMM_A_VM_VCPUS, vcpus);
	hv_nl_put_uint(msg, HVMM_A_VM_MEMORY, memory);
	hv_nl_put_u32(msg, HVMM_A_VM_RAM_FD, (uint32_t)fd);
	hv_nl_put(msg, HVMM_A_VM_CONFIG, text, len);
	hv_quota_put(msg, quota);
	ret = hv_nl_request(nl, msg, take_vm, vm, NULL, err);
	if (!ret && prealloc)
		ret = take_ram(nl, vm, fd, memory, err);
	close(fd);
	return ret;
}

int hv_vm_start(struct hv_nl *nl, uint32_t id, const struct hv_boot *boot, struct hv_error *err)
{
	static const struct {
		int attr;
		size_t offset;
	} regs[] = {
		{ HVMM_A_BOOT_RIP, offsetof(struct hv_boot, rip) },
		{ HVMM_A_BOOT_RSP, offsetof(struct hv_boot, rsp) },
		{ HVMM_A_BOOT_RAX, offsetof(struct hv_boot, rax) },
		{ HVMM_A_BOOT_RBX, offsetof(struct hv_boot, rbx) },
		{ HVMM_A_BOOT_RSI, offsetof(struct hv_boot, rsi) },
		{ HVMM_A_BOOT_CR3, offsetof(struct hv_boot, cr3) },
		{ HVMM_A_BOOT_GDT_BASE, offsetof(struct hv_boot, gdt_base) },
	};
	struct nl_msg *msg = hv_nl_message(nl, HVMM_CMD_VM_START, 0);
	uint16_t limit = (uint16_t)boot->gdt_limit;
	struct nlattr *nest;
	unsigned int i;

	hv_nl_put_u32(msg, HVMM_A_VM_ID, id);
	nest = nla_nest_start(msg, HVMM_A_VM_BOOT | NLA_F_NESTED);
	hv_nl_put_u32(msg, HVMM_A_BOOT_MODE, boot->mode);
	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		uint64_t v;

		/* What is not given is 0; some registers must not be given in some modes. */
		memcpy(&v, (const char *)boot + regs[i].offset, sizeof(v));
		if (v)
			hv_nl_put_uint(msg, regs[i].attr, v);
	}
	if (limit)
		hv_nl_put(msg, HVMM_A_BOOT_GDT_LIMIT, &limit, sizeof(limit));
	nla_nest_end(msg, nest);
	return hv_nl_request(nl, msg, NULL, NULL, NULL, err);
}

int hv_vm_check_stopped(const struct hv_vm *vm, struct hv_error *err)
{
	if (vm->state == HVMM_STATE_STOPPED)
		return 0;
	return hv_fail_code(err, HV_EXIT_REFUSED, "it is %s; only a stopped VM can be started",
			    vm->state == HVMM_STATE_RUNNING ? "running" : "paused");
}

static int load(const struct hv_vm *vm, const struct hv_config *config, struct hv_boot *boot,
		struct hv_error *err)
{
	struct hv_ram ram;
	void *base;
	int fd, ret;

	fd = hv_vmfd_open(vm->id, err);
	if (fd < 0)
		return -1;
	base = hv_vmfd_map(fd, vm->memory, err);
	if (!base) {
		close(fd);
		return -1;
	}
	hv_ram_init(&ram, base, vm->memory);
	ret = hv_load(config, vm->vcpus, &ram, boot, err);
	munmap(base, vm->memory);
	close(fd);
	return ret;
}

/* Return: 0 if it may be, 1 if nobody wants it any more, -1 on failure. */
static int may_boot(struct hv_nl *nl, uint32_t id, enum hv_vm_boot why, struct hv_vm *vm,
		    struct hv_error *err)
{
	if (hv_vm_get_id(nl, id, vm, err))
		return -1;
	if (why == HV_VM_START)
		return hv_vm_check_stopped(vm, err);
	return vm->state != HVMM_STATE_STOPPED || vm->reason != HVMM_STATE_REASON_RESET;
}

int hv_vm_boot(struct hv_nl *nl, uint32_t id, const struct hv_config *config, enum hv_vm_boot why,
	       struct hv_error *err)
{
	int lock = hv_vmfd_lock(id, err), ret;
	struct hv_boot boot;
	struct hv_vm vm;

	if (lock < 0)
		return -1;
	ret = may_boot(nl, id, why, &vm, err);
	if (!ret)
		ret = load(&vm, config, &boot, err);
	/* Loading may take long: it may have been stopped meanwhile, for good. */
	if (!ret && why == HV_VM_RESTART)
		ret = may_boot(nl, id, why, &vm, err);
	if (!ret)
		ret = hv_vm_start(nl, id, &boot, err);
	close(lock);
	return ret;
}

static void get_nest(const struct nlattr *attr, uint64_t *to, int max)
{
	struct nlattr *inner;
	int left;

	if (!attr)
		return;
	nla_for_each_nested(inner, attr, left) {
		if (nla_type(inner) > 0 && nla_type(inner) <= max)
			to[nla_type(inner)] = hv_nl_uint(inner);
	}
}

static int take_stats(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	struct nlattr *tb[HVMM_A_STATS_MAX + 1];
	struct hv_stats *s = arg;

	memset(s, 0, sizeof(*s));
	if (parse(nlh, tb, HVMM_A_STATS_MAX, err))
		return -1;
	s->id = get_u32(tb[HVMM_A_STATS_VM]);
	if (tb[HVMM_A_STATS_VM_NAME])
		get_text(tb[HVMM_A_STATS_VM_NAME], s->name, sizeof(s->name));
	s->state = get_u32(tb[HVMM_A_STATS_STATE]);
	s->vcpus = get_u32(tb[HVMM_A_STATS_VCPUS]);
	s->figures.wall = get_uint(tb[HVMM_A_STATS_WALL]);
	get_nest(tb[HVMM_A_STATS_MEMORY], s->memory, HVMM_A_MEMORY_MAX);
	get_nest(tb[HVMM_A_STATS_LEDGER], s->figures.ledger, HVMM_A_LEDGER_MAX);
	get_nest(tb[HVMM_A_STATS_EXITS], s->figures.exits, HVMM_A_EXITS_MAX);
	get_nest(tb[HVMM_A_STATS_COUNTERS], s->figures.counters, HVMM_A_COUNTERS_MAX);
	return 0;
}

int hv_stats_get(struct hv_nl *nl, uint32_t id, struct hv_stats *stats, struct hv_error *err)
{
	struct nl_msg *msg = hv_nl_message(nl, HVMM_CMD_STATS_GET, 0);

	hv_nl_put_u32(msg, HVMM_A_STATS_VM, id);
	return hv_nl_request(nl, msg, take_stats, stats, NULL, err);
}

int hv_stats_list(struct hv_nl *nl, struct hv_stats **stats, size_t *count, struct hv_error *err)
{
	struct collection c = { .size = sizeof(struct hv_stats), .parse = take_stats };

	if (dump(nl, HVMM_CMD_STATS_GET, 0, &c, err))
		return -1;
	*stats = c.items;
	*count = c.count;
	return 0;
}

static void get_wait(const struct nlattr *nest, struct hv_wait *wait)
{
	struct nlattr *a;
	int left;

	nla_for_each_nested(a, nest, left) {
		switch (nla_type(a)) {
		case HVMM_A_WAIT_COUNT:
			wait->count = hv_nl_uint(a);
			break;
		case HVMM_A_WAIT_LONGEST:
			wait->longest = hv_nl_uint(a);
			break;
		case HVMM_A_WAIT_LONGEST_END:
			wait->longest_end = hv_nl_uint(a);
			break;
		case HVMM_A_WAIT_HISTOGRAM:
			if (nla_len(a) == (int)sizeof(wait->bucket))
				memcpy(wait->bucket, nla_data(a), sizeof(wait->bucket));
			break;
		}
	}
}

static void get_waits(const struct nlattr *nest, struct hv_wait *waits)
{
	struct nlattr *a;
	int left;

	if (!nest)
		return;
	nla_for_each_nested(a, nest, left) {
		if (nla_type(a) > 0 && nla_type(a) <= HVMM_A_WAITS_MAX)
			get_wait(a, &waits[nla_type(a)]);
	}
}

static int take_vcpu(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	struct nlattr *tb[HVMM_A_VCPU_MAX + 1];
	struct hv_vcpu *v = arg;

	memset(v, 0, sizeof(*v));
	if (parse(nlh, tb, HVMM_A_VCPU_MAX, err))
		return -1;
	v->index = get_u32(tb[HVMM_A_VCPU_INDEX]);
	v->state = get_u32(tb[HVMM_A_VCPU_STATE]);
	v->pcpu = tb[HVMM_A_VCPU_PCPU] ? (int)get_u32(tb[HVMM_A_VCPU_PCPU]) : -1;
	v->figures.wall = get_uint(tb[HVMM_A_VCPU_WALL]);
	get_nest(tb[HVMM_A_VCPU_LEDGER], v->figures.ledger, HVMM_A_LEDGER_MAX);
	get_nest(tb[HVMM_A_VCPU_EXITS], v->figures.exits, HVMM_A_EXITS_MAX);
	get_nest(tb[HVMM_A_VCPU_COUNTERS], v->figures.counters, HVMM_A_COUNTERS_MAX);
	v->since = get_uint(tb[HVMM_A_VCPU_SINCE]);
	get_waits(tb[HVMM_A_VCPU_WAITS], v->waits);
	return 0;
}

int hv_vcpus_get(struct hv_nl *nl, uint32_t id, struct hv_vcpu **vcpus, size_t *count,
		 struct hv_error *err)
{
	struct collection c = { .size = sizeof(struct hv_vcpu), .parse = take_vcpu };

	if (dump(nl, HVMM_CMD_VCPU_GET, id, &c, err))
		return -1;
	*vcpus = c.items;
	*count = c.count;
	return 0;
}

int hv_host_parse(const struct nlmsghdr *nlh, struct hv_host *h, struct hv_error *err)
{
	struct nlattr *tb[HVMM_A_HOST_MAX + 1];
	int i;

	memset(h, 0, sizeof(*h));
	if (parse(nlh, tb, HVMM_A_HOST_MAX, err))
		return -1;
	if (tb[HVMM_A_HOST_VERSION])
		get_text(tb[HVMM_A_HOST_VERSION], h->version, sizeof(h->version));
	if (tb[HVMM_A_HOST_VENDOR])
		get_text(tb[HVMM_A_HOST_VENDOR], h->vendor, sizeof(h->vendor));
	for (i = HVMM_A_HOST_PCPUS; i <= HVMM_A_HOST_MAX; i++)
		h->counts[i] = get_uint(tb[i]);
	return 0;
}

static int take_host(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	return hv_host_parse(nlh, arg, err);
}

int hv_host_get(struct hv_nl *nl, struct hv_host *host, struct hv_error *err)
{
	return hv_nl_request(nl, hv_nl_message(nl, HVMM_CMD_HOST_GET, 0), take_host, host, NULL,
			     err);
}

static int take_pcpu(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	struct nlattr *tb[HVMM_A_PCPU_MAX + 1];
	struct hv_pcpu *p = arg;
	int i;

	memset(p, 0, sizeof(*p));
	if (parse(nlh, tb, HVMM_A_PCPU_MAX, err))
		return -1;
	for (i = 1; i < HVMM_A_PCPU_POLICIES; i++)
		p->values[i] = get_uint(tb[i]);
	p->busy = tb[HVMM_A_PCPU_VM];
	if (tb[HVMM_A_PCPU_POLICIES])
		get_text(tb[HVMM_A_PCPU_POLICIES], p->policies, sizeof(p->policies));
	return 0;
}

int hv_policy_parse(const struct nlmsghdr *nlh, struct hv_policy *policy, struct hv_error *err)
{
	struct nlattr *tb[HVMM_A_PCPU_MAX + 1];

	memset(policy, 0, sizeof(*policy));
	if (parse(nlh, tb, HVMM_A_PCPU_MAX, err))
		return -1;
	policy->domain = get_u32(tb[HVMM_A_PCPU_DOMAIN]);
	if (tb[HVMM_A_PCPU_POLICY])
		get_text(tb[HVMM_A_PCPU_POLICY], policy->name, sizeof(policy->name));
	if (tb[HVMM_A_PCPU_WHY])
		get_text(tb[HVMM_A_PCPU_WHY], policy->why, sizeof(policy->why));
	return 0;
}

int hv_pcpus_get(struct hv_nl *nl, struct hv_pcpu **pcpus, size_t *count, struct hv_error *err)
{
	struct collection c = { .size = sizeof(struct hv_pcpu), .parse = take_pcpu };

	if (dump(nl, HVMM_CMD_PCPU_GET, 0, &c, err))
		return -1;
	*pcpus = c.items;
	*count = c.count;
	return 0;
}
