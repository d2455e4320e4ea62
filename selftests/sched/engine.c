// SPDX-License-Identifier: GPL-2.0
/* Events, pCPUs, and the executor that the scheduler sees. */
#include <math.h>
#include <stdarg.h>
#include <unistd.h>

#include "rng.h"
#include "sim.h"

struct sim sim;
struct sim_options opt;
u64 sim_calls[16];

u64 sim_rand(u64 n)
{
	return rng_below(n);
}

double sim_exp(double mean)
{
	return -mean * log(((rng() >> 12) + 1) / 4503599627370497.0);
}

void sim_reseed(u64 seed)
{
	rng_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	if (!rng_state)
		rng_state = 1;
}

void sim_fail(const char *fmt, ...)
{
	va_list args;

	printf("FAILED %s: at %llu.%06llu ms, event %llu: ", sim.scene,
	       sim.now / MSEC, sim.now % MSEC, (unsigned long long)sim.events);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\nagain: sim --scenario %s --seed %llu%s%s --verbose\n", sim.scene,
	       (unsigned long long)sim.seed, opt.mutant ? " --break " : "", opt.mutant ?: "");
	fflush(stdout);
	if (sim.trace)
		fclose(sim.trace);
	_exit(1);
}

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void push(struct sim_event ev)
{
	unsigned int i = sim.nr_heap++;

	if (sim.nr_heap > sim.max_heap) {
		sim.max_heap = max(2 * sim.max_heap, 64U);
		sim.heap = realloc(sim.heap, sim.max_heap * sizeof(*sim.heap));
	}
	ev.seq = sim.seq++;
	for (; i && earlier(&ev, &sim.heap[(i - 1) / 2]); i = (i - 1) / 2)
		sim.heap[i] = sim.heap[(i - 1) / 2];
	sim.heap[i] = ev;
}

static struct sim_event pop(void)
{
	struct sim_event first = sim.heap[0], last = sim.heap[--sim.nr_heap];
	unsigned int i = 0, c;

	while ((c = 2 * i + 1) < sim.nr_heap) {
		if (c + 1 < sim.nr_heap && earlier(&sim.heap[c + 1], &sim.heap[c]))
			c++;
		if (!earlier(&sim.heap[c], &last))
			break;
		sim.heap[i] = sim.heap[c];
		i = c;
	}
	sim.heap[i] = last;
	return first;
}

void sim_push(u64 at, enum sim_event_type type, u32 who, u32 what)
{
	push((struct sim_event){ .at = at, .type = type, .who = who, .what = what });
}

void sim_call(u64 at, void (*call)(u32 who, u32 what), u32 who, u32 what)
{
	struct sim_event ev = { .at = at, .type = EV_CALL, .who = who, .what = what };

	ev.call = call;
	push(ev);
}

static u64 after(u64 longest)
{
	return sim.now + (longest ? sim_rand(longest + 1) : 0);
}

struct sim_cpu *sim_cpu_of(const struct sim_unit *u)
{
	return &sim.cpus[u->unit.res->id];
}

static unsigned int nr_of(const struct sim_cpu *cpu)
{
	return cpu - sim.cpus;
}

/* Callbacks do as little as can be, so that the cost of a call is the scheduler's own. */
static void exec_kick(struct hvmm_resource *res)
{
	struct sim_cpu *cpu = &sim.cpus[res->id];

	if (cpu->kicked)
		return;
	cpu->kicked = true;
	sim.kicks[sim.nr_kicks++] = res;
}

static void exec_arm(unsigned int dom, u64 at)
{
	sim.timer_gen[dom]++;
	at = max(at, sim.now) + (sim.timer_max ? sim_rand(sim.timer_max + 1) : 0);
	sim_push(at, EV_TIMER, dom, sim.timer_gen[dom]);
}

