/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A simulated host for kmod/sched: pCPUs, VMs and time are variables, every source
 * of chance is one seeded generator, so a run is repeated by its seed.
 *
 * engine.c	events, pCPUs, the executor that the scheduler sees
 * guest.c	VMs and what their vCPUs do
 * account.c	where time went; caps and reservations
 * check.c	invariants, after every event
 * scenes.c	scenarios that each ask one question; bugs.c: known bugs of other
 *		schedulers, and policies that have them
 * random.c	scenarios made by a seed
 * broken.c	bugs outside of policies
 * replay.c	traces
 * scale.c	large hosts
 */
#ifndef HVMM_SIM_H
#define HVMM_SIM_H

#include <stdio.h>
#include <stdlib.h>

#include "sched/domain.h"

#define USEC		1000ULL
#define MSEC		1000000ULL
#define SEC		1000000000ULL
#define NEVER		U64_MAX

#define SIM_START	SEC
#define SIM_WINDOW	HVMM_RESERVE_WINDOW_NS

/**
 * enum sim_behave - what a vCPU does
 * @SIM_BUSY: computes for ever
 * @SIM_PATTERN: runs @run ns and sleeps @sleep ns
 * @SIM_EXP: the same, with both from an exponential distribution
 * @SIM_DODGE: sleeps for an instant just before its slice ends
 * @SIM_YIELD: makes way after @run ns without sleeping
 * @SIM_LOCK: @sleep ns of work, then @run ns with its VM's lock held; spins for it
 */
enum sim_behave {
	SIM_BUSY,
	SIM_PATTERN,
	SIM_EXP,
	SIM_DODGE,
	SIM_YIELD,
	SIM_LOCK,
	SIM_BEHAVES,
};

enum sim_lock_phase {
	SIM_OUTSIDE,
	SIM_SPINS,
	SIM_INSIDE,
};

struct sim_vm;

/**
 * struct sim_unit - a vCPU
 * @unit: to the scheduler; first
 * @work: ns of work until it does something, %NEVER for never
 * @wants: it has something to do
 * @dozes: it has decided to sleep since it began to run
 * @waking: an event that ends its sleep is on the way
 * @flipped: it has just become runnable, whoever did that is about to call
 * @state: as told by changed()
 * @since: when
 * @in_state: ns in each state
 * @charged: ns that the scheduler has charged it
 * @host: ns that the host took from it
 * @born: when it was made
 * @woke_at: when it wanted to run after having slept, 0 if it runs
 * @longest: residency
 * @stall: longest time for which it was capped without running
 * @wait: longest time for which it was queued
 */
struct sim_unit {
	struct hvmm_unit unit;
	struct sim_vm *vm;
	enum sim_behave behave;
	enum sim_lock_phase phase;
	u64 run, sleep;
	u64 work;
	bool wants;
	bool dozes;
	bool waking;
	bool flipped;
	int state;
	u64 since;
	u64 in_state[4];
	u64 born;
	u64 charged;
	u64 host;
	u64 woke_at;
	u64 longest;
	u64 stall;
	u64 wait;
};

/* Point of a VM's use of time: between two of them its rate is constant. */
struct sim_point {
	u64 at;
	u64 used;
};

/**
 * struct sim_vm - a VM
 * @id: number for records; also which VM events mean
 * @used: ns that its units have run, without what the host took
 * @running: units running, on pCPUs that the host has not taken
 * @accounted: up to when @used is right
 * @quota_since: when its quota was changed
 * @level: use beyond what the cap earned so far: never above a bound
 * @grains: roundings since @level was 0
 * @not_before: reservations are promised from then on
 * @held: what its units may hold from the time before a cap was changed
 * @wanted: since when all units wanted to run and nothing disturbed, or %NEVER
 * @points: since then, at most a window old; a ring
 * @worst: least use of a window so far
 * @windows: that were looked at
 * @lag: in each domain, how far its virtual time may be off; 0 if that is not known
 * @lock: unit that holds the VM's lock
 * @sections: times that it was held
 * @waits: latencies from wake to run
 */
