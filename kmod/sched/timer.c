// SPDX-License-Identifier: GPL-2.0
/* What is due when, in a domain. One timer of the executor stands for all of it. */
#include "sched/domain.h"

static bool timer_less(struct rb_node *a, const struct rb_node *b)
{
	return hvmm_before(rb_entry(a, struct hvmm_sched_timer, node)->at,
			   rb_entry(b, struct hvmm_sched_timer, node)->at);
}

bool hvmm_timer_pending(const struct hvmm_sched_timer *timer)
{
	return !RB_EMPTY_NODE(&timer->node);
}

void hvmm_timer_set(struct hvmm_domain *dom, struct hvmm_sched_timer *timer, u64 at)
{
	lockdep_assert_held(&dom->lock);
	hvmm_timer_cancel(dom, timer);
	timer->at = at;
	rb_add_cached(&timer->node, &dom->timers, timer_less);
}

void hvmm_timer_cancel(struct hvmm_domain *dom, struct hvmm_sched_timer *timer)
{
	lockdep_assert_held(&dom->lock);
	if (!hvmm_timer_pending(timer))
		return;
	rb_erase_cached(&timer->node, &dom->timers);
	RB_CLEAR_NODE(&timer->node);
}

struct hvmm_sched_timer *hvmm_timer_due(struct hvmm_domain *dom, u64 now)
{
	struct rb_node *first = rb_first_cached(&dom->timers);
	struct hvmm_sched_timer *timer;

	lockdep_assert_held(&dom->lock);
	if (!first)
		return NULL;
	timer = rb_entry(first, struct hvmm_sched_timer, node);
	if (hvmm_before(now, timer->at))
		return NULL;
	hvmm_timer_cancel(dom, timer);
	return timer;
}

void hvmm_timer_arm(struct hvmm_domain *dom)
{
	struct rb_node *first = rb_first_cached(&dom->timers);
	u64 at;

	lockdep_assert_held(&dom->lock);
	if (!first)
		return;
	at = rb_entry(first, struct hvmm_sched_timer, node)->at;
	/* One that is armed for too early does no harm, and costs less than changing it. */
	if (dom->armed && !hvmm_before(at, dom->armed))
		return;
	dom->armed = at;
	hvmm_sched.exec->arm(dom->id, at);
}
