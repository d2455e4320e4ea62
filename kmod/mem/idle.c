// SPDX-License-Identifier: GPL-2.0
#include <linux/minmax.h>
#include <linux/string.h>

#include "mem/mem.h"

/* Entries looked at in one part. */
#define HVMM_IDLE_STEPS		2048

void hvmm_mem_idle_init(struct hvmm_mem *mem)
{
	spin_lock_init(&mem->idle.lock);
	mem->idle.next = U64_MAX;
}

static void hvmm_idle_publish(struct hvmm_idle *idle)
{
	u64 unused = 0;
	int i;

	for (i = 1; i < HVMM_AGES; i++)
		unused += idle->pages[i];
	spin_lock(&idle->lock);
	idle->used = idle->pages[0] << PAGE_SHIFT;
	idle->unused = unused << PAGE_SHIFT;
	idle->window = idle->passed;
	spin_unlock(&idle->lock);
}

/* What is mapped was used since it was unmapped. */
static void hvmm_idle_unmap(struct hvmm_mem *mem, u64 *gfn, u64 *pages)
{
	u64 end = *gfn + HVMM_IDLE_STEPS, at = *gfn, nr;

	while (hvmm_tdp_find_cold(&mem->tdp, &at, end, HVMM_COLD_ANY, &nr)) {
		pages[0] += nr;
		at += nr;
	}
	hvmm_mem_unmap(mem, *gfn, HVMM_IDLE_STEPS);
	*gfn = end;
}

bool hvmm_mem_idle_scan(struct hvmm_mem *mem, u64 now, u64 period)
{
	struct hvmm_idle *idle = &mem->idle;
	u64 end = hvmm_ram_end(&mem->ram);

	if (idle->next >= end) {
		if (idle->begun && now - idle->begun < period)
			return false;
		idle->passed = idle->begun ? now - idle->begun : 0;
		idle->begun = now;
		idle->next = 0;
		memset(idle->pages, 0, sizeof(idle->pages));
	}

	if (mem->tdp.format->accessed)
		hvmm_tdp_age(&mem->tdp, &idle->next, end, HVMM_IDLE_STEPS, idle->pages);
	else
		hvmm_idle_unmap(mem, &idle->next, idle->pages);
	if (idle->next >= end) {
		/* So that bits which were cleared are set again. */
		mem->ops->flush_soon(mem);
		hvmm_idle_publish(idle);
	}
	return true;
}

void hvmm_mem_idle_read(struct hvmm_mem *mem, struct hvmm_idle_figures *figures)
{
	u64 resident = hvmm_ram_resident(&mem->ram), mapped = hvmm_mem_mapped_bytes(mem);
	struct hvmm_idle *idle = &mem->idle;

	spin_lock(&idle->lock);
	figures->window = idle->window;
	figures->working_set = min(idle->used, resident);
	/* Some of it may be gone by now. What is not mapped nobody in the guest has used. */
	figures->idle = min(idle->unused, min(mapped, resident));
	spin_unlock(&idle->lock);
	if (resident > mapped)
		figures->idle += resident - mapped;
	if (!figures->window)
		figures->working_set = 0;
}
