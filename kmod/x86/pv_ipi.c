// SPDX-License-Identifier: GPL-2.0
/* Hypercalls by which a vCPU reaches others: kick, yield, IPIs; see pv.h. */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/nospec.h>
#include <uapi/asm/kvm_para.h>
#include <uapi/linux/kvm_para.h>

#include "x86/pv_priv.h"

/* ICR fields that the hypercall takes: vector, delivery mode, level (always "assert"). */
#define ICR_ALLOWED	(HVMM_APIC_ICR_ASSERT | 0x7ff)

/* Return: the vCPU whose APIC has the id, or %NULL. One that the guest renumbered is not found. */
static struct hvmm_vcpu *find(struct hvmm_vm *vm, u64 apic_id)
{
	struct hvmm_vcpu *vcpu;

	if (apic_id >= vm->nr_vcpus)
		return NULL;
	vcpu = vm->vcpus[array_index_nospec(apic_id, vm->nr_vcpus)];
	return READ_ONCE(vcpu->lapic.id) == apic_id ? vcpu : NULL;
}

long hvmm_pv_kick(struct hvmm_x86_vcpu *x, u64 apic_id)
{
	struct hvmm_vcpu *to = find(x->vcpu.vm, apic_id);

	if (to)
		hvmm_vcpu_unhalt(to);
	return 0;
}

static long send_half(struct hvmm_x86_vcpu *x, u64 map, u64 min, struct hvmm_msg *msg)
{
	struct hvmm_vm *vm = x->vcpu.vm;
	long taken = 0;
	u64 id;

	while (map) {
		id = min + __ffs(map);
		map &= map - 1;
		/* Bits rise: nobody is behind the first one that does not exist. */
		if (id >= vm->nr_vcpus)
			break;
		msg->dest = id;
		taken += hvmm_irq_deliver(&vm->irq, &x->vcpu.lapic, msg);
	}
	return taken;
}

long hvmm_pv_send_ipi(struct hvmm_x86_vcpu *x, u64 low, u64 high, u64 min, u64 icr, bool wide)
{
	unsigned int bits = wide ? 64 : 32;
	struct hvmm_msg msg = {
		.vector = icr & HVMM_APIC_LVT_VECTOR,
		.delivery = icr >> 8 & 7,
		.assert = true,
		.wide = true,
	};

	if (icr & ~(u64)ICR_ALLOWED)
		return -KVM_EINVAL;
	if (msg.delivery != HVMM_DELIVER_NMI &&
	    (msg.delivery != HVMM_DELIVER_FIXED || msg.vector < 16))
		return -KVM_EINVAL;
	/* So that nothing overflows below; the highest id there can be is far less. */
	if (min >= x->vcpu.vm->nr_vcpus)
		return 0;
	return send_half(x, low, min, &msg) + send_half(x, high, min + bits, &msg);
}

enum hvmm_exit_fate hvmm_pv_yield(struct hvmm_x86_vcpu *x, u64 apic_id)
{
	struct hvmm_vcpu *to = find(x->vcpu.vm, apic_id);

	if (!to || to == &x->vcpu || !hvmm_vcpu_waits(to) || !hvmm_vcpu_yield_to(&x->vcpu, to))
		return HVMM_EXIT_RESUME;
	hvmm_stat_inc(&x->vcpu, yields);
	return HVMM_EXIT_YIELD;
}
