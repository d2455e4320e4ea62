// SPDX-License-Identifier: GPL-2.0
/* A VM's life between creation and destruction: started, held, stopped. */
#include <linux/netlink.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "core/arch.h"
#include "core/life.h"
#include "core/vm.h"
#include "trace.h"

/* Its own, so that unloading waits for a last item that puts the last reference. */
static struct workqueue_struct *stop_wq;
static void (*listener)(struct hvmm_vm *vm, enum hvmm_vm_event event);

void hvmm_vm_set_listener(void (*fn)(struct hvmm_vm *vm, enum hvmm_vm_event event))
{
	WRITE_ONCE(listener, fn);
}

void hvmm_life_notify(struct hvmm_vm *vm, enum hvmm_vm_event event)
{
	void (*fn)(struct hvmm_vm *vm, enum hvmm_vm_event event) = READ_ONCE(listener);

	if (fn)
		fn(vm, event);
}

static bool all_parked(struct hvmm_vm *vm)
{
	u64 now = ktime_get_ns();
	bool parked = true;
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (!hvmm_sched_hold(&vm->vcpus[i]->unit, now)) {
			hvmm_vcpu_kick(vm->vcpus[i]);
			parked = false;
		}
	return parked;
}

/* The ledgers of parked vCPUs follow the VM's state. */
static void refresh(struct hvmm_vm *vm)
{
	u64 now = ktime_get_ns();
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++)
		hvmm_sched_refresh(&vm->vcpus[i]->unit, now);
}

/* Returns with no vCPU of @vm loaded or queued anywhere. */
static void hold(struct hvmm_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	WRITE_ONCE(vm->hold, true);
	refresh(vm);
	/* all_parked() has side effects that are wanted again after each wake-up. */
	rcuwait_wait_event(&vm->parked, all_parked(vm), TASK_UNINTERRUPTIBLE);
}

static void release(struct hvmm_vm *vm)
{
	u64 now = ktime_get_ns();
	u32 i;

	lockdep_assert_held(&vm->lock);
	WRITE_ONCE(vm->hold, false);
	for (i = 0; i < vm->nr_vcpus; i++)
		if (!hvmm_sched_wake(&vm->vcpus[i]->unit, now))
			hvmm_sched_refresh(&vm->vcpus[i]->unit, now);
}

static void set_state(struct hvmm_vm *vm, enum hvmm_vm_state state, enum hvmm_vm_reason reason)
{
	lockdep_assert_held(&vm->lock);
	WRITE_ONCE(vm->state, state);
	WRITE_ONCE(vm->reason, reason);
}

void hvmm_life_stop(struct hvmm_vm *vm, enum hvmm_vm_reason reason)
{
	u32 i;

	hold(vm);
	for (i = 0; i < vm->nr_vcpus; i++) {
		hrtimer_cancel(&vm->vcpus[i]->apic_timer);
		hvmm_vcpu_bring_in_cancel(vm->vcpus[i]);
	}
	hvmm_platform_quiesce(vm);
	set_state(vm, HVMM_VM_STOPPED, reason);
	/* A stopped VM's vCPUs are paused whatever they waited for. */
	refresh(vm);
}

static void stop_worker(struct work_struct *work)
{
	struct hvmm_vm *vm = container_of(work, struct hvmm_vm, stop_work);

	mutex_lock(&vm->lock);
	if (!vm->dead && vm->state != HVMM_VM_STOPPED && READ_ONCE(vm->stop_reason)) {
		hvmm_life_stop(vm, vm->stop_reason);
		hvmm_life_notify(vm, HVMM_VM_EVENT_STATE);
	}
	mutex_unlock(&vm->lock);
	hvmm_vm_put(vm);
}

/* Not from the vCPU's own work item: hvmm_life_stop() waits for that with the lock held. */
static void starve_worker(struct work_struct *work)
{
	struct hvmm_vm *vm = container_of(to_delayed_work(work), struct hvmm_vm, starve_work);

	mutex_lock(&vm->lock);
	WRITE_ONCE(vm->starved_at, jiffies);
	if (!vm->dead)
		hvmm_life_notify(vm, HVMM_VM_EVENT_MEMORY);
	mutex_unlock(&vm->lock);
	hvmm_vm_put(vm);
}

void hvmm_vm_starves(struct hvmm_vm *vm)
{
	unsigned long next = READ_ONCE(vm->starved_at) + HZ;

	hvmm_vm_get(vm);
	if (!queue_delayed_work(stop_wq, &vm->starve_work,
				time_before(jiffies, next) ? next - jiffies : 0))
		hvmm_vm_put(vm);
}

void hvmm_vm_stop_async(struct hvmm_vm *vm, enum hvmm_vm_reason reason, const char *error)
{
	/* Also for who comes second, and must not enter the guest again: it is loaded. */
	WRITE_ONCE(vm->hold, true);
	/* The first one has the word; it is reset by hvmm_vm_start(). */
	if (cmpxchg(&vm->stop_reason, HVMM_REASON_NONE, reason) != HVMM_REASON_NONE)
		return;
	trace_hvmm_stop(vm->id, reason, error ?: "");
	if (error)
		strscpy(vm->error, error, sizeof(vm->error));
	hvmm_vm_get(vm);
	if (!queue_work(stop_wq, &vm->stop_work))
		hvmm_vm_put(vm);
}

