// SPDX-License-Identifier: GPL-2.0
/*
 * Registers of the local APIC as the guest sees them: the xAPIC page and the x2APIC
 * MSRs (SDM vol. 3, tables 11-1 and 11-6).
 */
#include <linux/atomic.h>
#include <linux/errno.h>

#include "dev/lapic_priv.h"

#define LVT_COMMON	(HVMM_APIC_LVT_VECTOR | HVMM_APIC_LVT_MASKED)
#define LVT_LINT	(LVT_COMMON | HVMM_APIC_LVT_DELIVERY | HVMM_APIC_LVT_POLARITY | \
			 HVMM_APIC_LVT_LEVEL)

/* ICR[31:20], [17:16] and [13]; [12] is accepted and reads as 0, as on KVM. */
#define ICR_RESERVED	0xfff32000U
#define ICR_KEPT	0x000ccfffU

static enum hvmm_lapic_lvt lvt_index(u32 offset)
{
	return (offset - HVMM_APIC_LVT_TIMER) >> 4;
}

static u32 lvt_writable(const struct hvmm_lapic *l, enum hvmm_lapic_lvt entry)
{
	switch (entry) {
	case HVMM_LVT_TIMER:
		return LVT_COMMON | HVMM_APIC_LVT_PERIODIC |
		       (l->cfg.tsc_deadline ? HVMM_APIC_LVT_DEADLINE : 0);
	case HVMM_LVT_LINT0:
	case HVMM_LVT_LINT1:
		return LVT_LINT;
	case HVMM_LVT_THERMAL:
	case HVMM_LVT_PERF:
		return LVT_COMMON | HVMM_APIC_LVT_DELIVERY;
	default:
		return LVT_COMMON;
	}
}

static u32 lvt_read_only(enum hvmm_lapic_lvt entry)
{
	bool lint = entry == HVMM_LVT_LINT0 || entry == HVMM_LVT_LINT1;

	return HVMM_APIC_LVT_STATUS | (lint ? HVMM_APIC_LVT_RIRR : 0);
}

static void write_lvt(struct hvmm_lapic *l, enum hvmm_lapic_lvt entry, u32 val)
{
	val &= lvt_writable(l, entry);
	/* While software-disabled the mask bits stay set (SDM vol. 3, 11.4.7.2). */
	if (!(l->svr & HVMM_APIC_SVR_ENABLE))
		val |= HVMM_APIC_LVT_MASKED;
	if (entry == HVMM_LVT_TIMER)
		hvmm_lapic_timer_set_lvt(l, val);
	else
		WRITE_ONCE(l->lvt[entry], val);
}

static u32 svr_writable(const struct hvmm_lapic *l)
{
	return HVMM_APIC_SVR_VECTOR | HVMM_APIC_SVR_ENABLE | HVMM_APIC_SVR_FOCUS |
	       (l->cfg.directed_eoi ? HVMM_APIC_SVR_NO_BCAST : 0);
}

static void write_svr(struct hvmm_lapic *l, u32 val)
{
	int i;

	WRITE_ONCE(l->svr, val & svr_writable(l));
	if (!(val & HVMM_APIC_SVR_ENABLE))
		for (i = 0; i < HVMM_LVT_NR; i++)
			write_lvt(l, i, l->lvt[i]);
}

static void send_ipi(struct hvmm_lapic *l)
{
	u32 icr = l->icr;
	bool wide = l->mode == HVMM_LAPIC_X2APIC;
	struct hvmm_msg msg = {
		.dest = wide ? l->icr >> 32 : l->icr >> 56,
		.vector = icr,
		.delivery = icr >> 8 & 7,
		.shorthand = icr >> 18 & 3,
		.logical = icr & HVMM_APIC_ICR_LOGICAL,
		.assert = true,
		.wide = wide,
	};

	switch (msg.delivery) {
	case HVMM_DELIVER_FIXED:
	case HVMM_DELIVER_LOWEST:
		if (msg.vector < 16) {
			hvmm_lapic_error(l, HVMM_APIC_ESR_SEND_VECTOR);
			return;
		}
		break;
	case HVMM_DELIVER_INIT:
		/* The only IPI whose trigger mode counts (SDM vol. 3, 11.6.1). */
		msg.level_trig = icr & HVMM_APIC_ICR_LEVEL;
		msg.assert = icr & HVMM_APIC_ICR_ASSERT;
		break;
	default:
		break;
	}

	if (msg.shorthand == HVMM_SHORTHAND_SELF)
		hvmm_lapic_signal(l, &msg);
	else
		l->ops->ipi(l, &msg);
}

