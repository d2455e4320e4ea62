/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Local APIC of a vCPU: SDM vol. 3, ch. 11; APM vol. 2, ch. 16.
 *
 * Who may call what. hvmm_lapic_accept(), hvmm_lapic_signal() and the routing in
 * irq.h may run on any CPU, in any context. All else is for the owner: the one
 * context that runs the vCPU, or has it parked and exclusive. Nothing here
 * sleeps, allocates or takes a lock.
 *
 * Shared state is the IRR, the TMR, the hint @irr_pending and the error bits not
 * yet latched, all changed by atomic operations only. A sender sets the IRR bit
 * first and the hint second; the owner clears the hint first and looks at the IRR
 * second: so a set bit never stays without a hint.
 *
 * Choices where processors differ:
 * - Six LVT entries: no CMCI, since the guest has no machine-check banks.
 * - The xAPIC ID is writable, as in APM vol. 2, 16.3.3; the x2APIC ID is not.
 * - Arbitration priority and remote read do not exist in x2APIC mode (SDM vol. 3,
 *   table 11-6).
 * - Clearing the enable bit of IA32_APIC_BASE resets the APIC (SDM vol. 3, 11.4.3
 *   allows it). TPR goes on to work, as CR8.
 * - The bus clock is 1 GHz: a tick of the timer, before division, is 1 ns.
 * - The TPR is compared by class only; a write to it never delays what is already
 *   in service.
 */
#ifndef HVMM_DEV_LAPIC_H
#define HVMM_DEV_LAPIC_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "dev/irq.h"
#include "dev/lapic_regs.h"

struct hvmm_lapic;

/**
 * define HVMM_LAPIC_MIN_PERIOD_NS - shortest time between two interrupts of a
 *				     periodic timer
 *
 * A guest may program a period of 1 ns. Shorter periods are served at the first
 * multiple that is not shorter than this, so the phase stays exact.
 */
#define HVMM_LAPIC_MIN_PERIOD_NS	100000ULL

/**
 * struct hvmm_lapic_ops - what a local APIC needs of its owner
 * @now: the VM's monotonic clock, ns. Owner context.
 * @timer_arm: call hvmm_lapic_timer_fired() in owner context at or soon after
 *	@when_ns of that clock; replaces an earlier time. Owner context.
 * @timer_cancel: forget the time. Owner context. A late hvmm_lapic_timer_fired()
 *	is harmless.
 * @tsc_to_ns: when, on that clock, the guest's TSC reaches @guest_tsc; saturates.
 *	Owner context.
 * @ipi: route a message, usually by hvmm_irq_deliver(). Owner context.
 * @eoi: a level-triggered interrupt ended: tell the IOAPIC. Owner context.
 * @kick: a new interrupt is in the IRR, make the vCPU notice it or wake up. Any
 *	CPU, any context. A full memory barrier separates it from the IRR update.
 * @event: an NMI, INIT, SIPI or SMI arrived (@vector is the SIPI's). Any CPU, any
 *	context.
 */
struct hvmm_lapic_ops {
	u64 (*now)(struct hvmm_lapic *l);
	void (*timer_arm)(struct hvmm_lapic *l, u64 when_ns);
	void (*timer_cancel)(struct hvmm_lapic *l);
	u64 (*tsc_to_ns)(struct hvmm_lapic *l, u64 guest_tsc);
	void (*ipi)(struct hvmm_lapic *l, const struct hvmm_msg *msg);
	void (*eoi)(struct hvmm_lapic *l, u8 vector);
	void (*kick)(struct hvmm_lapic *l);
	void (*event)(struct hvmm_lapic *l, enum hvmm_delivery event, u8 vector);
};

/**
 * struct hvmm_lapic_config - what the guest's CPUID promises
 * @id: initial (x2APIC) ID; the initial xAPIC ID is its low 8 bits
 * @phys_bits: physical address width, for reserved bits of IA32_APIC_BASE
 * @bsp: bootstrap processor
 * @x2apic: CPUID.1:ECX[21]
 * @tsc_deadline: CPUID.1:ECX[24]
 * @directed_eoi: offer EOI-broadcast suppression (SDM vol. 3, 11.8.5)
 */
struct hvmm_lapic_config {
	u32 id;
	u8 phys_bits;
	bool bsp;
	bool x2apic;
	bool tsc_deadline;
	bool directed_eoi;
};

/**
 * enum hvmm_lapic_mode - what IA32_APIC_BASE selects
 * @HVMM_LAPIC_DISABLED: takes nothing, its page is not there
 * @HVMM_LAPIC_XAPIC: registers in the page
 * @HVMM_LAPIC_X2APIC: registers in MSRs
 */
