// SPDX-License-Identifier: GPL-2.0
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "host/memory.h"

bool hvmm_memory_cgroup_plenty(struct mem_cgroup *memcg)
{
#ifdef CONFIG_MEMCG
	struct mem_cgroup *parent;

	/* The root has no limits. */
	for (; (parent = parent_mem_cgroup(memcg)); memcg = parent) {
		const struct page_counter *c = &memcg->memory;

		if (page_counter_read((struct page_counter *)c) + HVMM_MEMORY_SLACK >
		    min(READ_ONCE(c->max), READ_ONCE(c->high)))
			return false;
	}
#endif
	return true;
}
