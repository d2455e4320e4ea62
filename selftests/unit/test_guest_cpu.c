// SPDX-License-Identifier: GPL-2.0
/* What guests are told of their CPU: CPUID, MSRs, control registers, kvmclock. */
#include "check.h"
#include "guest_cpu.h"
#include "rng.h"
#include "x86/cpuid.h"
#include "x86/cpuid_table.h"
#include "x86/cr.h"
#include "x86/msr.h"
#include "x86/msr_table.h"
#include "x86/pv.h"

struct regs {
	u32 a, b, c, d;
};

static struct regs cpuid(u32 leaf, u32 sub)
{
	const u32 *fixed = hvmm_cpuid_fixed(leaf, sub);
	u32 r[4];

	hvmm_cpuid(&vcpu, leaf, sub, r);
	/* The short way gives the same, or leaves it to the long one. */
	CHECK(!fixed || !memcmp(fixed, r, 4 * sizeof(*r)));
	return (struct regs){ .a = r[0], .b = r[1], .c = r[2], .d = r[3] };
}

static void check_zero(u32 leaf, u32 sub)
{
	struct regs r = cpuid(leaf, sub);

	CHECK_EQ(r.a | r.b | r.c | r.d, 0);
}

static void test_cpuid_table(void)
{
	const struct hvmm_cpuid_row *r, *q, *end = hvmm_cpuid_rows + hvmm_cpuid_nr_rows;

	for (r = hvmm_cpuid_rows; r < end; r++) {
		CHECK(r->why && *r->why);
		CHECK(r->bits);
		CHECK(r->vendors);
		if (r > hvmm_cpuid_rows)
			CHECK(r[-1].leaf < r->leaf ||
			      (r[-1].leaf == r->leaf && r[-1].sub <= r->sub));
		for (q = r + 1; q < end; q++) {
			if (q->leaf != r->leaf || q->sub != r->sub || q->reg != r->reg ||
			    !(q->vendors & r->vendors))
				continue;
			/* The highest basic leaf of one vendor adds to that of both. */
			if (!r->leaf && r->reg == HVMM_EAX)
				continue;
			if (q->bits & r->bits)
				tap_diag("0x%x.%u reg %u: %s / %s", r->leaf, r->sub, r->reg,
					 r->why, q->why);
			CHECK(!(q->bits & r->bits));
		}
	}
}

/* A host that has everything: what must not get through does not. */
static void test_cpuid_masked(void)
{
	struct regs r;

	guest_cpu_init_amd(48);
	r = cpuid(0, 0);
	CHECK_EQ(r.a, 0xd);
	CHECK_EQ(r.b, 0x68747541);
	r = cpuid(1, 0);
	CHECK(!(r.c & (BIT(3) | BIT(5))));		/* MWAIT, VMX */
	CHECK(r.c & BIT(31));
	r = cpuid(7, 0);
	CHECK_EQ(r.a, 1);
	CHECK(!(r.c & (BIT(3) | BIT(5) | BIT(7) | BIT(16))));	/* PKU, WAITPKG, CET, LA57 */
	CHECK(!(r.d & (BIT(5) | BIT(20) | BIT(22) | BIT(24))));	/* UINTR, IBT, AMX */
	check_zero(7, 2);
	check_zero(0xa, 0);
	r = cpuid(0x80000001, 0);
	CHECK(!(r.c & (BIT(2) | BIT(12) | BIT(29))));	/* SVM, SKINIT, MWAITX */
	check_zero(0x8000000a, 0);
	check_zero(0x8000001f, 0);
	r = cpuid(0x80000008, 0);
	CHECK(!(r.b & (BIT(3) | BIT(4))));		/* INVLPGB, RDPRU */
	CHECK_EQ(r.a & 0xffff, 0x3000 | 48);
	CHECK_EQ(r.d, 0);
	r = cpuid(0x80000007, 0);
	CHECK_EQ(r.d, BIT(8));
	r = cpuid(0x40000000, 0);
	CHECK_EQ(r.a, 0x40000010);
	CHECK_EQ(r.b, 0x4b4d564b);
	r = cpuid(0x40000010, 0);
	CHECK_EQ(r.a, tsc_khz);
	CHECK_EQ(r.b, 1000000);
	r = cpuid(0x40000001, 0);
	CHECK_EQ(r.a, BIT(0) | BIT(1) | BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(9) | BIT(11) |
		      BIT(12) | BIT(13) | BIT(15) | BIT(24));
	fake.tsc_unstable = true;
	r = cpuid(0x40000001, 0);
	CHECK(!(r.a & BIT(24)));

	CHECK(!hvmm_guest_has(X86_FEATURE_SVM));
	CHECK(!hvmm_guest_has(X86_FEATURE_PKU));
	CHECK(!hvmm_guest_has(X86_FEATURE_LA57));
	CHECK(hvmm_guest_has(X86_FEATURE_X2APIC));
	CHECK_EQ(hvmm_guest_efer() & EFER_SVME, 0);
	CHECK_EQ(hvmm_guest_cr4() & (X86_CR4_VMXE | X86_CR4_PKE | X86_CR4_LA57 | X86_CR4_SMXE), 0);
	CHECK(hvmm_guest_cr4() & X86_CR4_SMAP);
	CHECK_EQ(hvmm_guest_xcr0(), 7);
	CHECK_EQ(hvmm_guest_maxphyaddr(), 48);
}

