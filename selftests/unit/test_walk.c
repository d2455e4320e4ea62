// SPDX-License-Identifier: GPL-2.0
/* The walk of guest page tables, in all paging modes. */
#include "rng.h"
#include "test_walk.h"
#include "x86/cpuid.h"

static u32 get32(u64 gpa)
{
	u32 v;

	memcpy(&v, vm.mem.data + gpa, 4);
	return v;
}

static void put32(u64 gpa, u32 v)
{
	memcpy(vm.mem.data + gpa, &v, 4);
}

static void test_none(void)
{
	guest_cpu_init_amd(48);
	CHECK_EQ(walk(0x12345, W), 0x12345);
	CHECK_EQ(walk(0x100012345, 0), 0x12345);
}

static void test_long(void)
{
	init_long();
	CHECK_EQ(walk(LINEAR, 0), FRAME | 0x567);
	CHECK_EQ(get64(PML4E), L3 | FULL | A);
	CHECK_EQ(get64(PDPE), L2 | FULL | A);
	CHECK_EQ(get64(PDE), L1 | FULL | A);
	CHECK_EQ(get64(PTE), FRAME | FULL | A);
	CHECK_EQ(walk(LINEAR, W | U), FRAME | 0x567);
	CHECK_EQ(get64(PDE), L1 | FULL | A);
	CHECK_EQ(get64(PTE), FRAME | FULL | A | D);
	CHECK_EQ(walk(LINEAR, F | U), FRAME | 0x567);
	CHECK_EQ(walk(LINEAR + 0x1000, U), -E_U);
	CHECK_EQ(walk(LINEAR + 0x1000, W), -E_W);
	CHECK_EQ(walk(LINEAR + (1ULL << 39), F), -E_I);

	/* Bits 52 to 62 are free, and so is 8 above the last level. */
	put64(PML4E, L3 | FULL | BIT_ULL(52) | BIT_ULL(62) | BIT_ULL(8));
	CHECK_EQ(walk(LINEAR, 0), FRAME | 0x567);
}

static void test_large(void)
{
	init_long();
	put64(PDE, 0x40200000 | FULL | PS);
	CHECK_EQ(walk(LINEAR, W), 0x40200000 | (LINEAR & 0x1fffff));
	CHECK_EQ(get64(PDE), 0x40200000 | FULL | PS | A | D);
	put64(PDE, 0x40200000 | FULL | PS | BIT_ULL(12));
	CHECK_EQ(walk(LINEAR, 0), 0x40200000 | (LINEAR & 0x1fffff));
	put64(PDE, 0x40200000 | FULL | PS | BIT_ULL(13));
	CHECK_EQ(walk(LINEAR, 0), -(E_P | E_RSVD));
	put64(PDE, 0x40200000 | FULL | PS | BIT_ULL(20));
	CHECK_EQ(walk(LINEAR, W), -(E_P | E_RSVD | E_W));

	put64(PDPE, 0x40000000 | FULL | PS);
	CHECK_EQ(walk(LINEAR, 0), 0x40000000 | (LINEAR & 0x3fffffff));
	put64(PDPE, 0x40000000 | FULL | PS | BIT_ULL(29));
	CHECK_EQ(walk(LINEAR, 0), -(E_P | E_RSVD));
	put64(PDPE, 0x40000000 | FULL | PS);
	hvmm_guest_caps[X86_FEATURE_GBPAGES >> 5] &= ~BIT(X86_FEATURE_GBPAGES & 31);
	CHECK_EQ(walk(LINEAR, 0), -(E_P | E_RSVD));

	init_long();
	put64(PML4E, L3 | FULL | PS);
	CHECK_EQ(walk(LINEAR, 0), -(E_P | E_RSVD));
}

