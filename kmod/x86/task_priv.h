/* SPDX-License-Identifier: GPL-2.0 */
/* Between the two halves of task switches: what is looked up, and what is made of it. */
#ifndef HVMM_X86_TASK_PRIV_H
#define HVMM_X86_TASK_PRIV_H

#include <asm/processor-flags.h>

#include "x86/task.h"

/* Types of system descriptors (SDM vol. 3, table 3-2). */
#define TYPE_LDT	2
#define TYPE_TSS16	1
#define TYPE_TSS32	9
#define TYPE_BUSY	2	/* added to those of a TSS */
#define TYPE_ACCESSED	1

#define EFLAGS_KNOWN	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |	\
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF |	\
			 X86_EFLAGS_OF | X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_RF |	\
			 X86_EFLAGS_VM | X86_EFLAGS_AC | X86_EFLAGS_VIF | X86_EFLAGS_VIP |	\
			 X86_EFLAGS_ID)

#define GPRS	8
#define SEGS	(HVMM_SEG_GS + 1)
#define SEGS16	(HVMM_SEG_DS + 1)

/* Figure 8-2. General and segment registers come in the order of their encodings. */
struct tss32 {
	u32 link;
	u32 stack[6];
	u32 cr3;
	u32 eip;
	u32 eflags;
	u32 gpr[GPRS];
	u32 seg[SEGS];
	u32 ldt;
	u16 trap;
	u16 iomap;
};

/* Figure 8-10. */
struct tss16 {
	u16 link;
	u16 stack[6];
	u16 ip;
	u16 flags;
	u16 gpr[GPRS];
	u16 seg[SEGS16];
	u16 ldt;
};

static_assert(sizeof(struct tss32) == 104);
static_assert(sizeof(struct tss16) == 44);

union tss {
	struct tss32 wide;
	struct tss16 narrow;
};

/* Guest memory, found through page tables that may not be in force any more. */
struct place {
	u64 gpa[2];
	unsigned int len[2];
};

struct descriptor {
	struct hvmm_seg seg;
	u32 linear;
};

/**
 * struct task_switch - one task switch
 * @x: the vCPU
 * @nested: the new task returns to the old one
 * @leaves: the old task is not busy any more
 * @old: TR
 * @new: what it will be
 * @new_type: the new TSS's descriptor
 * @old_type: the old one's, if it changes
 * @state: where the old task's state goes
 * @link: where the new task's link is
 * @tss: the new TSS
 * @load_cr3: the new task has a CR3
 * @cr3: that
 * @load_pdptes: what it points to is loaded along with it
 * @pdpte: that
 * @seg: segment registers of the new task
 * @ldtr: its LDTR
 * @marks: segments that are used for the first time, as bits
 * @mark: their descriptors' bytes with the type
 * @error: where an error code goes
 * @push: its size, 0 if there is none
 * @fault: what the new task starts with, if the vector is not 0
 */
struct task_switch {
	struct hvmm_x86_vcpu *x;
	bool nested;
	bool leaves;
	struct hvmm_seg old;
	struct descriptor new;
	struct place new_type;
	struct place old_type;
	struct place state;
	struct place link;
	union tss tss;
	bool load_cr3;
	u32 cr3;
	bool load_pdptes;
	u64 pdpte[4];
	struct hvmm_seg seg[SEGS];
	struct hvmm_seg ldtr;
	unsigned int marks;
	struct place mark[SEGS];
	struct place error;
	unsigned int push;
	struct hvmm_fault fault;
};

static inline bool is_wide(const struct hvmm_seg *tss)
{
	return (tss->attrib & HVMM_SEG_ATTR_TYPE & ~TYPE_BUSY) == TYPE_TSS32;
}

static inline u32 new_eflags(const struct task_switch *t)
{
	u32 eflags = is_wide(&t->new.seg) ? t->tss.wide.eflags : t->tss.narrow.flags;

	return (eflags & EFLAGS_KNOWN) | X86_EFLAGS_FIXED | (t->nested ? X86_EFLAGS_NT : 0);
}

static inline u32 new_eip(const struct task_switch *t)
{
	return is_wide(&t->new.seg) ? t->tss.wide.eip : t->tss.narrow.ip;
}

static inline u32 new_gpr(const struct task_switch *t, unsigned int nr)
{
	return is_wide(&t->new.seg) ? t->tss.wide.gpr[nr] : t->tss.narrow.gpr[nr];
}

static inline u16 new_sel(const struct task_switch *t, unsigned int nr)
{
	if (is_wide(&t->new.seg))
		return t->tss.wide.seg[nr];
	return nr < SEGS16 ? t->tss.narrow.seg[nr] : 0;
}

/* How much of ESP counts, and changes when something is pushed. */
static inline u32 hvmm_task_stack_mask(const struct task_switch *t)
{
	return t->seg[HVMM_SEG_SS].attrib & HVMM_SEG_ATTR_DB ? ~0U : 0xffff;
}

/*
 * The functions below return 0; -EFAULT with &task_switch.fault; -EAGAIN if a page must be brought
 * in; -ENXIO if there is no RAM.
 */

int hvmm_task_read(struct task_switch *t, const struct place *p, void *buf);
int hvmm_task_write(struct task_switch *t, const struct place *p, const void *buf);

/**
 * hvmm_task_look_at_old - look up what of a task switch is the old task's business
 * @t: the switch
 * @sel: selector of the new TSS
 * @source: what asked for it
 *
 * The processor has looked at the new TSS's descriptor already, and another vCPU may have changed
 * it since.
 */
int hvmm_task_look_at_old(struct task_switch *t, u16 sel, enum hvmm_task_source source);

/**
 * hvmm_task_look_at_link - read the present TSS's link
 * @t: the switch
 * @link: filled
 */
int hvmm_task_look_at_link(struct task_switch *t, u16 *link);

/**
 * hvmm_task_look_at_new - look up what is the new task's, through its own page tables
 * @t: the switch
 *
 * A fault is the new task's: it starts with it.
 */
int hvmm_task_look_at_new(struct task_switch *t);

#endif