/* Any CPUID of any host: every bit that a guest sees has a row, and is not OFF. */
static void test_cpuid_closed(void)
{
	static struct host_leaf leaves[0x70];
	const struct hvmm_cpuid_row *row;
	unsigned int vendor, i, reg;
	u32 allowed[4], got[4];
	u64 leaf, sub;
	struct regs r;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		leaves[i].leaf = i < 0x30 ? i : 0x80000000 + i - 0x30;
		memset(leaves[i].r, 0xff, sizeof(leaves[i].r));
	}
	for (vendor = HVMM_VENDOR_AMD; vendor <= HVMM_VENDOR_INTEL; vendor++) {
		guest_cpu_init(vendor == HVMM_VENDOR_AMD ? X86_VENDOR_AMD : X86_VENDOR_INTEL,
			       leaves, ARRAY_SIZE(leaves));
		vm.nr_vcpus = 4096;
		vcpu.vcpu.index = 4095;
		vcpu.cr[4] = ~0ULL;
		for (i = 0; i < 4000; i++) {
			leaf = i < 2000 ? i % 0x80 : (i & 1 ? 0x80000000 : 0x40000000) + i % 0x80;
			sub = i < 1000 ? 0 : rng_below(10);
			memset(allowed, 0, sizeof(allowed));
			for (row = hvmm_cpuid_rows; row < hvmm_cpuid_rows + hvmm_cpuid_nr_rows;
			     row++) {
				if (row->leaf != leaf || !(row->vendors & vendor) ||
				    row->how == HVMM_CPUID_OFF)
					continue;
				allowed[row->reg] |= row->bits;
				/* Rows of leaves that are live throughout name EAX. */
				if (row->how == HVMM_CPUID_LIVE && row->bits == ~0U)
					memset(allowed, 0xff, sizeof(allowed));
			}
			r = cpuid(leaf, sub);
			memcpy(got, &r, sizeof(got));
			for (reg = 0; reg < 4; reg++)
				CHECK_EQ(got[reg] & ~allowed[reg], 0);
		}
	}
	check_zero(0x20, 0);
	check_zero(0x40000011, 0);
	check_zero(0x80000023, 0);
	check_zero(0xffffffff, 0xffffffff);
	check_zero(0x7fffffff, 0);
	check_zero(0xc0000000, 0);
	check_zero(4, 0xffffffff);
}

static void test_cpuid_live(void)
{
	struct regs r;

	guest_cpu_init_amd(52);
	r = cpuid(1, 0);
	CHECK_EQ(r.b >> 16, 1);
	CHECK(!(r.c & BIT(27)));
	CHECK(r.d & BIT(9));
	CHECK(!(r.d & BIT(28)));
	vcpu.cr[4] |= X86_CR4_OSXSAVE;
	vcpu.vcpu.lapic.base &= ~HVMM_APIC_BASE_EN;
	vm.nr_vcpus = 3;
	vcpu.vcpu.index = 2;
	r = cpuid(1, 0);
	CHECK_EQ(r.b >> 16, 0x203);
	CHECK(r.c & BIT(27));
	CHECK(!(r.d & BIT(9)));
	CHECK(r.d & BIT(28));

	/* Four levels of nested paging reach 48 bits only. */
	CHECK_EQ(cpuid(0x80000008, 0).a, 48 << 16 | 48 << 8 | 52);
	vm.mem.tdp.levels = 5;
	CHECK_EQ(cpuid(0x80000008, 0).a, 48 << 8 | 52);
}

