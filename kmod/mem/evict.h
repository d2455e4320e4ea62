/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_EVICT_H
#define HVMM_MEM_EVICT_H

#include <linux/types.h>

struct hvmm_ram;

/**
 * struct hvmm_evict - what hvmm_ram_evict() is to do, and did
 * @swap: whether pages that are not zero may go to swap
 * @user: whether pages that a process has mapped may go, too
 * @left: bytes still wanted; goes down with what is given back, or is 0
 * @cleared: bytes given back that were zero
 * @swapped: bytes that went to swap
 * @failed: folios that could have gone, but for which the host had no swap
 */
struct hvmm_evict {
	bool swap;
	bool user;
	u64 left;
	u64 cleared;
	u64 swapped;
	unsigned int failed;
};

/**
 * hvmm_ram_evict - take pages out of the RAM file that nobody uses
 * @ram: the RAM
 * @index: first page in the file
 * @end: first page behind the range
 * @evict: what to do; figures are added to
 *
 * A page that the nested page table maps, or that anybody else has a reference of, stays;
 * processes lose their mappings of those that go, and find them again by a page fault. A page
 * that is all zero is removed from the file, others go to swap.
 *
 * Context: may sleep.
 */
void hvmm_ram_evict(struct hvmm_ram *ram, pgoff_t index, pgoff_t end, struct hvmm_evict *evict);

#endif
