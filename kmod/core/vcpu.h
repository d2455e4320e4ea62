/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CORE_VCPU_H
#define HVMM_CORE_VCPU_H

#include <linux/hrtimer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "core/ledger.h"
#include "core/stats.h"
#include "dev/lapic.h"
#include "mem/quota.h"
#include "sched/sched.h"

struct hvmm_vm;

/**
 * enum hvmm_request - work that a vCPU must do before it enters the guest again
 * @HVMM_REQ_TIMER: its LAPIC timer's host timer has expired
 * @HVMM_REQ_NMI: an NMI is pending
 * @HVMM_REQ_INIT: an INIT arrived
 * @HVMM_REQ_SIPI: a SIPI arrived; vector in &hvmm_vcpu.sipi_vector
 * @HVMM_REQ_TLB: use no nested translation from before
 * @HVMM_REQ_CLOCK: kvmclock must be written anew
 * @HVMM_REQ_PV: a residency has begun: what the guest is told of its steal time is old
 * @HVMM_REQ_EOI: an interrupt is requested while the guest may have ended another unseen
 * @HVMM_REQ_IO_DONE: the device process has answered
 * @HVMM_REQ_MEM_DONE: the page that it waits for is there, or the wait failed
 */
enum hvmm_request {
	HVMM_REQ_TIMER,
	HVMM_REQ_NMI,
	HVMM_REQ_INIT,
	HVMM_REQ_SIPI,
	HVMM_REQ_TLB,
	HVMM_REQ_CLOCK,
	HVMM_REQ_PV,
	HVMM_REQ_EOI,
	HVMM_REQ_IO_DONE,
	HVMM_REQ_MEM_DONE,
	HVMM_REQ_NR
};

/**
 * enum hvmm_wait - what a parked vCPU waits for
 * @HVMM_WAIT_NONE: nothing: it is runnable unless its VM is held
 * @HVMM_WAIT_HALT: an interrupt, NMI or INIT
 * @HVMM_WAIT_IO: %HVMM_REQ_IO_DONE
 * @HVMM_WAIT_MEM: %HVMM_REQ_MEM_DONE
 * @HVMM_WAIT_SIPI: INIT then SIPI (the vCPU is offline)
 */
enum hvmm_wait {
	HVMM_WAIT_NONE,
	HVMM_WAIT_HALT,
	HVMM_WAIT_IO,
	HVMM_WAIT_MEM,
	HVMM_WAIT_SIPI,
};

/**
 * enum hvmm_vcpu_mode - where a loaded vCPU is, for hvmm_vcpu_kick()
 * @HVMM_OUTSIDE: not in the guest; requests are seen before the next entry
 * @HVMM_IN_GUEST: requests have been looked at; an IPI is needed to be seen
 * @HVMM_AWAY: nobody looks: it waits for its device process with its pCPU, see run/lend.h
 */
enum hvmm_vcpu_mode {
	HVMM_OUTSIDE,
	HVMM_IN_GUEST,
	HVMM_AWAY,
};

/**
 * struct hvmm_vcpu - a virtual CPU, independent of the vendor
 * @requests: bits of enum hvmm_request; set by anyone, cleared by the runner
 * @mode: enum hvmm_vcpu_mode; written by the runner
 * @wait: what it waits for when it does not run; domain's lock
 * @vm: its VM; constant
 * @halt_irqs: interrupts were enabled at HLT, so one ends it
 * @kicked: another vCPU asked for the end of HLT, this one or the next; set by anyone,
 *          cleared by the runner
 * @spun: it was last seen to spin; set by its runner, cleared by any
 * @index: number within the VM, also its APIC id; constant
 * @sipi_vector: start-up vector of the latest SIPI
 * @halted_at: when its HLT began, ns; 0 when what was to be learned from it is
 * @poll_ns: how long its runner looks for the end of HLT before it parks it
 * @early_ns: how much its timer is early while it is halted, see run/early.h
 * @unit: what the scheduler queues
 * @ledger: time per state
 * @stats: counters
 * @lapic: its local APIC
 * @apic_timer: host timer behind @lapic's timer
 * @mem_work_gfn: page that it waits for in %HVMM_WAIT_MEM
 * @early_parked: it has left its pCPU in its latest HLT
 * @mem_work_write: whether it wants to write to it
 * @mem_work_err: outcome of that wait, 0 or a negative errno
 * @mem_work_todo: that wait is not over; set by the runner, cleared by @mem_work
 * @mem_backoff: ms after which it tries again when the host is out of memory
 * @mem_work: brings that page in where sleeping is allowed
 * @mem_wait: wakes @mem_work when there may be memory
 */
struct hvmm_vcpu {
	unsigned long requests;
	int mode;
	enum hvmm_wait wait;
	struct hvmm_vm *vm;
	u32 index;
	bool halt_irqs;
	bool kicked;
	bool spun;
	u8 sipi_vector;
	u64 halted_at;
	u64 poll_ns;
	u64 early_ns;
	struct hvmm_unit unit;
	struct hvmm_ledger ledger;
	struct hvmm_stats stats;
	struct hvmm_lapic lapic;
	struct hrtimer apic_timer;
	u64 mem_work_gfn;
	bool early_parked;
	bool mem_work_write;
	int mem_work_err;
	bool mem_work_todo;
	unsigned int mem_backoff;
	struct delayed_work mem_work;
	struct hvmm_mem_wait mem_wait;
};

/**
 * hvmm_vcpu_init - set up the generic part, parked
 * @vcpu: the vCPU, zeroed
 * @vm: its VM
 * @index: its number
 *
 * Context: before anybody else sees it.
 */
