// SPDX-License-Identifier: GPL-2.0
/*
 * Events into the guest: SDM vol. 3, 27.6 (injection), 28.2.4 (an exit in the middle of a
 * delivery), 26.2 (windows), 25.4.2 (what blocks events).
 */
#include <linux/minmax.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "trace.h"
#include "x86/exit.h"
#include "x86/vmx/vmx.h"

#define SHADOW	(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)

void hvmm_vmx_inject(struct hvmm_x86_vcpu *x, const struct hvmm_event *event)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	/* The types have the same numbers on both vendors' processors. */
	u32 info = event->vector | event->type << 8 | EVENT_VALID;

	if (event->has_error) {
		info |= EVENT_ERROR;
		/* Selectors have 16 bits, and no error code may have more (27.2.1.3). */
		hvmm_vmx_write(vmx, VMCS_ENTRY_EVENT_ERROR, (u16)event->error);
	}
	hvmm_vmx_write(vmx, VMCS_ENTRY_EVENT, info);
	trace_hvmm_inject(x->vcpu.vm->id, x->vcpu.index, event->type, event->vector,
			  event->has_error, event->error);
}

bool hvmm_vmx_intr_allowed(struct hvmm_x86_vcpu *x)
{
	return (x->regs.rflags & X86_EFLAGS_IF) &&
	       !(hvmm_vmx_read(to_vmx(x), VMCS_INTERRUPTIBILITY) & SHADOW);
}

bool hvmm_vmx_nmi_masked(struct hvmm_x86_vcpu *x)
{
	return hvmm_vmx_read(to_vmx(x), VMCS_INTERRUPTIBILITY) & BLOCKED_BY_NMI;
}

void hvmm_vmx_set_nmi_masked(struct hvmm_x86_vcpu *x, bool on)
{
	hvmm_vmx_assign(to_vmx(x), VMCS_INTERRUPTIBILITY, BLOCKED_BY_NMI, on);
}

bool hvmm_vmx_nmi_allowed(struct hvmm_x86_vcpu *x)
{
	return !(hvmm_vmx_read(to_vmx(x), VMCS_INTERRUPTIBILITY) & (SHADOW | BLOCKED_BY_NMI));
}

void hvmm_vmx_open_irq_window(struct hvmm_x86_vcpu *x, u8 priority)
{
	hvmm_vmx_assign(to_vmx(x), VMCS_PROC_CTL, PROC_INTERRUPT_WINDOW, true);
}

/* The guest's TPR falls below that of what is held back: CR8 itself does not exit. */
void hvmm_vmx_open_tpr_window(struct hvmm_x86_vcpu *x)
{
	struct hvmm_lapic *l = &x->vcpu.lapic;
	int vector = hvmm_lapic_highest_irr(l);

	if (!hvmm_vmx_has(VMX_PROC, PROC_TPR_SHADOW) || vector < 0)
		return;
	/* 27.2.1.1: not above what it is now. */
	hvmm_vmx_write(to_vmx(x), VMCS_TPR_THRESHOLD,
		       min_t(int, vector >> 4, hvmm_lapic_get_tpr(l)));
}

void hvmm_vmx_open_nmi_window(struct hvmm_x86_vcpu *x)
{
	hvmm_vmx_assign(to_vmx(x), VMCS_PROC_CTL, PROC_NMI_WINDOW, true);
}

void hvmm_vmx_set_shadow(struct hvmm_x86_vcpu *x, bool on)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	u64 blocked = hvmm_vmx_read(vmx, VMCS_INTERRUPTIBILITY);

	if (on) {
		hvmm_vmx_write(vmx, VMCS_INTERRUPTIBILITY, blocked | BLOCKED_BY_STI);
	} else if (blocked & SHADOW) {
		hvmm_vmx_write(vmx, VMCS_INTERRUPTIBILITY, blocked & ~(u64)SHADOW);
		/* A trap that waited for the end of the shadow is told by the emulation. */
		hvmm_vmx_assign(vmx, VMCS_PENDING_DEBUG, PENDING_DEBUG_STEP, false);
	}
}

/*
 * In a shadow a single step is pending exactly when the guest steps: an entry is refused
 * else (27.3.1.5).
 */
void hvmm_vmx_settle_debug(struct hvmm_vmx_vcpu *vmx)
{
	if (likely(!(hvmm_vmx_read(vmx, VMCS_INTERRUPTIBILITY) & SHADOW)))
		return;
	hvmm_vmx_assign(vmx, VMCS_PENDING_DEBUG, PENDING_DEBUG_STEP,
			vmx->x.regs.rflags & X86_EFLAGS_TF);
}

/* The IRET of an NMI's handler had ended the blocking, and then it faulted (28.2.3). */
static void settle_nmi(struct hvmm_vmx_vcpu *vmx)
{
	bool unblocked = false;
	u64 event;

	switch (hvmm_vmx_read(vmx, VMCS_EXIT_REASON)) {
	case REASON_EXCEPTION:
		event = hvmm_vmx_read(vmx, VMCS_EXIT_EVENT);
		unblocked = (event & EVENT_VALID) && (event & EVENT_UNBLOCKED_NMI) &&
			    (event & EVENT_VECTOR) != X86_TRAP_DF;
		break;
	case REASON_EPT_VIOLATION:
		unblocked = hvmm_vmx_read(vmx, VMCS_QUALIFICATION) & EPT_Q_UNBLOCKED_NMI;
		break;
	}
	if (unblocked)
		hvmm_vmx_assign(vmx, VMCS_INTERRUPTIBILITY, BLOCKED_BY_NMI, true);
}

/* An exit cut off the delivery of an event, or came before it: it must be done again. */
void hvmm_vmx_complete_events(struct hvmm_vmx_vcpu *vmx)
{
	u64 info = hvmm_vmx_read(vmx, VMCS_VECTORING);
	struct hvmm_x86_vcpu *x = &vmx->x;
	struct hvmm_event *event = &x->event;

	if (likely(!(info & EVENT_VALID))) {
		settle_nmi(vmx);
		return;
	}
	event->type = EVENT_TYPE(info);
	event->vector = info & EVENT_VECTOR;
	event->has_error = info & EVENT_ERROR;
	event->error = event->has_error ? hvmm_vmx_read(vmx, VMCS_VECTORING_ERROR) : 0;
	hvmm_stat_inc(&x->vcpu, reinjected);

	switch (event->type) {
	case EVENT_SOFT_INTERRUPT:
	case EVENT_ICEBP:
	case EVENT_SOFT_EXCEPTION:
		/* RIP is still at the instruction: it will simply be executed again. */
		event->valid = false;
		break;
	case EVENT_NMI:
		/* It was not taken, so nothing is blocked yet; injecting it will. */
		hvmm_vmx_assign(vmx, VMCS_INTERRUPTIBILITY, BLOCKED_BY_NMI, false);
		event->valid = true;
		break;
	default:
		event->valid = true;
	}
}
