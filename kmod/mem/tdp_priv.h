/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the nested page table share. */
#ifndef HVMM_MEM_TDP_PRIV_H
#define HVMM_MEM_TDP_PRIV_H

#include <linux/mem_encrypt.h>
#include <linux/mm.h>

#include "mem/tdp.h"

static inline bool hvmm_tdp_present(const struct hvmm_tdp *tdp, u64 entry)
{
	return entry & tdp->format->present;
}

static inline bool hvmm_tdp_is_leaf(const struct hvmm_tdp *tdp, u64 entry, int level)
{
	return level == 1 || (level == 2 && (entry & tdp->format->large));
}

/* Entries carry the host's memory encryption bit, if it uses one (APM vol. 2, 15.34.1). */
static inline void *hvmm_tdp_va(u64 entry)
{
	return __va(__sme_clr(entry & HVMM_TDP_ADDR));
}

/* Of a frame's region. */
static inline spinlock_t *hvmm_tdp_lock(struct hvmm_tdp *tdp, u64 gfn)
{
	return &tdp->locks[(gfn >> 9) % HVMM_TDP_LOCKS].lock;
}

/*
 * Where a table of level 2 is: those are never moved. A word of &hvmm_tdp.recent is the table's
 * address and, in the bits that are zero in that, which part of the address space it is for.
 */
static inline u64 hvmm_tdp_recent_tag(u64 gfn)
{
	return gfn / hvmm_tdp_pages(3) / HVMM_TDP_RECENT + 1;
}

static inline u64 *hvmm_tdp_recent(struct hvmm_tdp *tdp, u64 gfn)
{
	return &tdp->recent[gfn / hvmm_tdp_pages(3) % HVMM_TDP_RECENT];
}

static inline void hvmm_tdp_remember(struct hvmm_tdp *tdp, u64 gfn, u64 *table)
{
	u64 tag = hvmm_tdp_recent_tag(gfn);

	if (tag >= PAGE_SIZE)
		return;
	/* The table's entries are visible before it is, as in hvmm_tdp_grow(). */
	smp_store_release(hvmm_tdp_recent(tdp, gfn), (unsigned long)table | tag);
}

/* A frame's entry of level 2. Return: whether it is known here. */
static inline bool hvmm_tdp_recall(struct hvmm_tdp *tdp, u64 gfn, u64 **slot)
{
	u64 word = READ_ONCE(*hvmm_tdp_recent(tdp, gfn));

	*slot = (u64 *)(word & PAGE_MASK) + hvmm_tdp_index(gfn, 2);
	return likely((word & ~PAGE_MASK) == hvmm_tdp_recent_tag(gfn));
}

/*
 * A frame's entry of level 2, or NULL where a table above is missing; *@level is the level of
 * the entry that was found, or of the one that is missing.
 */
static inline u64 *hvmm_tdp_region(const struct hvmm_tdp *tdp, u64 gfn, int *level)
{
	u64 *table = tdp->root;
	u64 entry;

	for (*level = tdp->levels; *level > 2; --*level) {
		entry = READ_ONCE(table[hvmm_tdp_index(gfn, *level)]);
		if (!hvmm_tdp_present(tdp, entry))
			return NULL;
		table = hvmm_tdp_va(entry);
	}
	return &table[hvmm_tdp_index(gfn, 2)];
}

/* On return everyone who takes a lock sees what was written before the call. */
void hvmm_tdp_pass_locks(struct hvmm_tdp *tdp);

/* Put a table in the place of a 2 MiB leaf; the region's lock is held. */
void hvmm_tdp_split(struct hvmm_tdp *tdp, u64 *slot, u64 *table);

/*
 * Put a 2 MiB leaf in the place of a table that maps nothing but parts of a folio; the region's
 * lock is held. The leaf takes over a reference of the caller's. Return: whether it did.
 */
bool hvmm_tdp_merge(struct hvmm_tdp *tdp, u64 *slot, u64 leaf);

#endif
