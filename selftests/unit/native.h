/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Executes one instruction on the CPU that runs the test, in 64-bit mode or in
 * 32-bit compatibility mode, with all general registers, arithmetic flags, DF
 * and XMM registers as the caller wants them.
 */
#ifndef HVMM_UNIT_NATIVE_H
#define HVMM_UNIT_NATIVE_H

#include <linux/types.h>

/* Memory that instructions may use; the same addresses natively and emulated. */
#define NATIVE_DATA		0x20020000ul
#define NATIVE_DATA_SIZE	0x2000u
#define NATIVE_STACK		0x20030000ul
#define NATIVE_STACK_SIZE	0x1000u
/* Where the instruction itself is put. */
#define NATIVE_INSN		0x20004000ul

struct native_state {
	u64 gpr[16];
	u64 rflags;
	u64 xmm[16][2];
};

/* Maps memory, installs signal handlers. Returns 0, or -1 with errno. */
int native_init(void);

/*
 * Runs @insn (@len bytes); @mode is 64 or 32. Returns 0, or the signal that it
 * raised (then @st is as it was at that time); SIGILL if there is no 32-bit mode.
 */
int native_run(struct native_state *st, const u8 *insn, unsigned int len, unsigned int mode);

#endif
