// SPDX-License-Identifier: GPL-2.0
/*
 * Delivery of exceptions and interrupts while the pages that delivery itself reads or writes are
 * taken out of the nested page table: once, with the right frame. Then NMI blocking, interrupt
 * shadows and windows, and exceptions inside of delivery.
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/paging.h"
#include "lib/apic.h"

static u64 want_rip, resume_rip, want_cr2;
static volatile u32 hits[256];
static volatile struct {
	u64 rip, error, cr2, rsp, dr6, rflags;
} seen;

/* Faults go on behind the instruction; everything else where the frame says. */
static void on_event(struct regs *r)
{
	hits[r->vector]++;
	seen.rip = r->rip;
	seen.error = r->error;
	seen.cr2 = read_cr2();
	seen.rsp = (u64)r;
	seen.rflags = r->rflags;
	if (r->vector == 0x40)
		apic_eoi();
	if (r->vector == DB_VECTOR)
		seen.dr6 = read_dr6();
	if (resume_rip && r->vector != NMI_VECTOR && r->vector != 0x40)
		r->rip = resume_rip;
	if (hits[r->vector] > 100)
		guest_die("vector %d without end at 0x%llx", (int)r->vector, r->rip);
}

#define FAULT(fn, insn, ...)							\
static void fn(void)								\
{										\
	u64 a, b;								\
	__asm__ __volatile__("lea 771f(%%rip), %0; lea 772f(%%rip), %1\n"	\
			     "mov %0, %2; mov %1, %3\n"				\
			     "771: " insn "\n772:\n"				\
			     : "=&r"(a), "=&r"(b), "=m"(want_rip), "=m"(resume_rip) \
			     __VA_ARGS__);					\
}

#define TRAP(fn, insn, ...)							\
static void fn(void)								\
{										\
	u64 a;									\
	resume_rip = 0;								\
	__asm__ __volatile__("lea 772f(%%rip), %0; mov %0, %1\n"		\
			     insn "\n772: cli\n"				\
			     : "=&r"(a), "=m"(want_rip) __VA_ARGS__);		\
}

#define NMI_TO_SELF ((u32)(ICR_NMI | ICR_ASSERT))

static void *absent, *read_only;

FAULT(fire_ud, "ud2", ::)
FAULT(fire_de, "xor %%ebx, %%ebx; div %%ebx", :: "rax", "rbx", "rdx")
FAULT(fire_gp_sel, "mov %%ax, %%es", : "a"(0x1000))
FAULT(fire_pf, "mov (%%rbx), %%eax", : "b"(absent) : "rax")
FAULT(fire_pf_write, "mov %%eax, (%%rbx)", : "b"(read_only), "a"(1) : "memory")
FAULT(fire_rdmsr, "rdmsr", : "c"(0x12345678) : "rax", "rdx")
FAULT(fire_vmrun, "vmrun %%rax", : "a"(0x100000))
TRAP(fire_int3, "int3", ::)
TRAP(fire_int, "int $0x30", ::)
TRAP(fire_icebp, ".byte 0xf1", ::)
TRAP(fire_irq, "sti; nop", ::)
TRAP(fire_irq_cpuid, "sti; cpuid", : "a"(0), "c"(0) : "rbx", "rdx")
TRAP(fire_irq_popf, "pushfq; orq $0x200, (%%rsp); popfq", ::)
TRAP(fire_nmi, "movl %%eax, (%%rbx)", : "a"(NMI_TO_SELF), "b"(APIC_WINDOW + APIC_ICR) : "memory")

enum { NEED_IRQ = 1, NEED_HVMM = 2, NEED_NMI = 4, HAS_CR2 = 8 };

static const struct event {
	const char *name;
	void (*fire)(void);
	u8 vector;
	u32 error;
	u32 flags;
} events[] = {
	{ "#UD", fire_ud, UD_VECTOR, 0, 0 },
	{ "#DE", fire_de, DE_VECTOR, 0, 0 },
	{ "#GP(0x1000)", fire_gp_sel, GP_VECTOR, 0x1000, 0 },
	{ "#PF on a read", fire_pf, PF_VECTOR, 0, HAS_CR2 },
	{ "#PF on a write", fire_pf_write, PF_VECTOR, PF_P | PF_W, HAS_CR2 },
	{ "#GP of RDMSR", fire_rdmsr, GP_VECTOR, 0, NEED_HVMM },
	{ "#UD of VMRUN", fire_vmrun, UD_VECTOR, 0, 0 },
	{ "INT3", fire_int3, BP_VECTOR, 0, 0 },
	{ "INT n", fire_int, 0x30, 0, 0 },
	{ "ICEBP", fire_icebp, DB_VECTOR, 0, 0 },
	{ "interrupt after STI", fire_irq, 0x40, 0, NEED_IRQ },
	{ "interrupt after CPUID", fire_irq_cpuid, 0x40, 0, NEED_IRQ },
	{ "interrupt after POPF", fire_irq_popf, 0x40, 0, NEED_IRQ },
	{ "NMI", fire_nmi, NMI_VECTOR, 0, NEED_NMI },
};

