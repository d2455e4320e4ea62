// SPDX-License-Identifier: GPL-2.0
/*
 * Instruction decoder. One pass over the bytes: prefixes, opcode, ModRM and
 * SIB, displacement, immediates; the tables say what follows an opcode and
 * which combinations do not exist.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>

#include "x86/decode_priv.h"

/* A little-endian, sign-extended number of @n bytes; 0 when @n is 0. */
int decode_num(struct cursor *c, unsigned int n, s64 *val)
{
	unsigned int i;
	u64 v = 0;
	u8 b;
	int err;

	for (i = 0; i < n; i++) {
		err = next_byte(c, &b);
		if (err)
			return err;
		v |= (u64)b << (8 * i);
	}
	if (n && n < 8)
		v = (u64)((s64)(v << (64 - 8 * n)) >> (64 - 8 * n));
	*val = (s64)v;
	return 0;
}

/*
 * APM vol. 3, 1.2. Returns 0 with the first byte after the prefixes in @op.
 * A REX prefix counts only directly before the opcode.
 */
static int decode_prefixes(struct hvmm_insn *insn, struct cursor *c, u8 *op)
{
	int err;

	for (;;) {
		err = next_byte(c, op);
		if (err)
			return err;
		switch (*op) {
		case 0x26: case 0x2e: case 0x36: case 0x3e:
			/* APM vol. 3, 1.2.4: ignored in 64-bit mode. */
			if (insn->mode != HVMM_CPU_MODE_64)
				insn->seg_override = (*op >> 3) & 3;
			break;
		case 0x64: case 0x65:
			insn->seg_override = *op - 0x64 + HVMM_SEG_FS;
			break;
		case 0x66:
			insn->prefixes |= HVMM_PFX_OPSIZE;
			break;
		case 0x67:
			insn->prefixes |= HVMM_PFX_ADSIZE;
			break;
		case 0xf0:
			insn->prefixes |= HVMM_PFX_LOCK;
			break;
		case 0xf2:
			insn->prefixes &= ~HVMM_PFX_REP;
			insn->prefixes |= HVMM_PFX_REPNE;
			break;
		case 0xf3:
			insn->prefixes &= ~HVMM_PFX_REPNE;
			insn->prefixes |= HVMM_PFX_REP;
			break;
		case 0x40 ... 0x4f:
			if (insn->mode != HVMM_CPU_MODE_64)
				return 0;
			insn->rex = *op;
			continue;
		default:
			return 0;
		}
		insn->rex = 0;
	}
}

static unsigned int prefix_pp(const struct hvmm_insn *insn)
{
	if (insn->prefixes & HVMM_PFX_REPNE)
		return PP_F2;
	if (insn->prefixes & HVMM_PFX_REP)
		return PP_F3;
	return insn->prefixes & HVMM_PFX_OPSIZE ? PP_66 : PP_NP;
}

void decode_sizes(struct hvmm_insn *insn, u32 attr)
{
	bool op = insn->prefixes & HVMM_PFX_OPSIZE;
	bool ad = insn->prefixes & HVMM_PFX_ADSIZE;

	switch (insn->mode) {
	case HVMM_CPU_MODE_16:
		insn->opsize = op ? 4 : 2;
		insn->adsize = ad ? 4 : 2;
		break;
	case HVMM_CPU_MODE_32:
		insn->opsize = op ? 2 : 4;
		insn->adsize = ad ? 2 : 4;
		break;
	default:
		insn->adsize = ad ? 4 : 8;
		if (insn->rex & HVMM_REX_W)
			insn->opsize = 8;
		else if (op)
			insn->opsize = 2;
		else
			insn->opsize = attr & T_D64 ? 8 : 4;
		break;
	}
	if (attr & T_CRDR)
		insn->opsize = insn->mode == HVMM_CPU_MODE_64 ? 8 : 4;
	if (attr & T_B) {
		insn->opsize = 1;
		insn->flags |= HVMM_INSN_BYTE;
	}
}