static u32 read_map(const unsigned long *map, u32 offset)
{
	unsigned int n = offset >> 4 & 7;	/* 32-bit words, one in each 16 bytes */

	return READ_ONCE(map[n * 32 / BITS_PER_LONG]) >> (n * 32 % BITS_PER_LONG);
}

/* Registers of both modes, and those of xAPIC mode only. -EINVAL: there is none. */
static int read_reg(struct hvmm_lapic *l, u32 offset, u32 *val)
{
	bool x2apic = l->mode == HVMM_LAPIC_X2APIC;

	switch (offset) {
	case HVMM_APIC_ID:
		*val = x2apic ? l->id : l->id << 24;
		return 0;
	case HVMM_APIC_VERSION:
		*val = 0x14 | (HVMM_LVT_NR - 1) << 16 |
		       (l->cfg.directed_eoi ? HVMM_APIC_VERSION_DIRECTED_EOI : 0);
		return 0;
	case HVMM_APIC_TPR:
		*val = l->tpr;
		return 0;
	case HVMM_APIC_PPR:
		*val = l->ppr;
		return 0;
	case HVMM_APIC_LDR:
		*val = l->ldr;
		return 0;
	case HVMM_APIC_SVR:
		*val = l->svr;
		return 0;
	case HVMM_APIC_ISR ... HVMM_APIC_ISR + 0x70:
		*val = read_map(l->isr, offset);
		return 0;
	case HVMM_APIC_TMR ... HVMM_APIC_TMR + 0x70:
		*val = read_map(l->tmr, offset);
		return 0;
	case HVMM_APIC_IRR ... HVMM_APIC_IRR + 0x70:
		*val = read_map(l->irr, offset);
		return 0;
	case HVMM_APIC_ESR:
		*val = l->esr;
		return 0;
	case HVMM_APIC_ICR:
		*val = l->icr;
		return 0;
	case HVMM_APIC_LVT_TIMER ... HVMM_APIC_LVT_ERROR:
		*val = l->lvt[lvt_index(offset)];
		return 0;
	case HVMM_APIC_TIMER_INIT:
		*val = l->timer_init;
		return 0;
	case HVMM_APIC_TIMER_COUNT:
		*val = hvmm_lapic_timer_count(l);
		return 0;
	case HVMM_APIC_TIMER_DIV:
		*val = l->timer_div;
		return 0;
	default:
		break;
	}

	if (x2apic)
		return -EINVAL;
	switch (offset) {
	case HVMM_APIC_APR:
		*val = hvmm_lapic_apr(l);
		return 0;
	case HVMM_APIC_DFR:
		*val = l->dfr;
		return 0;
	case HVMM_APIC_ICR_HIGH:
		*val = l->icr >> 32;
		return 0;
	case HVMM_APIC_EOI:
	case HVMM_APIC_RRD:
		*val = 0;
		return 0;
	default:
		return -EINVAL;
	}
}

/* Registers of both modes; @val is checked. -EINVAL: none that can be written. */
static int write_reg(struct hvmm_lapic *l, u32 offset, u32 val)
{
	switch (offset) {
	case HVMM_APIC_TPR:
		hvmm_lapic_set_tpr_byte(l, val);
		return 0;
	case HVMM_APIC_EOI:
		hvmm_lapic_eoi(l);
		return 0;
	case HVMM_APIC_SVR:
		write_svr(l, val);
		return 0;
	case HVMM_APIC_ESR:
		/* A write latches what happened since the last (SDM vol. 3, 11.5.3). */
		l->esr = xchg(&l->esr_pending, 0);
		return 0;
	case HVMM_APIC_LVT_TIMER ... HVMM_APIC_LVT_ERROR:
		write_lvt(l, lvt_index(offset), val);
		return 0;
	case HVMM_APIC_TIMER_INIT:
		hvmm_lapic_timer_set_init(l, val);
		return 0;
	case HVMM_APIC_TIMER_DIV:
		hvmm_lapic_timer_set_div(l, val & 0xb);
		return 0;
	default:
		return -EINVAL;
	}
}

bool hvmm_lapic_read(struct hvmm_lapic *l, u32 offset, u32 *val)
{
	if (l->mode != HVMM_LAPIC_XAPIC) {
		*val = ~0U;
		return false;
	}

	*val = 0;
	if (!(offset & 0xc) && read_reg(l, offset & 0xff0, val))
		hvmm_lapic_error(l, HVMM_APIC_ESR_REGISTER);
	return true;
}

