// SPDX-License-Identifier: GPL-2.0
/*
 * Local APIC: modes, acceptance, priorities and local sources. The timer is in
 * lapic_timer.c, the register file in lapic_io.c; lapic.h says who may call what.
 */
#include <linux/errno.h>

#include "dev/lapic_priv.h"

static int highest_bit(const unsigned long *map)
{
	int i;

	for (i = HVMM_LAPIC_WORDS - 1; i >= 0; i--) {
		unsigned long word = READ_ONCE(map[i]);

		if (word)
			return i * BITS_PER_LONG + __fls(word);
	}
	return -1;
}

static void clear_map(unsigned long *map)
{
	int i;

	for (i = 0; i < HVMM_LAPIC_WORDS; i++)
		WRITE_ONCE(map[i], 0);
}

/* SDM vol. 3, 11.8.3.1; APM vol. 2, 16.6.4. */
void hvmm_lapic_update_ppr(struct hvmm_lapic *l)
{
	int isr = highest_bit(l->isr);
	u8 ppr = l->tpr;

	if (isr >= 0 && (isr & 0xf0) > (l->tpr & 0xf0))
		ppr = isr & 0xf0;
	WRITE_ONCE(l->ppr, ppr);
}

void hvmm_lapic_set_tpr_byte(struct hvmm_lapic *l, u8 tpr)
{
	l->tpr = tpr;
	hvmm_lapic_update_ppr(l);
}

void hvmm_lapic_set_tpr(struct hvmm_lapic *l, u8 cr8)
{
	hvmm_lapic_set_tpr_byte(l, (cr8 & 0xf) << 4);
}

/* Pentium and AMD processors only; APM vol. 2, 16.6.4. */
u8 hvmm_lapic_apr(struct hvmm_lapic *l)
{
	int irr = highest_bit(l->irr);
	int isr = highest_bit(l->isr);
	u8 tpr = l->tpr & 0xf0;
	u8 irr_class = irr < 0 ? 0 : irr & 0xf0;
	u8 isr_class = isr < 0 ? 0 : isr & 0xf0;

	if (tpr >= irr_class && tpr > isr_class)
		return l->tpr;
	if (irr_class > isr_class)
		return irr_class;
	return isr_class;
}

static u32 x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | BIT(id & 0xf);
}

static void set_mode(struct hvmm_lapic *l, enum hvmm_lapic_mode mode)
{
	WRITE_ONCE(l->id, mode == HVMM_LAPIC_X2APIC ? l->cfg.id : l->cfg.id & 0xff);
	if (mode == HVMM_LAPIC_X2APIC)
		WRITE_ONCE(l->ldr, x2apic_ldr(l->cfg.id));
	else
		WRITE_ONCE(l->ldr, 0);
	WRITE_ONCE(l->mode, mode);
}

/* The state after power-up: SDM vol. 3, 11.4.7.1. Mode and ID are the caller's. */
static void reset_regs(struct hvmm_lapic *l)
{
	int i;

	WRITE_ONCE(l->svr, 0xff);
	WRITE_ONCE(l->dfr, ~0U);
	WRITE_ONCE(l->ldr, l->mode == HVMM_LAPIC_X2APIC ? x2apic_ldr(l->cfg.id) : 0);
	for (i = 0; i < HVMM_LVT_NR; i++)
		WRITE_ONCE(l->lvt[i], HVMM_APIC_LVT_MASKED);
	clear_map(l->irr);
	clear_map(l->tmr);
	clear_map(l->isr);
	WRITE_ONCE(l->esr_pending, 0);
	l->esr = 0;
	l->icr = 0;
	l->timer_init = 0;
	l->timer_div = 0;
	l->timer_running = false;
	l->timer_expiry = 0;
	l->tsc_deadline = 0;
	hvmm_lapic_set_tpr_byte(l, 0);
	WRITE_ONCE(l->irr_pending, 0);
}

void hvmm_lapic_init(struct hvmm_lapic *l, const struct hvmm_lapic_ops *ops,
		     const struct hvmm_lapic_config *cfg)
{
	*l = (struct hvmm_lapic) {
		.ops = ops,
		.cfg = *cfg,
		.base = HVMM_APIC_DEFAULT_BASE | HVMM_APIC_BASE_EN |
			(cfg->bsp ? HVMM_APIC_BASE_BSP : 0),
	};
	set_mode(l, HVMM_LAPIC_XAPIC);
	reset_regs(l);
}

