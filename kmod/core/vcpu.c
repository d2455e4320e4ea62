// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/timekeeping.h>

#include "core/arch.h"
#include "core/pressure.h"
#include "core/vcpu.h"
#include "core/vm.h"
#include "host/timer.h"
#include "trace.h"

static enum hrtimer_restart apic_timer_fn(struct hrtimer *timer)
{
	hvmm_vcpu_request(container_of(timer, struct hvmm_vcpu, apic_timer), HVMM_REQ_TIMER);
	return HRTIMER_NORESTART;
}

/* What the host, out of memory, is given before a page is asked for again. */
#define MEM_BACKOFF_MIN_MS	10
#define MEM_BACKOFF_MAX_MS	1000

/* One attempt: who must wait is woken, or comes back after a while. */
static void mem_worker(struct work_struct *work)
{
	struct hvmm_vcpu *vcpu = container_of(to_delayed_work(work), struct hvmm_vcpu, mem_work);
	unsigned long delay = 0;
	int err;

	/* It was woken while it was being served. */
	if (!smp_load_acquire(&vcpu->mem_work_todo))
		return;

	err = hvmm_mem_fault(&vcpu->vm->mem, vcpu->mem_work_gfn, vcpu->mem_work_write,
			     &vcpu->mem_wait);
	switch (err) {
	case -EDQUOT:
		/* Else it is but for those that are just taking something. */
		if (READ_ONCE(vcpu->mem_wait.full) && !hvmm_mem_reclaim_kick(&vcpu->vm->mem))
			hvmm_vm_starves(vcpu->vm);
		return;
	case -ENOMEM:
		hvmm_pressure_kick();
		delay = msecs_to_jiffies(vcpu->mem_backoff);
		vcpu->mem_backoff = min(vcpu->mem_backoff * 2, MEM_BACKOFF_MAX_MS);
		fallthrough;
	case -EAGAIN:
		/* No effect if it has been woken meanwhile. */
		queue_delayed_work(system_unbound_wq, &vcpu->mem_work, delay);
		return;
	}
	vcpu->mem_work_err = err;
	WRITE_ONCE(vcpu->mem_work_todo, false);
	hvmm_vcpu_request(vcpu, HVMM_REQ_MEM_DONE);
}

static void mem_wake(struct hvmm_mem_wait *wait)
{
	struct hvmm_vcpu *vcpu = container_of(wait, struct hvmm_vcpu, mem_wait);

	mod_delayed_work(system_unbound_wq, &vcpu->mem_work, 0);
}

void hvmm_vcpu_bring_in(struct hvmm_vcpu *vcpu, u64 gfn, bool write)
{
	vcpu->mem_work_gfn = gfn;
	vcpu->mem_work_write = write;
	vcpu->mem_backoff = MEM_BACKOFF_MIN_MS;
	vcpu->wait = HVMM_WAIT_MEM;
	/* Pairs with the worker, which may be running for the last time. */
	smp_store_release(&vcpu->mem_work_todo, true);
	mod_delayed_work(system_unbound_wq, &vcpu->mem_work, 0);
}

void hvmm_vcpu_bring_in_reset(struct hvmm_vcpu *vcpu)
{
	vcpu->mem_work_todo = false;
	hvmm_mem_wait_init(&vcpu->mem_wait, mem_wake);
}

void hvmm_vcpu_bring_in_cancel(struct hvmm_vcpu *vcpu)
{
	/* In this order: who does not wait is not woken. */
	hvmm_mem_wait_end(&vcpu->vm->mem.quota, &vcpu->mem_wait, true);
	cancel_delayed_work_sync(&vcpu->mem_work);
}

void hvmm_vcpu_init(struct hvmm_vcpu *vcpu, struct hvmm_vm *vm, u32 index)
{
	vcpu->vm = vm;
	vcpu->index = index;
	hvmm_unit_init(&vcpu->unit, vm->group, index);
	hvmm_ledger_init(&vcpu->ledger, HVMM_VCPU_PAUSED, ktime_get_ns());
	hvmm_hrtimer_setup(&vcpu->apic_timer, apic_timer_fn, HRTIMER_MODE_ABS_HARD);
	INIT_DELAYED_WORK(&vcpu->mem_work, mem_worker);
	hvmm_vcpu_bring_in_reset(vcpu);
}

/* What ends the wait of a vCPU that is away; all else is for when it has come back. */
static bool calls_back(const struct hvmm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->hold) || READ_ONCE(vcpu->requests) & BIT(HVMM_REQ_IO_DONE);
}

void hvmm_vcpu_kick(struct hvmm_vcpu *vcpu)
{
	int mode;

	/*
	 * Pairs with the barriers in hvmm_sched_put() and at VM entry: either we
	 * see the vCPU parked or in the guest, or it sees what our caller did.
	 */
	smp_mb();
	if (READ_ONCE(vcpu->unit.state) == HVMM_UNIT_PARKED) {
		hvmm_sched_wake(&vcpu->unit, ktime_get_ns());
		return;
	}
	mode = READ_ONCE(vcpu->mode);
	if (mode == HVMM_OUTSIDE || (mode == HVMM_AWAY && !calls_back(vcpu)))
		return;
	hvmm_stat_inc(vcpu, kicks);
	hvmm_run_kick_cpu(READ_ONCE(vcpu->unit.res)->id);
}

