// SPDX-License-Identifier: GPL-2.0
/* Large hosts: fairness, latency, and what a decision costs. */
#include <unistd.h>

#include "sim.h"

#define UNITS_EACH	5
#define DOMAIN_CPUS	16

/* Half of the VMs are busy, half mostly sleep; weights 100, 200 and 400. */
static void build(unsigned int cpus, unsigned int vcpus)
{
	unsigned int i, vms = max(vcpus / UNITS_EACH, 1U);
	struct sim_vm *vm;

	sim.scene = "scale";
	sim.seed = opt.seed;
	sim_reseed(opt.seed);
	sim.kick_max = 5 * USEC;
	sim.timer_max = 5 * USEC;
	sim.switch_max = USEC;
	sim_begin(cpus, DIV_ROUND_UP(cpus, DOMAIN_CPUS));
	sim.no_checks = true;
	for (i = 0; i < vms; i++) {
		vm = sim_vm_new(UNITS_EACH, 100 << i % 3);
		if (i % 2)
			sim_vm_behave(vm, SIM_EXP, 200 * USEC, 10 * MSEC);
		sim_vm_start(vm);
	}
}

/* Largest difference of a busy VM's part from that of its weight, of those that compete. */
static double worst_part(const u64 *before)
{
	double all = 0, weights = 0, worst = 0, part;
	struct sim_vm *vm;
	unsigned int i;

	for (i = 0; i < sim.nr_vms; i += 2) {
		vm = sim.vms[i];
		vm->used += (sim.now - vm->accounted) * vm->running;
		vm->accounted = sim.now;
		all += vm->used - before[i];
		weights += vm->quota.weight;
	}
	for (i = 0; i < sim.nr_vms; i += 2) {
		vm = sim.vms[i];
		part = (vm->used - before[i]) / all / (vm->quota.weight / weights);
		worst = max(worst, part > 1 ? part - 1 : 1 - part);
	}
	return worst;
}

static int by_size(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void percentiles(u64 *p50, u64 *p99)
{
	unsigned int i, nr = 0;
	u64 *mid, *high;

	mid = calloc(sim.nr_vms, sizeof(*mid));
	high = calloc(sim.nr_vms, sizeof(*high));
	for (i = 1; i < sim.nr_vms; i += 2)
		if (sim.vms[i]->nr_waits) {
			mid[nr] = sim_wait_percentile(sim.vms[i], 0.5);
			high[nr++] = sim_wait_percentile(sim.vms[i], 0.99);
		}
	qsort(mid, nr, sizeof(*mid), by_size);
	qsort(high, nr, sizeof(*high), by_size);
	/* The median VM's median, and its 99 of 100. */
	*p50 = nr ? mid[nr / 2] : 0;
	*p99 = nr ? high[nr / 2] : 0;
	free(mid);
	free(high);
}

static void one_scale(unsigned int cpus, unsigned int vcpus)
{
	u64 *before, p50, p99;
	unsigned int i;
	double worst;

	build(cpus, vcpus);
	sim_run_until(sim.now + SEC);
	before = calloc(sim.nr_vms, sizeof(*before));
	for (i = 0; i < sim.nr_vms; i++) {
		before[i] = sim.vms[i]->used + (sim.now - sim.vms[i]->accounted) *
			    sim.vms[i]->running;
		sim_waits_clear(sim.vms[i]);
	}
	sim_run_until(sim.now + 2 * SEC);
	worst = worst_part(before);
	percentiles(&p50, &p99);
	printf("%5u  %6u  ", cpus, vcpus);
	/* Where all have what they can use, there is nothing to share. */
	if (vcpus >= 10 * cpus)
		printf("%8.2f %%", 100 * worst);
	else
		printf("%10s", "-");
	printf("  %9.3f  %9.3f\n", (double)p50 / MSEC, (double)p99 / MSEC);
	fflush(stdout);
	free(before);
	sim_end();
}

static const unsigned int all_cpus[] = { 1, 16, 64, 256 };
static const unsigned int all_vcpus[] = { 10, 1000, 10000 };

int sim_scale(void)
{
	unsigned int i, j;

	printf("pCPUs   vCPUs  unfairness  wake p50 ms     p99 ms\n");
	for (i = 0; i < ARRAY_SIZE(all_cpus); i++)
		for (j = 0; j < ARRAY_SIZE(all_vcpus); j++)
			one_scale(all_cpus[i], all_vcpus[j]);
	return 0;
}

/* To be run under callgrind, which counts what is below each function. */
int sim_cost(void)
{
	build(opt.cpus ?: 1, opt.vms ?: 10);
	while (sim.events < opt.events && sim_step())
		;
	printf("calls wake %llu next %llu put %llu\n",
	       (unsigned long long)sim_calls[HVMM_OP_WAKE],
	       (unsigned long long)sim_calls[HVMM_OP_NEXT],
	       (unsigned long long)sim_calls[HVMM_OP_PUT]);
	fflush(stdout);
	_exit(0);
}
