// SPDX-License-Identifier: GPL-2.0
/*
 * x87, SSE and AVX registers are kept over exits, and over switches between vCPUs: every CPU
 * fills them with its own pattern, exits, checks. cpus=N; rounds=N (default 200); forever=1 goes
 * on until stopped, for runs of several VMs side by side.
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"
#include "lib/smp.h"

void fpu_load(const void *ymm, const void *x87, u32 avx);
void fpu_store(void *ymm, void *x87, u32 avx);
u32 fpu_mxcsr(u32 set);

struct image {
	u8 ymm[16][32];
	u8 x87[8][16];
};

static struct image in[MAX_CPUS] __aligned(64), out[MAX_CPUS] __aligned(64);
static volatile u32 bad[MAX_CPUS], done[MAX_CPUS];
static bool have_xsave, have_avx;
static u64 rounds, all_features;

static void enable(void)
{
	u64 v = all_features;

	write_cr0((read_cr0() & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE);
	if (!have_xsave)
		return;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	__asm__ __volatile__("xsetbv" :: "c"(0), "a"((u32)v), "d"((u32)(v >> 32)));
}

/* Random bytes; for the x87 any normal 80-bit number. */
static void make(struct image *im, u64 *seed)
{
	u32 i;
	u64 v;

	for (i = 0; i < sizeof(im->ymm); i += 8) {
		v = random_next(seed);
		memcpy((u8 *)im->ymm + i, &v, 8);
	}
	memset(im->x87, 0, sizeof(im->x87));
	for (i = 0; i < 8; i++) {
		v = random_next(seed) | BIT(63);
		memcpy(im->x87[i], &v, 8);
		im->x87[i][8] = v >> 5;
		im->x87[i][9] = 0x40;
	}
}

static u32 compare(const struct image *a, const struct image *b)
{
	u32 i, n = 0;

	for (i = 0; i < 16; i++)
		n += !!memcmp(a->ymm[i], b->ymm[i], have_avx ? 32 : 16);
	for (i = 0; i < 8; i++)
		n += !!memcmp(a->x87[i], b->x87[i], 10);
	return n;
}

static volatile u32 ticks;

static void on_tick(struct regs *r)
{
	ticks++;
	apic_eoi();
}

/* Exits of all speeds: in the kernel, by a device, long enough for a switch, with HLT. */
static void exits(u32 round)
{
	u32 i;

	cpuid(0, 0);
	inb(0x80);
	(void)apic_read(APIC_ID);
	if (round % 4 == 1)
		for (i = 0; i < 200000; i++)
			__asm__ __volatile__("");
	if (round % 4 == 2) {
		apic_write(APIC_TMICT, 20000);
		sti_hlt();
		cli();
	}
	if (round % 4 == 3)
		inb(TD_LATCH);
}

static void work(void *arg)
{
	u32 cpu = this_cpu(), mx = 0x1f80 | (cpu & 3) << 13;
	u64 seed = arg_u64("seed", 1) * 1000 + cpu, i;

	enable();
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, 0x40);
	for (i = 0; i < rounds; i++) {
		make(&in[cpu], &seed);
		memset(&out[cpu], 0, sizeof(out[cpu]));
		fpu_mxcsr(mx);
		fpu_load(&in[cpu].ymm, &in[cpu].x87, have_avx);
		exits(i);
		fpu_store(&out[cpu].ymm, &out[cpu].x87, have_avx);
		bad[cpu] += compare(&in[cpu], &out[cpu]);
		bad[cpu] += fpu_mxcsr(0x1f80) != mx;
		if (have_xsave) {
			u32 a, d;

			__asm__ __volatile__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
			bad[cpu] += (a | (u64)d << 32) != all_features;
		}
		if (bad[cpu])
			break;
	}
	apic_write(APIC_LVTT, LVT_MASKED);
	done[cpu] = i;
}

static void test_traps(void)
{
	write_cr0(read_cr0() | CR0_TS);
	ok_eq(TRY("fnop", ::), NM_VECTOR, "x87 with CR0.TS raises 7");
	ok_eq(TRY("movups %%xmm0, %%xmm1", ::), NM_VECTOR, "SSE with CR0.TS raises 7");
	__asm__ __volatile__("clts");
	write_cr0(read_cr0() | CR0_EM);
	ok_eq(TRY("fnop", ::), NM_VECTOR, "x87 with CR0.EM raises 7");
	ok_eq(TRY("movups %%xmm0, %%xmm1", ::), UD_VECTOR, "SSE with CR0.EM raises 6");
	write_cr0(read_cr0() & ~CR0_EM);
	write_cr4(read_cr4() & ~CR4_OSFXSR);
	ok_eq(TRY("movups %%xmm0, %%xmm1", ::), UD_VECTOR, "SSE without CR4.OSFXSR raises 6");
	write_cr4(read_cr4() | CR4_OSFXSR);
	if (!have_avx) {
		skip("no AVX", "AVX without XCR0.AVX raises 6");
		return;
	}
	__asm__ __volatile__("xsetbv" :: "c"(0), "a"(3), "d"(0));
	ok_eq(TRY("vmovdqa %%ymm0, %%ymm1", ::), UD_VECTOR, "AVX without XCR0.AVX raises 6");
	enable();
	ok_eq(TRY("vmovdqa %%ymm0, %%ymm1", ::), NO_TRAP, "AVX with it");
}

