// SPDX-License-Identifier: GPL-2.0
/*
 * Instruction emulator: PUSH, POP, ENTER, LEAVE, and near CALL, RET and JMP, for
 * stacks and pointers in emulated memory.
 */
#include <linux/types.h>

#include "x86/emulate_priv.h"

/* Bytes of the stack pointer in use (APM vol. 2, 4.7.3: SS.B). */
static unsigned int stack_size(struct hvmm_emul *e)
{
	if (e->mode == HVMM_CPU_MODE_64)
		return 8;
	return e->ops->seg(e, HVMM_SEG_SS)->attrib & HVMM_SEG_ATTR_DB ? 4 : 2;
}

static u64 stack_mask(struct hvmm_emul *e)
{
	return size_mask(stack_size(e));
}

static void set_stack_reg(struct hvmm_emul *e, unsigned int reg, u64 val)
{
	u64 mask = stack_mask(e);

	e->regs->gpr[reg] = (e->regs->gpr[reg] & ~mask) | (val & mask);
}

/* Opcode's low bits with REX.B name the register. */
static unsigned int opcode_reg(const struct hvmm_insn *insn)
{
	return (insn->opcode & 7) | (insn->rex & HVMM_REX_B ? 8 : 0);
}

/* Where a push of @size bytes goes; the write is sure to succeed afterwards. */
static enum hvmm_emul_status push_slot(struct hvmm_emul *e, unsigned int size, u64 *linear)
{
	u64 rsp = (e->regs->gpr[HVMM_RSP] - size) & stack_mask(e);
	enum hvmm_emul_status st;

	st = emul_linear(e, HVMM_SEG_SS, rsp, size, true, linear);
	if (st == HVMM_EMUL_DONE)
		st = emul_probe(e, *linear, size);
	return st;
}

static enum hvmm_emul_status push(struct hvmm_emul *e, u64 val)
{
	unsigned int size = e->insn.opsize;
	enum hvmm_emul_status st;
	u64 linear;

	st = push_slot(e, size, &linear);
	if (st == HVMM_EMUL_DONE)
		st = emul_write(e, linear, &val, size);
	if (st == HVMM_EMUL_DONE)
		set_stack_reg(e, HVMM_RSP, e->regs->gpr[HVMM_RSP] - size);
	return st;
}

static enum hvmm_emul_status push_mem(struct hvmm_emul *e)
{
	unsigned int size = e->insn.opsize;
	enum hvmm_emul_status st;
	struct emul_mem m;
	u64 linear;

	st = push_slot(e, size, &linear);
	if (st == HVMM_EMUL_DONE)
		st = emul_mem_load(e, &m, size);
	if (st == HVMM_EMUL_DONE)
		st = emul_write(e, linear, &m.val, size);
	if (st == HVMM_EMUL_DONE)
		set_stack_reg(e, HVMM_RSP, e->regs->gpr[HVMM_RSP] - size);
	return st;
}

/* Read what @reg (rSP or rBP) points to on the stack. */
static enum hvmm_emul_status stack_top(struct hvmm_emul *e, unsigned int reg, u64 *val)
{
	unsigned int size = e->insn.opsize;
	enum hvmm_emul_status st;
	u64 linear;

	*val = 0;
	st = emul_linear(e, HVMM_SEG_SS, e->regs->gpr[reg] & stack_mask(e), size, false, &linear);
	if (st == HVMM_EMUL_DONE)
		st = emul_read(e, linear, val, size);
	return st;
}

static enum hvmm_emul_status pop_reg(struct hvmm_emul *e)
{
	unsigned int size = e->insn.opsize;
	enum hvmm_emul_status st;
	u64 val;

	st = stack_top(e, HVMM_RSP, &val);
	if (st != HVMM_EMUL_DONE)
		return st;
	/* In this order: POP rSP ends with the value popped. */
	set_stack_reg(e, HVMM_RSP, e->regs->gpr[HVMM_RSP] + size);
	hvmm_emul_set_gpr(e, opcode_reg(&e->insn), size, val);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status pop_mem(struct hvmm_emul *e)
{
	unsigned int size = e->insn.opsize;
	enum hvmm_emul_status st;
	u64 to, val;

	/* APM vol. 3, POP: an address based on rSP uses its value after the pop. */
	st = emul_linear(e, e->insn.mem_seg, emul_operand_offset(e, size), size, true, &to);
	if (st == HVMM_EMUL_DONE)
		st = emul_probe(e, to, size);
	if (st == HVMM_EMUL_DONE)
		st = stack_top(e, HVMM_RSP, &val);
	if (st == HVMM_EMUL_DONE)
		st = emul_write(e, to, &val, size);
	if (st == HVMM_EMUL_DONE)
		set_stack_reg(e, HVMM_RSP, e->regs->gpr[HVMM_RSP] + size);
	return st;
}

static enum hvmm_emul_status leave(struct hvmm_emul *e)
{
	enum hvmm_emul_status st;
	u64 val;

