/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What VMRUN checks: APM vol. 2, 15.5.1. A pure function on values; it builds in the kernel
 * and in userspace.
 */
#ifndef HVMM_X86_SVM_CHECK_H
#define HVMM_X86_SVM_CHECK_H

#include <linux/types.h>

#include "x86/svm/vmcb.h"

/**
 * struct hvmm_svm_limits - what the checks depend on
 * @cr4: bits of CR4 that guests may set
 * @address: bits that a physical address may have
 * @nr_asids: number of address space identifiers, 0 among them
 */
struct hvmm_svm_limits {
	u64 cr4;
	u64 address;
	u32 nr_asids;
};

/**
 * hvmm_svm_check - whether VMRUN would refuse this VMCB
 * @vmcb: the VMCB
 * @limits: of the processor, and of what hvmm offers
 *
 * Stricter than APM vol. 2, 15.5.1 in CR4: what guests are not offered is refused too.
 *
 * Context: any.
 * Return: %NULL, or which check fails, in words.
 */
const char *hvmm_svm_check(const struct hvmm_vmcb *vmcb, const struct hvmm_svm_limits *limits);

#endif
