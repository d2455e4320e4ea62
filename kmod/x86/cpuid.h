/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_CPUID_H
#define HVMM_X86_CPUID_H

#include <asm/cpufeature.h>

#include "x86/vcpu.h"

/* Features offered to guests, in the words of the kernel; use hvmm_guest_has(). */
extern u32 hvmm_guest_caps[NR_CPUID_WORDS];

/**
 * hvmm_cpuid_setup - work out what guests are offered on this host
 *
 * Context: module init, once, before any VM.
 * Return: 0, or -EINVAL if the policy table is wrong.
 */
int hvmm_cpuid_setup(void);

/**
 * hvmm_cpuid - answer CPUID
 * @x: the vCPU
 * @leaf: EAX
 * @sub: ECX
 * @r: filled: EAX, EBX, ECX, EDX
 *
 * Context: any.
 */
void hvmm_cpuid(struct hvmm_x86_vcpu *x, u32 leaf, u32 sub, u32 r[4]);

/**
 * hvmm_cpuid_fixed - the same for a leaf that is alike for all vCPUs at all times
 * @leaf: EAX
 * @sub: ECX
 *
 * Context: any.
 * Return: EAX, EBX, ECX, EDX; %NULL where hvmm_cpuid() must work them out.
 */
const u32 *hvmm_cpuid_fixed(u32 leaf, u32 sub);

/**
 * hvmm_guest_has - whether a feature is offered to guests
 * @feature: X86_FEATURE_* of the words that stand for CPUID leaves 1, 7, 0xd,
 *	0x80000001, 0x80000008 and 0x80000021. Always false for the kernel's
 *	synthetic ones (X86_FEATURE_IBPB and the like: use X86_FEATURE_AMD_IBPB), and
 *	for those that depend on the vCPU (APIC, OSXSAVE, HT).
 *
 * Context: any. Constant after hvmm_cpuid_setup().
 */
static inline bool hvmm_guest_has(unsigned int feature)
{
	return hvmm_guest_caps[feature >> 5] & BIT(feature & 31);
}

/**
 * hvmm_guest_amd - whether guests see a CPU of AMD's kind: the host's vendor decides
 */
static inline bool hvmm_guest_amd(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	       boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
}

/**
 * hvmm_guest_xcr0 - XCR0 bits that guests may set; 0 without XSAVE
 */
u64 hvmm_guest_xcr0(void);

/**
 * hvmm_guest_cr4 - CR4 bits that guests may set
 */
u64 hvmm_guest_cr4(void);

/**
 * hvmm_guest_efer - EFER bits that guests may set
 */
u64 hvmm_guest_efer(void);

/**
 * hvmm_guest_maxphyaddr - physical address bits that guests are told of
 */
unsigned int hvmm_guest_maxphyaddr(void);

/**
 * hvmm_guest_xsave_size - bytes of an XSAVE area
 * @xcr0: components, of those offered
 * @compacted: XSAVEC's format rather than XSAVE's
 *
 * Context: any.
 */
u32 hvmm_guest_xsave_size(u64 xcr0, bool compacted);

#endif
