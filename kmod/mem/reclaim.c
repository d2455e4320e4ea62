// SPDX-License-Identifier: GPL-2.0
/*
 * Reclaim goes round the VM's RAM as the hand of a clock, several times, and each time it takes
 * what is less cold than before: what mem/idle.c has found old; what was not used since anybody
 * looked; what was not used since the hand came by last; whatever there is. A part of RAM is
 * done in one go: cold leaves are removed from the nested page table, it waits until no vCPU
 * uses them, drops their references, and evicts what is in that part of the file and has no
 * references left. A guest that uses a page meanwhile has it mapped again, and so keeps it.
 *
 * Where the format has no accessed bit, removing a leaf is the way to see whether it is used:
 * the second round removes all, and the third takes what has not come back.
 *
 * Without swap nothing but zero pages can go: only those leaves are removed, and one look at
 * a page's first bytes is what most others cost.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "host/swap.h"
#include "mem/age.h"
#include "mem/evict.h"
#include "mem/mem.h"

/* Frames done in one go; a multiple of what a large leaf has. */
#define HVMM_RECLAIM_PART	4096

/* Below a limit by so much, or a 32th of the VM's RAM, so that it is not there again at once. */
#define HVMM_RECLAIM_SLACK	SZ_8M

/* What the work item does before it lets others have a turn. */
#define HVMM_RECLAIM_BATCH	SZ_32M

/* A page, and tables down to it. */
#define HVMM_RECLAIM_WAITER	(5 * PAGE_SIZE)

/* Who finds swap refused so often gives it up. */
#define HVMM_RECLAIM_FAILED_MAX	64

/* Doublings of the second that passes after a work item got nothing. */
#define HVMM_RECLAIM_BACKOFF_MAX	6U

/**
 * struct hvmm_round - a reclaim under way
 * @floor: bytes that the VM is to hold
 * @cold: what this round takes
 * @evict: what it does with it
 * @drop: folios whose leaves were removed
 * @max: room there
 */
struct hvmm_round {
	u64 floor;
	enum hvmm_cold cold;
	struct hvmm_evict evict;
	struct folio **drop;
	unsigned int max;
};

static u64 hvmm_reclaim_got(const struct hvmm_round *round)
{
	return round->evict.cleared + round->evict.swapped;
}

static bool hvmm_reclaim_is_zero(struct hvmm_mem *mem, u64 gfn, u64 nr)
{
	const void *page;
	bool zero = true;

	rcu_read_lock();
	for (; nr && zero; gfn++, nr--) {
		page = hvmm_tdp_lookup(&mem->tdp, gfn);
		zero = page && !memchr_inv(page, 0, PAGE_SIZE);
	}
	rcu_read_unlock();
	return zero;
}

/* Removes cold leaves, and drops what they held. */
static void hvmm_reclaim_unmap(struct hvmm_mem *mem, u64 gfn, u64 end, struct hvmm_round *round)
{
	unsigned int n = 0, max, i;
	u64 one, nr;

	max = min_t(u64, round->max, DIV_ROUND_UP_ULL(round->evict.left, PAGE_SIZE));
	while (n < max && hvmm_tdp_find_cold(&mem->tdp, &gfn, end, round->cold, &nr)) {
		one = gfn;
		gfn += nr;
		if (round->evict.swap || hvmm_reclaim_is_zero(mem, one, nr))
			n += hvmm_tdp_unmap(&mem->tdp, &one, one + 1, round->drop + n, 1);
	}
	if (!n) {
		/* Accessed bits that were cleared are set again only after a flush. */
		if (round->cold == HVMM_COLD_UNUSED)
			mem->ops->flush_soon(mem);
		return;
	}
	/* As in hvmm_mem_flush(), but expedited; retired tables are left to that. */
	atomic64_inc_return(&mem->tlb_gen);
	mem->ops->flush(mem);
	synchronize_rcu_expedited();
	for (i = 0; i < n; i++)
		folio_put(round->drop[i]);
}

