// SPDX-License-Identifier: GPL-2.0
/* Every instruction that a hypervisor may intercept: its result, its faults, its length. */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"

static const char *const plain = "no hypervisor of ours here";

/* Eight one-byte instructions, each of which moves RSI or RDI by one: RIP too far shows. */
#define SLED_S "lodsb; lodsb; lodsb; lodsb; lodsb; lodsb; lodsb; lodsb"
#define SLED_D "scasb; scasb; scasb; scasb; scasb; scasb; scasb; scasb"

static u8 area[64];

#define LENGTH(name, insn, ra, rb, rc, rd) do {					\
	u8 *__p = area;								\
	u64 __a = (ra), __b = (rb), __c = (rc), __d = (rd);			\
	trap_clear();								\
	__asm__ __volatile__(SAFE_RANGE("cld; " insn "; " SLED_S)		\
		: "+S"(__p), "+a"(__a), "+b"(__b), "+c"(__c), "+d"(__d)		\
		:: "memory", "rdi");						\
	if (!ok(trap_vector() == NO_TRAP && __p == area + 8,			\
		"%s: RIP is right behind it", name))				\
		diag("vector %d, %d of 8", trap_vector(), (int)(__p - area));	\
} while (0)

#define FAULTS(vec, name, insn, ...)						\
	ok_eq(TRY(insn, __VA_ARGS__), vec, "%s raises %d", name, vec)

static void test_cpuid(void)
{
	struct cpuid_regs r = cpuid(0, 0), x;
	u32 max = r.a, bits;
	u64 a, b, c, d;

	ok(max >= 1 && max < 0x1000, "CPUID: maximum leaf 0x%x is sane", max);
	ok(cpuid(0x80000000, 0).a >= 0x80000008, "CPUID: extended leaves up to 0x80000008");
	a = 0xffffffff00000001;
	c = 0xffffffff00000000;
	b = ~0ull;
	d = ~0ull;
	__asm__ __volatile__("cpuid" : "+a"(a), "+b"(b), "+c"(c), "+d"(d));
	ok(!(a >> 32) && !(b >> 32) && !(c >> 32) && !(d >> 32), "CPUID: upper halves are zeroed");
	x = cpuid(1, 0);
	ok_eq(a, x.a, "CPUID: leaf 1 is found through a dirty RAX");
	ok(x.d & BIT(9), "CPUID: a LAPIC is offered");
	ok_eq(x.b >> 24, apic_id(), "CPUID: leaf 1 has the APIC id");
	ok(x.c & BIT(31), "CPUID: hypervisor bit");
	bits = cpuid(0x80000008, 0).a & 0xff;
	ok(bits >= 36 && bits <= 52, "CPUID: %u physical address bits are sane", bits);
	if (x.c & BIT(26)) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		ok(cpuid(1, 0).c & BIT(27), "CPUID: OSXSAVE follows CR4 when set");
		write_cr4(read_cr4() & ~CR4_OSXSAVE);
		ok(!(cpuid(1, 0).c & BIT(27)), "CPUID: OSXSAVE follows CR4 when clear");
		r = cpuid(0xd, 0);
		ok((r.a & 3) == 3 && r.c >= 576, "CPUID: leaf 0xd offers x87 and SSE, %u bytes",
		   r.c);
	} else {
		skip("no XSAVE", "CPUID: OSXSAVE follows CR4");
	}
	if (!on_hvmm()) {
		skip(plain, "CPUID: hypervisor leaves and masked features");
		return;
	}
	r = cpuid(0x40000000, 0);
	ok(r.b == 0x4b4d564b && r.c == 0x564b4d56 && r.d == 0x4d, "CPUID: KVM signature");
	ok(r.a >= 0x40000001 && r.a <= 0x400000ff, "CPUID: hypervisor maximum leaf 0x%x", r.a);
	ok(cpuid(0x40000001, 0).a & BIT(3), "CPUID: kvmclock (new MSRs) is offered");
	ok(x.c & BIT(21), "CPUID: x2APIC is offered");
	ok(x.c & BIT(24), "CPUID: TSC deadline timer is offered");
	ok(!(cpuid(0x80000001, 0).c & BIT(2)), "CPUID: SVM is not offered");
	ok(!(x.c & BIT(5)), "CPUID: VMX is not offered");
}

