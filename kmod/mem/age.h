/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long ago the leaves of a nested page table were used, kept in the leaves themselves, in
 * bits that the processor ignores.
 */
#ifndef HVMM_MEM_AGE_H
#define HVMM_MEM_AGE_H

#include <linux/bits.h>
#include <linux/types.h>

struct hvmm_tdp;

/* Ages that are told apart: looks since the leaf was last found used; the last means "or more". */
#define HVMM_AGES	16

/*
 * Ignored by hardware in leaves of both formats: 58:52 are available in long-mode page tables
 * (APM vol. 2, 5.4), 56:52 are ignored in EPT leaves (SDM vol. 3, 29.3.2).
 */
#define HVMM_AGE_MASK	GENMASK_ULL(55, 52)
#define HVMM_AGE_SHIFT	52
/* Found used by somebody else than hvmm_tdp_age(), which has not heard of it yet. */
#define HVMM_AGE_USED	BIT_ULL(56)

/**
 * enum hvmm_cold - which leaves are cold enough
 * @HVMM_COLD_OLD: not used since, and found unused twice by hvmm_tdp_age()
 * @HVMM_COLD_UNUSED: not used since anybody looked last; the others are looked at: their
 *                    accessed bit is cleared
 * @HVMM_COLD_SINCE: not used since the last look of any kind
 * @HVMM_COLD_ANY: all
 */
enum hvmm_cold {
	HVMM_COLD_OLD,
	HVMM_COLD_UNUSED,
	HVMM_COLD_SINCE,
	HVMM_COLD_ANY,
};

/**
 * hvmm_tdp_age - look which leaves have been used, and let the others become older
 * @tdp: the table, of a format that has an accessed bit
 * @gfn: in: first frame; out: where to go on, @end or beyond when all is done
 * @end: first frame behind the range
 * @steps: entries to look at, at most
 * @pages: pages by age, added to; %HVMM_AGES of them
 *
 * Takes no lock: a leaf changes by compare-and-exchange, against the processor and whoever
 * removes it. Use that a TLB remembers is not seen until the TLB is flushed.
 *
 * Context: any.
 */
void hvmm_tdp_age(struct hvmm_tdp *tdp, u64 *gfn, u64 end, unsigned int steps, u64 *pages);

/**
 * hvmm_tdp_find_cold - the next cold leaf
 * @tdp: the table
 * @gfn: in: first frame; out: first frame of the leaf, if there is one, else @end or beyond
 * @end: first frame behind the range
 * @cold: which
 * @nr: filled with the leaf's number of frames
 *
 * Where the format has no accessed bit every leaf counts as used, but for %HVMM_COLD_ANY.
 * As hvmm_tdp_age(), without a lock: the leaf may be another a moment later.
 *
 * Context: any.
 * Return: whether there is one.
 */
bool hvmm_tdp_find_cold(struct hvmm_tdp *tdp, u64 *gfn, u64 end, enum hvmm_cold cold, u64 *nr);

#endif
