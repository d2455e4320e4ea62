// SPDX-License-Identifier: GPL-2.0
/* Routing: who gets a message. */
#include <errno.h>

#include "check.h"
#include "lapic_fake.h"
#include "rng.h"

unsigned int check_failed;

#define CPUS	20
#define VECTOR	0x51

static struct fake cpu[CPUS];
static struct hvmm_lapic *lapics[CPUS];
static struct hvmm_irq_router router = { .lapics = lapics, .nr = CPUS };

static void up(bool x2apic)
{
	unsigned int i;

	for (i = 0; i < CPUS; i++) {
		fake_up(&cpu[i], i, x2apic);
		lapics[i] = &cpu[i].l;
	}
	router.nr = CPUS;
}

/* Sends, and tells as a bit mask who got it. */
static u32 targets(unsigned int src, struct hvmm_msg msg)
{
	unsigned int i;
	u32 got = 0;
	int taken;

	msg.vector = VECTOR;
	msg.assert = true;
	for (i = 0; i < CPUS; i++)
		cpu[i].events = 0;
	taken = hvmm_irq_deliver(&router, &cpu[src].l, &msg);
	for (i = 0; i < CPUS; i++) {
		if (test_bit(VECTOR, cpu[i].l.irr) || cpu[i].events)
			got |= BIT(i);
		fake_take(&cpu[i]);
	}
	CHECK_EQ(taken, __builtin_popcount(got));
	return got;
}

#define ALL	((1U << CPUS) - 1)
#define TO(...)	targets(0, (struct hvmm_msg){ __VA_ARGS__ })

static void physical(void)
{
	unsigned int i, x;
	u32 dest;

	for (x = 0; x < 2; x++) {
		up(x);
		for (dest = 0; dest < 0x200; dest++) {
			u32 want = dest < CPUS ? BIT(dest) : 0;

			CHECK_EQ(TO(.dest = dest, .wide = x), want |
				 (dest == 0xff && !x ? ALL : 0));
		}
		/* Devices have 8 bits, whatever the mode of their targets. */
		CHECK_EQ(TO(.dest = 5), BIT(5));
		CHECK_EQ(TO(.dest = 0xff), ALL);
	}
	CHECK_EQ(TO(.dest = 0xffffffff, .wide = true), ALL);
	CHECK_EQ(TO(.dest = 0xff, .wide = true), 0);
	CHECK_EQ(TO(.dest = 0x10005, .wide = true), 0);

	/* IDs that are not where they would be found fast. */
	up(false);
	for (i = 0; i < CPUS; i++)
		fake_write(&cpu[i], HVMM_APIC_ID, (0x40 + i) << 24);
	CHECK_EQ(TO(.dest = 0x43), BIT(3));
	CHECK_EQ(TO(.dest = 3), 0);
	/* Large x2APIC IDs, reached by the extended destination too. */
	for (i = 0; i < CPUS; i++) {
		fake_init(&cpu[i], 0x300 + i);
		hvmm_lapic_set_base(&cpu[i].l, cpu[i].l.base | HVMM_APIC_BASE_EXTD);
		hvmm_lapic_msr_write(&cpu[i].l, HVMM_X2APIC_MSR(HVMM_APIC_SVR), 0x1ff);
	}
	CHECK_EQ(TO(.dest = 0x307, .wide = true), BIT(7));
	CHECK_EQ(TO(.dest = 0x307), BIT(7));
	CHECK_EQ(TO(.dest = 0x07), 0);
}

static void logical_flat(void)
{
	unsigned int i;
	u32 dest;

	up(false);
	for (i = 0; i < CPUS; i++)
		fake_write(&cpu[i], HVMM_APIC_LDR, i < 8 ? 1U << (24 + i) : 0);
	for (dest = 0; dest < 0x100; dest++)
		CHECK_EQ(TO(.dest = dest, .logical = true), dest == 0xff ? ALL : dest);
	CHECK_EQ(TO(.dest = 0x101, .logical = true), 0);
	/* A destination format that does not exist matches nothing. */
	fake_write(&cpu[2], HVMM_APIC_DFR, 0x50000000);
	CHECK_EQ(TO(.dest = 0x07, .logical = true), 0x03);
}

static void logical_cluster(void)
{
	unsigned int i;
	u32 dest, want;

	up(false);
	for (i = 0; i < CPUS; i++) {
		fake_write(&cpu[i], HVMM_APIC_DFR, 0);
		fake_write(&cpu[i], HVMM_APIC_LDR, (i / 4) << 28 | 1U << (24 + i % 4));
	}
	for (dest = 0; dest < 0xff; dest++) {
		want = dest >> 4 < CPUS / 4 ? (dest & 0xf) << (dest >> 4) * 4 : 0;
		CHECK_EQ(TO(.dest = dest, .logical = true), want);
	}
	CHECK_EQ(TO(.dest = 0xff, .logical = true), ALL);
}

