// SPDX-License-Identifier: GPL-2.0
/*
 * Round robin: first come, first served, equal slices. The policy that nothing
 * can break, and so the one that every other falls back to.
 */
#include "sched/sched.h"

/* Short enough for a console to feel alive among many, long enough not to matter. */
#define RR_SLICE_NS	2000000ULL

static void rr_init_res(struct hvmm_resource *res)
{
	INIT_LIST_HEAD(&res->rr);
}

static void rr_enqueue(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now)
{
	list_add_tail(&unit->node, &res->rr);
}

static void rr_dequeue(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now)
{
	list_del_init(&unit->node);
}

static struct hvmm_unit *rr_pick(const struct hvmm_resource *res)
{
	if (list_empty(&res->rr))
		return NULL;
	return list_first_entry(&res->rr, struct hvmm_unit, node);
}

static void rr_set_next(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now)
{
	unit->set_at = now;
}

static void rr_put_prev(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now)
{
}

static u64 rr_slice(const struct hvmm_resource *res, const struct hvmm_unit *unit)
{
	return RR_SLICE_NS;
}

const struct hvmm_sched_class hvmm_sched_rr = {
	.name		= "rr",
	.init_res	= rr_init_res,
	.enqueue	= rr_enqueue,
	.dequeue	= rr_dequeue,
	.pick		= rr_pick,
	.set_next	= rr_set_next,
	.put_prev	= rr_put_prev,
	.slice		= rr_slice,
};
