// SPDX-License-Identifier: GPL-2.0
/*
 * The run loop: enter the guest, handle its exit, look at what has come, again.
 * The one rule of order is that of every hypervisor: say that we are in the guest,
 * then look at requests; others set a request, then look whether we are.
 */
#include <linux/bottom_half.h>
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "core/vm.h"
#include "host/fpu.h"
#include "host/timer.h"
#include "run/early.h"
#include "run/poll.h"
#include "run/slice.h"
#include "trace.h"
#include "x86/arch_calls.h"
#include "x86/aside.h"
#include "x86/exit.h"
#include "x86/pv.h"

static enum hrtimer_restart slice_over(struct hrtimer *timer)
{
	/* The interrupt itself made the guest exit. */
	WRITE_ONCE(container_of(timer, struct hvmm_slice, timer)->res->attention, true);
	return HRTIMER_NORESTART;
}

void hvmm_slice_init(struct hvmm_slice *slice, struct hvmm_resource *res)
{
	slice->res = res;
	hvmm_hrtimer_setup(&slice->timer, slice_over, HRTIMER_MODE_ABS_PINNED_HARD);
}

static void load(struct hvmm_x86_vcpu *x)
{
	hvmm_fpu_begin(x->fpu, x->xcr0);
	hvmm_arch->load(x);
}

static void unload(struct hvmm_x86_vcpu *x)
{
	hvmm_arch->put(x);
	hvmm_fpu_end(x->fpu);
}

/* The host wants the pCPU, or its softirqs: the preempt notifier keeps the ledger. */
static void give_way(const struct hvmm_slice *slice, struct hvmm_x86_vcpu *x)
{
	unload(x);
	if (need_resched()) {
		hvmm_pv_put(x);
		if (x->preempted)
			set_bit(HVMM_REQ_PV, &x->vcpu.requests);
	}
	if (!slice->borrower)
		cond_resched();
	if (local_softirq_pending()) {
		/* Those that an interrupt has left for ksoftirqd: its turn may be far. */
		local_bh_disable();
		local_bh_enable();
	}
	load(x);
}

/*
 * Leave in the middle of an instruction that has reached devices: as if it had
 * waited for a page that is there, so that it is finished before anything else.
 */
static void leave_unfinished(struct hvmm_vcpu *vcpu)
{
	vcpu->mem_work_err = 0;
	vcpu->wait = HVMM_WAIT_MEM;
	set_bit(HVMM_REQ_MEM_DONE, &vcpu->requests);
}

/*
 * Bring in the page that an exit found missing; where it is not at hand, with the vCPU
 * set aside, since shmem may sleep. Return: whether the vCPU can go on.
 */
static bool fault_in(struct hvmm_slice *slice, struct hvmm_x86_vcpu *x)
{
	struct hvmm_mem *mem = &x->vcpu.vm->mem;
	enum hvmm_missing missing = x->missing;
	bool write = x->missing_write;
	u64 gfn = x->missing_gfn;
	int ret;

	x->missing = HVMM_MISSING;
	if (x->hole)
		missing = HVMM_MISSING_HOLE;
	/* Most are in the host's memory, and nothing needs to sleep for them. */
	if (missing == HVMM_MISSING && !hvmm_fpu_must_yield()) {
		ret = hvmm_mem_fault_present(mem, gfn, write);
		if (!ret)
			return true;
		if (ret == -ENOENT)
			missing = HVMM_MISSING_HOLE;
	}
	/* The process may be held back by its own limits: it must not sleep with a pCPU. */
	if (slice->borrower) {
		leave_unfinished(&x->vcpu);
		slice->hand_over = true;
		return false;
	}
	hvmm_set_aside(x);
	x->hole = missing == HVMM_MISSING_HOLE && hvmm_mem_fault_hole(mem, gfn, write);
	ret = x->hole ? 0 : hvmm_mem_fault(mem, gfn, write, NULL);
	if (ret == -EAGAIN)
		hvmm_vcpu_bring_in(&x->vcpu, gfn, write);
	cond_resched();
	hvmm_take_back(x);
	switch (ret) {
	case 0:
		return true;
	case -EAGAIN:
		return false;
	case -EFAULT:
		hvmm_exit_impossible(x, "a page that the guest named is not RAM");
		return false;
	default:
		hvmm_exit_impossible(x, "a page of RAM could not be brought in");
		return false;
	}
}

/* Others wait, or the slice is over. Return: whether to leave. */
static bool attend(struct hvmm_slice *slice)
{
	u64 now = ktime_get_ns();
	u64 end = hvmm_sched_attend(slice->res, now);

	if (!end)
		return false;
	if (now >= end)
		return true;
	slice->timed = true;
	hrtimer_start(&slice->timer, ns_to_ktime(end), HRTIMER_MODE_ABS_PINNED_HARD);
	return false;
}

static bool must_look(const struct hvmm_slice *slice, const struct hvmm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) || READ_ONCE(vcpu->vm->hold) ||
	       READ_ONCE(slice->res->attention) || need_resched() ||
	       hvmm_slice_must_return(slice);
}