void hvmm_lapic_reset(struct hvmm_lapic *l, bool init)
{
	if (!init) {
		l->base = HVMM_APIC_DEFAULT_BASE | HVMM_APIC_BASE_EN |
			  (l->cfg.bsp ? HVMM_APIC_BASE_BSP : 0);
		set_mode(l, HVMM_LAPIC_XAPIC);
	}
	reset_regs(l);
	hvmm_lapic_timer_program(l);
}

static enum hvmm_lapic_mode base_mode(u64 base)
{
	if (!(base & HVMM_APIC_BASE_EN))
		return HVMM_LAPIC_DISABLED;
	return base & HVMM_APIC_BASE_EXTD ? HVMM_LAPIC_X2APIC : HVMM_LAPIC_XAPIC;
}

int hvmm_lapic_set_base(struct hvmm_lapic *l, u64 val)
{
	enum hvmm_lapic_mode from = l->mode, to = base_mode(val);
	u64 flags = HVMM_APIC_BASE_BSP | HVMM_APIC_BASE_EN;
	u64 page = GENMASK_ULL(l->cfg.phys_bits - 1, 12);

	if (l->cfg.x2apic)
		flags |= HVMM_APIC_BASE_EXTD;
	if (val & ~(flags | page))
		return -EINVAL;

	/* SDM vol. 3, 11.12.5: figure 11-27 and table 11-5. */
	if ((val & HVMM_APIC_BASE_EXTD) && !(val & HVMM_APIC_BASE_EN))
		return -EINVAL;
	if (from == HVMM_LAPIC_DISABLED && to == HVMM_LAPIC_X2APIC)
		return -EINVAL;
	if (from == HVMM_LAPIC_X2APIC && to == HVMM_LAPIC_XAPIC)
		return -EINVAL;

	l->base = (val & ~HVMM_APIC_BASE_BSP) | (l->cfg.bsp ? HVMM_APIC_BASE_BSP : 0);
	if (from == to)
		return 0;

	if (from == HVMM_LAPIC_XAPIC && to == HVMM_LAPIC_X2APIC)
		l->icr = (u32)l->icr;	/* ICR_HIGH has no meaning there */
	set_mode(l, to);
	if (to == HVMM_LAPIC_DISABLED) {
		reset_regs(l);
		hvmm_lapic_timer_program(l);
	} else if (from == HVMM_LAPIC_DISABLED) {
		/* A sender may have looked at the mode before it changed. */
		clear_map(l->irr);
		WRITE_ONCE(l->irr_pending, 0);
	}
	return 0;
}

void hvmm_lapic_error(struct hvmm_lapic *l, unsigned int bit)
{
	u32 lvt = READ_ONCE(l->lvt[HVMM_LVT_ERROR]);

	set_bit(bit, &l->esr_pending);
	if (lvt & HVMM_APIC_LVT_MASKED)
		return;
	/* An illegal vector here is an error too, but must not recurse. */
	if ((lvt & HVMM_APIC_LVT_VECTOR) < 16)
		set_bit(HVMM_APIC_ESR_RECV_VECTOR, &l->esr_pending);
	else
		hvmm_lapic_accept(l, lvt & HVMM_APIC_LVT_VECTOR, false);
}

bool hvmm_lapic_accept(struct hvmm_lapic *l, u8 vector, bool level)
{
	if (!hvmm_lapic_accepts(l))
		return false;
	if (vector < 16) {
		hvmm_lapic_error(l, HVMM_APIC_ESR_RECV_VECTOR);
		return false;
	}

	/* The trigger mode must be there when the owner sees the request. */
	if (level && !test_bit(vector, l->tmr))
		set_bit(vector, l->tmr);
	else if (!level && test_bit(vector, l->tmr))
		clear_bit(vector, l->tmr);

	if (test_and_set_bit(vector, l->irr))
		return false;
	/* After the IRR, and before kick() looks at what the vCPU is doing. */
	smp_store_mb(l->irr_pending, 1);
	l->ops->kick(l);
	return true;
}