static void test_lengths(void)
{
	LENGTH("cpuid", "cpuid", 0, 0, 0, 0);
	LENGTH("66 cpuid", ".byte 0x66; cpuid", 0, 0, 0, 0);
	LENGTH("rex.w cpuid", ".byte 0x48; cpuid", 0, 0, 0, 0);
	LENGTH("2e 66 67 cpuid", ".byte 0x2e, 0x66, 0x67; cpuid", 0, 0, 0, 0);
	LENGTH("13 prefixes cpuid", ".fill 12, 1, 0x66; .byte 0x2e; cpuid", 0, 0, 0, 0);
	LENGTH("rdmsr", "rdmsr", 0, 0, MSR_EFER, 0);
	LENGTH("66 rex.w rdmsr", ".byte 0x66, 0x48; rdmsr", 0, 0, MSR_EFER, 0);
	LENGTH("wrmsr", "wrmsr", 0, 0, MSR_KERNEL_GS_BASE, 0);
	LENGTH("3e wrmsr", ".byte 0x3e; wrmsr", 0, 0, MSR_KERNEL_GS_BASE, 0);
	LENGTH("in imm8", "inb $0x80, %%al", 0, 0, 0, 0);
	LENGTH("66 in imm8", "inw $0x80, %%ax", 0, 0, 0, 0);
	LENGTH("in dx", "inl %%dx, %%eax", 0, 0, 0, 0x80);
	LENGTH("48 in dx", ".byte 0x48; inl %%dx, %%eax", 0, 0, 0, 0x80);
	LENGTH("out imm8", "outb %%al, $0x80", 0, 0, 0, 0);
	LENGTH("65 66 out dx", ".byte 0x65; outw %%ax, %%dx", 0, 0, 0, 0x80);
	LENGTH("pause", "pause", 0, 0, 0, 0);
	LENGTH("rdtsc", "rdtsc", 0, 0, 0, 0);
	LENGTH("66 rdtsc", ".byte 0x66; rdtsc", 0, 0, 0, 0);
	if (cpuid(0x80000001, 0).d & BIT(27))
		LENGTH("rdtscp", "rdtscp", 0, 0, 0, 0);
	else
		FAULTS(UD_VECTOR, "rdtscp, not offered,", "rdtscp", ::: "rax", "rcx", "rdx");
	LENGTH("wbinvd", "wbinvd", 0, 0, 0, 0);
	LENGTH("invd", "invd", 0, 0, 0, 0);
	LENGTH("66 wbinvd", ".byte 0x66; wbinvd", 0, 0, 0, 0);
	LENGTH("clts", "clts", 0, 0, 0, 0);
	LENGTH("mov cr0, rax", "mov %%cr0, %%rax", 0, 0, 0, 0);
	LENGTH("mov rax, cr0", "mov %%rax, %%cr0", read_cr0(), 0, 0, 0);
	LENGTH("mov rbx, cr3", "mov %%rbx, %%cr3", 0, read_cr3(), 0, 0);
	LENGTH("mov rcx, cr4", "mov %%rcx, %%cr4", 0, 0, read_cr4(), 0);
	LENGTH("48 mov rcx, cr4", ".byte 0x48; mov %%rcx, %%cr4", 0, 0, read_cr4(), 0);
	LENGTH("mov rdx, cr8", "mov %%rdx, %%cr8", 0, 0, 0, 0);
	LENGTH("mov cr8, rdx", "mov %%cr8, %%rdx", 0, 0, 0, 0);
	LENGTH("mov rax, dr0", "mov %%rax, %%dr0", 0, 0, 0, 0);
	LENGTH("mov dr7, rcx", "mov %%dr7, %%rcx", 0, 0, 0, 0);
	LENGTH("lmsw ax", "lmsw %%ax", read_cr0(), 0, 0, 0);
	LENGTH("smsw eax", "smsw %%eax", 0, 0, 0, 0);
	LENGTH("smsw m16", "smsw (%%rbx)", 0, (u64)&area[32], 0, 0);
	LENGTH("lmsw disp32(rbx,rcx,4)", "lmsw 0x12345678(%%rbx,%%rcx,4)", 0,
	       (u64)&area[32] - 0x12345678, 0, 0);
	LENGTH("invlpg (rbx)", "invlpg (%%rbx)", 0, (u64)area, 0, 0);
	LENGTH("invlpg disp8(rbx)", "invlpg 8(%%rbx)", 0, (u64)area, 0, 0);
	if (cpuid(1, 0).c & BIT(26)) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		LENGTH("xgetbv", "xgetbv", 0, 0, 0, 0);
		LENGTH("xsetbv", "xsetbv", 3, 0, 0, 0);
		LENGTH("2e xsetbv", ".byte 0x2e; xsetbv", 3, 0, 0, 0);
	} else {
		skip("no XSAVE", "xsetbv: RIP is right behind it");
	}
}

