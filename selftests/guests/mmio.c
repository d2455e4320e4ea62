// SPDX-License-Identifier: GPL-2.0
/*
 * Every instruction form that guests use on emulated memory: the same registers and data, once
 * on RAM and once on the test device's window, must come out the same. Also across page
 * boundaries inside the window and between RAM and the window.
 * Arguments: rounds=N (default 1: a window access may cost a millisecond), seed=N.
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/paging.h"
#include "lib/apic.h"
#include "mmio_forms.h"

struct ctx {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rflags, pad;
	u8 xmm0[16];
};

#define WINDOW 32	/* bytes that are set before and compared after each run */

void run_form(struct ctx *c, void *form);
extern const struct form __table_start[], __table_end[];

static u64 seed;

/* Where an operand lies: a window whose bytes are all in reach of plain 8-byte accesses. */
struct place {
	const char *name;
	u8 *window;
	u32 skew;	/* of the operand in the window */
};

static u8 scratch[64] __aligned(64);

static void load(u8 *window, const u64 *data)
{
	u32 i;

	for (i = 0; i < WINDOW / 8; i++)
		((volatile u64 *)window)[i] = data[i];
}

static void store(const u8 *window, u64 *data)
{
	u32 i;

	for (i = 0; i < WINDOW / 8; i++)
		data[i] = ((const volatile u64 *)window)[i];
}

/* Finds the 8-byte address in a moffs form's code and puts the operand's there. */
static void patch(u8 *code, u64 address)
{
	static const u64 marker = 0x1122334455667788;
	static u8 *last_code, *last_at;
	u32 i;

	if (code != last_code) {
		for (i = 0; i < 8; i++)
			if (!memcmp(code + i, &marker, 8))
				break;
		last_at = code + i;
		last_code = code;
	}
	memcpy(last_at, &address, 8);
}

static int run(const struct form *f, struct ctx *c, u8 *window, u32 skew, u64 *data)
{
	u64 operand = (u64)window + skew;
	int vec;

	load(window, data);
	if (f->opts & OPT_SRC) {
		c->rsi = operand;
		c->rdi = (u64)scratch + 16;
	} else if (f->opts & OPT_DST) {
		c->rdi = operand;
		c->rsi = (u64)scratch + 16;
	} else {
		c->rdi = operand;
		c->rsi = 0x1111222233334444;
	}
	if (f->opts & OPT_MOFFS)
		patch(f->code, operand);
	trap_clear();
	run_form(c, f->code);
	vec = trap_vector();
	if (f->opts & OPT_SRC)
		c->rsi -= operand;
	else
		c->rdi -= operand;
	store(window, data);
	return vec;
}

static void random_bytes(void *p, u32 n)
{
	u64 v;

	for (; n >= 8; n -= 8, p += 8) {
		v = random_next(&seed);
		memcpy(p, &v, 8);
	}
}

static void prepare(const struct form *f, struct ctx *c, bool down)
{
	u64 v;

	random_bytes(c, sizeof(*c));
	/* Small and equal values make comparisons and carries take both ways. */
	if (random_next(&seed) % 3 == 0)
		c->rax = (s64)(s8)c->rax;
	if (f->opts & OPT_COUNT)
		c->rcx %= 3;
	if (f->opts & OPT_DIV)
		c->rdx &= 0xf;
	if (f->opts & OPT_DIV && c->rbx & 1)
		c->rax &= 0xfff;
	/* The whole register counts, so the word form needs it sign-extended too. */
	if (f->opts & OPT_BIT)
		c->rcx = (s64)(c->rcx % 96) - 32;
	v = c->rflags & RFLAGS_ARITH;
	c->rflags = v | 2 | (down ? RFLAGS_DF : 0);
}

