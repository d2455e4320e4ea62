// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest. It never fails by itself: the host's log judges. Arguments:
 *   seed=N	where the random numbers start (default 1)
 *   rounds=N	so many rounds over all boots (default 20000)
 *   boots=N	a reset is part of the game: so many boots at most (default 50)
 *   mode=	mix (default), msr, port, mmio, cr, apic, tables, code, or one that ends itself:
 *		random code without a way back: code16, code32, code64 (each boot once);
 *		jump (to where no memory is), init (INIT to itself), hang (CLI; HLT)
 * With a second CPU that one ends rounds that hang, by NMI.
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/paging.h"
#include "lib/apic.h"
#include "lib/smp.h"

#define MAGIC 0x6368616f73206775ull

struct state {
	u64 magic, boots, rounds, seed;
};

struct call {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8;
	void *code;
};

void chaos_call(struct call *c);
void chaos_code64(void *code);
extern u8 chaos_code32[], chaos_code16[], chaos_blob[], chaos_blob_end[];
extern u32 chaos_entry;

static volatile struct state *state;
static u64 seed, cr0, cr3, cr4, efer, apic_base;
static u8 *code, *va;
static u32 seen[257];

static u64 rnd(void)
{
	return random_next(&seed);
}

/* Random code without what turns interrupts off or waits: the timer is to bring it back. */
static u8 code_byte(void)
{
	u8 b;

	do
		b = rnd();
	while (b == 0xfa || b == 0xf4 || b == 0x9d || b == 0xcf);
	return b;
}

static u64 below(u64 n)
{
	return rnd() % n;
}

/* Values that sit at an edge as often as not. */
static u64 value(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return BIT(below(64));
	case 3:
		return below(256);
	case 4:
		return ~BIT(below(64));
	case 5:
		return (u32)rnd();
	default:
		return rnd();
	}
}

static u64 physical(void)
{
	switch (below(6)) {
	case 0:
		return APIC_WINDOW + below(0x1000);
	case 1:
		return IOAPIC_WINDOW + below(0x100);
	case 2:
		return TD_MMIO + below(TD_MMIO_SIZE + 0x1000);
	case 3:
		return ram_top() - 0x800 + below(0x1000);
	case 4:
		return rnd() & 0xfffffffffffffull;
	default:
		return 0xc0000000 + below(0x40000000);
	}
}

static void on_any(struct regs *r)
{
	if (r->vector >= 0x20)
		apic_eoi();
	if (r->vector == 0x40)
		guard_abort(r);
}

static void on_nmi(struct regs *r)
{
	guard_abort(r);
}

/* A second CPU, where there is one, ends a round that takes too long. */
static void watch(void *arg)
{
	u64 round = ~0ull, since = 0;

	for (;;) {
		if (state->rounds != round) {
			round = state->rounds;
			since = rdtsc();
		} else if (rdtsc() - since > 500000000ull) {
			apic_icr(smp_apic_id(0), ICR_NMI | ICR_ASSERT);
			since = rdtsc();
		}
		pause();
	}
}

static u32 random_msr(void)
{
	static const u32 base[] = { 0, 0x170, 0x200, 0x400, 0x6e0, 0x800, 0xda0, 0x40000000,
				    0x4b564d00, 0xc0000080, 0xc0000100, 0xc0010000, 0xc0010100,
				    0xc0011000 };

	return below(4) ? base[below(ARRAY_SIZE(base))] + below(64) : (u32)value();
}

static void do_msr(void *arg)
{
	u32 msr = random_msr(), i;
	u64 v = value();

	/* A clock or steal page may land in what this guest lives on. */
	if ((msr & ~0xffu) == 0x4b564d00 || msr == 0x11 || msr == 0x12)
		v = below(2) ? ((u64)va & 0xfff) + ram_top() / 2 + PAGE_SIZE + below(4096) : ~v;
	if (msr == MSR_EFER && below(4))
		v = efer ^ BIT(below(64));
	if (msr == MSR_X2APIC + (APIC_ICR >> 4))
		v &= ~0x700ull;
	for (i = 0; i < 2; i++) {
		rdmsr_try(msr, &v);
		wrmsr_try(msr, below(2) ? v : value());
	}
}

