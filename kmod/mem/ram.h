/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_RAM_H
#define HVMM_MEM_RAM_H

#include <linux/types.h>

struct file;
struct mem_cgroup;

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

#endif