static void show_difference(const struct form *f, const struct ctx *in, const struct ctx *a,
			    const struct ctx *b, int va, int vb, const u64 *da, const u64 *db)
{
	u32 i;

	if (va != vb)
		diag("RAM: vector %d, window: vector %d", va, vb);
	diag("in:     rax %llx rbx %llx rcx %llx rdx %llx flags %llx", in->rax, in->rbx, in->rcx,
	     in->rdx, in->rflags);
	diag("RAM:    rax %llx rbx %llx rcx %llx rdx %llx rsi %llx rdi %llx flags %llx", a->rax,
	     a->rbx, a->rcx, a->rdx, a->rsi, a->rdi, a->rflags & f->mask);
	diag("window: rax %llx rbx %llx rcx %llx rdx %llx rsi %llx rdi %llx flags %llx", b->rax,
	     b->rbx, b->rcx, b->rdx, b->rsi, b->rdi, b->rflags & f->mask);
	for (i = 0; i < WINDOW / 8; i++)
		if (da[i] != db[i])
			diag("memory +%u: RAM %016llx, window %016llx", i * 8, da[i], db[i]);
}

/* One form on one place against RAM with the same alignment; true when all rounds agree. */
static bool compare(const struct form *f, const struct place *p, u8 *ram, bool down, u32 rounds)
{
	struct ctx in, a, b;
	u64 data[WINDOW / 8], da[WINDOW / 8], db[WINDOW / 8];
	u8 extra[64], after[64];
	int va, vb;

	while (rounds--) {
		prepare(f, &in, down);
		random_bytes(data, sizeof(data));
		if (random_next(&seed) % 4 == 0)
			memset((u8 *)data + p->skew, 0, 8);
		random_bytes(extra, sizeof(extra));
		/* cmps needs equal runs to go on. */
		if (random_next(&seed) % 2 == 0)
			memcpy(extra + 16, (u8 *)data + p->skew, WINDOW - p->skew);
		a = in;
		b = in;
		memcpy(da, data, sizeof(data));
		memcpy(db, data, sizeof(data));
		memcpy(scratch, extra, sizeof(extra));
		va = run(f, &a, ram, p->skew, da);
		memcpy(after, scratch, sizeof(after));
		memcpy(scratch, extra, sizeof(extra));
		vb = run(f, &b, p->window, p->skew, db);
		a.rflags &= f->mask;
		b.rflags &= f->mask;
		if (va == vb && !memcmp(&a, &b, sizeof(a)) && !memcmp(da, db, sizeof(da)) &&
		    !memcmp(after, scratch, sizeof(after)))
			continue;
		diag("%s on %s%s", f->name, p->name, down ? " with DF" : "");
		show_difference(f, &in, &a, &b, va, vb, da, db);
		return false;
	}
	return true;
}

static bool is_locked(const char *name)
{
	for (; *name; name++)
		if (!strncmp(name, "lock", 4) || !strncmp(name, "xchg", 4))
			return true;
	return false;
}

static void test_forms(void)
{
	u8 *va = alloc_va(4), *ram = alloc_pages(3);
	u32 rounds = arg_u64("rounds", 1), i;
	const struct form *f;
	struct place places[] = {
		{ "the window, aligned", (u8 *)TD_MMIO + 0x100, 16 },
		{ "the window, not aligned", (u8 *)TD_MMIO + 0x200, 11 },
		{ "a page boundary in the window", (u8 *)TD_MMIO + 0x3000 - 16, 13 },
		{ "RAM going over into the window", va + PAGE_SIZE - 16, 13 },
		{ "the window going over into RAM", va + 2 * PAGE_SIZE - 16, 13 },
	};

	map_page(va, (u64)alloc_pages(1), PTE_P | PTE_W | PTE_U);
	map_page(va + PAGE_SIZE, TD_MMIO + 0x5000, PTE_P | PTE_W | PTE_U | PTE_PCD);
	map_page(va + 2 * PAGE_SIZE, (u64)alloc_pages(1), PTE_P | PTE_W | PTE_U);
	for (f = __table_start; f < __table_end; f++) {
		bool good = true;

		for (i = 0; i < ARRAY_SIZE(places); i++) {
			struct place *p = &places[i];
			u8 *same = ram + ((u64)p->window & 0xfff);

			if (f->opts & OPT_ALIGN && i)
				break;
			if (i == 3 && on_tcg() && on_hvmm() && is_locked(f->name)) {
				skip("TCG exits with stale flags", "%s on %s", f->name, p->name);
				continue;
			}
			good &= compare(f, p, same, false, rounds);
			if (f->opts & OPT_DOWN)
				good &= compare(f, p, same, true, rounds);
		}
		ok(good, "%s%s", f->name, f->opts & OPT_SRC ? " (from)" :
		   f->opts & OPT_DST ? " (to)" : "");
	}
}

