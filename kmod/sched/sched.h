/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scheduler, as its users see it. Documentation/scheduler.rst explains the
 * design; sched/domain.h has what the policies share among themselves.
 */
#ifndef HVMM_SCHED_SCHED_H
#define HVMM_SCHED_SCHED_H

#include "sched/port.h"

struct hvmm_domain;
struct hvmm_group;
struct hvmm_resource;
struct hvmm_sched_class;

/* Resources that the scheduler can manage; affinity masks have as many bits. */
#define HVMM_RES_MAX		4096
/* Resources in one domain: a bit each in a word. */
#define HVMM_DOMAIN_RES_MAX	32
/* VMs whose quotas one transaction may change. */
#define HVMM_QUOTA_BATCH_MAX	256

#define HVMM_WEIGHT_MIN		1
#define HVMM_WEIGHT_MAX		10000
#define HVMM_WEIGHT_DEFAULT	100
#define HVMM_PPM		1000000U
#define HVMM_CAP_NONE		0
#define HVMM_CAP_PERIOD_MIN	1000000ULL
#define HVMM_CAP_PERIOD_MAX	1000000000ULL
#define HVMM_CAP_PERIOD_DEFAULT	10000000ULL
/* The least share that a cap may leave: one thousandth of a pCPU. */
#define HVMM_CAP_MIN_DIV	1000
#define HVMM_CAP_BURST_MAX	1000000000ULL

/**
 * enum hvmm_unit_state - where a unit stands with the scheduler
 * @HVMM_UNIT_PARKED: not runnable, in no queue
 * @HVMM_UNIT_QUEUED: runnable, waits for a resource
 * @HVMM_UNIT_CAPPED: runnable, waits for its group's cap
 * @HVMM_UNIT_RUNNING: its resource runs it
 */
enum hvmm_unit_state {
	HVMM_UNIT_PARKED,
	HVMM_UNIT_QUEUED,
	HVMM_UNIT_CAPPED,
	HVMM_UNIT_RUNNING,
};

/**
 * struct hvmm_sched_timer - something that is due at a time
 * @node: in the domain's tree while set
 * @at: when, ns
 * @unit: a unit that its cap lets go on then, or %NULL: it is a share's, whose
 *        reservation is filled up then, or the domain's own
 */
struct hvmm_sched_timer {
	struct rb_node node;
	u64 at;
	struct hvmm_unit *unit;
};

/**
 * struct hvmm_unit - what is scheduled: a vCPU
 * @node: in its share's queue while %HVMM_UNIT_QUEUED
 * @sibling: in &hvmm_group.units; constant
 * @group: its VM; constant
 * @index: number in its group; constant
 * @dom: domain it belongs to; changes under the locks of both the old and the new one
 * @home: domain that it must be in, or %NULL; @dom's lock
 * @res: resource that runs it, or did last, or should next; @dom's lock
 * @state: enum hvmm_unit_state; @dom's lock to change, readable without
 * @ran: ns that it has run, ordering it among its siblings; moved on when it wakes late
 * @waits_since: when it began to wait, if it does
 * @grant: ns of its group's cap that it may still use; below 0 what it used too much
 * @release: set while %HVMM_UNIT_CAPPED; a time is in it from when it is known
 * @load: what it adds to its domain's load while it is not parked
 */
struct hvmm_unit {
	struct rb_node node;
	struct list_head sibling;
	struct hvmm_group *group;
	unsigned int index;
	struct hvmm_domain *dom;
	struct hvmm_domain *home;
	struct hvmm_resource *res;
	int state;
	u64 ran;
	u64 waits_since;
	s64 grant;
	struct hvmm_sched_timer release;
	u32 load;
};

/**
 * struct hvmm_resource - what units run on: a pCPU
 * @id: its number, index in the scheduler's table; constant
 * @dom: its domain; constant
 * @bit: its bit in the domain's masks; constant
 * @online: may run units; @dom's lock to change
 * @curr: unit running, or %NULL; @dom's lock to change, by its executor only
 * @class: policy that chose @curr; @dom's lock
 * @handoff: a queued unit that runs next, or %NULL; @dom's lock
 * @set_at: when @curr was picked
 * @charged_at: up to when @curr has been charged
 * @capped_from: when @curr's group was given a cap, if that was after @charged_at; else 0
 * @host_ns: ns since @charged_at that the host had the resource; its executor
 * @host_since: when the host took the resource, 0 if it has not; its executor
 * @contended_at: &hvmm_domain.contended up to which @curr has been charged
 * @v: virtual time of what was picked here last
 * @owed: virtual time that @curr's share was charged ahead
 * @slice_end: when @curr has to make way or be looked at; 0 for never
 * @reserved: millionths of it that reservations have; configuration lock
 * @wanted: what a transaction would make of @reserved; configuration lock
 * @attention: its executor should look at @slice_end again
 */