/* XSAVE areas in both layouts, as CPUID 0xd sizes them. */
static void test_xsave(void)
{
	struct cpuid_regs d0, d1;
	u8 *area = alloc_pages(4);
	u64 seed = 77, bv;

	if (!have_xsave) {
		skip("no XSAVE", "XSAVE and XRSTOR");
		return;
	}
	d0 = cpuid(0xd, 0);
	d1 = cpuid(0xd, 1);
	ok(d0.b >= 576 && d0.b <= 4 * PAGE_SIZE && d0.b <= d0.c, "CPUID 0xd: %u bytes of %u", d0.b,
	   d0.c);
	make(&in[0], &seed);
	fpu_load(&in[0].ymm, &in[0].x87, have_avx);
	__asm__ __volatile__("xsave64 (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
	bv = *(u64 *)(area + 512);
	ok((bv & 3) == 3 && !(bv & ~all_features), "XSAVE: header names what is in use (0x%llx)",
	   bv);
	ok(!memcmp(area + 160, in[0].ymm[0], 16), "XSAVE: XMM0");
	if (have_avx)
		ok(!memcmp(area + cpuid(0xd, 2).b, in[0].ymm[0] + 16, 16), "XSAVE: YMM0's half");
	make(&in[1], &seed);
	fpu_load(&in[1].ymm, &in[1].x87, have_avx);
	cpuid(0, 0);
	__asm__ __volatile__("xrstor64 (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
	cpuid(0, 0);
	fpu_store(&out[0].ymm, &out[0].x87, have_avx);
	ok_eq(compare(&in[0], &out[0]), 0, "XRSTOR brings the registers back");
	*(u64 *)(area + 512) = BIT(62);
	ok_eq(TRY("xrstor64 (%0)", :: "r"(area), "a"(-1), "d"(-1) : "memory"), GP_VECTOR,
	      "XRSTOR of a component not enabled raises 13");
	if (d1.a & BIT(0)) {
		memset(area, 0, 4 * PAGE_SIZE);
		__asm__ __volatile__("xsaveopt64 (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
		ok(!(*(u64 *)(area + 512) & ~all_features), "XSAVEOPT, as offered");
	}
	if (d1.a & BIT(1)) {
		memset(area, 0, 4 * PAGE_SIZE);
		__asm__ __volatile__("xsavec64 (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
		ok(*(u64 *)(area + 520) & BIT(63), "XSAVEC, as offered: compact");
	}
	if (d1.a & BIT(2)) {
		u32 a, d;

		ok_eq(TRY("xgetbv", : "=a"(a), "=d"(d) : "c"(1)), NO_TRAP, "XGETBV 1, as offered");
	}
	if (d1.a & BIT(3)) {
		u64 xss;

		ok_eq(rdmsr_try(0xda0, &xss), NO_TRAP, "MSR XSS, as offered");
		ok_eq(wrmsr_try(0xda0, 0), NO_TRAP, "MSR XSS takes 0");
		memset(area, 0, PAGE_SIZE);
		ok_eq(TRY("xsaves64 (%0)", :: "r"(area), "a"(-1), "d"(-1) : "memory"), NO_TRAP,
		      "XSAVES, as offered");
	}
}

/* Protection keys: PKRU is a register of its own that XCR0 does not guard on a switch. */
static void test_pkru(void)
{
	u32 v = 0, i;

	if (!(cpuid(7, 0).c & BIT(3))) {
		skip("no protection keys", "PKRU");
		return;
	}
	write_cr4(read_cr4() | BIT(22));
	__asm__ __volatile__("wrpkru" :: "a"(0x5555aaa0), "c"(0), "d"(0));
	for (i = 0; i < 100; i++) {
		exits(i & 1);
		__asm__ __volatile__("rdpkru" : "=a"(v) : "c"(0) : "rdx");
		if (v != 0x5555aaa0)
			break;
	}
	ok_eq(v, 0x5555aaa0, "PKRU is kept over exits");
	__asm__ __volatile__("wrpkru" :: "a"(0), "c"(0), "d"(0));
	write_cr4(read_cr4() & ~BIT(22));
}

void guest_main(void)
{
	u32 cpus = 1, i;

	have_xsave = cpuid(1, 0).c & BIT(26);
	all_features = have_xsave ? cpuid(0xd, 0).a & 0xe7 : 0;
	have_avx = have_xsave && all_features & 4;
	rounds = arg_u64("forever", 0) ? ~0ull : arg_u64("rounds", 200);
	apic_setup();
	trap_handler(0x40, on_tick);
	enable();
	test_traps();
	test_xsave();
	test_pkru();
	if (nr_cpus() > 1)
		cpus = smp_start();
	ok_eq(cpus, nr_cpus(), "%u CPUs", cpus);
	smp_run(work);
	for (i = 0; i < cpus; i++)
		ok(!bad[i] && done[i] == rounds, "CPU %u: registers kept over %u rounds of exits",
		   i, done[i]);
}
