/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_KVM_VM_H
#define BENCH_KVM_VM_H

#include "kvm_vcpu.h"

/**
 * struct kvm_vm - a VM of KVM with its interrupt controllers in the kernel
 * @kvm: /dev/kvm
 * @fd: the VM's
 * @nr: number of vCPUs
 * @vcpu: the vCPUs
 * @ram: RAM, from address 0
 * @memory: its size
 * @latch: the test device's, read and written by the guest
 */
struct kvm_vm {
	int kvm;
	int fd;
	uint32_t nr;
	struct kvm_vcpu *vcpu;
	void *ram;
	uint64_t memory;
	uint32_t latch;
};

/**
 * kvm_vm_create - make a VM and its vCPUs
 * @vm: filled
 * @vcpus: number of vCPUs
 * @memory: RAM in bytes, at most 3 GiB
 */
void kvm_vm_create(struct kvm_vm *vm, uint32_t vcpus, uint64_t memory);

/* The test device's doorbell: writes of four bytes to port 0xe8. */
void kvm_vm_doorbell(struct kvm_vm *vm);

/* The vCPUs do not run. */
void kvm_vm_destroy(struct kvm_vm *vm);

#endif
