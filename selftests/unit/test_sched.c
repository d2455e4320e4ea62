// SPDX-License-Identifier: GPL-2.0
/*
 * The scheduler's core under random operations: one thread that checks every
 * invariant after each of them, then many threads that run, wake, hold and take
 * resources away at once. What must never happen is a unit that is runnable and
 * that nobody runs.
 *
 * SEED repeats a run of the first part.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "sched/sched.h"

#include "rng.h"
#include "tap.h"

#define NR_RES		4
#define NR_UNITS	9

__thread unsigned int lock_depth;

struct fake_unit {
	struct hvmm_unit unit;
	bool wants;		/* it has something to do */
	bool held;		/* its VM is held */
	int state;		/* as told by changed() */
	unsigned long runs;
};

static struct hvmm_resource res[NR_RES];
static struct fake_unit units[NR_UNITS];
static bool kicked[NR_RES];

static struct fake_unit *fake(struct hvmm_unit *unit)
{
	return (struct fake_unit *)unit;
}

static bool fake_runnable(struct hvmm_unit *unit)
{
	return READ_ONCE(fake(unit)->wants) && !READ_ONCE(fake(unit)->held);
}

static void fake_changed(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now)
{
	WRITE_ONCE(fake(unit)->state, state);
}

static void fake_kick(struct hvmm_resource *r)
{
	__atomic_store_n(&kicked[r->id], true, __ATOMIC_SEQ_CST);
}

static const struct hvmm_sched_exec exec = {
	.runnable	= fake_runnable,
	.changed	= fake_changed,
	.kick		= fake_kick,
};

static void setup(unsigned int online)
{
	unsigned int i;

	memset(res, 0, sizeof(res));
	memset(units, 0, sizeof(units));
	memset(kicked, 0, sizeof(kicked));
	hvmm_sched_init(res, NR_RES, &exec);
	for (i = 0; i < online; i++)
		hvmm_sched_set_online(&res[i], true, 0);
	for (i = 0; i < NR_UNITS; i++)
		hvmm_unit_init(&units[i].unit, i);
}

static unsigned int queue_length(const struct hvmm_resource *r)
{
	const struct list_head *node;
	unsigned int n = 0;

	for (node = r->rr.next; node != &r->rr; node = node->next)
		n++;
	return n;
}

