// SPDX-License-Identifier: GPL-2.0
/* Every MSR that is offered: readable, writable, which values it refuses. The rest: #GP(0). */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"

#define NONCANONICAL 0x0000800000000000ull

static void gp_write(u32 msr, u64 v, const char *what)
{
	u64 before = 0, after = 0;

	if (plain_tcg()) {
		skip("TCG does not check this", "0x%x: %s raises 13", msr, what);
		return;
	}
	rdmsr_try(msr, &before);
	ok_eq(wrmsr_try(msr, v), GP_VECTOR, "0x%x: %s raises 13", msr, what);
	rdmsr_try(msr, &after);
	if (before != after)
		ok_eq(after, before, "0x%x: is as before", msr);
}

static void gp_read(u32 msr, const char *what)
{
	u64 v;

	if (plain_tcg())
		skip("TCG reads 0", "0x%x: reading %s raises 13", msr, what);
	else
		ok_eq(rdmsr_try(msr, &v), GP_VECTOR, "0x%x: reading %s raises 13", msr, what);
}

static u64 readable(u32 msr, const char *name)
{
	u64 v = 0;

	ok_eq(rdmsr_try(msr, &v), NO_TRAP, "%s (0x%x) can be read", name, msr);
	return v;
}

/* Writes a value, reads it back, restores what was there. */
static void keeps(u32 msr, u64 v, const char *name)
{
	u64 old = 0, got = 0;

	if (rdmsr_try(msr, &old) != NO_TRAP || wrmsr_try(msr, v) != NO_TRAP ||
	    rdmsr_try(msr, &got) != NO_TRAP) {
		ok(false, "%s (0x%x) keeps 0x%llx: fault", name, msr, v);
		return;
	}
	wrmsr_try(msr, old);
	ok_eq(got, v, "%s (0x%x) keeps 0x%llx", name, msr, v);
}

static void takes(u32 msr, u64 v, const char *name)
{
	ok_eq(wrmsr_try(msr, v), NO_TRAP, "%s (0x%x) takes 0x%llx", name, msr, v);
}

static void test_efer(void)
{
	u64 efer = rdmsr(MSR_EFER);

	ok((efer & (EFER_LMA | EFER_LME)) == (EFER_LMA | EFER_LME), "EFER: LMA and LME are set");
	ok(!on_hvmm() || !(efer & EFER_SVME), "EFER: SVME reads 0");
	ok_eq(wrmsr_try(MSR_EFER, efer & ~EFER_SCE), NO_TRAP, "EFER: SCE can be cleared");
	ok_eq(rdmsr(MSR_EFER), efer & ~EFER_SCE, "EFER: SCE reads 0");
	wrmsr(MSR_EFER, efer);
	ok_eq(rdmsr(MSR_EFER), efer, "EFER is as before");
	gp_write(MSR_EFER, efer | BIT(9), "bit 9");
	gp_write(MSR_EFER, efer | BIT(63), "bit 63");
	if (plain_tcg())
		skip("TCG does not check this", "EFER: clearing LME under paging raises 13");
	else
		gp_write(MSR_EFER, efer & ~EFER_LME, "clearing LME under paging");
	if (on_hvmm())
		gp_write(MSR_EFER, efer | EFER_SVME, "SVME, not offered,");
	else
		skip("SVM is offered here", "EFER: SVME raises 13");
	if (cpuid(0x80000001, 0).d & BIT(20)) {
		wrmsr(MSR_EFER, efer ^ EFER_NXE);
		ok_eq(rdmsr(MSR_EFER), efer ^ EFER_NXE, "EFER: NXE toggles");
		wrmsr(MSR_EFER, efer);
	} else {
		gp_write(MSR_EFER, efer | EFER_NXE, "NXE, not offered,");
	}
}