void hvmm_vcpu_request(struct hvmm_vcpu *vcpu, enum hvmm_request req)
{
	set_bit(req, &vcpu->requests);
	hvmm_vcpu_kick(vcpu);
}

void hvmm_vcpu_unhalt(struct hvmm_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->kicked, true);
	/* Pairs with the barrier in hvmm_sched_put(). One that runs looks at its next HLT. */
	smp_mb();
	if (READ_ONCE(vcpu->unit.state) == HVMM_UNIT_PARKED)
		hvmm_sched_wake(&vcpu->unit, ktime_get_ns());
}

bool hvmm_vcpu_yield_to(struct hvmm_vcpu *from, struct hvmm_vcpu *to)
{
	return hvmm_sched_yield_to(READ_ONCE(from->unit.res), &to->unit, ktime_get_ns());
}

bool hvmm_vcpu_halt_over(struct hvmm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->kicked))
		return true;
	/* The timer's request is not enough: its LVT entry may be masked. */
	if (READ_ONCE(vcpu->requests) & (BIT(HVMM_REQ_NMI) | BIT(HVMM_REQ_INIT)))
		return true;
	if (hvmm_arch_event_pending(vcpu))
		return true;
	return vcpu->halt_irqs && hvmm_lapic_has_wake(&vcpu->lapic);
}

bool hvmm_vcpu_runnable(struct hvmm_vcpu *vcpu)
{
	unsigned long requests = READ_ONCE(vcpu->requests);

	if (READ_ONCE(vcpu->vm->hold))
		return false;

	switch (vcpu->wait) {
	case HVMM_WAIT_NONE:
		return true;
	case HVMM_WAIT_HALT:
		return (requests & BIT(HVMM_REQ_TIMER)) || hvmm_vcpu_halt_over(vcpu);
	case HVMM_WAIT_IO:
		return requests & BIT(HVMM_REQ_IO_DONE);
	case HVMM_WAIT_MEM:
		return requests & BIT(HVMM_REQ_MEM_DONE);
	case HVMM_WAIT_SIPI:
		return requests & (BIT(HVMM_REQ_INIT) | BIT(HVMM_REQ_SIPI));
	}
	return true;
}

enum hvmm_vcpu_state hvmm_vcpu_parked_state(const struct hvmm_vcpu *vcpu)
{
	if (vcpu->wait == HVMM_WAIT_SIPI && READ_ONCE(vcpu->vm->state) != HVMM_VM_STOPPED)
		return HVMM_VCPU_OFFLINE;
	if (READ_ONCE(vcpu->vm->hold))
		return HVMM_VCPU_PAUSED;

	switch (vcpu->wait) {
	case HVMM_WAIT_HALT:
		return HVMM_VCPU_HALTED;
	case HVMM_WAIT_IO:
		return HVMM_VCPU_IO;
	case HVMM_WAIT_MEM:
		return HVMM_VCPU_MEM;
	case HVMM_WAIT_SIPI:
		return HVMM_VCPU_OFFLINE;
	case HVMM_WAIT_NONE:
		break;
	}
	return HVMM_VCPU_PAUSED;
}

/* Wake-ups and throttling are what the ledger's state turns into; before it is changed. */
static void trace_change(const struct hvmm_vcpu *vcpu, enum hvmm_vcpu_state to, u64 now)
{
	const struct hvmm_ledger *ledger = &vcpu->ledger;
	u32 vm = vcpu->vm->id;

	if (hvmm_vcpu_state_parked(ledger->state) && !hvmm_vcpu_state_parked(to))
		trace_hvmm_wake(vm, vcpu->index);
	if (ledger->state == to)
		return;
	if (to == HVMM_VCPU_CAPPED)
		trace_hvmm_throttle(vm, vcpu->index);
	else if (ledger->state == HVMM_VCPU_CAPPED)
		trace_hvmm_unthrottle(vm, vcpu->index, max(now, ledger->since) - ledger->since);
}

static void enter_state(struct hvmm_vcpu *vcpu, enum hvmm_vcpu_state state, u64 now)
{
	if (trace_hvmm_wake_enabled() || trace_hvmm_throttle_enabled() ||
	    trace_hvmm_unthrottle_enabled())
		trace_change(vcpu, state, now);
	hvmm_ledger_switch(&vcpu->ledger, state, now);
}

void hvmm_vcpu_changed(struct hvmm_vcpu *vcpu, enum hvmm_unit_state state, u64 now)
{
	switch (state) {
	case HVMM_UNIT_RUNNING:
		enter_state(vcpu, HVMM_VCPU_RUN, now);
		break;
	case HVMM_UNIT_QUEUED:
		enter_state(vcpu, HVMM_VCPU_READY, now);
		break;
	case HVMM_UNIT_CAPPED:
		enter_state(vcpu, HVMM_VCPU_CAPPED, now);
		break;
	case HVMM_UNIT_PARKED:
		enter_state(vcpu, hvmm_vcpu_parked_state(vcpu), now);
		trace_hvmm_park(vcpu->vm->id, vcpu->index,
				hvmm_vcpu_state_name(vcpu->ledger.state));
		/*
		 * Under the lock, so that the vCPU cannot go away under our feet; a
		 * wait queue's own lock must not be taken inside a raw one.
		 */
		if (READ_ONCE(vcpu->vm->hold))
			rcuwait_wake_up(&vcpu->vm->parked);
		break;
	}
}