static void exec_broken(unsigned int dom, const char *policy, const char *why)
{
	sim.broken++;
	if (sim.verbose)
		printf("watchdog: %s %s\n", policy, why);
	sim_check(sim.expect_broken, "the watchdog took out %s: it %s", policy, why);
}

static void exec_record(const struct hvmm_sched_record *rec)
{
	sim_calls[rec->op]++;
	if (sim.trace)
		sim_record(rec);
}

static const struct hvmm_sched_exec exec = {
	.runnable	= sim_runnable,
	.changed	= sim_changed,
	.kick		= exec_kick,
	.arm		= exec_arm,
	.broken		= exec_broken,
	.record		= exec_record,
};

/*
 * The fall-back is told of all that policies are told of, after them, and has no use for
 * some of it: this one in its place keeps our account of that.
 */
static struct hvmm_sched_class watched_rr;

static void observe_enqueue(struct hvmm_domain *dom, struct hvmm_share *share, bool woke, u64 now)
{
	if (!sim.no_checks)
		sim_lag_bounded(share);
}

static void observe_charge(struct hvmm_domain *dom, struct hvmm_share *share,
			   struct hvmm_resource *res, u64 ran, u64 contended, u64 now)
{
	sim_unit_of(res->curr)->charged += ran;
	if (!sim.no_checks)
		sim_lag_bounded(share);
}

/* Kicks that calls of the scheduler have sent are on their way now. */
static void send_kicks(void)
{
	struct sim_cpu *cpu;
	unsigned int i;

	for (i = 0; i < sim.nr_kicks; i++) {
		cpu = &sim.cpus[sim.kicks[i]->id];
		cpu->kicked = false;
		if (cpu->kick_at)
			continue;
		cpu->kick_at = after(sim.kick_max);
		sim_push(cpu->kick_at, EV_KICK, nr_of(cpu), 0);
	}
	sim.nr_kicks = 0;
}

void sim_cpu_put(struct sim_cpu *cpu)
{
	struct sim_unit *u = sim_unit_of(cpu->res->curr);

	sim_guest_stop(cpu);
	sim_cpu_account(cpu);
	sim.in_put = true;
	hvmm_sched_put(cpu->res, sim.now);
	sim.in_put = false;
	sim_check(u->charged == u->in_state[HVMM_UNIT_RUNNING] - u->host,
		  "VM %u vCPU %u was charged %llu ns, but has run %llu", u->vm->id, u->unit.index,
		  (unsigned long long)u->charged,
		  (unsigned long long)(u->in_state[HVMM_UNIT_RUNNING] - u->host));
	cpu->mode = SIM_SWITCH;
	cpu->run_gen++;
	cpu->slice_gen++;
	sim_push(after(sim.switch_max), EV_NEXT, nr_of(cpu), cpu->run_gen);
}

static void attend(struct sim_cpu *cpu)
{
	u64 end = hvmm_sched_attend(cpu->res, sim.now);

	cpu->slice_gen++;
	if (end && end <= sim.now)
		sim_cpu_put(cpu);
	else if (end)
		sim_push(end + after(sim.timer_max) - sim.now, EV_SLICE, nr_of(cpu),
			 cpu->slice_gen);
}

static void next(struct sim_cpu *cpu)
{
	struct hvmm_unit *unit;

	sim_cpu_account(cpu);
	unit = hvmm_sched_next(cpu->res, sim.now);
	sim_check(unit == cpu->res->curr, "what was picked does not run");
	if (!unit) {
		if (cpu->mode != SIM_IDLE)
			cpu->idle_since = sim.now;
		cpu->mode = cpu->res->online ? SIM_IDLE : SIM_OFF;
		return;
	}
	sim_check(cpu->res->online, "a pCPU that is gone was given a unit");
	sim_check(test_bit(nr_of(cpu), sim_unit_of(unit)->vm->quota.affinity),
		  "VM %u was given to pCPU %u, which it may not use", sim_unit_of(unit)->vm->id,
		  nr_of(cpu));
	cpu->mode = SIM_RUN;
	cpu->run_gen++;
	sim_guest_resume(cpu);
	if (cpu->res->attention)
		attend(cpu);
}