static void test_rights(void)
{
	static const u64 entries[] = { PML4E, PDPE, PDE, PTE };
	unsigned int i;
	u64 e;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		init_long();
		e = get64(entries[i]);

		put64(entries[i], e & ~RW);
		CHECK_EQ(walk(LINEAR, U), FRAME | 0x567);
		CHECK_EQ(walk(LINEAR, U | W), -(E_P | E_W | E_U));
		CHECK_EQ(walk(LINEAR, W), -(E_P | E_W));
		vcpu.cr[0] &= ~X86_CR0_WP;
		CHECK_EQ(walk(LINEAR, W), FRAME | 0x567);
		CHECK_EQ(walk(LINEAR, U | W), -(E_P | E_W | E_U));

		put64(entries[i], e & ~US);
		CHECK_EQ(walk(LINEAR, U), -(E_P | E_U));
		CHECK_EQ(walk(LINEAR, W), FRAME | 0x567);

		put64(entries[i], e | NX);
		CHECK_EQ(walk(LINEAR, F), -(E_P | E_I));
		CHECK_EQ(walk(LINEAR, F | U), -(E_P | E_I | E_U));
		CHECK_EQ(walk(LINEAR, W | U), FRAME | 0x567);
		vcpu.efer &= ~EFER_NX;
		CHECK_EQ(walk(LINEAR, 0), -(E_P | E_RSVD));
		/* Without NX and SMEP no error code tells of a fetch. */
		CHECK_EQ(walk(LINEAR, F), -(E_P | E_RSVD));
	}
}

static void test_smep_smap(void)
{
	init_long();
	vcpu.cr[4] |= X86_CR4_SMEP;
	CHECK_EQ(walk(LINEAR, F), -(E_P | E_I));
	CHECK_EQ(walk(LINEAR, F | U), FRAME | 0x567);
	CHECK_EQ(walk(LINEAR, W), FRAME | 0x567);
	put64(PDE, get64(PDE) & ~US);
	CHECK_EQ(walk(LINEAR, F), FRAME | 0x567);

	init_long();
	vcpu.cr[4] |= X86_CR4_SMAP;
	CHECK_EQ(walk(LINEAR, 0), -E_P);
	CHECK_EQ(walk(LINEAR, W), -(E_P | E_W));
	CHECK_EQ(walk(LINEAR, U), FRAME | 0x567);
	CHECK_EQ(walk(LINEAR, F), FRAME | 0x567);
	vcpu.regs.rflags |= X86_EFLAGS_AC;
	CHECK_EQ(walk(LINEAR, W), FRAME | 0x567);
	CHECK_EQ(walk(LINEAR, IMPL), -E_P);
	put64(PTE, get64(PTE) & ~US);
	CHECK_EQ(walk(LINEAR, IMPL), FRAME | 0x567);
}

static void test_reserved(void)
{
	static const u64 entries[] = { PML4E, PDPE, PDE, PTE };
	unsigned int i, bit;
	u64 e;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		init_long();
		guest_cpu_init_amd(40);
		vcpu.cr[0] |= X86_CR0_PG | X86_CR0_PE;
		vcpu.cr[3] = ROOT;
		vcpu.cr[4] = X86_CR4_PAE;
		vcpu.efer = EFER_LME | EFER_LMA;
		put64(PML4E, L3 | FULL);
		put64(PDPE, L2 | FULL);
		put64(PDE, L1 | FULL);
		put64(PTE, FRAME | FULL);
		e = get64(entries[i]);
		for (bit = 40; bit < 52; bit++) {
			put64(entries[i], e | BIT_ULL(bit));
			CHECK_EQ(walk(LINEAR, 0), -(E_P | E_RSVD));
			/* Not-present goes before reserved. */
			put64(entries[i], BIT_ULL(bit));
			CHECK_EQ(walk(LINEAR, 0), -0);
		}
	}
	put64(PTE, FRAME | FULL | BIT_ULL(39));
	CHECK_EQ(walk(LINEAR, 0), BIT_ULL(39) | FRAME | 0x567);
}

