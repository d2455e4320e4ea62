/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tell RCU, lockdep, tracing and CPU-time accounting that a pCPU enters and
 * leaves a guest. The kernel has the same in linux/kvm_host.h, which needs
 * CONFIG_KVM.
 */
#ifndef HVMM_HOST_CONTEXT_H
#define HVMM_HOST_CONTEXT_H

#include <linux/context_tracking.h>
#include <linux/instruction_pointer.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/rcupdate.h>
#include <linux/vtime.h>

/**
 * hvmm_context_enter - about to enter the guest
 * @noted: this pCPU's own: the tick at which RCU was told last
 *
 * Between this and hvmm_context_exit() nothing may be traced, take a lock or use RCU.
 *
 * To RCU a guest is what userspace is. It looks for such a state once in a tick, which
 * interrupts the guest: it is told no more often than that.
 *
 * Context: interrupts off; the entry turns them on.
 */
static __always_inline void hvmm_context_enter(unsigned long *noted)
{
	unsigned long now;

	instrumentation_begin();
	vtime_account_guest_enter();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	instrumentation_end();

	if (!context_tracking_guest_enter()) {
		now = READ_ONCE(jiffies);
		if (unlikely(*noted != now)) {
			*noted = now;
			instrumentation_begin();
			rcu_virt_note_context_switch();
			instrumentation_end();
		}
	}
	lockdep_hardirqs_on(_THIS_IP_);
}

/**
 * hvmm_context_exit - the guest was left
 *
 * Context: interrupts off.
 */
static __always_inline void hvmm_context_exit(void)
{
	lockdep_hardirqs_off(_THIS_IP_);
	context_tracking_guest_exit();
	instrumentation_begin();
	trace_hardirqs_off_finish();
	vtime_account_guest_exit();
	instrumentation_end();
}

#endif
