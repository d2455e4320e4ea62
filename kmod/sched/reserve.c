// SPDX-License-Identifier: GPL-2.0
/*
 * Reservations: constant-bandwidth servers, earliest deadline first. A share with a
 * reservation has a budget in each period and until it is used up comes before all
 * that have none. Beyond it the share goes on as a fair one like any other, and what
 * it used of its reservation counts there too: a reservation is a floor, not an extra.
 *
 * The budget is larger than the bare share by what the worst placement of periods in
 * a window can cost (admit.c), so that each window of HVMM_RESERVE_WINDOW_NS holds
 * what was promised, wherever it begins.
 */
#include "sched/domain.h"

static struct hvmm_share *share_of(struct hvmm_node *node)
{
	return node ? container_of(node, struct hvmm_share, edf) : NULL;
}

static bool has_budget(const struct hvmm_share *share)
{
	return share->reserve && share->budget > 0;
}

static void queue(struct hvmm_domain *dom, struct hvmm_share *share)
{
	if (has_budget(share) && share->nr_waiting && !share->edf.in)
		hvmm_tree_insert(&dom->edf, &share->edf);
}

static void unqueue(struct hvmm_domain *dom, struct hvmm_share *share)
{
	if (share->edf.in)
		hvmm_tree_erase(&dom->edf, &share->edf);
}

static void new_period(struct hvmm_share *share, u64 deadline, s64 budget)
{
	unqueue(share->dom, share);
	share->edf.key = deadline;
	share->budget = budget;
	queue(share->dom, share);
}

/* A period is over, or several are. */
static void next_period(struct hvmm_share *share, u64 now)
{
	u64 periods = div_u64(now - share->edf.key, HVMM_RESERVE_PERIOD_NS) + 1;
	s64 budget = share->budget + (s64)(min(periods, 2ULL) * share->reserve);

	/* What it wanted and did not get is still owed to it, within reason. */
	new_period(share, share->edf.key + periods * HVMM_RESERVE_PERIOD_NS,
		   min_t(s64, budget, 2 * share->reserve));
}

void hvmm_reserve_refill(struct hvmm_share *share, u64 now)
{
	if (!hvmm_watch_in_use(share->dom, &hvmm_sched_reserve))
		return;
	next_period(share, now);
	if (share->budget <= 0)
		hvmm_timer_set(share->dom, &share->refill, share->edf.key);
}

void hvmm_reserve_set(struct hvmm_share *share, u64 reserve, u64 now)
{
	lockdep_assert_held(&share->dom->lock);
	if (reserve == share->reserve || !hvmm_watch_in_use(share->dom, &hvmm_sched_reserve))
		return;
	hvmm_timer_cancel(share->dom, &share->refill);
	share->reserve = reserve;
	new_period(share, now + HVMM_RESERVE_PERIOD_NS, reserve);
}

static void reserve_enqueue(struct hvmm_domain *dom, struct hvmm_share *share, bool woke, u64 now)
{
	u64 left, earned;

	if (!share->reserve)
		return;
	/*
	 * Who wakes keeps deadline and budget only if using the budget by the deadline
	 * is no more than its share; else it could have both halves of two periods at once.
	 */
	if (woke && !hvmm_timer_pending(&share->refill)) {
		left = hvmm_before(now, share->edf.key) ? share->edf.key - now : 0;
		earned = div_u64(left * share->reserve, HVMM_RESERVE_PERIOD_NS);
		if (share->budget > (s64)earned || !left)
			new_period(share, now + HVMM_RESERVE_PERIOD_NS, share->reserve);
	}
	queue(dom, share);
}

static void reserve_dequeue(struct hvmm_domain *dom, struct hvmm_share *share)
{
	unqueue(dom, share);
}

static struct hvmm_share *reserve_pick(const struct hvmm_domain *dom, u32 mask)
{
	return share_of(hvmm_tree_first(&dom->edf, mask));
}

static void reserve_charge(struct hvmm_domain *dom, struct hvmm_share *share,
			   struct hvmm_resource *res, u64 ran, u64 contended, u64 now)
{
	s64 budget;

	/* What nobody else wanted, or was had in turn with others, was not from the budget. */
	if (!share->reserve || res->class != &hvmm_sched_reserve)
		return;
	budget = max_t(s64, share->budget - (s64)contended, -(s64)share->reserve);
	if (budget > 0) {
		share->budget = budget;
		if (!hvmm_before(now, share->edf.key))
			next_period(share, now);
		return;
	}
	unqueue(dom, share);
	share->budget = budget;
	if (hvmm_timer_pending(&share->refill))
		return;
	if (hvmm_before(now, share->edf.key))
		hvmm_timer_set(dom, &share->refill, share->edf.key);
	else
		hvmm_reserve_refill(share, now);
}

static u64 reserve_slice(const struct hvmm_share *share)
{
	/* Its units use the budget together: end when all of it may be gone. */
	u64 part = div_u64(max_t(s64, share->budget, 0), max(share->nr_busy, 1U));

	return clamp(part, HVMM_GRANT_MIN_NS, HVMM_SLICE_NS);
}

static bool reserve_keep(const struct hvmm_share *share, const struct hvmm_share *other)
{
	return !hvmm_before(other->edf.key, share->edf.key);
}

static s64 reserve_ahead(const struct hvmm_share *share, const struct hvmm_resource *res, u64 now)
{
	return hvmm_share_of(res->curr)->edf.key - share->edf.key;
}

const struct hvmm_sched_class hvmm_sched_reserve = {
	.name		= "reserve",
	.enqueue	= reserve_enqueue,
	.dequeue	= reserve_dequeue,
	.pick		= reserve_pick,
	.charge		= reserve_charge,
	.slice		= reserve_slice,
	.claims		= has_budget,
	.keep		= reserve_keep,
	.ahead		= reserve_ahead,
};
