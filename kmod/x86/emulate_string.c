// SPDX-License-Identifier: GPL-2.0
/* Instruction emulator: string instructions, one iteration a call. */
#include <linux/types.h>

#include "x86/emulate_priv.h"

/* Advance an index or count register by address size (APM vol. 3, 1.2.3). */
static void advance(struct hvmm_emul *e, unsigned int reg, s64 delta)
{
	hvmm_emul_set_gpr(e, reg, e->insn.adsize, e->regs->gpr[reg] + (u64)delta);
}

/* The item at DS:rSI (segment may be overridden), or at ES:rDI. */
static enum hvmm_emul_status source(struct hvmm_emul *e, unsigned int size, u64 *linear)
{
	unsigned int seg = e->insn.seg_override;

	if (seg == HVMM_SEG_NONE)
		seg = HVMM_SEG_DS;
	return emul_linear(e, seg, e->regs->gpr[HVMM_RSI] & emul_addr_mask(e), size, false, linear);
}

static enum hvmm_emul_status target(struct hvmm_emul *e, unsigned int size, bool write, u64 *linear)
{
	return emul_linear(e, HVMM_SEG_ES, e->regs->gpr[HVMM_RDI] & emul_addr_mask(e), size, write,
			   linear);
}

static enum hvmm_emul_status movs(struct hvmm_emul *e, unsigned int size)
{
	enum hvmm_emul_status st;
	u64 from, to, val = 0;

	st = source(e, size, &from);
	if (st == HVMM_EMUL_DONE)
		st = target(e, size, true, &to);
	if (st == HVMM_EMUL_DONE)
		st = emul_probe(e, to, size);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, from, &val, size);
	if (st == HVMM_EMUL_DONE)
		st = emul_write(e, to, &val, size);
	return st;
}

static enum hvmm_emul_status cmps(struct hvmm_emul *e, unsigned int size)
{
	enum hvmm_emul_status st;
	u64 a, b, va = 0, vb = 0;

	st = source(e, size, &a);
	if (st == HVMM_EMUL_DONE)
		st = target(e, size, false, &b);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, a, &va, size);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, b, &vb, size);
	if (st == HVMM_EMUL_DONE)
		emul_alu2(ALU_CMP, size, va, vb, &e->regs->rflags);
	return st;
}

static enum hvmm_emul_status stos(struct hvmm_emul *e, unsigned int size)
{
	enum hvmm_emul_status st;
	u64 to;

	st = target(e, size, true, &to);
	if (st == HVMM_EMUL_DONE)
		st = emul_write(e, to, &e->regs->gpr[HVMM_RAX], size);
	return st;
}

static enum hvmm_emul_status lods(struct hvmm_emul *e, unsigned int size)
{
	enum hvmm_emul_status st;
	u64 from, val = 0;

	st = source(e, size, &from);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, from, &val, size);
	if (st == HVMM_EMUL_DONE)
		hvmm_emul_set_gpr(e, HVMM_RAX, size, val);
	return st;
}

static enum hvmm_emul_status scas(struct hvmm_emul *e, unsigned int size)
{
	enum hvmm_emul_status st;
	u64 at, val = 0;

	st = target(e, size, false, &at);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, at, &val, size);
	if (st == HVMM_EMUL_DONE)
		emul_alu2(ALU_CMP, size, e->regs->gpr[HVMM_RAX], val, &e->regs->rflags);
	return st;
}

static enum hvmm_emul_status ins(struct hvmm_emul *e, unsigned int size)
{
	enum hvmm_emul_status st;
	u64 to, val = 0;

	st = target(e, size, true, &to);
	/* What is read from a port is lost if it then cannot be stored. */
	if (st == HVMM_EMUL_DONE)
		st = emul_probe(e, to, size);
	if (st == HVMM_EMUL_DONE)
		st = e->ops->pio_in(e, (u16)e->regs->gpr[HVMM_RDX], size, &val);
	if (st == HVMM_EMUL_DONE)
		st = emul_write(e, to, &val, size);
	return st;
}

static enum hvmm_emul_status outs(struct hvmm_emul *e, unsigned int size)
{
	enum hvmm_emul_status st;
	u64 from, val = 0;

	st = source(e, size, &from);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, from, &val, size);
	if (st == HVMM_EMUL_DONE)
		st = e->ops->pio_out(e, (u16)e->regs->gpr[HVMM_RDX], size, &val);
	return st;
}

enum hvmm_emul_status emul_string(struct hvmm_emul *e)
{
	const struct hvmm_insn *insn = &e->insn;
	bool rep = insn->prefixes & (HVMM_PFX_REP | HVMM_PFX_REPNE);
	unsigned int size = insn->opsize;
	bool use_si = false, use_di = false, by_zf = false;
	enum hvmm_emul_status st;
	s64 delta;

	if (rep && !(e->regs->gpr[HVMM_RCX] & emul_addr_mask(e)))
		return HVMM_EMUL_DONE;

	switch (insn->opcode) {
	case 0x6c: case 0x6d:
		size = hvmm_insn_io_size(insn);
		use_di = true;
		st = ins(e, size);
		break;
	case 0x6e: case 0x6f:
		size = hvmm_insn_io_size(insn);
		use_si = true;
		st = outs(e, size);
		break;
	case 0xa4: case 0xa5:
		use_si = true;
		use_di = true;
		st = movs(e, size);
		break;
	case 0xa6: case 0xa7:
		use_si = true;
		use_di = true;
		by_zf = true;
		st = cmps(e, size);
		break;
	case 0xaa: case 0xab:
		use_di = true;
		st = stos(e, size);
		break;
	case 0xac: case 0xad:
		use_si = true;
		st = lods(e, size);
		break;
	case 0xae: case 0xaf:
		use_di = true;
		by_zf = true;
		st = scas(e, size);
		break;
	default:
		return HVMM_EMUL_UNHANDLED;
	}
	if (st != HVMM_EMUL_DONE)
		return st;

	delta = e->regs->rflags & X86_FL_DF ? -(s64)size : (s64)size;
	if (use_si)
		advance(e, HVMM_RSI, delta);
	if (use_di)
		advance(e, HVMM_RDI, delta);
	if (!rep)
		return HVMM_EMUL_DONE;
	advance(e, HVMM_RCX, -1);
	if (!(e->regs->gpr[HVMM_RCX] & emul_addr_mask(e)))
		return HVMM_EMUL_DONE;
	/* REPE goes on while equal, REPNE while not. */
	if (by_zf && !(e->regs->rflags & X86_FL_ZF) != !(insn->prefixes & HVMM_PFX_REP))
		return HVMM_EMUL_DONE;
	e->regs->rflags |= X86_FL_RF;
	return HVMM_EMUL_AGAIN;
}
