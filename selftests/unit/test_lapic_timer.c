// SPDX-License-Identifier: GPL-2.0
/* The local APIC's timer, on a fake clock. */
#include "check.h"
#include "lapic_fake.h"
#include "rng.h"
#include "test_lapic.h"

#define VECTOR		0xee
#define ONESHOT		0
#define PERIODIC	HVMM_APIC_LVT_PERIODIC
#define DEADLINE	HVMM_APIC_LVT_DEADLINE
#define MASKED		HVMM_APIC_LVT_MASKED
#define DIV_BY_1	0xb

static void timer_up(struct fake *f, u32 mode, u32 div)
{
	fake_up(f, 0, false);
	fake_write(f, HVMM_APIC_LVT_TIMER, mode | VECTOR);
	fake_write(f, HVMM_APIC_TIMER_DIV, div);
}

void timer_divide(void)
{
	static const struct {
		u32 div;
		unsigned int by;
	} map[] = {
		{ 0x0, 2 }, { 0x1, 4 }, { 0x2, 8 }, { 0x3, 16 },
		{ 0x8, 32 }, { 0x9, 64 }, { 0xa, 128 }, { 0xb, 1 },
	};
	struct fake f;
	unsigned int i;

	for (i = 0; i < 8; i++) {
		timer_up(&f, ONESHOT, map[i].div);
		CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_DIV), map[i].div);
		fake_write(&f, HVMM_APIC_TIMER_INIT, 1000);
		CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 1000);
		fake_advance(&f, map[i].by * 400);
		CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 600);
		CHECK_EQ(fake_take(&f), -1);
		fake_advance(&f, map[i].by * 600 - 1);
		CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 1);
		CHECK_EQ(fake_take(&f), -1);
		fake_advance(&f, 1);
		CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 0);
		CHECK_EQ(fake_take(&f), VECTOR);
		CHECK_EQ(fake_take(&f), -1);
	}
	/* Reserved bits of the divider are not kept. */
	fake_write(&f, HVMM_APIC_TIMER_DIV, 0xffffffff);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_DIV), 0xb);
}

void timer_oneshot(void)
{
	struct fake f;

	timer_up(&f, ONESHOT, DIV_BY_1);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_INIT), 5000);
	CHECK(f.armed);
	CHECK_EQ(f.when, f.now + 5000);
	fake_advance(&f, 1000000);
	CHECK_EQ(fake_take(&f), VECTOR);
	CHECK(!f.armed);
	fake_advance(&f, 1000000);
	CHECK_EQ(fake_take(&f), -1);

	/* Writing again restarts, zero stops. */
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	fake_advance(&f, 4000);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	fake_advance(&f, 4000);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 1000);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 0);
	CHECK(!f.armed);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 0);
	fake_advance(&f, 100000);
	CHECK_EQ(fake_take(&f), -1);

	/* The current count is read-only. */
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	fake_write(&f, HVMM_APIC_TIMER_COUNT, 1);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 5000);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ESR), 0);

	/* The longest: 2^32 - 1 counts of 128 ns. */
	fake_write(&f, HVMM_APIC_TIMER_DIV, 0xa);
	fake_write(&f, HVMM_APIC_TIMER_INIT, ~0U);
	CHECK_EQ(f.when - f.now, 0xffffffffULL * 128);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), ~0U);
	fake_advance(&f, 0xffffffffULL * 128);
	CHECK_EQ(fake_take(&f), VECTOR);
}

