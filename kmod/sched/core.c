// SPDX-License-Identifier: GPL-2.0
/*
 * What all scheduling classes share: unit states, placement, work stealing.
 *
 * Lost wake-ups are ruled out by order: a waker makes its condition visible,
 * then looks at the unit's state; hvmm_sched_put() makes the state parked
 * visible, then looks at the condition. At least one of them sees the other.
 */
#include "sched/sched.h"

static struct hvmm_resource *resources;
static unsigned int nr_resources;
static const struct hvmm_sched_exec *executor;

void hvmm_sched_init(struct hvmm_resource *table, unsigned int nr,
		     const struct hvmm_sched_exec *exec)
{
	unsigned int i;

	resources = table;
	nr_resources = nr;
	executor = exec;
	for (i = 0; i < nr; i++) {
		table[i].id = i;
		raw_spin_lock_init(&table[i].lock);
		hvmm_sched_rr.init_res(&table[i]);
	}
}

unsigned int hvmm_sched_nr_online(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < nr_resources; i++)
		nr += READ_ONCE(resources[i].online);
	return nr;
}

/* The nth online resource, counted round; any resource if none is online. */
static struct hvmm_resource *nth_online(unsigned int n)
{
	unsigned int i, nr = hvmm_sched_nr_online();

	if (nr) {
		n %= nr;
		for (i = 0; i < nr_resources; i++)
			if (READ_ONCE(resources[i].online) && n-- == 0)
				return &resources[i];
	}
	return &resources[0];
}

void hvmm_unit_init(struct hvmm_unit *unit, unsigned int hint)
{
	INIT_LIST_HEAD(&unit->node);
	unit->class = &hvmm_sched_rr;
	unit->res = nth_online(hint);
	unit->state = HVMM_UNIT_PARKED;
}

static struct hvmm_resource *unit_lock(struct hvmm_unit *unit, unsigned long *flags)
{
	struct hvmm_resource *res;

	for (;;) {
		res = READ_ONCE(unit->res);
		raw_spin_lock_irqsave(&res->lock, *flags);
		if (res == unit->res)
			return res;
		raw_spin_unlock_irqrestore(&res->lock, *flags);
	}
}

/* Interrupts are off already; a and b differ. */
static void lock_both(struct hvmm_resource *a, struct hvmm_resource *b)
{
	if (a->id > b->id)
		swap(a, b);
	raw_spin_lock(&a->lock);
	raw_spin_lock_nested(&b->lock, SINGLE_DEPTH_NESTING);
}

static bool res_idle(const struct hvmm_resource *res)
{
	return READ_ONCE(res->online) && !READ_ONCE(res->curr) && !READ_ONCE(res->nr_queued);
}

static struct hvmm_resource *find_idle(const struct hvmm_resource *except)
{
	unsigned int i;

	for (i = 0; i < nr_resources; i++)
		if (&resources[i] != except && res_idle(&resources[i]))
			return &resources[i];
	return NULL;
}

/* Where a unit that wakes should go: back where its cache is, unless only others are free. */
static struct hvmm_resource *place(struct hvmm_resource *last)
{
	struct hvmm_resource *idle;

	if (res_idle(last))
		return last;
	idle = find_idle(last);
	if (idle)
		return idle;
	if (READ_ONCE(last->online))
		return last;
	idle = nth_online(last->id);
	return READ_ONCE(idle->online) ? idle : last;
}

static void set_state(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now)
{
	WRITE_ONCE(unit->state, state);
	executor->changed(unit, state, now);
}

static void enqueue(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now)
{
	lockdep_assert_held(&res->lock);
	unit->class->enqueue(res, unit, now);
	WRITE_ONCE(res->nr_queued, res->nr_queued + 1);
}

static void dequeue(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now)
{
	lockdep_assert_held(&res->lock);
	unit->class->dequeue(res, unit, now);
	WRITE_ONCE(res->nr_queued, res->nr_queued - 1);
}

