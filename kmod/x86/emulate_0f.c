// SPDX-License-Identifier: GPL-2.0
/* Instruction emulator: two- and three-byte opcodes on general registers. */
#include <linux/string.h>
#include <linux/types.h>

#include "x86/emulate_priv.h"

static enum hvmm_emul_status cmov(struct hvmm_emul *e)
{
	unsigned int size = e->insn.opsize;
	enum hvmm_emul_status st;
	struct emul_mem m;

	/* The operand is read whatever the condition is. */
	st = emul_mem_load(e, &m, size);
	if (st != HVMM_EMUL_DONE)
		return st;
	if (!emul_condition(e->insn.opcode & 15, e->regs->rflags))
		m.val = hvmm_emul_gpr(e, e->insn.reg, size);
	hvmm_emul_set_gpr(e, e->insn.reg, size, m.val);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status mov_extend(struct hvmm_emul *e, bool sign)
{
	unsigned int from = e->insn.opcode & 1 ? 2 : 1;
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load(e, &m, from);
	if (st != HVMM_EMUL_DONE)
		return st;
	hvmm_emul_set_gpr(e, e->insn.reg, e->insn.opsize,
			  sign ? (u64)sign_extend(m.val, from) : m.val);
	return HVMM_EMUL_DONE;
}

/*
 * BT, BTS, BTR, BTC. A bit offset in a register reaches beyond the operand: the
 * one that holds the bit is accessed (APM vol. 3, BT).
 */
static enum hvmm_emul_status bit_test(struct hvmm_emul *e, enum emul_bit op, bool reg_offset)
{
	unsigned int size = e->insn.opsize;
	unsigned int bit = (u8)e->insn.imm & (8 * size - 1);
	u64 off = emul_operand_offset(e, 0);
	u64 fl = e->regs->rflags;
	struct emul_mem m = { .size = size };
	enum hvmm_emul_status st;
	bool write = op != BIT_BT;
	u64 res;

	if (reg_offset) {
		s64 n = sign_extend(hvmm_emul_gpr(e, e->insn.reg, size), size);

		bit = n & (8 * size - 1);
		/* 16, 32 or 64 bits an operand: shift by 4, 5 or 6. */
		off += (u64)(n >> (size == 2 ? 4 : size == 4 ? 5 : 6)) * size;
		off &= emul_addr_mask(e);
	}
	st = emul_linear(e, e->insn.mem_seg, off, size, write, &m.linear);
	if (st == HVMM_EMUL_DONE && write)
		st = emul_probe(e, m.linear, size);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, m.linear, &m.val, size);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_bit(op, size, m.val, bit, &fl);
	if (write)
		st = emul_mem_update(e, &m, res);
	if (st == HVMM_EMUL_DONE)
		e->regs->rflags = fl;
	return st;
}

static enum hvmm_emul_status shift_double(struct hvmm_emul *e, bool right, u8 count)
{
	u64 fl = e->regs->rflags, res;
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load_rmw(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_shift_double(right, m.size, m.val, hvmm_emul_gpr(e, e->insn.reg, m.size), count,
				&fl);
	st = emul_mem_update(e, &m, res);
	if (st == HVMM_EMUL_DONE)
		e->regs->rflags = fl;
	return st;
}

static enum hvmm_emul_status imul_reg(struct hvmm_emul *e)
{
	enum hvmm_emul_status st;
	struct emul_mem m;
	u64 res;

