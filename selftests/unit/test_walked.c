// SPDX-License-Identifier: GPL-2.0
/* Walks of guest page tables that are remembered: they must be as good as new. */
#include "rng.h"
#include "test_walk.h"

/* As walk(), without looking into tables: it was remembered. */
static s64 walk_again(u64 linear, u32 access)
{
	unsigned int reads = vm.mem.reads;
	s64 ret = walk(linear, access);

	CHECK_EQ(vm.mem.reads, reads);
	return ret;
}

static void test_remembered(void)
{
	const u64 there = FRAME | 0x567;

	init_long();
	CHECK_EQ(walk(LINEAR, 0), there);
	CHECK_EQ(walk_again(LINEAR, 0), there);
	CHECK_EQ(walk_again(LINEAR ^ 0x567, 0), FRAME);
	/* A write has a bit to set, after that it is as good as a read. */
	CHECK_EQ(walk(LINEAR, W), there);
	CHECK(get64(PTE) & D);
	CHECK_EQ(walk_again(LINEAR, W), there);
	CHECK_EQ(walk_again(LINEAR, 0), there);

	/* What the guest changes is seen without a flush. */
	put64(PTE, (FRAME + 0x1000) | FULL);
	CHECK_EQ(walk(LINEAR, W), there + 0x1000);
	CHECK_EQ(get64(PTE), (FRAME + 0x1000) | FULL | A | D);
	put64(PTE, get64(PTE) & ~A);
	CHECK_EQ(walk(LINEAR, 0), there + 0x1000);
	CHECK(get64(PTE) & A);
	put64(PDE, 0);
	CHECK_EQ(walk(LINEAR, W), -E_W);
	put64(PDE, L1 | FULL | A);
	CHECK_EQ(walk(LINEAR, W), there + 0x1000);

	/* Another privilege is another walk. */
	put64(PTE, FRAME | P | RW | A | D);
	CHECK_EQ(walk(LINEAR, W), there);
	CHECK_EQ(walk(LINEAR, U), -(E_P | E_U));
	put64(PTE, FRAME | P | A | D);
	vcpu.cr[0] &= ~(u64)X86_CR0_WP;
	CHECK_EQ(walk(LINEAR, W), there);
	vcpu.cr[0] |= X86_CR0_WP;
	CHECK_EQ(walk(LINEAR, W), -(E_P | E_W));
	CHECK_EQ(walk(LINEAR, 0), there);
	CHECK_EQ(walk(LINEAR, W), -(E_P | E_W));
	put64(PTE, FRAME | FULL | A | D);
	vcpu.cr[4] |= X86_CR4_SMAP;
	vcpu.regs.rflags |= X86_EFLAGS_AC;
	CHECK_EQ(walk(LINEAR, 0), there);
	CHECK_EQ(walk(LINEAR, IMPL), -E_P);
	CHECK_EQ(walk(LINEAR, 0), there);
	vcpu.regs.rflags &= ~(u64)X86_EFLAGS_AC;
	CHECK_EQ(walk(LINEAR, 0), -E_P);
	CHECK_EQ(walk(LINEAR, U), there);

	/* So is one from another root, and after the host took a table away. */
	put64(L4 + 8 * 1, 0);
	vcpu.cr[3] = L4;
	CHECK_EQ(walk(LINEAR, U), -E_U);
	vcpu.cr[3] = ROOT;
	CHECK_EQ(walk(LINEAR, U), there);
	miss(L1 >> 12);
	CHECK_EQ(walk(LINEAR, U), AGAIN);
	miss(~0ULL);

	/* One in device space. */
	put64(PTE, HVMM_VM_RAM | FULL | A | D);
	CHECK_EQ(walk(LINEAR, U), HVMM_VM_RAM | 0x567);
	CHECK_EQ(walk_again(LINEAR, U), HVMM_VM_RAM | 0x567);

	/* What goes on changing must not be remembered with bits that were not set. */
	init_long();
	vm.mem.race = race_forever;
	CHECK_EQ(walk(LINEAR, 0), there);
	vm.mem.race = NULL;
	CHECK_EQ(walk(LINEAR, 0), there);
	CHECK(get64(PTE) & A);
}