static void test_syscall_msrs(void)
{
	static const struct {
		u32 msr;
		const char *name;
		bool canonical;
	} t[] = {
		{ MSR_LSTAR, "LSTAR", true }, { MSR_CSTAR, "CSTAR", true },
		{ MSR_FS_BASE, "FS_BASE", true }, { MSR_GS_BASE, "GS_BASE", true },
		{ MSR_KERNEL_GS_BASE, "KERNEL_GS_BASE", true },
		{ 0x175, "SYSENTER_ESP", false }, { 0x176, "SYSENTER_EIP", false },
	};
	u32 i;

	keeps(MSR_STAR, 0x0013000812345678, "STAR");
	keeps(MSR_SFMASK, 0x47700, "SFMASK");
	keeps(0x174, 0x10, "SYSENTER_CS");
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		keeps(t[i].msr, 0x12345678, t[i].name);
		if (!t[i].canonical)
			continue;
		keeps(t[i].msr, 0x00007fffffffffff, t[i].name);
		keeps(t[i].msr, 0xffff800000000000, t[i].name);
		/* These are the CPU's own under most hypervisors, so TCG's gap shows there too. */
		if (on_tcg())
			skip("TCG does not check this", "%s: non-canonical raises 13", t[i].name);
		else
			gp_write(t[i].msr, NONCANONICAL, "non-canonical");
	}
	if (cpuid(0x80000001, 0).d & BIT(27))
		keeps(MSR_TSC_AUX, 0xabcdef, "TSC_AUX");
	else
		gp_read(MSR_TSC_AUX, "TSC_AUX, not offered,");
}

static void test_pat_mtrr(void)
{
	struct cpuid_regs f = cpuid(1, 0);
	u64 cap, def;
	u32 i;

	if (f.d & BIT(16)) {
		keeps(MSR_PAT, 0x0007040600070406, "PAT");
		keeps(MSR_PAT, 0x0706050401000607, "PAT");
		gp_write(MSR_PAT, 0x0007040600070402, "type 2");
		gp_write(MSR_PAT, 0x0307040600070406, "type 3");
		gp_write(MSR_PAT, 0x0007040800070406, "type 8");
		gp_write(MSR_PAT, 0x8007040600070406, "type 0x80");
	}
	if (!(f.d & BIT(12))) {
		gp_read(0xfe, "MTRRcap, not offered,");
		return;
	}
	cap = readable(0xfe, "MTRRcap");
	gp_write(0xfe, cap, "MTRRcap");
	def = readable(0x2ff, "MTRRdefType");
	keeps(0x2ff, (def & ~0xffull) | 6, "MTRRdefType");
	keeps(0x2ff, 0, "MTRRdefType");
	gp_write(0x2ff, 2, "type 2");
	gp_write(0x2ff, BIT(12), "a reserved bit");
	for (i = 0; i < (cap & 0xff); i++) {
		keeps(0x200 + 2 * i, 0x80000000 | 6, "MTRRphysBase");
		keeps(0x201 + 2 * i, 0xc0000000 | BIT(11), "MTRRphysMask");
	}
	if (cap & 0xff) {
		gp_write(0x200, 0x80000000 | 3, "type 3");
		gp_write(0x200, BIT(63), "an address beyond the CPU's");
		gp_write(0x201, BIT(10), "a reserved bit");
	}
	if (cap & BIT(8)) {
		static const u32 fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b,
					     0x26c, 0x26d, 0x26e, 0x26f };

		for (i = 0; i < ARRAY_SIZE(fixed); i++)
			keeps(fixed[i], 0x0606060606060606, "MTRRfix");
		gp_write(0x250, 0x0606060306060606, "type 3");
	}
}

static void test_mce(void)
{
	struct cpuid_regs f = cpuid(1, 0);
	u64 cap;
	u32 i;

	if (!(f.d & BIT(14))) {
		skip("no MCA", "machine check MSRs");
		return;
	}
	cap = readable(0x179, "MCG_CAP");
	readable(0x17a, "MCG_STATUS");
	takes(0x17a, 0, "MCG_STATUS");
	for (i = 0; i < (cap & 0xff) && i < 32; i++) {
		readable(0x400 + 4 * i, "MCi_CTL");
		readable(0x401 + 4 * i, "MCi_STATUS");
		takes(0x400 + 4 * i, ~0ull, "MCi_CTL");
		takes(0x401 + 4 * i, 0, "MCi_STATUS");
	}
}

