// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "mem/tdp_priv.h"

/* hvmm_tdp_unmap() returns after so many regions looked at. */
#define HVMM_TDP_STEPS	16

/*
 * Accessed and dirty are set from the start: a leaf is added for somebody who uses it, and
 * the CPU need not write them (APM vol. 2, 15.25.5 and 5.4). mem/age.c clears the former.
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
	.accessed	= HVMM_NPT_A,
};

/*
 * SDM vol. 3, 29.3.2: R, W and X allow, any of them makes an entry present. A leaf says
 * that RAM is write-back, whatever the guest's PAT does (29.3.7.2). Where accessed and
 * dirty flags are off their bits are ignored.
 */
#define HVMM_EPT_R	BIT_ULL(0)
#define HVMM_EPT_W	BIT_ULL(1)
#define HVMM_EPT_X	BIT_ULL(2)
#define HVMM_EPT_WB	(6ULL << 3)
#define HVMM_EPT_IPAT	BIT_ULL(6)
#define HVMM_EPT_LARGE	BIT_ULL(7)
#define HVMM_EPT_A	BIT_ULL(8)
#define HVMM_EPT_D	BIT_ULL(9)

const struct hvmm_tdp_format hvmm_tdp_ept = {
	.table		= HVMM_EPT_R | HVMM_EPT_W | HVMM_EPT_X | HVMM_EPT_A,
	.leaf		= HVMM_EPT_R | HVMM_EPT_X | HVMM_EPT_WB | HVMM_EPT_IPAT | HVMM_EPT_A |
			  HVMM_EPT_D,
	.leaf_write	= HVMM_EPT_W,
	.large		= HVMM_EPT_LARGE,
	.present	= HVMM_EPT_R | HVMM_EPT_W | HVMM_EPT_X,
	.accessed	= HVMM_EPT_A,
};

static const struct hvmm_tdp_format *hvmm_tdp_format;
static int hvmm_tdp_levels;

void hvmm_tdp_set_format(const struct hvmm_tdp_format *format, int levels)
{
	hvmm_tdp_format = format;
	hvmm_tdp_levels = levels;
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
	unsigned int i;

	tdp->memcg = memcg;
	tdp->format = hvmm_tdp_format;
	tdp->levels = hvmm_tdp_levels;
	for (i = 0; i < HVMM_TDP_LOCKS; i++)
		spin_lock_init(&tdp->locks[i].lock);
	spin_lock_init(&tdp->retire);
	tdp->nr_retired = 0;
	memset(tdp->recent, 0, sizeof(tdp->recent));
	tdp->dirty = NULL;
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
	hvmm_tdp_free_retired(tdp, tdp->retired, tdp->nr_retired);
	/* As deep as there are levels: five at most. */
	hvmm_tdp_free_table(tdp, tdp->root, tdp->levels);
	tdp->root = NULL;
	WARN_ON_ONCE(atomic64_read(&tdp->tables) || atomic64_read(&tdp->mapped) ||
		     atomic64_read(&tdp->large));
}

unsigned int hvmm_tdp_take_retired(struct hvmm_tdp *tdp, u64 *tables[HVMM_TDP_RETIRED])
{
	unsigned int nr;

	if (!READ_ONCE(tdp->nr_retired))
		return 0;
	spin_lock(&tdp->retire);
	nr = tdp->nr_retired;
	memcpy(tables, tdp->retired, nr * sizeof(*tables));
	WRITE_ONCE(tdp->nr_retired, 0);
	spin_unlock(&tdp->retire);

	return nr;
}

void hvmm_tdp_free_retired(struct hvmm_tdp *tdp, u64 **tables, unsigned int nr)
{
	while (nr--) {
		free_page((unsigned long)tables[nr]);
		atomic64_dec(&tdp->tables);
	}
}

static u64 hvmm_tdp_pointer(const struct hvmm_tdp *tdp, const u64 *table)
{
	return __sme_set(__pa(table)) | tdp->format->table;
}

/* Give an entry above the regions a table unless somebody else does so first. */
static int hvmm_tdp_grow(struct hvmm_tdp *tdp, u64 *slot, gfp_t gfp)
{
	u64 *table = hvmm_tdp_alloc(tdp, gfp);
	u64 old = 0;

	if (!table)
		return -ENOMEM;
	/* A full barrier: the table's zeros are visible before the table is. */
	if (try_cmpxchg(slot, &old, hvmm_tdp_pointer(tdp, table)))
		atomic64_inc(&tdp->tables);
	else
		free_page((unsigned long)table);
	return 0;
}

void hvmm_tdp_pass_locks(struct hvmm_tdp *tdp)
{
	unsigned int i;

	for (i = 0; i < HVMM_TDP_LOCKS; i++) {
		spin_lock(&tdp->locks[i].lock);
		spin_unlock(&tdp->locks[i].lock);
	}
}