enum hvmm_lapic_mode {
	HVMM_LAPIC_DISABLED,
	HVMM_LAPIC_XAPIC,
	HVMM_LAPIC_X2APIC,
};

/**
 * enum hvmm_lapic_lvt - entries of the local vector table
 * @HVMM_LVT_TIMER: APIC timer
 * @HVMM_LVT_THERMAL: thermal sensor
 * @HVMM_LVT_PERF: performance counters
 * @HVMM_LVT_LINT0: LINT0 pin (8259 on a PC)
 * @HVMM_LVT_LINT1: LINT1 pin (NMI on a PC)
 * @HVMM_LVT_ERROR: APIC error
 * @HVMM_LVT_NR: their number
 */
enum hvmm_lapic_lvt {
	HVMM_LVT_TIMER,
	HVMM_LVT_THERMAL,
	HVMM_LVT_PERF,
	HVMM_LVT_LINT0,
	HVMM_LVT_LINT1,
	HVMM_LVT_ERROR,
	HVMM_LVT_NR,
};

#define HVMM_LAPIC_WORDS	(256 / BITS_PER_LONG)

/**
 * struct hvmm_lapic - a local APIC; embedded in the vCPU
 * @irr_pending: IRR may be non-empty; zero means that it is empty
 * @mode: &enum hvmm_lapic_mode; written by the owner, read by senders
 * @ppr: processor priority; written by the owner, read by senders
 * @irr: interrupt request register; atomic
 * @tmr: trigger mode register; atomic
 * @esr_pending: errors since the last write to ESR; atomic
 * @id: ID in use; written by the owner, read by senders, as are the next three
 * @ldr: logical destination, in the format of the mode
 * @dfr: destination format
 * @svr: spurious vector and software enable
 * @ops: owner's functions; constant
 * @cfg: configuration; constant
 * @base: IA32_APIC_BASE; owner only, as is the rest
 * @isr: in-service register
 * @tpr: task priority (CR8 << 4, and the sub-class)
 * @esr: latched errors
 * @icr: interrupt command register
 * @lvt: local vector table
 * @timer_init: initial count
 * @timer_div: divide configuration as written
 * @timer_running: one-shot or periodic count in progress, or deadline set
 * @timer_armed: timer_arm() was called and neither fired nor cancelled
 * @timer_expiry: when the count reaches zero, ns
 * @tsc_deadline: IA32_TSC_DEADLINE
 */
struct hvmm_lapic {
	u32 irr_pending;
	u8 mode;
	u8 ppr;
	unsigned long irr[HVMM_LAPIC_WORDS];
	unsigned long tmr[HVMM_LAPIC_WORDS];
	unsigned long esr_pending;
	u32 id;
	u32 ldr;
	u32 dfr;
	u32 svr;
	const struct hvmm_lapic_ops *ops;
	struct hvmm_lapic_config cfg;

	u64 base;
	unsigned long isr[HVMM_LAPIC_WORDS];
	u8 tpr;
	u32 esr;
	u64 icr;
	u32 lvt[HVMM_LVT_NR];
	u32 timer_init;
	u32 timer_div;
	bool timer_running;
	bool timer_armed;
	u64 timer_expiry;
	u64 tsc_deadline;
};

/**
 * hvmm_lapic_init() - set up a local APIC in its power-up state
 * @l: the APIC
 * @ops: owner's functions, all required
 * @cfg: configuration, copied
 *
 * Calls no function of @ops.
 */
void hvmm_lapic_init(struct hvmm_lapic *l, const struct hvmm_lapic_ops *ops,
		     const struct hvmm_lapic_config *cfg);

/**
 * hvmm_lapic_reset() - power-up reset or INIT
 * @l: the APIC
 * @init: INIT: IA32_APIC_BASE, mode and APIC ID stay (SDM vol. 3, 11.4.7.3)
 *
 * Context: owner.
 */
void hvmm_lapic_reset(struct hvmm_lapic *l, bool init);

/**
 * hvmm_lapic_read() - read a register in the xAPIC page
 * @l: the APIC
 * @offset: offset in the page, any
 * @val: the value. All ones when the APIC is disabled or in x2APIC mode: there is
 *	 nothing at that address then.
 *
 * Context: owner.
 * Return: true if the APIC decoded the access.
 */
bool hvmm_lapic_read(struct hvmm_lapic *l, u32 offset, u32 *val);

