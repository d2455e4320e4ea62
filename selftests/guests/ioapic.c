// SPDX-License-Identifier: GPL-2.0
/* IOAPIC: registers, edge and level, remote IRR, mask; lines driven by the test device. */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"
#include "lib/smp.h"

#define LEVEL BIT(15)
#define REMOTE_IRR BIT(14)
#define MASKED BIT(16)
#define LOGICAL BIT(11)
#define NMI (4ull << 8)

#define LINE_A 14
#define LINE_B 15
#define VEC_A 0x76
#define VEC_B 0x87

static volatile u32 hits[256];
static volatile u8 order[8];
static volatile u32 orders, keep_up, remote_in, tmr_in, on_cpu;

static void count(struct regs *r)
{
	hits[r->vector]++;
	if (orders < ARRAY_SIZE(order))
		order[orders++] = r->vector;
	on_cpu = this_cpu();
	if (r->vector >= 0x20)
		apic_eoi();
}

/* A level handler: the device lets go on the last time. */
static void on_level(struct regs *r)
{
	u32 line = r->vector == VEC_A ? LINE_A : LINE_B;

	hits[r->vector]++;
	if (orders < ARRAY_SIZE(order))
		order[orders++] = r->vector;
	on_cpu = this_cpu();
	remote_in = !!(ioapic_entry(line) & REMOTE_IRR);
	tmr_in = apic_bit(APIC_TMR, r->vector);
	if (!keep_up)
		testdev_line(line, 0);
	else
		keep_up--;
	apic_eoi();
}

static void clear(void)
{
	memset((void *)hits, 0, sizeof(hits));
	orders = 0;
	keep_up = 0;
}

static void open_window(void)
{
	int i;

	sti();
	for (i = 0; i < 10; i++)
		(void)apic_read(APIC_ID);
	cli();
}

static void pulse(u32 line)
{
	testdev_line(line, 1);
	testdev_line(line, 0);
}

static void test_registers(void)
{
	u32 ver = ioapic_read(1), i, bad = 0;
	u64 e;

	ok((ver & 0xff) >= 0x11 && (ver & 0xff) <= 0x20, "version 0x%x", ver & 0xff);
	ok_eq(ver >> 16 & 0xff, 23, "24 entries");
	ioapic_write(1, 0);
	ok_eq(ioapic_read(1), ver, "version is read-only");
	ioapic_write(0, 0x05000000);
	ok_eq(ioapic_read(0) & 0x0f000000, 0x05000000, "id reads back");
	ioapic_write(0, 0);
	for (i = 0; i < 24; i++)
		bad += !(ioapic_entry(i) & MASKED);
	ok_eq(bad, 0, "all entries are masked at first");
	ioapic_set(LINE_A, MASKED | LEVEL | LOGICAL | 0x76 | 0x0a00000000000000);
	e = ioapic_entry(LINE_A);
	ok_eq(e, MASKED | LEVEL | LOGICAL | 0x76 | 0x0a00000000000000, "an entry reads back");
	ioapic_write(0x10 + 2 * LINE_A, MASKED | REMOTE_IRR | BIT(12) | 0x76);
	ok_eq(ioapic_read(0x10 + 2 * LINE_A), MASKED | 0x76,
	      "remote IRR and delivery status are read-only");
	ioapic_read(0x40);
	ioapic_write(0x40, ~0u);
	ioapic_write(0xff, ~0u);
	ioapic_read(0xff);
	ok_eq(ioapic_read(1), ver, "registers that are not there do no harm");
	*(volatile u32 *)IOAPIC_WINDOW = 1;
	ok_eq(*(volatile u32 *)IOAPIC_WINDOW, 1, "the index register reads back");
}

