/* SPDX-License-Identifier: GPL-2.0 */
/* Tables of a guest in long mode, for tests of the walk and of what is remembered of it. */
#ifndef HVMM_UNIT_TEST_WALK_H
#define HVMM_UNIT_TEST_WALK_H

#include <linux/mm.h>

#include "check.h"
#include "guest_cpu.h"
#include "x86/insn.h"
#include "x86/walk.h"

#define P	BIT_ULL(0)
#define RW	BIT_ULL(1)
#define US	BIT_ULL(2)
#define A	BIT_ULL(5)
#define D	BIT_ULL(6)
#define PS	BIT_ULL(7)
#define NX	BIT_ULL(63)
#define FULL	(P | RW | US)

#define E_P	1
#define E_W	2
#define E_U	4
#define E_RSVD	8
#define E_I	16

#define W	HVMM_ACCESS_WRITE
#define U	HVMM_ACCESS_USER
#define F	HVMM_ACCESS_FETCH
#define IMPL	HVMM_ACCESS_IMPLICIT

/* Tables of the tests: the root, and one table for each level below. */
#define ROOT	0x1000
#define L4	0x2000
#define L3	0x3000
#define L2	0x4000
#define L1	0x5000
#define FRAME	0x80000

static inline u64 get64(u64 gpa)
{
	u64 v;

	memcpy(&v, vm.mem.data + gpa, 8);
	return v;
}

static inline void put64(u64 gpa, u64 v)
{
	memcpy(vm.mem.data + gpa, &v, 8);
}

/* Walks and tells a fault as its negative error code. */
static inline s64 walk(u64 linear, u32 access)
{
	u64 gpa = 0;
	u32 fault = 0;
	int ret = hvmm_walk(&vcpu, linear, access, &gpa, &fault);

	switch (ret) {
	case 0:
		return gpa;
	case -EFAULT:
		return -(s64)fault;
	default:
		return -0x10000 + ret;
	}
}

/* The host takes the page @gfn away, and only that. */
static inline void miss(u64 gfn)
{
	vm.mem.missing = gfn;
	atomic64_inc(&vm.mem.tlb_gen);
}

#define AGAIN	(-0x10000 - EAGAIN)

/* Long mode; linear address 0x8080604567: index 1 in PML4, 2, 3 and 4 below. */
#define LINEAR	((1ULL << 39) | (2ULL << 30) | (3ULL << 21) | (4ULL << 12) | 0x567)
#define PML4E	(ROOT + 8 * 1)
#define PDPE	(L3 + 8 * 2)
#define PDE	(L2 + 8 * 3)
#define PTE	(L1 + 8 * 4)

static inline void init_long(void)
{
	guest_cpu_init_amd(48);
	vcpu.cr[0] |= X86_CR0_PG | X86_CR0_PE | X86_CR0_WP;
	vcpu.cr[3] = ROOT | 0xabc;	/* a PCID */
	vcpu.cr[4] = X86_CR4_PAE;
	vcpu.efer = EFER_LME | EFER_LMA | EFER_NX;
	vcpu.regs.rflags = 2;
	put64(PML4E, L3 | FULL);
	put64(PDPE, L2 | FULL);
	put64(PDE, L1 | FULL);
	put64(PTE, FRAME | FULL);
}

static inline int fetch(u8 *buf, u32 *fault, u64 *addr)
{
	return hvmm_fetch(&vcpu, &vcpu.cs, vcpu.cs.attrib & HVMM_SEG_ATTR_L, buf, fault, addr);
}

static inline void race_forever(struct hvmm_mem *mem)
{
	put64(PTE, get64(PTE) ^ BIT_ULL(9));
	put64(PML4E, get64(PML4E) ^ BIT_ULL(9));
}

#endif