static void steal(struct sim_cpu *cpu)
{
	if (cpu->stolen)
		return;
	sim_cpu_account(cpu);
	if (cpu->mode == SIM_RUN) {
		sim_guest_stop(cpu);
		sim_vm_account(sim_unit_of(cpu->res->curr)->vm);
		sim_unit_of(cpu->res->curr)->vm->running--;
	}
	cpu->stolen = true;
	sim.nr_stolen++;
	hvmm_sched_host(cpu->res, true, sim.now);
	sim_disturb();
	sim_push(after(sim.steal_for), EV_GIVE, nr_of(cpu), 0);
}

static void give(struct sim_cpu *cpu)
{
	unsigned int i, deferred = cpu->deferred;

	sim_cpu_account(cpu);
	cpu->stolen = false;
	sim.nr_stolen--;
	cpu->deferred = 0;
	/* A unit may have been meant for this pCPU while others were idle. */
	for (i = 0; i < sim.nr_cpus; i++)
		sim.cpus[i].idle_since = sim.now;
	sim_disturb();
	hvmm_sched_host(cpu->res, false, sim.now);
	if (sim.steal_every)
		sim_push(sim.now + sim_exp(sim.steal_every), EV_STEAL, nr_of(cpu), 0);
	if (cpu->mode != SIM_RUN) {
		if (deferred & (BIT(EV_NEXT) | BIT(EV_KICK)))
			next(cpu);
		return;
	}
	sim_vm_account(sim_unit_of(cpu->res->curr)->vm);
	sim_unit_of(cpu->res->curr)->vm->running++;
	sim_guest_resume(cpu);
	if (deferred & BIT(EV_SLICE))
		WRITE_ONCE(cpu->res->attention, true);
	if (deferred & BIT(EV_PUT))
		sim_cpu_put(cpu);
	else if (cpu->res->attention)
		attend(cpu);
}

static void cpu_event(struct sim_cpu *cpu, const struct sim_event *ev)
{
	if (ev->type == EV_KICK)
		cpu->kick_at = 0;
	else if (ev->type == EV_SLICE && ev->what != cpu->slice_gen)
		return;
	else if (ev->type == EV_ACTION && ev->what != cpu->act_gen)
		return;
	else if ((ev->type == EV_NEXT || ev->type == EV_PUT) && ev->what != cpu->run_gen)
		return;
	if (cpu->stolen) {
		cpu->deferred |= BIT(ev->type);
		return;
	}
	switch (ev->type) {
	case EV_KICK:
		if (cpu->mode == SIM_IDLE || cpu->mode == SIM_OFF)
			next(cpu);
		else if (cpu->mode == SIM_RUN && cpu->res->attention)
			attend(cpu);
		break;
	case EV_SLICE:
		WRITE_ONCE(cpu->res->attention, true);
		attend(cpu);
		break;
	case EV_NEXT:
		next(cpu);
		break;
	case EV_PUT:
		sim_cpu_put(cpu);
		break;
	default:
		sim_guest_action(cpu);
	}
}

bool sim_step(void)
{
	struct sim_event ev;
	struct sim_vm *vm;

	if (!sim.nr_heap)
		return false;
	ev = pop();
	sim.now = ev.at;
	sim.events++;
	switch (ev.type) {
	case EV_STEAL:
		steal(&sim.cpus[ev.who]);
		break;
	case EV_GIVE:
		give(&sim.cpus[ev.who]);
		break;
	case EV_TIMER:
		/* One that is out of date comes all the same now and then. */
		if (ev.what == sim.timer_gen[ev.who] || !sim_rand(16))
			hvmm_sched_timer(ev.who, sim.now);
		break;
	case EV_WAKE:
		vm = sim_vm_of_id(ev.who);
		if (vm)
			sim_wake(vm, &vm->units[ev.what]);
		break;
	case EV_CALL:
		ev.call(ev.who, ev.what);
		break;
	default:
		cpu_event(&sim.cpus[ev.who], &ev);
	}
	send_kicks();
	sim_vm_reap();
	if (!sim.no_checks && (!sim.check_every || sim.events % sim.check_every == 0))
		sim_check_all();
	return true;
}