/**
 * hvmm_lapic_write() - write a register in the xAPIC page
 * @l: the APIC
 * @offset: offset in the page, any; only multiples of 16 hold registers
 * @val: the value
 *
 * Context: owner. May call ipi(), eoi(), kick(), event() and the timer functions.
 * Return: true if the APIC decoded the access.
 */
bool hvmm_lapic_write(struct hvmm_lapic *l, u32 offset, u32 val);

/**
 * hvmm_lapic_mmio_read() - read of any size in the xAPIC page
 * @l: the APIC
 * @offset: offset in the page
 * @len: 1 to 8 bytes
 *
 * The manuals define aligned 32-bit accesses only. Others read the bytes that are
 * there and zeros where there are none.
 *
 * Context: owner.
 * Return: the value; all ones where the APIC does not decode the access.
 */
u64 hvmm_lapic_mmio_read(struct hvmm_lapic *l, u32 offset, unsigned int len);

/**
 * hvmm_lapic_mmio_write() - write of any size in the xAPIC page
 * @l: the APIC
 * @offset: offset in the page
 * @len: 1 to 8 bytes; all but aligned 32-bit writes are ignored
 * @val: the value
 *
 * Context: owner.
 */
void hvmm_lapic_mmio_write(struct hvmm_lapic *l, u32 offset, unsigned int len, u64 val);

/**
 * hvmm_lapic_msr_read() - RDMSR of 0x800..0x8ff
 * @l: the APIC
 * @msr: MSR number
 * @val: the value
 *
 * SDM vol. 3, 11.12.1.2. Context: owner.
 * Return: 0, or -EINVAL for #GP: not in x2APIC mode, no such or write-only register.
 */
int hvmm_lapic_msr_read(struct hvmm_lapic *l, u32 msr, u64 *val);

/**
 * hvmm_lapic_msr_write() - WRMSR of 0x800..0x8ff
 * @l: the APIC
 * @msr: MSR number
 * @val: the value
 *
 * Context: owner. May call the same functions as hvmm_lapic_write().
 * Return: 0, or -EINVAL for #GP: not in x2APIC mode, no such or read-only register,
 * reserved bits.
 */
int hvmm_lapic_msr_write(struct hvmm_lapic *l, u32 msr, u64 val);

/**
 * hvmm_lapic_set_base() - WRMSR of IA32_APIC_BASE
 * @l: the APIC
 * @val: the value
 *
 * Transitions are those of SDM vol. 3, 11.12.5. The BSP flag is read-only: writes to
 * it are ignored. The page may be moved anywhere; hvmm_lapic_claims() follows it.
 * What decodes guest addresses decides what wins where it overlaps RAM.
 *
 * The caller keeps CPUID.1:EDX[9] equal to "mode is not disabled".
 *
 * Context: owner.
 * Return: 0, or -EINVAL for #GP.
 */
int hvmm_lapic_set_base(struct hvmm_lapic *l, u64 val);

/**
 * hvmm_lapic_get_base() - IA32_APIC_BASE
 * @l: the APIC
 *
 * Context: owner.
 */
static inline u64 hvmm_lapic_get_base(const struct hvmm_lapic *l)
{
	return l->base;
}

/**
 * hvmm_lapic_claims() - is a guest physical address in the APIC's page?
 * @l: the APIC of the vCPU that makes the access
 * @gpa: guest physical address
 *
 * Context: owner.
 * Return: true if so, and the APIC is in xAPIC mode.
 */
static inline bool hvmm_lapic_claims(const struct hvmm_lapic *l, u64 gpa)
{
	return l->mode == HVMM_LAPIC_XAPIC && (gpa ^ l->base) >> 12 == 0;
}

/**
 * hvmm_lapic_get_tscdeadline() - RDMSR of IA32_TSC_DEADLINE
 * @l: the APIC
 *
 * The caller refuses the MSR (#GP) where the guest's CPUID does not offer it.
 *
 * Context: owner.
 * Return: the deadline; 0 when disarmed or not in TSC-deadline mode.
 */
u64 hvmm_lapic_get_tscdeadline(struct hvmm_lapic *l);

/**
 * hvmm_lapic_set_tscdeadline() - WRMSR of IA32_TSC_DEADLINE
 * @l: the APIC
 * @tsc: guest TSC at which to interrupt; 0 disarms
 *
 * A deadline in the past interrupts at once. Ignored when the timer is not in
 * TSC-deadline mode (SDM vol. 3, 11.5.4.1).
 *
 * Context: owner.
 */
