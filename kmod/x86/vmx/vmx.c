// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual Machine Extensions: detection, per-pCPU enabling (SDM vol. 3, 24.6, 24.7), the
 * MSR bitmaps that all vCPUs share, and the ops table.
 */
#include <linux/cpufeature.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>

#include "host/cpuid.h"
#include "host/mitigations.h"
#include "host/msr.h"
#include "x86/vmx/apic.h"
#include "x86/vmx/fields.h"
#include "x86/vmx/vmx.h"

DEFINE_PER_CPU(struct hvmm_vmx_cpu, hvmm_vmx_cpu);
struct hvmm_vmx_caps hvmm_vmx_caps __ro_after_init;
u64 hvmm_vmx_msr_bitmap_pa[2];

static struct page *msr_bitmap[2];

static unsigned int apicv = 2;
module_param(apicv, uint, 0444);
MODULE_PARM_DESC(apicv,
		 "what of a guest's local APIC a VMX processor does: 0 nothing, 1 the TPR, 2 interrupts (2)");

static void read_caps(struct hvmm_vmx_caps *caps)
{
	/* The plain ones tell of bits that must be 1 and need not (SDM vol. 3, A.2). */
	static const u32 plain[VMX_NR] = {
		[VMX_PIN]	= MSR_IA32_VMX_PINBASED_CTLS,
		[VMX_PROC]	= MSR_IA32_VMX_PROCBASED_CTLS,
		[VMX_EXIT]	= MSR_IA32_VMX_EXIT_CTLS,
		[VMX_ENTRY]	= MSR_IA32_VMX_ENTRY_CTLS,
	};
	static const u32 exact[VMX_NR] = {
		[VMX_PIN]	= MSR_IA32_VMX_TRUE_PINBASED_CTLS,
		[VMX_PROC]	= MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
		[VMX_EXIT]	= MSR_IA32_VMX_TRUE_EXIT_CTLS,
		[VMX_ENTRY]	= MSR_IA32_VMX_TRUE_ENTRY_CTLS,
	};
	unsigned int i;

	caps->phys_bits = boot_cpu_data.x86_phys_bits;
	rdmsrq(MSR_IA32_VMX_BASIC, caps->basic);
	rdmsrq(MSR_IA32_VMX_MISC, caps->misc);
	rdmsrq(MSR_IA32_VMX_CR0_FIXED0, caps->cr0_must);
	rdmsrq(MSR_IA32_VMX_CR0_FIXED1, caps->cr0_may);
	rdmsrq(MSR_IA32_VMX_CR4_FIXED0, caps->cr4_must);
	rdmsrq(MSR_IA32_VMX_CR4_FIXED1, caps->cr4_may);
	for (i = 0; i < VMX_NR; i++)
		if (plain[i])
			rdmsrq(caps->basic & BASIC_TRUE_CONTROLS ? exact[i] : plain[i],
			       caps->allowed[i]);
	/* These exist only as the first word of controls says (A.3.3, A.10). */
	if (caps->allowed[VMX_PROC] >> 32 & PROC_SECONDARY)
		rdmsrq(MSR_IA32_VMX_PROCBASED_CTLS2, caps->allowed[VMX_PROC2]);
	if (caps->allowed[VMX_PROC2] >> 32 & (PROC2_EPT | PROC2_VPID))
		rdmsrq(MSR_IA32_VMX_EPT_VPID_CAP, caps->ept_vpid);
}

static bool enabled_by_firmware(void)
{
	u64 control;

	rdmsrq(MSR_IA32_FEAT_CTL, control);
	return (control & FEATURE_CONTROL_LOCKED) && (control & FEATURE_CONTROL_VMXON);
}

/* Not the kernel's flag, which is off when the firmware has switched VMX off. */
static bool vmx_present(void)
{
	return boot_cpu_data.cpuid_level >= 1 && (cpuid_ecx(1) & BIT(5));
}

/* As was asked for, and as the processor can: the parameter tells what is done. */
static void choose_apicv(struct hvmm_vmx_caps *caps)
{
	if (!apicv)
		caps->x2apic = 0;
	else if (apicv == 1)
		caps->x2apic &= PROC2_X2APIC;
	apicv = caps->x2apic ? caps->x2apic & PROC2_INTERRUPT_DELIVERY ? 2 : 1 : 0;
}

