// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/module.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "host/fpu.h"
#include "run/poll.h"
#include "run/poll_learn.h"
#include "sched/domain.h"
#include "x86/pv.h"

static unsigned int halt_poll_ns = 50000;
module_param(halt_poll_ns, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns,
		 "longest time, ns, to look for the end of HLT before another runs (50000; 0: never)");

/*
 * Each idle pCPU is on its way to one that waits: in a dialogue, to the very vCPU that
 * this one has just woken. Only more than these could want this pCPU.
 */
static bool contended(const struct hvmm_domain *dom)
{
	return READ_ONCE(dom->nr_waiting) > hweight32(READ_ONCE(dom->idle));
}

bool hvmm_poll_unwelcome(const struct hvmm_resource *res, const struct hvmm_vm *vm)
{
	return need_resched() || hvmm_fpu_must_yield() || READ_ONCE(res->attention) ||
	       contended(res->dom) || READ_ONCE(vm->hold);
}

bool hvmm_poll_halt(struct hvmm_resource *res, struct hvmm_x86_vcpu *x)
{
	struct hvmm_vcpu *vcpu = &x->vcpu;
	u64 now = ktime_get_ns();
	u64 end, max = READ_ONCE(halt_poll_ns);

	if (!vcpu->halted_at)
		vcpu->halted_at = now;
	if (!max || !(x->msr.kvm_poll & KVM_POLL_HOST)) {
		vcpu->poll_ns = 0;
		return false;
	}
	if (!vcpu->poll_ns || hvmm_poll_unwelcome(res, vcpu->vm))
		return false;

	end = now + min(vcpu->poll_ns, max);
	do {
		if ((READ_ONCE(vcpu->requests) & BIT(HVMM_REQ_TIMER)) ||
		    hvmm_vcpu_halt_over(vcpu)) {
			hvmm_poll_woken(vcpu);
			hvmm_stat_inc(vcpu, polls_hit);
			return true;
		}
		if (hvmm_poll_unwelcome(res, vcpu->vm))
			break;
		cpu_relax();
	} while (ktime_get_ns() < end);
	hvmm_stat_inc(vcpu, polls_missed);
	return false;
}

void hvmm_poll_woken(struct hvmm_vcpu *vcpu)
{
	if (!vcpu->halted_at)
		return;
	vcpu->poll_ns = hvmm_poll_learn(vcpu->poll_ns, ktime_get_ns() - vcpu->halted_at,
					READ_ONCE(halt_poll_ns));
	vcpu->halted_at = 0;
}
