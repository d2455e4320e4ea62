// SPDX-License-Identifier: GPL-2.0
/*
 * The ledger against a model that keeps every interval: states add up to wall time,
 * histograms to their counts, the longest wait is the longest.
 */
#include <pthread.h>
#include <string.h>

#include "check.h"
#include "core/ledger.h"

unsigned int check_failed;

static u64 clock_ns;

u64 ktime_get_ns(void)
{
	return __atomic_load_n(&clock_ns, __ATOMIC_RELAXED);
}

static const enum hvmm_vcpu_state waiting[] = {
	[HVMM_WAITED_READY] = HVMM_VCPU_READY,
	[HVMM_WAITED_CAPPED] = HVMM_VCPU_CAPPED,
	[HVMM_WAITED_HOST] = HVMM_VCPU_HOST,
	[HVMM_WAITED_IO] = HVMM_VCPU_IO,
	[HVMM_WAITED_MEM] = HVMM_VCPU_MEM,
};

/* What a kind of wait should have come to. */
struct tally {
	u64 count, longest, longest_end, ns;
	u64 bucket[HVMM_WAIT_BUCKETS];
};

static unsigned int bucket_of(u64 ns)
{
	unsigned int i;

	for (i = 0; i < HVMM_WAIT_BUCKETS - 1 && ns >= 1024ULL << i; i++)
		;
	return i;
}

static void tally(struct tally *t, u64 ns, u64 end)
{
	t->count++;
	t->ns += ns;
	t->bucket[bucket_of(ns)]++;
	if (ns >= t->longest) {
		t->longest = ns;
		t->longest_end = end;
	}
}

static void compare(const struct tally *t, const struct hvmm_wait_stat *w)
{
	u64 sum = 0;
	int i;

	CHECK_EQ(w->count, t->count);
	CHECK_EQ(w->longest, t->longest);
	CHECK_EQ(w->longest_end, t->longest_end);
	for (i = 0; i < HVMM_WAIT_BUCKETS; i++) {
		CHECK_EQ(w->bucket[i], t->bucket[i]);
		sum += w->bucket[i];
	}
	CHECK_EQ(sum, w->count);
}

static void at(struct hvmm_ledger *l, u64 now, enum hvmm_vcpu_state state)
{
	clock_ns = now;
	hvmm_ledger_switch(l, state, now);
}

static void buckets(void)
{
	struct hvmm_ledger_sample s;
	struct hvmm_wait_stat w[HVMM_WAITED_NR];
	struct tally t = {};
	struct hvmm_ledger l = {};
	u64 now = 1000, ns;
	int i, d;

	hvmm_ledger_init(&l, HVMM_VCPU_RUN, now);
	for (i = 0; i < 40; i++) {
		for (d = -1; d <= 1; d++) {
			ns = (1ULL << i) + d;
			at(&l, now, HVMM_VCPU_READY);
			at(&l, now += ns, HVMM_VCPU_RUN);
			tally(&t, ns, now - 1000);
		}
	}
	hvmm_ledger_read_waits(&l, &s, w);
	compare(&t, &w[HVMM_WAITED_READY]);
	CHECK_EQ(s.ns[HVMM_VCPU_READY], t.ns);
	/* The bounds that the ABI states. */
	CHECK_EQ(bucket_of(1023), 0);
	CHECK_EQ(bucket_of(1024), 1);
	CHECK_EQ(bucket_of((1ULL << 32) - 1), 22);
	CHECK_EQ(bucket_of(1ULL << 32), 23);
}

