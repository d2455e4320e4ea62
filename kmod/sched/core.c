// SPDX-License-Identifier: GPL-2.0
/*
 * What all policies share: states of units, who is told of work, charging.
 *
 * Lost wake-ups are ruled out by order: a waker makes its condition visible,
 * then looks at the unit's state; hvmm_sched_put() makes the state parked
 * visible, then looks at the condition. At least one of them sees the other.
 */
#include "sched/domain.h"

struct hvmm_sched_config hvmm_sched;

struct hvmm_domain *hvmm_domain_nr(unsigned int nr)
{
	return (struct hvmm_domain *)hvmm_sched.dom + nr;
}

size_t hvmm_domain_size(void)
{
	return sizeof(struct hvmm_domain);
}

static void domain_init(struct hvmm_domain *dom, unsigned int id)
{
	dom->id = id;
	raw_spin_lock_init(&dom->lock);
	INIT_LIST_HEAD(&dom->waiting);
	dom->fair = RB_ROOT;
	dom->edf = RB_ROOT;
	dom->timers = RB_ROOT_CACHED;
	RB_CLEAR_NODE(&dom->look.node);
}

void hvmm_sched_init(const struct hvmm_sched_config *config)
{
	struct hvmm_resource *res;
	unsigned int i;

	hvmm_sched = *config;
	hvmm_config_lock_init();
	hvmm_admit_capacity(HVMM_PPM);
	for (i = 0; i < config->nr_dom; i++)
		domain_init(hvmm_domain_nr(i), i);
	for (i = 0; i < config->nr_res; i++) {
		res = &config->res[i];
		res->id = i;
		res->dom = hvmm_domain_nr(config->dom_of[i]);
		res->bit = BIT(res->dom->nr_res);
		res->dom->res[res->dom->nr_res++] = res;
	}
	hvmm_sched.dom_of = NULL;
}

unsigned int hvmm_sched_nr_online(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < hvmm_sched.nr_dom; i++)
		nr += hweight32(READ_ONCE(hvmm_domain_nr(i)->online));
	return nr;
}

void hvmm_sched_online(unsigned long *mask)
{
	unsigned int i;

	bitmap_zero(mask, HVMM_RES_MAX);
	for (i = 0; i < hvmm_sched.nr_res; i++)
		if (READ_ONCE(hvmm_sched.res[i].online))
			__set_bit(i, mask);
}

void hvmm_unit_init(struct hvmm_unit *unit, struct hvmm_group *group, unsigned int index)
{
	unit->group = group;
	unit->index = index;
	unit->res = &hvmm_sched.res[(group->id + index) % hvmm_sched.nr_res];
	unit->dom = unit->res->dom;
	unit->state = HVMM_UNIT_PARKED;
	unit->release.unit = unit;
	RB_CLEAR_NODE(&unit->release.node);
	list_add_tail(&unit->sibling, &group->units);
	group->nr_units++;
}

void hvmm_lock_two(struct hvmm_domain *a, struct hvmm_domain *b)
{
	if (a->id > b->id)
		swap(a, b);
	raw_spin_lock(&a->lock);
	raw_spin_lock_nested(&b->lock, SINGLE_DEPTH_NESTING);
}

void hvmm_unlock_two(struct hvmm_domain *a, struct hvmm_domain *b)
{
	hvmm_timer_arm(a);
	hvmm_timer_arm(b);
	raw_spin_unlock(&a->lock);
	raw_spin_unlock(&b->lock);
}

u64 hvmm_domain_now(struct hvmm_domain *dom, u64 now)
{
	lockdep_assert_held(&dom->lock);
	/* Clocks of two pCPUs may be read in another order than the lock is taken. */
	if (hvmm_before(dom->now, now))
		dom->now = now;
	return dom->now;
}

void hvmm_set_state(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now)
{
	WRITE_ONCE(unit->state, state);
	hvmm_sched.exec->changed(unit, state, now);
}

