/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as kmod/x86/{cpuid,msr,mtrr,cr,pv,walk}.c see it: a host CPU made of
 * variables. The build makes the headers that they include forward to this one.
 */
#ifndef HVMM_UNIT_FAKE_KERNEL_H
#define HVMM_UNIT_FAKE_KERNEL_H

#include <errno.h>
#include <string.h>

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include <asm/processor-flags.h>

#define __init
#define __initdata
#define __ro_after_init
#define NSEC_PER_SEC		1000000000L
#define USEC_PER_SEC		1000000L
#define ALIGN(x, a)		(((x) + (a) - 1) / (a) * (a))
#define ____cacheline_aligned
#define static_assert		_Static_assert
#define smp_wmb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define local_irq_save(f)	((f) = 0)
#define local_irq_restore(f)	((void)(f))
#define pr_debug_ratelimited(...)	(fake.ignored_writes++)

/* asm/cpufeature.h; positions within a word are CPUID's, words are arbitrary. */
enum {
	CPUID_1_EDX, CPUID_1_ECX, CPUID_7_0_EBX, CPUID_7_ECX, CPUID_7_EDX, CPUID_7_1_EAX,
	CPUID_D_1_EAX, CPUID_8000_0001_EDX, CPUID_8000_0001_ECX, CPUID_8000_0008_EBX,
	CPUID_8000_0021_EAX, NR_CPUID_WORDS,
};

#define FAKE_CAP(word, bit)		((CPUID_##word) * 32 + (bit))
#define X86_FEATURE_VME			FAKE_CAP(1_EDX, 1)
#define X86_FEATURE_DE			FAKE_CAP(1_EDX, 2)
#define X86_FEATURE_PSE			FAKE_CAP(1_EDX, 3)
#define X86_FEATURE_TSC			FAKE_CAP(1_EDX, 4)
#define X86_FEATURE_PAE			FAKE_CAP(1_EDX, 6)
#define X86_FEATURE_MCE			FAKE_CAP(1_EDX, 7)
#define X86_FEATURE_MTRR		FAKE_CAP(1_EDX, 12)
#define X86_FEATURE_PGE			FAKE_CAP(1_EDX, 13)
#define X86_FEATURE_PAT			FAKE_CAP(1_EDX, 16)
#define X86_FEATURE_FXSR		FAKE_CAP(1_EDX, 24)
#define X86_FEATURE_XMM			FAKE_CAP(1_EDX, 25)
#define X86_FEATURE_VMX			FAKE_CAP(1_ECX, 5)
#define X86_FEATURE_PCID		FAKE_CAP(1_ECX, 17)
#define X86_FEATURE_X2APIC		FAKE_CAP(1_ECX, 21)
#define X86_FEATURE_XSAVE		FAKE_CAP(1_ECX, 26)
#define X86_FEATURE_OSXSAVE		FAKE_CAP(1_ECX, 27)
#define X86_FEATURE_FSGSBASE		FAKE_CAP(7_0_EBX, 0)
#define X86_FEATURE_TSC_ADJUST		FAKE_CAP(7_0_EBX, 1)
#define X86_FEATURE_SMEP		FAKE_CAP(7_0_EBX, 7)
#define X86_FEATURE_SMAP		FAKE_CAP(7_0_EBX, 20)
#define X86_FEATURE_UMIP		FAKE_CAP(7_ECX, 2)
#define X86_FEATURE_PKU			FAKE_CAP(7_ECX, 3)
#define X86_FEATURE_LA57		FAKE_CAP(7_ECX, 16)
#define X86_FEATURE_FLUSH_L1D		FAKE_CAP(7_EDX, 28)
#define X86_FEATURE_ARCH_CAPABILITIES	FAKE_CAP(7_EDX, 29)
#define X86_FEATURE_SYSCALL		FAKE_CAP(8000_0001_EDX, 11)
#define X86_FEATURE_NX			FAKE_CAP(8000_0001_EDX, 20)
#define X86_FEATURE_FXSR_OPT		FAKE_CAP(8000_0001_EDX, 25)
#define X86_FEATURE_GBPAGES		FAKE_CAP(8000_0001_EDX, 26)
#define X86_FEATURE_RDTSCP		FAKE_CAP(8000_0001_EDX, 27)
#define X86_FEATURE_LM			FAKE_CAP(8000_0001_EDX, 29)
#define X86_FEATURE_SVM			FAKE_CAP(8000_0001_ECX, 2)
#define X86_FEATURE_AMD_IBPB		FAKE_CAP(8000_0008_EBX, 12)
#define X86_FEATURE_AUTOIBRS		FAKE_CAP(8000_0021_EAX, 8)
#define X86_FEATURE_SBPB		FAKE_CAP(8000_0021_EAX, 27)
#define X86_FEATURE_LFENCE_RDTSC	FAKE_CAP(8000_0021_EAX, 2)

/* asm/trapnr.h */
enum {
	X86_TRAP_DB = 1, X86_TRAP_TS = 10, X86_TRAP_NP, X86_TRAP_SS, X86_TRAP_GP, X86_TRAP_PF,
};

#define X86_VENDOR_INTEL	0
#define X86_VENDOR_AMD		2
#define X86_VENDOR_HYGON	9

struct fake_cpu {
	u8 x86_vendor;
	u32 microcode;
	u32 x86_capability[NR_CPUID_WORDS];
};

extern struct fake_cpu boot_cpu_data;

#define boot_cpu_has(f)	(boot_cpu_data.x86_capability[(f) >> 5] >> ((f) & 31) & 1)

