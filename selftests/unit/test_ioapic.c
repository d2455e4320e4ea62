// SPDX-License-Identifier: GPL-2.0
/* IOAPIC, with real local APICs behind it. */
#include <errno.h>

#include "check.h"
#include "dev/ioapic.h"
#include "lapic_fake.h"
#include "rng.h"

unsigned int check_failed;

#define CPUS	4

static struct hvmm_ioapic io;
static struct fake cpu[CPUS];
static struct hvmm_lapic *lapics[CPUS];
static struct hvmm_irq_router router = { .lapics = lapics, .nr = CPUS };
static struct hvmm_msg last;
static unsigned int messages, defers;

static int deliver(struct hvmm_ioapic *dev, const struct hvmm_msg *msg)
{
	CHECK(dev->lock.held);
	messages++;
	last = *msg;
	return hvmm_irq_deliver(&router, NULL, msg);
}

static void deferred(struct hvmm_ioapic *dev)
{
	CHECK(!dev->lock.held);
	defers++;
}

static const struct hvmm_ioapic_ops ops = {
	.deliver = deliver,
	.defer = deferred,
};

static void broadcast_eoi(struct hvmm_lapic *l, u8 vector)
{
	hvmm_ioapic_eoi(&io, vector);
}

static struct hvmm_lapic_ops lapic_ops;

static void up(void)
{
	unsigned int i;

	lapic_ops = fake_ops;
	lapic_ops.eoi = broadcast_eoi;
	for (i = 0; i < CPUS; i++) {
		fake_up(&cpu[i], i, false);
		cpu[i].l.ops = &lapic_ops;
		fake_write(&cpu[i], HVMM_APIC_LDR, 1U << (24 + i));
		lapics[i] = &cpu[i].l;
	}
	hvmm_ioapic_init(&io, &ops);
	messages = 0;
	defers = 0;
}

static u32 reg_read(u8 reg)
{
	hvmm_ioapic_write(&io, HVMM_IOAPIC_SELECT, reg);
	return hvmm_ioapic_read(&io, HVMM_IOAPIC_WINDOW);
}

static void reg_write(u8 reg, u32 val)
{
	hvmm_ioapic_write(&io, HVMM_IOAPIC_SELECT, reg);
	hvmm_ioapic_write(&io, HVMM_IOAPIC_WINDOW, val);
}

static u64 rte_read(unsigned int pin)
{
	return reg_read(0x10 + pin * 2) | (u64)reg_read(0x11 + pin * 2) << 32;
}

static void rte_write(unsigned int pin, u64 rte)
{
	reg_write(0x11 + pin * 2, rte >> 32);
	reg_write(0x10 + pin * 2, rte);
}

static int line(unsigned int pin, bool level)
{
	return hvmm_ioapic_set_irq(&io, pin, HVMM_IRQ_SOURCE_VM, level);
}

#define LEVEL	HVMM_IOAPIC_RTE_LEVEL
#define MASKED	HVMM_IOAPIC_RTE_MASKED
#define RIRR	HVMM_IOAPIC_RTE_RIRR
#define DEST(n)	((u64)(n) << 56)

