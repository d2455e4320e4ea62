// SPDX-License-Identifier: GPL-2.0
/*
 * Instruction decoder. One pass over the bytes: prefixes, opcode, ModRM and
 * SIB, displacement, immediates; the tables say what follows an opcode and
 * which combinations do not exist.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>

#include "x86/decode_tables.h"
#include "x86/insn.h"

/* Mandatory-prefix selector, also the encoding of VEX.pp. */
enum { PP_NP, PP_66, PP_F3, PP_F2 };

struct cursor {
	const u8 *bytes;
	unsigned int len;
	unsigned int pos;
};

static int next_byte(struct cursor *c, u8 *val)
{
	if (c->pos >= HVMM_INSN_MAX_LEN)
		return -E2BIG;
	if (c->pos >= c->len)
		return -ENODATA;
	*val = c->bytes[c->pos++];
	return 0;
}

/* A little-endian, sign-extended number of @n bytes; 0 when @n is 0. */
static int next_num(struct cursor *c, unsigned int n, s64 *val)
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

static void set_sizes(struct hvmm_insn *insn, u32 attr)
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
static int decode_modrm(struct hvmm_insn *insn, struct cursor *c, bool no_mem)
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
	return next_num(c, insn->disp_len, &insn->mem_disp);
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
		return next_num(c, insn->disp_len, &insn->mem_disp);
	}
	err = next_num(c, insn->imm_len, &insn->imm);
	if (err)
		return err;
	err = next_num(c, second, &imm2);
	insn->imm2 = second == 1 ? (u8)imm2 : (u16)imm2;
	return err;
}

/* 0F 01 with a register form: ModRM selects. Bit n: 0xc0 + n exists. */
#define GRP7_REG_FORMS	0xfffffffffff3ff3fULL

/* What the groups' tables cannot say. */
static bool group_check(const struct hvmm_insn *insn, unsigned int grp, unsigned int pp)
{
	unsigned int reg = insn->reg & 7;
	bool mem = insn->mod != 3;

	switch (grp) {
	case GRP_7:
		if (mem)
			return reg != 5 || pp == PP_F3;
		return (GRP7_REG_FORMS >> (insn->modrm - 0xc0)) & 1;
	case GRP_9:
		if (mem && reg >= 3 && reg <= 5)
			return pp == PP_NP;
		if (mem && reg == 6)
			return pp != PP_F2;
		if (mem && reg == 7)
			return pp == PP_NP;
		if (!mem)
			return pp == PP_NP || pp == PP_66 || pp == PP_F3;
		return true;
	case GRP_11:
		return reg == 0 || (insn->modrm & 7) == 0;
	case GRP_14:
		/* PSRLDQ and PSLLDQ exist for XMM registers only. */
		return pp == PP_66 || !(reg & 1);
	case GRP_15:
		if (mem) {
			if (pp == PP_66)
				return reg >= 6;
			if (pp == PP_F3)
				return reg == 4 || reg == 6;
			return pp == PP_NP;
		}
		switch (pp) {
		case PP_NP:
			return reg >= 5;
		case PP_F3:
			if (reg < 4)
				return insn->mode == HVMM_CPU_MODE_64;
			return reg != 7;
		default:
			return reg == 6;
		}
	case GRP_17:
		if (pp == PP_66)
			return !mem && reg == 0;
		return pp == PP_NP || !mem;
	case GRP_CR:
		return insn->reg < 8 || insn->reg == 8;
	}
	return true;
}

static int check_lock(const struct hvmm_insn *insn, u32 attr)
{
	const struct hvmm_opcode_group *grp = &hvmm_opcode_groups[T_GRP_OF(attr)];

	if (!(insn->prefixes & HVMM_PFX_LOCK))
		return 0;
	/* LOCK MOV CR0 is MOV CR8 (CPUID Fn8000_0001_ECX[AltMovCr8]). */
	if (T_GRP_OF(attr) == GRP_CR)
		return insn->reg == 0 ? 0 : -EINVAL;
	if (!(insn->flags & HVMM_INSN_MEM))
		return -EINVAL;
	if (attr & T_LOCK || grp->lock & (1 << (insn->reg & 7)))
		return 0;
	return -EINVAL;
}

