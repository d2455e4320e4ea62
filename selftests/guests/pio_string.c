// SPDX-License-Identifier: GPL-2.0
/* INS and OUTS against the test device's 4-byte latch: sizes, counts, directions, faults. */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/paging.h"
#include "lib/apic.h"

struct str {
	u64 mem, rcx;	/* RSI or RDI, and the count */
	u64 rflags;
};

#define STRING_OP(name, insn, reg)						\
static int name(struct str *s, bool down)					\
{										\
	u64 mem = s->mem, rcx = s->rcx, fl;					\
	trap_clear();								\
	if (down)								\
		__asm__ __volatile__("std");					\
	__asm__ __volatile__(SAFE(insn) "pushfq; cld; popq %2"			\
			     : "+" reg(mem), "+c"(rcx), "=r"(fl)		\
			     : "d"(TD_LATCH) : "memory");			\
	s->mem = mem;								\
	s->rcx = rcx;								\
	s->rflags = fl;								\
	return trap_vector();							\
}

STRING_OP(outs1, "outsb", "S")
STRING_OP(outs2, "outsw", "S")
STRING_OP(outs4, "outsl", "S")
STRING_OP(rep_outs1, "rep outsb", "S")
STRING_OP(rep_outs2, "rep outsw", "S")
STRING_OP(rep_outs4, "rep outsl", "S")
STRING_OP(repne_outs4, ".byte 0xf2; outsl", "S")
STRING_OP(addr32_outs4, "addr32 rep outsl", "S")
STRING_OP(rexw_outs4, ".byte 0xf3, 0x48, 0x6f", "S")
STRING_OP(fs_outs2, ".byte 0x64; rep outsw", "S")
STRING_OP(es_outs1, ".byte 0x26; outsb", "S")
STRING_OP(ins1, "insb", "D")
STRING_OP(ins2, "insw", "D")
STRING_OP(ins4, "insl", "D")
STRING_OP(rep_ins1, "rep insb", "D")
STRING_OP(rep_ins2, "rep insw", "D")
STRING_OP(rep_ins4, "rep insl", "D")
STRING_OP(repne_ins1, ".byte 0xf2; insb", "D")
STRING_OP(addr32_ins2, "addr32 rep insw", "D")
STRING_OP(fs_ins4, ".byte 0x64; insl", "D")

typedef int (*string_op)(struct str *s, bool down);

static const string_op outs[] = { outs1, outs2, outs4 };
static const string_op rep_outs[] = { rep_outs1, rep_outs2, rep_outs4 };
static const string_op ins[] = { ins1, ins2, ins4 };
static const string_op rep_ins[] = { rep_ins1, rep_ins2, rep_ins4 };

static u8 *area;	/* four virtual pages on scattered physical ones */
static u64 phys[4];
static u64 seed = 1;

static void fill(void)
{
	u32 i;

	for (i = 0; i < 4 * PAGE_SIZE; i++)
		area[i] = random_next(&seed);
}

static u32 element(u64 at, u32 size)
{
	u32 v = 0;

	memcpy(&v, (void *)at, size);
	return v;
}

static u32 latch(u32 size)
{
	return size == 1 ? inb(TD_LATCH) : size == 2 ? inw(TD_LATCH) : inl(TD_LATCH);
}

static void *hide_page;	/* taken away right before the instruction */
static u64 hide_bits;

static void hide(void)
{
	if (hide_page)
		pte_change(hide_page, 0, hide_bits);
}

/* One OUTS in one setting; the latch must hold the last element afterwards. */
static void out_case(string_op op, u32 size, u64 at, u64 count, bool rep, bool down,
		     const char *what)
{
	struct str s = { at, count, 0 };
	u64 n = rep ? count : 1, step = down ? -(u64)size : size;
	u32 before = 0xa5a5a5a5, want;
	int vec;

	outl(TD_LATCH, before);
	hide();
	vec = op(&s, down);
	want = n ? element(at + (n - 1) * step, size) : before & (~0u >> (32 - 8 * size));
	if (!ok(vec == NO_TRAP && s.mem == at + n * step && s.rcx == (rep ? 0 : count) &&
		latch(size) == want, "outs%u %s count %llu%s", size, what, count,
		down ? " down" : ""))
		diag("vector %d, memory +0x%llx, rcx 0x%llx, latch 0x%x want 0x%x", vec,
		     s.mem - at, s.rcx, latch(size), want);
}