static void test_legacy(void)
{
	guest_cpu_init_amd(48);
	vcpu.cr[0] |= X86_CR0_PG | X86_CR0_PE | X86_CR0_WP;
	vcpu.cr[3] = ROOT | 0x18;
	vcpu.efer = EFER_NX;
	put32(ROOT + 4 * 5, L1 | FULL);
	put32(L1 + 4 * 6, FRAME | FULL);
	CHECK_EQ(walk(5 << 22 | 6 << 12 | 0x123, W), FRAME | 0x123);
	CHECK_EQ(get32(ROOT + 4 * 5), L1 | FULL | A);
	CHECK_EQ(get32(L1 + 4 * 6), FRAME | FULL | A | D);
	CHECK_EQ(get32(L1 + 4 * 7), 0);
	CHECK_EQ(walk(0x100000000 | 5 << 22 | 6 << 12 | 0x123, 0), FRAME | 0x123);
	/* No NX in this mode, so no bit for fetches either. */
	CHECK_EQ(walk(0, F | U), -E_U);

	/* Without CR4.PSE bit 7 is nothing. */
	put32(ROOT + 4 * 5, L1 | FULL | PS);
	CHECK_EQ(walk(5 << 22 | 6 << 12 | 0x123, 0), FRAME | 0x123);
	vcpu.cr[4] |= X86_CR4_PSE;
	put32(ROOT + 4 * 5, 0xffc00000 | FULL | PS);
	CHECK_EQ(walk(5 << 22 | 6 << 12 | 0x123, 0), 0xffc06123);
	put32(ROOT + 4 * 5, 0x00400000 | 0x81 << 13 | FULL | PS);
	CHECK_EQ(walk(5 << 22 | 6 << 12 | 0x123, 0), 0x8100406123);
	put32(ROOT + 4 * 5, 0x00400000 | BIT(21) | FULL | PS);
	CHECK_EQ(walk(5 << 22 | 6 << 12 | 0x123, U), -(E_P | E_RSVD | E_U));
	put32(ROOT + 4 * 5, 0x00400000 | P | PS);
	CHECK_EQ(walk(5 << 22 | 6 << 12 | 0x123, U | W), -(E_P | E_U | E_W));
}

static void init_pae(void)
{
	guest_cpu_init_amd(40);
	vcpu.cr[0] |= X86_CR0_PG | X86_CR0_PE | X86_CR0_WP;
	vcpu.cr[3] = ROOT | 0x20;
	vcpu.cr[4] = X86_CR4_PAE;
	vcpu.efer = EFER_NX;
	put64(ROOT + 0x20 + 8 * 3, L2 | P);
	put64(L2 + 8 * 3, L1 | FULL);
	put64(L1 + 8 * 4, FRAME | FULL);
}

static void test_pae(void)
{
	const u32 linear = 3u << 30 | 3 << 21 | 4 << 12 | 0x567;
	const u64 pdpte = ROOT + 0x20 + 8 * 3;
	unsigned int bit;

	init_pae();
	CHECK_EQ(walk(linear, W | U), FRAME | 0x567);
	CHECK_EQ(get64(pdpte), L2 | P);
	CHECK_EQ(get64(L2 + 8 * 3), L1 | FULL | A);
	CHECK_EQ(get64(L1 + 8 * 4), FRAME | FULL | A | D);
	/* The CPU checked it when it was loaded: the copy in memory decides nothing. */
	for (bit = 1; bit < 64; bit++) {
		if (bit >= 12 && bit < 40)
			continue;
		init_pae();
		put64(pdpte, L2 | P | BIT_ULL(bit));
		CHECK_EQ(walk(linear, U), FRAME | 0x567);
	}
	for (bit = 52; bit < 63; bit++) {
		init_pae();
		put64(L1 + 8 * 4, FRAME | FULL | BIT_ULL(bit));
		CHECK_EQ(walk(linear, 0), -(E_P | E_RSVD));
	}
	init_pae();
	put64(L1 + 8 * 4, FRAME | FULL | NX);
	CHECK_EQ(walk(linear, F), -(E_P | E_I));
	put64(L2 + 8 * 3, 0x40000000 | FULL | PS);
	CHECK_EQ(walk(linear, F), 0x40000000 | (linear & 0x1fffff));
	vcpu.efer = 0;
	put64(L2 + 8 * 3, 0x40000000 | FULL | PS | NX);
	CHECK_EQ(walk(linear, 0), -(E_P | E_RSVD));
}