struct hvmm_resource {
	unsigned int id;
	struct hvmm_domain *dom;
	u32 bit;
	bool online;
	struct hvmm_unit *curr;
	const struct hvmm_sched_class *class;
	struct hvmm_unit *handoff;
	u64 set_at;
	u64 charged_at;
	u64 capped_from;
	u64 host_ns;
	u64 host_since;
	u64 contended_at;
	u64 v;
	u64 owed;
	u64 slice_end;
	u32 reserved;
	u32 wanted;
	bool attention;
};

/**
 * struct hvmm_quota - what a group may have, and is sure of
 * @weight: share of contended time relative to others, %HVMM_WEIGHT_MIN..%HVMM_WEIGHT_MAX
 * @max_ns: cap: ns per @period_ns that its units may run in all; %HVMM_CAP_NONE for no cap
 * @period_ns: %HVMM_CAP_PERIOD_MIN..%HVMM_CAP_PERIOD_MAX
 * @burst_ns: unused ns of the cap that may be saved up, to %HVMM_CAP_BURST_MAX
 * @min_ppm: reservation, in millionths of one resource; 0 for none
 * @affinity: resources that its units may use, a bit each
 */
struct hvmm_quota {
	u32 weight;
	u64 max_ns;
	u64 period_ns;
	u64 burst_ns;
	u32 min_ppm;
	DECLARE_BITMAP(affinity, HVMM_RES_MAX);
};

/**
 * enum hvmm_quota_err - why a quota was refused
 * @HVMM_QUOTA_OK: it was not
 * @HVMM_QUOTA_WEIGHT: &hvmm_quota.weight is out of range
 * @HVMM_QUOTA_MAX: &hvmm_quota.max_ns is under a thousandth of a resource, or too large
 * @HVMM_QUOTA_PERIOD: &hvmm_quota.period_ns is out of range
 * @HVMM_QUOTA_BURST: &hvmm_quota.burst_ns is out of range
 * @HVMM_QUOTA_AFFINITY: &hvmm_quota.affinity has no resource that is online
 * @HVMM_QUOTA_MIN_UNITS: the reservation is more than its units or affinity can use
 * @HVMM_QUOTA_MIN_OVER_MAX: the reservation is above the cap
 * @HVMM_QUOTA_MIN_ADMIT: not admitted: more is reserved than the resources can give
 */
enum hvmm_quota_err {
	HVMM_QUOTA_OK,
	HVMM_QUOTA_WEIGHT,
	HVMM_QUOTA_MAX,
	HVMM_QUOTA_PERIOD,
	HVMM_QUOTA_BURST,
	HVMM_QUOTA_AFFINITY,
	HVMM_QUOTA_MIN_UNITS,
	HVMM_QUOTA_MIN_OVER_MAX,
	HVMM_QUOTA_MIN_ADMIT,
};

/**
 * struct hvmm_quota_change - one group's part of a transaction
 * @group: the group, each at most once in a transaction
 * @quota: what it gets, whole
 */
struct hvmm_quota_change {
	struct hvmm_group *group;
	const struct hvmm_quota *quota;
};

/**
 * struct hvmm_quota_verdict - outcome of a transaction
 * @err: why it was refused
 * @index: which change was refused
 * @bound: with %HVMM_QUOTA_MIN_ADMIT and %HVMM_QUOTA_MIN_UNITS the largest @min_ppm
 *	   that would have been accepted in its place
 */
struct hvmm_quota_verdict {
	enum hvmm_quota_err err;
	unsigned int index;
	u32 bound;
};

/**
 * enum hvmm_sched_op - what was asked of the scheduler, for records that can be replayed
 * @HVMM_OP_WAKE: hvmm_sched_wake(); arg: state that the unit got
 * @HVMM_OP_HOLD: hvmm_sched_hold(); arg: whether it is parked
 * @HVMM_OP_NEXT: hvmm_sched_next(); unit: its choice
 * @HVMM_OP_PUT: hvmm_sched_put(); arg: state that the unit got
 * @HVMM_OP_ATTEND: hvmm_sched_attend(); arg: its answer
 * @HVMM_OP_TIMER: hvmm_sched_timer()
 * @HVMM_OP_YIELD_TO: hvmm_sched_yield_to(); arg: its answer
 * @HVMM_OP_ONLINE: hvmm_sched_set_online(); arg: whether
 * @HVMM_OP_QUOTA: a group was given a quota; unit: number of its units; arg: the
 *	resources of the domain that it may use, a bit each
 * @HVMM_OP_EXIT: hvmm_group_exit()
 */
