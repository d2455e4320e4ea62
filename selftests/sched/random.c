// SPDX-License-Identifier: GPL-2.0
/* Scenarios made by a seed: hosts, VMs, quotas, and what is done to them. */
#include <string.h>

#include "sim.h"

static const u64 latencies[] = { 0, 500, 2 * USEC, 10 * USEC, 40 * USEC };

static u64 latency(void)
{
	return latencies[sim_rand(ARRAY_SIZE(latencies))];
}

static u32 random_weight(void)
{
	static const u32 steps[] = { 1, 10, 50, 100, 100, 200, 400, 1000, 10000 };

	return sim_rand(4) ? steps[sim_rand(ARRAY_SIZE(steps))] :
			     1 + sim_rand(HVMM_WEIGHT_MAX);
}

static void random_cap(struct hvmm_quota *q, unsigned int units)
{
	static const u64 periods[] = { HVMM_CAP_PERIOD_MIN, 10 * MSEC, 100 * MSEC,
				       HVMM_CAP_PERIOD_MAX };

	q->period_ns = periods[sim_rand(ARRAY_SIZE(periods))];
	q->max_ns = q->period_ns * (1 + sim_rand(units * 1200)) / 1000;
	q->burst_ns = sim_rand(3) ? 0 : sim_rand(50 * MSEC);
}

static void random_affinity(struct hvmm_quota *q)
{
	unsigned int i;

	bitmap_zero(q->affinity, HVMM_RES_MAX);
	__set_bit(sim_rand(sim.nr_cpus), q->affinity);
	for (i = 0; i < sim.nr_cpus; i++)
		if (sim_rand(2))
			__set_bit(i, q->affinity);
}

/* Most are good; some ask for more than there is. */
static void random_quota(struct hvmm_quota *q, unsigned int units)
{
	hvmm_quota_default(q);
	q->weight = random_weight();
	if (!sim_rand(3))
		random_cap(q, units);
	if (!sim_rand(4))
		q->min_ppm = sim_rand(units * (u64)HVMM_PPM / 2);
	if (!sim_rand(4))
		random_affinity(q);
	if (!sim_rand(16))
		q->weight = sim_rand(2) ? 0 : HVMM_WEIGHT_MAX + 1;
	if (!sim_rand(16))
		q->min_ppm = (units + 1) * HVMM_PPM;
}

static void random_behave(struct sim_vm *vm)
{
	static const u64 runs[] = { 20 * USEC, 200 * USEC, 2 * MSEC, 20 * MSEC };
	enum sim_behave behave = sim_rand(SIM_BEHAVES);
	u64 run = runs[sim_rand(ARRAY_SIZE(runs))];
	u64 sleep = runs[sim_rand(ARRAY_SIZE(runs))];

	if (behave == SIM_LOCK)
		run = min(run, 200 * USEC);
	sim_vm_behave(vm, behave, run, sleep);
}

static struct sim_vm *some_vm(void)
{
	unsigned int i, nr = sim_rand(sim.nr_vms + 1);

	for (i = nr; i < nr + sim.nr_vms; i++)
		if (sim.vms[i % sim.nr_vms] && !sim.vms[i % sim.nr_vms]->dying)
			return sim.vms[i % sim.nr_vms];
	return NULL;
}

static struct sim_vm *create(void)
{
	unsigned int units = 1 + sim_rand(min(sim.nr_cpus, 4U));
	struct hvmm_quota quota;
	struct sim_vm *vm;

	vm = sim_vm_new(opt.units ?: units, HVMM_WEIGHT_DEFAULT);
	random_quota(&quota, units);
	sim_vm_quota(vm, &quota);
	random_behave(vm);
	sim_vm_start(vm);
	return vm;
}

