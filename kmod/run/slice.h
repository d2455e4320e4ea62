/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_SLICE_H
#define HVMM_RUN_SLICE_H

#include <linux/hrtimer.h>
#include <linux/sched/signal.h>

#include "core/vcpu.h"
#include "io/channel.h"
#include "sched/sched.h"

/**
 * struct hvmm_slice - a residency of a vCPU on a pCPU
 * @res: the pCPU
 * @timer: ends the slice when others wait
 * @timed: @timer may be set
 * @borrower: VM whose device process runs it in a thread of its own, with preemption off; %NULL
 *            where that is the runner's
 * @hand_over: the runner's thread must go on with it: something may have to sleep
 */
struct hvmm_slice {
	struct hvmm_resource *res;
	struct hrtimer timer;
	bool timed;
	const struct hvmm_vm *borrower;
	bool hand_over;
};

void hvmm_slice_init(struct hvmm_slice *slice, struct hvmm_resource *res);

/**
 * hvmm_slice_run - run the vCPU that the scheduler has picked, until it must leave
 * @slice: the pCPU's
 * @vcpu: the vCPU
 * @resumed: its residency goes on: it was away (hvmm_lend_leave())
 *
 * Context: the pCPU's runner, preemption on unless it is borrowed.
 */
void hvmm_slice_run(struct hvmm_slice *slice, struct hvmm_vcpu *vcpu, bool resumed);

/**
 * hvmm_slice_end - the vCPU is going to be put: tell its guest
 * @vcpu: the vCPU, not loaded
 *
 * Context: the pCPU's runner.
 */
void hvmm_slice_end(struct hvmm_vcpu *vcpu);

/* Whether the host has something for the present thread to do before it returns to userspace. */
static inline bool hvmm_slice_task_is_wanted(void)
{
	return need_resched() || signal_pending(current) || test_thread_flag(TIF_NOTIFY_RESUME);
}

/**
 * hvmm_slice_must_return - whether a thread that has borrowed the runner is wanted elsewhere
 * @slice: the pCPU's
 *
 * By the host, or for a request to the device process that it is of.
 *
 * Context: the pCPU's runner.
 */
static inline bool hvmm_slice_must_return(const struct hvmm_slice *slice)
{
	return unlikely(slice->borrower) &&
	       (slice->hand_over || hvmm_slice_task_is_wanted() ||
		hvmm_channel_pending(slice->borrower));
}

#endif
