// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs that other schedulers have had, each as a scenario that fails where the bug
 * is; and policies that have such bugs, to show that it does.
 */
#include <string.h>

#include "sim.h"

static void begin(unsigned int cpus)
{
	sim.kick_max = 5 * USEC;
	sim.timer_max = 5 * USEC;
	sim.switch_max = 1 * USEC;
	sim_begin(cpus, 1);
}

static struct sim_vm *vm_that(enum sim_behave behave, u64 run, u64 sleep, u32 weight)
{
	struct sim_vm *vm = sim_vm_new(1, weight);

	sim_vm_behave(vm, behave, run, sleep);
	sim_vm_start(vm);
	return vm;
}

static void run_for(u64 ns)
{
	sim_run_until(sim.now + ns);
}

/* Two busy VMs with virtual time that begins at @v: 1:2. */
static void from(u64 v)
{
	struct sim_vm *light, *heavy;
	double part;

	begin(1);
	hvmm_domain_nr(0)->v = v;
	sim.res[0].v = v;
	light = vm_that(SIM_BUSY, 0, 0, 1);
	heavy = vm_that(SIM_BUSY, 0, 0, 2);
	run_for(2 * SEC);
	part = (double)sim_used(light) / (sim_used(light) + sim_used(heavy));
	sim_check(part > 0.33 && part < 0.337, "1:2 with a virtual time from %#llx gives %.3f",
		  (unsigned long long)v, part);
	sim_end();
}

static void overflow(void)
{
	from(0);
	from(BIT_ULL(31) - 5 * MSEC);
	from(BIT_ULL(32) - 5 * MSEC);
}

static void wrap(void)
{
	from(BIT_ULL(63) - 5 * SEC);
	from(U64_MAX - 1000 * SEC);
}

/* The slice's timer comes two seconds late: who ran so long does not pay for ever. */
static void long_slice(void)
{
	struct sim_vm *first, *other;
	u64 used;

	begin(1);
	first = vm_that(SIM_BUSY, 0, 0, 100);
	other = vm_that(SIM_BUSY, 0, 0, 100);
	run_for(5 * MSEC);
	sim.cpus[0].slice_gen++;
	sim_push(sim.now + 2 * SEC, EV_SLICE, 0, sim.cpus[0].slice_gen);
	run_for(2 * SEC + MSEC);
	if (sim_used(other) > sim_used(first))
		swap(first, other);
	sim_check(sim_used(first) > 2 * SEC, "nobody has run for long");
	used = sim_used(first);
	run_for(200 * MSEC);
	used = sim_used(first) - used;
	sim_check(used >= 60 * MSEC, "after a long slice a VM gets %llu of 200 ms", used / MSEC);
	sim_end();
}

static void dodge(void)
{
	struct sim_vm *dodger, *honest;

	begin(1);
	dodger = vm_that(SIM_DODGE, 0, 0, 100);
	honest = vm_that(SIM_BUSY, 0, 0, 100);
	run_for(2 * SEC);
	sim_check(sim_used(dodger) < sim_used(honest) * 102 / 100,
		  "who sleeps before its slice ends has %llu ms, an honest VM %llu",
		  sim_used(dodger) / MSEC, sim_used(honest) / MSEC);
	sim_end();
}

/* The same by yielding to a sibling, whose debts go nowhere. */
static void yield_debts(void)
{
	struct sim_vm *vm, *honest;

	begin(1);
	vm = sim_vm_new(3, 1);
	sim_vm_behave(vm, SIM_LOCK, 100 * USEC, 10 * USEC);
	sim_vm_start(vm);
	honest = vm_that(SIM_BUSY, 0, 0, 1000);
	run_for(5 * SEC);
	sim_check(sim_used(vm) < 100 * MSEC, "weight 1 beside 1000 has %llu ms of 5000",
		  sim_used(vm) / MSEC);
	sim_check(sim_used(honest) > 4800 * MSEC, "weight 1000 beside 1 has too little");
	sim_end();
}

