// SPDX-License-Identifier: GPL-2.0
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/rt.h>
#include <linux/timekeeping.h>

#include "host/task.h"
#include "host/timer.h"
#include "io/channel.h"
#include "run/lend.h"
#include "run/runner_state.h"

/* Nobody of this pCPU's domain had to want it: others would go on without it. */
#define AWAY_MAX_NS	1000000

static bool lend = true;
module_param(lend, bool, 0644);
MODULE_PARM_DESC(lend, "run a vCPU in the thread that has answered its request (Y)");

/* A timer each time would cost as much as what is saved. */
static enum hrtimer_restart watch_fn(struct hrtimer *timer)
{
	struct hvmm_runner *r = container_of(timer, struct hvmm_runner, watch);

	if (r->watched == READ_ONCE(r->aways)) {
		WRITE_ONCE(r->watching, false);
		if (READ_ONCE(r->role) == HVMM_RUNNER_AWAY)
			hvmm_runner_wake(r);
		return HRTIMER_NORESTART;
	}
	r->watched = READ_ONCE(r->aways);
	hrtimer_forward_now(timer, ns_to_ktime(AWAY_MAX_NS));
	return HRTIMER_RESTART;
}

static void come_back(struct hvmm_runner *r, u64 now)
{
	struct hvmm_vcpu *vcpu = hvmm_runner_vcpu(r->slice.res->curr);

	WRITE_ONCE(vcpu->mode, HVMM_OUTSIDE);
	local_irq_disable();
	hvmm_sched_return(r->slice.res, now);
	hvmm_ledger_switch(&vcpu->ledger, HVMM_VCPU_RUN, now);
	hvmm_load_host(&r->load, false, now);
	local_irq_enable();
}

bool hvmm_lend_leave(struct hvmm_runner *r, struct hvmm_vcpu *vcpu)
{
	u64 now = ktime_get_ns();
	bool left;

	/* Before looking whether it is wanted: who wants it looks at these two. */
	WRITE_ONCE(vcpu->mode, HVMM_AWAY);
	WRITE_ONCE(r->role, HVMM_RUNNER_AWAY);
	local_irq_disable();
	hvmm_ledger_switch(&vcpu->ledger, HVMM_VCPU_IO, now);
	hvmm_load_host(&r->load, true, now);
	left = hvmm_sched_leave(r->slice.res, now);
	local_irq_enable();
	if (!left || READ_ONCE(vcpu->vm->hold) ||
	    READ_ONCE(vcpu->requests) & BIT(HVMM_REQ_IO_DONE)) {
		WRITE_ONCE(r->role, HVMM_RUNNER_LENT);
		come_back(r, now);
		return false;
	}
	WRITE_ONCE(r->aways, r->aways + 1);
	if (!READ_ONCE(r->watching)) {
		WRITE_ONCE(r->watching, true);
		r->watched = r->aways;
		hrtimer_start(&r->watch, ns_to_ktime(AWAY_MAX_NS), HRTIMER_MODE_REL_PINNED_HARD);
	}
	return true;
}

void hvmm_lend_take_back(struct hvmm_runner *r)
{
	u64 now = ktime_get_ns();

	come_back(r, now);
	r->slice.borrower = NULL;
	hvmm_slice_end(hvmm_runner_vcpu(r->slice.res->curr));
	hvmm_sched_put(r->slice.res, now);
}

bool hvmm_lend_begin(struct hvmm_vm *vm, const void *owner)
{
	struct hvmm_runner *r;

	if (!READ_ONCE(lend) || rt_or_dl_task(current) || !hvmm_task_is_plain())
		return false;
	preempt_disable();
	r = this_cpu_ptr(&hvmm_runners);
	switch (r->role) {
	case HVMM_RUNNER_AWAY:
		if (r->slice.borrower == vm)
			break;
		goto refuse;
	case HVMM_RUNNER_FREE:
		if (READ_ONCE(r->slice.res->online))
			break;
		goto refuse;
	default:
		goto refuse;
	}
	if (hvmm_slice_task_is_wanted() || !hvmm_channel_lend(vm, owner, smp_processor_id()))
		goto refuse;
	WRITE_ONCE(r->lent_to, current);
	if (r->role == HVMM_RUNNER_AWAY) {
		WRITE_ONCE(r->role, HVMM_RUNNER_LENT);
		come_back(r, ktime_get_ns());
	} else {
		r->slice.borrower = vm;
		WRITE_ONCE(r->role, HVMM_RUNNER_LENT);
	}
	return true;
refuse:
	preempt_enable();
	return false;
}

bool hvmm_lend_run(struct hvmm_vm *vm, bool may_run, u32 *index, u64 *seq)
{
	struct hvmm_runner *r = this_cpu_ptr(&hvmm_runners);
	bool done, direct;

	r->slice.hand_over = !may_run;
	WRITE_ONCE(r->poked, false);
	/* Looking for work must come after saying that we do. */
	smp_mb();
	done = hvmm_runner_run_all(r);
	direct = hvmm_channel_lend_end(vm, may_run, index, seq);
	WRITE_ONCE(r->lent_to, NULL);
	if (r->role == HVMM_RUNNER_LENT) {
		r->slice.borrower = NULL;
		WRITE_ONCE(r->role, HVMM_RUNNER_FREE);
	}
	/* Pairs with who pokes: it was too late for us and has seen that, or is seen. */
	smp_mb();
	if (!done || READ_ONCE(r->poked))
		hvmm_runner_wake(r);
	preempt_enable();
	return direct;
}

void hvmm_lend_init(struct hvmm_runner *r)
{
	hvmm_hrtimer_setup(&r->watch, watch_fn, HRTIMER_MODE_REL_PINNED_HARD);
}