void hvmm_lapic_set_tscdeadline(struct hvmm_lapic *l, u64 tsc);

/**
 * hvmm_lapic_tsc_changed() - the guest's TSC jumped
 * @l: the APIC
 *
 * Computes a pending deadline anew. Context: owner.
 */
void hvmm_lapic_tsc_changed(struct hvmm_lapic *l);

/**
 * hvmm_lapic_accept() - request a fixed interrupt
 * @l: target
 * @vector: vector; below 16 is an error that goes to ESR
 * @level: level-triggered: EOI will be broadcast
 *
 * Context: any CPU, any context. Calls kick() if the interrupt is newly pending.
 * Return: true if newly pending; false if it merged with a pending one, or was
 * refused (disabled, or bad vector).
 */
bool hvmm_lapic_accept(struct hvmm_lapic *l, u8 vector, bool level);

/**
 * hvmm_lapic_accepts() - would hvmm_lapic_accept() refuse?
 * @l: target
 *
 * Context: any CPU, any context.
 * Return: true if the APIC is enabled, by IA32_APIC_BASE and by SVR.
 */
static inline bool hvmm_lapic_accepts(const struct hvmm_lapic *l)
{
	return READ_ONCE(l->mode) != HVMM_LAPIC_DISABLED &&
	       (READ_ONCE(l->svr) & HVMM_APIC_SVR_ENABLE);
}

/**
 * hvmm_lapic_signal() - deliver a message to this APIC, whatever its destination
 * @l: target
 * @msg: message; only delivery, vector and trigger count
 *
 * Context: any CPU, any context.
 * Return: true if taken (newly, or merged with a pending one).
 */
bool hvmm_lapic_signal(struct hvmm_lapic *l, const struct hvmm_msg *msg);

/**
 * hvmm_lapic_local() - a local interrupt source fires
 * @l: the APIC
 * @entry: its LVT entry; for an NMI button, %HVMM_LVT_LINT1
 *
 * Delivers as the LVT entry says, unless it is masked. ExtINT is dropped. The
 * performance entry is masked by it, as hardware does.
 *
 * Context: owner.
 * Return: true if something was delivered.
 */
bool hvmm_lapic_local(struct hvmm_lapic *l, enum hvmm_lapic_lvt entry);

int __hvmm_lapic_pending(struct hvmm_lapic *l);

/**
 * hvmm_lapic_pending() - what to inject now
 * @l: the APIC
 *
 * One load when nothing is pending: it runs before every VM entry.
 *
 * Context: owner, after the barrier that makes kick() visible.
 * Return: highest vector in the IRR whose class is above the processor priority, or
 * -1.
 */
static inline int hvmm_lapic_pending(struct hvmm_lapic *l)
{
	if (likely(!READ_ONCE(l->irr_pending)))
		return -1;
	return __hvmm_lapic_pending(l);
}

/**
 * hvmm_lapic_has_wake() - must a halted vCPU wake for an interrupt?
 * @l: the APIC
 *
 * RFLAGS.IF is the caller's business.
 *
 * Context: owner; or any CPU while the vCPU is parked, so that a waker may ask. The
 * hint stands several callers at a time: who clears it looks at the IRR afterwards.
 */
static inline bool hvmm_lapic_has_wake(struct hvmm_lapic *l)
{
	return hvmm_lapic_pending(l) >= 0;
}

/**
 * hvmm_lapic_highest_irr() - highest requested vector, whatever the priority
 * @l: the APIC
 *
 * For the decision whether writes to CR8 must be seen. Context: owner.
 * Return: vector or -1.
 */
int hvmm_lapic_highest_irr(struct hvmm_lapic *l);

/**
 * hvmm_lapic_ack() - the CPU takes an interrupt: IRR to ISR
 * @l: the APIC
 * @vector: what hvmm_lapic_pending() returned
 *
 * Context: owner. From here on the caller owns the event and injects it again if
 * its delivery is interrupted.
 */
void hvmm_lapic_ack(struct hvmm_lapic *l, u8 vector);

/**
 * hvmm_lapic_alone() - whether nobody can tell when an interrupt in service ends
 * @l: the APIC
 * @vector: the interrupt
 *
 * So while no other is in service or requested, whatever its priority, and none is
 * level-triggered.
 *
 * Context: owner. A request that comes later calls kick().
 */
bool hvmm_lapic_alone(struct hvmm_lapic *l, u8 vector);

/**
 * hvmm_lapic_idle() - whether nothing is requested or in service
 * @l: the APIC
 *
 * Context: owner, after the barrier that makes kick() visible.
 */