struct sim_vm {
	u32 id;
	struct hvmm_group *group;
	struct hvmm_quota quota;
	unsigned int nr_units;
	struct sim_unit *units;
	bool paused;
	bool dying;
	u64 used;
	unsigned int running;
	u64 accounted;
	double level;
	double level_max;
	u64 quota_since;
	u64 not_before;
	u64 wanted;
	u64 grains;
	u64 held;
	struct sim_point *points;
	unsigned int first, nr_points, max_points;
	u64 worst;
	u64 windows;
	u64 *lag;
	struct sim_unit *lock;
	u64 sections;
	u32 *waits;
	unsigned int nr_waits, max_waits;
};

enum sim_mode {
	SIM_OFF,
	SIM_IDLE,
	SIM_SWITCH,
	SIM_RUN,
};

/**
 * struct sim_cpu - a pCPU
 * @mode: what it does for hvmm
 * @stolen: the host has it
 * @since: up to when the following is right
 * @idle_ns: and @run_ns, @host_ns: where its time went
 * @idle_since: since when it could have taken a unit that waits
 * @run_gen: which residency, so that events of the last one are known as such
 * @slice_gen: the same for the slice's timer
 * @act_gen: the same for what the guest does next
 * @resumed: when its unit went on
 * @kick_at: when a kick arrives, or 0
 * @kicked: a kick is about to be sent
 * @deferred: events that came while the host had it
 */
struct sim_cpu {
	struct hvmm_resource *res;
	enum sim_mode mode;
	bool stolen;
	u64 since;
	u64 idle_ns, run_ns, host_ns;
	u64 idle_since;
	unsigned int run_gen;
	unsigned int slice_gen;
	unsigned int act_gen;
	u64 resumed;
	u64 kick_at;
	bool kicked;
	unsigned int deferred;
};

enum sim_event_type {
	EV_KICK,	/* cpu */
	EV_NEXT,	/* cpu, run_gen */
	EV_SLICE,	/* cpu, slice_gen */
	EV_ACTION,	/* cpu, run_gen */
	EV_PUT,		/* cpu, run_gen */
	EV_STEAL,	/* cpu */
	EV_GIVE,	/* cpu */
	EV_TIMER,	/* domain, gen */
	EV_WAKE,	/* VM, unit */
	EV_CALL,	/* a scenario's own, who, what */
};

struct sim_event {
	u64 at;
	u64 seq;
	enum sim_event_type type;
	u32 who;
	u32 what;
	void (*call)(u32 who, u32 what);
};

/**
 * struct sim - the host
 * @kick_max: longest time that a kick takes; @timer_max and @switch_max likewise
 * @steal_every: mean ns between times that the host takes a pCPU, 0 for never
 * @steal_for: longest such time
 * @flip: one in so many parkings has the reason to run come at the last moment, 0 for none
 * @no_checks: what is counted is the scheduler's alone
 * @check_every: events from one check of all to the next, 0 for one after each
 * @gone_ns: what units that are gone have run
 * @broken: policies condemned by the watchdog
 * @expect_broken: they are expected
 */
struct sim {
	const char *scene;
	u64 seed;
	u64 now;
	u64 seq;
	u64 events;
	struct sim_event *heap;
	unsigned int nr_heap, max_heap;

	unsigned int nr_cpus, nr_doms;
	struct sim_cpu *cpus;
	struct hvmm_resource *res;
	void *doms;
	unsigned int *dom_of;
	unsigned int *timer_gen;
	struct hvmm_resource **kicks;
	unsigned int nr_kicks;

	struct sim_vm **vms;
	unsigned int nr_vms, max_vms;
	unsigned int nr_dying, nr_stolen, nr_offline;
	u64 gone_ns;

	u64 kick_max, timer_max, switch_max;
	u64 steal_every, steal_for;
	unsigned int flip;
	bool in_put;
	bool no_checks;
	unsigned int check_every;
	bool no_yield_to;

	unsigned int broken;
	bool expect_broken;
	bool verbose;
	FILE *trace;
};

extern struct sim sim;

/* Calls of the scheduler in all scenarios, by enum hvmm_sched_op. */
extern u64 sim_calls[16];

