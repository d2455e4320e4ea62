/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exceptions and interrupts.
 *
 * SAFE("insn") in inline assembly makes a fault of that instruction resume behind it; what
 * happened is then in trap_vector() and *trap_last(). guard_call() does the same for whole
 * functions, whatever code they run.
 */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include "cpu.h"

struct regs {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

struct trap_info {
	int vector;	/* -1: none */
	u64 error, rip, cr2, rflags, dr6, rsp, cs, rcx, rsi, rdi;
	u32 count;
};

typedef void (*trap_fn)(struct regs *r);

#define MAX_CPUS 16
#define NO_TRAP (-1)
#define INT_USER_RETURN 0x80

#define SAFE_RANGE(body)						\
	"771: " body "\n772:\n"						\
	".pushsection .extable, \"a\"\n"				\
	".quad 771b, 772b, 772b\n"					\
	".popsection\n"
#define SAFE(insn) SAFE_RANGE(insn)

void trap_clear(void);
struct trap_info *trap_last(void);
int trap_vector(void);

/* Runs an instruction and says which exception it raised, or NO_TRAP. */
#define TRY(insn, ...) ({						\
	trap_clear();							\
	__asm__ __volatile__(SAFE(insn) __VA_ARGS__);			\
	trap_vector(); })

/* Takes a vector over; NULL gives it back. Called with IF as the gate left it (clear). */
void trap_handler(u8 vector, trap_fn fn);
void trap_set_ist(u8 vector, u8 ist);
void trap_set_dpl(u8 vector, u8 dpl);
void trap_set_gate(u8 vector, void *entry, u16 sel, u8 type, u8 dpl, u8 ist);
void trap_show(struct regs *r);

/* Calls fn(arg); an exception inside comes back as its vector. NO_TRAP when it returned. */
int guard_call(void (*fn)(void *), void *arg);

/* From a handler: ends the guard_call() that was interrupted, if there is one. */
void guard_abort(struct regs *r);

/* Runs fn(arg) in ring 3 on a stack of its own; its result is handed back. */
u64 user_call(u64 (*fn)(u64), u64 arg);

/* Runs fn in a 32-bit compatibility segment: fn is .code32 and returns with a near ret. */
u32 compat_call(void *fn, u32 arg);

/* Calls 32-bit code with paging and long mode off and no use for the IDT; then comes back. */
void rm_run(void *fn);

struct idt_gate {
	u16 off0, sel;
	u8 ist, type;
	u16 off1;
	u32 off2, zero;
} __attribute__((packed));

extern struct idt_gate idt[256];
extern u64 gdt[];
extern void *trap_entry[256];

struct tss64 {
	u32 r0;
	u64 rsp[3];
	u64 r1;
	u64 ist[7];
	u64 r2;
	u16 r3, iopb;
	u8 io_bitmap[33];	/* ports 0 to 0xff, all denied until a test clears bits */
} __attribute__((packed));

extern struct tss64 tss[MAX_CPUS];
u32 this_cpu(void);
void cpu_setup(u32 cpu);

static inline int wrmsr_try(u32 msr, u64 v)
{
	return TRY("wrmsr", :: "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline int rdmsr_try(u32 msr, u64 *v)
{
	u32 lo = 0, hi = 0;
	int vec = TRY("rdmsr", : "+a"(lo), "+d"(hi) : "c"(msr) : "memory");

	*v = lo | (u64)hi << 32;
	return vec;
}

#endif