static inline bool hvmm_lapic_idle(const struct hvmm_lapic *l)
{
	unsigned long isr = 0;
	int i;

	for (i = 0; i < HVMM_LAPIC_WORDS; i++)
		isr |= l->isr[i];
	return !READ_ONCE(l->irr_pending) && !isr;
}

/**
 * struct hvmm_lapic_loan - what hvmm_lapic_lend() has lent
 * @requested: highest vector requested, 0 for none
 * @in_service: highest vector in service, 0 for none
 * @nr: number of requests
 */
struct hvmm_lapic_loan {
	u8 requested;
	u8 in_service;
	u16 nr;
};

/**
 * hvmm_lapic_lend() - let a processor deliver and end interrupts by itself
 * @l: the APIC
 * @page: the processor's registers, in the format of the xAPIC page; IRR and ISR are
 *	  filled
 *
 * Requests are moved there. Those that come later go to the IRR as ever: their kick()
 * makes the owner take all back, and lend it again. Until then nothing here may be called
 * but what any CPU may call.
 *
 * Context: owner, after the barrier that makes kick() visible.
 * Return: a summary.
 */
struct hvmm_lapic_loan hvmm_lapic_lend(struct hvmm_lapic *l, void *page);

/**
 * hvmm_lapic_take_back() - take over what the processor has left
 * @l: the APIC; its TPR is what the guest has set
 * @page: the processor's registers; IRR and ISR are empty afterwards
 *
 * Context: owner.
 * Return: number of requests.
 */
unsigned int hvmm_lapic_take_back(struct hvmm_lapic *l, void *page);

/**
 * hvmm_lapic_ended() - the processor has ended an interrupt
 * @l: the APIC, its ISR taken back
 * @vector: the interrupt
 *
 * Needed for those whose TMR bit is set.
 *
 * Context: owner. May call eoi().
 */
void hvmm_lapic_ended(struct hvmm_lapic *l, u8 vector);

/**
 * hvmm_lapic_eoi() - end of interrupt
 * @l: the APIC
 *
 * All ways to an EOI end here: register, MSR, and the paravirtual EOI. Context: owner.
 * May call eoi().
 */
void hvmm_lapic_eoi(struct hvmm_lapic *l);

/**
 * hvmm_lapic_get_tpr() - CR8
 * @l: the APIC
 *
 * Context: owner. Return: task-priority class, 0 to 15.
 */
static inline u8 hvmm_lapic_get_tpr(const struct hvmm_lapic *l)
{
	return l->tpr >> 4;
}

/**
 * hvmm_lapic_set_tpr() - MOV to CR8
 * @l: the APIC, enabled or not
 * @cr8: task-priority class; only the low 4 bits count. TPR[3:0] becomes 0.
 *
 * Context: owner.
 */
void hvmm_lapic_set_tpr(struct hvmm_lapic *l, u8 cr8);

/**
 * hvmm_lapic_sync_tpr() - take over V_TPR after a VM exit
 * @l: the APIC
 * @cr8: task-priority class that the CPU holds for the guest
 *
 * Unlike hvmm_lapic_set_tpr() it does nothing when the class is the same: the guest
 * did not touch CR8, so the sub-class in TPR[3:0] stays, and the usual case is cheap.
 *
 * Context: owner.
 */
static inline void hvmm_lapic_sync_tpr(struct hvmm_lapic *l, u8 cr8)
{
	if (unlikely(hvmm_lapic_get_tpr(l) != (cr8 & 0xf)))
		hvmm_lapic_set_tpr(l, cr8);
}

void hvmm_lapic_set_tpr_byte(struct hvmm_lapic *l, u8 tpr);

/**
 * hvmm_lapic_sync_tpr_byte() - the same where the CPU holds the whole register
 * @l: the APIC
 * @tpr: TPR
 *
 * Context: owner.
 */
static inline void hvmm_lapic_sync_tpr_byte(struct hvmm_lapic *l, u8 tpr)
{
	if (unlikely(l->tpr != tpr))
		hvmm_lapic_set_tpr_byte(l, tpr);
}

/**
 * hvmm_lapic_timer_fired() - the time given to timer_arm() has come
 * @l: the APIC
 *
 * Raises the timer's interrupt if due and arms the next period. Periods missed
 * meanwhile are one interrupt, and the phase is kept. Early calls arm again.
 *
 * Context: owner.
 */
void hvmm_lapic_timer_fired(struct hvmm_lapic *l);

#endif /* HVMM_DEV_LAPIC_H */