/* Several VMs at once: all or nothing, and as strict as one at a time. */
static void change_quotas(void)
{
	struct hvmm_quota_change changes[3];
	struct hvmm_quota quotas[3], before[3], after;
	struct sim_vm *vms[3];
	struct hvmm_quota_verdict verdict;
	unsigned int i, j, nr = 0;
	bool ok;

	for (i = 0; i < 3; i++) {
		vms[nr] = some_vm();
		if (!vms[nr])
			return;
		for (j = 0; j < nr; j++)
			if (vms[j] == vms[nr])
				break;
		if (j < nr)
			continue;
		random_quota(&quotas[nr], vms[nr]->nr_units);
		before[nr] = vms[nr]->quota;
		changes[nr] = (struct hvmm_quota_change){ vms[nr]->group, &quotas[nr] };
		sim_vm_account(vms[nr]);
		nr++;
	}
	ok = hvmm_sched_set_quota(changes, nr, sim.now, &verdict);
	sim_check(ok == !verdict.err && verdict.index < nr, "a verdict that is none");
	for (i = 0; i < nr; i++) {
		hvmm_group_quota(vms[i]->group, &after);
		sim_check(!memcmp(&after, ok ? &quotas[i] : &before[i], sizeof(after)),
			  "a transaction was done by half");
		if (ok) {
			sim_vm_new_quota(vms[i], &quotas[i]);
			vms[i]->quota = quotas[i];
		}
	}
}

static void chore(u32 every, u32 what)
{
	struct sim_vm *vm = some_vm();

	switch (sim_rand(what)) {
	case 0:
		change_quotas();
		break;
	case 1:
		if (vm && vm->paused)
			sim_vm_resume(vm);
		else if (vm)
			sim_vm_pause(vm);
		break;
	case 2:
		if (vm && vm->paused)
			sim_vm_resume(vm);
		if (vm && sim_rand(2))
			sim_vm_destroy(vm);
		else if (sim.nr_vms < 200)
			create();
		break;
	case 3:
		if (vm)
			sim_wake(vm, &vm->units[sim_rand(vm->nr_units)]);
		break;
	default:
		sim_online(sim_rand(sim.nr_cpus), sim_rand(3));
	}
	sim_call(sim.now + sim_exp(every), chore, every, what);
}

void sim_random(u64 seed, u64 events)
{
	u64 until = sim.events + events;
	unsigned int i, cpus, doms, vms;

	sim.scene = "random";
	sim.seed = seed;
	sim_reseed(seed);
	cpus = 1 + sim_rand(8);
	cpus = opt.cpus ?: cpus;
	doms = sim_rand(2) ? 1 : 1 + sim_rand(min(cpus, 4U));
	doms = opt.doms ?: doms;
	sim.kick_max = latency();
	sim.timer_max = latency();
	sim.switch_max = latency() / 4;
	sim.flip = sim_rand(2) ? 4 : 0;
	if (!sim_rand(3)) {
		sim.steal_every = 1 * MSEC + sim_rand(20 * MSEC);
		sim.steal_for = 10 * USEC + sim_rand(2 * MSEC);
	}
	sim_begin(cpus, doms);
	if (sim.verbose) {
		printf("# seed %llu: %u pCPUs, %u domains, ", (unsigned long long)seed, cpus, doms);
		printf("kick %llu ns, timer %llu, switch %llu, steal %llu\n",
		       (unsigned long long)sim.kick_max, (unsigned long long)sim.timer_max,
		       (unsigned long long)sim.switch_max, (unsigned long long)sim.steal_every);
	}
	/* Latencies cost some of each pCPU. */
	hvmm_sched_set_capacity(500000 + sim_rand(400001));
	vms = 1 + sim_rand(12);
	vms = opt.vms ?: vms;
	for (i = 0; i < vms; i++)
		create();
	for (i = 0; i < cpus && sim.steal_every; i++)
		sim_push(sim.now + sim_exp(sim.steal_every), EV_STEAL, i, 0);
	if (sim_rand(3))
		sim_call(sim.now + sim_rand(50 * MSEC), chore, 500 * USEC + sim_rand(50 * MSEC),
			 1 + sim_rand(6));
	while (sim.events < until && sim_step())
		;
	sim_end();
}
