/* SPDX-License-Identifier: GPL-2.0 */
/*
 * x86 instruction decoder: pure, table-driven, no allocation, no locks; builds
 * in the kernel and in userspace. References are to the AMD64 Architecture
 * Programmer's Manual (APM), vol. 3, chapter 1 and appendix A.
 */
#ifndef HVMM_X86_INSN_H
#define HVMM_X86_INSN_H

#include <linux/types.h>

/* APM vol. 3, 1.1: longer instructions raise #GP. */
#define HVMM_INSN_MAX_LEN	15

/**
 * enum hvmm_cpu_mode - default operand and address size of the code segment
 * @HVMM_CPU_MODE_16: real mode, virtual-8086 mode, or CS.D = 0
 * @HVMM_CPU_MODE_32: protected or compatibility mode with CS.D = 1
 * @HVMM_CPU_MODE_64: EFER.LMA = 1 and CS.L = 1
 */
enum hvmm_cpu_mode {
	HVMM_CPU_MODE_16 = 16,
	HVMM_CPU_MODE_32 = 32,
	HVMM_CPU_MODE_64 = 64,
};

/* Segment registers in the order of their encoding. */
enum hvmm_seg_reg {
	HVMM_SEG_ES,
	HVMM_SEG_CS,
	HVMM_SEG_SS,
	HVMM_SEG_DS,
	HVMM_SEG_FS,
	HVMM_SEG_GS,
	HVMM_SEG_NR,
	/* Not for instructions' operands. */
	HVMM_SEG_LDTR = HVMM_SEG_NR,
	HVMM_SEG_TR,
	HVMM_SEG_NONE = 0xff,
};

/* General-purpose registers in the order of their encoding. */
enum hvmm_gpr {
	HVMM_RAX, HVMM_RCX, HVMM_RDX, HVMM_RBX,
	HVMM_RSP, HVMM_RBP, HVMM_RSI, HVMM_RDI,
	HVMM_R8, HVMM_R9, HVMM_R10, HVMM_R11,
	HVMM_R12, HVMM_R13, HVMM_R14, HVMM_R15,
	HVMM_GPR_NR,
	HVMM_GPR_RIP = 0x10,		/* only as base of a memory operand */
	HVMM_GPR_NONE = 0xff,
};

/* How the opcode is encoded; @map of struct hvmm_insn depends on it. */
enum hvmm_insn_enc {
	HVMM_ENC_LEGACY,
	HVMM_ENC_VEX,
	HVMM_ENC_EVEX,
	HVMM_ENC_XOP,
};

/*
 * Opcode maps of the legacy encoding. For VEX and EVEX, @map holds the
 * map_select field, which has the same values; for XOP it is 8, 9 or 10.
 */
enum hvmm_insn_map {
	HVMM_MAP_1BYTE,
	HVMM_MAP_0F,
	HVMM_MAP_0F38,
	HVMM_MAP_0F3A,
	HVMM_MAP_3DNOW,			/* 0F 0F modrm suffix; @imm is the suffix */
};

/* Effective legacy prefixes, struct hvmm_insn::prefixes. */
#define HVMM_PFX_OPSIZE		0x01	/* 66 */
#define HVMM_PFX_ADSIZE		0x02	/* 67 */
#define HVMM_PFX_LOCK		0x04	/* F0 */
#define HVMM_PFX_REP		0x08	/* F3 (the later one of F2 and F3 counts) */
#define HVMM_PFX_REPNE		0x10	/* F2 */

/* REX bits, struct hvmm_insn::rex; 0x40 is set when there is a REX prefix. */
#define HVMM_REX_B		0x01
#define HVMM_REX_X		0x02
#define HVMM_REX_R		0x04
#define HVMM_REX_W		0x08

