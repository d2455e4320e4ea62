/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_CPUID_H
#define HVMM_X86_CPUID_H

#include "x86/vcpu.h"

/**
 * hvmm_cpuid_setup - work out what guests are offered on this host
 *
 * Context: module init, once, before any VM.
 */
void hvmm_cpuid_setup(void);

/**
 * hvmm_cpuid - answer CPUID
 * @x: the vCPU
 * @eax: in: leaf; out: EAX
 * @ebx: EBX
 * @ecx: in: subleaf; out: ECX
 * @edx: EDX
 *
 * Context: any.
 */
void hvmm_cpuid(struct hvmm_x86_vcpu *x, u32 *eax, u32 *ebx, u32 *ecx, u32 *edx);

/**
 * hvmm_guest_has - whether a feature is offered to guests
 * @feature: X86_FEATURE_* of the CPUID words of leaves 1, 7, 0xd, 0x80000001, 0x80000008
 *
 * Context: any. Constant after hvmm_cpuid_setup().
 */
bool hvmm_guest_has(unsigned int feature);

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

#endif
