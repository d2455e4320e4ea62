// SPDX-License-Identifier: GPL-2.0
/*
 * The scheduler's locking: many threads run, wake, hold, change quotas, let time pass
 * and take resources away at once, in two domains. What must never happen is a unit
 * that is runnable and that nobody will run, or one that runs twice. What is decided
 * when, and whether that is right, is the simulator's business (selftests/sched).
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sched/domain.h"

#include "check.h"

#define NR_RES		4
#define NR_DOMS		2
#define NR_GROUPS	3
#define NR_UNITS	9

unsigned int check_failed;
__thread unsigned int lock_depth;

struct fake_unit {
	struct hvmm_unit unit;
	bool wants;		/* it has something to do */
	bool held;		/* its VM is held */
	bool running;		/* some runner has it */
	int state;		/* as told by changed() */
	unsigned long runs;
};

static const unsigned int dom_of[NR_RES] = { 0, 0, 1, 1 };
static struct hvmm_resource res[NR_RES];
static struct hvmm_group *groups[NR_GROUPS];
static struct fake_unit units[NR_UNITS];
static u64 armed[NR_DOMS];
static void *doms;
static unsigned int kicks[NR_RES];
static u64 clock_ns;
static unsigned long broken, twice;
static bool stop;

/* Each look at the clock is a while after the one before. */
static u64 now(void)
{
	return __atomic_add_fetch(&clock_ns, 5000, __ATOMIC_SEQ_CST);
}

static struct fake_unit *fake(struct hvmm_unit *unit)
{
	return (struct fake_unit *)unit;
}

static bool fake_runnable(struct hvmm_unit *unit)
{
	return READ_ONCE(fake(unit)->wants) && !READ_ONCE(fake(unit)->held);
}

static void fake_changed(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 at)
{
	WRITE_ONCE(fake(unit)->state, state);
}

static void fake_kick(struct hvmm_resource *r)
{
	__atomic_add_fetch(&kicks[r->id], 1, __ATOMIC_SEQ_CST);
}

static void fake_arm(unsigned int dom, u64 at)
{
	WRITE_ONCE(armed[dom], at);
}

static void fake_broken(unsigned int dom, const char *policy, const char *why)
{
	tap_diag("%s %s", policy, why);
	__atomic_add_fetch(&broken, 1, __ATOMIC_SEQ_CST);
}

static const struct hvmm_sched_exec exec = {
	.runnable	= fake_runnable,
	.changed	= fake_changed,
	.kick		= fake_kick,
	.arm		= fake_arm,
	.broken		= fake_broken,
};

static void setup(unsigned int online)
{
	struct hvmm_sched_config config = {
		.res = res, .nr_res = NR_RES, .dom_of = dom_of, .nr_dom = NR_DOMS, .exec = &exec,
	};
	unsigned int i;

	clock_ns = 1000000000;
	memset(res, 0, sizeof(res));
	memset(units, 0, sizeof(units));
	free(doms);
	doms = calloc(NR_DOMS, hvmm_domain_size());
	config.dom = doms;
	hvmm_sched_init(&config);
	for (i = 0; i < NR_GROUPS; i++) {
		free(groups[i]);
		groups[i] = calloc(1, hvmm_group_size());
		hvmm_group_init(groups[i], i + 1);
	}
	for (i = 0; i < NR_UNITS; i++)
		hvmm_unit_init(&units[i].unit, groups[i % NR_GROUPS], i / NR_GROUPS);
	for (i = 0; i < online; i++)
		hvmm_sched_set_online(&res[i], true, now());
}

/* Everybody has stopped. Return: what is wrong, or NULL. */
static const char *check(void)
{
	unsigned int i, queued = 0, running = 0;

	if (lock_depth)
		return "a lock is still held";
	for (i = 0; i < NR_DOMS; i++)
		queued += hvmm_domain_nr(i)->nr_waiting;
	for (i = 0; i < NR_RES; i++)
		running += !!res[i].curr;
	for (i = 0; i < NR_UNITS; i++) {
		struct fake_unit *u = &units[i];

		if (u->unit.state != u->state)
			return "the executor was not told of a state";
		queued -= u->unit.state == HVMM_UNIT_QUEUED;
		running -= u->unit.state == HVMM_UNIT_RUNNING;
		if (u->unit.state == HVMM_UNIT_PARKED && fake_runnable(&u->unit))
			return "a runnable unit is parked";
		if (u->unit.state == HVMM_UNIT_QUEUED && u->held)
			return "a held unit is queued";
	}
	return queued || running ? "a unit is nowhere, or twice" : NULL;
}

