/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_MSR_H
#define HVMM_X86_MSR_H

#include "x86/vcpu.h"

/**
 * hvmm_msr_reset - MSRs kept by hvmm, after power-on or INIT
 * @x: the vCPU
 * @init: INIT rather than power-on (SDM vol. 3, 10.1.1: most MSRs keep their value)
 *
 * Context: the vCPU does not run.
 */
void hvmm_msr_reset(struct hvmm_x86_vcpu *x, bool init);

/**
 * hvmm_msr_read - RDMSR as the policy table says
 * @x: the vCPU
 * @msr: number
 * @val: filled
 *
 * Context: the vCPU's runner.
 * Return: 0, or -EINVAL for #GP(0).
 */
int hvmm_msr_read(struct hvmm_x86_vcpu *x, u32 msr, u64 *val);

/**
 * hvmm_msr_write - WRMSR as the policy table says
 * @x: the vCPU
 * @msr: number
 * @val: value
 *
 * Context: the vCPU's runner.
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

#endif