static bool forbidden(u32 port, u32 size)
{
	static const u16 no[] = { 0xf4, 0xf5, 0xf6, 0xf7, 0x64, 0x92, 0xcf9, 0x604, 0xb004 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(no); i++)
		if (no[i] >= port && no[i] < port + size)
			return true;
	return false;
}

static void do_port(void *arg)
{
	static const u16 base[] = { 0x20, 0x40, 0x60, 0x70, 0xa0, 0xe0, 0x3f8, 0x510, 0xcf8, 0x2000,
				    0xfff8 };
	u32 port = below(3) ? base[below(ARRAY_SIZE(base))] + below(8) : below(0x10000);
	u32 size = 1 << below(3);
	u64 mem = (u64)code + 2048 + below(4096), cnt = below(600), v = value();

	if (forbidden(port, size))
		return;
	if (below(2))
		__asm__ __volatile__("std");
	switch (below(10)) {
	case 0:
		TRY("inb %%dx, %%al", : "+a"(v) : "d"(port));
		break;
	case 1:
		TRY("inw %%dx, %%ax", : "+a"(v) : "d"(port));
		break;
	case 2:
		TRY("inl %%dx, %%eax", : "+a"(v) : "d"(port));
		break;
	case 3:
		TRY("outb %%al, %%dx", :: "a"(v), "d"(port));
		break;
	case 4:
		TRY("outw %%ax, %%dx", :: "a"(v), "d"(port));
		break;
	case 5:
		TRY("outl %%eax, %%dx", :: "a"(v), "d"(port));
		break;
	case 6:
		TRY("rep insb", : "+D"(mem), "+c"(cnt) : "d"(port) : "memory");
		break;
	case 7:
		TRY("rep insl", : "+D"(mem), "+c"(cnt) : "d"(port) : "memory");
		break;
	case 8:
		TRY("rep outsw", : "+S"(mem), "+c"(cnt) : "d"(port) : "memory");
		break;
	default:
		mem = value();
		TRY("rep outsl", : "+S"(mem), "+c"(cnt) : "d"(port) : "memory");
	}
	__asm__ __volatile__("cld");
}

/* An instruction with a memory operand on emulated or absent memory; the rest is random. */
static void do_mmio(void *arg)
{
	static const u8 prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x64, 0x65, 0x26 };
	struct call c;
	u64 pa = physical();
	u32 n = 0, i;

	map_page(va, pa & PAGE_MASK, PTE_P | PTE_W | PTE_U);
	map_page(va + PAGE_SIZE, physical() & PAGE_MASK & 0xffffffffff,
		 below(4) ? PTE_P | PTE_W : 0);
	for (i = below(4); i; i--)
		code[n++] = prefixes[below(ARRAY_SIZE(prefixes))];
	if (below(2))
		code[n++] = 0x40 | below(16);
	switch (below(8)) {
	case 0:
	case 1:
		code[n++] = 0x0f;
		break;
	case 2:
		code[n++] = 0x0f;
		code[n++] = below(2) ? 0x38 : 0x3a;
		break;
	case 3:
		code[n++] = 0xc5;	/* VEX */
		code[n++] = code_byte();
		break;
	}
	code[n++] = code_byte();
	code[n++] = (rnd() & 0x38) | (below(2) ? 7 : 0x47);	/* (%rdi) or disp8(%rdi) */
	for (i = 0; i < 12; i++)
		code[n++] = below(2) ? 0x90 : code_byte();
	memset(code + n, 0xc3, 32);
	c = (struct call){ value(), value(), below(100), value(), 0, 0, value(), value(), code };
	c.rdi = (u64)va + (below(2) ? pa & 0xfff : 0xff0 + below(16));
	c.rsi = below(2) ? c.rdi : (u64)va + below(0x2000);
	chaos_call(&c);
}

