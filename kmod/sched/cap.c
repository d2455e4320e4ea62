// SPDX-License-Identifier: GPL-2.0
/*
 * Caps without cliffs. A unit of a group with a cap runs on grants: a little of the
 * group's time each, with an instant at which it has been earned. Grants are earned
 * one after the other at the rate of the cap, so the units of a group are held back
 * one at a time and none for long, and each knows at once when it may go on. What a
 * unit used beyond its grant delays the group's next one, to the nanosecond.
 *
 * The group may make good a pause of HVMM_CAP_SLACK_NS, and have saved up its burst.
 */
#include "sched/domain.h"

/* Time in which the cap allows @ns. */
static u64 earned_in(const struct hvmm_quota *q, u64 ns)
{
	return mul_u64_u64_div_u64(ns, q->period_ns, q->max_ns);
}

/* Size of a grant with @n units, so that each of them waits 2 ms at most for the next. */
static u64 grant_size(const struct hvmm_quota *q, unsigned int n)
{
	u64 busy = n * q->period_ns;

	if (busy <= q->max_ns)
		return HVMM_GRANT_MAX_NS;
	return clamp(mul_u64_u64_div_u64(HVMM_GRANT_MAX_NS, q->max_ns, busy - q->max_ns),
		     HVMM_GRANT_MIN_NS, HVMM_GRANT_MAX_NS);
}

/* For the next grant, when all @n units have just been given one. */
static u64 longest_wait(const struct hvmm_quota *q, unsigned int n)
{
	return max(2 * HVMM_GRANT_MAX_NS, n * earned_in(q, HVMM_GRANT_MIN_NS));
}

u64 hvmm_sched_cap_stall(const struct hvmm_quota *q, unsigned int nr_units)
{
	if (q->max_ns == HVMM_CAP_NONE || nr_units * q->period_ns <= q->max_ns)
		return 0;
	return longest_wait(q, nr_units);
}

u64 hvmm_cap_take(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_group *group = unit->group;
	const struct hvmm_quota *q = &group->quota;
	u64 slack = HVMM_CAP_SLACK_NS + earned_in(q, q->burst_ns);
	/* All its units: they may become busy while the others have large grants. */
	u64 size = grant_size(q, max(group->nr_units, 1U));
	u64 from;

	lockdep_assert_held(&unit->dom->lock);
	raw_spin_lock(&group->cap_lock);
	if (unit->grant < 0)
		group->cap_free_at += earned_in(q, -unit->grant);
	from = group->cap_free_at;
	if (hvmm_before(from + slack, now))
		from = now - slack;
	group->cap_free_at = from + earned_in(q, size);
	raw_spin_unlock(&group->cap_lock);
	unit->grant = size;
	return from;
}

void hvmm_cap_return(struct hvmm_unit *unit)
{
	struct hvmm_group *group = unit->group;

	lockdep_assert_held(&unit->dom->lock);
	if (!unit->grant)
		return;
	raw_spin_lock(&group->cap_lock);
	if (unit->grant > 0)
		group->cap_free_at -= earned_in(&group->quota, unit->grant);
	else
		group->cap_free_at += earned_in(&group->quota, -unit->grant);
	raw_spin_unlock(&group->cap_lock);
	unit->grant = 0;
}

void hvmm_cap_change(struct hvmm_group *group, const struct hvmm_quota *to, u64 now)
{
	unsigned int n = max(group->nr_units, 1U);

	raw_spin_lock(&group->cap_lock);
	if (hvmm_before(now, group->cap_free_at)) {
		u64 owes = mul_u64_u64_div_u64(group->cap_free_at - now, group->quota.max_ns,
					       group->quota.period_ns);

		/* Grants of the old cap may be large for the new one: what it owes has a limit. */
		group->cap_free_at = now + min(earned_in(to, owes), longest_wait(to, n));
	}
	raw_spin_unlock(&group->cap_lock);
}
