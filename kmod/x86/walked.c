// SPDX-License-Identifier: GPL-2.0
/* Learns what walked.h remembers. */
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include <asm/msr-index.h>

#include "x86/vendor.h"
#include "x86/walk.h"

/* Kernel address of what the guest has at an address, a multiple of 8 for entries. */
static void *lookup(struct hvmm_x86_vcpu *x, u64 gpa)
{
	void *page = hvmm_tdp_lookup(&x->vcpu.vm->mem.tdp, gpa >> PAGE_SHIFT);

	return page ? page + offset_in_page(gpa) : NULL;
}

void hvmm_walked_remember(struct hvmm_x86_vcpu *x, struct hvmm_walked *w, u64 gen, u64 key,
			  const struct hvmm_paging_regs *r, const struct hvmm_walk *walk)
{
	unsigned int i;

	w->gen = 0;
	if (!(r->efer & EFER_LMA) || !walk->nr || walk->nr > HVMM_WALKED_LEVELS)
		return;
	for (i = 0; i < walk->nr; i++) {
		w->entry[i] = lookup(x, walk->step[i].gpa);
		w->val[i] = walk->step[i].val;
		if (!w->entry[i])
			return;
	}
	/* All are looked at: a walk that took fewer sees its first one again. */
	for (; i < HVMM_WALKED_LEVELS; i++) {
		w->entry[i] = w->entry[0];
		w->val[i] = w->val[0];
	}
	w->key = key;
	w->cr0 = r->cr0;
	w->cr3 = r->cr3;
	w->cr4 = r->cr4;
	w->efer = r->efer;
	w->gpa = walk->gpa & PAGE_MASK;
	w->page = lookup(x, w->gpa);
	w->gen = gen;
}

const void *hvmm_code_at(struct hvmm_x86_vcpu *x, u64 rip)
{
	const atomic64_t *gen = &x->vcpu.vm->mem.tlb_gen;
	struct hvmm_walked *w = hvmm_code_slot(x, rip);
	struct hvmm_paging_regs r;
	struct hvmm_walk walk;
	u64 before;

	RCU_LOCKDEP_WARN(preemptible(), "guest memory is looked at without protection");
	hvmm_arch->get_paging(x, &r);
	if (!hvmm_walked_holds(w, gen, (w->key ^ rip) & PAGE_MASK, r.cr0, r.cr3, r.cr4, r.efer)) {
		before = atomic64_read_acquire(gen);
		if (hvmm_walk_fetch(x, &r, rip, &walk))
			return NULL;
		hvmm_walked_remember(x, w, before, rip & PAGE_MASK, &r, &walk);
		if (!w->gen)
			return NULL;
		if (!w->page) {
			w->gen = 0;
			return NULL;
		}
	}
	return w->page + offset_in_page(rip);
}