static void logical_x2apic(void)
{
	u32 mask;

	up(true);
	for (mask = 0; mask < 0x10000; mask += 0x101) {
		CHECK_EQ(TO(.dest = mask, .logical = true, .wide = true), mask & 0xffff);
		CHECK_EQ(TO(.dest = 1 << 16 | mask, .logical = true, .wide = true),
			 mask << 16 & ALL);
		CHECK_EQ(TO(.dest = 2 << 16 | mask, .logical = true, .wide = true), 0);
	}
	CHECK_EQ(TO(.dest = ~0U, .logical = true, .wide = true), ALL);
	/* 8 bits reach the first eight of cluster 0, and are no broadcast. */
	CHECK_EQ(TO(.dest = 0x81, .logical = true), 0x81);
	CHECK_EQ(TO(.dest = 0xff, .logical = true), 0xff);
}

static void shorthands(void)
{
	struct hvmm_msg msg;
	unsigned int x;

	for (x = 0; x < 2; x++) {
		up(x);
		msg = (struct hvmm_msg){ .shorthand = HVMM_SHORTHAND_SELF, .dest = 7 };
		CHECK_EQ(targets(3, msg), BIT(3));
		CHECK_EQ(targets(3, (struct hvmm_msg){ .shorthand = HVMM_SHORTHAND_ALL }), ALL);
		CHECK_EQ(targets(3, (struct hvmm_msg){ .shorthand = HVMM_SHORTHAND_OTHERS }),
			 ALL & ~BIT(3));
		CHECK_EQ(TO(.shorthand = HVMM_SHORTHAND_OTHERS, .delivery = HVMM_DELIVER_INIT),
			 ALL & ~BIT(0));
	}
	/* A device has no self. */
	msg.vector = VECTOR;
	msg.assert = true;
	CHECK_EQ(hvmm_irq_deliver(&router, NULL, &msg), 0);
}

static void lowest(void)
{
	unsigned int i, n, hits[CPUS] = { 0 };
	struct hvmm_msg all = { .delivery = HVMM_DELIVER_LOWEST, .dest = 0xff,
				.vector = VECTOR, .assert = true };

	/* Equals take turns. */
	up(false);
	for (n = 0; n < CPUS * 10; n++) {
		CHECK_EQ(hvmm_irq_deliver(&router, NULL, &all), 1);
		for (i = 0; i < CPUS; i++)
			hits[i] += fake_take(&cpu[i]) == VECTOR;
	}
	for (i = 0; i < CPUS; i++)
		CHECK_EQ(hits[i], 10);

	/* The one with the lowest class gets all; within a class the sub-class is moot. */
	for (i = 0; i < CPUS; i++)
		fake_write(&cpu[i], HVMM_APIC_TPR, i == 11 ? 0x2f : 0x30 + i);
	for (n = 0; n < 50; n++) {
		CHECK_EQ(hvmm_irq_deliver(&router, NULL, &all), 1);
		CHECK_EQ(fake_take(&cpu[11]), VECTOR);
	}
	fake_write(&cpu[12], HVMM_APIC_TPR, 0x20);
	for (n = 0, hits[11] = 0; n < CPUS * 10; n++) {
		CHECK_EQ(hvmm_irq_deliver(&router, NULL, &all), 1);
		if (fake_take(&cpu[11]) == VECTOR)
			hits[11]++;
		else
			CHECK_EQ(fake_take(&cpu[12]), VECTOR);
	}
	CHECK(hits[11] && hits[11] < CPUS * 10);
	fake_write(&cpu[12], HVMM_APIC_TPR, 0x30);
	/* Unless it is off. */
	fake_write(&cpu[11], HVMM_APIC_SVR, 0xff);
	CHECK_EQ(hvmm_irq_deliver(&router, NULL, &all), 1);
	CHECK_EQ(hvmm_lapic_highest_irr(&cpu[11].l), -1);
	/* Only among the addressed. */
	up(false);
	for (i = 0; i < CPUS; i++)
		fake_write(&cpu[i], HVMM_APIC_LDR, i < 8 ? 1U << (24 + i) : 0);
	for (n = 0; n < 50; n++) {
		u32 got = TO(.dest = 0x24, .logical = true, .delivery = HVMM_DELIVER_LOWEST);

		CHECK(got == 0x04 || got == 0x20);
	}
	CHECK_EQ(TO(.dest = 0x00, .logical = true, .delivery = HVMM_DELIVER_LOWEST), 0);
}