static void test_topology(void)
{
	static const u32 counts[] = { 1, 2, 3, 4, 5, 255, 256, 257, 4096 };
	unsigned int i, nr, bits;
	struct regs r;

	guest_cpu_init_amd(48);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		nr = counts[i];
		vm.nr_vcpus = nr;
		vcpu.vcpu.index = nr - 1;
		bits = order_base_2(nr);

		r = cpuid(0xb, 0);
		CHECK_EQ(r.a, 0);
		CHECK_EQ(r.b, 1);
		CHECK_EQ(r.c, 0x100);
		CHECK_EQ(r.d, nr - 1);
		r = cpuid(0xb, 1);
		CHECK_EQ(r.a, bits);
		CHECK_EQ(r.b, nr);
		CHECK_EQ(r.c, 0x201);
		/* All vCPUs in one package: no id reaches beyond its bits. */
		CHECK_EQ(r.d >> r.a, 0);
		r = cpuid(0xb, 7);
		CHECK_EQ(r.a | r.b, 0);
		CHECK_EQ(r.c, 7);
		CHECK_EQ(r.d, nr - 1);

		r = cpuid(0x80000008, 0);
		CHECK_EQ(r.c >> 12 & 0xf, bits);
		CHECK_EQ((r.c & 0xff) + 1, min(nr, 256));
		CHECK_EQ(cpuid(0x8000001e, 0).a, nr - 1);
		/* Level 1 is private, level 3 shared by all; the host's sharing is not shown. */
		CHECK_EQ(cpuid(0x8000001d, 0).a, 0x121);
		CHECK_EQ(cpuid(0x8000001d, 3).a, 0x163 | (nr - 1) << 14);
		CHECK_EQ(!!(cpuid(0x80000001, 0).c & BIT(1)), nr > 1);
	}
}

static void test_xsave_leaf(void)
{
	struct regs r;

	guest_cpu_init_amd(48);
	r = cpuid(0xd, 0);
	CHECK_EQ(r.a, 7);
	CHECK_EQ(r.b, 576);
	CHECK_EQ(r.c, 832);
	CHECK_EQ(r.d, 0);
	vcpu.xcr0 = 7;
	CHECK_EQ(cpuid(0xd, 0).b, 832);
	r = cpuid(0xd, 1);
	CHECK_EQ(r.a, 7);
	CHECK_EQ(r.b, 832);
	CHECK_EQ(r.c | r.d, 0);
	CHECK_EQ(cpuid(0xd, 2).a, 256);
	check_zero(0xd, 5);
	check_zero(0xd, 9);
	CHECK(!(cpuid(7, 0).c & BIT(3)));

	fake.xcr0 = 0x60207 | 0xe0;
	CHECK_EQ(hvmm_cpuid_setup(), 0);
	CHECK_EQ(hvmm_guest_xcr0(), 0xe7);
	CHECK_EQ(cpuid(0xd, 0).a, 0xe7);
	CHECK_EQ(cpuid(0xd, 0).c, 1408 + 1024);
	CHECK_EQ(hvmm_guest_xsave_size(0xe7, true), 576 + 256 + 64 + 512 + 1024);
	CHECK_EQ(hvmm_guest_xsave_size(0x3, true), 576);
	/* Some of AVX512's components without the others are none. */
	fake.xcr0 = 0x67;
	CHECK_EQ(hvmm_cpuid_setup(), 0);
	CHECK_EQ(hvmm_guest_xcr0(), 7);
}

/* What the host's kernel has switched off is off. */
static void test_host_kernel(void)
{
	guest_cpu_init_amd(48);
	CHECK(hvmm_guest_cr4() & X86_CR4_SMAP);
	boot_cpu_data.x86_capability[X86_FEATURE_SMAP >> 5] &= ~BIT(X86_FEATURE_SMAP & 31);
	boot_cpu_data.x86_capability[X86_FEATURE_OSXSAVE >> 5] &=
		~(BIT(X86_FEATURE_OSXSAVE & 31) | BIT(X86_FEATURE_XSAVE & 31));
	CHECK_EQ(hvmm_cpuid_setup(), 0);
	CHECK(!(hvmm_guest_cr4() & (X86_CR4_SMAP | X86_CR4_OSXSAVE)));
	CHECK(!(cpuid(7, 0).b & BIT(20)));
	CHECK_EQ(hvmm_guest_xcr0(), 0);
	check_zero(0xd, 0);
}

static void lapic_none(struct hvmm_lapic *l)
{
}

static void lapic_arm(struct hvmm_lapic *l, u64 when)
{
}

static u64 lapic_now(struct hvmm_lapic *l)
{
	return fake.ns;
}

static u64 lapic_ns(struct hvmm_lapic *l, u64 tsc)
{
	return tsc;
}

static const struct hvmm_lapic_ops lapic_ops = {
	.now = lapic_now,
	.timer_arm = lapic_arm,
	.timer_cancel = lapic_none,
	.tsc_to_ns = lapic_ns,
	.kick = lapic_none,
};

