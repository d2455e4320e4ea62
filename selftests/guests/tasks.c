// SPDX-License-Identifier: GPL-2.0
/*
 * Task switches through a TSS, by JMP, CALL, IRET and task gates, without paging and with both
 * kinds of it that 32-bit mode has. With the test device the TSSes are not in the nested page
 * table when they are needed.
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"
#include "lib/paging.h"

struct tss32 {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
	u32 eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, iomap;
};

struct tss16 {
	u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags;
	u16 ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};

/* Results, in tasks.S's order. */
enum { AFTER_EAX, AFTER_ESP = 4, AFTER_FLAGS = 8, AFTER_TR, AFTER_CR3, AFTER_DATA };

enum {
	SEEN_EAX, SEEN_ECX, SEEN_EDX, SEEN_EBX, SEEN_ESP, SEEN_EBP, SEEN_ESI, SEEN_EDI,
	SEEN_FLAGS, SEEN_TR, SEEN_CR3, SEEN_CR0, SEEN_DR7, SEEN_LDT, SEEN_ES = 15, SEEN_CS,
	SEEN_SS, SEEN_DS, SEEN_FS, SEEN_GS, SEEN_DATA, SEEN_TYPES, SEEN_WORD,
};

enum { F_VECTOR, F_ERROR, F_EIP, F_CS, F_FLAGS, F_TR, F_DR6, F_CR2 };

extern u8 tasks_enter[], act_jmp[], act_call[], act_int[], act_ud[], act_gp[], act_irq[],
	act_nmi[], act_df[], act_after[], task_entry[], task_again[], then_iret[], then_jmp[],
	then_leave[], task16_entry[], task16_end[], v86_code[], t_results[], t_results_end[];
extern struct {
	u16 limit;
	u32 base;
} __attribute__((packed)) t_gdtr, t_idtr;
extern const u32 fault_entry[20];
extern u32 t_cr3, t_cr4, t_dr7, t_flags, t_action, t_far[2], t_back[2], t_types, t_main_tss,
	t_then, t_pop, t_skip, t_eoi, t_nmi;
extern volatile u32 t_error, t_count, t_nested, t_returned, t_after[12], t_seen[24], t_fault[8];

enum {
	SEL_MAIN = SEL_TSS,
	SEL_B = SEL_MAIN + 8,
	SEL_GATE = SEL_B + 8,
	SEL_LDT = SEL_GATE + 8,
	SEL_B16 = SEL_LDT + 8,
	SEL_ABSENT_CODE = SEL_B16 + 8,
	SEL_ABSENT_DATA = SEL_ABSENT_CODE + 8,
	SEL_UNREADABLE = SEL_ABSENT_DATA + 8,
	SEL_CODE16 = SEL_UNREADABLE + 8,
	SEL_STACK16 = SEL_CODE16 + 8,
	SEL_ABSENT_TSS = SEL_STACK16 + 8,
	SEL_SHORT_TSS = SEL_ABSENT_TSS + 8,
	SEL_FRESH = SEL_SHORT_TSS + 8,
	SEL_END = SEL_FRESH + 8,
	/* In the LDT. */
	SEL_L_DATA = 0x4,
	SEL_L_CODE = 0xc,
};

#define DATA 0x40000000u
#define NT BIT(14)
#define VM BIT(17)
#define TS BIT(3)
#define V86_CODE 0x10000ull

static u64 tgdt[SEL_END / 8] __aligned(16), tidt[256] __aligned(16), ldt[4] __aligned(16);
static struct tss32 *a, *b;
static struct tss16 *b16;
static u8 stack_a[4096] __aligned(16), stack_b[4096] __aligned(16), stack16[4096] __aligned(16);
static u32 words[2] = { 0x11111111, 0x600dda7a };
/* CR3 of both tasks, 0 without paging, and what they see at DATA. */
static u32 cr3_a, cr3_b, data_a, data_b;
static const char *mode;
static bool dev;

static u64 descriptor(u64 base, u32 limit, u16 attrib)
{
	return (limit & 0xffff) | (base & 0xffffff) << 16 | (u64)(attrib & 0xff) << 40 |
	       (u64)(limit >> 16 & 0xf) << 48 | (u64)(attrib >> 8) << 52 | (base >> 24) << 56;
}

static u8 type_of(u32 sel)
{
	return tgdt[sel / 8] >> 40 & 0x1f;
}

static void task_gate(u8 vector, u16 sel)
{
	tidt[vector] = (u64)sel << 16 | 0x85ull << 40;
}