static void nothing(u32 who, u32 what)
{
}

void sim_run_until(u64 at)
{
	send_kicks();
	sim_call(at, nothing, 0, 0);
	while (sim.nr_heap && sim.heap[0].at <= at)
		sim_step();
}

void sim_online(unsigned int nr, bool online)
{
	struct sim_cpu *cpu = &sim.cpus[nr];
	unsigned int i;

	/* It comes back only after it has gone. */
	if (cpu->res->online == online || (online && cpu->res->curr))
		return;
	sim_disturb();
	/* What has gone may have been ahead of what stays. */
	sim_lag_unknown(cpu->res->dom);
	sim.nr_offline += online ? -1 : 1;
	for (i = 0; i < sim.nr_cpus; i++)
		sim.cpus[i].idle_since = sim.now;
	hvmm_sched_set_online(cpu->res, online, sim.now);
	send_kicks();
}

void sim_begin(unsigned int cpus, unsigned int doms)
{
	struct hvmm_sched_config config;
	unsigned int i;

	sim.now = SIM_START;
	sim.verbose = opt.verbose;
	sim.trace = opt.trace;
	sim.nr_cpus = cpus;
	sim.nr_doms = doms;
	sim.cpus = calloc(cpus, sizeof(*sim.cpus));
	sim.res = calloc(cpus, sizeof(*sim.res));
	sim.doms = calloc(doms, hvmm_domain_size());
	sim.dom_of = calloc(cpus, sizeof(*sim.dom_of));
	sim.timer_gen = calloc(doms, sizeof(*sim.timer_gen));
	sim.kicks = calloc(cpus, sizeof(*sim.kicks));
	for (i = 0; i < cpus; i++) {
		sim.dom_of[i] = i * doms / cpus;
		sim.cpus[i].res = &sim.res[i];
		sim.cpus[i].since = sim.now;
		sim.cpus[i].mode = SIM_OFF;
	}
	watched_rr = hvmm_sched_rr;
	watched_rr.enqueue = observe_enqueue;
	watched_rr.charge = observe_charge;
	hvmm_sched_classes[HVMM_SCHED_CLASSES - 1] = &watched_rr;
	config = (struct hvmm_sched_config){
		.res = sim.res, .nr_res = cpus, .dom_of = sim.dom_of, .nr_dom = doms,
		.dom = sim.doms, .exec = sim_break_exec(&exec),
	};
	hvmm_sched_init(&config);
	sim.nr_offline = cpus;
	if (sim.trace)
		fprintf(sim.trace, "# cpus %u\n", cpus);
	for (i = 0; i < cpus; i++)
		sim_online(i, true);
}

static void free_host(void)
{
	free(sim.heap);
	free(sim.cpus);
	free(sim.res);
	free(sim.doms);
	free(sim.dom_of);
	free(sim.timer_gen);
	free(sim.kicks);
	free(sim.vms);
}

void sim_end(void)
{
	unsigned int i;
	u64 limit = sim.now + 60 * SEC;

	sim_check_end();
	for (i = 0; i < sim.nr_vms; i++)
		if (sim.vms[i])
			sim_vm_destroy(sim.vms[i]);
	sim_vm_reap();
	for (i = 0; i < sim.nr_vms; i++)
		while (sim.vms[i]) {
			sim_check(sim_step() && sim.now < limit, "VM %u does not stop",
				  sim.vms[i] ? sim.vms[i]->id : 0);
		}
	free_host();
	sim = (struct sim){ .scene = sim.scene, .seed = sim.seed, .events = sim.events };
}