static void do_cr(void *arg)
{
	u64 v = BIT(below(64)), w = value();

	switch (below(12)) {
	case 0:
		TRY("mov %0, %%cr0", :: "r"(cr0 ^ (v & ~(CR0_PG | CR0_PE))) : "memory");
		break;
	case 1:
		TRY("mov %0, %%cr4", :: "r"(cr4 ^ v) : "memory");
		break;
	case 2:
		TRY("mov %0, %%cr8", :: "r"(w) : "memory");
		break;
	case 3:
		wrmsr_try(MSR_EFER, efer ^ v);
		break;
	case 4:
		TRY("mov %0, %%dr7", :: "r"(w) : "memory");
		break;
	case 5:
		TRY("mov %0, %%dr6", :: "r"(w) : "memory");
		break;
	case 6:
		TRY("mov %0, %%dr0", :: "r"(w) : "memory");
		break;
	case 7:
		TRY("lmsw %w0", :: "r"((u32)w) : "memory");
		break;
	case 8:
		TRY("xsetbv", :: "a"((u32)w), "d"((u32)(w >> 32)), "c"((u32)below(3)));
		break;
	case 9:
		TRY("mov %0, %%cr2", :: "r"(w) : "memory");
		break;
	case 10:
		/* Mostly bits that leave the tables where they are. */
		if (below(16))
			v &= 0xfff;
		TRY("mov %0, %%cr3", :: "r"(cr3 ^ v) : "memory");
		break;
	default:
		TRY(HYPERCALL, :: "a"(below(2) ? below(16) : w), "b"(value()), "c"(value()),
		    "d"(value()), "S"(value()) : "memory");
	}
}

static void do_apic(void *arg)
{
	u32 i, reg;
	u64 v;

	if (!below(64))
		wrmsr_try(MSR_APIC_BASE, apic_base ^ BIT(below(64)));
	for (i = 0; i < 8; i++) {
		reg = below(0x400);
		v = value();
		if (apic_is_x2()) {
			if (reg >> 4 == APIC_ICR >> 4)
				v &= ~0x700ull;
			wrmsr_try(MSR_X2APIC + (reg >> 4), v);
			rdmsr_try(MSR_X2APIC + below(0x100), &v);
			continue;
		}
		/* No INIT, SIPI or SMI: those are modes of their own. */
		if ((reg & ~0xf) == APIC_ICR)
			v &= ~0x700ull;
		if (below(2))
			reg &= ~0xf;
		*(volatile u32 *)(APIC_WINDOW + (reg & ~3)) = v;
		(void)*(volatile u32 *)(APIC_WINDOW + (below(0x1000) & ~3));
		if (below(2))
			ioapic_write(below(256), value() & ~0x700ull);
		else
			ioapic_read(below(256));
	}
	sti_nop_cli();
}

/* Garbage at each level of the tables of a part of the address space that is not in use. */
static void do_tables(void *arg)
{
	static u64 *pdpt, *pd, *pt;
	extern u64 boot_pml4[];
	volatile u8 *p = (volatile u8 *)(5ull << 39 | (u64)below(512) << 30 | below(BIT(30)));
	u32 i;

	if (!pdpt) {
		pdpt = alloc_pages(1);
		pd = alloc_pages(1);
		pt = alloc_pages(1);
	}
	for (i = 0; i < 512; i++) {
		pdpt[i] = below(4) ? (u64)pd | 7 : rnd() & ~PTE_W;
		pd[i] = below(4) ? (u64)pt | 7 : (physical() & ~0x1fffffull) | (rnd() & 0x18f & ~2);
		/* Writable only where no RAM of ours can be. */
		pt[i] = below(2) ? (physical() & PAGE_MASK) | 7 : rnd() & ~PTE_W;
		if ((pt[i] & 0xffffffffff000ull) < ram_top())
			pt[i] &= ~PTE_W;
	}
	boot_pml4[5] = (u64)pdpt | 7;
	write_cr3(cr3);
	for (i = 0; i < 8; i++) {
		p = (volatile u8 *)(5ull << 39 | (rnd() & (BIT(39) - 1)));
		TRY("movb (%0), %%al", :: "r"(p) : "rax", "memory");
		TRY("movq %%rax, (%0)", :: "r"(p), "a"(value()) : "memory");
		TRY("lock xaddl %%eax, (%0)", :: "r"(p), "a"(value()) : "memory");
		TRY("movups (%0), %%xmm0", :: "r"(p) : "memory");
	}
	boot_pml4[5] = 0;
	write_cr3(cr3);
}

