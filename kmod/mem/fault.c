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
static __always_inline int hvmm_mem_map(struct hvmm_mem *mem, u64 gfn, struct folio *folio,
					pgoff_t index, bool write, u64 seq, gfp_t gfp)
{
	int err = -EISDIR;

	if (hvmm_mem_fits_large(mem, folio, gfn, index))
		err = hvmm_tdp_map(&mem->tdp, gfn & ~(u64)(HVMM_TDP_LARGE_PAGES - 1),
				   folio_file_page(folio, index & ~(HVMM_TDP_LARGE_PAGES - 1UL)),
				   true, write, seq, gfp);
	if (err == -EISDIR)
		err = hvmm_tdp_map(&mem->tdp, gfn, folio_file_page(folio, index), false, write,
				   seq, gfp);

	if (err)
		folio_put(folio);
	return err;
}

/* Where it is not worth a copy of its own. */
static noinline int hvmm_mem_map_any(struct hvmm_mem *mem, u64 gfn, struct folio *folio,
				     pgoff_t index, bool write, u64 seq, gfp_t gfp)
{
	return hvmm_mem_map(mem, gfn, folio, index, write, seq, gfp);
}

/**
 * struct fault - an access to be made possible
 * @gfn: frame
 * @index: page in the file
 * @seq: of the table, before anything was looked up
 * @write: it is a write
 * @may_block: sleeping for memory or I/O is allowed
 */
struct fault {
	u64 gfn;
	pgoff_t index;
	u64 seq;
	bool write;
	bool may_block;
};

/* Takes the page into the file if it must and may, and maps it. */
static int hvmm_mem_bring_in(struct hvmm_mem *mem, const struct fault *f, bool may_take)
{
	struct folio *folio;
	int err;

	folio = hvmm_ram_get_folio(&mem->ram, f->index, f->may_block, may_take);
	if (IS_ERR(folio))
		return PTR_ERR(folio);

	err = hvmm_mem_map_any(mem, f->gfn, folio, f->index, f->write, f->seq,
			       f->may_block ? HVMM_TABLE_GFP_BLOCK : HVMM_TABLE_GFP_TRY);
	/* Another vCPU was faster. */
	return err == -EEXIST ? 0 : err;
}

/* Bytes that it takes to map a page. */
static noinline u64 hvmm_mem_needed(struct hvmm_mem *mem, u64 gfn, pgoff_t index, bool write,
				    bool *held)
{
	u64 pages = hvmm_tdp_missing(&mem->tdp, gfn, write);

	*held = hvmm_ram_holds(&mem->ram, index);
	if (!*held)
		pages += hvmm_ram_grain(&mem->ram, index);
	return pages << PAGE_SHIFT;
}

static int hvmm_mem_try(struct hvmm_mem *mem, struct fault *f, struct hvmm_mem_wait *wait)
{
	u64 needed, taken;
	bool held;
	int err;

	f->seq = hvmm_tdp_seq(&mem->tdp);
	if (likely(hvmm_mem_quota_max(&mem->quota) == HVMM_MEM_MAX_NONE)) {
		err = hvmm_mem_bring_in(mem, f, true);
		if (!err)
			hvmm_mem_reclaim_check(mem);
		return err;
	}

	needed = hvmm_mem_needed(mem, f->gfn, f->index, f->write, &held);
	taken = needed;
	err = hvmm_mem_quota_take(&mem->quota, &taken, wait);
	/* Another vCPU may have brought in, before we began to wait, what we need too. */
	if (err && hvmm_mem_needed(mem, f->gfn, f->index, f->write, &held) < needed)
		return -ESTALE;
	if (err)
		return err;

	err = hvmm_mem_bring_in(mem, f, !held);
	hvmm_mem_quota_settle(&mem->quota, taken);
	if (!err && needed)
		hvmm_mem_reclaim_check(mem);
	return err;
}

/* Without waiting for anything. */
static int hvmm_mem_fault_now(struct hvmm_mem *mem, u64 gfn, bool write)
{
	struct fault f = { .gfn = gfn, .write = write };
	int err;

	if (!hvmm_ram_index(&mem->ram, gfn, &f.index))
		return -EFAULT;
	err = hvmm_mem_try(mem, &f, NULL);
	return err == -EDQUOT || err == -ENOMEM || err == -ESTALE ? -EAGAIN : err;
}