enum hvmm_sched_op {
	HVMM_OP_WAKE,
	HVMM_OP_HOLD,
	HVMM_OP_NEXT,
	HVMM_OP_PUT,
	HVMM_OP_ATTEND,
	HVMM_OP_TIMER,
	HVMM_OP_YIELD_TO,
	HVMM_OP_ONLINE,
	HVMM_OP_QUOTA,
	HVMM_OP_EXIT,
};

/**
 * struct hvmm_sched_record - one call of the scheduler and its outcome
 * @op: the call
 * @dom: domain, under whose lock it happened
 * @seq: number of the record in its domain, from 0, without a gap
 * @now: the time that the caller gave
 * @res: resource's id, or -1
 * @group: group's id, or 0
 * @unit: unit's index in the group, or -1
 * @host_ns: ns that the host took from the unit since it was charged last
 * @arg: see enum hvmm_sched_op
 * @quota: of %HVMM_OP_QUOTA, else %NULL
 */
struct hvmm_sched_record {
	enum hvmm_sched_op op;
	unsigned int dom;
	u64 seq;
	u64 now;
	int res;
	u32 group;
	int unit;
	u64 host_ns;
	u64 arg;
	const struct hvmm_quota *quota;
};

/**
 * struct hvmm_sched_exec - the executor: what runs units and tells the time
 * @runnable: whether a unit could use a resource now; its domain's lock is held
 * @changed: a unit's state was changed; lock held; for accounting
 * @kick: a resource should look again: it has been given work (idle), or
 *        &hvmm_resource.attention was set (running); lock held, never sleeps
 * @arm: hvmm_sched_timer() of domain @dom should be called at @at, in place of what
 *       was armed before; lock held
 * @broken: a policy was taken out of the stack in domain @dom, since it did @why; both are
 *	    constant strings; lock held, told once for a policy in a domain
 * @recording: whether @record is to be told; lock held. %NULL: always
 * @record: may be %NULL; is told of every call; lock held
 */
struct hvmm_sched_exec {
	bool (*runnable)(struct hvmm_unit *unit);
	void (*changed)(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now);
	void (*kick)(struct hvmm_resource *res);
	void (*arm)(unsigned int dom, u64 at);
	void (*broken)(unsigned int dom, const char *policy, const char *why);
	bool (*recording)(void);
	void (*record)(const struct hvmm_sched_record *rec);
};

/**
 * struct hvmm_sched_config - what the scheduler is made of
 * @res: resources, one for each possible pCPU, zeroed; kept
 * @nr_res: their number, at most %HVMM_RES_MAX
 * @dom_of: domain number of each resource, counted from 0 without a gap, at most
 *	    %HVMM_DOMAIN_RES_MAX resources in each; read by hvmm_sched_init() only
 * @nr_dom: number of domains
 * @dom: hvmm_domain_size() * @nr_dom zeroed bytes; kept
 * @exec: the executor; kept
 */
struct hvmm_sched_config {
	struct hvmm_resource *res;
	unsigned int nr_res;
	const unsigned int *dom_of;
	unsigned int nr_dom;
	void *dom;
	const struct hvmm_sched_exec *exec;
};

/**
 * hvmm_domain_size - bytes that the scheduler needs for each domain
 */
size_t hvmm_domain_size(void);

/**
 * hvmm_sched_init - set up the scheduler
 * @config: what of
 *
 * All resources start offline. The capacity that reservations may take is all of
 * each resource until hvmm_sched_set_capacity().
 *
 * Context: once, before anything else here (the simulator: again when nothing is left).
 */
void hvmm_sched_init(const struct hvmm_sched_config *config);

/**
 * hvmm_group_size - bytes of a group
 */
size_t hvmm_group_size(void);

/**
 * hvmm_group_init - set up a group with the default quota
 * @group: hvmm_group_size() zeroed bytes
 * @id: for records, not 0; also spreads first placements
 */
void hvmm_group_init(struct hvmm_group *group, u32 id);

/**
 * hvmm_group_exit - give back what the group reserved
 * @group: the group, none of whose units is runnable any more
 *
 * Context: any; takes all domain locks.
 */