static void test_edge(void)
{
	u64 self = (u64)apic_id() << 56, mask;

	trap_handler(VEC_A, count);
	trap_handler(VEC_B, count);
	clear();
	ioapic_set(LINE_A, VEC_A | self);
	testdev_line(LINE_A, 1);
	open_window();
	ok_eq(hits[VEC_A], 1, "edge: rising, one interrupt");
	if (plain_tcg()) {
		skip("QEMU's own takes it for an edge", "edge: still high, no more");
	} else {
		testdev_line(LINE_A, 1);
		open_window();
		ok_eq(hits[VEC_A], 1, "edge: still high, no more");
	}
	testdev_line(LINE_A, 0);
	open_window();
	ok_eq(hits[VEC_A], 1, "edge: falling, none");
	pulse(LINE_A);
	open_window();
	ok_eq(hits[VEC_A], 2, "edge: a pulse that is over still counts");
	pulse(LINE_A);
	pulse(LINE_A);
	ok(apic_bit(APIC_IRR, VEC_A) && !apic_bit(APIC_TMR, VEC_A), "edge: IRR set, TMR clear");
	ok(!(ioapic_entry(LINE_A) & REMOTE_IRR), "edge: no remote IRR");
	open_window();
	ok_eq(hits[VEC_A], 3, "edge: two pulses with IF clear are one");

	clear();
	ioapic_set(LINE_A, VEC_A | MASKED | self);
	pulse(LINE_A);
	open_window();
	ok_eq(hits[VEC_A], 0, "edge, masked: no interrupt");
	ioapic_set(LINE_A, VEC_A | self);
	clear();
	pulse(LINE_A);
	open_window();
	ok_eq(hits[VEC_A], 1, "edge, unmasked again: interrupt");

	clear();
	ioapic_set(LINE_B, VEC_B | self);
	pulse(LINE_A);
	pulse(LINE_B);
	open_window();
	ok(orders == 2 && order[0] == VEC_B && order[1] == VEC_A, "edge: two lines, by priority");
	clear();
	ioapic_set(LINE_B, VEC_A | self);
	pulse(LINE_B);
	open_window();
	pulse(LINE_A);
	open_window();
	ok_eq(hits[VEC_A], 2, "edge: two lines may share a vector");
	clear();
	ioapic_set(LINE_B, MASKED);
	ioapic_set(LINE_A, VEC_A | (u64)0xee << 56);
	pulse(LINE_A);
	open_window();
	ok_eq(hits[VEC_A], 0, "edge: to a CPU that is not there");
	/* In x2APIC mode the id of the first CPU decides. */
	if (!apic_is_x2()) {
		apic_write(APIC_DFR, 0xffffffff);
		apic_write(APIC_LDR, 0x04000000);
	}
	mask = apic_is_x2() ? 1 : 4;
	ioapic_set(LINE_A, VEC_A | LOGICAL | mask << 56);
	pulse(LINE_A);
	open_window();
	ok_eq(hits[VEC_A], 1, "edge: logical destination");
	ioapic_set(LINE_A, VEC_A | LOGICAL | (u64)0x02 << 56);
	pulse(LINE_A);
	open_window();
	ok_eq(hits[VEC_A], 1, "edge: another logical destination");
	trap_handler(NMI_VECTOR, count);
	ioapic_set(LINE_A, VEC_A | NMI | self);
	pulse(LINE_A);
	open_window();
	ok_eq(hits[NMI_VECTOR], 1, "edge: NMI delivery mode");
	trap_handler(NMI_VECTOR, NULL);
	ioapic_set(LINE_A, MASKED);
}