static void test_ud(void)
{
	FAULTS(UD_VECTOR, "INVLPGA", "invlpga %%rax, %%ecx", :: "a"(0), "c"(0));
	FAULTS(UD_VECTOR, "VMRUN", "vmrun %%rax", :: "a"(0x100000));
	FAULTS(UD_VECTOR, "VMLOAD", "vmload %%rax", :: "a"(0x100000));
	FAULTS(UD_VECTOR, "VMSAVE", "vmsave %%rax", :: "a"(0x100000));
	FAULTS(UD_VECTOR, "CLGI", "clgi", ::);
	if (plain_tcg())
		skip("TCG runs STGI with EFER.SVME clear", "STGI raises 6");
	else
		FAULTS(UD_VECTOR, "STGI", "stgi", ::);
	FAULTS(UD_VECTOR, "SKINIT", "skinit %%eax", :: "a"(0x100000));
	FAULTS(UD_VECTOR, "RSM", "rsm", ::);
	FAULTS(UD_VECTOR, "UD2", "ud2", ::);
	FAULTS(UD_VECTOR, "VMLAUNCH", "vmlaunch", ::);
	FAULTS(UD_VECTOR, "LOCK CPUID", ".byte 0xf0; cpuid", ::: "rax", "rbx", "rcx", "rdx");
	if (on_tcg()) {
		skip("TCG runs it", "INTO in 64-bit mode raises 6");
		skip("TCG takes it for RDRAND", "VMXON raises 6");
	} else {
		FAULTS(UD_VECTOR, "INTO in 64-bit mode", ".byte 0xce", ::);
		FAULTS(UD_VECTOR, "VMXON", ".byte 0xf3, 0x0f, 0xc7, 0x30", :: "a"(area));
	}
	FAULTS(UD_VECTOR, "MOV CR1", ".byte 0x0f, 0x20, 0xc8", ::: "rax");
	FAULTS(UD_VECTOR, "MOV to CR5", ".byte 0x0f, 0x22, 0xe8", ::);
	FAULTS(GP_VECTOR, "16 bytes of CPUID", ".fill 14, 1, 0x66; cpuid",
	       ::: "rax", "rbx", "rcx", "rdx");
	if (cpuid(1, 0).c & BIT(26)) {
		write_cr4(read_cr4() & ~CR4_OSXSAVE);
		FAULTS(UD_VECTOR, "XSETBV without OSXSAVE", "xsetbv", :: "a"(3), "c"(0), "d"(0));
	}
}

static u64 hypercall(u64 nr)
{
	u64 rbx = 0x1111, rcx = 0x2222, rdx = 0x3333, rsi = 0x4444;

	trap_clear();
	__asm__ __volatile__(SAFE(HYPERCALL) : "+a"(nr), "+b"(rbx), "+c"(rcx), "+d"(rdx), "+S"(rsi)
			     :: "memory");
	if (rbx != 0x1111 || rcx != 0x2222 || rdx != 0x3333 || rsi != 0x4444)
		return 0xbad;
	return nr;
}

static u64 user_hypercall(u64 arg)
{
	return hypercall(arg);
}

static void test_hypercall(void)
{
	u64 r = -1000ll;

	if (!on_hvmm()) {
		ok_eq(TRY("vmmcall", :: "a"(0)), UD_VECTOR,
		      "VMMCALL raises 6 without a hypervisor");
		skip(plain, "unknown hypercall gives -1000");
		return;
	}
	ok_eq(hypercall(0x12345678), r, "unknown hypercall gives -1000");
	ok_eq(trap_vector(), NO_TRAP, "hypercall: no fault");
	ok_eq(hypercall(~0ull), r, "hypercall -1 gives -1000");
	LENGTH("hypercall", HYPERCALL, 0x12345678, 0, 0, 0);
	LENGTH("2e hypercall", ".byte 0x2e; " HYPERCALL, 0x12345678, 0, 0, 0);
	r = user_call(user_hypercall, 0x12345678);
	ok(trap_vector() == UD_VECTOR || r == (u64)-1ll, "hypercall from ring 3 is refused");
	r = 0x12345678;
	trap_clear();
	if (is_intel())
		__asm__ __volatile__(SAFE("vmmcall") : "+a"(r) :: "rbx", "memory");
	else
		__asm__ __volatile__(SAFE("vmcall") : "+a"(r) :: "rbx", "memory");
	ok(trap_vector() == UD_VECTOR || r == (u64)-1000ll,
	   "the other vendor's hypercall: -1000 or #UD");
}