static void rep_movs(u32 size, u64 *src, u64 *dst, u64 *cnt)
{
	u64 s = *src, d = *dst, c = *cnt;

	if (size == 1)
		__asm__ __volatile__("rep movsb" : "+S"(s), "+D"(d), "+c"(c) :: "memory");
	else if (size == 2)
		__asm__ __volatile__("rep movsw" : "+S"(s), "+D"(d), "+c"(c) :: "memory");
	else if (size == 4)
		__asm__ __volatile__("rep movsl" : "+S"(s), "+D"(d), "+c"(c) :: "memory");
	else
		__asm__ __volatile__("rep movsq" : "+S"(s), "+D"(d), "+c"(c) :: "memory");
	__asm__ __volatile__("cld");
	*src = s;
	*dst = d;
	*cnt = c;
}

enum { TO_WINDOW, FROM_WINDOW, IN_WINDOW };

static void move_case(u8 *ram, u8 *shadow, u32 kind, u32 size, u64 count, bool down)
{
	static const char *const names[] = { "RAM to window", "window to RAM", "window to window" };
	u32 bytes = count * size, bad = 0, i;
	u64 first = down ? bytes - size : 0, moved = down ? -(u64)bytes : bytes;
	u8 *s = kind == TO_WINDOW ? ram + 64 : (u8 *)TD_MMIO + 0x1000 - 40;
	u8 *d = kind == FROM_WINDOW ? ram + 64 : (u8 *)TD_MMIO + 0x8000 - 24;
	u64 src = (u64)s + first, dst = (u64)d + first, cnt = count;

	for (i = 0; i < bytes; i += 8) {
		u64 v = random_next(&seed);

		memcpy(shadow + i, &v, 8);
		*(volatile u64 *)(s + i) = v;
	}
	for (i = 0; i < bytes + 8; i += 8)
		*(volatile u64 *)(d + i) = 0;
	if (down)
		__asm__ __volatile__("std");
	rep_movs(size, &src, &dst, &cnt);
	for (i = 0; i < bytes / 8 * 8; i += 8)
		bad += *(volatile u64 *)(d + i) != *(u64 *)(shadow + i);
	for (; i < bytes; i++)
		bad += d[i] != shadow[i];
	bad += d[bytes] != 0;
	bad += src != (u64)s + first + moved || dst != (u64)d + first + moved || cnt;
	ok_eq(bad, 0, "rep movs%u, %llu, %s%s", size, count, names[kind], down ? ", down" : "");
}

/* Long moves: source and destination each RAM or window, both directions. */
static void test_moves(void)
{
	static const u32 counts[] = { 1, 3, 40 };
	u8 *ram = alloc_pages(4), *shadow = alloc_pages(4);
	u32 kind, size, k;

	for (kind = TO_WINDOW; kind <= IN_WINDOW; kind++) {
		for (size = 1; size <= 8; size *= 2) {
			for (k = 0; k < ARRAY_SIZE(counts); k++) {
				move_case(ram, shadow, kind, size, counts[k], false);
				move_case(ram, shadow, kind, size, counts[k], true);
			}
		}
	}
}

static u32 faults;
static u64 fault_cr2, fault_error, fault_rcx;

static void on_fault(struct regs *r)
{
	faults++;
	fault_cr2 = read_cr2();
	fault_error = r->error;
	fault_rcx = r->rcx;
	if (faults > 10)
		guest_die("the same fault again and again at 0x%llx", fault_cr2);
	pte_change((void *)fault_cr2, PTE_P | PTE_W, 0);
}