static void init_msrs(void)
{
	const struct hvmm_lapic_config cfg = {
		.phys_bits = 48, .bsp = true, .x2apic = true, .tsc_deadline = true,
	};

	guest_cpu_init_amd(48);
	hvmm_lapic_init(&vcpu.vcpu.lapic, &lapic_ops, &cfg);
	fake.tsc = 1000000;
	fake.ns = 500000;
	hvmm_pv_clock_reset(&vm);
	hvmm_msr_reset(&vcpu, false);
}

static s64 rd(u32 msr)
{
	u64 val = 0;
	int ret = hvmm_msr_read(&vcpu, msr, &val);

	return ret ? ret : (s64)val;
}

static int wr(u32 msr, u64 val)
{
	return hvmm_msr_write(&vcpu, msr, val);
}

#define GP	(-EINVAL)

static void test_msr_table(void)
{
	const struct hvmm_msr_row *r;
	unsigned int i;

	for (i = 0; i < hvmm_msr_nr_rows; i++) {
		r = &hvmm_msr_rows[i];
		CHECK(r->why && *r->why);
		CHECK(r->first <= r->last);
		CHECK(!i || r[-1].last < r->first);
		CHECK(hvmm_msr_find(r->first) == r && hvmm_msr_find(r->last) == r);
		if (r->read == HVMM_MSR_R_VALUE && r->write == HVMM_MSR_W_IGNORE)
			CHECK(!(r->value & ~r->mask));
	}
	CHECK(!hvmm_msr_find(0x2));
	CHECK(!hvmm_msr_find(0xf));
	CHECK(!hvmm_msr_find(~0U));
}

/* Every number: no crash, an answer or #GP; what has no row is #GP both ways. */
static void test_msr_all(void)
{
	static const u32 bases[] = { 0, 0x40000000, 0x4b564d00, 0xc0000000, 0xc0010000 };
	unsigned int i, good = 0;
	u32 msr;

	init_msrs();
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		for (msr = bases[i]; msr < bases[i] + 0x2000; msr++) {
			u64 val = 0, again = 0;
			int ret = hvmm_msr_read(&vcpu, msr, &val);

			CHECK(ret == 0 || ret == GP);
			good += !ret;
			/* The short way gives the same, or leaves it to the long one. */
			CHECK_EQ(hvmm_msr_read_quick(&vcpu, msr, &again),
				 !ret && msr != MSR_IA32_TSC_DEADLINE && msr - 0x800 > 0xff);
			if (!ret && msr != MSR_IA32_TSC_DEADLINE && msr - 0x800 > 0xff)
				CHECK_EQ(again, val);
			if (!hvmm_msr_find(msr) && msr != MSR_IA32_TSC_DEADLINE &&
			    msr - 0x800 > 0xff) {
				CHECK_EQ(ret, GP);
				CHECK_EQ(wr(msr, 0), GP);
			}
			if (msr != MSR_EFER)
				wr(msr, rng() & rng());
		}
	}
	CHECK(good > 50 && good < 200);
	CHECK_EQ(rd(0x48), GP);			/* SPEC_CTRL */
	CHECK_EQ(rd(0x3a), GP);			/* FEATURE_CONTROL, an Intel MSR */
	CHECK_EQ(rd(0xc0010114), GP);		/* VM_CR */
	CHECK_EQ(wr(0xc0010117, 0), GP);	/* VM_HSAVE_PA */
}