static void interrupt_gate(u8 vector, u32 entry)
{
	tidt[vector] = (entry & 0xffff) | SEL_KCODE32 << 16 | 0x8eull << 40 |
		       (u64)(entry >> 16) << 48;
}

static void reset_tables(void)
{
	u32 i;

	memcpy(tgdt, gdt, SEL_TSS);
	tgdt[SEL_MAIN / 8] = descriptor((u64)a, sizeof(*a) - 1, 0x89);
	tgdt[SEL_B / 8] = descriptor((u64)b, sizeof(*b) - 1, 0x89);
	tgdt[SEL_GATE / 8] = (u64)SEL_B << 16 | 0x85ull << 40;
	tgdt[SEL_LDT / 8] = descriptor((u64)ldt, sizeof(ldt) - 1, 0x82);
	tgdt[SEL_B16 / 8] = descriptor((u64)b16, sizeof(*b16) - 1, 0x81);
	tgdt[SEL_ABSENT_CODE / 8] = descriptor(0, 0xfffff, 0xc1b);
	tgdt[SEL_ABSENT_DATA / 8] = descriptor(0, 0xfffff, 0xc13);
	tgdt[SEL_UNREADABLE / 8] = descriptor(0, 0xfffff, 0xc99);
	tgdt[SEL_CODE16 / 8] = descriptor((u64)task16_entry, 0xffff, 0x49b);
	tgdt[SEL_STACK16 / 8] = descriptor((u64)stack16, 0xffff, 0x093);
	tgdt[SEL_ABSENT_TSS / 8] = descriptor((u64)b, sizeof(*b) - 1, 0x09);
	tgdt[SEL_SHORT_TSS / 8] = descriptor((u64)b, sizeof(*b) - 2, 0x89);
	tgdt[SEL_FRESH / 8] = descriptor(0, 0xfffff, 0xc92);
	ldt[SEL_L_DATA / 8] = descriptor((u64)words, sizeof(words) - 1, 0x492);
	ldt[SEL_L_CODE / 8] = descriptor(0, 0xfffff, 0xc9b);
	for (i = 0; i < ARRAY_SIZE(fault_entry); i++)
		if (fault_entry[i])
			interrupt_gate(i, fault_entry[i]);
	t_gdtr.limit = sizeof(tgdt) - 1;
	t_gdtr.base = (u64)tgdt;
	t_idtr.limit = sizeof(tidt) - 1;
	t_idtr.base = (u64)tidt;
}

/* All as a test begins with; it changes what it wants to be different. */
static void reset(void)
{
	static const struct tss32 plain = {
		.link = 0xdead, .ss0 = SEL_KDATA, .eflags = 0x0c5,
		.eax = 0xb0, .ecx = 0xb1, .edx = 0xb2, .ebx = 0xb3, .ebp = 0xb5, .esi = 0xb6,
		.edi = 0xb7, .es = SEL_KDATA, .cs = SEL_KCODE32, .ss = SEL_KDATA, .ds = SEL_KDATA,
		.fs = SEL_KDATA, .iomap = sizeof(plain),
	};

	reset_tables();
	memset(a, 0, sizeof(*a));
	a->ss0 = SEL_KDATA;
	a->cr3 = cr3_a;
	a->esp0 = (u64)stack_a + sizeof(stack_a);
	*b = plain;
	b->esp0 = (u64)stack_b + sizeof(stack_b) / 2;
	b->esp = (u64)stack_b + sizeof(stack_b);
	b->cr3 = cr3_b;
	b->eip = (u64)task_entry;
	memset(t_results, 0, t_results_end - t_results);
	t_cr3 = cr3_a;
	t_dr7 = 0;
	t_flags = 0x802;			/* OF */
	t_far[1] = SEL_B;
	t_back[1] = SEL_MAIN;
	t_types = (u64)&tgdt[SEL_MAIN / 8];
	t_main_tss = (u64)a;
	t_then = (u64)then_iret;
	t_pop = 0;
	t_skip = 0;
	t_eoi = 0;
	t_nmi = 0;
}

static void run(void *action)
{
	t_action = (u64)action;
	if (dev) {
		testdev_unmap((u64)a);
		testdev_unmap((u64)b);
		testdev_unmap((u64)b + sizeof(*b));
		testdev_unmap((u64)tgdt);
	}
	rm_run(tasks_enter);
	gdt[SEL_TSS / 8] &= ~BIT(41);
	__asm__ __volatile__("ltr %w0" :: "r"(SEL_TSS));
}