static void fault_seen(u64 cr2, u64 error, const char *what)
{
	if (!ok(faults == 1 && fault_cr2 == cr2 && fault_error == error, "%s: one #PF", what))
		diag("%u faults, cr2 0x%llx error 0x%llx, want 0x%llx 0x%llx", faults, fault_cr2,
		     fault_error, cr2, error);
	faults = 0;
}

/* The emulator walks the guest's own tables for the operand that is not the window. */
static void test_walks(void)
{
	u8 *va = alloc_va(3), *p;
	u64 src, dst, cnt;
	volatile u32 *w = (volatile u32 *)TD_MMIO;
	u32 i;

	for (i = 0; i < 3; i++)
		map_page(va + i * PAGE_SIZE, (u64)alloc_pages(1), PTE_P | PTE_W | PTE_U);
	trap_handler(PF_VECTOR, on_fault);
	w[0] = 0x12345678;
	w[1] = 0x9abcdef0;

	pte_change(va, 0, PTE_P);
	src = TD_MMIO;
	dst = (u64)va + 8;
	__asm__ __volatile__("movsl" : "+S"(src), "+D"(dst) :: "memory");
	fault_seen((u64)va + 8, PF_W, "movs to a page not present");
	ok(*(u32 *)(va + 8) == 0x12345678 && src == TD_MMIO + 4, "... and done once after it");

	pte_change(va, 0, PTE_W);
	src = TD_MMIO + 4;
	dst = (u64)va + 8;
	__asm__ __volatile__("movsl" : "+S"(src), "+D"(dst) :: "memory");
	fault_seen((u64)va + 8, PF_W | PF_P, "movs to a read-only page");
	ok_eq(*(u32 *)(va + 8), 0x9abcdef0, "... and done after it");

	pte_change(va, 0, PTE_P);
	src = (u64)va + 8;
	dst = TD_MMIO + 16;
	__asm__ __volatile__("movsl" : "+S"(src), "+D"(dst) :: "memory");
	fault_seen((u64)va + 8, 0, "movs from a page not present");
	ok_eq(w[4], 0x9abcdef0, "... and done after it");

	/* In the middle: what was done stays done, RCX tells how much is left. */
	pte_change(va + PAGE_SIZE, 0, PTE_P);
	for (i = 0; i < 16; i++)
		w[i] = i * 0x1111;
	src = TD_MMIO;
	dst = (u64)va + PAGE_SIZE - 24;
	cnt = 16;
	__asm__ __volatile__("rep movsl" : "+S"(src), "+D"(dst), "+c"(cnt) :: "memory");
	fault_seen((u64)va + PAGE_SIZE, PF_W, "rep movs to a page not present");
	ok_eq(fault_rcx, 10, "... RCX at the fault");
	p = va + PAGE_SIZE - 24;
	for (i = 0; i < 16 && ((u32 *)p)[i] == i * 0x1111; i++)
		;
	ok(i == 16 && !cnt && dst == (u64)va + PAGE_SIZE + 40, "... all moved after it");

	/* The fault's frame cannot go to that stack. */
	trap_set_ist(PF_VECTOR, 3);
	pte_change(va, 0, PTE_P);
	__asm__ __volatile__("mov %%rsp, %%r13; lea 16(%0), %%rsp; pushq (%1); mov %%r13, %%rsp"
			     :: "r"(va), "r"(TD_MMIO) : "r13", "memory");
	trap_set_ist(PF_VECTOR, 0);
	fault_seen((u64)va + 8, PF_W, "push of the window to a page not present");
	ok_eq(*(u64 *)(va + 8), 0x0000111100000000, "... and done after it");

	/* Page boundary: window, then a page that is not there. */
	map_page(va, TD_MMIO + 0x6000, PTE_P | PTE_W | PTE_U | PTE_PCD);
	*(volatile u32 *)(TD_MMIO + 0x6ffc) = 0;
	*(volatile u32 *)(va + PAGE_SIZE) = 0;
	pte_change(va + PAGE_SIZE, 0, PTE_P);
	__asm__ __volatile__("movl %1, (%0)" :: "r"(va + PAGE_SIZE - 2), "r"(0x44332211)
			     : "memory");
	fault_seen((u64)va + PAGE_SIZE, PF_W, "mov over the window's end into a page not present");
	ok(*(volatile u16 *)(TD_MMIO + 0x6ffe) == 0x2211 && *(u16 *)(va + PAGE_SIZE) == 0x4433,
	   "... both halves stored after it");
	trap_handler(PF_VECTOR, NULL);
}

