/* SPDX-License-Identifier: GPL-2.0 */
/* The MSR policy as data. References: APM vol. 2, appendix A; SDM vol. 4, chapter 2. */
#ifndef HVMM_X86_MSR_TABLE_H
#define HVMM_X86_MSR_TABLE_H

#include <linux/types.h>

#include "x86/cpuid_table.h"	/* HVMM_VENDOR_* */

/**
 * enum hvmm_msr_read - how RDMSR is answered
 * @HVMM_MSR_R_GP: #GP(0)
 * @HVMM_MSR_R_VALUE: with &hvmm_msr_row.value
 * @HVMM_MSR_R_ARCH: from the vendor's control block
 * @HVMM_MSR_R_FN: by code in msr.c
 */
enum hvmm_msr_read {
	HVMM_MSR_R_GP,
	HVMM_MSR_R_VALUE,
	HVMM_MSR_R_ARCH,
	HVMM_MSR_R_FN,
};

/**
 * enum hvmm_msr_write - how WRMSR is answered; a bit outside &hvmm_msr_row.mask is #GP(0)
 * @HVMM_MSR_W_GP: #GP(0)
 * @HVMM_MSR_W_IGNORE: accepted, without effect
 * @HVMM_MSR_W_ARCH: put into the vendor's control block
 * @HVMM_MSR_W_BASE: the same, #GP(0) if the address is not canonical
 * @HVMM_MSR_W_FN: by code in msr.c
 */
enum hvmm_msr_write {
	HVMM_MSR_W_GP,
	HVMM_MSR_W_IGNORE,
	HVMM_MSR_W_ARCH,
	HVMM_MSR_W_BASE,
	HVMM_MSR_W_FN,
};

#define HVMM_MSR_ALWAYS		0xffff

/**
 * struct hvmm_msr_row - policy of one MSR, or of neighbours that are alike
 * @first: number of the first
 * @last: number of the last
 * @read: enum hvmm_msr_read
 * @write: enum hvmm_msr_write
 * @vendors: HVMM_VENDOR_* for which the row holds; #GP(0) on others
 * @feature: X86_FEATURE_* that must be offered, or %HVMM_MSR_ALWAYS
 * @mask: bits that may be set
 * @value: what reads give, for %HVMM_MSR_R_VALUE
 * @why: the MSR, and why the policy is as it is
 */
struct hvmm_msr_row {
	u32 first;
	u32 last;
	u8 read;
	u8 write;
	u8 vendors;
	u16 feature;
	u64 mask;
	u64 value;
	const char *why;
};

/* Sorted by number, without overlap. */
extern const struct hvmm_msr_row hvmm_msr_rows[];
extern const unsigned int hvmm_msr_nr_rows;

/**
 * hvmm_msr_find - the row of an MSR
 * @msr: its number; may come from a guest
 *
 * Context: any.
 * Return: the row, or %NULL: there is no such MSR.
 */
const struct hvmm_msr_row *hvmm_msr_find(u32 msr);

#endif
