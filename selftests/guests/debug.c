// SPDX-License-Identifier: GPL-2.0
/* Breakpoints in DR0-3 and single steps across instructions that a hypervisor emulates. */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"

#define DR6_INIT 0xffff0ff0ull
#define DR6_BS BIT(14)
#define DR7_INIT 0x400ull

static volatile u32 steps;
static u64 rips[64], dr6s[64];
static bool set_rf;

static void on_db(struct regs *r)
{
	if (steps < ARRAY_SIZE(rips)) {
		rips[steps] = r->rip;
		dr6s[steps] = read_dr6();
	}
	steps++;
	write_dr6(DR6_INIT);
	if (set_rf)
		r->rflags |= RFLAGS_RF;
	if (steps > 1000)
		guest_die("debug exceptions without end at 0x%llx", r->rip);
}

static void clear(void)
{
	steps = 0;
	set_rf = false;
	write_dr6(DR6_INIT);
}

/*
 * Runs one instruction with TF set by POPF, which itself is not trapped: the first #DB is behind
 * the instruction, three more are behind those that clear TF again.
 */
#define STEP(name, insn, ...) do {						\
	u64 __after;								\
	clear();								\
	__asm__ __volatile__("lea 772f(%%rip), %0\n"				\
		"pushfq; orq $0x100, (%%rsp); popfq\n"				\
		insn "\n772:\n"							\
		"pushfq; andq $~0x100, (%%rsp); popfq\n"			\
		: "=&r"(__after) __VA_ARGS__);					\
	if (!ok(steps >= 1 && rips[0] == __after && dr6s[0] & DR6_BS &&		\
		steps == 4, "step over %s: one #DB right behind it", name))	\
		diag("%u #DB, first at 0x%llx want 0x%llx, DR6 0x%llx", steps,	\
		     rips[0], __after, dr6s[0]);				\
} while (0)

static volatile u8 ram_byte;

static void test_step(void)
{
	STEP("nop", "nop", ::);
	STEP("cpuid", "cpuid", : "a"(0), "c"(0) : "rbx", "rdx");
	STEP("66 cpuid", ".byte 0x66; cpuid", : "a"(0), "c"(0) : "rbx", "rdx");
	STEP("rdmsr", "rdmsr", : "c"(MSR_EFER) : "rax", "rdx");
	STEP("wrmsr", "wrmsr", : "c"(MSR_KERNEL_GS_BASE), "a"(0), "d"(0));
	STEP("out", "outb %%al, $0x80", : "a"(0));
	STEP("in", "inb $0x80, %%al", :: "rax");
	STEP("mov from cr0", "mov %%cr0, %%rax", :: "rax");
	STEP("mov to cr3", "mov %%rax, %%cr3", : "a"(read_cr3()) : "memory");
	STEP("mov to cr8", "mov %%rax, %%cr8", : "a"(0ull));
	STEP("rdtsc", "rdtsc", :: "rax", "rdx");
	STEP("wbinvd", "wbinvd", ::);
	STEP("pause", "pause", ::);
	STEP("invlpg", "invlpg (%%rax)", : "a"(&ram_byte) : "memory");
	STEP("mov to RAM", "movb $1, (%%rax)", : "a"(&ram_byte) : "memory");
	STEP("mov from the LAPIC's window", "movl (%%rcx), %%eax",
	     : "c"(APIC_WINDOW + APIC_ID) : "rax", "memory");
	STEP("mov to the LAPIC's window", "movl %%eax, (%%rcx)",
	     : "c"(APIC_WINDOW + APIC_TPR), "a"(0) : "memory");
	STEP("add to the LAPIC's window", "addl $0, (%%rcx)",
	     : "c"(APIC_WINDOW + APIC_TPR) : "memory");
	if (cpuid(0x40000000, 0).b == 0x4b4d564b)
		STEP("a hypercall", HYPERCALL, : "a"(0x12345678) : "rbx", "memory");
	else
		skip("no KVM ABI here", "step over a hypercall");
}

static void test_step_rep(void)
{
	u64 mem = APIC_WINDOW + APIC_ID, cnt = 3;
	u32 n, i, same;

	if (plain_tcg()) {
		skip("TCG steps once more when the count is 0", "step over rep lods, rep outs");
		return;
	}
	clear();
	__asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq\n"
			     "rep lodsl\n"
			     "pushfq; andq $~0x100, (%%rsp); popfq\n"
			     : "+S"(mem), "+c"(cnt) :: "rax", "memory");
	for (i = 1, same = 0; i < steps && i < ARRAY_SIZE(rips); i++)
		same += rips[i] == rips[0];
	n = steps;
	ok(n == 6 && same == 1, "step over rep lods of MMIO: #DB after each round (%u, %u)", n,
	   same);
	ok_eq(cnt, 0, "... and all rounds done");
	if (!have_testdev()) {
		skip("no test device", "step over rep outs");
		return;
	}
	clear();
	mem = (u64)&ram_byte;
	cnt = 3;
	__asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq\n"
			     "rep outsb\n"
			     "pushfq; andq $~0x100, (%%rsp); popfq\n"
			     : "+S"(mem), "+c"(cnt) : "d"(TD_LATCH) : "memory");
	ok_eq(steps, 6, "step over rep outs: #DB after each round");
	ok_eq(cnt, 0, "... and all rounds done");
}

