// SPDX-License-Identifier: GPL-2.0
/* Names for the instructions that have intercepts (APM vol. 2, 15.9). */
#include "x86/insn.h"

static enum hvmm_insn_kind kind_1byte(const struct hvmm_insn *insn)
{
	switch (insn->opcode) {
	case 0x6c: case 0x6d:
		return HVMM_KIND_INS;
	case 0x6e: case 0x6f:
		return HVMM_KIND_OUTS;
	case 0x90:
		return insn->prefixes & HVMM_PFX_REP ? HVMM_KIND_PAUSE : HVMM_KIND_OTHER;
	case 0x9c:
		return HVMM_KIND_PUSHF;
	case 0x9d:
		return HVMM_KIND_POPF;
	case 0xcc:
		return HVMM_KIND_INT3;
	case 0xcd:
		return HVMM_KIND_INT;
	case 0xce:
		return HVMM_KIND_INTO;
	case 0xcf:
		return HVMM_KIND_IRET;
	case 0xe4: case 0xe5: case 0xec: case 0xed:
		return HVMM_KIND_IN;
	case 0xe6: case 0xe7: case 0xee: case 0xef:
		return HVMM_KIND_OUT;
	case 0xf1:
		return HVMM_KIND_ICEBP;
	case 0xf4:
		return HVMM_KIND_HLT;
	}
	return HVMM_KIND_OTHER;
}

static enum hvmm_insn_kind kind_group7(const struct hvmm_insn *insn)
{
	static const u8 mem[8] = {
		HVMM_KIND_SGDT, HVMM_KIND_SIDT, HVMM_KIND_LGDT, HVMM_KIND_LIDT,
		HVMM_KIND_SMSW, HVMM_KIND_OTHER, HVMM_KIND_LMSW, HVMM_KIND_INVLPG,
	};

	if (insn->flags & HVMM_INSN_MEM)
		return mem[insn->reg & 7];
	switch (insn->modrm) {
	case 0xc1:
		return HVMM_KIND_VMCALL;
	case 0xc8:
		return HVMM_KIND_MONITOR;
	case 0xc9:
		return HVMM_KIND_MWAIT;
	case 0xd1:
		return HVMM_KIND_XSETBV;
	case 0xd8:
		return HVMM_KIND_VMRUN;
	case 0xd9:
		return HVMM_KIND_VMMCALL;
	case 0xda:
		return HVMM_KIND_VMLOAD;
	case 0xdb:
		return HVMM_KIND_VMSAVE;
	case 0xdc:
		return HVMM_KIND_STGI;
	case 0xdd:
		return HVMM_KIND_CLGI;
	case 0xde:
		return HVMM_KIND_SKINIT;
	case 0xdf:
		return HVMM_KIND_INVLPGA;
	case 0xe0 ... 0xe7:
		return HVMM_KIND_SMSW;
	case 0xf0 ... 0xf7:
		return HVMM_KIND_LMSW;
	case 0xf9:
		return HVMM_KIND_RDTSCP;
	case 0xfa:
		return HVMM_KIND_MONITORX;
	case 0xfb:
		return HVMM_KIND_MWAITX;
	case 0xfd:
		return HVMM_KIND_RDPRU;
	case 0xfe:
		return HVMM_KIND_INVLPGB;
	case 0xff:
		return HVMM_KIND_TLBSYNC;
	}
	return HVMM_KIND_OTHER;
}

static enum hvmm_insn_kind kind_0f(const struct hvmm_insn *insn)
{
	static const u8 group6[8] = {
		HVMM_KIND_SLDT, HVMM_KIND_STR, HVMM_KIND_LLDT, HVMM_KIND_LTR,
	};

	switch (insn->opcode) {
	case 0x00:
		return group6[insn->reg & 7];
	case 0x01:
		return kind_group7(insn);
	case 0x06:
		return HVMM_KIND_CLTS;
	case 0x08:
		return HVMM_KIND_INVD;
	case 0x09:
		return HVMM_KIND_WBINVD;
	case 0x20:
		return HVMM_KIND_MOV_FROM_CR;
	case 0x21:
		return HVMM_KIND_MOV_FROM_DR;
	case 0x22:
		return HVMM_KIND_MOV_TO_CR;
	case 0x23:
		return HVMM_KIND_MOV_TO_DR;
	case 0x30:
		return HVMM_KIND_WRMSR;
	case 0x31:
		return HVMM_KIND_RDTSC;
	case 0x32:
		return HVMM_KIND_RDMSR;
	case 0x33:
		return HVMM_KIND_RDPMC;
	case 0xa2:
		return HVMM_KIND_CPUID;
	case 0xaa:
		return HVMM_KIND_RSM;
	}
	return HVMM_KIND_OTHER;
}

enum hvmm_insn_kind hvmm_insn_kind(const struct hvmm_insn *insn)
{
	if (insn->enc != HVMM_ENC_LEGACY)
		return HVMM_KIND_OTHER;
	switch (insn->map) {
	case HVMM_MAP_1BYTE:
		return kind_1byte(insn);
	case HVMM_MAP_0F:
		return kind_0f(insn);
	case HVMM_MAP_0F38:
		return insn->opcode == 0x82 ? HVMM_KIND_INVPCID : HVMM_KIND_OTHER;
	}
	return HVMM_KIND_OTHER;
}