static int vmx_probe(const char **why)
{
	static char lacks[80];
	int ret;

	if (!HVMM_HOST_HAS_VMX) {
		*why = "this kernel lets nobody but KVM use VMX (6.18 was the last that did)";
		return -EOPNOTSUPP;
	}
	if (!enabled_by_firmware()) {
		*why = "VMX is switched off by the firmware (IA32_FEATURE_CONTROL)";
		return -ENODEV;
	}
	read_caps(&hvmm_vmx_caps);
	ret = hvmm_vmx_caps_choose(&hvmm_vmx_caps, lacks, sizeof(lacks));
	if (ret)
		*why = lacks;
	choose_apicv(&hvmm_vmx_caps);
	return ret;
}

static const struct hvmm_tdp_format *vmx_tdp(int *levels)
{
	static struct hvmm_tdp_format format;

	format = hvmm_tdp_ept;
	if (!(hvmm_vmx_caps.ept_vpid & EPT_ACCESSED_DIRTY))
		format.accessed = 0;
	/*
	 * A guest that changes the size of a page which it executes from can stop such a
	 * processor with a machine check; not from pages of 4 KiB.
	 */
	if (hvmm_itlb_multihit())
		format.large = 0;
	*levels = 4;
	return &format;
}

static void vmx_teardown(void)
{
	struct hvmm_vmx_cpu *vc;
	int cpu, i;

	hvmm_host_vmx_exit();
	for_each_possible_cpu(cpu) {
		vc = per_cpu_ptr(&hvmm_vmx_cpu, cpu);
		if (vc->vmxon)
			__free_page(vc->vmxon);
		memset(vc, 0, sizeof(*vc));
	}
	for (i = 0; i < ARRAY_SIZE(msr_bitmap); i++) {
		if (msr_bitmap[i])
			__free_page(msr_bitmap[i]);
		msr_bitmap[i] = NULL;
	}
}

static int vmx_setup(void)
{
	struct hvmm_vmx_cpu *vc;
	int cpu, i, ret;

	ret = hvmm_host_vmx_init();
	if (ret)
		return ret;
	hvmm_vmx_fields_init();
	for (i = 0; i < ARRAY_SIZE(msr_bitmap); i++) {
		msr_bitmap[i] = alloc_page(GFP_KERNEL);
		if (!msr_bitmap[i])
			goto err;
		/* Everything exits until somebody says otherwise. */
		memset(page_address(msr_bitmap[i]), 0xff, PAGE_SIZE);
		hvmm_vmx_msr_bitmap_pa[i] = page_to_phys(msr_bitmap[i]);
	}
	hvmm_vmx_open_x2apic(page_address(msr_bitmap[true]));

	for_each_possible_cpu(cpu) {
		vc = per_cpu_ptr(&hvmm_vmx_cpu, cpu);
		vc->vmxon = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!vc->vmxon)
			goto err;
		/* SDM vol. 3, 25.11.5: bit 31 clear, the rest zero. */
		*(u32 *)page_address(vc->vmxon) = hvmm_vmx_caps.basic & BASIC_REVISION;
	}
	return 0;
err:
	vmx_teardown();
	return -ENOMEM;
}

static int vmx_enable_cpu(void)
{
	struct hvmm_vmx_cpu *vc = this_cpu_ptr(&hvmm_vmx_cpu);
	unsigned int i;
	int ret;

	/* Firmware may differ from one processor to the next. */
	if (!enabled_by_firmware())
		return -ENODEV;
	ret = hvmm_host_vmxon(page_to_phys(vc->vmxon));
	if (ret)
		return ret;
	hvmm_host_state_read(&vc->host);
	for (i = 0; i < HVMM_VMX_MSRS; i++)
		rdmsrq(hvmm_vmx_msr_nr[i], vc->msr[i]);
	/* Whatever the TLB held of older generations may be anybody's. */
	hvmm_vmx_flush_all_contexts();
	vc->vpid_gen++;
	vc->vpid_next = 1;
	vc->enabled = true;
	return 0;
}

