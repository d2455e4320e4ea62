/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_KVM_VCPU_H
#define BENCH_KVM_VCPU_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "load.h"

struct kvm_vm;

/**
 * struct kvm_vcpu - a vCPU of KVM and the thread that runs it
 * @vm: its VM
 * @index: its number, and its APIC id
 * @fd: KVM's
 * @run: what KVM shares of it
 * @run_size: its size
 * @thread: runs it
 */
struct kvm_vcpu {
	struct kvm_vm *vm;
	uint32_t index;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	pthread_t thread;
};

/* Ends the program with a message and errno's words. */
void kvm_die(const char *what) __attribute__((noreturn));

/**
 * kvm_vcpu_create - make a vCPU as after power-on: vCPU 0 may run, the others wait for SIPI
 * @vm: its VM
 * @vcpu: filled
 * @index: its number
 */
void kvm_vcpu_create(struct kvm_vm *vm, struct kvm_vcpu *vcpu, uint32_t index);

void kvm_vcpu_destroy(struct kvm_vcpu *vcpu);

/**
 * kvm_vcpu_boot - give a vCPU the first registers that a loader asks for
 * @vcpu: the vCPU
 * @boot: registers
 */
void kvm_vcpu_boot(struct kvm_vcpu *vcpu, const struct hv_boot *boot);

/**
 * kvm_vcpu_run - run until the guest leaves by the test device
 * @vcpu: the vCPU
 *
 * Serves the output of a serial port at 0x3f8 and the ports of the test device. Anything else
 * reads as ones, as under hvmm without a device process.
 *
 * Return: the guest's exit status, (value << 1) | 1; or 125 after a triple fault.
 */
int kvm_vcpu_run(struct kvm_vcpu *vcpu);

#endif
