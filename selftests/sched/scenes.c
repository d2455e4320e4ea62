// SPDX-License-Identifier: GPL-2.0
/* Scenarios that each ask one question. */
#include "sim.h"

#define MAX_VMS		16

/* What a real host takes, about. */
static void begin(unsigned int cpus)
{
	sim.kick_max = 5 * USEC;
	sim.timer_max = 5 * USEC;
	sim.switch_max = 1 * USEC;
	sim_begin(cpus, 1);
}

static struct sim_vm *busy(unsigned int units, u32 weight)
{
	struct sim_vm *vm = sim_vm_new(units, weight);

	sim_vm_start(vm);
	return vm;
}

static void run_for(u64 ns)
{
	sim_run_until(sim.now + ns);
}

/* Max-min fair parts of @cpus pCPUs: nobody gets more than its units can use. */
static void ideal(struct sim_vm **vms, unsigned int nr, double cpus, double *parts)
{
	bool full[MAX_VMS] = { false }, again;
	double left, weights;
	unsigned int i;

	do {
		again = false;
		left = cpus;
		weights = 0;
		for (i = 0; i < nr; i++) {
			if (full[i])
				left -= vms[i]->nr_units;
			else
				weights += vms[i]->quota.weight;
		}
		for (i = 0; i < nr; i++) {
			parts[i] = full[i] ? vms[i]->nr_units :
					     left * vms[i]->quota.weight / weights;
			if (!full[i] && parts[i] > vms[i]->nr_units) {
				full[i] = true;
				again = true;
			}
		}
	} while (again);
}

/* VMs that are all busy get their parts of what all get, within @percent. */
static void check_parts(struct sim_vm **vms, unsigned int nr, u64 ns, double percent)
{
	double parts[MAX_VMS], all = 0, got, want;
	u64 before[MAX_VMS];
	unsigned int i;

	ideal(vms, nr, min_t(double, sim.nr_cpus, 1e9), parts);
	for (i = 0; i < nr; i++)
		before[i] = sim_used(vms[i]);
	run_for(ns);
	for (i = 0; i < nr; i++)
		all += sim_used(vms[i]) - before[i];
	for (i = 0; i < nr; i++) {
		got = sim_used(vms[i]) - before[i];
		want = all * parts[i] / sim.nr_cpus;
		if (sim.verbose)
			printf("VM %u: weight %u, %u vCPUs: %.3f ms of %.3f (%+.3f %%)\n",
			       vms[i]->id, vms[i]->quota.weight, vms[i]->nr_units, got / MSEC,
			       want / MSEC, 100 * (got / want - 1));
		sim_check(got <= want * (1 + percent / 100) && got >= want * (1 - percent / 100),
			  "VM %u has %.3f ms instead of %.3f", vms[i]->id, got / MSEC, want / MSEC);
	}
	sim_check(all >= ns * (double)sim.nr_cpus * 0.998, "pCPUs were idle or switched too much");
}

/* One after the other: who runs alone must hear of those that come and wait elsewhere. */
static void stagger(void)
{
	struct sim_vm *vms[3];
	unsigned int i, k;

	for (k = 0; k < 6; k++) {
		begin(2);
		for (i = 0; i < 3; i++) {
			vms[i] = busy(1, 100 << i);
			run_for((k * 30 + 1) * MSEC);
		}
		check_parts(vms, 3, 2 * SEC, 1);
		sim_end();
	}
}

static void weights(void)
{
	struct sim_vm *vms[3];
	unsigned int i, mix;

	for (mix = 0; mix < 8; mix++) {
		begin(2);
		for (i = 0; i < 3; i++)
			vms[i] = busy(1 + (mix >> i & 1), 100 << i);
		run_for(100 * MSEC);
		check_parts(vms, 3, 2 * SEC, 1);
		sim_end();
	}
}

static void many(void)
{
	struct sim_vm *vms[16];
	unsigned int i;

	begin(2);
	for (i = 0; i < 16; i++)
		vms[i] = busy(1, 100);
	run_for(100 * MSEC);
	check_parts(vms, 16, 2 * SEC, 1);
	sim_end();
}

