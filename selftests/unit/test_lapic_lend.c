// SPDX-License-Identifier: GPL-2.0
/* Local APIC: interrupts lent to a processor that delivers them (SDM vol. 3, 30.2). */
#include <pthread.h>

#include "lapic_fake.h"
#include "rng.h"
#include "test_lapic.h"

/* What a processor does with what it was lent. */
struct processor {
	u32 page[1024];
	u8 rvi, svi;
};

static u8 top(const struct processor *p, u32 offset)
{
	int i;

	for (i = 7; i >= 0; i--)
		if (p->page[offset / 4 + i * 4])
			return i * 32 + __fls(p->page[offset / 4 + i * 4]);
	return 0;
}

static void change(struct processor *p, u32 offset, u8 vector, bool set)
{
	u32 *word = &p->page[offset / 4 + vector / 32 * 4];

	*word = set ? *word | 1U << vector % 32 : *word & ~(1U << vector % 32);
}

static void lend(struct fake *f, struct processor *p)
{
	struct hvmm_lapic_loan loan = hvmm_lapic_lend(&f->l, p->page);

	p->rvi = loan.requested;
	p->svi = loan.in_service;
	CHECK_EQ(p->rvi, top(p, HVMM_APIC_IRR));
	CHECK_EQ(p->svi, top(p, HVMM_APIC_ISR));
	CHECK(!loan.nr == !loan.requested);
}

static void take_back(struct fake *f, struct processor *p)
{
	hvmm_lapic_take_back(&f->l, p->page);
	CHECK_EQ(top(p, HVMM_APIC_IRR), 0);
	CHECK_EQ(top(p, HVMM_APIC_ISR), 0);
}

/* The vector delivered, or -1. */
static int deliver(struct processor *p, u8 tpr)
{
	u8 vector = p->rvi, ppr = p->svi >> 4 > tpr >> 4 ? p->svi : tpr;

	if (vector >> 4 <= ppr >> 4)
		return -1;
	change(p, HVMM_APIC_IRR, vector, false);
	change(p, HVMM_APIC_ISR, vector, true);
	p->svi = vector;
	p->rvi = top(p, HVMM_APIC_IRR);
	return vector;
}

static void end(struct processor *p)
{
	if (p->svi)
		change(p, HVMM_APIC_ISR, p->svi, false);
	p->svi = top(p, HVMM_APIC_ISR);
}

static bool same(const struct fake *a, const struct fake *b)
{
	return !memcmp(a->l.irr, b->l.irr, sizeof(a->l.irr)) &&
	       !memcmp(a->l.isr, b->l.isr, sizeof(a->l.isr)) && a->l.ppr == b->l.ppr;
}

/* One APIC whose interrupts are delivered by software, one by a processor now and then. */
void lend_fuzz(void)
{
	struct processor p = {};
	unsigned int round, i, n;
	struct fake soft, hard;
	int vector;
	u8 v;

	tap_diag("SEED=%llu", (unsigned long long)rng_seed());
	for (round = 0; round < 20000 && !check_failed; round++) {
		if (round % 200 == 0) {
			fake_up(&soft, 0, true);
			fake_up(&hard, 0, true);
		}
		for (n = rng_below(4); n; n--) {
			v = 16 + rng_below(240);
			hvmm_lapic_accept(&soft.l, v, false);
			hvmm_lapic_accept(&hard.l, v, false);
		}
		v = rng_below(4) ? 0 : rng();
		msr_write(&soft, HVMM_APIC_TPR, v);
		msr_write(&hard, HVMM_APIC_TPR, v);
		CHECK(!hvmm_lapic_idle(&hard.l) || !hvmm_lapic_idle(&soft.l) ||
		      (hvmm_lapic_pending(&soft.l) < 0 && hvmm_lapic_highest_irr(&soft.l) < 0));
		lend(&hard, &p);
		for (i = rng_below(6); i; i--) {
			if (rng_below(2)) {
				hvmm_lapic_eoi(&soft.l);
				end(&p);
				continue;
			}
			vector = hvmm_lapic_pending(&soft.l);
			if (vector >= 0)
				hvmm_lapic_ack(&soft.l, vector);
			CHECK_EQ(deliver(&p, hard.l.tpr), vector);
		}
		take_back(&hard, &p);
		CHECK(same(&soft, &hard));
		CHECK_EQ(hvmm_lapic_pending(&hard.l), hvmm_lapic_pending(&soft.l));
		CHECK_EQ(hvmm_lapic_highest_irr(&hard.l), hvmm_lapic_highest_irr(&soft.l));
	}
}

/* EOIs that a processor reports go to the IOAPIC if the interrupt was a level. */
void lend_level(void)
{
	struct processor p = {};
	struct fake f;

	fake_up(&f, 0, true);
	hvmm_lapic_accept(&f.l, 0x51, true);
	hvmm_lapic_accept(&f.l, 0x61, false);
	lend(&f, &p);
	CHECK_EQ(deliver(&p, 0), 0x61);
	end(&p);
	CHECK_EQ(deliver(&p, 0), 0x51);
	end(&p);
	take_back(&f, &p);
	CHECK(hvmm_lapic_idle(&f.l));
	CHECK_EQ(f.eois, 0);
	hvmm_lapic_ended(&f.l, 0x61);
	CHECK_EQ(f.eois, 0);
	hvmm_lapic_ended(&f.l, 0x51);
	CHECK_EQ(f.eois, 1);
	CHECK_EQ(f.eoi_vector, 0x51);
}

#define SENDERS	3
#define SENDS	20000

static struct fake shared;
static u32 taken[SENDERS];
static int senders_left;

/* One request at a time, of a vector of its own: one that is lost is waited for in vain. */
static void *sender(void *arg)
{
	unsigned long n = (unsigned long)arg;
	struct timespec now, end;
	u32 i;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += 60;
	for (i = 0; i < SENDS; i++) {
		hvmm_lapic_accept(&shared.l, 0x30 + n * 0x20, false);
		while (__atomic_load_n(&taken[n], __ATOMIC_RELAXED) == i) {
			clock_gettime(CLOCK_MONOTONIC, &now);
			if (now.tv_sec > end.tv_sec)
				goto out;
		}
	}
out:
	__atomic_fetch_sub(&senders_left, 1, __ATOMIC_RELEASE);
	return NULL;
}

void lend_concurrent(void)
{
	static struct processor p;
	pthread_t thread[SENDERS];
	unsigned long i;
	int vector;

	fake_up(&shared, 0, true);
	senders_left = SENDERS;
	for (i = 0; i < SENDERS; i++)
		if (pthread_create(&thread[i], NULL, sender, (void *)i))
			abort();
	while (__atomic_load_n(&senders_left, __ATOMIC_ACQUIRE)) {
		if (hvmm_lapic_idle(&shared.l))
			continue;
		lend(&shared, &p);
		vector = deliver(&p, 0);
		if (vector >= 0) {
			end(&p);
			__atomic_fetch_add(&taken[(vector - 0x30) / 0x20], 1, __ATOMIC_RELAXED);
		}
		take_back(&shared, &p);
	}
	for (i = 0; i < SENDERS; i++) {
		pthread_join(thread[i], NULL);
		CHECK_EQ(taken[i], SENDS);
	}
	CHECK(hvmm_lapic_idle(&shared.l));
}
