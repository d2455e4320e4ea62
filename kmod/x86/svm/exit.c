// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of SVM (APM vol. 2, appendix C) onto the handlers in x86/exit.c.
 */
#include <linux/stddef.h>

#include <asm/trapnr.h>

#include "x86/exit.h"
#include "trace.h"
#include "x86/svm/svm.h"

/* Length of the instruction that exited, 0 where the processor does not tell. */
static unsigned int next_len(const struct hvmm_svm_vcpu *svm)
{
	u64 next = svm->vmcb->control.next_rip;

	if (!hvmm_svm_features.nrips || !next)
		return 0;
	next -= svm->x.regs.rip;
	return next <= HVMM_INSN_MAX_LEN ? next : 0;
}

/* The same of an instruction that exits often: also where it takes a look at it. */
static unsigned int insn_len(struct hvmm_svm_vcpu *svm, enum hvmm_svm_insn insn)
{
	return hvmm_svm_features.nrips ? next_len(svm) : hvmm_svm_length(svm, insn);
}

static enum hvmm_exit_fate exit_ioio(struct hvmm_svm_vcpu *svm)
{
	struct hvmm_vmcb_control *c = &svm->vmcb->control;
	u64 info = c->exit_info1;
	u64 len;

	if (info & SVM_IOIO_STR)
		return hvmm_exit_emulate(&svm->x);
	/* EXITINFO2 is the RIP of the next instruction, on every processor (15.10.2). */
	len = c->exit_info2 - svm->x.regs.rip;
	return hvmm_exit_pio(&svm->x, info >> 16, SVM_IOIO_SIZE(info), info & SVM_IOIO_IN,
			     len <= HVMM_INSN_MAX_LEN ? len : 0);
}

static enum hvmm_exit_fate exit_exception(struct hvmm_svm_vcpu *svm, u8 vector)
{
	struct hvmm_x86_vcpu *x = &svm->x;

	switch (vector) {
	case X86_TRAP_MC:
		/* It is the host's: hand it to the host's handler, natively. */
		asm volatile("int $18");
		return HVMM_EXIT_RESUME;
	case X86_TRAP_DB:
		if (svm->stepped)
			return HVMM_EXIT_RESUME;
		return hvmm_queue_exception(x, X86_TRAP_DB, false, 0);
	case X86_TRAP_AC:
		return hvmm_queue_exception(x, X86_TRAP_AC, true, 0);
	default:
		return hvmm_exit_impossible(x, "an exception that is not intercepted");
	}
}

static enum hvmm_exit_fate exit_npf(struct hvmm_svm_vcpu *svm)
{
	struct hvmm_vmcb_control *c = &svm->vmcb->control;

	return hvmm_exit_npf(&svm->x, c->exit_info2, c->exit_info1 & SVM_NPF_WRITE,
			     c->exit_info1 & SVM_NPF_TABLE_WALK);
}

static enum hvmm_exit_fate exit_pause(struct hvmm_svm_vcpu *svm)
{
	enum hvmm_exit_fate fate;

	fate = hvmm_exit_pause(&svm->x, insn_len(svm, HVMM_SVM_INSN_PAUSE),
			       hvmm_svm_features.pause_filter);
	if (fate == HVMM_EXIT_RESUME)
		hvmm_svm_watch_pause(svm);
	return fate;
}

#define COUNT(name)						\
	do {							\
		if (likely(!x->redo))				\
			hvmm_stat_inc(&x->vcpu, name);		\
	} while (0)