#define eq(got, want, what) ok_eq(got, want, "%s: %s: %s", mode, name, what)

/* The first task's registers as it was left, at @eip. */
static void check_saved(const char *name, void *eip)
{
	u32 esp = a->esp;

	eq(a->eip, (u32)(u64)eip, "EIP is saved");
	ok(a->eax == 0xa0a0a0a0 && a->ecx == 0xc0c0c0c0 && a->edx == 0xd0d0d0d0 &&
	   a->ebx == 0xb0b0b0b0 && a->ebp == 0xbebebebe && a->esi == 0x51515151 &&
	   a->edi == 0xd1d1d1d1 && esp, "%s: %s: registers are saved", mode, name);
	ok((u16)a->es == SEL_KDATA && (u16)a->cs == SEL_KCODE32 && (u16)a->ss == SEL_KDATA &&
	   (u16)a->ds == SEL_KDATA && (u16)a->fs == SEL_KDATA && (u16)a->gs == SEL_KDATA,
	   "%s: %s: segments are saved", mode, name);
	ok((a->eflags & ~RFLAGS_RF) == 0x802, "%s: %s: EFLAGS 0x%x are saved", mode, name,
	   a->eflags);
}

/* The second task's registers as it started. */
static void check_seen(const char *name, bool nested, u32 pushed)
{
	eq(t_seen[SEEN_TR], SEL_B, "TR");
	ok(t_seen[SEEN_EAX] == 0xb0 && t_seen[SEEN_ECX] == 0xb1 && t_seen[SEEN_EDX] == 0xb2 &&
	   t_seen[SEEN_EBX] == 0xb3 && t_seen[SEEN_EBP] == 0xb5 && t_seen[SEEN_ESI] == 0xb6 &&
	   t_seen[SEEN_EDI] == 0xb7, "%s: %s: registers", mode, name);
	eq(t_seen[SEEN_ESP], (u32)(u64)stack_b + sizeof(stack_b) - pushed, "ESP");
	eq(t_seen[SEEN_FLAGS], 0xc7u | (nested ? NT : 0), "EFLAGS");
	ok(t_seen[SEEN_ES] == SEL_KDATA && t_seen[SEEN_CS] == SEL_KCODE32 &&
	   t_seen[SEEN_SS] == SEL_KDATA && t_seen[SEEN_DS] == SEL_KDATA &&
	   t_seen[SEEN_FS] == SEL_KDATA && !t_seen[SEEN_GS], "%s: %s: segments", mode, name);
	eq(t_seen[SEEN_CR3], cr3_a ? cr3_b : t_seen[SEEN_CR3], "CR3");
	if (cr3_a)
		eq(t_seen[SEEN_DATA], data_b, "memory");
	ok(t_seen[SEEN_CR0] & TS, "%s: %s: CR0.TS", mode, name);
	eq(t_seen[SEEN_TYPES], nested ? 0x8b8b : 0x8b89, "which is busy");
}

/* The first task goes on as if nothing had been. */
static void check_returned(const char *name)
{
	eq(t_returned, 1, "the first task goes on");
	eq(t_after[AFTER_TR], SEL_MAIN, "TR afterwards");
	eq(t_after[AFTER_EAX], 0xa0a0a0a0, "EAX afterwards");
	eq(t_after[AFTER_EAX + 6], 0x51515151, "ESI afterwards");
	eq(t_after[AFTER_FLAGS] & ~(RFLAGS_IF | RFLAGS_ARITH), 2, "EFLAGS afterwards");
	eq(t_after[AFTER_ESP], a->esp, "ESP afterwards");
	if (cr3_a) {
		eq(t_after[AFTER_CR3], cr3_a, "CR3 afterwards");
		eq(t_after[AFTER_DATA], data_a, "memory afterwards");
	}
	ok(type_of(SEL_MAIN) == 0xb && type_of(SEL_B) == 9, "%s: %s: which is busy afterwards",
	   mode, name);
}

static void test_jmp(void)
{
	const char *name = "JMP";

	reset();
	t_then = (u64)then_leave;
	t_dr7 = 0x409;				/* L0 and G1 */
	run(act_jmp);
	check_seen(name, false, 0);
	check_saved(name, act_jmp + 6);
	eq(t_seen[SEEN_DR7] & 0xff, 8, "local breakpoints are off");
	eq(b->link, 0xdead, "no link");

	name = "JMP, JMP";
	reset();
	t_then = (u64)then_jmp;
	run(act_jmp);
	eq(t_count, 1, "the second task ran");
	check_returned(name);
}

