// SPDX-License-Identifier: GPL-2.0
/* Where time went, by an account of our own; what caps and reservations promise. */
#include <string.h>

#include "sim.h"

/* What a disturbance may leave behind. */
#define SETTLE_NS	(2 * HVMM_RESERVE_PERIOD_NS)

void sim_cpu_account(struct sim_cpu *cpu)
{
	u64 ns = sim.now - cpu->since;

	cpu->since = sim.now;
	if (cpu->mode == SIM_RUN && cpu->stolen)
		sim_unit_of(cpu->res->curr)->host += ns;
	if (cpu->stolen)
		cpu->host_ns += ns;
	else if (cpu->mode == SIM_RUN)
		cpu->run_ns += ns;
	else
		cpu->idle_ns += ns;
}

/*
 * In no window may a capped VM use more than the cap gives in it, its slack, its burst
 * and what its units hold: a bucket that drains at the cap's rate never holds more.
 */
static void check_cap(struct sim_vm *vm, u64 ns)
{
	const struct hvmm_quota *q = &vm->quota;
	double cap, bound;

	if (q->max_ns == HVMM_CAP_NONE)
		return;
	cap = (double)q->max_ns / q->period_ns;
	vm->level += ns * (vm->running - cap);
	if (vm->level <= 0) {
		vm->level = 0;
		vm->grains = 0;
	}
	vm->level_max = max(vm->level_max, vm->level);
	bound = cap * HVMM_CAP_SLACK_NS + q->burst_ns +
		vm->nr_units * (double)(HVMM_GRANT_MAX_NS + sim.timer_max + sim.kick_max) +
		vm->grains + vm->held + 1;
	sim_check(vm->level <= bound, "VM %u has used %.0f ns beyond its cap of %.3f; bound %.0f",
		  vm->id, vm->level, cap, bound);
}

static struct sim_point *point(struct sim_vm *vm, unsigned int i)
{
	return &vm->points[(vm->first + i) % vm->max_points];
}

static void add_point(struct sim_vm *vm)
{
	struct sim_point *points;
	unsigned int i;

	if (vm->nr_points == vm->max_points) {
		points = calloc(2 * vm->max_points + 64, sizeof(*points));
		for (i = 0; i < vm->nr_points; i++)
			points[i] = *point(vm, i);
		free(vm->points);
		vm->points = points;
		vm->first = 0;
		vm->max_points = 2 * vm->max_points + 64;
	}
	*point(vm, vm->nr_points++) = (struct sim_point){ sim.now, vm->used };
}

static u64 between(const struct sim_point *a, const struct sim_point *b, u64 at)
{
	if (b->at == a->at)
		return b->used;
	return a->used + (double)(b->used - a->used) * (at - a->at) / (b->at - a->at);
}

/*
 * Latencies delay the instant in which a budget is filled up and that in which who has
 * one gets on: at the end of a window each may cost once what it takes at most. The
 * scheduler counts in whole ns.
 */
static u64 tolerance(void)
{
	return sim.timer_max + sim.kick_max + 2 * sim.switch_max + USEC;
}

static void check_window(struct sim_vm *vm, u64 got)
{
	u64 need = vm->quota.min_ppm * (SIM_WINDOW / HVMM_PPM);

	vm->worst = min(vm->worst, got);
	vm->windows++;
	sim_check(got + tolerance() >= need,
		  "VM %u wanted to run for 100 ms and got %llu us, with %llu reserved",
		  vm->id, got / USEC, need / USEC);
}

/* The least use of any window begins or ends at a point. */
static void check_windows(struct sim_vm *vm)
{
	struct sim_point last, *end, *old;
	u64 edge;

	if (!vm->nr_points) {
		add_point(vm);
		return;
	}
	last = *point(vm, vm->nr_points - 1);
	if (last.at == sim.now)
		return;
	add_point(vm);
	end = point(vm, vm->nr_points - 1);
	while (vm->nr_points > 1) {
		old = point(vm, 0);
		edge = old->at + SIM_WINDOW;
		if (edge > sim.now)
			break;
		if (edge >= last.at)
			check_window(vm, between(&last, end, edge) - old->used);
		if (point(vm, 1)->at + SIM_WINDOW > sim.now)
			break;
		vm->first = (vm->first + 1) % vm->max_points;
		vm->nr_points--;
	}
	old = point(vm, 0);
	if (old->at + SIM_WINDOW <= sim.now)
		check_window(vm, vm->used - between(old, point(vm, 1), sim.now - SIM_WINDOW));
}

