/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_WALK_H
#define HVMM_X86_WALK_H

#include "x86/vcpu.h"

/**
 * enum hvmm_access - bits of an access to guest linear memory (as in a #PF error code)
 * @HVMM_ACCESS_WRITE: write
 * @HVMM_ACCESS_USER: CPL 3
 * @HVMM_ACCESS_FETCH: instruction fetch
 * @HVMM_ACCESS_IMPLICIT: implicit supervisor access (descriptor tables): SMAP's AC does not apply
 */
enum hvmm_access {
	HVMM_ACCESS_WRITE	= 1 << 1,
	HVMM_ACCESS_USER	= 1 << 2,
	HVMM_ACCESS_FETCH	= 1 << 4,
	HVMM_ACCESS_IMPLICIT	= 1 << 16,
};

/**
 * struct hvmm_paging_regs - the registers that govern a walk
 * @cr0: CR0
 * @cr3: CR3
 * @cr4: CR4
 * @efer: EFER, maybe with bits that the vendor needs set
 */
struct hvmm_paging_regs {
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
};

#define HVMM_WALK_LEVELS	5

/**
 * struct hvmm_walk_step - an entry that a walk went through
 * @gpa: its address
 * @val: its value
 */
struct hvmm_walk_step {
	u64 gpa;
	u64 val;
};

/**
 * struct hvmm_walk - a walk that has succeeded
 * @gpa: where it leads
 * @nr: number of entries; 0 without paging, and where they changed too fast
 * @step: the entries, from the root on, as the walk has left them
 */
struct hvmm_walk {
	u64 gpa;
	unsigned int nr;
	struct hvmm_walk_step step[HVMM_WALK_LEVELS];
};

/**
 * hvmm_walk - translate a guest linear address through the guest's page tables
 * @x: the vCPU
 * @linear: linear address (canonical; the caller has done segmentation)
 * @access: enum hvmm_access bits
 * @gpa: filled
 * @fault: filled with #PF's error code when the return is -EFAULT
 *
 * Handles no paging, 32-bit (with PSE), PAE, 4- and 5-level; WP, SMEP, SMAP, NX;
 * reserved bits; sets accessed and dirty bits atomically as hardware would
 * (APM vol. 2, 5.3 to 5.6).
 *
 * Context: the vCPU's runner with preemption off: of a page that was accessed before there may
 * be no walk, see walked.h.
 * Return: 0, -EFAULT (guest page fault, *@fault), -EAGAIN (&hvmm_x86_vcpu.missing_gfn).
 */
int hvmm_walk(struct hvmm_x86_vcpu *x, u64 linear, u32 access, u64 *gpa, u32 *fault);

/**
 * hvmm_walk_fetch - translate the address of an instruction that the processor has fetched
 * @x: the vCPU
 * @r: its registers
 * @linear: linear address
 * @w: filled on success
 *
 * Accessed bits are left alone: the processor has set them.
 *
 * Context: as hvmm_walk().
 * Return: 0, -EFAULT, -EAGAIN.
 */
int hvmm_walk_fetch(struct hvmm_x86_vcpu *x, const struct hvmm_paging_regs *r, u64 linear,
		    struct hvmm_walk *w);

/**
 * hvmm_fetch - read instruction bytes at CS:RIP
 * @x: the vCPU
 * @cs: CS
 * @flat: 64-bit mode: its base does not count
 * @buf: at least 15 bytes
 * @fault: as for hvmm_walk()
 * @fault_addr: linear address of the fault
 *
 * Return: number of bytes read (1..15; fewer than 15 where the next page faults),
 * -EFAULT (not even one byte), -EAGAIN.
 */
int hvmm_fetch(struct hvmm_x86_vcpu *x, const struct hvmm_seg *cs, bool flat, u8 *buf, u32 *fault,
	       u64 *fault_addr);

#endif