/* Whoever is put back waits, and is to be counted when the next slice is made. */
static void outgoing(void)
{
	struct sim_vm *vms[2];
	unsigned int i;

	begin(1);
	for (i = 0; i < 2; i++)
		vms[i] = vm_that(SIM_BUSY, 0, 0, 100);
	run_for(SEC);
	for (i = 0; i < 2; i++)
		sim_check(vms[i]->units[0].longest <= 2 * HVMM_SLICE_NS + 2 * sim.timer_max +
			  sim.kick_max, "somebody waited and VM %u ran for %llu us",
			  vms[i]->id, vms[i]->units[0].longest / USEC);
	sim_end();
}

/* Nothing left, and then what it needs: it runs at once. */
static void refilled(void)
{
	struct sim_vm *vm, *light;
	unsigned int i;
	u64 used;

	begin(1);
	vm = sim_vm_new(1, 100);
	sim_vm_cap(vm, 1);
	sim_vm_start(vm);
	for (i = 0; i < 100; i++) {
		while (vm->units[0].state != HVMM_UNIT_CAPPED)
			sim_step();
		sim_vm_cap(vm, 0);
		/* Kicks go out with the next event. */
		run_for(2 * USEC);
		run_for(sim.kick_max + sim.switch_max);
		sim_check(vm->units[0].state == HVMM_UNIT_RUNNING, "its cap is gone and it waits");
		sim_vm_cap(vm, 1);
		run_for(MSEC);
	}
	sim_vm_destroy(vm);
	/* The same with a reservation that was used up. */
	light = vm_that(SIM_BUSY, 0, 0, 1);
	sim_vm_min(light, 10000);
	vm_that(SIM_BUSY, 0, 0, HVMM_WEIGHT_MAX);
	run_for(SEC);
	sim_vm_min(light, 500000);
	used = sim_used(light);
	run_for(100 * MSEC);
	sim_check(sim_used(light) - used >= 49 * MSEC, "half was reserved, it has %llu of 100 ms",
		  (sim_used(light) - used) / MSEC);
	sim_end();
}

static void spoil(struct hvmm_quota *q, unsigned int how)
{
	switch (how) {
	case 0:
		q->weight = 0;
		break;
	case 1:
		q->weight = HVMM_WEIGHT_MAX + 1;
		break;
	case 2:
		q->period_ns = HVMM_CAP_PERIOD_MIN - 1;
		break;
	case 3:
		q->period_ns = HVMM_CAP_PERIOD_MAX + 1;
		break;
	case 4:
		q->max_ns = q->period_ns / HVMM_CAP_MIN_DIV - 1;
		break;
	case 5:
		q->max_ns = q->period_ns * HVMM_RES_MAX + 1;
		break;
	case 6:
		q->burst_ns = HVMM_CAP_BURST_MAX + 1;
		break;
	case 7:
		bitmap_zero(q->affinity, HVMM_RES_MAX);
		break;
	case 8:
		q->min_ppm = 3 * HVMM_PPM;
		break;
	case 9:
		q->min_ppm = 200000;
		q->max_ns = q->period_ns / 10;
		break;
	default:
		q->min_ppm = 990000;
	}
}