static void test_string_io(void)
{
	volatile u32 *w = (volatile u32 *)(TD_MMIO + 0x1000 - 16);
	u64 mem = (u64)w, cnt = 8;
	u32 i;

	outl(TD_LATCH, 0x13572468);
	__asm__ __volatile__("rep insl" : "+D"(mem), "+c"(cnt) : "d"(TD_LATCH) : "memory");
	for (i = 0; i < 8 && w[i] == 0x13572468; i++)
		;
	ok(i == 8 && !cnt && mem == (u64)(w + 8), "rep insl into the window");
	w[7] = 0xcafef00d;
	mem = (u64)w;
	cnt = 8;
	__asm__ __volatile__("rep outsl" : "+S"(mem), "+c"(cnt) : "d"(TD_LATCH) : "memory");
	ok(inl(TD_LATCH) == 0xcafef00d && !cnt && mem == (u64)(w + 8), "rep outsl from the window");
	mem = (u64)w + 1;
	__asm__ __volatile__("insb" : "+D"(mem) : "d"(TD_LATCH) : "memory");
	ok(((volatile u8 *)w)[1] == 0x0d && mem == (u64)w + 2, "insb into the window");
	((volatile u8 *)w)[5] = 0x77;
	mem = (u64)w + 5;
	__asm__ __volatile__("outsb" : "+S"(mem) : "d"(TD_LATCH) : "memory");
	ok(inb(TD_LATCH) == 0x77 && mem == (u64)w + 6, "outsb from the window");
}

static u64 user_touch(u64 at)
{
	volatile u32 *w = (volatile u32 *)at;

	*w += 5;
	return *w;
}

static void test_user(void)
{
	volatile u32 *w = (volatile u32 *)(TD_MMIO + 0x700);
	int vec;

	*w = 100;
	ok_eq(user_call(user_touch, (u64)w), 105, "ring 3: read-modify-write");
	pte_change((void *)TD_MMIO, 0, PTE_U);
	trap_clear();
	vec = TRY("addl $1, (%0)", :: "r"(w) : "memory");
	ok(vec == NO_TRAP && *w == 106, "ring 0 on a supervisor page");
	pte_change((void *)TD_MMIO, 0, PTE_W);
	vec = TRY("addl $1, (%0)", :: "r"(w) : "memory");
	ok(vec == PF_VECTOR && trap_last()->error == (PF_P | PF_W) && *w == 106,
	   "a read-only page raises 14 and keeps the data");
	pte_change((void *)TD_MMIO, PTE_W | PTE_U, 0);
}

static u32 run_code(void *code, u32 eax, volatile u32 *w)
{
	u64 rax = eax;

	__asm__ __volatile__("call *%2" : "+a"(rax) : "D"(w), "r"(code) : "memory", "cc");
	return rax;
}