void timer_late_host(void)
{
	struct fake f;

	/* The guest looks before the host's timer was handled. */
	timer_up(&f, ONESHOT, DIV_BY_1);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	f.now += 6000;
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 0);
	CHECK_EQ(fake_take(&f), VECTOR);
	hvmm_lapic_timer_fired(&f.l);
	CHECK_EQ(fake_take(&f), -1);

	/* It expires, and then is masked or restarted: the interrupt was due. */
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	f.now += 6000;
	fake_write(&f, HVMM_APIC_LVT_TIMER, MASKED | VECTOR);
	CHECK_EQ(fake_take(&f), VECTOR);
	fake_write(&f, HVMM_APIC_LVT_TIMER, VECTOR);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	f.now += 6000;
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	CHECK_EQ(fake_take(&f), VECTOR);

	/* A timer that goes off early is armed again and interrupts nothing. */
	f.now += 10;
	f.armed = false;
	hvmm_lapic_timer_fired(&f.l);
	CHECK_EQ(fake_take(&f), -1);
	CHECK(f.armed);
	fake_advance(&f, 5000);
	CHECK_EQ(fake_take(&f), VECTOR);
	/* And with nothing running it does nothing. */
	hvmm_lapic_timer_fired(&f.l);
	CHECK_EQ(fake_take(&f), -1);
	CHECK(!f.armed);
}

void timer_masked(void)
{
	struct fake f;

	/* Masked timers count, interrupt nobody and need no host timer. */
	timer_up(&f, MASKED, DIV_BY_1);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	CHECK(!f.armed);
	fake_advance(&f, 2000);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 3000);
	fake_write(&f, HVMM_APIC_LVT_TIMER, VECTOR);
	CHECK(f.armed);
	fake_advance(&f, 3000);
	CHECK_EQ(fake_take(&f), VECTOR);

	/* Expired while masked: lost. */
	fake_write(&f, HVMM_APIC_LVT_TIMER, MASKED | VECTOR);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 5000);
	fake_advance(&f, 6000);
	fake_write(&f, HVMM_APIC_LVT_TIMER, VECTOR);
	CHECK(!f.armed);
	CHECK_EQ(fake_take(&f), -1);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 0);

	/* Periodic: the phase is kept over the masked time. */
	fake_write(&f, HVMM_APIC_LVT_TIMER, PERIODIC | VECTOR);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000000);
	fake_write(&f, HVMM_APIC_LVT_TIMER, PERIODIC | MASKED | VECTOR);
	CHECK(!f.armed);
	fake_advance(&f, 3300000);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 700000);
	fake_write(&f, HVMM_APIC_LVT_TIMER, PERIODIC | VECTOR);
	CHECK_EQ(fake_take(&f), -1);
	CHECK_EQ(f.when, f.now + 700000);

	/* Software disable masks, and stops the host's timer. */
	fake_write(&f, HVMM_APIC_SVR, 0xff);
	CHECK(!f.armed);
	fake_advance(&f, 10000000);
	fake_write(&f, HVMM_APIC_SVR, 0x1ff);
	CHECK_EQ(fake_take(&f), -1);
}

void timer_periodic(void)
{
	struct fake f;
	u64 start;
	int i, n;

	rng_seed();
	timer_up(&f, PERIODIC, DIV_BY_1);
	start = f.now;
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000000);
	for (i = 1; i <= 100; i++) {
		fake_advance(&f, 999999);
		CHECK_EQ(fake_take(&f), -1);
		CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 1);
		fake_advance(&f, 1);
		CHECK_EQ(fake_take(&f), VECTOR);
		CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 1000000);
	}

	/* The host is always late by up to half a period: no drift. */
	for (i = 101; i <= 200; i++) {
		f.now = f.when + rng_below(500000);
		f.armed = false;
		hvmm_lapic_timer_fired(&f.l);
		CHECK_EQ(fake_take(&f), VECTOR);
		CHECK_EQ(f.when, start + (i + 1) * 1000000ULL);
	}

	/* Far behind: one interrupt, and the next at the next multiple. */
	f.now = f.when + 12345678901ULL;
	f.armed = false;
	n = f.arms;
	hvmm_lapic_timer_fired(&f.l);
	CHECK_EQ(f.arms - n, 1);
	CHECK_EQ(fake_take(&f), VECTOR);
	CHECK_EQ(fake_take(&f), -1);
	CHECK(f.when > f.now && f.when <= f.now + 1000000);
	CHECK_EQ((f.when - start) % 1000000, 0);
}