/* Options that hold for each scenario of a run. */
struct sim_options {
	u64 seed;
	u64 events;
	unsigned int cpus;
	unsigned int doms;
	unsigned int vms;
	unsigned int units;
	const char *mutant;
	bool verbose;
	FILE *trace;
};

extern struct sim_options opt;

struct sim_scene {
	const char *name;
	const char *what;
	void (*run)(void);
};

extern const struct sim_scene sim_scenes[], sim_bugs[];

/* engine.c */
u64 sim_rand(u64 n);
double sim_exp(double mean);
void sim_reseed(u64 seed);
/* How to get here again, and what is wrong; does not return. */
void sim_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
#define sim_check(cond, ...) do { if (!(cond)) sim_fail(__VA_ARGS__); } while (0)
/* A host of @cpus pCPUs, all online, in @doms domains of neighbours. */
void sim_begin(unsigned int cpus, unsigned int doms);
/* Stops and frees all VMs. */
void sim_end(void);
void sim_push(u64 at, enum sim_event_type type, u32 who, u32 what);
void sim_call(u64 at, void (*call)(u32 who, u32 what), u32 who, u32 what);
/* One event. Return: false if there is none. */
bool sim_step(void);
void sim_run_until(u64 at);
void sim_online(unsigned int cpu, bool online);
void sim_cpu_put(struct sim_cpu *cpu);
struct sim_cpu *sim_cpu_of(const struct sim_unit *u);

/* guest.c */
struct sim_vm *sim_vm_new(unsigned int units, u32 weight);
void sim_vm_behave(struct sim_vm *vm, enum sim_behave behave, u64 run, u64 sleep);
void sim_vm_start(struct sim_vm *vm);
void sim_vm_pause(struct sim_vm *vm);
void sim_vm_resume(struct sim_vm *vm);
/* Begins to; it is gone when none of its units runs. */
void sim_vm_destroy(struct sim_vm *vm);
void sim_vm_reap(void);
struct sim_vm *sim_vm_of_id(u32 id);
struct hvmm_quota_verdict sim_vm_quota(struct sim_vm *vm, const struct hvmm_quota *quota);
/* A cap of @percent of a pCPU, 0 for none. */
void sim_vm_cap(struct sim_vm *vm, u64 percent);
void sim_vm_min(struct sim_vm *vm, u32 ppm);
void sim_vm_pin(struct sim_vm *vm, unsigned int first, unsigned int nr);
bool sim_runnable(struct hvmm_unit *unit);
void sim_wake(struct sim_vm *vm, struct sim_unit *u);
void sim_guest_resume(struct sim_cpu *cpu);
void sim_guest_stop(struct sim_cpu *cpu);
void sim_guest_action(struct sim_cpu *cpu);

static inline struct sim_unit *sim_unit_of(struct hvmm_unit *unit)
{
	return container_of(unit, struct sim_unit, unit);
}

/* account.c */
void sim_changed(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now);
void sim_cpu_account(struct sim_cpu *cpu);
void sim_vm_account(struct sim_vm *vm);
/* Reservations are not promised across this instant. */
void sim_disturb(void);
void sim_vm_new_quota(struct sim_vm *vm, const struct hvmm_quota *old);
u64 sim_wait_percentile(struct sim_vm *vm, double part);
/* What a VM has used up to now. */
u64 sim_used(struct sim_vm *vm);
/* Latencies are counted from now on. */
void sim_waits_clear(struct sim_vm *vm);

/* check.c */
void sim_check_all(void);
void sim_check_end(void);
void sim_lag_bounded(const struct hvmm_share *share);
/* Until each VM is next charged or queued in @dom. */
void sim_lag_unknown(const struct hvmm_domain *dom);

/* random.c */
void sim_random(u64 seed, u64 events);

/* bugs.c: a policy with a bug of this name, or NULL: the policies as they are. */
bool sim_mutate(const char *name);

/* broken.c: the rest of the scheduler, or the host, with a bug of this name. */
bool sim_break(const char *name);
const struct hvmm_sched_exec *sim_break_exec(const struct hvmm_sched_exec *exec);

/* replay.c */
void sim_record(const struct hvmm_sched_record *rec);
int sim_replay(const char *file);

/* scale.c */
int sim_scale(void);
int sim_cost(void);

#endif
