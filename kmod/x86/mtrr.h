/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_MTRR_H
#define HVMM_X86_MTRR_H

#include "x86/vcpu.h"

/* PhysBase0, PhysMask0, PhysBase1... */
#define HVMM_MSR_MTRR_VAR_FIRST	0x200
#define HVMM_MSR_MTRR_VAR_LAST	(HVMM_MSR_MTRR_VAR_FIRST + 2 * HVMM_MTRR_VAR_NR - 1)
#define HVMM_MSR_MTRR_64K	0x250
#define HVMM_MSR_MTRR_16K_FIRST	0x258
#define HVMM_MSR_MTRR_16K_LAST	0x259
#define HVMM_MSR_MTRR_4K_FIRST	0x268
#define HVMM_MSR_MTRR_4K_LAST	0x26f
#define HVMM_MSR_MTRR_DEF	0x2ff

/**
 * hvmm_mtrr_reset - MTRRs after power-on
 * @x: the vCPU
 */
void hvmm_mtrr_reset(struct hvmm_x86_vcpu *x);

/**
 * hvmm_mtrr_read - RDMSR of a MTRR, MTRRcap excepted
 * @x: the vCPU
 * @msr: number
 * @val: filled
 *
 * Context: the vCPU's runner.
 * Return: 0, or -EINVAL for #GP(0).
 */
int hvmm_mtrr_read(struct hvmm_x86_vcpu *x, u32 msr, u64 *val);

/**
 * hvmm_mtrr_write - WRMSR of a MTRR
 * @x: the vCPU
 * @msr: number
 * @val: value; reserved bits and types are checked (APM vol. 2, 7.7)
 *
 * Context: the vCPU's runner.
 * Return: 0, or -EINVAL for #GP(0).
 */
int hvmm_mtrr_write(struct hvmm_x86_vcpu *x, u32 msr, u64 val);

#endif
