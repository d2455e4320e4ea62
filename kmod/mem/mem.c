// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/swap.h>

#include "mem/mem.h"

#define HVMM_DROP_FEW	16

int hvmm_mem_init(struct hvmm_mem *mem, const struct hvmm_mem_ops *ops, struct file *file,
		  u64 size, struct netlink_ext_ack *extack)
{
	int err;

	mem->ops = ops;
	/* vCPUs start with 0 and so flush before their first entry. */
	atomic64_set(&mem->tlb_gen, 1);

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

		/*
		 * A full barrier: a vCPU that does not see the new generation at its
		 * next entry has been seen in the guest by ops->flush().
		 */
		atomic64_inc_return(&mem->tlb_gen);
		mem->ops->flush(mem);
		/* Copies that found the page before it was unmapped. */
		synchronize_rcu();

		for (i = 0; i < n; i++) {
			folio_mark_accessed(drop[i]);
			folio_put(drop[i]);
		}
	}

	if (drop != few)
		free_page((unsigned long)drop);
}
