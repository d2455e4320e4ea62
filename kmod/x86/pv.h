/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_PV_H
#define HVMM_X86_PV_H

#include "x86/vcpu.h"

/**
 * hvmm_pv_reset - forget the guest's paravirtual registrations
 * @x: the vCPU
 */
void hvmm_pv_reset(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_wall_clock - MSR_KVM_WALL_CLOCK(_NEW): write struct pvclock_wall_clock
 * @x: the vCPU
 * @gpa: where, 4-byte aligned
 *
 * Return: 0, -EINVAL (not RAM), -EAGAIN (&hvmm_x86_vcpu.missing_gfn).
 */
int hvmm_pv_wall_clock(struct hvmm_x86_vcpu *x, u64 gpa);

/**
 * hvmm_pv_system_time - MSR_KVM_SYSTEM_TIME(_NEW) was written
 * @x: the vCPU
 * @val: gpa with enable bit 0
 *
 * Return: 0, -EINVAL, -EAGAIN.
 */
int hvmm_pv_system_time(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_pv_update_clock - write struct pvclock_vcpu_time_info, if enabled
 * @x: the vCPU
 *
 * Context: the vCPU's runner; HVMM_REQ_CLOCK.
 * Return: 0, -EAGAIN (page missing), -EINVAL (page is no RAM any more: switched off).
 */
int hvmm_pv_update_clock(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_steal - write struct kvm_steal_time, if enabled
 * @x: the vCPU
 *
 * Steal time is ready + capped + host of the ledger. Called when a residency begins.
 *
 * Return: 0, -EAGAIN, -EINVAL.
 */
int hvmm_pv_steal(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_hypercall - KVM hypercall ABI (Documentation/virt/kvm/x86/hypercalls.rst)
 * @x: the vCPU
 * @nr: RAX
 * @arg: RBX, RCX, RDX, RSI
 *
 * Return: value for RAX.
 */
long hvmm_pv_hypercall(struct hvmm_x86_vcpu *x, u64 nr, const u64 arg[4]);

#endif
