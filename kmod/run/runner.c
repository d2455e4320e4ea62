// SPDX-License-Identifier: GPL-2.0
/*
 * Runners: one kernel thread per pCPU, which runs vCPUs directly. To the host
 * it is an ordinary task, so the host stays usable however busy the guests are.
 * While it has nothing to do a thread of a device process may take its place: run/lend.h.
 */

#include <linux/hrtimer.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smpboot.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>

#include "core/arch.h"
#include "host/timer.h"
#include "host/topology.h"
#include "io/channel.h"
#include "run/lend.h"
#include "run/policy.h"
#include "run/runner.h"
#include "run/runner_state.h"
#include "trace.h"
#include "x86/aside.h"

static DEFINE_PER_CPU(struct task_struct *, runner_task);
DEFINE_PER_CPU(struct hvmm_runner, hvmm_runners);
static struct hvmm_resource *resources;
static DECLARE_WAIT_QUEUE_HEAD(gone_idle);

/**
 * struct domain_alarm - a scheduling domain's timer
 * @timer: the timer
 * @dom: number of the domain
 */
struct domain_alarm {
	struct hrtimer timer;
	unsigned int dom;
};

static void *domains;
static struct domain_alarm *alarms;
static unsigned int nr_domains;

static bool exec_runnable(struct hvmm_unit *unit)
{
	return hvmm_vcpu_runnable(hvmm_runner_vcpu(unit));
}

static void exec_changed(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now)
{
	hvmm_vcpu_changed(hvmm_runner_vcpu(unit), state, now);
}

void hvmm_runner_wake(struct hvmm_runner *r)
{
	WRITE_ONCE(r->poked, true);
	wake_up_process(per_cpu(runner_task, r->slice.res->id));
}

static void exec_kick(struct hvmm_resource *res)
{
	struct hvmm_runner *r = per_cpu_ptr(&hvmm_runners, res->id);

	if (!per_cpu(runner_task, res->id))
		return;
	if (res->curr) {
		hvmm_run_kick_cpu(res->id);
		return;
	}
	WRITE_ONCE(r->poked, true);
	/* Pairs with hvmm_lend_run(). */
	smp_mb();
	if (READ_ONCE(r->role) != HVMM_RUNNER_LENT)
		hvmm_runner_wake(r);
}

static enum hrtimer_restart alarm_fn(struct hrtimer *timer)
{
	hvmm_sched_timer(container_of(timer, struct domain_alarm, timer)->dom, ktime_get_ns());
	/* What it armed stays armed: the timer was not queued while this ran. */
	return HRTIMER_NORESTART;
}

static void exec_arm(unsigned int dom, u64 at)
{
	hrtimer_start(&alarms[dom].timer, ns_to_ktime(at), HRTIMER_MODE_ABS_HARD);
}

static bool exec_recording(void)
{
	return trace_hvmm_sched_enabled() || trace_hvmm_sched_quota_enabled();
}

static void exec_record(const struct hvmm_sched_record *rec)
{
	trace_hvmm_sched(rec);
	if (rec->quota)
		trace_hvmm_sched_quota(rec);
}

static const struct hvmm_sched_exec exec = {
	.runnable	= exec_runnable,
	.changed	= exec_changed,
	.kick		= exec_kick,
	.arm		= exec_arm,
	.broken		= hvmm_policy_broken,
	.recording	= exec_recording,
	.record		= exec_record,
};

void hvmm_run_kick_cpu(unsigned int cpu)
{
	struct hvmm_runner *r = per_cpu_ptr(&hvmm_runners, cpu);
	struct task_struct *thread;

	/* Pairs with hvmm_lend_leave(). */
	smp_mb();
	if (unlikely(READ_ONCE(r->role) == HVMM_RUNNER_AWAY)) {
		hvmm_runner_wake(r);
		return;
	}
	/* On this pCPU itself no guest can be running. */
	rcu_read_lock();
	thread = READ_ONCE(r->lent_to);
	kick_process(thread ?: per_cpu(runner_task, cpu));
	rcu_read_unlock();
}