static bool wants_all(const struct sim_vm *vm)
{
	unsigned int i;

	if (!vm->quota.min_ppm || sim.nr_stolen || sim.nr_offline || sim.now < vm->not_before)
		return false;
	for (i = 0; i < vm->nr_units; i++)
		if (vm->units[i].state != HVMM_UNIT_QUEUED &&
		    vm->units[i].state != HVMM_UNIT_RUNNING)
			return false;
	return true;
}

static void check_reservation(struct sim_vm *vm)
{
	if (vm->wanted != NEVER)
		check_windows(vm);
	if (!wants_all(vm)) {
		vm->wanted = NEVER;
	} else if (vm->wanted == NEVER) {
		vm->wanted = sim.now;
		vm->nr_points = 0;
		check_windows(vm);
	}
}

void sim_vm_account(struct sim_vm *vm)
{
	u64 ns = sim.now - vm->accounted;

	vm->accounted = sim.now;
	vm->used += ns * vm->running;
	check_cap(vm, ns);
	check_reservation(vm);
}

u64 sim_used(struct sim_vm *vm)
{
	sim_vm_account(vm);
	return vm->used;
}

void sim_disturb(void)
{
	struct sim_vm *vm;
	unsigned int i;

	for (i = 0; i < sim.nr_vms; i++) {
		vm = sim.vms[i];
		if (!vm)
			continue;
		sim_vm_account(vm);
		vm->wanted = NEVER;
		vm->not_before = sim.now + SETTLE_NS;
	}
}

void sim_vm_new_quota(struct sim_vm *vm, const struct hvmm_quota *quota)
{
	vm->level = 0;
	vm->grains = 0;
	/* Units keep the grants that they have, until they run. */
	if (vm->quota.max_ns != HVMM_CAP_NONE)
		vm->held = vm->nr_units * HVMM_GRANT_MAX_NS;
	vm->quota_since = sim.now;
	vm->wanted = NEVER;
	vm->worst = NEVER;
	vm->not_before = sim.now + SETTLE_NS;
}

static void note_wait(struct sim_vm *vm, u64 ns)
{
	if (vm->nr_waits == vm->max_waits) {
		vm->max_waits = max(2 * vm->max_waits, 256U);
		vm->waits = realloc(vm->waits, vm->max_waits * sizeof(*vm->waits));
	}
	vm->waits[vm->nr_waits++] = min_t(u64, ns, U32_MAX);
}

void sim_waits_clear(struct sim_vm *vm)
{
	vm->nr_waits = 0;
}

static int by_size(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

u64 sim_wait_percentile(struct sim_vm *vm, double part)
{
	if (!vm->nr_waits)
		return 0;
	qsort(vm->waits, vm->nr_waits, sizeof(*vm->waits), by_size);
	return vm->waits[min((unsigned int)(vm->nr_waits * part), vm->nr_waits - 1)];
}

void sim_changed(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now)
{
	struct sim_unit *u = sim_unit_of(unit);
	struct sim_vm *vm = u->vm;
	u64 ns = now - u->since;

	if (sim.no_checks) {
		vm->used += (sim.now - vm->accounted) * vm->running;
		vm->accounted = sim.now;
	} else {
		sim_check(now == sim.now, "a state was changed at another time than now");
		sim_check(u->state != HVMM_UNIT_RUNNING || !sim_cpu_of(u)->stolen,
			  "a unit stopped on a pCPU that the host has");
		sim_vm_account(vm);
	}
	u->in_state[u->state] += ns;
	if (u->state == HVMM_UNIT_RUNNING) {
		vm->running--;
		u->longest = max(u->longest, ns);
	} else if (u->state == HVMM_UNIT_CAPPED) {
		u->stall = max(u->stall, ns);
	} else if (u->state == HVMM_UNIT_QUEUED) {
		u->wait = max(u->wait, ns);
	}
	if (state == HVMM_UNIT_RUNNING) {
		vm->running++;
		vm->grains++;
		if (u->woke_at)
			note_wait(vm, now - u->woke_at);
	}
	if (state == HVMM_UNIT_RUNNING || state == HVMM_UNIT_PARKED)
		u->woke_at = 0;
	u->state = state;
	u->since = now;
	if (!sim.no_checks)
		check_reservation(vm);
}
