// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "mem/tdp.h"

/* hvmm_tdp_unmap() lets go of the lock after so many entries looked at. */
#define HVMM_TDP_STEPS	4096

/*
 * Accessed and dirty are set from the start: nothing looks at them, and the CPU
 * need not write them (APM vol. 2, 15.25.5 and 5.4).
 */
#define HVMM_NPT_P	BIT_ULL(0)
#define HVMM_NPT_W	BIT_ULL(1)
#define HVMM_NPT_U	BIT_ULL(2)
#define HVMM_NPT_A	BIT_ULL(5)
#define HVMM_NPT_D	BIT_ULL(6)
#define HVMM_NPT_PS	BIT_ULL(7)

const struct hvmm_tdp_format hvmm_tdp_npt = {
	.table		= HVMM_NPT_P | HVMM_NPT_W | HVMM_NPT_U | HVMM_NPT_A,
	.leaf		= HVMM_NPT_P | HVMM_NPT_U | HVMM_NPT_A | HVMM_NPT_D,
	.leaf_write	= HVMM_NPT_W,
	.large		= HVMM_NPT_PS,
	.present	= HVMM_NPT_P,
};

static const struct hvmm_tdp_format *hvmm_tdp_format;
static int hvmm_tdp_levels;

void hvmm_tdp_set_format(const struct hvmm_tdp_format *format, int levels)
{
	hvmm_tdp_format = format;
	hvmm_tdp_levels = levels;
}

static bool hvmm_tdp_present(const struct hvmm_tdp *tdp, u64 entry)
{
	return entry & tdp->format->present;
}

static bool hvmm_tdp_is_leaf(const struct hvmm_tdp *tdp, u64 entry, int level)
{
	return level == 1 || (level == 2 && (entry & tdp->format->large));
}

/* Entries carry the host's memory encryption bit, if it uses one (APM vol. 2, 15.34.1). */
static void *hvmm_tdp_va(u64 entry)
{
	return __va(__sme_clr(entry & HVMM_TDP_ADDR));
}

static u64 *hvmm_tdp_alloc(struct hvmm_tdp *tdp, gfp_t gfp)
{
	struct mem_cgroup *old = set_active_memcg(tdp->memcg);
	unsigned long table = get_zeroed_page(gfp | __GFP_ACCOUNT);

	set_active_memcg(old);
	return (u64 *)table;
}

int hvmm_tdp_init(struct hvmm_tdp *tdp, struct mem_cgroup *memcg)
{
	tdp->memcg = memcg;
	tdp->format = hvmm_tdp_format;
	tdp->levels = hvmm_tdp_levels;
	spin_lock_init(&tdp->lock);
	tdp->seq = 0;
	tdp->frozen = 0;
	tdp->frozen_end = 0;
	atomic64_set(&tdp->tables, 0);
	atomic64_set(&tdp->mapped, 0);
	atomic64_set(&tdp->large, 0);

	tdp->root = hvmm_tdp_alloc(tdp, GFP_KERNEL);
	if (!tdp->root)
		return -ENOMEM;
	atomic64_inc(&tdp->tables);
	return 0;
}

static void hvmm_tdp_free_table(struct hvmm_tdp *tdp, u64 *table, int level)
{
	int i;

	for (i = 0; i < 512; i++) {
		u64 entry = table[i];

		if (!hvmm_tdp_present(tdp, entry))
			continue;
		if (!hvmm_tdp_is_leaf(tdp, entry, level)) {
			hvmm_tdp_free_table(tdp, hvmm_tdp_va(entry), level - 1);
			continue;
		}
		atomic64_sub(hvmm_tdp_pages(level), &tdp->mapped);
		if (level > 1)
			atomic64_dec(&tdp->large);
		folio_put(virt_to_folio(hvmm_tdp_va(entry)));
	}
	free_page((unsigned long)table);
	atomic64_dec(&tdp->tables);
	cond_resched();
}

void hvmm_tdp_exit(struct hvmm_tdp *tdp)
{
	if (!tdp->root)
		return;
	/* As deep as there are levels: five at most. */
	hvmm_tdp_free_table(tdp, tdp->root, tdp->levels);
	tdp->root = NULL;
	WARN_ON_ONCE(atomic64_read(&tdp->tables) || atomic64_read(&tdp->mapped) ||
		     atomic64_read(&tdp->large));
}

/* Give @slot a table unless somebody else does so first. */
static int hvmm_tdp_grow(struct hvmm_tdp *tdp, u64 *slot, gfp_t gfp)
{
	u64 *table = hvmm_tdp_alloc(tdp, gfp);

	if (!table)
		return -ENOMEM;

	spin_lock(&tdp->lock);
	if (!hvmm_tdp_present(tdp, *slot)) {
		/* The table's zeros are visible before the table is. */
		smp_store_release(slot, __sme_set(__pa(table)) | tdp->format->table);
		atomic64_inc(&tdp->tables);
		table = NULL;
	}
	spin_unlock(&tdp->lock);

	free_page((unsigned long)table);
	return 0;
}

static bool hvmm_tdp_stale(const struct hvmm_tdp *tdp, u64 gfn, u64 nr, u64 seq)
{
	return tdp->seq != seq || (gfn < tdp->frozen_end && gfn + nr > tdp->frozen);
}

