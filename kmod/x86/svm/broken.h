/* SPDX-License-Identifier: GPL-2.0 */
/*
 * States that VMRUN refuses, each one step off a sound one, and the check that says so. The
 * unit test looks whether the checker finds them; a module built with DEBUG=1 whether the
 * processor does too. The sound state may be one of any mode.
 */
#ifndef HVMM_X86_SVM_BROKEN_H
#define HVMM_X86_SVM_BROKEN_H

#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "x86/svm/vmcb.h"

#define HVMM_SVM_CHANGES	4

/**
 * struct hvmm_svm_broken - how to break a sound state
 * @why: what hvmm_svm_check() says
 * @change: fields by place and size, and which bits of them are cleared and then set
 */
struct hvmm_svm_broken {
	const char *why;
	struct {
		u16 at;
		u16 size;
		u64 clear;
		u64 set;
	} change[HVMM_SVM_CHANGES];
};

/**
 * hvmm_svm_break - apply the changes to a VMCB
 * @vmcb: a sound state
 * @b: the row; where it has less than all changes, the rest have no size
 */
static inline void hvmm_svm_break(struct hvmm_vmcb *vmcb, const struct hvmm_svm_broken *b)
{
	unsigned int i;
	void *field;
	u64 val;

	for (i = 0; i < HVMM_SVM_CHANGES; i++) {
		field = (void *)vmcb + b->change[i].at;
		val = 0;
		memcpy(&val, field, b->change[i].size);
		val = (val & ~b->change[i].clear) | b->change[i].set;
		memcpy(field, &val, b->change[i].size);
	}
}

#define CHANGE(f, clear, set)						\
	{ offsetof(struct hvmm_vmcb, f), sizeof(((struct hvmm_vmcb *)0)->f), clear, set }
#define SET(f, v)	CHANGE(f, ~0ULL, v)
#define OR(f, v)	CHANGE(f, 0, v)
#define CLEAR(f, v)	CHANGE(f, v, 0)

#define LONG_MODE	OR(save.efer, EFER_LME | EFER_LMA)
#define PAE		OR(save.cr4, X86_CR4_PAE)
#define PAGING		OR(save.cr0, X86_CR0_PG | X86_CR0_PE)
#define PAT(i, type)	CHANGE(save.g_pat, 0xffULL << (i) * 8, (u64)(type) << (i) * 8)

#define EFER_BIT(nr)	{ "EFER has reserved bits set", { OR(save.efer, BIT_ULL(nr)) } }
#define CR4_BIT(nr)							\
	{ "CR4 has bits set that the guest is not offered", { OR(save.cr4, BIT_ULL(nr)) } }
#define HIGH(reg, name, nr)						\
	{ name " has bits 63:32 set", { OR(save.reg, BIT_ULL(nr)) } }
#define MEMORY_TYPE(i, type)						\
	{ "g_pat holds a reserved memory type", { PAT(i, type) } }
#define EVENT(what, type, vector)					\
	{ "EVENTINJ" what,						\
	  { SET(control.event_inject, SVM_EVENT_V | (type) << 8 | (vector)) } }
#define RESERVED_TYPE(type)	EVENT(".TYPE is reserved", type, 0x20)
#define NO_EXCEPTION(vector)						\
	EVENT(" is an exception with the vector of something else", 3, vector)

static const struct hvmm_svm_broken hvmm_svm_broken[] = {
	/* The save area: APM vol. 2, 15.5.1. */
	{ "EFER.SVME is zero", { CLEAR(save.efer, EFER_SVME) } },
	EFER_BIT(1), EFER_BIT(5), EFER_BIT(7), EFER_BIT(9), EFER_BIT(16), EFER_BIT(22),
	EFER_BIT(31), EFER_BIT(32), EFER_BIT(63),
	{ "CR0.NW is set without CR0.CD", { CHANGE(save.cr0, X86_CR0_CD, X86_CR0_NW) } },
	HIGH(cr0, "CR0", 32), HIGH(cr0, "CR0", 63),
	HIGH(dr6, "DR6", 32), HIGH(dr6, "DR6", 63),
	HIGH(dr7, "DR7", 32), HIGH(dr7, "DR7", 63),
	CR4_BIT(13), CR4_BIT(14), CR4_BIT(15), CR4_BIT(19), CR4_BIT(31), CR4_BIT(32), CR4_BIT(63),
	{ "EFER.LME and CR0.PG are set without CR4.PAE",
	  { LONG_MODE, PAGING, CLEAR(save.cr4, X86_CR4_PAE) } },
	{ "EFER.LME and CR0.PG are set without CR0.PE",
	  { LONG_MODE, PAE, CHANGE(save.cr0, X86_CR0_PE, X86_CR0_PG) } },
	{ "CS.L and CS.D are both set in long mode",
	  { LONG_MODE, PAE, PAGING, OR(save.cs.attrib, HVMM_SEG_ATTR_L | HVMM_SEG_ATTR_DB) } },
	{ "CR3 has reserved bits set", { LONG_MODE, PAE, PAGING, OR(save.cr3, BIT_ULL(52)) } },
	{ "CR3 has reserved bits set", { LONG_MODE, PAE, PAGING, OR(save.cr3, BIT_ULL(63)) } },

	/* The control area: likewise, and 15.25.3 and 15.25.4 for nested paging. */
	{ "VMRUN is not intercepted",
	  { CLEAR(control.intercept[1], BIT_ULL(SVM_ICPT_VMRUN - 32)) } },
	{ "the ASID is zero", { SET(control.asid, 0) } },
	{ "the ASID is above what the processor has", { SET(control.asid, 0xffffffff) } },
	{ "the map of I/O ports is not in physical memory",
	  { OR(control.iopm_pa, BIT_ULL(52)) } },
	{ "the map of I/O ports is not in physical memory",
	  { OR(control.iopm_pa, BIT_ULL(63)) } },
	{ "the map of MSRs is not in physical memory", { OR(control.msrpm_pa, BIT_ULL(52)) } },
	{ "the map of MSRs is not in physical memory", { OR(control.msrpm_pa, BIT_ULL(63)) } },
	{ "nCR3 has reserved bits set", { OR(control.nested_cr3, BIT_ULL(52)) } },
	{ "nCR3 has reserved bits set", { OR(control.nested_cr3, BIT_ULL(63)) } },
	MEMORY_TYPE(0, 2), MEMORY_TYPE(1, 3), MEMORY_TYPE(2, 8), MEMORY_TYPE(4, 0x80),
	MEMORY_TYPE(7, 0xff),

	/* Events: 15.20. */
	RESERVED_TYPE(1), RESERVED_TYPE(5), RESERVED_TYPE(6), RESERVED_TYPE(7),
	NO_EXCEPTION(2), NO_EXCEPTION(32), NO_EXCEPTION(255),
};

#undef CHANGE
#undef SET
#undef OR
#undef CLEAR
#undef LONG_MODE
#undef PAE
#undef PAGING
#undef PAT
#undef EFER_BIT
#undef CR4_BIT
#undef HIGH
#undef MEMORY_TYPE
#undef EVENT
#undef RESERVED_TYPE
#undef NO_EXCEPTION

#endif