static void test_msr(void)
{
	u64 v, a = 0xffffffffffffffff, d = 0xffffffffffffffff;

	if (plain_tcg()) {
		skip("TCG reads 0, ignores writes", "RDMSR, WRMSR of an unknown MSR raise 13");
	} else {
		ok_eq(rdmsr_try(0x12345678, &v), GP_VECTOR, "RDMSR of an unknown MSR raises 13");
		ok_eq(trap_last()->error, 0, "... with error code 0");
		ok_eq(wrmsr_try(0x12345678, 0), GP_VECTOR, "WRMSR of an unknown MSR raises 13");
		ok_eq(trap_last()->error, 0, "... with error code 0");
	}
	__asm__ __volatile__("rdmsr" : "+a"(a), "+d"(d) : "c"(0xffffffff00000000 | MSR_EFER));
	ok(!(a >> 32) && !(d >> 32) && (u32)a == (u32)rdmsr(MSR_EFER),
	   "RDMSR ignores RCX's upper half and zeroes RAX's and RDX's");
	wrmsr(MSR_KERNEL_GS_BASE, 0x1234567812345678 & 0x7fffffffffff);
	ok_eq(rdmsr(MSR_KERNEL_GS_BASE), 0x1234567812345678 & 0x7fffffffffff,
	      "WRMSR then RDMSR gives the value back");
	wrmsr(MSR_KERNEL_GS_BASE, 0);
}

static volatile u32 ticks;

static void on_tick(struct regs *r)
{
	ticks++;
	apic_eoi();
}

static volatile u64 tick_rip;

static void on_tick_rip(struct regs *r)
{
	tick_rip = r->rip;
	on_tick(r);
}

static void test_hlt(void)
{
	u64 rip;
	int i;

	apic_setup();
	trap_handler(0x40, on_tick);
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, 0x40);
	ticks = 0;
	for (i = 0; i < 20; i++) {
		cli();
		apic_write(APIC_TMICT, 100000);
		sti_hlt();
		if (ticks != (u32)i + 1)
			break;
	}
	cli();
	ok_eq(ticks, 20, "HLT: woken by the timer 20 times");
	trap_handler(0x40, on_tick_rip);
	apic_write(APIC_TMICT, 100000);
	__asm__ __volatile__("lea 1f(%%rip), %0; sti; hlt; 1: cli" : "=r"(rip) :: "memory");
	ok_eq(tick_rip, rip, "HLT: the interrupt's RIP is behind it");
	apic_write(APIC_TMICT, 100000);
	__asm__ __volatile__("lea 1f(%%rip), %0; sti; .byte 0x66, 0xf3; hlt; 1: cli"
			     : "=r"(rip) :: "memory");
	ok_eq(tick_rip, rip, "66 f3 HLT: the interrupt's RIP is behind it");
	apic_write(APIC_LVTT, LVT_MASKED);
	trap_handler(0x40, NULL);
}

static void test_mwait(void)
{
	static u64 line __aligned(64);

	if (!(cpuid(1, 0).c & BIT(3))) {
		FAULTS(UD_VECTOR, "MONITOR, not offered,", "monitor",
		       :: "a"(&line), "c"(0), "d"(0));
		FAULTS(UD_VECTOR, "MWAIT, not offered,", "mwait", :: "a"(0), "c"(0));
		return;
	}
	ok_eq(TRY("monitor", :: "a"(&line), "c"(0), "d"(0)), NO_TRAP, "MONITOR");
	trap_handler(0x40, on_tick);
	apic_write(APIC_LVTT, 0x40);
	ticks = 0;
	apic_write(APIC_TMICT, 1000000);
	ok_eq(TRY("sti; mwait; cli", :: "a"(0), "c"(0)), NO_TRAP, "MWAIT comes back");
	sti();
	wait_for(ticks, 1000000);
	cli();
	apic_write(APIC_LVTT, LVT_MASKED);
	trap_handler(0x40, NULL);
}