static void do_code(void *arg)
{
	struct call c;
	u32 i;

	for (i = 0; i < 64; i++)
		code[i] = code_byte();
	memset(code + 64, 0xcc, 64);
	c = (struct call){ value(), value(), below(1000), value(), value(), value(), value(),
			   value(), code };
	chaos_call(&c);
}

/* Whatever a round left behind that would end the game early. */
static void restore(void)
{
	u32 i;

	__asm__ __volatile__("cld; cli; clts");
	write_cr0(cr0);
	write_cr4(cr4);
	write_cr3(cr3);
	wrmsr_try(MSR_EFER, efer);
	TRY("mov %0, %%dr7", :: "r"(0x400ull));
	TRY("mov %0, %%dr6", :: "r"(0xffff0ff0ull));
	if (rdmsr(MSR_APIC_BASE) != apic_base) {
		wrmsr_try(MSR_APIC_BASE, apic_base & ~(APIC_BASE_EN | APIC_BASE_EXTD));
		wrmsr_try(MSR_APIC_BASE, apic_base);
	}
	for (i = 0; i < 24; i++)
		ioapic_write(0x10 + 2 * i, LVT_MASKED);
	apic_setup();
	for (i = 0; i < 8 && apic_read(APIC_PPR); i++)
		apic_eoi();
	__asm__ __volatile__("mov %0, %%ds; mov %0, %%es" :: "r"(SEL_KDATA));
	outb(0x3fb, 3);
	outb(0x3f9, 0);
	outb(0x3fc, 3);
}

static void one_round(const char *mode)
{
	static const struct {
		const char *name;
		void (*fn)(void *arg);
	} all[] = {
		{ "msr", do_msr }, { "port", do_port }, { "mmio", do_mmio }, { "cr", do_cr },
		{ "apic", do_apic }, { "tables", do_tables }, { "code", do_code },
	};
	u32 i = below(ARRAY_SIZE(all)), k;
	int vec;

	for (k = 0; k < ARRAY_SIZE(all); k++)
		if (!strncmp(mode, all[k].name, 16))
			i = k;
	/* A timer brings back what loops with interrupts on. */
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, 0x40);
	apic_write(APIC_TMICT, 20000000);
	sti();
	vec = guard_call(all[i].fn, NULL);
	cli();
	seen[vec + 1]++;
	restore();
}