/* Enter and leave the guest. Return: false if there is something to look at first. */
static bool enter(struct hvmm_slice *slice, struct hvmm_x86_vcpu *x)
{
	struct hvmm_vcpu *vcpu = &x->vcpu;
	bool handled;

	local_irq_disable();
	WRITE_ONCE(vcpu->mode, HVMM_IN_GUEST);
	/* Pairs with the barrier in hvmm_vcpu_kick() and hvmm_vm_flush_tlbs(). */
	smp_mb();
	if (unlikely(x->eoi_armed && READ_ONCE(vcpu->lapic.irr_pending)) &&
	    hvmm_pv_eoi_sync(x) == -EAGAIN)
		set_bit(HVMM_REQ_EOI, &vcpu->requests);
	if (unlikely(must_look(slice, vcpu))) {
		WRITE_ONCE(vcpu->mode, HVMM_OUTSIDE);
		local_irq_enable();
		return false;
	}
	if (unlikely(hvmm_event_due(x)))
		hvmm_inject_pending(x);
	if (trace_hvmm_entry_enabled())
		trace_hvmm_entry(vcpu->vm->id, vcpu->index, x->regs.rip);
	handled = static_call(hvmm_arch_enter)(x);
	WRITE_ONCE(vcpu->mode, HVMM_OUTSIDE);
	/* The host's interrupts that ended the guest are taken here. */
	local_irq_enable();
	return !handled;
}

static void run_loop(struct hvmm_slice *slice, struct hvmm_x86_vcpu *x)
{
	struct hvmm_vcpu *vcpu = &x->vcpu;
	enum hvmm_exit_fate fate;

	for (;;) {
		if (unlikely(READ_ONCE(vcpu->vm->hold)))
			return;
		fate = HVMM_EXIT_RESUME;
		if (unlikely(READ_ONCE(vcpu->requests) || vcpu->wait != HVMM_WAIT_NONE)) {
			if (vcpu->wait == HVMM_WAIT_HALT &&
			    READ_ONCE(vcpu->requests) & BIT(HVMM_REQ_TIMER))
				hvmm_early_wait(slice->res, vcpu);
			fate = hvmm_x86_requests(x);
		} else if (unlikely(READ_ONCE(slice->res->attention))) {
			if (attend(slice))
				return;
			continue;
		} else if (unlikely(hvmm_fpu_must_yield())) {
			if (hvmm_slice_must_return(slice))
				return;
			give_way(slice, x);
			if (need_resched())
				continue;
		}
		if (likely(fate == HVMM_EXIT_RESUME)) {
			if (!enter(slice, x)) {
				if (hvmm_slice_must_return(slice))
					return;
				continue;
			}
			fate = static_call(hvmm_arch_exit)(x);
		}

		while (unlikely(fate == HVMM_EXIT_FAULT_IN || fate == HVMM_EXIT_REDO)) {
			if (fate == HVMM_EXIT_FAULT_IN) {
				if (!fault_in(slice, x))
					return;
				/* One that has reached devices is finished before anything else. */
				fate = x->nr_io ? HVMM_EXIT_REDO : HVMM_EXIT_RESUME;
				continue;
			}
			/* Pages may be taken away as fast as they come: this has no bound. */
			if (unlikely(READ_ONCE(vcpu->vm->hold))) {
				leave_unfinished(vcpu);
				return;
			}
			x->redo = true;
			fate = static_call(hvmm_arch_exit)(x);
			x->redo = false;
		}
		switch (fate) {
		case HVMM_EXIT_RESUME:
		case HVMM_EXIT_FAULT_IN:
		case HVMM_EXIT_REDO:
			/* Given up half-way: what it did must not be replayed to another. */
			if (unlikely(x->nr_io))
				hvmm_io_forget(x);
			break;
		case HVMM_EXIT_PARK:
			if (vcpu->wait != HVMM_WAIT_HALT)
				return;
			/* A borrower that polls would not see another vCPU's request. */
			if ((slice->borrower && vcpu->vm->nr_vcpus > 1) ||
			    !hvmm_poll_halt(slice->res, x)) {
				hvmm_early_halt(vcpu);
				return;
			}
			vcpu->early_parked = false;
			break;
		case HVMM_EXIT_YIELD:
		case HVMM_EXIT_STOP:
			return;
		}
	}
}

static void begin(struct hvmm_slice *slice, struct hvmm_x86_vcpu *x)
{
	struct hvmm_vcpu *vcpu = &x->vcpu;

	hvmm_stat_inc(vcpu, entries);
	trace_hvmm_switch(vcpu->vm->id, vcpu->index);
	/* Not before what it waited for has been dealt with: writing may have to wait too. */
	if (x->msr.kvm_steal || x->msr.kvm_time)
		set_bit(HVMM_REQ_PV, &vcpu->requests);
	hvmm_poll_woken(vcpu);
	WRITE_ONCE(vcpu->spun, false);
	x->pauses = 0;
}

void hvmm_slice_run(struct hvmm_slice *slice, struct hvmm_vcpu *vcpu, bool resumed)
{
	struct hvmm_x86_vcpu *x = to_x86(vcpu);

	if (!resumed)
		begin(slice, x);
	if (slice->borrower) {
		hvmm_stat_inc(vcpu, lent);
		/* New pages are for who may sleep. */
		x->hole = false;
	}
	load(x);
	run_loop(slice, x);
	unload(x);
	if (slice->timed) {
		hrtimer_cancel(&slice->timer);
		slice->timed = false;
	}
}

void hvmm_slice_end(struct hvmm_vcpu *vcpu)
{
	if (vcpu->wait != HVMM_WAIT_HALT && vcpu->wait != HVMM_WAIT_SIPI)
		hvmm_pv_put(to_x86(vcpu));
}