static void test_level(void)
{
	u64 self = (u64)apic_id() << 56;

	trap_handler(VEC_A, on_level);
	trap_handler(VEC_B, on_level);
	clear();
	ioapic_set(LINE_A, VEC_A | LEVEL | self);
	testdev_line(LINE_A, 1);
	ok(ioapic_entry(LINE_A) & REMOTE_IRR, "level: remote IRR set once accepted");
	open_window();
	ok_eq(hits[VEC_A], 1, "level: one interrupt");
	ok(remote_in, "level: remote IRR in the handler");
	ok(tmr_in, "level: TMR set");
	ok(!(ioapic_entry(LINE_A) & REMOTE_IRR), "level: remote IRR clear after EOI");

	clear();
	keep_up = 3;
	testdev_line(LINE_A, 1);
	open_window();
	ok_eq(hits[VEC_A], 4, "level: comes again after EOI while the line is up");

	clear();
	ioapic_set(LINE_A, VEC_A | LEVEL | MASKED | self);
	testdev_line(LINE_A, 1);
	open_window();
	ok_eq(hits[VEC_A], 0, "level, masked: no interrupt");
	ioapic_write(0x10 + 2 * LINE_A, VEC_A | LEVEL);
	open_window();
	ok_eq(hits[VEC_A], 1, "level: unmasked with the line up, comes");

	clear();
	testdev_line(LINE_A, 1);
	testdev_line(LINE_A, 0);
	open_window();
	ok_eq(hits[VEC_A], 1, "level: accepted, then let go, still comes once");

	clear();
	ioapic_set(LINE_B, VEC_B | LEVEL | self);
	testdev_line(LINE_A, 1);
	testdev_line(LINE_B, 1);
	open_window();
	ok(orders == 2 && order[0] == VEC_B && order[1] == VEC_A, "level: two lines, by priority");

	/* Masked in service: EOI clears remote IRR, the line stays quiet until unmasked. */
	clear();
	keep_up = 100;
	sti();
	apic_write(APIC_TPR, 0xf0);
	testdev_line(LINE_A, 1);
	ioapic_write(0x10 + 2 * LINE_A, VEC_A | LEVEL | MASKED);
	apic_write(APIC_TPR, 0);
	cli();
	open_window();
	ok_eq(hits[VEC_A], 1, "level: masked while pending, comes once");
	keep_up = 0;
	ioapic_write(0x10 + 2 * LINE_A, VEC_A | LEVEL);
	open_window();
	ok_eq(hits[VEC_A], 2, "level: unmasked, comes again");
	ok(!(ioapic_entry(LINE_A) & REMOTE_IRR), "level: all quiet at the end");
	ioapic_set(LINE_A, MASKED);
	ioapic_set(LINE_B, MASKED);
}

static volatile u32 stop, listening, served;

/* The window's index register is shared: this one, which runs on CPU 1, keeps off it. */
static void on_level_apart(struct regs *r)
{
	testdev_line(LINE_A, 0);
	on_cpu = this_cpu();
	apic_eoi();
	served++;
}

static void listen(void *arg)
{
	sti();
	listening = 1;
	while (!stop)
		pause();
	cli();
}

static void test_smp(void)
{
	u64 other;
	u32 i;

	if (nr_cpus() < 2) {
		skip("one CPU", "interrupts for CPU 1");
		return;
	}
	if (!ok(smp_start() >= 2, "CPU 1 is up"))
		return;
	other = (u64)smp_apic_id(1) << 56;
	smp_call(1, listen, NULL);
	wait_for(listening, 5000000);
	trap_handler(VEC_A, count);
	clear();
	ioapic_set(LINE_A, VEC_A | other);
	for (i = 1; i <= 100; i++) {
		pulse(LINE_A);
		if (!wait_for(hits[VEC_A] == i && on_cpu == 1, 2000000))
			break;
	}
	ok_eq(i, 101, "edge: 100 interrupts for CPU 1");
	trap_handler(VEC_A, on_level_apart);
	clear();
	ioapic_set(LINE_A, VEC_A | LEVEL | other);
	for (i = 1; i <= 100; i++) {
		testdev_line(LINE_A, 1);
		if (!wait_for(served == i && on_cpu == 1, 2000000) ||
		    ioapic_entry(LINE_A) & REMOTE_IRR)
			break;
	}
	ok_eq(i, 101, "level: 100 interrupts for CPU 1");
	stop = 1;
	smp_wait(1);
	ioapic_set(LINE_A, MASKED);
}

void guest_main(void)
{
	apic_setup();
	test_registers();
	if (!have_testdev()) {
		skip("no test device", "edge and level interrupts");
		return;
	}
	test_edge();
	test_level();
	test_smp();
	/* In x2APIC mode the processor may end interrupts by itself: not those of levels. */
	if (apic_go_x2()) {
		apic_setup();
		test_edge();
		test_level();
	}
}
