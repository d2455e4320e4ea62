// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as guests see it: the table of cpuid_table.c applied to this host, and the
 * few bits that depend on the vCPU.
 *
 * Leaves that are not there read as zeros on both vendors (an Intel CPU would
 * repeat its highest basic leaf).
 */
#include <linux/cache.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/msr-index.h>
#include <asm/processor.h>
#include <asm/processor-flags.h>
#include <asm/tsc.h>

#include "host/cpuid.h"
#include "x86/cpuid.h"
#include "x86/cpuid_table.h"
#include "x86/vendor.h"

#define XCR0_OFFERED	0xe7ULL		/* x87, SSE, AVX, AVX512: row 0xd of the table */
#define XCR0_AVX512	0xe0ULL

#define XSAVE_LEGACY	(512 + 64)	/* SDM vol. 1, 13.4: legacy region and header */

u32 hvmm_guest_caps[NR_CPUID_WORDS] __ro_after_init;
static struct hvmm_cpuid_policy policy __ro_after_init;
static u64 guest_xcr0 __ro_after_init;
static u64 guest_cr4 __ro_after_init;
static u64 guest_efer __ro_after_init;
static unsigned int guest_maxphyaddr __ro_after_init;
static u32 host_max_basic __initdata;
static u32 host_max_ext __initdata;

/* Registers of CPUID that the kernel holds as words of features. */
static const struct {
	u32 leaf;
	u8 sub;
	u8 reg;
	u8 word;
} words[] = {
	{ 0x1,		0, HVMM_EDX, CPUID_1_EDX },
	{ 0x1,		0, HVMM_ECX, CPUID_1_ECX },
	{ 0x7,		0, HVMM_EBX, CPUID_7_0_EBX },
	{ 0x7,		0, HVMM_ECX, CPUID_7_ECX },
	{ 0x7,		0, HVMM_EDX, CPUID_7_EDX },
	{ 0x7,		1, HVMM_EAX, CPUID_7_1_EAX },
	{ 0xd,		1, HVMM_EAX, CPUID_D_1_EAX },
	{ 0x80000001,	0, HVMM_EDX, CPUID_8000_0001_EDX },
	{ 0x80000001,	0, HVMM_ECX, CPUID_8000_0001_ECX },
	{ 0x80000008,	0, HVMM_EBX, CPUID_8000_0008_EBX },
	{ 0x80000021,	0, HVMM_EAX, CPUID_8000_0021_EAX },
};

/*
 * The host's CPUID, without what its kernel has switched off: that state is not
 * switched (XSAVE), or the feature does not work (RDRAND). Leaf 1's EDX is left
 * alone: a 64-bit kernel drops VME, which its guests may well use.
 */
static void __init host_cpuid(u32 leaf, u32 sub, u32 r[4])
{
	unsigned int i;

	memset(r, 0, 4 * sizeof(r[0]));
	if (leaf < 0x80000000 ? leaf > host_max_basic : leaf > host_max_ext)
		return;
	cpuid_count(leaf, sub, &r[HVMM_EAX], &r[HVMM_EBX], &r[HVMM_ECX], &r[HVMM_EDX]);

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].leaf == leaf && words[i].sub == sub && words[i].word != CPUID_1_EDX)
			r[words[i].reg] &= boot_cpu_data.x86_capability[words[i].word];
	}

	if (leaf == 0x7 && !sub)
		r[HVMM_EAX] = min(r[HVMM_EAX], 1);
	if (leaf == 0xd && !sub) {
		r[HVMM_EAX] = guest_xcr0;
		r[HVMM_EDX] = guest_xcr0 >> 32;
	}
	if (leaf == 0xd && sub >= 2 && !(guest_xcr0 & BIT_ULL(sub)))
		memset(r, 0, 4 * sizeof(r[0]));
}

static u64 __init offered_xcr0(void)
{
	u64 xcr0;

	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return 0;
	xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK) & XCR0_OFFERED;
	if ((xcr0 & XCR0_AVX512) != XCR0_AVX512)
		xcr0 &= ~XCR0_AVX512;
	return xcr0;
}

