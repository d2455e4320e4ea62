// SPDX-License-Identifier: GPL-2.0
/*
 * CPUs that do nothing but one kind of exit: whatever a hypervisor does to make it short,
 * interrupts come in time, from the timer and from another CPU, and so they do right behind
 * an interrupt shadow. And a CPU that halts until its timer: not before its time. rounds=N (20)
 * of each.
 */
#include "lib/guest.h"
#include "lib/apic.h"
#include "lib/smp.h"
#include "lib/trap.h"

#define TIMER_VECTOR	0x43
#define IPI_VECTOR	0x44
#define MSR_UCODE_REV	0x8b
#define NO_HYPERCALL	0x7fff
#define POST_PORT	0x80
#define TIMER_US	300
#define LATE_US		2000000

enum kind { CPUID, RDMSR, NO_CALL, OUT, NR_KINDS };

static const char * const names[NR_KINDS] = { "CPUID", "RDMSR", "hypercall", "OUT" };
static volatile u32 taken;
static volatile bool asked, over;
static volatile u64 woken;
static u32 rounds, target;

static void do_exit(enum kind kind)
{
	u64 nr = NO_HYPERCALL;

	switch (kind) {
	case CPUID:
		cpuid(0, 0);
		break;
	case RDMSR:
		rdmsr(MSR_UCODE_REV);
		break;
	case NO_CALL:
		__asm__ __volatile__(HYPERCALL : "+a"(nr) :: "memory");
		break;
	default:
		outb(POST_PORT, 0);
	}
}

static void on_interrupt(struct regs *r)
{
	taken++;
	apic_eoi();
}

/* Return: whether an interrupt has come meanwhile. */
static bool until_taken(enum kind kind, u32 before)
{
	u64 end = rdtsc() + LATE_US * tsc_khz() / 1000;

	sti();
	while (taken == before && rdtsc() < end)
		do_exit(kind);
	cli();
	return taken != before;
}

static void timer(enum kind kind)
{
	u32 i, bad = 0;

	for (i = 0; i < rounds && !bad; i++) {
		u32 before = taken;

		apic_write(APIC_LVTT, LVTT_DEADLINE | TIMER_VECTOR);
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + TIMER_US * tsc_khz() / 1000);
		bad += !until_taken(kind, before);
		bad += taken != before + 1;
	}
	ok_eq(bad, 0, "%s over and over: the timer's interrupt comes", names[kind]);
}

static void on_deadline(struct regs *r)
{
	woken = rdtsc();
	taken++;
	apic_eoi();
}

/* However early a hypervisor prepares for it: one interrupt, and not before its time. */
static void halted(void)
{
	u32 i, before = taken, early = 0, us;
	u64 deadline;

	trap_handler(TIMER_VECTOR, on_deadline);
	apic_write(APIC_LVTT, LVTT_DEADLINE | TIMER_VECTOR);
	for (i = 0; i < 4 * rounds && taken == before + i; i++) {
		/* Long and short, down to less than the way takes. */
		us = i % 4 ? 5u << 2 * (i % 4) : 2;
		deadline = rdtsc() + us * tsc_khz() / 1000;
		wrmsr(MSR_TSC_DEADLINE, deadline);
		while (taken == before + i) {
			sti_hlt();
			cli();
		}
		early += woken < deadline;
	}
	ok_eq(taken - before, 4 * rounds, "HLT until the timer: one interrupt each");
	ok_eq(early, 0, "HLT until the timer: none comes before its time");
	trap_handler(TIMER_VECTOR, on_interrupt);
}

/* Asked for before STI, it comes behind the instruction in its shadow: the exiting one. */
static void shadow(enum kind kind)
{
	u32 i, bad = 0, before = taken;

	for (i = 0; i < rounds; i++) {
		u64 ax = kind == NO_CALL ? NO_HYPERCALL : 0, cx = MSR_UCODE_REV;

		apic_icr(apic_id(), IPI_VECTOR);
		switch (kind) {
		case CPUID:
			__asm__ __volatile__("sti; cpuid; nop; cli" : "+a"(ax), "+c"(cx)
					     :: "rbx", "rdx", "memory");
			break;
		case RDMSR:
			__asm__ __volatile__("sti; rdmsr; nop; cli" : "+a"(ax), "+c"(cx)
					     :: "rdx", "memory");
			break;
		case NO_CALL:
			__asm__ __volatile__("sti\n" HYPERCALL "nop; cli" : "+a"(ax)
					     :: "memory");
			break;
		default:
			__asm__ __volatile__("sti; out %%al, $0x80; nop; cli" :: "a"(ax)
					     : "memory");
		}
		bad += taken != before + i + 1;
	}
	ok_eq(bad, 0, "%s behind STI: an interrupt that waits comes right after it", names[kind]);
}

static void sender(void *arg)
{
	while (!over) {
		if (asked) {
			asked = false;
			apic_icr(target, IPI_VECTOR);
		}
		pause();
	}
}

static void ipi(enum kind kind)
{
	u32 i, bad = 0;

	over = false;
	smp_call(1, sender, NULL);
	for (i = 0; i < rounds && !bad; i++) {
		u32 before = taken;

		asked = true;
		bad += !until_taken(kind, before);
	}
	over = true;
	smp_wait(1);
	ok_eq(bad, 0, "%s over and over: another CPU's interrupt comes", names[kind]);
}

void guest_main(void)
{
	enum kind kind;
	u32 cpus;

	rounds = arg_u64("rounds", 20);
	apic_setup();
	tsc_khz();
	trap_handler(TIMER_VECTOR, on_interrupt);
	trap_handler(IPI_VECTOR, on_interrupt);
	target = apic_id();
	cpus = smp_start();
	halted();
	for (kind = 0; kind < NR_KINDS; kind++) {
		timer(kind);
		shadow(kind);
		if (cpus > 1)
			ipi(kind);
	}
}
