// SPDX-License-Identifier: GPL-2.0
/*
 * Secure Virtual Machine: detection, per-pCPU enabling (APM vol. 2, 15.4), the
 * permission maps that all vCPUs share, and the ops table.
 */
#include <linux/cpufeature.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/printk.h>

#include <asm/pgtable.h>

#include "host/cpuid.h"
#include "host/msr.h"
#include "x86/cpuid.h"
#include "x86/svm/svm.h"

#define IOPM_ORDER	get_order(SVM_IOPM_SIZE)
#define MSRPM_ORDER	get_order(SVM_MSRPM_SIZE)

#define VM_CR_SVMDIS	BIT_ULL(4)

DEFINE_PER_CPU(struct hvmm_svm_cpu, hvmm_svm_cpu);
struct hvmm_svm_features hvmm_svm_features;
struct hvmm_svm_limits hvmm_svm_limits;
u64 hvmm_svm_iopm_pa;
u64 hvmm_svm_msrpm_pa;

static struct page *iopm, *msrpm;

/* The nested table is walked as the host's own paging says (APM vol. 2, 15.25.3). */
static const struct hvmm_tdp_format *svm_tdp(int *levels)
{
	*levels = pgtable_l5_enabled() ? 5 : 4;
	return &hvmm_tdp_npt;
}

static bool svm_present(void)
{
	return boot_cpu_has(X86_FEATURE_SVM);
}

static int svm_probe(const char **why)
{
	struct hvmm_svm_features *f = &hvmm_svm_features;
	u32 eax, ebx, ecx, edx;
	u64 vm_cr;

	rdmsrq(MSR_VM_CR, vm_cr);
	if (vm_cr & VM_CR_SVMDIS) {
		*why = "SVM is switched off by the firmware (VM_CR.SVMDIS)";
		return -ENODEV;
	}
	if (!boot_cpu_has(X86_FEATURE_NPT)) {
		*why = "this processor has SVM, but no nested paging";
		return -ENODEV;
	}
	cpuid(0x8000000a, &eax, &ebx, &ecx, &edx);
	f->nr_asids = ebx;
	f->nrips = edx & BIT(3);
	f->flush_by_asid = edx & BIT(6);
	f->decode_assists = edx & BIT(7);
	f->pause_filter = edx & BIT(10);
	f->pause_threshold = edx & BIT(12);
	/* 0 is the host's own. */
	if (f->nr_asids < 2) {
		*why = "this processor offers no address space identifiers";
		return -ENODEV;
	}
	return 0;
}

static void svm_teardown(void)
{
	struct hvmm_svm_cpu *sc;
	int cpu;

	for_each_possible_cpu(cpu) {
		sc = per_cpu_ptr(&hvmm_svm_cpu, cpu);
		if (sc->host_save)
			__free_page(sc->host_save);
		if (sc->host_vmcb)
			__free_page(sc->host_vmcb);
		memset(sc, 0, sizeof(*sc));
	}
	if (iopm)
		__free_pages(iopm, IOPM_ORDER);
	if (msrpm)
		__free_pages(msrpm, MSRPM_ORDER);
	iopm = NULL;
	msrpm = NULL;
}

static int svm_setup(void)
{
	struct hvmm_svm_cpu *sc;
	int cpu;

	/* The kernel's own count lacks what encryption takes: here it counts. */
	hvmm_svm_limits.address = GENMASK_ULL((cpuid_eax(0x80000008) & 0xff) - 1, 0) | sme_me_mask;
	hvmm_svm_limits.cr4 = hvmm_guest_cr4();
	hvmm_svm_limits.nr_asids = hvmm_svm_features.nr_asids;

	iopm = alloc_pages(GFP_KERNEL, IOPM_ORDER);
	msrpm = alloc_pages(GFP_KERNEL, MSRPM_ORDER);
	if (!iopm || !msrpm)
		goto err;
	/* Everything exits until somebody says otherwise. */
	memset(page_address(iopm), 0xff, PAGE_SIZE << IOPM_ORDER);
	memset(page_address(msrpm), 0xff, SVM_MSRPM_SIZE);
	/* Addresses carry the encryption bit where the host encrypts its memory (15.34). */
	hvmm_svm_iopm_pa = __sme_set(page_to_phys(iopm));
	hvmm_svm_msrpm_pa = __sme_set(page_to_phys(msrpm));

	for_each_possible_cpu(cpu) {
		sc = per_cpu_ptr(&hvmm_svm_cpu, cpu);
		sc->host_save = alloc_page(GFP_KERNEL | __GFP_ZERO);
		sc->host_vmcb = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!sc->host_save || !sc->host_vmcb)
			goto err;
		sc->host_vmcb_pa = __sme_set(page_to_phys(sc->host_vmcb));
	}
	return 0;
