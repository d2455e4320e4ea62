/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread of the device process as its pCPU's runner. It has answered a vCPU's request and
 * would wait for the next: running the vCPU itself it saves two switches between threads for
 * each access of the guest.
 *
 * Who runs vCPUs on a pCPU is decided on that pCPU, see enum hvmm_runner_role. The borrower has
 * preemption off as long as it runs vCPUs, so the runner's own thread does not run meanwhile.
 * It leaves the kernel with a request of the vCPU that it ran: the vCPU stays the pCPU's present
 * one then, in the ledger it waits for its device, and whoever wants it or the pCPU wakes the
 * runner's thread, which takes the pCPU back.
 */
#ifndef HVMM_RUN_LEND_H
#define HVMM_RUN_LEND_H

#include "core/vm.h"

struct hvmm_runner;

/**
 * hvmm_lend_begin - let a thread of the device process be the runner of its pCPU
 * @vm: the VM, whose request this thread is about to answer
 * @owner: as attached (hvmm_channel_attach())
 *
 * Refused are realtime and deadline threads, which the host's other tasks could not take the
 * pCPU from, and pCPUs whose runner has something to do.
 *
 * Context: process. Preemption is off if it returns true, until hvmm_lend_run() returns.
 * Return: whether it is.
 */
bool hvmm_lend_begin(struct hvmm_vm *vm, const void *owner);

/**
 * hvmm_lend_run - run vCPUs of the VM, then give the pCPU back
 * @vm: as begun with
 * @may_run: if not, only give it back: the thread will serve no request
 * @index: filled: vCPU
 * @seq: filled: number of the request
 *
 * Until none is to be run here, or the thread is wanted elsewhere: by the host, for a signal, or
 * for a request.
 *
 * Context: process; preemption is on again after it.
 * Return: whether it has come upon a request, which is its own now.
 */
bool hvmm_lend_run(struct hvmm_vm *vm, bool may_run, u32 *index, u64 *seq);

/**
 * hvmm_lend_leave - leave the kernel with a request of the vCPU that was run
 * @r: the borrowed runner
 * @vcpu: its present vCPU, unloaded
 *
 * Context: the borrower.
 * Return: false if it has not left, and the vCPU must be put.
 */
bool hvmm_lend_leave(struct hvmm_runner *r, struct hvmm_vcpu *vcpu);

/**
 * hvmm_lend_take_back - take the pCPU from a borrower that has left the kernel
 * @r: the runner
 *
 * Context: the runner's own thread, before it does anything else.
 */
void hvmm_lend_take_back(struct hvmm_runner *r);

/**
 * hvmm_lend_init - set up
 * @r: the runner
 */
void hvmm_lend_init(struct hvmm_runner *r);

#endif
