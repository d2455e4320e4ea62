// SPDX-License-Identifier: GPL-2.0
/*
 * What a task switch needs to know, and where it will write, before anything is changed.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <asm/trapnr.h>

#include "x86/cr.h"
#include "x86/task_priv.h"
#include "x86/vendor.h"
#include "x86/walk.h"

#define SEL_LDT		BIT(2)	/* the selector is of the LDT */
#define SEL_RPL		3

static unsigned int tss_size(const struct hvmm_seg *tss)
{
	return is_wide(tss) ? sizeof(struct tss32) : sizeof(struct tss16);
}

/* An event that is none of the program's sets EXT (6.13); INT n and its like are not in @event. */
static int refuse(struct task_switch *t, u8 vector, u16 sel)
{
	t->fault = (struct hvmm_fault) {
		.vector = vector, .has_error = true,
		.error = (sel & ~SEL_RPL) | t->x->event.valid,
	};
	return -EFAULT;
}

static int find(struct task_switch *t, u32 linear, unsigned int len, u32 access, struct place *p)
{
	unsigned int i, piece;
	u32 error;
	int ret;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < ARRAY_SIZE(p->gpa) && len; i++) {
		piece = min_t(unsigned int, len, PAGE_SIZE - offset_in_page(linear));
		ret = hvmm_walk(t->x, linear, access, &p->gpa[i], &error);
		if (ret == -EFAULT)
			t->fault = (struct hvmm_fault) {
				.vector = X86_TRAP_PF, .has_error = true, .error = error,
				.cr2 = linear,
			};
		if (ret)
			return ret;
		p->len[i] = piece;
		linear += piece;
		len -= piece;
	}
	return 0;
}

int hvmm_task_read(struct task_switch *t, const struct place *p, void *buf)
{
	struct hvmm_mem *mem = &t->x->vcpu.vm->mem;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(p->gpa) && p->len[i]; i++) {
		ret = hvmm_mem_read(mem, p->gpa[i], buf, p->len[i], &t->x->missing_gfn);
		if (ret)
			return ret == -EAGAIN ? ret : -ENXIO;
		buf += p->len[i];
	}
	return 0;
}

int hvmm_task_write(struct task_switch *t, const struct place *p, const void *buf)
{
	struct hvmm_mem *mem = &t->x->vcpu.vm->mem;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(p->gpa) && p->len[i]; i++) {
		ret = hvmm_mem_write(mem, p->gpa[i], buf, p->len[i], &t->x->missing_gfn);
		if (ret)
			return ret == -EAGAIN ? ret : -ENXIO;
		buf += p->len[i];
	}
	return 0;
}

static int read_linear(struct task_switch *t, u32 linear, void *buf, unsigned int len)
{
	struct place p;
	int ret;

	ret = find(t, linear, len, HVMM_ACCESS_IMPLICIT, &p);
	return ret ?: hvmm_task_read(t, &p, buf);
}

/* The byte of a descriptor that has its type, to be written. */
static int find_type(struct task_switch *t, u32 linear, struct place *p)
{
	return find(t, linear + 5, 1, HVMM_ACCESS_WRITE | HVMM_ACCESS_IMPLICIT, p);
}

/* @vector: the exception where the table does not have it */
static int read_descriptor(struct task_switch *t, u16 sel, u8 vector, struct descriptor *d)
{
	struct hvmm_seg *seg = &d->seg;
	u64 base, raw;
	u32 limit;
	int ret;

	if (sel & SEL_LDT) {
		base = t->ldtr.base;
		limit = t->ldtr.limit;
		if (!(t->ldtr.attrib & HVMM_SEG_ATTR_P))
			return refuse(t, vector, sel);
	} else {
		hvmm_arch->get_dt(t->x, false, &base, &limit);
	}
	if ((sel | 7U) > limit)
		return refuse(t, vector, sel);
	d->linear = base + (sel & ~7U);
	ret = read_linear(t, d->linear, &raw, sizeof(raw));
	if (ret)
		return ret;
	/* SDM vol. 3, figure 3-8. */
	seg->sel = sel;
	seg->base = (raw >> 16 & 0xffffff) | (raw >> 56 << 24);
	seg->limit = (raw & 0xffff) | (raw >> 32 & 0xf0000);
	seg->attrib = (raw >> 40 & 0xff) | (raw >> 44 & 0xf00);
	if (seg->attrib & HVMM_SEG_ATTR_G)
		seg->limit = seg->limit << PAGE_SHIFT | ~PAGE_MASK;
	return 0;
}

