// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>

#include "mem/mem.h"

#define HVMM_TABLE_GFP_BLOCK	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
#define HVMM_TABLE_GFP_TRY	(GFP_NOWAIT | __GFP_NOWARN)
#define HVMM_MEM_TRIES		16

/*
 * One leaf for a whole folio of 2 MiB: page cache folios lie at a multiple of their
 * size in the file, and RAM's two parts begin at multiples of 2 MiB in both spaces.
 * A tail beyond the end of RAM must stay out of the guest's reach.
 */
static bool hvmm_mem_fits_large(const struct hvmm_mem *mem, const struct folio *folio,
				u64 gfn, pgoff_t index)
{
	const u64 mask = HVMM_TDP_LARGE_PAGES - 1;

	BUILD_BUG_ON(HVMM_RAM_LOW_MAX & ((HVMM_TDP_LARGE_PAGES << 12) - 1));
	BUILD_BUG_ON(HVMM_RAM_HIGH_BASE & ((HVMM_TDP_LARGE_PAGES << 12) - 1));

	return folio_nr_pages(folio) >= HVMM_TDP_LARGE_PAGES &&
	       (folio->index & mask) == 0 &&
	       ((gfn ^ index) & mask) == 0 &&
	       (u64)(index | mask) < mem->ram.size >> PAGE_SHIFT;
}

/* Takes over the reference on @folio. Return: as hvmm_tdp_map(), but for -EISDIR. */
static int hvmm_mem_map(struct hvmm_mem *mem, u64 gfn, struct folio *folio, pgoff_t index,
			u64 seq, gfp_t gfp)
{
	int err = -EISDIR;

	if (hvmm_mem_fits_large(mem, folio, gfn, index))
		err = hvmm_tdp_map(&mem->tdp, gfn & ~(u64)(HVMM_TDP_LARGE_PAGES - 1),
				   folio_file_page(folio, index & ~(HVMM_TDP_LARGE_PAGES - 1UL)),
				   true, seq, gfp);
	if (err == -EISDIR)
		err = hvmm_tdp_map(&mem->tdp, gfn, folio_file_page(folio, index), false, seq,
				   gfp);

	if (err)
		folio_put(folio);
	return err;
}

/* Takes the page into the file if it must, and maps it. */
static int hvmm_mem_bring_in(struct hvmm_mem *mem, u64 gfn, pgoff_t index, u64 seq,
			     bool may_block, bool may_take)
{
	struct folio *folio;
	int err;

	folio = hvmm_ram_get_folio(&mem->ram, index, may_block, may_take);
	if (IS_ERR(folio))
		return PTR_ERR(folio);

	err = hvmm_mem_map(mem, gfn, folio, index, seq,
			   may_block ? HVMM_TABLE_GFP_BLOCK : HVMM_TABLE_GFP_TRY);
	/* Another vCPU was faster. */
	return err == -EEXIST ? 0 : err;
}

/* Pages that it takes to map one. */
static u64 hvmm_mem_needed(struct hvmm_mem *mem, u64 gfn, pgoff_t index, bool *held)
{
	*held = hvmm_ram_holds(&mem->ram, index);
	return ((u64)!*held + hvmm_tdp_missing(&mem->tdp, gfn)) << PAGE_SHIFT;
}

static int hvmm_mem_try(struct hvmm_mem *mem, u64 gfn, pgoff_t index, bool may_block,
			struct hvmm_mem_wait *wait)
{
	u64 seq = hvmm_tdp_seq(&mem->tdp);
	u64 needed, taken;
	bool held;
	int err;

	needed = hvmm_mem_needed(mem, gfn, index, &held);
	taken = needed;
	err = hvmm_mem_quota_take(&mem->quota, &taken, wait);
	/* Another vCPU may have brought in, before we began to wait, what we need too. */
	if (err && hvmm_mem_needed(mem, gfn, index, &held) < needed)
		return -ESTALE;
	if (err)
		return err;

	err = hvmm_mem_bring_in(mem, gfn, index, seq, may_block, !held);
	hvmm_mem_quota_settle(&mem->quota, taken);
	return err;
}

int hvmm_mem_fault(struct hvmm_mem *mem, u64 gfn, bool write, struct hvmm_mem_wait *wait)
{
	unsigned int tries = HVMM_MEM_TRIES;
	bool may_block = wait;
	pgoff_t index;
	int err;

	if (!hvmm_ram_index(&mem->ram, gfn, &index))
		return -EFAULT;

	do {
		err = hvmm_mem_try(mem, gfn, index, may_block, wait);
		if (err != -ESTALE)
			break;
		if (!may_block)
			return -EAGAIN;
		/* The end of a discard, if that is what is in the way. */
		mutex_lock(&mem->discard);
		mutex_unlock(&mem->discard);
	} while (--tries);

	if (!may_block)
		return err == -EDQUOT || err == -ENOMEM ? -EAGAIN : err;
	if (err == -ENOMEM)
		hvmm_mem_wait_begin(&mem->quota, wait);
	else if (err != -EDQUOT)
		hvmm_mem_wait_end(&mem->quota, wait, false);
	return err == -ESTALE ? -EAGAIN : err;
}

bool hvmm_mem_fault_present(struct hvmm_mem *mem, u64 gfn)
{
	u64 seq = hvmm_tdp_seq(&mem->tdp);
	struct folio *folio;
	pgoff_t index;
	int err;

	if (!hvmm_ram_index(&mem->ram, gfn, &index))
		return false;
	/* A table that must fit into the quota. */
	if (hvmm_mem_quota_max(&mem->quota) != HVMM_MEM_MAX_NONE &&
	    hvmm_tdp_missing(&mem->tdp, gfn))
		return false;
	folio = hvmm_ram_try_folio(&mem->ram, index);
	if (!folio)
		return false;
	err = hvmm_mem_map(mem, gfn, folio, index, seq, HVMM_TABLE_GFP_TRY);
	return !err || err == -EEXIST;
}
