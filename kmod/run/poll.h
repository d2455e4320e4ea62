/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Halt polling. A vCPU that halts for a few microseconds, as in a dialogue of two, is
 * woken faster and with less work if its runner just looks for a while before it parks
 * it. How long is learned per vCPU: nothing at first, more while halts end soon, nothing
 * again after one that did not. So what does not help costs one short poll at a time.
 *
 * Time polled is "run" in the ledger: the pCPU is kept for the vCPU, which pays for it.
 */
#ifndef HVMM_RUN_POLL_H
#define HVMM_RUN_POLL_H

#include "sched/sched.h"
#include "x86/vcpu.h"

/**
 * hvmm_poll_halt - look for the end of HLT for a while
 * @res: the pCPU
 * @x: the vCPU, about to be parked in %HVMM_WAIT_HALT
 *
 * Not if anybody waits for the pCPU, guest or host, and not on once one does.
 *
 * Context: the vCPU's runner, loaded, interrupts on.
 * Return: true if something has come: look at requests again.
 */
bool hvmm_poll_halt(struct hvmm_resource *res, struct hvmm_x86_vcpu *x);

/**
 * hvmm_poll_unwelcome - whether somebody else should have the pCPU rather than who just looks
 * @res: the pCPU
 * @vm: the VM that has it
 *
 * Context: its runner.
 */
bool hvmm_poll_unwelcome(const struct hvmm_resource *res, const struct hvmm_vm *vm);

/**
 * hvmm_poll_woken - a residency begins: learn from the halt before it, if there was one
 * @vcpu: the vCPU
 *
 * Context: the vCPU's runner.
 */
void hvmm_poll_woken(struct hvmm_vcpu *vcpu);

#endif
