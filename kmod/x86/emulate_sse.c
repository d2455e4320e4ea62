// SPDX-License-Identifier: GPL-2.0
/* Instruction emulator: moves between XMM registers and memory. */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include "x86/emulate_priv.h"

/* Mandatory prefixes. */
#define NP	0x1
#define P66	0x2
#define PF3	0x4
#define PF2	0x8

#define LOAD		0x01	/* to the register */
#define STORE		0x02
#define ALIGNED		0x04	/* #GP when misaligned (APM vol. 1, 4.3.2) */
#define HIGH		0x08	/* upper eight bytes of the register */
#define MERGE		0x10	/* other bytes of the register stay; else they are cleared */
#define BY_REX_W	0x20	/* 8 bytes with REX.W, else 4 */

static const struct sse_move {
	u8 opcode;
	u8 pp;
	u8 flags;
	u8 size;
} sse_moves[] = {
	{ 0x10, NP | P66, LOAD, 16 },			/* MOVUPS, MOVUPD */
	{ 0x10, PF3, LOAD, 4 },				/* MOVSS */
	{ 0x10, PF2, LOAD, 8 },				/* MOVSD */
	{ 0x11, NP | P66, STORE, 16 },
	{ 0x11, PF3, STORE, 4 },
	{ 0x11, PF2, STORE, 8 },
	{ 0x12, NP | P66, LOAD | MERGE, 8 },		/* MOVLPS, MOVLPD */
	{ 0x13, NP | P66, STORE, 8 },
	{ 0x16, NP | P66, LOAD | MERGE | HIGH, 8 },	/* MOVHPS, MOVHPD */
	{ 0x17, NP | P66, STORE | HIGH, 8 },
	{ 0x28, NP | P66, LOAD | ALIGNED, 16 },		/* MOVAPS, MOVAPD */
	{ 0x29, NP | P66, STORE | ALIGNED, 16 },
	{ 0x2b, NP | P66, STORE | ALIGNED, 16 },	/* MOVNTPS, MOVNTPD */
	{ 0x6e, P66, LOAD | BY_REX_W, 4 },		/* MOVD, MOVQ */
	{ 0x6f, P66, LOAD | ALIGNED, 16 },		/* MOVDQA */
	{ 0x6f, PF3, LOAD, 16 },			/* MOVDQU */
	{ 0x7e, P66, STORE | BY_REX_W, 4 },
	{ 0x7e, PF3, LOAD, 8 },				/* MOVQ */
	{ 0x7f, P66, STORE | ALIGNED, 16 },
	{ 0x7f, PF3, STORE, 16 },
	{ 0xd6, P66, STORE, 8 },			/* MOVQ */
	{ 0xe7, P66, STORE | ALIGNED, 16 },		/* MOVNTDQ */
	{ 0xf0, PF2, LOAD, 16 },			/* LDDQU */
};

static const struct sse_move movntdqa = { 0x2a, P66, LOAD | ALIGNED, 16 };

static u8 mandatory_prefix(const struct hvmm_insn *insn)
{
	if (insn->prefixes & HVMM_PFX_REPNE)
		return PF2;
	if (insn->prefixes & HVMM_PFX_REP)
		return PF3;
	return insn->prefixes & HVMM_PFX_OPSIZE ? P66 : NP;
}

static const struct sse_move *find_move(const struct hvmm_insn *insn)
{
	u8 pp = mandatory_prefix(insn);
	unsigned int i;

	if (insn->map == HVMM_MAP_0F38)
		return insn->opcode == movntdqa.opcode ? &movntdqa : NULL;
	for (i = 0; i < ARRAY_SIZE(sse_moves); i++)
		if (sse_moves[i].opcode == insn->opcode && sse_moves[i].pp & pp)
			return &sse_moves[i];
	return NULL;
}

enum hvmm_emul_status emul_sse(struct hvmm_emul *e)
{
	const struct sse_move *mv = find_move(&e->insn);
	unsigned int size, at;
	enum hvmm_emul_status st;
	u8 xmm[16];
	u64 linear;

	if (!mv)
		return HVMM_EMUL_UNHANDLED;
	size = mv->flags & BY_REX_W && e->insn.rex & HVMM_REX_W ? 8 : mv->size;
	at = mv->flags & HIGH ? 8 : 0;

	st = emul_linear(e, e->insn.mem_seg, emul_operand_offset(e, 0), size, mv->flags & STORE,
			 &linear);
	if (st != HVMM_EMUL_DONE)
		return st;
	if (mv->flags & ALIGNED && linear & 15)
		return emul_raise(e, X86_VEC_GP, true);

	if (mv->flags & STORE) {
		e->ops->read_xmm(e, e->insn.reg, xmm);
		return emul_write(e, linear, xmm + at, size);
	}
	if (mv->flags & MERGE)
		e->ops->read_xmm(e, e->insn.reg, xmm);
	else
		memset(xmm, 0, sizeof(xmm));
	st = emul_read(e, linear, xmm + at, size);
	if (st == HVMM_EMUL_DONE)
		e->ops->write_xmm(e, e->insn.reg, xmm);
	return st;
}
