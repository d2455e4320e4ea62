// SPDX-License-Identifier: GPL-2.0
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/huge_mm.h>
#include <linux/memcontrol.h>
#include <linux/netlink.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shmem_fs.h>
#include <linux/xarray.h>
#include <uapi/linux/falloc.h>
#include <uapi/linux/fcntl.h>

#include "host/memory.h"
#include "mem/ram.h"

/*
 * Not movable: the nested page table keeps a reference, so that compaction could
 * not move the page anyway. A full memory cgroup makes the allocation fail instead
 * of waking the OOM killer: the VM is parked, nothing is killed. The file has these flags
 * for all who take its pages: shmem_get_folio() knows no others. A process that touches a
 * page when there is none tries again until there is, or it is killed.
 */
#define HVMM_RAM_GFP_BLOCK	(GFP_HIGHUSER | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)
#define HVMM_RAM_GFP_TRY	(GFP_NOWAIT | __GFP_HIGHMEM | __GFP_NOWARN)

#define HVMM_RAM_TRIES	16

/*
 * What /sys/kernel/mm/transparent_hugepage/shmem_enabled has set (mm/shmem.c). Advice is
 * given for a mapping, which the kernel does not use.
 */
#define HVMM_SHMEM_NEVER	0
#define HVMM_SHMEM_ADVISE	3

int hvmm_ram_init(struct hvmm_ram *ram, struct file *file, u64 size,
		  struct netlink_ext_ack *extack)
{
	struct inode *inode = file_inode(file);
	int err;

	if (!shmem_mapping(file->f_mapping)) {
		NL_SET_ERR_MSG(extack, "RAM file is not a memfd of ordinary pages");
		return -EINVAL;
	}
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) != (FMODE_READ | FMODE_WRITE)) {
		NL_SET_ERR_MSG(extack, "RAM file is not open for reading and writing");
		return -EINVAL;
	}
	if (!(SHMEM_I(inode)->seals & F_SEAL_SHRINK)) {
		NL_SET_ERR_MSG(extack, "RAM file is not sealed against shrinking");
		return -EINVAL;
	}
	/* The seal keeps it at least this long. */
	if (i_size_read(inode) < size) {
		NL_SET_ERR_MSG_FMT(extack, "RAM file has %lld bytes, the memory size is %llu",
				   i_size_read(inode), size);
		return -EINVAL;
	}
	/* Fails under a write seal, and keeps one from being added. */
	err = mapping_map_writable(file->f_mapping);
	if (err) {
		NL_SET_ERR_MSG(extack, "RAM file is sealed against writing");
		return err;
	}

	mapping_set_gfp_mask(file->f_mapping, HVMM_RAM_GFP_BLOCK);
	ram->file = get_file(file);
	ram->size = size;
	ram->memcg = get_mem_cgroup_from_mm(current->mm);
	return 0;
}

void hvmm_ram_exit(struct hvmm_ram *ram)
{
	if (!ram->file)
		return;
	mem_cgroup_put(ram->memcg);
	mapping_unmap_writable(ram->file->f_mapping);
	fput(ram->file);
	ram->file = NULL;
}

/*
 * What the page cache has at an index: a folio with a reference, NULL, or a value
 * entry (swapped out). filemap_get_entry() is not exported.
 */
static struct folio *hvmm_ram_peek(struct address_space *mapping, pgoff_t index)
{
	XA_STATE(xas, &mapping->i_pages, index);
	struct folio *folio;

	rcu_read_lock();
	do {
		xas_reset(&xas);
		folio = xas_load(&xas);
		if (xas_retry(&xas, folio))
			continue;
		if (!folio || xa_is_value(folio))
			break;
		if (!folio_try_get(folio))
			continue;
		if (likely(folio == xas_reload(&xas)))
			break;
		folio_put(folio);
	} while (1);
	rcu_read_unlock();

	return folio;
}

/*
 * Under its lock a folio can neither be truncated nor be on its way to swap, and
 * from then on the caller's reference keeps reclaim off. Dirty from the start: a
 * clean shmem page may be dropped and read back as zeros.
 */