void timer_storm(void)
{
	static const u32 counts[] = { 1, 3, 7, 999, 99999 };
	unsigned int i, fired;
	struct fake f;
	u64 start;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		timer_up(&f, PERIODIC, DIV_BY_1);
		start = f.now;
		fake_write(&f, HVMM_APIC_TIMER_INIT, counts[i]);
		fired = f.arms;
		fake_advance(&f, 1000 * HVMM_LAPIC_MIN_PERIOD_NS);
		CHECK(f.arms - fired <= 1001);
		CHECK(f.arms - fired >= 500);
		CHECK_EQ((f.when - start) % counts[i], 0);
		CHECK(fake_read(&f, HVMM_APIC_TIMER_COUNT) >= 1);
		CHECK(fake_read(&f, HVMM_APIC_TIMER_COUNT) <= counts[i]);
	}
}

void timer_change_mode(void)
{
	struct fake f;

	/* One-shot to periodic: goes on from where it was, then wraps. */
	timer_up(&f, ONESHOT, DIV_BY_1);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000000);
	fake_advance(&f, 600000);
	fake_write(&f, HVMM_APIC_LVT_TIMER, PERIODIC | VECTOR);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 400000);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_INIT), 1000000);
	fake_advance(&f, 400000);
	CHECK_EQ(fake_take(&f), VECTOR);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 1000000);

	/* Periodic to one-shot: counts to zero and stays there. */
	fake_advance(&f, 600000);
	fake_write(&f, HVMM_APIC_LVT_TIMER, ONESHOT | VECTOR);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 400000);
	fake_advance(&f, 400000);
	CHECK_EQ(fake_take(&f), VECTOR);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 0);
	/* And periodic again does not start it. */
	fake_write(&f, HVMM_APIC_LVT_TIMER, PERIODIC | VECTOR);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 0);
	CHECK(!f.armed);

	/* A period below the shortest, whose expiry is some periods ahead. */
	fake_write(&f, HVMM_APIC_TIMER_INIT, 10);
	fake_advance(&f, 15);
	fake_write(&f, HVMM_APIC_LVT_TIMER, ONESHOT | VECTOR);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 5);
	fake_advance(&f, 5);
	CHECK_EQ(fake_take(&f), VECTOR);

	/* Into TSC-deadline mode and out: disarmed. */
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000000);
	fake_write(&f, HVMM_APIC_LVT_TIMER, DEADLINE | VECTOR);
	CHECK(!f.armed);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 0);
	hvmm_lapic_set_tscdeadline(&f.l, (f.now + 1000) * FAKE_TSC_PER_NS);
	CHECK(f.armed);
	fake_write(&f, HVMM_APIC_LVT_TIMER, ONESHOT | VECTOR);
	CHECK(!f.armed);
	CHECK_EQ(hvmm_lapic_get_tscdeadline(&f.l), 0);
	fake_advance(&f, 10000000);
	CHECK_EQ(fake_take(&f), -1);

	/* The reserved mode counts nothing. */
	fake_write(&f, HVMM_APIC_LVT_TIMER, PERIODIC | DEADLINE | VECTOR);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000);
	hvmm_lapic_set_tscdeadline(&f.l, 1);
	CHECK(!f.armed);
	CHECK_EQ(fake_take(&f), -1);
}

