// SPDX-License-Identifier: GPL-2.0
#include <linux/compiler.h>

#include "x86/spin.h"

bool hvmm_spin_waiter(const struct hvmm_vcpu *vcpu)
{
	const struct hvmm_vm *vm = vcpu->vm;
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i] != vcpu && hvmm_vcpu_waits(vm->vcpus[i]))
			return true;
	return false;
}

struct hvmm_vcpu *hvmm_spin_target(const struct hvmm_vcpu *from)
{
	struct hvmm_vm *vm = from->vm;
	struct hvmm_vcpu *to;
	u32 i = READ_ONCE(vm->spin_next);
	u32 n;

	for (n = 0; n < vm->nr_vcpus; n++) {
		to = vm->vcpus[i];
		i = i + 1 < vm->nr_vcpus ? i + 1 : 0;
		if (to == from || !hvmm_vcpu_waits(to))
			continue;
		if (READ_ONCE(to->spun)) {
			WRITE_ONCE(to->spun, false);
			continue;
		}
		WRITE_ONCE(vm->spin_next, i);
		return to;
	}
	return NULL;
}

enum hvmm_exit_fate hvmm_spin(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vcpu *to = hvmm_spin_target(&x->vcpu);

	if (!to || !hvmm_vcpu_yield_to(&x->vcpu, to))
		return HVMM_EXIT_RESUME;
	WRITE_ONCE(x->vcpu.spun, true);
	hvmm_stat_inc(&x->vcpu, yields);
	return HVMM_EXIT_YIELD;
}
