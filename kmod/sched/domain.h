/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the scheduler's files share among themselves. A domain is a set of
 * resources with one lock and one queue: pCPUs that share a cache. Policies put
 * shares in order, not units: a share is what a group has in a domain, so a
 * group's weight counts the same however many units it has.
 */
#ifndef HVMM_SCHED_DOMAIN_H
#define HVMM_SCHED_DOMAIN_H

#include "sched/sched.h"
#include "sched/tree.h"

/* A slice: short enough for a console to feel alive among many, long enough not to matter. */
#define HVMM_SLICE_NS		2000000ULL
#define HVMM_SLICE_MIN_NS	500000ULL
#define HVMM_SLICE_SANE_NS	100000000ULL
/* Time for which who has just begun is left in peace by those that wake. */
#define HVMM_WAKEUP_NS		500000ULL
/* How far a share's virtual time may be from its domain's, as time that a unit of it runs. */
#define HVMM_LAG_NS		20000000ULL
/* Period of a reservation, and the window in which it is kept. */
#define HVMM_RESERVE_PERIOD_NS	5000000ULL
#define HVMM_RESERVE_WINDOW_NS	100000000ULL
/* Time of idleness that a cap makes good, and bounds of a grant. */
#define HVMM_CAP_SLACK_NS	4000000ULL
#define HVMM_GRANT_MIN_NS	200000ULL
#define HVMM_GRANT_MAX_NS	2000000ULL
/* Who is given less than this by a sibling does not get far. */
#define HVMM_GRANT_USEFUL_NS	20000ULL
#define HVMM_BALANCE_NS		20000000ULL

/**
 * struct hvmm_share - what a group has in a domain
 * @group: the group; constant
 * @dom: the domain; constant
 * @allowed: resources that the group's units may use here
 * @queue: its waiting units in order of &hvmm_unit.ran
 * @nr_waiting: their number
 * @nr_busy: units here that are not parked
 * @floor: &hvmm_unit.ran of the unit picked last
 * @waiting: in &hvmm_domain.waiting while @nr_waiting is not 0
 * @fair: its place in the fair queue while units wait; the key is its virtual time, which
 *	  is kept while it is not in the queue
 * @edf: its place among the reservations while units wait and @budget is left; the key is
 *	 when the budget must have been used
 * @reserve: ns that it is sure of in each period, 0 for no reservation
 * @budget: what is left of them; below 0 what was used too much
 * @refill: set while the budget is used up
 *
 * All under the domain's lock.
 */
struct hvmm_share {
	struct hvmm_group *group;
	struct hvmm_domain *dom;
	u32 allowed;
	struct rb_root_cached queue;
	unsigned int nr_waiting;
	unsigned int nr_busy;
	u64 floor;
	struct list_head waiting;
	struct hvmm_node fair;
	struct hvmm_node edf;
	u64 reserve;
	s64 budget;
	struct hvmm_sched_timer refill;
};

/**
 * struct hvmm_group - a VM
 * @id: for records; constant
 * @units: its units; constant once one of them has been woken
 * @nr_units: their number
 * @quota: what it may have; changes under all domain locks
 * @nr_busy: units that are not parked, in all domains
 * @cap_lock: guards @cap_free_at; taken inside a domain's lock
 * @cap_free_at: when all that was granted would have been earned, had the group used
 *		 its cap steadily
 * @fill: millionths of each resource that its reservation has, by resource;
 *	  configuration lock
 * @fill_wanted: what a transaction would make of @fill
 * @shares: its share in each domain
 */
struct hvmm_group {
	u32 id;
	struct list_head units;
	unsigned int nr_units;
	struct hvmm_quota quota;
	atomic_t nr_busy;
	raw_spinlock_t cap_lock;
	u64 cap_free_at;
	u32 *fill;
	u32 *fill_wanted;
	struct hvmm_share shares[];
};

