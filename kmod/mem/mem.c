// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/swap.h>

#include "mem/mem.h"

#define HVMM_DROP_FEW	16

/* Of a discard, what is done in one go: others that fault there wait for so much. */
#define HVMM_DISCARD_PAGES	(SZ_16M >> PAGE_SHIFT)

/* What counts for the quota: all that the VM holds of the host's memory. */
static u64 hvmm_mem_held(struct hvmm_mem_quota *quota)
{
	struct hvmm_mem *mem = container_of(quota, struct hvmm_mem, quota);

	return hvmm_ram_resident(&mem->ram) + hvmm_mem_table_bytes(mem) + mem->ops->overhead(mem);
}

int hvmm_mem_init(struct hvmm_mem *mem, const struct hvmm_mem_ops *ops, struct file *file,
		  u64 size, struct netlink_ext_ack *extack)
{
	int err;

	mem->ops = ops;
	/* Not 0, which is what those have that remember nothing. */
	atomic64_set(&mem->tlb_gen, 1);
	mutex_init(&mem->discard);
	mutex_init(&mem->dirty_lock);
	hvmm_mem_quota_init(&mem->quota, hvmm_mem_held);
	hvmm_mem_reclaim_init(mem);
	hvmm_mem_idle_init(mem);

	err = hvmm_ram_init(&mem->ram, file, size, extack);
	if (err)
		return err;
	err = hvmm_tdp_init(&mem->tdp, mem->ram.memcg);
	if (err)
		hvmm_ram_exit(&mem->ram);
	return err;
}

void hvmm_mem_exit(struct hvmm_mem *mem)
{
	hvmm_tdp_exit(&mem->tdp);
	hvmm_ram_exit(&mem->ram);
	mutex_destroy(&mem->discard);
	mutex_destroy(&mem->reclaim.lock);
	mutex_destroy(&mem->dirty_lock);
}

void hvmm_mem_flush(struct hvmm_mem *mem)
{
	u64 *retired[HVMM_TDP_RETIRED];
	unsigned int nr = hvmm_tdp_take_retired(&mem->tdp, retired);

	/* A full barrier: who does not see it has begun to look before the grace period. */
	atomic64_inc_return(&mem->tlb_gen);
	mem->ops->flush(mem);
	/* Copies that found a page before it was unmapped, lookups in a table. */
	synchronize_rcu();
	hvmm_tdp_free_retired(&mem->tdp, retired, nr);
}

void hvmm_mem_unmap(struct hvmm_mem *mem, u64 gfn, u64 nr)
{
	struct folio *few[HVMM_DROP_FEW], **drop = few;
	unsigned int max = HVMM_DROP_FEW, n, i;
	u64 end;

	if (check_add_overflow(gfn, nr, &end))
		end = U64_MAX;

	if (nr > HVMM_DROP_FEW) {
		struct folio **many = (void *)__get_free_page(GFP_KERNEL);

		if (many) {
			drop = many;
			max = PAGE_SIZE / sizeof(*drop);
		}
	}

	while (gfn < end) {
		n = hvmm_tdp_unmap(&mem->tdp, &gfn, end, drop, max);
		cond_resched();
		if (!n)
			continue;

		hvmm_mem_flush(mem);
		for (i = 0; i < n; i++) {
			folio_mark_accessed(drop[i]);
			folio_put(drop[i]);
		}
	}

	if (drop != few)
		free_page((unsigned long)drop);
}

/* They may have been something else than zeros. */
static void hvmm_mem_mark_dirty(struct hvmm_mem *mem, u64 gfn, u64 nr)
{
	rcu_read_lock();
	while (nr--)
		hvmm_tdp_wrote(&mem->tdp, gfn++);
	rcu_read_unlock();
}

static int hvmm_mem_discard_part(struct hvmm_mem *mem, u64 gfn, u64 nr)
{
	pgoff_t index;
	int err;

	if (!hvmm_ram_index(&mem->ram, gfn, &index))
		return -EFAULT;
	err = mutex_lock_killable(&mem->discard);
	if (err)
		return err;
	/*
	 * Nobody maps anything there until the file has let go of the pages: a fault that
	 * has found one before, or finds one meanwhile, starts again.
	 */
	hvmm_tdp_freeze(&mem->tdp, gfn, gfn + nr);
	hvmm_mem_unmap(mem, gfn, nr);
	err = hvmm_ram_punch(&mem->ram, index, nr);
	hvmm_mem_mark_dirty(mem, gfn, nr);
	hvmm_tdp_thaw(&mem->tdp);
	mutex_unlock(&mem->discard);
	hvmm_mem_quota_returned(&mem->quota);
	return err;
}

bool hvmm_mem_is_ram_range(const struct hvmm_mem *mem, u64 gfn, u64 nr)
{
	pgoff_t first, last;
	u64 end;

	return nr && !check_add_overflow(gfn, nr - 1, &end) &&
	       hvmm_ram_index(&mem->ram, gfn, &first) && hvmm_ram_index(&mem->ram, end, &last) &&
	       last - first == end - gfn;
}

int hvmm_mem_discard(struct hvmm_mem *mem, u64 gfn, u64 nr)
{
	int err = 0;
	u64 part;

	if (!hvmm_mem_is_ram_range(mem, gfn, nr))
		return -EFAULT;
	for (; nr && !err; gfn += part, nr -= part) {
		if (fatal_signal_pending(current))
			return -EINTR;
		part = min_t(u64, nr, HVMM_DISCARD_PAGES);
		err = hvmm_mem_discard_part(mem, gfn, part);
		cond_resched();
	}
	return err;
}
