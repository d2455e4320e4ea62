// SPDX-License-Identifier: GPL-2.0
/* start, stop, reset, pause, resume, destroy: verbs that take names of VMs. */
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "hvadm.h"

/* A device process that has ended already has done its work if the guest has. */
static int ended(struct hv_nl *nl, uint32_t id)
{
	struct hv_error ignored;
	struct hv_vm vm;

	return hv_vm_get_id(nl, id, &vm, &ignored) || vm.state != HVMM_STATE_STOPPED ? -1 : 0;
}

/* The kernel shows it to those only who may start the VM. */
static int read_config(const struct hv_vm *vm, struct hv_config *config, struct hv_error *err)
{
	if (!vm->config_len)
		return hv_fail_code(
			err, HV_EXIT_REFUSED,
			"its configuration is not to be seen: that needs CAP_SYS_ADMIN, "
			"and a VM that was created by hvadm");
	if (!hv_config_read(config, vm->config, vm->config_len, err))
		return 0;
	hv_config_free(config);
	return -1;
}

int boot_vm(struct hv_nl *nl, const struct hv_vm *vm, int *status, struct hv_error *err)
{
	struct hv_config config;
	int fd = -1, ret = -1;

	if (status)
		*status = -1;
	/* Asked first: another device process would wait for the present one to end. */
	if (hv_vm_check_stopped(vm, err))
		return -1;
	if (read_config(vm, &config, err))
		return -1;
	if (config.testdev || config.on_reset == HV_ON_RESET_RESTART) {
		fd = device_start(vm, !status, err);
		if (fd < 0)
			goto free;
	}
	ret = hv_vm_boot(nl, vm->id, &config, HV_VM_START, err);
	/* A detached device process ends by itself when it is told that nothing was started. */
	if (!ret && fd >= 0 && !status && device_release(fd, err))
		ret = ended(nl, vm->id);
	if (!ret && status)
		*status = fd;
	else if (fd >= 0)
		close(fd);
free:
	hv_config_free(&config);
	return ret;
}

static int start(struct hv_nl *nl, const struct hv_vm *vm, struct hv_error *err)
{
	return boot_vm(nl, vm, NULL, err);
}

static int stop(struct hv_nl *nl, const struct hv_vm *vm, struct hv_error *err)
{
	return hv_vm_simple(nl, HVMM_CMD_VM_STOP, vm->id, err);
}

/* Whether the images can be loaded. */
static int check_images(const struct hv_vm *vm, struct hv_error *err)
{
	struct hv_config config;
	int ret;

	if (read_config(vm, &config, err))
		return -1;
	ret = hv_load_check(&config, vm->vcpus, vm->memory, err);
	hv_config_free(&config);
	return ret;
}

/* Images are loaded anew, which can be done while nothing runs only. */
static int reset(struct hv_nl *nl, const struct hv_vm *vm, struct hv_error *err)
{
	struct hv_error refused;
	struct hv_vm stopped;
	int ret = 0;

	if (check_images(vm, err))
		return -1;
	if (vm->state != HVMM_STATE_STOPPED)
		ret = stop(nl, vm, &refused);
	if (hv_vm_get_id(nl, vm->id, &stopped, err))
		return -1;
	/* It may have stopped by itself. */
	if (ret && stopped.state != HVMM_STATE_STOPPED) {
		*err = refused;
		return -1;
	}
	return boot_vm(nl, &stopped, NULL, err);
}

static int do_pause(struct hv_nl *nl, const struct hv_vm *vm, struct hv_error *err)
{
	return hv_vm_simple(nl, HVMM_CMD_VM_PAUSE, vm->id, err);
}

static int resume(struct hv_nl *nl, const struct hv_vm *vm, struct hv_error *err)
{
	return hv_vm_simple(nl, HVMM_CMD_VM_RESUME, vm->id, err);
}

static int destroy(struct hv_nl *nl, const struct hv_vm *vm, struct hv_error *err)
{
	return hv_vm_simple(nl, HVMM_CMD_VM_DEL, vm->id, err);
}

static error_t parse_names(int key, char *arg, struct argp_state *state)
{
	int *first = state->input;

	switch (key) {
	case ARGP_KEY_ARGS:
		*first = state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a name is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* All names are tried; the first failure's status is the answer. */
static int each(int argc, char **argv, const char *text,
		int (*fn)(struct hv_nl *nl, const struct hv_vm *vm, struct hv_error *err))
{
	const struct argp argp = {
		.parser = parse_names,
		.args_doc = "NAME...",
		.doc = text,
	};
	int first = argc, status = HV_OK, ret;
	struct hv_error err;
	struct hv_nl nl;
	struct hv_vm vm;

	argp_parse(&argp, argc, argv, 0, NULL, &first);
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	for (; first < argc; first++) {
		if (!hv_vm_get(&nl, argv[first], &vm, &err) && !fn(&nl, &vm, &err))
			continue;
		ret = complain(argv[first], &err);
		if (!status)
			status = ret;
	}
	hv_nl_close(&nl);
	return status;
}

int verb_start(int argc, char **argv)
{
	return each(argc, argv, "Load VMs' images and start them.", start);
}

int verb_stop(int argc, char **argv)
{
	return each(argc, argv, "Switch VMs off. Their RAM stays until they are started again.",
		    stop);
}

int verb_reset(int argc, char **argv)
{
	return each(argc, argv, "Switch VMs off and start them again.", reset);
}

int verb_pause(int argc, char **argv)
{
	return each(argc, argv, "Hold VMs' vCPUs.", do_pause);
}

int verb_resume(int argc, char **argv)
{
	return each(argc, argv, "Let paused VMs go on.", resume);
}

int verb_destroy(int argc, char **argv)
{
	return each(argc, argv, "Remove VMs, whatever their state.", destroy);
}
