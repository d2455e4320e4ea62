/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_IDLE_H
#define HVMM_MEM_IDLE_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "mem/age.h"

struct hvmm_mem;

/**
 * struct hvmm_idle - what is known of how a VM uses its memory
 * @next: frame that the scan goes on from; behind the last between two of them
 * @begun: when the scan began that is under way or was the last, ns
 * @passed: time between the beginnings of that one and the one before, ns
 * @pages: pages by age that it has found
 * @lock: all below
 * @used: bytes that the last complete scan found used since the one before
 * @unused: bytes mapped that it did not
 * @window: time that these are about, ns; 0 if there were no two scans yet
 *
 * What is above the lock is the scanner's.
 */
struct hvmm_idle {
	u64 next;
	u64 begun;
	u64 passed;
	u64 pages[HVMM_AGES];
	spinlock_t lock; /* all below */
	u64 used;
	u64 unused;
	u64 window;
};

/**
 * struct hvmm_idle_figures - how much of its memory a VM uses, bytes and ns
 * @working_set: what it used within @window
 * @idle: what it has in the host's memory and did not use
 * @window: 0 if nothing is known yet
 */
struct hvmm_idle_figures {
	u64 working_set;
	u64 idle;
	u64 window;
};

void hvmm_mem_idle_init(struct hvmm_mem *mem);

/**
 * hvmm_mem_idle_scan - do a part of a scan
 * @mem: the memory
 * @now: ns
 * @period: from the beginning of one scan to that of the next, at least, ns
 *
 * Accessed bits are read and cleared; without them a part of RAM is unmapped, and what has
 * come back until the next scan was used.
 *
 * Context: may sleep; one caller at a time.
 * Return: whether there was anything to do.
 */
bool hvmm_mem_idle_scan(struct hvmm_mem *mem, u64 now, u64 period);

/**
 * hvmm_mem_idle_read - figures of the last scan
 * @mem: the memory
 * @figures: filled
 *
 * Context: any but interrupts.
 */
void hvmm_mem_idle_read(struct hvmm_mem *mem, struct hvmm_idle_figures *figures);

#endif