/* One VM's setter refuses what another's does, alone or among others; all or nothing. */
static void setters(void)
{
	static const enum hvmm_quota_err errs[] = {
		HVMM_QUOTA_WEIGHT, HVMM_QUOTA_WEIGHT, HVMM_QUOTA_PERIOD, HVMM_QUOTA_PERIOD,
		HVMM_QUOTA_MAX, HVMM_QUOTA_MAX, HVMM_QUOTA_BURST, HVMM_QUOTA_AFFINITY,
		HVMM_QUOTA_MIN_UNITS, HVMM_QUOTA_MIN_OVER_MAX, HVMM_QUOTA_MIN_ADMIT,
	};
	struct hvmm_quota_change changes[2];
	struct hvmm_quota_verdict verdict;
	struct sim_vm *vms[2], *other;
	struct hvmm_quota good, bad, is;
	unsigned int i;

	begin(1);
	other = sim_vm_new(1, 100);
	sim_vm_min(other, 100000);
	vms[0] = sim_vm_new(1, 100);
	vms[1] = sim_vm_new(1, 100);
	for (i = 0; i < ARRAY_SIZE(errs); i++) {
		hvmm_quota_default(&good);
		bad = good;
		good.weight = 7;
		spoil(&bad, i);
		verdict = sim_vm_quota(vms[0], &bad);
		sim_check(verdict.err == errs[i], "case %u alone: error %d, not %d", i,
			  verdict.err, errs[i]);
		changes[0] = (struct hvmm_quota_change){ vms[0]->group, &good };
		changes[1] = (struct hvmm_quota_change){ vms[1]->group, &bad };
		sim_check(!hvmm_sched_set_quota(changes, 2, sim.now, &verdict) &&
			  verdict.err == errs[i] && verdict.index == 1,
			  "case %u among others: error %d, index %u", i, verdict.err,
			  verdict.index);
		hvmm_group_quota(vms[0]->group, &is);
		sim_check(is.weight == 100, "half of a refused transaction was done");
	}
	sim_end();
}

/* Timers of pCPUs that are gone, of all that there are. */
static void dead_timer(void)
{
	struct sim_vm *vm;
	unsigned int i;
	u64 bound;

	begin(2);
	vm = sim_vm_new(2, 100);
	sim_vm_cap(vm, 20);
	sim_vm_start(vm);
	for (i = 0; i < 50; i++) {
		run_for(sim_rand(5 * MSEC));
		sim_online(0, false);
		sim_online(1, false);
		run_for(sim_rand(20 * MSEC));
		/* Late ones, and ones that nobody has asked for. */
		hvmm_sched_timer(0, sim.now);
		sim_check(!sim.res[0].curr && !sim.res[1].curr, "a pCPU that is gone runs a unit");
		sim_online(i % 2, true);
		run_for(5 * MSEC);
		sim_online(1 - i % 2, true);
	}
	sim_check(sim_used(vm) > 50 * MSEC, "a VM was lost with its pCPU");
	bound = hvmm_sched_cap_stall(&vm->quota, 2) + 11 * sim.timer_max;
	for (i = 0; i < 2; i++)
		sim_check(vm->units[i].stall <= bound,
			  "timers were lost with a pCPU: a stall of %llu us",
			  vm->units[i].stall / USEC);
	sim_end();
}

/* The reason to run comes between the decision to sleep and the sleep. */
static void sleep_race(void)
{
	unsigned int i;

	begin(2);
	sim.flip = 2;
	for (i = 0; i < 4; i++)
		vm_that(SIM_EXP, 50 * USEC, 3 * USEC + i * 20 * USEC, 100);
	run_for(SEC);
	sim_end();
}

/* VMs go while their units wait, run, and are held back. */
static void destroyed(void)
{
	struct sim_vm *vm;
	unsigned int i;

	begin(2);
	vm_that(SIM_BUSY, 0, 0, 100);
	for (i = 0; i < 300; i++) {
		vm = sim_vm_new(3, 1 + sim_rand(1000));
		if (i % 3 == 0)
			sim_vm_cap(vm, 12);
		if (i % 4 == 0)
			sim_vm_min(vm, 100000);
		sim_vm_behave(vm, i % 2 ? SIM_BUSY : SIM_EXP, 300 * USEC, 100 * USEC);
		sim_vm_start(vm);
		run_for(sim_rand(10 * MSEC));
		sim_vm_destroy(vm);
		if (sim_rand(2))
			run_for(sim_rand(2 * MSEC));
	}
	sim_end();
}

/* Policies with bugs. All but one function are those of the real one. */

static struct hvmm_sched_class broken;