static void extremes(void)
{
	struct sim_vm *vms[2];

	begin(1);
	vms[0] = busy(1, HVMM_WEIGHT_MIN);
	vms[1] = busy(1, HVMM_WEIGHT_MAX / 10);
	run_for(2 * SEC);
	check_parts(vms, 2, 20 * SEC, 10);
	sim_end();
}

static void one_cap(unsigned int percent, unsigned int units)
{
	struct sim_vm *vm;
	u64 before, used, want, stall = 0, bound;
	unsigned int i;

	begin(2);
	vm = sim_vm_new(units, 100);
	sim_vm_cap(vm, percent);
	sim_vm_start(vm);
	run_for(100 * MSEC);
	before = sim_used(vm);
	run_for(2 * SEC);
	used = sim_used(vm) - before;
	want = 2 * SEC * percent / 100;
	for (i = 0; i < units; i++)
		stall = max(stall, vm->units[i].stall);
	bound = hvmm_sched_cap_stall(&vm->quota, units);
	if (sim.verbose)
		printf("cap %u %%, %u vCPUs: %.3f ms of %.3f, longest stall %llu us, bound %llu\n",
		       percent, units, (double)used / MSEC, (double)want / MSEC, stall / USEC,
		       bound / USEC);
	sim_check(used * 1000 <= want * 1005 && used * 1000 >= want * 995,
		  "with a cap of %u %%, %u vCPUs have %.3f ms of 2 s", percent, units,
		  (double)used / MSEC);
	/* A timer comes late, and who used too much since it did waits for that too. */
	sim_check(stall <= bound + sim.timer_max * (1 + units * 100 / percent),
		  "with a cap of %u %% the longest stall was %llu us; bound %llu", percent,
		  stall / USEC, bound / USEC);
	sim_end();
}

static void caps(void)
{
	one_cap(10, 1);
	one_cap(25, 1);
	one_cap(50, 1);
	one_cap(150, 2);
	one_cap(1, 1);
	one_cap(50, 2);
	one_cap(50, 8);
	one_cap(10, 8);
}

/* A VM that ran alone without a cap is not billed for that when it gets one. */
static void cap_late(void)
{
	struct sim_vm *vm;
	u64 used, bound;

	begin(1);
	vm = busy(1, 100);
	run_for(SEC);
	sim_vm_cap(vm, 20);
	bound = hvmm_sched_cap_stall(&vm->quota, 1);
	used = sim_used(vm);
	run_for(SEC);
	used = sim_used(vm) - used;
	sim_check(used <= 205 * MSEC && used >= 195 * MSEC, "20 %% of 1 s are not %llu us",
		  used / USEC);
	sim_check(vm->units[0].stall <= bound + 6 * sim.timer_max, "it stalled for %llu us",
		  vm->units[0].stall / USEC);
	sim_end();
}

/* A cap does not keep a VM from its part of what is left, nor give it more. */
static void cap_beside(void)
{
	struct sim_vm *capped, *other;
	u64 used;

	begin(1);
	capped = sim_vm_new(2, 1000);
	sim_vm_cap(capped, 30);
	sim_vm_start(capped);
	other = busy(1, 100);
	run_for(100 * MSEC);
	used = sim_used(capped);
	run_for(2 * SEC);
	used = sim_used(capped) - used;
	sim_check(used <= 603 * MSEC && used >= 597 * MSEC, "30 %% of 2 s are not %llu ms",
		  used / MSEC);
	sim_check(sim_used(other) > 1450 * MSEC, "the rest is not for the other VM");
	sim_end();
}