#define STACK_IST 4

static u8 *gdt_page, *tss_page, *stack_page;
static struct idt_gate *idt_page;

static void fire(const struct event *e)
{
	memset((void *)hits, 0, sizeof(hits));
	if (e->fire == fire_pf)
		want_cr2 = (u64)absent;
	else if (e->fire == fire_pf_write)
		want_cr2 = (u64)read_only;
	e->fire();
	cli();
	if (e->flags & NEED_NMI)
		wait_for(hits[NMI_VECTOR], 100000);
}

static void check(const struct event *e, const char *where)
{
	u64 want = want_rip, want_error = e->error;
	u32 i, others = 0;
	bool good;

	for (i = 0; i < 256; i++)
		others += i != e->vector && hits[i];
	good = hits[e->vector] == 1 && !others && seen.error == want_error;
	if (e->flags & HAS_CR2)
		good &= seen.cr2 == want_cr2;
	if (e->fire == fire_de)
		good &= seen.rip <= resume_rip && resume_rip - seen.rip == 2;
	else if (!(e->flags & NEED_NMI && plain_tcg()))
		good &= seen.rip == want;
	good &= seen.rsp > (u64)stack_page && seen.rsp < (u64)stack_page + PAGE_SIZE;
	if (!ok(good, "%s, %s", e->name, where))
		diag("%u times, %u others, error 0x%llx, rip %llx want %llx, cr2 %llx, rsp %llx",
		     hits[e->vector], others, seen.error, seen.rip, want, seen.cr2, seen.rsp);
}

/* Descriptor tables, task state and stack each on a page that nothing else touches. */
static void own_pages(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) p;
	u64 *desc, base;

	idt_page = alloc_pages(1);
	gdt_page = alloc_pages(1);
	tss_page = alloc_pages(1);
	stack_page = alloc_pages(1);
	tss[0].ist[STACK_IST - 1] = (u64)stack_page + PAGE_SIZE - 64;
	memcpy(tss_page, &tss[0], sizeof(tss[0]));
	memcpy(gdt_page, gdt, SEL_TSS + 16);
	desc = (u64 *)(gdt_page + SEL_TSS);
	base = (u64)tss_page;
	desc[0] = (sizeof(tss[0]) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
		  (base >> 24 & 0xff) << 56;
	desc[1] = base >> 32;
	p.limit = SEL_TSS + 15;
	p.base = (u64)gdt_page;
	__asm__ __volatile__("lgdt %0" :: "m"(p));
	__asm__ __volatile__("ltr %w0" :: "r"(SEL_TSS));
	memcpy(idt_page, idt, sizeof(idt));
	p.limit = sizeof(idt) - 1;
	p.base = (u64)idt_page;
	__asm__ __volatile__("lidt %0" :: "m"(p));
}

static void test_delivery(void)
{
	static const char *const names[] = {
		"all pages there", "IDT page gone", "stack page gone", "handler page gone",
		"GDT page gone", "TSS page gone", "all five gone",
	};
	u32 i, k, n;
	const struct event *e;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		e = &events[i];
		if (e->flags & NEED_HVMM && plain_tcg()) {
			skip("TCG reads 0", "%s", e->name);
			continue;
		}
		trap_handler(e->vector, on_event);
		idt_page[e->vector].ist = STACK_IST;
		for (k = 0; k < ARRAY_SIZE(names); k++) {
			u64 pages[] = {
				0, (u64)idt_page, (u64)stack_page,
				(u64)trap_entry[e->vector] & PAGE_MASK, (u64)gdt_page,
				(u64)tss_page,
			};

			if (e->flags & NEED_IRQ)
				apic_icr(0, ICR_SELF | ICR_ASSERT | e->vector);
			for (n = 1; n < ARRAY_SIZE(pages); n++)
				if (k == n || k == ARRAY_SIZE(pages))
					testdev_unmap(pages[n]);
			fire(e);
			check(e, names[k]);
		}
		idt_page[e->vector].ist = idt[e->vector].ist;
		trap_handler(e->vector, NULL);
	}
	ok_eq(apic_read(APIC_ISR + 0x20), 0, "no interrupt is left in service");
	__asm__ __volatile__("mov %0, %%es" :: "r"(SEL_KDATA));
}

