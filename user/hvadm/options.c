// SPDX-License-Identifier: GPL-2.0
/* What create and run have in common. */
#include <string.h>

#include "hvadm.h"
#include "units.h"

#define MEMORY_DEFAULT (512ULL << 20)

enum {
	OPT_VCPUS = 0x100,
	OPT_MEMORY,
	OPT_PREALLOC,
	OPT_KERNEL,
	OPT_INITRD,
	OPT_CMDLINE,
	OPT_MODULE,
	OPT_FORMAT,
	OPT_TESTDEV,
	OPT_ON_RESET,
};

static const struct argp_option options[] = {
	{ "vcpus", OPT_VCPUS, "N", 0, "number of vCPUs (1)", 0 },
	{ "memory", OPT_MEMORY, "SIZE", 0, "RAM, as 512M or 4G (512M)", 0 },
	{ "prealloc", OPT_PREALLOC, NULL, 0, "take all RAM from the host now, not when used", 0 },
	{ "kernel", OPT_KERNEL, "FILE", 0, "bzImage, ELF with a PVH entry, or multiboot image", 0 },
	{ "initrd", OPT_INITRD, "FILE", 0, "initial RAM disk; more than one are concatenated", 0 },
	{ "cmdline", OPT_CMDLINE, "TEXT", 0, "the kernel's command line", 0 },
	{ "module", OPT_MODULE, "FILE[:ARGS]", 0,
	  "boot module for PVH and multiboot kernels; may be repeated", 0 },
	{ "format", OPT_FORMAT, "linux|pvh|multiboot", 0,
	  "how to boot a kernel that can be booted in several ways", 0 },
	{ "testdev", OPT_TESTDEV, NULL, 0, "give it the test device (see hvdm(8))", 0 },
	{ "on-reset", OPT_ON_RESET, "stop|restart", 0, "when the guest resets itself (stop)", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct vm_options *o = state->input;
	struct hv_config *config = &o->config;
	struct hv_error err;
	int ret = 0;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->quota;
		break;
	case OPT_VCPUS:
		if (!hv_parse_u32(arg, 1, HVMM_VCPUS_MAX, &o->vcpus))
			argp_error(state, "--vcpus %s: a number from 1 to %d is needed", arg,
				   HVMM_VCPUS_MAX);
		break;
	case OPT_MEMORY:
		if (!hv_parse_size(arg, &o->memory))
			argp_error(state, "--memory %s: a size like 512M is needed", arg);
		if (o->memory < HVMM_MEMORY_MIN || o->memory > HVMM_MEMORY_MAX ||
		    o->memory % HV_PAGE)
			argp_error(state,
				   "--memory %s: 1M to 1T in multiples of 4096 bytes are possible",
				   arg);
		break;
	case OPT_PREALLOC:
		o->prealloc = true;
		break;
	case OPT_KERNEL:
		ret = hv_config_set_kernel(config, arg, &err);
		break;
	case OPT_INITRD:
		ret = hv_config_add_initrd(config, arg, &err);
		break;
	case OPT_CMDLINE:
		ret = hv_config_set_cmdline(config, arg, &err);
		break;
	case OPT_MODULE:
		ret = hv_config_add_module(config, arg, &err);
		break;
	case OPT_FORMAT:
		ret = hv_config_set_format(config, arg, &err);
		break;
	case OPT_TESTDEV:
		config->testdev = true;
		break;
	case OPT_ON_RESET:
		ret = hv_config_set_on_reset(config, arg, &err);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		argp_failure(state, HV_EXIT_USAGE, 0, "%s", err.text);
	return 0;
}

static const struct argp_child children[] = { { &quota_argp, 0, NULL, 0 }, { 0 } };

const struct argp vm_argp = { .options = options, .parser = parse, .children = children };

void vm_options_init(struct vm_options *o)
{
	memset(o, 0, sizeof(*o));
	o->vcpus = 1;
	o->memory = MEMORY_DEFAULT;
}

int vm_options_check(const struct vm_options *o, struct hv_error *err)
{
	if (!o->config.kernel) {
		if (o->config.nr_initrds || o->config.nr_modules || o->config.cmdline)
			return hv_fail(err, "initrd, module and cmdline need a kernel");
		return 0;
	}
	return hv_load_check(&o->config, o->vcpus, o->memory, err);
}
