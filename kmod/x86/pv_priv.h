/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the KVM guest ABI; all for the vCPU's runner. */
#ifndef HVMM_X86_PV_PRIV_H
#define HVMM_X86_PV_PRIV_H

#include "x86/pv.h"

/**
 * hvmm_pv_versioned_write - write what the guest reads under a version
 * @x: the vCPU
 * @version: the version last written
 * @version_gpa: where the guest reads it
 * @gpa: where the data go
 * @buf: data
 * @len: bytes
 *
 * The version is odd while the data change, and the guest retries until it sees the
 * same even one before and after. When this fails half-way the version stays odd until
 * the caller's next try.
 *
 * Return: 0, -EFAULT (not RAM), -EAGAIN (&hvmm_x86_vcpu.missing_gfn).
 */
int hvmm_pv_versioned_write(struct hvmm_x86_vcpu *x, u32 *version, u64 version_gpa, u64 gpa,
			    const void *buf, unsigned int len);

/* A residency begins: the clock, where the host's TSC is not sound. 0, -EINVAL, -EAGAIN. */
int hvmm_pv_load_clock(struct hvmm_x86_vcpu *x);

/* KVM_HC_KICK_CPU. Return: value for RAX. */
long hvmm_pv_kick(struct hvmm_x86_vcpu *x, u64 apic_id);

/**
 * hvmm_pv_send_ipi - KVM_HC_SEND_IPI: one interrupt to many
 * @x: the sender
 * @low: first half of the bitmap of targets
 * @high: second half
 * @min: APIC id that bit 0 of @low stands for
 * @icr: vector and delivery mode (fixed or NMI), as in the ICR
 * @wide: a half has 64 bits, not 32
 *
 * Return: number of targets that took it, or -KVM_EINVAL.
 */
long hvmm_pv_send_ipi(struct hvmm_x86_vcpu *x, u64 low, u64 high, u64 min, u64 icr, bool wide);

/* KVM_HC_SCHED_YIELD: the vCPU waits for another. Return: what it does next. */
enum hvmm_exit_fate hvmm_pv_yield(struct hvmm_x86_vcpu *x, u64 apic_id);

#endif
