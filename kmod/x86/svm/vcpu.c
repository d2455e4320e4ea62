// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "host/mitigations.h"
#include "host/msr.h"
#include "x86/cpuid.h"
#include "x86/exit.h"
#include "x86/spin.h"
#include "x86/svm/svm.h"

/* enter.S knows these. */
static_assert(offsetof(struct hvmm_regs, gpr) == 0);
static_assert(HVMM_RCX == 1 && HVMM_RDX == 2 && HVMM_RBX == 3 && HVMM_RBP == 5);
static_assert(HVMM_RSI == 6 && HVMM_RDI == 7 && HVMM_R8 == 8 && HVMM_R15 == 15);

/* PAUSEs in a row, and cycles between them, that look like a spinning lock waiter. */
#define PAUSE_COUNT	3000
#define PAUSE_THRESHOLD	128

static void init_control(struct hvmm_svm_vcpu *svm)
{
	static const u8 always[] = {
		SVM_ICPT_INTR, SVM_ICPT_NMI, SVM_ICPT_SMI, SVM_ICPT_INIT, SVM_ICPT_CR0_SEL,
		SVM_ICPT_RDPMC, SVM_ICPT_CPUID, SVM_ICPT_RSM, SVM_ICPT_INVD, SVM_ICPT_HLT,
		SVM_ICPT_INVLPGA, SVM_ICPT_IOIO, SVM_ICPT_MSR, SVM_ICPT_SHUTDOWN,
		SVM_ICPT_VMRUN, SVM_ICPT_VMMCALL, SVM_ICPT_VMLOAD, SVM_ICPT_VMSAVE,
		SVM_ICPT_STGI, SVM_ICPT_CLGI, SVM_ICPT_SKINIT, SVM_ICPT_WBINVD,
		SVM_ICPT_MONITOR, SVM_ICPT_MWAIT, SVM_ICPT_XSETBV, SVM_ICPT_RDPRU,
	};
	struct hvmm_vmcb_control *c = &svm->vmcb->control;
	struct hvmm_vm *vm = svm->x.vcpu.vm;
	unsigned int i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < ARRAY_SIZE(always); i++)
		c->intercept[always[i] / 32] |= BIT(always[i] % 32);
	/* With one vCPU there is nobody else to spin for. */
	if (hvmm_svm_features.pause_filter && vm->nr_vcpus > 1) {
		c->intercept[0] |= BIT(SVM_ICPT_PAUSE);
		c->pause_count = PAUSE_COUNT;
		if (hvmm_svm_features.pause_threshold)
			c->pause_threshold = PAUSE_THRESHOLD;
	}
	/* What the guest may set in CR4 is a matter of policy; CR0's cache bits are too. */
	c->intercept_cr = BIT(16 + 4);
	/* Debug registers are emulated, and in the hardware only while DR7 enables one. */
	c->intercept_dr = U32_MAX;
	/*
	 * #DB and #AC: a guest can raise either without end while it is being
	 * delivered, and would never leave (APM vol. 2, 15.12.2 and 15.12.18).
	 * #MC is the host's.
	 */
	c->intercept_exceptions = BIT(1) | BIT(17) | BIT(18);
	c->iopm_pa = hvmm_svm_iopm_pa;
	c->msrpm_pa = hvmm_svm_msrpm_pa;
	c->vintr = SVM_V_INTR_MASKING;
	c->np_control = SVM_NP_ENABLE;
	c->nested_cr3 = __sme_pa(vm->mem.tdp.root);
	c->tsc_offset = vm->tsc_offset;
}

struct hvmm_x86_vcpu *hvmm_svm_vcpu_alloc(struct hvmm_vm *vm)
{
	struct hvmm_svm_vcpu *svm;

	svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	if (!svm)
		return NULL;
	svm->vmcb = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!svm->vmcb) {
		kfree(svm);
		return NULL;
	}
	svm->vmcb_pa = __sme_pa(svm->vmcb);
	return &svm->x;
}

void hvmm_svm_vcpu_free(struct hvmm_x86_vcpu *x)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);

	free_page((unsigned long)svm->vmcb);
	kfree(svm);
}

size_t hvmm_svm_vcpu_bytes(void)
{
	return sizeof(struct hvmm_svm_vcpu) + PAGE_SIZE;
}

static void real_mode_seg(struct hvmm_seg *seg, u16 attrib)
{
	*seg = (struct hvmm_seg){ .limit = 0xffff, .attrib = attrib };
}