static void test_xsetbv(void)
{
	u64 all;
	struct cpuid_regs r;

	if (!(cpuid(1, 0).c & BIT(26))) {
		FAULTS(UD_VECTOR, "XSETBV, not offered,", "xsetbv", :: "a"(3), "c"(0), "d"(0));
		return;
	}
	write_cr4(read_cr4() | CR4_OSXSAVE);
	r = cpuid(0xd, 0);
	all = r.a | (u64)r.d << 32;
#define XSETBV(v) TRY("xsetbv", :: "a"((u32)(v)), "d"((u32)((u64)(v) >> 32)), "c"(0))
	ok_eq(XSETBV(1), NO_TRAP, "XSETBV: x87 alone");
	ok_eq(XSETBV(3), NO_TRAP, "XSETBV: x87 and SSE");
	if (all & 4) {
		u32 a, d;

		ok_eq(XSETBV(7), NO_TRAP, "XSETBV: AVX with SSE");
		__asm__ __volatile__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
		ok_eq(a | (u64)d << 32, 7, "XGETBV reads it back");
		ok(cpuid(0xd, 0).b >= 832, "CPUID 0xd: the size follows XCR0");
		ok_eq(XSETBV(5), GP_VECTOR, "XSETBV: AVX without SSE raises 13");
	} else {
		ok_eq(XSETBV(7), GP_VECTOR, "XSETBV: AVX, not offered, raises 13");
	}
	ok_eq(XSETBV(0), GP_VECTOR, "XSETBV: x87 clear raises 13");
	ok_eq(XSETBV(2), GP_VECTOR, "XSETBV: SSE alone raises 13");
	ok_eq(XSETBV(3 | BIT(63)), GP_VECTOR, "XSETBV: bit 63 raises 13");
	ok_eq(XSETBV(3 | BIT(8)), GP_VECTOR, "XSETBV: bit 8 raises 13");
	ok_eq(TRY("xsetbv", :: "a"(3), "c"(1), "d"(0)), GP_VECTOR, "XSETBV: XCR1 raises 13");
	ok_eq(XSETBV(all), NO_TRAP, "XSETBV: all that CPUID 0xd offers (0x%llx)", all);
	ok_eq(XSETBV(3), NO_TRAP, "XSETBV: back to SSE");
}

#define MOV_CR(n, v) TRY("mov %0, %%cr" #n, :: "r"((u64)(v)) : "memory")

static void test_cr(void)
{
	u64 cr0 = read_cr0(), cr3 = read_cr3(), cr4 = read_cr4(), v;
	const char *lax = "TCG does not check this";

	ok_eq(MOV_CR(0, cr0 ^ CR0_TS), NO_TRAP, "CR0: TS set");
	ok_eq(read_cr0(), cr0 ^ CR0_TS, "CR0: TS reads back");
	__asm__ __volatile__("clts");
	ok_eq(read_cr0(), cr0 & ~CR0_TS, "CLTS clears TS");
	ok_eq(MOV_CR(0, cr0 | CR0_CD), NO_TRAP, "CR0: CD set");
	ok_eq(read_cr0() & CR0_CD, CR0_CD, "CR0: CD reads back");
	ok_eq(MOV_CR(0, cr0 | CR0_CD | CR0_NW), NO_TRAP, "CR0: CD and NW set");
	write_cr0(cr0);
	__asm__ __volatile__("lmsw %w0" :: "r"((u32)(cr0 | CR0_TS)));
	ok_eq(read_cr0(), cr0 | CR0_TS, "LMSW sets TS");
	__asm__ __volatile__("lmsw %w0" :: "r"((u32)(cr0 & ~(CR0_TS | CR0_PE))));
	ok_eq(read_cr0(), cr0 & ~CR0_TS, "LMSW clears TS, cannot clear PE");
	write_cr0(cr0);
	__asm__ __volatile__("smsw %0" : "=r"(v));
	ok_eq((u32)v, (u32)cr0, "SMSW reads CR0");
	if (on_tcg()) {
		skip(lax, "CR0: NW without CD raises 13");
		skip(lax, "CR0: PG without PE raises 13");
		skip(lax, "CR0: bit 32 raises 13");
		skip(lax, "CR0: clearing PG in 64-bit mode raises 13");
	} else {
		ok_eq(MOV_CR(0, cr0 | CR0_NW), GP_VECTOR, "CR0: NW without CD raises 13");
		ok_eq(MOV_CR(0, cr0 & ~CR0_PE), GP_VECTOR, "CR0: PG without PE raises 13");
		ok_eq(MOV_CR(0, cr0 | BIT(32)), GP_VECTOR, "CR0: bit 32 raises 13");
		ok_eq(MOV_CR(0, cr0 & ~CR0_PG), GP_VECTOR,
		      "CR0: clearing PG in 64-bit mode raises 13");
	}
	ok_eq(read_cr0(), cr0, "CR0 is as before");

	ok_eq(MOV_CR(3, cr3), NO_TRAP, "CR3: same value");
	ok_eq(read_cr3(), cr3, "CR3 reads back");
	if (on_tcg())
		skip(lax, "CR3: reserved high bits raise 13");
	else
		ok_eq(MOV_CR(3, cr3 | BIT(62)), GP_VECTOR, "CR3: reserved high bits raise 13");

	ok_eq(MOV_CR(4, cr4 ^ CR4_PGE), NO_TRAP, "CR4: PGE toggles");
	ok_eq(read_cr4(), cr4 ^ CR4_PGE, "CR4: reads back");
	write_cr4(cr4);
	ok_eq(MOV_CR(4, cr4 ^ CR4_TSD), NO_TRAP, "CR4: TSD toggles");
	write_cr4(cr4);
	if (on_tcg()) {
		skip(lax, "CR4: reserved bits raise 13");
		skip(lax, "CR4: clearing PAE in long mode raises 13");
	} else {
		ok_eq(MOV_CR(4, cr4 | BIT(15)), GP_VECTOR, "CR4: bit 15 raises 13");
		ok_eq(MOV_CR(4, cr4 | BIT(31)), GP_VECTOR, "CR4: bit 31 raises 13");
		ok_eq(MOV_CR(4, cr4 | BIT(63)), GP_VECTOR, "CR4: bit 63 raises 13");
		ok_eq(MOV_CR(4, cr4 & ~CR4_PAE), GP_VECTOR,
		      "CR4: clearing PAE in long mode raises 13");
	}
	ok_eq(read_cr4(), cr4, "CR4 is as before");

	for (v = 0; v < 16; v++) {
		write_cr8(v);
		if (read_cr8() != v || apic_read(APIC_TPR) != v << 4)
			break;
	}
	ok_eq(v, 16, "CR8: all values read back and show in TPR");
	apic_write(APIC_TPR, 0x75);
	ok_eq(read_cr8(), 7, "TPR shows in CR8");
	write_cr8(0);
	ok_eq(apic_read(APIC_TPR), 0, "CR8 clears the sub-class too");
	if (on_tcg())
		skip(lax, "CR8: 16 raises 13");
	else
		ok_eq(MOV_CR(8, 16), GP_VECTOR, "CR8: 16 raises 13");
}

