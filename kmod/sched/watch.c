// SPDX-License-Identifier: GPL-2.0
/*
 * The watchdog: policies are asked here only, and an answer that cannot be right
 * costs the policy its place in that domain. The fall-back's queue is kept whoever
 * decides, so it takes over in the middle of a decision.
 */
#include "sched/domain.h"

const struct hvmm_sched_class *hvmm_sched_classes[HVMM_SCHED_CLASSES] = {
	&hvmm_sched_reserve,
	&hvmm_sched_fair,
	&hvmm_sched_rr,
};

/* What no mixture of weights explains: this much beyond what the weights do. */
#define STARVED_NS	10000000000ULL

static void condemn(struct hvmm_domain *dom, unsigned int i, const char *why)
{
	lockdep_assert_held(&dom->lock);
	if (i == HVMM_SCHED_CLASSES - 1 || dom->broken & BIT(i))
		return;
	WRITE_ONCE(dom->broken, dom->broken | BIT(i));
	hvmm_sched.exec->broken(dom->id, hvmm_sched_classes[i]->name, why);
}

static bool in_use(const struct hvmm_domain *dom, unsigned int i)
{
	return !(dom->broken & BIT(i));
}

void hvmm_classes_enqueue(struct hvmm_domain *dom, struct hvmm_share *share, bool woke, u64 now)
{
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES; i++)
		if (in_use(dom, i) && hvmm_sched_classes[i]->enqueue)
			hvmm_sched_classes[i]->enqueue(dom, share, woke, now);
}

void hvmm_classes_dequeue(struct hvmm_domain *dom, struct hvmm_share *share)
{
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES; i++)
		if (in_use(dom, i) && hvmm_sched_classes[i]->dequeue)
			hvmm_sched_classes[i]->dequeue(dom, share);
}

void hvmm_classes_begin(struct hvmm_domain *dom, struct hvmm_share *share,
			struct hvmm_resource *res, u64 slice)
{
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES; i++)
		if (in_use(dom, i) && hvmm_sched_classes[i]->begin)
			hvmm_sched_classes[i]->begin(dom, share, res, slice);
}

void hvmm_classes_charge(struct hvmm_domain *dom, struct hvmm_share *share,
			 struct hvmm_resource *res, u64 ran, u64 contended, u64 now)
{
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES; i++)
		if (in_use(dom, i) && hvmm_sched_classes[i]->charge)
			hvmm_sched_classes[i]->charge(dom, share, res, ran, contended, now);
}

bool hvmm_watch_in_use(const struct hvmm_domain *dom, const struct hvmm_sched_class *class)
{
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES; i++)
		if (hvmm_sched_classes[i] == class)
			return in_use(dom, i);
	return false;
}

struct hvmm_share *hvmm_watch_pick(struct hvmm_domain *dom, u32 mask)
{
	struct hvmm_share *share;
	unsigned int i;

	lockdep_assert_held(&dom->lock);
	if (!dom->nr_waiting)
		return NULL;
	for (i = 0; i < HVMM_SCHED_CLASSES; i++) {
		if (!in_use(dom, i))
			continue;
		share = hvmm_sched_classes[i]->pick(dom, mask);
		if (share && share->dom == dom && share->nr_waiting && share->allowed & mask)
			return share;
		if (share)
			condemn(dom, i, "chose a VM that does not wait there");
		else if (i == HVMM_SCHED_CLASSES - 2 && hvmm_sched_rr.pick(dom, mask))
			condemn(dom, i, "found nothing to run though a vCPU waits");
	}
	return NULL;
}

const struct hvmm_sched_class *hvmm_watch_class(const struct hvmm_domain *dom,
						const struct hvmm_share *share)
{
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES - 1; i++)
		if (in_use(dom, i) && hvmm_sched_classes[i]->claims(share))
			break;
	return hvmm_sched_classes[i];
}

u64 hvmm_watch_slice(struct hvmm_domain *dom, const struct hvmm_sched_class *class,
		     const struct hvmm_share *share)
{
	u64 slice = class->slice(share);
	unsigned int i;

	if (slice && slice <= HVMM_SLICE_SANE_NS)
		return slice;
	for (i = 0; i < HVMM_SCHED_CLASSES; i++)
		if (hvmm_sched_classes[i] == class)
			condemn(dom, i, "gave a slice that is none");
	return HVMM_SLICE_NS;
}

bool hvmm_watch_keep(const struct hvmm_domain *dom, const struct hvmm_share *share,
		     const struct hvmm_share *other)
{
	const struct hvmm_sched_class *class;
	bool ours, theirs;
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES; i++) {
		if (!in_use(dom, i))
			continue;
		class = hvmm_sched_classes[i];
		ours = class->claims(share);
		theirs = class->claims(other);
		if (ours != theirs)
			return ours;
		if (ours)
			return class->keep && class->keep(share, other);
	}
	return false;
}

s64 hvmm_watch_ahead(const struct hvmm_domain *dom, const struct hvmm_share *share,
		     const struct hvmm_resource *res, u64 now)
{
	const struct hvmm_sched_class *class;
	bool ours, theirs;
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES; i++) {
		if (!in_use(dom, i))
			continue;
		class = hvmm_sched_classes[i];
		ours = class->claims(share);
		theirs = class->claims(hvmm_share_of(res->curr));
		if (ours != theirs)
			return ours ? S64_MAX : -1;
		if (ours)
			return class->ahead ? class->ahead(share, res, now) : -1;
	}
	return -1;
}

void hvmm_watch_starved(struct hvmm_domain *dom, u64 now)
{
	struct hvmm_share *share;
	struct hvmm_unit *unit;
	u64 bound;

	lockdep_assert_held(&dom->lock);
	share = list_first_entry_or_null(&dom->waiting, struct hvmm_share, waiting);
	if (!share || !(share->allowed & dom->online))
		return;
	unit = hvmm_queue_first(share);
	/* All others at the largest weight, and most of the time reserved. */
	bound = div_u64(HVMM_SLICE_NS * HVMM_WEIGHT_MAX * dom->nr_waiting,
			share->group->quota.weight) * 16 + STARVED_NS;
	if (hvmm_before(unit->waits_since + bound, now))
		condemn(dom, HVMM_SCHED_CLASSES - 2, "let a vCPU wait without end");
}

const char *hvmm_sched_policy(const struct hvmm_resource *res, unsigned int nr)
{
	if (nr >= HVMM_SCHED_CLASSES || READ_ONCE(res->dom->broken) & BIT(nr))
		return NULL;
	return hvmm_sched_classes[nr]->name;
}

int hvmm_sched_condemn(struct hvmm_resource *res, const char *policy, const char *why)
{
	struct hvmm_domain *dom = res->dom;
	unsigned long flags;
	unsigned int i;
	int err = -ENOENT;

	raw_spin_lock_irqsave(&dom->lock, flags);
	for (i = 0; i < HVMM_SCHED_CLASSES - 1; i++) {
		if (strcmp(hvmm_sched_classes[i]->name, policy))
			continue;
		err = in_use(dom, i) ? 0 : -EALREADY;
		condemn(dom, i, why);
	}
	raw_spin_unlock_irqrestore(&dom->lock, flags);
	return err;
}