static void test_msr_values(void)
{
	init_msrs();
	CHECK_EQ(rd(0x1a0) & 1, 1);
	CHECK_EQ(wr(0x1a0, 0), 0);
	CHECK_EQ(rd(0x1a0) & 1, 1);
	CHECK_EQ(fake.ignored_writes, 1);
	CHECK_EQ(rd(0x179), 0);
	CHECK_EQ(wr(0x17a, 0), 0);
	CHECK_EQ(wr(0x17a, 1), GP);
	CHECK_EQ(wr(0x17b, ~0ULL), GP);
	CHECK_EQ(wr(0xc0010000, 0), 0);
	CHECK_EQ(wr(0xc001020b, 0), 0);
	CHECK_EQ(rd(MSR_K7_HWCR), BIT(24));
	CHECK_EQ(wr(MSR_K7_HWCR, BIT(24) | BIT(6) | BIT(3)), 0);
	CHECK_EQ(rd(MSR_K7_HWCR), BIT(24));
	CHECK_EQ(wr(MSR_K7_HWCR, BIT(0)), GP);
	CHECK_EQ(rd(MSR_AMD64_DE_CFG), 2);
	CHECK_EQ(wr(MSR_TSC_AUX, 0x12345678), 0);
	CHECK_EQ(rd(MSR_TSC_AUX), 0x12345678);
	CHECK_EQ(fake.wrmsr, MSR_TSC_AUX);
	CHECK_EQ(wr(MSR_TSC_AUX, BIT_ULL(32)), GP);
	CHECK_EQ(wr(MSR_IA32_PRED_CMD, 1), 0);
	CHECK_EQ(fake.wrmsr, MSR_IA32_PRED_CMD);
	CHECK_EQ(wr(MSR_IA32_PRED_CMD, 2), GP);
	CHECK_EQ(rd(MSR_IA32_PRED_CMD), GP);
	CHECK_EQ(wr(MSR_LSTAR, 0xffff800000000000), 0);
	CHECK_EQ(wr(MSR_LSTAR, 0x0000800000000000), GP);
	CHECK_EQ(wr(MSR_LSTAR, 0xfffe000000000000), GP);
	CHECK_EQ(vcpu.lstar, 0xffff800000000000);
	CHECK_EQ(wr(MSR_IA32_CR_PAT, 0x0706050401000607), 0);
	CHECK_EQ(wr(MSR_IA32_CR_PAT, 0x0706050401000602), GP);
	CHECK_EQ(wr(MSR_IA32_CR_PAT, 0x0306050401000607), GP);
	CHECK_EQ(wr(MSR_IA32_CR_PAT, 0x0806050401000607), GP);
	CHECK_EQ(rd(MSR_IA32_CR_PAT), 0x0706050401000607);
	CHECK_EQ(rd(MSR_K8_TOP_MEM1), HVMM_VM_RAM);
	vm.mem.ram.size = 5ULL << 30;
	CHECK_EQ(rd(MSR_K8_TOP_MEM1), 3ULL << 30);
	CHECK_EQ(rd(MSR_K8_TOP_MEM2), 6ULL << 30);
}

static void test_mtrr(void)
{
	unsigned int i;

	init_msrs();
	CHECK_EQ(rd(0xfe), 0x508);
	CHECK_EQ(wr(0xfe, 0x508), GP);
	CHECK_EQ(rd(0x2ff), 0x806);
	CHECK_EQ(wr(0x2ff, 0xc00), 0);
	CHECK_EQ(wr(0x2ff, 0xc02), GP);
	CHECK_EQ(wr(0x2ff, 0x1c00), GP);
	CHECK_EQ(rd(0x2ff), 0xc00);
	for (i = 0; i < 16; i++) {
		CHECK_EQ(wr(0x200 + i, (u64)i << 20 | (i & 1 ? 0x800 : 6)), 0);
		CHECK_EQ(wr(0x200 + i, BIT_ULL(48)), GP);
	}
	for (i = 0; i < 16; i++)
		CHECK_EQ(rd(0x200 + i), (u64)i << 20 | (i & 1 ? 0x800 : 6));
	CHECK_EQ(wr(0x200, 3), GP);
	CHECK_EQ(wr(0x200, 0x100), GP);
	CHECK_EQ(wr(0x201, 0x400), GP);
	CHECK_EQ(rd(0x210), GP);
	CHECK_EQ(wr(0x250, 0x0606060606060606), 0);
	CHECK_EQ(wr(0x26f, 0x0505050505050505), 0);
	CHECK_EQ(wr(0x259, 0x0404040404040404), 0);
	CHECK_EQ(wr(0x259, 0x0404020404040404), GP);
	CHECK_EQ(rd(0x250), 0x0606060606060606);
	CHECK_EQ(rd(0x26f), 0x0505050505050505);
	CHECK_EQ(rd(0x259), 0x0404040404040404);
	CHECK_EQ(rd(0x258), 0);
	CHECK_EQ(rd(0x251), GP);
	hvmm_msr_reset(&vcpu, true);
	CHECK_EQ(rd(0x2ff), 0xc00);
	hvmm_msr_reset(&vcpu, false);
	CHECK_EQ(rd(0x2ff), 0x806);
}

static void test_tsc(void)
{
	init_msrs();
	CHECK_EQ(rd(MSR_IA32_TSC), 0);
	fake.tsc += 5000;
	CHECK_EQ(rd(MSR_IA32_TSC), 5000);
	CHECK_EQ(fake.tsc + vcpu.tsc_offset, 5000);
	CHECK_EQ(wr(MSR_IA32_TSC, 1000000), 0);
	CHECK_EQ(rd(MSR_IA32_TSC), 1000000);
	CHECK_EQ(fake.tsc + vcpu.tsc_offset, 1000000);
	CHECK_EQ(rd(MSR_IA32_TSC_ADJUST), 995000);
	CHECK(vcpu.vcpu.requests & BIT(HVMM_REQ_CLOCK));
	CHECK_EQ(wr(MSR_IA32_TSC_ADJUST, 0), 0);
	CHECK_EQ(rd(MSR_IA32_TSC), 5000);
	CHECK_EQ(wr(MSR_IA32_TSC_ADJUST, -5000), 0);
	CHECK_EQ(rd(MSR_IA32_TSC), 0);
	hvmm_msr_reset(&vcpu, true);
	CHECK_EQ(rd(MSR_IA32_TSC), 0);
	hvmm_msr_reset(&vcpu, false);
	CHECK_EQ(rd(MSR_IA32_TSC), 5000);
	CHECK_EQ(rd(MSR_IA32_TSC_DEADLINE), 0);
	CHECK_EQ(rd(0x803), GP);
}