void hvmm_tdp_freeze(struct hvmm_tdp *tdp, u64 gfn, u64 end)
{
	spin_lock(&tdp->lock);
	WARN_ON_ONCE(tdp->frozen != tdp->frozen_end);
	tdp->frozen = gfn;
	tdp->frozen_end = end;
	spin_unlock(&tdp->lock);
}

void hvmm_tdp_thaw(struct hvmm_tdp *tdp)
{
	spin_lock(&tdp->lock);
	tdp->frozen_end = tdp->frozen;
	/* Who reads it and then looks up a page finds the new one. */
	smp_store_release(&tdp->seq, tdp->seq + 1);
	spin_unlock(&tdp->lock);
}

unsigned int hvmm_tdp_missing(const struct hvmm_tdp *tdp, u64 gfn)
{
	unsigned int shift = 9 * (tdp->levels - 1);
	const u64 *table = tdp->root;
	u64 entry;

	for (; shift; shift -= 9) {
		entry = READ_ONCE(table[(gfn >> shift) & 511]);
		if (!(entry & tdp->format->present))
			return shift / 9;
		if (shift == 9 && (entry & tdp->format->large))
			return 0;
		table = hvmm_tdp_va(entry);
	}
	return 0;
}

int hvmm_tdp_map(struct hvmm_tdp *tdp, u64 gfn, struct page *page, bool large, u64 seq,
		 gfp_t gfp)
{
	const struct hvmm_tdp_format *format = tdp->format;
	const u64 present = format->present;
	unsigned int shift = 9 * (tdp->levels - 1), bottom = large ? 9 : 0;
	u64 *table = tdp->root;
	u64 *slot, entry;
	int err = 0;

	for (; shift > bottom; shift -= 9) {
		slot = &table[(gfn >> shift) & 511];
		entry = READ_ONCE(*slot);
		if (unlikely(!(entry & present))) {
			err = hvmm_tdp_grow(tdp, slot, gfp);
			if (err)
				return err;
			entry = READ_ONCE(*slot);
			/* A large leaf came first, and has been unmapped again. */
			if (!(entry & present))
				return -EEXIST;
		}
		if (shift == 9 && (entry & format->large))
			return -EEXIST;
		table = hvmm_tdp_va(entry);
	}

	slot = &table[(gfn >> bottom) & 511];
	entry = __sme_set(PFN_PHYS(page_to_pfn(page))) | format->leaf | format->leaf_write;
	if (large)
		entry |= format->large;

	spin_lock(&tdp->lock);
	if (unlikely(hvmm_tdp_stale(tdp, gfn, 1ULL << bottom, seq))) {
		err = -ESTALE;
	} else if (likely(!(*slot & present))) {
		WRITE_ONCE(*slot, entry);
		atomic64_add(1ULL << bottom, &tdp->mapped);
		if (large)
			atomic64_inc(&tdp->large);
	} else {
		err = large && !(*slot & format->large) ? -EISDIR : -EEXIST;
	}
	spin_unlock(&tdp->lock);

	return err;
}

unsigned int hvmm_tdp_unmap(struct hvmm_tdp *tdp, u64 *gfn, u64 end, struct folio **drop,
			    unsigned int max)
{
	unsigned int steps = HVMM_TDP_STEPS, nr = 0;

	end = min(end, hvmm_tdp_pages(tdp->levels + 1));

	spin_lock(&tdp->lock);
	while (*gfn < end && nr < max && steps--) {
		int level = tdp->levels;
		u64 *table = tdp->root;
		u64 *slot;

		for (;;) {
			slot = &table[hvmm_tdp_index(*gfn, level)];
			if (!hvmm_tdp_present(tdp, *slot))
				break;
			if (hvmm_tdp_is_leaf(tdp, *slot, level)) {
				drop[nr++] = virt_to_folio(hvmm_tdp_va(*slot));
				WRITE_ONCE(*slot, 0);
				atomic64_sub(hvmm_tdp_pages(level), &tdp->mapped);
				if (level > 1)
					atomic64_dec(&tdp->large);
				break;
			}
			table = hvmm_tdp_va(*slot);
			level--;
		}
		*gfn = hvmm_tdp_next(*gfn, level);
	}
	if (*gfn >= hvmm_tdp_pages(tdp->levels + 1))
		*gfn = U64_MAX;
	spin_unlock(&tdp->lock);

	return nr;
}

void *hvmm_tdp_lookup(const struct hvmm_tdp *tdp, u64 gfn)
{
	const u64 present = tdp->format->present, large = tdp->format->large;
	unsigned int shift = 9 * tdp->levels;
	const u64 *table = tdp->root;
	u64 entry;

	/* Or it would alias a frame that exists. */
	if (gfn >> shift)
		return NULL;

	for (;;) {
		shift -= 9;
		entry = READ_ONCE(table[(gfn >> shift) & 511]);
		if (!(entry & present))
			return NULL;
		table = hvmm_tdp_va(entry);
		if (!shift)
			return (void *)table;
		if (shift == 9 && (entry & large))
			return (void *)table + ((gfn & 511) << PAGE_SHIFT);
	}
}
