/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_SCHED_SCHED_H
#define HVMM_SCHED_SCHED_H

#include "sched/port.h"

struct hvmm_sched_class;
struct hvmm_resource;

/**
 * enum hvmm_unit_state - where a unit stands with the scheduler
 * @HVMM_UNIT_PARKED: not runnable, in no queue
 * @HVMM_UNIT_QUEUED: runnable, in the queue of its resource
 * @HVMM_UNIT_RUNNING: its resource runs it
 */
enum hvmm_unit_state {
	HVMM_UNIT_PARKED,
	HVMM_UNIT_QUEUED,
	HVMM_UNIT_RUNNING,
};

/**
 * struct hvmm_unit - what is scheduled: a vCPU
 * @node: in the queue of a class
 * @class: policy in charge
 * @res: resource that queues or runs it, or last did; changes under the locks of
 *       both the old and the new one
 * @state: enum hvmm_unit_state; @res's lock to change, readable without
 * @set_at: time at which it was last picked
 */
struct hvmm_unit {
	struct list_head node;
	const struct hvmm_sched_class *class;
	struct hvmm_resource *res;
	int state;
	u64 set_at;
};

/**
 * struct hvmm_resource - what units run on: a pCPU
 * @id: its number, index in the scheduler's table
 * @lock: guards everything here and in the units that name it; irqsave. Two of
 *        them are taken in order of @id
 * @online: may run units
 * @curr: unit running, or %NULL
 * @nr_queued: units queued
 * @rr: queue of the round-robin class
 * @slice_end: when @curr has to make way if others wait; 0 when nobody waits
 * @attention: its executor should look at @slice_end again
 */
struct hvmm_resource {
	unsigned int id;
	raw_spinlock_t lock;
	bool online;
	struct hvmm_unit *curr;
	unsigned int nr_queued;
	struct list_head rr;
	u64 slice_end;
	bool attention;
};

/**
 * struct hvmm_sched_exec - the executor: what runs units and tells the time
 * @runnable: whether a unit could use a resource now; called with its resource's lock held
 * @changed: a unit's state was changed; lock held; for accounting
 * @kick: a resource should look again: it has been given work (idle), or
 *        &hvmm_resource.attention was set (running); lock held, never sleeps
 */
struct hvmm_sched_exec {
	bool (*runnable)(struct hvmm_unit *unit);
	void (*changed)(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now);
	void (*kick)(struct hvmm_resource *res);
};

/**
 * struct hvmm_sched_class - a scheduling policy
 * @name: for people
 * @init_res: set up the class's part of a resource
 * @enqueue: a unit became runnable on @res, or was put back after running
 * @dequeue: take a queued unit out
 * @pick: the unit that should run next, or %NULL; changes nothing
 * @set_next: @unit, just dequeued, starts to run
 * @put_prev: @unit stops running; whether it is queued again follows
 * @slice: ns that @unit may run while others wait
 *
 * All are called with @res's lock held; none sleeps, allocates or reads a clock.
 */
struct hvmm_sched_class {
	const char *name;
	void (*init_res)(struct hvmm_resource *res);
	void (*enqueue)(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now);
	void (*dequeue)(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now);
	struct hvmm_unit *(*pick)(const struct hvmm_resource *res);
	void (*set_next)(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now);
	void (*put_prev)(struct hvmm_resource *res, struct hvmm_unit *unit, u64 now);
	u64 (*slice)(const struct hvmm_resource *res, const struct hvmm_unit *unit);
};

extern const struct hvmm_sched_class hvmm_sched_rr;

/**
 * hvmm_sched_init - set up the scheduler
 * @table: resources, one for each possible pCPU, zeroed; kept
 * @nr: their number
 * @exec: the executor; kept
 *
 * All resources start offline.
 *
 * Context: once, before anything else here.
 */
void hvmm_sched_init(struct hvmm_resource *table, unsigned int nr,
		     const struct hvmm_sched_exec *exec);

/**
 * hvmm_unit_init - set up a unit: parked, in the round-robin class
 * @unit: the unit
 * @hint: spreads the first placement of units that do not know a resource yet
 *
 * Context: any; at least one resource is online.
 */
void hvmm_unit_init(struct hvmm_unit *unit, unsigned int hint);

/**
 * hvmm_sched_wake - queue a parked unit that has become runnable
 * @unit: the unit
 * @now: time in ns
 *
 * Does nothing to a unit that is not parked or not runnable. The caller has
 * made visible what makes it runnable.
 *
 * Context: any, interrupts too; takes resource locks.
 * Return: whether it was queued.
 */
bool hvmm_sched_wake(struct hvmm_unit *unit, u64 now);

/**
 * hvmm_sched_hold - take a unit that must not run out of its queue
 * @unit: the unit; its executor's runnable() already says no
 * @now: time in ns
 *
 * Context: any; takes resource locks.
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
 * Context: any; takes resource locks.
 */
void hvmm_sched_refresh(struct hvmm_unit *unit, u64 now);

/**
 * hvmm_sched_next - begin to run the next unit
 * @res: the resource, which runs nothing
 * @now: time in ns
 *
 * Steals from other resources when its own queue is empty.
 *
 * Context: the resource's executor; takes resource locks.
 * Return: the unit, now running, or %NULL if there is none.
 */
struct hvmm_unit *hvmm_sched_next(struct hvmm_resource *res, u64 now);

/**
 * hvmm_sched_put - stop running the present unit
 * @res: the resource
 * @now: time in ns
 *
 * The unit is queued again if it is runnable, else parked.
 *
 * Context: the resource's executor; takes its lock.
 */
void hvmm_sched_put(struct hvmm_resource *res, u64 now);

/**
 * hvmm_sched_attend - look at the slice after &hvmm_resource.attention was set
 * @res: the resource
 * @now: time in ns
 *
 * Context: the resource's executor; takes its lock.
 * Return: 0 if nobody waits, else the time at which the present unit must be put.
 */
u64 hvmm_sched_attend(struct hvmm_resource *res, u64 now);

/**
 * hvmm_sched_set_online - let a resource run units, or not
 * @res: the resource
 * @online: whether
 * @now: time in ns
 *
 * Going offline moves its queue to other online resources and asks for its
 * present unit; the caller waits until &hvmm_resource.curr is %NULL. When no
 * other resource is online, the queue stays until one is.
 *
 * Context: may be called with interrupts off; takes resource locks.
 */
void hvmm_sched_set_online(struct hvmm_resource *res, bool online, u64 now);

/**
 * hvmm_sched_nr_online - number of resources that may run units
 */
unsigned int hvmm_sched_nr_online(void);

#endif