/* Under a region's lock. */
static bool hvmm_tdp_stale(const struct hvmm_tdp *tdp, u64 gfn, u64 nr, u64 seq)
{
	/* Pairs with hvmm_tdp_thaw(): who sees it thawed sees the new number. */
	u64 end = smp_load_acquire(&tdp->frozen_end);

	return (gfn < end && gfn + nr > READ_ONCE(tdp->frozen)) || READ_ONCE(tdp->seq) != seq;
}

void hvmm_tdp_freeze(struct hvmm_tdp *tdp, u64 gfn, u64 end)
{
	WARN_ON_ONCE(tdp->frozen_end);
	WRITE_ONCE(tdp->frozen, gfn);
	/* Pairs with hvmm_tdp_stale(). */
	smp_store_release(&tdp->frozen_end, end);
	/* Who did not see it has mapped what he has found, for hvmm_tdp_unmap() to remove. */
	hvmm_tdp_pass_locks(tdp);
}

void hvmm_tdp_thaw(struct hvmm_tdp *tdp)
{
	/* Who reads it and then looks up a page finds the new one. */
	smp_store_release(&tdp->seq, tdp->seq + 1);
	/* Pairs with hvmm_tdp_stale(). */
	smp_store_release(&tdp->frozen_end, 0);
}

unsigned int hvmm_tdp_missing(const struct hvmm_tdp *tdp, u64 gfn, bool write)
{
	const struct hvmm_tdp_format *format = tdp->format;
	unsigned int shift = 9 * (tdp->levels - 1);
	const u64 *table = tdp->root;
	u64 entry;

	for (; shift; shift -= 9) {
		entry = READ_ONCE(table[(gfn >> shift) & 511]);
		if (!(entry & format->present))
			return shift / 9;
		if (shift == 9 && (entry & format->large))
			return write && !(entry & format->leaf_write) && READ_ONCE(tdp->dirty);
		table = hvmm_tdp_va(entry);
	}
	return 0;
}

static int hvmm_tdp_map_large(struct hvmm_tdp *tdp, u64 *slot, u64 leaf, bool write)
{
	const struct hvmm_tdp_format *format = tdp->format;
	const bool tracked = READ_ONCE(tdp->dirty);
	u64 entry = *slot;

	leaf |= format->large | format->leaf_write;
	if (!(entry & format->present)) {
		if (tracked)
			return -EISDIR;
		WRITE_ONCE(*slot, leaf);
		atomic64_add(HVMM_TDP_LARGE_PAGES, &tdp->mapped);
		atomic64_inc(&tdp->large);
		return 0;
	}
	if (!(entry & format->large))
		return !tracked && hvmm_tdp_merge(tdp, slot, leaf) ? 0 : -EISDIR;
	if (write && !(entry & format->leaf_write)) {
		if (tracked)
			return -EISDIR;
		WRITE_ONCE(*slot, entry | format->leaf_write);
	}
	return -EEXIST;
}

/* Return: -ENOBUFS if it takes a table, for *@spare. */
static int hvmm_tdp_map_small(struct hvmm_tdp *tdp, u64 *slot, u64 gfn, u64 leaf, bool write,
			      u64 **spare)
{
	const struct hvmm_tdp_format *format = tdp->format;
	unsigned long *dirty = READ_ONCE(tdp->dirty);
	u64 entry = *slot;

	if (unlikely(!(entry & format->present))) {
		if (!*spare)
			return -ENOBUFS;
		/* The table's zeros are visible before the table is. */
		smp_store_release(slot, hvmm_tdp_pointer(tdp, *spare));
		atomic64_inc(&tdp->tables);
		*spare = NULL;
	} else if (entry & format->large) {
		if (!write || (entry & format->leaf_write))
			return -EEXIST;
		if (!dirty) {
			WRITE_ONCE(*slot, entry | format->leaf_write);
			return -EEXIST;
		}
		if (!*spare)
			return -ENOBUFS;
		hvmm_tdp_split(tdp, slot, *spare);
		*spare = NULL;
	}

	slot = (u64 *)hvmm_tdp_va(*slot) + (gfn & 511);
	entry = *slot;
	if (unlikely(dirty) && write)
		set_bit(gfn, dirty);
	if (unlikely(entry & format->present)) {
		if (write && !(entry & format->leaf_write))
			WRITE_ONCE(*slot, entry | format->leaf_write);
		return -EEXIST;
	}
	if (likely(!dirty) || write)
		leaf |= format->leaf_write;
	WRITE_ONCE(*slot, leaf);
	atomic64_inc(&tdp->mapped);
	return 0;
}

