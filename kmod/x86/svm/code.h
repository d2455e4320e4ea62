/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Length of the instruction that exited, for processors that do not tell (no NRIP save, APM
 * vol. 2, 15.7.1). To walk the guest's page tables and to decode is most of such an exit: the
 * walk is remembered (x86/walked.h), and where the bytes are those of the plain instruction there
 * is nothing to decode.
 */
#ifndef HVMM_X86_SVM_CODE_H
#define HVMM_X86_SVM_CODE_H

#include <linux/mm.h>
#include <linux/unaligned.h>

#include "x86/svm/svm.h"

/* What is compared: the four bytes of which the instruction takes the first ones. */
#define HVMM_SVM_PLAIN_BYTES	4

static const struct {
	u32 bytes;
	u32 mask;
	u8 len;
} hvmm_svm_plain[HVMM_SVM_INSN_NR] = {
	[HVMM_SVM_INSN_CPUID]	= { 0xa20f, 0xffff, 2 },
	[HVMM_SVM_INSN_RDMSR]	= { 0x320f, 0xffff, 2 },
	[HVMM_SVM_INSN_WRMSR]	= { 0x300f, 0xffff, 2 },
	[HVMM_SVM_INSN_HLT]	= { 0xf4, 0xff, 1 },
	[HVMM_SVM_INSN_PAUSE]	= { 0x90f3, 0xffff, 2 },
	[HVMM_SVM_INSN_VMMCALL]	= { 0xd9010f, 0xffffff, 3 },
};

/* @bytes: from hvmm_svm_code_at() */
static __always_inline bool hvmm_svm_is_plain(const void *bytes, enum hvmm_svm_insn insn)
{
	return (get_unaligned((const u32 *)bytes) & hvmm_svm_plain[insn].mask) ==
	       hvmm_svm_plain[insn].bytes;
}

/**
 * hvmm_svm_code_at - bytes at a RIP from which the guest has exited before
 * @svm: the vCPU, in 64-bit mode
 * @rip: the RIP, from which the processor has fetched just now
 *
 * Context: preemption off.
 * Return: the bytes, at least %HVMM_SVM_PLAIN_BYTES; %NULL where hvmm_svm_length() must look.
 */
static __always_inline const void *hvmm_svm_code_at(struct hvmm_svm_vcpu *svm, u64 rip)
{
	const struct hvmm_walked *w = hvmm_code_slot(&svm->x, rip);
	const struct hvmm_vmcb_save *s = &svm->vmcb->save;

	if (unlikely(offset_in_page(rip) > PAGE_SIZE - HVMM_SVM_PLAIN_BYTES))
		return NULL;
	if (!hvmm_walked_holds(w, &svm->x.vcpu.vm->mem.tlb_gen, (w->key ^ rip) & PAGE_MASK,
			       s->cr0, s->cr3, s->cr4, s->efer))
		return NULL;
	return w->page + offset_in_page(rip);
}

#endif
