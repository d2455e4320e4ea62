// SPDX-License-Identifier: GPL-2.0
/*
 * Length of the instruction that exited, for processors that do not tell (no NRIP save, APM
 * vol. 2, 15.7.1). To walk the guest's page tables and to decode is most of such an exit. The
 * same few pages of code exit again and again: the entries through which a page was reached
 * are remembered, and looked at again instead of being searched for. That is a walk like any
 * other: it sees the values that memory has now. And where the bytes are those of the plain
 * instruction there is nothing to decode.
 */
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/unaligned.h>

#include "x86/svm/svm.h"
#include "x86/walk.h"

/* What is compared: the four bytes of which the instruction takes the first ones. */
#define BYTES	4

static const struct {
	u32 bytes;
	u32 mask;
	u8 len;
} plain[HVMM_SVM_INSN_NR] = {
	[HVMM_SVM_INSN_CPUID]	= { 0xa20f, 0xffff, 2 },
	[HVMM_SVM_INSN_RDMSR]	= { 0x320f, 0xffff, 2 },
	[HVMM_SVM_INSN_WRMSR]	= { 0x300f, 0xffff, 2 },
	[HVMM_SVM_INSN_HLT]	= { 0xf4, 0xff, 1 },
	[HVMM_SVM_INSN_PAUSE]	= { 0x90f3, 0xffff, 2 },
	[HVMM_SVM_INSN_VMMCALL]	= { 0xd9010f, 0xffffff, 3 },
};

static bool same_registers(const struct hvmm_svm_code *c, const struct hvmm_vmcb_save *s)
{
	return c->cr3 == s->cr3 && c->cr0 == s->cr0 && c->cr4 == s->cr4 && c->efer == s->efer &&
	       c->cpl == s->cpl;
}

static bool same_entries(const struct hvmm_svm_code *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		if (READ_ONCE(*c->entry[i]) != c->val[i])
			return false;
	return true;
}

/* Kernel address of what the guest has at an address, a multiple of 8 for entries. */
static void *lookup(struct hvmm_svm_vcpu *svm, u64 gpa)
{
	void *page = hvmm_tdp_lookup(&svm->x.vcpu.vm->mem.tdp, gpa >> PAGE_SHIFT);

	return page ? page + offset_in_page(gpa) : NULL;
}

static noinline bool learn(struct hvmm_svm_vcpu *svm, struct hvmm_svm_code *c, u64 linear)
{
	const struct hvmm_vmcb_save *s = &svm->vmcb->save;
	struct hvmm_walk w;
	unsigned int i;

	c->gen = 0;
	/* Before the lookups: what goes away meanwhile changes it. */
	c->nr = 0;
	c->linear = linear;
	c->cr0 = s->cr0;
	c->cr3 = s->cr3;
	c->cr4 = s->cr4;
	c->efer = s->efer;
	c->cpl = s->cpl;
	if (hvmm_walk_fetch(&svm->x, linear, &w) || w.nr > ARRAY_SIZE(c->entry))
		return false;
	for (i = 0; i < w.nr; i++) {
		c->entry[i] = lookup(svm, w.step[i].gpa);
		c->val[i] = w.step[i].val;
		if (!c->entry[i])
			return false;
	}
	c->page = lookup(svm, w.gpa);
	if (!c->page)
		return false;
	c->nr = w.nr;
	return true;
}

unsigned int hvmm_svm_length(struct hvmm_svm_vcpu *svm, enum hvmm_svm_insn insn)
{
	const struct hvmm_vmcb_save *s = &svm->vmcb->save;
	u64 rip = svm->x.regs.rip, linear = rip & PAGE_MASK, gen;
	struct hvmm_svm_code *c;

	/* In 64-bit mode there are no segments in the way, and paging is on. */
	if (!(s->efer & EFER_LMA) || !(s->cs.attrib & HVMM_SEG_ATTR_L) ||
	    offset_in_page(rip) > PAGE_SIZE - BYTES)
		return 0;

	/*
	 * A page that is unmapped stays until those have gone on who run with preemption
	 * off, and look at it: hvmm_mem_unmap() counts first and waits then.
	 */
	RCU_LOCKDEP_WARN(preemptible(), "guest memory is looked at without protection");
	gen = atomic64_read_acquire(&svm->x.vcpu.vm->mem.tlb_gen);
	c = &svm->code[(rip >> PAGE_SHIFT) % ARRAY_SIZE(svm->code)];
	if (unlikely(c->gen != gen || c->linear != linear || !same_registers(c, s) ||
		     !same_entries(c))) {
		if (!learn(svm, c, linear))
			return 0;
		c->gen = gen;
	}
	if ((get_unaligned((const u32 *)(c->page + offset_in_page(rip))) & plain[insn].mask) !=
	    plain[insn].bytes)
		return 0;
	return plain[insn].len;
}
