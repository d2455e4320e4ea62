// SPDX-License-Identifier: GPL-2.0
/*
 * Which domain a unit waits in. Resources that share a queue need no balancing among
 * themselves; between domains a unit moves when it wakes and only others are idle,
 * when a resource has nothing to do, and slowly when one domain has more to do than
 * another.
 */
#include "sched/domain.h"

/* Shares that are looked at for one that may move, and units moved, at a time. */
#define LOOK_MAX	16
#define PUSH_MAX	16

static bool may_use(const struct hvmm_group *group, const struct hvmm_domain *dom)
{
	return READ_ONCE(group->shares[dom->id].allowed) & READ_ONCE(dom->online);
}

/* Resources that are idle and that nobody has called yet. */
static u32 free_in(const struct hvmm_domain *dom)
{
	return READ_ONCE(dom->idle) & ~READ_ONCE(dom->kicked) & ~atomic_read(&dom->lured);
}

void hvmm_balance_lure(struct hvmm_resource *res)
{
	atomic_or(res->bit, &res->dom->lured);
	hvmm_sched.exec->kick(res);
}

struct hvmm_resource *hvmm_balance_idle(const struct hvmm_group *group,
					const struct hvmm_domain *except)
{
	struct hvmm_domain *dom;
	unsigned int i;
	u32 idle;

	for (i = 1; i < hvmm_sched.nr_dom; i++) {
		dom = hvmm_domain_nr((except->id + i) % hvmm_sched.nr_dom);
		idle = free_in(dom) & READ_ONCE(group->shares[dom->id].allowed);
		if (idle)
			return dom->res[__ffs(idle)];
	}
	return NULL;
}

struct hvmm_domain *hvmm_balance_place(const struct hvmm_unit *unit)
{
	const struct hvmm_group *group = unit->group;
	struct hvmm_domain *dom, *best = NULL;
	struct hvmm_resource *idle;
	unsigned int i;

	if (unit->home && may_use(group, unit->home))
		return unit->home;
	if (hvmm_sched.nr_dom == 1 || hvmm_share_of(unit)->allowed & unit->dom->idle)
		return unit->dom;
	idle = hvmm_balance_idle(group, unit->dom);
	if (idle)
		return idle->dom;
	if (may_use(group, unit->dom))
		return unit->dom;
	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		dom = hvmm_domain_nr(i);
		if (may_use(group, dom) &&
		    (!best || READ_ONCE(dom->nr_waiting) < READ_ONCE(best->nr_waiting)))
			best = dom;
	}
	return best ?: unit->dom;
}

/* Both domains' locks are held. */
static void move(struct hvmm_unit *unit, struct hvmm_domain *to, u64 now)
{
	hvmm_queue_del(unit, hvmm_domain_now(unit->dom, now));
	hvmm_busy_del(unit);
	WRITE_ONCE(unit->dom, to);
	hvmm_busy_add(unit);
	now = hvmm_domain_now(to, now);
	hvmm_queue_add(unit, true, now);
	hvmm_announce(unit, now);
}

static struct hvmm_unit *movable(struct hvmm_domain *from, const struct hvmm_domain *to, u32 mask)
{
	struct hvmm_share *share;
	struct hvmm_unit *unit;
	unsigned int looked = 0;

	list_for_each_entry(share, &from->waiting, waiting) {
		unit = hvmm_queue_first(share);
		if (share->group->shares[to->id].allowed & mask && !unit->home)
			return unit;
		if (++looked == LOOK_MAX)
			break;
	}
	return NULL;
}

void hvmm_balance_offer(struct hvmm_domain *dom)
{
	struct hvmm_domain *to;
	struct hvmm_unit *unit;
	unsigned int i;
	u32 idle;

	lockdep_assert_held(&dom->lock);
	for (i = 1; i < hvmm_sched.nr_dom; i++) {
		to = hvmm_domain_nr((dom->id + i) % hvmm_sched.nr_dom);
		idle = free_in(to);
		unit = idle ? movable(dom, to, idle) : NULL;
		if (!unit)
			continue;
		idle &= READ_ONCE(unit->group->shares[to->id].allowed);
		if (idle)
			hvmm_balance_lure(to->res[__ffs(idle)]);
		return;
	}
}

