/* SPDX-License-Identifier: GPL-2.0 */
/* What mmio.S says to mmio.c about each instruction form. */
#ifndef GUEST_MMIO_FORMS_H
#define GUEST_MMIO_FORMS_H

#ifndef __ASSEMBLER__
#include "lib/cpu.h"

struct form {
	const char *name;
	void *code;
	u64 mask;	/* flags that the manuals define */
	u64 opts;
};
#endif

#define OPT_ALIGN 1	/* the operand must be 16-byte aligned */
#define OPT_SRC 2	/* RSI is the operand, RDI plain memory */
#define OPT_DST 4	/* RDI is the operand, RSI plain memory */
#define OPT_COUNT 8	/* RCX is a small count */
#define OPT_DIV 16	/* RDX small, so that most divisions do not overflow */
#define OPT_BIT 32	/* RCX is a bit offset near the operand */
#define OPT_DOWN 64	/* run with DF set too */
#define OPT_MOFFS 128	/* the address is in the code: patched before the run */

#define F_ALL 0x8d5
#define F_LOGIC 0x8c5	/* AF undefined */
#define F_MUL 0x801
#define F_SHIFT 0xc5
#define F_ZF 0x40
#define F_CF 1
#define F_NONE 0

#endif