static void test_cr0(void)
{
	guest_cpu_init_amd(48);
	CHECK_EQ(hvmm_set_cr0(&vcpu, BIT_ULL(32)), GP);
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_PG), GP);
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_NW), GP);
	CHECK_EQ(vcpu.cr[0], X86_CR0_ET);
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_PE | BIT(6)), 0);
	CHECK_EQ(vcpu.cr[0], X86_CR0_PE | X86_CR0_ET);
	CHECK_EQ(hvmm_lmsw(&vcpu, 0xfffe), 0);
	CHECK_EQ(vcpu.cr[0], X86_CR0_PE | X86_CR0_ET | 0xe);
	CHECK_EQ(hvmm_clts(&vcpu), 0);
	CHECK_EQ(vcpu.cr[0], X86_CR0_PE | X86_CR0_ET | 0x6);
	CHECK_EQ(vcpu.flushes, 0);

	/* Into long mode and out again. */
	CHECK_EQ(hvmm_set_efer(&vcpu, EFER_LME), 0);
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_PE | X86_CR0_PG), GP);
	CHECK_EQ(vcpu.efer, EFER_LME);
	CHECK_EQ(hvmm_set_cr4(&vcpu, X86_CR4_PAE), 0);
	vcpu.cs.attrib = HVMM_SEG_ATTR_L;
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_PE | X86_CR0_PG), GP);
	vcpu.cs.attrib = 0;
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_PE | X86_CR0_PG), 0);
	CHECK_EQ(vcpu.efer, EFER_LME | EFER_LMA);
	CHECK(vcpu.flushes);
	CHECK_EQ(hvmm_set_efer(&vcpu, 0), GP);
	CHECK_EQ(hvmm_set_efer(&vcpu, EFER_LME | EFER_NX), 0);
	CHECK_EQ(vcpu.efer, EFER_LME | EFER_LMA | EFER_NX);
	CHECK_EQ(hvmm_set_efer(&vcpu, EFER_LME | EFER_SVME), GP);
	CHECK_EQ(hvmm_set_cr4(&vcpu, 0), GP);
	vcpu.cs.attrib = HVMM_SEG_ATTR_L;
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_PE), GP);
	vcpu.cs.attrib = 0;
	CHECK_EQ(hvmm_set_cr4(&vcpu, X86_CR4_PAE | X86_CR4_PCIDE), 0);
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_PE), GP);
	CHECK_EQ(hvmm_set_cr4(&vcpu, X86_CR4_PAE), 0);
	CHECK_EQ(hvmm_set_cr0(&vcpu, X86_CR0_PE), 0);
	CHECK_EQ(vcpu.efer, EFER_LME | EFER_NX);
}

static void test_cr34(void)
{
	guest_cpu_init_amd(48);
	CHECK_EQ(hvmm_set_cr3(&vcpu, 0xffffffff), 0);
	CHECK_EQ(hvmm_set_cr4(&vcpu, X86_CR4_VMXE), GP);
	CHECK_EQ(hvmm_set_cr4(&vcpu, BIT_ULL(31)), GP);
	CHECK_EQ(hvmm_set_cr4(&vcpu, X86_CR4_PAE | X86_CR4_PCIDE), GP);
	vcpu.cr[4] = X86_CR4_PAE;
	vcpu.efer = EFER_LME | EFER_LMA;
	CHECK_EQ(hvmm_set_cr3(&vcpu, BIT_ULL(48)), GP);
	CHECK_EQ(hvmm_set_cr3(&vcpu, BIT_ULL(63)), GP);
	CHECK_EQ(hvmm_set_cr3(&vcpu, BIT_ULL(47) | 1), 0);
	CHECK_EQ(hvmm_set_cr4(&vcpu, X86_CR4_PAE | X86_CR4_PCIDE), GP);
	CHECK_EQ(hvmm_set_cr3(&vcpu, BIT_ULL(47)), 0);
	CHECK_EQ(hvmm_set_cr4(&vcpu, X86_CR4_PAE | X86_CR4_PCIDE), 0);
	CHECK_EQ(hvmm_set_cr3(&vcpu, BIT_ULL(63) | 0x1123), 0);
	CHECK_EQ(vcpu.cr[3], 0x1123);
	CHECK_EQ(hvmm_set_cr8(&vcpu, 16), GP);
}

