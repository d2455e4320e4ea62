/* SPDX-License-Identifier: GPL-2.0 */
/* Local APIC tests that hold in both modes; lapic_xapic.c and lapic_x2apic.c run them. */
#ifndef GUEST_LAPIC_TESTS_H
#define GUEST_LAPIC_TESTS_H

#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"

static volatile u32 hits[256];
static volatile u8 order[16];
static volatile u32 orders;
static u64 ticks_per_ms;

static void count(struct regs *r)
{
	hits[r->vector]++;
	if (orders < ARRAY_SIZE(order))
		order[orders++] = r->vector;
	if (r->vector >= 0x20 && r->vector != 0xff)
		apic_eoi();
}

static void reset_counts(void)
{
	memset((void *)hits, 0, sizeof(hits));
	orders = 0;
}

/* Lets pending interrupts in. */
static void open_window(void)
{
	int i;

	sti();
	for (i = 0; i < 10; i++)
		(void)apic_read(APIC_ID);
	cli();
}

static bool comes(u8 vector, u32 times, u64 us)
{
	bool r;

	sti();
	r = wait_for(hits[vector] >= times, us);
	cli();
	return r;
}

/* Long enough for whatever should not come. */
static void stays_away(u8 vector, u32 times, const char *what)
{
	sti();
	spin_us(3000);
	cli();
	ok_eq(hits[vector], times, "%s", what);
}

static void timer_off(void)
{
	apic_write(APIC_LVTT, LVT_MASKED);
	apic_write(APIC_TMICT, 0);
	open_window();
	reset_counts();
}

static u64 timer_rate(u32 tdcr)
{
	u64 t, window = tsc_khz() * 2, best = ~0ull;
	u32 c;
	int i;

	apic_write(APIC_LVTT, LVT_MASKED | 0x40);
	apic_write(APIC_TDCR, tdcr);
	/* The least of some tries is the one that nothing came between. */
	for (i = 0; i < 20; i++) {
		apic_write(APIC_TMICT, 0xffffffff);
		t = rdtsc();
		while (rdtsc() - t < window)
			;
		c = apic_read(APIC_TMCCT);
		if (0xffffffffu - c < best)
			best = 0xffffffffu - c;
	}
	apic_write(APIC_TMICT, 0);
	return best / 2;
}

static void test_timer(void)
{
	static const struct {
		u8 code, shift;
	} div[] = {
		{ 0xb, 0 }, { 0, 1 }, { 1, 2 }, { 2, 3 }, { 3, 4 }, { 8, 5 }, { 9, 6 }, { 10, 7 },
	};
	u64 t, rate, want;
	u32 i, a, b;

	trap_handler(0x40, count);
	ticks_per_ms = timer_rate(0xb);
	ok(ticks_per_ms > 1000, "timer: runs, %llu ticks a ms", ticks_per_ms);
	for (i = 1; i < ARRAY_SIZE(div); i++) {
		rate = timer_rate(div[i].code);
		want = ticks_per_ms >> div[i].shift;
		ok(rate >= want - want / 4 - 2 && rate <= want + want / 4 + 2,
		   "timer: divided by %d (%llu, want %llu)", 1 << div[i].shift, rate, want);
	}
	apic_write(APIC_TDCR, 0xb);
	ok_eq(apic_read(APIC_TDCR), 0xb, "timer: divide register reads back");

	timer_off();
	apic_write(APIC_LVTT, 0x40);
	t = rdtsc();
	apic_write(APIC_TMICT, ticks_per_ms);
	ok(comes(0x40, 1, 2000000), "one-shot: comes");
	t = rdtsc() - t;
	ok(t >= tsc_khz() - tsc_khz() / 16, "one-shot: not too early (%llu of %llu)", t, tsc_khz());
	ok_eq(apic_read(APIC_TMCCT), 0, "one-shot: count is 0 afterwards");
	stays_away(0x40, 1, "one-shot: comes once");

	timer_off();
	apic_write(APIC_LVTT, 0x40 | LVT_MASKED);
	apic_write(APIC_TMICT, ticks_per_ms / 4);
	stays_away(0x40, 0, "masked one-shot: no interrupt");
	ok_eq(apic_read(APIC_TMCCT), 0, "masked one-shot: count runs down");

	timer_off();
	apic_write(APIC_LVTT, 0x40);
	apic_write(APIC_TMICT, ticks_per_ms * 100);
	a = apic_read(APIC_TMCCT);
	b = apic_read(APIC_TMCCT);
	ok(a && b && b <= a && a <= ticks_per_ms * 100, "count goes down (%u, %u)", a, b);
	apic_write(APIC_TMICT, 0);
	ok_eq(apic_read(APIC_TMCCT), 0, "initial count 0 stops the timer");
	stays_away(0x40, 0, "a stopped timer stays away");

	timer_off();
	apic_write(APIC_LVTT, 0x40 | LVTT_PERIODIC);
	t = rdtsc();
	apic_write(APIC_TMICT, ticks_per_ms / 2);
	ok(comes(0x40, 20, 5000000), "periodic: 20 interrupts");
	t = rdtsc() - t;
	ok(t >= 9 * tsc_khz(), "periodic: not too fast (%llu us for 10000)", t * 1000 / tsc_khz());
	apic_write(APIC_LVTT, 0x40 | LVTT_PERIODIC | LVT_MASKED);
	open_window();
	a = hits[0x40];
	stays_away(0x40, a, "periodic: masked, no more");
	apic_write(APIC_LVTT, 0x40 | LVTT_PERIODIC);
	ok(comes(0x40, a + 3, 5000000), "periodic: unmasked, comes again");
	timer_off();
	apic_write(APIC_LVTT, 0x40 | LVTT_PERIODIC);
	apic_write(APIC_TMICT, ticks_per_ms / 4);
	spin_us(5000);
	ok(apic_bit(APIC_IRR, 0x40), "periodic with IF clear: IRR holds one");
	timer_off();

	apic_write(APIC_LVTT, 0x40);
	for (i = 1; i <= 50; i++) {
		apic_write(APIC_TMICT, ticks_per_ms / 20);
		sti_hlt();
		cli();
		if (hits[0x40] != i)
			break;
	}
	ok_eq(i, 51, "one-shot wakes HLT 50 times");
	timer_off();
	trap_handler(0x40, NULL);
}

