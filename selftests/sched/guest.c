// SPDX-License-Identifier: GPL-2.0
/* VMs and what their vCPUs do. */
#include <string.h>

#include "sim.h"

#define SPIN_NS		(20 * USEC)

struct sim_vm *sim_vm_of_id(u32 id)
{
	return id && id <= sim.nr_vms ? sim.vms[id - 1] : NULL;
}

struct sim_vm *sim_vm_new(unsigned int units, u32 weight)
{
	struct sim_vm *vm = calloc(1, sizeof(*vm));
	struct hvmm_quota quota;
	unsigned int i;

	if (sim.nr_vms == sim.max_vms) {
		sim.max_vms = max(2 * sim.max_vms, 16U);
		sim.vms = realloc(sim.vms, sim.max_vms * sizeof(*sim.vms));
	}
	sim.vms[sim.nr_vms++] = vm;
	vm->id = sim.nr_vms;
	vm->group = calloc(1, hvmm_group_size());
	hvmm_group_init(vm->group, vm->id);
	hvmm_group_quota(vm->group, &vm->quota);
	vm->nr_units = units;
	vm->units = calloc(units, sizeof(*vm->units));
	vm->lag = calloc(sim.nr_doms, sizeof(*vm->lag));
	vm->accounted = sim.now;
	vm->quota_since = sim.now;
	vm->wanted = NEVER;
	vm->worst = NEVER;
	for (i = 0; i < units; i++) {
		hvmm_unit_init(&vm->units[i].unit, vm->group, i);
		vm->units[i].vm = vm;
		vm->units[i].work = NEVER;
		vm->units[i].born = sim.now;
		vm->units[i].since = sim.now;
	}
	if (weight != HVMM_WEIGHT_DEFAULT) {
		quota = vm->quota;
		quota.weight = weight;
		sim_vm_quota(vm, &quota);
	}
	return vm;
}

static u64 some(const struct sim_unit *u, u64 mean)
{
	return u->behave == SIM_EXP ? 1 + (u64)sim_exp(mean) : max_t(u64, mean, 1);
}

void sim_vm_behave(struct sim_vm *vm, enum sim_behave behave, u64 run, u64 sleep)
{
	struct sim_unit *u;

	for (u = vm->units; u < vm->units + vm->nr_units; u++) {
		u->behave = behave;
		u->run = run;
		u->sleep = sleep;
		u->work = behave == SIM_BUSY ? NEVER : some(u, run);
	}
}

void sim_vm_start(struct sim_vm *vm)
{
	struct sim_unit *u;
	unsigned int i;

	for (i = 0; i < vm->nr_units; i++) {
		u = &vm->units[i];
		if (u->behave == SIM_PATTERN || u->behave == SIM_EXP)
			sim_push(sim.now + sim_rand(u->run + u->sleep + 1), EV_WAKE, vm->id, i);
		else
			sim_wake(vm, u);
	}
}

static void hold(struct sim_vm *vm)
{
	struct sim_unit *u;
	struct sim_cpu *cpu;

	for (u = vm->units; u < vm->units + vm->nr_units; u++)
		if (!hvmm_sched_hold(&u->unit, sim.now)) {
			cpu = sim_cpu_of(u);
			sim_push(sim.now + sim_rand(sim.kick_max + 1), EV_PUT, cpu - sim.cpus,
				 cpu->run_gen);
		}
}

void sim_vm_pause(struct sim_vm *vm)
{
	vm->paused = true;
	hold(vm);
}

void sim_vm_resume(struct sim_vm *vm)
{
	struct sim_unit *u;

	vm->paused = false;
	for (u = vm->units; u < vm->units + vm->nr_units; u++)
		hvmm_sched_wake(&u->unit, sim.now);
}

void sim_vm_destroy(struct sim_vm *vm)
{
	if (vm->dying)
		return;
	vm->dying = true;
	sim.nr_dying++;
	hold(vm);
}

static bool stopped(const struct sim_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_units; i++)
		if (vm->units[i].state != HVMM_UNIT_PARKED)
			return false;
	return true;
}

static void free_vm(struct sim_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_units; i++)
		sim.gone_ns += vm->units[i].in_state[HVMM_UNIT_RUNNING] - vm->units[i].host;
	hvmm_group_exit(vm->group);
	free(vm->group);
	free(vm->units);
	free(vm->lag);
	free(vm->points);
	free(vm->waits);
	free(vm);
}

void sim_vm_reap(void)
{
	unsigned int i;

	for (i = 0; i < sim.nr_vms && sim.nr_dying; i++)
		if (sim.vms[i] && sim.vms[i]->dying && stopped(sim.vms[i])) {
			free_vm(sim.vms[i]);
			sim.vms[i] = NULL;
			sim.nr_dying--;
		}
}

static bool same(const struct hvmm_quota *a, const struct hvmm_quota *b)
{
	return a->weight == b->weight && a->max_ns == b->max_ns &&
	       a->period_ns == b->period_ns && a->burst_ns == b->burst_ns &&
	       a->min_ppm == b->min_ppm &&
	       !memcmp(a->affinity, b->affinity, sizeof(a->affinity));
}

struct hvmm_quota_verdict sim_vm_quota(struct sim_vm *vm, const struct hvmm_quota *quota)
{
	struct hvmm_quota_change change = { vm->group, quota };
	struct hvmm_quota_verdict verdict;
	struct hvmm_quota is;
	bool ok;

