/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a processor's VMX can do, and what hvmm makes of it: SDM vol. 3, appendix A.
 * Builds in the kernel and in userspace.
 */
#ifndef HVMM_X86_VMX_CAPS_H
#define HVMM_X86_VMX_CAPS_H

#include <linux/types.h>

/**
 * enum hvmm_vmx_word - words of controls
 * @VMX_PIN: pin-based
 * @VMX_PROC: primary processor-based
 * @VMX_PROC2: secondary processor-based
 * @VMX_EXIT: VM exit
 * @VMX_ENTRY: VM entry
 */
enum hvmm_vmx_word {
	VMX_PIN,
	VMX_PROC,
	VMX_PROC2,
	VMX_EXIT,
	VMX_ENTRY,
	VMX_NR
};

/**
 * struct hvmm_vmx_caps - the capability MSRs, and the controls chosen by them
 * @basic: IA32_VMX_BASIC
 * @misc: IA32_VMX_MISC
 * @ept_vpid: IA32_VMX_EPT_VPID_CAP
 * @cr0_must: IA32_VMX_CR0_FIXED0: bits that must be 1
 * @cr0_may: IA32_VMX_CR0_FIXED1: bits that may be 1
 * @cr4_must: likewise
 * @cr4_may: likewise
 * @phys_bits: width of physical addresses
 * @allowed: of each word of controls: bits 31:0 must be 1, bits 63:32 may be 1
 * @ctl: what hvmm sets in each word, on every vCPU
 * @x2apic: secondary controls that are set too while the guest's local APIC is in x2APIC mode
 */
struct hvmm_vmx_caps {
	u64 basic;
	u64 misc;
	u64 ept_vpid;
	u64 cr0_must;
	u64 cr0_may;
	u64 cr4_must;
	u64 cr4_may;
	u8 phys_bits;
	u64 allowed[VMX_NR];
	u32 ctl[VMX_NR];
	u32 x2apic;
};

/**
 * hvmm_vmx_caps_choose - choose controls, as far as the processor has them
 * @caps: all but @ctl and @x2apic is filled; these are set
 * @why: filled if something is missing that hvmm cannot do without
 * @len: size of @why
 *
 * Context: any.
 * Return: 0 or -ENODEV.
 */
int hvmm_vmx_caps_choose(struct hvmm_vmx_caps *caps, char *why, unsigned int len);

#endif