static void test_xcr0(void)
{
	guest_cpu_init_amd(48);
	fake.xcr0 = 0xe7;
	CHECK_EQ(hvmm_cpuid_setup(), 0);
	CHECK_EQ(hvmm_xsetbv(&vcpu, 1, 7), GP);
	CHECK_EQ(hvmm_xsetbv(&vcpu, 0, 6), GP);
	CHECK_EQ(hvmm_xsetbv(&vcpu, 0, 5), GP);
	CHECK_EQ(hvmm_xsetbv(&vcpu, 0, 0x27), GP);
	CHECK_EQ(hvmm_xsetbv(&vcpu, 0, 0xe3), GP);
	CHECK_EQ(hvmm_xsetbv(&vcpu, 0, 0x207), GP);
	CHECK_EQ(vcpu.xcr0, 1);
	CHECK_EQ(hvmm_xsetbv(&vcpu, 0, 0xe7), 0);
	CHECK_EQ(vcpu.xcr0, 0xe7);
	vcpu.cpl = 3;
	CHECK_EQ(hvmm_xsetbv(&vcpu, 0, 1), GP);
}

/* A guest's side of kvmclock (Documentation/virt/kvm/x86/msr.rst). */
static u64 guest_ns(u64 gpa)
{
	struct pvclock_vcpu_time_info ti;
	u64 delta;

	memcpy(&ti, vm.mem.data + gpa, sizeof(ti));
	CHECK(ti.version && !(ti.version & 1));
	delta = hvmm_guest_tsc(&vcpu) - ti.tsc_timestamp;
	delta = ti.tsc_shift < 0 ? delta >> -ti.tsc_shift : delta << ti.tsc_shift;
	return ti.system_time + ((__uint128_t)delta * ti.tsc_to_system_mul >> 32);
}

static void test_clock(void)
{
	static const u32 khz[] = { 1000, 33333, 999999, 1000000, 1000001, 1999999, 2000000,
				   2445000, 3999999, 4000000, 5700000, 4294967295 };
	const u64 gpa = 0x2fe8;		/* over a page boundary */
	unsigned int i, unstable;
	u64 want, got;

	for (unstable = 0; unstable < 2; unstable++) {
		for (i = 0; i < ARRAY_SIZE(khz); i++) {
			tsc_khz = khz[i];
			init_msrs();
			fake.tsc_unstable = unstable;
			CHECK_EQ(wr(MSR_KVM_SYSTEM_TIME_NEW, gpa | 1), 0);
			CHECK_EQ(rd(MSR_KVM_SYSTEM_TIME_NEW), gpa | 1);
			CHECK_EQ(guest_ns(gpa), 0);
			CHECK_EQ(vm.mem.data[gpa + 29], !unstable);
			/* An hour later, within one part in 10^9. */
			fake.tsc += 3600ULL * 1000 * khz[i];
			fake.ns += 3600ULL * 1000000000;
			want = 3600ULL * 1000000000;
			got = guest_ns(gpa);
			CHECK(got <= want && want - got <= want / 1000000000 + 1);
			CHECK_EQ(hvmm_pv_load(&vcpu), 0);
			got = guest_ns(gpa);
			CHECK(got <= want && want - got <= want / 1000000000 + 1);
			/* The guest may move its TSC; its clock does not move. */
			CHECK_EQ(wr(MSR_IA32_TSC, 12345), 0);
			CHECK_EQ(hvmm_pv_update_clock(&vcpu), 0);
			CHECK_EQ(guest_ns(gpa) - got <= 5, 1);
		}
	}
	tsc_khz = 2400000;
}

static void test_clock_memory(void)
{
	init_msrs();
	vm.mem.missing = 3;
	CHECK_EQ(wr(MSR_KVM_SYSTEM_TIME_NEW, 0x3001), -EAGAIN);
	CHECK_EQ(vcpu.missing_gfn, 3);
	CHECK(vcpu.missing_write);
	CHECK_EQ(rd(MSR_KVM_SYSTEM_TIME_NEW), 0);
	vm.mem.missing = ~0ULL;
	CHECK_EQ(wr(MSR_KVM_SYSTEM_TIME, 0x3001), 0);
	CHECK_EQ(guest_ns(0x3000), 0);
	CHECK_EQ(wr(MSR_KVM_SYSTEM_TIME, HVMM_VM_RAM | 1), GP);
	CHECK_EQ(wr(MSR_KVM_SYSTEM_TIME, ~0ULL), GP);
	CHECK_EQ(rd(MSR_KVM_SYSTEM_TIME), 0x3001);
	CHECK_EQ(wr(MSR_KVM_SYSTEM_TIME, 0), 0);
	memset(vm.mem.data + 0x3000, 0, 32);
	CHECK_EQ(hvmm_pv_update_clock(&vcpu), 0);
	CHECK_EQ(vm.mem.data[0x3000], 0);
}

