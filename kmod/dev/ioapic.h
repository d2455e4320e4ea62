/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O APIC with 24 pins, version 0x20: Intel 82093AA data sheet, with the EOI
 * register of later parts (ICH data sheets, 82801 "IOAPIC").
 *
 * Locking: @lock is taken with interrupts off by every function, so all may be
 * called on any CPU in any context, IRQs included. deliver() is called under it,
 * defer() is not.
 */
#ifndef HVMM_DEV_IOAPIC_H
#define HVMM_DEV_IOAPIC_H

#include <linux/bits.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "dev/irq.h"

#define HVMM_IOAPIC_PINS	24
#define HVMM_IOAPIC_BASE	0xfec00000ULL
#define HVMM_IOAPIC_SIZE	0x1000

/* Registers in the page. */
#define HVMM_IOAPIC_SELECT	0x00
#define HVMM_IOAPIC_WINDOW	0x10
#define HVMM_IOAPIC_EOI		0x40

/* Registers behind the window. */
#define HVMM_IOAPIC_REG_ID	0x00
#define HVMM_IOAPIC_REG_VERSION	0x01
#define HVMM_IOAPIC_REG_ARB	0x02
#define HVMM_IOAPIC_REG_RTE	0x10

#define HVMM_IOAPIC_RTE_VECTOR		0xffULL
#define HVMM_IOAPIC_RTE_DELIVERY(rte)	((u8)((rte) >> 8 & 7))
#define HVMM_IOAPIC_RTE_LOGICAL		BIT_ULL(11)
#define HVMM_IOAPIC_RTE_STATUS		BIT_ULL(12)
#define HVMM_IOAPIC_RTE_LOW		BIT_ULL(13)
#define HVMM_IOAPIC_RTE_RIRR		BIT_ULL(14)
#define HVMM_IOAPIC_RTE_LEVEL		BIT_ULL(15)
#define HVMM_IOAPIC_RTE_MASKED		BIT_ULL(16)

/**
 * define HVMM_IOAPIC_STORM_COUNT - deliveries of a level that never drops, one
 *				    at each EOI, before the pin is held back
 */
#define HVMM_IOAPIC_STORM_COUNT		10000

/**
 * define HVMM_IOAPIC_STORM_NS - how long defer() should wait
 */
#define HVMM_IOAPIC_STORM_NS		10000000ULL

/**
 * enum hvmm_irq_source - who drives a pin
 * @HVMM_IRQ_SOURCE_VM: test device and requests from userspace
 * @HVMM_IRQ_SOURCE_CONSOLE: the in-kernel UART
 * @HVMM_IRQ_SOURCE_IRQFD: irqfd
 * @HVMM_IRQ_SOURCE_DEVICE: first of the sources for further devices
 * @HVMM_IRQ_SOURCES: their number
 *
 * A pin is high while any of its sources is.
 */
enum hvmm_irq_source {
	HVMM_IRQ_SOURCE_VM,
	HVMM_IRQ_SOURCE_CONSOLE,
	HVMM_IRQ_SOURCE_IRQFD,
	HVMM_IRQ_SOURCE_DEVICE,
	HVMM_IRQ_SOURCES = 32,
};

struct hvmm_ioapic;

/**
 * struct hvmm_ioapic_ops - what an IOAPIC needs of its VM
 * @deliver: route a message, usually by hvmm_irq_deliver(); returns how many local
 *	APICs took it. Called under the IOAPIC's lock.
 * @defer: call hvmm_ioapic_resume() about %HVMM_IOAPIC_STORM_NS from now. Called
 *	without the lock, where hvmm_ioapic_eoi() is. May be NULL: no storm guard.
 */
struct hvmm_ioapic_ops {
	int (*deliver)(struct hvmm_ioapic *io, const struct hvmm_msg *msg);
	void (*defer)(struct hvmm_ioapic *io);
};

/**
 * struct hvmm_ioapic - an IOAPIC; embedded in the VM
 * @ops: the VM's functions; constant
 * @lock: protects what follows
 * @rte: redirection table
 * @sources: bit mask of the sources that hold each pin high
 * @storm: re-deliveries of each pin since its level last dropped
 * @held: pins held back by the storm guard
 * @select: register select
 * @id: ID register, bits 27:24
 */
struct hvmm_ioapic {
	const struct hvmm_ioapic_ops *ops;
	raw_spinlock_t lock;
	u64 rte[HVMM_IOAPIC_PINS];
	u32 sources[HVMM_IOAPIC_PINS];
	u16 storm[HVMM_IOAPIC_PINS];
	u32 held;
	u32 id;
	u8 select;
};

/**
 * hvmm_ioapic_init() - set up an IOAPIC: all pins masked, all lines low
 * @io: the IOAPIC
 * @ops: the VM's functions
 */
void hvmm_ioapic_init(struct hvmm_ioapic *io, const struct hvmm_ioapic_ops *ops);

/**
 * hvmm_ioapic_reset() - reset registers; lines stay as their sources hold them
 * @io: the IOAPIC
 *
 * Context: any.
 */
void hvmm_ioapic_reset(struct hvmm_ioapic *io);

/**
 * hvmm_ioapic_read() - 32-bit read in the IOAPIC's page
 * @io: the IOAPIC
 * @offset: offset in the page
 *
 * Context: any.
 * Return: the value, 0 where there is no register.
 */
u32 hvmm_ioapic_read(struct hvmm_ioapic *io, u32 offset);

/**
 * hvmm_ioapic_write() - 32-bit write in the IOAPIC's page
 * @io: the IOAPIC
 * @offset: offset in the page
 * @val: value; ignored where there is no register
 *
 * Context: any.
 */
void hvmm_ioapic_write(struct hvmm_ioapic *io, u32 offset, u32 val);

/**
 * hvmm_ioapic_set_irq() - a source drives a pin
 * @io: the IOAPIC
 * @pin: 0 to 23
 * @source: &enum hvmm_irq_source
 * @level: high or low
 *
 * An edge-triggered pin interrupts when it goes from low to high, and not while it
 * is masked. A level-triggered one interrupts while it is high.
 *
 * Context: any CPU, any context, IRQs included.
 * Return: number of local APICs that took an interrupt now, or -EINVAL.
 */
int hvmm_ioapic_set_irq(struct hvmm_ioapic *io, unsigned int pin, unsigned int source,
			bool level);

/**
 * hvmm_ioapic_eoi() - EOI broadcast of a local APIC
 * @io: the IOAPIC
 * @vector: vector that ended
 *
 * Pins still high interrupt again. Context: any.
 */
void hvmm_ioapic_eoi(struct hvmm_ioapic *io, u8 vector);

/**
 * hvmm_ioapic_resume() - end of the storm guard's pause
 * @io: the IOAPIC
 *
 * Context: any.
 */
void hvmm_ioapic_resume(struct hvmm_ioapic *io);

#endif /* HVMM_DEV_IOAPIC_H */