/* APM vol. 3, table A-33: base and index of 16-bit addressing. */
static void mem_operand16(struct hvmm_insn *insn)
{
	static const u8 base[8] = {
		HVMM_RBX, HVMM_RBX, HVMM_RBP, HVMM_RBP,
		HVMM_RSI, HVMM_RDI, HVMM_RBP, HVMM_RBX,
	};
	unsigned int rm = insn->modrm & 7;

	if (rm < 4)
		insn->mem_index = rm & 1 ? HVMM_RDI : HVMM_RSI;
	if (insn->mod == 0 && rm == 6) {
		insn->disp_len = 2;
		return;
	}
	insn->mem_base = base[rm];
	if (insn->mod)
		insn->disp_len = insn->mod;
}

static int mem_operand(struct hvmm_insn *insn, struct cursor *c)
{
	unsigned int rm = insn->modrm & 7;
	int err;

	if (insn->mod == 1)
		insn->disp_len = 1;
	else if (insn->mod == 2)
		insn->disp_len = 4;

	if (rm != 4) {
		if (insn->mod || rm != 5) {
			insn->mem_base = insn->rm;
			return 0;
		}
		insn->disp_len = 4;
		if (insn->mode == HVMM_CPU_MODE_64) {
			insn->mem_base = HVMM_GPR_RIP;
			insn->flags |= HVMM_INSN_RIPREL;
		}
		return 0;
	}

	err = next_byte(c, &insn->sib);
	if (err)
		return err;
	insn->flags |= HVMM_INSN_SIB;
	insn->mem_index = ((insn->sib >> 3) & 7) | (insn->rex & HVMM_REX_X ? 8 : 0);
	insn->mem_scale = 1 << (insn->sib >> 6);
	if (insn->mem_index == HVMM_RSP && !(insn->flags & HVMM_INSN_VSIB)) {
		insn->mem_index = HVMM_GPR_NONE;
		insn->mem_scale = 1;
	}
	if ((insn->sib & 7) == 5 && !insn->mod)
		insn->disp_len = 4;
	else
		insn->mem_base = (insn->sib & 7) | (insn->rex & HVMM_REX_B ? 8 : 0);
	return 0;
}

static void set_mem_seg(struct hvmm_insn *insn)
{
	insn->mem_seg = HVMM_SEG_DS;
	if (insn->mem_base == HVMM_RSP || insn->mem_base == HVMM_RBP)
		insn->mem_seg = HVMM_SEG_SS;
	if (insn->seg_override != HVMM_SEG_NONE)
		insn->mem_seg = insn->seg_override;
}

/* ModRM (already read), SIB and displacement. */
int decode_modrm(struct hvmm_insn *insn, struct cursor *c, bool no_mem)
{
	int err;

	insn->flags |= HVMM_INSN_MODRM;
	insn->mod = insn->modrm >> 6;
	insn->reg = ((insn->modrm >> 3) & 7) | (insn->rex & HVMM_REX_R ? 8 : 0);
	insn->rm = (insn->modrm & 7) | (insn->rex & HVMM_REX_B ? 8 : 0);
	if (no_mem)
		insn->mod = 3;
	if (insn->mod == 3)
		return 0;

	insn->flags |= HVMM_INSN_MEM;
	if (insn->adsize == 2) {
		mem_operand16(insn);
	} else {
		err = mem_operand(insn, c);
		if (err)
			return err;
	}
	set_mem_seg(insn);
	return decode_num(c, insn->disp_len, &insn->mem_disp);
}

