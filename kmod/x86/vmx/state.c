// SPDX-License-Identifier: GPL-2.0
/*
 * Guest state held in the VMCS.
 */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "host/msr.h"
#include "x86/vmx/vmx.h"
#include "x86/walk.h"

/* The fields of a segment are in the order of the segments' encodings. */
static_assert(VMCS_GUEST_TR_SEL - VMCS_GUEST_ES_SEL == HVMM_SEG_TR);
static_assert(VMCS_GUEST_TR_BASE - VMCS_GUEST_ES_BASE == HVMM_SEG_TR);
static_assert(VMCS_GUEST_TR_LIMIT - VMCS_GUEST_ES_LIMIT == HVMM_SEG_TR);
static_assert(VMCS_GUEST_TR_AR - VMCS_GUEST_ES_AR == HVMM_SEG_TR);

/* Access rights have a gap where a descriptor has bits of the limit. */
u32 hvmm_vmx_ar(u16 attrib)
{
	u32 ar = (attrib & 0xff) | (attrib & 0xf00) << 4;

	return attrib & HVMM_SEG_ATTR_P ? ar : ar | VMX_AR_UNUSABLE;
}

static u16 attrib_of(u32 ar)
{
	u16 attrib = (ar & 0xff) | (ar >> 4 & 0xf00);

	/* The rest of an unusable one means nothing, but for the privilege level in SS. */
	return ar & VMX_AR_UNUSABLE ? attrib & ~HVMM_SEG_ATTR_P : attrib;
}

void hvmm_vmx_get_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, struct hvmm_seg *seg)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	seg->sel = hvmm_vmx_read(vmx, VMCS_GUEST_ES_SEL + nr);
	seg->base = hvmm_vmx_read(vmx, VMCS_GUEST_ES_BASE + nr);
	seg->limit = hvmm_vmx_read(vmx, VMCS_GUEST_ES_LIMIT + nr);
	seg->attrib = attrib_of(hvmm_vmx_read(vmx, VMCS_GUEST_ES_AR + nr));
}

void hvmm_vmx_set_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, const struct hvmm_seg *seg)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	hvmm_vmx_write(vmx, VMCS_GUEST_ES_SEL + nr, seg->sel);
	hvmm_vmx_write(vmx, VMCS_GUEST_ES_BASE + nr, seg->base);
	hvmm_vmx_write(vmx, VMCS_GUEST_ES_LIMIT + nr, seg->limit);
	hvmm_vmx_write(vmx, VMCS_GUEST_ES_AR + nr, hvmm_vmx_ar(seg->attrib));
	x->seg_valid = 0;
}

/* SDM vol. 3, 25.4.1: the DPL of SS is the CPL, usable or not. */
int hvmm_vmx_get_cpl(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	if (!(hvmm_vmx_read(vmx, VMCS_GUEST_CR0) & X86_CR0_PE))
		return 0;
	if (x->regs.rflags & X86_EFLAGS_VM)
		return 3;
	return VMX_AR_DPL(hvmm_vmx_read(vmx, VMCS_GUEST_SS_AR));
}

static u64 cr_of(struct hvmm_vmx_vcpu *vmx, enum hvmm_vmcs_field reg, enum hvmm_vmcs_field mask,
		 enum hvmm_vmcs_field shadow)
{
	u64 ours = hvmm_vmx_read(vmx, mask);

	return (hvmm_vmx_read(vmx, reg) & ~ours) | (hvmm_vmx_read(vmx, shadow) & ours);
}

u64 hvmm_vmx_get_cr(struct hvmm_x86_vcpu *x, int nr)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	switch (nr) {
	case 0:
		return cr_of(vmx, VMCS_GUEST_CR0, VMCS_CR0_MASK, VMCS_CR0_SHADOW);
	case 3:
		return hvmm_vmx_read(vmx, VMCS_GUEST_CR3);
	default:
		return cr_of(vmx, VMCS_GUEST_CR4, VMCS_CR4_MASK, VMCS_CR4_SHADOW);
	}
}

void hvmm_vmx_set_cr(struct hvmm_x86_vcpu *x, int nr, u64 val)
{
	/* An unrestricted guest need not have these (SDM vol. 3, 27.3.1.1). */
	const u64 cr0_must = hvmm_vmx_caps.cr0_must & ~(u64)(X86_CR0_PE | X86_CR0_PG);
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	switch (nr) {
	case 0:
		hvmm_vmx_write(vmx, VMCS_CR0_SHADOW, val);
		/* RAM is write-back, whatever the guest does with its cache. */
		hvmm_vmx_write(vmx, VMCS_GUEST_CR0,
			       (val & ~(u64)(X86_CR0_CD | X86_CR0_NW)) | cr0_must);
		break;
	case 3:
		hvmm_vmx_write(vmx, VMCS_GUEST_CR3, val);
		break;
	default:
		hvmm_vmx_write(vmx, VMCS_CR4_SHADOW, val);
		hvmm_vmx_write(vmx, VMCS_GUEST_CR4, val | hvmm_vmx_caps.cr4_must);
		break;
	}
}