int hvmm_task_look_at_old(struct task_switch *t, u16 sel, enum hvmm_task_source source)
{
	const u8 vector = source == HVMM_TASK_IRET ? X86_TRAP_TS : X86_TRAP_GP;
	const u16 busy = source == HVMM_TASK_IRET ? TYPE_BUSY : 0;
	struct hvmm_seg *new = &t->new.seg;
	struct descriptor d;
	u32 start, end;
	int ret;

	if (sel & SEL_LDT)
		return refuse(t, vector, sel);
	ret = read_descriptor(t, sel, vector, &t->new);
	if (ret)
		return ret;
	if ((new->attrib & (HVMM_SEG_ATTR_S | TYPE_BUSY)) != busy ||
	    ((new->attrib & HVMM_SEG_ATTR_TYPE & ~TYPE_BUSY) != TYPE_TSS16 && !is_wide(new)))
		return refuse(t, vector, sel);
	if (!(new->attrib & HVMM_SEG_ATTR_P))
		return refuse(t, X86_TRAP_NP, sel);
	if (new->limit < tss_size(new) - 1)
		return refuse(t, X86_TRAP_TS, sel);
	ret = read_linear(t, new->base, &t->tss, tss_size(new));
	if (!ret && source != HVMM_TASK_IRET)
		ret = find_type(t, t->new.linear, &t->new_type);
	if (!ret && t->nested)
		ret = find(t, new->base, sizeof(u16), HVMM_ACCESS_WRITE | HVMM_ACCESS_IMPLICIT,
			   &t->link);
	if (ret)
		return ret;

	start = is_wide(&t->old) ? offsetof(struct tss32, eip) : offsetof(struct tss16, ip);
	end = is_wide(&t->old) ? offsetof(struct tss32, ldt) : offsetof(struct tss16, ldt);
	if (t->old.limit < end - 1)
		return refuse(t, X86_TRAP_TS, t->old.sel);
	ret = find(t, t->old.base + start, end - start, HVMM_ACCESS_WRITE | HVMM_ACCESS_IMPLICIT,
		   &t->state);
	if (ret || !t->leaves)
		return ret;
	ret = read_descriptor(t, t->old.sel, X86_TRAP_TS, &d);
	return ret ?: find_type(t, d.linear, &t->old_type);
}

int hvmm_task_look_at_link(struct task_switch *t, u16 *link)
{
	return read_linear(t, t->old.base, link, sizeof(*link));
}

static int load_ldtr(struct task_switch *t, u16 sel)
{
	struct descriptor d;
	int ret;

	t->ldtr = (struct hvmm_seg) { .sel = sel };
	if (!(sel & ~SEL_RPL))
		return 0;
	if (sel & SEL_LDT)
		return refuse(t, X86_TRAP_TS, sel);
	ret = read_descriptor(t, sel, X86_TRAP_TS, &d);
	if (ret)
		return ret;
	if ((d.seg.attrib & (HVMM_SEG_ATTR_S | HVMM_SEG_ATTR_TYPE)) != TYPE_LDT ||
	    !(d.seg.attrib & HVMM_SEG_ATTR_P))
		return refuse(t, X86_TRAP_TS, sel);
	t->ldtr = d.seg;
	return 0;
}

/* Table 8-1, the conditions on CS, SS and the others; the vector where one is not met, or 0. */
static u8 why_not(enum hvmm_seg_reg nr, u16 sel, u16 attrib, unsigned int cpl)
{
	const unsigned int dpl = (attrib & HVMM_SEG_ATTR_DPL) >> 5, rpl = sel & SEL_RPL;
	const bool code = attrib & HVMM_SEG_ATTR_CODE, present = attrib & HVMM_SEG_ATTR_P;
	const bool conforming = code && (attrib & HVMM_SEG_ATTR_DOWN);

	if (!(attrib & HVMM_SEG_ATTR_S))
		return X86_TRAP_TS;
	switch (nr) {
	case HVMM_SEG_CS:
		if (!code || (conforming ? dpl > rpl : dpl != rpl))
			return X86_TRAP_TS;
		return present ? 0 : X86_TRAP_NP;
	case HVMM_SEG_SS:
		if (code || !(attrib & HVMM_SEG_ATTR_WRITE) || dpl != cpl || rpl != cpl)
			return X86_TRAP_TS;
		return present ? 0 : X86_TRAP_SS;
	default:
		if (code && !(attrib & HVMM_SEG_ATTR_WRITE))
			return X86_TRAP_TS;
		if (!conforming && dpl < max(rpl, cpl))
			return X86_TRAP_TS;
		return present ? 0 : X86_TRAP_NP;
	}
}