static void no_way_back(const char *mode)
{
	u32 i, n = 4096;
	u8 *at = code;

	if (!strncmp(mode, "code16", 8)) {
		memcpy((void *)0x10000, chaos_blob, chaos_blob_end - chaos_blob);
		at = (u8 *)0x10100;
		n = 0xf000;
		gdt[SEL_SPARE >> 3] = 0x00009b010000ffffull;
	}
	for (i = 0; i < n; i++)
		at[i] = rnd();
	/* Some of what matters to a hypervisor, more often than chance would have it. */
	for (i = 0; i + 4 < n; i += 8 + below(24)) {
		static const u8 good[][4] = {
			{ 0x0f, 0xa2, 0x90, 0x90 }, { 0x0f, 0x32, 0x90, 0x90 },
			{ 0x0f, 0x30, 0x90, 0x90 }, { 0xe6, 0x80, 0xe4, 0x80 },
			{ 0x0f, 0x22, 0xc0, 0x90 }, { 0x0f, 0x20, 0xc0, 0x90 },
			{ 0x0f, 0x01, 0xd9, 0x90 }, { 0xf3, 0x6e, 0xf3, 0x6c },
			{ 0xcd, 0x10, 0xcc, 0x90 }, { 0x0f, 0x23, 0xf8, 0x90 },
		};

		memcpy(at + i, good[below(ARRAY_SIZE(good))], 4);
	}
	cli();
	chaos_entry = (u32)(u64)code;
	if (!strncmp(mode, "code16", 8))
		rm_run(chaos_code16);
	else if (!strncmp(mode, "code32", 8))
		rm_run(chaos_code32);
	else
		chaos_code64(code);
}

void guest_main(void)
{
	u64 rounds = arg_u64("rounds", 20000), boots = arg_u64("boots", 50), start = 0;
	char mode[16] = "mix";
	u32 i;

	arg_string("mode", mode, sizeof(mode));
	state = (volatile struct state *)(ram_top() / 2 & PAGE_MASK);
	if (state->magic != MAGIC) {
		state->boots = 0;
		state->rounds = 0;
		state->seed = arg_u64("seed", 1);
		state->magic = MAGIC;
	}
	if (++state->boots > boots || state->rounds >= rounds) {
		printf("chaos: %llu boots, %llu rounds\n", state->boots - 1, state->rounds);
		state->magic = 0;
		ok(true, "chaos went its way");
		return;
	}
	seed = state->seed ^ state->boots << 32;
	/* Page tables are taken as they come: leave room for them. */
	apic_setup();
	cr0 = read_cr0();
	cr3 = read_cr3();
	cr4 = read_cr4();
	efer = rdmsr(MSR_EFER);
	apic_base = rdmsr(MSR_APIC_BASE);
	code = alloc_pages(4);
	va = alloc_va(4);
	map_page(va, TD_MMIO, PTE_P | PTE_W);
	printf("chaos %s: boot %llu, round %llu, seed %llu\n", mode, state->boots, state->rounds,
	       state->seed);
	if (!strncmp(mode, "hang", 8))
		for (;;)
			__asm__ __volatile__("cli; hlt");
	if (!strncmp(mode, "init", 8)) {
		apic_icr(apic_id(), ICR_INIT | ICR_ASSERT);
		for (;;)
			pause();
	}
	if (!strncmp(mode, "jump", 8)) {
		map_page(va, below(2) ? 0xd0000000 : TD_MMIO, PTE_P | PTE_W);
		guard_call((void *)va, NULL);
		diag("came back: vector %d", trap_vector());
		state->rounds++;
		((void (*)(void))0xd0000000)();
	}
	if (!strncmp(mode, "code", 4) && mode[4])
		no_way_back(mode);
	for (i = 0; i < 256; i++) {
		if (i >= 32)
			trap_handler(i, on_any);
		if (i != NMI_VECTOR && i != DF_VECTOR)
			trap_set_ist(i, 3);
	}
	trap_handler(NMI_VECTOR, on_nmi);
	if (nr_cpus() > 1 && smp_start() > 1)
		smp_call(1, watch, NULL);
	for (; state->rounds < rounds; state->rounds++) {
		if (!(state->rounds % 2000) && state->rounds != start)
			printf("chaos: round %llu\n", state->rounds);
		seed = state->seed + state->rounds * 0x10001 + (state->boots << 48);
		one_round(mode);
	}
	for (i = 0; i < 257; i++)
		if (seen[i])
			diag("%u rounds ended by vector %d", seen[i], (int)i - 1);
	printf("chaos: %llu boots, %llu rounds\n", state->boots, state->rounds);
	state->magic = 0;
	ok(true, "chaos went its way");
}