static void test_call(void *action, u32 sel, const char *name)
{
	reset();
	t_far[1] = sel;
	run(action);
	eq(t_count, 1, "the second task ran");
	check_seen(name, true, 0);
	check_saved(name, action + (action == act_int ? 2 : 6));
	check_returned(name);
	eq(b->link, SEL_MAIN, "link");
	eq(b->eip, (u32)(u64)task_again, "EIP of the one that returned");
	eq(b->eflags & NT, 0, "NT is clear in it");
}

static void test_exceptions(void)
{
	const char *name = "#UD by a task gate";

	reset();
	task_gate(6, SEL_B);
	t_skip = 2;
	run(act_ud);
	eq(t_count, 1, "the second task ran");
	check_seen(name, true, 0);
	eq(a->eip, (u32)(u64)act_ud + 2, "EIP is saved");
	check_returned(name);

	name = "#GP by a task gate";
	reset();
	task_gate(13, SEL_B);
	t_pop = 1;
	t_skip = 2;
	run(act_gp);
	eq(t_count, 1, "the second task ran");
	check_seen(name, true, 4);
	eq(t_error, 0xa0a0, "error code");
	check_returned(name);

	name = "interrupt by a task gate";
	reset();
	task_gate(0x61, SEL_B);
	t_eoi = 1;
	run(act_irq);
	eq(t_count, 1, "the second task ran");
	check_seen(name, true, 0);
	eq(t_returned, 1, "the first task goes on");
	ok(t_after[AFTER_FLAGS] & RFLAGS_IF, "%s: %s: IF afterwards", mode, name);

	name = "NMI by a task gate";
	reset();
	task_gate(2, SEL_B);
	t_nmi = 1;
	run(act_nmi);
	eq(t_count, 2, "the second task ran");
	eq(t_nested, 0, "another NMI waits for its IRET");
	check_returned(name);

	if (!cr3_a)
		return;
	name = "#DF by a task gate";
	reset();
	task_gate(8, SEL_B);
	t_pop = 1;
	t_then = (u64)then_leave;
	run(act_df);
	eq(t_seen[SEEN_TR], SEL_B, "TR");
	eq(t_error, 0, "error code");
	eq(a->esp, 0x50000800u, "ESP is saved");
}

static void test_ldt(void)
{
	const char *name = "segments of an LDT";

	reset();
	b->ldt = SEL_LDT;
	b->ds = SEL_L_DATA;
	b->cs = SEL_L_CODE;
	b->es = SEL_FRESH;
	run(act_call);
	eq(t_count, 1, "the second task ran");
	eq(t_seen[SEEN_LDT], SEL_LDT, "LDTR");
	eq(t_seen[SEEN_CS], SEL_L_CODE, "CS");
	eq(t_seen[SEEN_DS], SEL_L_DATA, "DS");
	eq(t_seen[SEEN_WORD], words[1], "what it sees through DS");
	if (on_tcg())
		skip("TCG does not set them", "%s: %s: accessed bits", mode, name);
	else
		ok(type_of(SEL_FRESH) & 1 && ldt[0] & BIT(40), "%s: %s: accessed bits", mode, name);
	check_returned(name);
}

static void test_narrow(void)
{
	const char *name = "16-bit TSS";

	reset();
	memset(b16, 0, sizeof(*b16));
	b16->flags = 0x83;
	b16->ax = 0x1234;
	b16->cx = 0x5678;
	b16->di = 0x9abc;
	b16->sp = 0x800;
	b16->cs = SEL_CODE16;
	b16->ss = SEL_STACK16;
	b16->ds = SEL_KDATA;
	b16->es = SEL_KDATA;
	t_far[1] = SEL_B16;
	run(act_call);
	eq(t_count, 1, "the second task ran");
	eq(t_seen[SEEN_TR], SEL_B16, "TR");
	ok(t_seen[SEEN_EAX] == 0x1234 && t_seen[SEEN_ECX] == 0x5678 && t_seen[SEEN_EDI] == 0x9abc &&
	   t_seen[SEEN_ESP] == 0x800, "%s: %s: registers", mode, name);
	eq(t_seen[SEEN_FLAGS] & 0xffff, 0x83 | NT, "FLAGS");
	eq(t_seen[SEEN_SS], SEL_STACK16, "SS");
	eq(t_seen[SEEN_FS], 0, "FS");
	check_saved(name, act_call + 6);
	check_returned(name);
	eq(b16->link, SEL_MAIN, "link");
	eq(b16->ip, task16_end - task16_entry, "IP of the one that returned");
	eq(b16->sp, 0x800, "SP of it");
	eq(type_of(SEL_B16), 1, "which is busy afterwards");
}