static void test_spec(void)
{
	struct cpuid_regs f7 = cpuid(7, 0), e8 = cpuid(0x80000008, 0);

	if (f7.d & BIT(26) || e8.b & BIT(14)) {
		keeps(0x48, 1, "SPEC_CTRL");
		keeps(0x48, 0, "SPEC_CTRL");
		gp_write(0x48, BIT(40), "a reserved bit");
	} else {
		gp_read(0x48, "SPEC_CTRL, not offered,");
	}
	if (f7.d & BIT(26) || e8.b & BIT(12)) {
		takes(0x49, 1, "PRED_CMD");
		gp_read(0x49, "PRED_CMD");
	} else {
		gp_write(0x49, 1, "PRED_CMD, not offered,");
	}
	if (f7.d & BIT(29))
		readable(0x10a, "ARCH_CAPABILITIES");
	else
		gp_read(0x10a, "ARCH_CAPABILITIES, not offered,");
}

static void test_amd(void)
{
	struct cpuid_regs v = cpuid(0, 0), e1 = cpuid(0x80000001, 0);
	u32 i;

	if (v.b != 0x68747541) {
		skip("not an AMD CPU", "AMD MSRs");
		return;
	}
	readable(0x8b, "PATCH_LEVEL");
	takes(0xc0010015, readable(0xc0010015, "HWCR"), "HWCR");
	readable(0xc001001f, "NB_CFG");
	readable(0xc0010010, "SYSCFG");
	for (i = 0; i < 8; i++)
		takes(0xc0010000 + i, 0, "K7 performance counter");
	for (i = 0; e1.c & BIT(23) && i < 12; i++)
		takes(0xc0010200 + i, 0, "core performance counter");
	if (e1.c & BIT(9)) {
		readable(0xc0010140, "OSVW_ID_LENGTH");
		readable(0xc0010141, "OSVW_STATUS");
	} else {
		skip("not offered", "OSVW MSRs");
	}
	if (on_hvmm()) {
		gp_read(0xc0010114, "VM_CR");
		gp_write(0xc0010114, 0, "VM_CR");
		gp_read(0xc0010117, "VM_HSAVE_PA");
		gp_write(0xc0010117, 0x100000, "VM_HSAVE_PA");
	} else {
		skip("SVM is offered here", "VM_CR, VM_HSAVE_PA raise 13");
	}
}

static void test_tsc(void)
{
	u64 a, b;

	if (plain_tcg()) {
		skip("TCG ignores it", "TSC can be written");
		skip("TCG ignores it", "TSC_ADJUST moves the TSC");
	} else {
		a = rdtsc();
		takes(MSR_TSC, a + BIT(44), "TSC");
		b = rdtsc();
		ok(b - a >= BIT(44) && b - a < BIT(44) + BIT(40),
		   "TSC goes on from what was written");
		ok(rdmsr(MSR_TSC) - b < BIT(40), "MSR 0x10 reads the TSC");
		wrmsr(MSR_TSC, rdtsc() - BIT(44));
		if (cpuid(7, 0).b & BIT(1)) {
			u64 adj = rdmsr(0x3b);

			a = rdtsc();
			takes(0x3b, adj + BIT(44), "TSC_ADJUST");
			b = rdtsc();
			ok(b - a >= BIT(44) && b - a < BIT(44) + BIT(40),
			   "TSC_ADJUST moves the TSC");
			wrmsr(0x3b, adj);
		} else {
			skip("not offered", "TSC_ADJUST moves the TSC");
		}
	}
	if (cpuid(1, 0).c & BIT(24)) {
		/* Armed only when the timer is in deadline mode (SDM vol. 3, 11.5.4.1). */
		apic_write(APIC_LVTT, LVT_MASKED | LVTT_DEADLINE | 0x40);
		takes(MSR_TSC_DEADLINE, rdtsc() + BIT(50), "TSC_DEADLINE");
		ok(rdmsr(MSR_TSC_DEADLINE), "TSC_DEADLINE reads non-zero when armed");
		takes(MSR_TSC_DEADLINE, 0, "TSC_DEADLINE");
		ok_eq(rdmsr(MSR_TSC_DEADLINE), 0, "TSC_DEADLINE reads 0 when disarmed");
		apic_write(APIC_LVTT, LVT_MASKED);
	} else if (on_hvmm()) {
		ok(false, "TSC deadline timer is offered");
	} else {
		skip("not offered", "TSC_DEADLINE");
	}
}