/**
 * struct hvmm_domain - resources that share a queue
 * @id: its number; constant
 * @lock: guards all of it, its resources, and the units and shares in it; irqsave. Two
 *	  are taken in order of @id
 * @res: its resources; constant
 * @nr_res: their number
 * @online: those that may run units
 * @idle: those of them that run nothing and look for nothing
 * @kicked: those of them that have been told of work
 * @lured: those that other domains have called to take a unit from there
 * @away: those whose unit has left for a while, see hvmm_sched_leave()
 * @now: latest time seen: time does not run backwards here
 * @nr_waiting: units queued
 * @waiting: shares with such units, in order of arrival
 * @fair: the fair queue
 * @v: virtual time: the largest &hvmm_resource.v
 * @contended: ns in which somebody waited
 * @contended_since: when somebody began to wait, if @nr_waiting
 * @edf: reservations with units that wait
 * @timers: what is due when
 * @look: set when somebody begins to wait beside units that run without a slice
 * @armed: the executor calls hvmm_sched_timer() then; 0 if it does not
 * @broken: policies that were found to misbehave, a bit each
 * @stranded: a unit here waits that can run on none of the resources online
 * @load: of units that are not parked; by weight
 * @balance_at: when to compare loads with other domains
 * @seq: records made
 */
struct hvmm_domain {
	unsigned int id;
	raw_spinlock_t lock; /* the domain, its resources, shares and units */
	struct hvmm_resource *res[HVMM_DOMAIN_RES_MAX];
	unsigned int nr_res;
	u32 online;
	u32 idle;
	u32 kicked;
	atomic_t lured;
	atomic_t away;
	u64 now;
	unsigned int nr_waiting;
	struct list_head waiting;
	struct rb_root fair;
	u64 v;
	u64 contended;
	u64 contended_since;
	struct rb_root edf;
	struct rb_root_cached timers;
	struct hvmm_sched_timer look;
	u64 armed;
	u32 broken;
	bool stranded;
	u64 load;
	u64 balance_at;
	u64 seq;
};

/**
 * struct hvmm_sched_class - a policy: an order among shares
 * @name: for people
 * @enqueue: units of @share wait from now on; @woke: none of its units was busy before
 * @dequeue: none of its units waits any more
 * @pick: the share that should run next on one of the resources in @mask, or %NULL;
 *	  changes nothing
 * @begin: a unit of @share begins a slice of @slice ns on @res
 * @charge: the unit of @share that runs on @res has run @ran ns, @contended of them
 *	    while others waited; the slice that was begun is over
 * @slice: ns that a unit of @share may run while others wait
 * @claims: whether @share comes before all that the policy does not claim
 * @keep: whether @share, a unit of which runs, should go on rather than make way for
 *	  @other; both are claimed
 * @ahead: how far the share that runs on @res is ahead of @share, which waits: above 0
 *	   it has to make way; comparable among resources; both are claimed
 *
 * All of them but @name, @pick, @claims and @slice may be %NULL. All are called with
 * the domain's lock held; none sleeps, allocates or reads a clock.
 */
struct hvmm_sched_class {
	const char *name;
	void (*enqueue)(struct hvmm_domain *dom, struct hvmm_share *share, bool woke, u64 now);
	void (*dequeue)(struct hvmm_domain *dom, struct hvmm_share *share);
	struct hvmm_share *(*pick)(const struct hvmm_domain *dom, u32 mask);
	void (*begin)(struct hvmm_domain *dom, struct hvmm_share *share,
		      struct hvmm_resource *res, u64 slice);
	void (*charge)(struct hvmm_domain *dom, struct hvmm_share *share,
		       struct hvmm_resource *res, u64 ran, u64 contended, u64 now);
	u64 (*slice)(const struct hvmm_share *share);
	bool (*claims)(const struct hvmm_share *share);
	bool (*keep)(const struct hvmm_share *share, const struct hvmm_share *other);
	s64 (*ahead)(const struct hvmm_share *share, const struct hvmm_resource *res, u64 now);
};

extern const struct hvmm_sched_class hvmm_sched_reserve;
extern const struct hvmm_sched_class hvmm_sched_fair;
extern const struct hvmm_sched_class hvmm_sched_rr;

/* The policies, in the order in which they are asked; the last one cannot be taken out. */
extern const struct hvmm_sched_class *hvmm_sched_classes[HVMM_SCHED_CLASSES];

/* What all of sched/ knows: set by hvmm_sched_init(). */
extern struct hvmm_sched_config hvmm_sched;

struct hvmm_domain *hvmm_domain_nr(unsigned int nr);

static inline struct hvmm_share *hvmm_share_of(const struct hvmm_unit *unit)
{
	return &unit->group->shares[unit->dom->id];
}