void timer_change_div(void)
{
	struct fake f;

	timer_up(&f, ONESHOT, DIV_BY_1);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000);
	fake_advance(&f, 400);
	fake_write(&f, HVMM_APIC_TIMER_DIV, 0x1);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 600);
	CHECK_EQ(f.when, f.now + 2400);
	fake_advance(&f, 1200);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 300);
	fake_write(&f, HVMM_APIC_TIMER_DIV, DIV_BY_1);
	fake_advance(&f, 300);
	CHECK_EQ(fake_take(&f), VECTOR);

	/* A tick that has begun counts as a whole one. */
	fake_write(&f, HVMM_APIC_TIMER_DIV, 0x1);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000);
	fake_advance(&f, 401);
	fake_write(&f, HVMM_APIC_TIMER_DIV, 0x2);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 900);
	CHECK_EQ(f.when, f.now + 900 * 8);
	fake_write(&f, HVMM_APIC_TIMER_DIV, DIV_BY_1);

	fake_write(&f, HVMM_APIC_LVT_TIMER, PERIODIC | VECTOR);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000000);
	fake_advance(&f, 400000);
	fake_write(&f, HVMM_APIC_TIMER_DIV, 0x0);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 600000);
	fake_advance(&f, 1200000);
	CHECK_EQ(fake_take(&f), VECTOR);
	fake_advance(&f, 1999999);
	CHECK_EQ(fake_take(&f), -1);
	fake_advance(&f, 1);
	CHECK_EQ(fake_take(&f), VECTOR);
}

void timer_deadline(void)
{
	struct fake f;
	u64 tsc;

	/* Ignored outside its mode. */
	timer_up(&f, ONESHOT, DIV_BY_1);
	hvmm_lapic_set_tscdeadline(&f.l, 123);
	CHECK_EQ(hvmm_lapic_get_tscdeadline(&f.l), 0);
	CHECK(!f.armed);

	fake_write(&f, HVMM_APIC_LVT_TIMER, DEADLINE | VECTOR);
	tsc = (f.now + 5000) * FAKE_TSC_PER_NS;
	hvmm_lapic_set_tscdeadline(&f.l, tsc);
	CHECK_EQ(hvmm_lapic_get_tscdeadline(&f.l), tsc);
	CHECK_EQ(f.when, f.now + 5000);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT), 0);
	/* The initial count is ignored in this mode. */
	fake_write(&f, HVMM_APIC_TIMER_INIT, 77);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_INIT), 0);
	fake_advance(&f, 4999);
	CHECK_EQ(fake_take(&f), -1);
	fake_advance(&f, 1);
	CHECK_EQ(fake_take(&f), VECTOR);
	CHECK_EQ(hvmm_lapic_get_tscdeadline(&f.l), 0);
	CHECK(!f.armed);

	/* In the past: at once, and no host timer. */
	hvmm_lapic_set_tscdeadline(&f.l, f.now * FAKE_TSC_PER_NS);
	CHECK_EQ(fake_take(&f), VECTOR);
	CHECK_EQ(hvmm_lapic_get_tscdeadline(&f.l), 0);
	CHECK(!f.armed);

	/* Zero disarms, a new one replaces. */
	hvmm_lapic_set_tscdeadline(&f.l, tsc + 100000);
	hvmm_lapic_set_tscdeadline(&f.l, 0);
	CHECK(!f.armed);
	hvmm_lapic_set_tscdeadline(&f.l, ~0ULL);
	CHECK_EQ(f.when, ~0ULL / FAKE_TSC_PER_NS);
	tsc = (f.now + 70) * FAKE_TSC_PER_NS;
	hvmm_lapic_set_tscdeadline(&f.l, tsc);
	CHECK_EQ(f.when, f.now + 70);

	/* Masked: silent, but the deadline passes. */
	fake_write(&f, HVMM_APIC_LVT_TIMER, DEADLINE | MASKED | VECTOR);
	CHECK(!f.armed);
	CHECK_EQ(hvmm_lapic_get_tscdeadline(&f.l), tsc);
	fake_advance(&f, 100);
	CHECK_EQ(hvmm_lapic_get_tscdeadline(&f.l), 0);
	fake_write(&f, HVMM_APIC_LVT_TIMER, DEADLINE | VECTOR);
	CHECK_EQ(fake_take(&f), -1);

	/* The guest looks before the host's timer was handled. */
	hvmm_lapic_set_tscdeadline(&f.l, (f.now + 70) * FAKE_TSC_PER_NS);
	f.now += 80;
	CHECK_EQ(hvmm_lapic_get_tscdeadline(&f.l), 0);
	CHECK_EQ(fake_take(&f), VECTOR);

	/* The guest's TSC jumps: the deadline follows. */
	hvmm_lapic_set_tscdeadline(&f.l, (f.now + 5000) * FAKE_TSC_PER_NS);
	f.arms = 0;
	hvmm_lapic_tsc_changed(&f.l);
	CHECK_EQ(f.arms, 1);
	CHECK_EQ(f.when, f.now + 5000);
	f.now += 6000;
	hvmm_lapic_tsc_changed(&f.l);
	CHECK_EQ(fake_take(&f), VECTOR);

	/* Not offered: the mode bit cannot be set. */
	fake_up(&f, 0, false);
	f.l.cfg.tsc_deadline = false;
	fake_write(&f, HVMM_APIC_LVT_TIMER, DEADLINE | VECTOR);
	CHECK_EQ(fake_read(&f, HVMM_APIC_LVT_TIMER), VECTOR);
}