static void hvmm_reclaim_part(struct hvmm_mem *mem, u64 gfn, struct hvmm_round *round)
{
	u64 nr = min_t(u64, HVMM_RECLAIM_PART, mem->ram.size >> PAGE_SHIFT), got;
	bool test = !mem->tdp.format->accessed && round->cold == HVMM_COLD_UNUSED;
	pgoff_t index;

	if (!hvmm_ram_index(&mem->ram, gfn, &index))
		return;
	nr = min_t(u64, nr, (mem->ram.size >> PAGE_SHIFT) - index);
	got = hvmm_reclaim_got(round);
	if (test) {
		hvmm_ram_evict(&mem->ram, index, index + nr, &round->evict);
		round->cold = HVMM_COLD_ANY;
		hvmm_reclaim_unmap(mem, gfn, gfn + nr, round);
		round->cold = HVMM_COLD_UNUSED;
	} else {
		hvmm_reclaim_unmap(mem, gfn, gfn + nr, round);
		hvmm_ram_evict(&mem->ram, index, index + nr, &round->evict);
	}
	got = hvmm_reclaim_got(round) - got;
	if (got)
		hvmm_mem_quota_returned(&mem->quota);
}

static bool hvmm_reclaim_is_done(struct hvmm_mem *mem, struct hvmm_round *round)
{
	u64 held = hvmm_mem_quota_held(&mem->quota);

	/* In whole pages. */
	if (held < round->floor + PAGE_SIZE)
		return true;
	round->evict.left = min(round->evict.left, (held - round->floor) & PAGE_MASK);
	return !round->evict.left || fatal_signal_pending(current);
}

/* Once round. */
static void hvmm_reclaim_round(struct hvmm_mem *mem, struct hvmm_round *round)
{
	struct hvmm_reclaim *reclaim = &mem->reclaim;
	u64 end = hvmm_ram_end(&mem->ram), parts = DIV_ROUND_UP(end, HVMM_RECLAIM_PART);

	lockdep_assert_held(&reclaim->lock);
	while (parts-- && !hvmm_reclaim_is_done(mem, round)) {
		hvmm_reclaim_part(mem, reclaim->next, round);
		reclaim->next += HVMM_RECLAIM_PART;
		if (reclaim->next >= end)
			reclaim->next = 0;
		if (round->evict.failed >= HVMM_RECLAIM_FAILED_MAX)
			round->evict.swap = false;
		cond_resched();
	}
}

/* Where reclaim follows reclaim, what the earlier rounds look for is gone. */
static enum hvmm_cold hvmm_reclaim_first(const struct hvmm_mem *mem, enum hvmm_cold last)
{
	lockdep_assert_held(&mem->reclaim.lock);
	if (!mem->reclaim.ended || time_after(jiffies, mem->reclaim.ended + HZ / 4))
		return HVMM_COLD_OLD;
	return min3(mem->reclaim.last, last, HVMM_COLD_UNUSED);
}

static u64 hvmm_reclaim_locked(struct hvmm_mem *mem, u64 bytes, u64 floor,
			       enum hvmm_effort effort, struct folio **drop, unsigned int max)
{
	static const enum hvmm_cold last[] = {
		[HVMM_EFFORT_IDLE]	= HVMM_COLD_OLD,
		[HVMM_EFFORT_UNUSED]	= HVMM_COLD_SINCE,
		[HVMM_EFFORT_ALL]	= HVMM_COLD_ANY,
	};
	struct hvmm_round round = {
		.floor = floor,
		.cold = hvmm_reclaim_first(mem, last[effort]),
		.evict.left = bytes,
		.drop = drop,
		.max = max,
	};

	lockdep_assert_held(&mem->reclaim.lock);
	for (; round.cold <= last[effort]; round.cold++) {
		/* It may be used up by now, or may have been added. */
		round.evict.swap = hvmm_swap_possible();
		round.evict.failed = 0;
		round.evict.user = round.cold >= HVMM_COLD_SINCE;
		hvmm_reclaim_round(mem, &round);
		if (hvmm_reclaim_is_done(mem, &round))
			break;
	}
	mem->reclaim.last = min(round.cold, last[effort]);
	mem->reclaim.ended = jiffies;
	WRITE_ONCE(mem->reclaim.cleared, mem->reclaim.cleared + round.evict.cleared);
	WRITE_ONCE(mem->reclaim.swapped, mem->reclaim.swapped + round.evict.swapped);
	return hvmm_reclaim_got(&round);
}