void hvmm_group_exit(struct hvmm_group *group);

/**
 * hvmm_group_quota - present quota of a group
 * @group: the group
 * @quota: filled
 *
 * Context: any; takes the configuration lock.
 */
void hvmm_group_quota(struct hvmm_group *group, struct hvmm_quota *quota);

/**
 * hvmm_unit_init - add a unit to a group, parked
 * @unit: the unit, zeroed
 * @group: its group, none of whose units has been woken yet
 * @index: its number in the group
 */
void hvmm_unit_init(struct hvmm_unit *unit, struct hvmm_group *group, unsigned int index);

/**
 * hvmm_quota_default - the quota that a new group has
 * @quota: filled: default weight, no cap, no reservation, all resources
 */
void hvmm_quota_default(struct hvmm_quota *quota);

/**
 * hvmm_sched_set_quota - change the quotas of some groups, all or nothing
 * @changes: the changes
 * @nr: their number, at most %HVMM_QUOTA_BATCH_MAX
 * @now: time in ns
 * @verdict: filled
 *
 * All is validated first, reservations as they would be after the whole
 * transaction. What is accepted takes effect at one instant: no unit is picked
 * between two of the changes.
 *
 * Context: any; takes all domain locks.
 * Return: whether it was done.
 */
bool hvmm_sched_set_quota(const struct hvmm_quota_change *changes, unsigned int nr, u64 now,
			  struct hvmm_quota_verdict *verdict);

/**
 * hvmm_sched_set_capacity - how much of each resource may be reserved
 * @ppm: millionths of a resource, 1..%HVMM_PPM
 *
 * What has been admitted already stays.
 *
 * Context: any; takes the configuration lock.
 */
void hvmm_sched_set_capacity(u32 ppm);

/**
 * hvmm_sched_reserved - what is reserved, and what could be
 * @used: filled: what admitted reservations take of the resources, in millionths of one:
 *	  a little more than the sum of &hvmm_quota.min_ppm
 * @free: filled: the largest reservation that a new group with all resources and as
 *	  many units as there are resources would be granted
 *
 * Context: any; takes the configuration lock.
 */
void hvmm_sched_reserved(u64 *used, u64 *free);

/**
 * hvmm_sched_cap_stall - longest time for which a cap alone stops a unit that is busy
 * @quota: the quota
 * @nr_units: units of its group
 *
 * Waiting for a resource may add to it. Without a cap it is 0.
 *
 * Return: ns.
 */
u64 hvmm_sched_cap_stall(const struct hvmm_quota *quota, unsigned int nr_units);

/**
 * hvmm_sched_wake - queue a parked unit that has become runnable
 * @unit: the unit
 * @now: time in ns
 *
 * Does nothing to a unit that is not parked or not runnable. The caller has
 * made visible what makes it runnable. A unit whose group is at its cap becomes
 * %HVMM_UNIT_CAPPED.
 *
 * Context: any, interrupts too; takes domain locks.
 * Return: whether it was queued or capped.
 */
bool hvmm_sched_wake(struct hvmm_unit *unit, u64 now);

/**
 * hvmm_sched_hold - take a unit that must not run out of its queue
 * @unit: the unit; its executor's runnable() already says no
 * @now: time in ns
 *
 * Context: any; takes domain locks.
 * Return: true if the unit is parked now, false if it still runs: kick it, it
 * will be parked when it comes back.
 */
bool hvmm_sched_hold(struct hvmm_unit *unit, u64 now);

/**
 * hvmm_sched_refresh - tell the executor a parked unit's state again
 * @unit: the unit
 * @now: time in ns
 *
 * For accounting, when the reason for being parked has changed.
 *
 * Context: any; takes domain locks.
 */
void hvmm_sched_refresh(struct hvmm_unit *unit, u64 now);

/**
 * hvmm_sched_next - begin to run the next unit
 * @res: the resource, which runs nothing
 * @now: time in ns
 *
 * Steals from other domains when its own has nothing for it.
 *
 * Context: the resource's executor; takes domain locks.
 * Return: the unit, now running, or %NULL if there is none.
 */
struct hvmm_unit *hvmm_sched_next(struct hvmm_resource *res, u64 now);

/**
 * hvmm_sched_put - stop running the present unit
 * @res: the resource
 * @now: time in ns
 *
 * The unit is queued again if it is runnable and its cap allows, else capped or parked.
 *
 * Context: the resource's executor; takes the domain's lock.
 */
void hvmm_sched_put(struct hvmm_resource *res, u64 now);

