// SPDX-License-Identifier: GPL-2.0
/* Instruction decoder: encodings that the processor refuses, beyond what the tables say. */
#include <linux/errno.h>
#include <linux/types.h>

#include "x86/decode_priv.h"

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

int decode_check(const struct hvmm_insn *insn, u32 attr, unsigned int pp)
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
int decode_adjust(const struct hvmm_insn *insn, u32 *attr, unsigned int pp)
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