static void delivery_modes(void)
{
	unsigned int mode;

	up(false);
	for (mode = 0; mode < 8; mode++) {
		bool dead = mode == HVMM_DELIVER_REMOTE_READ || mode == HVMM_DELIVER_EXTINT;

		CHECK_EQ(TO(.dest = 4, .delivery = mode), dead ? 0 : BIT(4));
		if (!dead && mode > HVMM_DELIVER_LOWEST)
			CHECK_EQ(cpu[4].event, mode);
	}
	/* Disabled APICs take nothing, software-disabled ones no fixed interrupts. */
	fake_write(&cpu[4], HVMM_APIC_SVR, 0xff);
	CHECK_EQ(TO(.dest = 4), 0);
	CHECK_EQ(TO(.dest = 4, .delivery = HVMM_DELIVER_NMI), BIT(4));
	hvmm_lapic_set_base(&cpu[4].l, HVMM_APIC_DEFAULT_BASE);
	CHECK_EQ(TO(.dest = 4, .delivery = HVMM_DELIVER_NMI), 0);
	CHECK_EQ(TO(.shorthand = HVMM_SHORTHAND_ALL, .delivery = HVMM_DELIVER_NMI),
		 ALL & ~BIT(4));
}

static void odd_routers(void)
{
	struct hvmm_msg msg = { .dest = 0xff, .vector = VECTOR, .assert = true };

	/* vCPUs that do not exist yet. */
	up(false);
	lapics[3] = NULL;
	CHECK_EQ(TO(.dest = 3), 0);
	CHECK_EQ(TO(.dest = 0xff), ALL & ~BIT(3));
	router.nr = 0;
	CHECK_EQ(hvmm_irq_deliver(&router, NULL, &msg), 0);
	msg.delivery = HVMM_DELIVER_LOWEST;
	CHECK_EQ(hvmm_irq_deliver(&router, NULL, &msg), 0);
	/* The counter of turns may wrap. */
	up(false);
	router.turn.counter = 0x7fffffff;
	CHECK_EQ(hvmm_irq_deliver(&router, NULL, &msg), 1);
	CHECK_EQ(hvmm_irq_deliver(&router, NULL, &msg), 1);
}

static void msi(void)
{
	struct hvmm_msg msg;

	CHECK_EQ(hvmm_msi_decode(0xfee05000, 0x4061, &msg), 0);
	CHECK_EQ(msg.dest, 5);
	CHECK_EQ(msg.vector, 0x61);
	CHECK_EQ(msg.delivery, HVMM_DELIVER_FIXED);
	CHECK(!msg.logical && !msg.level_trig && msg.assert && !msg.wide);
	CHECK_EQ(msg.shorthand, HVMM_SHORTHAND_NONE);

	CHECK_EQ(hvmm_msi_decode(0xfeeff004, 0xc461, &msg), 0);
	CHECK_EQ(msg.dest, 0xff);
	CHECK_EQ(msg.delivery, HVMM_DELIVER_NMI);
	CHECK(msg.logical && msg.level_trig && msg.assert);
	CHECK_EQ(hvmm_msi_decode(0xfee00000, 0x8061, &msg), 0);
	CHECK(msg.level_trig && !msg.assert);

	/* Redirection hint: one of a logical set. */
	CHECK_EQ(hvmm_msi_decode(0xfee0300c, 0x61, &msg), 0);
	CHECK_EQ(msg.delivery, HVMM_DELIVER_LOWEST);
	CHECK_EQ(hvmm_msi_decode(0xfee03008, 0x61, &msg), 0);
	CHECK_EQ(msg.delivery, HVMM_DELIVER_FIXED);
	CHECK_EQ(hvmm_msi_decode(0xfee0300c, 0x461, &msg), 0);
	CHECK_EQ(msg.delivery, HVMM_DELIVER_NMI);

	/* Extended destination. */
	CHECK_EQ(hvmm_msi_decode(0xfee07060, 0x61, &msg), 0);
	CHECK_EQ(msg.dest, 0x307);

	CHECK_EQ(hvmm_msi_decode(0xfed00000, 0x61, &msg), (unsigned long long)-EINVAL);
	CHECK_EQ(hvmm_msi_decode(0xfef00000, 0x61, &msg), (unsigned long long)-EINVAL);
	CHECK_EQ(hvmm_msi_decode(0x1fee00000, 0x61, &msg), (unsigned long long)-EINVAL);

	up(false);
	CHECK_EQ(hvmm_msi_deliver(&router, 0xfee07000, 0x4061), 1);
	CHECK_EQ(hvmm_lapic_pending(&cpu[7].l), 0x61);
	/* Merged with the pending one: taken all the same. */
	CHECK_EQ(hvmm_msi_deliver(&router, 0xfee07000, 0x4061), 1);
	CHECK_EQ(fake_take(&cpu[7]), 0x61);
	CHECK_EQ(fake_take(&cpu[7]), -1);
	/* A de-assert is no interrupt, and a bad vector an error at the target. */
	CHECK_EQ(hvmm_msi_deliver(&router, 0xfee07000, 0x8061), 0);
	CHECK_EQ(hvmm_msi_deliver(&router, 0xfee07000, 0x4003), 0);
	CHECK_EQ(cpu[7].l.esr_pending, BIT(HVMM_APIC_ESR_RECV_VECTOR));
	CHECK_EQ(hvmm_msi_deliver(&router, 0xfed00000, 0x61), (unsigned long long)-EINVAL);
}