static int hvmm_ram_claim_locked(struct address_space *mapping, struct folio *folio,
				 pgoff_t index)
{
	int err = 0;

	if (folio->mapping != mapping || !folio_test_uptodate(folio))
		err = -ESTALE;
	else if (folio_test_hwpoison(folio) || PageHWPoison(folio_file_page(folio, index)))
		err = -EFAULT;
	else if (!folio_test_dirty(folio))
		folio_mark_dirty(folio);
	folio_unlock(folio);

	return err;
}

static int hvmm_ram_claim(struct address_space *mapping, struct folio *folio, pgoff_t index,
			  bool may_block)
{
	if (!folio_trylock(folio)) {
		if (!may_block)
			return -EAGAIN;
		folio_lock(folio);
	}
	return hvmm_ram_claim_locked(mapping, folio, index);
}

static struct folio *hvmm_ram_error(int err, bool may_block)
{
	switch (err) {
	case -EINVAL:
	case -EFBIG:
		return ERR_PTR(-EFAULT);
	case -EIO:
	case -EHWPOISON:
		return may_block ? ERR_PTR(-EIO) : ERR_PTR(-EAGAIN);
	default:
		/* Out of memory, of file system blocks or of quota: all of them may pass. */
		return may_block ? ERR_PTR(-ENOMEM) : ERR_PTR(-EAGAIN);
	}
}

/* Without sleeping for memory, or from swap. Cleared twice: by the allocator and by shmem. */
static struct folio *hvmm_ram_read_folio(struct hvmm_ram *ram, pgoff_t index, bool may_block)
{
	struct mem_cgroup *old;
	struct folio *folio;

	if (hvmm_memory_is_short())
		return ERR_PTR(may_block ? -ENOMEM : -EAGAIN);
	old = set_active_memcg(ram->memcg);
	folio = shmem_read_folio_gfp(ram->file->f_mapping, index,
				     may_block ? HVMM_RAM_GFP_BLOCK : HVMM_RAM_GFP_TRY);
	set_active_memcg(old);
	return IS_ERR(folio) ? hvmm_ram_error(PTR_ERR(folio), may_block) : folio;
}

static void hvmm_ram_clear(struct folio *folio)
{
	long i, nr = folio_nr_pages(folio);

	for (i = 0; i < nr; i++) {
		clear_highpage(folio_page(folio, i));
		cond_resched();
	}
}

/*
 * The folio at an index, locked, with a reference. If the file had none it is taken as if it were
 * to be written as a whole: shmem leaves it to the caller to clear, and hvmm_ram_fill() must
 * follow. A page of shmem that is not up to date is as it was allocated: whoever writes one makes
 * it so under its lock. Return: 0, or what shmem says.
 */
static __always_inline int hvmm_ram_ask(struct hvmm_ram *ram, pgoff_t index, struct folio **folio)
{
	struct mem_cgroup *old = set_active_memcg(ram->memcg);
	int err = shmem_get_folio(file_inode(ram->file), index, 0, folio, SGP_WRITE);

	set_active_memcg(old);
	return err;
}

/* Most kernels' allocator has cleared it. */
static __always_inline void hvmm_ram_fill(struct folio *folio)
{
	if (!want_init_on_alloc(0))
		hvmm_ram_clear(folio);
	folio_mark_uptodate(folio);
	folio_set_dirty(folio);
	folio_unlock(folio);
}

/* A page that the file does not have, claimed. */
static struct folio *hvmm_ram_new_folio(struct hvmm_ram *ram, pgoff_t index, bool may_block)
{
	struct folio *folio;
	int err;

	if (may_block && hvmm_memory_is_short())
		return ERR_PTR(-ENOMEM);
	err = hvmm_ram_ask(ram, index, &folio);
	if (err)
		return hvmm_ram_error(err, may_block);

	if (likely(!folio_test_uptodate(folio))) {
		hvmm_ram_fill(folio);
		return folio;
	}
	/* Somebody else's may be poisoned, or on its way to swap. */
	err = hvmm_ram_claim_locked(file_inode(ram->file)->i_mapping, folio, index);
	if (!err)
		return folio;
	folio_put(folio);
	return ERR_PTR(err == -ESTALE ? -EAGAIN : err);
}

struct folio *hvmm_ram_try_folio(struct hvmm_ram *ram, pgoff_t index)
{
	struct address_space *mapping = ram->file->f_mapping;
	struct folio *folio = hvmm_ram_peek(mapping, index);

