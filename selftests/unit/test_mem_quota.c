// SPDX-License-Identifier: GPL-2.0
/*
 * Memory quotas: what fits, who waits, who is woken; then threads that fault on shared
 * pages and tables under a limit that moves, while pages are given back.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "mem/quota.h"

unsigned int check_failed;

static atomic_long held_now;
static unsigned int woken;

static u64 held(struct hvmm_mem_quota *quota)
{
	return atomic_load(&held_now);
}

static void count_wake(struct hvmm_mem_wait *wait)
{
	woken++;
}

static void set_max(struct hvmm_mem_quota *quota, u64 max)
{
	struct hvmm_mem_limits limits;

	hvmm_mem_quota_get(quota, &limits);
	limits.max = max;
	hvmm_mem_quota_set(quota, &limits);
}

static int take(struct hvmm_mem_quota *q, u64 bytes, struct hvmm_mem_wait *wait, u64 *taken)
{
	*taken = bytes;
	return -hvmm_mem_quota_take(q, taken, wait);
}

static void test_limits(void)
{
	const struct hvmm_mem_limits set = { .max = 300, .high = 200, .min = 100 };
	struct hvmm_mem_limits got;
	struct hvmm_mem_quota q;
	u64 taken;

	atomic_store(&held_now, 250);
	hvmm_mem_quota_init(&q, held);
	hvmm_mem_quota_get(&q, &got);
	CHECK_EQ(got.max, HVMM_MEM_MAX_NONE);
	CHECK_EQ(got.high, HVMM_MEM_MAX_NONE);
	CHECK_EQ(got.min, 0);
	hvmm_mem_quota_set(&q, &set);
	hvmm_mem_quota_get(&q, &got);
	CHECK_EQ(got.max, 300);
	CHECK_EQ(got.high, 200);
	CHECK_EQ(got.min, 100);
	CHECK_EQ(hvmm_mem_quota_held(&q), 250);
	/* Only mem-max refuses. */
	CHECK_EQ(take(&q, 50, NULL, &taken), 0);
	CHECK_EQ(hvmm_mem_quota_held(&q), 250);
	hvmm_mem_quota_settle(&q, taken);
}

static void test_arithmetic(void)
{
	struct hvmm_mem_quota q;
	u64 a, b;

	atomic_store(&held_now, 1000);
	hvmm_mem_quota_init(&q, held);
	CHECK_EQ(hvmm_mem_quota_max(&q), HVMM_MEM_MAX_NONE);
	CHECK_EQ(take(&q, 1 << 20, NULL, &a), 0);
	CHECK_EQ(a, 0);
	hvmm_mem_quota_settle(&q, a);

	set_max(&q, 2000);
	CHECK_EQ(take(&q, 1001, NULL, &a), EDQUOT);
	CHECK_EQ(a, 0);
	CHECK_EQ(take(&q, 600, NULL, &a), 0);
	CHECK_EQ(a, 600);
	CHECK_EQ(take(&q, 401, NULL, &b), EDQUOT);
	CHECK_EQ(take(&q, 400, NULL, &b), 0);
	CHECK_EQ(q.pending, 1000);
	/* What costs nothing is never refused. */
	set_max(&q, 1);
	CHECK_EQ(take(&q, 0, NULL, &a), 0);
	CHECK_EQ(take(&q, 1, NULL, &a), EDQUOT);
	CHECK_EQ(take(&q, U64_MAX, NULL, &a), EDQUOT);
	hvmm_mem_quota_settle(&q, 600);
	hvmm_mem_quota_settle(&q, 400);
	CHECK_EQ(q.pending, 0);
	set_max(&q, U64_MAX - 1);
	CHECK_EQ(take(&q, U64_MAX - 1001, NULL, &a), 0);
	CHECK_EQ(take(&q, 1, NULL, &b), EDQUOT);
	hvmm_mem_quota_settle(&q, a);
	CHECK_EQ(q.pending, 0);
}