static volatile u64 watched __aligned(8);

static void test_breakpoints(void)
{
	u64 at, before;

	clear();
	set_rf = true;
	__asm__ __volatile__("lea 1f(%%rip), %0; mov %0, %%dr0; mov %1, %%dr7\n"
			     "1: nop; nop\n" : "=&r"(at) : "r"(DR7_INIT | 2) : "memory");
	write_dr7(DR7_INIT);
	ok(steps == 1 && rips[0] == at && dr6s[0] & 1,
	   "DR0: execution breakpoint before the instruction, once with RF");

	clear();
	set_rf = true;
	__asm__ __volatile__("lea 1f(%%rip), %0; mov %0, %%dr3; mov %1, %%dr7\n"
			     "xor %%eax, %%eax; xor %%ecx, %%ecx\n"
			     "1: cpuid\n"
			     : "=&r"(at) : "r"(DR7_INIT | BIT(7))
			     : "rax", "rbx", "rcx", "rdx", "memory");
	write_dr7(DR7_INIT);
	ok(steps == 1 && rips[0] == at && dr6s[0] & 8, "DR3: execution breakpoint on CPUID, once");

	/* RW = 1 (write), LEN = 2 (8 bytes) for DR1. */
	clear();
	write_dr1((u64)&watched);
	write_dr7(DR7_INIT | BIT(3) | 1ull << 20 | 2ull << 22);
	watched = 5;
	__asm__ __volatile__("1: nop");
	write_dr7(DR7_INIT);
	ok(steps == 1 && dr6s[0] & 2, "DR1: write breakpoint");
	clear();
	write_dr7(DR7_INIT | BIT(3) | 1ull << 20 | 2ull << 22);
	before = watched;
	write_dr7(DR7_INIT);
	ok(!steps && before == 5, "DR1: a read does not hit it");
	clear();
	write_dr2((u64)&watched + 4);
	write_dr7(DR7_INIT | BIT(5) | 3ull << 24 | 3ull << 26);
	before = *(volatile u32 *)((u64)&watched + 4);
	__asm__ __volatile__("nop");
	write_dr7(DR7_INIT);
	ok(steps == 1 && dr6s[0] & 4, "DR2: read and write breakpoint");
	cpuid(0, 0);
	ok(read_dr1() == (u64)&watched && read_dr2() == (u64)&watched + 4,
	   "debug registers are kept over exits");

	/* A data breakpoint that an exit comes after, before it can be lost. */
	clear();
	write_dr7(DR7_INIT | BIT(3) | 1ull << 20 | 2ull << 22);
	__asm__ __volatile__("movq $6, (%0); cpuid" :: "S"(&watched), "a"(0), "c"(0)
			     : "rbx", "rdx", "memory");
	write_dr7(DR7_INIT);
	ok(steps == 1 && dr6s[0] & 2, "DR1: write breakpoint right before CPUID");
}

static void test_misc(void)
{
	u64 at;

	clear();
	__asm__ __volatile__("lea 1f(%%rip), %0; .byte 0xf1; 1:" : "=r"(at) :: "memory");
	ok(steps == 1 && rips[0] == at, "ICEBP: one #DB behind it");
	clear();
	__asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq\n"
			     "mov %%ss, %%eax; mov %%eax, %%ss; nop\n"
			     "pushfq; andq $~0x100, (%%rsp); popfq\n" ::: "rax", "memory");
	ok_eq(steps, 5, "MOV SS holds the step back by one instruction");
	clear();
	trap_clear();
	__asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq\n"
			     SAFE("ud2")
			     "pushfq; andq $~0x100, (%%rsp); popfq\n" ::: "memory");
	ok_eq(trap_vector(), UD_VECTOR, "a fault comes before the step");
	clear();
	trap_clear();
	__asm__ __volatile__("pushfq; orq $0x100, (%%rsp); popfq\n"
			     SAFE("rdmsr")
			     "pushfq; andq $~0x100, (%%rsp); popfq\n"
			     :: "c"(plain_tcg() ? MSR_EFER : 0x12345678) : "rax", "rdx", "memory");
	if (plain_tcg())
		skip("TCG reads 0", "RDMSR's fault comes before the step");
	else
		ok(trap_vector() == GP_VECTOR && !steps, "RDMSR's fault comes before the step");
}

void guest_main(void)
{
	apic_setup();
	trap_handler(DB_VECTOR, on_db);
	test_step();
	test_step_rep();
	test_breakpoints();
	test_misc();
}