static void wake_up(void)
{
	struct hvmm_ledger_sample s;
	struct hvmm_wait_stat w[HVMM_WAITED_NR];
	struct hvmm_ledger l = {};

	hvmm_ledger_init(&l, HVMM_VCPU_PAUSED, 100);
	at(&l, 200, HVMM_VCPU_READY);
	at(&l, 5200, HVMM_VCPU_RUN);
	hvmm_ledger_read_waits(&l, &s, w);
	CHECK_EQ(w[HVMM_WAITED_WAKE].count, 1);
	CHECK_EQ(w[HVMM_WAITED_WAKE].longest, 5000);
	CHECK_EQ(w[HVMM_WAITED_WAKE].longest_end, 5100);
	CHECK_EQ(w[HVMM_WAITED_WAKE_CAPPED].count, 0);

	/* Preempted: it waits, but nobody woke it. */
	at(&l, 6000, HVMM_VCPU_HOST);
	at(&l, 6100, HVMM_VCPU_RUN);
	at(&l, 6200, HVMM_VCPU_READY);
	at(&l, 6300, HVMM_VCPU_CAPPED);
	at(&l, 6400, HVMM_VCPU_READY);
	at(&l, 6500, HVMM_VCPU_RUN);
	hvmm_ledger_read_waits(&l, &s, w);
	CHECK_EQ(w[HVMM_WAITED_WAKE].count, 1);
	CHECK_EQ(w[HVMM_WAITED_READY].count, 3);
	CHECK_EQ(w[HVMM_WAITED_HOST].longest, 100);

	/* The cap's part, in two pieces, is told apart. */
	at(&l, 7000, HVMM_VCPU_HALTED);
	at(&l, 10000, HVMM_VCPU_CAPPED);
	at(&l, 40000, HVMM_VCPU_READY);
	at(&l, 41000, HVMM_VCPU_CAPPED);
	at(&l, 46000, HVMM_VCPU_READY);
	at(&l, 48000, HVMM_VCPU_RUN);
	hvmm_ledger_read_waits(&l, &s, w);
	CHECK_EQ(w[HVMM_WAITED_WAKE].count, 2);
	CHECK_EQ(w[HVMM_WAITED_WAKE].longest, 38000);
	CHECK_EQ(w[HVMM_WAITED_WAKE_CAPPED].count, 1);
	CHECK_EQ(w[HVMM_WAITED_WAKE_CAPPED].longest, 35000);
	CHECK_EQ(w[HVMM_WAITED_CAPPED].count, 3);

	/* Parked again before it ran: that wake-up never ended. */
	at(&l, 50000, HVMM_VCPU_IO);
	at(&l, 51000, HVMM_VCPU_CAPPED);
	at(&l, 52000, HVMM_VCPU_PAUSED);
	at(&l, 60000, HVMM_VCPU_READY);
	at(&l, 60007, HVMM_VCPU_RUN);
	hvmm_ledger_read_waits(&l, &s, w);
	CHECK_EQ(w[HVMM_WAITED_WAKE].count, 3);
	CHECK_EQ(w[HVMM_WAITED_WAKE].bucket[0], 1);
	CHECK_EQ(w[HVMM_WAITED_WAKE_CAPPED].count, 1);

	/* Said again, a state goes on: one wait of 900, not two. */
	at(&l, 61000, HVMM_VCPU_MEM);
	at(&l, 61500, HVMM_VCPU_MEM);
	clock_ns = 61800;
	hvmm_ledger_read_waits(&l, &s, w);
	CHECK_EQ(s.since, 800);
	CHECK_EQ(w[HVMM_WAITED_MEM].count, 0);
	at(&l, 61900, HVMM_VCPU_READY);
	hvmm_ledger_read_waits(&l, &s, w);
	CHECK_EQ(w[HVMM_WAITED_MEM].count, 1);
	CHECK_EQ(w[HVMM_WAITED_MEM].longest, 900);
}

static void clock_back(void)
{
	struct hvmm_ledger_sample s;
	struct hvmm_wait_stat w[HVMM_WAITED_NR];
	struct hvmm_ledger l = {};
	u64 sum = 0;
	int i;

	hvmm_ledger_init(&l, HVMM_VCPU_HALTED, 1000);
	at(&l, 2000, HVMM_VCPU_READY);
	at(&l, 1990, HVMM_VCPU_RUN);
	clock_ns = 1995;
	hvmm_ledger_read_waits(&l, &s, w);
	for (i = 0; i < HVMM_VCPU_STATE_NR; i++)
		sum += s.ns[i];
	CHECK_EQ(sum, s.wall);
	CHECK_EQ(s.wall, 1000);
	CHECK_EQ(w[HVMM_WAITED_WAKE].longest, 0);
	CHECK_EQ(w[HVMM_WAITED_WAKE].count, 1);
}

