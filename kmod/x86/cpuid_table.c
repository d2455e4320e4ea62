// SPDX-License-Identifier: GPL-2.0
/*
 * The CPUID policy: one row for each set of bits that share a reason.
 *
 * A bit may be offered when the guest's use of it needs nothing of hvmm (plain
 * instructions), or when hvmm handles all that it brings: control register bits,
 * MSRs, XSAVE state, intercepts. It is masked when state would leak between guests
 * or to the host, when it controls the physical machine, or when nothing of it is
 * emulated. A bit unknown to this table is masked.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "x86/cpuid_table.h"

#define ALL	0xffffffffu

#define ROW_V(l, s, r, h, b, v, w) \
	{ .leaf = (l), .sub = (s), .reg = HVMM_##r, .how = HVMM_CPUID_##h, \
	  .vendors = HVMM_VENDOR_##v, .bits = (u32)(b), .why = (w) }
#define ROW(l, s, r, h, b, w)	ROW_V(l, s, r, h, b, ANY, w)
#define AMD(l, s, r, h, b, w)	ROW_V(l, s, r, h, b, AMD, w)
#define INTEL(l, s, r, h, b, w)	ROW_V(l, s, r, h, b, INTEL, w)

const struct hvmm_cpuid_row hvmm_cpuid_rows[] = {
	ROW(0, 0, EAX, ON, 0xd, "highest leaf: 0xd, so that 0xb is always there"),
	INTEL(0, 0, EAX, ON, 0x1f, "highest leaf: V2 topology"),
	ROW(0, 0, EBX, HOST, ALL, "vendor: errata and MSRs go by it"),
	ROW(0, 0, ECX, HOST, ALL, "vendor"),
	ROW(0, 0, EDX, HOST, ALL, "vendor"),

	ROW(1, 0, EAX, HOST, ALL, "family, model, stepping"),
	ROW(1, 0, EBX, HOST, 0x0000ff00, "CLFLUSH line size"),
	ROW(1, 0, EBX, LIVE, 0xffff00ff, "APIC id, number of logical CPUs; brand index is 0"),
	ROW(1, 0, ECX, HOST, BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(19) | BIT(20) |
	    BIT(22) | BIT(23) | BIT(25) | BIT(28) | BIT(29) | BIT(30),
	    "SSE3 to SSE4.2, PCLMUL, FMA, CX16, MOVBE, POPCNT, AES, AVX, F16C, RDRAND: plain"),
	ROW(1, 0, ECX, HOST, BIT(17), "PCID: the guest's own with nested paging"),
	ROW(1, 0, ECX, HOST, BIT(26), "XSAVE: switched with the vCPU"),
	ROW(1, 0, ECX, LIVE, BIT(27), "OSXSAVE: CR4.OSXSAVE"),
	ROW(1, 0, ECX, ON, BIT(21), "x2APIC: emulated"),
	ROW(1, 0, ECX, ON, BIT(24), "TSC deadline timer: emulated"),
	ROW(1, 0, ECX, ON, BIT(31), "hypervisor present"),
	ROW(1, 0, ECX, OFF, BIT(2) | BIT(4) | BIT(15),
	    "DTES64, DS-CPL, PDCM: no performance monitoring"),
	ROW(1, 0, ECX, OFF, BIT(3), "MONITOR: MWAIT would idle the physical CPU; intercepted"),
	ROW(1, 0, ECX, OFF, BIT(5) | BIT(6), "VMX, SMX: no nesting"),
	ROW(1, 0, ECX, OFF, BIT(7) | BIT(8) | BIT(10) | BIT(11) | BIT(14) | BIT(18),
	    "EST, TM2, CNXT-ID, SDBG, xTPR, DCA: control the physical machine"),
	ROW(1, 0, EDX, HOST, BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(6) | BIT(8) |
	    BIT(11) | BIT(13) | BIT(15) | BIT(17) | BIT(19) | BIT(23) | BIT(24) | BIT(25) | BIT(26),
	    "FPU, VME, DE, PSE, TSC, PAE, CX8, SEP, PGE, CMOV, PSE36, CLFSH, MMX, FXSR, SSE, SSE2"),
	ROW(1, 0, EDX, ON, BIT(5), "MSR"),
	ROW(1, 0, EDX, ON, BIT(7) | BIT(14), "MCE, MCA: with no bank: nothing is ever reported"),
	ROW(1, 0, EDX, LIVE, BIT(9), "APIC: while IA32_APIC_BASE enables it"),
	ROW(1, 0, EDX, ON, BIT(12), "MTRR: kept, memory is write-back whatever they say"),
	ROW(1, 0, EDX, ON, BIT(16), "PAT: guest PAT of nested paging"),
	ROW(1, 0, EDX, LIVE, BIT(28), "HTT: more than one logical CPU"),
	ROW(1, 0, EDX, OFF, BIT(18) | BIT(21) | BIT(22) | BIT(27) | BIT(29) | BIT(31),
	    "PSN, DS, ACPI, SS, TM, PBE: the physical machine's own"),

	INTEL(2, 0, EAX, HOST, ALL, "cache and TLB descriptors"),
	INTEL(2, 0, EBX, HOST, ALL, "the same"),
	INTEL(2, 0, ECX, HOST, ALL, "the same"),
	INTEL(2, 0, EDX, HOST, ALL, "the same"),

	INTEL(4, 0, EAX, HOST, 0x00003fff, "cache type and level"),
	INTEL(4, 0, EAX, LIVE, 0xffffc000, "who shares it: all vCPUs if level 3, else one"),
	INTEL(4, 0, EBX, HOST, ALL, "line size, partitions, ways"),
	INTEL(4, 0, ECX, HOST, ALL, "sets"),
	INTEL(4, 0, EDX, HOST, ALL, "inclusiveness"),
	INTEL(4, 1, EAX, HOST, 0x00003fff, "as sub-leaf 0"),
	INTEL(4, 1, EAX, LIVE, 0xffffc000, "as sub-leaf 0"),
	INTEL(4, 1, EBX, HOST, ALL, "as sub-leaf 0"),
	INTEL(4, 1, ECX, HOST, ALL, "as sub-leaf 0"),
	INTEL(4, 1, EDX, HOST, ALL, "as sub-leaf 0"),
	INTEL(4, 2, EAX, HOST, 0x00003fff, "as sub-leaf 0"),
	INTEL(4, 2, EAX, LIVE, 0xffffc000, "as sub-leaf 0"),
	INTEL(4, 2, EBX, HOST, ALL, "as sub-leaf 0"),
	INTEL(4, 2, ECX, HOST, ALL, "as sub-leaf 0"),
	INTEL(4, 2, EDX, HOST, ALL, "as sub-leaf 0"),
	INTEL(4, 3, EAX, HOST, 0x00003fff, "as sub-leaf 0"),
	INTEL(4, 3, EAX, LIVE, 0xffffc000, "as sub-leaf 0"),
	INTEL(4, 3, EBX, HOST, ALL, "as sub-leaf 0"),
	INTEL(4, 3, ECX, HOST, ALL, "as sub-leaf 0"),
	INTEL(4, 3, EDX, HOST, ALL, "as sub-leaf 0"),

	ROW(5, 0, EAX, OFF, ALL, "MONITOR line sizes: no MWAIT"),

	ROW(6, 0, EAX, ON, BIT(2), "ARAT: the emulated APIC timer never stops"),
	ROW(6, 0, EAX, OFF, ~BIT(2), "thermal sensor, turbo, HWP: control the physical machine"),
	ROW(6, 0, ECX, OFF, ALL, "APERF/MPERF, EPB: the physical CPU's"),

	ROW(7, 0, EAX, HOST, 1, "highest sub-leaf, 1 at most"),
	ROW(7, 0, EBX, HOST, BIT(0), "FSGSBASE: native, the bases are switched with the vCPU"),
	ROW(7, 0, EBX, ON, BIT(1), "TSC_ADJUST: kept in the TSC offset"),
	ROW(7, 0, EBX, HOST, BIT(3) | BIT(5) | BIT(8) | BIT(9) | BIT(18) | BIT(19) | BIT(23) |
	    BIT(24) | BIT(29),
	    "BMI1, AVX2, BMI2, ERMS, RDSEED, ADX, CLFLUSHOPT, CLWB, SHA: plain instructions"),
	ROW(7, 0, EBX, HOST, BIT(6) | BIT(13), "FDP_EXCPTN_ONLY, ZERO_FCS_FDS: facts"),
	ROW(7, 0, EBX, HOST, BIT(7) | BIT(20), "SMEP, SMAP: native, and known to the page walker"),
	ROW(7, 0, EBX, HOST, BIT(10), "INVPCID: native, stays within the guest's ASID or VPID"),
	ROW(7, 0, EBX, HOST, BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31),
	    "AVX512 F, DQ, IFMA, CD, BW, VL: state is in XCR0's offered bits"),
	ROW(7, 0, EBX, OFF, BIT(2), "SGX: no enclave memory"),
	ROW(7, 0, EBX, OFF, BIT(4) | BIT(11), "HLE, RTM: deprecated, and a side channel"),
	ROW(7, 0, EBX, OFF, BIT(12) | BIT(15), "RDT: belongs to the host"),
	ROW(7, 0, EBX, OFF, BIT(14), "MPX: its XSAVE state is not offered"),
	ROW(7, 0, EBX, OFF, BIT(25), "Processor trace: would trace the host"),
	ROW(7, 0, ECX, HOST, BIT(0) | BIT(1) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) |
	    BIT(12) | BIT(14) | BIT(25) | BIT(27) | BIT(28),
	    "PREFETCHWT1, AVX512 and vector kinds, GFNI, CLDEMOTE, MOVDIRI, MOVDIR64B: plain"),
	ROW(7, 0, ECX, HOST, BIT(2), "UMIP: native"),
	ROW(7, 0, ECX, HOST, BIT(22), "RDPID: TSC_AUX is switched with the vCPU"),
	ROW(7, 0, ECX, OFF, BIT(3) | BIT(4) | BIT(31), "PKU, OSPKE, PKS: PKRU is not switched"),
	ROW(7, 0, ECX, OFF, BIT(5), "WAITPKG: would idle the physical CPU"),
	ROW(7, 0, ECX, OFF, BIT(7), "CET shadow stacks: their state is not switched"),
	ROW(7, 0, ECX, OFF, BIT(13) | BIT(23) | BIT(30), "TME, key locker, SGX_LC: the platform's"),
	ROW(7, 0, ECX, OFF, BIT(16), "LA57: guests have 1 TiB at most, 48-bit addresses do"),
	ROW(7, 0, ECX, OFF, BIT(24), "Bus lock detection: DEBUGCTL bit is not offered"),
	ROW(7, 0, ECX, OFF, BIT(29), "ENQCMD: no PASID"),
	ROW(7, 0, EDX, HOST, BIT(2) | BIT(3) | BIT(8) | BIT(23),
	    "AVX512 4VNNIW, 4FMAPS, VP2INTERSECT, FP16: state is in XCR0's offered bits"),
	ROW(7, 0, EDX, HOST, BIT(4), "FSRM: MISC_ENABLE bit 0 reads as 1 along with it"),
	ROW(7, 0, EDX, HOST, BIT(10), "MD_CLEAR: VERW clears buffers"),
	ROW(7, 0, EDX, HOST, BIT(14), "SERIALIZE: plain instruction"),
	INTEL(7, 0, EDX, OFF, BIT(26) | BIT(27) | BIT(31),
	      "IBRS and IBPB, STIBP, SSBD: SPEC_CTRL is not switched with the vCPU"),
	INTEL(7, 0, EDX, HOST, BIT(28), "L1D_FLUSH: FLUSH_CMD"),
	INTEL(7, 0, EDX, HOST, BIT(29), "ARCH_CAPABILITIES, filtered"),
	ROW(7, 0, EDX, OFF, BIT(5), "UINTR: its state is not switched"),
	ROW(7, 0, EDX, OFF, BIT(9) | BIT(13) | BIT(16) | BIT(30),
	    "SRBDS_CTRL, TSX_FORCE_ABORT, TSXLDTRK, CORE_CAPABILITIES: MSRs not there"),
	ROW(7, 0, EDX, OFF, BIT(15), "Hybrid: all vCPUs are alike"),
	ROW(7, 0, EDX, OFF, BIT(18) | BIT(19), "PCONFIG, architectural LBR: the host's"),
	ROW(7, 0, EDX, OFF, BIT(20), "CET IBT: its MSRs are not switched"),
	ROW(7, 0, EDX, OFF, BIT(22) | BIT(24) | BIT(25), "AMX: 8 KiB of state a vCPU, needs XFD"),
	ROW(7, 1, EAX, HOST, BIT(4) | BIT(5) | BIT(7) | BIT(10) | BIT(11) | BIT(12) | BIT(23),
	    "AVX_VNNI, AVX512_BF16, CMPCCXADD, FZRM, FSRS, FSRC, AVX_IFMA: plain instructions"),
	ROW(7, 1, EAX, OFF, BIT(6) | BIT(26), "LASS, LAM: not known to the page walker"),
	ROW(7, 1, EAX, OFF, BIT(17) | BIT(18) | BIT(19), "FRED, LKGS, WRMSRNS: not emulated"),
	ROW(7, 1, EDX, HOST, BIT(4) | BIT(5) | BIT(14),
	    "AVX_VNNI_INT8, AVX_NE_CONVERT, PREFETCHI: plain instructions"),

	ROW(0xa, 0, EAX, OFF, ALL, "performance monitoring: version 0, none"),

	ROW(0xb, 0, EAX, LIVE, ALL, "topology: one thread a core"),
	ROW(0xb, 1, EAX, LIVE, ALL, "topology: one core a vCPU, one package"),

	ROW(0xd, 0, EAX, HOST, 0x000000e7, "x87, SSE, AVX, AVX512; what the host has on"),
	ROW(0xd, 0, EBX, LIVE, ALL, "size for the present XCR0"),
	ROW(0xd, 0, ECX, LIVE, ALL, "size for all offered of XCR0"),
	ROW(0xd, 0, EAX, OFF, BIT(3) | BIT(4) | BIT(9) | BIT(17) | BIT(18),
	    "MPX, PKRU, AMX state: features are not offered"),
	ROW(0xd, 1, EAX, HOST, BIT(0) | BIT(1) | BIT(2), "XSAVEOPT, XSAVEC, XGETBV with ECX = 1"),
	ROW(0xd, 1, EAX, OFF, BIT(3) | BIT(4), "XSAVES, XFD: IA32_XSS and XFD are not switched"),
	ROW(0xd, 1, EBX, LIVE, ALL, "compacted size for the present XCR0"),
	ROW(0xd, 2, EAX, HOST, ALL, "AVX: size; components not in XCR0 read as 0"),
	ROW(0xd, 2, EBX, HOST, ALL, "AVX: offset"),
	ROW(0xd, 2, ECX, HOST, BIT(1), "AVX: alignment"),
	ROW(0xd, 3, EAX, OFF, ALL, "MPX bound registers"),
	ROW(0xd, 4, EAX, OFF, ALL, "MPX configuration"),
	ROW(0xd, 5, EAX, HOST, ALL, "AVX512 opmask: size"),
	ROW(0xd, 5, EBX, HOST, ALL, "AVX512 opmask: offset"),
	ROW(0xd, 5, ECX, HOST, BIT(1), "AVX512 opmask: alignment"),
	ROW(0xd, 6, EAX, HOST, ALL, "AVX512 upper halves: size"),
	ROW(0xd, 6, EBX, HOST, ALL, "AVX512 upper halves: offset"),
	ROW(0xd, 6, ECX, HOST, BIT(1), "AVX512 upper halves: alignment"),
	ROW(0xd, 7, EAX, HOST, ALL, "AVX512 upper registers: size"),
	ROW(0xd, 7, EBX, HOST, ALL, "AVX512 upper registers: offset"),
	ROW(0xd, 7, ECX, HOST, BIT(1), "AVX512 upper registers: alignment"),

	ROW(0x15, 0, EAX, OFF, ALL, "TSC and crystal: kvmclock and leaf 0x40000010 say it"),
	ROW(0x16, 0, EAX, OFF, ALL, "frequencies of the physical CPU"),

	INTEL(0x1f, 0, EAX, LIVE, ALL, "as leaf 0xb"),
	INTEL(0x1f, 1, EAX, LIVE, ALL, "as leaf 0xb"),

	ROW(0x40000000, 0, EAX, ON, 0x40000010, "highest hypervisor leaf"),
	ROW(0x40000000, 0, EBX, ON, 0x4b4d564b, "KVMKVMKVM: guests know this ABI unmodified"),
	ROW(0x40000000, 0, ECX, ON, 0x564b4d56, "the same"),
	ROW(0x40000000, 0, EDX, ON, 0x0000004d, "the same"),
	ROW(0x40000001, 0, EAX, ON, BIT(0) | BIT(3), "CLOCKSOURCE, old and new MSRs"),
	ROW(0x40000001, 0, EAX, ON, BIT(1), "NOP_IO_DELAY: no device needs port 0x80 delays"),
	ROW(0x40000001, 0, EAX, ON, BIT(5), "STEAL_TIME"),
	ROW(0x40000001, 0, EAX, ON, BIT(15), "MSI_EXT_DEST_ID: 15-bit APIC ids in MSI and IOAPIC"),
	ROW(0x40000001, 0, EAX, LIVE, BIT(24), "CLOCKSOURCE_STABLE: while the TSC is sound"),
	ROW(0x40000001, 0, EAX, OFF, BIT(2), "MMU_OP: obsolete"),
	ROW(0x40000001, 0, EAX, OFF, BIT(4) | BIT(10) | BIT(14), "asynchronous page faults"),
	ROW(0x40000001, 0, EAX, ON, BIT(6), "PV_EOI: most interrupts end without an exit"),
	ROW(0x40000001, 0, EAX, ON, BIT(7), "PV_UNHALT: a kick ends HLT, so locks need not spin"),
	ROW(0x40000001, 0, EAX, ON, BIT(9), "PV_TLB_FLUSH: no IPI to a vCPU that does not run"),
	ROW(0x40000001, 0, EAX, ON, BIT(11), "PV_SEND_IPI: one exit for many targets"),
	ROW(0x40000001, 0, EAX, ON, BIT(12), "POLL_CONTROL: a guest that polls switches ours off"),
	ROW(0x40000001, 0, EAX, ON, BIT(13), "PV_SCHED_YIELD: to the vCPU that an IPI waits for"),
	ROW(0x40000001, 0, EAX, OFF, BIT(16) | BIT(17), "MAP_GPA_RANGE, MIGRATION_CONTROL"),
	ROW(0x40000001, 0, EDX, OFF, BIT(0), "REALTIME hint: vCPUs do get descheduled"),
	ROW(0x40000010, 0, EAX, LIVE, ALL, "TSC frequency, kHz: BSDs read it"),
	ROW(0x40000010, 0, EBX, ON, 1000000, "APIC bus clock, kHz: the LAPIC's 1 GHz"),

	AMD(0x80000000, 0, EAX, ON, 0x80000022, "highest extended leaf"),
	INTEL(0x80000000, 0, EAX, ON, 0x80000008, "highest extended leaf"),
	AMD(0x80000000, 0, EBX, HOST, ALL, "vendor"),
	AMD(0x80000000, 0, ECX, HOST, ALL, "vendor"),
	AMD(0x80000000, 0, EDX, HOST, ALL, "vendor"),

	AMD(0x80000001, 0, EAX, HOST, ALL, "family, model, stepping"),
	AMD(0x80000001, 0, EBX, HOST, ALL, "package type"),
	ROW(0x80000001, 0, ECX, HOST, BIT(0) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(11) |
	    BIT(16) | BIT(21),
	    "LAHF, ABM, SSE4A, misaligned SSE, PREFETCHW, XOP, FMA4, TBM: plain instructions"),
	ROW(0x80000001, 0, ECX, HOST, BIT(4), "AltMovCr8: LOCK MOV CR0"),
	AMD(0x80000001, 0, ECX, LIVE, BIT(1), "CmpLegacy: more than one core, no threads"),
	AMD(0x80000001, 0, ECX, HOST, BIT(22), "TOPOEXT: leaves 0x8000001d and 0x8000001e"),
	AMD(0x80000001, 0, ECX, OFF, BIT(2) | BIT(12), "SVM, SKINIT: no nesting"),
	AMD(0x80000001, 0, ECX, OFF, BIT(3), "ExtApicSpace: not emulated"),
	AMD(0x80000001, 0, ECX, OFF, BIT(9), "OSVW: workarounds are the host's"),
	AMD(0x80000001, 0, ECX, OFF, BIT(10) | BIT(15) | BIT(23) | BIT(24) | BIT(27) | BIT(28),
	    "IBS, LWP, PERFCTR, PTSC: no performance monitoring"),
	AMD(0x80000001, 0, ECX, OFF, BIT(13) | BIT(19), "WDT, NodeId MSR: the physical machine's"),
	AMD(0x80000001, 0, ECX, OFF, BIT(17), "TCE: EFER.TCE is not offered"),
	AMD(0x80000001, 0, ECX, OFF, BIT(26) | BIT(30), "DBEXT: breakpoint masks are not switched"),
	AMD(0x80000001, 0, ECX, OFF, BIT(29), "MONITORX: MWAITX would idle the physical CPU"),
	AMD(0x80000001, 0, EDX, HOST, BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(6) | BIT(8) |
	    BIT(13) | BIT(15) | BIT(17) | BIT(23) | BIT(24), "as leaf 1"),
	AMD(0x80000001, 0, EDX, ON, BIT(5) | BIT(7) | BIT(12) | BIT(14) | BIT(16), "as leaf 1"),
	AMD(0x80000001, 0, EDX, LIVE, BIT(9), "APIC, as leaf 1"),
	ROW(0x80000001, 0, EDX, HOST, BIT(11), "SYSCALL: its MSRs are switched with the vCPU"),
	ROW(0x80000001, 0, EDX, HOST, BIT(20) | BIT(29), "NX, long mode"),
	AMD(0x80000001, 0, EDX, HOST, BIT(22) | BIT(30) | BIT(31), "MMXEXT, 3DNow!: plain"),
	AMD(0x80000001, 0, EDX, HOST, BIT(25), "FFXSR: EFER bit 14"),
	ROW(0x80000001, 0, EDX, HOST, BIT(26), "1 GiB pages: native, and known to the page walker"),
	ROW(0x80000001, 0, EDX, HOST, BIT(27), "RDTSCP: TSC_AUX is switched with the vCPU"),

	ROW(0x80000002, 0, EAX, HOST, ALL, "brand string"),
	ROW(0x80000002, 0, EBX, HOST, ALL, "brand string"),
	ROW(0x80000002, 0, ECX, HOST, ALL, "brand string"),
	ROW(0x80000002, 0, EDX, HOST, ALL, "brand string"),
	ROW(0x80000003, 0, EAX, HOST, ALL, "brand string"),
	ROW(0x80000003, 0, EBX, HOST, ALL, "brand string"),
	ROW(0x80000003, 0, ECX, HOST, ALL, "brand string"),
	ROW(0x80000003, 0, EDX, HOST, ALL, "brand string"),
	ROW(0x80000004, 0, EAX, HOST, ALL, "brand string"),
	ROW(0x80000004, 0, EBX, HOST, ALL, "brand string"),
	ROW(0x80000004, 0, ECX, HOST, ALL, "brand string"),
	ROW(0x80000004, 0, EDX, HOST, ALL, "brand string"),
	AMD(0x80000005, 0, EAX, HOST, ALL, "L1 TLBs, large pages"),
	AMD(0x80000005, 0, EBX, HOST, ALL, "L1 TLBs, small pages"),
	AMD(0x80000005, 0, ECX, HOST, ALL, "L1 data cache"),
	AMD(0x80000005, 0, EDX, HOST, ALL, "L1 instruction cache"),
	AMD(0x80000006, 0, EAX, HOST, ALL, "L2 TLBs, large pages"),
	AMD(0x80000006, 0, EBX, HOST, ALL, "L2 TLBs, small pages"),
	ROW(0x80000006, 0, ECX, HOST, ALL, "L2 cache"),
	AMD(0x80000006, 0, EDX, HOST, ALL, "L3 cache"),
	ROW(0x80000007, 0, EDX, HOST, BIT(8), "invariant TSC"),
	AMD(0x80000007, 0, EDX, OFF, ~BIT(8), "sensors, P-states, boost: the physical machine's"),
	AMD(0x80000007, 0, EBX, OFF, ALL, "RAS: machine checks are the host's"),

	ROW(0x80000008, 0, EAX, HOST, 0x000000ff, "physical address bits, as the host's"),
	ROW(0x80000008, 0, EAX, ON, 0x00003000, "linear address bits: 48, no LA57"),
	ROW(0x80000008, 0, EAX, LIVE, 0x00ff0000, "guest-physical bits of nested paging, if fewer"),
	AMD(0x80000008, 0, EBX, HOST, BIT(0) | BIT(2) | BIT(9),
	    "CLZERO, XSAVEERPTR, WBNOINVD (intercepted)"),
	AMD(0x80000008, 0, EBX, HOST, BIT(12), "IBPB: PRED_CMD"),
	AMD(0x80000008, 0, EBX, OFF, BIT(14) | BIT(15) | BIT(16) | BIT(17) | BIT(18) | BIT(19) |
	    BIT(24) | BIT(28),
	    "IBRS, STIBP and their kinds, SSBD, PSFD: SPEC_CTRL is not switched with the vCPU"),
	AMD(0x80000008, 0, EBX, HOST, BIT(26) | BIT(29) | BIT(30),
	    "SSB_NO, BTC_NO, IBPB_RET: facts"),
	AMD(0x80000008, 0, EBX, ON, BIT(20), "EferLmsleUnsupported: EFER.LMSLE is not offered"),
	AMD(0x80000008, 0, EBX, OFF, BIT(1), "IRPERF: no performance monitoring"),
	AMD(0x80000008, 0, EBX, OFF, BIT(3) | BIT(8), "INVLPGB and TLBSYNC, MCOMMIT: intercepted"),
	AMD(0x80000008, 0, EBX, OFF, BIT(4), "RDPRU: would read the physical CPU's counters"),
	AMD(0x80000008, 0, EBX, OFF, BIT(6) | BIT(23) | BIT(27),
	    "MBE, PPIN, CPPC: the physical machine's"),
	AMD(0x80000008, 0, EBX, OFF, BIT(25), "VIRT_SSBD: not done, its MSR is not there"),
	AMD(0x80000008, 0, ECX, LIVE, ALL, "number of cores, width of their ids"),

	AMD(0x8000000a, 0, EAX, OFF, ALL, "SVM revision and features: no nesting"),
	AMD(0x80000019, 0, EAX, HOST, ALL, "TLBs for 1 GiB pages"),
	AMD(0x80000019, 0, EBX, HOST, ALL, "the same"),
	AMD(0x8000001a, 0, EAX, HOST, ALL, "FP128, MOVU, FP256: speed hints"),
	AMD(0x8000001b, 0, EAX, OFF, ALL, "IBS: no performance monitoring"),
	AMD(0x8000001c, 0, EAX, OFF, ALL, "LWP: its state is not offered"),

	AMD(0x8000001d, 0, EAX, HOST, 0x000003ff, "cache type and level"),
	AMD(0x8000001d, 0, EAX, LIVE, 0x03ffc000, "who shares it: all vCPUs if level 3, else one"),
	AMD(0x8000001d, 0, EBX, HOST, ALL, "line size, partitions, ways"),
	AMD(0x8000001d, 0, ECX, HOST, ALL, "sets"),
	AMD(0x8000001d, 0, EDX, HOST, ALL, "inclusiveness"),
	AMD(0x8000001d, 1, EAX, HOST, 0x000003ff, "as sub-leaf 0"),
	AMD(0x8000001d, 1, EAX, LIVE, 0x03ffc000, "as sub-leaf 0"),
	AMD(0x8000001d, 1, EBX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001d, 1, ECX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001d, 1, EDX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001d, 2, EAX, HOST, 0x000003ff, "as sub-leaf 0"),
	AMD(0x8000001d, 2, EAX, LIVE, 0x03ffc000, "as sub-leaf 0"),
	AMD(0x8000001d, 2, EBX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001d, 2, ECX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001d, 2, EDX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001d, 3, EAX, HOST, 0x000003ff, "as sub-leaf 0"),
	AMD(0x8000001d, 3, EAX, LIVE, 0x03ffc000, "as sub-leaf 0"),
	AMD(0x8000001d, 3, EBX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001d, 3, ECX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001d, 3, EDX, HOST, ALL, "as sub-leaf 0"),
	AMD(0x8000001e, 0, EAX, LIVE, ALL, "APIC id, core id; one thread a core, one node"),

	AMD(0x8000001f, 0, EAX, OFF, ALL, "SEV: no encrypted guests"),
	AMD(0x80000020, 0, EBX, OFF, ALL, "QoS: belongs to the host"),
	AMD(0x80000021, 0, EAX, HOST, BIT(0) | BIT(1) | BIT(2) | BIT(6),
	    "NoNestedDataBp, base MSRs do not serialize, LFENCE does, null clears base: facts"),
	AMD(0x80000021, 0, EAX, HOST, BIT(8), "AutoIBRS: EFER bit 21"),
	AMD(0x80000021, 0, EAX, HOST, BIT(9), "NoSmmCtlMSR: a fact"),
	AMD(0x80000021, 0, EAX, OFF, BIT(7), "UpperAddressIgnore: not known to the page walker"),
	AMD(0x80000021, 0, EAX, HOST, BIT(27) | BIT(28) | BIT(29) | BIT(31),
	    "SBPB, IBPB_BRTYPE, SRSO_NO, SRSO_USER_KERNEL_NO: facts, and PRED_CMD bit 7"),
	AMD(0x80000022, 0, EAX, OFF, ALL, "PerfMonV2: no performance monitoring"),
};

const unsigned int hvmm_cpuid_nr_rows = ARRAY_SIZE(hvmm_cpuid_rows);

static struct hvmm_cpuid_slot *slot_of(struct hvmm_cpuid_policy *p, u32 leaf)
{
	if (leaf < HVMM_CPUID_BASIC_NR)
		return &p->basic[leaf];
	if (leaf - 0x40000000 < HVMM_CPUID_HV_NR)
		return &p->hv[leaf - 0x40000000];
	if (leaf - 0x80000000 < HVMM_CPUID_EXT_NR)
		return &p->ext[leaf - 0x80000000];
	return NULL;
}

/* The entry of a row; rows come sorted, so that a new one goes to the end. */
static struct hvmm_cpuid_entry *entry_of(struct hvmm_cpuid_policy *p,
					 const struct hvmm_cpuid_row *row)
{
	struct hvmm_cpuid_slot *slot = slot_of(p, row->leaf);
	struct hvmm_cpuid_entry *e;

	if (!slot)
		return NULL;
	if (row->sub < slot->nr)
		return &p->entries[slot->first + row->sub];
	if (row->sub != slot->nr || p->nr == HVMM_CPUID_ENTRIES)
		return NULL;
	if (slot->nr && slot->first + slot->nr != p->nr)
		return NULL;
	if (!slot->nr)
		slot->first = p->nr;
	slot->nr++;
	e = &p->entries[p->nr++];
	e->leaf = row->leaf;
	e->sub = row->sub;
	return e;
}

