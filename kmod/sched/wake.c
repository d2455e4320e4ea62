// SPDX-License-Identifier: GPL-2.0
/* From parked to waiting and back: where a unit goes that wakes, and who is told of it. */
#include "sched/domain.h"

static struct hvmm_domain *unit_lock(struct hvmm_unit *unit, unsigned long *flags)
{
	struct hvmm_domain *dom;

	for (;;) {
		dom = READ_ONCE(unit->dom);
		raw_spin_lock_irqsave(&dom->lock, *flags);
		if (dom == unit->dom)
			return dom;
		raw_spin_unlock_irqrestore(&dom->lock, *flags);
	}
}

/* Whether the resource's unit has been asked already to make way about as soon as can be. */
static bool ends_soon(const struct hvmm_resource *res, u64 now)
{
	return res->slice_end && !hvmm_before(now + HVMM_WAKEUP_NS, res->slice_end);
}

/* Whether somebody still waits then, where nobody who runs knows of an end. */
static void look_later(struct hvmm_domain *dom, u64 now)
{
	if (!hvmm_timer_pending(&dom->look))
		hvmm_timer_set(dom, &dom->look, now + HVMM_SLICE_NS);
}

/* No resource is idle: find the one whose unit should make way for @unit, and when. */
static void preempt(struct hvmm_unit *unit, u32 mask, u64 now)
{
	struct hvmm_share *share = hvmm_share_of(unit);
	struct hvmm_resource *res, *best = NULL;
	struct hvmm_domain *dom = unit->dom;
	s64 ahead, most = 0;
	bool calm = false;
	unsigned int i;
	u64 at;

	for (i = 0; i < dom->nr_res; i++) {
		res = dom->res[i];
		if (!res->curr || !(res->bit & mask) || ends_soon(res, now))
			continue;
		calm |= !res->slice_end;
		ahead = hvmm_watch_ahead(dom, share, res, now);
		if (ahead > most) {
			most = ahead;
			best = res;
		}
	}
	if (best) {
		at = best->set_at + HVMM_WAKEUP_NS;
		if (most == S64_MAX || hvmm_before(at, now))
			at = now;
		hvmm_look_at(best, at);
	}
	/* Most waits are over before it matters to the others that somebody waits. */
	if (calm)
		look_later(dom, now);
}

/* One whose unit is away; it cannot be put as long as the lock is held. */
static struct hvmm_resource *away(struct hvmm_domain *dom, u32 mask, u64 now)
{
	u32 free = mask & atomic_read(&dom->away);
	struct hvmm_resource *res;

	for (; free; free &= free - 1) {
		res = dom->res[__ffs(free)];
		if (!ends_soon(res, now))
			return res;
	}
	return NULL;
}

void hvmm_announce(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_domain *dom = unit->dom;
	struct hvmm_resource *res;
	u32 mask = hvmm_share_of(unit)->allowed & dom->online;
	u32 free = mask & dom->idle & ~dom->kicked;

	lockdep_assert_held(&dom->lock);
	if (free) {
		hvmm_poke(free & unit->res->bit && unit->res->dom == dom ?
		     unit->res : dom->res[__ffs(free)]);
		return;
	}
	/* One that has just left, or become idle elsewhere, sees the queue, or is seen. */
	smp_mb();
	res = away(dom, mask, now);
	if (res) {
		/* It may be back at the same moment, and would go on without end. */
		hvmm_look_at(res, now);
		return;
	}
	if (hvmm_sched.nr_dom > 1 && !unit->home) {
		res = hvmm_balance_idle(unit->group, dom);
		if (res) {
			hvmm_balance_lure(res);
			look_later(dom, now);
			return;
		}
	}
	preempt(unit, mask, now);
}

bool hvmm_admit_unit(struct hvmm_unit *unit, bool woke, u64 now)
{
	lockdep_assert_held(&unit->dom->lock);
	if (hvmm_capped(unit->group) && unit->grant <= 0 && !unit->release.at)
		unit->release.at = hvmm_cap_take(unit, now);
	if (unit->release.at && hvmm_before(now, unit->release.at)) {
		hvmm_set_state(unit, HVMM_UNIT_CAPPED, now);
		hvmm_timer_set(unit->dom, &unit->release, unit->release.at);
		return false;
	}
	unit->release.at = 0;
	hvmm_set_state(unit, HVMM_UNIT_QUEUED, now);
	hvmm_queue_add(unit, woke, now);
	return true;
}

bool hvmm_sched_wake(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_domain *dom, *to;
	unsigned long flags;

	/* Pairs with the barrier in hvmm_sched_put(). */
	smp_mb();
	if (READ_ONCE(unit->state) != HVMM_UNIT_PARKED)
		return false;

again:
	dom = unit_lock(unit, &flags);
	if (unit->state != HVMM_UNIT_PARKED || !hvmm_sched.exec->runnable(unit)) {
		raw_spin_unlock_irqrestore(&dom->lock, flags);
		return false;
	}
	to = hvmm_balance_place(unit);
	if (to != dom) {
		/* Order of ids: let go, take both, look again. */
		raw_spin_unlock(&dom->lock);
		hvmm_lock_two(dom, to);
		if (unit->dom != dom || unit->state != HVMM_UNIT_PARKED ||
		    !hvmm_sched.exec->runnable(unit)) {
			/* Somebody else has got on: begin anew, with what is true now. */
			hvmm_unlock_two(dom, to);
			local_irq_restore(flags);
			goto again;
		}
		WRITE_ONCE(unit->dom, to);
		raw_spin_unlock(&dom->lock);
		dom = to;
	}
	now = hvmm_domain_now(dom, now);
	hvmm_busy_add(unit);
	if (hvmm_admit_unit(unit, true, now))
		hvmm_announce(unit, now);
	hvmm_note(dom, HVMM_OP_WAKE, unit, NULL, now, unit->state);
	hvmm_timer_arm(dom);
	raw_spin_unlock(&dom->lock);
	hvmm_rescue(dom, now);
	local_irq_restore(flags);
	return true;
}

bool hvmm_sched_hold(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_domain *dom;
	unsigned long flags;
	bool parked = true;

	dom = unit_lock(unit, &flags);
	now = hvmm_domain_now(dom, now);
	switch (unit->state) {
	case HVMM_UNIT_QUEUED:
		hvmm_queue_del(unit, now);
		hvmm_park(unit, now);
		break;
	case HVMM_UNIT_CAPPED:
		hvmm_timer_cancel(dom, &unit->release);
		hvmm_park(unit, now);
		break;
	case HVMM_UNIT_PARKED:
		/* Said once: who waits for it would otherwise wake itself for ever. */
		break;
	default:
		parked = false;
	}
	hvmm_note(dom, HVMM_OP_HOLD, unit, NULL, now, parked);
	raw_spin_unlock_irqrestore(&dom->lock, flags);
	return parked;
}

void hvmm_sched_refresh(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_domain *dom;
	unsigned long flags;

	dom = unit_lock(unit, &flags);
	if (unit->state == HVMM_UNIT_PARKED)
		hvmm_set_state(unit, HVMM_UNIT_PARKED, hvmm_domain_now(dom, now));
	raw_spin_unlock_irqrestore(&dom->lock, flags);
}
