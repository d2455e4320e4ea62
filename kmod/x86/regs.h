/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_REGS_H
#define HVMM_X86_REGS_H

#include <linux/types.h>

#include "x86/insn.h"

/**
 * struct hvmm_regs - a vCPU's general registers
 * @gpr: indexed by enum hvmm_gpr
 * @rip: instruction pointer (offset in CS)
 * @rflags: RFLAGS
 */
struct hvmm_regs {
	u64 gpr[HVMM_GPR_NR];
	u64 rip;
	u64 rflags;
};

/**
 * struct hvmm_seg - a segment register with its hidden part
 * @sel: selector
 * @attrib: attributes as the VMCB packs them (HVMM_SEG_ATTR_*)
 * @limit: limit in bytes, granularity applied
 * @base: base address
 */
struct hvmm_seg {
	u16 sel;
	u16 attrib;
	u32 limit;
	u64 base;
};

/* APM vol. 2, appendix B, table B-2, and 15.5.1: bits 55-52 and 47-40 of the descriptor. */
#define HVMM_SEG_ATTR_TYPE	0x000f
#define HVMM_SEG_ATTR_WRITE	0x0002	/* data: writable; code: readable */
#define HVMM_SEG_ATTR_DOWN	0x0004	/* data: expand-down; code: conforming */
#define HVMM_SEG_ATTR_CODE	0x0008
#define HVMM_SEG_ATTR_S		0x0010
#define HVMM_SEG_ATTR_DPL	0x0060
#define HVMM_SEG_ATTR_P		0x0080
#define HVMM_SEG_ATTR_AVL	0x0100
#define HVMM_SEG_ATTR_L		0x0200
#define HVMM_SEG_ATTR_DB	0x0400
#define HVMM_SEG_ATTR_G		0x0800

#endif
