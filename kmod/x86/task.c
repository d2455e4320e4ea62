// SPDX-License-Identifier: GPL-2.0
/*
 * Task switches through a TSS, where a processor leaves them to its host (SDM vol. 3, 26.4.2): what
 * it does itself elsewhere (8.3).
 *
 * All that is needed of either task's memory is looked up first, through the page tables of the
 * task that it belongs to; then memory is written; and only then the vCPU changes. So a switch can
 * be abandoned for a page that is missing, and be done again from the start: all that it writes is
 * the same then, and what the start depends on, the new TSS being available, is written last. (Not
 * so where both tasks have one TSS, by two descriptors.)
 */
#include <linux/errno.h>
#include <linux/mm.h>

#include <asm/trapnr.h>

#include "x86/task_priv.h"
#include "x86/vendor.h"

#define DR6_BT		BIT_ULL(15)
/* Local breakpoints, which end with their task (18.2.4). */
#define DR7_LOCAL	0x155ULL

/*
 * An exception takes a stack from the TSS only where it changes the ring. So a task whose own stack
 * could not be loaded is in ring 3, whatever its code is.
 */
static void start_in_ring3(struct task_switch *t)
{
	struct hvmm_seg *cs = &t->seg[HVMM_SEG_CS], *ss = &t->seg[HVMM_SEG_SS];

	if (ss->attrib & HVMM_SEG_ATTR_P)
		return;
	cs->base = 0;
	cs->limit = ~0U;
	cs->attrib = HVMM_SEG_ATTR_P | HVMM_SEG_ATTR_DPL | HVMM_SEG_ATTR_S | HVMM_SEG_ATTR_CODE |
		     HVMM_SEG_ATTR_WRITE | TYPE_ACCESSED | HVMM_SEG_ATTR_DB | HVMM_SEG_ATTR_G;
	ss->attrib = HVMM_SEG_ATTR_DPL;
}

static int save_old(struct task_switch *t, enum hvmm_task_source source, unsigned int len)
{
	const struct hvmm_regs *regs = &t->x->regs;
	u32 eflags = regs->rflags;
	struct hvmm_seg seg;
	union tss tss = {};
	unsigned int i;

	if (source == HVMM_TASK_IRET)
		eflags &= ~X86_EFLAGS_NT;
	/* An instruction is complete; of a fault it is not, and the processor has set RF. */
	if (len)
		eflags &= ~X86_EFLAGS_RF;
	if (is_wide(&t->old)) {
		tss.wide.eip = regs->rip + len;
		tss.wide.eflags = eflags;
		for (i = 0; i < GPRS; i++)
			tss.wide.gpr[i] = regs->gpr[i];
	} else {
		tss.narrow.ip = regs->rip + len;
		tss.narrow.flags = eflags;
		for (i = 0; i < GPRS; i++)
			tss.narrow.gpr[i] = regs->gpr[i];
	}
	for (i = 0; i < (is_wide(&t->old) ? SEGS : SEGS16); i++) {
		hvmm_arch->get_seg(t->x, i, &seg);
		if (is_wide(&t->old))
			tss.wide.seg[i] = seg.sel;
		else
			tss.narrow.seg[i] = seg.sel;
	}
	return hvmm_task_write(t, &t->state, is_wide(&t->old) ? (void *)&tss.wide.eip :
							     (void *)&tss.narrow.ip);
}

/* Another vCPU may want the same task: all is looked at again if the type has changed meanwhile. */
static int write_type(struct task_switch *t, const struct place *p, u8 clear, u8 set)
{
	u8 type, new;
	int ret;

	ret = hvmm_task_read(t, p, &type);
	if (ret)
		return ret;
	new = (type & ~clear) | set;
	ret = set == TYPE_BUSY && (type & TYPE_BUSY) ? 1 :
	      hvmm_mem_cmpxchg(&t->x->vcpu.vm->mem, p->gpa[0], &type, &new, sizeof(type),
			       &t->x->missing_gfn);
	if (ret > 0) {
		t->x->missing_gfn = p->gpa[0] >> PAGE_SHIFT;
		return -EAGAIN;
	}
	return !ret || ret == -EAGAIN ? ret : -ENXIO;
}