/* struct hvmm_insn::flags */
#define HVMM_INSN_MODRM		0x0001	/* has a ModRM byte */
#define HVMM_INSN_SIB		0x0002	/* has a SIB byte */
#define HVMM_INSN_MEM		0x0004	/* ModRM or moffs memory operand: mem_* are valid */
#define HVMM_INSN_RIPREL	0x0008	/* mem_base is RIP */
#define HVMM_INSN_STRING	0x0010	/* ins, outs, movs, cmps, stos, lods, scas */
#define HVMM_INSN_BYTE		0x0020	/* byte operation: opsize is 1 */
#define HVMM_INSN_MOFFS		0x0040	/* A0..A3: mem_disp is the whole address */
#define HVMM_INSN_VSIB		0x0080	/* the index is a vector register */

/**
 * struct hvmm_insn - one decoded instruction
 * @len: length in bytes, 1..15
 * @mode: enum hvmm_cpu_mode it was decoded for
 * @enc: enum hvmm_insn_enc
 * @map: opcode map
 * @opcode: last opcode byte
 * @prefixes: HVMM_PFX_*
 * @rex: REX prefix, or 0; for VEX, EVEX and XOP the equivalent bits
 * @seg_override: enum hvmm_seg_reg of an effective override prefix, or
 *	HVMM_SEG_NONE
 * @vex_pp: implied prefix of VEX, EVEX, XOP (0 none, 1 66, 2 F3, 3 F2)
 * @opsize: effective operand size in bytes: 1, 2, 4 or 8
 * @adsize: effective address size in bytes: 2, 4 or 8
 * @modrm: the ModRM byte
 * @sib: the SIB byte
 * @mod: ModRM.mod
 * @reg: ModRM.reg with REX.R, 0..15
 * @rm: ModRM.rm with REX.B (a register number when @mod is 3)
 * @mem_base: base register of the memory operand, HVMM_GPR_RIP or
 *	HVMM_GPR_NONE
 * @mem_index: index register or HVMM_GPR_NONE
 * @mem_scale: factor of the index: 1, 2, 4 or 8
 * @mem_seg: segment of the memory operand, overrides applied
 * @disp_len: bytes of displacement in the instruction
 * @imm_len: bytes of the first immediate in the instruction
 * @imm2: second immediate (far pointer selector, ENTER's nesting level)
 * @flags: HVMM_INSN_*
 * @mem_disp: sign-extended displacement; of EVEX not scaled
 * @imm: immediate, sign-extended from @imm_len bytes; 0 if there is none
 */
struct hvmm_insn {
	u8 len;
	u8 mode;
	u8 enc;
	u8 map;
	u8 opcode;
	u8 prefixes;
	u8 rex;
	u8 seg_override;
	u8 vex_pp;
	u8 opsize;
	u8 adsize;
	u8 modrm;
	u8 sib;
	u8 mod;
	u8 reg;
	u8 rm;
	u8 mem_base;
	u8 mem_index;
	u8 mem_scale;
	u8 mem_seg;
	u8 disp_len;
	u8 imm_len;
	u16 imm2;
	u32 flags;
	s64 mem_disp;
	s64 imm;
};

/**
 * hvmm_decode() - decode the instruction at the start of @bytes
 * @insn: result, wholly overwritten; undefined after an error
 * @bytes: instruction bytes; not more than @len of them are read
 * @len: number of bytes available; 15 are always enough
 * @mode: default sizes of the code segment
 *
 * Any context. Reads each byte once, so @bytes must be the caller's own copy
 * where the guest could change the original.
 *
 * Encodings that the CPU refuses are told as invalid for all instructions of
 * the general-purpose, system and SSE groups. x87, 3DNow!, VEX, EVEX and XOP
 * opcodes get their length only: every opcode of theirs is taken as valid.
 *
 * Return: 0; -ENODATA when the instruction goes on after @len bytes; -EINVAL
 * for an invalid encoding (the CPU raises #UD); -E2BIG when it is longer than
 * 15 bytes (the CPU raises #GP).
 */
int hvmm_decode(struct hvmm_insn *insn, const u8 *bytes, unsigned int len,
		enum hvmm_cpu_mode mode);