enum hvmm_exit_fate hvmm_svm_exit(struct hvmm_x86_vcpu *x)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);
	struct hvmm_vmcb_control *c = &svm->vmcb->control;
	u32 code = c->exit_code;

	if (trace_hvmm_exit_enabled() && !x->redo)
		trace_hvmm_exit(x->vcpu.vm->id, x->vcpu.index, c->exit_code, x->regs.rip,
				c->exit_info1, c->exit_info2);
	switch (code) {
	case SVM_X_CPUID:
		COUNT(cpuid);
		return hvmm_exit_cpuid(x, insn_len(svm, HVMM_SVM_INSN_CPUID));
	case SVM_X_MSR:
		if (c->exit_info1) {
			COUNT(msr_write);
			return hvmm_exit_wrmsr(x, insn_len(svm, HVMM_SVM_INSN_WRMSR));
		}
		COUNT(msr_read);
		return hvmm_exit_rdmsr(x, insn_len(svm, HVMM_SVM_INSN_RDMSR));
	case SVM_X_IOIO:
		/* Counted by who serves it. */
		return exit_ioio(svm);
	case SVM_X_NPF:
		return exit_npf(svm);
	case SVM_X_HLT:
		COUNT(hlt);
		return hvmm_exit_hlt(x, insn_len(svm, HVMM_SVM_INSN_HLT));
	case SVM_X_VMMCALL:
		COUNT(hypercall);
		return hvmm_exit_hypercall(x, insn_len(svm, HVMM_SVM_INSN_VMMCALL));
	case SVM_X_INTR:
		/* The host has taken it since: interrupts are on again. */
		COUNT(interrupt);
		hvmm_svm_watch_pause(svm);
		return HVMM_EXIT_RESUME;
	case SVM_X_NMI:
		/* Likewise, right behind STGI. */
		COUNT(nmi);
		return HVMM_EXIT_RESUME;
	case SVM_X_VINTR:
		COUNT(irq_window);
		hvmm_svm_close_window(svm);
		return HVMM_EXIT_RESUME;
	case SVM_X_IRET:
		COUNT(nmi_window);
		return hvmm_svm_exit_iret(svm, next_len(svm));
	case SVM_X_CR0_READ ... SVM_X_CR0_WRITE + 15:
	case SVM_X_CR0_SEL_WRITE:
		COUNT(cr);
		if (code == SVM_X_CR8_WRITE)
			hvmm_svm_close_tpr_window(svm);
		return hvmm_exit_cr(x);
	case SVM_X_DR0_READ ... SVM_X_DR15_WRITE:
		COUNT(dr);
		return hvmm_exit_dr(x);
	case SVM_X_EXCP_BASE ... SVM_X_EXCP_LAST:
		COUNT(exception);
		return exit_exception(svm, code - SVM_X_EXCP_BASE);
	case SVM_X_PAUSE:
		COUNT(pause);
		return exit_pause(svm);
	case SVM_X_XSETBV:
		COUNT(xsetbv);
		return hvmm_exit_xsetbv(x, next_len(svm));
	case SVM_X_INVD:
	case SVM_X_WBINVD:
		COUNT(cache);
		return hvmm_exit_cache(x, next_len(svm));
	case SVM_X_RDPMC:
		COUNT(refused);
		return hvmm_exit_rdpmc(x);
	case SVM_X_RSM:
	case SVM_X_INVLPGA:
	case SVM_X_VMRUN:
	case SVM_X_VMLOAD:
	case SVM_X_VMSAVE:
	case SVM_X_STGI:
	case SVM_X_CLGI:
	case SVM_X_SKINIT:
	case SVM_X_MONITOR:
	case SVM_X_MWAIT:
	case SVM_X_MWAIT_ARMED:
	case SVM_X_RDPRU:
		COUNT(refused);
		return hvmm_exit_refused(x);
	case SVM_X_SHUTDOWN:
		COUNT(shutdown);
		return hvmm_exit_shutdown(x);
	case SVM_X_SMI:
	case SVM_X_INIT:
		/* The processor holds it pending for the host. */
		COUNT(other);
		return HVMM_EXIT_RESUME;
	case SVM_X_INVALID_LOW:
		COUNT(other);
		return hvmm_exit_impossible(x, hvmm_svm_check(svm->vmcb, &hvmm_svm_limits) ?:
					    "VMRUN refused the state, for a reason unknown");
	default:
		COUNT(other);
		return hvmm_exit_impossible(x, "an exit that was not asked for");
	}
}