static int write_all(struct task_switch *t, enum hvmm_task_source source, unsigned int len)
{
	unsigned int i;
	int ret;

	ret = save_old(t, source, len);
	if (!ret && t->leaves)
		ret = write_type(t, &t->old_type, TYPE_BUSY, 0);
	if (!ret && t->nested)
		ret = hvmm_task_write(t, &t->link, &t->old.sel);
	if (!ret && t->push)
		ret = hvmm_task_write(t, &t->error, &t->x->event.error);
	for (i = 0; i < SEGS && !ret; i++)
		if (t->marks & BIT(i))
			ret = write_type(t, &t->mark[i], 0, TYPE_ACCESSED);
	if (!ret && source != HVMM_TASK_IRET)
		ret = write_type(t, &t->new_type, 0, TYPE_BUSY);
	return ret;
}

static void become_new(struct task_switch *t)
{
	const u32 mask = hvmm_task_stack_mask(t);
	struct hvmm_seg tr = t->new.seg;
	struct hvmm_x86_vcpu *x = t->x;
	unsigned int i;
	u32 esp;

	for (i = 0; i < GPRS; i++)
		x->regs.gpr[i] = new_gpr(t, i);
	esp = x->regs.gpr[HVMM_RSP];
	x->regs.gpr[HVMM_RSP] = (esp & ~mask) | ((esp - t->push) & mask);
	x->regs.rip = new_eip(t);
	x->regs.rflags = new_eflags(t);

	tr.attrib |= TYPE_BUSY;
	hvmm_arch->set_seg(x, HVMM_SEG_TR, &tr);
	hvmm_arch->set_seg(x, HVMM_SEG_LDTR, &t->ldtr);
	start_in_ring3(t);
	for (i = 0; i < SEGS; i++)
		hvmm_arch->set_seg(x, i, &t->seg[i]);

	hvmm_arch->set_cr(x, 0, hvmm_arch->get_cr(x, 0) | X86_CR0_TS);
	hvmm_arch->set_dr(x, 7, hvmm_arch->get_dr(x, 7) & ~DR7_LOCAL);
	if (t->load_cr3) {
		hvmm_arch->set_cr(x, 3, t->cr3);
		hvmm_arch->flush_tlb(x);
	}
	if (t->load_cr3 && t->load_pdptes)
		hvmm_arch->set_pdptes(x, t->pdpte);
	hvmm_arch->set_shadow(x, false);
}

/* What was delivered by the switch is not to be delivered again. */
static void settle_event(struct hvmm_x86_vcpu *x, enum hvmm_task_source source)
{
	if (source == HVMM_TASK_IRET)
		hvmm_arch->set_nmi_masked(x, false);
	if (x->event.valid && x->event.type == HVMM_EVENT_NMI)
		hvmm_arch->set_nmi_masked(x, true);
	x->event.valid = false;
}

int hvmm_task_switch(struct hvmm_x86_vcpu *x, u16 sel, enum hvmm_task_source source,
		     unsigned int len, struct hvmm_fault *fault)
{
	struct task_switch t = {
		.x = x,
		.nested = source == HVMM_TASK_CALL || source == HVMM_TASK_GATE,
		.leaves = source == HVMM_TASK_JMP || source == HVMM_TASK_IRET,
	};
	int ret;

	hvmm_arch->get_seg(x, HVMM_SEG_TR, &t.old);
	ret = hvmm_task_look_at_old(&t, sel, source);
	if (ret == -EFAULT)
		*fault = t.fault;
	if (ret)
		return ret;
	if (x->event.valid && x->event.has_error)
		t.push = is_wide(&t.new.seg) ? sizeof(u32) : sizeof(u16);
	ret = hvmm_task_look_at_new(&t);
	if (ret && ret != -EFAULT)
		return ret;
	ret = write_all(&t, source, len);
	if (ret)
		return ret;
	become_new(&t);
	settle_event(x, source);
	if (!t.fault.vector && is_wide(&t.new.seg) && (t.tss.wide.trap & 1)) {
		hvmm_arch->set_dr(x, 6, hvmm_arch->get_dr(x, 6) | DR6_BT);
		t.fault.vector = X86_TRAP_DB;
	}
	*fault = t.fault;
	return t.fault.vector ? -EFAULT : 0;
}

int hvmm_task_return(struct hvmm_x86_vcpu *x, unsigned int len, struct hvmm_fault *fault)
{
	struct task_switch t = { .x = x };
	u16 link;
	int ret;

	hvmm_arch->get_seg(x, HVMM_SEG_TR, &t.old);
	ret = hvmm_task_look_at_link(&t, &link);
	if (ret == -EFAULT)
		*fault = t.fault;
	return ret ?: hvmm_task_switch(x, link, HVMM_TASK_IRET, len, fault);
}
