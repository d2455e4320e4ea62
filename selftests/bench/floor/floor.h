/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What no hypervisor can be below: a guest that is entered by VMRUN and left again with all of
 * the processor's state changed over, and handlers that do nothing but what lets it go on.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <linux/types.h>

#define FLOOR_ROUNDS	501
#define FLOOR_WARM	64

enum floor_op {
	FLOOR_NOTHING,
	FLOOR_CPUID,
	FLOOR_VMMCALL,
	FLOOR_RDMSR,
	FLOOR_WRMSR,
	FLOOR_PIO_KERNEL,
	FLOOR_MAP_PRESENT,
	FLOOR_OPS
};

/* As vmrun.S has them. RAX and RSP are in the VMCB. */
struct floor_regs {
	u64 rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

/**
 * struct floor - a run
 * @ticks: what each round took
 * @page: memory of the guest that comes and goes
 * @pte: of @page, in the nested page table
 * @root: physical address of that
 */
struct floor {
	u64 ticks[FLOOR_OPS][FLOOR_ROUNDS];
	u8 *page;
	u64 *pte;
	u64 root;
};

/* Where the guest begins. It ends at a HLT. */
void floor_guest(struct floor *floor);

/* All of memory, where it is, by large leaves; but @floor->page. */
int floor_npt_build(struct floor *floor);
void floor_npt_free(void);

/* The VMCB is at @guest_pa; at @host_pa what VMSAVE has stored of the host. */
void floor_vmrun(struct floor_regs *regs, u64 guest_pa, u64 host_pa);

#endif
