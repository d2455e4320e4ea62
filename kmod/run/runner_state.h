/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_RUNNER_STATE_H
#define HVMM_RUN_RUNNER_STATE_H

#include <linux/hrtimer.h>
#include <linux/percpu.h>
#include <linux/preempt.h>

#include "run/load.h"
#include "run/slice.h"

/**
 * enum hvmm_runner_role - who runs a pCPU's vCPUs
 * @HVMM_RUNNER_FREE: nobody
 * @HVMM_RUNNER_THREAD: the runner's own thread
 * @HVMM_RUNNER_LENT: a thread of a device process, which is in the kernel for that
 * @HVMM_RUNNER_AWAY: such a thread, which has left the kernel with a request of the present vCPU
 */
enum hvmm_runner_role {
	HVMM_RUNNER_FREE,
	HVMM_RUNNER_THREAD,
	HVMM_RUNNER_LENT,
	HVMM_RUNNER_AWAY,
};

/**
 * struct hvmm_runner - a pCPU's runner
 * @role: who it is; written on the pCPU only
 * @slice: what it runs
 * @load: what it did with its time
 * @poked: it was given work, or should look for some, while it slept
 * @notifier: tells when the host takes the pCPU away from its thread and gives it back
 * @registered: @notifier is in place, which only the thread itself can do
 * @lent_to: the thread that is there while it is %HVMM_RUNNER_LENT, else %NULL
 * @aways: times that it became %HVMM_RUNNER_AWAY
 * @watch: looks whether it stays so
 * @watched: @aways when it looked last
 * @watching: @watch is going to look
 */
struct hvmm_runner {
	enum hvmm_runner_role role;
	struct hvmm_slice slice;
	struct hvmm_load load;
	bool poked;
	struct preempt_notifier notifier;
	bool registered;
	struct task_struct *lent_to;
	u64 aways;
	struct hrtimer watch;
	u64 watched;
	bool watching;
};

static inline struct hvmm_vcpu *hvmm_runner_vcpu(struct hvmm_unit *unit)
{
	return container_of(unit, struct hvmm_vcpu, unit);
}

DECLARE_PER_CPU(struct hvmm_runner, hvmm_runners);

/**
 * hvmm_runner_run_all - run vCPUs until none is to be run here
 * @r: the runner, on its pCPU
 *
 * A borrower goes on with the present vCPU, if there is one.
 *
 * Context: who the runner is; may sleep unless that is a borrower.
 * Return: false if a borrower had to leave before; the runner's thread must go on.
 */
bool hvmm_runner_run_all(struct hvmm_runner *r);

/**
 * hvmm_runner_wake - wake the runner's own thread
 * @r: the runner
 *
 * Context: any but NMI.
 */
void hvmm_runner_wake(struct hvmm_runner *r);

#endif