/* Who remembers an instruction that was emulated must see that there is another one now. */
static void test_changed(void)
{
	static const struct {
		const char *name;
		u8 bytes[8];
		u32 stored, loaded;	/* with 0x1050 stored before, and 0x23 in EAX */
	} forms[] = {
		{ "movl %eax, (%rdi)", { 0x89, 0x07, 0xc3 }, 0x23, 0x23 },
		{ "movl (%rdi), %eax", { 0x8b, 0x07, 0xc3 }, 0x1050, 0x1050 },
		{ "addl %eax, (%rdi)", { 0x01, 0x07, 0xc3 }, 0x1073, 0x23 },
		{ "movb %al, (%rdi)", { 0x88, 0x07, 0xc3 }, 0x1023, 0x23 },
		{ "movb (%rdi), %al", { 0x8a, 0x07, 0xc3 }, 0x1050, 0x50 },
		{ "incl (%rdi)", { 0xff, 0x07, 0xc3 }, 0x1051, 0x23 },
		{ "decl (%rdi)", { 0xff, 0x0f, 0xc3 }, 0x104f, 0x23 },
		{ "movl $1, (%rdi)", { 0xc7, 0x07, 1, 0, 0, 0, 0xc3 }, 1, 0x23 },
		{ "movl $0x02000001, (%rdi)", { 0xc7, 0x07, 1, 0, 0, 2, 0xc3 }, 0x02000001, 0x23 },
		{ "xchgl %eax, (%rdi)", { 0x87, 0x07, 0xc3 }, 0x23, 0x1050 },
	};
	/* Below 4 GiB, and no RAM otherwise. */
	u8 *page = (u8 *)0x40000000, *code;
	volatile u32 *w = (volatile u32 *)(TD_MMIO + 0x900), *other;
	u64 pa[2] = { (u64)alloc_pages(1), (u64)alloc_pages(1) };
	u32 disp = (u32)(u64)w, i, at, eax, bad = 0;

	map_page(page, pa[0], PTE_P | PTE_W | PTE_U);
	/* At many places: the store before must not be remembered instead of it at all of them. */
	for (at = 0; at < 8; at++) {
		code = page + 5 * at;
		for (i = 0; i < 2 * ARRAY_SIZE(forms); i++) {
			memcpy(code, forms[i / 2].bytes, sizeof(forms[i / 2].bytes));
			*w = 0x1050;
			eax = run_code(code, 0x23, w);
			if (*w == forms[i / 2].stored && eax == forms[i / 2].loaded)
				continue;
			diag("%s: stored 0x%x, EAX 0x%x", forms[i / 2].name, *w, eax);
			bad++;
		}
	}
	ok(!bad, "another instruction at the same place");

	bad = 0;
	code = page + 2;
	memcpy((u8 *)pa[0] + 2, forms[0].bytes, sizeof(forms[0].bytes));
	memcpy((u8 *)pa[1] + 2, forms[2].bytes, sizeof(forms[2].bytes));
	for (i = 0; i < 4; i++) {
		map_page(page, pa[i % 2], PTE_P | PTE_W | PTE_U);
		invlpg(page);
		*w = 0x1050;
		run_code(code, 0x23, w);
		bad += *w != forms[i % 2 ? 2 : 0].stored;
	}
	ok(!bad, "another page at the same address");

	bad = 0;
	/* mov %eax, disp32: relative to RIP in 64-bit mode, but not in a 32-bit segment. */
	memcpy(code, (u8[]){ 0x89, 0x05, disp, disp >> 8, disp >> 16, disp >> 24, 0xc3 }, 7);
	other = (volatile u32 *)(code + 6 + (s64)(s32)disp);
	map_page((void *)((u64)other & -PAGE_SIZE), TD_MMIO + PAGE_SIZE, PTE_P | PTE_W | PTE_U);
	for (i = 0; i < 2; i++) {
		*w = 0;
		*other = 0;
		run_code(code, 0x23, NULL);
		bad += *w || *other != 0x23;
		*other = 0;
		compat_call(code, 0);
		bad += *w != (u32)(u64)code || *other;
	}
	ok(!bad, "the same bytes in another mode");
}

void guest_main(void)
{
	volatile u32 *w = (volatile u32 *)TD_MMIO;
	u32 i;

	if (!have_testdev())
		guest_skip_all("no test device");
	seed = arg_u64("seed", 1);
	for (i = 0; i < TD_MMIO_SIZE / 4; i += 1023)
		w[i] = i * 0x9e3779b9;
	for (i = 0; i < TD_MMIO_SIZE / 4 && w[i] == i * 0x9e3779b9; i += 1023)
		;
	if (!ok(i >= TD_MMIO_SIZE / 4, "the window is memory"))
		return;
	test_forms();
	test_moves();
	test_walks();
	test_string_io();
	test_user();
	test_changed();
}