/*
 * Preemption is off. The host takes the pCPU with its scheduler's lock held and interrupts off,
 * so nothing here takes a lock or wakes; it gives the pCPU back with neither. From
 * hvmm_sched_next() to hvmm_sched_put(), which change @curr with interrupts off, only this thread
 * writes these figures, and no interrupt handler reads them.
 */
static void host_switched(struct preempt_notifier *notifier, bool took)
{
	struct hvmm_runner *r = container_of(notifier, struct hvmm_runner, notifier);
	struct hvmm_resource *res = r->slice.res;
	u64 now;

	/* A borrower's is not this thread's. */
	if (r->role != HVMM_RUNNER_THREAD)
		return;
	/* Nothing runs here: one that goes to sleep or wakes up. */
	if (!res->curr && hvmm_load_is_idle(&r->load))
		return;
	now = ktime_get_ns();
	if (res->curr) {
		if (took)
			hvmm_aside_host_took(to_x86(hvmm_runner_vcpu(res->curr)));
		hvmm_ledger_switch(&hvmm_runner_vcpu(res->curr)->ledger,
				   took ? HVMM_VCPU_HOST : HVMM_VCPU_RUN, now);
		hvmm_sched_host(res, took, now);
	}
	hvmm_load_host(&r->load, took, now);
}

static void host_took_cpu(struct preempt_notifier *notifier, struct task_struct *next)
{
	host_switched(notifier, true);
}

static void host_gave_cpu(struct preempt_notifier *notifier, int cpu)
{
	host_switched(notifier, false);
}

static struct preempt_ops notifier_ops = {
	.sched_in	= host_gave_cpu,
	.sched_out	= host_took_cpu,
};

static int should_run(unsigned int cpu)
{
	return READ_ONCE(per_cpu(hvmm_runners, cpu).poked);
}

bool hvmm_runner_run_all(struct hvmm_runner *r)
{
	const struct hvmm_vm *borrower = r->slice.borrower;
	struct hvmm_resource *res = r->slice.res;
	bool resumed = res->curr, done = true;
	struct hvmm_vcpu *vcpu;
	struct hvmm_unit *unit;
	u64 now = 0;

	while ((unit = res->curr ?: hvmm_sched_next(res, now = ktime_get_ns()))) {
		vcpu = hvmm_runner_vcpu(unit);
		if (!resumed) {
			if (borrower &&
			    (vcpu->vm != borrower || hvmm_slice_must_return(&r->slice))) {
				hvmm_sched_put(res, now);
				done = false;
				break;
			}
			hvmm_load_begin(&r->load, vcpu->vm->id, vcpu->index, now);
		}
		hvmm_slice_run(&r->slice, vcpu, resumed);
		if (borrower && hvmm_channel_is_direct(vcpu) && hvmm_lend_leave(r, vcpu))
			return true;
		hvmm_slice_end(vcpu);
		hvmm_sched_put(res, ktime_get_ns());
		resumed = false;
		if (!borrower)
			cond_resched();
	}
	hvmm_load_end(&r->load, now);
	if (!READ_ONCE(res->online))
		wake_up_all(&gone_idle);
	return done;
}

/* A borrower may come between any two instructions, but it does not return amid its own. */
static bool become_runner(struct hvmm_runner *r)
{
	bool was_away;

	preempt_disable();
	was_away = r->role == HVMM_RUNNER_AWAY;
	WRITE_ONCE(r->role, HVMM_RUNNER_THREAD);
	preempt_enable();
	return was_away;
}

static void runner_fn(unsigned int cpu)
{
	struct hvmm_runner *r = per_cpu_ptr(&hvmm_runners, cpu);

	if (!r->registered) {
		preempt_notifier_init(&r->notifier, &notifier_ops);
		preempt_notifier_register(&r->notifier);
		r->registered = true;
	}
	if (become_runner(r))
		hvmm_lend_take_back(r);
	WRITE_ONCE(r->poked, false);
	/* Looking for work must come after saying that we do. */
	smp_mb();
	hvmm_runner_run_all(r);
	WRITE_ONCE(r->role, HVMM_RUNNER_FREE);
}