/**
 * enum hvmm_insn_kind - instructions that a hypervisor may intercept
 *
 * The names are the mnemonics. HVMM_KIND_OTHER is everything else.
 */
enum hvmm_insn_kind {
	HVMM_KIND_OTHER,
	HVMM_KIND_CPUID, HVMM_KIND_RDMSR, HVMM_KIND_WRMSR, HVMM_KIND_RDTSC,
	HVMM_KIND_RDTSCP, HVMM_KIND_RDPMC, HVMM_KIND_HLT, HVMM_KIND_PAUSE,
	HVMM_KIND_IN, HVMM_KIND_OUT, HVMM_KIND_INS, HVMM_KIND_OUTS,
	HVMM_KIND_INVD, HVMM_KIND_WBINVD, HVMM_KIND_INVLPG, HVMM_KIND_INVPCID,
	HVMM_KIND_INVLPGB, HVMM_KIND_TLBSYNC, HVMM_KIND_INVLPGA,
	HVMM_KIND_VMRUN, HVMM_KIND_VMMCALL, HVMM_KIND_VMCALL,
	HVMM_KIND_VMLOAD, HVMM_KIND_VMSAVE, HVMM_KIND_STGI, HVMM_KIND_CLGI,
	HVMM_KIND_SKINIT, HVMM_KIND_XSETBV, HVMM_KIND_MONITOR, HVMM_KIND_MWAIT,
	HVMM_KIND_MONITORX, HVMM_KIND_MWAITX, HVMM_KIND_RDPRU,
	HVMM_KIND_RSM, HVMM_KIND_INT, HVMM_KIND_INT3, HVMM_KIND_INTO,
	HVMM_KIND_ICEBP, HVMM_KIND_IRET, HVMM_KIND_PUSHF, HVMM_KIND_POPF,
	HVMM_KIND_SGDT, HVMM_KIND_SIDT, HVMM_KIND_LGDT, HVMM_KIND_LIDT,
	HVMM_KIND_SLDT, HVMM_KIND_STR, HVMM_KIND_LLDT, HVMM_KIND_LTR,
	HVMM_KIND_SMSW, HVMM_KIND_LMSW, HVMM_KIND_CLTS,
	HVMM_KIND_MOV_FROM_CR, HVMM_KIND_MOV_TO_CR,
	HVMM_KIND_MOV_FROM_DR, HVMM_KIND_MOV_TO_DR,
};

/**
 * hvmm_insn_kind() - tell which interceptable instruction this is
 * @insn: decoded instruction
 *
 * For the handler of an intercept to check that the bytes it fetched still are
 * the instruction that caused the exit: another vCPU may have changed them.
 * Operands: MOV CR/DR have the control or debug register in @insn->reg (see
 * hvmm_insn_cr()) and the general register in @insn->rm; IN and OUT have the
 * port in (u8)@insn->imm when @insn->imm_len is 1, else in DX, and the size in
 * @insn->opsize (8 means 4); INT has its vector in (u8)@insn->imm.
 *
 * Return: the kind.
 */
enum hvmm_insn_kind hvmm_insn_kind(const struct hvmm_insn *insn);

/**
 * hvmm_insn_cr() - control register number of a MOV CR instruction
 * @insn: instruction of kind MOV_FROM_CR or MOV_TO_CR
 *
 * LOCK MOV CR0 names CR8, also outside 64-bit mode (APM vol. 3, MOV CRn).
 *
 * Return: 0..15.
 */
static inline unsigned int hvmm_insn_cr(const struct hvmm_insn *insn)
{
	return insn->reg | (insn->prefixes & HVMM_PFX_LOCK ? 8 : 0);
}

/* Size in bytes of one item of IN, OUT, INS, OUTS: 1, 2 or 4. */
static inline unsigned int hvmm_insn_io_size(const struct hvmm_insn *insn)
{
	return insn->opsize > 4 ? 4 : insn->opsize;
}

#endif