/* The real policy knows its own slices by its own address. */
static void real_begin(struct hvmm_domain *dom, struct hvmm_share *share,
		       struct hvmm_resource *res, u64 slice)
{
	if (res->class == &broken)
		res->class = &hvmm_sched_fair;
	hvmm_sched_fair.begin(dom, share, res, slice);
}

static void set_key(struct hvmm_domain *dom, struct hvmm_share *share, u64 key)
{
	bool in = share->fair.in;

	if (in)
		hvmm_tree_erase(&dom->fair, &share->fair);
	share->fair.key = key;
	if (in)
		hvmm_tree_insert(&dom->fair, &share->fair);
}

static void charge_32(struct hvmm_domain *dom, struct hvmm_share *share,
		      struct hvmm_resource *res, u64 ran, u64 contended, u64 now)
{
	hvmm_sched_fair.charge(dom, share, res, ran, contended, now);
	set_key(dom, share, (u32)share->fair.key);
}

/* A wrap that is an end: times are compared as numbers. */
static struct hvmm_share *pick_least(const struct hvmm_domain *dom, u32 mask)
{
	struct hvmm_share *share, *best = NULL;

	list_for_each_entry(share, &dom->waiting, waiting)
		if (share->allowed & mask && (!best || share->fair.key < best->fair.key))
			best = share;
	return best;
}

static void charge_unbounded(struct hvmm_domain *dom, struct hvmm_share *share,
			     struct hvmm_resource *res, u64 ran, u64 contended, u64 now)
{
	u64 v = contended * HVMM_WEIGHT_MAX / share->group->quota.weight;

	set_key(dom, share, share->fair.key - res->owed + v);
	res->owed = 0;
}

static void enqueue_unbounded(struct hvmm_domain *dom, struct hvmm_share *share, bool woke,
			      u64 now)
{
	hvmm_tree_insert(&dom->fair, &share->fair);
}

/* An account that looks only at the end of slices. */
static void charge_whole(struct hvmm_domain *dom, struct hvmm_share *share,
			 struct hvmm_resource *res, u64 ran, u64 contended, u64 now)
{
	if (ran < HVMM_SLICE_NS && !sim_unit_of(res->curr)->wants)
		contended = 0;
	hvmm_sched_fair.charge(dom, share, res, ran, contended, now);
}

static void charge_by_unit(struct hvmm_domain *dom, struct hvmm_share *share,
			   struct hvmm_resource *res, u64 ran, u64 contended, u64 now)
{
	hvmm_sched_fair.charge(dom, share, res, ran, contended / max(share->nr_busy, 1U), now);
}

static void begin_takes_v(struct hvmm_domain *dom, struct hvmm_share *share,
			  struct hvmm_resource *res, u64 slice)
{
	if (hvmm_before(dom->v, share->fair.key))
		dom->v = share->fair.key;
	res->v = dom->v;
	real_begin(dom, share, res, slice);
}

static void stay_queued(struct hvmm_domain *dom, struct hvmm_share *share)
{
}

static u64 slice_long(const struct hvmm_share *share)
{
	return 90 * MSEC;
}

static u64 slice_none(const struct hvmm_share *share)
{
	return 0;
}

static s64 never_ahead(const struct hvmm_share *share, const struct hvmm_resource *res, u64 now)
{
	return -1;
}

static struct hvmm_share *pick_nobody(const struct hvmm_domain *dom, u32 mask)
{
	return NULL;
}

static struct hvmm_share *last_running;

/* Who runs already, whether or not it waits. */
static struct hvmm_share *pick_runner(const struct hvmm_domain *dom, u32 mask)
{
	struct hvmm_share *share = hvmm_sched_fair.pick(dom, mask);

	swap(share, last_running);
	return share;
}

/* Always the one that came last. */
static struct hvmm_share *pick_last(const struct hvmm_domain *dom, u32 mask)
{
	struct hvmm_share *share, *best = NULL;

	list_for_each_entry(share, &dom->waiting, waiting)
		if (share->allowed & mask && (!best || share->group->id > best->group->id))
			best = share;
	return best;
}

