// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of VMX (SDM vol. 3, appendix C) onto the handlers in x86/exit.c.
 */
#include <asm/debugreg.h>
#include <asm/trapnr.h>

#include "trace.h"
#include "x86/exit.h"
#include "x86/vmx/apic.h"
#include "x86/vmx/check.h"
#include "x86/vmx/vmx.h"

/* Causes in an exit qualification of #DB, as in DR6 (SDM vol. 3, table 28-1). */
#define DEBUG_CAUSES	0x600fULL
#define DEBUG_TRAPS	0xfULL

static unsigned int insn_len(struct hvmm_vmx_vcpu *vmx)
{
	u64 len = hvmm_vmx_read(vmx, VMCS_EXIT_INSN_LEN);

	return len <= HVMM_INSN_MAX_LEN ? len : 0;
}

static enum hvmm_exit_fate exit_debug(struct hvmm_vmx_vcpu *vmx, u64 event)
{
	struct hvmm_x86_vcpu *x = &vmx->x;

	/* ICEBP is a trap, but RIP is still at it. */
	if (EVENT_TYPE(event) == EVENT_ICEBP)
		x->regs.rip += insn_len(vmx);
	else if (!x->redo)
		/* Nothing was written to DR6 yet: the exit came before. */
		vmx->dr6 = (vmx->dr6 & ~DEBUG_TRAPS) |
			   (hvmm_vmx_read(vmx, VMCS_QUALIFICATION) & DEBUG_CAUSES);
	return hvmm_queue_exception(x, X86_TRAP_DB, false, 0);
}

/*
 * The guest's own, or one of the host's detection of split locks (SDM vol. 3, 9.1.2.3), of which
 * guests know nothing: they have theirs without it.
 */
static enum hvmm_exit_fate exit_alignment(struct hvmm_vmx_vcpu *vmx)
{
	struct hvmm_x86_vcpu *x = &vmx->x;
	bool own = hvmm_arch->get_cpl(x) == 3 && (x->regs.rflags & X86_EFLAGS_AC) &&
		   (hvmm_arch->get_cr(x, 0) & X86_CR0_AM);

	if (!own && hvmm_vmx_allow_split_locks(vmx))
		return HVMM_EXIT_RESUME;
	return hvmm_queue_exception(x, X86_TRAP_AC, true, 0);
}

static enum hvmm_exit_fate exit_exception(struct hvmm_vmx_vcpu *vmx)
{
	u64 event = hvmm_vmx_read(vmx, VMCS_EXIT_EVENT);
	struct hvmm_x86_vcpu *x = &vmx->x;

	if (EVENT_TYPE(event) == EVENT_NMI) {
		/* The host has taken it since. */
		hvmm_stat_inc(&x->vcpu, nmi);
		return HVMM_EXIT_RESUME;
	}
	if (!x->redo)
		hvmm_stat_inc(&x->vcpu, exception);
	switch (event & EVENT_VECTOR) {
	case X86_TRAP_MC:
		return HVMM_EXIT_RESUME;
	case X86_TRAP_DB:
		return exit_debug(vmx, event);
	case X86_TRAP_AC:
		return exit_alignment(vmx);
	default:
		return hvmm_exit_impossible(x, "an exception that is not intercepted");
	}
}

static enum hvmm_exit_fate exit_io(struct hvmm_vmx_vcpu *vmx)
{
	u64 q = hvmm_vmx_read(vmx, VMCS_QUALIFICATION);

	if (q & IO_Q_STRING)
		return hvmm_exit_emulate(&vmx->x);
	return hvmm_exit_pio(&vmx->x, IO_Q_PORT(q), IO_Q_SIZE(q), q & IO_Q_IN, insn_len(vmx));
}

static enum hvmm_exit_fate exit_ept(struct hvmm_vmx_vcpu *vmx)
{
	u64 q = hvmm_vmx_read(vmx, VMCS_QUALIFICATION);

	/* The guest's page walk, or its load of PAE's first entries, rather than an access. */
	return hvmm_exit_npf(&vmx->x, hvmm_vmx_read(vmx, VMCS_GUEST_PA), q & EPT_Q_WRITE,
			     !(q & EPT_Q_LINEAR_VALID) || !(q & EPT_Q_TRANSLATED));
}

static enum hvmm_exit_fate exit_pause(struct hvmm_vmx_vcpu *vmx)
{
	enum hvmm_exit_fate fate;

	fate = hvmm_exit_pause(&vmx->x, insn_len(vmx),
			       hvmm_vmx_has(VMX_PROC2, PROC2_PAUSE_LOOP));
	if (fate == HVMM_EXIT_RESUME)
		hvmm_vmx_watch_pause(vmx);
	return fate;
}

/* An event is not an instruction, but for INT n, INT3, INTO and INT1. */
static bool is_insn(u64 event)
{
	switch (EVENT_TYPE(event)) {
	case EVENT_SOFT_INTERRUPT:
	case EVENT_ICEBP:
	case EVENT_SOFT_EXCEPTION:
		return true;
	default:
		return false;
	}
}

static enum hvmm_exit_fate exit_task_switch(struct hvmm_vmx_vcpu *vmx)
{
	u64 q = hvmm_vmx_read(vmx, VMCS_QUALIFICATION);
	enum hvmm_task_source source = TASK_Q_SOURCE(q);
	unsigned int len = insn_len(vmx);

	if (source == HVMM_TASK_GATE && !is_insn(hvmm_vmx_read(vmx, VMCS_VECTORING)))
		len = 0;
	return hvmm_exit_task_switch(&vmx->x, TASK_Q_SEL(q), source, len);
}