/* Return: what is wrong, or NULL. */
static const char *check(void)
{
	unsigned int i, queued = 0, running = 0;
	bool someone = hvmm_sched_nr_online();

	if (lock_depth)
		return "a lock is still held";
	for (i = 0; i < NR_RES; i++) {
		if (queue_length(&res[i]) != res[i].nr_queued)
			return "nr_queued is wrong";
		if (res[i].curr && (res[i].curr->res != &res[i] ||
				    res[i].curr->state != HVMM_UNIT_RUNNING))
			return "curr does not run here";
		if (!res[i].online && res[i].nr_queued && someone)
			return "a unit waits for an offline resource";
		if (!res[i].online && res[i].curr && !res[i].attention)
			return "an offline resource was not told to give its unit back";
		if (res[i].online && !res[i].curr && res[i].nr_queued && !kicked[i])
			return "an idle resource was not told of its work";
		queued += res[i].nr_queued;
		running += !!res[i].curr;
	}
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

static void run_or_put(struct hvmm_resource *r, u64 now)
{
	u64 end;

	if (!r->curr) {
		kicked[r->id] = false;
		hvmm_sched_next(r, now);
		return;
	}
	if (r->attention) {
		end = hvmm_sched_attend(r, now);
		if (!end || now < end)
			return;
	} else if (rng_below(2)) {
		fake(r->curr)->wants = false;
	}
	hvmm_sched_put(r, now);
	/* It goes on to ask for the next one. */
	kicked[r->id] = true;
}

static void one_step(u64 now)
{
	struct fake_unit *u = &units[rng_below(NR_UNITS)];
	struct hvmm_resource *r = &res[rng_below(NR_RES)];

	switch (rng_below(8)) {
	case 0 ... 2:
		run_or_put(r, now);
		break;
	case 3 ... 4:
		u->wants = true;
		hvmm_sched_wake(&u->unit, now);
		break;
	case 5:
		u->held = true;
		hvmm_sched_hold(&u->unit, now);
		break;
	case 6:
		u->held = false;
		hvmm_sched_wake(&u->unit, now);
		break;
	default:
		/* Its executor gives it up first, as the runner's owner waits for. */
		if (r->online && r->curr) {
			hvmm_sched_set_online(r, false, now);
			hvmm_sched_put(r, now);
			kicked[r->id] = true;
		} else {
			hvmm_sched_set_online(r, !r->online, now);
		}
	}
}

static void test_steps(void)
{
	const char *wrong = NULL;
	unsigned long i;
	u64 now = 1;

	tap_diag("seed %llu", (unsigned long long)rng_seed());
	setup(2);
	for (i = 0; i < 1000000 && !wrong; i++) {
		now += rng_below(1000000);
		one_step(now);
		wrong = check();
	}
	if (wrong)
		tap_diag("step %lu: %s", i, wrong);
	tap_ok(!wrong, "random steps keep the invariants");
}

static void test_rules(void)
{
	struct hvmm_unit *a, *b;
	unsigned int i;

	setup(1);
	for (i = 0; i < 3; i++) {
		units[i].wants = true;
		hvmm_sched_wake(&units[i].unit, 1);
	}
	a = hvmm_sched_next(&res[0], 1);
	hvmm_sched_put(&res[0], 2);
	b = hvmm_sched_next(&res[0], 2);
	tap_ok(a == &units[0].unit && b == &units[1].unit, "first come, first served");
	tap_ok(hvmm_sched_attend(&res[0], 3) > 3, "a slice ends when others wait");

	hvmm_sched_set_online(&res[1], true, 3);
	a = hvmm_sched_next(&res[1], 3);
	tap_ok(a == &units[2].unit, "an idle resource steals");

	setup(0);
	units[0].wants = true;
	hvmm_sched_wake(&units[0].unit, 1);
	tap_ok(units[0].unit.state == HVMM_UNIT_QUEUED, "a wake-up with nobody online is kept");
	hvmm_sched_set_online(&res[3], true, 2);
	tap_ok(kicked[3] && hvmm_sched_next(&res[3], 2) == &units[0].unit,
	       "and served by the first that comes");

	/* The same while that one is busy: nobody becomes idle to steal it. */
	setup(0);
	for (i = 0; i < 2; i++) {
		units[i].wants = true;
		hvmm_sched_wake(&units[i].unit, 1);
	}
	hvmm_sched_set_online(&res[2], true, 2);
	tap_ok(res[2].nr_queued == 2, "all that waited is moved there");
}

static bool stop;

static void *runner(void *arg)
{
	struct hvmm_resource *r = arg;
	struct hvmm_unit *unit;
	u64 now = 1;

	while (!READ_ONCE(stop) || READ_ONCE(r->curr)) {
		unit = hvmm_sched_next(r, now++);
		if (!unit) {
			sched_yield();
			continue;
		}
		fake(unit)->runs++;
		if (READ_ONCE(r->attention))
			hvmm_sched_attend(r, now++);
		WRITE_ONCE(fake(unit)->wants, fake(unit)->runs & 1);
		hvmm_sched_put(r, now++);
	}
	return NULL;
}

/* As hvmm_vm_pause() and hvmm_vm_resume(): held means parked, and stays so. */
static void *holder(void *arg)
{
	struct fake_unit *u = arg;
	unsigned long runs, *broken = calloc(1, sizeof(*broken));
	unsigned int i;

	while (!READ_ONCE(stop)) {
		WRITE_ONCE(u->held, true);
		while (!hvmm_sched_hold(&u->unit, 1))
			sched_yield();
		runs = READ_ONCE(u->runs);
		for (i = 0; i < 20; i++)
			sched_yield();
		*broken += READ_ONCE(u->runs) != runs;
		WRITE_ONCE(u->held, false);
		hvmm_sched_wake(&u->unit, 1);
	}
	return broken;
}

static void *waker(void *arg)
{
	unsigned int i = 0;

	while (!READ_ONCE(stop)) {
		WRITE_ONCE(units[i % NR_UNITS].wants, true);
		hvmm_sched_wake(&units[i % NR_UNITS].unit, 1);
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
		hvmm_sched_set_online(r, false, 1);
		while (READ_ONCE(r->curr))
			sched_yield();
		hvmm_sched_set_online(r, true, 1);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t run[NR_RES], hold[3], wake[2], plug;
	unsigned long broken = 0, idle = 0;
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
	pthread_create(&plug, NULL, plugger, NULL);
	sleep(2);
	WRITE_ONCE(stop, true);
	for (i = 0; i < 3; i++) {
		pthread_join(hold[i], &ret);
		broken += *(unsigned long *)ret;
		free(ret);
	}
	for (i = 0; i < 2; i++)
		pthread_join(wake[i], NULL);
	pthread_join(plug, NULL);
	for (i = 0; i < NR_RES; i++)
		pthread_join(run[i], NULL);
	/* The runners have gone: what is left in queues was never promised an end. */
	memset(kicked, true, sizeof(kicked));
	for (i = 0; i < NR_UNITS; i++)
		if (!units[i].runs)
			tap_diag("unit %u has not run", i);
	for (i = 3; i < NR_UNITS; i++)
		idle += !units[i].runs;
	wrong = check();
	if (wrong)
		tap_diag("%s", wrong);
	tap_ok(!wrong, "threads: no unit is lost, none runs twice");
	tap_ok(!broken, "threads: a held unit does not run");
	tap_ok(!idle, "threads: every unit that is not held has run");
}

int main(void)
{
	tap_plan(10);
	test_rules();
	test_steps();
	test_threads();
	return tap_done();
}