static void test_wall_clock(void)
{
	struct pvclock_wall_clock wc;

	init_msrs();
	fake.real_ns = 1790000000500000000;
	fake.tsc += 2400000ULL * 2000;	/* the guest is 2 s old */
	fake.ns += 2000000000;
	CHECK_EQ(wr(MSR_KVM_WALL_CLOCK_NEW, 0x3000), 0);
	memcpy(&wc, vm.mem.data + 0x3000, sizeof(wc));
	CHECK_EQ(wc.version, 2);
	CHECK_EQ(wc.sec, 1789999998);
	CHECK(wc.nsec >= 500000000 && wc.nsec < 500000010);
	CHECK_EQ(wr(MSR_KVM_WALL_CLOCK, HVMM_VM_RAM), GP);
	vm.mem.missing = 3;
	CHECK_EQ(wr(MSR_KVM_WALL_CLOCK, 0x3000), -EAGAIN);
}

static void test_steal(void)
{
	struct kvm_steal_time st;

	init_msrs();
	vcpu.vcpu.ledger.ns[HVMM_VCPU_READY] = 1000;
	hvmm_pv_reset(&vcpu);
	CHECK_EQ(wr(MSR_KVM_STEAL_TIME, 0x3003), GP);
	CHECK_EQ(wr(MSR_KVM_STEAL_TIME, 0x3021), GP);
	CHECK_EQ(wr(MSR_KVM_STEAL_TIME, 0x3041), 0);
	memcpy(&st, vm.mem.data + 0x3040, sizeof(st));
	CHECK_EQ(st.steal, 0);
	CHECK_EQ(st.version, 2);
	vcpu.vcpu.ledger.ns[HVMM_VCPU_READY] += 10;
	vcpu.vcpu.ledger.ns[HVMM_VCPU_CAPPED] += 200;
	vcpu.vcpu.ledger.ns[HVMM_VCPU_HOST] += 3000;
	vcpu.vcpu.ledger.ns[HVMM_VCPU_RUN] += 40000;
	CHECK_EQ(hvmm_pv_load(&vcpu), 0);
	memcpy(&st, vm.mem.data + 0x3040, sizeof(st));
	CHECK_EQ(st.steal, 3210);
	CHECK_EQ(st.version, 4);
	CHECK_EQ(st.flags | st.preempted, 0);
	vm.mem.missing = 3;
	CHECK_EQ(hvmm_pv_load(&vcpu), -EAGAIN);
	vm.mem.missing = ~0ULL;
	CHECK_EQ(hvmm_pv_load(&vcpu), 0);
	memcpy(&st, vm.mem.data + 0x3040, sizeof(st));
	CHECK(!(st.version & 1));
	vm.mem.ram.size = 0x3000;
	CHECK_EQ(hvmm_pv_load(&vcpu), 0);
	CHECK_EQ(rd(MSR_KVM_STEAL_TIME), 0);
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "CPUID: table is sorted, complete, without overlap", test_cpuid_table },
		{ "CPUID: what must not be offered", test_cpuid_masked },
		{ "CPUID: no bit without a row", test_cpuid_closed },
		{ "CPUID: bits that depend on the vCPU", test_cpuid_live },
		{ "CPUID: topology and caches", test_topology },
		{ "CPUID: XSAVE sizes", test_xsave_leaf },
		{ "CPUID: what the host's kernel has switched off", test_host_kernel },
		{ "MSR: table is sorted, complete, without overlap", test_msr_table },
		{ "MSR: every number", test_msr_all },
		{ "MSR: values and refusals", test_msr_values },
		{ "MSR: MTRRs", test_mtrr },
		{ "MSR: TSC and TSC_ADJUST", test_tsc },
		{ "CR0, EFER: paging and long mode", test_cr0 },
		{ "CR3, CR4, CR8", test_cr34 },
		{ "XCR0", test_xcr0 },
		{ "kvmclock", test_clock },
		{ "kvmclock: memory that is missing or no RAM", test_clock_memory },
		{ "wall clock", test_wall_clock },
		{ "steal time", test_steal },
	};

	return check_main(cases, ARRAY_SIZE(cases));
}
