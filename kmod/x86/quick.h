/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exits that ask for nothing but a few of the guest's registers are handled where the guest was
 * left, and it is entered again, with interrupts off all the while. To the rest of hvmm it has
 * not been left: who wants something of the vCPU sends an interrupt, which stays pending and
 * ends the next entry before the guest's first instruction. Only hvmm_quick_hole() turns
 * interrupts on in between, and says that the guest has been left. This is what x86/svm/run.c
 * and x86/vmx/run.c share of it: all is inlined there.
 */
#ifndef HVMM_X86_QUICK_H
#define HVMM_X86_QUICK_H

#include <linux/irqflags.h>
#include <linux/string.h>

#include <uapi/linux/kvm_para.h>

#include "trace.h"
#include "x86/aside.h"
#include "x86/cpuid.h"
#include "x86/exit.h"
#include "x86/msr.h"
#include "x86/pv.h"

/**
 * enum hvmm_quick - what became of an exit
 * @HVMM_QUICK_LEAVE: nothing yet: it needs the handlers of x86/exit.c
 * @HVMM_QUICK_AGAIN: handled: the guest may be entered
 * @HVMM_QUICK_LOOK: handled, by what may have asked something of this vCPU: that has sent no
 *	interrupt
 */
enum hvmm_quick {
	HVMM_QUICK_LEAVE,
	HVMM_QUICK_AGAIN,
	HVMM_QUICK_LOOK,
};

static __always_inline void hvmm_quick_set_cpuid(struct hvmm_x86_vcpu *x, u64 *rax, const u32 r[4])
{
	*rax = r[0];
	x->regs.gpr[HVMM_RBX] = r[1];
	x->regs.gpr[HVMM_RCX] = r[2];
	x->regs.gpr[HVMM_RDX] = r[3];
}

static noinline void hvmm_quick_live_cpuid(struct hvmm_x86_vcpu *x, u64 *rax)
{
	u32 r[4];

	hvmm_cpuid(x, *rax, x->regs.gpr[HVMM_RCX], r);
	hvmm_quick_set_cpuid(x, rax, r);
}

/**
 * hvmm_quick_cpuid - CPUID, but for stepping behind it
 * @x: the vCPU
 * @rax: its RAX, wherever that is kept
 *
 * Context: the vCPU's runner, interrupts off.
 */
static __always_inline void hvmm_quick_cpuid(struct hvmm_x86_vcpu *x, u64 *rax)
{
	const u32 *fixed;

	hvmm_stat_inc(&x->vcpu, cpuid);
	fixed = hvmm_cpuid_fixed(*rax, x->regs.gpr[HVMM_RCX]);
	if (fixed)
		hvmm_quick_set_cpuid(x, rax, fixed);
	else
		hvmm_quick_live_cpuid(x, rax);
}

/**
 * hvmm_quick_rdmsr - RDMSR, but for stepping behind it
 * @x: the vCPU
 * @rax: its RAX
 * @val: what hvmm_msr_read_quick() has read
 *
 * Context: as hvmm_quick_cpuid().
 */
static __always_inline void hvmm_quick_rdmsr(struct hvmm_x86_vcpu *x, u64 *rax, u64 val)
{
	hvmm_stat_inc(&x->vcpu, msr_read);
	trace_hvmm_msr(x->vcpu.vm->id, x->vcpu.index, false, x->regs.gpr[HVMM_RCX], val, 0);
	*rax = (u32)val;
	x->regs.gpr[HVMM_RDX] = val >> 32;
}

/**
 * hvmm_quick_no_hypercall - a hypercall that does not exist, but for stepping behind it
 * @x: the vCPU
 * @rax: its RAX
 *
 * Those that exist are for the others.
 *
 * Context: as hvmm_quick_cpuid().
 */
static __always_inline void hvmm_quick_no_hypercall(struct hvmm_x86_vcpu *x, u64 *rax)
{
	hvmm_stat_inc(&x->vcpu, hypercall);
	*rax = -KVM_ENOSYS;
}

/**
 * hvmm_quick_in - what IN does to RAX
 * @rax: the guest's RAX
 * @size: 1, 2 or 4
 * @val: what was read
 */
static __always_inline void hvmm_quick_in(u64 *rax, unsigned int size, u64 val)
{
	if (size == 4)
		*rax = (u32)val;
	else
		memcpy(rax, &val, size);
}

/**
 * hvmm_quick_hole - a nested page fault for a page that the file does not have, most likely
 * @x: the vCPU
 * @gfn: guest frame number
 * @write: the access was a write
 *
 * Context: the vCPU's runner, interrupts off. They are on in between, and the vCPU is outside of
 * the guest, set aside: it may sleep.
 * Return: what became of it. With %HVMM_QUICK_LEAVE hvmm_exit_npf() is to be called.
 */
static __always_inline enum hvmm_quick hvmm_quick_hole(struct hvmm_x86_vcpu *x, u64 gfn,
						       bool write)
{
	struct hvmm_vcpu *vcpu = &x->vcpu;

	WRITE_ONCE(vcpu->mode, HVMM_OUTSIDE);
	local_irq_enable();
	hvmm_set_aside(x);
	x->hole = hvmm_mem_fault_hole(&vcpu->vm->mem, gfn, write);
	hvmm_take_back(x);
	local_irq_disable();
	WRITE_ONCE(vcpu->mode, HVMM_IN_GUEST);
	/* As in enter() of run/slice.c: who wanted something meanwhile has sent no interrupt. */
	smp_mb();
	if (unlikely(!x->hole))
		return HVMM_QUICK_LEAVE;
	hvmm_stat_inc(vcpu, fault);
	return hvmm_asks_nothing(x) ? HVMM_QUICK_AGAIN : HVMM_QUICK_LOOK;
}

#endif
