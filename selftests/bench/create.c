// SPDX-License-Identifier: GPL-2.0
/*
 * From nothing to a VM's first instruction: how long it takes a process to make a VM with one
 * vCPU and 16 MiB, put a few bytes into its RAM and start it, until the process knows of the first
 * instruction, a write to a port. In ticks of the TSC, the least of several, since interrupts hit
 * nearly all of them: "bench create ROUNDS TICKS". Usage: create hvmm|kvm
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/hvmm_vm.h>

#include "kvm_vm.h"
#include "vm.h"
#include "vmfd.h"

#define ROUNDS 21
#define WARM   4
#define MEMORY (16ULL << 20)
#define ENTRY  0x1000

/* out %al, $0xf4; 1: hlt; jmp 1b */
static const uint8_t code[] = { 0xe6, 0xf4, 0xf4, 0xeb, 0xfd };
static const struct hv_boot boot = { .mode = HV_BOOT_PM32, .rip = ENTRY };

static uint64_t tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "create: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t once_kvm(void)
{
	struct kvm_vm vm = { 0 };
	uint64_t start = tsc(), end;

	kvm_vm_create(&vm, 1, MEMORY);
	memcpy((uint8_t *)vm.ram + ENTRY, code, sizeof(code));
	kvm_vcpu_boot(&vm.vcpu[0], &boot);
	kvm_vcpu_run(&vm.vcpu[0]);
	end = tsc();
	kvm_vm_destroy(&vm);
	return end - start;
}

static uint64_t once_hvmm(struct hv_nl *nl)
{
	struct hvmm_vm_io_next next = { .size = sizeof(next), .done_vcpu = HVMM_VM_NO_VCPU };
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };
	const struct hv_config config = { 0 };
	const struct hv_quota quota = { 0 };
	uint64_t start = tsc(), end;
	struct hvmm_vm_slot *slots;
	struct hv_error err;
	struct hv_vm vm;
	uint8_t *ram;
	int fd;

	if (hv_vm_new(nl, "create", 1, MEMORY, false, &config, &quota, &vm, &err))
		goto fail;
	fd = hv_vmfd_open(vm.id, &err);
	if (fd < 0)
		goto fail;
	ram = hv_vmfd_map(fd, MEMORY, &err);
	if (!ram)
		goto fail;
	slots = mmap(NULL, sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		     (off_t)HVMM_VM_MMAP_SLOTS);
	must(slots == MAP_FAILED, "device channel");
	must(ioctl(fd, HVMM_VM_ATTACH, &attach) < 0, "attach");
	memcpy(ram + ENTRY, code, sizeof(code));
	if (hv_vm_start(nl, vm.id, &boot, &err))
		goto fail;
	must(ioctl(fd, HVMM_VM_IO_NEXT, &next) < 0, "wait");
	must(slots->addr != code[1], "the first instruction");
	end = tsc();
	if (hv_vm_simple(nl, HVMM_CMD_VM_DEL, vm.id, &err))
		goto fail;
	munmap(slots, sizeof(*slots));
	munmap(ram, MEMORY);
	close(fd);
	return end - start;

fail:
	fprintf(stderr, "create: %s\n", err.text);
	exit(2);
}

int main(int argc, char **argv)
{
	bool kvm = argc == 2 && !strcmp(argv[1], "kvm");
	uint64_t least = UINT64_MAX, ticks;
	struct hv_error err;
	struct hv_nl nl;
	int i;

	if (!kvm && (argc != 2 || strcmp(argv[1], "hvmm") != 0)) {
		fputs("usage: create hvmm|kvm\n", stderr);
		return 2;
	}
	if (!kvm && hv_nl_open(&nl, &err)) {
		fprintf(stderr, "create: %s\n", err.text);
		return 2;
	}
	for (i = 0; i < WARM + ROUNDS; i++) {
		ticks = kvm ? once_kvm() : once_hvmm(&nl);
		if (i >= WARM && ticks < least)
			least = ticks;
	}
	printf("bench create %d %llu\n", ROUNDS, (unsigned long long)least);
	return 0;
}
