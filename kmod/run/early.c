// SPDX-License-Identifier: GPL-2.0
#include <linux/hrtimer.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/processor.h>
#include <linux/timekeeping.h>

#include "run/early.h"
#include "run/early_learn.h"
#include "run/poll.h"

static unsigned int timer_early_ns = 10000;
module_param(timer_early_ns, uint, 0644);
MODULE_PARM_DESC(timer_early_ns,
		 "longest time, ns, by which a halted vCPU's timer is early (10000; 0: never)");

void hvmm_early_halt(struct hvmm_vcpu *vcpu)
{
	const struct hvmm_lapic *l = &vcpu->lapic;
	u64 early = min_t(u64, vcpu->early_ns, READ_ONCE(timer_early_ns));

	vcpu->early_parked = true;
	/* What is so far ahead that it has no end in ns stays there; what is due soon too. */
	if (!early || !l->timer_armed || l->timer_expiry > KTIME_MAX ||
	    l->timer_expiry <= ktime_get_ns() + early)
		return;
	hrtimer_start(&vcpu->apic_timer, ns_to_ktime(l->timer_expiry - early),
		      HRTIMER_MODE_ABS_HARD);
}

void hvmm_early_wait(const struct hvmm_resource *res, struct hvmm_vcpu *vcpu)
{
	const struct hvmm_lapic *l = &vcpu->lapic;
	u64 max = READ_ONCE(timer_early_ns), now;

	if (!max || !l->timer_armed)
		return;
	now = ktime_get_ns();
	/* One that has polled was on its pCPU: nothing is to be learned of the way there. */
	if (vcpu->early_parked)
		vcpu->early_ns = hvmm_early_learn(vcpu->early_ns, now - l->timer_expiry, max);
	while (now < l->timer_expiry && l->timer_expiry - now <= max &&
	       !hvmm_poll_unwelcome(res, vcpu->vm)) {
		cpu_relax();
		now = ktime_get_ns();
	}
}
