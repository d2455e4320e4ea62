// SPDX-License-Identifier: GPL-2.0
/*
 * Paravirtual EOI; see pv.h. A bit in the guest's memory says that the interrupt in
 * service may be ended by clearing it, without an exit. It is set only while nothing
 * can depend on that end: no other interrupt is requested or in service, and no IOAPIC
 * waits for it. So hvmm need not look after every exit, but only before the LAPIC's
 * state matters again: something new is requested, the guest uses the LAPIC, or halts.
 */
#include <linux/errno.h>
#include <uapi/asm/kvm_para.h>

#include "x86/pv.h"

static u64 word_gpa(const struct hvmm_x86_vcpu *x)
{
	return x->msr.kvm_eoi & ~(u64)KVM_MSR_ENABLED;
}

int hvmm_pv_eoi_sync(struct hvmm_x86_vcpu *x)
{
	struct hvmm_mem *mem = &x->vcpu.vm->mem;
	u8 word = 0;
	int ret;

	if (likely(!x->eoi_armed))
		return 0;
	/* Nobody but this vCPU changes the word, and it does not run. */
	ret = hvmm_mem_read(mem, word_gpa(x), &word, sizeof(word), &x->missing_gfn);
	if (!ret && (word & KVM_PV_EOI_ENABLED)) {
		word = KVM_PV_EOI_DISABLED;
		ret = hvmm_mem_write(mem, word_gpa(x), &word, sizeof(word), &x->missing_gfn);
		if (!ret)
			x->eoi_armed = false;
	} else if (ret != -EAGAIN) {
		x->eoi_armed = false;
		hvmm_lapic_eoi(&x->vcpu.lapic);
	}
	if (ret != -EAGAIN)
		return 0;
	x->missing_write = true;
	return ret;
}

void hvmm_pv_eoi_arm(struct hvmm_x86_vcpu *x, u8 vector)
{
	static const u8 word = KVM_PV_EOI_ENABLED;
	u64 unused;

	if (!(x->msr.kvm_eoi & KVM_MSR_ENABLED))
		return;
	if (!hvmm_lapic_alone(&x->vcpu.lapic, vector))
		return;
	/* Without its page the guest ends this one as any other. */
	x->eoi_armed = !hvmm_mem_write(&x->vcpu.vm->mem, word_gpa(x), &word, sizeof(word),
				       &unused);
}

int hvmm_pv_eoi_enable(struct hvmm_x86_vcpu *x, u64 val)
{
	u8 word;
	int ret;

	ret = hvmm_pv_eoi_sync(x);
	if (ret)
		return ret;
	if (val & KVM_MSR_ENABLED) {
		ret = hvmm_mem_read(&x->vcpu.vm->mem, val & ~(u64)KVM_MSR_ENABLED, &word,
				    sizeof(word), &x->missing_gfn);
		if (ret == -EAGAIN)
			x->missing_write = true;
		if (ret)
			return ret == -EFAULT ? -EINVAL : ret;
	}
	x->msr.kvm_eoi = val;
	return 0;
}