static int check_forms(const struct hvmm_insn *insn, u32 attr, unsigned int pp)
{
	unsigned int grp = T_GRP_OF(attr);

	if (attr & T_NO64 && insn->mode == HVMM_CPU_MODE_64)
		return -EINVAL;
	if (T_PMASK(attr) && !(T_PMASK(attr) & (1 << pp)))
		return -EINVAL;
	if (insn->flags & HVMM_INSN_MODRM) {
		bool mem = insn->mod != 3;

		if ((attr & T_MEM && !mem) || (attr & T_REG && mem))
			return -EINVAL;
		if (grp) {
			const struct hvmm_opcode_group *g = &hvmm_opcode_groups[grp];
			u8 mask = mem ? g->mem : g->reg;

			if (!(mask & (1 << (insn->reg & 7))))
				return -EINVAL;
			if (!group_check(insn, grp, pp))
				return -EINVAL;
		}
		/* MOV DRn: registers above 7 do not exist. */
		if (attr & T_CRDR && !grp && insn->reg > 7)
			return -EINVAL;
	}
	return check_lock(insn, attr);
}

/* Opcodes whose forms differ by mandatory prefix in more than validity. */
static int adjust_attr(const struct hvmm_insn *insn, u32 *attr, unsigned int pp)
{
	bool mem = insn->modrm < 0xc0;

	switch (insn->map << 8 | insn->opcode) {
	case HVMM_MAP_1BYTE << 8 | 0xff:
		/* Near CALL and JMP, and PUSH. */
		if (((insn->modrm >> 3) & 7) == 2 || ((insn->modrm >> 3) & 7) == 4 ||
		    ((insn->modrm >> 3) & 7) == 6)
			*attr |= T_D64;
		break;
	case HVMM_MAP_0F << 8 | 0x12:
	case HVMM_MAP_0F << 8 | 0x16:
		/* MOVLPD, MOVHPD; without 66 the register form is MOVHLPS, MOVLHPS. */
		if (pp == PP_66 && !mem)
			return -EINVAL;
		break;
	case HVMM_MAP_0F << 8 | 0x78:
		if (pp == PP_NP)
			*attr &= ~0xfu;
		break;
	case HVMM_MAP_0F << 8 | 0x79:
		if (pp != PP_NP && mem)
			return -EINVAL;
		break;
	case HVMM_MAP_0F << 8 | 0xd6:
		if ((pp == PP_F3 || pp == PP_F2) && mem)
			return -EINVAL;
		break;
	case HVMM_MAP_0F38 << 8 | 0xf0:
		if (pp == PP_F2)
			*attr |= T_B;
		else if (!mem)
			return -EINVAL;
		break;
	case HVMM_MAP_0F38 << 8 | 0xf1:
		if (pp != PP_F2 && !mem)
			return -EINVAL;
		break;
	case HVMM_MAP_0F38 << 8 | 0xf6:
		/* WRSS; 66 and F3 are ADCX and ADOX. */
		if (pp == PP_NP && !mem)
			return -EINVAL;
		break;
	}
	return 0;
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
		err = adjust_attr(insn, &attr, pp);
		if (err)
			return err;
	}
	set_sizes(insn, attr);
	if (attr & T_STR)
		insn->flags |= HVMM_INSN_STRING;
	if (attr & T_M) {
		err = decode_modrm(insn, c, attr & T_CRDR);
		if (err)
			return err;
	}
	err = check_forms(insn, attr, pp);
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

static unsigned int vex_imm_len(const struct hvmm_insn *insn)
{
	if (insn->enc == HVMM_ENC_XOP)
		return insn->map == 8 ? 1 : insn->map == 10 ? 4 : 0;
	if (insn->map == HVMM_MAP_0F3A)
		return 1;
	if (insn->map != HVMM_MAP_0F)
		return 0;
	switch (insn->opcode) {
	case 0x70 ... 0x73:
	case 0xc2:
	case 0xc4 ... 0xc6:
		return 1;
	}
	return 0;
}

