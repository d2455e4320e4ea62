/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU that spins waits for another: for the holder of a lock, or for the answer to an
 * IPI. If that one has no pCPU, spinning only keeps it from getting one.
 */
#ifndef HVMM_X86_SPIN_H
#define HVMM_X86_SPIN_H

#include "x86/vcpu.h"

/**
 * hvmm_spin_waiter - whether another vCPU of the VM wants a pCPU and has none
 * @vcpu: the vCPU
 *
 * Context: its runner.
 */
bool hvmm_spin_waiter(const struct hvmm_vcpu *vcpu);

/**
 * hvmm_spin_target - whom a vCPU that spins should let run
 * @from: the vCPU
 *
 * In turn, those that want a pCPU and have none; who was itself last seen to spin is
 * passed over once: it is not the one that the others wait for, until it is its turn.
 *
 * Context: @from's runner.
 * Return: another vCPU of the VM, or %NULL.
 */
struct hvmm_vcpu *hvmm_spin_target(const struct hvmm_vcpu *from);

/**
 * hvmm_spin - a vCPU was seen to spin
 * @x: the vCPU
 *
 * Context: its runner.
 * Return: %HVMM_EXIT_YIELD, or %HVMM_EXIT_RESUME if nobody would gain by it.
 */
enum hvmm_exit_fate hvmm_spin(struct hvmm_x86_vcpu *x);

#endif
