/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way from a timer's interrupt to a halted vCPU on its pCPU is long, and as good as always
 * the same. So the host's timer behind the LAPIC's is early by that much while the vCPU is
 * halted, and the vCPU waits on its pCPU for what is left. What it waits is run time.
 */
#ifndef HVMM_RUN_EARLY_H
#define HVMM_RUN_EARLY_H

#include "sched/sched.h"
#include "x86/vcpu.h"

/**
 * hvmm_early_halt - a vCPU parks in HLT: make its timer early
 * @vcpu: the vCPU
 *
 * Context: its runner.
 */
void hvmm_early_halt(struct hvmm_vcpu *vcpu);

/**
 * hvmm_early_wait - its timer has ended HLT: wait for the time that the guest asked for
 * @res: the pCPU
 * @vcpu: the vCPU
 *
 * Where others want the pCPU it does not wait. Then the timer is set once more, by the LAPIC,
 * which knows what is due.
 *
 * Context: its runner, preemption off, interrupts on.
 */
void hvmm_early_wait(const struct hvmm_resource *res, struct hvmm_vcpu *vcpu);

#endif
