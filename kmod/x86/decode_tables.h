/* SPDX-License-Identifier: GPL-2.0 */
/* Opcode tables of the instruction decoder; internal to decode*.c. */
#ifndef HVMM_X86_DECODE_TABLES_H
#define HVMM_X86_DECODE_TABLES_H

#include <linux/types.h>

/* Bits 0-3: immediate. z: 2 or 4 bytes; v: 2, 4 or 8. */
enum {
	IMM_NONE,
	IMM_B,			/* one byte, sign-extended */
	IMM_W,
	IMM_Z,
	IMM_V,
	IMM_JZ,			/* branch displacement; 2 or 4 bytes */
	IMM_AP,			/* far pointer: offset by operand size, then selector */
	IMM_MOFFS,		/* address by address size */
	IMM_WB,			/* ENTER */
	IMM_BB,			/* EXTRQ, INSERTQ */
	IMM_GRP3,		/* as the operand, of TEST only */
};

#define T_IMM(attr)	((attr) & 0xf)
#define T_M		0x00000010u	/* ModRM */
#define T_B		0x00000020u	/* byte operand */
#define T_D64		0x00000040u	/* operand size defaults to 8 in 64-bit mode */
#define T_NO64		0x00000080u	/* invalid in 64-bit mode */
#define T_LOCK		0x00000100u	/* LOCK allowed with a memory operand */
#define T_MEM		0x00000200u	/* memory form only */
#define T_REG		0x00000400u	/* register form only */
#define T_STR		0x00000800u
#define T_UD		0x00001000u
#define T_CRDR		0x00002000u	/* ModRM.mod is ignored; size is that of the mode */
#define T_PFX		0x00004000u	/* prefix or escape: never looked up as an opcode */
#define T_FPU		0x00008000u

/* Bits 16-19: permitted mandatory prefixes; 0: 66, F2, F3 select nothing. */
#define T_P_SHIFT	16
#define P_NP		0x00010000u
#define P_66		0x00020000u
#define P_F3		0x00040000u
#define P_F2		0x00080000u
#define P_ALL		(P_NP | P_66 | P_F3 | P_F2)
#define T_PMASK(attr)	(((attr) >> T_P_SHIFT) & 0xf)

/* Bits 24-31: opcode group, whose ModRM.reg selects the instruction. */
enum {
	GRP_NONE, GRP_1, GRP_1A, GRP_2, GRP_3, GRP_4, GRP_5, GRP_6, GRP_7,
	GRP_8, GRP_9, GRP_11, GRP_12, GRP_13, GRP_14, GRP_15, GRP_17,
	GRP_SREG_GET, GRP_SREG_SET, GRP_CR, GRP_NR,
};

#define T_GRP_SHIFT	24
#define T_GRP(n)	((u32)GRP_##n << T_GRP_SHIFT)
#define T_GRP_OF(attr)	((attr) >> T_GRP_SHIFT)

/**
 * struct hvmm_opcode_group - which members of a group exist
 * @mem: bit n: ModRM.reg = n exists with a memory operand
 * @reg: the same with a register operand
 * @lock: members that allow LOCK
 */
struct hvmm_opcode_group {
	u8 mem;
	u8 reg;
	u8 lock;
};

extern const u32 hvmm_opcodes_1byte[256];
extern const u32 hvmm_opcodes_0f[256];
extern const u32 hvmm_opcodes_0f38[256];
extern const u32 hvmm_opcodes_0f3a[256];
extern const struct hvmm_opcode_group hvmm_opcode_groups[GRP_NR];

#endif