static volatile u32 nmi_depth, nmi_nested, nmi_count;

static void on_nmi(struct regs *r)
{
	u32 n = nmi_count++;

	if (nmi_depth++)
		nmi_nested++;
	if (!n) {
		apic_icr(apic_id(), ICR_NMI | ICR_ASSERT);
		apic_icr(apic_id(), ICR_NMI | ICR_ASSERT);
		cpuid(0, 0);
		spin_us(1000);
	}
	nmi_depth--;
}

static void test_nmi(bool gone)
{
	nmi_count = 0;
	nmi_nested = 0;
	trap_handler(NMI_VECTOR, on_nmi);
	idt_page[NMI_VECTOR].ist = STACK_IST;
	if (gone) {
		testdev_unmap((u64)idt_page);
		testdev_unmap((u64)stack_page);
	}
	apic_icr(apic_id(), ICR_NMI | ICR_ASSERT);
	wait_for(nmi_count == 2, 100000);
	spin_us(1000);
	ok_eq(nmi_nested, 0, "NMI: no NMI before IRET%s", gone ? ", pages gone" : "");
	ok_eq(nmi_count, 2, "NMI: two more in the handler are one afterwards%s",
	      gone ? ", pages gone" : "");
	trap_handler(NMI_VECTOR, NULL);
	idt_page[NMI_VECTOR].ist = idt[NMI_VECTOR].ist;
}

static u64 irq_rip;

static void pend(void)
{
	hits[0x40] = 0;
	seen.rip = 0;
	apic_icr(0, ICR_SELF | ICR_ASSERT | 0x40);
}

#define SHADOW(name, code, times, ...) do {					\
	pend();									\
	__asm__ __volatile__("lea 772f(%%rip), %0\n" code			\
			     : "=&r"(irq_rip) __VA_ARGS__);			\
	if (!ok(hits[0x40] == (times) && (!(times) || seen.rip == irq_rip),	\
		name))								\
		diag("%u times, rip 0x%llx want 0x%llx", hits[0x40], seen.rip, irq_rip); \
	sti_nop_cli();								\
} while (0)

static void test_shadow(void)
{
	resume_rip = 0;
	trap_handler(0x40, on_event);
	SHADOW("STI; CLI: the shadow keeps the interrupt out", "sti; cli; 772:", 0, ::);
	SHADOW("STI; NOP: comes behind NOP", "sti; nop; 772: cli", 1, ::);
	SHADOW("STI; CPUID: comes behind CPUID", "sti; cpuid; 772: cli", 1,
	       : "a"(0), "c"(0) : "rbx", "rdx");
	SHADOW("STI; OUT: comes behind OUT", "sti; outb %%al, $0x80; 772: cli", 1, : "a"(0));
	SHADOW("STI; RDMSR: comes behind RDMSR", "sti; rdmsr; 772: cli", 1,
	       : "c"(MSR_EFER) : "rax", "rdx");
	SHADOW("STI; MMIO: comes behind it", "sti; mov (%%rbx), %%eax; 772: cli", 1,
	       : "b"(APIC_WINDOW + APIC_ID) : "rax", "memory");
	SHADOW("STI; HLT: comes behind HLT", "sti; hlt; 772: cli", 1, ::);
	SHADOW("STI; STI; NOP: the shadow is not renewed", "sti; sti; 772: nop; cli", 1, ::);
	SHADOW("POPF: comes at once", "pushfq; orq $0x200, (%%rsp); popfq; 772: cli", 1, ::);
	write_cr8(15);
	SHADOW("MOV CR8: comes at once", "sti; nop; mov %%rax, %%cr8; 772: cli", 1, : "a"(0ull));
	write_cr8(0);
	trap_handler(0x40, NULL);
}

__asm__(".pushsection .text\n"
	".code32\n"
	"into_code: mov $0x7fffffff, %eax\n"
	"add $1, %eax\n"
	"into\n"
	"mov $0x600d, %eax\n"
	"ret\n"
	".code64\n"
	".popsection");
extern u8 into_code[];

static bool double_fault;
static u64 df_error;

static void on_df(struct regs *r)
{
	double_fault = true;
	df_error = r->error;
	hits[DF_VECTOR]++;
	r->rip = resume_rip;
	r->cs = SEL_KCODE;
	r->ss = SEL_KDATA;
	r->rsp = want_cr2;	/* the caller's stack */
}