	st = stack_top(e, HVMM_RBP, &val);
	if (st != HVMM_EMUL_DONE)
		return st;
	set_stack_reg(e, HVMM_RSP, e->regs->gpr[HVMM_RBP] + e->insn.opsize);
	hvmm_emul_set_gpr(e, HVMM_RBP, e->insn.opsize, val);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status enter(struct hvmm_emul *e)
{
	unsigned int size = e->insn.opsize;
	u64 frame = e->regs->gpr[HVMM_RSP] - size;
	u64 top = frame - (u16)e->insn.imm;
	enum hvmm_emul_status st;
	u64 linear;

	/* Nested frames (old Pascal) are not supported. */
	if (e->insn.imm2 & 31)
		return HVMM_EMUL_UNHANDLED;
	/* APM vol. 3, ENTER: faults as a write to the new top would. */
	st = emul_linear(e, HVMM_SEG_SS, top & stack_mask(e), size, true, &linear);
	if (st == HVMM_EMUL_DONE)
		st = emul_probe(e, linear, size);
	if (st == HVMM_EMUL_DONE)
		st = push(e, hvmm_emul_gpr(e, HVMM_RBP, size));
	if (st != HVMM_EMUL_DONE)
		return st;
	hvmm_emul_set_gpr(e, HVMM_RBP, size, frame);
	set_stack_reg(e, HVMM_RSP, top);
	return HVMM_EMUL_DONE;
}

/* APM vol. 2, 4.5.3 and 4.12.2: a branch target is checked before the branch. */
static enum hvmm_emul_status check_target(struct hvmm_emul *e, u64 *target)
{
	*target &= size_mask(e->insn.opsize);
	if (e->mode == HVMM_CPU_MODE_64 ? !emul_is_canonical(e, *target) :
					  *target > e->ops->seg(e, HVMM_SEG_CS)->limit)
		return emul_raise(e, X86_VEC_GP, true);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status call(struct hvmm_emul *e, u64 target)
{
	u64 next = e->regs->rip + e->insn.len;
	enum hvmm_emul_status st;

	st = check_target(e, &target);
	if (st == HVMM_EMUL_DONE)
		st = push(e, next);
	if (st != HVMM_EMUL_DONE)
		return st;
	e->regs->rip = target;
	return EMUL_BRANCHED;
}

static enum hvmm_emul_status call_mem(struct hvmm_emul *e)
{
	enum hvmm_emul_status st;
	struct emul_mem m;
	u64 linear;

	st = push_slot(e, e->insn.opsize, &linear);
	if (st == HVMM_EMUL_DONE)
		st = emul_mem_load(e, &m, e->insn.opsize);
	if (st != HVMM_EMUL_DONE)
		return st;
	return call(e, m.val);
}

static enum hvmm_emul_status jmp_mem(struct hvmm_emul *e)
{
	enum hvmm_emul_status st;
	struct emul_mem m;

	st = emul_mem_load(e, &m, e->insn.opsize);
	if (st == HVMM_EMUL_DONE)
		st = check_target(e, &m.val);
	if (st != HVMM_EMUL_DONE)
		return st;
	e->regs->rip = m.val;
	return EMUL_BRANCHED;
}

static enum hvmm_emul_status ret(struct hvmm_emul *e)
{
	enum hvmm_emul_status st;
	u64 target;

	st = stack_top(e, HVMM_RSP, &target);
	if (st == HVMM_EMUL_DONE)
		st = check_target(e, &target);
	if (st != HVMM_EMUL_DONE)
		return st;
	set_stack_reg(e, HVMM_RSP, e->regs->gpr[HVMM_RSP] + e->insn.opsize + (u16)e->insn.imm);
	e->regs->rip = target;
	return EMUL_BRANCHED;
}

enum hvmm_emul_status emul_stack(struct hvmm_emul *e)
{
	const struct hvmm_insn *insn = &e->insn;

	switch (insn->opcode) {
	case 0x50 ... 0x57:
		return push(e, hvmm_emul_gpr(e, opcode_reg(insn), insn->opsize));
	case 0x58 ... 0x5f:
		return pop_reg(e);
	case 0x68: case 0x6a:
		return push(e, (u64)insn->imm);
	case 0x8f:
		return insn->flags & HVMM_INSN_MEM ? pop_mem(e) : HVMM_EMUL_UNHANDLED;
	case 0xc2: case 0xc3:
		return ret(e);
	case 0xc8:
		return enter(e);
	case 0xc9:
		return leave(e);
	case 0xe8:
		return call(e, e->regs->rip + insn->len + (u64)insn->imm);
	case 0xff:
		switch (insn->reg & 7) {
		case 2:
			if (insn->flags & HVMM_INSN_MEM)
				return call_mem(e);
			return call(e, e->regs->gpr[insn->rm]);
		case 4:
			if (insn->flags & HVMM_INSN_MEM)
				return jmp_mem(e);
			break;
		case 6:
			if (insn->flags & HVMM_INSN_MEM)
				return push_mem(e);
			return push(e, hvmm_emul_gpr(e, insn->rm, insn->opsize));
		}
		break;
	}
	return HVMM_EMUL_UNHANDLED;
}