s64 hvmm_mem_reclaim(struct hvmm_mem *mem, u64 bytes, u64 floor, enum hvmm_effort effort)
{
	struct folio *few[16], **drop;
	u64 got;

	if (mutex_lock_killable(&mem->reclaim.lock))
		return -EINTR;
	drop = kvmalloc_array(HVMM_RECLAIM_PART, sizeof(*drop), GFP_KERNEL | __GFP_NOWARN);
	got = hvmm_reclaim_locked(mem, bytes, floor, effort, drop ?: few,
				  drop ? HVMM_RECLAIM_PART : ARRAY_SIZE(few));
	kvfree(drop);
	mutex_unlock(&mem->reclaim.lock);
	return got;
}

/* Bytes to give back so that @limit holds again, with some slack. */
static u64 hvmm_reclaim_above(const struct hvmm_mem *mem, u64 held, u64 limit)
{
	u64 slack = min_t(u64, HVMM_RECLAIM_SLACK, mem->ram.size / 32);

	return held > limit ? held - limit + slack : 0;
}

/* What the limits ask for. */
static u64 hvmm_reclaim_want(struct hvmm_mem *mem, enum hvmm_effort *effort)
{
	struct hvmm_mem_quota *quota = &mem->quota;
	u64 held = hvmm_mem_quota_held(quota), want;

	*effort = HVMM_EFFORT_ALL;
	/* Who waits needs a page and its tables more than there is. */
	if (READ_ONCE(quota->nr_waiting))
		held += HVMM_RECLAIM_WAITER;
	want = hvmm_reclaim_above(mem, held, hvmm_mem_quota_max(quota));
	if (!want) {
		*effort = HVMM_EFFORT_UNUSED;
		want = hvmm_reclaim_above(mem, held, READ_ONCE(quota->high));
	}
	return min_t(u64, want, HVMM_RECLAIM_BATCH);
}

static void hvmm_reclaim_queue(struct hvmm_mem *mem)
{
	unsigned int futile = READ_ONCE(mem->reclaim.futile);
	unsigned long delay = futile ? HZ << min(futile - 1, HVMM_RECLAIM_BACKOFF_MAX) : 0;

	/* No effect if it is queued, so it does not come sooner; nor after the stop. */
	queue_delayed_work(system_unbound_wq, &mem->reclaim.work, delay);
}

static void hvmm_reclaim_worker(struct work_struct *work)
{
	struct hvmm_mem *mem = container_of(to_delayed_work(work), struct hvmm_mem, reclaim.work);
	unsigned int futile = READ_ONCE(mem->reclaim.futile);
	enum hvmm_effort effort;
	u64 want = hvmm_reclaim_want(mem, &effort);

	if (!want)
		return;
	if (hvmm_mem_reclaim(mem, want, READ_ONCE(mem->quota.min), effort) > 0) {
		WRITE_ONCE(mem->reclaim.futile, 0);
		if (hvmm_reclaim_want(mem, &effort))
			hvmm_reclaim_queue(mem);
		return;
	}
	WRITE_ONCE(mem->reclaim.futile, min(futile, HVMM_RECLAIM_BACKOFF_MAX) + 1);
	if (effort != HVMM_EFFORT_ALL || !READ_ONCE(mem->quota.nr_waiting))
		return;
	mem->ops->starves(mem);
	hvmm_reclaim_queue(mem);
}

bool hvmm_mem_reclaim_kick(struct hvmm_mem *mem)
{
	hvmm_reclaim_queue(mem);
	return !READ_ONCE(mem->reclaim.futile);
}

void hvmm_mem_reclaim_check(struct hvmm_mem *mem)
{
	u64 high = hvmm_mem_quota_high(&mem->quota);

	/* What else counts is little, and mem/idle.c looks again. */
	if (high != HVMM_MEM_MAX_NONE &&
	    hvmm_ram_resident(&mem->ram) + hvmm_mem_table_bytes(mem) > high)
		hvmm_reclaim_queue(mem);
}

void hvmm_mem_reclaim_reset(struct hvmm_mem *mem)
{
	WRITE_ONCE(mem->reclaim.futile, 0);
}

void hvmm_mem_reclaim_init(struct hvmm_mem *mem)
{
	mutex_init(&mem->reclaim.lock);
	INIT_DELAYED_WORK(&mem->reclaim.work, hvmm_reclaim_worker);
}

void hvmm_mem_reclaim_stop(struct hvmm_mem *mem)
{
	disable_delayed_work_sync(&mem->reclaim.work);
}
