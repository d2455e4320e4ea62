/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU set aside: in the middle of a residency its runner does something that may sleep. The
 * FPU section is ended, but what the vendor has loaded stays, since most often nothing else runs
 * meanwhile; if the host does take the pCPU, the preempt notifier puts that away first.
 */
#ifndef HVMM_X86_ASIDE_H
#define HVMM_X86_ASIDE_H

#include "host/fpu.h"
#include "x86/vendor.h"

/**
 * hvmm_set_aside - sleeping is allowed until hvmm_take_back()
 * @x: the vCPU, loaded
 *
 * Context: the vCPU's runner, preemption off; on return it is on.
 */
static inline void hvmm_set_aside(struct hvmm_x86_vcpu *x)
{
	WRITE_ONCE(x->aside, true);
	hvmm_fpu_end(x->fpu);
}

/**
 * hvmm_take_back - the vCPU is loaded again
 * @x: the vCPU
 *
 * Context: the vCPU's runner; on return preemption is off.
 */
static inline void hvmm_take_back(struct hvmm_x86_vcpu *x)
{
	hvmm_fpu_begin(x->fpu, x->xcr0);
	if (likely(READ_ONCE(x->aside)))
		WRITE_ONCE(x->aside, false);
	else
		hvmm_arch->load(x);
}

/**
 * hvmm_aside_host_took - the host takes the pCPU from the vCPU's runner
 * @x: the vCPU
 *
 * Context: the runner's preempt notifier.
 */
static inline void hvmm_aside_host_took(struct hvmm_x86_vcpu *x)
{
	if (!READ_ONCE(x->aside))
		return;
	hvmm_arch->put(x);
	WRITE_ONCE(x->aside, false);
}

#endif