/* One INS; exactly the elements asked for must be filled, their neighbours kept. */
static void in_case(string_op op, u32 size, u64 at, u64 count, bool rep, bool down,
		    const char *what)
{
	struct str s = { at, count, 0 };
	u64 n = rep ? count : 1, step = down ? -(u64)size : size, i, bad = 0;
	u64 first = down && n ? at - (n - 1) * size : at;
	u8 low, high;
	u32 value = random_next(&seed) | 0x01010101, want = value & (~0u >> (32 - 8 * size));
	int vec;

	low = ((u8 *)first)[-1];
	high = ((u8 *)first)[n * size];
	outl(TD_LATCH, value);
	hide();
	vec = op(&s, down);
	for (i = 0; i < n; i++)
		bad += element(first + i * size, size) != want;
	if (!ok(vec == NO_TRAP && s.mem == at + n * step && s.rcx == (rep ? 0 : count) && !bad &&
		((u8 *)first)[-1] == low && ((u8 *)first)[n * size] == high,
		"ins%u %s count %llu%s", size, what, count, down ? " down" : ""))
		diag("vector %d, memory +0x%llx, rcx 0x%llx, %llu elements wrong", vec,
		     s.mem - at, s.rcx, bad);
}

static void test_plain(void)
{
	static const u32 counts[] = { 0, 1, 2, 5, 100, 300 };
	u64 mid = (u64)area + PAGE_SIZE, at;
	u32 k, i, size;

	for (k = 0, size = 1; k < 3; k++, size *= 2) {
		at = (u64)area + 64;
		out_case(outs[k], size, at, 77, false, false, "single");
		out_case(outs[k], size, at, 77, false, true, "single");
		in_case(ins[k], size, at, 77, false, false, "single");
		in_case(ins[k], size, at, 77, false, true, "single");
		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			out_case(rep_outs[k], size, at, counts[i], true, false, "rep");
			in_case(rep_ins[k], size, at, counts[i], true, false, "rep");
		}
		out_case(rep_outs[k], size, mid + 400, 200, true, true, "rep over a page");
		in_case(rep_ins[k], size, mid + 400, 200, true, true, "rep over a page");
		out_case(rep_outs[k], size, mid - 3, 8, true, false, "rep, element over pages");
		in_case(rep_ins[k], size, mid - 3, 8, true, false, "rep, element over pages");
		out_case(outs[k], size, mid - 1, 8, false, false, "element over pages");
		in_case(ins[k], size, mid - 1, 8, false, false, "element over pages");
		out_case(rep_outs[k], size, mid + 5, 8, true, true, "rep, element over pages");
		in_case(rep_ins[k], size, mid + 5, 8, true, true, "rep, element over pages");
	}
}

static void test_prefixes(void)
{
	u64 at = (u64)area + 128, low;
	struct str s;
	int vec;

	out_case(repne_outs4, 4, at, 7, true, false, "f2 as rep");
	in_case(repne_ins1, 1, at, 7, true, false, "f2 as rep");
	out_case(rexw_outs4, 4, at, 7, true, false, "rex.w");
	out_case(es_outs1, 1, at, 7, false, false, "es override");
	in_case(fs_ins4, 4, at, 7, false, false, "fs override has no effect");
	wrmsr(MSR_FS_BASE, at - 0x1000);
	outl(TD_LATCH, 0);
	s = (struct str){ 0x1000 - 64, 5, 0 };
	vec = fs_outs2(&s, false);
	ok(vec == NO_TRAP && s.mem == 0x1000 - 64 + 10 && !s.rcx &&
	   inw(TD_LATCH) == element(at - 64 + 8, 2), "outs2 rep with FS base");
	wrmsr(MSR_FS_BASE, 0);

	/* With address size 32 only ESI, EDI, ECX count, and the upper halves are cleared. */
	low = (u64)alloc_pages(1) + 64;
	memcpy((void *)low, area, 64);
	s = (struct str){ low | 0xabcd00000000, 3 | 0x500000000, 0 };
	vec = addr32_outs4(&s, false);
	ok(vec == NO_TRAP && s.mem == low + 12 && !s.rcx && inl(TD_LATCH) == element(low + 8, 4),
	   "outs4 addr32 rep ignores upper halves");
	outl(TD_LATCH, 0x13579bdf);
	s = (struct str){ low | 0xabcd00000000, 3 | 0x500000000, 0 };
	vec = addr32_ins2(&s, false);
	ok(vec == NO_TRAP && s.mem == low + 6 && !s.rcx && element(low + 4, 2) == 0x9bdf,
	   "ins2 addr32 rep ignores upper halves");
}

static u32 faults;
static struct trap_info seen;
static u64 fault_set;

/* Lets the access through and returns to the instruction. */
static void on_fault(struct regs *r)
{
	faults++;
	seen = (struct trap_info){
		.error = r->error, .cr2 = read_cr2(), .rcx = r->rcx, .rsi = r->rsi, .rdi = r->rdi,
	};
	if (faults > 10)
		guest_die("the same fault again and again at 0x%llx", seen.cr2);
	pte_change((void *)seen.cr2, fault_set, 0);
}

