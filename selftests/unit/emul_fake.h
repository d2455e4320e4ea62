/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Surroundings for the emulator in tests: memory at the addresses of native.h,
 * ports, XMM registers, and a log of completed accesses as a hypervisor keeps
 * it while a device process answers.
 */
#ifndef HVMM_UNIT_EMUL_FAKE_H
#define HVMM_UNIT_EMUL_FAKE_H

#include "native.h"
#include "x86/emulate.h"

#define FAKE_LOG	64

struct fake_access {
	char kind;		/* r, w, c(mpxchg), i, o */
	u64 addr;
	unsigned int len;
	u8 data[16];
};

struct fake {
	struct hvmm_emul e;	/* first: callbacks get a pointer to it */
	struct hvmm_regs regs;
	struct hvmm_regs before;	/* at the start of the last iteration */
	struct hvmm_seg seg[HVMM_SEG_NR];
	u64 xmm[16][2];
	u8 data[NATIVE_DATA_SIZE];
	u8 stack[NATIVE_STACK_SIZE];
	u32 port_value;
	u32 port_last;

	/* Accesses completed so far of this instruction, and the replay position. */
	struct fake_access log[FAKE_LOG];
	unsigned int logged, pos;
	/* Calls since the start of this run; the one numbered @stop_at ends with @stop_with. */
	unsigned int calls, stop_at, locked;
	enum hvmm_emul_status stop_with;
	bool stray;		/* an access outside of the memory */
	bool diverged;		/* a re-run made other accesses */
	bool split_wrong;	/* an access over a page boundary */
};

#define FAKE_NO_STOP	(~0u)

void fake_init(struct fake *f, enum hvmm_cpu_mode mode);

/* Emulates to the end, repetitions included. Returns the last status. */
enum hvmm_emul_status fake_run(struct fake *f);

#endif
