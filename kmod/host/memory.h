/* SPDX-License-Identifier: GPL-2.0 */
/* What of the host's memory is for others than VMs. */
#ifndef HVMM_HOST_MEMORY_H
#define HVMM_HOST_MEMORY_H

#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/vmstat.h>

/* What an allocation may take at most, and a cgroup's charges come in batches. */
#define HVMM_MEMORY_SLACK	(2 * 512UL)

/* The zones' watermarks, which are not to be had, are well under this part of memory. */
#define HVMM_MEMORY_SHARE	64

/**
 * hvmm_memory_reserve - pages that VMs leave to the host
 * @total: pages that the host has
 *
 * A 64th of them, from 8 MiB to 256 MiB.
 *
 * Context: any.
 */
static inline unsigned long hvmm_memory_reserve(unsigned long total)
{
	return clamp(total / 64, (unsigned long)SZ_8M >> PAGE_SHIFT,
		     (unsigned long)SZ_256M >> PAGE_SHIFT);
}

/**
 * hvmm_memory_is_short - whether no more of the host's memory may become a VM's
 *
 * The OOM killer is woken by whoever asks last, which may be any process of the host. So VMs
 * stop before that. Pages that are in swap too count as free: they are, once they are needed.
 *
 * Context: any; with much free memory it is a single read.
 */
static inline bool hvmm_memory_is_short(void)
{
	unsigned long reserve = hvmm_memory_reserve(totalram_pages());

	if (global_zone_page_state(NR_FREE_PAGES) > 2 * reserve)
		return false;
	return max(si_mem_available(), 0L) + global_node_page_state(NR_SWAPCACHE) < reserve;
}

/**
 * hvmm_memory_cgroup_plenty - whether a memory cgroup is far from its limits, and all above it
 * @memcg: the cgroup
 *
 * Context: any.
 */
bool hvmm_memory_cgroup_plenty(struct mem_cgroup *memcg);

/**
 * hvmm_memory_plenty - whether an allocation is served without reclaim, most likely
 * @memcg: the memory cgroup that is charged, or %NULL
 *
 * A hint: who is told so and has to wait for reclaim after all waits a little, no more. If so
 * memory is not short either.
 *
 * Context: any.
 */
static inline bool hvmm_memory_plenty(struct mem_cgroup *memcg)
{
	unsigned long total = totalram_pages();
	unsigned long enough = max(2 * hvmm_memory_reserve(total), total / HVMM_MEMORY_SHARE);

	if (global_zone_page_state(NR_FREE_PAGES) <= enough + HVMM_MEMORY_SLACK)
		return false;
	return !memcg || !parent_mem_cgroup(memcg) || hvmm_memory_cgroup_plenty(memcg);
}

#endif