static bool vex_vsib(const struct hvmm_insn *insn)
{
	if (insn->map != HVMM_MAP_0F38 || insn->enc == HVMM_ENC_XOP)
		return false;
	switch (insn->opcode) {
	case 0x90 ... 0x93:
		return true;
	case 0xa0 ... 0xa3:
	case 0xc6 ... 0xc7:
		return insn->enc == HVMM_ENC_EVEX;
	}
	return false;
}

static bool vex_map_exists(const struct hvmm_insn *insn)
{
	switch (insn->enc) {
	case HVMM_ENC_XOP:
		return insn->map >= 8 && insn->map <= 10;
	case HVMM_ENC_EVEX:
		return (insn->map >= 1 && insn->map <= 3) || insn->map == 5 || insn->map == 6;
	default:
		return insn->map >= 1 && insn->map <= 3;
	}
}

/*
 * VEX, EVEX and XOP (APM vol. 3, 1.9 and 1.10), after the escape byte @esc.
 * Only the length and the memory operand are of use to us.
 */
static int decode_vex(struct hvmm_insn *insn, struct cursor *c, u8 esc)
{
	u8 b[3] = { 0 };
	unsigned int i, n = esc == 0xc5 ? 1 : esc == 0x62 ? 3 : 2;
	int err;

	if (insn->prefixes & ~HVMM_PFX_ADSIZE || insn->rex)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		err = next_byte(c, &b[i]);
		if (err)
			return err;
	}
	err = next_byte(c, &insn->opcode);
	if (err)
		return err;

	insn->rex = (~b[0] >> 5) & HVMM_REX_R;
	if (esc == 0xc5) {
		insn->enc = HVMM_ENC_VEX;
		insn->map = HVMM_MAP_0F;
		insn->vex_pp = b[0] & 3;
	} else {
		insn->enc = esc == 0xc4 ? HVMM_ENC_VEX :
			    esc == 0x62 ? HVMM_ENC_EVEX : HVMM_ENC_XOP;
		insn->rex |= (~b[0] >> 5) & (HVMM_REX_X | HVMM_REX_B);
		insn->rex |= (b[1] >> 4) & HVMM_REX_W;
		insn->map = b[0] & (esc == 0x62 ? 0x7 : 0x1f);
		insn->vex_pp = b[1] & 3;
		if (!vex_map_exists(insn))
			return -EINVAL;
	}
	if (insn->mode != HVMM_CPU_MODE_64)
		insn->rex = 0;
	set_sizes(insn, 0);

	/* VZEROUPPER and VZEROALL alone have no ModRM. */
	if (insn->enc == HVMM_ENC_VEX && insn->map == HVMM_MAP_0F && insn->opcode == 0x77)
		return 0;
	if (vex_vsib(insn))
		insn->flags |= HVMM_INSN_VSIB;
	err = next_byte(c, &insn->modrm);
	if (err)
		return err;
	err = decode_modrm(insn, c, false);
	if (err)
		return err;
	insn->imm_len = vex_imm_len(insn);
	return next_num(c, insn->imm_len, &insn->imm);
}

/*
 * Is @op, with the byte after it, the escape of a VEX, EVEX or XOP encoding
 * rather than LDS, LES, BOUND or POP?
 */
static int is_vex(const struct hvmm_insn *insn, const struct cursor *c, u8 op)
{
	struct cursor peek = *c;
	u8 next;
	int err;

	if (op != 0xc4 && op != 0xc5 && op != 0x62 && op != 0x8f)
		return 0;
	err = next_byte(&peek, &next);
	if (err)
		return err;
	if (op == 0x8f)
		return (next & 0x1f) >= 8;
	return insn->mode == HVMM_CPU_MODE_64 || next >= 0xc0;
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
	err = is_vex(insn, &c, op);
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