err:
	svm_teardown();
	return -ENOMEM;
}

static int svm_enable_cpu(void)
{
	struct hvmm_svm_cpu *sc = this_cpu_ptr(&hvmm_svm_cpu);
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return -EBUSY;
	wrmsrq(MSR_EFER, efer | EFER_SVME);
	wrmsrq(MSR_VM_HSAVE_PA, __sme_set(page_to_phys(sc->host_save)));
	if (boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID))
		rdmsrq(MSR_TSC_AUX, sc->host_tsc_aux);
	/* Whatever the TLB held of older generations may be anybody's. */
	sc->asid_gen++;
	sc->asid_next = hvmm_svm_features.nr_asids;
	sc->enabled = true;
	return 0;
}

static void svm_disable_cpu(void)
{
	struct hvmm_svm_cpu *sc = this_cpu_ptr(&hvmm_svm_cpu);
	u64 efer;

	if (!sc->enabled)
		return;
	sc->enabled = false;
	/* APM vol. 2, 15.5.1: the area is VMRUN's only while it points there. */
	wrmsrq(MSR_VM_HSAVE_PA, 0);
	rdmsrq(MSR_EFER, efer);
	wrmsrq(MSR_EFER, efer & ~EFER_SVME);
}

/*
 * The map is shared by all vCPUs: what passes through is a matter of policy and
 * of the host's processor, and the same for every VM.
 */
static void svm_set_msr_intercept(struct hvmm_x86_vcpu *x, u32 msr, bool read, bool write)
{
	unsigned long *map = page_address(msrpm);
	u32 bit;

	/* APM vol. 2, 15.11: three ranges of 8192 MSRs, two bits each. */
	if (msr < 0x2000)
		bit = msr;
	else if (msr >= 0xc0000000 && msr < 0xc0002000)
		bit = msr - 0xc0000000 + 0x2000;
	else if (msr >= 0xc0010000 && msr < 0xc0012000)
		bit = msr - 0xc0010000 + 0x4000;
	else
		return;
	bit *= 2;
	assign_bit(bit, map, read);
	assign_bit(bit + 1, map, write);
}

const struct hvmm_arch_ops hvmm_svm_ops = {
	.name			= "svm",
	.tdp			= svm_tdp,
	.present		= svm_present,
	.probe			= svm_probe,
	.setup			= svm_setup,
	.teardown		= svm_teardown,
	.enable_cpu		= svm_enable_cpu,
	.disable_cpu		= svm_disable_cpu,
	.vcpu_alloc		= hvmm_svm_vcpu_alloc,
	.vcpu_free		= hvmm_svm_vcpu_free,
	.vcpu_bytes		= hvmm_svm_vcpu_bytes,
	.vcpu_reset		= hvmm_svm_vcpu_reset,
	.load			= hvmm_svm_load,
	.put			= hvmm_svm_put,
	.enter			= hvmm_svm_enter,
	.exit			= hvmm_svm_exit,
	.get_seg		= hvmm_svm_get_seg,
	.set_seg		= hvmm_svm_set_seg,
	.get_cpl		= hvmm_svm_get_cpl,
	.get_cr			= hvmm_svm_get_cr,
	.set_cr			= hvmm_svm_set_cr,
	.get_paging		= hvmm_svm_get_paging,
	.get_efer		= hvmm_svm_get_efer,
	.set_efer		= hvmm_svm_set_efer,
	.get_msr		= hvmm_svm_get_msr,
	.set_msr		= hvmm_svm_set_msr,
	.get_dt			= hvmm_svm_get_dt,
	.set_dt			= hvmm_svm_set_dt,
	.get_dr			= hvmm_svm_get_dr,
	.set_dr			= hvmm_svm_set_dr,
	.set_tsc_offset		= hvmm_svm_set_tsc_offset,
	.inject			= hvmm_svm_inject,
	.intr_allowed		= hvmm_svm_intr_allowed,
	.nmi_allowed		= hvmm_svm_nmi_allowed,
	.nmi_masked		= hvmm_svm_nmi_masked,
	.set_nmi_masked		= hvmm_svm_set_nmi_masked,
	.open_irq_window	= hvmm_svm_open_irq_window,
	.open_tpr_window	= hvmm_svm_open_tpr_window,
	.open_nmi_window	= hvmm_svm_open_nmi_window,
	.set_shadow		= hvmm_svm_set_shadow,
	.flush_tlb		= hvmm_svm_flush_tlb,
	.flush_nested		= hvmm_svm_flush_tlb,
	.set_msr_intercept	= svm_set_msr_intercept,
	.trace			= hvmm_svm_trace,
	.dump			= hvmm_svm_dump,
};
