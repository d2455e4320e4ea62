// SPDX-License-Identifier: GPL-2.0
/* Instruction decoder: VEX, EVEX and XOP (APM vol. 3, 1.9 and 1.10). */
#include <linux/errno.h>
#include <linux/types.h>

#include "x86/decode_priv.h"

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
int decode_vex(struct hvmm_insn *insn, struct cursor *c, u8 esc)
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
	decode_sizes(insn, 0);

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
	return decode_num(c, insn->imm_len, &insn->imm);
}

/*
 * Is @op, with the byte after it, the escape of a VEX, EVEX or XOP encoding
 * rather than LDS, LES, BOUND or POP?
 */
int decode_is_vex(const struct hvmm_insn *insn, const struct cursor *c, u8 op)
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
