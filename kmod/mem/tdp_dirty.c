// SPDX-License-Identifier: GPL-2.0
/*
 * Which frames have been written: a leaf is read-only until a write to it faults, which sets
 * the frame's bit. Bit and leaf change under the region's lock, so that no frame is writable
 * without being dirty. Large leaves are split by the first write to them.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/mm.h>

#include "mem/tdp_priv.h"

/* Regions looked at in one go. */
#define HVMM_TDP_STEPS	16

void hvmm_tdp_split(struct hvmm_tdp *tdp, u64 *slot, u64 *table)
{
	u64 leaf = *slot & ~tdp->format->large;
	unsigned int i;

	for (i = 0; i < HVMM_TDP_LARGE_PAGES; i++)
		table[i] = leaf + ((u64)i << PAGE_SHIFT);
	folio_ref_add(virt_to_folio(hvmm_tdp_va(leaf)), HVMM_TDP_LARGE_PAGES - 1);
	/* The same translation, so that it does not matter which one a TLB has. */
	smp_store_release(slot, __sme_set(__pa(table)) | tdp->format->table);
	atomic64_inc(&tdp->tables);
	atomic64_dec(&tdp->large);
}

bool hvmm_tdp_merge(struct hvmm_tdp *tdp, u64 *slot, u64 leaf)
{
	u64 *table = hvmm_tdp_va(*slot);
	unsigned int i, nr = 0;

	for (i = 0; i < HVMM_TDP_LARGE_PAGES; i++) {
		if (!hvmm_tdp_present(tdp, table[i]))
			continue;
		if (hvmm_tdp_va(table[i]) != hvmm_tdp_va(leaf) + ((u64)i << PAGE_SHIFT))
			return false;
		nr++;
	}

	spin_lock(&tdp->retire);
	if (tdp->nr_retired == HVMM_TDP_RETIRED) {
		spin_unlock(&tdp->retire);
		return false;
	}
	tdp->retired[tdp->nr_retired] = table;
	WRITE_ONCE(tdp->nr_retired, tdp->nr_retired + 1);
	spin_unlock(&tdp->retire);

	WRITE_ONCE(*slot, leaf);
	/* The leaf's own is the caller's, and keeps it. */
	if (nr)
		folio_put_refs(virt_to_folio(hvmm_tdp_va(leaf)), nr);
	atomic64_add(HVMM_TDP_LARGE_PAGES - nr, &tdp->mapped);
	atomic64_inc(&tdp->large);
	return true;
}

void hvmm_tdp_track(struct hvmm_tdp *tdp, unsigned long *dirty)
{
	WRITE_ONCE(tdp->dirty, dirty);
	hvmm_tdp_pass_locks(tdp);
}

static void protect_region(struct hvmm_tdp *tdp, u64 *slot, u64 gfn, u64 end)
{
	const u64 write = tdp->format->leaf_write;
	u64 entry = *slot, *table;

	if (!hvmm_tdp_present(tdp, entry))
		return;
	if (hvmm_tdp_is_leaf(tdp, entry, 2)) {
		WRITE_ONCE(*slot, entry & ~write);
		return;
	}
	for (table = hvmm_tdp_va(entry); gfn < end; gfn++) {
		slot = &table[gfn & 511];
		if (hvmm_tdp_present(tdp, *slot))
			WRITE_ONCE(*slot, *slot & ~write);
	}
}

