// SPDX-License-Identifier: GPL-2.0
/* Groups and what they may have: validated whole, applied at one instant. */
#include "sched/domain.h"

/* Guards quotas against each other and all that is planned; taken before domain locks. */
static raw_spinlock_t config_lock;

void hvmm_config_lock_init(void)
{
	raw_spin_lock_init(&config_lock);
}

static void lock_all(unsigned long *flags)
{
	unsigned int i;

	raw_spin_lock_irqsave(&config_lock, *flags);
	for (i = 0; i < hvmm_sched.nr_dom; i++)
		raw_spin_lock_nest_lock(&hvmm_domain_nr(i)->lock, &config_lock);
}

static void unlock_all(unsigned long flags)
{
	unsigned int i;

	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		hvmm_timer_arm(hvmm_domain_nr(i));
		raw_spin_unlock(&hvmm_domain_nr(i)->lock);
	}
	raw_spin_unlock_irqrestore(&config_lock, flags);
}

void hvmm_quota_default(struct hvmm_quota *quota)
{
	memset(quota, 0, sizeof(*quota));
	quota->weight = HVMM_WEIGHT_DEFAULT;
	quota->max_ns = HVMM_CAP_NONE;
	quota->period_ns = HVMM_CAP_PERIOD_DEFAULT;
	bitmap_fill(quota->affinity, HVMM_RES_MAX);
}

size_t hvmm_group_size(void)
{
	return sizeof(struct hvmm_group) + hvmm_sched.nr_dom * sizeof(struct hvmm_share) +
	       2 * hvmm_sched.nr_res * sizeof(u32);
}

static u32 allowed_in(const struct hvmm_domain *dom, const struct hvmm_quota *quota)
{
	u32 mask = 0;
	unsigned int i;

	for (i = 0; i < dom->nr_res; i++)
		if (test_bit(dom->res[i]->id, quota->affinity))
			mask |= dom->res[i]->bit;
	return mask;
}

void hvmm_group_init(struct hvmm_group *group, u32 id)
{
	struct hvmm_share *share;
	unsigned int i;

	group->id = id;
	INIT_LIST_HEAD(&group->units);
	hvmm_quota_default(&group->quota);
	atomic_set(&group->nr_busy, 0);
	raw_spin_lock_init(&group->cap_lock);
	group->fill = (u32 *)&group->shares[hvmm_sched.nr_dom];
	group->fill_wanted = group->fill + hvmm_sched.nr_res;
	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		share = &group->shares[i];
		share->group = group;
		share->dom = hvmm_domain_nr(i);
		share->queue = RB_ROOT_CACHED;
		INIT_LIST_HEAD(&share->waiting);
		share->allowed = allowed_in(share->dom, &group->quota);
		share->fair.allowed = share->allowed;
		share->edf.allowed = share->allowed;
		RB_CLEAR_NODE(&share->refill.node);
	}
}

void hvmm_group_exit(struct hvmm_group *group)
{
	unsigned long flags;
	unsigned int i;

	lock_all(&flags);
	hvmm_admit_begin();
	hvmm_admit_drop(group);
	hvmm_admit_commit_res();
	hvmm_admit_commit(group);
	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		WARN_ON_ONCE(group->shares[i].nr_busy);
		hvmm_note_exit(&group->shares[i]);
		hvmm_timer_cancel(hvmm_domain_nr(i), &group->shares[i].refill);
	}
	unlock_all(flags);
}

void hvmm_group_quota(struct hvmm_group *group, struct hvmm_quota *quota)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&config_lock, flags);
	*quota = group->quota;
	raw_spin_unlock_irqrestore(&config_lock, flags);
}

static unsigned int nr_usable(const struct hvmm_quota *quota)
{
	unsigned int i, nr = 0;

	for (i = 0; i < hvmm_sched.nr_res; i++)
		nr += hvmm_sched.res[i].online && test_bit(i, quota->affinity);
	return nr;
}

static enum hvmm_quota_err check(const struct hvmm_group *group, const struct hvmm_quota *q,
				 u32 *bound)
{
	unsigned int usable = nr_usable(q);
	u64 most;

	if (q->weight < HVMM_WEIGHT_MIN || q->weight > HVMM_WEIGHT_MAX)
		return HVMM_QUOTA_WEIGHT;
	if (q->period_ns < HVMM_CAP_PERIOD_MIN || q->period_ns > HVMM_CAP_PERIOD_MAX)
		return HVMM_QUOTA_PERIOD;
	if (q->max_ns != HVMM_CAP_NONE && (q->max_ns < q->period_ns / HVMM_CAP_MIN_DIV ||
					   q->max_ns > q->period_ns * HVMM_RES_MAX))
		return HVMM_QUOTA_MAX;
	if (q->burst_ns > HVMM_CAP_BURST_MAX)
		return HVMM_QUOTA_BURST;
	if (!usable)
		return HVMM_QUOTA_AFFINITY;
	most = (u64)min(usable, max(group->nr_units, 1U)) * HVMM_PPM;
	if (q->min_ppm > most) {
		*bound = most;
		return HVMM_QUOTA_MIN_UNITS;
	}
	if (q->max_ns != HVMM_CAP_NONE &&
	    (u64)q->min_ppm * q->period_ns > q->max_ns * HVMM_PPM)
		return HVMM_QUOTA_MIN_OVER_MAX;
	return HVMM_QUOTA_OK;
}

