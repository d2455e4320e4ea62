/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_RAM_H
#define HVMM_MEM_RAM_H

#include <linux/types.h>

struct file;
struct folio;
struct mem_cgroup;
struct netlink_ext_ack;

/* RAM fills guest-physical addresses from 0 up to here, the rest follows from 4 GiB. */
#define HVMM_RAM_LOW_MAX	(3ULL << 30)
#define HVMM_RAM_HIGH_BASE	(4ULL << 30)

/**
 * struct hvmm_ram - the file behind a VM's RAM, and where it appears
 * @file: sealed memfd; file offset 0 is gpa 0, offset %HVMM_RAM_LOW_MAX is gpa 4 GiB
 * @size: bytes
 * @memcg: the creator's memory cgroup, charged whoever's thread takes a page
 */
struct hvmm_ram {
	struct file *file;
	u64 size;
	struct mem_cgroup *memcg;
};

/**
 * hvmm_ram_index - page index in the file for a guest frame
 * @ram: the RAM
 * @gfn: guest frame number
 * @index: filled when RAM; may be %NULL
 *
 * Context: any.
 * Return: whether @gfn is RAM.
 */
static inline bool hvmm_ram_index(const struct hvmm_ram *ram, u64 gfn, pgoff_t *index)
{
	u64 offset;

	if (gfn < HVMM_RAM_LOW_MAX >> 12)
		offset = gfn << 12;
	else if (gfn >= HVMM_RAM_HIGH_BASE >> 12 && gfn < 1ULL << 40)
		offset = (gfn << 12) - HVMM_RAM_HIGH_BASE + HVMM_RAM_LOW_MAX;
	else
		return false;

	if (offset >= ram->size)
		return false;
	if (index)
		*index = offset >> 12;
	return true;
}

/**
 * hvmm_ram_end - first guest frame behind all RAM
 * @ram: the RAM
 *
 * Context: any.
 */
static inline u64 hvmm_ram_end(const struct hvmm_ram *ram)
{
	if (ram->size <= HVMM_RAM_LOW_MAX)
		return ram->size >> 12;
	return (ram->size - HVMM_RAM_LOW_MAX + HVMM_RAM_HIGH_BASE) >> 12;
}

/**
 * hvmm_ram_init - take over the file behind a VM's RAM
 * @ram: filled
 * @file: memfd, open for reading and writing, sealed against shrinking; a reference is taken
 * @size: bytes of RAM
 * @extack: the reason of a refusal, may be %NULL
 *
 * From now on memory is charged to the memory cgroup of the caller, and whoever takes a page
 * does so without waking the OOM killer.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL (wrong file), -EPERM (sealed against writing).
 */
int hvmm_ram_init(struct hvmm_ram *ram, struct file *file, u64 size,
		  struct netlink_ext_ack *extack);

void hvmm_ram_exit(struct hvmm_ram *ram);

/**
 * hvmm_ram_try_folio - the folio that holds a page of RAM, if it is in memory and free to take
 * @ram: the RAM
 * @index: page index in the file, as hvmm_ram_index() fills it
 *
 * As hvmm_ram_get_folio(), without its ways to bring a page in.
 *
 * Context: preemption may be off; never sleeps.
 * Return: the folio with a reference, or an ERR_PTR: -ENOENT (the file has no page there),
 * -EAGAIN.
 */
struct folio *hvmm_ram_try_folio(struct hvmm_ram *ram, pgoff_t index);

/**
 * hvmm_ram_take_folio - the folio for a page of RAM that the file does not have, most likely
 * @ram: the RAM
 * @index: page index in the file
 *
 * Does not look for it first, and does not wait for memory unless it is scarce against
 * expectation.
 *
 * Context: preemption on.
 * Return: the folio with a reference, as hvmm_ram_get_folio() gives it; or %NULL if the file has
 * the page, or may have it in swap, or if memory is scarce.
 */
struct folio *hvmm_ram_take_folio(struct hvmm_ram *ram, pgoff_t index);

/**
 * hvmm_ram_get_folio - the folio that holds a page of RAM, allocated on first touch
 * @ram: the RAM
 * @index: page index in the file, as hvmm_ram_index() fills it
 * @may_block: whether sleeping for memory or I/O is allowed
 * @may_take: whether a page may be taken that the file does not hold in memory
 *
 * The folio is up to date and marked dirty: its holder may let a guest write to
 * it. While the reference is held the host neither reclaims nor migrates it.
 *
 * No page is taken where the host has little memory left (hvmm_memory_is_short()).
 *
 * Context: preemption on.
 * Return: the folio with a reference, or an ERR_PTR: -EAGAIN (would block),
 * -ESTALE (not held, without @may_take), -ENOMEM, -EIO (swap), -EFAULT (poisoned, or
 * the file has become too short).
 */
struct folio *hvmm_ram_get_folio(struct hvmm_ram *ram, pgoff_t index, bool may_block,
				 bool may_take);

/**
 * hvmm_ram_holds - whether the file holds a page in memory
 * @ram: the RAM
 * @index: page index in the file
 *
 * Context: any.
 */
bool hvmm_ram_holds(struct hvmm_ram *ram, pgoff_t index);

/**
 * hvmm_ram_grain - pages that taking a page of RAM may take
 * @ram: the RAM
 * @index: page index in the file, which does not hold it
 *
 * Context: any.
 * Return: 1; or as many as a huge page has, where the host may give one.
 */
unsigned int hvmm_ram_grain(struct hvmm_ram *ram, pgoff_t index);

/**
 * hvmm_ram_punch - give pages back: they are zero afterwards
 * @ram: the RAM
 * @index: first page in the file
 * @nr: number of pages
 *
 * Context: may sleep.
 * Return: 0, or what vfs_fallocate() says: -EPERM (sealed against future writes), -EINTR.
 */
int hvmm_ram_punch(struct hvmm_ram *ram, pgoff_t index, u64 nr);

/**
 * hvmm_ram_held - what the file holds, in memory or swapped out
 * @ram: the RAM
 *
 * Context: any.
 * Return: bytes.
 */
u64 hvmm_ram_held(const struct hvmm_ram *ram);

/**
 * hvmm_ram_resident - what of hvmm_ram_held() is in memory
 * @ram: the RAM
 *
 * A page is in it from the moment on that it can be found in the file.
 *
 * Context: any.
 * Return: bytes.
 */
u64 hvmm_ram_resident(const struct hvmm_ram *ram);

/**
 * hvmm_ram_swapped - what of hvmm_ram_held() is swapped out
 * @ram: the RAM
 *
 * Context: any.
 * Return: bytes.
 */
u64 hvmm_ram_swapped(const struct hvmm_ram *ram);

#endif
