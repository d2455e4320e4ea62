// SPDX-License-Identifier: GPL-2.0
/*
 * Timer of the local APIC: SDM vol. 3, 11.5.4; APM vol. 2, 16.4.1.
 *
 * No counter runs. While timer_running is set, timer_expiry says when the count is
 * zero next; for a periodic timer it may be some periods ahead. Masked timers need
 * no host timer: what they missed is worked out when someone looks.
 */
#include <linux/math.h>

#include "dev/lapic_priv.h"

#define MODE_ONESHOT	0U
#define MODE_PERIODIC	HVMM_APIC_LVT_PERIODIC
#define MODE_DEADLINE	HVMM_APIC_LVT_DEADLINE

static u32 timer_mode(const struct hvmm_lapic *l)
{
	return l->lvt[HVMM_LVT_TIMER] & HVMM_APIC_LVT_MODE;
}

/* The reserved encoding, both bits, counts nothing. */
static bool mode_counts(u32 mode)
{
	return mode == MODE_ONESHOT || mode == MODE_PERIODIC;
}

/* Bits 3, 1 and 0: 0 divides by 2, 1 by 4, ... 6 by 128, 7 by 1. */
static unsigned int div_shift(u32 div)
{
	u32 code = (div & 3) | (div >> 1 & 4);

	return (code + 1) & 7;
}

static u64 timer_period(const struct hvmm_lapic *l)
{
	return (u64)l->timer_init << div_shift(l->timer_div);
}

/* Nanoseconds to the next zero of a running count, at least one. */
static u64 timer_left(const struct hvmm_lapic *l, u64 now)
{
	u64 left = l->timer_expiry - now;

	if (timer_mode(l) == MODE_PERIODIC)
		left = (left - 1) % timer_period(l) + 1;
	return left;
}

/* Work off what has expired. After it a running timer's expiry is after @now. */
static void timer_settle(struct hvmm_lapic *l, u64 now)
{
	u64 step;

	if (!l->timer_running || now < l->timer_expiry)
		return;

	if (timer_mode(l) == MODE_PERIODIC) {
		step = timer_period(l);
		if (step < HVMM_LAPIC_MIN_PERIOD_NS)
			step = roundup(HVMM_LAPIC_MIN_PERIOD_NS, step);
		l->timer_expiry += ((now - l->timer_expiry) / step + 1) * step;
	} else {
		l->timer_running = false;
		l->tsc_deadline = 0;
	}
	hvmm_lapic_local(l, HVMM_LVT_TIMER);
}

void hvmm_lapic_timer_program(struct hvmm_lapic *l)
{
	if (l->timer_running && !(l->lvt[HVMM_LVT_TIMER] & HVMM_APIC_LVT_MASKED)) {
		l->timer_armed = true;
		l->ops->timer_arm(l, l->timer_expiry);
	} else if (l->timer_armed) {
		l->timer_armed = false;
		l->ops->timer_cancel(l);
	}
}

void hvmm_lapic_timer_fired(struct hvmm_lapic *l)
{
	l->timer_armed = false;
	if (!l->timer_running)
		return;
	timer_settle(l, l->ops->now(l));
	hvmm_lapic_timer_program(l);
}

void hvmm_lapic_timer_set_lvt(struct hvmm_lapic *l, u32 lvt)
{
	u32 old = timer_mode(l), mode = lvt & HVMM_APIC_LVT_MODE;
	u64 now;

	if (l->timer_running) {
		now = l->ops->now(l);
		timer_settle(l, now);
		/* Between one-shot and periodic the count goes on. */
		if (mode != old && mode_counts(mode) && mode_counts(old) && l->timer_running)
			l->timer_expiry = now + timer_left(l, now);
	}
	/* Into and out of TSC-deadline mode it is disarmed (SDM vol. 3, 11.5.4.1). */
	if (mode != old && !(mode_counts(mode) && mode_counts(old))) {
		l->timer_running = false;
		l->tsc_deadline = 0;
	}
	l->lvt[HVMM_LVT_TIMER] = lvt;
	hvmm_lapic_timer_program(l);
}

void hvmm_lapic_timer_set_init(struct hvmm_lapic *l, u32 count)
{
	u64 now;

	if (!mode_counts(timer_mode(l)))
		return;
	now = l->ops->now(l);
	timer_settle(l, now);
	l->timer_init = count;
	l->timer_running = count;
	l->timer_expiry = now + timer_period(l);
	hvmm_lapic_timer_program(l);
}

void hvmm_lapic_timer_set_div(struct hvmm_lapic *l, u32 div)
{
	u64 now, ticks;

	if (!l->timer_running || !mode_counts(timer_mode(l))) {
		l->timer_div = div;
		return;
	}
	now = l->ops->now(l);
	timer_settle(l, now);
	if (l->timer_running) {
		ticks = timer_left(l, now) >> div_shift(l->timer_div);
		if (timer_left(l, now) & (BIT_ULL(div_shift(l->timer_div)) - 1))
			ticks++;
		l->timer_expiry = now + (ticks << div_shift(div));
	}
	l->timer_div = div;
	hvmm_lapic_timer_program(l);
}

u32 hvmm_lapic_timer_count(struct hvmm_lapic *l)
{
	unsigned int shift = div_shift(l->timer_div);
	u64 now;

	if (!l->timer_running || !mode_counts(timer_mode(l)))
		return 0;
	now = l->ops->now(l);
	timer_settle(l, now);
	if (!l->timer_running)
		return 0;
	return (timer_left(l, now) + BIT_ULL(shift) - 1) >> shift;
}

u64 hvmm_lapic_get_tscdeadline(struct hvmm_lapic *l)
{
	if (l->tsc_deadline)
		timer_settle(l, l->ops->now(l));
	return l->tsc_deadline;
}

static void deadline_start(struct hvmm_lapic *l)
{
	l->timer_running = l->tsc_deadline;
	if (l->timer_running) {
		l->timer_expiry = l->ops->tsc_to_ns(l, l->tsc_deadline);
		timer_settle(l, l->ops->now(l));
	}
	hvmm_lapic_timer_program(l);
}

void hvmm_lapic_set_tscdeadline(struct hvmm_lapic *l, u64 tsc)
{
	if (timer_mode(l) != MODE_DEADLINE || l->mode == HVMM_LAPIC_DISABLED)
		return;
	if (l->timer_running)
		timer_settle(l, l->ops->now(l));
	l->tsc_deadline = tsc;
	deadline_start(l);
}

void hvmm_lapic_tsc_changed(struct hvmm_lapic *l)
{
	if (l->timer_running && timer_mode(l) == MODE_DEADLINE)
		deadline_start(l);
}