void hvmm_busy_add(struct hvmm_unit *unit)
{
	const struct hvmm_group *group = unit->group;

	lockdep_assert_held(&unit->dom->lock);
	hvmm_share_of(unit)->nr_busy++;
	atomic_inc(&unit->group->nr_busy);
	unit->load = max(group->quota.weight * 64 / max(group->nr_units, 1U), 1U);
	WRITE_ONCE(unit->dom->load, unit->dom->load + unit->load);
}

void hvmm_busy_del(struct hvmm_unit *unit)
{
	lockdep_assert_held(&unit->dom->lock);
	hvmm_share_of(unit)->nr_busy--;
	atomic_dec(&unit->group->nr_busy);
	WRITE_ONCE(unit->dom->load, unit->dom->load - unit->load);
}

void hvmm_look_at(struct hvmm_resource *res, u64 at)
{
	lockdep_assert_held(&res->dom->lock);
	if (!res->slice_end || hvmm_before(at, res->slice_end))
		res->slice_end = at ?: 1;
	WRITE_ONCE(res->attention, true);
	hvmm_sched.exec->kick(res);
}

void hvmm_poke(struct hvmm_resource *res)
{
	lockdep_assert_held(&res->dom->lock);
	res->dom->kicked |= res->bit;
	hvmm_sched.exec->kick(res);
}

void hvmm_park(struct hvmm_unit *unit, u64 now)
{
	lockdep_assert_held(&unit->dom->lock);
	hvmm_cap_return(unit);
	unit->release.at = 0;
	hvmm_busy_del(unit);
	hvmm_set_state(unit, HVMM_UNIT_PARKED, now);
}

/* Bill the present unit for what it has run, less what the host took. */
static void charge(struct hvmm_resource *res, u64 now)
{
	struct hvmm_unit *unit = res->curr;
	struct hvmm_share *share = hvmm_share_of(unit);
	struct hvmm_domain *dom = res->dom;
	u64 contended = hvmm_contended(dom, now);
	u64 ran = now - res->charged_at;

	ran -= min(ran, res->host_ns);
	unit->ran += ran;
	if (hvmm_capped(unit->group))
		unit->grant -= min(ran, now - res->capped_from);
	res->capped_from = 0;
	hvmm_classes_charge(dom, share, res, ran,
			    min(contended - res->contended_at, ran), now);
	res->host_ns = 0;
	res->charged_at = now;
	res->contended_at = contended;
}

static void begin_slice(struct hvmm_resource *res, u64 now)
{
	struct hvmm_unit *unit = res->curr;
	struct hvmm_share *share = hvmm_share_of(unit);
	struct hvmm_domain *dom = res->dom;
	u64 slice, end = 0;

	res->class = hvmm_watch_class(dom, share);
	slice = hvmm_watch_slice(dom, res->class, share);
	hvmm_classes_begin(dom, share, res, slice);
	if (dom->nr_waiting)
		end = now + slice;
	if (hvmm_capped(unit->group)) {
		u64 spent = now + max_t(s64, unit->grant, 0);

		if (!end || hvmm_before(spent, end))
			end = spent ?: 1;
	}
	res->slice_end = end;
}

static void run(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now)
{
	struct hvmm_share *share = hvmm_share_of(unit);

	hvmm_queue_del(unit, now);
	if (hvmm_before(share->floor, unit->ran))
		share->floor = unit->ran;
	WRITE_ONCE(res->dom->idle, res->dom->idle & ~res->bit);
	WRITE_ONCE(unit->res, res);
	WRITE_ONCE(res->curr, unit);
	res->set_at = now;
	res->charged_at = now;
	res->capped_from = 0;
	res->contended_at = hvmm_contended(res->dom, now);
	res->host_ns = 0;
	res->host_since = 0;
	hvmm_set_state(unit, HVMM_UNIT_RUNNING, now);
	begin_slice(res, now);
	WRITE_ONCE(res->attention, res->slice_end != 0);
}

static struct hvmm_unit *next_here(struct hvmm_resource *res, u64 now)
{
	struct hvmm_domain *dom = res->dom;
	struct hvmm_unit *unit = res->handoff;
	struct hvmm_share *share;
	u64 end = res->slice_end;