	st = emul_mem_load(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_imul2(m.size, hvmm_emul_gpr(e, e->insn.reg, m.size), m.val, &e->regs->rflags);
	hvmm_emul_set_gpr(e, e->insn.reg, m.size, res);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status scan(struct hvmm_emul *e, enum emul_scan op)
{
	unsigned int size = e->insn.opsize;
	u64 *gpr = &e->regs->gpr[e->insn.reg];
	enum hvmm_emul_status st;
	struct emul_mem m;
	u64 res;

	st = emul_mem_load(e, &m, size);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_scan(op, size, *gpr, m.val, &e->regs->rflags);
	if (size == 2)
		hvmm_emul_set_gpr(e, e->insn.reg, size, res);
	else
		*gpr = res;
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status xadd(struct hvmm_emul *e)
{
	u64 fl = e->regs->rflags, res;
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load_rmw(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	res = emul_alu2(ALU_ADD, m.size, m.val, hvmm_emul_gpr(e, e->insn.reg, m.size), &fl);
	st = emul_mem_update(e, &m, res);
	if (st != HVMM_EMUL_DONE)
		return st;
	hvmm_emul_set_gpr(e, e->insn.reg, m.size, m.val);
	e->regs->rflags = fl;
	return HVMM_EMUL_DONE;
}

/* The destination is written in any case: with its old value on a mismatch. */
static enum hvmm_emul_status cmpxchg(struct hvmm_emul *e)
{
	unsigned int size = e->insn.opsize;
	u64 acc = e->regs->gpr[HVMM_RAX] & size_mask(size);
	u64 fl = e->regs->rflags;
	enum hvmm_emul_status st;
	struct emul_mem m;
	bool equal;

	st = emul_mem_load_rmw(e, &m, size);
	if (st != HVMM_EMUL_DONE)
		return st;
	equal = m.val == acc;
	emul_alu2(ALU_CMP, size, acc, m.val, &fl);
	st = emul_mem_update(e, &m, equal ? hvmm_emul_gpr(e, e->insn.reg, size) : m.val);
	if (st != HVMM_EMUL_DONE)
		return st;
	if (!equal)
		hvmm_emul_set_gpr(e, HVMM_RAX, size, m.val);
	e->regs->rflags = fl;
	return HVMM_EMUL_DONE;
}

/* CMPXCHG8B and CMPXCHG16B. */
static enum hvmm_emul_status cmpxchg_double(struct hvmm_emul *e)
{
	unsigned int half = e->insn.opsize == 8 ? 8 : 4;
	u64 *gpr = e->regs->gpr;
	u8 old[16], new[16];
	enum hvmm_emul_status st;
	u64 linear, lo = 0, hi = 0;
	bool equal;

	st = emul_linear(e, e->insn.mem_seg, emul_operand_offset(e, 0), 2 * half, true, &linear);
	if (st != HVMM_EMUL_DONE)
		return st;
	if (half == 8 && linear & 15)
		return emul_raise(e, X86_VEC_GP, true);
	st = emul_probe(e, linear, 2 * half);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, linear, old, 2 * half);
	if (st != HVMM_EMUL_DONE)
		return st;
	memcpy(&lo, old, half);
	memcpy(&hi, old + half, half);
	equal = lo == (gpr[HVMM_RAX] & size_mask(half)) && hi == (gpr[HVMM_RDX] & size_mask(half));
	if (equal) {
		memcpy(new, &gpr[HVMM_RBX], half);
		memcpy(new + half, &gpr[HVMM_RCX], half);
	} else {
		memcpy(new, old, 2 * half);
	}
	if (e->insn.prefixes & HVMM_PFX_LOCK)
		st = emul_write_locked(e, linear, old, new, 2 * half);
	else
		st = emul_write(e, linear, new, 2 * half);
	if (st != HVMM_EMUL_DONE)
		return st;
	if (equal) {
		e->regs->rflags |= X86_FL_ZF;
	} else {
		e->regs->rflags &= ~(u64)X86_FL_ZF;
		gpr[HVMM_RAX] = lo;
		gpr[HVMM_RDX] = hi;
	}
	return HVMM_EMUL_DONE;
}

/* CLFLUSH, CLFLUSHOPT, CLWB: on emulated memory there is nothing to flush. */
static enum hvmm_emul_status cache_line(struct hvmm_emul *e)
{
	unsigned int reg = e->insn.reg & 7;
	u64 linear;

	if (e->insn.prefixes & (HVMM_PFX_REP | HVMM_PFX_REPNE) || reg < 6 ||
	    (reg == 6 && !(e->insn.prefixes & HVMM_PFX_OPSIZE)))
		return HVMM_EMUL_UNHANDLED;
	return emul_linear(e, e->insn.mem_seg, emul_operand_offset(e, 0), 1, false, &linear);
}

enum hvmm_emul_status emul_0f(struct hvmm_emul *e)
{
	const struct hvmm_insn *insn = &e->insn;
	bool rep = insn->prefixes & HVMM_PFX_REP;

	switch (insn->opcode) {
	case 0x40 ... 0x4f:
		return cmov(e);
	case 0x90 ... 0x9f:
		return emul_mem_store(e, 1, emul_condition(insn->opcode & 15, e->regs->rflags));
	case 0xa3: case 0xab: case 0xb3: case 0xbb:
		return bit_test(e, (insn->opcode >> 3) & 3, true);
	case 0xba:
		return bit_test(e, insn->reg & 3, false);
	case 0xa4: case 0xac:
		return shift_double(e, insn->opcode == 0xac, (u8)insn->imm);
	case 0xa5: case 0xad:
		return shift_double(e, insn->opcode == 0xad, (u8)e->regs->gpr[HVMM_RCX]);
	case 0xae:
		return cache_line(e);
	case 0xaf:
		return imul_reg(e);
	case 0xb0: case 0xb1:
		return cmpxchg(e);
	case 0xb6: case 0xb7:
		return mov_extend(e, false);
	case 0xbe: case 0xbf:
		return mov_extend(e, true);
	case 0xb8:
		return scan(e, SCAN_POPCNT);
	case 0xbc:
		return scan(e, rep ? SCAN_TZCNT : SCAN_BSF);
	case 0xbd:
		return scan(e, rep ? SCAN_LZCNT : SCAN_BSR);
	case 0xc0: case 0xc1:
		return xadd(e);
	case 0xc3:
		/* MOVNTI. */
		return emul_mem_store(e, insn->opsize == 2 ? 4 : insn->opsize,
				      e->regs->gpr[insn->reg]);
	case 0xc7:
		if ((insn->reg & 7) != 1)
			break;
		return cmpxchg_double(e);
	default:
		return emul_sse(e);
	}
	return HVMM_EMUL_UNHANDLED;
}

static u64 swap_bytes(u64 val, unsigned int size)
{
	return __builtin_bswap64(val) >> (64 - 8 * size);
}

enum hvmm_emul_status emul_0f38(struct hvmm_emul *e)
{
	const struct hvmm_insn *insn = &e->insn;
	unsigned int size = insn->opsize;
	enum hvmm_emul_status st;
	struct emul_mem m;

	switch (insn->opcode) {
	case 0xf0:
		/* MOVBE; F2 is CRC32. */
		if (insn->prefixes & HVMM_PFX_REPNE)
			break;
		st = emul_mem_load(e, &m, size);
		if (st == HVMM_EMUL_DONE)
			hvmm_emul_set_gpr(e, insn->reg, size, swap_bytes(m.val, size));
		return st;
	case 0xf1:
		if (insn->prefixes & HVMM_PFX_REPNE)
			break;
		return emul_mem_store(e, size,
				      swap_bytes(hvmm_emul_gpr(e, insn->reg, size), size));
	case 0x2a:
		return emul_sse(e);
	}
	return HVMM_EMUL_UNHANDLED;
}
