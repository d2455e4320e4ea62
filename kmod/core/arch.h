/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What core asks of the floors above it: the CPU (x86/), the machine around it
 * (x86/platform.c) and the runners (run/).
 */
#ifndef HVMM_CORE_ARCH_H
#define HVMM_CORE_ARCH_H

#include "core/vm.h"

/**
 * hvmm_arch_vcpu_create - allocate a vCPU, its LAPIC set up
 * @vm: its VM
 * @index: its number
 *
 * Context: may sleep.
 * Return: the vCPU or an ERR_PTR.
 */
struct hvmm_vcpu *hvmm_arch_vcpu_create(struct hvmm_vm *vm, u32 index);
void hvmm_arch_vcpu_destroy(struct hvmm_vcpu *vcpu);

/**
 * hvmm_arch_vcpu_bytes - kernel memory that one vCPU takes
 */
size_t hvmm_arch_vcpu_bytes(void);

/**
 * hvmm_arch_vcpu_reset - power-up state, or the state that a boot protocol asks for
 * @vcpu: the vCPU; it does not run
 * @boot: first state, or %NULL for one that waits for INIT and SIPI
 *
 * Context: may sleep.
 */
void hvmm_arch_vcpu_reset(struct hvmm_vcpu *vcpu, const struct hvmm_boot *boot);

/**
 * hvmm_arch_boot_check - whether a boot state can be entered
 * @boot: the state
 * @extack: the reason of a refusal
 *
 * Return: 0 or -EINVAL.
 */
int hvmm_arch_boot_check(const struct hvmm_boot *boot, struct netlink_ext_ack *extack);

/**
 * hvmm_arch_event_pending - whether an NMI or exception waits to be injected
 * @vcpu: the vCPU
 *
 * Context: its runner, or its domain's lock held.
 */
bool hvmm_arch_event_pending(struct hvmm_vcpu *vcpu);

/**
 * hvmm_platform_create - the machine around the CPUs: buses, IOAPIC, console, channel
 * @vm: the VM, its vCPUs created
 *
 * Context: may sleep.
 * Return: 0 or -errno.
 */
int hvmm_platform_create(struct hvmm_vm *vm);

/**
 * hvmm_platform_reset - the same, after power-on
 * @vm: the VM; no vCPU runs
 */
void hvmm_platform_reset(struct hvmm_vm *vm);

/**
 * hvmm_platform_quiesce - the vCPUs have stopped: cancel what they had asked for
 * @vm: the VM
 *
 * Context: may sleep.
 */
void hvmm_platform_quiesce(struct hvmm_vm *vm);

/**
 * hvmm_platform_detach - the VM was destroyed: tell those who hold its fds
 * @vm: the VM; references keep it
 *
 * Context: may sleep.
 */
void hvmm_platform_detach(struct hvmm_vm *vm);

/**
 * hvmm_platform_destroy - give up what hvmm_platform_create() made, also partly
 * @vm: the VM; no vCPU runs
 */
void hvmm_platform_destroy(struct hvmm_vm *vm);

/**
 * hvmm_platform_bytes - kernel memory that it takes
 * @vm: the VM
 */
u64 hvmm_platform_bytes(struct hvmm_vm *vm);

/**
 * hvmm_run_kick_cpu - make a runner leave the guest
 * @cpu: its pCPU
 *
 * Context: any but NMI.
 */
void hvmm_run_kick_cpu(unsigned int cpu);

#endif
