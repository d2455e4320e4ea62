/* SPDX-License-Identifier: GPL-2.0 */
/* A vCPU without hardware, for tests of the guest's CPU as software sees it. */
#ifndef HVMM_UNIT_GUEST_CPU_H
#define HVMM_UNIT_GUEST_CPU_H

#include "x86/vcpu.h"

extern struct hvmm_vm vm;
extern struct hvmm_x86_vcpu vcpu;
/* The last calls of hvmm_vcpu_unhalt() and hvmm_vcpu_yield_to(). */
extern struct hvmm_vcpu *kicked, *yielded_to;
/* What the latter says. */
extern bool refuse_yield;

/* What the host's CPUID says; zeros where nothing is set. */
struct host_leaf {
	u32 leaf;
	u32 sub;
	u32 r[4];
};

/**
 * guest_cpu_init - a host, and one vCPU on it, after power-on
 * @vendor: X86_VENDOR_*
 * @leaves: the host's CPUID
 * @nr: number of leaves
 *
 * The host's kernel has all features that its CPU has, XCR0 is 7.
 */
void guest_cpu_init(u8 vendor, const struct host_leaf *leaves, unsigned int nr);

/* A CPU of the Zen kind with @maxphyaddr, all bits of all features set otherwise. */
void guest_cpu_init_amd(unsigned int maxphyaddr);

#endif
