// SPDX-License-Identifier: GPL-2.0
/* kvmclock; see pv.h. */
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>

#include "x86/msr.h"
#include "x86/pv_priv.h"

#define TIME_ENABLED	BIT_ULL(0)

void hvmm_pv_clock_reset(struct hvmm_vm *vm)
{
	unsigned long flags;

	local_irq_save(flags);
	vm->tsc_offset = -rdtsc_ordered();
	vm->clock_offset = -ktime_get_ns();
	local_irq_restore(flags);
}

/*
 * ns = (tsc << shift) * mul / 2^32, a negative shift being one to the right; mul is at
 * least 2^31, which keeps all its bits busy.
 */
static void tsc_scale(u32 khz, u32 *mul, s8 *shift)
{
	u64 num = USEC_PER_SEC, den = khz;
	s8 s = 0;

	for (; num >= den; s++)
		den <<= 1;
	for (; num * 2 < den; s--)
		num <<= 1;
	*mul = div64_u64(num << 32, den);
	*shift = s;
}

static u64 tsc_to_ns(u64 tsc)
{
	u32 mul;
	s8 shift;

	tsc_scale(tsc_khz, &mul, &shift);
	tsc = shift < 0 ? tsc >> -shift : tsc << shift;
	return mul_u64_u32_shr(tsc, mul, 32);
}

static bool tsc_sound(void)
{
	return !check_tsc_unstable();
}

int hvmm_pv_wall_clock(struct hvmm_x86_vcpu *x, u64 gpa)
{
	struct pvclock_wall_clock wc = {};
	struct hvmm_vm *vm = x->vcpu.vm;
	u64 real, up;
	int ret;

	/* The wall clock at the instant when kvmclock was 0. */
	if (tsc_sound())
		up = tsc_to_ns(rdtsc_ordered() + vm->tsc_offset);
	else
		up = ktime_get_ns() + vm->clock_offset;
	real = ktime_get_real_ns() - up;
	wc.sec = div_u64_rem(real, NSEC_PER_SEC, &wc.nsec);

	ret = hvmm_pv_versioned_write(x, &wc.version, gpa, gpa + sizeof(wc.version), &wc.sec,
				      sizeof(wc) - sizeof(wc.version));
	return ret == -EFAULT ? -EINVAL : ret;
}

int hvmm_pv_update_clock(struct hvmm_x86_vcpu *x)
{
	struct pvclock_vcpu_time_info ti = {};
	u64 gpa = x->msr.kvm_time & ~TIME_ENABLED;
	unsigned long flags;
	int ret;

	if (!(x->msr.kvm_time & TIME_ENABLED))
		return 0;

	tsc_scale(tsc_khz, &ti.tsc_to_system_mul, &ti.tsc_shift);
	if (tsc_sound()) {
		ti.flags = PVCLOCK_TSC_STABLE_BIT;
		ti.tsc_timestamp = x->msr.tsc_adjust;
	} else {
		local_irq_save(flags);
		ti.tsc_timestamp = hvmm_guest_tsc(x);
		ti.system_time = ktime_get_ns() + x->vcpu.vm->clock_offset;
		local_irq_restore(flags);
	}

	ret = hvmm_pv_versioned_write(x, &x->time_version, gpa, gpa + sizeof(ti.version),
				      (void *)&ti + sizeof(ti.version),
				      sizeof(ti) - sizeof(ti.version));
	if (ret == -EFAULT) {
		x->msr.kvm_time = 0;
		ret = -EINVAL;
	}
	return ret;
}

int hvmm_pv_system_time(struct hvmm_x86_vcpu *x, u64 val)
{
	u64 old = x->msr.kvm_time;
	int ret;

	x->msr.kvm_time = val;
	ret = hvmm_pv_update_clock(x);
	if (ret)
		x->msr.kvm_time = old;
	return ret;
}

int hvmm_pv_load_clock(struct hvmm_x86_vcpu *x)
{
	return tsc_sound() ? 0 : hvmm_pv_update_clock(x);
}