static u64 __init offered_cr4(void)
{
	static const struct {
		unsigned int feature;
		u64 bits;
	} rows[] = {
		{ X86_FEATURE_VME,	X86_CR4_VME | X86_CR4_PVI },
		{ X86_FEATURE_TSC,	X86_CR4_TSD },
		{ X86_FEATURE_DE,	X86_CR4_DE },
		{ X86_FEATURE_PSE,	X86_CR4_PSE },
		{ X86_FEATURE_PAE,	X86_CR4_PAE },
		{ X86_FEATURE_MCE,	X86_CR4_MCE },
		{ X86_FEATURE_PGE,	X86_CR4_PGE },
		{ X86_FEATURE_FXSR,	X86_CR4_OSFXSR },
		{ X86_FEATURE_XMM,	X86_CR4_OSXMMEXCPT },
		{ X86_FEATURE_UMIP,	X86_CR4_UMIP },
		{ X86_FEATURE_FSGSBASE,	X86_CR4_FSGSBASE },
		{ X86_FEATURE_PCID,	X86_CR4_PCIDE },
		{ X86_FEATURE_XSAVE,	X86_CR4_OSXSAVE },
		{ X86_FEATURE_SMEP,	X86_CR4_SMEP },
		{ X86_FEATURE_SMAP,	X86_CR4_SMAP },
	};
	u64 cr4 = X86_CR4_PCE;	/* no feature bit; RDPMC is intercepted */
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (hvmm_guest_has(rows[i].feature))
			cr4 |= rows[i].bits;
	}
	return cr4;
}

static u64 __init offered_efer(void)
{
	u64 efer = 0;

	if (hvmm_guest_has(X86_FEATURE_LM))
		efer |= EFER_LME | EFER_LMA;
	if (hvmm_guest_has(X86_FEATURE_SYSCALL))
		efer |= EFER_SCE;
	if (hvmm_guest_has(X86_FEATURE_NX))
		efer |= EFER_NX;
	if (hvmm_guest_has(X86_FEATURE_FXSR_OPT))
		efer |= EFER_FFXSR;
	if (hvmm_guest_has(X86_FEATURE_AUTOIBRS))
		efer |= EFER_AUTOIBRS;
	return efer;
}

int __init hvmm_cpuid_setup(void)
{
	const struct hvmm_cpuid_entry *e;
	unsigned int i;
	u8 vendor;
	int ret;

	host_max_basic = cpuid_eax(0);
	host_max_ext = cpuid_eax(0x80000000);
	if (host_max_ext < 0x80000000)
		host_max_ext = 0x80000000;
	guest_xcr0 = offered_xcr0();

	switch (boot_cpu_data.x86_vendor) {
	case X86_VENDOR_AMD:
	case X86_VENDOR_HYGON:
		vendor = HVMM_VENDOR_AMD;
		break;
	default:
		vendor = HVMM_VENDOR_INTEL;
	}

	ret = hvmm_cpuid_build(&policy, host_cpuid, vendor);
	if (ret)
		return ret;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		e = hvmm_cpuid_find(&policy, words[i].leaf, words[i].sub);
		if (e)
			hvmm_guest_caps[words[i].word] = e->r[words[i].reg];
	}

	guest_cr4 = offered_cr4();
	guest_efer = offered_efer();
	e = hvmm_cpuid_find(&policy, 0x80000008, 0);
	guest_maxphyaddr = e->r[HVMM_EAX] & 0xff;
	if (guest_maxphyaddr < 36 || guest_maxphyaddr > 52)
		guest_maxphyaddr = 36;
	return 0;
}

u64 hvmm_guest_xcr0(void)
{
	return guest_xcr0;
}

u64 hvmm_guest_cr4(void)
{
	return guest_cr4;
}

u64 hvmm_guest_efer(void)
{
	return guest_efer;
}

unsigned int hvmm_guest_maxphyaddr(void)
{
	return guest_maxphyaddr;
}

u32 hvmm_guest_xsave_size(u64 xcr0, bool compacted)
{
	const struct hvmm_cpuid_entry *e;
	u32 size = XSAVE_LEGACY;
	unsigned int i;

	/* SDM vol. 1, 13.4.2 and 13.4.3 */
	for (i = 2; i < 8; i++) {
		if (!(xcr0 & BIT_ULL(i)))
			continue;
		e = hvmm_cpuid_find(&policy, 0xd, i);
		if (!e)
			continue;
		if (!compacted) {
			size = max(size, e->r[HVMM_EBX] + e->r[HVMM_EAX]);
		} else {
			if (e->r[HVMM_ECX] & BIT(1))
				size = ALIGN(size, 64);
			size += e->r[HVMM_EAX];
		}
	}
	return size;
}

/* Leaf 0xb: one thread in each core, all cores in one package (SDM vol. 2, CPUID). */
static void topology(const struct hvmm_vcpu *vcpu, u32 sub, u32 r[4])
{
	u32 nr = vcpu->vm->nr_vcpus;

	switch (sub) {
	case 0:
		r[HVMM_EAX] = 0;
		r[HVMM_EBX] = 1;
		r[HVMM_ECX] = 1 << 8;
		break;
	case 1:
		r[HVMM_EAX] = order_base_2(nr);
		r[HVMM_EBX] = nr;
		r[HVMM_ECX] = 2 << 8 | 1;
		break;
	default:
		r[HVMM_ECX] = sub & 0xff;
	}
	r[HVMM_EDX] = vcpu->index;
}

