/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_MSR_H
#define HVMM_X86_MSR_H

#include "x86/vcpu.h"

/**
 * hvmm_msr_reset - MSRs kept by hvmm, after power-on or INIT
 * @x: the vCPU, its control block reset
 * @init: INIT rather than power-on (SDM vol. 3, 10.1.1: most MSRs keep their value)
 *
 * Forgets the guest's paravirtual registrations and sets the TSC offset.
 *
 * Context: the vCPU's runner, or it does not run.
 */
void hvmm_msr_reset(struct hvmm_x86_vcpu *x, bool init);

/**
 * hvmm_msr_read - RDMSR as the policy table says
 * @x: the vCPU
 * @msr: number
 * @val: filled
 *
 * Context: the vCPU's runner.
 * Return: 0; -EINVAL for #GP(0); -EAGAIN if &hvmm_x86_vcpu.missing_gfn must be brought in first.
 */
int hvmm_msr_read(struct hvmm_x86_vcpu *x, u32 msr, u64 *val);

/**
 * hvmm_msr_read_quick - RDMSR of what is neither the LAPIC's nor an error
 * @x: the vCPU
 * @msr: number
 * @val: filled
 *
 * Context: the vCPU's runner, interrupts off.
 * Return: whether it was done; hvmm_msr_read() answers all others.
 */
bool hvmm_msr_read_quick(struct hvmm_x86_vcpu *x, u32 msr, u64 *val);

/**
 * hvmm_msr_write - WRMSR as the policy table says
 * @x: the vCPU
 * @msr: number
 * @val: value
 *
 * Context: the vCPU's runner, the vCPU loaded.
 * Return: 0, -EINVAL for #GP(0), -EAGAIN if &hvmm_x86_vcpu.missing_gfn must be
 * brought in first (nothing has changed).
 */
int hvmm_msr_write(struct hvmm_x86_vcpu *x, u32 msr, u64 val);

/**
 * hvmm_msr_setup_intercepts - open the MSRs that a guest may touch without an exit
 * @x: the vCPU, all MSRs intercepted so far
 *
 * Context: vCPU creation.
 */
void hvmm_msr_setup_intercepts(struct hvmm_x86_vcpu *x);

/**
 * hvmm_guest_tsc - what RDTSC gives the guest now
 * @x: the vCPU
 *
 * Context: any; exact on the pCPU that runs the vCPU.
 */
u64 hvmm_guest_tsc(struct hvmm_x86_vcpu *x);

/**
 * hvmm_tsc_sync - put the TSC offset into the control block
 * @x: the vCPU
 *
 * The offset is &hvmm_vm.tsc_offset plus the guest's TSC_ADJUST; to be called for
 * every vCPU when the former changes, and after the control block was reset.
 *
 * Context: the vCPU's runner, or the vCPU does not run.
 */
void hvmm_tsc_sync(struct hvmm_x86_vcpu *x);

#endif