/* APM vol. 2, table 14-1: state after power-on and INIT. */
void hvmm_svm_vcpu_reset(struct hvmm_x86_vcpu *x, bool init)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);
	struct hvmm_vmcb_save *s = &svm->vmcb->save;
	const u16 data = HVMM_SEG_ATTR_P | HVMM_SEG_ATTR_S | HVMM_SEG_ATTR_WRITE | 1;
	const u16 code = data | HVMM_SEG_ATTR_CODE;
	struct hvmm_vmcb_save old = *s;

	init_control(svm);
	memset(s, 0, sizeof(*s));
	real_mode_seg(&s->es, data);
	real_mode_seg(&s->ss, data);
	real_mode_seg(&s->ds, data);
	real_mode_seg(&s->fs, data);
	real_mode_seg(&s->gs, data);
	real_mode_seg(&s->cs, code);
	s->cs.sel = 0xf000;
	s->cs.base = 0xffff0000;
	real_mode_seg(&s->gdtr, 0);
	real_mode_seg(&s->idtr, 0);
	real_mode_seg(&s->ldtr, HVMM_SEG_ATTR_P | 2);
	/* Busy, of 32 bits: with one of 16 bits long mode may be refused. */
	real_mode_seg(&s->tr, HVMM_SEG_ATTR_P | 11);
	s->cr0 = X86_CR0_ET | X86_CR0_NW | X86_CR0_CD;
	s->dr6 = HVMM_DR6_FIXED;
	s->dr7 = HVMM_DR7_FIXED;
	s->rflags = HVMM_RFLAGS_FIXED;
	s->rip = 0xfff0;
	s->efer = EFER_SVME;
	s->g_pat = 0x0007040600070406ULL;
	if (init) {
		/* INIT leaves these alone. */
		s->g_pat = old.g_pat;
		s->star = old.star;
		s->lstar = old.lstar;
		s->cstar = old.cstar;
		s->sfmask = old.sfmask;
		s->kernel_gs_base = old.kernel_gs_base;
		s->sysenter_cs = old.sysenter_cs;
		s->sysenter_esp = old.sysenter_esp;
		s->sysenter_eip = old.sysenter_eip;
	}
	svm->efer = 0;
	svm->nmi_masked = false;
	svm->iret_pending = false;
	svm->stepping = false;
	svm->stepped = false;
	svm->asid_gen = 0;
	svm->vmcb->control.clean = 0;

	memset(&x->regs, 0, sizeof(x->regs));
	x->regs.rip = s->rip;
	x->regs.rflags = s->rflags;
}

/*
 * Processors that do not count PAUSEs (APM vol. 2, 15.14.4) can only report each one.
 * That is worth it while another vCPU of the VM goes without a pCPU. It is found out
 * when this one gets a pCPU, and at the host's interrupts.
 */
void hvmm_svm_watch_pause(struct hvmm_svm_vcpu *svm)
{
	if (hvmm_svm_features.pause_filter || svm->x.vcpu.vm->nr_vcpus < 2)
		return;
	hvmm_svm_intercept(svm, SVM_ICPT_PAUSE, hvmm_spin_waiter(&svm->x.vcpu));
}

void hvmm_svm_flush_tlb(struct hvmm_x86_vcpu *x)
{
	to_svm(x)->asid_gen = 0;
}

void hvmm_svm_load(struct hvmm_x86_vcpu *x)
{
	struct hvmm_svm_cpu *sc = this_cpu_ptr(&hvmm_svm_cpu);
	struct hvmm_svm_vcpu *svm = to_svm(x);

	if (sc->last_vm != x->vcpu.vm->id) {
		if (sc->last_vm)
			hvmm_mitigate_switch();
		sc->last_vm = x->vcpu.vm->id;
	}
	/* APM vol. 2, 15.15.4: the cached state belongs to the pCPU that ran it last. */
	if (svm->asid_cpu != smp_processor_id()) {
		svm->asid_cpu = smp_processor_id();
		svm->asid_gen = 0;
		svm->vmcb->control.clean = 0;
	}
	if (x->vcpu.vm->nr_vcpus > 1)
		hvmm_svm_watch_pause(svm);
	asm volatile("vmsave %0" : : "a" (sc->host_vmcb_pa) : "memory");
	if ((boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID)) &&
	    sc->host_tsc_aux != x->msr.tsc_aux)
		wrmsrq(MSR_TSC_AUX, x->msr.tsc_aux);
}

void hvmm_svm_put(struct hvmm_x86_vcpu *x)
{
	u64 host_tsc_aux = this_cpu_read(hvmm_svm_cpu.host_tsc_aux);

	if ((boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID)) &&
	    host_tsc_aux != x->msr.tsc_aux)
		wrmsrq(MSR_TSC_AUX, host_tsc_aux);
	hvmm_mitigate_leave();
}
