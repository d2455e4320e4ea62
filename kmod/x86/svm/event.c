// SPDX-License-Identifier: GPL-2.0
/*
 * Events into the guest: APM vol. 2, 15.20 (injection), 15.7.2 (an exit in the
 * middle of a delivery), 15.21 (virtual interrupts), 15.13.2 (NMI).
 */
#include <linux/stddef.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "host/irq.h"
#include "host/quirks.h"
#include "trace.h"
#include "x86/exit.h"
#include "x86/svm/svm.h"

void hvmm_svm_inject(struct hvmm_x86_vcpu *x, const struct hvmm_event *event)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);
	u64 inject = event->vector | event->type << 8 | SVM_EVENT_V;

	if (event->has_error)
		inject |= SVM_EVENT_EV | (u64)event->error << 32;
	svm->vmcb->control.event_inject = inject;
	trace_hvmm_inject(x->vcpu.vm->id, x->vcpu.index, event->type, event->vector,
			  event->has_error, event->error);

	if (event->type == HVMM_EVENT_INTR && static_branch_unlikely(&hvmm_repeats_injection))
		hvmm_interrupt_self();

	if (event->type == HVMM_EVENT_NMI) {
		/* Nothing in the VMCB says that NMIs are blocked: IRET tells us of the end. */
		svm->nmi_masked = true;
		hvmm_svm_intercept(svm, SVM_ICPT_IRET, true);
	}
}

bool hvmm_svm_intr_allowed(struct hvmm_x86_vcpu *x)
{
	return (x->regs.rflags & X86_EFLAGS_IF) &&
	       !(to_svm(x)->vmcb->control.shadow & SVM_SHADOW_INTERRUPT);
}

bool hvmm_svm_nmi_masked(struct hvmm_x86_vcpu *x)
{
	return to_svm(x)->nmi_masked;
}

void hvmm_svm_set_nmi_masked(struct hvmm_x86_vcpu *x, bool on)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);

	svm->nmi_masked = on;
	svm->iret_pending = false;
	hvmm_svm_intercept(svm, SVM_ICPT_IRET, on);
}

bool hvmm_svm_nmi_allowed(struct hvmm_x86_vcpu *x)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);

	return !svm->nmi_masked && !(svm->vmcb->control.shadow & SVM_SHADOW_INTERRUPT);
}

/*
 * While a virtual interrupt waits, writes of CR8 exit too: QEMU's TCG, as of 10.0,
 * takes a lock wrongly when one lets the interrupt in, and dies of it.
 */
static void intercept_cr8(struct hvmm_svm_vcpu *svm, bool on)
{
	u32 *word = &svm->vmcb->control.intercept_cr;
	u32 val = on ? *word | BIT(16 + 8) : *word & ~BIT(16 + 8);

	if (val == *word)
		return;
	*word = val;
	hvmm_svm_dirty(svm, SVM_CLEAN_INTERCEPTS);
}

/*
 * A virtual interrupt that nobody will ever take: its intercept comes at the
 * moment at which IF and shadow would let it in. V_TPR is not left to it: QEMU's
 * TCG lets in a priority that only equals V_TPR (APM vol. 2, 15.21.4: it must be
 * above), and would exit without end.
 */
void hvmm_svm_open_irq_window(struct hvmm_x86_vcpu *x, u8 priority)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);
	struct hvmm_vmcb_control *c = &svm->vmcb->control;
	u64 vintr = c->vintr & ~(0xfULL << SVM_V_INTR_PRIO_SHIFT);

	vintr |= SVM_V_IRQ | (u64)priority << SVM_V_INTR_PRIO_SHIFT;
	if (vintr != c->vintr) {
		c->vintr = vintr;
		hvmm_svm_dirty(svm, SVM_CLEAN_TPR);
	}
	hvmm_svm_intercept(svm, SVM_ICPT_VINTR, true);
	intercept_cr8(svm, true);
}

void hvmm_svm_close_window(struct hvmm_svm_vcpu *svm)
{
	struct hvmm_vmcb_control *c = &svm->vmcb->control;

	if (!(c->vintr & SVM_V_IRQ))
		return;
	c->vintr &= ~SVM_V_IRQ;
	hvmm_svm_dirty(svm, SVM_CLEAN_TPR);
	hvmm_svm_intercept(svm, SVM_ICPT_VINTR, false);
	intercept_cr8(svm, false);
}

void hvmm_svm_open_tpr_window(struct hvmm_x86_vcpu *x)
{
	intercept_cr8(to_svm(x), true);
}

