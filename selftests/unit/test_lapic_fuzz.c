// SPDX-License-Identifier: GPL-2.0
/* Local APIC: random operations, alone and against a model; senders on other CPUs. */
#include <pthread.h>

#include "check.h"
#include "lapic_fake.h"
#include "rng.h"
#include "test_lapic.h"

struct model {
	bool irr[256], isr[256], tmr[256];
	u8 tpr;
	bool on;
};

static int model_top(const bool *map)
{
	int v;

	for (v = 255; v >= 0; v--)
		if (map[v])
			return v;
	return -1;
}

static u8 model_ppr(const struct model *m)
{
	int isr = model_top(m->isr);

	if (isr < 0 || isr >> 4 <= m->tpr >> 4)
		return m->tpr;
	return isr & 0xf0;
}

static int model_pending(const struct model *m)
{
	int irr = model_top(m->irr);

	return irr >= 0 && irr >> 4 > model_ppr(m) >> 4 ? irr : -1;
}

static void compare(struct fake *f, const struct model *m, bool x2apic)
{
	static const u32 map[3] = { HVMM_APIC_IRR, HVMM_APIC_ISR, HVMM_APIC_TMR };
	const bool *bits[3] = { m->irr, m->isr, m->tmr };
	unsigned int i, word, b;

	CHECK_EQ(hvmm_lapic_pending(&f->l), model_pending(m));
	CHECK_EQ(hvmm_lapic_highest_irr(&f->l), model_top(m->irr));
	CHECK_EQ(f->l.ppr, model_ppr(m));
	CHECK(f->l.irr_pending || model_top(m->irr) < 0);
	for (i = 0; i < 3; i++) {
		for (word = 0; word < 8; word++) {
			u32 want = 0, off = map[i] + word * 16;

			for (b = 0; b < 32; b++)
				want |= (u32)bits[i][word * 32 + b] << b;
			CHECK_EQ(x2apic ? msr_get(f, off) : fake_read(f, off), want);
		}
	}
}

void lapic_fuzz_model(void)
{
	unsigned int round, step;

	rng_seed();
	for (round = 0; round < 200; round++) {
		bool x2apic = rng_below(2);
		struct model m = { .on = true };
		struct fake f;

		fake_up(&f, rng_below(256), x2apic);
		for (step = 0; step < 500; step++) {
			u8 v = rng();
			bool level = rng_below(2), fresh;
			int p;

			switch (rng_below(6)) {
			case 0:
			case 1:
				fresh = m.on && v >= 16 && !m.irr[v];
				CHECK_EQ(hvmm_lapic_accept(&f.l, v, level), fresh);
				if (m.on && v >= 16) {
					m.irr[v] = true;
					m.tmr[v] = level;
				}
				break;
			case 2:
				p = hvmm_lapic_pending(&f.l);
				CHECK_EQ(p, model_pending(&m));
				if (p >= 0) {
					hvmm_lapic_ack(&f.l, p);
					m.irr[p] = false;
					m.isr[p] = true;
				}
				break;
			case 3:
				p = model_top(m.isr);
				f.eois = 0;
				if (x2apic)
					CHECK_EQ(msr_write(&f, HVMM_APIC_EOI, 0), 0);
				else
					fake_write(&f, HVMM_APIC_EOI, v);
				if (p >= 0)
					m.isr[p] = false;
				CHECK_EQ(f.eois, p >= 0 && m.tmr[p]);
				break;
			case 4:
				m.tpr = v;
				if (x2apic)
					CHECK_EQ(msr_write(&f, HVMM_APIC_TPR, v), 0);
				else
					fake_write(&f, HVMM_APIC_TPR, v);
				break;
			default:
				if (rng_below(16))
					break;
				m.on = !m.on;
				if (x2apic)
					msr_write(&f, HVMM_APIC_SVR, m.on ? 0x1ff : 0xff);
				else
					fake_write(&f, HVMM_APIC_SVR, m.on ? 0x1ff : 0xff);
				break;
			}
			compare(&f, &m, x2apic);
			if (check_failed) {
				tap_diag("round %u step %u", round, step);
				return;
			}
		}
	}
}

