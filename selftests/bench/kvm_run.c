// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's side of a comparison: runs a guest as "hvadm run --testdev" does, from the same image
 * and by the same loader, with the interrupt controllers in the kernel and a thread a vCPU.
 * Usage: kvm_run [--vcpus N] [--memory SIZE] [--cmdline TEXT] [--timeout TIME] FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_vm.h"
#include "units.h"

#define VCPUS_MAX    64
#define MEMORY	     (128ULL << 20)
#define STATUS_LATE  124

struct options {
	struct hv_config config;
	uint32_t vcpus;
	uint64_t memory;
	uint64_t timeout;
};

static void usage(const char *what)
{
	if (what)
		fprintf(stderr, "kvm_run: %s\n", what);
	fputs("usage: kvm_run [--vcpus N] [--memory SIZE] [--cmdline TEXT] [--timeout TIME] FILE\n",
	      stderr);
	exit(2);
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "vcpus", required_argument, NULL, 'v' },
		{ "memory", required_argument, NULL, 'm' },
		{ "cmdline", required_argument, NULL, 'c' },
		{ "timeout", required_argument, NULL, 't' },
		{ 0 }
	};
	struct hv_error err;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'v':
			if (!hv_parse_u32(optarg, 1, VCPUS_MAX, &o->vcpus))
				usage("--vcpus: a number from 1 to 64");
			break;
		case 'm':
			if (!hv_parse_size(optarg, &o->memory) || o->memory % HV_PAGE ||
			    o->memory < 1 << 20 || o->memory > HV_RAM_LOW_MAX)
				usage("--memory: 1M to 3G");
			break;
		case 'c':
			if (hv_config_set_cmdline(&o->config, optarg, &err))
				usage(err.text);
			break;
		case 't':
			if (!hv_parse_time(optarg, &o->timeout))
				usage("--timeout: a time like 10s");
			break;
		default:
			usage(NULL);
		}
	}
	if (optind != argc - 1)
		usage("one file is needed");
	if (hv_config_set_kernel(&o->config, argv[optind], &err))
		usage(err.text);
}

static void load(struct kvm_vm *vm, const struct options *o)
{
	struct hv_error err;
	struct hv_boot boot;
	struct hv_ram ram;

	hv_ram_init(&ram, vm->ram, vm->memory);
	if (hv_load(&o->config, vm->nr, &ram, &boot, &err)) {
		fprintf(stderr, "kvm_run: %s\n", err.text);
		exit(2);
	}
	kvm_vcpu_boot(&vm->vcpu[0], &boot);
}

static void leave(int status)
{
	fflush(stdout);
	_exit(status);
}

static void *run(void *arg)
{
	leave(kvm_vcpu_run(arg));
	return NULL;
}

int main(int argc, char **argv)
{
	struct options o = { .vcpus = 1, .memory = MEMORY, .timeout = 60ULL * 1000000000 };
	struct timespec wait;
	struct kvm_vm vm = { 0 };
	uint32_t i;

	parse(&o, argc, argv);
	kvm_vm_create(&vm, o.vcpus, o.memory);
	kvm_vm_doorbell(&vm);
	load(&vm, &o);
	for (i = 0; i < vm.nr; i++) {
		errno = pthread_create(&vm.vcpu[i].thread, NULL, run, &vm.vcpu[i]);
		if (errno)
			kvm_die("thread");
	}
	/* The threads leave when the guest does. */
	wait.tv_sec = (time_t)(o.timeout / 1000000000);
	wait.tv_nsec = (long)(o.timeout % 1000000000);
	nanosleep(&wait, NULL);
	fprintf(stderr, "kvm_run: time is up\n");
	leave(STATUS_LATE);
}