static void test_nested(void)
{
	u8 old;

	trap_handler(OF_VECTOR, on_event);
	hits[OF_VECTOR] = 0;
	resume_rip = 0;
	ok_eq(compat_call(into_code, 0), 0x600d, "INTO in 32-bit code comes back");
	ok(hits[OF_VECTOR] == 1 && seen.rip == (u64)into_code + 9, "INTO: one #OF behind it");
	testdev_unmap((u64)idt_page);
	compat_call(into_code, 0);
	ok(hits[OF_VECTOR] == 2 && seen.rip == (u64)into_code + 9, "INTO, IDT page gone");
	trap_handler(OF_VECTOR, NULL);

	old = idt_page[0x33].type;
	idt_page[0x33].type &= ~0x80;
	ok_eq(TRY("int $0x33", ::), NP_VECTOR, "INT n by a gate not present raises 11");
	ok_eq(trap_last()->error, 0x33 * 8 + 2, "... error code names the gate");
	testdev_unmap((u64)idt_page);
	ok_eq(TRY("int $0x33", ::), NP_VECTOR, "the same with the IDT page gone");
	ok_eq(trap_last()->error, 0x33 * 8 + 2, "... error code names the gate");
	idt_page[0x33].type = old;

	idt_page[0x40].type &= ~0x80;
	trap_clear();
	apic_icr(0, ICR_SELF | ICR_ASSERT | 0x40);
	__asm__ __volatile__(SAFE("sti; nop; nop") "cli" ::: "memory");
	ok_eq(trap_vector(), NP_VECTOR, "an interrupt by a gate not present raises 11");
	if (on_tcg())
		skip("TCG does not set EXT", "... error code has EXT");
	else
		ok_eq(trap_last()->error, 0x40 * 8 + 3, "... error code has EXT");
	apic_eoi();
	idt_page[0x40].type |= 0x80;

	trap_handler(DF_VECTOR, on_df);
	hits[DF_VECTOR] = 0;
	old = idt_page[PF_VECTOR].type;
	idt_page[PF_VECTOR].type &= ~0x80;
	__asm__ __volatile__("lea 1f(%%rip), %%rax; mov %%rax, %0; mov %%rsp, %1\n"
			     "mov (%2), %%eax; 1:"
			     : "=m"(resume_rip), "=m"(want_cr2) : "r"(absent) : "rax", "memory");
	idt_page[PF_VECTOR].type = old;
	ok_eq(hits[DF_VECTOR], 1, "#NP inside #PF raises 8");
	ok_eq(df_error, 0, "... error code 0");

	hits[DF_VECTOR] = 0;
	__asm__ __volatile__("lea 1f(%%rip), %%rax; mov %%rax, %0; mov %%rsp, %1\n"
			     "lea 2048(%2), %%rsp; ud2; 1:"
			     : "=m"(resume_rip), "=m"(want_cr2) : "r"(absent) : "rax", "memory");
	ok_eq(hits[DF_VECTOR], 1, "#PF inside #PF (no stack) raises 8");
	testdev_unmap((u64)idt_page);
	testdev_unmap((u64)tss_page);
	__asm__ __volatile__("lea 1f(%%rip), %%rax; mov %%rax, %0; mov %%rsp, %1\n"
			     "lea 2048(%2), %%rsp; ud2; 1:"
			     : "=m"(resume_rip), "=m"(want_cr2) : "r"(absent) : "rax", "memory");
	ok_eq(hits[DF_VECTOR], 2, "the same with the IDT and TSS pages gone");
	trap_handler(DF_VECTOR, NULL);
	resume_rip = 0;
}

static u64 user_spin(u64 arg)
{
	__asm__ __volatile__("int $0x30" ::: "memory");
	return arg + 1;
}

static void test_user(void)
{
	trap_handler(0x30, on_event);
	idt_page[0x30].type |= 0x60;
	hits[0x30] = 0;
	memcpy(tss_page, &tss[0], sizeof(tss[0]));
	((struct tss64 *)tss_page)->rsp[0] = (u64)stack_page + PAGE_SIZE - 128;
	testdev_unmap((u64)stack_page);
	testdev_unmap((u64)tss_page);
	ok_eq(user_call(user_spin, 41), 42, "ring 3: INT n with the stack and TSS pages gone");
	ok_eq(hits[0x30], 1, "... once");
	trap_handler(0x30, NULL);
}

void guest_main(void)
{
	u8 *page = alloc_pages(1);

	if (!have_testdev())
		guest_skip_all("no test device");
	apic_setup();
	absent = alloc_va(1);
	map_page(absent, (u64)page, 0);
	read_only = alloc_va(1);
	map_page(read_only, (u64)page, PTE_P);
	own_pages();
	test_delivery();
	test_nmi(false);
	test_nmi(true);
	test_shadow();
	test_nested();
	test_user();
}