	res->handoff = NULL;
	if (unit) {
		/* It has the rest of its sibling's slice, no more. */
		run(res, unit, now);
		if (end && hvmm_before(now, end) &&
		    (!res->slice_end || hvmm_before(end, res->slice_end))) {
			res->slice_end = end;
			WRITE_ONCE(res->attention, true);
		}
		return unit;
	}
	share = hvmm_watch_pick(dom, res->bit);
	if (!share)
		return NULL;
	unit = hvmm_queue_first(share);
	run(res, unit, now);
	return unit;
}

/*
 * Who still waits may be able to use another resource that is idle: kicks cross where
 * affinities differ, and a unit that was put back relied on the one that put it.
 */
static void pass_on(struct hvmm_domain *dom)
{
	u32 free = dom->idle & ~dom->kicked;
	struct hvmm_share *share;

	if (!dom->nr_waiting)
		return;
	share = free ? hvmm_watch_pick(dom, free) : NULL;
	if (share)
		hvmm_poke(dom->res[__ffs(free & share->allowed)]);
	else
		hvmm_balance_offer(dom);
}

struct hvmm_unit *hvmm_sched_next(struct hvmm_resource *res, u64 now)
{
	struct hvmm_domain *dom = res->dom;
	struct hvmm_unit *unit = NULL;
	unsigned long flags;
	bool push = false, lured;

	local_irq_save(flags);
	lured = atomic_fetch_andnot(res->bit, &dom->lured) & res->bit;
	do {
		raw_spin_lock(&dom->lock);
		now = hvmm_domain_now(dom, now);
		dom->kicked &= ~res->bit;
		if (res->online)
			unit = next_here(res, now);
		if (!unit) {
			res->handoff = NULL;
			if (res->online)
				WRITE_ONCE(dom->idle, dom->idle | res->bit);
		}
		pass_on(dom);
		if (!hvmm_before(now, dom->balance_at)) {
			dom->balance_at = now + HVMM_BALANCE_NS;
			hvmm_watch_starved(dom, now);
			push = dom->nr_waiting && hvmm_sched.nr_dom > 1;
		}
		hvmm_note(dom, HVMM_OP_NEXT, unit, res, now, 0);
		hvmm_timer_arm(dom);
		raw_spin_unlock(&dom->lock);
		/* Said to be idle, then looking elsewhere: pairs with hvmm_announce(). */
		smp_mb();
		if (lured && (unit || !READ_ONCE(res->online)))
			hvmm_balance_relay(dom);
		lured = false;
	} while (!unit && READ_ONCE(res->online) && hvmm_balance_pull(res, now));
	if (push)
		hvmm_balance_push(dom, now);
	local_irq_restore(flags);
	return unit;
}

/* Whether a resource that picks next is all that a unit which was put back needs. */
static bool looks_itself(const struct hvmm_resource *res, const struct hvmm_unit *unit)
{
	u32 mask = hvmm_share_of(unit)->allowed;

	return res->online && mask & res->bit && !(mask & res->dom->idle);
}

void hvmm_sched_put(struct hvmm_resource *res, u64 now)
{
	struct hvmm_domain *dom = res->dom;
	struct hvmm_unit *unit = res->curr;
	unsigned long flags;
	u64 host;

	raw_spin_lock_irqsave(&dom->lock, flags);
	now = hvmm_domain_now(dom, now);
	host = res->host_ns;
	charge(res, now);
	WRITE_ONCE(unit->state, HVMM_UNIT_PARKED);
	/* Pairs with the barrier in hvmm_sched_wake(). */
	smp_mb();
	WRITE_ONCE(res->curr, NULL);
	if (!hvmm_sched.exec->runnable(unit))
		hvmm_park(unit, now);
	else if (hvmm_admit_unit(unit, false, now) && !looks_itself(res, unit))
		hvmm_announce(unit, now);
	res->host_ns = host;
	hvmm_note(dom, HVMM_OP_PUT, unit, res, now, unit->state);
	res->host_ns = 0;
	hvmm_timer_arm(dom);
	raw_spin_unlock(&dom->lock);
	hvmm_rescue(dom, now);
	local_irq_restore(flags);
}