	if (!folio)
		return ERR_PTR(-ENOENT);
	if (xa_is_value(folio))
		return ERR_PTR(-EAGAIN);
	/* To make it dirty is left to those who may sleep, though shmem does not. */
	if (folio_test_dirty(folio) && !hvmm_ram_claim(mapping, folio, index, false))
		return folio;
	folio_put(folio);
	return ERR_PTR(-EAGAIN);
}

struct folio *hvmm_ram_take_folio(struct hvmm_ram *ram, pgoff_t index)
{
	struct folio *folio;

	if (unlikely(hvmm_ram_swapped(ram) || !hvmm_memory_plenty(ram->memcg) ||
		     hvmm_ram_ask(ram, index, &folio)))
		return NULL;
	if (unlikely(folio_test_uptodate(folio))) {
		folio_unlock(folio);
		folio_put(folio);
		return NULL;
	}
	hvmm_ram_fill(folio);
	return folio;
}

struct folio *hvmm_ram_get_folio(struct hvmm_ram *ram, pgoff_t index, bool may_block,
				 bool may_take)
{
	struct address_space *mapping = ram->file->f_mapping;
	unsigned int tries = HVMM_RAM_TRIES;
	struct folio *folio;
	bool swapped;
	int err;

	/* Pages may be punched out as fast as they come. */
	while (tries--) {
		folio = hvmm_ram_peek(mapping, index);
		if (!folio && !may_take)
			return ERR_PTR(-ESTALE);
		swapped = xa_is_value(folio);
		if (swapped && !may_take)
			return ERR_PTR(-ESTALE);
		if (swapped && !may_block)
			return ERR_PTR(-EAGAIN);
		if (folio && !swapped && !folio_test_uptodate(folio)) {
			/* Allocated without content. */
			folio_put(folio);
			folio = NULL;
		}
		if (!folio && (may_block || hvmm_memory_plenty(ram->memcg)))
			return hvmm_ram_new_folio(ram, index, may_block);
		if (!folio || swapped)
			folio = hvmm_ram_read_folio(ram, index, may_block);
		if (IS_ERR(folio))
			return folio;
		err = hvmm_ram_claim(mapping, folio, index, may_block);
		if (!err)
			return folio;
		folio_put(folio);
		/* Punched out, or swapped out. */
		if (err != -ESTALE)
			return ERR_PTR(err);
		cond_resched();
	}
	return ERR_PTR(-EAGAIN);
}

bool hvmm_ram_holds(struct hvmm_ram *ram, pgoff_t index)
{
	struct folio *folio = hvmm_ram_peek(ram->file->f_mapping, index);

	if (!folio || xa_is_value(folio))
		return false;
	folio_put(folio);
	return true;
}

unsigned int hvmm_ram_grain(struct hvmm_ram *ram, pgoff_t index)
{
	const struct shmem_sb_info *sb = file_inode(ram->file)->i_sb->s_fs_info;
	pgoff_t first = ALIGN_DOWN(index, HPAGE_PMD_NR), found = first;
	void *entry;

	if (READ_ONCE(sb->huge) == HVMM_SHMEM_NEVER || READ_ONCE(sb->huge) == HVMM_SHMEM_ADVISE)
		return 1;
	/* shmem puts a huge page only where there is nothing yet. */
	rcu_read_lock();
	entry = xa_find(&ram->file->f_mapping->i_pages, &found, first + HPAGE_PMD_NR - 1,
			XA_PRESENT);
	rcu_read_unlock();
	return entry ? 1 : HPAGE_PMD_NR;
}

int hvmm_ram_punch(struct hvmm_ram *ram, pgoff_t index, u64 nr)
{
	return vfs_fallocate(ram->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     (loff_t)index << PAGE_SHIFT, (loff_t)(nr << PAGE_SHIFT));
}

/* Of a shmem file: pages in memory and in swap, in units of 512 bytes. */
u64 hvmm_ram_held(const struct hvmm_ram *ram)
{
	return (u64)READ_ONCE(file_inode(ram->file)->i_blocks) << 9;
}

u64 hvmm_ram_resident(const struct hvmm_ram *ram)
{
	return (u64)READ_ONCE(ram->file->f_mapping->nrpages) << PAGE_SHIFT;
}

u64 hvmm_ram_swapped(const struct hvmm_ram *ram)
{
	return (u64)READ_ONCE(SHMEM_I(file_inode(ram->file))->swapped) << PAGE_SHIFT;
}