static void test_deadline(void)
{
	u64 t, end;
	u32 i;

	if (!(cpuid(1, 0).c & BIT(24))) {
		if (on_hvmm())
			ok(false, "TSC deadline timer is offered");
		else
			skip("not offered", "TSC deadline");
		return;
	}
	trap_handler(0x40, count);
	timer_off();
	apic_write(APIC_LVTT, 0x40 | LVTT_DEADLINE);
	ok_eq(apic_read(APIC_LVTT), 0x40 | LVTT_DEADLINE, "deadline: mode reads back");
	end = rdtsc() + tsc_khz();
	wrmsr(MSR_TSC_DEADLINE, end);
	ok_eq(rdmsr(MSR_TSC_DEADLINE), end, "deadline: reads back while armed");
	ok(comes(0x40, 1, 2000000), "deadline: comes");
	t = rdtsc();
	ok(t >= end, "deadline: not before its time");
	ok_eq(rdmsr(MSR_TSC_DEADLINE), 0, "deadline: reads 0 afterwards");
	stays_away(0x40, 1, "deadline: comes once");
	reset_counts();
	wrmsr(MSR_TSC_DEADLINE, 1);
	ok(comes(0x40, 1, 2000000), "deadline: one in the past comes at once");
	reset_counts();
	/* So far ahead that a slow machine has disarmed it before. */
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 50 * tsc_khz());
	wrmsr(MSR_TSC_DEADLINE, 0);
	spin_us(60000);
	stays_away(0x40, 0, "deadline: 0 disarms");
	apic_write(APIC_TMICT, 1000);
	stays_away(0x40, 0, "deadline: the initial count does nothing");
	ok_eq(apic_read(APIC_TMCCT), 0, "deadline: the count reads 0");
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 50 * tsc_khz());
	apic_write(APIC_LVTT, 0x40);
	spin_us(60000);
	stays_away(0x40, 0, "deadline: leaving the mode disarms");
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 1000);
	stays_away(0x40, 0, "deadline: ignored in one-shot mode");
	apic_write(APIC_LVTT, 0x40 | LVTT_DEADLINE | LVT_MASKED);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 1000);
	stays_away(0x40, 0, "deadline: masked, stays away");
	apic_write(APIC_LVTT, 0x40 | LVTT_DEADLINE);
	reset_counts();
	for (i = 1; i <= 50; i++) {
		wrmsr(MSR_TSC_DEADLINE, rdtsc() + tsc_khz() / 20);
		sti_hlt();
		cli();
		if (hits[0x40] != i)
			break;
	}
	ok_eq(i, 51, "deadline wakes HLT 50 times");
	wrmsr(MSR_TSC_DEADLINE, 0);
	timer_off();
	trap_handler(0x40, NULL);
}