static void test_waiters(void)
{
	struct hvmm_mem_wait w[3];
	struct hvmm_mem_quota q;
	u64 a, b;
	int i;

	atomic_store(&held_now, 0);
	woken = 0;
	hvmm_mem_quota_init(&q, held);
	set_max(&q, 10);
	for (i = 0; i < 3; i++)
		hvmm_mem_wait_init(&w[i], count_wake);

	CHECK_EQ(take(&q, 10, &w[0], &a), 0);
	CHECK_EQ(q.nr_waiting, 0);
	CHECK_EQ(take(&q, 4, &w[0], &b), EDQUOT);
	CHECK(!w[0].full);
	CHECK_EQ(take(&q, 11, &w[1], &b), EDQUOT);
	CHECK(w[1].full);
	/* Who asks again waits once. */
	CHECK_EQ(take(&q, 5, &w[0], &b), EDQUOT);
	CHECK_EQ(q.nr_waiting, 2);

	hvmm_mem_quota_settle(&q, a);
	CHECK_EQ(woken, 2);
	CHECK_EQ(q.nr_waiting, 0);
	/* Who was woken is woken no more. */
	set_max(&q, 9);
	CHECK_EQ(woken, 2);

	CHECK_EQ(take(&q, 10, &w[2], &b), EDQUOT);
	hvmm_mem_wait_begin(&q, &w[1]);
	hvmm_mem_quota_returned(&q);
	CHECK_EQ(woken, 4);

	/* Who is granted something does not wait any longer. */
	CHECK_EQ(take(&q, 10, &w[2], &b), EDQUOT);
	CHECK_EQ(take(&q, 9, &w[2], &b), 0);
	CHECK_EQ(q.nr_waiting, 0);
	hvmm_mem_quota_settle(&q, b);

	/* One that is off is refused, and not woken. */
	CHECK_EQ(take(&q, 10, &w[0], &b), EDQUOT);
	hvmm_mem_wait_end(&q, &w[0], true);
	CHECK_EQ(take(&q, 10, &w[0], &b), EDQUOT);
	hvmm_mem_wait_begin(&q, &w[0]);
	hvmm_mem_wait_end(&q, &w[0], false);
	hvmm_mem_wait_begin(&q, &w[0]);
	CHECK_EQ(q.nr_waiting, 0);
	set_max(&q, 100);
	CHECK_EQ(woken, 4);
	hvmm_mem_wait_init(&w[0], count_wake);
	hvmm_mem_wait_begin(&q, &w[0]);
	CHECK_EQ(q.nr_waiting, 1);
	hvmm_mem_wait_end(&q, &w[0], false);
	CHECK_EQ(q.nr_waiting, 0);
}

/*
 * A VM: pages that lie under tables, all of the size 1. Faults go as in mem/fault.c,
 * with a moment between each two steps for others.
 */
#define THREADS		4
#define TABLES		24
#define PER_TABLE	16
#define PAGES		(TABLES * PER_TABLE)

struct faulter {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct hvmm_mem_wait wait;
	bool go;
	bool parked;
	atomic_uint at;
	unsigned int order[PAGES];
};

static struct hvmm_mem_quota vm;
static struct faulter faulters[THREADS];
static atomic_bool page[PAGES], table[TABLES], stop;
static atomic_long over, finished, refused, attempts;

static void wake_faulter(struct hvmm_mem_wait *wait)
{
	struct faulter *f = (struct faulter *)((char *)wait - offsetof(struct faulter, wait));

	pthread_mutex_lock(&f->lock);
	f->go = true;
	pthread_cond_signal(&f->cond);
	pthread_mutex_unlock(&f->lock);
}

static u64 needed(unsigned int i, bool *has_page)
{
	*has_page = atomic_load(&page[i]);
	return !*has_page + !atomic_load(&table[i / PER_TABLE]);
}

static void acquire(atomic_bool *what)
{
	if (atomic_exchange(what, true))
		return;
	sched_yield();
	/* The limit is only raised in this test. */
	if ((u64)atomic_fetch_add(&held_now, 1) + 1 > hvmm_mem_quota_max(&vm))
		atomic_fetch_add(&over, 1);
}

enum outcome { DONE, AGAIN, WAITS };

static enum outcome fault(struct faulter *f, unsigned int i)
{
	bool has_page, now;
	u64 want = needed(i, &has_page), taken = want;
	enum outcome out = DONE;

	atomic_fetch_add(&attempts, 1);
	sched_yield();
	if (hvmm_mem_quota_take(&vm, &taken, &f->wait)) {
		atomic_fetch_add(&refused, 1);
		return needed(i, &now) < want ? AGAIN : WAITS;
	}
	if (has_page && !atomic_load(&page[i])) {
		/* Given back meanwhile: it was not counted. */
		out = AGAIN;
	} else {
		if (want > !has_page)
			acquire(&table[i / PER_TABLE]);
		if (!has_page)
			acquire(&page[i]);
	}
	hvmm_mem_quota_settle(&vm, taken);
	return out;
}