/* Nanoseconds of each period that the plan gives a group in a domain. */
static u64 planned(const struct hvmm_group *group, const struct hvmm_domain *dom)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < dom->nr_res; i++)
		sum += group->fill_wanted[dom->res[i]->id];
	return div_u64(sum * HVMM_RESERVE_PERIOD_NS, HVMM_PPM);
}

/*
 * Units of a group with a reservation stay where it is: spread over the domains as the
 * reservation is.
 */
static void set_homes(struct hvmm_group *group)
{
	struct hvmm_domain *dom = NULL;
	struct hvmm_unit *unit;
	u64 all = 0, here = 0, done = 0;
	unsigned int i;

	for (i = 0; i < hvmm_sched.nr_dom; i++)
		all += planned(group, hvmm_domain_nr(i));
	i = 0;
	list_for_each_entry(unit, &group->units, sibling) {
		if (!all) {
			unit->home = NULL;
			continue;
		}
		/* The next domain when this one has had its part of the units, rounded. */
		while ((2 * done + 1) * all >= 2 * here * group->nr_units &&
		       i < hvmm_sched.nr_dom) {
			if (planned(group, hvmm_domain_nr(i))) {
				dom = hvmm_domain_nr(i);
				here += planned(group, dom);
			}
			i++;
		}
		unit->home = dom;
		done++;
	}
}

static void apply_cap(struct hvmm_group *group, const struct hvmm_quota *quota, u64 now)
{
	bool had = hvmm_capped(group), has = quota->max_ns != HVMM_CAP_NONE;
	struct hvmm_unit *unit;

	list_for_each_entry(unit, &group->units, sibling) {
		if (unit->state == HVMM_UNIT_CAPPED) {
			hvmm_timer_cancel(unit->dom, &unit->release);
			hvmm_cap_return(unit);
		} else if (!had || !has) {
			unit->grant = 0;
			/* What it has run without a cap is not charged to it. */
			if (has && unit->state == HVMM_UNIT_RUNNING)
				unit->res->capped_from = now;
		}
		unit->release.at = 0;
	}
	if (had && has)
		hvmm_cap_change(group, quota, now);
	else
		group->cap_free_at = now;
}

static void apply(struct hvmm_group *group, const struct hvmm_quota *quota, u64 now)
{
	struct hvmm_domain *dom;
	struct hvmm_unit *unit;
	unsigned int i;
	u64 reserve;

	apply_cap(group, quota, now);
	group->quota = *quota;
	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		dom = hvmm_domain_nr(i);
		reserve = planned(group, dom);
		now = hvmm_domain_now(dom, now);
		hvmm_queue_renew(&group->shares[i], allowed_in(dom, quota), now);
		hvmm_reserve_set(&group->shares[i], reserve, now);
		hvmm_note_quota(&group->shares[i], now);
	}
	set_homes(group);
	list_for_each_entry(unit, &group->units, sibling) {
		switch (unit->state) {
		case HVMM_UNIT_RUNNING:
			hvmm_look_at(unit->res, now);
			break;
		case HVMM_UNIT_CAPPED:
			if (hvmm_admit_unit(unit, false, now))
				hvmm_announce(unit, now);
			break;
		case HVMM_UNIT_QUEUED:
			if (unit->home && unit->home != unit->dom)
				WRITE_ONCE(unit->dom->stranded, true);
			hvmm_announce(unit, now);
			break;
		}
	}
}

static bool plan(const struct hvmm_quota_change *changes, unsigned int nr,
		 struct hvmm_quota_verdict *verdict)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		verdict->index = i;
		verdict->err = check(changes[i].group, changes[i].quota, &verdict->bound);
		if (verdict->err)
			return false;
	}
	hvmm_admit_begin();
	for (i = 0; i < nr; i++)
		hvmm_admit_drop(changes[i].group);
	for (i = 0; i < nr; i++) {
		verdict->index = i;
		if (!hvmm_admit_place(changes[i].group, changes[i].quota, &verdict->bound)) {
			verdict->err = HVMM_QUOTA_MIN_ADMIT;
			return false;
		}
	}
	return true;
}

bool hvmm_sched_set_quota(const struct hvmm_quota_change *changes, unsigned int nr, u64 now,
			  struct hvmm_quota_verdict *verdict)
{
	unsigned long flags;
	unsigned int i;
	bool ok;

	*verdict = (struct hvmm_quota_verdict){ .err = HVMM_QUOTA_OK };
	lock_all(&flags);
	for (i = 0; i < hvmm_sched.nr_dom; i++)
		now = hvmm_domain_now(hvmm_domain_nr(i), now);
	ok = plan(changes, nr, verdict);
	if (ok) {
		for (i = 0; i < nr; i++) {
			apply(changes[i].group, changes[i].quota, now);
			hvmm_admit_commit(changes[i].group);
		}
		hvmm_admit_commit_res();
	}
	unlock_all(flags);
	if (!ok)
		return false;
	local_irq_save(flags);
	for (i = 0; i < hvmm_sched.nr_dom; i++)
		if (READ_ONCE(hvmm_domain_nr(i)->stranded))
			hvmm_balance_rescue(hvmm_domain_nr(i), now);
	local_irq_restore(flags);
	return true;
}

void hvmm_sched_set_capacity(u32 ppm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&config_lock, flags);
	hvmm_admit_capacity(ppm);
	raw_spin_unlock_irqrestore(&config_lock, flags);
}

void hvmm_sched_reserved(u64 *used, u64 *free)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&config_lock, flags);
	hvmm_admit_totals(used, free);
	raw_spin_unlock_irqrestore(&config_lock, flags);
}