/**
 * struct fake - the host and what was done to it
 * @xcr0: XCR0
 * @tsc: TSC
 * @tsc_unstable: what check_tsc_unstable() says
 * @ns: ktime_get_ns()
 * @real_ns: ktime_get_real_ns()
 * @wrmsr: last MSR written
 * @wrmsr_val: its value
 * @ignored_writes: guest writes traced as ignored
 */
struct fake {
	u64 xcr0;
	u64 tsc;
	bool tsc_unstable;
	u64 ns;
	u64 real_ns;
	u32 wrmsr;
	u64 wrmsr_val;
	unsigned int ignored_writes;
};

extern struct fake fake;
extern unsigned int tsc_khz;

void cpuid_count(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d);

static inline u32 cpuid_eax(u32 leaf)
{
	u32 a, b, c, d;

	cpuid_count(leaf, 0, &a, &b, &c, &d);
	return a;
}

#define XCR_XFEATURE_ENABLED_MASK	0
#define xgetbv(n)		(fake.xcr0)
#define rdtsc()			(fake.tsc)
#define rdtsc_ordered()		(fake.tsc)
#define check_tsc_unstable()	(fake.tsc_unstable)
#define ktime_get_ns()		(fake.ns)
#define ktime_get_real_ns()	(fake.real_ns)

static inline void wrmsr(u32 msr, u32 lo, u32 hi)
{
	fake.wrmsr = msr;
	fake.wrmsr_val = lo | (u64)hi << 32;
}

#define rdmsr(msr, lo, hi)	((lo) = ~0U, (hi) = ~0U)

static inline unsigned int order_base_2(u64 n)
{
	return n > 1 ? 64 - __builtin_clzll(n - 1) : 0;
}

#define roundup_pow_of_two(n)	(1U << order_base_2(n))

/* asm/msr-index.h */
#define MSR_IA32_TSC			0x10
#define MSR_IA32_APICBASE		0x1b
#define MSR_IA32_TSC_ADJUST		0x3b
#define MSR_IA32_PRED_CMD		0x49
#define PRED_CMD_SBPB			BIT(7)
#define MSR_IA32_UCODE_REV		0x8b
#define MSR_IA32_ARCH_CAPABILITIES	0x10a
#define MSR_IA32_FLUSH_CMD		0x10b
#define L1D_FLUSH			BIT(0)
#define MSR_IA32_SYSENTER_CS		0x174
#define MSR_IA32_SYSENTER_ESP		0x175
#define MSR_IA32_SYSENTER_EIP		0x176
#define MSR_IA32_CR_PAT			0x277
#define MSR_IA32_TSC_DEADLINE		0x6e0
#define MSR_EFER			0xc0000080
#define MSR_STAR			0xc0000081
#define MSR_LSTAR			0xc0000082
#define MSR_CSTAR			0xc0000083
#define MSR_SYSCALL_MASK		0xc0000084
#define MSR_FS_BASE			0xc0000100
#define MSR_GS_BASE			0xc0000101
#define MSR_KERNEL_GS_BASE		0xc0000102
#define MSR_TSC_AUX			0xc0000103
#define MSR_K7_HWCR			0xc0010015
#define MSR_K8_TOP_MEM1			0xc001001a
#define MSR_K8_TOP_MEM2			0xc001001d
#define MSR_AMD64_DE_CFG		0xc0011029
#define MSR_AMD64_DE_CFG_LFENCE_SERIALIZE	BIT_ULL(1)
#define EFER_SCE			BIT_ULL(0)
#define EFER_LME			BIT_ULL(8)
#define EFER_LMA			BIT_ULL(10)
#define EFER_NX				BIT_ULL(11)
#define EFER_SVME			BIT_ULL(12)
#define EFER_FFXSR			BIT_ULL(14)
#define EFER_AUTOIBRS			BIT_ULL(21)

/* uapi/asm/kvm_para.h, asm/pvclock-abi.h */
#define MSR_KVM_WALL_CLOCK		0x11
#define MSR_KVM_SYSTEM_TIME		0x12
#define MSR_KVM_WALL_CLOCK_NEW		0x4b564d00
#define MSR_KVM_SYSTEM_TIME_NEW		0x4b564d01
#define MSR_KVM_STEAL_TIME		0x4b564d03
#define MSR_KVM_PV_EOI_EN		0x4b564d04
#define MSR_KVM_POLL_CONTROL		0x4b564d05
#define KVM_MSR_ENABLED			1
#define KVM_STEAL_VALID_BITS		(~0x3fULL)
#define KVM_HC_VAPIC_POLL_IRQ		1
#define KVM_HC_KICK_CPU			5
#define KVM_HC_SEND_IPI			10
#define KVM_HC_SCHED_YIELD		11
#define KVM_ENOSYS			1000
#define KVM_EINVAL			EINVAL
#define KVM_EPERM			1
#define KVM_VCPU_PREEMPTED		1
#define KVM_VCPU_FLUSH_TLB		2
#define KVM_PV_EOI_ENABLED		1
#define KVM_PV_EOI_DISABLED		0
#define PVCLOCK_TSC_STABLE_BIT		1

struct kvm_steal_time {
	u64 steal;
	u32 version;
	u32 flags;
	u8 preempted;
	u8 pad8[3];
	u32 pad[11];
};

struct pvclock_vcpu_time_info {
	u32 version;
	u32 pad0;
	u64 tsc_timestamp;
	u64 system_time;
	u32 tsc_to_system_mul;
	s8 tsc_shift;
	u8 flags;
	u8 pad[2];
};

struct pvclock_wall_clock {
	u32 version;
	u32 sec;
	u32 nsec;
};

#endif
