// SPDX-License-Identifier: GPL-2.0
/*
 * Round robin: first come, first served, equal slices. The policy that nothing
 * can break, and so the one that every other falls back to. Its queue is the list
 * of shares that wait, which is kept for all policies.
 */
#include "sched/domain.h"

static struct hvmm_share *rr_pick(const struct hvmm_domain *dom, u32 mask)
{
	struct hvmm_share *share;

	list_for_each_entry(share, &dom->waiting, waiting)
		if (share->allowed & mask)
			return share;
	return NULL;
}

static void rr_begin(struct hvmm_domain *dom, struct hvmm_share *share,
		     struct hvmm_resource *res, u64 slice)
{
	/* Other units of the same group wait: others first. */
	if (share->nr_waiting)
		list_move_tail(&share->waiting, &dom->waiting);
}

static u64 rr_slice(const struct hvmm_share *share)
{
	return HVMM_SLICE_NS;
}

static bool rr_claims(const struct hvmm_share *share)
{
	return true;
}

const struct hvmm_sched_class hvmm_sched_rr = {
	.name		= "rr",
	.pick		= rr_pick,
	.begin		= rr_begin,
	.slice		= rr_slice,
	.claims		= rr_claims,
};
