// SPDX-License-Identifier: GPL-2.0
/*
 * VM entry and exit: APM vol. 2, 15.5; exits that are handled here: x86/quick.h, and 15.21.1 for
 * the interrupt that ends the next entry.
 */
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/unaligned.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "host/context.h"
#include "host/debug.h"
#include "trace.h"
#include "x86/quick.h"
#include "x86/svm/code.h"

/* APM vol. 2, 15.16: a new ASID has nothing in the TLB; when they run out, all go. */
static void new_asid(struct hvmm_svm_vcpu *svm, struct hvmm_svm_cpu *sc)
{
	struct hvmm_vmcb_control *c = &svm->vmcb->control;

	if (sc->asid_next >= hvmm_svm_features.nr_asids) {
		sc->asid_gen++;
		sc->asid_next = 1;
		c->tlb_control = SVM_TLB_FLUSH_ALL;
	}
	svm->asid_gen = sc->asid_gen;
	c->asid = sc->asid_next++;
	hvmm_svm_dirty(svm, SVM_CLEAN_ASID);
	hvmm_stat_inc(&svm->x.vcpu, tlb_flushes);
}

/* The LAPIC's TPR to the control block. */
static void sync_tpr(struct hvmm_svm_vcpu *svm)
{
	struct hvmm_vmcb_control *c = &svm->vmcb->control;
	u8 tpr = hvmm_lapic_get_tpr(&svm->x.vcpu.lapic);

	if (likely((c->vintr & SVM_V_TPR_MASK) == tpr))
		return;
	c->vintr = (c->vintr & ~SVM_V_TPR_MASK) | tpr;
	hvmm_svm_dirty(svm, SVM_CLEAN_TPR);
}

