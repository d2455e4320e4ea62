// SPDX-License-Identifier: GPL-2.0
#include "x86/vmx/apic.h"

bool hvmm_vmx_delivers(const struct hvmm_x86_vcpu *x)
{
	return (hvmm_vmx_caps.x2apic & PROC2_INTERRUPT_DELIVERY) &&
	       hvmm_vmx_virtual_x2apic(&x->vcpu.lapic);
}

/* EOIs that the IOAPIC must hear of exit (30.1.4). */
static void write_eoi_exits(struct hvmm_vmx_vcpu *vmx)
{
	const unsigned long *tmr = vmx->x.vcpu.lapic.tmr;
	unsigned int i;

	for (i = 0; i < HVMM_LAPIC_WORDS; i++)
		hvmm_vmx_write(vmx, VMCS_EOI_EXIT0 + i, READ_ONCE(tmr[i]));
}

/* Controls as the guest's mode asks for. */
void hvmm_vmx_switch_apic(struct hvmm_vmx_vcpu *vmx, bool on)
{
	vmx->x2apic = on;
	vmx->delivers = on && (hvmm_vmx_caps.x2apic & PROC2_INTERRUPT_DELIVERY);
	hvmm_vmx_assign(vmx, VMCS_PROC2_CTL, hvmm_vmx_caps.x2apic, on);
	hvmm_vmx_write(vmx, VMCS_MSR_BITMAP, hvmm_vmx_msr_bitmap_pa[on]);
	if (!vmx->delivers)
		return;
	/* What is told by them the processor knows: with a window nothing is delivered (30.2.1). */
	hvmm_vmx_assign(vmx, VMCS_PROC_CTL, PROC_INTERRUPT_WINDOW, false);
	hvmm_vmx_write(vmx, VMCS_TPR_THRESHOLD, 0);
	write_eoi_exits(vmx);
	vmx->interrupt = 0;
	WARN_ON_ONCE(!hvmm_vmwrite(VMCS_ENCODING_GUEST_INTERRUPT, 0));
}

/* Return: the guest interrupt status (25.4.2). */
u16 __hvmm_vmx_lend_apic(struct hvmm_vmx_vcpu *vmx)
{
	struct hvmm_lapic_loan loan;

	loan = hvmm_lapic_lend(&vmx->x.vcpu.lapic, vmx->apic_page);
	vmx->lent = loan.nr;
	write_eoi_exits(vmx);
	return loan.in_service << 8 | loan.requested;
}

void __hvmm_vmx_take_back_apic(struct hvmm_vmx_vcpu *vmx)
{
	unsigned int left = hvmm_lapic_take_back(&vmx->x.vcpu.lapic, vmx->apic_page);

	/* What the guest has asked of itself meanwhile is not counted. */
	if (vmx->lent > left)
		hvmm_stat_add(&vmx->x.vcpu, irq_injected, vmx->lent - left);
	vmx->lent = 0;
}

/* After a write of the guest's, which is complete (30.4.3). */
enum hvmm_exit_fate hvmm_vmx_exit_eoi(struct hvmm_vmx_vcpu *vmx)
{
	hvmm_lapic_ended(&vmx->x.vcpu.lapic, hvmm_vmx_read(vmx, VMCS_QUALIFICATION));
	return HVMM_EXIT_RESUME;
}

/* Of those that are virtualized only one is left over: an IPI to itself with a vector below 16. */
enum hvmm_exit_fate hvmm_vmx_exit_apic_write(struct hvmm_vmx_vcpu *vmx)
{
	if (hvmm_vmx_read(vmx, VMCS_QUALIFICATION) == HVMM_APIC_SELF_IPI)
		hvmm_lapic_msr_write(&vmx->x.vcpu.lapic, HVMM_X2APIC_MSR(HVMM_APIC_SELF_IPI),
				     *hvmm_vmx_apic_reg(vmx, HVMM_APIC_SELF_IPI));
	return HVMM_EXIT_RESUME;
}

static void open_read(unsigned long *map, u32 offset)
{
	hvmm_vmx_map_msr(map, HVMM_X2APIC_MSR(offset), false, true);
}

/*
 * What the processor answers (30.5). Registers that it does not keep, and the TMR, go on to
 * exit.
 */
void hvmm_vmx_open_x2apic(unsigned long *map)
{
	u32 offset;

	if (!hvmm_vmx_caps.x2apic)
		return;
	hvmm_vmx_map_msr(map, HVMM_X2APIC_MSR(HVMM_APIC_TPR), false, false);
	if (!(hvmm_vmx_caps.x2apic & PROC2_INTERRUPT_DELIVERY))
		return;
	hvmm_vmx_map_msr(map, HVMM_X2APIC_MSR(HVMM_APIC_EOI), true, false);
	hvmm_vmx_map_msr(map, HVMM_X2APIC_MSR(HVMM_APIC_SELF_IPI), true, false);
	open_read(map, HVMM_APIC_PPR);
	for (offset = 0; offset < 0x80; offset += 0x10) {
		open_read(map, HVMM_APIC_ISR + offset);
		open_read(map, HVMM_APIC_IRR + offset);
	}
}