/* Leaf 4 and 0x8000001d: caches of level 3 belong to the package. */
static void cache_sharing(const struct hvmm_vcpu *vcpu, bool amd, u32 r[4])
{
	u32 type = r[HVMM_EAX] & 0x1f, level = (r[HVMM_EAX] >> 5) & 7;
	u32 nr = min(vcpu->vm->nr_vcpus, 4096);

	if (!type)
		return;
	if (amd) {
		if (level >= 3)
			r[HVMM_EAX] |= (nr - 1) << 14;
		return;
	}
	nr = roundup_pow_of_two(nr);
	if (level >= 3)
		r[HVMM_EAX] |= (nr - 1) << 14;
	r[HVMM_EAX] |= min(nr - 1, 63) << 26;
}

static bool apic_enabled(const struct hvmm_x86_vcpu *x)
{
	return hvmm_lapic_get_base(&x->vcpu.lapic) & HVMM_APIC_BASE_EN;
}

static void live(struct hvmm_x86_vcpu *x, u32 leaf, u32 sub, u32 r[4])
{
	const struct hvmm_vcpu *vcpu = &x->vcpu;
	u32 nr = vcpu->vm->nr_vcpus;

	switch (leaf) {
	case 0x1:
		r[HVMM_EBX] |= vcpu->index << 24 | min(nr, 255) << 16;
		if (hvmm_arch->get_cr(x, 4) & X86_CR4_OSXSAVE)
			r[HVMM_ECX] |= BIT(27);
		if (apic_enabled(x))
			r[HVMM_EDX] |= BIT(9);
		if (nr > 1)
			r[HVMM_EDX] |= BIT(28);
		break;
	case 0x4:
		cache_sharing(vcpu, false, r);
		break;
	case 0xb:
	case 0x1f:
		topology(vcpu, sub, r);
		break;
	case 0xd:
		if (sub == 1) {
			if (r[HVMM_EAX] & BIT(1))
				r[HVMM_EBX] = hvmm_guest_xsave_size(x->xcr0, true);
		} else if (!sub && guest_xcr0) {
			r[HVMM_EBX] = hvmm_guest_xsave_size(x->xcr0, false);
			r[HVMM_ECX] = hvmm_guest_xsave_size(guest_xcr0, false);
		}
		break;
	case 0x40000001:
		if (!check_tsc_unstable())
			r[HVMM_EAX] |= BIT(24);
		break;
	case 0x40000010:
		r[HVMM_EAX] = tsc_khz;
		break;
	case 0x80000001:
		if (apic_enabled(x))
			r[HVMM_EDX] |= BIT(9);
		if (nr > 1)
			r[HVMM_ECX] |= BIT(1);
		break;
	case 0x80000008:
		/* APM vol. 3, E.4.7: 23:16 says how far nested paging reaches. */
		if (guest_maxphyaddr > 48 && vcpu->vm->mem.tdp.levels == 4)
			r[HVMM_EAX] |= 48 << 16;
		if (hvmm_guest_amd())
			r[HVMM_ECX] = order_base_2(nr) << 12 | (min(nr, 256) - 1);
		break;
	case 0x8000001d:
		cache_sharing(vcpu, true, r);
		break;
	case 0x8000001e:
		/* One thread a core: EBX[15:8] is 0; one node: ECX is 0. */
		r[HVMM_EAX] = vcpu->index;
		r[HVMM_EBX] = vcpu->index & 0xff;
		break;
	}
}

void hvmm_cpuid(struct hvmm_x86_vcpu *x, u32 leaf, u32 sub, u32 r[4])
{
	const struct hvmm_cpuid_entry *e = hvmm_cpuid_find(&policy, leaf, sub);

	if (!e) {
		memset(r, 0, 4 * sizeof(*r));
		return;
	}
	memcpy(r, e->r, 4 * sizeof(*r));
	if (e->live)
		live(x, leaf, sub, r);
}

const u32 *hvmm_cpuid_fixed(u32 leaf, u32 sub)
{
	static const u32 zeros[4];
	const struct hvmm_cpuid_entry *e = hvmm_cpuid_find(&policy, leaf, sub);

	if (unlikely(!e))
		return zeros;
	return e->live ? NULL : e->r;
}
