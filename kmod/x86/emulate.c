// SPDX-License-Identifier: GPL-2.0
/* Instruction emulator: entry, register operands, one-byte opcodes. */
#include <linux/types.h>

#include "x86/emulate_priv.h"

u64 hvmm_emul_gpr(const struct hvmm_emul *e, unsigned int reg, unsigned int size)
{
	/* APM vol. 3, 1.4.2: AH, CH, DH, BH where there is no REX prefix. */
	if (size == 1 && !e->insn.rex && reg >= 4 && reg < 8)
		return (e->regs->gpr[reg - 4] >> 8) & 0xff;
	return e->regs->gpr[reg & 15] & size_mask(size);
}

void hvmm_emul_set_gpr(struct hvmm_emul *e, unsigned int reg, unsigned int size, u64 val)
{
	u64 *gpr = &e->regs->gpr[reg & 15];

	switch (size) {
	case 1:
		if (!e->insn.rex && reg >= 4 && reg < 8) {
			gpr = &e->regs->gpr[reg - 4];
			*gpr = (*gpr & ~0xff00ULL) | (val & 0xff) << 8;
		} else {
			*gpr = (*gpr & ~0xffULL) | (val & 0xff);
		}
		break;
	case 2:
		*gpr = (*gpr & ~0xffffULL) | (val & 0xffff);
		break;
	case 4:
		*gpr = (u32)val;
		break;
	default:
		*gpr = val;
		break;
	}
}

void hvmm_emul_skip(struct hvmm_emul *e)
{
	u64 rip = e->regs->rip + e->insn.len;

	/* In 16-bit code too: beyond 64 KiB the next fetch finds the segment's limit. */
	if (e->mode != HVMM_CPU_MODE_64)
		rip = (u32)rip;
	e->regs->rip = rip;
	e->regs->rflags &= ~(u64)X86_FL_RF;
}

static enum hvmm_emul_status operand_linear(struct hvmm_emul *e, struct emul_mem *m,
					    unsigned int size, bool write)
{
	m->size = size;
	m->val = 0;
	return emul_linear(e, e->insn.mem_seg, emul_operand_offset(e, 0), size, write, &m->linear);
}

enum hvmm_emul_status emul_mem_load(struct hvmm_emul *e, struct emul_mem *m, unsigned int size)
{
	enum hvmm_emul_status st = operand_linear(e, m, size, false);

	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, m->linear, &m->val, size);
	return st;
}

enum hvmm_emul_status emul_mem_load_rmw(struct hvmm_emul *e, struct emul_mem *m,
					unsigned int size)
{
	enum hvmm_emul_status st = operand_linear(e, m, size, true);

	if (st == HVMM_EMUL_DONE)
		st = emul_probe(e, m->linear, size);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, m->linear, &m->val, size);
	return st;
}

enum hvmm_emul_status emul_mem_update(struct hvmm_emul *e, const struct emul_mem *m, u64 val)
{
	if (e->insn.prefixes & HVMM_PFX_LOCK)
		return emul_write_locked(e, m->linear, &m->val, &val, m->size);
	return emul_write(e, m->linear, &val, m->size);
}

enum hvmm_emul_status emul_mem_store(struct hvmm_emul *e, unsigned int size, u64 val)
{
	struct emul_mem m;
	enum hvmm_emul_status st = operand_linear(e, &m, size, true);

	if (st == HVMM_EMUL_DONE)
		st = emul_write(e, m.linear, &val, size);
	return st;
}

/* ADD, OR, ADC, SBB, AND, SUB, XOR, CMP with a memory destination. */
static enum hvmm_emul_status alu_to_mem(struct hvmm_emul *e, enum emul_alu2 op, u64 src)
{
	u64 fl = e->regs->rflags, res;
	enum hvmm_emul_status st;
	struct emul_mem m;