/* A frame's entry of level 2, with the tables above it; NULL if there is no memory for them. */
static noinline u64 *hvmm_tdp_add_region(struct hvmm_tdp *tdp, u64 gfn, gfp_t gfp)
{
	u64 *table = tdp->root, *slot;
	int level;

	for (level = tdp->levels; level > 2; level--) {
		slot = &table[hvmm_tdp_index(gfn, level)];
		if (!hvmm_tdp_present(tdp, READ_ONCE(*slot)) && hvmm_tdp_grow(tdp, slot, gfp))
			return NULL;
		table = hvmm_tdp_va(READ_ONCE(*slot));
	}
	hvmm_tdp_remember(tdp, gfn, table);
	return &table[hvmm_tdp_index(gfn, 2)];
}

static __always_inline int __hvmm_tdp_map(struct hvmm_tdp *tdp, u64 gfn, u64 leaf, bool large,
					  bool write, u64 seq, gfp_t gfp)
{
	spinlock_t *lock = hvmm_tdp_lock(tdp, gfn);
	u64 *slot, *spare = NULL;
	int err;

	if (!hvmm_tdp_recall(tdp, gfn, &slot)) {
		slot = hvmm_tdp_add_region(tdp, gfn, gfp);
		if (!slot)
			return -ENOMEM;
	}

	for (;;) {
		spin_lock(lock);
		if (unlikely(hvmm_tdp_stale(tdp, gfn, large ? HVMM_TDP_LARGE_PAGES : 1, seq)))
			err = -ESTALE;
		else if (large)
			err = hvmm_tdp_map_large(tdp, slot, leaf, write);
		else
			err = hvmm_tdp_map_small(tdp, slot, gfn, leaf, write, &spare);
		spin_unlock(lock);
		if (likely(err != -ENOBUFS))
			break;
		spare = hvmm_tdp_alloc(tdp, gfp);
		if (!spare)
			return -ENOMEM;
	}
	if (unlikely(spare))
		free_page((unsigned long)spare);
	return err;
}

static __always_inline u64 hvmm_tdp_leaf(const struct hvmm_tdp *tdp, const struct page *page)
{
	return __sme_set(PFN_PHYS(page_to_pfn(page))) | tdp->format->leaf;
}

int hvmm_tdp_map_page(struct hvmm_tdp *tdp, u64 gfn, struct page *page, bool write, u64 seq,
		      gfp_t gfp)
{
	return __hvmm_tdp_map(tdp, gfn, hvmm_tdp_leaf(tdp, page), false, write, seq, gfp);
}

int hvmm_tdp_map_huge(struct hvmm_tdp *tdp, u64 gfn, struct page *page, bool write, u64 seq,
		      gfp_t gfp)
{
	if (!tdp->format->large)
		return -EISDIR;
	return __hvmm_tdp_map(tdp, gfn, hvmm_tdp_leaf(tdp, page), true, write, seq, gfp);
}

/* Remove leaves of one region, from *@gfn on; its lock is held. */
static unsigned int hvmm_tdp_unmap_region(struct hvmm_tdp *tdp, u64 *slot, u64 *gfn, u64 end,
					  struct folio **drop, unsigned int max)
{
	u64 entry = *slot, *table;
	unsigned int nr = 0;

	end = min(end, hvmm_tdp_next(*gfn, 2));
	if (!hvmm_tdp_present(tdp, entry)) {
		*gfn = end;
		return 0;
	}
	if (hvmm_tdp_is_leaf(tdp, entry, 2)) {
		drop[0] = virt_to_folio(hvmm_tdp_va(entry));
		WRITE_ONCE(*slot, 0);
		atomic64_sub(HVMM_TDP_LARGE_PAGES, &tdp->mapped);
		atomic64_dec(&tdp->large);
		*gfn = end;
		return 1;
	}
	for (table = hvmm_tdp_va(entry); *gfn < end && nr < max; ++*gfn) {
		slot = &table[*gfn & 511];
		if (!hvmm_tdp_present(tdp, *slot))
			continue;
		drop[nr++] = virt_to_folio(hvmm_tdp_va(*slot));
		WRITE_ONCE(*slot, 0);
	}
	atomic64_sub(nr, &tdp->mapped);
	return nr;
}

unsigned int hvmm_tdp_unmap(struct hvmm_tdp *tdp, u64 *gfn, u64 end, struct folio **drop,
			    unsigned int max)
{
	unsigned int steps = HVMM_TDP_STEPS, nr = 0;
	u64 *slot, at;
	int level;

	end = min(end, hvmm_tdp_pages(tdp->levels + 1));

	while (*gfn < end && nr < max && steps--) {
		slot = hvmm_tdp_region(tdp, *gfn, &level);
		if (!slot) {
			*gfn = hvmm_tdp_next(*gfn, level);
			continue;
		}
		at = *gfn;
		spin_lock(hvmm_tdp_lock(tdp, at));
		nr += hvmm_tdp_unmap_region(tdp, slot, gfn, end, drop + nr, max - nr);
		spin_unlock(hvmm_tdp_lock(tdp, at));
	}
	if (*gfn >= hvmm_tdp_pages(tdp->levels + 1))
		*gfn = U64_MAX;

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