static void load_debug_registers(const u64 *dr)
{
	/* The host's DR7 would act on the guest's addresses. */
	set_debugreg(0, 7);
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

static noinstr void enter_guest(struct hvmm_svm_vcpu *svm, struct hvmm_svm_cpu *sc)
{
	hvmm_context_enter(&sc->noted);
	/*
	 * GIF is clear: nothing is taken here, but the guest is left for it (APM
	 * vol. 2, 15.21.1: with V_INTR_MASKING the host's IF decides).
	 */
	asm volatile("sti" : : : "memory");
	hvmm_svm_vmrun(&svm->x.regs, svm->vmcb_pa, sc->host_vmcb_pa);
	asm volatile("cli" : : : "memory");
	hvmm_context_exit();
}

#ifdef HVMM_DEBUG
/* For hvmm_svm_try_broken(). Return: whether the guest was entered. */
static bool try_to_enter(struct hvmm_svm_vcpu *svm)
{
	asm volatile("clgi" : : : "memory");
	enter_guest(svm, this_cpu_ptr(&hvmm_svm_cpu));
	hvmm_host_restore_debug(NULL);
	hvmm_host_clean_dr6();
	asm volatile("stgi" : : : "memory");
	return (u32)svm->vmcb->control.exit_code != SVM_X_INVALID_LOW;
}

/* Emulators let states pass that processors refuse. Return: whether to enter. */
static bool state_is_sound(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vmcb *vmcb = to_svm(x)->vmcb;
	const char *why;

	hvmm_svm_try_broken(to_svm(x), try_to_enter);
	why = hvmm_svm_check(vmcb, &hvmm_svm_limits);
	if (likely(!why))
		return true;
	pr_err_ratelimited("VM %u vCPU %u: VMRUN would be refused: %s\n", x->vcpu.vm->id,
			   x->vcpu.index, why);
	/* As if it had been: the exit's handler says why and stops the VM. */
	vmcb->control.exit_code = SVM_X_INVALID_LOW;
	vmcb->control.exit_int_info = 0;
	return false;
}
#else
static bool state_is_sound(struct hvmm_x86_vcpu *x)
{
	return true;
}
#endif

/* Not inline: their arguments would be loaded whether they are wanted or not. */
static noinline void trace_entry(const struct hvmm_svm_vcpu *svm)
{
	const struct hvmm_vcpu *vcpu = &svm->x.vcpu;

	trace_hvmm_entry(vcpu->vm->id, vcpu->index, svm->vmcb->save.rip);
}

static noinline void trace_exit(const struct hvmm_svm_vcpu *svm)
{
	const struct hvmm_vmcb *vmcb = svm->vmcb;
	const struct hvmm_vcpu *vcpu = &svm->x.vcpu;

	trace_hvmm_exit(vcpu->vm->id, vcpu->index, vmcb->control.exit_code, vmcb->save.rip,
			vmcb->control.exit_info1, vmcb->control.exit_info2);
}

/* The instruction is done: step behind it. Nobody steps or has a breakpoint: see quick_exit(). */
static __always_inline void step(struct hvmm_svm_vcpu *svm, u64 next_rip)
{
	struct hvmm_vmcb *vmcb = svm->vmcb;

	if (trace_hvmm_exit_enabled())
		trace_exit(svm);
	vmcb->save.rip = next_rip;
	vmcb->control.shadow &= ~(u64)SVM_SHADOW_INTERRUPT;
}

/* Where the instruction ends, if it is a plain one in 64-bit mode; else 0. */
static __always_inline u64 next_rip(struct hvmm_svm_vcpu *svm, enum hvmm_svm_insn insn)
{
	const struct hvmm_vmcb *vmcb = svm->vmcb;
	const void *bytes;
	u64 next;

	if (!(vmcb->save.cs.attrib & HVMM_SEG_ATTR_L))
		return 0;
	if (hvmm_svm_features.nrips) {
		next = vmcb->control.next_rip;
		return next - vmcb->save.rip <= HVMM_INSN_MAX_LEN ? next : 0;
	}
	bytes = hvmm_svm_code_at(svm, vmcb->save.rip);
	if (unlikely(!bytes || !hvmm_svm_is_plain(bytes, insn)))
		return 0;
	return vmcb->save.rip + hvmm_svm_plain[insn].len;
}

static __always_inline enum hvmm_quick quick_cpuid(struct hvmm_svm_vcpu *svm)
{
	u64 next = next_rip(svm, HVMM_SVM_INSN_CPUID);

	if (unlikely(!next))
		return HVMM_QUICK_LEAVE;
	step(svm, next);
	hvmm_quick_cpuid(&svm->x, &svm->vmcb->save.rax);
	return HVMM_QUICK_AGAIN;
}

static __always_inline enum hvmm_quick quick_rdmsr(struct hvmm_svm_vcpu *svm)
{
	u64 next = next_rip(svm, HVMM_SVM_INSN_RDMSR);
	u64 val;

	if (unlikely(!next || !hvmm_msr_read_quick(&svm->x, svm->x.regs.gpr[HVMM_RCX], &val)))
		return HVMM_QUICK_LEAVE;
	step(svm, next);
	hvmm_quick_rdmsr(&svm->x, &svm->vmcb->save.rax, val);
	return HVMM_QUICK_AGAIN;
}

static __always_inline enum hvmm_quick quick_hypercall(struct hvmm_svm_vcpu *svm)
{
	struct hvmm_vmcb_save *s = &svm->vmcb->save;
	u64 next;

	if (hvmm_pv_is_hypercall(s->rax) || s->cpl)
		return HVMM_QUICK_LEAVE;
	next = next_rip(svm, HVMM_SVM_INSN_VMMCALL);
	if (unlikely(!next))
		return HVMM_QUICK_LEAVE;
	step(svm, next);
	hvmm_quick_no_hypercall(&svm->x, &s->rax);
	return HVMM_QUICK_AGAIN;
}

static __always_inline enum hvmm_quick quick_pio(struct hvmm_svm_vcpu *svm)
{
	struct hvmm_vmcb_control *c = &svm->vmcb->control;
	struct hvmm_vmcb_save *s = &svm->vmcb->save;
	u64 info = c->exit_info1, next = c->exit_info2;
	unsigned int size = SVM_IOIO_SIZE(info);
	u64 val = 0;

	/* EXITINFO2 is the RIP of the next instruction, on every processor (15.10.2). */
	if (unlikely((info & SVM_IOIO_STR) || next - s->rip - 1 >= HVMM_INSN_MAX_LEN))
		return HVMM_QUICK_LEAVE;
	if (!(info & SVM_IOIO_IN))
		val = s->rax;
	if (!hvmm_io_port_quick(&svm->x, !(info & SVM_IOIO_IN), info >> 16, size, &val))
		return HVMM_QUICK_LEAVE;
	step(svm, next);
	if (info & SVM_IOIO_IN)
		hvmm_quick_in(&s->rax, size, val);
	return hvmm_asks_nothing(&svm->x) ? HVMM_QUICK_AGAIN : HVMM_QUICK_LOOK;
}

/* No delivery was cut off, and no step of ours or of the guest's ends: these are for later. */
static __always_inline bool is_plain_exit(const struct hvmm_svm_vcpu *svm)
{
	const struct hvmm_vmcb *vmcb = svm->vmcb;

	return likely(!(vmcb->control.exit_int_info & SVM_EVENT_V) && !svm->iret_pending &&
		      !svm->stepping &&
		      !(vmcb->save.rflags & (X86_EFLAGS_TF | X86_EFLAGS_RF)));
}

/* The access is done again: there is nothing to step over. */
static noinline enum hvmm_quick quick_npf(struct hvmm_svm_vcpu *svm)
{
	const struct hvmm_vmcb_control *c = &svm->vmcb->control;

	if (!is_plain_exit(svm) ||
	    !hvmm_exit_npf_quick(&svm->x, c->exit_info2, c->exit_info1 & SVM_NPF_WRITE))
		return HVMM_QUICK_LEAVE;
	if (trace_hvmm_exit_enabled())
		trace_exit(svm);
	return HVMM_QUICK_AGAIN;
}

/* Where one page of the file was not there, the next one is not either, most likely. */
static noinline enum hvmm_quick quick_hole(struct hvmm_svm_vcpu *svm)
{
	const struct hvmm_vmcb_control *c = &svm->vmcb->control;
	enum hvmm_quick quick;

	if (!is_plain_exit(svm))
		return HVMM_QUICK_LEAVE;
	quick = hvmm_quick_hole(&svm->x, c->exit_info2 >> PAGE_SHIFT,
				c->exit_info1 & SVM_NPF_WRITE);
	if (trace_hvmm_exit_enabled() && quick != HVMM_QUICK_LEAVE)
		trace_exit(svm);
	return quick;
}

/* Not inline: what it needs of the stack no other exit pays for. */
static noinline enum hvmm_quick quick_insn(struct hvmm_svm_vcpu *svm)
{
	if (!is_plain_exit(svm))
		return HVMM_QUICK_LEAVE;
	switch ((u32)svm->vmcb->control.exit_code) {
	case SVM_X_CPUID:
		return quick_cpuid(svm);
	case SVM_X_MSR:
		return quick_rdmsr(svm);
	case SVM_X_VMMCALL:
		return quick_hypercall(svm);
	default:
		return quick_pio(svm);
	}
}

/* Of MSRs those that are read. */
static __always_inline enum hvmm_quick quick_exit(struct hvmm_svm_vcpu *svm)
{
	const struct hvmm_vmcb_control *c = &svm->vmcb->control;
	u32 code = c->exit_code;
	const u32 mask = BIT(0) | BIT(SVM_X_IOIO - SVM_X_CPUID) | BIT(SVM_X_MSR - SVM_X_CPUID) |
			 BIT(SVM_X_VMMCALL - SVM_X_CPUID);

	if (code - SVM_X_CPUID >= 32) {
		if (code == SVM_X_NPF && hvmm_exit_npf_may_be_quick(&svm->x, c->exit_info2))
			return svm->x.hole ? quick_hole(svm) : quick_npf(svm);
		return HVMM_QUICK_LEAVE;
	}
	if (!(mask >> (code - SVM_X_CPUID) & 1) || (code == SVM_X_MSR && c->exit_info1))
		return HVMM_QUICK_LEAVE;
	return quick_insn(svm);
}

bool hvmm_svm_enter(struct hvmm_x86_vcpu *x)
{
	struct hvmm_svm_cpu *sc = this_cpu_ptr(&hvmm_svm_cpu);
	struct hvmm_svm_vcpu *svm = to_svm(x);
	struct hvmm_vmcb *vmcb = svm->vmcb;
	bool debugging = vmcb->save.dr7 & (DR_LOCAL_ENABLE_MASK | DR_GLOBAL_ENABLE_MASK);
	enum hvmm_quick quick = HVMM_QUICK_LEAVE;

	if (unlikely(svm->asid_gen != sc->asid_gen))
		new_asid(svm, sc);
	sync_tpr(svm);
	vmcb->save.rax = x->regs.gpr[HVMM_RAX];
	vmcb->save.rsp = x->regs.gpr[HVMM_RSP];
	vmcb->save.rip = x->regs.rip;
	vmcb->save.rflags = x->regs.rflags;
	/* Emulation may have raised a page fault: a processor that caches CR2 must look. */
	if (unlikely(vmcb->save.cr2 != x->cr2)) {
		vmcb->save.cr2 = x->cr2;
		hvmm_svm_dirty(svm, SVM_CLEAN_CR2);
	}

	for (;;) {
		if (!state_is_sound(x))
			break;
		asm volatile("clgi" : : : "memory");
		if (unlikely(debugging)) {
			hvmm_host_save_debug(sc->host_dr);
			load_debug_registers(x->dr);
		}
		enter_guest(svm, sc);
		hvmm_host_restore_debug(debugging ? sc->host_dr : NULL);
		if (unlikely(vmcb->save.dr6 != HVMM_DR6_FIXED))
			hvmm_host_clean_dr6();
		asm volatile("stgi" : : : "memory");

		vmcb->control.tlb_control = SVM_TLB_NOTHING;
		vmcb->control.clean = SVM_CLEAN_ALL;
		vmcb->control.event_inject = 0;
		quick = quick_exit(svm);
		if (quick != HVMM_QUICK_AGAIN)
			break;
		if (trace_hvmm_entry_enabled())
			trace_entry(svm);
	}

	x->regs.gpr[HVMM_RAX] = vmcb->save.rax;
	x->regs.gpr[HVMM_RSP] = vmcb->save.rsp;
	x->regs.rip = vmcb->save.rip;
	x->regs.rflags = vmcb->save.rflags;
	x->cr2 = vmcb->save.cr2;
	x->seg_valid = 0;
	x->insn_valid = false;
	hvmm_lapic_sync_tpr(&x->vcpu.lapic, vmcb->control.vintr & SVM_V_TPR_MASK);
	hvmm_svm_complete_events(svm);
	return quick == HVMM_QUICK_LOOK;
}
