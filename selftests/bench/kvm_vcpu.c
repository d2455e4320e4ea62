// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_vm.h"

#define CPUID_MAX 256

#define SERIAL	    0x3f8
#define SERIAL_LSR  0x3fd
#define LSR_EMPTY   0x60
#define LATCH	    0xe0
#define UNMAP	    0xe4
#define LEAVE	    0xf4
#define STATUS_RESET 125

#define CR0_PE	 (1ULL << 0)
#define CR0_ET	 (1ULL << 4)
#define CR0_PG	 (1ULL << 31)
#define CR4_PAE	 (1ULL << 5)
#define EFER_LME (1ULL << 8)
#define EFER_LMA (1ULL << 10)

/* Leaf 1 */
#define ECX_X2APIC   (1U << 21)
#define ECX_DEADLINE (1U << 24)
#define ECX_GUEST    (1U << 31)

void kvm_die(const char *what)
{
	fprintf(stderr, "kvm_run: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int call(int fd, unsigned long request, void *arg, const char *what)
{
	int ret = ioctl(fd, request, arg);

	if (ret < 0)
		kvm_die(what);
	return ret;
}

/* KVM leaves to its user what differs from vCPU to vCPU, and the timer's deadline mode. */
static void set_cpuid(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid;
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + CPUID_MAX * sizeof(cpuid->entries[0]));
	if (!cpuid)
		kvm_die("CPUID");
	cpuid->nent = CPUID_MAX;
	call(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid, "KVM_GET_SUPPORTED_CPUID");
	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		switch (e->function) {
		case 1:
			e->ebx = (e->ebx & 0xffff) | vcpu->vm->nr << 16 | vcpu->index << 24;
			e->ecx |= ECX_X2APIC | ECX_DEADLINE | ECX_GUEST;
			break;
		case 0xb:
		case 0x1f:
			e->edx = vcpu->index;
			break;
		}
	}
	call(vcpu->fd, KVM_SET_CPUID2, cpuid, "KVM_SET_CPUID2");
	free(cpuid);
}

void kvm_vcpu_create(struct kvm_vm *vm, struct kvm_vcpu *vcpu, uint32_t index)
{
	int size = call(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");

	vcpu->vm = vm;
	vcpu->index = index;
	vcpu->fd = call(vm->fd, KVM_CREATE_VCPU, (void *)(unsigned long)index, "KVM_CREATE_VCPU");
	vcpu->run_size = (size_t)size;
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		kvm_die("the vCPU's page");
	set_cpuid(vcpu);
}

void kvm_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
}

static struct kvm_segment flat(uint16_t selector, bool code, bool wide)
{
	return (struct kvm_segment){
		.selector = selector,
		.limit = 0xffffffff,
		.type = code ? 0xb : 0x3,
		.present = 1,
		.s = 1,
		.g = 1,
		.db = !wide,
		.l = wide,
	};
}

void kvm_vcpu_boot(struct kvm_vcpu *vcpu, const struct hv_boot *boot)
{
	struct kvm_regs regs = {
		.rip = boot->rip,
		.rsp = boot->rsp,
		.rax = boot->rax,
		.rbx = boot->rbx,
		.rsi = boot->rsi,
		.rflags = 2,
	};
	bool wide = boot->mode == HV_BOOT_LONG64;
	struct kvm_sregs sregs;

	if (boot->mode == HV_BOOT_RESET)
		return;
	call(vcpu->fd, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS");
	sregs.cs = flat(0x10, true, wide);
	sregs.ds = flat(0x18, false, false);
	sregs.es = sregs.ds;
	sregs.fs = sregs.ds;
	sregs.gs = sregs.ds;
	sregs.ss = sregs.ds;
	sregs.gdt.base = boot->gdt_base;
	sregs.gdt.limit = boot->gdt_limit;
	sregs.cr0 = CR0_PE | CR0_ET;
	if (wide) {
		sregs.cr0 |= CR0_PG;
		sregs.cr3 = boot->cr3;
		sregs.cr4 = CR4_PAE;
		sregs.efer = EFER_LME | EFER_LMA;
	}
	call(vcpu->fd, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
	call(vcpu->fd, KVM_SET_REGS, &regs, "KVM_SET_REGS");
}

static uint64_t port_read(struct kvm_vcpu *vcpu, uint16_t port)
{
	switch (port) {
	case SERIAL_LSR:
		return LSR_EMPTY;
	case LATCH:
		return vcpu->vm->latch;
	default:
		return ~0ULL;
	}
}

/*
 * Out of the nested page table, by way of this process's: in that it is put back, as a page
 * that the host has is for whoever emulates devices.
 */
static void unmap_page(struct kvm_vm *vm, uint32_t gpa)
{
	uint8_t *page;

	gpa &= ~(uint32_t)(HV_PAGE - 1);
	if (gpa >= vm->memory)
		return;
	page = (uint8_t *)vm->ram + gpa;
	if (madvise(page, HV_PAGE, MADV_DONTNEED))
		kvm_die("MADV_DONTNEED");
	*(volatile uint8_t *)page = *(volatile uint8_t *)page;
}

/* Return: the status with which the guest leaves, or -1. */
static int port_write(struct kvm_vcpu *vcpu, uint16_t port, uint32_t value)
{
	switch (port) {
	case SERIAL:
		putchar((int)(value & 0xff));
		if ((value & 0xff) == '\n')
			fflush(stdout);
		return -1;
	case LATCH:
		vcpu->vm->latch = value;
		return -1;
	case UNMAP:
		unmap_page(vcpu->vm, value);
		return -1;
	case LEAVE:
		return (int)((value << 1 | 1) & 0xff);
	default:
		return -1;
	}
}

static int serve_port(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint64_t value;
	uint32_t i;
	int status;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == KVM_EXIT_IO_IN) {
			value = port_read(vcpu, run->io.port);
			memcpy(data, &value, run->io.size);
			continue;
		}
		value = 0;
		memcpy(&value, data, run->io.size);
		status = port_write(vcpu, run->io.port, (uint32_t)value);
		if (status >= 0)
			return status;
	}
	return -1;
}

int kvm_vcpu_run(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int status;

	for (;;) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			kvm_die("KVM_RUN");
		}
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			status = serve_port(vcpu);
			if (status >= 0)
				return status;
			break;
		case KVM_EXIT_MMIO:
			if (!run->mmio.is_write)
				memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
			break;
		case KVM_EXIT_SHUTDOWN:
			return STATUS_RESET;
		default:
			fprintf(stderr, "kvm_run: vCPU %u: exit %u is not served\n", vcpu->index,
				run->exit_reason);
			exit(2);
		}
	}
}