static void reserve(void)
{
	struct hvmm_quota_verdict verdict;
	struct sim_vm *vms[4];
	struct hvmm_quota q;
	unsigned int i;

	begin(2);
	vms[0] = sim_vm_new(1, 1);
	sim_vm_min(vms[0], 300000);
	for (i = 1; i < 4; i++)
		vms[i] = sim_vm_new(2, HVMM_WEIGHT_MAX);
	q = vms[1]->quota;
	q.min_ppm = 2 * HVMM_PPM;
	verdict = sim_vm_quota(vms[1], &q);
	sim_check(verdict.err == HVMM_QUOTA_MIN_ADMIT, "what is not there was given");
	/* The refusal says what would do: that, and no more. */
	q.min_ppm = verdict.bound + 1;
	sim_check(sim_vm_quota(vms[1], &q).err, "more than the bound was given");
	q.min_ppm = verdict.bound;
	sim_check(!sim_vm_quota(vms[1], &q).err, "the bound was refused");
	q.min_ppm = 0;
	sim_check(!sim_vm_quota(vms[1], &q).err, "no reservation was refused");
	for (i = 0; i < 4; i++)
		sim_vm_start(vms[i]);
	run_for(3 * SEC);
	sim_check(vms[0]->windows > 1000, "only %llu windows were looked at",
		  (unsigned long long)vms[0]->windows);
	if (sim.verbose)
		printf("least in 100 ms: %llu us of 30000, of %llu windows\n",
		       vms[0]->worst / USEC, (unsigned long long)vms[0]->windows);
	sim_end();
}

/* Several reservations, which take most of the host, beside others. */
static void reserve_full(void)
{
	struct sim_vm *vms[6];
	unsigned int i;

	begin(2);
	hvmm_sched_set_capacity(950000);
	for (i = 0; i < 6; i++) {
		vms[i] = sim_vm_new(1 + i % 2, 1 + 2000 * i);
		if (i < 5)
			sim_vm_min(vms[i], 100000 * (1 + i));
		sim_vm_start(vms[i]);
	}
	run_for(3 * SEC);
	for (i = 0; i < 5; i++)
		sim_check(vms[i]->windows > 100, "VM %u was not looked at", vms[i]->id);
	sim_end();
}

static void sleeper(void)
{
	struct sim_vm *vm;
	unsigned int i;
	u64 p99;

	begin(2);
	for (i = 0; i < 8; i++)
		busy(1, 100);
	vm = sim_vm_new(1, 100);
	sim_vm_behave(vm, SIM_EXP, 200 * USEC, 10 * MSEC);
	sim_vm_start(vm);
	run_for(20 * SEC);
	p99 = sim_wait_percentile(vm, 0.99);
	if (sim.verbose)
		printf("wake to run: p50 %llu us, p99 %llu us, max %llu us of %u\n",
		       sim_wait_percentile(vm, 0.5) / USEC, p99 / USEC,
		       sim_wait_percentile(vm, 1) / USEC, vm->nr_waits);
	sim_check(vm->nr_waits > 1000, "it has not slept");
	sim_check(p99 <= 3 * MSEC, "99 of 100 wake-ups take up to %llu us", p99 / USEC);
	sim_end();
}

static u64 sections(bool yields)
{
	struct sim_vm *vm;
	u64 nr;

	begin(2);
	sim.no_yield_to = !yields;
	vm = sim_vm_new(4, 100);
	sim_vm_behave(vm, SIM_LOCK, 100 * USEC, 100 * USEC);
	sim_vm_start(vm);
	busy(2, 100);
	run_for(2 * SEC);
	nr = vm->sections;
	sim_end();
	return nr;
}

static void locks(void)
{
	u64 with, without;

	without = sections(false);
	with = sections(!opt.mutant);
	if (opt.verbose)
		printf("critical sections: %llu, without directed yield %llu\n",
		       (unsigned long long)with, (unsigned long long)without);
	sim_check(with * 100 > without * 130, "directed yield helps little: %llu beside %llu",
		  (unsigned long long)with, (unsigned long long)without);
}

static void change_one(u32 id, u32 nr)
{
	struct sim_vm *vm = sim_vm_of_id(id);
	struct hvmm_quota q = vm->quota;

	q.weight = 1 + sim_rand(1000);
	q.max_ns = sim_rand(3) ? HVMM_CAP_NONE : q.period_ns * (5 + sim_rand(20)) / 10;
	q.min_ppm = sim_rand(3) || q.max_ns ? 0 : 200000;
	sim_vm_quota(vm, &q);
	sim_call(sim.now + MSEC, change_one, 1 + nr % 4, nr + 1);
}