/* The entry was refused: say which check it was. */
static enum hvmm_exit_fate entry_failed(struct hvmm_vmx_vcpu *vmx)
{
	const char *why;

	if (!vmx->failed && (u16)hvmm_vmx_read(vmx, VMCS_EXIT_REASON) == REASON_MACHINE_CHECK)
		return hvmm_exit_impossible(&vmx->x, "a machine check came during the entry");
	hvmm_vmx_read_all(vmx);
	why = hvmm_vmx_check(vmx->val, &hvmm_vmx_caps);
	return hvmm_exit_impossible(&vmx->x,
				    why ?: "the entry was refused, for a reason unknown");
}

#define COUNT(name)						\
	do {							\
		if (likely(!x->redo))				\
			hvmm_stat_inc(&x->vcpu, name);		\
	} while (0)

enum hvmm_exit_fate hvmm_vmx_exit(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	u32 reason;

	if (unlikely(vmx->failed)) {
		COUNT(other);
		return entry_failed(vmx);
	}
	reason = hvmm_vmx_read(vmx, VMCS_EXIT_REASON);
	if (likely(!x->redo) && trace_hvmm_exit_enabled())
		trace_hvmm_exit(x->vcpu.vm->id, x->vcpu.index, reason, x->regs.rip,
				hvmm_vmx_read(vmx, VMCS_QUALIFICATION),
				hvmm_vmx_read(vmx, VMCS_EXIT_EVENT));
	if (unlikely(reason & REASON_ENTRY_FAILED)) {
		COUNT(other);
		return entry_failed(vmx);
	}
	switch (reason & REASON_BASIC) {
	case REASON_CPUID:
		COUNT(cpuid);
		return hvmm_exit_cpuid(x, insn_len(vmx));
	case REASON_RDMSR:
		COUNT(msr_read);
		return hvmm_exit_rdmsr(x, insn_len(vmx));
	case REASON_WRMSR:
		COUNT(msr_write);
		return hvmm_exit_wrmsr(x, insn_len(vmx));
	case REASON_IO:
		/* Counted by who serves it. */
		return exit_io(vmx);
	case REASON_EPT_VIOLATION:
		return exit_ept(vmx);
	case REASON_HLT:
		COUNT(hlt);
		return hvmm_exit_hlt(x, insn_len(vmx));
	case REASON_VMCALL:
		COUNT(hypercall);
		return hvmm_exit_hypercall(x, insn_len(vmx));
	case REASON_INTERRUPT:
		/* The host has taken it since: interrupts are on again. */
		COUNT(interrupt);
		hvmm_vmx_watch_pause(vmx);
		return HVMM_EXIT_RESUME;
	case REASON_EXCEPTION:
		return exit_exception(vmx);
	case REASON_INTERRUPT_WINDOW:
		COUNT(irq_window);
		hvmm_vmx_assign(vmx, VMCS_PROC_CTL, PROC_INTERRUPT_WINDOW, false);
		return HVMM_EXIT_RESUME;
	case REASON_NMI_WINDOW:
		COUNT(nmi_window);
		hvmm_vmx_assign(vmx, VMCS_PROC_CTL, PROC_NMI_WINDOW, false);
		return HVMM_EXIT_RESUME;
	case REASON_TPR:
		COUNT(cr);
		hvmm_vmx_write(vmx, VMCS_TPR_THRESHOLD, 0);
		return HVMM_EXIT_RESUME;
	case REASON_EOI:
		COUNT(msr_write);
		return hvmm_vmx_exit_eoi(vmx);
	case REASON_APIC_WRITE:
		COUNT(msr_write);
		return hvmm_vmx_exit_apic_write(vmx);
	case REASON_CR:
		COUNT(cr);
		return hvmm_exit_cr(x);
	case REASON_DR:
		COUNT(dr);
		return hvmm_exit_dr(x);
	case REASON_PAUSE:
		COUNT(pause);
		return exit_pause(vmx);
	case REASON_XSETBV:
		COUNT(xsetbv);
		return hvmm_exit_xsetbv(x, insn_len(vmx));
	case REASON_INVD:
	case REASON_WBINVD:
		COUNT(cache);
		return hvmm_exit_cache(x, insn_len(vmx));
	case REASON_RDPMC:
		COUNT(refused);
		return hvmm_exit_rdpmc(x);
	case REASON_GETSEC:
	case REASON_RSM:
	case REASON_VMCLEAR ... REASON_VMXON:
	case REASON_INVEPT:
	case REASON_INVVPID:
	case REASON_MONITOR:
	case REASON_MWAIT:
	case REASON_ENCLS:
	case REASON_SEAMCALL:
	case REASON_TDCALL:
		COUNT(refused);
		return hvmm_exit_refused(x);
	case REASON_TRIPLE_FAULT:
		COUNT(shutdown);
		return hvmm_exit_shutdown(x);
	case REASON_INIT:
	case REASON_SIPI:
	case REASON_SMI:
	case REASON_IO_SMI:
		/* The processor holds it pending for the host. */
		COUNT(other);
		return HVMM_EXIT_RESUME;
	case REASON_TASK_SWITCH:
		COUNT(other);
		return exit_task_switch(vmx);
	case REASON_EPT_MISCONFIGURED:
		COUNT(other);
		return hvmm_exit_impossible(x, "the nested page table is misconfigured");
	default:
		COUNT(other);
		return hvmm_exit_impossible(x, "an exit that was not asked for");
	}
}
