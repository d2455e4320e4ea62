// SPDX-License-Identifier: GPL-2.0
/*
 * Fair shares: start-time fair queueing. Each share has a virtual time, which grows
 * by the time that its units run, divided by the group's weight. Of those that wait
 * the share with the least virtual time runs next. The domain's own virtual time is
 * that of the share picked last.
 *
 * - A slice is charged when it begins and put right when it ends, so that several
 *   units of a group that run at once do not each see the time before the others.
 * - Only time in which somebody waits is charged: what nobody wanted costs nothing.
 * - Virtual times stay within a bound of the domain's. A group that cannot use its
 *   share, since it has fewer units than its weight is worth pCPUs, does not save up
 *   for later; one that ran ahead, on its reservation say, is not made to pay for ever.
 * - Who wakes begins at the domain's virtual time, unless it is ahead of it still:
 *   sleeping is no merit, and sleeping before the bill comes does not help.
 */
#include "sched/domain.h"

/* Nanoseconds at which a single charge is cut off, so that products fit 64 bits. */
#define CHARGE_MAX_NS	BIT_ULL(34)

static struct hvmm_share *share_of(struct hvmm_node *node)
{
	return node ? container_of(node, struct hvmm_share, fair) : NULL;
}

/* How much virtual time @ns are: 10000 a ns at weight 1, 1 a ns at weight 10000. */
static u64 virtual(const struct hvmm_share *share, u64 ns)
{
	u64 v = div_u64(min(ns, CHARGE_MAX_NS) * HVMM_WEIGHT_MAX, share->group->quota.weight);
	unsigned int all;

	if (hvmm_sched.nr_dom == 1)
		return v;
	/* A domain has as much of the group's weight as of its busy units. */
	all = atomic_read(&share->group->nr_busy);
	if (!share->nr_busy || all <= share->nr_busy)
		return v;
	return mul_u64_u64_div_u64(v, all, share->nr_busy);
}

/*
 * The virtual time that a share is held to: of the resources that it may use, that which
 * is furthest. Others may be crowded by those that can go nowhere else.
 */
static u64 reference(const struct hvmm_domain *dom, const struct hvmm_share *share)
{
	u32 mask = share->allowed & dom->online;
	unsigned int i;
	u64 v;

	/* What is offline may have been far ahead. */
	if (hweight32(mask) == dom->nr_res || !mask)
		return dom->v;
	v = dom->res[__ffs(mask)]->v;
	for (i = 0; i < dom->nr_res; i++)
		if (mask & dom->res[i]->bit && hvmm_before(v, dom->res[i]->v))
			v = dom->res[i]->v;
	return v;
}

static u64 bounded(const struct hvmm_domain *dom, const struct hvmm_share *share, u64 v)
{
	u64 lag = virtual(share, HVMM_LAG_NS * max(share->nr_busy, 1U));
	u64 ref = reference(dom, share);

	if (hvmm_before(v, ref - lag))
		return ref - lag;
	if (hvmm_before(ref + lag, v))
		return ref + lag;
	return v;
}

static void set_v(struct hvmm_domain *dom, struct hvmm_share *share, u64 v)
{
	bool in = share->fair.in;

	if (in)
		hvmm_tree_erase(&dom->fair, &share->fair);
	share->fair.key = v;
	if (in)
		hvmm_tree_insert(&dom->fair, &share->fair);
}

static void fair_enqueue(struct hvmm_domain *dom, struct hvmm_share *share, bool woke, u64 now)
{
	u64 v = bounded(dom, share, share->fair.key);
	u64 ref = reference(dom, share);

	if (woke && hvmm_before(v, ref))
		v = ref;
	share->fair.key = v;
	hvmm_tree_insert(&dom->fair, &share->fair);
}

static void fair_dequeue(struct hvmm_domain *dom, struct hvmm_share *share)
{
	hvmm_tree_erase(&dom->fair, &share->fair);
}

static struct hvmm_share *fair_pick(const struct hvmm_domain *dom, u32 mask)
{
	return share_of(hvmm_tree_first(&dom->fair, mask));
}

static void fair_begin(struct hvmm_domain *dom, struct hvmm_share *share,
		       struct hvmm_resource *res, u64 slice)
{
	struct hvmm_node *first = hvmm_tree_first(&dom->fair, res->bit);
	u64 v = share->fair.key;

	/*
	 * With a reservation it may run before its turn, and when a sibling makes way for
	 * it: that does not move time on.
	 */
	if (first && hvmm_before(first->key, v))
		v = first->key;
	if (res->class == &hvmm_sched_fair) {
		if (hvmm_before(res->v, v))
			res->v = v;
		if (hvmm_before(dom->v, res->v))
			dom->v = res->v;
	}
	res->owed = virtual(share, slice);
	set_v(dom, share, share->fair.key + res->owed);
}

static void fair_charge(struct hvmm_domain *dom, struct hvmm_share *share,
			struct hvmm_resource *res, u64 ran, u64 contended, u64 now)
{
	u64 v = share->fair.key - res->owed + virtual(share, contended);

	res->owed = 0;
	set_v(dom, share, bounded(dom, share, v));
}

static u64 fair_slice(const struct hvmm_share *share)
{
	u64 slice = div_u64(HVMM_SLICE_NS * share->group->quota.weight, HVMM_WEIGHT_DEFAULT);

	/* The light make way soon: who comes after them waits less for the same share. */
	return clamp(slice, HVMM_SLICE_MIN_NS, HVMM_SLICE_NS);
}

static bool fair_keep(const struct hvmm_share *share, const struct hvmm_share *other)
{
	return hvmm_before(share->fair.key, other->fair.key);
}

static s64 fair_ahead(const struct hvmm_share *share, const struct hvmm_resource *res, u64 now)
{
	const struct hvmm_share *other = hvmm_share_of(res->curr);
	u64 ran = hvmm_before(now, res->charged_at) ? 0 : now - res->charged_at;
	u64 contended = min(hvmm_contended(share->dom, now) - res->contended_at, ran);

	return other->fair.key - res->owed + virtual(other, contended) - share->fair.key;
}

static bool fair_claims(const struct hvmm_share *share)
{
	return true;
}

const struct hvmm_sched_class hvmm_sched_fair = {
	.name		= "fair",
	.enqueue	= fair_enqueue,
	.dequeue	= fair_dequeue,
	.pick		= fair_pick,
	.begin		= fair_begin,
	.charge		= fair_charge,
	.slice		= fair_slice,
	.claims		= fair_claims,
	.keep		= fair_keep,
	.ahead		= fair_ahead,
};