static void test_no_resource(void)
{
	setup(0);
	units[0].wants = true;
	CHECK(hvmm_sched_wake(&units[0].unit, now()));
	CHECK_EQ(units[0].unit.state, HVMM_UNIT_QUEUED);
	hvmm_sched_set_online(&res[3], true, now());
	CHECK(hvmm_sched_next(&res[3], now()) == &units[0].unit);
}

static void *runner(void *arg)
{
	struct hvmm_resource *r = arg;
	struct hvmm_unit *unit;
	unsigned int i;
	u64 end;

	while (!READ_ONCE(stop) || READ_ONCE(r->curr)) {
		unit = hvmm_sched_next(r, now());
		if (!unit) {
			sched_yield();
			continue;
		}
		if (__atomic_exchange_n(&fake(unit)->running, true, __ATOMIC_SEQ_CST))
			__atomic_add_fetch(&twice, 1, __ATOMIC_SEQ_CST);
		fake(unit)->runs++;
		for (i = 0; i < 8; i++) {
			end = READ_ONCE(r->attention) ? hvmm_sched_attend(r, now()) : 0;
			if (end && end <= READ_ONCE(clock_ns))
				break;
		}
		hvmm_sched_host(r, true, now());
		hvmm_sched_host(r, false, now());
		if (fake(unit)->runs % 7 == 0)
			hvmm_sched_yield_to(r, &units[unit->group->id - 1].unit, now());
		WRITE_ONCE(fake(unit)->wants, fake(unit)->runs & 1);
		__atomic_store_n(&fake(unit)->running, false, __ATOMIC_SEQ_CST);
		hvmm_sched_put(r, now());
	}
	return NULL;
}

/* As hvmm_vm_pause() and hvmm_vm_resume(): held means parked, and stays so. */
static void *holder(void *arg)
{
	struct fake_unit *u = arg;
	unsigned long runs, *ran = calloc(1, sizeof(*ran));
	unsigned int i;

	while (!READ_ONCE(stop)) {
		WRITE_ONCE(u->held, true);
		while (!hvmm_sched_hold(&u->unit, now()))
			sched_yield();
		runs = READ_ONCE(u->runs);
		for (i = 0; i < 20; i++)
			sched_yield();
		*ran += READ_ONCE(u->runs) != runs;
		WRITE_ONCE(u->held, false);
		hvmm_sched_wake(&u->unit, now());
	}
	return ran;
}

static void *waker(void *arg)
{
	unsigned int i = 0;

	while (!READ_ONCE(stop)) {
		WRITE_ONCE(units[i % NR_UNITS].wants, true);
		hvmm_sched_wake(&units[i % NR_UNITS].unit, now());
		i++;
		sched_yield();
	}
	return NULL;
}

/* Takes resources away and brings them back, never the last one. */
static void *plugger(void *arg)
{
	struct hvmm_resource *r;
	unsigned int i = 0;

	while (!READ_ONCE(stop)) {
		r = &res[1 + i++ % (NR_RES - 1)];
		hvmm_sched_set_online(r, false, now());
		while (READ_ONCE(r->curr))
			sched_yield();
		hvmm_sched_set_online(r, true, now());
	}
	return NULL;
}