/* Entries load them from the VMCS, not from memory (SDM vol. 3, 27.3.1.6). */
void hvmm_vmx_set_pdptes(struct hvmm_x86_vcpu *x, const u64 pdpte[4])
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		hvmm_vmx_write(to_vmx(x), VMCS_GUEST_PDPTE0 + i, pdpte[i]);
}

u64 hvmm_vmx_get_efer(struct hvmm_x86_vcpu *x)
{
	return hvmm_vmx_read(to_vmx(x), VMCS_GUEST_EFER);
}

void hvmm_vmx_get_paging(struct hvmm_x86_vcpu *x, struct hvmm_paging_regs *r)
{
	r->cr0 = hvmm_vmx_get_cr(x, 0);
	r->cr3 = hvmm_vmx_get_cr(x, 3);
	r->cr4 = hvmm_vmx_get_cr(x, 4);
	r->efer = hvmm_vmx_get_efer(x);
}

void hvmm_vmx_set_efer(struct hvmm_x86_vcpu *x, u64 efer)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	u32 tr;

	hvmm_vmx_write(vmx, VMCS_GUEST_EFER, efer);
	hvmm_vmx_assign(vmx, VMCS_ENTRY_CTL, ENTRY_LONG_MODE, efer & EFER_LMA);
	if (!(efer & EFER_LMA))
		return;
	/* A processor goes to long mode with a 16-bit TSS; an entry does not (27.3.1.2). */
	tr = hvmm_vmx_read(vmx, VMCS_GUEST_TR_AR);
	hvmm_vmx_write(vmx, VMCS_GUEST_TR_AR, (tr & ~VMX_AR_TYPE) | 11);
}

const u32 hvmm_vmx_msr_nr[HVMM_VMX_MSRS] = {
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE,
};

static int field_of(u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return VMCS_GUEST_FS_BASE;
	case MSR_GS_BASE:
		return VMCS_GUEST_GS_BASE;
	case MSR_IA32_SYSENTER_CS:
		return VMCS_GUEST_SYSENTER_CS;
	case MSR_IA32_SYSENTER_ESP:
		return VMCS_GUEST_SYSENTER_ESP;
	case MSR_IA32_SYSENTER_EIP:
		return VMCS_GUEST_SYSENTER_EIP;
	case MSR_IA32_CR_PAT:
		return VMCS_GUEST_PAT;
	case MSR_IA32_DEBUGCTLMSR:
		return VMCS_GUEST_DEBUGCTL;
	default:
		return -ENOENT;
	}
}

int hvmm_vmx_get_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 *val)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	unsigned int i;
	int field;

	field = field_of(msr);
	if (field >= 0) {
		*val = hvmm_vmx_read(vmx, field);
		return 0;
	}
	for (i = 0; i < HVMM_VMX_MSRS; i++) {
		if (msr != hvmm_vmx_msr_nr[i])
			continue;
		if (vmx->loaded)
			rdmsrq(msr, *val);
		else
			*val = vmx->msr[i];
		return 0;
	}
	return -ENOENT;
}

int hvmm_vmx_set_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 val)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	unsigned int i;
	int field;

	field = field_of(msr);
	if (field >= 0) {
		hvmm_vmx_write(vmx, field, val);
		return 0;
	}
	for (i = 0; i < HVMM_VMX_MSRS; i++) {
		if (msr != hvmm_vmx_msr_nr[i])
			continue;
		if (vmx->loaded)
			wrmsrq(msr, val);
		else
			vmx->msr[i] = val;
		return 0;
	}
	return -ENOENT;
}

void hvmm_vmx_get_dt(struct hvmm_x86_vcpu *x, bool idt, u64 *base, u32 *limit)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	*base = hvmm_vmx_read(vmx, idt ? VMCS_GUEST_IDTR_BASE : VMCS_GUEST_GDTR_BASE);
	*limit = hvmm_vmx_read(vmx, idt ? VMCS_GUEST_IDTR_LIMIT : VMCS_GUEST_GDTR_LIMIT);
}

void hvmm_vmx_set_dt(struct hvmm_x86_vcpu *x, bool idt, u64 base, u32 limit)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	hvmm_vmx_write(vmx, idt ? VMCS_GUEST_IDTR_BASE : VMCS_GUEST_GDTR_BASE, base);
	hvmm_vmx_write(vmx, idt ? VMCS_GUEST_IDTR_LIMIT : VMCS_GUEST_GDTR_LIMIT, limit);
}

u64 hvmm_vmx_get_dr(struct hvmm_x86_vcpu *x, int nr)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	return nr == 6 ? vmx->dr6 : hvmm_vmx_read(vmx, VMCS_GUEST_DR7);
}

void hvmm_vmx_set_dr(struct hvmm_x86_vcpu *x, int nr, u64 val)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	if (nr == 6)
		vmx->dr6 = val;
	else
		hvmm_vmx_write(vmx, VMCS_GUEST_DR7, val);
}

void hvmm_vmx_set_tsc_offset(struct hvmm_x86_vcpu *x, u64 offset)
{
	hvmm_vmx_write(to_vmx(x), VMCS_TSC_OFFSET, offset);
}