/**
 * hvmm_sched_attend - look at the slice after &hvmm_resource.attention was set
 * @res: the resource
 * @now: time in ns
 *
 * Charges the present unit, and gives it another slice if it is still the one to run.
 *
 * Context: the resource's executor; takes the domain's lock.
 * Return: 0 if nobody waits and nothing ends, else the time at which to look again
 * with &hvmm_resource.attention set; not after @now: the unit must be put.
 */
u64 hvmm_sched_attend(struct hvmm_resource *res, u64 now);

/**
 * hvmm_sched_host - the host takes a resource from its present unit, or gives it back
 * @res: the resource
 * @took: which
 * @now: time in ns
 *
 * Time between the two is not charged to the unit.
 *
 * Context: the resource's executor, preemption off; takes no lock.
 */
void hvmm_sched_host(struct hvmm_resource *res, bool took, u64 now);

/**
 * hvmm_sched_leave - the present unit leaves its resource for a while and stays its unit
 * @res: the resource
 * @now: time in ns
 *
 * As when the host takes it, but the resource is free for others: who comes to want it is
 * announced to its executor (&hvmm_sched_exec.kick), which puts the unit then.
 *
 * Context: the resource's executor, interrupts off; takes no lock.
 * Return: false if somebody wants it already: it must return, and be put.
 */
bool hvmm_sched_leave(struct hvmm_resource *res, u64 now);

/**
 * hvmm_sched_return - the unit that has left goes on, or is going to be put
 * @res: the resource
 * @now: time in ns
 *
 * Context: as hvmm_sched_leave().
 */
void hvmm_sched_return(struct hvmm_resource *res, u64 now);

/**
 * hvmm_sched_yield_to - let a sibling have the rest of the present unit's slice
 * @res: the resource, whose executor calls
 * @to: another unit of its present unit's group
 * @now: time in ns
 *
 * If @to is queued, it is what @res runs next when the present unit is put, until
 * the end of the present slice. If it is capped, the two change places with their cap.
 *
 * Context: the resource's executor; takes domain locks.
 * Return: whether putting the present unit now makes @res run @to.
 */
bool hvmm_sched_yield_to(struct hvmm_resource *res, struct hvmm_unit *to, u64 now);

/**
 * hvmm_sched_timer - do what is due in a domain
 * @dom: number of the domain, as told to arm()
 * @now: time in ns
 *
 * Context: any, interrupts too; takes the domain's lock.
 */
void hvmm_sched_timer(unsigned int dom, u64 now);

/**
 * hvmm_sched_set_online - let a resource run units, or not
 * @res: the resource
 * @online: whether
 * @now: time in ns
 *
 * Going offline asks for its present unit; the caller waits until
 * &hvmm_resource.curr is %NULL. Units that may run nowhere else stay queued until
 * one of their resources comes back.
 *
 * Context: may be called with interrupts off; takes domain locks.
 */
void hvmm_sched_set_online(struct hvmm_resource *res, bool online, u64 now);

/**
 * hvmm_sched_nr_online - number of resources that may run units
 */
unsigned int hvmm_sched_nr_online(void);

/**
 * hvmm_sched_online - resources that may run units
 * @mask: filled, %HVMM_RES_MAX bits
 */
void hvmm_sched_online(unsigned long *mask);

/**
 * hvmm_sched_domain - the domain of a resource
 * @res: the resource
 * @nr_waiting: filled with the number of units that wait there
 *
 * Context: any; takes no lock, so the number may be old.
 * Return: number of the domain.
 */
unsigned int hvmm_sched_domain(const struct hvmm_resource *res, unsigned int *nr_waiting);

/* Policies, the fall-back included, which is the last one. */
#define HVMM_SCHED_CLASSES	3

/**
 * hvmm_sched_policy - a policy that decides on a resource
 * @res: the resource
 * @nr: place in the stack, 0 comes first
 *
 * Context: any; takes no lock, so the answer may be old.
 * Return: its name, or %NULL if there is none or it was taken out.
 */
const char *hvmm_sched_policy(const struct hvmm_resource *res, unsigned int nr);

/**
 * hvmm_sched_condemn - take a policy out, as the watchdog does with one that misbehaves
 * @res: a resource of the domain
 * @policy: its name
 * @why: a constant string
 *
 * For tests of what comes after.
 *
 * Context: any but NMI; takes the domain's lock.
 * Return: 0, -ENOENT (no such policy, or the fall-back), -EALREADY (it is out).
 */
int hvmm_sched_condemn(struct hvmm_resource *res, const char *policy, const char *why);

#endif
