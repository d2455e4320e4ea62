// SPDX-License-Identifier: GPL-2.0
/* Routing of interrupt messages to local APICs. */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/nospec.h>

#include "dev/irq.h"
#include "dev/lapic.h"

#define HVMM_BROADCAST_8	0xffU
#define HVMM_BROADCAST_32	0xffffffffU

static bool is_broadcast(const struct hvmm_msg *msg)
{
	return msg->dest == (msg->wide ? HVMM_BROADCAST_32 : HVMM_BROADCAST_8);
}

static bool match_physical(const struct hvmm_lapic *l, const struct hvmm_msg *msg)
{
	return is_broadcast(msg) || READ_ONCE(l->id) == msg->dest;
}

/* SDM vol. 3, 11.6.2.2 (xAPIC) and 11.12.10.1 (x2APIC). */
static bool match_logical(const struct hvmm_lapic *l, const struct hvmm_msg *msg, u8 mode)
{
	u32 ldr = READ_ONCE(l->ldr);
	u32 dest = msg->dest;

	if (mode == HVMM_LAPIC_X2APIC) {
		/* An 8-bit destination is extended with zeros: cluster 0. */
		if (msg->wide && is_broadcast(msg))
			return true;
		return dest >> 16 == ldr >> 16 && (dest & ldr & 0xffff);
	}

	if (is_broadcast(msg))
		return true;
	if (dest > 0xff)
		return false;

	ldr >>= 24;
	switch (READ_ONCE(l->dfr) >> 28) {
	case 0xf:
		return dest & ldr;
	case 0:
		return dest >> 4 == ldr >> 4 && (dest & ldr & 0xf);
	default:
		return false;
	}
}

static bool match(const struct hvmm_lapic *l, const struct hvmm_lapic *src,
		  const struct hvmm_msg *msg)
{
	u8 mode = READ_ONCE(l->mode);

	if (mode == HVMM_LAPIC_DISABLED)
		return false;

	switch (msg->shorthand) {
	case HVMM_SHORTHAND_SELF:
		return l == src;
	case HVMM_SHORTHAND_ALL:
		return true;
	case HVMM_SHORTHAND_OTHERS:
		return l != src;
	default:
		return msg->logical ? match_logical(l, msg, mode) : match_physical(l, msg);
	}
}

/*
 * The processor of lowest priority; equals take turns. Priorities of running vCPUs
 * change under our hands, as they do on hardware: the choice is a matter of speed.
 */
static int deliver_lowest(struct hvmm_irq_router *r, const struct hvmm_lapic *src,
			  const struct hvmm_msg *msg)
{
	unsigned int nr = READ_ONCE(r->nr);
	struct hvmm_lapic *best = NULL;
	unsigned int i, n;
	u8 best_ppr = 0;

	if (!nr)
		return 0;

	i = (unsigned int)atomic_inc_return(&r->turn) % nr;
	for (n = 0; n < nr; n++, i = i + 1 == nr ? 0 : i + 1) {
		struct hvmm_lapic *l = READ_ONCE(r->lapics[i]);
		u8 ppr;

		if (!l || !match(l, src, msg) || !hvmm_lapic_accepts(l))
			continue;
		ppr = READ_ONCE(l->ppr) & 0xf0;
		if (!best || ppr < best_ppr) {
			best = l;
			best_ppr = ppr;
		}
	}
	return best && hvmm_lapic_signal(best, msg);
}

int hvmm_irq_deliver(struct hvmm_irq_router *r, struct hvmm_lapic *src,
		     const struct hvmm_msg *msg)
{
	unsigned int nr = READ_ONCE(r->nr);
	struct hvmm_lapic *l;
	unsigned int i;
	int taken = 0;

	if (msg->shorthand == HVMM_SHORTHAND_SELF)
		return src && match(src, src, msg) && hvmm_lapic_signal(src, msg);

	if (msg->delivery == HVMM_DELIVER_LOWEST)
		return deliver_lowest(r, src, msg);

	/*
	 * The usual case: one target, found by its index. Should a guest give two
	 * APICs the same ID, the one where it belongs gets the message.
	 */
	if (msg->shorthand == HVMM_SHORTHAND_NONE && !msg->logical && !is_broadcast(msg) &&
	    msg->dest < nr) {
		l = READ_ONCE(r->lapics[array_index_nospec(msg->dest, nr)]);
		if (l && match(l, src, msg))
			return hvmm_lapic_signal(l, msg);
	}

	for (i = 0; i < nr; i++) {
		l = READ_ONCE(r->lapics[i]);
		if (l && match(l, src, msg))
			taken += hvmm_lapic_signal(l, msg);
	}
	return taken;
}

int hvmm_msi_decode(u64 addr, u32 data, struct hvmm_msg *msg)
{
	bool redirect = addr & BIT_ULL(3);

	if (addr >> 20 != 0xfee)
		return -EINVAL;

	*msg = (struct hvmm_msg) {
		.dest = (addr >> 12 & 0xff) | (addr >> 5 & 0x7f) << 8,
		.vector = data,
		.delivery = data >> 8 & 7,
		.logical = addr & BIT_ULL(2),
		.level_trig = data & BIT(15),
		.assert = !(data & BIT(15)) || (data & BIT(14)),
	};

	/* A redirection hint asks for one of the addressed (SDM vol. 3, 11.11.1). */
	if (redirect && msg->logical && msg->delivery == HVMM_DELIVER_FIXED)
		msg->delivery = HVMM_DELIVER_LOWEST;
	return 0;
}

int hvmm_msi_deliver(struct hvmm_irq_router *r, u64 addr, u32 data)
{
	struct hvmm_msg msg;
	int err = hvmm_msi_decode(addr, data, &msg);

	return err ? err : hvmm_irq_deliver(r, NULL, &msg);
}
