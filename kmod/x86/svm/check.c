// SPDX-License-Identifier: GPL-2.0
/*
 * Consistency of a VMCB as VMRUN checks it: APM vol. 2, 15.5.1 ("Canonicalization
 * and Consistency Checks"), and 15.20 for events.
 */
#include <linux/bits.h>
#include <linux/stddef.h>

#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "x86/svm/check.h"

#define EFER_TRANSLATION_CACHE_EXT	BIT_ULL(15)
#define EFER_KNOWN	(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_SVME | \
			 EFER_LMSLE | EFER_FFXSR | EFER_TRANSLATION_CACHE_EXT | EFER_AUTOIBRS)

static bool pat_valid(u64 pat)
{
	unsigned int i;
	u8 type;

	for (i = 0; i < 8; i++) {
		type = pat >> i * 8;
		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

/* A range of memory that the processor reads; the low bits of its address are ignored. */
static bool in_memory(u64 pa, u64 size, const struct hvmm_svm_limits *limits)
{
	u64 first = pa & ~0xfffULL;

	return !((first | (first + size - 1)) & ~limits->address);
}

static const char *check_control(const struct hvmm_vmcb *vmcb,
				 const struct hvmm_svm_limits *limits)
{
	const struct hvmm_vmcb_control *c = &vmcb->control;

	if (!(c->intercept[1] & BIT(SVM_ICPT_VMRUN - 32)))
		return "VMRUN is not intercepted";
	if (!c->asid)
		return "the ASID is zero";
	if (c->asid >= limits->nr_asids)
		return "the ASID is above what the processor has";
	if (!in_memory(c->iopm_pa, SVM_IOPM_SIZE, limits))
		return "the map of I/O ports is not in physical memory";
	if (!in_memory(c->msrpm_pa, SVM_MSRPM_SIZE, limits))
		return "the map of MSRs is not in physical memory";
	if (!(c->np_control & SVM_NP_ENABLE))
		return NULL;
	/* 15.25.3 */
	if (c->nested_cr3 & ~limits->address)
		return "nCR3 has reserved bits set";
	if (!pat_valid(vmcb->save.g_pat))
		return "g_pat holds a reserved memory type";
	return NULL;
}

static const char *check_event(u64 event)
{
	unsigned int type = SVM_EVENT_TYPE(event);
	u8 vector = event & SVM_EVENT_VECTOR;

	if (!(event & SVM_EVENT_V))
		return NULL;
	if (type == 1 || type > 4)
		return "EVENTINJ.TYPE is reserved";
	if (type == 3 && (vector == 2 || vector > 31))
		return "EVENTINJ is an exception with the vector of something else";
	return NULL;
}

static const char *check_long_mode(const struct hvmm_vmcb_save *s)
{
	if (!(s->efer & EFER_LME) || !(s->cr0 & X86_CR0_PG))
		return NULL;
	if (!(s->cr4 & X86_CR4_PAE))
		return "EFER.LME and CR0.PG are set without CR4.PAE";
	if (!(s->cr0 & X86_CR0_PE))
		return "EFER.LME and CR0.PG are set without CR0.PE";
	if ((s->cs.attrib & HVMM_SEG_ATTR_L) && (s->cs.attrib & HVMM_SEG_ATTR_DB))
		return "CS.L and CS.D are both set in long mode";
	if (s->cr3 >> 52)
		return "CR3 has reserved bits set";
	return NULL;
}

static const char *check_save(const struct hvmm_vmcb_save *s,
			      const struct hvmm_svm_limits *limits)
{
	if (!(s->efer & EFER_SVME))
		return "EFER.SVME is zero";
	if (s->efer & ~(u64)EFER_KNOWN)
		return "EFER has reserved bits set";
	if (!(s->cr0 & X86_CR0_CD) && (s->cr0 & X86_CR0_NW))
		return "CR0.NW is set without CR0.CD";
	if (s->cr0 >> 32)
		return "CR0 has bits 63:32 set";
	if (s->dr6 >> 32)
		return "DR6 has bits 63:32 set";
	if (s->dr7 >> 32)
		return "DR7 has bits 63:32 set";
	if (s->cr4 & ~limits->cr4)
		return "CR4 has bits set that the guest is not offered";
	return check_long_mode(s);
}

const char *hvmm_svm_check(const struct hvmm_vmcb *vmcb, const struct hvmm_svm_limits *limits)
{
	const char *why = check_save(&vmcb->save, limits);

	if (!why)
		why = check_control(vmcb, limits);
	return why ?: check_event(vmcb->control.event_inject);
}