bool hvmm_lapic_signal(struct hvmm_lapic *l, const struct hvmm_msg *msg)
{
	switch (msg->delivery) {
	case HVMM_DELIVER_FIXED:
	case HVMM_DELIVER_LOWEST:
		if (!hvmm_lapic_accepts(l) || (msg->level_trig && !msg->assert))
			return false;
		hvmm_lapic_accept(l, msg->vector, msg->level_trig);
		return msg->vector >= 16;
	case HVMM_DELIVER_INIT:
		/* INIT level de-assert has no effect (SDM vol. 3, 11.6.1). */
		if (msg->level_trig && !msg->assert)
			return false;
		fallthrough;
	case HVMM_DELIVER_SMI:
	case HVMM_DELIVER_NMI:
	case HVMM_DELIVER_SIPI:
		/* SVR's enable bit does not stop these (SDM vol. 3, 11.4.7.2). */
		if (READ_ONCE(l->mode) == HVMM_LAPIC_DISABLED)
			return false;
		l->ops->event(l, msg->delivery, msg->vector);
		return true;
	default:
		return false;
	}
}

bool hvmm_lapic_local(struct hvmm_lapic *l, enum hvmm_lapic_lvt entry)
{
	u32 lvt = l->lvt[entry];
	struct hvmm_msg msg = {
		.vector = lvt & HVMM_APIC_LVT_VECTOR,
		.delivery = lvt >> 8 & 7,
		.assert = true,
	};

	if (l->mode == HVMM_LAPIC_DISABLED || (lvt & HVMM_APIC_LVT_MASKED))
		return false;
	/* SDM vol. 3, 11.5.1: a performance interrupt masks its entry. */
	if (entry == HVMM_LVT_PERF)
		WRITE_ONCE(l->lvt[entry], lvt | HVMM_APIC_LVT_MASKED);
	/* Only these have a meaning in the table (SDM vol. 3, 11.5.1). */
	switch (msg.delivery) {
	case HVMM_DELIVER_FIXED:
	case HVMM_DELIVER_SMI:
	case HVMM_DELIVER_NMI:
	case HVMM_DELIVER_INIT:
		return hvmm_lapic_signal(l, &msg);
	default:
		return false;
	}
}

int hvmm_lapic_highest_irr(struct hvmm_lapic *l)
{
	int irr;

	if (!READ_ONCE(l->irr_pending))
		return -1;
	irr = highest_bit(l->irr);
	if (irr >= 0)
		return irr;

	/* Hint first, IRR second: a sender does it the other way round. */
	smp_store_mb(l->irr_pending, 0);
	irr = highest_bit(l->irr);
	if (irr >= 0)
		WRITE_ONCE(l->irr_pending, 1);
	return irr;
}

int __hvmm_lapic_pending(struct hvmm_lapic *l)
{
	int irr = hvmm_lapic_highest_irr(l);

	if (irr < 0 || (irr & 0xf0) <= (l->ppr & 0xf0) || l->mode == HVMM_LAPIC_DISABLED)
		return -1;
	return irr;
}

void hvmm_lapic_ack(struct hvmm_lapic *l, u8 vector)
{
	__set_bit(vector, l->isr);
	clear_bit(vector, l->irr);
	hvmm_lapic_update_ppr(l);
}

bool hvmm_lapic_alone(struct hvmm_lapic *l, u8 vector)
{
	int i;

	if (test_bit(vector, l->tmr) || hvmm_lapic_highest_irr(l) >= 0)
		return false;
	for (i = 0; i < HVMM_LAPIC_WORDS; i++)
		if (l->isr[i] != (i == vector / BITS_PER_LONG ? BIT(vector % BITS_PER_LONG) : 0))
			return false;
	return true;
}

void hvmm_lapic_ended(struct hvmm_lapic *l, u8 vector)
{
	if (test_bit(vector, l->tmr) && !(l->svr & HVMM_APIC_SVR_NO_BCAST))
		l->ops->eoi(l, vector);
}

void hvmm_lapic_eoi(struct hvmm_lapic *l)
{
	int vector = highest_bit(l->isr);

	if (vector < 0)
		return;
	__clear_bit(vector, l->isr);
	hvmm_lapic_update_ppr(l);
	hvmm_lapic_ended(l, vector);
}