static void registers(void)
{
	unsigned int pin, reg, bit;

	up();
	CHECK_EQ(reg_read(HVMM_IOAPIC_REG_ID), 0);
	CHECK_EQ(reg_read(HVMM_IOAPIC_REG_VERSION), 0x00170020);
	CHECK_EQ(reg_read(HVMM_IOAPIC_REG_ARB), 0);
	reg_write(HVMM_IOAPIC_REG_ID, ~0U);
	CHECK_EQ(reg_read(HVMM_IOAPIC_REG_ID), 0x0f000000);
	CHECK_EQ(reg_read(HVMM_IOAPIC_REG_ARB), 0x0f000000);
	reg_write(HVMM_IOAPIC_REG_VERSION, 0);
	reg_write(HVMM_IOAPIC_REG_ARB, 0);
	CHECK_EQ(reg_read(HVMM_IOAPIC_REG_VERSION), 0x00170020);
	CHECK_EQ(reg_read(HVMM_IOAPIC_REG_ARB), 0x0f000000);

	hvmm_ioapic_write(&io, HVMM_IOAPIC_SELECT, 0xffffff01);
	CHECK_EQ(hvmm_ioapic_read(&io, HVMM_IOAPIC_SELECT), 0x01);
	/* Nothing between and beyond the registers. */
	hvmm_ioapic_write(&io, 0x04, 0x10);
	CHECK_EQ(hvmm_ioapic_read(&io, HVMM_IOAPIC_SELECT), 0x01);
	CHECK_EQ(hvmm_ioapic_read(&io, 0x04), 0);
	CHECK_EQ(hvmm_ioapic_read(&io, HVMM_IOAPIC_EOI), 0);
	for (reg = 0x03; reg < 0x100; reg++) {
		if (reg >= 0x10 && reg < 0x40)
			continue;
		reg_write(reg, ~0U);
		CHECK_EQ(reg_read(reg), 0);
	}

	for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++) {
		CHECK_EQ(rte_read(pin), MASKED);
		for (bit = 0; bit < 64; bit++) {
			bool keeps = bit < 12 || bit == 13 || bit == 15 || bit == 16 || bit >= 49;

			reg_write(0x10 + pin * 2 + bit / 32, 1U << (bit % 32));
			CHECK_EQ(reg_read(0x10 + pin * 2 + bit / 32),
				 keeps ? 1U << (bit % 32) : 0);
			reg_write(0x10 + pin * 2 + bit / 32, 0);
		}
		rte_write(pin, MASKED | pin);
	}
	for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++)
		CHECK_EQ(rte_read(pin), MASKED | pin);
	CHECK_EQ(messages, 0);

	CHECK_EQ(hvmm_ioapic_set_irq(&io, 24, 0, true), (unsigned long long)-EINVAL);
	CHECK_EQ(hvmm_ioapic_set_irq(&io, 0, HVMM_IRQ_SOURCES, true),
		 (unsigned long long)-EINVAL);
}

static void edge(void)
{
	unsigned int pin;

	up();
	for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++) {
		rte_write(pin, DEST(pin % CPUS) | (0x40 + pin));
		CHECK_EQ(line(pin, true), 1);
		CHECK_EQ(fake_take(&cpu[pin % CPUS]), 0x40 + pin);
		CHECK(!last.level_trig);
		/* High again is no edge; low is none either. */
		CHECK_EQ(line(pin, true), 0);
		CHECK_EQ(line(pin, false), 0);
		CHECK_EQ(fake_take(&cpu[pin % CPUS]), -1);
		CHECK_EQ(line(pin, true), 1);
		CHECK_EQ(fake_take(&cpu[pin % CPUS]), 0x40 + pin);
		line(pin, false);
		CHECK_EQ(rte_read(pin) & RIRR, 0);
	}

	/* Masked edges are lost. */
	rte_write(3, MASKED | 0x43);
	CHECK_EQ(line(3, true), 0);
	rte_write(3, 0x43);
	CHECK_EQ(fake_take(&cpu[0]), -1);
	line(3, false);
	CHECK_EQ(line(3, true), 1);
	CHECK_EQ(fake_take(&cpu[0]), 0x43);

	/* Two edges before the CPU looks are one interrupt; both were taken. */
	line(3, false);
	CHECK_EQ(line(3, true), 1);
	line(3, false);
	CHECK_EQ(line(3, true), 1);
	CHECK_EQ(fake_take(&cpu[0]), 0x43);
	CHECK_EQ(fake_take(&cpu[0]), -1);
}

