// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "floor.h"

/* APM vol. 2, 15.25.5: nested walks are user accesses. */
#define TABLE	(_PAGE_PRESENT | _PAGE_RW | _PAGE_USER | _PAGE_ACCESSED)
#define LEAF	(TABLE | _PAGE_DIRTY)
#define LEVELS	4

static u64 *tables[LEVELS];

static unsigned int index_at(u64 pa, unsigned int level)
{
	return pa >> (PAGE_SHIFT + 9 * level) & (PTRS_PER_PTE - 1);
}

/* tables[n] is the one of level n on the way to the page; beside that way are leaves. */
int floor_npt_build(struct floor *floor)
{
	u64 pa = virt_to_phys(floor->page), base;
	unsigned int level, i;

	for (level = 0; level < LEVELS; level++) {
		tables[level] = (u64 *)get_zeroed_page(GFP_KERNEL);
		if (!tables[level])
			return -ENOMEM;
	}
	/* The top level has no leaves: its first entry is all that there is memory for. */
	for (level = 0; level < LEVELS - 1; level++) {
		base = pa & ~(((u64)PAGE_SIZE << 9 * (level + 1)) - 1);
		for (i = 0; i < PTRS_PER_PTE; i++)
			tables[level][i] = (base + ((u64)i << (PAGE_SHIFT + 9 * level))) | LEAF |
					   (level ? _PAGE_PSE : 0);
		tables[level + 1][index_at(pa, level + 1)] = virt_to_phys(tables[level]) | TABLE;
	}
	for (level = 1; level < LEVELS; level++)
		tables[level][index_at(pa, level)] = virt_to_phys(tables[level - 1]) | TABLE;
	floor->pte = &tables[0][index_at(pa, 0)];
	floor->root = virt_to_phys(tables[LEVELS - 1]);
	return 0;
}

void floor_npt_free(void)
{
	unsigned int level;

	for (level = 0; level < LEVELS; level++)
		free_page((unsigned long)tables[level]);
}
