// SPDX-License-Identifier: GPL-2.0
/* hvadm start and reset, with a kernel and a device process that are made up here. */
#include <string.h>
#include <unistd.h>

#include "../../user/hvadm/device.h"
#include "../../user/hvadm/hvadm.h"
#include "tap.h"

/* The only VM; what is refused; what was asked for. */
static struct hv_vm vm;
static bool stop_refused, release_fails, stops_by_itself;
static unsigned int stops, boots;

int complain(const char *name, const struct hv_error *err)
{
	return err->code;
}

int device_start(const struct hv_vm *of, bool detach, struct hv_error *err)
{
	return 0;
}

int device_release(int fd, struct hv_error *err)
{
	return release_fails ? hv_fail_code(err, HV_EXIT_REFUSED, "it has ended") : 0;
}

int hv_nl_open(struct hv_nl *nl, struct hv_error *err)
{
	return 0;
}

void hv_nl_close(struct hv_nl *nl)
{
}

int hv_vm_get(struct hv_nl *nl, const char *name, struct hv_vm *got, struct hv_error *err)
{
	*got = vm;
	return 0;
}

int hv_vm_get_id(struct hv_nl *nl, uint32_t id, struct hv_vm *got, struct hv_error *err)
{
	return hv_vm_get(nl, NULL, got, err);
}

int hv_vm_check_stopped(const struct hv_vm *of, struct hv_error *err)
{
	return of->state == HVMM_STATE_STOPPED ? 0 : hv_fail(err, "it is not stopped");
}

int hv_vm_simple(struct hv_nl *nl, uint8_t cmd, uint32_t id, struct hv_error *err)
{
	stops += cmd == HVMM_CMD_VM_STOP;
	if (!stop_refused || stops_by_itself)
		vm.state = HVMM_STATE_STOPPED;
	return stop_refused ? hv_fail_code(err, HV_EXIT_REFUSED, "stopped already") : 0;
}

int hv_vm_boot(struct hv_nl *nl, uint32_t id, const struct hv_config *config, enum hv_vm_boot why,
	       struct hv_error *err)
{
	boots++;
	vm.state = stops_by_itself ? HVMM_STATE_STOPPED : HVMM_STATE_RUNNING;
	return 0;
}

static void set_up(uint32_t state, const char *config)
{
	memset(&vm, 0, sizeof(vm));
	vm.id = 1;
	vm.vcpus = 1;
	vm.memory = 64 << 20;
	vm.state = state;
	vm.config_len = (uint32_t)strlen(config);
	memcpy(vm.config, config, vm.config_len);
	stop_refused = false;
	release_fails = false;
	stops_by_itself = false;
	stops = 0;
	boots = 0;
}

static int call(int (*verb)(int argc, char **argv))
{
	char *argv[3] = { (char *)"hvadm", (char *)"vm" };

	return verb(2, argv);
}

static void start(void)
{
	static const char config[] = "hvmm-boot 1\ntestdev=yes\n";

	set_up(HVMM_STATE_STOPPED, config);
	tap_ok(call(verb_start) == HV_OK && boots == 1, "start");
	set_up(HVMM_STATE_STOPPED, config);
	release_fails = true;
	stops_by_itself = true;
	tap_ok(call(verb_start) == HV_OK, "a guest that has ended, and its device process with it");
	set_up(HVMM_STATE_STOPPED, config);
	release_fails = true;
	tap_ok(call(verb_start) == HV_EXIT_REFUSED, "a device process that left its guest alone");
}

static void reset(void)
{
	char path[] = "/tmp/hvmm-unit.XXXXXX", config[200];
	/* A multiboot image: magic, flags with addresses, checksum, addresses, entry. */
	const uint32_t image[] = {
		0x1badb002, 0x10000, -0x1badb002U - 0x10000,
		0x100000, 0x100000, 0, 0, 0x100020, 0
	};
	int fd = mkstemp(path);
	bool ok = write(fd, image, sizeof(image)) == sizeof(image);

	snprintf(config, sizeof(config), "hvmm-boot 1\nkernel=%s\n", path);
	set_up(HVMM_STATE_RUNNING, config);
	tap_ok(ok && call(verb_reset) == HV_OK && stops == 1 && boots == 1, "reset");
	set_up(HVMM_STATE_RUNNING, config);
	stop_refused = true;
	stops_by_itself = true;
	tap_ok(call(verb_reset) == HV_OK && boots == 1,
	       "a VM that stops just before it is told to");
	set_up(HVMM_STATE_RUNNING, config);
	stop_refused = true;
	tap_ok(call(verb_reset) == HV_EXIT_REFUSED && !boots, "a stop that is refused");
	close(fd);
	unlink(path);
	set_up(HVMM_STATE_RUNNING, config);
	tap_ok(call(verb_reset) == HV_EXIT_USAGE && !stops && !boots && vm.state,
	       "a VM whose image has gone goes on");
}

int main(void)
{
	tap_plan(7);
	start();
	reset();
	return tap_done();
}
