// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_vm.h"

#define TSS_ADDRESS 0xfffbd000UL
#define DOORBELL    0xe8

void kvm_vm_create(struct kvm_vm *vm, uint32_t vcpus, uint64_t memory)
{
	struct kvm_userspace_memory_region region = { .memory_size = memory };
	uint32_t i;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		kvm_die("/dev/kvm");
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		kvm_die("KVM_CREATE_VM");
	if (ioctl(vm->fd, KVM_SET_TSS_ADDR, TSS_ADDRESS) || ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
		kvm_die("KVM_CREATE_IRQCHIP");
	vm->memory = memory;
	vm->ram = mmap(NULL, vm->memory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vm->ram == MAP_FAILED)
		kvm_die("RAM");
	region.userspace_addr = (uintptr_t)vm->ram;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region))
		kvm_die("KVM_SET_USER_MEMORY_REGION");
	vm->nr = vcpus;
	vm->vcpu = calloc(vm->nr, sizeof(*vm->vcpu));
	if (!vm->vcpu)
		kvm_die("vCPUs");
	for (i = 0; i < vm->nr; i++)
		kvm_vcpu_create(vm, &vm->vcpu[i], i);
}

void kvm_vm_doorbell(struct kvm_vm *vm)
{
	struct kvm_ioeventfd bell = {
		.addr = DOORBELL,
		.len = 4,
		.flags = KVM_IOEVENTFD_FLAG_PIO,
	};

	bell.fd = eventfd(0, EFD_CLOEXEC);
	if (bell.fd < 0)
		kvm_die("eventfd");
	if (ioctl(vm->fd, KVM_IOEVENTFD, &bell))
		kvm_die("KVM_IOEVENTFD");
	close(bell.fd);
}

void kvm_vm_destroy(struct kvm_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr; i++)
		kvm_vcpu_destroy(&vm->vcpu[i]);
	free(vm->vcpu);
	munmap(vm->ram, vm->memory);
	close(vm->fd);
	close(vm->kvm);
}
