/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_QUOTA_H
#define HVMM_MEM_QUOTA_H

#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

/* No limit. */
#define HVMM_MEM_MAX_NONE	U64_MAX

/**
 * struct hvmm_mem_wait - somebody who waits for memory that a VM may take
 * @node: in &hvmm_mem_quota.waiters, or empty
 * @wake: look again; called once, with the quota's lock held, no longer waiting
 * @off: does not wait any more
 * @full: it would not have fitted either had no fault been under way
 */
struct hvmm_mem_wait {
	struct list_head node;
	void (*wake)(struct hvmm_mem_wait *wait);
	bool off;
	bool full;
};

/**
 * struct hvmm_mem_quota - what a VM may hold on the host
 * @lock: all below
 * @held: tells what it holds, bytes; called with @lock held, must not sleep
 * @max: limit, bytes; %HVMM_MEM_MAX_NONE for none; read by anyone
 * @high: above this reclaim begins; likewise
 * @min: what reclaim leaves it, bytes; read by anyone
 * @pending: bytes that faults under way may still take, or have taken and not settled
 * @waiters: who could not take what they need
 * @nr_waiting: their number; read by anyone
 *
 * A page that a fault takes is counted in @pending before it is allocated and until
 * @held tells of it: at any time at least once. So the limit holds exactly, however
 * many fault at once. Who is refused since something is counted twice, or is just being
 * brought in by another, looks again when that has been settled.
 */
struct hvmm_mem_quota {
	spinlock_t lock; /* all below */
	u64 (*held)(struct hvmm_mem_quota *quota);
	u64 max;
	u64 high;
	u64 min;
	u64 pending;
	struct list_head waiters;
	unsigned int nr_waiting;
};

/**
 * hvmm_mem_quota_init - without a limit
 * @quota: filled
 * @held: see struct hvmm_mem_quota
 */
void hvmm_mem_quota_init(struct hvmm_mem_quota *quota,
			 u64 (*held)(struct hvmm_mem_quota *quota));

/**
 * hvmm_mem_quota_take - ask for memory before it is allocated
 * @quota: the quota
 * @bytes: in: wanted; out: what hvmm_mem_quota_settle() is to be told of, 0 if refused
 *         or without a limit
 * @wait: begins to wait if refused; or %NULL
 *
 * To ask for 0 bytes always succeeds. Looking and registering are one step under the
 * lock, and so is whatever changes the outcome: no wake-up is lost. But how much is
 * needed the caller has found out before: it looks once more after it was registered.
 *
 * Context: any but interrupts.
 * Return: 0, or -EDQUOT.
 */
int hvmm_mem_quota_take(struct hvmm_mem_quota *quota, u64 *bytes, struct hvmm_mem_wait *wait);

/**
 * hvmm_mem_quota_settle - &hvmm_mem_quota.held tells of what was taken
 * @quota: the quota
 * @bytes: from hvmm_mem_quota_take()
 *
 * Context: any but interrupts.
 */
void hvmm_mem_quota_settle(struct hvmm_mem_quota *quota, u64 bytes);

/**
 * struct hvmm_mem_limits - what is set of a quota, bytes
 * @max: as in &struct hvmm_mem_quota
 * @high: likewise
 * @min: likewise
 */
struct hvmm_mem_limits {
	u64 max;
	u64 high;
	u64 min;
};

/**
 * hvmm_mem_quota_set - set the limits
 * @quota: the quota
 * @limits: bytes; what is held may be more than they say
 *
 * Everybody who waits looks again. Faults under way while there was no limit are not
 * counted.
 *
 * Context: any but interrupts.
 */
void hvmm_mem_quota_set(struct hvmm_mem_quota *quota, const struct hvmm_mem_limits *limits);

/**
 * hvmm_mem_quota_get - the limits, as of one instant
 * @quota: the quota
 * @limits: filled
 *
 * Context: any but interrupts.
 */
void hvmm_mem_quota_get(struct hvmm_mem_quota *quota, struct hvmm_mem_limits *limits);

/**
 * hvmm_mem_quota_held - what the VM holds
 * @quota: the quota
 *
 * Context: any but interrupts.
 * Return: bytes; without what faults under way take.
 */
u64 hvmm_mem_quota_held(struct hvmm_mem_quota *quota);

/**
 * hvmm_mem_quota_returned - the VM has given memory back: who waits looks again
 * @quota: the quota
 *
 * Context: any but interrupts.
 */
void hvmm_mem_quota_returned(struct hvmm_mem_quota *quota);

/**
 * hvmm_mem_wait_init - prepare to wait, now or later
 * @wait: filled
 * @wake: see struct hvmm_mem_wait
 */
void hvmm_mem_wait_init(struct hvmm_mem_wait *wait, void (*wake)(struct hvmm_mem_wait *wait));

/**
 * hvmm_mem_wait_begin - wait for memory to be given back, whatever the limit
 * @quota: the quota
 * @wait: who waits
 *
 * Context: any but interrupts.
 */
void hvmm_mem_wait_begin(struct hvmm_mem_quota *quota, struct hvmm_mem_wait *wait);

/**
 * hvmm_mem_wait_end - do not wait now
 * @quota: the quota
 * @wait: who waited, or did not
 * @off: nor from now on; hvmm_mem_wait_init() undoes it
 *
 * On return it is not being woken.
 *
 * Context: any but interrupts.
 */
void hvmm_mem_wait_end(struct hvmm_mem_quota *quota, struct hvmm_mem_wait *wait, bool off);

/**
 * hvmm_mem_quota_max - the limit
 * @quota: the quota
 *
 * Context: any.
 * Return: bytes, or %HVMM_MEM_MAX_NONE.
 */
static inline u64 hvmm_mem_quota_max(const struct hvmm_mem_quota *quota)
{
	return READ_ONCE(quota->max);
}

/**
 * hvmm_mem_quota_high - above what reclaim begins
 * @quota: the quota
 *
 * Context: any.
 * Return: bytes, or %HVMM_MEM_MAX_NONE.
 */
static inline u64 hvmm_mem_quota_high(const struct hvmm_mem_quota *quota)
{
	return READ_ONCE(quota->high);
}

#endif