int hvmm_mem_fault(struct hvmm_mem *mem, u64 gfn, bool write, struct hvmm_mem_wait *wait)
{
	struct fault f = { .gfn = gfn, .write = write, .may_block = true };
	unsigned int tries = HVMM_MEM_TRIES;
	int err;

	if (!wait)
		return hvmm_mem_fault_now(mem, gfn, write);
	if (!hvmm_ram_index(&mem->ram, gfn, &f.index))
		return -EFAULT;

	do {
		err = hvmm_mem_try(mem, &f, wait);
		if (err != -ESTALE)
			break;
		/* The end of a discard, if that is what is in the way. */
		mutex_lock(&mem->discard);
		mutex_unlock(&mem->discard);
	} while (--tries);

	if (err == -ENOMEM)
		hvmm_mem_wait_begin(&mem->quota, wait);
	else if (err != -EDQUOT)
		hvmm_mem_wait_end(&mem->quota, wait, false);
	return err == -ESTALE ? -EAGAIN : err;
}

int hvmm_mem_fault_present(struct hvmm_mem *mem, u64 gfn, bool write)
{
	u64 seq = hvmm_tdp_seq(&mem->tdp);
	struct folio *folio;
	pgoff_t index;
	int err;

	if (!hvmm_ram_index(&mem->ram, gfn, &index))
		return -EAGAIN;
	/* A table that must fit into the quota. */
	if (hvmm_mem_quota_max(&mem->quota) != HVMM_MEM_MAX_NONE &&
	    hvmm_tdp_missing(&mem->tdp, gfn, write))
		return -EAGAIN;
	folio = hvmm_ram_try_folio(&mem->ram, index);
	if (IS_ERR(folio))
		return PTR_ERR(folio);
	err = hvmm_mem_map(mem, gfn, folio, index, write, seq, HVMM_TABLE_GFP_TRY);
	return !err || err == -EEXIST ? 0 : -EAGAIN;
}

static __always_inline bool hvmm_mem_take_in(struct hvmm_mem *mem, u64 gfn, pgoff_t index,
					     bool write)
{
	u64 seq = hvmm_tdp_seq(&mem->tdp);
	struct folio *folio = hvmm_ram_take_folio(&mem->ram, index);
	int err;

	if (unlikely(!folio))
		return false;
	if (unlikely(folio_test_large(folio))) {
		err = hvmm_mem_map_any(mem, gfn, folio, index, write, seq, HVMM_TABLE_GFP_TRY);
	} else {
		err = hvmm_tdp_map(&mem->tdp, gfn, &folio->page, false, write, seq,
				   HVMM_TABLE_GFP_TRY);
		if (unlikely(err))
			folio_put(folio);
	}
	return likely(!err) || err == -EEXIST;
}

/* Of a VM with a limit. */
static noinline bool hvmm_mem_take_in_limited(struct hvmm_mem *mem, u64 gfn, pgoff_t index,
					      bool write)
{
	bool held, mapped;
	u64 bytes;

	bytes = hvmm_mem_needed(mem, gfn, index, write, &held);
	if (held || hvmm_mem_quota_take(&mem->quota, &bytes, NULL))
		return false;
	mapped = hvmm_mem_take_in(mem, gfn, index, write);
	hvmm_mem_quota_settle(&mem->quota, bytes);
	return mapped;
}

bool hvmm_mem_fault_hole(struct hvmm_mem *mem, u64 gfn, bool write)
{
	pgoff_t index;
	bool mapped;

	if (unlikely(!hvmm_ram_index(&mem->ram, gfn, &index)))
		return false;
	if (likely(hvmm_mem_quota_max(&mem->quota) == HVMM_MEM_MAX_NONE))
		mapped = hvmm_mem_take_in(mem, gfn, index, write);
	else
		mapped = hvmm_mem_take_in_limited(mem, gfn, index, write);
	if (unlikely(hvmm_mem_quota_high(&mem->quota) != HVMM_MEM_MAX_NONE) && mapped)
		hvmm_mem_reclaim_check(mem);
	return mapped;
}