static int decode_imm(struct hvmm_insn *insn, struct cursor *c, unsigned int kind)
{
	unsigned int z = insn->opsize == 2 ? 2 : 4;
	unsigned int second = 0;
	s64 imm2 = 0;
	int err;

	switch (kind) {
	case IMM_B:
		insn->imm_len = 1;
		break;
	case IMM_W:
		insn->imm_len = 2;
		break;
	case IMM_Z:
	case IMM_JZ:
		insn->imm_len = z;
		break;
	case IMM_V:
		insn->imm_len = insn->opsize;
		break;
	case IMM_AP:
		insn->imm_len = z;
		second = 2;
		break;
	case IMM_WB:
		insn->imm_len = 2;
		second = 1;
		break;
	case IMM_BB:
		insn->imm_len = 1;
		second = 1;
		break;
	case IMM_GRP3:
		if ((insn->reg & 7) < 2)
			insn->imm_len = insn->opsize == 1 ? 1 : z;
		break;
	case IMM_MOFFS:
		insn->disp_len = insn->adsize;
		insn->flags |= HVMM_INSN_MEM | HVMM_INSN_MOFFS;
		set_mem_seg(insn);
		return decode_num(c, insn->disp_len, &insn->mem_disp);
	}
	err = decode_num(c, insn->imm_len, &insn->imm);
	if (err)
		return err;
	err = decode_num(c, second, &imm2);
	insn->imm2 = second == 1 ? (u8)imm2 : (u16)imm2;
	return err;
}

static int decode_legacy(struct hvmm_insn *insn, struct cursor *c)
{
	unsigned int pp = prefix_pp(insn);
	u32 attr;
	int err;

	switch (insn->map) {
	case HVMM_MAP_1BYTE:
		attr = hvmm_opcodes_1byte[insn->opcode];
		break;
	case HVMM_MAP_0F:
		attr = hvmm_opcodes_0f[insn->opcode];
		break;
	case HVMM_MAP_0F38:
		attr = hvmm_opcodes_0f38[insn->opcode];
		break;
	default:
		attr = hvmm_opcodes_0f3a[insn->opcode];
		break;
	}
	if (attr & (T_UD | T_PFX))
		return -EINVAL;
	if (attr & T_M) {
		err = next_byte(c, &insn->modrm);
		if (err)
			return err;
		err = decode_adjust(insn, &attr, pp);
		if (err)
			return err;
	}
	decode_sizes(insn, attr);
	if (attr & T_STR)
		insn->flags |= HVMM_INSN_STRING;
	if (attr & T_M) {
		err = decode_modrm(insn, c, attr & T_CRDR);
		if (err)
			return err;
	}
	err = decode_check(insn, attr, pp);
	if (err)
		return err;

	err = decode_imm(insn, c, T_IMM(attr));
	if (err)
		return err;
	if (insn->map == HVMM_MAP_0F && insn->opcode == 0x0f) {
		insn->map = HVMM_MAP_3DNOW;
		insn->opcode = (u8)insn->imm;
	}
	return 0;
}

int hvmm_decode(struct hvmm_insn *insn, const u8 *bytes, unsigned int len,
		enum hvmm_cpu_mode mode)
{
	struct cursor c = { .bytes = bytes, .len = len };
	u8 op;
	int err;

	memset(insn, 0, sizeof(*insn));
	insn->mode = mode;
	insn->seg_override = HVMM_SEG_NONE;
	insn->mem_base = HVMM_GPR_NONE;
	insn->mem_index = HVMM_GPR_NONE;
	insn->mem_scale = 1;
	insn->mem_seg = HVMM_SEG_NONE;

	err = decode_prefixes(insn, &c, &op);
	if (err)
		return err;
	err = decode_is_vex(insn, &c, op);
	if (err < 0)
		return err;
	if (err) {
		err = decode_vex(insn, &c, op);
		insn->len = c.pos;
		return err;
	}
	if (op == 0x0f) {
		insn->map = HVMM_MAP_0F;
		err = next_byte(&c, &op);
		if (err)
			return err;
		if (op == 0x38 || op == 0x3a) {
			insn->map = op == 0x38 ? HVMM_MAP_0F38 : HVMM_MAP_0F3A;
			err = next_byte(&c, &op);
			if (err)
				return err;
		}
	}
	insn->opcode = op;
	err = decode_legacy(insn, &c);
	insn->len = c.pos;
	return err;
}