	sim_vm_account(vm);
	ok = hvmm_sched_set_quota(&change, 1, sim.now, &verdict);
	hvmm_group_quota(vm->group, &is);
	sim_check(ok == !verdict.err, "a quota was refused without a reason, or the reverse");
	sim_check(same(&is, ok ? quota : &vm->quota), "a quota is not what was asked for");
	if (ok) {
		sim_vm_new_quota(vm, quota);
		vm->quota = *quota;
	}
	return verdict;
}

void sim_vm_cap(struct sim_vm *vm, u64 percent)
{
	struct hvmm_quota quota = vm->quota;

	quota.max_ns = quota.period_ns * percent / 100;
	sim_check(!sim_vm_quota(vm, &quota).err, "a cap of %llu %% was refused",
		  (unsigned long long)percent);
}

void sim_vm_min(struct sim_vm *vm, u32 ppm)
{
	struct hvmm_quota quota = vm->quota;

	quota.min_ppm = ppm;
	sim_check(!sim_vm_quota(vm, &quota).err, "a reservation of %u ppm was refused", ppm);
}

void sim_vm_pin(struct sim_vm *vm, unsigned int first, unsigned int nr)
{
	struct hvmm_quota quota = vm->quota;
	unsigned int i;

	bitmap_zero(quota.affinity, HVMM_RES_MAX);
	for (i = first; i < first + nr; i++)
		__set_bit(i, quota.affinity);
	sim_check(!sim_vm_quota(vm, &quota).err, "an affinity was refused");
}

/* The reason to run may come in the very moment in which it is asked for. */
static bool flips(struct sim_unit *u)
{
	bool seen;

	if (!sim.in_put || !sim.flip || u->wants || !u->waking || sim_rand(sim.flip))
		return false;
	u->wants = true;
	u->flipped = true;
	seen = sim_rand(2);
	sim_push(sim.now, EV_WAKE, u->vm->id, u->unit.index);
	return !seen;
}

bool sim_runnable(struct hvmm_unit *unit)
{
	struct sim_unit *u = sim_unit_of(unit);

	if (flips(u))
		return false;
	return u->wants && !u->vm->paused && !u->vm->dying;
}

void sim_wake(struct sim_vm *vm, struct sim_unit *u)
{
	u->waking = false;
	u->flipped = false;
	if (!u->wants || u->state == HVMM_UNIT_PARKED)
		u->woke_at = u->state == HVMM_UNIT_PARKED ? sim.now : 0;
	u->wants = true;
	hvmm_sched_wake(&u->unit, sim.now);
}

static void put_soon(struct sim_cpu *cpu)
{
	sim_push(sim.now + sim_rand(sim.switch_max + 1), EV_PUT, cpu - sim.cpus, cpu->run_gen);
}

static void sleep_for(struct sim_cpu *cpu, struct sim_unit *u, u64 ns)
{
	u->wants = false;
	u->dozes = true;
	u->waking = true;
	u->work = some(u, u->run);
	sim_push(sim.now + ns, EV_WAKE, u->vm->id, u->unit.index);
	put_soon(cpu);
}

void sim_guest_stop(struct sim_cpu *cpu)
{
	struct sim_unit *u = sim_unit_of(cpu->res->curr);
	u64 ran = sim.now - cpu->resumed;

	cpu->act_gen++;
	if (u->work != NEVER && u->wants)
		u->work -= min(ran, u->work);
}

void sim_guest_resume(struct sim_cpu *cpu)
{
	struct sim_unit *u = sim_unit_of(cpu->res->curr);
	u64 end = cpu->res->slice_end;

	cpu->resumed = sim.now;
	cpu->act_gen++;
	/* On its way out: it does no more here. */
	if (!u->wants)
		return;
	u->dozes = false;
	if (u->behave == SIM_DODGE)
		u->work = end > sim.now + 2 * USEC ? end - sim.now - USEC : 200 * USEC;
	if (u->work != NEVER)
		sim_push(sim.now + max_t(u64, u->work, 1), EV_ACTION, cpu - sim.cpus, cpu->act_gen);
}

static void take_lock(struct sim_unit *u)
{
	u->vm->lock = u;
	u->phase = SIM_INSIDE;
	u->work = some(u, u->run);
}

/* Return: whether it has made way. */
static bool lock_action(struct sim_cpu *cpu, struct sim_unit *u)
{
	struct sim_vm *vm = u->vm;

	if (u->phase == SIM_INSIDE) {
		vm->lock = NULL;
		vm->sections++;
		u->phase = SIM_OUTSIDE;
		u->work = some(u, u->sleep);
		return false;
	}
	if (!vm->lock) {
		take_lock(u);
		return false;
	}
	u->phase = SIM_SPINS;
	u->work = SPIN_NS;
	if (sim.no_yield_to || !hvmm_sched_yield_to(cpu->res, &vm->lock->unit, sim.now))
		return false;
	sim_cpu_put(cpu);
	return true;
}

void sim_guest_action(struct sim_cpu *cpu)
{
	struct sim_unit *u = sim_unit_of(cpu->res->curr);

	u->work = 0;
	cpu->resumed = sim.now;
	switch (u->behave) {
	case SIM_PATTERN:
	case SIM_EXP:
		sleep_for(cpu, u, some(u, u->sleep));
		return;
	case SIM_DODGE:
		sleep_for(cpu, u, 1 + sim_rand(20 * USEC));
		return;
	case SIM_YIELD:
		u->work = some(u, u->run);
		put_soon(cpu);
		return;
	case SIM_LOCK:
		if (lock_action(cpu, u))
			return;
		break;
	default:
		break;
	}
	sim_guest_resume(cpu);
}