static void laws(struct fake *f)
{
	struct hvmm_lapic *l = &f->l;
	int i, irr, isr = -1;

	CHECK(!((l->irr[0] | l->isr[0] | l->tmr[0]) & 0xffff));
	irr = hvmm_lapic_highest_irr(l);
	for (i = 255; i >= 0 && isr < 0; i--)
		if (test_bit(i, l->isr))
			isr = i;
	CHECK_EQ(l->ppr >> 4, isr >> 4 > l->tpr >> 4 ? isr >> 4 : l->tpr >> 4);
	CHECK(irr < 0 || l->irr_pending);
	for (i = 0; i < HVMM_LVT_NR; i++)
		CHECK((l->svr & HVMM_APIC_SVR_ENABLE) || (l->lvt[i] & HVMM_APIC_LVT_MASKED));
	CHECK_EQ(l->mode == HVMM_LAPIC_DISABLED, !(l->base & HVMM_APIC_BASE_EN));
	CHECK(l->mode != HVMM_LAPIC_DISABLED || !l->timer_running);
	CHECK_EQ(f->armed, l->timer_armed);
	CHECK(!f->armed || (l->timer_running && !(l->lvt[0] & HVMM_APIC_LVT_MASKED)));
	CHECK(!l->timer_running || (l->lvt[0] & HVMM_APIC_LVT_MASKED) || f->armed);
	CHECK(!(l->lvt[0] & HVMM_APIC_LVT_PERIODIC) || !l->timer_running || l->timer_init);
	CHECK((l->lvt[0] & HVMM_APIC_LVT_MODE) == HVMM_APIC_LVT_DEADLINE || !l->tsc_deadline);
}

/* A guest that does its worst: nothing breaks, and no law either. */
void lapic_fuzz_hostile(void)
{
	unsigned int round, step, arms;

	rng_seed();
	for (round = 0; round < 300; round++) {
		struct fake f;

		fake_up(&f, rng(), rng_below(2));
		for (step = 0; step < 1000; step++) {
			u32 off = rng_below(2) ? rng_below(0x42) * 16 : rng_below(0x1000);
			u32 val = rng();
			u64 wide;

			if (rng_below(2))
				val &= 0x7ffff;
			if (!rng_below(3))
				val = rng_below(2) ? 0x1ff : BIT(rng_below(32));
			switch (rng_below(16)) {
			case 0 ... 4:
				hvmm_lapic_write(&f.l, off, val);
				break;
			case 5:
				hvmm_lapic_mmio_read(&f.l, off, 1 + rng_below(8));
				break;
			case 6 ... 8:
				wide = rng_below(2) ? val : (u64)rng() << 32 | val;
				hvmm_lapic_msr_write(&f.l, 0x800 + rng_below(0x42), wide);
				break;
			case 9:
				hvmm_lapic_msr_read(&f.l, 0x800 + rng_below(0x100), &wide);
				break;
			case 10:
				if (!rng_below(8))
					hvmm_lapic_set_base(&f.l, rng_below(4) << 10 | 0xfee00000);
				break;
			case 11:
				hvmm_lapic_set_tscdeadline(&f.l, rng_below(2) ? rng() :
							   f.now * 2 + rng_below(1000000));
				hvmm_lapic_get_tscdeadline(&f.l);
				break;
			case 12:
				hvmm_lapic_accept(&f.l, val, val & 256);
				break;
			case 13:
				fake_take(&f);
				break;
			case 14:
				hvmm_lapic_local(&f.l, rng_below(HVMM_LVT_NR));
				break;
			default:
				arms = f.arms;
				fake_advance(&f, rng_below(2) ? 1000000 : 10);
				CHECK(f.arms - arms <= 11);
				if (!rng_below(64))
					hvmm_lapic_reset(&f.l, rng_below(2));
				break;
			}
			laws(&f);
			if (check_failed) {
				tap_diag("round %u step %u", round, step);
				return;
			}
		}
	}
}

#define SENDERS		3
#define SENDS		200000

static struct fake shared;
static unsigned long accepted[SENDERS];
static int senders_left;

static void *sender(void *arg)
{
	unsigned long n = (unsigned long)arg;
	u64 x = n * 77 + 1;
	int i;

	for (i = 0; i < SENDS; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		accepted[n] += hvmm_lapic_accept(&shared.l, 16 + (x >> 33) % 240, false);
	}
	__atomic_fetch_sub(&senders_left, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* Each request that was newly pending is taken exactly once; no hint gets lost. */
void lapic_concurrent(void)
{
	pthread_t thread[SENDERS];
	unsigned long taken = 0, sum = 0, i;
	bool last;

	fake_up(&shared, 0, false);
	senders_left = SENDERS;
	for (i = 0; i < SENDERS; i++)
		if (pthread_create(&thread[i], NULL, sender, (void *)i))
			abort();
	do {
		last = !__atomic_load_n(&senders_left, __ATOMIC_ACQUIRE);
		while (fake_take(&shared) >= 0)
			taken++;
	} while (!last);
	for (i = 0; i < SENDERS; i++) {
		pthread_join(thread[i], NULL);
		sum += accepted[i];
	}
	CHECK(sum > 0);
	CHECK_EQ(taken, sum);
	CHECK_EQ(shared.kicks, sum);
	for (i = 0; i < HVMM_LAPIC_WORDS; i++)
		CHECK_EQ(shared.l.irr[i], 0);
}