static void test_v86(void)
{
	const char *name = "virtual-8086 mode";

	reset();
	memcpy((void *)V86_CODE, v86_code, 1);
	b->eflags = VM | 2;
	b->cs = V86_CODE >> 4;
	b->eip = 0;
	b->ss = V86_CODE >> 4;
	b->ds = V86_CODE >> 4;
	b->es = V86_CODE >> 4;
	b->fs = V86_CODE >> 4;
	b->gs = V86_CODE >> 4;
	run(act_jmp);
	eq(t_fault[F_VECTOR], 13, "HLT is refused");
	eq(t_fault[F_TR], SEL_B, "TR");
	eq(t_fault[F_CS], V86_CODE >> 4, "CS");
	eq(t_fault[F_EIP], 0, "EIP");
	ok(t_fault[F_FLAGS] & VM, "%s: %s: EFLAGS.VM", mode, name);
}

/* What a new task starts with when its state is not right: SDM vol. 3, table 8-1. */
static void test_bad_state(void)
{
	static const struct {
		const char *name;
		u32 cs, ss, ds, ldt, eip, vector, error;
	} bad[] = {
		{ "CS null", .cs = 1, .vector = 10 },
		{ "CS is data", .cs = SEL_KDATA, .vector = 10, .error = SEL_KDATA },
		{ "CS of ring 3, RPL 0", .cs = SEL_UCODE32, .vector = 10, .error = SEL_UCODE32 },
		{ "CS absent", .cs = SEL_ABSENT_CODE, .vector = 11, .error = SEL_ABSENT_CODE },
		{ "SS null", .ss = 1, .vector = 10 },
		{ "SS is code", .ss = SEL_KCODE32, .vector = 10, .error = SEL_KCODE32 },
		{ "SS of ring 3", .ss = SEL_UDATA | 3, .vector = 10, .error = SEL_UDATA },
		{ "SS absent", .ss = SEL_ABSENT_DATA, .vector = 12, .error = SEL_ABSENT_DATA },
		{ "DS unreadable", .ds = SEL_UNREADABLE, .vector = 10, .error = SEL_UNREADABLE },
		{ "DS absent", .ds = SEL_ABSENT_DATA, .vector = 11, .error = SEL_ABSENT_DATA },
		{ "DS is a TSS", .ds = SEL_MAIN, .vector = 10, .error = SEL_MAIN },
		{ "DS beyond the GDT", .ds = 0xff00, .vector = 10, .error = 0xff00 },
		{ "DS of an LDT, without one", .ds = 0x0c, .vector = 10, .error = 0x0c },
		{ "LDT is code", .ldt = SEL_KCODE32, .vector = 10, .error = SEL_KCODE32 },
		{ "LDT beyond the GDT", .ldt = 0xff00, .vector = 10, .error = 0xff00 },
	};
	const char *name;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		name = bad[i].name;
		if (on_tcg() && bad[i].vector == 12) {
			skip("TCG raises #NP", "%s: %s", mode, name);
			continue;
		}
		reset();
		/* A null selector is 1 here, 0 leaves the right one. */
		if (bad[i].cs)
			b->cs = bad[i].cs & ~1u;
		if (bad[i].ss)
			b->ss = bad[i].ss == 1 ? 0 : bad[i].ss;
		if (bad[i].ds)
			b->ds = bad[i].ds;
		b->ldt = bad[i].ldt;
		run(act_jmp);
		eq(t_fault[F_VECTOR], bad[i].vector, "vector");
		eq(t_fault[F_ERROR], bad[i].error, "error code");
		eq(t_fault[F_TR], SEL_B, "it is the new task's");
		eq(t_count, 0, "which did not run");
	}

	name = "EIP beyond CS";
	reset();
	b->cs = SEL_CODE16;
	b->eip = 0x10000;
	run(act_jmp);
	eq(t_fault[F_VECTOR], 13, "vector");
	eq(t_fault[F_TR], SEL_B, "it is the new task's");

	name = "TSS.T";
	if (on_tcg()) {
		skip("TCG does not look at it", "%s: %s", mode, name);
		return;
	}
	reset();
	b->trap = 1;
	run(act_jmp);
	eq(t_fault[F_VECTOR], 1, "vector");
	eq(t_fault[F_TR], SEL_B, "it is the new task's");
	eq(t_fault[F_EIP], b->eip, "EIP");
	ok(t_fault[F_DR6] & BIT(15), "%s: %s: DR6.BT", mode, name);
}