int hvmm_cpuid_build(struct hvmm_cpuid_policy *p,
		     void (*host)(u32 leaf, u32 sub, u32 r[4]), u8 vendor)
{
	const struct hvmm_cpuid_row *row;
	struct hvmm_cpuid_entry *e;
	u32 r[4];

	memset(p, 0, sizeof(*p));
	for (row = hvmm_cpuid_rows; row < hvmm_cpuid_rows + hvmm_cpuid_nr_rows; row++) {
		if (!(row->vendors & vendor))
			continue;
		e = entry_of(p, row);
		if (!e)
			return -EINVAL;
		switch (row->how) {
		case HVMM_CPUID_HOST:
			host(row->leaf, row->sub, r);
			e->r[row->reg] |= r[row->reg] & row->bits;
			break;
		case HVMM_CPUID_ON:
			e->r[row->reg] |= row->bits;
			break;
		case HVMM_CPUID_LIVE:
			e->live = true;
			break;
		case HVMM_CPUID_OFF:
			break;
		}
	}
	return 0;
}

const struct hvmm_cpuid_entry *hvmm_cpuid_find(const struct hvmm_cpuid_policy *p,
					       u32 leaf, u32 sub)
{
	const struct hvmm_cpuid_slot *slot;
	u32 i = leaf & 0xff;

	if (leaf < HVMM_CPUID_BASIC_NR)
		slot = &p->basic[array_index_nospec(i, HVMM_CPUID_BASIC_NR)];
	else if (leaf - 0x40000000 < HVMM_CPUID_HV_NR)
		slot = &p->hv[array_index_nospec(i, HVMM_CPUID_HV_NR)];
	else if (leaf - 0x80000000 < HVMM_CPUID_EXT_NR)
		slot = &p->ext[array_index_nospec(i, HVMM_CPUID_EXT_NR)];
	else
		return NULL;

	if (slot->nr <= 1)
		return slot->nr ? &p->entries[slot->first] : NULL;
	if (sub >= slot->nr) {
		/* Topology: every sub-leaf tells the APIC id. */
		if (leaf != 0xb && leaf != 0x1f)
			return NULL;
		sub = slot->nr - 1;
	}
	return &p->entries[slot->first + array_index_nospec(sub, slot->nr)];
}
