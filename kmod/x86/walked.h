/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walks of the guest's page tables that are remembered. The same few instructions exit again and
 * again, and touch the same few pages: the entries through which a page was reached are looked at
 * again instead of being searched for. That is a walk like any other: it sees the values that
 * memory has now, and where one is not what it was, a whole walk follows.
 */
#ifndef HVMM_X86_WALKED_H
#define HVMM_X86_WALKED_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/types.h>

/* Without LA57, which guests are not offered. */
#define HVMM_WALKED_LEVELS	4
/* Of each kind; a power of two. */
#define HVMM_WALKED_PAGES	2

/**
 * struct hvmm_walked - a page, and how it was reached
 * @gen: &hvmm_mem.tlb_gen then; while it is the same, @entry and @page are what they were
 * @key: the page's linear address, in its low bits how it was accessed
 * @cr0: the registers that govern a walk, as they were
 * @cr3: likewise
 * @cr4: likewise
 * @efer: likewise
 * @entry: the entries of the guest's page tables; where they are fewer, the first one again
 * @val: what they held
 * @gpa: where they lead
 * @page: the page, %NULL if it is not RAM
 */
struct hvmm_walked {
	u64 gen;
	u64 key;
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	const u64 *entry[HVMM_WALKED_LEVELS];
	u64 val[HVMM_WALKED_LEVELS];
	u64 gpa;
	const void *page;
} ____cacheline_aligned;

/**
 * hvmm_walked_holds - whether a walk would come to the same page again
 * @w: the walk that is remembered
 * @gen: &hvmm_mem.tlb_gen
 * @other: not 0 if it is another page, or another kind of access
 * @cr0: the registers that govern a walk
 * @cr3: likewise
 * @cr4: likewise
 * @efer: likewise
 *
 * Context: preemption off. A page that is unmapped stays until those have gone on who run so
 * and look at it: hvmm_mem_unmap() counts first and waits then.
 */
static __always_inline bool hvmm_walked_holds(const struct hvmm_walked *w, const atomic64_t *gen,
					      u64 other, u64 cr0, u64 cr3, u64 cr4, u64 efer)
{
	u64 changed = other;

	changed |= w->gen ^ atomic64_read_acquire(gen);
	changed |= (w->cr0 ^ cr0) | (w->cr3 ^ cr3) | (w->cr4 ^ cr4);
	changed |= w->efer ^ efer;
	if (unlikely(changed))
		return false;
	changed = READ_ONCE(*w->entry[0]) ^ w->val[0];
	changed |= READ_ONCE(*w->entry[1]) ^ w->val[1];
	changed |= READ_ONCE(*w->entry[2]) ^ w->val[2];
	changed |= READ_ONCE(*w->entry[3]) ^ w->val[3];
	return likely(!changed);
}

struct hvmm_paging_regs;
struct hvmm_walk;
struct hvmm_x86_vcpu;

/**
 * hvmm_walked_remember - remember a walk that has succeeded
 * @x: the vCPU
 * @w: where
 * @gen: &hvmm_mem.tlb_gen from before the walk: what goes away meanwhile changes it
 * @key: &hvmm_walked.key
 * @r: the registers that governed it
 * @walk: the walk
 *
 * Only long mode's are. Nothing is remembered otherwise, nor where a table is not mapped any more.
 *
 * Context: as hvmm_walked_holds().
 */
void hvmm_walked_remember(struct hvmm_x86_vcpu *x, struct hvmm_walked *w, u64 gen, u64 key,
			  const struct hvmm_paging_regs *r, const struct hvmm_walk *walk);

/**
 * hvmm_code_at - bytes of an instruction that has exited
 * @x: the vCPU, in 64-bit mode: no segments are in the way
 * @rip: its RIP, from which the processor has fetched just now
 *
 * That it could is why its privilege is not asked for: the page is the same for all.
 *
 * Context: as hvmm_walked_holds(), for as long as the bytes are looked at.
 * Return: the bytes up to the end of the page; %NULL where hvmm_fetch() must look.
 */
const void *hvmm_code_at(struct hvmm_x86_vcpu *x, u64 rip);

#endif