static const struct mutant {
	const char *name;
	unsigned int place;
	struct hvmm_sched_class class;
} mutants[] = {
	{ "charge-32-bits", 1, { .charge = charge_32 } },
	{ "no-wrap", 1, { .pick = pick_least } },
	{ "no-bound", 1, { .charge = charge_unbounded,
			   .enqueue = enqueue_unbounded } },
	{ "whole-slices", 1, { .charge = charge_whole } },
	{ "by-unit", 1, { .charge = charge_by_unit } },
	{ "yield-takes-v", 1, { .begin = begin_takes_v } },
	{ "no-dequeue", 1, { .dequeue = stay_queued } },
	{ "long-slices", 1, { .slice = slice_long } },
	{ "no-preempt", 1, { .ahead = never_ahead } },
	{ "no-reserve", 0, { .pick = pick_nobody } },
	{ "no-slice", 1, { .slice = slice_none } },
	{ "no-pick", 1, { .pick = pick_nobody } },
	{ "pick-runner", 1, { .pick = pick_runner } },
	{ "pick-last", 1, { .pick = pick_last } },
	/* Not a policy's: nobody yields. */
	{ "no-yield-to", 1, { } },
};

static void install(const struct mutant *m)
{
	const struct hvmm_sched_class *over = &m->class;

	broken = m->place ? hvmm_sched_fair : hvmm_sched_reserve;
	if (m->place)
		broken.begin = real_begin;
	if (over->charge)
		broken.charge = over->charge;
	if (over->enqueue)
		broken.enqueue = over->enqueue;
	if (over->begin)
		broken.begin = over->begin;
	if (over->dequeue)
		broken.dequeue = over->dequeue;
	if (over->pick)
		broken.pick = over->pick;
	if (over->slice)
		broken.slice = over->slice;
	if (over->ahead)
		broken.ahead = over->ahead;
	last_running = NULL;
	hvmm_sched_classes[m->place] = &broken;
}

bool sim_mutate(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mutants); i++)
		if (!strcmp(mutants[i].name, name)) {
			install(&mutants[i]);
			return true;
		}
	return false;
}

/* Policies that break are replaced, and everybody gets on. */
static void watchdog(void)
{
	static const char * const names[] = { "no-slice", "no-pick", "pick-runner", "pick-last" };
	struct sim_vm *vms[4];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		begin(1);
		sim.expect_broken = true;
		sim_mutate(names[i]);
		for (j = 0; j < 4; j++)
			vms[j] = vm_that(j == 3 ? SIM_EXP : SIM_BUSY, MSEC, MSEC, 1000);
		run_for(15 * SEC);
		sim_check(sim.broken == 1, "%s was not noticed", names[i]);
		for (j = 0; j < 4; j++)
			sim_check(sim_used(vms[j]) > 500 * MSEC,
				  "VM %u has run for %llu ms of 15 s after %s", vms[j]->id,
				  sim_used(vms[j]) / MSEC, names[i]);
		sim_end();
	}
	hvmm_sched_classes[1] = &hvmm_sched_fair;
}

const struct sim_scene sim_bugs[] = {
	{ "overflow", "virtual time passes 2^31 and 2^32", overflow },
	{ "wrap", "virtual time passes 2^63 and 2^64", wrap },
	{ "long-slice", "a slice of two seconds is not paid for ever", long_slice },
	{ "dodge", "sleeping just before each slice ends gains nothing", dodge },
	{ "yield-debts", "yielding to a sibling gains nothing", yield_debts },
	{ "outgoing", "who was put back counts when the next slice is made", outgoing },
	{ "refilled", "nothing left, then a change that lets it run", refilled },
	{ "setters", "one VM or several: the same checks, all or nothing", setters },
	{ "dead-timer", "timers fire after their pCPU has gone", dead_timer },
	{ "sleep-race", "a wake-up during the transition to sleep", sleep_race },
	{ "destroyed", "VMs go while their units are queued", destroyed },
	{ "watchdog", "policies that break are replaced at once", watchdog },
	{ }
};