static void fault_case(string_op op, bool in, u32 size, u64 skew, u64 clear, u64 error)
{
	u64 edge = (u64)area + 2 * PAGE_SIZE, at = edge - 6 * size - skew, done = 6;
	u64 mem;

	fill();
	hide_page = (void *)edge;
	hide_bits = clear;
	fault_set = clear;
	faults = 0;
	trap_handler(PF_VECTOR, on_fault);
	if (in)
		in_case(op, size, at, 20, true, false, "rep, fault on the way, goes on");
	else
		out_case(op, size, at, 20, true, false, "rep, fault on the way, goes on");
	trap_handler(PF_VECTOR, NULL);
	hide_page = NULL;
	mem = in ? seen.rdi : seen.rsi;
	if (!ok(faults == 1 && seen.cr2 == edge && seen.error == error && seen.rcx == 20 - done &&
		mem == at + done * size, "... one #PF, registers tell the progress"))
		diag("%u faults, cr2 +0x%llx error 0x%llx rcx %llu memory +0x%llx", faults,
		     seen.cr2 - edge, seen.error, seen.rcx, mem - at);
}

static void test_faults(void)
{
	u32 k, size;

	for (k = 0, size = 1; k < 3; k++, size *= 2) {
		fault_case(rep_outs[k], false, size, 0, PTE_P, 0);
		fault_case(rep_ins[k], true, size, 0, PTE_P, PF_W);
		fault_case(rep_ins[k], true, size, 0, PTE_W, PF_W | PF_P);
		if (size == 1)
			continue;
		fault_case(rep_outs[k], false, size, size / 2, PTE_P, 0);
		fault_case(rep_ins[k], true, size, size / 2, PTE_P, PF_W);
	}
}

static u64 user_ins(u64 at)
{
	struct str s = { at, 3, 0 };

	return rep_ins1(&s, false);
}

static u64 user_outs(u64 at)
{
	struct str s = { at, 3, 0 };

	return rep_outs1(&s, false);
}

static void test_user(void)
{
	u64 at = (u64)area + 256;
	u32 value = 0x42;

	ok_eq((u32)user_call(user_ins, at), GP_VECTOR, "ring 3: INS of a denied port raises 13");
	ok_eq((u32)user_call(user_outs, at), GP_VECTOR, "ring 3: OUTS to a denied port raises 13");
	tss[0].io_bitmap[TD_LATCH / 8] = 0xf0;
	outb(TD_LATCH, value);
	ok_eq((int)user_call(user_ins, at), NO_TRAP, "ring 3: INS of an allowed port");
	ok_eq(area[258], value, "... stores the value");
	ok_eq((int)user_call(user_outs, at + 1), NO_TRAP, "ring 3: OUTS to an allowed port");
	pte_change(area, 0, PTE_U);
	ok_eq((u32)user_call(user_ins, at), PF_VECTOR,
	      "ring 3: INS to a supervisor page raises 14");
	ok_eq(trap_last()->error, PF_P | PF_W | PF_U, "... error code 7");
	pte_change(area, PTE_U, 0);
	tss[0].io_bitmap[TD_LATCH / 8] = 0xff;
	ok_eq((u32)user_call(user_ins, 0x800000000000), GP_VECTOR,
	      "ring 3: denied port comes before the address");
}

static volatile u32 ticks;

static void on_tick(struct regs *r)
{
	ticks++;
	apic_eoi();
}

static void test_interrupted(void)
{
	u64 at = (u64)area + 32;
	u32 i;

	trap_handler(0x40, on_tick);
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, 0x40 | LVTT_PERIODIC);
	apic_write(APIC_TMICT, 50000);
	sti();
	for (i = 0; i < 8; i++) {
		out_case(rep_outs1, 1, at, 200 + i, true, false, "rep under interrupts");
		in_case(rep_ins2, 2, at, 200 + i, true, false, "rep under interrupts");
	}
	ok(wait_for(ticks, 1000000), "the timer ran");
	cli();
	apic_write(APIC_LVTT, LVT_MASKED);
	trap_handler(0x40, NULL);
}

void guest_main(void)
{
	u32 i;

	if (!have_testdev())
		guest_skip_all("no test device");
	apic_setup();
	area = alloc_va(4);
	for (i = 0; i < 4; i++) {
		phys[i] = (u64)alloc_pages(2);
		map_page(area + i * PAGE_SIZE, phys[i], PTE_P | PTE_W | PTE_U);
	}
	fill();
	test_plain();
	test_prefixes();
	test_faults();
	test_user();
	test_interrupted();
}
