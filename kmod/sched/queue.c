// SPDX-License-Identifier: GPL-2.0
/*
 * Units that wait: in their share's queue, the one first that has run least, so
 * that the vCPUs of a VM get on alike. The policies know of a share only that
 * some unit of it waits.
 */
#include "sched/domain.h"

static bool unit_less(struct rb_node *a, const struct rb_node *b)
{
	return hvmm_before(rb_entry(a, struct hvmm_unit, node)->ran,
			   rb_entry(b, struct hvmm_unit, node)->ran);
}

void hvmm_queue_add(struct hvmm_unit *unit, bool woke, u64 now)
{
	struct hvmm_share *share = hvmm_share_of(unit);
	struct hvmm_domain *dom = unit->dom;

	lockdep_assert_held(&dom->lock);
	/* Having slept is no merit among siblings. */
	if (hvmm_before(unit->ran, share->floor))
		unit->ran = share->floor;
	unit->waits_since = now;
	rb_add_cached(&unit->node, &share->queue, unit_less);
	if (!dom->nr_waiting)
		dom->contended_since = now;
	WRITE_ONCE(dom->nr_waiting, dom->nr_waiting + 1);
	if (!(share->allowed & dom->online) || (unit->home && unit->home != dom))
		WRITE_ONCE(dom->stranded, true);
	if (share->nr_waiting++)
		return;
	list_add_tail(&share->waiting, &dom->waiting);
	hvmm_classes_enqueue(dom, share, woke && share->nr_busy == 1, now);
}

void hvmm_queue_del(struct hvmm_unit *unit, u64 now)
{
	struct hvmm_share *share = hvmm_share_of(unit);
	struct hvmm_domain *dom = unit->dom;
	unsigned int i;

	lockdep_assert_held(&dom->lock);
	rb_erase_cached(&unit->node, &share->queue);
	WRITE_ONCE(dom->nr_waiting, dom->nr_waiting - 1);
	if (!dom->nr_waiting)
		dom->contended += now - dom->contended_since;
	/* A hand-over is to a unit that waits. */
	for (i = 0; i < dom->nr_res; i++)
		if (dom->res[i]->handoff == unit)
			dom->res[i]->handoff = NULL;
	if (--share->nr_waiting)
		return;
	list_del_init(&share->waiting);
	hvmm_classes_dequeue(dom, share);
}

struct hvmm_unit *hvmm_queue_first(const struct hvmm_share *share)
{
	struct rb_node *first = rb_first_cached(&share->queue);

	return first ? rb_entry(first, struct hvmm_unit, node) : NULL;
}

void hvmm_queue_renew(struct hvmm_share *share, u32 allowed, u64 now)
{
	struct hvmm_domain *dom = share->dom;
	struct hvmm_resource *res;
	unsigned int i;

	lockdep_assert_held(&dom->lock);
	for (i = 0; i < dom->nr_res; i++) {
		res = dom->res[i];
		if (res->handoff && hvmm_share_of(res->handoff) == share && !(allowed & res->bit))
			res->handoff = NULL;
	}
	if (share->nr_waiting)
		hvmm_classes_dequeue(dom, share);
	share->allowed = allowed;
	share->fair.allowed = allowed;
	share->edf.allowed = allowed;
	if (!share->nr_waiting)
		return;
	if (!(allowed & dom->online))
		WRITE_ONCE(dom->stranded, true);
	hvmm_classes_enqueue(dom, share, false, now);
}