/* Any order of states, against a model. */
static void random_walk(void)
{
	int round, step, i;

	rng_seed();
	for (round = 0; round < 200; round++) {
		struct hvmm_ledger l = {};
		struct tally t[HVMM_WAITED_NR] = {};
		u64 start = 1 + rng() % 1000000, now = start, since = now;
		u64 ns[HVMM_VCPU_STATE_NR] = {}, woken = 0, capped = 0, sum;
		enum hvmm_vcpu_state state = rng() % HVMM_VCPU_STATE_NR, next;
		struct hvmm_wait_stat w[HVMM_WAITED_NR];
		struct hvmm_ledger_sample s;

		hvmm_ledger_init(&l, state, now);
		for (step = 0; step < 500; step++) {
			now += rng() >> (24 + rng() % 40);
			next = rng() % HVMM_VCPU_STATE_NR;
			if (next != state) {
				ns[state] += now - since;
				for (i = 0; i <= HVMM_WAITED_MEM; i++)
					if (waiting[i] == state)
						tally(&t[i], now - since, now - start);
				if (woken && state == HVMM_VCPU_CAPPED)
					capped += now - since;
				if (hvmm_vcpu_state_parked(next)) {
					woken = 0;
					capped = 0;
				} else if (next == HVMM_VCPU_RUN && woken) {
					tally(&t[HVMM_WAITED_WAKE], now - woken, now - start);
					if (capped)
						tally(&t[HVMM_WAITED_WAKE_CAPPED], capped,
						      now - start);
					woken = 0;
					capped = 0;
				} else if (next != HVMM_VCPU_RUN && hvmm_vcpu_state_parked(state)) {
					woken = now;
				}
				since = now;
				state = next;
			}
			at(&l, now, next);
		}
		clock_ns = now += rng() % 100000;
		hvmm_ledger_read_waits(&l, &s, w);
		ns[state] += now - since;
		CHECK_EQ(s.wall, now - start);
		CHECK_EQ(s.state, state);
		CHECK_EQ(s.since, now - since);
		for (i = 0, sum = 0; i < HVMM_VCPU_STATE_NR; i++) {
			CHECK_EQ(s.ns[i], ns[i]);
			sum += s.ns[i];
		}
		CHECK_EQ(sum, s.wall);
		for (i = 0; i < HVMM_WAITED_NR; i++)
			compare(&t[i], &w[i]);
		if (check_failed)
			return;
	}
}

static struct hvmm_ledger shared;
static bool stop;

static void *writer(void *unused)
{
	static const enum hvmm_vcpu_state cycle[] = {
		HVMM_VCPU_HALTED, HVMM_VCPU_CAPPED, HVMM_VCPU_READY, HVMM_VCPU_RUN,
		HVMM_VCPU_HOST, HVMM_VCPU_RUN, HVMM_VCPU_READY, HVMM_VCPU_RUN,
		HVMM_VCPU_IO, HVMM_VCPU_READY, HVMM_VCPU_RUN,
	};
	unsigned int i = 0;
	u64 now = 1;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		now += 1 + (i * 2654435761u >> 20);
		__atomic_store_n(&clock_ns, now, __ATOMIC_RELAXED);
		hvmm_ledger_switch(&shared, cycle[i++ % ARRAY_SIZE(cycle)], now);
	}
	return NULL;
}

/* A reader beside a writer sees all of one instant. */
static void beside_a_writer(void)
{
	struct hvmm_wait_stat w[HVMM_WAITED_NR];
	struct hvmm_ledger_sample s;
	u64 sum, count, last = 0;
	pthread_t thread;
	int i, k, b;

	clock_ns = 1;
	hvmm_ledger_init(&shared, HVMM_VCPU_RUN, 1);
	pthread_create(&thread, NULL, writer, NULL);
	for (i = 0; i < 200000; i++) {
		hvmm_ledger_read_waits(&shared, &s, w);
		for (k = 0, sum = 0; k < HVMM_VCPU_STATE_NR; k++)
			sum += s.ns[k];
		CHECK_EQ(sum, s.wall);
		for (k = 0; k < HVMM_WAITED_NR; k++) {
			for (b = 0, count = 0; b < HVMM_WAIT_BUCKETS; b++)
				count += w[k].bucket[b];
			CHECK_EQ(count, w[k].count);
			CHECK(w[k].longest_end <= s.wall);
		}
		/* In a cycle: three waits for a pCPU, two of them after a wake-up. */
		CHECK(w[HVMM_WAITED_READY].count * 2 <= w[HVMM_WAITED_WAKE].count * 3 + 3);
		CHECK(w[HVMM_WAITED_WAKE].count >= last);
		last = w[HVMM_WAITED_WAKE].count;
		if (check_failed)
			break;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	CHECK(last > 100);
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "buckets have the bounds that the ABI states", buckets },
		{ "a wake-up ends when the vCPU runs, its cap told apart", wake_up },
		{ "an earlier clock counts as no time", clock_back },
		{ "any order of states, against a model", random_walk },
		{ "a reader beside a writer", beside_a_writer },
	};

	return check_main(cases, ARRAY_SIZE(cases));
}