static void test_la57(void)
{
	init_long();
	vcpu.cr[4] |= X86_CR4_LA57;
	put64(ROOT, 0);
	put64(PML4E, 0);
	put64(ROOT + 8 * 7, L4 | FULL);
	put64(L4 + 8, L3 | FULL);
	CHECK_EQ(walk(LINEAR | 7ULL << 48, W), FRAME | 0x567);
	CHECK_EQ(get64(ROOT + 8 * 7), L4 | FULL | A);
	put64(ROOT + 8 * 7, L4 | FULL | PS);
	CHECK_EQ(walk(LINEAR | 7ULL << 48, 0), -(E_P | E_RSVD));
}

static void test_missing(void)
{
	static const u64 tables[] = { ROOT, L3, L2, L1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		init_long();
		miss(tables[i] >> 12);
		CHECK_EQ(walk(LINEAR, W), AGAIN);
		CHECK_EQ(vcpu.missing_gfn, tables[i] >> 12);
		CHECK(vcpu.missing_write);
		CHECK_EQ(get64(PML4E), L3 | FULL);
		CHECK_EQ(get64(PTE), FRAME | FULL);
		vm.mem.missing = ~0ULL;
		CHECK_EQ(walk(LINEAR, W), FRAME | 0x567);
	}
}

static void test_no_ram(void)
{
	init_long();
	put64(PDE, 0x80000000 | FULL);
	CHECK_EQ(walk(LINEAR, 0), -(E_P | E_RSVD));
	vcpu.cr[3] = 0xfffffff000;
	CHECK_EQ(walk(LINEAR, U), -(E_P | E_RSVD | E_U));
}

static void race_unmap(struct hvmm_mem *mem)
{
	mem->race = NULL;
	put64(PTE, 0);
}

static void race_move(struct hvmm_mem *mem)
{
	mem->race = NULL;
	put64(PTE, (FRAME + 0x1000) | FULL);
}

/* Another vCPU that flips a free bit whenever it can. */
static void test_race(void)
{
	init_long();
	vm.mem.race = race_unmap;
	put64(PML4E, get64(PML4E) | A);
	put64(PDPE, get64(PDPE) | A);
	put64(PDE, get64(PDE) | A);
	CHECK_EQ(walk(LINEAR, W), -E_W);
	CHECK_EQ(get64(PTE), 0);

	init_long();
	put64(PML4E, get64(PML4E) | A);
	put64(PDPE, get64(PDPE) | A);
	put64(PDE, get64(PDE) | A);
	vm.mem.race = race_move;
	CHECK_EQ(walk(LINEAR, W), (FRAME + 0x1000) | 0x567);
	CHECK_EQ(get64(PTE), (FRAME + 0x1000) | FULL | A | D);

	init_long();
	vm.mem.race = race_forever;
	CHECK_EQ(walk(LINEAR, 0), FRAME | 0x567);
}