static int load_seg(struct task_switch *t, enum hvmm_seg_reg nr, u16 sel)
{
	struct descriptor d;
	u8 vector;
	int ret;

	if (!(sel & ~SEL_RPL))
		return nr == HVMM_SEG_CS || nr == HVMM_SEG_SS ? refuse(t, X86_TRAP_TS, sel) : 0;
	ret = read_descriptor(t, sel, X86_TRAP_TS, &d);
	if (ret)
		return ret;
	vector = why_not(nr, sel, d.seg.attrib, t->seg[HVMM_SEG_CS].sel & SEL_RPL);
	if (vector)
		return refuse(t, vector, sel);
	if (!(d.seg.attrib & TYPE_ACCESSED)) {
		ret = find_type(t, d.linear, &t->mark[nr]);
		if (ret)
			return ret;
		t->marks |= BIT(nr);
		d.seg.attrib |= TYPE_ACCESSED;
	}
	t->seg[nr] = d.seg;
	return 0;
}

/* SDM vol. 3, 21.2.1: as in real mode, with all rights of ring 3. */
static struct hvmm_seg v86_seg(u16 sel)
{
	return (struct hvmm_seg) {
		.sel = sel, .base = sel << 4, .limit = 0xffff,
		.attrib = HVMM_SEG_ATTR_P | HVMM_SEG_ATTR_DPL | HVMM_SEG_ATTR_S |
			  HVMM_SEG_ATTR_WRITE | TYPE_ACCESSED,
	};
}

static int load_segs(struct task_switch *t)
{
	static const enum hvmm_seg_reg order[] = {
		HVMM_SEG_CS, HVMM_SEG_SS, HVMM_SEG_DS, HVMM_SEG_ES, HVMM_SEG_FS, HVMM_SEG_GS,
	};
	unsigned int i;
	int ret;

	ret = load_ldtr(t, is_wide(&t->new.seg) ? t->tss.wide.ldt : t->tss.narrow.ldt);
	for (i = 0; i < SEGS && !(new_eflags(t) & X86_EFLAGS_VM) && !ret; i++)
		ret = load_seg(t, order[i], new_sel(t, order[i]));
	if (ret)
		return ret;
	if (new_eip(t) > t->seg[HVMM_SEG_CS].limit)
		return refuse(t, X86_TRAP_GP, 0);
	return 0;
}

/* The error code of what the new task handles goes onto its stack, as wide as its TSS. */
static int find_error(struct task_switch *t)
{
	const struct hvmm_seg *ss = &t->seg[HVMM_SEG_SS];
	const u32 mask = hvmm_task_stack_mask(t);
	u32 access = HVMM_ACCESS_WRITE, first, last;

	if (!t->push)
		return 0;
	first = (new_gpr(t, HVMM_RSP) - t->push) & mask;
	last = first + t->push - 1;
	if (ss->attrib & HVMM_SEG_ATTR_DOWN ?
	    first <= ss->limit || last > mask || last < first :
	    last > ss->limit || last < first)
		return refuse(t, X86_TRAP_SS, 0);
	if ((ss->attrib & HVMM_SEG_ATTR_DPL) == HVMM_SEG_ATTR_DPL)
		access |= HVMM_ACCESS_USER;
	return find(t, ss->base + first, t->push, access, &t->error);
}

int hvmm_task_look_at_new(struct task_switch *t)
{
	const u64 old_cr3 = hvmm_arch->get_cr(t->x, 3);
	unsigned int i;
	int ret;

	/* Also of a task that cannot start: an entry takes no others in virtual-8086 mode. */
	for (i = 0; i < SEGS; i++)
		t->seg[i] = new_eflags(t) & X86_EFLAGS_VM ? v86_seg(new_sel(t, i)) :
			    (struct hvmm_seg) { .sel = new_sel(t, i) };
	/* Figure 8-10 has no CR3; and without paging it is not loaded. */
	if (is_wide(&t->new.seg) && (hvmm_arch->get_cr(t->x, 0) & X86_CR0_PG)) {
		t->cr3 = t->tss.wide.cr3;
		t->load_pdptes = hvmm_has_pdptes(t->x);
		ret = t->load_pdptes ? hvmm_read_pdptes(t->x, t->cr3, t->pdpte) : 0;
		if (ret == -EAGAIN)
			return ret;
		if (ret)
			return refuse(t, X86_TRAP_GP, 0);
		t->load_cr3 = true;
		hvmm_arch->set_cr(t->x, 3, t->cr3);
	}
	ret = load_segs(t);
	if (!ret)
		ret = find_error(t);
	if (ret)
		t->push = 0;
	hvmm_arch->set_cr(t->x, 3, old_cr3);
	return ret;
}
