// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/mem_encrypt.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "mem/age.h"
#include "mem/tdp.h"

/*
 * The entry that translates @gfn: a leaf, or the highest one that is not present. Tables
 * stay until the VM ends, or, replaced by a large leaf, for a grace period.
 */
static u64 *hvmm_age_slot(const struct hvmm_tdp *tdp, u64 gfn, int *level, u64 *entry)
{
	u64 *table = tdp->root, *slot;
	int l = tdp->levels;

	for (;;) {
		slot = &table[hvmm_tdp_index(gfn, l)];
		*entry = READ_ONCE(*slot);
		if (!(*entry & tdp->format->present) || l == 1 ||
		    (l == 2 && (*entry & tdp->format->large)))
			break;
		table = __va(__sme_clr(*entry & HVMM_TDP_ADDR));
		l--;
	}
	*level = l;
	return slot;
}

static unsigned int hvmm_age(u64 entry)
{
	return (entry & HVMM_AGE_MASK) >> HVMM_AGE_SHIFT;
}

static u64 hvmm_age_older(const struct hvmm_tdp *tdp, u64 entry)
{
	u64 used = entry & (tdp->format->accessed | HVMM_AGE_USED);
	u64 age = used ? 0 : min(hvmm_age(entry) + 1, HVMM_AGES - 1U);

	return (entry & ~(tdp->format->accessed | HVMM_AGE_USED | HVMM_AGE_MASK)) |
	       age << HVMM_AGE_SHIFT;
}

static bool hvmm_age_is_leaf(const struct hvmm_tdp *tdp, u64 entry, int level)
{
	return (entry & tdp->format->present) &&
	       (level == 1 || (level == 2 && (entry & tdp->format->large)));
}

static void hvmm_age_leaf(struct hvmm_tdp *tdp, u64 *slot, int level, u64 *pages)
{
	u64 entry = READ_ONCE(*slot), older;

	/* Where no leaf was a table may be by now. */
	while (hvmm_age_is_leaf(tdp, entry, level)) {
		older = hvmm_age_older(tdp, entry);
		/* The processor may set a bit, and others may remove the leaf. */
		if (older == entry || try_cmpxchg(slot, &entry, older)) {
			pages[hvmm_age(older)] += hvmm_tdp_pages(level);
			break;
		}
	}
}

void hvmm_tdp_age(struct hvmm_tdp *tdp, u64 *gfn, u64 end, unsigned int steps, u64 *pages)
{
	u64 entry, *slot;
	int level;

	end = min(end, hvmm_tdp_pages(tdp->levels + 1));
	rcu_read_lock();
	while (*gfn < end && steps) {
		slot = hvmm_age_slot(tdp, *gfn, &level, &entry);
		/* The rest of a lowest table without a walk for each. */
		do {
			hvmm_age_leaf(tdp, slot++, level, pages);
			*gfn = hvmm_tdp_next(*gfn, level);
		} while (--steps && level == 1 && *gfn < end && hvmm_tdp_index(*gfn, 1));
	}
	rcu_read_unlock();
}

static bool hvmm_age_is_cold(struct hvmm_tdp *tdp, u64 *slot, int level, u64 entry,
			     enum hvmm_cold cold)
{
	u64 accessed = tdp->format->accessed, clear;

	if (cold == HVMM_COLD_ANY)
		return true;
	if (!accessed)
		return false;
	if (cold == HVMM_COLD_OLD)
		return !(entry & (accessed | HVMM_AGE_USED)) && hvmm_age(entry) >= 2;
	if (cold == HVMM_COLD_SINCE)
		return !(entry & accessed);
	while (entry & accessed) {
		clear = (entry & ~accessed) | HVMM_AGE_USED;
		if (try_cmpxchg(slot, &entry, clear) || !hvmm_age_is_leaf(tdp, entry, level))
			return false;
	}
	return !(entry & HVMM_AGE_USED);
}

bool hvmm_tdp_find_cold(struct hvmm_tdp *tdp, u64 *gfn, u64 end, enum hvmm_cold cold, u64 *nr)
{
	bool found = false;
	u64 entry, *slot;
	int level;

	end = min(end, hvmm_tdp_pages(tdp->levels + 1));
	rcu_read_lock();
	while (*gfn < end) {
		slot = hvmm_age_slot(tdp, *gfn, &level, &entry);
		if ((entry & tdp->format->present) &&
		    hvmm_age_is_cold(tdp, slot, level, entry, cold)) {
			*gfn &= ~(hvmm_tdp_pages(level) - 1);
			*nr = hvmm_tdp_pages(level);
			found = true;
			break;
		}
		*gfn = hvmm_tdp_next(*gfn, level);
	}
	rcu_read_unlock();
	return found;
}
