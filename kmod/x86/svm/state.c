// SPDX-License-Identifier: GPL-2.0
/*
 * Guest state held in the VMCB.
 */
#include <linux/nospec.h>

#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "x86/svm/svm.h"
#include "x86/walk.h"

static struct hvmm_seg *seg_of(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr)
{
	struct hvmm_vmcb_save *s = &to_svm(x)->vmcb->save;

	switch (nr) {
	case HVMM_SEG_ES:
		return &s->es;
	case HVMM_SEG_CS:
		return &s->cs;
	case HVMM_SEG_SS:
		return &s->ss;
	case HVMM_SEG_FS:
		return &s->fs;
	case HVMM_SEG_GS:
		return &s->gs;
	case HVMM_SEG_LDTR:
		return &s->ldtr;
	case HVMM_SEG_TR:
		return &s->tr;
	default:
		return &s->ds;
	}
}

void hvmm_svm_get_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, struct hvmm_seg *seg)
{
	*seg = *seg_of(x, nr);
}

void hvmm_svm_set_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, const struct hvmm_seg *seg)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);

	*seg_of(x, nr) = *seg;
	/* APM vol. 2, 15.5.1: SS.DPL is the CPL, which has its own field. */
	if (nr == HVMM_SEG_SS)
		svm->vmcb->save.cpl = (seg->attrib & HVMM_SEG_ATTR_DPL) >> 5;
	x->seg_valid = 0;
	hvmm_svm_dirty(svm, SVM_CLEAN_SEG);
}

int hvmm_svm_get_cpl(struct hvmm_x86_vcpu *x)
{
	return to_svm(x)->vmcb->save.cpl;
}

u64 hvmm_svm_get_cr(struct hvmm_x86_vcpu *x, int nr)
{
	struct hvmm_vmcb_save *s = &to_svm(x)->vmcb->save;

	switch (nr) {
	case 0:
		return s->cr0;
	case 3:
		return s->cr3;
	default:
		return s->cr4;
	}
}

void hvmm_svm_set_cr(struct hvmm_x86_vcpu *x, int nr, u64 val)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);
	struct hvmm_vmcb_save *s = &svm->vmcb->save;
	u64 changed;

	switch (nr) {
	case 0:
		changed = s->cr0 ^ val;
		s->cr0 = val;
		if (changed & (X86_CR0_PG | X86_CR0_WP | X86_CR0_PE))
			hvmm_svm_flush_tlb(x);
		break;
	case 3:
		s->cr3 = val;
		hvmm_svm_flush_tlb(x);
		break;
	default:
		s->cr4 = val;
		/* MOV to CR4 flushes for these bits; the instruction was only emulated. */
		hvmm_svm_flush_tlb(x);
		break;
	}
	hvmm_svm_dirty(svm, SVM_CLEAN_CR);
}

u64 hvmm_svm_get_efer(struct hvmm_x86_vcpu *x)
{
	/* SVME is not the guest's: hvmm_svm_set_efer(). */
	return to_svm(x)->vmcb->save.efer & ~(u64)EFER_SVME;
}

void hvmm_svm_get_paging(struct hvmm_x86_vcpu *x, struct hvmm_paging_regs *r)
{
	const struct hvmm_vmcb_save *s = &to_svm(x)->vmcb->save;

	r->cr0 = s->cr0;
	r->cr3 = s->cr3;
	r->cr4 = s->cr4;
	r->efer = s->efer;
}

void hvmm_svm_set_efer(struct hvmm_x86_vcpu *x, u64 efer)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);

	if ((svm->efer ^ efer) & (EFER_NX | EFER_LMA | EFER_LME))
		hvmm_svm_flush_tlb(x);
	svm->efer = efer;
	/* APM vol. 2, 15.5.1: VMRUN refuses a guest without SVME. */
	svm->vmcb->save.efer = efer | EFER_SVME;
	hvmm_svm_dirty(svm, SVM_CLEAN_CR);
}

static u64 *msr_of(struct hvmm_svm_vcpu *svm, u32 msr)
{
	struct hvmm_vmcb_save *s = &svm->vmcb->save;

	switch (msr) {
	case MSR_STAR:
		return &s->star;
	case MSR_LSTAR:
		return &s->lstar;
	case MSR_CSTAR:
		return &s->cstar;
	case MSR_SYSCALL_MASK:
		return &s->sfmask;
	case MSR_KERNEL_GS_BASE:
		return &s->kernel_gs_base;
	case MSR_FS_BASE:
		return &s->fs.base;
	case MSR_GS_BASE:
		return &s->gs.base;
	case MSR_IA32_SYSENTER_CS:
		return &s->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP:
		return &s->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP:
		return &s->sysenter_eip;
	case MSR_IA32_CR_PAT:
		return &s->g_pat;
	case MSR_IA32_DEBUGCTLMSR:
		return &s->dbgctl;
	default:
		return NULL;
	}
}

int hvmm_svm_get_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 *val)
{
	u64 *field = msr_of(to_svm(x), msr);

	if (!field)
		return -ENOENT;
	*val = *field;
	return 0;
}

int hvmm_svm_set_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 val)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);
	u64 *field = msr_of(svm, msr);

	if (!field)
		return -ENOENT;
	*field = val;
	hvmm_svm_dirty(svm, SVM_CLEAN_SEG | SVM_CLEAN_NP | SVM_CLEAN_LBR);
	return 0;
}

void hvmm_svm_get_dt(struct hvmm_x86_vcpu *x, bool idt, u64 *base, u32 *limit)
{
	struct hvmm_vmcb_save *s = &to_svm(x)->vmcb->save;
	struct hvmm_seg *dt = idt ? &s->idtr : &s->gdtr;

	*base = dt->base;
	*limit = dt->limit;
}

void hvmm_svm_set_dt(struct hvmm_x86_vcpu *x, bool idt, u64 base, u32 limit)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);
	struct hvmm_seg *dt = idt ? &svm->vmcb->save.idtr : &svm->vmcb->save.gdtr;

	dt->base = base;
	dt->limit = limit;
	hvmm_svm_dirty(svm, SVM_CLEAN_DT);
}

u64 hvmm_svm_get_dr(struct hvmm_x86_vcpu *x, int nr)
{
	struct hvmm_vmcb_save *s = &to_svm(x)->vmcb->save;

	return nr == 6 ? s->dr6 : s->dr7;
}

void hvmm_svm_set_dr(struct hvmm_x86_vcpu *x, int nr, u64 val)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);

	if (nr == 6)
		svm->vmcb->save.dr6 = val;
	else
		svm->vmcb->save.dr7 = val;
	hvmm_svm_dirty(svm, SVM_CLEAN_DR);
}

void hvmm_svm_set_tsc_offset(struct hvmm_x86_vcpu *x, u64 offset)
{
	struct hvmm_svm_vcpu *svm = to_svm(x);

	svm->vmcb->control.tsc_offset = offset;
	hvmm_svm_dirty(svm, SVM_CLEAN_INTERCEPTS);
}
