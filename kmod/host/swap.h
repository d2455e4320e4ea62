/* SPDX-License-Identifier: GPL-2.0 */
/* Handing a page of shared memory to the host's swap: how that is asked for has changed. */
#ifndef HVMM_HOST_SWAP_H
#define HVMM_HOST_SWAP_H

#include <linux/fs.h>
#include <linux/page-flags.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/version.h>
#include <linux/writeback.h>

/**
 * hvmm_swap_possible - whether the host has swap space left
 *
 * Context: any.
 */
static inline bool hvmm_swap_possible(void)
{
	return get_nr_swap_pages() > 0;
}

/**
 * hvmm_swap_out - move a folio from its shmem file to swap
 * @folio: locked, mapped by nobody, not under writeback, marked clean for I/O by
 *         folio_clear_dirty_for_io(); the caller has a reference
 *
 * On success it is in the swap cache, being written or written, and the file has a swap
 * entry in its place. Kernels from 6.16 on have no writepage() operation; what some of those
 * before 7.3 export instead has had several forms, none of which was tried.
 *
 * Context: may sleep.
 * Return: whether it was moved. Then it is unlocked; else it is locked still, and dirty.
 */
static inline bool hvmm_swap_out(struct folio *folio)
{
	int ret = AOP_WRITEPAGE_ACTIVATE;

	folio_set_reclaim(folio);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
	ret = shmem_write_folio(folio);
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	{
		struct writeback_control wbc = {
			.sync_mode = WB_SYNC_NONE,
			.nr_to_write = folio_nr_pages(folio),
			.range_end = LLONG_MAX,
			.for_reclaim = 1,
		};

		ret = folio->mapping->a_ops->writepage(&folio->page, &wbc);
	}
#else
	folio_mark_dirty(folio);
#endif
	/* The bit means readahead to who reads the page, once it is not under writeback. */
	if (!folio_test_writeback(folio))
		folio_clear_reclaim(folio);
	/* Another error: it went to the swap cache, is dirty, and the host tries again. */
	return ret != AOP_WRITEPAGE_ACTIVATE;
}

#endif