/* ns in which somebody waited in the domain, as of @now. */
static inline u64 hvmm_contended(const struct hvmm_domain *dom, u64 now)
{
	return dom->contended + (dom->nr_waiting ? now - dom->contended_since : 0);
}

/* watch.c: questions to the policies, whose answers are not trusted. */

/**
 * hvmm_watch_pick - what should run next
 * @dom: the domain
 * @mask: on one of these resources
 *
 * A policy whose answer cannot be right is replaced.
 *
 * Context: @dom's lock held.
 * Return: a share with units that wait and may use such a resource, or %NULL.
 */
struct hvmm_share *hvmm_watch_pick(struct hvmm_domain *dom, u32 mask);
/* The policy under which a unit of @share runs. */
const struct hvmm_sched_class *hvmm_watch_class(const struct hvmm_domain *dom,
						const struct hvmm_share *share);
bool hvmm_watch_in_use(const struct hvmm_domain *dom, const struct hvmm_sched_class *class);
/* How long a unit of @share, chosen by @class, may run. */
u64 hvmm_watch_slice(struct hvmm_domain *dom, const struct hvmm_sched_class *class,
		     const struct hvmm_share *share);
/* Whether a unit of @share that runs goes on rather than make way for @other. */
bool hvmm_watch_keep(const struct hvmm_domain *dom, const struct hvmm_share *share,
		     const struct hvmm_share *other);
/* How far what runs on @res is ahead of @share, which waits: above 0 it must make way. */
s64 hvmm_watch_ahead(const struct hvmm_domain *dom, const struct hvmm_share *share,
		     const struct hvmm_resource *res, u64 now);
/* Whether somebody has waited for longer than can be: now and then. */
void hvmm_watch_starved(struct hvmm_domain *dom, u64 now);

/* Tell all policies in use what the operations of struct hvmm_sched_class tell them. */
void hvmm_classes_enqueue(struct hvmm_domain *dom, struct hvmm_share *share, bool woke, u64 now);
void hvmm_classes_dequeue(struct hvmm_domain *dom, struct hvmm_share *share);
void hvmm_classes_begin(struct hvmm_domain *dom, struct hvmm_share *share,
			struct hvmm_resource *res, u64 slice);
void hvmm_classes_charge(struct hvmm_domain *dom, struct hvmm_share *share,
			 struct hvmm_resource *res, u64 ran, u64 contended, u64 now);

/* queue.c: units that wait. All with the domain's lock held. */

/**
 * hvmm_queue_add - a unit begins to wait in its domain
 * @unit: the unit, in no queue; busy
 * @woke: it was parked until now
 * @now: time in ns
 */
void hvmm_queue_add(struct hvmm_unit *unit, bool woke, u64 now);
void hvmm_queue_del(struct hvmm_unit *unit, u64 now);
struct hvmm_unit *hvmm_queue_first(const struct hvmm_share *share);
/* Put waiting shares where they belong after their group's quota was changed. */
void hvmm_queue_renew(struct hvmm_share *share, u32 allowed, u64 now);

/* timer.c: what is due when. */
void hvmm_timer_set(struct hvmm_domain *dom, struct hvmm_sched_timer *timer, u64 at);
void hvmm_timer_cancel(struct hvmm_domain *dom, struct hvmm_sched_timer *timer);
bool hvmm_timer_pending(const struct hvmm_sched_timer *timer);
struct hvmm_sched_timer *hvmm_timer_due(struct hvmm_domain *dom, u64 now);
/* Tell the executor when to call, if that has become sooner; before the lock is let go. */
void hvmm_timer_arm(struct hvmm_domain *dom);

/* cap.c */
static inline bool hvmm_capped(const struct hvmm_group *group)
{
	return group->quota.max_ns != HVMM_CAP_NONE;
}

/**
 * hvmm_cap_take - a unit's next grant of its group's cap
 * @unit: the unit, of a group with a cap, whose grant is used up
 * @now: time in ns
 *
 * Context: the unit's domain's lock held.
 * Return: when it may begin to use it.
 */
u64 hvmm_cap_take(struct hvmm_unit *unit, u64 now);
/* Give back what is left of a unit's grant, or pay what it used too much. */
void hvmm_cap_return(struct hvmm_unit *unit);
/* Carry what a group owes over to another cap. Both quotas have one. */
void hvmm_cap_change(struct hvmm_group *group, const struct hvmm_quota *to, u64 now);