static void test_apic_base(void)
{
	u64 v = readable(MSR_APIC_BASE, "APIC_BASE");
	u32 i, bad = 0;

	ok_eq(v & 0xfffff000, APIC_WINDOW, "APIC_BASE: address");
	ok(v & APIC_BASE_BSP, "APIC_BASE: boot CPU");
	takes(MSR_APIC_BASE, v, "APIC_BASE");
	gp_write(MSR_APIC_BASE, v | BIT(0), "bit 0");
	gp_write(MSR_APIC_BASE, v | BIT(9), "bit 9");
	gp_write(MSR_APIC_BASE, v | BIT(60), "bit 60");
	if (plain_tcg() || v & APIC_BASE_EXTD) {
		skip("TCG reads 0", "x2APIC MSRs raise 13 in xAPIC mode");
		return;
	}
	for (i = 0x800; i < 0x840; i++)
		bad += rdmsr_try(i, &v) != GP_VECTOR || wrmsr_try(i, 0) != GP_VECTOR;
	ok_eq(bad, 0, "MSRs 0x800 to 0x83f raise 13 in xAPIC mode");
}

struct pvclock {
	volatile u32 version, pad;
	volatile u64 tsc, system;
	volatile u32 mul;
	volatile s8 shift;
	volatile u8 flags, pad2[2];
} __aligned(64);

static u64 mul_shift(u64 delta, u32 mul, s8 shift)
{
	delta = shift < 0 ? delta >> -shift : delta << shift;
	return (delta >> 32) * mul + ((delta & 0xffffffff) * mul >> 32);
}

static u64 pvclock_ns(struct pvclock *p)
{
	u32 version;
	u64 ns;

	do {
		version = p->version;
		ns = p->system + mul_shift(rdtsc() - p->tsc, p->mul, p->shift);
		barrier();
	} while (version & 1 || version != p->version);
	return ns;
}

static void test_clock(u32 system, u32 wall)
{
	static struct pvclock pv;
	static volatile struct {
		u32 version, sec, nsec;
	} wc __aligned(16);
	u64 a, b, t, i;

	memset((void *)&pv, 0, sizeof(pv));
	takes(system, (u64)&pv | 1, "kvmclock system time");
	cpuid(0, 0);
	if (!ok(pv.mul && !(pv.version & 1), "kvmclock 0x%x: the page is filled", system))
		return;
	a = pvclock_ns(&pv);
	for (i = 0; i < 2000; i++) {
		if (!(i % 100))
			cpuid(0, 0);
		b = pvclock_ns(&pv);
		if (b < a)
			break;
		a = b;
	}
	ok_eq(i, 2000, "kvmclock: time does not go back");
	/* The TSC's interval encloses kvmclock's, whatever comes between two reads. */
	t = rdtsc();
	a = pvclock_ns(&pv);
	while (rdtsc() - t < 10000000)
		;
	b = pvclock_ns(&pv) - a;
	t = mul_shift(rdtsc() - t, pv.mul, pv.shift);
	ok(b <= t && b > t / 2, "kvmclock: advances with the TSC (%llu of %llu ns)", b, t);
	takes(wall, (u64)&wc, "kvmclock wall time");
	ok(wc.sec > 1700000000 && wc.nsec < 1000000000 && !(wc.version & 1),
	   "kvmclock: wall clock is past 2023 (%u)", wc.sec);
	takes(system, 0, "kvmclock system time");
	t = pv.version;
	for (i = 0; i < 100; i++)
		cpuid(0, 0);
	ok_eq(pv.version, t, "kvmclock: the page rests once disabled");
	/* A page outside RAM must neither be taken for RAM nor end the VM. */
	wrmsr_try(system, 0xfffffffffffff001);
	wrmsr_try(system, 0x7fffff000001);
	cpuid(0, 0);
	takes(system, 0, "kvmclock system time");
}

