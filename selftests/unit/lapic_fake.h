/* SPDX-License-Identifier: GPL-2.0 */
/* A local APIC on a fake clock, with an owner that notes what it is told. */
#ifndef HVMM_UNIT_LAPIC_FAKE_H
#define HVMM_UNIT_LAPIC_FAKE_H

#include <string.h>

#include "check.h"
#include "dev/lapic.h"

#define FAKE_TSC_PER_NS	2	/* the guest's TSC runs at 2 GHz from time 0 */

struct fake {
	struct hvmm_lapic l;
	u64 now;
	bool armed;
	u64 when;
	unsigned int arms, cancels;
	unsigned int kicks;
	unsigned int eois;
	u8 eoi_vector;
	unsigned int events;
	enum hvmm_delivery event;
	u8 event_vector;
	unsigned int ipis;
	struct hvmm_msg ipi;
};

static inline u64 fake_now(struct hvmm_lapic *l)
{
	return ((struct fake *)l)->now;
}

static inline void fake_timer_arm(struct hvmm_lapic *l, u64 when)
{
	struct fake *f = (struct fake *)l;

	f->armed = true;
	f->when = when;
	f->arms++;
}

static inline void fake_timer_cancel(struct hvmm_lapic *l)
{
	struct fake *f = (struct fake *)l;

	f->armed = false;
	f->cancels++;
}

static inline u64 fake_tsc_to_ns(struct hvmm_lapic *l, u64 tsc)
{
	return tsc / FAKE_TSC_PER_NS;
}

static inline void fake_ipi(struct hvmm_lapic *l, const struct hvmm_msg *msg)
{
	struct fake *f = (struct fake *)l;

	f->ipis++;
	f->ipi = *msg;
}

static inline void fake_eoi(struct hvmm_lapic *l, u8 vector)
{
	struct fake *f = (struct fake *)l;

	f->eois++;
	f->eoi_vector = vector;
}

static inline void fake_kick(struct hvmm_lapic *l)
{
	/* From several threads in one test. */
	__atomic_fetch_add(&((struct fake *)l)->kicks, 1, __ATOMIC_RELAXED);
}

static inline void fake_event(struct hvmm_lapic *l, enum hvmm_delivery event, u8 vector)
{
	struct fake *f = (struct fake *)l;

	f->events++;
	f->event = event;
	f->event_vector = vector;
}

static const struct hvmm_lapic_ops fake_ops = {
	.now = fake_now,
	.timer_arm = fake_timer_arm,
	.timer_cancel = fake_timer_cancel,
	.tsc_to_ns = fake_tsc_to_ns,
	.ipi = fake_ipi,
	.eoi = fake_eoi,
	.kick = fake_kick,
	.event = fake_event,
};

static inline void fake_init(struct fake *f, u32 id)
{
	struct hvmm_lapic_config cfg = {
		.id = id,
		.phys_bits = 40,
		.bsp = !id,
		.x2apic = true,
		.tsc_deadline = true,
	};

	memset(f, 0, sizeof(*f));
	f->now = 1000000;
	hvmm_lapic_init(&f->l, &fake_ops, &cfg);
}

static inline u32 fake_read(struct fake *f, u32 offset)
{
	u32 val = 0xdeadbeef;

	hvmm_lapic_read(&f->l, offset, &val);
	return val;
}

static inline void fake_write(struct fake *f, u32 offset, u32 val)
{
	hvmm_lapic_write(&f->l, offset, val);
}

static inline int msr_read(struct fake *f, u32 offset, u64 *val)
{
	return hvmm_lapic_msr_read(&f->l, HVMM_X2APIC_MSR(offset), val);
}

static inline int msr_write(struct fake *f, u32 offset, u64 val)
{
	return hvmm_lapic_msr_write(&f->l, HVMM_X2APIC_MSR(offset), val);
}

static inline u64 msr_get(struct fake *f, u32 offset)
{
	u64 val = 0;

	CHECK_EQ(msr_read(f, offset, &val), 0);
	return val;
}

/* An APIC as an operating system leaves it: software-enabled, in the mode asked for. */
static inline void fake_up(struct fake *f, u32 id, bool x2apic)
{
	fake_init(f, id);
	if (x2apic) {
		hvmm_lapic_set_base(&f->l, f->l.base | HVMM_APIC_BASE_EXTD);
		hvmm_lapic_msr_write(&f->l, HVMM_X2APIC_MSR(HVMM_APIC_SVR), 0x1ff);
	} else {
		fake_write(f, HVMM_APIC_SVR, 0x1ff);
	}
}

/* Time passes; the host's timer goes off on the way, as often as it is armed. */
static inline void fake_advance(struct fake *f, u64 ns)
{
	u64 end = f->now + ns;

	while (f->armed && f->when <= end) {
		if (f->now < f->when)
			f->now = f->when;
		f->armed = false;
		hvmm_lapic_timer_fired(&f->l);
	}
	f->now = end;
}

/* Take and end what is pending; the vector, or -1. */
static inline int fake_take(struct fake *f)
{
	int vector = hvmm_lapic_pending(&f->l);

	if (vector >= 0) {
		hvmm_lapic_ack(&f->l, vector);
		hvmm_lapic_eoi(&f->l);
	}
	return vector;
}

#endif