void hvmm_vcpu_init(struct hvmm_vcpu *vcpu, struct hvmm_vm *vm, u32 index);

/**
 * hvmm_vcpu_bring_in - begin to wait for a page of RAM
 * @vcpu: the vCPU; its runner parks it next
 * @gfn: the page
 * @write: wanted for writing
 *
 * A work item does what may sleep and ends the wait with %HVMM_REQ_MEM_DONE: at once, or
 * when the VM's quota or the host has room for the page.
 *
 * Context: its runner.
 */
void hvmm_vcpu_bring_in(struct hvmm_vcpu *vcpu, u64 gfn, bool write);

/**
 * hvmm_vcpu_bring_in_cancel - end the wait for a page without it; there will be no other
 * @vcpu: the vCPU; it does not run
 *
 * Context: may sleep.
 */
void hvmm_vcpu_bring_in_cancel(struct hvmm_vcpu *vcpu);

/**
 * hvmm_vcpu_bring_in_reset - it may wait for pages again
 * @vcpu: the vCPU; it does not run and does not wait
 */
void hvmm_vcpu_bring_in_reset(struct hvmm_vcpu *vcpu);

/**
 * hvmm_vcpu_kick - make a vCPU look at its requests and interrupts
 * @vcpu: the vCPU
 *
 * The caller has set the request bit or LAPIC state first. A vCPU in the guest
 * is made to leave it; one that waits for what has now come is made ready.
 *
 * Context: any, NMI excepted; takes the domain's lock. Never sleeps.
 */
void hvmm_vcpu_kick(struct hvmm_vcpu *vcpu);

/**
 * hvmm_vcpu_request - set a request bit and kick
 * @vcpu: the vCPU
 * @req: the request
 *
 * Context: as hvmm_vcpu_kick().
 */
void hvmm_vcpu_request(struct hvmm_vcpu *vcpu, enum hvmm_request req);

/**
 * hvmm_vcpu_unhalt - end HLT, whatever RFLAGS.IF says (KVM_HC_KICK_CPU)
 * @vcpu: the vCPU
 *
 * One that is not halted ends its next HLT at once: so none is lost between a guest's
 * last look and its HLT. Several in between are one.
 *
 * Context: any, NMI excepted; takes the domain's lock. Never sleeps.
 */
void hvmm_vcpu_unhalt(struct hvmm_vcpu *vcpu);

/**
 * hvmm_vcpu_unhalted - HLT has ended: kicks that came until now have done their work
 * @vcpu: the vCPU
 *
 * Context: its runner; a full barrier (at the entry) follows.
 */
static inline void hvmm_vcpu_unhalted(struct hvmm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->kicked))
		WRITE_ONCE(vcpu->kicked, false);
}

/**
 * hvmm_vcpu_waits - whether a vCPU wants a pCPU and has none
 * @vcpu: the vCPU
 *
 * Context: any; what it says may change at once.
 */
static inline bool hvmm_vcpu_waits(const struct hvmm_vcpu *vcpu)
{
	int state = READ_ONCE(vcpu->unit.state);

	return state != HVMM_UNIT_PARKED && state != HVMM_UNIT_RUNNING;
}

/**
 * hvmm_vcpu_yield_to - give the rest of a slice to another vCPU of the same VM
 * @from: the vCPU
 * @to: one that waits, see hvmm_vcpu_waits()
 *
 * Context: @from's runner, which puts it next if the answer is true.
 * Return: true if @to will run next on @from's pCPU; false if it may not run there, or
 * waits no more.
 */
bool hvmm_vcpu_yield_to(struct hvmm_vcpu *from, struct hvmm_vcpu *to);

/**
 * hvmm_vcpu_test_request - take a request
 * @vcpu: the vCPU
 * @req: the request
 *
 * Context: the vCPU's runner.
 * Return: whether it was set; it is cleared.
 */
static inline bool hvmm_vcpu_test_request(struct hvmm_vcpu *vcpu, enum hvmm_request req)
{
	return test_bit(req, &vcpu->requests) && test_and_clear_bit(req, &vcpu->requests);
}

/**
 * hvmm_vcpu_halt_over - whether what ends HLT has come
 * @vcpu: the vCPU, requests already turned into LAPIC and NMI state or still pending
 *
 * Context: its runner, or its domain's lock held.
 */
bool hvmm_vcpu_halt_over(struct hvmm_vcpu *vcpu);

/**
 * hvmm_vcpu_runnable - whether a vCPU could use a pCPU now
 * @vcpu: the vCPU
 *
 * Context: its domain's lock held.
 * Return: true if nothing of its own keeps it from running.
 */
bool hvmm_vcpu_runnable(struct hvmm_vcpu *vcpu);

/**
 * hvmm_vcpu_changed - keep the ledger as the scheduler moves a vCPU
 * @vcpu: the vCPU
 * @state: where it stands now
 * @now: ktime_get_ns()
 *
 * Context: its domain's lock held.
 */
void hvmm_vcpu_changed(struct hvmm_vcpu *vcpu, enum hvmm_unit_state state, u64 now);

/**
 * hvmm_vcpu_parked_state - ledger state of a vCPU that is not runnable
 * @vcpu: the vCPU
 *
 * Context: its domain's lock held, or the vCPU not yet visible.
 * Return: the state.
 */
enum hvmm_vcpu_state hvmm_vcpu_parked_state(const struct hvmm_vcpu *vcpu);

#endif