static void level(void)
{
	up();
	rte_write(14, LEVEL | 0x98);
	CHECK_EQ(line(14, true), 1);
	CHECK(last.level_trig);
	CHECK_EQ(rte_read(14) & RIRR, RIRR);
	CHECK_EQ(line(14, true), 0);
	/* Lowered in the handler: one interrupt. */
	CHECK_EQ(hvmm_lapic_pending(&cpu[0].l), 0x98);
	hvmm_lapic_ack(&cpu[0].l, 0x98);
	line(14, false);
	fake_write(&cpu[0], HVMM_APIC_EOI, 0);
	CHECK_EQ(rte_read(14) & RIRR, 0);
	CHECK_EQ(fake_take(&cpu[0]), -1);

	/* Still high at EOI: again. */
	CHECK_EQ(line(14, true), 1);
	CHECK_EQ(fake_take(&cpu[0]), 0x98);
	CHECK_EQ(fake_take(&cpu[0]), 0x98);
	CHECK_EQ(messages, 4);
	line(14, false);
	CHECK_EQ(fake_take(&cpu[0]), 0x98);
	CHECK_EQ(fake_take(&cpu[0]), -1);

	/* Lowered and raised in the handler: again. */
	line(14, true);
	hvmm_lapic_ack(&cpu[0].l, hvmm_lapic_pending(&cpu[0].l));
	line(14, false);
	CHECK_EQ(line(14, true), 0);
	fake_write(&cpu[0], HVMM_APIC_EOI, 0);
	line(14, false);
	CHECK_EQ(fake_take(&cpu[0]), 0x98);
	CHECK_EQ(fake_take(&cpu[0]), -1);

	/* Read-only bits: a guest cannot set or clear remote IRR by writing it. */
	rte_write(14, LEVEL | RIRR | HVMM_IOAPIC_RTE_STATUS | 0x98);
	CHECK_EQ(rte_read(14), LEVEL | 0x98);
	line(14, true);
	rte_write(14, LEVEL | 0x98);
	CHECK_EQ(rte_read(14), LEVEL | RIRR | 0x98);
	/* But by way of an edge it can. */
	rte_write(14, MASKED | 0x98);
	CHECK_EQ(rte_read(14), MASKED | 0x98);
}

static void level_mask(void)
{
	up();
	rte_write(14, LEVEL | MASKED | 0x98);
	CHECK_EQ(line(14, true), 0);
	CHECK_EQ(messages, 0);
	/* Unmasking while high interrupts; while low it does not. */
	rte_write(14, LEVEL | 0x98);
	CHECK_EQ(messages, 1);
	rte_write(14, LEVEL | MASKED | 0x98);
	/* In service and masked: the EOI does not bring it back before the unmasking. */
	CHECK_EQ(fake_take(&cpu[0]), 0x98);
	CHECK_EQ(messages, 1);
	CHECK_EQ(rte_read(14) & RIRR, 0);
	rte_write(14, LEVEL | 0x98);
	CHECK_EQ(messages, 2);
	line(14, false);
	fake_take(&cpu[0]);
	rte_write(14, LEVEL | MASKED | 0x98);
	line(14, true);
	line(14, false);
	rte_write(14, LEVEL | 0x98);
	CHECK_EQ(messages, 2);
}

static void sources(void)
{
	unsigned int s;

	up();
	rte_write(9, LEVEL | 0x70);
	rte_write(10, 0x71);
	for (s = 0; s < HVMM_IRQ_SOURCES; s++) {
		CHECK_EQ(hvmm_ioapic_set_irq(&io, 9, s, true), !s);
		CHECK_EQ(hvmm_ioapic_set_irq(&io, 10, s, true), !s);
	}
	/* The line is high until the last source lets go. */
	for (s = 0; s < HVMM_IRQ_SOURCES; s++) {
		CHECK_EQ(fake_take(&cpu[0]), s ? 0x70 : 0x71);
		hvmm_ioapic_set_irq(&io, 9, s, false);
		hvmm_ioapic_set_irq(&io, 10, s, false);
	}
	CHECK_EQ(fake_take(&cpu[0]), 0x70);
	CHECK_EQ(fake_take(&cpu[0]), -1);
	CHECK_EQ(io.sources[9] | io.sources[10], 0);
}

static void shared_vector(void)
{
	up();
	rte_write(5, LEVEL | 0x60);
	rte_write(6, LEVEL | 0x60);
	rte_write(7, LEVEL | 0x61);
	line(5, true);
	line(6, true);
	line(7, true);
	CHECK_EQ(fake_take(&cpu[0]), 0x61);
	CHECK_EQ(rte_read(5) & rte_read(6) & RIRR, RIRR);
	line(7, false);
	CHECK_EQ(fake_take(&cpu[0]), 0x61);
	line(5, false);
	line(6, false);
	CHECK_EQ(fake_take(&cpu[0]), 0x60);
	CHECK_EQ(fake_take(&cpu[0]), -1);
	CHECK_EQ((rte_read(5) | rte_read(6) | rte_read(7)) & RIRR, 0);
}