static void *run_faults(void *arg)
{
	struct faulter *f = arg;
	enum outcome out;
	unsigned int n;

	for (n = 0; n < PAGES; n++) {
		atomic_store(&f->at, f->order[n]);
		while ((out = fault(f, f->order[n])) != DONE) {
			if (out == AGAIN)
				continue;
			pthread_mutex_lock(&f->lock);
			f->parked = true;
			while (!f->go)
				pthread_cond_wait(&f->cond, &f->lock);
			f->go = false;
			f->parked = false;
			pthread_mutex_unlock(&f->lock);
		}
		hvmm_mem_wait_end(&vm, &f->wait, false);
	}
	atomic_fetch_add(&finished, 1);
	/* Woken for what it has found out without. */
	pthread_mutex_lock(&f->lock);
	f->go = false;
	f->parked = true;
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static bool give_back(unsigned int i)
{
	if (!atomic_exchange(&page[i], false))
		return false;
	sched_yield();
	atomic_fetch_sub(&held_now, 1);
	hvmm_mem_quota_returned(&vm);
	return true;
}

static void *run_returns(void *arg)
{
	unsigned int i = 0;

	while (!atomic_load(&stop)) {
		i = (i * 5 + 1) % 512;
		if (i < PAGES)
			give_back(i);
		sched_yield();
	}
	return NULL;
}

/* Whether each waits, and nobody has told it to go on; or has finished. */
static bool all_parked(void)
{
	unsigned int i;
	bool parked;

	for (i = 0; i < THREADS; i++) {
		pthread_mutex_lock(&faulters[i].lock);
		parked = faulters[i].parked && !faulters[i].go;
		pthread_mutex_unlock(&faulters[i].lock);
		if (!parked)
			return false;
	}
	return true;
}

/* Twice, with no attempt between: one that was seen to wait may be woken by the next. */
static void settle_down(void)
{
	long before;

	do {
		sched_yield();
		before = atomic_load(&attempts);
	} while (!all_parked() || !all_parked() || atomic_load(&attempts) != before);
}

static void start_faults(u64 max)
{
	struct faulter *f;
	unsigned int n, i;

	for (i = 0; i < PAGES; i++)
		atomic_store(&page[i], false);
	for (i = 0; i < TABLES; i++)
		atomic_store(&table[i], false);
	atomic_store(&held_now, 0);
	atomic_store(&over, 0);
	atomic_store(&finished, 0);
	atomic_store(&refused, 0);
	atomic_store(&stop, false);
	hvmm_mem_quota_init(&vm, held);
	set_max(&vm, max);
	for (f = faulters; f < faulters + THREADS; f++) {
		pthread_mutex_init(&f->lock, NULL);
		pthread_cond_init(&f->cond, NULL);
		hvmm_mem_wait_init(&f->wait, wake_faulter);
		f->go = false;
		f->parked = false;
		/* Two of them go the same way: they want the same at the same time. */
		for (n = 0; n < PAGES; n++)
			f->order[n] = n;
		for (n = PAGES - 1; n && f >= faulters + 2; n--) {
			unsigned int other = rng_below(n + 1), was = f->order[n];

			f->order[n] = f->order[other];
			f->order[other] = was;
		}
	}
	for (f = faulters; f < faulters + THREADS; f++)
		pthread_create(&f->thread, NULL, run_faults, f);
}

static void end_faults(void)
{
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		pthread_join(faulters[i].thread, NULL);
	CHECK_EQ(atomic_load(&over), 0);
	CHECK_EQ(vm.pending, 0);
	CHECK_EQ(vm.nr_waiting, 0);
}

/* Who waits could not have what it wants. A wake-up that was lost hangs: alarm(). */
static void check_all_wait(u64 max)
{
	u64 now = atomic_load(&held_now);
	unsigned int i;
	bool unused;

	CHECK(now <= max);
	for (i = 0; i < THREADS && !atomic_load(&finished); i++)
		CHECK(needed(atomic_load(&faulters[i].at), &unused) > max - now);
}

static void test_threads(void)
{
	unsigned int round, i;
	u64 max;

	for (round = 0; round < 20; round++) {
		max = rng_below(8);
		start_faults(max);
		while (max < PAGES + TABLES) {
			settle_down();
			check_all_wait(max);
			if (rng_below(3) == 0)
				for (i = 0; i < PAGES && !give_back(rng_below(PAGES)); i++)
					;
			if (atomic_load(&finished) == THREADS)
				break;
			max += 1 + rng_below(24);
			set_max(&vm, max);
		}
		set_max(&vm, HVMM_MEM_MAX_NONE);
		end_faults();
		CHECK(atomic_load(&refused) > 0);
	}
}

/* Without a change of the limit: what is given back lets all of them finish. */
static void test_returns(void)
{
	unsigned int round;
	pthread_t thread;

	for (round = 0; round < 10; round++) {
		start_faults(TABLES + 8 + rng_below(PAGES / 2));
		pthread_create(&thread, NULL, run_returns, NULL);
		end_faults();
		atomic_store(&stop, true);
		pthread_join(thread, NULL);
	}
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "three limits", test_limits },
		{ "what fits", test_arithmetic },
		{ "who waits, and who is woken", test_waiters },
		{ "threads under a limit that is raised", test_threads },
		{ "threads under a limit, with pages given back", test_returns },
	};

	alarm(60);
	return check_main(cases, ARRAY_SIZE(cases));
}
