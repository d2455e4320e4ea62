/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_DEV_IRQ_H
#define HVMM_DEV_IRQ_H

#include <linux/atomic.h>
#include <linux/types.h>

struct hvmm_lapic;

/**
 * enum hvmm_delivery - delivery mode of an interrupt message
 * @HVMM_DELIVER_FIXED: to every addressed local APIC, as @vector
 * @HVMM_DELIVER_LOWEST: to the addressed local APIC of lowest priority
 * @HVMM_DELIVER_SMI: system management interrupt, vector ignored
 * @HVMM_DELIVER_REMOTE_READ: never delivered (APM vol. 2, 16.5; not in SDM)
 * @HVMM_DELIVER_NMI: non-maskable interrupt, vector ignored
 * @HVMM_DELIVER_INIT: INIT; de-assert messages have no effect
 * @HVMM_DELIVER_SIPI: start-up IPI, vector is the page of the first instruction
 * @HVMM_DELIVER_EXTINT: from an 8259; there is none, so it is dropped
 *
 * The encoding is that of ICR[10:8] (SDM vol. 3, 11.6.1; APM vol. 2, 16.5).
 */
enum hvmm_delivery {
	HVMM_DELIVER_FIXED = 0,
	HVMM_DELIVER_LOWEST = 1,
	HVMM_DELIVER_SMI = 2,
	HVMM_DELIVER_REMOTE_READ = 3,
	HVMM_DELIVER_NMI = 4,
	HVMM_DELIVER_INIT = 5,
	HVMM_DELIVER_SIPI = 6,
	HVMM_DELIVER_EXTINT = 7,
};

/**
 * enum hvmm_shorthand - destination shorthand, as in ICR[19:18]
 * @HVMM_SHORTHAND_NONE: the destination field decides
 * @HVMM_SHORTHAND_SELF: the sender
 * @HVMM_SHORTHAND_ALL: every local APIC
 * @HVMM_SHORTHAND_OTHERS: every local APIC but the sender
 */
enum hvmm_shorthand {
	HVMM_SHORTHAND_NONE = 0,
	HVMM_SHORTHAND_SELF = 1,
	HVMM_SHORTHAND_ALL = 2,
	HVMM_SHORTHAND_OTHERS = 3,
};

/**
 * struct hvmm_msg - one interrupt message: IPI, MSI or IOAPIC
 * @dest: destination: APIC ID, or logical destination
 * @vector: interrupt vector
 * @delivery: &enum hvmm_delivery
 * @logical: @dest is a logical destination
 * @assert: level of a level-triggered message; set for edges
 * @level_trig: level-triggered: the target's EOI is broadcast to the IOAPIC
 * @shorthand: &enum hvmm_shorthand
 * @wide: @dest has x2APIC format: 32 bits, broadcast is 0xffffffff.
 *        Otherwise it has 8 bits (15 with the extended destination ID of the
 *        KVM guest ABI) and broadcast is 0xff.
 */
struct hvmm_msg {
	u32 dest;
	u8 vector;
	u8 delivery;
	u8 shorthand;
	bool logical;
	bool assert;
	bool level_trig;
	bool wide;
};

/**
 * struct hvmm_irq_router - the local APICs of a VM
 * @lapics: array of @nr pointers; an entry may be NULL while its vCPU does not
 *	    exist. Fastest when entry i has APIC ID i.
 * @nr: entries in @lapics
 * @turn: where the search for a lowest-priority target starts, so that equals
 *	  take turns
 *
 * The array and what it points to must outlive every possible sender.
 */
struct hvmm_irq_router {
	struct hvmm_lapic **lapics;
	unsigned int nr;
	atomic_t turn;
};

/**
 * hvmm_irq_deliver() - route a message to the local APICs that it addresses
 * @r: the VM's local APICs
 * @src: sender of an IPI, NULL for devices; needed by shorthands only
 * @msg: the message
 *
 * Physical, flat logical, cluster logical and x2APIC logical destinations, lowest
 * priority, broadcast and shorthands (SDM vol. 3, 11.6.2 and 11.12.10). Work is
 * bounded by the number of vCPUs.
 *
 * Context: any, IRQs included. Takes no lock; calls kick() and event() of targets.
 * Return: number of local APICs that took the message, 0 if none did. A message
 * that merged with one already pending counts as taken.
 */
int hvmm_irq_deliver(struct hvmm_irq_router *r, struct hvmm_lapic *src,
		     const struct hvmm_msg *msg);

/**
 * hvmm_msi_decode() - message of an MSI write
 * @addr: address of the write
 * @data: data of the write
 * @msg: result
 *
 * SDM vol. 3, 11.11. Address bits 11:5 are taken as destination bits 14:8
 * (KVM_FEATURE_MSI_EXT_DEST_ID); they are zero in guests that do not know it.
 *
 * Context: any.
 * Return: 0, or -EINVAL if @addr is not in 0xfee00000..0xfeefffff.
 */
int hvmm_msi_decode(u64 addr, u32 data, struct hvmm_msg *msg);

/**
 * hvmm_msi_deliver() - decode an MSI and route it
 * @r: the VM's local APICs
 * @addr: address of the write
 * @data: data of the write
 *
 * Context: any, IRQs included.
 * Return: as hvmm_irq_deliver(), or -EINVAL if @addr is no MSI address.
 */
int hvmm_msi_deliver(struct hvmm_irq_router *r, u64 addr, u32 data);

#endif /* HVMM_DEV_IRQ_H */
