// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "mem/mem.h"

#define HVMM_TABLE_GFP_BLOCK	(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
#define HVMM_TABLE_GFP_TRY	(GFP_NOWAIT | __GFP_NOWARN)

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

/* Takes over the reference on @folio. Return: 0, -EEXIST if somebody was faster, -ENOMEM. */
static int hvmm_mem_map(struct hvmm_mem *mem, u64 gfn, struct folio *folio, pgoff_t index,
			gfp_t gfp)
{
	int err = -EISDIR;

	if (hvmm_mem_fits_large(mem, folio, gfn, index))
		err = hvmm_tdp_map(&mem->tdp, gfn & ~(u64)(HVMM_TDP_LARGE_PAGES - 1),
				   folio_file_page(folio, index & ~(HVMM_TDP_LARGE_PAGES - 1UL)),
				   true, gfp);
	if (err == -EISDIR)
		err = hvmm_tdp_map(&mem->tdp, gfn, folio_file_page(folio, index), false, gfp);

	if (err)
		folio_put(folio);
	return err;
}

int hvmm_mem_fault(struct hvmm_mem *mem, u64 gfn, bool write, bool may_block)
{
	struct folio *folio;
	pgoff_t index;
	int err;

	if (!hvmm_ram_index(&mem->ram, gfn, &index))
		return -EFAULT;

	folio = hvmm_ram_get_folio(&mem->ram, index, may_block);
	if (IS_ERR(folio))
		return PTR_ERR(folio);

	err = hvmm_mem_map(mem, gfn, folio, index,
			   may_block ? HVMM_TABLE_GFP_BLOCK : HVMM_TABLE_GFP_TRY);
	if (!err || err == -EEXIST)
		return 0;
	return may_block ? err : -EAGAIN;
}

bool hvmm_mem_fault_present(struct hvmm_mem *mem, u64 gfn)
{
	struct folio *folio;
	pgoff_t index;
	int err;

	if (!hvmm_ram_index(&mem->ram, gfn, &index))
		return false;
	folio = hvmm_ram_try_folio(&mem->ram, index);
	if (!folio)
		return false;
	err = hvmm_mem_map(mem, gfn, folio, index, HVMM_TABLE_GFP_TRY);
	return !err || err == -EEXIST;
}
