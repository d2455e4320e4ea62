/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's local APIC in the processor: SDM vol. 3, chapter 30. It is there while the guest
 * runs with its APIC enabled and in x2APIC mode, as far as the processor can (x86/vmx/caps.c):
 * the task priority, or all of what a guest does most: to ask for an interrupt of itself, to be
 * interrupted, and to end that. Outside of the guest struct hvmm_lapic has it all.
 */
#ifndef HVMM_X86_VMX_APIC_H
#define HVMM_X86_VMX_APIC_H

#include "x86/vmx/fields.h"
#include "x86/vmx/vmx.h"

bool hvmm_vmx_delivers(const struct hvmm_x86_vcpu *x);
void hvmm_vmx_switch_apic(struct hvmm_vmx_vcpu *vmx, bool on);
u16 __hvmm_vmx_lend_apic(struct hvmm_vmx_vcpu *vmx);
void __hvmm_vmx_take_back_apic(struct hvmm_vmx_vcpu *vmx);
enum hvmm_exit_fate hvmm_vmx_exit_eoi(struct hvmm_vmx_vcpu *vmx);
enum hvmm_exit_fate hvmm_vmx_exit_apic_write(struct hvmm_vmx_vcpu *vmx);
void hvmm_vmx_open_x2apic(unsigned long *map);

/* A register of the virtual-APIC page (30.1.1). */
static inline u32 *hvmm_vmx_apic_reg(struct hvmm_vmx_vcpu *vmx, u32 offset)
{
	return vmx->apic_page + offset;
}

static inline bool hvmm_vmx_virtual_x2apic(const struct hvmm_lapic *l)
{
	return hvmm_vmx_caps.x2apic && l->mode == HVMM_LAPIC_X2APIC &&
	       (l->svr & HVMM_APIC_SVR_ENABLE);
}

/**
 * hvmm_vmx_lend_apic - before an entry: give the processor what it keeps of the APIC
 * @vmx: the vCPU
 *
 * Context: as hvmm_arch_ops.enter.
 */
static __always_inline void hvmm_vmx_lend_apic(struct hvmm_vmx_vcpu *vmx)
{
	struct hvmm_lapic *l = &vmx->x.vcpu.lapic;
	u16 status;

	if (!hvmm_vmx_has(VMX_PROC, PROC_TPR_SHADOW))
		return;
	if (unlikely(vmx->x2apic != hvmm_vmx_virtual_x2apic(l)))
		hvmm_vmx_switch_apic(vmx, !vmx->x2apic);
	*hvmm_vmx_apic_reg(vmx, HVMM_APIC_TPR) = l->tpr;
	if (!vmx->delivers) {
		/* 27.2.1.1: not below the threshold. It may have fallen by a write to the LAPIC. */
		if (unlikely(hvmm_vmx_read(vmx, VMCS_TPR_THRESHOLD) > l->tpr >> 4))
			hvmm_vmx_write(vmx, VMCS_TPR_THRESHOLD, l->tpr >> 4);
		return;
	}
	status = likely(hvmm_lapic_idle(l)) ? 0 : __hvmm_vmx_lend_apic(vmx);
	if (unlikely(vmx->interrupt != status)) {
		vmx->interrupt = status;
		WARN_ON_ONCE(!hvmm_vmwrite(VMCS_ENCODING_GUEST_INTERRUPT, status));
	}
}

/**
 * hvmm_vmx_take_back_apic - after the exit, or where there was no entry
 * @vmx: the vCPU
 *
 * Context: as hvmm_arch_ops.enter.
 */
static __always_inline void hvmm_vmx_take_back_apic(struct hvmm_vmx_vcpu *vmx)
{
	u64 status;

	if (!hvmm_vmx_has(VMX_PROC, PROC_TPR_SHADOW))
		return;
	hvmm_lapic_sync_tpr_byte(&vmx->x.vcpu.lapic, *hvmm_vmx_apic_reg(vmx, HVMM_APIC_TPR));
	if (!vmx->delivers || WARN_ON_ONCE(!hvmm_vmread(VMCS_ENCODING_GUEST_INTERRUPT, &status)))
		return;
	/* The highest vectors: without them there is nothing, and there was nothing. */
	if (unlikely(status | vmx->interrupt))
		__hvmm_vmx_take_back_apic(vmx);
	vmx->interrupt = status;
}

#endif