static void test_ipi(u32 logical)
{
	u32 id = apic_id();

	trap_handler(0x50, count);
	reset_counts();
	apic_icr(0, ICR_SELF | ICR_ASSERT | 0x50);
	ok(apic_bit(APIC_IRR, 0x50), "self IPI waits in IRR while IF is clear");
	open_window();
	ok_eq(hits[0x50], 1, "self IPI by shorthand");
	apic_icr(id, ICR_ASSERT | 0x50);
	open_window();
	ok_eq(hits[0x50], 2, "self IPI by physical destination");
	apic_icr(logical, ICR_LOGICAL | ICR_ASSERT | 0x50);
	open_window();
	ok_eq(hits[0x50], 3, "self IPI by logical destination");
	apic_icr(0, ICR_ALL | ICR_ASSERT | 0x50);
	open_window();
	ok_eq(hits[0x50], 4, "IPI to all, self included");
	apic_icr(0, ICR_OTHERS | ICR_ASSERT | 0x50);
	open_window();
	ok_eq(hits[0x50], 4, "IPI to others is not for self");
	apic_icr(id ^ 0x55, ICR_ASSERT | 0x50);
	open_window();
	ok_eq(hits[0x50], 4, "IPI to an id that is not there");
	apic_icr(id, ICR_ASSERT | 0x50);
	apic_icr(id, ICR_ASSERT | 0x50);
	open_window();
	ok_eq(hits[0x50], 5, "two pending of one vector are one");
	apic_icr(id, ICR_ASSERT | 0x50);
	sti_hlt();
	cli();
	ok_eq(hits[0x50], 6, "an IPI that is pending ends HLT");
	trap_handler(0x50, NULL);
}

static void test_priority(void)
{
	u32 id = apic_id();

	trap_handler(0x41, count);
	trap_handler(0x51, count);
	trap_handler(0x61, count);
	reset_counts();
	apic_write(APIC_TPR, 0x50);
	ok_eq(apic_read(APIC_PPR), 0x50, "PPR follows TPR");
	apic_icr(id, ICR_ASSERT | 0x41);
	apic_icr(id, ICR_ASSERT | 0x51);
	open_window();
	ok_eq(orders, 0, "TPR holds back its own class and lower ones");
	ok(apic_bit(APIC_IRR, 0x41) && apic_bit(APIC_IRR, 0x51), "IRR keeps them");
	apic_icr(id, ICR_ASSERT | 0x61);
	open_window();
	ok(orders == 1 && order[0] == 0x61, "a higher class goes through");
	sti();
	apic_write(APIC_TPR, 0x4f);
	cli();
	ok(orders == 2 && order[1] == 0x51, "lower TPR lets the next class through at once");
	sti();
	apic_write(APIC_TPR, 0);
	cli();
	ok(orders == 3 && order[2] == 0x41, "TPR 0 lets the last through");

	reset_counts();
	write_cr8(6);
	apic_icr(id, ICR_ASSERT | 0x61);
	open_window();
	ok_eq(orders, 0, "CR8 holds back");
	sti();
	write_cr8(5);
	__asm__ __volatile__("nop; nop");
	cli();
	ok_eq(orders, 1, "lower CR8 delivers at once");
	write_cr8(0);

	reset_counts();
	apic_icr(id, ICR_ASSERT | 0x41);
	apic_icr(id, ICR_ASSERT | 0x61);
	apic_icr(id, ICR_ASSERT | 0x51);
	open_window();
	ok(orders == 3 && order[0] == 0x61 && order[1] == 0x51 && order[2] == 0x41,
	   "pending interrupts come by priority");
	trap_handler(0x41, NULL);
	trap_handler(0x51, NULL);
	trap_handler(0x61, NULL);
}

static volatile bool isr_in, irr_in, isr_after, nested_high, nested_low;
static volatile u32 ppr_in;

static void on_outer(struct regs *r)
{
	u32 id = apic_id(), high, low;

	hits[r->vector]++;
	isr_in = apic_bit(APIC_ISR, 0x51);
	irr_in = apic_bit(APIC_IRR, 0x51);
	ppr_in = apic_read(APIC_PPR);
	apic_icr(id, ICR_ASSERT | 0x41);
	apic_icr(id, ICR_ASSERT | 0x52);
	apic_icr(id, ICR_ASSERT | 0x61);
	high = hits[0x61];
	low = hits[0x41] + hits[0x52];
	open_window();
	nested_high = hits[0x61] == high + 1;
	nested_low = hits[0x41] + hits[0x52] != low;
	apic_eoi();
	isr_after = apic_bit(APIC_ISR, 0x51);
}