/* reserve.c */
void hvmm_reserve_set(struct hvmm_share *share, u64 reserve, u64 now);
void hvmm_reserve_refill(struct hvmm_share *share, u64 now);

/* admit.c: all with the configuration lock held. */

/**
 * hvmm_admit_begin - start to plan reservations anew
 */
void hvmm_admit_begin(void);
/* Free what @group has in the plan. */
void hvmm_admit_drop(struct hvmm_group *group);
/* Place @quota's reservation in the plan. Return: whether it fits; if not, @bound is what would. */
bool hvmm_admit_place(struct hvmm_group *group, const struct hvmm_quota *quota, u32 *bound);
/* Make the plan true for the resources, and for @group. */
void hvmm_admit_commit(struct hvmm_group *group);
void hvmm_admit_commit_res(void);

void hvmm_admit_capacity(u32 ppm);
void hvmm_admit_totals(u64 *provided, u64 *free);

/* balance.c: where units go. */

/* The domain in which a unit that wakes should wait; its own domain's lock is held. */
struct hvmm_domain *hvmm_balance_place(const struct hvmm_unit *unit);
/* Tell an idle resource of another domain of a unit that waits in @dom and that it could run. */
void hvmm_balance_offer(struct hvmm_domain *dom);
/* Call an idle resource of another domain for a unit that waits in this one. */
void hvmm_balance_lure(struct hvmm_resource *res);
/* An idle resource of another domain that could take a unit of @group, or NULL. */
struct hvmm_resource *hvmm_balance_idle(const struct hvmm_group *group,
					const struct hvmm_domain *except);
/*
 * The following take domain locks themselves; interrupts are off.
 * Who was lured by another domain has found something else to do: call the next.
 */
void hvmm_balance_relay(const struct hvmm_domain *except);
/*
 * Pull a unit that may run on @res, which is idle, from another domain.
 */
bool hvmm_balance_pull(struct hvmm_resource *res, u64 now);
/* Move units to where there is less to do. */
void hvmm_balance_push(struct hvmm_domain *dom, u64 now);
/* Move units that wait where none of their resources is online. */
void hvmm_balance_rescue(struct hvmm_domain *dom, u64 now);

/* quota.c */
void hvmm_config_lock_init(void);

/* core.c, for the others; domain locks are held. */
void hvmm_lock_two(struct hvmm_domain *a, struct hvmm_domain *b);
void hvmm_unlock_two(struct hvmm_domain *a, struct hvmm_domain *b);
/* The domain's time: never before what it was. */
u64 hvmm_domain_now(struct hvmm_domain *dom, u64 now);
void hvmm_set_state(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now);
/* A unit is not parked any more, or is again: what it counts for. */
void hvmm_busy_add(struct hvmm_unit *unit);
void hvmm_busy_del(struct hvmm_unit *unit);
void hvmm_park(struct hvmm_unit *unit, u64 now);
/* Call a resource that is idle. */
void hvmm_poke(struct hvmm_resource *res);
/* Ask a resource that runs a unit to look at it by @at. */
void hvmm_look_at(struct hvmm_resource *res, u64 at);

/* wake.c; the unit's domain lock is held. */

/* A unit waits in @dom: make somebody look. */
void hvmm_announce(struct hvmm_unit *unit, u64 now);
/* Queue a unit that is busy, or hold it back if its cap says so. Return: whether queued. */
bool hvmm_admit_unit(struct hvmm_unit *unit, bool woke, u64 now);

/* record.c; the domain's lock is held. */

void hvmm_note(struct hvmm_domain *dom, enum hvmm_sched_op op, const struct hvmm_unit *unit,
	       const struct hvmm_resource *res, u64 now, u64 arg);
/* The same for a group's share: it has the group's quota now; the group is gone. */
void hvmm_note_quota(const struct hvmm_share *share, u64 now);
void hvmm_note_exit(const struct hvmm_share *share);

/* The last thing before interrupts go on again: units that are in the wrong domain. */
static inline void hvmm_rescue(struct hvmm_domain *dom, u64 now)
{
	if (likely(!READ_ONCE(dom->stranded)) || hvmm_sched.nr_dom == 1)
		return;
	WRITE_ONCE(dom->stranded, false);
	hvmm_balance_rescue(dom, now);
}

#endif