static void test_dr(void)
{
	u64 v;

	write_dr0(0x123456789a);
	write_dr3(0x7fffdeadbeef);
	ok_eq(read_dr0(), 0x123456789a, "DR0 reads back");
	ok_eq(read_dr3(), 0x7fffdeadbeef, "DR3 reads back");
	write_dr7(0x400);
	write_dr6(0xffff0ff0);
	ok_eq(read_dr6(), 0xffff0ff0, "DR6 reads back");
	ok_eq(read_dr7(), 0x400, "DR7 reads back");
	write_cr4(read_cr4() & ~CR4_DE);
	write_dr6(0xffff4ff0);
	__asm__ __volatile__(".byte 0x0f, 0x21, 0xe0" : "=a"(v));	/* DR4 is DR6 */
	ok_eq(v, 0xffff4ff0, "DR4 is DR6 without CR4.DE");
	write_dr6(0xffff0ff0);
	write_cr4(read_cr4() | CR4_DE);
	FAULTS(UD_VECTOR, "DR4 with CR4.DE", ".byte 0x0f, 0x21, 0xe0", ::: "rax");
	write_cr4(read_cr4() & ~CR4_DE);
	if (on_tcg()) {
		skip("TCG does not check this", "DR6, DR7: upper half raises 13");
	} else {
		ok_eq(TRY("mov %0, %%dr7", :: "r"(BIT(32) | 0x400)), GP_VECTOR,
		      "DR7: bit 32 raises 13");
		ok_eq(TRY("mov %0, %%dr6", :: "r"(BIT(32))), GP_VECTOR, "DR6: bit 32 raises 13");
	}
	if (on_tcg()) {
		skip("TCG has no general detect", "DR7.GD: MOV DR raises 1");
	} else {
		__asm__ __volatile__("mov %0, %%dr7" :: "r"(0x2400ull));
		ok_eq(TRY("mov %%dr0, %0", : "=r"(v)), DB_VECTOR, "DR7.GD: MOV DR raises 1");
		ok(trap_last()->dr6 & BIT(13), "... with DR6.BD");
		ok_eq(read_dr7(), 0x400, "... and GD is clear in the handler");
	}
	write_dr7(0x400);
}