static void test_nesting(void)
{
	trap_handler(0x41, count);
	trap_handler(0x51, on_outer);
	trap_handler(0x52, count);
	trap_handler(0x61, count);
	reset_counts();
	apic_icr(apic_id(), ICR_ASSERT | 0x51);
	open_window();
	ok_eq(hits[0x51], 1, "the outer handler ran once");
	ok(isr_in && !irr_in, "in service: ISR set, IRR clear");
	ok_eq(ppr_in, 0x50, "in service: PPR is the vector's class");
	ok(nested_high, "a higher class nests");
	ok(!nested_low, "the same and lower classes wait for EOI");
	ok(!isr_after, "EOI clears ISR");
	ok(hits[0x52] == 1 && hits[0x41] == 1, "they come after EOI");
	apic_eoi();
	ok_eq(apic_read(APIC_PPR), 0, "an EOI too many does nothing");
	trap_handler(0x41, NULL);
	trap_handler(0x51, NULL);
	trap_handler(0x52, NULL);
	trap_handler(0x61, NULL);
}

static void test_nmi(void)
{
	trap_handler(NMI_VECTOR, count);
	reset_counts();
	apic_icr(apic_id(), ICR_NMI | ICR_ASSERT);
	ok(wait_for(hits[NMI_VECTOR], 100000), "NMI to self with IF clear");
	spin_us(1000);
	ok_eq(hits[NMI_VECTOR], 1, "NMI comes once");
	trap_handler(NMI_VECTOR, NULL);
}

static void test_esr(void)
{
	if (plain_tcg()) {
		skip("QEMU's own LAPIC does not report it", "ESR: send illegal vector");
		return;
	}
	apic_write(APIC_ESR, 0);
	apic_write(APIC_ESR, 0);
	ok_eq(apic_read(APIC_ESR), 0, "ESR is clear");
	trap_handler(0x60, count);
	reset_counts();
	apic_write(APIC_LVTERR, 0x60);
	apic_icr(apic_id(), ICR_ASSERT | 5);
	apic_write(APIC_ESR, 0);
	ok(apic_read(APIC_ESR) & 0x20, "ESR: send illegal vector");
	open_window();
	ok_eq(hits[0x60], 1, "LVT error interrupt");
	apic_write(APIC_ESR, 0);
	ok_eq(apic_read(APIC_ESR), 0, "ESR clears by a write");
	apic_write(APIC_LVTERR, LVT_MASKED);
	trap_handler(0x60, NULL);
}

static void test_registers(void)
{
	u32 v = apic_read(APIC_VER);

	ok((v & 0xff) >= 0x10 && (v & 0xff) <= 0x1f && (v >> 16 & 0xff) >= 3,
	   "version 0x%x", v);
	ok_eq(apic_read(APIC_SPIV) & 0x1ff, 0x1ff, "SPIV reads back");
	apic_write(APIC_LVT0, 0x10045);
	ok_eq(apic_read(APIC_LVT0), 0x10045, "LVT0 reads back");
	apic_write(APIC_LVT0, LVT_MASKED);
	apic_write(APIC_LVTERR, 0x46);
	ok_eq(apic_read(APIC_LVTERR), 0x46, "LVT error reads back");
	apic_write(APIC_TPR, 0xa5);
	ok_eq(apic_read(APIC_TPR), 0xa5, "TPR reads back");
	apic_write(APIC_TPR, 0);
	/* Software disable sets every LVT mask, which stays while disabled (SDM 3, 11.4.7.2). */
	apic_write(APIC_SPIV, 0xff);
	if (plain_tcg()) {
		skip("QEMU's own LAPIC does not", "software disable masks the LVT");
	} else {
		ok(apic_read(APIC_LVTERR) & LVT_MASKED, "software disable masks the LVT");
		apic_write(APIC_LVTERR, 0x46);
		ok(apic_read(APIC_LVTERR) & LVT_MASKED, "... and keeps it masked");
	}
	apic_write(APIC_SPIV, 0x1ff);
	apic_write(APIC_LVTERR, LVT_MASKED);
}

static void test_common(u32 logical)
{
	trap_handler(0xff, count);
	test_registers();
	test_ipi(logical);
	test_priority();
	test_nesting();
	test_nmi();
	test_esr();
	test_timer();
	test_deadline();
	ok_eq(hits[0xff], 0, "no spurious interrupt");
}

#endif