void hvmm_balance_relay(const struct hvmm_domain *except)
{
	struct hvmm_domain *dom;
	unsigned int i;

	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		dom = hvmm_domain_nr(i);
		if (dom == except || !READ_ONCE(dom->nr_waiting))
			continue;
		raw_spin_lock(&dom->lock);
		hvmm_balance_offer(dom);
		raw_spin_unlock(&dom->lock);
	}
}

bool hvmm_balance_pull(struct hvmm_resource *res, u64 now)
{
	struct hvmm_domain *dom = res->dom, *from;
	struct hvmm_unit *unit;
	unsigned int i;

	for (i = 1; i < hvmm_sched.nr_dom; i++) {
		from = hvmm_domain_nr((dom->id + i) % hvmm_sched.nr_dom);
		if (!READ_ONCE(from->nr_waiting))
			continue;
		hvmm_lock_two(dom, from);
		unit = res->online ? movable(from, dom, res->bit) : NULL;
		if (unit) {
			/* Whoever else waits there is for others. */
			WRITE_ONCE(dom->idle, dom->idle & ~res->bit);
			move(unit, dom, now);
			if (from->nr_waiting)
				hvmm_balance_offer(from);
		}
		hvmm_unlock_two(dom, from);
		if (unit)
			return true;
	}
	return false;
}

static u64 load_of(const struct hvmm_domain *dom)
{
	unsigned int nr = hweight32(READ_ONCE(dom->online));

	return nr ? div_u64(READ_ONCE(dom->load), nr) : U64_MAX;
}

void hvmm_balance_push(struct hvmm_domain *dom, u64 now)
{
	struct hvmm_domain *to, *best = NULL;
	struct hvmm_unit *unit;
	unsigned int i;

	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		to = hvmm_domain_nr(i);
		if (to != dom && (!best || load_of(to) < load_of(best)))
			best = to;
	}
	if (!best)
		return;
	for (i = 0; i < PUSH_MAX && load_of(best) < load_of(dom); i++) {
		hvmm_lock_two(dom, best);
		unit = movable(dom, best, best->online);
		/* Not for the sake of a difference that it would only turn round. */
		if (unit && (load_of(best) + unit->load) * 9 > load_of(dom) * 8)
			unit = NULL;
		if (unit)
			move(unit, best, now);
		hvmm_unlock_two(dom, best);
		if (!unit)
			break;
	}
}

/* Whether @unit, which waits in @from, ought to be in @to. */
static bool is_stranded(const struct hvmm_unit *unit, const struct hvmm_domain *from,
			const struct hvmm_domain *to)
{
	if (!may_use(unit->group, to))
		return false;
	if (unit->home && may_use(unit->group, unit->home))
		return unit->home == to;
	return !may_use(unit->group, from);
}

static struct hvmm_unit *stranded(struct hvmm_domain *from, const struct hvmm_domain *to)
{
	struct hvmm_share *share;
	struct hvmm_unit *unit;
	struct rb_node *rb;

	list_for_each_entry(share, &from->waiting, waiting)
		for (rb = rb_first_cached(&share->queue); rb; rb = rb_next(rb)) {
			unit = rb_entry(rb, struct hvmm_unit, node);
			if (is_stranded(unit, from, to))
				return unit;
		}
	return NULL;
}

void hvmm_balance_rescue(struct hvmm_domain *dom, u64 now)
{
	struct hvmm_domain *to;
	struct hvmm_unit *unit;
	unsigned int i;

	for (i = 1; i < hvmm_sched.nr_dom; i++) {
		to = hvmm_domain_nr((dom->id + i) % hvmm_sched.nr_dom);
		hvmm_lock_two(dom, to);
		while ((unit = stranded(dom, to)))
			move(unit, to, now);
		hvmm_unlock_two(dom, to);
	}
}
