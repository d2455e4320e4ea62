// SPDX-License-Identifier: GPL-2.0
/* I/O APIC; ioapic.h has the locking. */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/nospec.h>

#include "dev/ioapic.h"

#define IOAPIC_VERSION	(0x20 | (HVMM_IOAPIC_PINS - 1) << 16)

/* Delivery status and remote IRR are read-only; the rest of the low half is RW. */
#define RTE_RO		(HVMM_IOAPIC_RTE_STATUS | HVMM_IOAPIC_RTE_RIRR)
#define RTE_LOW_RW	0x0001afffU
/* Destination, and its extension (KVM_FEATURE_MSI_EXT_DEST_ID). */
#define RTE_HIGH_RW	0xfffe0000U

/* All but fixed and lowest priority are edges whatever the RTE says (82093AA, 3.2.4). */
static bool is_level(u64 rte)
{
	return (rte & HVMM_IOAPIC_RTE_LEVEL) &&
	       HVMM_IOAPIC_RTE_DELIVERY(rte) <= HVMM_DELIVER_LOWEST;
}

static int send(struct hvmm_ioapic *io, unsigned int pin)
{
	u64 rte = io->rte[pin];
	struct hvmm_msg msg = {
		.dest = (u32)(rte >> 56) | (u32)(rte >> 49 & 0x7f) << 8,
		.vector = rte & HVMM_IOAPIC_RTE_VECTOR,
		.delivery = HVMM_IOAPIC_RTE_DELIVERY(rte),
		.logical = rte & HVMM_IOAPIC_RTE_LOGICAL,
		.level_trig = is_level(rte),
		.assert = true,
	};

	return io->ops->deliver(io, &msg);
}

/* Interrupt if a level-triggered pin calls for it. */
static int service_level(struct hvmm_ioapic *io, unsigned int pin)
{
	u64 rte = io->rte[pin];
	int taken;

	if (!is_level(rte) || !io->sources[pin] || (io->held & BIT(pin)) ||
	    (rte & (HVMM_IOAPIC_RTE_MASKED | HVMM_IOAPIC_RTE_RIRR)))
		return 0;

	taken = send(io, pin);
	/* If nobody took it no EOI will come: leave the pin ready for another try. */
	if (taken > 0)
		io->rte[pin] |= HVMM_IOAPIC_RTE_RIRR;
	return taken;
}

int hvmm_ioapic_set_irq(struct hvmm_ioapic *io, unsigned int pin, unsigned int source,
			bool level)
{
	unsigned long flags;
	int taken = 0;
	u32 old;

	if (pin >= HVMM_IOAPIC_PINS || source >= HVMM_IRQ_SOURCES)
		return -EINVAL;
	pin = array_index_nospec(pin, HVMM_IOAPIC_PINS);

	raw_spin_lock_irqsave(&io->lock, flags);
	old = io->sources[pin];
	if (level)
		io->sources[pin] = old | BIT(source);
	else
		io->sources[pin] = old & ~BIT(source);

	if (!io->sources[pin])
		io->storm[pin] = 0;
	else if (is_level(io->rte[pin]))
		taken = service_level(io, pin);
	else if (!old && !(io->rte[pin] & HVMM_IOAPIC_RTE_MASKED))
		taken = send(io, pin);
	raw_spin_unlock_irqrestore(&io->lock, flags);
	return taken;
}

/* Under the lock. Returns whether the storm guard wants defer(). */
static bool after_eoi(struct hvmm_ioapic *io, unsigned int pin)
{
	if (!io->sources[pin])
		return false;
	if (io->ops->defer && ++io->storm[pin] >= HVMM_IOAPIC_STORM_COUNT) {
		io->storm[pin] = 0;
		io->held |= BIT(pin);
		return true;
	}
	service_level(io, pin);
	return false;
}

void hvmm_ioapic_eoi(struct hvmm_ioapic *io, u8 vector)
{
	unsigned long flags, pins = 0;
	bool defer = false;
	unsigned int pin;

	raw_spin_lock_irqsave(&io->lock, flags);
	for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++) {
		if ((io->rte[pin] & HVMM_IOAPIC_RTE_RIRR) &&
		    (io->rte[pin] & HVMM_IOAPIC_RTE_VECTOR) == vector) {
			io->rte[pin] &= ~HVMM_IOAPIC_RTE_RIRR;
			pins |= BIT(pin);
		}
	}
	for (; pins; pins &= pins - 1)
		defer |= after_eoi(io, __ffs(pins));
	raw_spin_unlock_irqrestore(&io->lock, flags);
	if (defer)
		io->ops->defer(io);
}

