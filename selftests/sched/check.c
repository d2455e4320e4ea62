// SPDX-License-Identifier: GPL-2.0
/* What holds between any two events. */
#include "sim.h"

/* Longest time for which an idle pCPU may leave a unit waiting that it could run. */
static u64 idle_bound(void)
{
	return 2 * sim.kick_max + sim.switch_max;
}

static void check_tree_node(const struct rb_node *rb, u64 *last, bool *any, unsigned int *nr,
			    u32 *below)
{
	const struct hvmm_node *node;
	u32 left, right;

	*below = 0;
	if (!rb)
		return;
	node = rb_entry(rb, struct hvmm_node, rb);
	check_tree_node(rb->rb_left, last, any, nr, &left);
	sim_check(node->in, "a node in a tree does not know of it");
	sim_check(!*any || !hvmm_before(node->key, *last), "a tree is out of order");
	*last = node->key;
	*any = true;
	(*nr)++;
	check_tree_node(rb->rb_right, last, any, nr, &right);
	*below = left | right | node->allowed;
	sim_check(node->below == *below, "a tree's node knows of %#x below it, not %#x",
		  node->below, *below);
}

static unsigned int check_tree(const struct rb_root *root)
{
	unsigned int nr = 0;
	bool any = false;
	u64 last = 0;
	u32 below;

	check_tree_node(root->rb_node, &last, &any, &nr, &below);
	return nr;
}

static unsigned int check_queue(const struct hvmm_share *share)
{
	const struct hvmm_unit *unit, *last = NULL;
	unsigned int nr = 0;
	struct rb_node *rb;

	for (rb = rb_first_cached(&share->queue); rb; rb = rb_next(rb)) {
		unit = rb_entry(rb, struct hvmm_unit, node);
		sim_check(unit->state == HVMM_UNIT_QUEUED && unit->dom == share->dom &&
			  unit->group == share->group, "a unit is in a queue that is not its own");
		sim_check(!last || !hvmm_before(unit->ran, last->ran), "a queue is out of order");
		last = unit;
		nr++;
	}
	return nr;
}

struct tally {
	unsigned int waiting, shares, fair, edf, timers;
	u64 load;
};

/* Furthest virtual time of the pCPUs that a share may use. */
static u64 reference(const struct hvmm_domain *dom, const struct hvmm_share *share)
{
	bool any = false, all = true;
	unsigned int i;
	u64 v = 0;

	for (i = 0; i < dom->nr_res; i++) {
		if (!(share->allowed & dom->online & dom->res[i]->bit)) {
			all = false;
			continue;
		}
		if (!any || hvmm_before(v, dom->res[i]->v))
			v = dom->res[i]->v;
		any = true;
	}
	return all ? dom->v : v;
}

/* A share was just charged or queued: 20 ms for each busy vCPU of the VM, either way. */
void sim_lag_bounded(const struct hvmm_share *share)
{
	struct sim_vm *vm = sim_vm_of_id(share->group->id);
	u64 busy = atomic_read(&share->group->nr_busy);

	vm->lag[share->dom->id] = HVMM_LAG_NS * max(busy, 1ULL) * HVMM_WEIGHT_MAX /
				  share->group->quota.weight;
}

void sim_lag_unknown(const struct hvmm_domain *dom)
{
	unsigned int i;

	for (i = 0; i < sim.nr_vms; i++)
		if (sim.vms[i])
			sim.vms[i]->lag[dom->id] = 0;
}

/*
 * Whoever waits was not passed by any pCPU that it may use, so what bounded it then holds
 * still; slices of its VM that are under way are charged in advance.
 */
static void check_lag(const struct hvmm_domain *dom, const struct hvmm_share *share)
{
	u64 behind = sim_vm_of_id(share->group->id)->lag[dom->id], ahead = behind;
	unsigned int i;
	s64 lag;

	if (!share->nr_waiting || dom->broken || !behind || !(share->allowed & dom->online))
		return;
	for (i = 0; i < dom->nr_res; i++)
		if (dom->res[i]->curr && dom->res[i]->curr->group == share->group)
			ahead += dom->res[i]->owed;
	lag = share->fair.key - reference(dom, share);
	sim_check(lag <= (s64)ahead && -lag <= (s64)behind,
		  "VM %u has a lag of %lld in domain %u; bounds -%llu, %llu", share->group->id,
		  (long long)lag, dom->id, (unsigned long long)behind, (unsigned long long)ahead);
}