/* The guest has written CR8: what is pending is looked at before the next entry. */
void hvmm_svm_close_tpr_window(struct hvmm_svm_vcpu *svm)
{
	if (!(svm->vmcb->control.vintr & SVM_V_IRQ))
		intercept_cr8(svm, false);
}

void hvmm_svm_open_nmi_window(struct hvmm_x86_vcpu *x)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);

	/* Blocked until IRET: that is intercepted already, and steps on from there. */
	if (svm->nmi_masked && !svm->iret_pending)
		return;
	/*
	 * Behind an event that goes in at this entry: an interrupt of our own ends the
	 * guest before its first instruction. A step would push its TF with the event.
	 */
	if (svm->vmcb->control.event_inject & SVM_EVENT_V) {
		hvmm_interrupt_self();
		return;
	}
	/* In a shadow, or behind the IRET that ends the blocking: one instruction more. */
	if (svm->stepping || (x->regs.rflags & X86_EFLAGS_TF))
		return;
	svm->stepping = true;
	x->regs.rflags |= X86_EFLAGS_TF;
}

void hvmm_svm_set_shadow(struct hvmm_x86_vcpu *x, bool on)
{
	u64 *shadow = &to_svm(x)->vmcb->control.shadow;

	*shadow = on ? *shadow | SVM_SHADOW_INTERRUPT : *shadow & ~SVM_SHADOW_INTERRUPT;
}

static u64 linear_rip(const struct hvmm_x86_vcpu *x)
{
	return to_svm((struct hvmm_x86_vcpu *)x)->vmcb->save.cs.base + x->regs.rip;
}

enum hvmm_exit_fate hvmm_svm_exit_iret(struct hvmm_svm_vcpu *svm, unsigned int len)
{
	/* A step over it would leave its TF in the old task's TSS, and trap in neither. */
	if (hvmm_iret_switches_task(&svm->x))
		return hvmm_exit_task_return(&svm->x, len);
	/* It has not been executed yet: NMIs stay blocked until RIP moves. */
	hvmm_svm_intercept(svm, SVM_ICPT_IRET, false);
	svm->iret_pending = true;
	svm->iret_rip = linear_rip(&svm->x);
	return HVMM_EXIT_RESUME;
}

/*
 * The end of our own single step, by its #DB or by any other exit: the TF is taken
 * back before anybody takes it for the guest's, unless an IRET has loaded RFLAGS.
 */
static void end_step(struct hvmm_svm_vcpu *svm, bool iret_done)
{
	struct hvmm_vmcb *vmcb = svm->vmcb;

	svm->stepping = false;
	if (!iret_done)
		svm->x.regs.rflags &= ~(u64)X86_EFLAGS_TF;
	if ((u32)vmcb->control.exit_code != SVM_X_EXCP_BASE + X86_TRAP_DB ||
	    !(vmcb->save.dr6 & DR_STEP))
		return;
	/* Breakpoints that were hit with it are the guest's. */
	vmcb->save.dr6 &= ~(u64)DR_STEP;
	hvmm_svm_dirty(svm, SVM_CLEAN_DR);
	svm->stepped = !(vmcb->save.dr6 & DR_TRAP_BITS);
}

/* An exit cut off the delivery of an event, or came before it: it must be done again. */
void hvmm_svm_complete_events(struct hvmm_svm_vcpu *svm)
{
	struct hvmm_vmcb_control *c = &svm->vmcb->control;
	struct hvmm_x86_vcpu *x = &svm->x;
	struct hvmm_event *event = &x->event;
	u64 info = c->exit_int_info;
	bool iret_done = false;

	if (unlikely(svm->iret_pending) && linear_rip(x) != svm->iret_rip) {
		svm->iret_pending = false;
		svm->nmi_masked = false;
		iret_done = true;
	}
	svm->stepped = false;
	if (unlikely(svm->stepping))
		end_step(svm, iret_done);

	if (likely(!(info & SVM_EVENT_V)))
		return;

	event->valid = true;
	event->type = SVM_EVENT_TYPE(info);
	event->vector = info & SVM_EVENT_VECTOR;
	event->has_error = info & SVM_EVENT_EV;
	event->error = info >> 32;
	hvmm_stat_inc(&x->vcpu, reinjected);

	switch (event->type) {
	case HVMM_EVENT_SOFT:
		/* RIP is still at the INT n: it will simply be executed again. */
		event->valid = false;
		break;
	case HVMM_EVENT_EXCEPTION:
		/* The same for INT3 and INTO. */
		if (event->vector == X86_TRAP_BP || event->vector == X86_TRAP_OF)
			event->valid = false;
		break;
	case HVMM_EVENT_NMI:
		/* It was not taken, so nothing is blocked yet; injecting it will. */
		svm->nmi_masked = false;
		break;
	}
}