/* The sender's registers, the route and the target in one. */
static void route_ipi(struct hvmm_lapic *l, const struct hvmm_msg *msg)
{
	hvmm_irq_deliver(&router, l, msg);
}

static void end_to_end(void)
{
	struct hvmm_lapic_ops ops = fake_ops;
	unsigned int i;

	ops.ipi = route_ipi;
	up(false);
	for (i = 0; i < CPUS; i++)
		cpu[i].l.ops = &ops;

	/* How every bare guest brings up its other CPUs. */
	fake_write(&cpu[0], HVMM_APIC_ICR, 0x000c4500);
	fake_write(&cpu[0], HVMM_APIC_ICR, 0x000c4600);
	for (i = 0; i < CPUS; i++) {
		CHECK_EQ(cpu[i].events, i ? 2 : 0);
		CHECK_EQ(cpu[i].event, i ? HVMM_DELIVER_SIPI : 0);
	}
	fake_write(&cpu[2], HVMM_APIC_ICR_HIGH, 9 << 24);
	fake_write(&cpu[2], HVMM_APIC_ICR, 0x4000 | VECTOR);
	CHECK_EQ(fake_take(&cpu[9]), VECTOR);

	up(true);
	for (i = 0; i < CPUS; i++)
		cpu[i].l.ops = &ops;
	CHECK_EQ(hvmm_lapic_msr_write(&cpu[2].l, 0x830, 0x10008ULL << 32 | 0x4800 | VECTOR), 0);
	CHECK_EQ(fake_take(&cpu[19]), VECTOR);
	/* Mixed modes: an xAPIC sender reaches an x2APIC target by its low ID. */
	fake_up(&cpu[2], 2, false);
	cpu[2].l.ops = &ops;
	fake_write(&cpu[2], HVMM_APIC_ICR_HIGH, 9 << 24);
	fake_write(&cpu[2], HVMM_APIC_ICR, 0x4000 | VECTOR);
	CHECK_EQ(fake_take(&cpu[9]), VECTOR);
}

static void fuzz(void)
{
	unsigned int n, i;

	for (n = 0; n < 20000; n++) {
		struct hvmm_msg msg = {
			.dest = rng_below(2) ? rng() : rng_below(0x100), .vector = rng(),
			.delivery = rng_below(8), .shorthand = rng_below(4),
			.logical = rng_below(2), .assert = rng_below(2),
			.level_trig = rng_below(2), .wide = rng_below(2),
		};
		unsigned int events = 0;
		int taken;

		if (!(n % 100)) {
			up(rng_below(2));
			for (i = 0; i < CPUS; i++) {
				fake_write(&cpu[i], HVMM_APIC_LDR, rng());
				fake_write(&cpu[i], HVMM_APIC_DFR, rng());
				if (!rng_below(8))
					lapics[i] = NULL;
			}
		}
		for (i = 0; i < CPUS; i++)
			cpu[i].events = 0;
		taken = hvmm_irq_deliver(&router, rng_below(8) ? &cpu[rng_below(CPUS)].l : NULL,
					 &msg);
		for (i = 0; i < CPUS; i++) {
			if (msg.delivery > HVMM_DELIVER_LOWEST)
				events += cpu[i].events;
			else
				events += test_bit(msg.vector, cpu[i].l.irr);
			CHECK(!(cpu[i].l.irr[0] & 0xffff));
		}
		/* Merged ones count as taken, older ones are there without having been. */
		CHECK(taken >= 0 && taken <= (int)events);
		if (msg.delivery == HVMM_DELIVER_LOWEST)
			CHECK(taken <= 1);
		if (msg.delivery > HVMM_DELIVER_LOWEST)
			CHECK_EQ(taken, events);
	}
}

static const struct check_case cases[] = {
	{ "physical destinations", physical },
	{ "logical destinations, flat", logical_flat },
	{ "logical destinations, clusters", logical_cluster },
	{ "logical destinations, x2APIC", logical_x2apic },
	{ "shorthands", shorthands },
	{ "lowest priority", lowest },
	{ "delivery modes", delivery_modes },
	{ "missing vCPUs", odd_routers },
	{ "MSI", msi },
	{ "from register to register", end_to_end },
	{ "random messages", fuzz },
};

int main(void)
{
	return check_main(cases, ARRAY_SIZE(cases));
}