/* Whether the present unit should go on though others wait; it has just been charged. */
static bool goes_on(struct hvmm_resource *res)
{
	struct hvmm_unit *unit = res->curr, *first;
	struct hvmm_share *share = hvmm_share_of(unit), *other;

	if (res->handoff)
		return false;
	other = hvmm_watch_pick(res->dom, res->bit);
	if (!other)
		return true;
	if (other != share)
		return hvmm_watch_keep(res->dom, share, other);
	first = hvmm_queue_first(share);
	return hvmm_before(unit->ran, first->ran);
}

u64 hvmm_sched_attend(struct hvmm_resource *res, u64 now)
{
	struct hvmm_domain *dom = res->dom;
	struct hvmm_unit *unit = res->curr;
	unsigned long flags;
	u64 end, host;

	raw_spin_lock_irqsave(&dom->lock, flags);
	now = hvmm_domain_now(dom, now);
	host = res->host_ns;
	WRITE_ONCE(res->attention, false);
	if (!res->online || !(hvmm_share_of(unit)->allowed & res->bit)) {
		res->slice_end = now ?: 1;
	} else if (!res->slice_end || !hvmm_before(now, res->slice_end)) {
		charge(res, now);
		if (hvmm_capped(unit->group) && unit->grant <= 0 && !unit->release.at)
			unit->release.at = hvmm_cap_take(unit, now);
		if (unit->release.at && !hvmm_before(now, unit->release.at))
			unit->release.at = 0;
		if (!unit->release.at && goes_on(res))
			begin_slice(res, now);
		else
			res->slice_end = now ?: 1;
	}
	end = res->slice_end;
	swap(host, res->host_ns);
	hvmm_note(dom, HVMM_OP_ATTEND, unit, res, now, end);
	swap(host, res->host_ns);
	hvmm_timer_arm(dom);
	raw_spin_unlock_irqrestore(&dom->lock, flags);
	return end;
}

void hvmm_sched_host(struct hvmm_resource *res, bool took, u64 now)
{
	if (took) {
		/* The host may take it again before it has been told that it is back. */
		if (!res->host_since)
			WRITE_ONCE(res->host_since, now ?: 1);
	} else if (res->host_since) {
		if (hvmm_before(res->host_since, now))
			WRITE_ONCE(res->host_ns, res->host_ns + now - res->host_since);
		WRITE_ONCE(res->host_since, 0);
	}
}

bool hvmm_sched_leave(struct hvmm_resource *res, u64 now)
{
	struct hvmm_domain *dom = res->dom;

	hvmm_sched_host(res, true, now);
	atomic_or(res->bit, &dom->away);
	/* Said to be away, then looking for who waits: pairs with hvmm_announce(). */
	smp_mb();
	return !READ_ONCE(dom->nr_waiting) && !READ_ONCE(res->attention) &&
	       READ_ONCE(res->online);
}

void hvmm_sched_return(struct hvmm_resource *res, u64 now)
{
	atomic_andnot(res->bit, &res->dom->away);
	hvmm_sched_host(res, false, now);
}

/* The sibling that is held back by the cap goes on with what the present unit has left. */
static bool swap_grants(struct hvmm_unit *from, struct hvmm_unit *to, u64 now)
{
	if (from->release.at || from->grant < (s64)HVMM_GRANT_USEFUL_NS)
		return false;
	hvmm_timer_cancel(to->dom, &to->release);
	from->release.at = to->release.at;
	to->release.at = 0;
	swap(from->grant, to->grant);
	hvmm_set_state(to, HVMM_UNIT_QUEUED, now);
	hvmm_queue_add(to, false, now);
	return true;
}