static void check_share(const struct hvmm_share *share, struct tally *t)
{
	const struct hvmm_domain *dom = share->dom;
	unsigned int nr = check_queue(share);

	sim_check(nr == share->nr_waiting, "VM %u has %u units in domain %u's queue, not %u",
		  share->group->id, nr, dom->id, share->nr_waiting);
	sim_check(list_empty(&share->waiting) == !nr, "the list of who waits is wrong");
	if (!dom->broken) {
		sim_check(share->fair.in == !!nr, "VM %u %s the fair queue of domain %u",
			  share->group->id, nr ? "is not in" : "is still in", dom->id);
		sim_check(share->edf.in == (nr && share->reserve && share->budget > 0),
			  "VM %u's reservation is queued wrongly", share->group->id);
		sim_check(!share->reserve || share->budget > 0 ||
			  hvmm_timer_pending(&share->refill),
			  "VM %u has used its reservation and nothing will fill it up",
			  share->group->id);
	}
	t->waiting += nr;
	t->shares += !!nr;
	t->fair += share->fair.in;
	t->edf += share->edf.in;
	t->timers += hvmm_timer_pending(&share->refill);
	check_lag(dom, share);
}

static bool may_use(const struct hvmm_group *group, const struct hvmm_domain *dom)
{
	return group->shares[dom->id].allowed & dom->online;
}

/* Nobody waits where it cannot run, while it could elsewhere, or away from its reservation. */
static void check_place(const struct sim_unit *u)
{
	const struct hvmm_unit *unit = &u->unit;
	bool good = may_use(unit->group, unit->dom);
	unsigned int i;

	if (unit->state != HVMM_UNIT_QUEUED)
		return;
	if (unit->home && may_use(unit->group, unit->home))
		good = unit->home == unit->dom;
	for (i = 0; !good && i < sim.nr_doms; i++)
		sim_check(!may_use(unit->group, hvmm_domain_nr(i)),
			  "VM %u vCPU %u waits in domain %u, its place is elsewhere", u->vm->id,
			  unit->index, unit->dom->id);
}

static void check_unit(struct sim_unit *u, const struct hvmm_domain *dom, struct tally *t)
{
	const struct hvmm_unit *unit = &u->unit;
	bool pending = hvmm_timer_pending(&unit->release);

	sim_check(unit->state == u->state, "a state was not told");
	sim_check(pending == (unit->state == HVMM_UNIT_CAPPED), "VM %u vCPU %u %s",
		  u->vm->id, unit->index, pending ? "has a timer that nobody waits for" :
		  "waits for its cap without a timer");
	sim_check(u->flipped || unit->state != HVMM_UNIT_PARKED || !sim_runnable(&u->unit),
		  "VM %u vCPU %u could run and is parked", u->vm->id, unit->index);
	sim_check((unit->state == HVMM_UNIT_RUNNING) == (unit->res->curr == unit),
		  "VM %u vCPU %u runs nowhere, or twice", u->vm->id, unit->index);
	if (unit->dom != dom)
		return;
	check_place(u);
	t->timers += pending;
	if (unit->state != HVMM_UNIT_PARKED)
		t->load += unit->load;
}

static void check_vm_in(struct sim_vm *vm, const struct hvmm_domain *dom, struct tally *t)
{
	const struct hvmm_share *share = &vm->group->shares[dom->id];
	unsigned int i, busy = 0;

	check_share(share, t);
	for (i = 0; i < vm->nr_units; i++) {
		check_unit(&vm->units[i], dom, t);
		busy += vm->units[i].unit.dom == dom && vm->units[i].state != HVMM_UNIT_PARKED;
	}
	sim_check(busy == share->nr_busy, "VM %u has %u units busy in domain %u, not %u",
		  vm->id, busy, dom->id, share->nr_busy);
}

static void check_res(const struct hvmm_resource *res)
{
	const struct hvmm_domain *dom = res->dom;

	sim_check(!(dom->online & res->bit) == !res->online, "pCPU %u: online or not?", res->id);
	sim_check(!(dom->idle & res->bit) || (res->online && !res->curr),
		  "pCPU %u is said to be idle and is not", res->id);
	sim_check(!res->handoff || (res->handoff->state == HVMM_UNIT_QUEUED &&
				    res->handoff->dom == dom),
		  "pCPU %u was left a unit that does not wait", res->id);
	sim_check(!res->curr || res->curr->state == HVMM_UNIT_RUNNING, "what runs does not");
}