/* A unit was added to @res: make its executor see it, or an idle one steal it. */
static void announce(struct hvmm_resource *res)
{
	struct hvmm_resource *idle;

	lockdep_assert_held(&res->lock);
	if (res->curr)
		WRITE_ONCE(res->attention, true);
	executor->kick(res);
	if (res->curr || res->nr_queued > 1) {
		/* One that has just become idle sees the queue, or is seen to be idle. */
		smp_mb();
		idle = find_idle(res);
		if (idle)
			executor->kick(idle);
	}
}

/* Move the queue of an offline resource to those that are online. Interrupts are off. */
static void drain(struct hvmm_resource *res, u64 now)
{
	struct hvmm_resource *to;
	struct hvmm_unit *unit;

	/* The queue is looked at after the caller has changed who is online, or the queue. */
	smp_mb();
	while (READ_ONCE(res->nr_queued)) {
		to = nth_online(res->id);
		if (to == res || !READ_ONCE(to->online) || READ_ONCE(res->online))
			break;
		lock_both(res, to);
		unit = to->online && !res->online ? hvmm_sched_rr.pick(res) : NULL;
		if (unit) {
			dequeue(res, unit, now);
			WRITE_ONCE(unit->res, to);
			enqueue(to, unit, now);
			announce(to);
		}
		raw_spin_unlock(&res->lock);
		raw_spin_unlock(&to->lock);
	}
}

bool hvmm_sched_wake(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_resource *res, *to;
	unsigned long flags;

	/* Pairs with the barrier in hvmm_sched_put(). */
	smp_mb();
	if (READ_ONCE(unit->state) != HVMM_UNIT_PARKED)
		return false;

again:
	res = unit_lock(unit, &flags);
	if (unit->state != HVMM_UNIT_PARKED || !executor->runnable(unit)) {
		raw_spin_unlock_irqrestore(&res->lock, flags);
		return false;
	}

	to = place(res);
	if (to != res) {
		/* Order of ids: let go, take both, look again. */
		raw_spin_unlock(&res->lock);
		lock_both(res, to);
		if (unit->res != res || unit->state != HVMM_UNIT_PARKED || !to->online ||
		    !executor->runnable(unit)) {
			/* Somebody else has got on: begin anew, with what is true now. */
			raw_spin_unlock(&to->lock);
			raw_spin_unlock_irqrestore(&res->lock, flags);
			goto again;
		}
		WRITE_ONCE(unit->res, to);
		raw_spin_unlock(&res->lock);
		res = to;
	}
	set_state(unit, HVMM_UNIT_QUEUED, now);
	enqueue(res, unit, now);
	announce(res);
	raw_spin_unlock(&res->lock);
	/* Nobody was online: if somebody is by now, it may not have seen this unit. */
	if (unlikely(!READ_ONCE(res->online)))
		drain(res, now);
	local_irq_restore(flags);
	return true;
}

bool hvmm_sched_hold(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_resource *res;
	unsigned long flags;
	bool parked = true;

	res = unit_lock(unit, &flags);
	switch (unit->state) {
	case HVMM_UNIT_QUEUED:
		dequeue(res, unit, now);
		set_state(unit, HVMM_UNIT_PARKED, now);
		break;
	case HVMM_UNIT_PARKED:
		/* Said once: who waits for it would otherwise wake itself for ever. */
		break;
	default:
		parked = false;
	}
	raw_spin_unlock_irqrestore(&res->lock, flags);
	return parked;
}

void hvmm_sched_refresh(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_resource *res;
	unsigned long flags;

	res = unit_lock(unit, &flags);
	if (unit->state == HVMM_UNIT_PARKED)
		set_state(unit, HVMM_UNIT_PARKED, now);
	raw_spin_unlock_irqrestore(&res->lock, flags);
}