bool hvmm_sched_yield_to(struct hvmm_resource *res, struct hvmm_unit *to, u64 now)
{
	struct hvmm_domain *dom = res->dom;
	struct hvmm_unit *from = res->curr;
	unsigned long flags;
	u64 host = 0;
	bool ok;

	raw_spin_lock_irqsave(&dom->lock, flags);
	now = hvmm_domain_now(dom, now);
	ok = to != from && to->dom == dom && to->group == from->group && res->online &&
	     !res->handoff && hvmm_share_of(to)->allowed & res->bit;
	if (ok && to->state == HVMM_UNIT_CAPPED) {
		host = res->host_ns;
		charge(res, now);
		ok = swap_grants(from, to, now);
	} else if (to->state != HVMM_UNIT_QUEUED) {
		ok = false;
	}
	if (ok)
		res->handoff = to;
	swap(host, res->host_ns);
	hvmm_note(dom, HVMM_OP_YIELD_TO, to, res, now, ok);
	swap(host, res->host_ns);
	hvmm_timer_arm(dom);
	raw_spin_unlock_irqrestore(&dom->lock, flags);
	return ok;
}

/* Somebody has waited for a slice: nobody runs without end any more. */
static void look_at_calm(struct hvmm_domain *dom, u64 now)
{
	struct hvmm_resource *res;
	unsigned int i;

	for (i = 0; i < dom->nr_res; i++) {
		res = dom->res[i];
		if (res->curr && !res->slice_end && hvmm_watch_pick(dom, res->bit))
			hvmm_look_at(res, now);
	}
}

void hvmm_sched_timer(unsigned int nr, u64 now)
{
	struct hvmm_domain *dom = hvmm_domain_nr(nr);
	struct hvmm_sched_timer *timer;
	struct hvmm_share *share;
	unsigned long flags;

	raw_spin_lock_irqsave(&dom->lock, flags);
	now = hvmm_domain_now(dom, now);
	dom->armed = 0;
	while ((timer = hvmm_timer_due(dom, now))) {
		if (timer == &dom->look) {
			look_at_calm(dom, now);
			continue;
		}
		if (timer->unit) {
			if (hvmm_admit_unit(timer->unit, false, now))
				hvmm_announce(timer->unit, now);
			continue;
		}
		share = container_of(timer, struct hvmm_share, refill);
		hvmm_reserve_refill(share, now);
		if (share->edf.in)
			hvmm_announce(hvmm_queue_first(share), now);
	}
	hvmm_note(dom, HVMM_OP_TIMER, NULL, NULL, now, 0);
	hvmm_timer_arm(dom);
	raw_spin_unlock(&dom->lock);
	hvmm_rescue(dom, now);
	local_irq_restore(flags);
}

void hvmm_sched_set_online(struct hvmm_resource *res, bool online, u64 now)
{
	struct hvmm_domain *dom = res->dom;
	struct hvmm_share *share;
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&dom->lock, flags);
	now = hvmm_domain_now(dom, now);
	WRITE_ONCE(res->online, online);
	WRITE_ONCE(dom->online, online ? dom->online | res->bit : dom->online & ~res->bit);
	WRITE_ONCE(dom->idle, dom->idle & ~res->bit);
	dom->kicked &= ~res->bit;
	if (!online)
		res->handoff = NULL;
	hvmm_note(dom, HVMM_OP_ONLINE, NULL, res, now, online);
	if (res->curr)
		hvmm_look_at(res, now);
	else
		hvmm_sched.exec->kick(res);
	/* Who has waited for it waits for another now. */
	if (!online)
		list_for_each_entry(share, &dom->waiting, waiting)
			hvmm_announce(hvmm_queue_first(share), now);
	hvmm_timer_arm(dom);
	raw_spin_unlock(&dom->lock);
	for (i = 0; i < hvmm_sched.nr_dom && hvmm_sched.nr_dom > 1; i++)
		hvmm_balance_rescue(hvmm_domain_nr(i), now);
	local_irq_restore(flags);
}

unsigned int hvmm_sched_domain(const struct hvmm_resource *res, unsigned int *nr_waiting)
{
	*nr_waiting = READ_ONCE(res->dom->nr_waiting);
	return res->dom->id;
}