static void eoi_register(void)
{
	up();
	cpu[0].l.cfg.directed_eoi = true;
	fake_write(&cpu[0], HVMM_APIC_SVR, 0x11ff);
	rte_write(5, LEVEL | 0x60);
	line(5, true);
	CHECK_EQ(fake_take(&cpu[0]), 0x60);
	CHECK_EQ(rte_read(5) & RIRR, RIRR);
	line(5, false);
	hvmm_ioapic_write(&io, HVMM_IOAPIC_EOI, 0x61);
	CHECK_EQ(rte_read(5) & RIRR, RIRR);
	hvmm_ioapic_write(&io, HVMM_IOAPIC_EOI, 0x60);
	CHECK_EQ(rte_read(5) & RIRR, 0);
	/* An EOI for nothing does nothing. */
	hvmm_ioapic_write(&io, HVMM_IOAPIC_EOI, 0x60);
	CHECK_EQ(messages, 1);
}

static void delivery(void)
{
	unsigned int mode, lvl;

	for (lvl = 0; lvl < 2; lvl++) {
		for (mode = 0; mode < 8; mode++) {
			bool vectored = mode <= HVMM_DELIVER_LOWEST;
			bool dead = mode == HVMM_DELIVER_REMOTE_READ ||
				    mode == HVMM_DELIVER_EXTINT;

			up();
			rte_write(2, (lvl ? LEVEL : 0) | DEST(1) | mode << 8 | 0x55);
			CHECK_EQ(line(2, true), !dead);
			CHECK_EQ(last.delivery, mode);
			CHECK_EQ(cpu[1].events, !dead && !vectored);
			/* All but vectors are edges, whatever the trigger mode says. */
			CHECK_EQ(last.level_trig, lvl && vectored);
			CHECK_EQ(!!(rte_read(2) & RIRR), lvl && vectored);
			CHECK_EQ(fake_take(&cpu[1]), vectored ? 0x55 : -1);
		}
	}
}

static void destinations(void)
{
	unsigned int i;

	up();
	for (i = 0; i < CPUS; i++) {
		rte_write(1, DEST(i) | 0x50);
		line(1, true);
		line(1, false);
		CHECK_EQ(fake_take(&cpu[i]), 0x50);
	}
	/* Logical: a set of them. */
	rte_write(1, DEST(0x5) | HVMM_IOAPIC_RTE_LOGICAL | 0x50);
	CHECK_EQ(line(1, true), 2);
	line(1, false);
	for (i = 0; i < CPUS; i++)
		CHECK_EQ(fake_take(&cpu[i]), i & 1 ? -1 : 0x50);
	/* Lowest priority: one of them. */
	rte_write(1, DEST(0xf) | HVMM_IOAPIC_RTE_LOGICAL | HVMM_DELIVER_LOWEST << 8 | 0x50);
	CHECK_EQ(line(1, true), 1);
	line(1, false);
	/* Extended destination in bits 55:49. */
	rte_write(1, DEST(0x07) | 3ULL << 49 | 0x50);
	line(1, true);
	line(1, false);
	CHECK_EQ(last.dest, 0x307);
	CHECK(!last.wide);

	/* Nobody there: no remote IRR, and another try when the entry is written. */
	rte_write(1, DEST(9) | LEVEL | 0x50);
	CHECK_EQ(line(1, true), 0);
	CHECK_EQ(rte_read(1) & RIRR, 0);
	rte_write(1, DEST(2) | LEVEL | 0x50);
	CHECK_EQ(rte_read(1) & RIRR, RIRR);
	line(1, false);
	CHECK_EQ(fake_take(&cpu[2]), 0x50);
	/* A level moves to another CPU while in service. */
	line(1, true);
	hvmm_lapic_ack(&cpu[2].l, 0x50);
	rte_write(1, DEST(3) | LEVEL | 0x50);
	CHECK_EQ(hvmm_lapic_pending(&cpu[3].l), -1);
	fake_write(&cpu[2], HVMM_APIC_EOI, 0);
	line(1, false);
	CHECK_EQ(fake_take(&cpu[3]), 0x50);
}