bool hvmm_lapic_write(struct hvmm_lapic *l, u32 offset, u32 val)
{
	u32 old;

	if (l->mode != HVMM_LAPIC_XAPIC)
		return false;
	if (offset & 0xf)
		return true;

	offset &= 0xff0;
	switch (offset) {
	case HVMM_APIC_ID:
		WRITE_ONCE(l->id, val >> 24);
		return true;
	case HVMM_APIC_LDR:
		WRITE_ONCE(l->ldr, val & 0xff000000);
		return true;
	case HVMM_APIC_DFR:
		WRITE_ONCE(l->dfr, val | 0x0fffffff);
		return true;
	case HVMM_APIC_ICR:
		l->icr = (l->icr & ~0xffffffffULL) | (val & ICR_KEPT);
		send_ipi(l);
		return true;
	case HVMM_APIC_ICR_HIGH:
		l->icr = (u64)(val & 0xff000000) << 32 | (u32)l->icr;
		return true;
	default:
		break;
	}

	/* Writes to read-only registers are lost, those to reserved ones an error. */
	if (write_reg(l, offset, val) && read_reg(l, offset, &old))
		hvmm_lapic_error(l, HVMM_APIC_ESR_REGISTER);
	return true;
}

u64 hvmm_lapic_mmio_read(struct hvmm_lapic *l, u32 offset, unsigned int len)
{
	u64 mask = len < 8 ? BIT_ULL(len * 8) - 1 : ~0ULL;
	u32 val;

	if (!hvmm_lapic_read(l, offset, &val))
		return mask;
	/* Shifting in zeros: there is nothing after the register's four bytes. */
	return (u64)val >> (offset & 3) * 8 & mask;
}

void hvmm_lapic_mmio_write(struct hvmm_lapic *l, u32 offset, unsigned int len, u64 val)
{
	if (len == 4)
		hvmm_lapic_write(l, offset, val);
}

int hvmm_lapic_msr_read(struct hvmm_lapic *l, u32 msr, u64 *val)
{
	u32 offset = (msr - HVMM_MSR_X2APIC_FIRST) << 4;
	u32 reg;

	if (l->mode != HVMM_LAPIC_X2APIC || msr < HVMM_MSR_X2APIC_FIRST ||
	    msr > HVMM_MSR_X2APIC_LAST)
		return -EINVAL;
	if (offset == HVMM_APIC_ICR) {
		*val = l->icr;
		return 0;
	}
	if (read_reg(l, offset, &reg))
		return -EINVAL;
	*val = reg;
	return 0;
}

/* Bits that may be set in a write to a 32-bit register (SDM vol. 3, 11.12.1.3). */
static u32 x2apic_writable(const struct hvmm_lapic *l, u32 offset)
{
	enum hvmm_lapic_lvt entry;

	switch (offset) {
	case HVMM_APIC_TPR:
	case HVMM_APIC_SELF_IPI:
		return 0xff;
	case HVMM_APIC_SVR:
		return svr_writable(l);
	case HVMM_APIC_LVT_TIMER ... HVMM_APIC_LVT_ERROR:
		entry = lvt_index(offset);
		return lvt_writable(l, entry) | lvt_read_only(entry);
	case HVMM_APIC_TIMER_INIT:
		return ~0U;
	case HVMM_APIC_TIMER_DIV:
		return 0xb;
	default:
		return 0;
	}
}

int hvmm_lapic_msr_write(struct hvmm_lapic *l, u32 msr, u64 val)
{
	u32 offset = (msr - HVMM_MSR_X2APIC_FIRST) << 4;

	if (l->mode != HVMM_LAPIC_X2APIC || msr < HVMM_MSR_X2APIC_FIRST ||
	    msr > HVMM_MSR_X2APIC_LAST)
		return -EINVAL;

	if (offset == HVMM_APIC_ICR) {
		if (val & ICR_RESERVED)
			return -EINVAL;
		l->icr = val & ~(u64)HVMM_APIC_ICR_STATUS;
		send_ipi(l);
		return 0;
	}

	if (val & ~(u64)x2apic_writable(l, offset))
		return -EINVAL;
	if (offset == HVMM_APIC_SELF_IPI) {
		if (val < 16)
			hvmm_lapic_error(l, HVMM_APIC_ESR_SEND_VECTOR);
		else
			hvmm_lapic_accept(l, val, false);
		return 0;
	}
	return write_reg(l, offset, val);
}
