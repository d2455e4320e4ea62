// SPDX-License-Identifier: GPL-2.0
/*
 * Which event a vCPU gets at an entry. Order: APM vol. 2, table 8-8; what was
 * cut off in delivery comes before all.
 */
#include "x86/exit.h"
#include "x86/pv.h"
#include "x86/vendor.h"

/* Priority class of what is in service, which holds back requests of the same and below. */
static int in_service_class(const struct hvmm_lapic *l)
{
	unsigned int vector = find_last_bit(l->isr, 256);

	return vector < 256 ? vector >> 4 : 0;
}

static bool inject_nmi(struct hvmm_x86_vcpu *x)
{
	static const struct hvmm_event nmi = {
		.valid = true, .type = HVMM_EVENT_NMI, .vector = 2,
	};

	if (!hvmm_arch->nmi_allowed(x))
		return false;
	x->nmi_pending--;
	hvmm_arch->inject(x, &nmi);
	hvmm_stat_inc(&x->vcpu, nmi_injected);
	return true;
}

static void inject_interrupt(struct hvmm_x86_vcpu *x, u8 vector)
{
	const struct hvmm_event intr = {
		.valid = true, .type = HVMM_EVENT_INTR, .vector = vector,
	};

	hvmm_lapic_ack(&x->vcpu.lapic, vector);
	hvmm_arch->inject(x, &intr);
	hvmm_stat_inc(&x->vcpu, irq_injected);
}

void hvmm_inject_pending(struct hvmm_x86_vcpu *x)
{
	struct hvmm_lapic *l = &x->vcpu.lapic;
	bool busy = false;
	int vector;

	if (x->event.valid) {
		x->event.valid = false;
		if (x->event.type == HVMM_EVENT_EXCEPTION)
			hvmm_stat_inc(&x->vcpu, exc_injected);
		hvmm_arch->inject(x, &x->event);
		busy = true;
	}
	if (unlikely(x->nmi_pending)) {
		if (!busy)
			busy = inject_nmi(x);
		if (x->nmi_pending)
			hvmm_arch->open_nmi_window(x);
	}

	if (likely(!READ_ONCE(l->irr_pending)))
		return;
	if (hvmm_arch->delivers && hvmm_arch->delivers(x))
		return;
	/* It came after the entry has looked: its kick ends this one at once. */
	if (unlikely(x->eoi_armed))
		return;
	vector = hvmm_lapic_pending(l);
	if (vector >= 0 && !busy && hvmm_arch->intr_allowed(x)) {
		inject_interrupt(x, vector);
		hvmm_pv_eoi_arm(x, vector);
		vector = hvmm_lapic_pending(l);
	}
	if (vector >= 0) {
		hvmm_arch->open_irq_window(x, vector >> 4);
		return;
	}
	/* Held back by what is in service: its EOI exits. By TPR: CR8 must be watched. */
	vector = hvmm_lapic_highest_irr(l);
	if (vector >= 0 && vector >> 4 > in_service_class(l))
		hvmm_arch->open_tpr_window(x);
}