static struct hvmm_unit *run(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now)
{
	dequeue(res, unit, now);
	unit->class->set_next(res, unit, now);
	WRITE_ONCE(res->curr, unit);
	set_state(unit, HVMM_UNIT_RUNNING, now);
	res->slice_end = res->nr_queued ? now + unit->class->slice(res, unit) : 0;
	WRITE_ONCE(res->attention, res->nr_queued > 0);
	return unit;
}

static struct hvmm_unit *steal(struct hvmm_resource *res, u64 now)
{
	struct hvmm_resource *from;
	struct hvmm_unit *unit;
	unsigned int i;

	for (i = 1; i < nr_resources; i++) {
		from = &resources[(res->id + i) % nr_resources];
		if (!READ_ONCE(from->nr_queued))
			continue;
		lock_both(res, from);
		unit = res->online && !res->nr_queued ? hvmm_sched_rr.pick(from) : NULL;
		if (unit) {
			dequeue(from, unit, now);
			WRITE_ONCE(unit->res, res);
			enqueue(res, unit, now);
		}
		raw_spin_unlock(&from->lock);
		if (res->online && res->nr_queued) {
			unit = run(res, hvmm_sched_rr.pick(res), now);
			raw_spin_unlock(&res->lock);
			return unit;
		}
		raw_spin_unlock(&res->lock);
	}
	return NULL;
}

struct hvmm_unit *hvmm_sched_next(struct hvmm_resource *res, u64 now)
{
	struct hvmm_unit *unit = NULL;
	unsigned long flags;

	local_irq_save(flags);
	raw_spin_lock(&res->lock);
	if (res->online) {
		unit = hvmm_sched_rr.pick(res);
		if (unit)
			run(res, unit, now);
	}
	raw_spin_unlock(&res->lock);
	if (!unit && READ_ONCE(res->online))
		unit = steal(res, now);
	local_irq_restore(flags);
	return unit;
}

void hvmm_sched_put(struct hvmm_resource *res, u64 now)
{
	struct hvmm_unit *unit;
	unsigned long flags;

	raw_spin_lock_irqsave(&res->lock, flags);
	unit = res->curr;
	unit->class->put_prev(res, unit, now);
	WRITE_ONCE(unit->state, HVMM_UNIT_PARKED);
	/* Pairs with the barrier in hvmm_sched_wake(). */
	smp_mb();
	WRITE_ONCE(res->curr, NULL);
	if (executor->runnable(unit)) {
		set_state(unit, HVMM_UNIT_QUEUED, now);
		enqueue(res, unit, now);
	} else {
		set_state(unit, HVMM_UNIT_PARKED, now);
	}
	raw_spin_unlock(&res->lock);
	if (!READ_ONCE(res->online))
		drain(res, now);
	local_irq_restore(flags);
}

u64 hvmm_sched_attend(struct hvmm_resource *res, u64 now)
{
	unsigned long flags;
	u64 end;

	raw_spin_lock_irqsave(&res->lock, flags);
	WRITE_ONCE(res->attention, false);
	if (!res->online)
		res->slice_end = now;
	else if (!res->nr_queued)
		res->slice_end = 0;
	else if (!res->slice_end)
		/* Who waits has not been kept waiting by time used before it came. */
		res->slice_end = now + res->curr->class->slice(res, res->curr);
	end = res->slice_end;
	raw_spin_unlock_irqrestore(&res->lock, flags);
	return end;
}

void hvmm_sched_set_online(struct hvmm_resource *res, bool online, u64 now)
{
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&res->lock, flags);
	WRITE_ONCE(res->online, online);
	if (res->curr)
		WRITE_ONCE(res->attention, true);
	executor->kick(res);
	raw_spin_unlock(&res->lock);
	/* Also what was queued while nobody was online: stealing comes only with idleness. */
	for (i = 0; i < nr_resources; i++)
		if (!READ_ONCE(resources[i].online))
			drain(&resources[i], now);
	local_irq_restore(flags);
}
