// SPDX-License-Identifier: GPL-2.0
/*
 * Pages of RAM on their way out. No exported symbol isolates a page from the host's lists and
 * reclaims it; what a module can do is what the host's own reclaim does with a shmem page, by
 * itself: lock it, take it from the processes that map it, see that nobody else has a
 * reference, and have shmem replace it by a swap entry. That drivers' shrinkers do this with
 * their shmem objects is why the symbols are there. From then on it is in the swap cache,
 * clean as soon as it is written, and at the end of the host's list of what to free next.
 *
 * A page that is zero needs no swap. It is removed from the file with its lock held, which a
 * hole punched from outside cannot do: a process could write to it between look and punch.
 *
 * Whoever takes a reference from the page cache in order to map or to write the page then takes
 * its lock, and looks whether it still belongs there (hvmm_ram_claim()). So a reference that
 * is not seen below fails there.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "host/swap.h"
#include "mem/evict.h"
#include "mem/ram.h"

/* Its references: one for each page in the page cache, and ours. */
static bool hvmm_evict_is_busy(const struct folio *folio)
{
	return folio_ref_count(folio) != folio_nr_pages(folio) + 1;
}

static bool hvmm_evict_is_zero(struct folio *folio)
{
	long i;

	for (i = 0; i < folio_nr_pages(folio); i++)
		if (memchr_inv(page_address(folio_page(folio, i)), 0, PAGE_SIZE))
			return false;
	return true;
}

static bool hvmm_evict_may_go(const struct hvmm_ram *ram, const struct folio *folio,
			      const struct hvmm_evict *evict)
{
	return folio->mapping == ram->file->f_mapping && folio_test_uptodate(folio) &&
	       !folio_test_writeback(folio) && !folio_test_unevictable(folio) &&
	       !folio_test_mlocked(folio) && !folio_test_hwpoison(folio) &&
	       (evict->user || !folio_mapped(folio));
}

static void hvmm_evict_count(struct hvmm_evict *evict, u64 *count, u64 bytes)
{
	*count += bytes;
	evict->left -= min(evict->left, bytes);
}

/* Return: whether it is unlocked. */
static bool hvmm_evict_locked(struct hvmm_ram *ram, struct folio *folio,
			      struct hvmm_evict *evict)
{
	struct address_space *mapping = ram->file->f_mapping;
	size_t size = folio_size(folio);

	if (!hvmm_evict_may_go(ram, folio, evict))
		return false;
	/* With the lock held nobody maps it anew. What processes wrote makes it dirty. */
	if (folio_mapped(folio))
		unmap_mapping_range(mapping, folio_pos(folio), size, 0);
	if (folio_mapped(folio) || hvmm_evict_is_busy(folio))
		return false;
	if (hvmm_evict_is_zero(folio)) {
		if (!generic_error_remove_folio(mapping, folio))
			hvmm_evict_count(evict, &evict->cleared, size);
		return false;
	}
	if (!evict->swap || mapping_unevictable(mapping))
		return false;
	/* Only what is zero is clean, see hvmm_ram_claim(). */
	if (!hvmm_swap_possible() || !folio_clear_dirty_for_io(folio)) {
		evict->failed++;
		return false;
	}
	/* A large one may be split, and then but a part goes. */
	if (hvmm_swap_out(folio)) {
		hvmm_evict_count(evict, &evict->swapped, folio_size(folio));
		return true;
	}
	evict->failed++;
	return false;
}

static void hvmm_evict_folio(struct hvmm_ram *ram, struct folio *folio,
			     struct hvmm_evict *evict)
{
	if (hvmm_evict_is_busy(folio) && !folio_mapped(folio))
		return;
	if (folio_trylock(folio) && !hvmm_evict_locked(ram, folio, evict))
		folio_unlock(folio);
}

/* The next folio in memory, with a reference. */
static struct folio *hvmm_evict_next(struct hvmm_ram *ram, pgoff_t *index, pgoff_t end)
{
	XA_STATE(xas, &ram->file->f_mapping->i_pages, *index);
	struct folio *folio;

	rcu_read_lock();
	xas_for_each(&xas, folio, end - 1) {
		if (xas_retry(&xas, folio) || xa_is_value(folio))
			continue;
		if (!folio_try_get(folio)) {
			xas_reset(&xas);
			continue;
		}
		if (folio == xas_reload(&xas))
			break;
		folio_put(folio);
		xas_reset(&xas);
	}
	rcu_read_unlock();

	if (folio)
		*index = folio->index + folio_nr_pages(folio);
	return folio;
}

void hvmm_ram_evict(struct hvmm_ram *ram, pgoff_t index, pgoff_t end, struct hvmm_evict *evict)
{
	struct inode *inode = file_inode(ram->file);
	u64 cleared = evict->cleared;
	struct folio *folio;
	loff_t eof;

	while (index < end && evict->left) {
		folio = hvmm_evict_next(ram, &index, end);
		if (!folio)
			break;
		hvmm_evict_folio(ram, folio, evict);
		folio_put(folio);
		cond_resched();
	}
	if (evict->cleared == cleared)
		return;
	/* Pages went behind shmem's back: to punch behind the end lets it count again. */
	eof = round_up(i_size_read(inode), PAGE_SIZE);
	shmem_truncate_range(inode, eof, eof + PAGE_SIZE - 1);
}