static void test_time(void)
{
	u64 a, b, i;
	u32 aux;

	a = rdtsc();
	for (i = 0; i < 1000; i++) {
		b = rdtsc();
		if (b < a)
			break;
		a = b;
	}
	ok_eq(i, 1000, "RDTSC does not go back");
	if (cpuid(0x80000001, 0).d & BIT(27)) {
		wrmsr(MSR_TSC_AUX, 0x12345);
		__asm__ __volatile__("rdtscp" : "=c"(aux) :: "rax", "rdx");
		ok_eq(aux, 0x12345, "RDTSCP gives TSC_AUX");
		cpuid(0, 0);
		__asm__ __volatile__("rdtscp" : "=c"(aux) :: "rax", "rdx");
		ok_eq(aux, 0x12345, "RDTSCP gives TSC_AUX after an exit");
	} else {
		skip("not offered", "RDTSCP gives TSC_AUX");
	}
	if (on_hvmm())
		FAULTS(GP_VECTOR, "RDPMC of counter 0x7ffffff0", "rdpmc",
		       :: "c"(0x7ffffff0) : "rax", "rdx");
	else
		skip("TCG has no RDPMC", "RDPMC of counter 0x7ffffff0 raises 13");
}

static void test_int(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) p;
	u64 sp;
	u16 sel;

	ok_eq(TRY("int3", ::), BP_VECTOR, "INT3 raises 3");
	ok_eq(TRY(".byte 0xcd, 3", ::), BP_VECTOR, "INT 3 raises 3");
	ok_eq(TRY("int $0x30", ::), 0x30, "INT 0x30 raises 0x30");
	ok_eq(TRY(".byte 0xf1", ::), DB_VECTOR, "ICEBP raises 1");
	ok_eq(TRY("div %0", :: "r"(0ull), "a"(1), "d"(0)), DE_VECTOR, "DIV by 0 raises 0");
	__asm__ __volatile__("mov %%rsp, %0" : "=r"(sp));
	ok_eq(TRY("int $0x31; nop", ::), 0x31, "INT 0x31 raises 0x31");
	ok(trap_last()->rsp <= sp && trap_last()->rsp > sp - 256, "INT pushed the stack in use");
	__asm__ __volatile__("sidt %0" : "=m"(p));
	ok(p.base == (u64)idt && p.limit == sizeof(idt) - 1, "SIDT");
	__asm__ __volatile__("sgdt %0" : "=m"(p));
	ok(p.base == (u64)gdt, "SGDT");
	__asm__ __volatile__("str %0" : "=m"(sel));
	ok_eq(sel, SEL_TSS, "STR");
	__asm__ __volatile__("sldt %0" : "=m"(sel));
	ok_eq(sel, 0, "SLDT");
}

static u64 u_cpuid(u64 leaf)
{
	return cpuid(leaf, 0).a;
}

#define USER_INSN(fn, insn, ...)						\
static u64 fn(u64 arg)								\
{										\
	__asm__ __volatile__(SAFE(insn) __VA_ARGS__);				\
	return 0;								\
}										\
static u64 fn(u64 arg)
USER_INSN(u_hlt, "hlt", ::);
USER_INSN(u_cli, "cli", ::);
USER_INSN(u_rdmsr, "rdmsr", :: "c"(MSR_EFER) : "rax", "rdx");
USER_INSN(u_wrmsr, "wrmsr", :: "c"(MSR_EFER), "a"(0), "d"(0));
USER_INSN(u_cr0, "mov %%cr0, %%rax", ::: "rax");
USER_INSN(u_cr3, "mov %%rax, %%cr3", :: "a"(0));
USER_INSN(u_cr8, "mov %%rax, %%cr8", :: "a"(0));
USER_INSN(u_dr7, "mov %%dr7, %%rax", ::: "rax");
USER_INSN(u_invlpg, "invlpg (%0)", :: "r"(area));
USER_INSN(u_wbinvd, "wbinvd", ::);
USER_INSN(u_invd, "invd", ::);
USER_INSN(u_clts, "clts", ::);
USER_INSN(u_lmsw, "lmsw %%ax", :: "a"(1));
USER_INSN(u_xsetbv, "xsetbv", :: "a"(3), "c"(0), "d"(0));
USER_INSN(u_rdtsc, "rdtsc", ::: "rax", "rdx");
USER_INSN(u_in80, "inb $0x80, %%al", ::: "rax");
USER_INSN(u_out80, "outb %%al, $0x80", :: "a"(0));
USER_INSN(u_in_hi, "inb %%dx, %%al", :: "d"(0x3fd) : "rax");
USER_INSN(u_vmrun, "vmrun %%rax", :: "a"(0x100000));

static void user(const char *name, u64 (*fn)(u64), int vec)
{
	trap_clear();
	user_call(fn, 0);
	ok_eq(trap_vector(), vec, "ring 3: %s gives %d", name, vec);
	if (trap_vector() != NO_TRAP && (trap_last()->cs & 3) != 3)
		ok(false, "ring 3: the fault was in ring 3");
}