/* What the old task is told when there can be no switch. */
static void test_bad_tss(void)
{
	static const struct {
		const char *name;
		u32 sel, vector, error;
	} bad[] = {
		{ "TSS absent", SEL_ABSENT_TSS, 11, SEL_ABSENT_TSS },
		{ "TSS too short", SEL_SHORT_TSS, 10, SEL_SHORT_TSS },
		{ "TSS busy", SEL_MAIN, 13, SEL_MAIN },
		{ "TSS beyond the GDT", 0xff00, 13, 0xff00 },
	};
	const char *name;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		name = bad[i].name;
		reset();
		t_far[1] = bad[i].sel;
		run(act_jmp);
		eq(t_fault[F_VECTOR], bad[i].vector, "vector");
		eq(t_fault[F_ERROR], bad[i].error, "error code");
		eq(t_fault[F_TR], SEL_MAIN, "it is the old task's");
		eq(t_fault[F_EIP], (u32)(u64)act_jmp, "EIP");
		eq(type_of(SEL_MAIN), 0xb, "which is busy");
	}
	if (!cr3_a)
		return;
	name = "TSS in no page";
	reset();
	tgdt[SEL_B / 8] = descriptor(0x50000000, sizeof(*b) - 1, 0x89);
	run(act_jmp);
	eq(t_fault[F_VECTOR], 14, "vector");
	eq(t_fault[F_CR2] & PAGE_MASK, 0x50000000, "CR2");
	eq(t_fault[F_TR], SEL_MAIN, "it is the old task's");
	eq(type_of(SEL_B), 9, "the other is not busy");
}

static void test_all(const char *how)
{
	mode = how;
	test_jmp();
	test_call(act_call, SEL_B, "CALL");
	test_call(act_call, SEL_GATE, "CALL of a task gate");
	reset();
	task_gate(0x60, SEL_B);
	test_call(act_int, SEL_B, "INT to a task gate");
	test_exceptions();
	test_ldt();
	test_narrow();
	test_v86();
	test_bad_state();
	test_bad_tss();
}

/* Two-level tables: 4 MiB pages, one 4 KiB page at DATA, nothing at 0x50000000. */
static u32 make_legacy(u32 data)
{
	u32 *pd = alloc_pages(1), *pt = alloc_pages(1), i;

	for (i = 0; i < 1024; i++)
		pd[i] = i << 22 | 0x83;
	pt[0] = data | 3;
	pd[V86_CODE >> 22] |= PTE_U;
	pd[DATA >> 22] = (u32)(u64)pt | 3;
	pd[0x50000000u >> 22] = 0;
	return (u64)pd;
}

/* Three-level tables: the same with 2 MiB pages. */
static u32 make_pae(u32 data)
{
	u64 *pdpt = alloc_pages(1), *pd = alloc_pages(4), *pt = alloc_pages(1), i;

	for (i = 0; i < 2048; i++)
		pd[i] = i << 21 | 0x83;
	for (i = 0; i < 4; i++)
		pdpt[i] = (u64)(pd + 512 * i) | 1;
	pt[0] = data | 3;
	pd[V86_CODE >> 21] |= PTE_U;
	pd[DATA >> 21] = (u64)pt | 3;
	pd[0x50000000u >> 21] = 0;
	return (u64)pdpt;
}

void guest_main(void)
{
	u32 *page_a = alloc_pages(1), *page_b = alloc_pages(1);
	u8 *pages = alloc_pages(4);

	dev = have_testdev();
	apic_setup();
	a = (void *)pages;
	/* Over the border of two pages. */
	b = (void *)(pages + 2 * PAGE_SIZE - 40);
	b16 = (void *)(pages + 3 * PAGE_SIZE);
	data_a = *page_a = 0xaaaa0001;
	data_b = *page_b = 0xbbbb0002;

	test_all("no paging");
	cr3_a = make_legacy((u64)page_a);
	cr3_b = make_legacy((u64)page_b);
	t_cr4 = CR4_PSE;
	test_all("32-bit paging");
	cr3_a = make_pae((u64)page_a);
	cr3_b = make_pae((u64)page_b);
	t_cr4 = CR4_PAE;
	test_all("PAE paging");
}
