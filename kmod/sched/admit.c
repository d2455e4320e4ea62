// SPDX-License-Identifier: GPL-2.0
/*
 * Admission of reservations. What a reservation needs of the resources is laid out
 * on those that the group may use, in one domain if it fits there, else with each
 * unit's equal part whole in some domain, since units do not roam between them. There
 * is never more than the capacity on any: so what was admitted can be given, whatever
 * else runs.
 *
 * The layout says how much there is where, not which unit runs where: within a domain
 * the earliest deadline is served on any resource. A layout is looked for greedily;
 * with affinities that overlap without one holding the other, it may miss one.
 */
#include "sched/domain.h"

/* Millionths of a resource that may be reserved. */
static u32 capacity = HVMM_PPM;

static unsigned int units_of(const struct hvmm_group *group)
{
	return max(group->nr_units, 1U);
}

/*
 * What has to be provided so that each window holds @ppm: a window may begin just
 * after a budget was used early and end just before another is used late. As much
 * again is for what the host takes of the pCPU in the meantime.
 */
static u64 provision(u64 ppm, unsigned int nr_units)
{
	u64 all = (u64)nr_units * HVMM_PPM;
	u64 gap = div64_u64(4 * HVMM_RESERVE_PERIOD_NS * (all - min(ppm, all)), all);

	return DIV64_U64_ROUND_UP(ppm * HVMM_RESERVE_WINDOW_NS, HVMM_RESERVE_WINDOW_NS - gap);
}

/* Without @quota: all that are online. */
static bool usable(const struct hvmm_resource *res, const struct hvmm_quota *quota)
{
	return res->online && (!quota || test_bit(res->id, quota->affinity));
}

static u32 room(const struct hvmm_resource *res)
{
	return res->wanted < capacity ? capacity - res->wanted : 0;
}

static u64 room_in(const struct hvmm_domain *dom, const struct hvmm_quota *quota)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < dom->nr_res; i++)
		if (usable(dom->res[i], quota))
			sum += room(dom->res[i]);
	return sum;
}

/* Whether @need can be laid out: in one domain, or with each unit's part whole in some domain. */
static bool fits(const struct hvmm_quota *quota, u64 need, unsigned int nr_units)
{
	u64 part = DIV_ROUND_UP_ULL(need, nr_units), room;
	unsigned int i;
	u64 units = 0;

	if (!need)
		return true;
	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		room = room_in(hvmm_domain_nr(i), quota);
		if (room >= need)
			return true;
		units += div64_u64(room, part);
	}
	return units >= nr_units;
}

/* The largest reservation that fits. */
static u32 largest(const struct hvmm_quota *quota, unsigned int nr_units)
{
	u64 low = 0, high = (u64)nr_units * HVMM_PPM, mid;

	while (low < high) {
		mid = (low + high + 1) / 2;
		if (fits(quota, provision(mid, nr_units), nr_units))
			low = mid;
		else
			high = mid - 1;
	}
	return min_t(u64, low, U32_MAX);
}

/* Lay @need out on a domain's resources, the emptiest first. Return: what did not fit. */
static u64 fill(struct hvmm_group *group, struct hvmm_domain *dom,
		const struct hvmm_quota *quota, u64 need)
{
	struct hvmm_resource *res, *best, *next;
	unsigned int i, level;
	u64 part;

	while (need) {
		/* The emptiest are levelled up to the next emptiest, all alike. */
		best = NULL;
		next = NULL;
		level = 0;
		for (i = 0; i < dom->nr_res; i++) {
			res = dom->res[i];
			if (!usable(res, quota) || !room(res))
				continue;
			if (!best || res->wanted < best->wanted) {
				next = best;
				best = res;
				level = 1;
			} else if (res->wanted == best->wanted) {
				level++;
			} else if (!next || res->wanted < next->wanted) {
				next = res;
			}
		}
		if (!best)
			break;
		part = room(best);
		if (next)
			part = min_t(u64, part, next->wanted - best->wanted);
		part = min(part, DIV_ROUND_UP_ULL(need, level));
		need -= part;
		best->wanted += part;
		group->fill_wanted[best->id] += part;
	}
	return need;
}

void hvmm_admit_begin(void)
{
	unsigned int i;

	for (i = 0; i < hvmm_sched.nr_res; i++)
		hvmm_sched.res[i].wanted = hvmm_sched.res[i].reserved;
}

void hvmm_admit_drop(struct hvmm_group *group)
{
	unsigned int i;

	for (i = 0; i < hvmm_sched.nr_res; i++) {
		hvmm_sched.res[i].wanted -= group->fill[i];
		group->fill_wanted[i] = 0;
	}
}

bool hvmm_admit_place(struct hvmm_group *group, const struct hvmm_quota *quota, u32 *bound)
{
	unsigned int i, nr = units_of(group), left = nr, here;
	struct hvmm_domain *dom, *best = NULL;
	u64 need, part;

	if (!quota->min_ppm)
		return true;
	need = provision(quota->min_ppm, nr);
	if (!fits(quota, need, nr)) {
		*bound = largest(quota, nr);
		return false;
	}
	for (i = 0; i < hvmm_sched.nr_dom; i++) {
		dom = hvmm_domain_nr(i);
		if (room_in(dom, quota) >= need &&
		    (!best || room_in(best, quota) < room_in(dom, quota)))
			best = dom;
	}
	if (best)
		return !fill(group, best, quota, need);
	part = DIV_ROUND_UP_ULL(need, nr);
	for (i = 0; i < hvmm_sched.nr_dom && left; i++) {
		dom = hvmm_domain_nr(i);
		here = min_t(u64, div64_u64(room_in(dom, quota), part), left);
		if (fill(group, dom, quota, here * part))
			return false;
		left -= here;
	}
	return !left;
}

void hvmm_admit_commit(struct hvmm_group *group)
{
	memcpy(group->fill, group->fill_wanted, hvmm_sched.nr_res * sizeof(*group->fill));
}

void hvmm_admit_commit_res(void)
{
	unsigned int i;

	for (i = 0; i < hvmm_sched.nr_res; i++)
		hvmm_sched.res[i].reserved = hvmm_sched.res[i].wanted;
}

void hvmm_admit_capacity(u32 ppm)
{
	capacity = clamp(ppm, 1U, HVMM_PPM);
}

void hvmm_admit_totals(u64 *provided, u64 *free)
{
	unsigned int i, nr = 0;

	hvmm_admit_begin();
	*provided = 0;
	for (i = 0; i < hvmm_sched.nr_res; i++) {
		*provided += hvmm_sched.res[i].reserved;
		nr += hvmm_sched.res[i].online;
	}
	*free = nr ? largest(NULL, nr) : 0;
}