static void test_fetch(void)
{
	u8 buf[HVMM_INSN_MAX_LEN];
	u64 addr = 0;
	u32 fault = 0;
	unsigned int i;

	/* Flat, no paging, over the wrap of 32 bits. */
	guest_cpu_init_amd(48);
	for (i = 0; i < 32; i++)
		vm.mem.data[i] = i;
	vcpu.cs.base = 0xfffff000;
	vcpu.regs.rip = 0x1003;
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	CHECK_EQ(buf[0], 3);
	CHECK_EQ(buf[14], 17);

	/* What is not RAM reads as ones. */
	vcpu.regs.rip = 0xffa;
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	CHECK_EQ(buf[5], 0xff);
	CHECK_EQ(buf[6], 0);

	/* 64-bit mode ignores the base; over a page boundary. */
	init_long();
	vcpu.cs.attrib = HVMM_SEG_ATTR_L;
	vcpu.cs.base = 0x12340000;
	vcpu.regs.rip = (LINEAR & ~0xfffULL) + 0xff8;
	put64(PTE + 8, (FRAME + 0x3000) | FULL);
	memset(vm.mem.data + FRAME + 0xff8, 0x11, 8);
	memset(vm.mem.data + FRAME + 0x3000, 0x22, 8);
	CHECK_EQ(fetch(buf, &fault, &addr), 15);
	CHECK_EQ(buf[7], 0x11);
	CHECK_EQ(buf[8], 0x22);
	CHECK_EQ(get64(PTE), FRAME | FULL);

	put64(PTE + 8, 0);
	vcpu.cpl = 3;
	CHECK_EQ(fetch(buf, &fault, &addr), 8);
	CHECK_EQ(addr, (LINEAR & ~0xfffULL) + 0x1000);
	CHECK_EQ(fault, E_U | E_I);

	put64(PTE, FRAME | FULL | NX);
	CHECK_EQ(fetch(buf, &fault, &addr), -EFAULT);
	CHECK_EQ(addr, vcpu.regs.rip);
	CHECK_EQ(fault, E_P | E_U | E_I);

	put64(PTE, FRAME | FULL);
	miss(FRAME >> 12);
	CHECK_EQ(fetch(buf, &fault, &addr), -EAGAIN);
	CHECK_EQ(vcpu.missing_gfn, FRAME >> 12);
}

/* Whatever the tables hold, a walk ends, and says one of the things it may. */
static void test_random(void)
{
	unsigned int i, j;
	u64 gpa;
	u32 fault;
	int ret;

	for (i = 0; i < 20000; i++) {
		if (!(i % 1000)) {
			guest_cpu_init_amd(40 + rng_below(13));
			for (j = 0; j < 0x6000; j += 8)
				put64(j, (rng() & rng() & 0xfff0000000000fffULL) |
				      rng_below(300) << 12 | P);
		}
		vcpu.cr[0] = X86_CR0_PE | X86_CR0_PG | (rng() & X86_CR0_WP);
		vcpu.cr[3] = rng_below(6) << 12;
		vcpu.cr[4] = rng() & (X86_CR4_PAE | X86_CR4_PSE | X86_CR4_LA57 | X86_CR4_SMEP |
				      X86_CR4_SMAP);
		vcpu.efer = rng() & (EFER_NX | EFER_LMA);
		vcpu.regs.rflags = rng() & X86_EFLAGS_AC;
		miss(rng_below(600));
		ret = hvmm_walk(&vcpu, rng(), rng() & (W | U | F | IMPL), &gpa, &fault);
		if (ret == -EFAULT)
			CHECK(!(fault & ~31u));
		else if (ret == 0)
			CHECK(!(gpa >> hvmm_guest_maxphyaddr()));
		else
			CHECK(ret == -EAGAIN && vcpu.missing_gfn == vm.mem.missing);
	}
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "no paging", test_none },
		{ "long mode: 4 KiB pages, accessed and dirty bits", test_long },
		{ "long mode: 2 MiB and 1 GiB pages", test_large },
		{ "rights of each level, WP, NX", test_rights },
		{ "SMEP and SMAP", test_smep_smap },
		{ "reserved address bits", test_reserved },
		{ "legacy mode, PSE", test_legacy },
		{ "PAE", test_pae },
		{ "five levels", test_la57 },
		{ "tables that are not mapped on the host", test_missing },
		{ "tables outside RAM", test_no_ram },
		{ "entries that change during the walk", test_race },
		{ "instruction fetch", test_fetch },
		{ "random tables", test_random },
	};

	return check_main(cases, ARRAY_SIZE(cases));
}
