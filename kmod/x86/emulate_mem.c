// SPDX-License-Identifier: GPL-2.0
/* The emulator's way to guest memory: addresses, checks, page boundaries. */
#include <linux/types.h>

#include "x86/emulate_priv.h"

#define PAGE_BYTES	4096u

enum hvmm_emul_status emul_raise(struct hvmm_emul *e, u8 vector, bool has_error)
{
	e->fault.vector = vector;
	e->fault.has_error = has_error;
	e->fault.error = 0;
	e->fault.cr2 = 0;
	return HVMM_EMUL_FAULT;
}

u64 emul_addr_mask(const struct hvmm_emul *e)
{
	return size_mask(e->insn.adsize);
}

u64 emul_operand_offset(const struct hvmm_emul *e, u64 rsp_add)
{
	const struct hvmm_insn *insn = &e->insn;
	u64 off = (u64)insn->mem_disp;

	if (insn->mem_base == HVMM_GPR_RIP)
		off += e->regs->rip + insn->len;
	else if (insn->mem_base < HVMM_GPR_NR)
		off += e->regs->gpr[insn->mem_base & 15] +
		       (insn->mem_base == HVMM_RSP ? rsp_add : 0);
	if (insn->mem_index < HVMM_GPR_NR)
		off += e->regs->gpr[insn->mem_index & 15] * insn->mem_scale;
	return off & emul_addr_mask(e);
}

bool emul_is_canonical(const struct hvmm_emul *e, u64 linear)
{
	unsigned int sh = e->la57 ? 64 - 57 : 64 - 48;

	return (u64)((s64)(linear << sh) >> sh) == linear;
}

/* APM vol. 2, 4.12: limit and type of a segment outside 64-bit mode. */
static bool segment_allows(const struct hvmm_emul *e, const struct hvmm_seg *s, u64 off,
			   unsigned int len, bool write)
{
	u64 last = off + len - 1;
	u16 attr = s->attrib;

	if (e->real)
		return last <= s->limit;
	if (!(attr & HVMM_SEG_ATTR_P))
		return false;
	if (attr & HVMM_SEG_ATTR_CODE) {
		if (write || !(attr & HVMM_SEG_ATTR_WRITE))
			return false;
		return last <= s->limit;
	}
	if (write && !(attr & HVMM_SEG_ATTR_WRITE))
		return false;
	if (attr & HVMM_SEG_ATTR_DOWN)
		return off > s->limit && last <= (attr & HVMM_SEG_ATTR_DB ? 0xffffffff : 0xffff);
	return last <= s->limit;
}

enum hvmm_emul_status emul_linear(struct hvmm_emul *e, unsigned int seg, u64 off,
				  unsigned int len, bool write, u64 *linear)
{
	const struct hvmm_seg *s;
	u8 vector = seg == HVMM_SEG_SS ? X86_VEC_SS : X86_VEC_GP;

	if (e->mode == HVMM_CPU_MODE_64) {
		/* APM vol. 2, 4.5.3: only FS and GS have a base. */
		if (seg == HVMM_SEG_FS || seg == HVMM_SEG_GS)
			off += e->ops->seg(e, seg)->base;
		if (!emul_is_canonical(e, off) || !emul_is_canonical(e, off + len - 1))
			return emul_raise(e, vector, true);
		*linear = off;
	} else {
		s = e->ops->seg(e, seg);
		if (!segment_allows(e, s, off, len, write))
			return emul_raise(e, vector, true);
		*linear = (u32)(s->base + off);
	}
	if (e->align_check && e->cpl == 3 && e->regs->rflags & X86_FL_AC &&
	    len <= 8 && !(len & (len - 1)) && *linear & (len - 1))
		return emul_raise(e, X86_VEC_AC, true);
	return HVMM_EMUL_DONE;
}

/* Bytes of an access that lie in its first page. */
static unsigned int first_part(u64 linear, unsigned int len)
{
	unsigned int room = PAGE_BYTES - (linear & (PAGE_BYTES - 1));

	return len < room ? len : room;
}

static u64 second_addr(const struct hvmm_emul *e, u64 linear, unsigned int n)
{
	linear += n;
	return e->mode == HVMM_CPU_MODE_64 ? linear : (u32)linear;
}

enum hvmm_emul_status emul_read(struct hvmm_emul *e, u64 linear, void *val, unsigned int len)
{
	unsigned int n = first_part(linear, len);
	enum hvmm_emul_status st;

	st = e->ops->read(e, linear, val, n);
	if (st == HVMM_EMUL_DONE && n < len)
		st = e->ops->read(e, second_addr(e, linear, n), (u8 *)val + n, len - n);
	return st;
}

enum hvmm_emul_status emul_probe(struct hvmm_emul *e, u64 linear, unsigned int len)
{
	unsigned int n = first_part(linear, len);
	enum hvmm_emul_status st;

	if (!e->ops->probe_write)
		return HVMM_EMUL_DONE;
	st = e->ops->probe_write(e, linear, n);
	if (st == HVMM_EMUL_DONE && n < len)
		st = e->ops->probe_write(e, second_addr(e, linear, n), len - n);
	return st;
}

enum hvmm_emul_status emul_write(struct hvmm_emul *e, u64 linear, const void *val,
				 unsigned int len)
{
	unsigned int n = first_part(linear, len);
	enum hvmm_emul_status st;

	/* A fault in the second page must come before the first is written. */
	if (n < len) {
		st = emul_probe(e, linear, len);
		if (st != HVMM_EMUL_DONE)
			return st;
	}
	st = e->ops->write(e, linear, val, n);
	if (st == HVMM_EMUL_DONE && n < len)
		st = e->ops->write(e, second_addr(e, linear, n), (const u8 *)val + n, len - n);
	return st;
}

enum hvmm_emul_status emul_write_locked(struct hvmm_emul *e, u64 linear, const void *old,
					const void *new, unsigned int len)
{
	if (first_part(linear, len) < len)
		return emul_write(e, linear, new, len);
	return e->ops->cmpxchg(e, linear, old, new, len);
}

u64 hvmm_emul_operand_addr(struct hvmm_emul *e)
{
	u64 off = emul_operand_offset(e, 0);
	unsigned int seg = e->insn.mem_seg;

	if (e->mode != HVMM_CPU_MODE_64)
		return (u32)(off + e->ops->seg(e, seg)->base);
	if (seg == HVMM_SEG_FS || seg == HVMM_SEG_GS)
		off += e->ops->seg(e, seg)->base;
	return off;
}

enum hvmm_emul_status hvmm_emul_read_operand(struct hvmm_emul *e, void *val, unsigned int len)
{
	enum hvmm_emul_status st;
	u64 linear;

	st = emul_linear(e, e->insn.mem_seg, emul_operand_offset(e, 0), len, false, &linear);
	if (st != HVMM_EMUL_DONE)
		return st;
	return emul_read(e, linear, val, len);
}

enum hvmm_emul_status hvmm_emul_write_operand(struct hvmm_emul *e, const void *val,
					      unsigned int len)
{
	enum hvmm_emul_status st;
	u64 linear;

	st = emul_linear(e, e->insn.mem_seg, emul_operand_offset(e, 0), len, true, &linear);
	if (st != HVMM_EMUL_DONE)
		return st;
	return emul_write(e, linear, val, len);
}