	if (op == ALU_CMP) {
		st = emul_mem_load(e, &m, e->insn.opsize);
		if (st != HVMM_EMUL_DONE)
			return st;
		emul_alu2(op, m.size, m.val, src, &fl);
	} else {
		st = emul_mem_load_rmw(e, &m, e->insn.opsize);
		if (st != HVMM_EMUL_DONE)
			return st;
		res = emul_alu2(op, m.size, m.val, src, &fl);
		st = emul_mem_update(e, &m, res);
		if (st != HVMM_EMUL_DONE)
			return st;
	}
	e->regs->rflags = fl;
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status alu_to_reg(struct hvmm_emul *e, enum emul_alu2 op)
{
	u64 fl = e->regs->rflags, res;
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_alu2(op, m.size, hvmm_emul_gpr(e, e->insn.reg, m.size), m.val, &fl);
	if (op != ALU_CMP)
		hvmm_emul_set_gpr(e, e->insn.reg, m.size, res);
	e->regs->rflags = fl;
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status test_mem(struct hvmm_emul *e, u64 src)
{
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load(e, &m, e->insn.opsize);
	if (st == HVMM_EMUL_DONE)
		emul_alu2(ALU_AND, m.size, m.val, src, &e->regs->rflags);
	return st;
}

static enum hvmm_emul_status xchg_mem(struct hvmm_emul *e)
{
	unsigned int size = e->insn.opsize;
	enum hvmm_emul_status st;
	struct emul_mem m;
	u64 reg;

	st = emul_mem_load_rmw(e, &m, size);
	if (st != HVMM_EMUL_DONE)
		return st;
	/* APM vol. 3, XCHG: locked with or without the prefix. */
	reg = hvmm_emul_gpr(e, e->insn.reg, size);
	st = emul_write_locked(e, m.linear, &m.val, &reg, size);
	if (st == HVMM_EMUL_DONE)
		hvmm_emul_set_gpr(e, e->insn.reg, size, m.val);
	return st;
}

/* MOV into a register, with zero or sign extension from @from to the operand size. */
static enum hvmm_emul_status mov_to_reg(struct hvmm_emul *e, unsigned int from, bool sign)
{
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load(e, &m, from);
	if (st != HVMM_EMUL_DONE)
		return st;
	hvmm_emul_set_gpr(e, e->insn.reg, e->insn.opsize,
			  sign ? (u64)sign_extend(m.val, from) : m.val);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status imul_imm(struct hvmm_emul *e)
{
	u64 fl = e->regs->rflags, res;
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_imul2(m.size, m.val, (u64)e->insn.imm, &fl);
	hvmm_emul_set_gpr(e, e->insn.reg, m.size, res);
	e->regs->rflags = fl;
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status shift_mem(struct hvmm_emul *e, u8 count)
{
	u64 fl = e->regs->rflags, res;
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load_rmw(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_shift(e->insn.reg & 7, m.size, m.val, count, &fl);
	st = emul_mem_update(e, &m, res);
	if (st == HVMM_EMUL_DONE)
		e->regs->rflags = fl;
	return st;
}

static enum hvmm_emul_status unary_mem(struct hvmm_emul *e, enum emul_alu1 op)
{
	u64 fl = e->regs->rflags, res;
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load_rmw(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_alu1(op, m.size, m.val, &fl);
	st = emul_mem_update(e, &m, res);
	if (st == HVMM_EMUL_DONE)
		e->regs->rflags = fl;
	return st;
}

/* F6, F7: TEST, NOT, NEG, MUL, IMUL, DIV, IDIV. */
static enum hvmm_emul_status group3(struct hvmm_emul *e)
{
	u64 *gpr = e->regs->gpr;
	u64 rax = gpr[HVMM_RAX], rdx = gpr[HVMM_RDX];
	unsigned int op = e->insn.reg & 7;
	enum hvmm_emul_status st;
	struct emul_mem m;

	if (op < 2)
		return test_mem(e, (u64)e->insn.imm);
	if (op < 4)
		return unary_mem(e, op == 2 ? ALU_NOT : ALU_NEG);

	st = emul_mem_load(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	if (op < 6)
		emul_mul(op == 5, m.size, &rax, &rdx, m.val, &e->regs->rflags);
	else if (!emul_div(op == 7, m.size, &rax, &rdx, m.val))
		return emul_raise(e, X86_VEC_DE, false);
	gpr[HVMM_RAX] = rax;
	gpr[HVMM_RDX] = rdx;
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status xlat(struct hvmm_emul *e)
{
	unsigned int seg = e->insn.seg_override;
	enum hvmm_emul_status st;
	u64 linear, off;
	u8 val;

	if (seg == HVMM_SEG_NONE)
		seg = HVMM_SEG_DS;
	off = (e->regs->gpr[HVMM_RBX] + (u8)e->regs->gpr[HVMM_RAX]) & emul_addr_mask(e);
	st = emul_linear(e, seg, off, 1, false, &linear);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, linear, &val, 1);
	if (st == HVMM_EMUL_DONE)
		e->regs->gpr[HVMM_RAX] = (e->regs->gpr[HVMM_RAX] & ~0xffULL) | val;
	return st;
}

static enum hvmm_emul_status group45(struct hvmm_emul *e)
{
	switch (e->insn.reg & 7) {
	case 0:
		return unary_mem(e, ALU_INC);
	case 1:
		return unary_mem(e, ALU_DEC);
	}
	return emul_stack(e);
}

static enum hvmm_emul_status emul_1byte(struct hvmm_emul *e)
{
	const struct hvmm_insn *insn = &e->insn;
	unsigned int size = insn->opsize;

	switch (insn->opcode) {
	case 0x00 ... 0x3f:
		if (insn->opcode & 2)
			return alu_to_reg(e, insn->opcode >> 3);
		return alu_to_mem(e, insn->opcode >> 3, hvmm_emul_gpr(e, insn->reg, size));
	case 0x63:
		/* In other modes this is ARPL. */
		if (e->mode != HVMM_CPU_MODE_64)
			return HVMM_EMUL_UNHANDLED;
		return mov_to_reg(e, size == 2 ? 2 : 4, true);
	case 0x69: case 0x6b:
		return imul_imm(e);
	case 0x80 ... 0x83:
		return alu_to_mem(e, insn->reg & 7, (u64)insn->imm);
	case 0x84: case 0x85:
		return test_mem(e, hvmm_emul_gpr(e, insn->reg, size));
	case 0x86: case 0x87:
		return xchg_mem(e);
	case 0x88: case 0x89:
		return emul_mem_store(e, size, hvmm_emul_gpr(e, insn->reg, size));
	case 0x8a: case 0x8b:
		return mov_to_reg(e, size, false);
	case 0x8c:
		/* To memory always 16 bits (APM vol. 3, MOV). */
		return emul_mem_store(e, 2, e->ops->seg(e, insn->reg & 7)->sel);
	case 0xa0: case 0xa1: {
		struct emul_mem m;
		enum hvmm_emul_status st = emul_mem_load(e, &m, size);

		/* AL, even where REX makes no difference. */
		if (st == HVMM_EMUL_DONE)
			hvmm_emul_set_gpr(e, HVMM_RAX, size, m.val);
		return st;
	}
	case 0xa2: case 0xa3:
		return emul_mem_store(e, size, hvmm_emul_gpr(e, HVMM_RAX, size));
	case 0xc0: case 0xc1:
		return shift_mem(e, (u8)insn->imm);
	case 0xd0: case 0xd1:
		return shift_mem(e, 1);
	case 0xd2: case 0xd3:
		return shift_mem(e, (u8)e->regs->gpr[HVMM_RCX]);
	case 0xc6: case 0xc7:
		return emul_mem_store(e, size, (u64)insn->imm);
	case 0xf6: case 0xf7:
		return group3(e);
	case 0xfe: case 0xff:
		return group45(e);
	}
	return emul_stack(e);
}

enum hvmm_emul_status hvmm_emulate(struct hvmm_emul *e)
{
	const struct hvmm_insn *insn = &e->insn;
	enum hvmm_emul_status st = HVMM_EMUL_UNHANDLED;

	if (insn->enc != HVMM_ENC_LEGACY)
		return HVMM_EMUL_UNHANDLED;
	if (insn->flags & HVMM_INSN_STRING) {
		st = emul_string(e);
	} else if (insn->map == HVMM_MAP_1BYTE && insn->opcode == 0xd7) {
		st = xlat(e);
	} else if (insn->flags & HVMM_INSN_MEM) {
		switch (insn->map) {
		case HVMM_MAP_1BYTE:
			st = emul_1byte(e);
			break;
		case HVMM_MAP_0F:
			st = emul_0f(e);
			break;
		case HVMM_MAP_0F38:
			st = emul_0f38(e);
			break;
		}
	} else if (insn->map == HVMM_MAP_1BYTE) {
		st = emul_stack(e);
	}
	if (st == HVMM_EMUL_DONE) {
		hvmm_emul_skip(e);
	} else if (st == EMUL_BRANCHED) {
		e->regs->rflags &= ~(u64)X86_FL_RF;
		st = HVMM_EMUL_DONE;
	}
	return st;
}
