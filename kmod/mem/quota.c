// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/lockdep.h>

#include "mem/quota.h"

void hvmm_mem_quota_init(struct hvmm_mem_quota *quota,
			 u64 (*held)(struct hvmm_mem_quota *quota))
{
	spin_lock_init(&quota->lock);
	quota->held = held;
	quota->max = HVMM_MEM_MAX_NONE;
	quota->high = HVMM_MEM_MAX_NONE;
	quota->min = 0;
	quota->pending = 0;
	INIT_LIST_HEAD(&quota->waiters);
	quota->nr_waiting = 0;
}

static void leave(struct hvmm_mem_quota *quota, struct hvmm_mem_wait *wait)
{
	lockdep_assert_held(&quota->lock);
	if (list_empty(&wait->node))
		return;
	list_del_init(&wait->node);
	WRITE_ONCE(quota->nr_waiting, quota->nr_waiting - 1);
}

static void join(struct hvmm_mem_quota *quota, struct hvmm_mem_wait *wait, bool full)
{
	lockdep_assert_held(&quota->lock);
	leave(quota, wait);
	if (wait->off)
		return;
	wait->full = full;
	list_add_tail(&wait->node, &quota->waiters);
	WRITE_ONCE(quota->nr_waiting, quota->nr_waiting + 1);
}

/* All of them: what does not suffice for one may for another. Each asks anew. */
static void wake_all(struct hvmm_mem_quota *quota)
{
	struct hvmm_mem_wait *wait, *next;

	lockdep_assert_held(&quota->lock);
	list_for_each_entry_safe(wait, next, &quota->waiters, node) {
		leave(quota, wait);
		wait->wake(wait);
	}
}

static bool fits(u64 max, u64 held, u64 bytes)
{
	return held <= max && bytes <= max - held;
}

int hvmm_mem_quota_take(struct hvmm_mem_quota *quota, u64 *bytes, struct hvmm_mem_wait *wait)
{
	u64 want = *bytes, held;
	int err = 0;

	*bytes = 0;
	if (!want || READ_ONCE(quota->max) == HVMM_MEM_MAX_NONE)
		return 0;

	spin_lock(&quota->lock);
	if (wait)
		leave(quota, wait);
	held = quota->held(quota);
	if (fits(quota->max, held + quota->pending, want)) {
		quota->pending += want;
		*bytes = want;
	} else {
		if (wait)
			join(quota, wait, !fits(quota->max, held, want));
		err = -EDQUOT;
	}
	spin_unlock(&quota->lock);

	return err;
}

void hvmm_mem_quota_settle(struct hvmm_mem_quota *quota, u64 bytes)
{
	if (!bytes)
		return;
	spin_lock(&quota->lock);
	quota->pending -= bytes;
	wake_all(quota);
	spin_unlock(&quota->lock);
}

void hvmm_mem_quota_set(struct hvmm_mem_quota *quota, const struct hvmm_mem_limits *limits)
{
	spin_lock(&quota->lock);
	WRITE_ONCE(quota->max, limits->max);
	WRITE_ONCE(quota->high, limits->high);
	WRITE_ONCE(quota->min, limits->min);
	wake_all(quota);
	spin_unlock(&quota->lock);
}

void hvmm_mem_quota_get(struct hvmm_mem_quota *quota, struct hvmm_mem_limits *limits)
{
	spin_lock(&quota->lock);
	limits->max = quota->max;
	limits->high = quota->high;
	limits->min = quota->min;
	spin_unlock(&quota->lock);
}

u64 hvmm_mem_quota_held(struct hvmm_mem_quota *quota)
{
	u64 held;

	spin_lock(&quota->lock);
	held = quota->held(quota);
	spin_unlock(&quota->lock);
	return held;
}

void hvmm_mem_quota_returned(struct hvmm_mem_quota *quota)
{
	spin_lock(&quota->lock);
	wake_all(quota);
	spin_unlock(&quota->lock);
}

void hvmm_mem_wait_init(struct hvmm_mem_wait *wait, void (*wake)(struct hvmm_mem_wait *wait))
{
	INIT_LIST_HEAD(&wait->node);
	wait->wake = wake;
	wait->off = false;
	wait->full = false;
}

void hvmm_mem_wait_begin(struct hvmm_mem_quota *quota, struct hvmm_mem_wait *wait)
{
	spin_lock(&quota->lock);
	join(quota, wait, true);
	spin_unlock(&quota->lock);
}

void hvmm_mem_wait_end(struct hvmm_mem_quota *quota, struct hvmm_mem_wait *wait, bool off)
{
	spin_lock(&quota->lock);
	leave(quota, wait);
	wait->off = wait->off || off;
	spin_unlock(&quota->lock);
}