/* Return: 0 with the lock, or an error without. */
static int lock_alive(struct hvmm_vm *vm, struct netlink_ext_ack *extack)
{
	mutex_lock(&vm->lock);
	if (!vm->dead)
		return 0;
	mutex_unlock(&vm->lock);
	NL_SET_ERR_MSG(extack, "the VM has been destroyed");
	return -ENODEV;
}

static int start_locked(struct hvmm_vm *vm, const struct hvmm_boot *boot)
{
	u32 i;

	vm->error[0] = '\0';
	WRITE_ONCE(vm->stop_reason, HVMM_REASON_NONE);
	hvmm_platform_reset(vm);
	for (i = 0; i < vm->nr_vcpus; i++) {
		struct hvmm_vcpu *vcpu = vm->vcpus[i];

		WRITE_ONCE(vcpu->requests, 0);
		hvmm_vcpu_bring_in_reset(vcpu);
		vcpu->wait = i ? HVMM_WAIT_SIPI : HVMM_WAIT_NONE;
		hvmm_arch_vcpu_reset(vcpu, i ? NULL : boot);
	}
	vm->started_at = ktime_get_ns();
	set_state(vm, HVMM_VM_RUNNING, HVMM_REASON_REQUEST);
	release(vm);
	hvmm_life_notify(vm, HVMM_VM_EVENT_STATE);
	return 0;
}

int hvmm_vm_start(struct hvmm_vm *vm, const struct hvmm_boot *boot,
		  struct netlink_ext_ack *extack)
{
	int ret;

	ret = lock_alive(vm, extack);
	if (ret)
		return ret;
	if (vm->state != HVMM_VM_STOPPED) {
		NL_SET_ERR_MSG(extack, "the VM is not stopped");
		ret = -EBUSY;
		goto out;
	}
	ret = hvmm_arch_boot_check(boot, extack);
	if (!ret)
		ret = start_locked(vm, boot);
out:
	mutex_unlock(&vm->lock);
	return ret;
}

int hvmm_vm_reset(struct hvmm_vm *vm, const struct hvmm_boot *boot,
		  struct netlink_ext_ack *extack)
{
	int ret;

	ret = lock_alive(vm, extack);
	if (ret)
		return ret;
	ret = hvmm_arch_boot_check(boot, extack);
	if (ret)
		goto out;
	if (vm->state != HVMM_VM_STOPPED)
		hvmm_life_stop(vm, HVMM_REASON_REQUEST);
	ret = start_locked(vm, boot);
out:
	mutex_unlock(&vm->lock);
	return ret;
}

int hvmm_vm_stop(struct hvmm_vm *vm, struct netlink_ext_ack *extack)
{
	int ret;

	ret = lock_alive(vm, extack);
	if (ret)
		return ret;
	if (vm->state != HVMM_VM_STOPPED) {
		hvmm_life_stop(vm, HVMM_REASON_REQUEST);
	} else if (vm->reason == HVMM_REASON_RESET) {
		/* Who starts it again after a reset has to see that this is not wanted. */
		set_state(vm, HVMM_VM_STOPPED, HVMM_REASON_REQUEST);
	} else {
		NL_SET_ERR_MSG(extack, "the VM is stopped already");
		ret = -EALREADY;
		goto out;
	}
	hvmm_life_notify(vm, HVMM_VM_EVENT_STATE);
out:
	mutex_unlock(&vm->lock);
	return ret;
}

int hvmm_vm_pause(struct hvmm_vm *vm, struct netlink_ext_ack *extack)
{
	int ret;

	ret = lock_alive(vm, extack);
	if (ret)
		return ret;
	if (vm->state != HVMM_VM_RUNNING) {
		NL_SET_ERR_MSG(extack, "the VM is not running");
		ret = -EBUSY;
		goto out;
	}
	hold(vm);
	set_state(vm, HVMM_VM_PAUSED, HVMM_REASON_REQUEST);
	hvmm_life_notify(vm, HVMM_VM_EVENT_STATE);
out:
	mutex_unlock(&vm->lock);
	return ret;
}

int hvmm_vm_resume(struct hvmm_vm *vm, struct netlink_ext_ack *extack)
{
	int ret;

	ret = lock_alive(vm, extack);
	if (ret)
		return ret;
	if (vm->state != HVMM_VM_PAUSED) {
		NL_SET_ERR_MSG(extack, "the VM is not paused");
		ret = -EBUSY;
		goto out;
	}
	set_state(vm, HVMM_VM_RUNNING, HVMM_REASON_REQUEST);
	/* A stop that was asked for from a runner keeps its hold. */
	if (!READ_ONCE(vm->stop_reason))
		release(vm);
	hvmm_life_notify(vm, HVMM_VM_EVENT_STATE);
out:
	mutex_unlock(&vm->lock);
	return ret;
}

void hvmm_life_prepare(struct hvmm_vm *vm)
{
	INIT_WORK(&vm->stop_work, stop_worker);
	INIT_DELAYED_WORK(&vm->starve_work, starve_worker);
	vm->starved_at = jiffies - HZ;
}

int hvmm_life_init(void)
{
	stop_wq = alloc_workqueue("hvmm_stop", WQ_UNBOUND, 0);
	return stop_wq ? 0 : -ENOMEM;
}

void hvmm_life_exit(void)
{
	destroy_workqueue(stop_wq);
}
