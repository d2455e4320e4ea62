// SPDX-License-Identifier: GPL-2.0
/*
 * The MSR policy: which MSRs a guest finds. An MSR without a row raises #GP(0), and
 * so does one whose row says GP; such rows are there for their reason.
 *
 * x2APIC registers and IA32_TSC_DEADLINE are the LAPIC's and hot: msr.c asks it
 * before it looks here.
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <asm/cpufeatures.h>

#include "x86/msr_table.h"

#define ALL	(~0ULL)

#define ROW_V(f, l, r, w, v, ft, m, val, text) \
	{ .first = (f), .last = (l), .read = HVMM_MSR_R_##r, .write = HVMM_MSR_W_##w, \
	  .vendors = HVMM_VENDOR_##v, .feature = (ft), .mask = (m), .value = (val), \
	  .why = (text) }
#define ROW(f, l, r, w, m, text) \
	ROW_V(f, l, r, w, ANY, HVMM_MSR_ALWAYS, m, 0, text)
#define VALUE(f, l, val, w, text) \
	ROW_V(f, l, VALUE, w, ANY, HVMM_MSR_ALWAYS, ALL, val, text)
#define AMD(f, l, r, w, m, text) \
	ROW_V(f, l, r, w, AMD, HVMM_MSR_ALWAYS, m, 0, text)
#define INTEL(f, l, r, w, m, val, text) \
	ROW_V(f, l, r, w, INTEL, HVMM_MSR_ALWAYS, m, val, text)
#define FEATURE(f, l, r, w, ft, m, text) \
	ROW_V(f, l, r, w, ANY, ft, m, 0, text)
#define REFUSED(f, l, text) \
	ROW_V(f, l, GP, GP, ANY, HVMM_MSR_ALWAYS, 0, 0, text)

const struct hvmm_msr_row hvmm_msr_rows[] = {
	VALUE(0x0, 0x1, 0, IGNORE, "P5 machine check: nothing is ever reported"),
	ROW(0x10, 0x10, FN, FN, ALL, "TSC: a write moves this vCPU's offset"),
	ROW(0x11, 0x12, FN, FN, ALL, "kvmclock, old numbers"),
	INTEL(0x17, 0x17, VALUE, GP, 0, 0, "PLATFORM_ID: microcode is the host's"),
	ROW(0x1b, 0x1b, FN, FN, ALL, "APIC_BASE: the LAPIC validates it"),
	VALUE(0x2a, 0x2a, 0, GP, "EBL_CR_POWERON: no cluster, no straps"),
	INTEL(0x34, 0x34, VALUE, GP, 0, 0, "SMI_COUNT: no SMM"),
	INTEL(0x3a, 0x3a, VALUE, GP, 0, 1, "FEATURE_CONTROL: locked, VMX off"),
	FEATURE(0x3b, 0x3b, FN, FN, X86_FEATURE_TSC_ADJUST, ALL,
		"TSC_ADJUST: part of the TSC offset"),
	REFUSED(0x48, 0x48, "SPEC_CTRL: not offered by CPUID"),
	FEATURE(0x49, 0x49, GP, FN, X86_FEATURE_AMD_IBPB, BIT_ULL(0) | BIT_ULL(7),
		"PRED_CMD: done on the hardware at once"),
	INTEL(0x79, 0x79, GP, IGNORE, ALL, 0, "BIOS_UPDT_TRIG: microcode is the host's"),
	ROW(0x8b, 0x8b, FN, IGNORE, ALL, "PATCH_LEVEL, BIOS_SIGN_ID: the host's, errata go by it"),
	INTEL(0xcd, 0xcd, VALUE, GP, 0, 0, "FSB_FREQ"),
	INTEL(0xce, 0xce, VALUE, GP, 0, 0, "PLATFORM_INFO: no turbo, no CPUID faulting"),
	REFUSED(0xe7, 0xe8, "MPERF, APERF: the physical CPU's, not offered by CPUID"),
	VALUE(0xfe, 0xfe, BIT(10) | BIT(8) | 8, GP, "MTRRcap: WC, fixed ranges, 8 variable ranges"),
	FEATURE(0x10a, 0x10a, FN, GP, X86_FEATURE_ARCH_CAPABILITIES, 0,
		"ARCH_CAPABILITIES: the host's, without what needs absent MSRs"),
	FEATURE(0x10b, 0x10b, GP, FN, X86_FEATURE_FLUSH_L1D, BIT_ULL(0),
		"FLUSH_CMD: done on the hardware at once"),
	ROW(0x174, 0x174, ARCH, ARCH, 0xffffffff, "SYSENTER_CS: switched with the vCPU"),
	ROW(0x175, 0x176, ARCH, BASE, ALL, "SYSENTER_ESP and EIP: switched with the vCPU"),
	VALUE(0x179, 0x179, 0, GP, "MCG_CAP: no bank: machine checks are the host's"),
	ROW(0x17a, 0x17a, VALUE, IGNORE, 0, "MCG_STATUS: no machine check in progress"),
	REFUSED(0x17b, 0x17b, "MCG_CTL: MCG_CAP does not announce it"),
	VALUE(0x1a0, 0x1a0, BIT(12) | BIT(11) | BIT(0), IGNORE,
	      "MISC_ENABLE: fast strings, whatever is written; no BTS, no PEBS"),
	ROW(0x1d9, 0x1d9, VALUE, IGNORE, 0x3f, "DEBUGCTL: no branch records or single-stepping"),
	VALUE(0x1db, 0x1de, 0, IGNORE, "last branch and exception: nothing was recorded"),
	FEATURE(0x200, 0x20f, FN, FN, X86_FEATURE_MTRR, ALL, "variable MTRRs: kept"),
	FEATURE(0x250, 0x250, FN, FN, X86_FEATURE_MTRR, ALL, "fixed MTRR, 64 KiB ranges: kept"),
	FEATURE(0x258, 0x259, FN, FN, X86_FEATURE_MTRR, ALL, "fixed MTRRs, 16 KiB ranges: kept"),
	FEATURE(0x268, 0x26f, FN, FN, X86_FEATURE_MTRR, ALL, "fixed MTRRs, 4 KiB ranges: kept"),
	FEATURE(0x277, 0x277, ARCH, FN, X86_FEATURE_PAT, ALL,
		"PAT: the nested PAT, types validated"),
	FEATURE(0x2ff, 0x2ff, FN, FN, X86_FEATURE_MTRR, 0xcff, "MTRRdefType: kept"),
	REFUSED(0x345, 0x345, "PERF_CAPABILITIES: no performance monitoring"),
	REFUSED(0xda0, 0xda0, "XSS: XSAVES is not offered"),

	ROW(0x4b564d00, 0x4b564d01, FN, FN, ALL, "KVM_WALL_CLOCK_NEW, KVM_SYSTEM_TIME_NEW"),
	REFUSED(0x4b564d02, 0x4b564d02, "KVM_ASYNC_PF_EN: not done"),
	ROW(0x4b564d03, 0x4b564d03, FN, FN, ~0x3eULL, "KVM_STEAL_TIME"),
	ROW(0x4b564d04, 0x4b564d04, FN, FN, ~0x2ULL, "KVM_PV_EOI_EN"),
	ROW(0x4b564d05, 0x4b564d05, FN, FN, 0x1, "KVM_POLL_CONTROL"),
	REFUSED(0x4b564d06, 0x4b564d08, "KVM_ASYNC_PF_INT and ACK, MIGRATION_CONTROL: not done"),

	ROW(0xc0000080, 0xc0000080, FN, FN, ALL, "EFER: validated, SVME is the host's"),
	ROW(0xc0000081, 0xc0000081, ARCH, ARCH, ALL, "STAR: switched with the vCPU"),
	ROW(0xc0000082, 0xc0000083, ARCH, BASE, ALL, "LSTAR, CSTAR: switched with the vCPU"),
	ROW(0xc0000084, 0xc0000084, ARCH, ARCH, 0xffffffff, "SFMASK: switched with the vCPU"),
	ROW(0xc0000100, 0xc0000102, ARCH, BASE, ALL,
	    "FS_BASE, GS_BASE, KERNEL_GS_BASE: switched with the vCPU"),
	FEATURE(0xc0000103, 0xc0000103, FN, FN, X86_FEATURE_RDTSCP, 0xffffffff,
		"TSC_AUX: switched with the vCPU"),
	REFUSED(0xc0000104, 0xc0000104, "TSC_RATIO: no nesting"),

	AMD(0xc0010000, 0xc0010007, VALUE, IGNORE, ALL,
	    "K7 performance counters: part of every AMD CPU; they stand still at 0"),
	AMD(0xc0010010, 0xc0010010, VALUE, IGNORE, ALL, "SYSCFG: no memory encryption, no IORRs"),
	AMD(0xc0010015, 0xc0010015, FN, FN, ALL, "HWCR: TSC counts at P0 frequency"),
	AMD(0xc001001a, 0xc001001a, FN, IGNORE, ALL, "TOP_MEM: end of RAM below 4 GiB"),
	AMD(0xc001001d, 0xc001001d, FN, IGNORE, ALL, "TOP_MEM2: end of RAM above 4 GiB"),
	AMD(0xc001001f, 0xc001001f, VALUE, IGNORE, ALL, "NB_CFG: no northbridge"),
	AMD(0xc0010020, 0xc0010020, GP, IGNORE, ALL, "PATCH_LOADER: microcode is the host's"),
	AMD(0xc0010055, 0xc0010055, VALUE, IGNORE, ALL, "INT_PENDING_MSG: no C1E"),
	AMD(0xc0010058, 0xc0010058, VALUE, IGNORE, ALL, "MMIO_CONF_BASE: no PCI by MMIO"),
	REFUSED(0xc0010112, 0xc0010113, "TSEG: no SMM"),
	REFUSED(0xc0010114, 0xc0010117, "VM_CR, IGNNE, SMM_CTL, VM_HSAVE_PA: no nesting"),
	REFUSED(0xc001011f, 0xc001011f, "VIRT_SPEC_CTRL: VIRT_SSBD is not offered"),
	REFUSED(0xc0010140, 0xc0010141, "OSVW: not offered by CPUID"),
	AMD(0xc0010200, 0xc001020b, VALUE, IGNORE, ALL,
	    "core performance counters: not offered, but some systems clear them unasked"),
	REFUSED(0xc0011019, 0xc001101b, "DR1 to DR3 address masks: DBEXT is not offered"),
	REFUSED(0xc0011020, 0xc0011020, "LS_CFG: the host's; a guest would take it for SSBD"),
	AMD(0xc0011021, 0xc0011023, VALUE, IGNORE, ALL, "IC_CFG, DC_CFG, TW_CFG: chicken bits"),
	REFUSED(0xc0011027, 0xc0011027, "DR0 address mask: DBEXT is not offered"),
	AMD(0xc0011029, 0xc0011029, FN, IGNORE, ALL,
	    "DE_CFG: whether LFENCE serializes, as on the host"),
	AMD(0xc001102a, 0xc001102a, VALUE, IGNORE, ALL, "BU_CFG2: chicken bits"),
	AMD(0xc001102c, 0xc001102c, VALUE, IGNORE, ALL, "EX_CFG: chicken bits"),
};

const unsigned int hvmm_msr_nr_rows = ARRAY_SIZE(hvmm_msr_rows);

const struct hvmm_msr_row *hvmm_msr_find(u32 msr)
{
	unsigned int lo = 0, hi = ARRAY_SIZE(hvmm_msr_rows), mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (msr > hvmm_msr_rows[mid].last)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == ARRAY_SIZE(hvmm_msr_rows) || msr < hvmm_msr_rows[lo].first)
		return NULL;
	return &hvmm_msr_rows[array_index_nospec(lo, ARRAY_SIZE(hvmm_msr_rows))];
}