static void test_user(void)
{
	ok_eq(user_call(u_cpuid, 0), cpuid(0, 0).a, "ring 3: CPUID works");
	user("HLT", u_hlt, GP_VECTOR);
	user("CLI", u_cli, GP_VECTOR);
	user("RDMSR", u_rdmsr, GP_VECTOR);
	user("WRMSR", u_wrmsr, GP_VECTOR);
	user("MOV from CR0", u_cr0, GP_VECTOR);
	user("MOV to CR3", u_cr3, GP_VECTOR);
	user("MOV to CR8", u_cr8, GP_VECTOR);
	user("MOV from DR7", u_dr7, GP_VECTOR);
	user("INVLPG", u_invlpg, GP_VECTOR);
	if (on_tcg()) {
		skip("TCG allows it", "ring 3: WBINVD, INVD give 13");
	} else {
		user("WBINVD", u_wbinvd, GP_VECTOR);
		user("INVD", u_invd, GP_VECTOR);
	}
	user("CLTS", u_clts, GP_VECTOR);
	user("LMSW", u_lmsw, GP_VECTOR);
	if (cpuid(1, 0).c & BIT(26)) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		user("XSETBV", u_xsetbv, GP_VECTOR);
	}
	user("RDTSC", u_rdtsc, NO_TRAP);
	write_cr4(read_cr4() | CR4_TSD);
	user("RDTSC with CR4.TSD", u_rdtsc, GP_VECTOR);
	write_cr4(read_cr4() & ~CR4_TSD);
	user("IN of a port the bitmap denies", u_in80, GP_VECTOR);
	user("OUT of a port the bitmap denies", u_out80, GP_VECTOR);
	user("IN of a port behind the bitmap", u_in_hi, GP_VECTOR);
	tss[0].io_bitmap[0x80 / 8] &= ~1;
	user("IN of a port the bitmap allows", u_in80, NO_TRAP);
	user("OUT of a port the bitmap allows", u_out80, NO_TRAP);
	tss[0].io_bitmap[0x80 / 8] |= 1;
	/* A hypervisor's guest has EFER.SVME set: the CPU's #GP comes before the intercept. */
	trap_clear();
	user_call(u_vmrun, 0);
	ok(trap_vector() == UD_VECTOR || (on_hvmm() && trap_vector() == GP_VECTOR),
	   "ring 3: VMRUN gives 6, or 13 under a hypervisor");
}

static void test_cache(void)
{
	volatile u64 *p = (volatile u64 *)area;

	*p = 0x1122334455667788;
	__asm__ __volatile__("invd" ::: "memory");
	ok_eq(*p, 0x1122334455667788, "INVD loses no data");
	__asm__ __volatile__("wbinvd" ::: "memory");
	ok_eq(*p, 0x1122334455667788, "WBINVD loses no data");
}

static void test_io(void)
{
	u64 v = 0x1111222233334444;
	u32 i;

	if (!have_testdev()) {
		skip("no test device", "IN and OUT of 1, 2 and 4 bytes");
		return;
	}
	outl(TD_LATCH, 0x44332211);
	ok_eq(inl(TD_LATCH), 0x44332211, "OUT and IN of 4 bytes");
	outw(TD_LATCH, 0xaabb);
	outb(TD_LATCH, 0xcc);
	v = 0x1111222233334444;
	__asm__ __volatile__("inb $0xe0, %%al" : "+a"(v));
	ok_eq(v, 0x11112222333344cc, "IN of 1 byte keeps the rest of RAX");
	outw(TD_LATCH, 0xaabb);
	v = 0x1111222233334444;
	__asm__ __volatile__("inw $0xe0, %%ax" : "+a"(v));
	ok_eq(v, 0x111122223333aabb, "IN of 2 bytes keeps the rest of RAX");
	outl(TD_LATCH, 0x87654321);
	v = 0x1111222233334444;
	__asm__ __volatile__("inl $0xe0, %%eax" : "+a"(v));
	ok_eq(v, 0x87654321, "IN of 4 bytes zeroes the upper half of RAX");
	for (i = 0; i < 1000; i++) {
		outl(TD_LATCH, i * 0x01010101);
		if (inl(TD_LATCH) != i * 0x01010101)
			break;
	}
	ok_eq(i, 1000, "1000 times OUT and IN");
}

void guest_main(void)
{
	apic_setup();
	test_cpuid();
	test_lengths();
	test_ud();
	test_hypercall();
	test_msr();
	test_io();
	test_hlt();
	test_mwait();
	test_xsetbv();
	test_cr();
	test_dr();
	test_time();
	test_int();
	test_cache();
	test_user();
}