void hvmm_ioapic_resume(struct hvmm_ioapic *io)
{
	unsigned long flags, todo;

	raw_spin_lock_irqsave(&io->lock, flags);
	todo = io->held;
	io->held = 0;
	for (; todo; todo &= todo - 1)
		service_level(io, __ffs(todo));
	raw_spin_unlock_irqrestore(&io->lock, flags);
}

static u32 read_window(const struct hvmm_ioapic *io)
{
	unsigned int n = io->select - HVMM_IOAPIC_REG_RTE;
	u64 rte;

	switch (io->select) {
	case HVMM_IOAPIC_REG_ID:
	case HVMM_IOAPIC_REG_ARB:
		return io->id;
	case HVMM_IOAPIC_REG_VERSION:
		return IOAPIC_VERSION;
	default:
		if (io->select < HVMM_IOAPIC_REG_RTE || n / 2 >= HVMM_IOAPIC_PINS)
			return 0;
		rte = io->rte[array_index_nospec(n / 2, HVMM_IOAPIC_PINS)];
		return n & 1 ? rte >> 32 : rte;
	}
}

static void write_rte(struct hvmm_ioapic *io, unsigned int pin, bool high, u32 val)
{
	u64 rte = io->rte[pin];

	if (high)
		rte = (u32)rte | (u64)(val & RTE_HIGH_RW) << 32;
	else
		rte = (rte & (0xffffffff00000000ULL | RTE_RO)) | (val & RTE_LOW_RW);
	/*
	 * Remote IRR means nothing for an edge. Guests turn a pin to edge and back to
	 * clear it where there is no EOI register.
	 */
	if (!is_level(rte))
		rte &= ~HVMM_IOAPIC_RTE_RIRR;
	io->rte[pin] = rte;
	service_level(io, pin);
}

static void write_window(struct hvmm_ioapic *io, u32 val)
{
	unsigned int n = io->select - HVMM_IOAPIC_REG_RTE;

	if (io->select == HVMM_IOAPIC_REG_ID)
		io->id = val & 0x0f000000;
	else if (io->select >= HVMM_IOAPIC_REG_RTE && n / 2 < HVMM_IOAPIC_PINS)
		write_rte(io, array_index_nospec(n / 2, HVMM_IOAPIC_PINS), n & 1, val);
}

u32 hvmm_ioapic_read(struct hvmm_ioapic *io, u32 offset)
{
	unsigned long flags;
	u32 val = 0;

	raw_spin_lock_irqsave(&io->lock, flags);
	if (offset == HVMM_IOAPIC_SELECT)
		val = io->select;
	else if (offset == HVMM_IOAPIC_WINDOW)
		val = read_window(io);
	raw_spin_unlock_irqrestore(&io->lock, flags);
	return val;
}

void hvmm_ioapic_write(struct hvmm_ioapic *io, u32 offset, u32 val)
{
	unsigned long flags;

	if (offset == HVMM_IOAPIC_EOI) {
		hvmm_ioapic_eoi(io, val);
		return;
	}

	raw_spin_lock_irqsave(&io->lock, flags);
	if (offset == HVMM_IOAPIC_SELECT)
		io->select = val;
	else if (offset == HVMM_IOAPIC_WINDOW)
		write_window(io, val);
	raw_spin_unlock_irqrestore(&io->lock, flags);
}

void hvmm_ioapic_reset(struct hvmm_ioapic *io)
{
	unsigned long flags;
	unsigned int pin;

	raw_spin_lock_irqsave(&io->lock, flags);
	for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++) {
		io->rte[pin] = HVMM_IOAPIC_RTE_MASKED;
		io->storm[pin] = 0;
	}
	io->held = 0;
	io->select = 0;
	io->id = 0;
	raw_spin_unlock_irqrestore(&io->lock, flags);
}

void hvmm_ioapic_init(struct hvmm_ioapic *io, const struct hvmm_ioapic_ops *ops)
{
	unsigned int pin;

	io->ops = ops;
	raw_spin_lock_init(&io->lock);
	for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++)
		io->sources[pin] = 0;
	hvmm_ioapic_reset(io);
}