void timer_bad_vector(void)
{
	struct fake f;

	timer_up(&f, ONESHOT, DIV_BY_1);
	fake_write(&f, HVMM_APIC_LVT_TIMER, 0x0f);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 10);
	fake_advance(&f, 10);
	CHECK_EQ(hvmm_lapic_highest_irr(&f.l), -1);
	fake_write(&f, HVMM_APIC_ESR, 0);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ESR), BIT(HVMM_APIC_ESR_RECV_VECTOR));
}

void timer_reset(void)
{
	struct fake f;

	timer_up(&f, PERIODIC, DIV_BY_1);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000000);
	CHECK(f.armed);
	hvmm_lapic_reset(&f.l, true);
	CHECK(!f.armed);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_INIT), 0);

	timer_up(&f, PERIODIC, DIV_BY_1);
	fake_write(&f, HVMM_APIC_TIMER_INIT, 1000000);
	hvmm_lapic_set_base(&f.l, HVMM_APIC_DEFAULT_BASE);
	CHECK(!f.armed);
	hvmm_lapic_timer_fired(&f.l);
	CHECK(!f.armed);
	hvmm_lapic_set_tscdeadline(&f.l, 1);
	CHECK(!f.armed);
}

/* Compares a random life of the timer with a model that counts every tick. */
void timer_fuzz(void)
{
	unsigned int round, i;

	rng_seed();
	for (round = 0; round < 300; round++) {
		u64 init = rng_below(2000) + 1, left = 0, fires = 0, model = 0;
		bool periodic = rng_below(2), running = false;
		struct fake f;

		timer_up(&f, periodic ? PERIODIC : ONESHOT, DIV_BY_1);
		for (i = 0; i < 50; i++) {
			u64 step = rng_below(1500), n;

			if (!rng_below(4)) {
				/* Above the shortest period, in units of it. */
				init = rng_below(2000) + 1;
				fake_write(&f, HVMM_APIC_TIMER_INIT,
					   init * HVMM_LAPIC_MIN_PERIOD_NS);
				left = init;
				running = true;
			}
			if (!rng_below(8)) {
				periodic = !periodic;
				fake_write(&f, HVMM_APIC_LVT_TIMER,
					   (periodic ? PERIODIC : ONESHOT) | VECTOR);
			}
			for (n = 0; n < step; n++) {
				if (running && !--left) {
					model++;
					left = periodic ? init : 0;
					running = periodic;
				}
				fake_advance(&f, HVMM_LAPIC_MIN_PERIOD_NS);
				if (fake_take(&f) == VECTOR)
					fires++;
			}
			CHECK_EQ(fires, model);
			CHECK_EQ(fake_read(&f, HVMM_APIC_TIMER_COUNT),
				 left * HVMM_LAPIC_MIN_PERIOD_NS);
			if (check_failed) {
				tap_diag("round %u step %u", round, i);
				return;
			}
		}
	}
}