static void unprotect_region(struct hvmm_tdp *tdp, u64 *slot, u64 gfn, u64 end)
{
	const u64 write = tdp->format->leaf_write;
	u64 entry = *slot, first, *table;
	struct folio *folio;
	unsigned int i;

	if (!hvmm_tdp_present(tdp, entry))
		return;
	if (hvmm_tdp_is_leaf(tdp, entry, 2)) {
		WRITE_ONCE(*slot, entry | write);
		return;
	}
	table = hvmm_tdp_va(entry);
	for (i = gfn & 511; gfn < end; gfn++, i++)
		if (hvmm_tdp_present(tdp, table[i]))
			WRITE_ONCE(table[i], table[i] | write);

	if (!tdp->format->large)
		return;
	/* Split by us: all of it is there. */
	for (i = 0; i < HVMM_TDP_LARGE_PAGES; i++)
		if (!hvmm_tdp_present(tdp, table[i]))
			return;
	first = table[0];
	folio = virt_to_folio(hvmm_tdp_va(first));
	if (folio_nr_pages(folio) < HVMM_TDP_LARGE_PAGES ||
	    (first & HVMM_TDP_ADDR & ((HVMM_TDP_LARGE_PAGES << PAGE_SHIFT) - 1)))
		return;
	folio_get(folio);
	if (!hvmm_tdp_merge(tdp, slot, first | tdp->format->large))
		folio_put(folio);
}

static void walk(struct hvmm_tdp *tdp, u64 *gfn, u64 end,
		 void (*fn)(struct hvmm_tdp *tdp, u64 *slot, u64 gfn, u64 end), bool merging)
{
	unsigned int steps = HVMM_TDP_STEPS;
	u64 *slot, next;
	int level;

	end = min(end, hvmm_tdp_pages(tdp->levels + 1));
	while (*gfn < end && steps--) {
		if (merging && READ_ONCE(tdp->nr_retired) == HVMM_TDP_RETIRED)
			break;
		slot = hvmm_tdp_region(tdp, *gfn, &level);
		if (!slot) {
			*gfn = hvmm_tdp_next(*gfn, level);
			continue;
		}
		next = min(end, hvmm_tdp_next(*gfn, 2));
		spin_lock(hvmm_tdp_lock(tdp, *gfn));
		fn(tdp, slot, *gfn, next);
		spin_unlock(hvmm_tdp_lock(tdp, *gfn));
		*gfn = next;
	}
	if (*gfn >= hvmm_tdp_pages(tdp->levels + 1))
		*gfn = U64_MAX;
}

void hvmm_tdp_protect(struct hvmm_tdp *tdp, u64 *gfn, u64 end)
{
	walk(tdp, gfn, end, protect_region, false);
}

void hvmm_tdp_release(struct hvmm_tdp *tdp, u64 *gfn, u64 end)
{
	walk(tdp, gfn, end, unprotect_region, true);
}

/* The frames of one word of the bitmap, all in one region, whose lock is held. */
static unsigned long harvest_word(struct hvmm_tdp *tdp, u64 gfn, unsigned long mask)
{
	atomic_long_t *word = (atomic_long_t *)&tdp->dirty[gfn / BITS_PER_LONG];
	unsigned long bits, left;
	u64 *slot, *table;
	int level;

	if (!atomic_long_read(word))
		return 0;
	bits = atomic_long_fetch_andnot(mask, word) & mask;
	slot = hvmm_tdp_region(tdp, gfn, &level);
	/* No large leaf is writable, and so dirty, as long as frames are tracked. */
	if (!slot || !hvmm_tdp_present(tdp, *slot) || hvmm_tdp_is_leaf(tdp, *slot, 2))
		return bits;
	table = hvmm_tdp_va(*slot);
	for (left = bits; left; left &= left - 1) {
		slot = &table[(gfn + __ffs(left)) & 511];
		if (hvmm_tdp_present(tdp, *slot))
			WRITE_ONCE(*slot, *slot & ~tdp->format->leaf_write);
	}
	return bits;
}

u64 hvmm_tdp_harvest(struct hvmm_tdp *tdp, u64 gfn, u64 nr, unsigned long *bits)
{
	u64 i, found = 0;

	for (i = 0; i < nr; i += BITS_PER_LONG) {
		spinlock_t *lock = hvmm_tdp_lock(tdp, gfn + i);
		unsigned long mask = ~0UL;

		if (nr - i < BITS_PER_LONG)
			mask = BIT(nr - i) - 1;
		spin_lock(lock);
		*bits = harvest_word(tdp, gfn + i, mask);
		spin_unlock(lock);
		found += hweight_long(*bits++);
	}
	return found;
}