/* One that waits still is no better off than one that has waited. */
static void check_waits(struct sim_vm **vms, unsigned int nr, u64 most)
{
	const struct sim_unit *u;
	unsigned int i;
	u64 wait;

	for (i = 0; i < nr; i++)
		for (u = vms[i]->units; u < vms[i]->units + vms[i]->nr_units; u++) {
			wait = u->state == HVMM_UNIT_QUEUED ? sim.now - u->since : 0;
			wait = max(wait, u->wait);
			if (sim.verbose)
				printf("VM %u vCPU %u: longest wait %llu us\n", vms[i]->id,
				       u->unit.index, wait / USEC);
			sim_check(wait <= most, "VM %u vCPU %u has waited for %llu us",
				  vms[i]->id, u->unit.index, wait / USEC);
		}
}

/* Quotas change a thousand times a second: nobody is lost, nobody stalls. */
static void storm(void)
{
	struct sim_vm *vms[4];
	unsigned int i, j;

	begin(2);
	for (i = 0; i < 4; i++) {
		vms[i] = sim_vm_new(2, 100);
		sim_vm_behave(vms[i], i ? SIM_BUSY : SIM_EXP, 500 * USEC, 500 * USEC);
		sim_vm_start(vms[i]);
	}
	sim_call(sim.now, change_one, 1, 1);
	run_for(10 * SEC);
	for (i = 0; i < 4; i++)
		for (j = 0; j < 2; j++)
			sim_check(vms[i]->units[j].stall < 10 * MSEC, "VM %u stalled for %llu us",
				  vms[i]->id, vms[i]->units[j].stall / USEC);
	check_waits(vms, 4, 100 * MSEC);
	sim_end();
}

static void plug(u32 cpu, u32 nr)
{
	sim_online(cpu, nr % 2);
	sim_call(sim.now + 3 * MSEC, plug, nr % 2 ? (cpu + 1) % sim.nr_cpus : cpu, nr + 1);
}

/* A pCPU is always on its way out or in, the last one never. */
static void hotplug(void)
{
	struct sim_vm *vms[5];
	unsigned int i;

	begin(4);
	for (i = 0; i < 5; i++) {
		vms[i] = sim_vm_new(2, 100);
		sim_vm_behave(vms[i], i < 3 ? SIM_BUSY : SIM_EXP, MSEC, MSEC);
	}
	/* One can run nowhere else. */
	sim_vm_pin(vms[0], 1, 1);
	for (i = 0; i < 5; i++)
		sim_vm_start(vms[i]);
	sim_call(sim.now, plug, 0, 0);
	run_for(3 * SEC);
	for (i = 0; i < 5; i++)
		sim_check(sim_used(vms[i]) > 300 * MSEC, "VM %u has run for %llu ms only",
			  vms[i]->id, sim_used(vms[i]) / MSEC);
	check_waits(vms, 5, 20 * MSEC);
	sim_end();
}

static void moved(void)
{
	struct sim_vm *vms[3];
	unsigned int i;

	sim.kick_max = 5 * USEC;
	sim.timer_max = 5 * USEC;
	sim_begin(4, 2);
	for (i = 0; i < 3; i++)
		vms[i] = busy(4, 100 << i);
	run_for(200 * MSEC);
	check_parts(vms, 3, 4 * SEC, 10);
	sim_end();
}

const struct sim_scene sim_scenes[] = {
	{ "stagger", "weights hold however far apart VMs start", stagger },
	{ "weights", "100:200:400 on 2 pCPUs, one and two vCPUs, within 1 %", weights },
	{ "many", "16 VMs on 2 pCPUs, within 1 %", many },
	{ "extremes", "weights 1 and 1000", extremes },
	{ "domains", "three VMs over two domains, within 10 %", moved },
	{ "cap-late", "a cap is not for the time before it", cap_late },
	{ "caps", "1 to 150 %, 1 to 8 vCPUs: within 0.5 %, stalls within the bound", caps },
	{ "cap-beside", "a cap beside a busy VM", cap_beside },
	{ "reserve", "30 % beside weights of 10000, in every window of 100 ms", reserve },
	{ "reserve-full", "most of the host reserved", reserve_full },
	{ "sleeper", "one that mostly sleeps among 8 busy ones wakes within 3 ms (p99)", sleeper },
	{ "locks", "directed yield makes an overcommitted lock pass on", locks },
	{ "storm", "quotas change a thousand times a second", storm },
	{ "hotplug", "pCPUs go and come", hotplug },
	{ }
};
