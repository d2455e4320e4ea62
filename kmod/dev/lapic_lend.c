// SPDX-License-Identifier: GPL-2.0
/*
 * Requests and interrupts in service of a local APIC, lent to a processor that delivers
 * and ends them by itself while the guest runs.
 */
#include <linux/atomic.h>

#include "dev/lapic_priv.h"

/* 32 bits at the beginning of 16 bytes. */
static u32 *word(void *page, u32 offset, unsigned int n)
{
	return page + offset + n * 16;
}

static void write_map(void *page, u32 offset, unsigned int i, u64 bits)
{
	*word(page, offset, i * 2) = bits;
	*word(page, offset, i * 2 + 1) = bits >> 32;
}

/* Takes the bits out. */
static u64 take_map(void *page, u32 offset, unsigned int i)
{
	u64 bits = *word(page, offset, i * 2) | (u64)*word(page, offset, i * 2 + 1) << 32;

	if (bits)
		write_map(page, offset, i, 0);
	return bits;
}

static u8 highest(u8 so_far, unsigned int i, u64 bits)
{
	return bits ? i * 64 + __fls(bits) : so_far;
}

struct hvmm_lapic_loan hvmm_lapic_lend(struct hvmm_lapic *l, void *page)
{
	struct hvmm_lapic_loan loan = {};
	unsigned int i;
	u64 bits;

	/* Hint first, IRR second: a sender does it the other way round. */
	smp_store_mb(l->irr_pending, 0);
	for (i = 0; i < HVMM_LAPIC_WORDS; i++) {
		bits = READ_ONCE(l->irr[i]) ? xchg(&l->irr[i], 0) : 0;
		loan.requested = highest(loan.requested, i, bits);
		loan.nr += hweight64(bits);
		write_map(page, HVMM_APIC_IRR, i, bits);
		loan.in_service = highest(loan.in_service, i, l->isr[i]);
		write_map(page, HVMM_APIC_ISR, i, l->isr[i]);
	}
	return loan;
}

unsigned int hvmm_lapic_take_back(struct hvmm_lapic *l, void *page)
{
	unsigned int i, bit, left = 0;
	u64 bits;

	for (i = 0; i < HVMM_LAPIC_WORDS; i++) {
		l->isr[i] = take_map(page, HVMM_APIC_ISR, i);
		bits = take_map(page, HVMM_APIC_IRR, i);
		left += hweight64(bits);
		/* Senders set others at the same time. */
		for (; bits; bits &= bits - 1) {
			bit = i * 64 + __ffs(bits);
			set_bit(bit, l->irr);
		}
	}
	if (left)
		WRITE_ONCE(l->irr_pending, 1);
	hvmm_lapic_update_ppr(l);
	return left;
}