static void storm(void)
{
	unsigned int i;

	up();
	rte_write(4, LEVEL | 0x90);
	line(4, true);
	for (i = 0; i < HVMM_IOAPIC_STORM_COUNT - 1; i++)
		CHECK_EQ(fake_take(&cpu[0]), 0x90);
	CHECK_EQ(defers, 0);
	CHECK_EQ(fake_take(&cpu[0]), 0x90);
	CHECK_EQ(defers, 1);
	/* Held back, whatever the guest and the line do, until the pause is over. */
	CHECK_EQ(fake_take(&cpu[0]), -1);
	rte_write(4, LEVEL | 0x90);
	CHECK_EQ(fake_take(&cpu[0]), -1);
	line(4, false);
	line(4, true);
	CHECK_EQ(fake_take(&cpu[0]), -1);
	hvmm_ioapic_resume(&io);
	CHECK_EQ(fake_take(&cpu[0]), 0x90);
	CHECK_EQ(fake_take(&cpu[0]), 0x90);
	/* Not held any more: resuming again is harmless. */
	line(4, false);
	fake_take(&cpu[0]);
	hvmm_ioapic_resume(&io);
	CHECK_EQ(fake_take(&cpu[0]), -1);

	/* A line that drops now and then is no storm. */
	line(4, true);
	for (i = 0; i < 3 * HVMM_IOAPIC_STORM_COUNT; i++) {
		if (!(i % 5000)) {
			line(4, false);
			line(4, true);
		}
		CHECK_EQ(fake_take(&cpu[0]), 0x90);
	}
	CHECK_EQ(defers, 1);
}

static void reset(void)
{
	up();
	rte_write(4, LEVEL | 0x90);
	reg_write(HVMM_IOAPIC_REG_ID, 0x05000000);
	line(4, true);
	hvmm_ioapic_reset(&io);
	CHECK_EQ(rte_read(4), MASKED);
	CHECK_EQ(reg_read(HVMM_IOAPIC_REG_ID), 0);
	/* The line is still held by its source. */
	CHECK_EQ(io.sources[4], 1);
	rte_write(4, LEVEL | 0x91);
	CHECK_EQ(rte_read(4) & RIRR, RIRR);
}

/* Random life with a model of one thing: a level is never forgotten. */
static void fuzz(void)
{
	unsigned int round, step, pin, i;

	for (round = 0; round < 200; round++) {
		up();
		for (step = 0; step < 1000; step++) {
			pin = rng_below(HVMM_IOAPIC_PINS);
			switch (rng_below(8)) {
			case 0:
				rte_write(pin, DEST(rng_below(CPUS)) | (rng_below(2) ? LEVEL : 0) |
					  (rng_below(4) ? 0 : MASKED) | (0x20 + pin * 8));
				break;
			case 1:
				/* Nonsense, soon to be written over. */
				hvmm_ioapic_write(&io, rng_below(0x50), rng());
				break;
			case 2 ... 5:
				hvmm_ioapic_set_irq(&io, pin, rng_below(3), rng_below(2));
				break;
			default:
				fake_take(&cpu[rng_below(CPUS)]);
				break;
			}
			CHECK(!io.lock.held);
		}
		/* Sane entries; then every line that is high interrupts exactly once. */
		for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++)
			rte_write(pin, MASKED);
		for (i = 0; i < CPUS; i++)
			while (fake_take(&cpu[i]) >= 0)
				;
		for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++) {
			rte_write(pin, LEVEL | DEST(pin % CPUS) | (0x20 + pin * 8));
			CHECK_EQ(hvmm_lapic_pending(&cpu[pin % CPUS].l),
				 io.sources[pin] ? (int)(0x20 + pin * 8) : -1);
			for (i = 0; i < HVMM_IRQ_SOURCES; i++)
				hvmm_ioapic_set_irq(&io, pin, i, false);
			fake_take(&cpu[pin % CPUS]);
			CHECK_EQ(rte_read(pin) & RIRR, 0);
			CHECK_EQ(fake_take(&cpu[pin % CPUS]), -1);
		}
		if (check_failed) {
			tap_diag("round %u", round);
			return;
		}
	}
}

static const struct check_case cases[] = {
	{ "registers", registers },
	{ "edges", edge },
	{ "levels", level },
	{ "levels and masks", level_mask },
	{ "sources of a line", sources },
	{ "pins that share a vector", shared_vector },
	{ "EOI register", eoi_register },
	{ "delivery modes", delivery },
	{ "destinations", destinations },
	{ "storm guard", storm },
	{ "reset", reset },
	{ "random operations", fuzz },
};

int main(void)
{
	return check_main(cases, ARRAY_SIZE(cases));
}