static void test_code_remembered(void)
{
	u8 buf[HVMM_INSN_MAX_LEN];
	unsigned int reads;
	u64 addr = 0;
	u32 fault = 0;

	init_long();
	vcpu.cs.attrib = HVMM_SEG_ATTR_L;
	vcpu.regs.rip = LINEAR;
	memset(vm.mem.data + FRAME, 0x11, 0x1000);
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	reads = vm.mem.reads;
	memset(vm.mem.data + FRAME + 0x567, 0x22, 15);
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	CHECK_EQ(vm.mem.reads, reads);
	CHECK_EQ(buf[0], 0x22);
	CHECK_EQ(buf[14], 0x22);
	CHECK_EQ(get64(PTE), FRAME | FULL);

	/* Its last byte is that of the page, or not. */
	vcpu.regs.rip = (LINEAR & PAGE_MASK) + 0xff1;
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	CHECK_EQ(vm.mem.reads, reads);
	vcpu.regs.rip++;
	CHECK_EQ(fetch(buf, &fault, &addr), 14);
	CHECK_EQ(addr, (LINEAR & PAGE_MASK) + 0x1000);

	vcpu.regs.rip = LINEAR;
	put64(PTE, (FRAME + 0x1000) | FULL);
	memset(vm.mem.data + FRAME + 0x1000, 0x33, 0x1000);
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	CHECK_EQ(buf[0], 0x33);
	put64(PTE, (FRAME + 0x1000) | FULL | NX);
	CHECK_EQ(fetch(buf, &fault, &addr), -EFAULT);
	put64(PTE, (FRAME + 0x1000) | FULL);
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	miss((FRAME + 0x1000) >> 12);
	CHECK_EQ(fetch(buf, &fault, &addr), -EAGAIN);
	miss(~0ULL);

	/* Outside RAM all are ones, each time. */
	put64(PTE, HVMM_VM_RAM | FULL);
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	CHECK_EQ(buf[14], 0xff);
}

#define TABLES	0x6000

/* Few addresses in few tables, so that most walks are remembered. */
static u64 some_linear(void)
{
	return (u64)rng_below(2) << 39 | (u64)rng_below(2) << 30 | (u64)rng_below(2) << 21 |
	       rng_below(4) << 12 | rng_below(4096);
}

static void some_entry(void)
{
	static const u64 flags[] = {
		0, P, P | RW, P | US, FULL, FULL | A, FULL | A | D, FULL | NX,
	};
	u64 entry = rng_below(ARRAY_SIZE(flags)) ? FULL : flags[rng_below(ARRAY_SIZE(flags))];
	u64 table = rng_below(4);

	if (!rng_below(16))
		entry |= PS;
	/* Each table leads to the next one, or back, and the last to frames. */
	put64(ROOT + (table << 12) + 8 * rng_below(4),
	      entry | (rng_below(8) ? ROOT + ((table + 1) << 12) : rng_below(0x120) << 12));
}

/* Whatever is remembered, a walk does what one that remembers nothing does. */
static void test_remembered_random(void)
{
	static u8 before[TABLES], after[TABLES];
	unsigned int i, reads, again = 0;
	struct hvmm_walked none = { 0 }, *slot;
	u64 linear = 0;
	u32 access = 0;
	s64 ret;

	guest_cpu_init_amd(48);
	vcpu.efer = EFER_LMA | EFER_NX;
	vcpu.cr[0] = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP;
	vcpu.cr[3] = ROOT;
	vcpu.cr[4] = X86_CR4_PAE;
	for (i = 0; i < 200; i++)
		some_entry();
	for (i = 0; i < 200000; i++) {
		if (!rng_below(16))
			some_entry();
		if (!rng_below(50))
			vcpu.cr[0] ^= X86_CR0_WP;
		if (!rng_below(50))
			vcpu.cr[4] ^= X86_CR4_SMAP;
		if (!rng_below(50))
			vcpu.regs.rflags ^= X86_EFLAGS_AC;
		if (!rng_below(200))
			vcpu.efer ^= EFER_NX;
		if (!rng_below(200))
			vcpu.cr[3] ^= ROOT ^ L4;
		if (!rng_below(200))
			miss(rng_below(4) ? ~0ULL : rng_below(6));
		if (!rng_below(4))
			linear = some_linear();
		if (!rng_below(4))
			access = rng() & (W | U | (rng_below(10) ? 0 : IMPL));

		memcpy(before, vm.mem.data, TABLES);
		reads = vm.mem.reads;
		ret = walk(linear, access);
		again += ret >= 0 && vm.mem.reads == reads;
		memcpy(after, vm.mem.data, TABLES);

		memcpy(vm.mem.data, before, TABLES);
		slot = &vcpu.data[(linear >> PAGE_SHIFT) % HVMM_WALKED_PAGES];
		swap(none, *slot);
		CHECK_EQ(walk(linear, access), ret);
		CHECK(!memcmp(after, vm.mem.data, TABLES));
		swap(none, *slot);
		memset(&none, 0, sizeof(none));
	}
	CHECK(again > i / 20);
	tap_diag("%u of %u walks were remembered", again, i);
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "walks that are remembered", test_remembered },
		{ "code that is remembered", test_code_remembered },
		{ "random walks, remembered or not", test_remembered_random },
	};

	return check_main(cases, ARRAY_SIZE(cases));
}