static void runner_cleanup(unsigned int cpu, bool online)
{
	struct hvmm_runner *r = per_cpu_ptr(&hvmm_runners, cpu);

	if (r->registered)
		preempt_notifier_unregister(&r->notifier);
	r->registered = false;
}

static struct smp_hotplug_thread runner_threads = {
	.store			= &runner_task,
	.thread_should_run	= should_run,
	.thread_fn		= runner_fn,
	.cleanup		= runner_cleanup,
	.thread_comm		= "hvmm/%u",
};

void hvmm_runner_set_online(unsigned int cpu, bool online)
{
	struct hvmm_resource *res = &resources[cpu];

	hvmm_sched_set_online(res, online, ktime_get_ns());
	if (!online)
		wait_event(gone_idle, !READ_ONCE(res->curr));
}

void hvmm_runner_set_nice(unsigned int cpu, int nice)
{
	sched_set_normal(per_cpu(runner_task, cpu), nice);
}

void hvmm_runner_load(unsigned int cpu, struct hvmm_load_sample *sample)
{
	hvmm_load_read(&per_cpu(hvmm_runners, cpu).load, sample);
}

unsigned int hvmm_runner_domain(unsigned int cpu, unsigned int *nr_waiting)
{
	return hvmm_sched_domain(&resources[cpu], nr_waiting);
}

struct hvmm_resource *hvmm_runner_resource(unsigned int cpu)
{
	return &resources[cpu];
}

static void free_all(void)
{
	unsigned int i;

	for (i = 0; alarms && i < nr_domains; i++)
		hrtimer_cancel(&alarms[i].timer);
	hvmm_policies_exit();
	kfree(alarms);
	kfree(domains);
	kfree(resources);
}

static int alloc_all(void)
{
	struct hvmm_sched_config config = { .nr_res = nr_cpu_ids, .exec = &exec };
	unsigned int *dom_of, i;

	if (nr_cpu_ids > HVMM_RES_MAX)
		return -E2BIG;
	dom_of = kcalloc(nr_cpu_ids, sizeof(*dom_of), GFP_KERNEL);
	if (!dom_of)
		return -ENOMEM;
	nr_domains = hvmm_cache_domains(dom_of, HVMM_DOMAIN_RES_MAX);
	resources = kcalloc(nr_cpu_ids, sizeof(*resources), GFP_KERNEL);
	domains = kcalloc(nr_domains, hvmm_domain_size(), GFP_KERNEL);
	alarms = kcalloc(nr_domains, sizeof(*alarms), GFP_KERNEL);
	if (!resources || !domains || !alarms || hvmm_policies_init(nr_domains)) {
		kfree(dom_of);
		kfree(alarms);
		kfree(domains);
		kfree(resources);
		return -ENOMEM;
	}
	for (i = 0; i < nr_domains; i++) {
		alarms[i].dom = i;
		hvmm_hrtimer_setup(&alarms[i].timer, alarm_fn, HRTIMER_MODE_ABS_HARD);
	}
	config.res = resources;
	config.dom_of = dom_of;
	config.nr_dom = nr_domains;
	config.dom = domains;
	hvmm_sched_init(&config);
	kfree(dom_of);
	return 0;
}

int hvmm_runners_init(void)
{
	unsigned int cpu;
	int ret;

	ret = alloc_all();
	if (ret)
		return ret;
	for_each_possible_cpu(cpu) {
		hvmm_slice_init(&per_cpu(hvmm_runners, cpu).slice, &resources[cpu]);
		hvmm_load_init(&per_cpu(hvmm_runners, cpu).load, ktime_get_ns());
		hvmm_lend_init(per_cpu_ptr(&hvmm_runners, cpu));
	}
	preempt_notifier_inc();
	ret = smpboot_register_percpu_thread(&runner_threads);
	if (ret) {
		preempt_notifier_dec();
		free_all();
	}
	return ret;
}

void hvmm_runners_exit(void)
{
	unsigned int cpu;

	smpboot_unregister_percpu_thread(&runner_threads);
	for_each_possible_cpu(cpu)
		hrtimer_cancel(&per_cpu(hvmm_runners, cpu).watch);
	preempt_notifier_dec();
	free_all();
}