static void check_domain(const struct hvmm_domain *dom)
{
	const struct hvmm_share *share;
	struct tally t = { 0 };
	unsigned int i, nr = 0;
	struct rb_node *rb;

	for (i = 0; i < sim.nr_vms; i++)
		if (sim.vms[i])
			check_vm_in(sim.vms[i], dom, &t);
	for (i = 0; i < dom->nr_res; i++)
		check_res(dom->res[i]);
	list_for_each_entry(share, &dom->waiting, waiting)
		nr++;
	sim_check(nr == t.shares, "%u shares wait, not %u", t.shares, nr);
	sim_check(t.waiting == dom->nr_waiting, "%u units wait in domain %u, not %u", t.waiting,
		  dom->id, dom->nr_waiting);
	/* A policy that was taken out keeps what it had: nobody looks there any more. */
	if (!dom->broken) {
		sim_check(check_tree(&dom->fair) == t.fair, "the fair queue lost or kept somebody");
		sim_check(check_tree(&dom->edf) == t.edf,
			  "the reservations' queue lost or kept somebody");
	}
	nr = 0;
	for (rb = rb_first_cached(&dom->timers); rb; rb = rb_next(rb))
		nr++;
	nr -= !RB_EMPTY_NODE(&dom->look.node);
	sim_check(nr == t.timers, "%u timers are set, not %u", t.timers, nr);
	sim_check(!nr || dom->armed, "timers are set and nobody will call");
	sim_check(t.load == dom->load, "domain %u has a load of %llu, not %llu", dom->id,
		  (unsigned long long)t.load, (unsigned long long)dom->load);
}

static bool could_run(const struct sim_cpu *cpu, const struct sim_unit *u)
{
	const struct hvmm_domain *dom = cpu->res->dom;

	if (!(u->vm->group->shares[dom->id].allowed & cpu->res->bit))
		return false;
	return u->unit.dom == dom || !u->unit.home;
}

static void left_waiting(const struct sim_cpu *cpu, const struct sim_unit *u, u64 ns)
{
	const struct hvmm_domain *dom = cpu->res->dom;

	printf("domain %u: idle %#x, kicked %#x, lured %#x; may use %#x, home %d\n", dom->id,
	       dom->idle, dom->kicked, atomic_read(&dom->lured),
	       u->vm->group->shares[dom->id].allowed, u->unit.home ? (int)u->unit.home->id : -1);
	sim_fail("VM %u vCPU %u has waited for %llu ns in domain %u beside pCPU %u, which is idle",
		 u->vm->id, u->unit.index, (unsigned long long)ns, u->unit.dom->id, cpu->res->id);
}

static void check_idle_cpu(const struct sim_cpu *cpu)
{
	const struct sim_unit *u;
	struct sim_vm *vm;
	unsigned int i;
	u64 since;

	for (i = 0; i < sim.nr_vms; i++) {
		vm = sim.vms[i];
		for (u = vm ? vm->units : NULL; u && u < vm->units + vm->nr_units; u++) {
			since = max(max(u->since, vm->quota_since), cpu->idle_since);
			if (u->state == HVMM_UNIT_QUEUED && since + idle_bound() < sim.now &&
			    could_run(cpu, u))
				left_waiting(cpu, u, sim.now - since);
		}
	}
}

static void check_time(void)
{
	u64 ran = sim.gone_ns, run = 0;
	const struct sim_unit *u;
	struct sim_cpu *cpu;
	unsigned int i;

	for (i = 0; i < sim.nr_cpus; i++) {
		cpu = &sim.cpus[i];
		sim_cpu_account(cpu);
		run += cpu->run_ns;
		sim_check(cpu->run_ns + cpu->host_ns + cpu->idle_ns == sim.now - SIM_START,
			  "pCPU %u has lost time", i);
	}
	for (i = 0; i < sim.nr_vms; i++)
		for (u = sim.vms[i] ? sim.vms[i]->units : NULL;
		     u && u < sim.vms[i]->units + sim.vms[i]->nr_units; u++) {
			ran += u->in_state[HVMM_UNIT_RUNNING] - u->host;
			if (u->state == HVMM_UNIT_RUNNING)
				ran += sim.now - u->since;
			sim_check(u->in_state[0] + u->in_state[1] + u->in_state[2] +
				  u->in_state[3] + sim.now - u->since == sim.now - u->born,
				  "VM %u vCPU %u has lost time", u->vm->id, u->unit.index);
		}
	sim_check(ran == run, "vCPUs have run %llu ns, pCPUs %llu", (unsigned long long)ran,
		  (unsigned long long)run);
}

void sim_check_all(void)
{
	unsigned int i;

	/* Caps and reservations of those that nothing happens to. */
	for (i = 0; i < sim.nr_vms; i++)
		if (sim.vms[i] && sim.now >= sim.vms[i]->accounted + MSEC)
			sim_vm_account(sim.vms[i]);
	for (i = 0; i < sim.nr_doms; i++)
		check_domain(hvmm_domain_nr(i));
	/* A unit may have been meant for a pCPU that the host has. */
	for (i = 0; i < sim.nr_cpus && !sim.nr_stolen; i++)
		if (sim.cpus[i].mode == SIM_IDLE && sim.cpus[i].res->online)
			check_idle_cpu(&sim.cpus[i]);
	check_time();
}

void sim_check_end(void)
{
	unsigned int i;

	for (i = 0; i < sim.nr_vms; i++)
		if (sim.vms[i])
			sim_vm_account(sim.vms[i]);
}