static void *timer(void *arg)
{
	unsigned int i = 0;
	u64 at;

	while (!READ_ONCE(stop)) {
		i = (i + 1) % NR_DOMS;
		at = READ_ONCE(armed[i]);
		/* One that has been armed anew in between is not forgotten. */
		if (at && at <= now() &&
		    __atomic_compare_exchange_n(&armed[i], &at, 0, false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			hvmm_sched_timer(i, now());
		sched_yield();
	}
	return NULL;
}

/* Weights, caps, reservations and affinities, of two VMs at a time. */
static void *changer(void *arg)
{
	struct hvmm_quota quotas[2];
	struct hvmm_quota_change changes[2] = { { groups[0], &quotas[0] },
						{ groups[1], &quotas[1] } };
	struct hvmm_quota_verdict verdict;
	unsigned int i, n = 0;

	while (!READ_ONCE(stop)) {
		for (i = 0; i < 2; i++, n++) {
			hvmm_quota_default(&quotas[i]);
			quotas[i].weight = 1 + n * 37 % HVMM_WEIGHT_MAX;
			if (n % 3 == 0)
				quotas[i].max_ns = quotas[i].period_ns * (1 + n % 20) / 10;
			if (n % 5 == 0)
				quotas[i].min_ppm = 50000;
			if (n % 4 == 0)
				__clear_bit(n / 4 % NR_RES, quotas[i].affinity);
		}
		hvmm_sched_set_quota(changes, 2, now(), &verdict);
		hvmm_group_quota(groups[2], &quotas[0]);
		sched_yield();
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t run[NR_RES], hold[3], wake[2], other[3];
	unsigned long ran = 0;
	const char *wrong;
	unsigned int i;
	void *ret;

	setup(NR_RES);
	for (i = 0; i < NR_RES; i++)
		pthread_create(&run[i], NULL, runner, &res[i]);
	for (i = 0; i < 3; i++)
		pthread_create(&hold[i], NULL, holder, &units[i]);
	for (i = 0; i < 2; i++)
		pthread_create(&wake[i], NULL, waker, NULL);
	pthread_create(&other[0], NULL, plugger, NULL);
	pthread_create(&other[1], NULL, timer, NULL);
	pthread_create(&other[2], NULL, changer, NULL);
	sleep(4);
	WRITE_ONCE(stop, true);
	for (i = 0; i < 3; i++) {
		pthread_join(hold[i], &ret);
		ran += *(unsigned long *)ret;
		free(ret);
	}
	for (i = 0; i < 2; i++)
		pthread_join(wake[i], NULL);
	for (i = 0; i < 3; i++)
		pthread_join(other[i], NULL);
	for (i = 0; i < NR_RES; i++)
		pthread_join(run[i], NULL);
	wrong = check();
	if (wrong)
		tap_diag("%s", wrong);
	CHECK(!wrong);
	/* A held unit does not run, none runs twice, and no policy was confused. */
	CHECK_EQ(ran, 0);
	CHECK_EQ(twice, 0);
	CHECK_EQ(broken, 0);
	for (i = 3; i < NR_UNITS; i++)
		CHECK(units[i].runs);
	for (i = 0; i < NR_GROUPS; i++)
		free(groups[i]);
	free(doms);
}

/* What has left a resource keeps nobody from it. */
static void test_leave(void)
{
	struct hvmm_unit *first = &units[0].unit, *second = &units[1].unit;
	u64 ran;

	setup(1);
	units[0].wants = true;
	CHECK(hvmm_sched_wake(first, now()));
	CHECK(hvmm_sched_next(&res[0], now()) == first);
	kicks[0] = 0;
	CHECK(hvmm_sched_leave(&res[0], now()));
	clock_ns += 50000000;
	CHECK(!kicks[0]);
	units[1].wants = true;
	CHECK(hvmm_sched_wake(second, now()));
	CHECK_EQ(kicks[0], 1);
	/* It waits for something: that is not told when it leaves. */
	units[0].wants = false;
	ran = first->ran;
	hvmm_sched_return(&res[0], now());
	hvmm_sched_put(&res[0], now());
	/* While it was away no time was charged. */
	CHECK(first->ran - ran < 1000000);
	CHECK(hvmm_sched_next(&res[0], now()) == second);

	units[0].wants = true;
	CHECK(hvmm_sched_wake(first, now()));
	CHECK(!hvmm_sched_leave(&res[0], now()));
	hvmm_sched_return(&res[0], now());
	hvmm_sched_put(&res[0], now());

	/* Nor does it come to a resource that is to go. */
	CHECK(hvmm_sched_next(&res[0], now()));
	hvmm_sched_set_online(&res[0], false, now());
	CHECK(!hvmm_sched_leave(&res[0], now()));
	hvmm_sched_return(&res[0], now());
	hvmm_sched_put(&res[0], now());
	CHECK(!check());
}

static const struct check_case cases[] = {
	{ "a wake-up with nobody online is kept for the first that comes", test_no_resource },
	{ "a unit that has left its resource for a while is put for who wants that", test_leave },
	{ "threads: nobody is lost, runs twice, or runs while held", test_threads },
};

int main(void)
{
	return check_main(cases, ARRAY_SIZE(cases));
}