static void test_kvm(void)
{
	static struct {
		volatile u64 steal;
		volatile u32 version, flags;
		u8 preempted, pad[47];
	} st __aligned(64);
	static u32 pv_eoi __aligned(4);
	u32 features, i;

	if (!on_hvmm()) {
		skip("no hypervisor of ours here", "KVM paravirtual MSRs");
		return;
	}
	features = cpuid(0x40000001, 0).a;
	diag("KVM features 0x%x", features);
	ok(features & BIT(3), "kvmclock is offered");
	if (features & BIT(3))
		test_clock(0x4b564d01, 0x4b564d00);
	if (features & BIT(0))
		test_clock(0x12, 0x11);
	if (features & BIT(5)) {
		st.version = 0xffffffff;
		st.version = 0;
		takes(0x4b564d03, (u64)&st | 1, "steal time");
		for (i = 0; i < 100; i++)
			cpuid(0, 0);
		ok(!(st.version & 1), "steal time: version is even");
		gp_write(0x4b564d03, (u64)&st | 3, "a reserved bit of steal time");
		takes(0x4b564d03, 0, "steal time");
	} else {
		skip("not offered", "steal time");
	}
	if (features & BIT(6)) {
		takes(0x4b564d04, (u64)&pv_eoi | 1, "PV EOI");
		takes(0x4b564d04, 0, "PV EOI");
	} else {
		skip("not offered", "PV EOI");
	}
	gp_read(0x4b564dff, "an unknown KVM MSR");
	gp_write(0x4b564dff, 0, "an unknown KVM MSR");
}

static void test_misc(void)
{
	if (plain_tcg())
		ok(true, "MISC_ENABLE here is 0x%llx", rdmsr(0x1a0));
	else
		ok(readable(0x1a0, "MISC_ENABLE") & 1, "MISC_ENABLE: fast strings");
}

static void test_unknown(void)
{
	static const struct {
		u32 from, to;
	} range[] = {
		{ 0, 0x2000 }, { 0x40000000, 0x40000200 }, { 0x4b564d00, 0x4b564e00 },
		{ 0x80000000, 0x80000010 }, { 0xc0000000, 0xc0002000 },
		{ 0xc0010000, 0xc0012000 }, { 0xfffffff0, 0xfffffffe },
	};
	u32 i, msr, good = 0, odd = 0, start;
	u64 v;

	if (plain_tcg()) {
		skip("TCG reads 0", "unknown MSRs raise 13");
		return;
	}
	gp_read(0x12345678, "an unknown MSR");
	gp_write(0x12345678, 0, "an unknown MSR");
	gp_read(0x1fff, "an unknown MSR");
	gp_read(0x2000, "an unknown MSR");
	gp_read(0xbfffffff, "an unknown MSR");
	gp_read(0xc0001fff, "an unknown MSR");
	gp_read(0xc0012000, "an unknown MSR");
	gp_read(0xffffffff, "an unknown MSR");
	for (i = 0; i < ARRAY_SIZE(range); i++) {
		for (msr = range[i].from, start = 0; msr <= range[i].to; msr++) {
			int vec = msr < range[i].to ? rdmsr_try(msr, &v) : GP_VECTOR;

			if (vec == NO_TRAP) {
				good++;
				if (!start)
					start = msr + 1;
				continue;
			}
			odd += vec != GP_VECTOR || (msr < range[i].to && trap_last()->error);
			if (start)
				diag("readable: 0x%x-0x%x", start - 1, msr - 1);
			start = 0;
		}
	}
	ok_eq(odd, 0, "all MSRs: read or raise 13 with error code 0 (%u read)", good);
	ok(good < 512, "no more MSRs can be read than a machine has");
}

void guest_main(void)
{
	apic_setup();
	test_efer();
	test_syscall_msrs();
	test_pat_mtrr();
	test_mce();
	test_spec();
	test_amd();
	test_tsc();
	test_apic_base();
	test_misc();
	test_kvm();
	test_unknown();
}