static void vmx_disable_cpu(void)
{
	struct hvmm_vmx_cpu *vc = this_cpu_ptr(&hvmm_vmx_cpu);

	if (!vc->enabled)
		return;
	vc->enabled = false;
	hvmm_host_vmxoff();
}

void hvmm_vmx_map_msr(unsigned long *map, u32 msr, bool read, bool write)
{
	u32 bit;

	/* SDM vol. 3, 25.6.9: two ranges of 8192 MSRs, reads in front of writes. */
	if (msr < 0x2000)
		bit = msr;
	else if (msr >= 0xc0000000 && msr < 0xc0002000)
		bit = msr - 0xc0000000 + 0x2000;
	else
		return;
	assign_bit(bit, map, read);
	assign_bit(bit + 0x4000, map, write);
}

/*
 * The maps are shared by all vCPUs: what passes through is a matter of policy, of the
 * host's processor and of the mode of a vCPU's APIC, and the same for every VM.
 */
static void vmx_set_msr_intercept(struct hvmm_x86_vcpu *x, u32 msr, bool read, bool write)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msr_bitmap); i++)
		hvmm_vmx_map_msr(page_address(msr_bitmap[i]), msr, read, write);
}

const struct hvmm_arch_ops hvmm_vmx_ops = {
	.name			= "vmx",
	.tdp			= vmx_tdp,
	.present		= vmx_present,
	.probe			= vmx_probe,
	.setup			= vmx_setup,
	.teardown		= vmx_teardown,
	.enable_cpu		= vmx_enable_cpu,
	.disable_cpu		= vmx_disable_cpu,
	.vcpu_alloc		= hvmm_vmx_vcpu_alloc,
	.vcpu_free		= hvmm_vmx_vcpu_free,
	.vcpu_bytes		= hvmm_vmx_vcpu_bytes,
	.vcpu_reset		= hvmm_vmx_vcpu_reset,
	.load			= hvmm_vmx_load,
	.put			= hvmm_vmx_put,
	.enter			= hvmm_vmx_enter,
	.exit			= hvmm_vmx_exit,
	.get_seg		= hvmm_vmx_get_seg,
	.set_seg		= hvmm_vmx_set_seg,
	.get_cpl		= hvmm_vmx_get_cpl,
	.get_cr			= hvmm_vmx_get_cr,
	.set_cr			= hvmm_vmx_set_cr,
	.set_pdptes		= hvmm_vmx_set_pdptes,
	.get_paging		= hvmm_vmx_get_paging,
	.get_efer		= hvmm_vmx_get_efer,
	.set_efer		= hvmm_vmx_set_efer,
	.get_msr		= hvmm_vmx_get_msr,
	.set_msr		= hvmm_vmx_set_msr,
	.get_dt			= hvmm_vmx_get_dt,
	.set_dt			= hvmm_vmx_set_dt,
	.get_dr			= hvmm_vmx_get_dr,
	.set_dr			= hvmm_vmx_set_dr,
	.set_tsc_offset		= hvmm_vmx_set_tsc_offset,
	.inject			= hvmm_vmx_inject,
	.delivers		= hvmm_vmx_delivers,
	.intr_allowed		= hvmm_vmx_intr_allowed,
	.nmi_allowed		= hvmm_vmx_nmi_allowed,
	.nmi_masked		= hvmm_vmx_nmi_masked,
	.set_nmi_masked		= hvmm_vmx_set_nmi_masked,
	.open_irq_window	= hvmm_vmx_open_irq_window,
	.open_tpr_window	= hvmm_vmx_open_tpr_window,
	.open_nmi_window	= hvmm_vmx_open_nmi_window,
	.set_shadow		= hvmm_vmx_set_shadow,
	.flush_tlb		= hvmm_vmx_flush_tlb,
	.flush_nested		= hvmm_vmx_flush_nested,
	.set_msr_intercept	= vmx_set_msr_intercept,
	.trace			= hvmm_vmx_trace,
	.dump			= hvmm_vmx_dump,
};
