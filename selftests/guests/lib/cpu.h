/* SPDX-License-Identifier: GPL-2.0 */
/* One-line wrappers for the x86 instructions and constants that guests use. */
#ifndef GUEST_CPU_H
#define GUEST_CPU_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef unsigned long ulong;
typedef _Bool bool;
typedef __SIZE_TYPE__ size_t;

#define true 1
#define false 0
#define NULL ((void *)0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(n) (1ull << (n))
#define PAGE_SIZE 4096ull
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define __aligned(n) __attribute__((aligned(n)))
#define __noinline __attribute__((noinline))
#define __noreturn __attribute__((noreturn))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define barrier() __asm__ __volatile__("" ::: "memory")

/* Exception vectors (APM vol. 2, table 8-1). */
enum {
	DE_VECTOR = 0, DB_VECTOR = 1, NMI_VECTOR = 2, BP_VECTOR = 3, OF_VECTOR = 4,
	BR_VECTOR = 5, UD_VECTOR = 6, NM_VECTOR = 7, DF_VECTOR = 8, TS_VECTOR = 10,
	NP_VECTOR = 11, SS_VECTOR = 12, GP_VECTOR = 13, PF_VECTOR = 14, MF_VECTOR = 16,
	AC_VECTOR = 17, MC_VECTOR = 18, XM_VECTOR = 19,
};

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME BIT(0)
#define CR4_TSD BIT(2)
#define CR4_DE BIT(3)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_PGE BIT(7)
#define CR4_PCE BIT(8)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP BIT(11)
#define CR4_PCIDE BIT(17)
#define CR4_OSXSAVE BIT(18)

#define EFER_SCE BIT(0)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)
#define EFER_SVME BIT(12)

#define RFLAGS_CF BIT(0)
#define RFLAGS_PF BIT(2)
#define RFLAGS_AF BIT(4)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_SF BIT(7)
#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define RFLAGS_DF BIT(10)
#define RFLAGS_OF BIT(11)
#define RFLAGS_RF BIT(16)
#define RFLAGS_AC BIT(18)
#define RFLAGS_ARITH (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

#define MSR_TSC 0x10
#define MSR_APIC_BASE 0x1b
#define MSR_PAT 0x277
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SFMASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX 0xc0000103

#define SEL_KCODE 0x08
#define SEL_KDATA 0x10
#define SEL_UCODE32 0x18
#define SEL_UDATA 0x20
#define SEL_UCODE 0x28
#define SEL_KCODE32 0x30
#define SEL_KCODE16 0x38
#define SEL_KDATA16 0x40
#define SEL_SPARE 0x48
#define SEL_TSS 0x50

static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ __volatile__("inb %w1, %b0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline u16 inw(u16 port)
{
	u16 v;

	__asm__ __volatile__("inw %w1, %w0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ __volatile__("inl %w1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline void outb(u16 port, u8 v)
{
	__asm__ __volatile__("outb %b0, %w1" :: "a"(v), "Nd"(port) : "memory");
}

static inline void outw(u16 port, u16 v)
{
	__asm__ __volatile__("outw %w0, %w1" :: "a"(v), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 v)
{
	__asm__ __volatile__("outl %0, %w1" :: "a"(v), "Nd"(port) : "memory");
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return lo | (u64)hi << 32;
}

static inline void wrmsr(u32 msr, u64 v)
{
	__asm__ __volatile__("wrmsr" :: "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi) :: "memory");
	return lo | (u64)hi << 32;
}

struct cpuid_regs {
	u32 a, b, c, d;
};

static inline struct cpuid_regs cpuid(u32 leaf, u32 sub)
{
	struct cpuid_regs r;

	__asm__ __volatile__("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			     : "a"(leaf), "c"(sub) : "memory");
	return r;
}

/* VMMCALL; guest_boot() makes it VMCALL on processors that have that instead. */
#define HYPERCALL	"773: vmmcall\n"			\
			".pushsection .hypercalls, \"a\"\n"	\
			".quad 773b\n"				\
			".popsection\n"

#define VMCALL_LAST	0xc1	/* of its three bytes; of VMMCALL 0xd9 */

static inline bool is_intel(void)
{
	struct cpuid_regs r = cpuid(0, 0);

	return r.b == 0x756e6547 && r.d == 0x49656e69 && r.c == 0x6c65746e;
}

#define DEFINE_CR(n)								\
static inline u64 read_cr##n(void)						\
{										\
	u64 v;									\
	__asm__ __volatile__("mov %%cr" #n ", %0" : "=r"(v) :: "memory");	\
	return v;								\
}										\
static inline void write_cr##n(u64 v)						\
{										\
	__asm__ __volatile__("mov %0, %%cr" #n :: "r"(v) : "memory");		\
}										\
u64 read_cr##n(void)
DEFINE_CR(0);
DEFINE_CR(2);
DEFINE_CR(3);
DEFINE_CR(4);
DEFINE_CR(8);

#define DEFINE_DR(n)								\
static inline u64 read_dr##n(void)						\
{										\
	u64 v;									\
	__asm__ __volatile__("mov %%dr" #n ", %0" : "=r"(v) :: "memory");	\
	return v;								\
}										\
static inline void write_dr##n(u64 v)						\
{										\
	__asm__ __volatile__("mov %0, %%dr" #n :: "r"(v) : "memory");		\
}										\
u64 read_dr##n(void)
DEFINE_DR(0);
DEFINE_DR(1);
DEFINE_DR(2);
DEFINE_DR(3);
DEFINE_DR(6);
DEFINE_DR(7);

static inline u64 read_rflags(void)
{
	u64 v;

	__asm__ __volatile__("pushfq; popq %0" : "=r"(v) :: "memory");
	return v;
}

static inline void cli(void)
{
	__asm__ __volatile__("cli" ::: "memory");
}

static inline void sti(void)
{
	__asm__ __volatile__("sti" ::: "memory");
}

/* STI's shadow makes the pair atomic against a wake-up that is already pending. */
static inline void hlt(void)
{
	__asm__ __volatile__("hlt" ::: "memory");
}

static inline void sti_hlt(void)
{
	__asm__ __volatile__("sti; hlt" ::: "memory");
}

static inline void sti_nop_cli(void)
{
	__asm__ __volatile__("sti; nop; nop; cli" ::: "memory");
}

static inline void pause(void)
{
	__asm__ __volatile__("pause" ::: "memory");
}

static inline void invlpg(void *p)
{
	__asm__ __volatile__("invlpg (%0)" :: "r"(p) : "memory");
}

#endif
