/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_FPU_H
#define HVMM_HOST_FPU_H

#include <linux/interrupt.h>
#include <linux/sched.h>
#include <linux/types.h>

/**
 * hvmm_fpu_setup - choose how guest FPU state is kept
 * @xcr0: XCR0 bits that guests are offered, 0 without XSAVE
 *
 * Context: module init, may sleep.
 * Return: 0 or -ENOMEM.
 */
int hvmm_fpu_setup(u64 xcr0);
void hvmm_fpu_teardown(void);

/**
 * hvmm_fpu_alloc - allocate guest FPU state, in its state after reset
 *
 * Context: may sleep.
 * Return: the area or %NULL.
 */
void *hvmm_fpu_alloc(void);
void hvmm_fpu_free(void *area);
void hvmm_fpu_reset(void *area);

/**
 * hvmm_fpu_bytes - size of an area
 */
size_t hvmm_fpu_bytes(void);

/**
 * hvmm_fpu_begin - a residency begins: guest FPU state goes into the registers
 * @area: the state
 * @xcr0: the guest's XCR0
 *
 * Context: process; on return preemption is off, until hvmm_fpu_end().
 */
void hvmm_fpu_begin(void *area, u64 xcr0);

/**
 * hvmm_fpu_end - it ends: state goes back to the area
 * @area: the state
 *
 * Context: between hvmm_fpu_begin() and here. Interrupts on.
 */
void hvmm_fpu_end(void *area);

/**
 * hvmm_fpu_set_xcr0 - the guest changed XCR0 during a residency
 * @xcr0: its new value, validated
 */
void hvmm_fpu_set_xcr0(u64 xcr0);

/**
 * hvmm_fpu_must_yield - whether the section should be ended for the host's sake
 *
 * Softirqs are held back in it on newer kernels, and preemption is off in all.
 *
 * Context: within the section.
 */
static inline bool hvmm_fpu_must_yield(void)
{
	return need_resched() || local_softirq_pending();
}

/**
 * hvmm_fpu_get_xmm - an XMM register of the guest
 * @nr: 0..15
 * @val: 16 bytes
 *
 * Context: within the section: registers are live.
 */
void hvmm_fpu_get_xmm(unsigned int nr, void *val);
void hvmm_fpu_set_xmm(unsigned int nr, const void *val);

#endif
