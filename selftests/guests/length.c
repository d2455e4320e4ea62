// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that exit, in pages of code that change between two of them: another page at
 * the same address, other bytes in the same page, a page that is not in the nested table, other
 * page tables. Where the processor does not tell the length of an instruction, what remembers
 * pages of code must see all of it. Each variant has another length: a wrong one goes astray.
 */
#include "lib/guest.h"
#include "lib/paging.h"
#include "lib/trap.h"

#define MSR_UCODE_REV	0x8b
#define NO_HYPERCALL	0x7fff
#define ROUNDS		4u
#define EDGE		(PAGE_SIZE - 3)

static const struct {
	const char *name;
	u8 len;
	u8 bytes[4];
	u32 eax, ecx;
} insns[] = {
	{ "cpuid", 2, { 0x0f, 0xa2 }, 0, 0 },
	{ "rdmsr", 2, { 0x0f, 0x32 }, 0, MSR_UCODE_REV },
	{ "wrmsr", 2, { 0x0f, 0x30 }, 0, MSR_UCODE_REV },
	{ "hypercall", 3, { 0x0f, 0x01, 0xd9 }, NO_HYPERCALL, 0 },
	{ "pause", 2, { 0xf3, 0x90 }, 0, 0 },
};

static u8 *code[2], *window;

/* The instruction with so many prefixes, then a mark into ESI, and back. */
static void write_code(u8 *p, u32 insn, u32 prefixes, u32 mark)
{
	u32 i;

	for (i = 0; i < prefixes; i++)
		*p++ = 0x2e;
	for (i = 0; i < insns[insn].len; i++)
		*p++ = insns[insn].bytes[i];
	if (insns[insn].eax == NO_HYPERCALL && is_intel())
		p[-1] = VMCALL_LAST;
	*p++ = 0xbe;
	memcpy(p, &mark, sizeof(mark));
	p += sizeof(mark);
	*p = 0xc3;
}

struct call {
	u8 *at;
	u32 insn, mark;
};

static void run_code(void *arg)
{
	struct call *c = arg;
	u64 ax = insns[c->insn].eax, cx = insns[c->insn].ecx, dx = 0, si = 0;

	__asm__ __volatile__("call *%[fn]" : "+a"(ax), "+c"(cx), "+d"(dx), "+S"(si)
			     : [fn] "r"((u64)c->at) : "rbx", "r8", "r9", "r10", "r11", "memory");
	c->mark = si;
}

static u32 call(u8 *at, u32 insn)
{
	struct call c = { .at = at, .insn = insn };

	return guard_call(run_code, &c) == NO_TRAP ? c.mark : ~0u;
}

/* Another page at the same address, with the same instruction in another length. */
static void other_page(u32 insn)
{
	u32 i, bad = 0;

	for (i = 0; i < 2; i++)
		write_code(code[i] + 16, insn, i, 100 + i);
	for (i = 0; i < 2 * ROUNDS; i++) {
		map_page(window, (u64)code[i & 1], PTE_P | PTE_W);
		invlpg(window);
		bad += call(window + 16, insn) != 100 + (i & 1);
		bad += call(window + 16, insn) != 100 + (i & 1);
	}
	ok_eq(bad, 0, "%s: another page at the same address", insns[insn].name);
}

static void other_bytes(u32 insn)
{
	u32 i, bad = 0;

	map_page(window, (u64)code[0], PTE_P | PTE_W);
	invlpg(window);
	for (i = 0; i < 2 * ROUNDS; i++) {
		write_code(code[0] + 16, insn, i & 3, 200 + i);
		bad += call(window + 16, insn) != 200 + i;
	}
	ok_eq(bad, 0, "%s: other bytes in the same page", insns[insn].name);
}

/* The page is brought in anew each time; so is the table that leads to it. */
static void unmapped(u32 insn)
{
	u64 table = (u64)pte_of(window) & PAGE_MASK;
	u32 i, bad = 0;

	if (!have_testdev()) {
		skip("no test device", "%s: a page that was unmapped", insns[insn].name);
		return;
	}
	for (i = 0; i < 2 * ROUNDS; i++) {
		write_code(code[0] + 16, insn, 0, 300 + i);
		bad += call(window + 16, insn) != 300 + i;
		testdev_unmap(i & 1 ? (u64)code[0] : table);
		bad += call(window + 16, insn) != 300 + i;
	}
	ok_eq(bad, 0, "%s: a page that was unmapped below", insns[insn].name);
}

/* Another root that leads to another page; everything else is the same. */
static void other_root(u32 insn)
{
	u64 *root = (u64 *)(read_cr3() & PAGE_MASK), *level[4], *copy, *from;
	u64 old = read_cr3(), va = (u64)window;
	u32 i, depth, bad = 0;

	for (i = 0; i < 2; i++)
		write_code(code[i] + 16, insn, i, 400 + i);
	map_page(window, (u64)code[0], PTE_P | PTE_W);
	invlpg(window);
	from = root;
	for (depth = 0; depth < 4; depth++) {
		u32 index = va >> (39 - 9 * depth) & 511;

		copy = alloc_pages(1);
		memcpy(copy, from, PAGE_SIZE);
		level[depth] = copy;
		if (depth)
			level[depth - 1][va >> (39 - 9 * (depth - 1)) & 511] =
				(u64)copy | PTE_P | PTE_W;
		from = (u64 *)(from[index] & PAGE_MASK & ~PTE_NX);
	}
	level[3][va >> 12 & 511] = (u64)code[1] | PTE_P | PTE_W;
	for (i = 0; i < 2 * ROUNDS; i++) {
		write_cr3(i & 1 ? (u64)level[0] : old);
		bad += call(window + 16, insn) != 400 + (i & 1);
		bad += call(window + 16, insn) != 400 + (i & 1);
	}
	write_cr3(old);
	ok_eq(bad, 0, "%s: other page tables", insns[insn].name);
}

/* Behind the last bytes that can be looked at as a whole, and across the border. */
static void at_the_edge(u32 insn)
{
	u32 i, bad = 0;

	map_page(window, (u64)code[0], PTE_P | PTE_W);
	map_page(window + PAGE_SIZE, (u64)code[1], PTE_P | PTE_W);
	invlpg(window);
	invlpg(window + PAGE_SIZE);
	for (i = 0; i < 12; i++) {
		write_code(window + EDGE - 6 + i, insn, i & 1, 500 + i);
		bad += call(window + EDGE - 6 + i, insn) != 500 + i;
	}
	ok_eq(bad, 0, "%s: at the end of a page", insns[insn].name);
}

void guest_main(void)
{
	u32 i;

	code[0] = alloc_pages(1);
	code[1] = alloc_pages(1);
	window = alloc_va(2);
	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		other_page(i);
		other_bytes(i);
		other_root(i);
		at_the_edge(i);
		map_page(window, (u64)code[0], PTE_P | PTE_W);
		invlpg(window);
		unmapped(i);
	}
}
