// SPDX-License-Identifier: GPL-2.0
/* The KVM guest ABI; see pv.h. */
#include <linux/errno.h>
#include <linux/stddef.h>
#include <uapi/asm/kvm_para.h>
#include <uapi/linux/kvm_para.h>

#include "x86/pv_priv.h"
#include "x86/vendor.h"

static int guest_write(struct hvmm_x86_vcpu *x, u64 gpa, const void *buf, unsigned int len)
{
	int ret = hvmm_mem_write(&x->vcpu.vm->mem, gpa, buf, len, &x->missing_gfn);

	if (ret == -EAGAIN)
		x->missing_write = true;
	return ret;
}

int hvmm_pv_versioned_write(struct hvmm_x86_vcpu *x, u32 *version, u64 version_gpa, u64 gpa,
			    const void *buf, unsigned int len)
{
	int ret;

	*version = (*version + 1) | 1;
	ret = guest_write(x, version_gpa, version, sizeof(*version));
	if (ret)
		return ret;
	smp_wmb();	/* the version is odd before anything changes */
	ret = guest_write(x, gpa, buf, len);
	if (ret)
		return ret;
	smp_wmb();	/* everything has changed before the version is even */
	++*version;
	return guest_write(x, version_gpa, version, sizeof(*version));
}

static u64 ledger_steal(struct hvmm_x86_vcpu *x)
{
	struct hvmm_ledger_sample s;

	hvmm_ledger_read(&x->vcpu.ledger, &s);
	return s.ns[HVMM_VCPU_READY] + s.ns[HVMM_VCPU_CAPPED] + s.ns[HVMM_VCPU_HOST];
}

void hvmm_pv_reset(struct hvmm_x86_vcpu *x)
{
	x->msr.kvm_wall = 0;
	x->msr.kvm_time = 0;
	x->msr.kvm_steal = 0;
	x->msr.kvm_eoi = 0;
	x->msr.kvm_poll = KVM_POLL_HOST;
	x->steal_base = ledger_steal(x);
	x->preempted = false;
	x->eoi_armed = false;
}

static bool steal_enabled(const struct hvmm_x86_vcpu *x)
{
	return x->msr.kvm_steal & KVM_MSR_ENABLED;
}

static u64 steal_gpa(const struct hvmm_x86_vcpu *x)
{
	return x->msr.kvm_steal & KVM_STEAL_VALID_BITS;
}

/*
 * Tell the guest that the vCPU runs, and flush if another of its vCPUs has left that to
 * us. Only such a one changes the byte meanwhile, and only to ask for a flush: once one
 * is certain to follow, a plain store loses nothing.
 */
static int clear_preempted(struct hvmm_x86_vcpu *x)
{
	struct hvmm_mem *mem = &x->vcpu.vm->mem;
	u64 gpa = steal_gpa(x) + offsetof(struct kvm_steal_time, preempted);
	u8 seen = KVM_VCPU_PREEMPTED, running = 0;
	int ret;

	ret = hvmm_mem_cmpxchg(mem, gpa, &seen, &running, sizeof(seen), &x->missing_gfn);
	if (ret == 1) {
		ret = guest_write(x, gpa, &running, sizeof(running));
		if (!ret)
			hvmm_arch->flush_tlb(x);
	}
	if (ret == -EAGAIN)
		x->missing_write = true;
	else
		x->preempted = false;
	return ret;
}

int hvmm_pv_steal(struct hvmm_x86_vcpu *x)
{
	u64 gpa = steal_gpa(x);
	u64 steal;
	int ret;

	if (!steal_enabled(x))
		return 0;

	steal = ledger_steal(x) - x->steal_base;
	ret = hvmm_pv_versioned_write(x, &x->steal_version,
				      gpa + offsetof(struct kvm_steal_time, version),
				      gpa + offsetof(struct kvm_steal_time, steal),
				      &steal, sizeof(steal));
	if (!ret && x->preempted)
		ret = clear_preempted(x);
	if (ret == -EFAULT) {
		x->msr.kvm_steal = 0;
		ret = -EINVAL;
	}
	return ret;
}

int hvmm_pv_steal_time(struct hvmm_x86_vcpu *x, u64 val)
{
	u64 old = x->msr.kvm_steal;
	bool was = x->preempted;
	int ret;

	x->msr.kvm_steal = val;
	/* What the page says from an earlier use is not so. */
	x->preempted = true;
	ret = hvmm_pv_steal(x);
	if (!steal_enabled(x))
		x->preempted = false;
	if (ret) {
		x->msr.kvm_steal = old;
		x->preempted = was;
	}
	return ret;
}

void hvmm_pv_put(struct hvmm_x86_vcpu *x)
{
	static const u8 preempted = KVM_VCPU_PREEMPTED;
	u64 unused;

	if (!steal_enabled(x) || x->preempted)
		return;
	/* A hint: where the page is not mapped, it is not given. */
	x->preempted = !hvmm_mem_write(&x->vcpu.vm->mem,
				       steal_gpa(x) + offsetof(struct kvm_steal_time, preempted),
				       &preempted, sizeof(preempted), &unused);
}

int hvmm_pv_load(struct hvmm_x86_vcpu *x)
{
	if (hvmm_pv_steal(x) == -EAGAIN)
		return -EAGAIN;
	if (hvmm_pv_load_clock(x) == -EAGAIN)
		return -EAGAIN;
	return 0;
}

long hvmm_pv_hypercall(struct hvmm_x86_vcpu *x, u64 nr, const u64 arg[4], bool wide,
		       enum hvmm_exit_fate *fate)
{
	if (hvmm_arch->get_cpl(x))
		return -KVM_EPERM;

	switch (nr) {
	case KVM_HC_VAPIC_POLL_IRQ:
		/* The exit as such is what the guest wants: pending interrupts come now. */
		return 0;
	case KVM_HC_KICK_CPU:
		return hvmm_pv_kick(x, arg[1]);
	case KVM_HC_SEND_IPI:
		return hvmm_pv_send_ipi(x, arg[0], arg[1], arg[2], arg[3], wide);
	case KVM_HC_SCHED_YIELD:
		*fate = hvmm_pv_yield(x, arg[0]);
		return 0;
	default:
		return -KVM_ENOSYS;
	}
}
