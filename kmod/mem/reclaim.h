/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_RECLAIM_H
#define HVMM_MEM_RECLAIM_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "mem/age.h"

struct hvmm_mem;

/**
 * enum hvmm_effort - what may be taken
 * @HVMM_EFFORT_IDLE: what has not been used for a while
 * @HVMM_EFFORT_UNUSED: also what is not used while it is being looked at
 * @HVMM_EFFORT_ALL: everything
 */
enum hvmm_effort {
	HVMM_EFFORT_IDLE,
	HVMM_EFFORT_UNUSED,
	HVMM_EFFORT_ALL,
};

/**
 * struct hvmm_reclaim - one VM's reclaim
 * @lock: one at a time; all below but @work
 * @work: reclaim that a limit asks for
 * @next: frame that it goes on from
 * @last: what the last one took in the end
 * @ended: jiffies when that was, or 0
 * @futile: how often in a row @work got nothing
 * @cleared: bytes given back since the VM was created that were zero
 * @swapped: bytes that went to swap since then
 */
struct hvmm_reclaim {
	struct mutex lock; /* one at a time */
	struct delayed_work work;
	u64 next;
	enum hvmm_cold last;
	unsigned long ended;
	unsigned int futile;
	u64 cleared;
	u64 swapped;
};

/**
 * hvmm_mem_reclaim - give back RAM that a VM holds, the least used first
 * @mem: the memory
 * @bytes: how much
 * @floor: what the VM is to hold still, at least, RAM and kernel memory together
 * @effort: what may be taken
 *
 * What is zero is given back to the host at once, the rest goes to the host's swap, if there
 * is any. Nothing is lost: who needs a page again faults and waits for it.
 *
 * Context: may sleep, for a time that grows with the VM's RAM.
 * Return: bytes that the VM holds less by that; or -EINTR (a fatal signal while another
 * reclaim was in the way).
 */
s64 hvmm_mem_reclaim(struct hvmm_mem *mem, u64 bytes, u64 floor, enum hvmm_effort effort);

/**
 * hvmm_mem_reclaim_kick - somebody waits at mem-max: let the VM give back something
 * @mem: the memory
 *
 * A work item does so. If it gets nothing it tells of that (&hvmm_mem_ops.starves), and
 * tries again after a second, then twice as long each time, up to a minute, while anybody
 * waits.
 *
 * Context: any but interrupts.
 * Return: whether there is hope: the last attempt got something, or there was none.
 */
bool hvmm_mem_reclaim_kick(struct hvmm_mem *mem);

/**
 * hvmm_mem_reclaim_check - the VM may hold more than mem-high says: see to it
 * @mem: the memory
 *
 * A work item takes what is not being used; it waits between attempts that get nothing, as
 * after hvmm_mem_reclaim_kick().
 *
 * Context: any but interrupts.
 */
void hvmm_mem_reclaim_check(struct hvmm_mem *mem);

/**
 * hvmm_mem_reclaim_reset - limits have changed: forget attempts that got nothing
 * @mem: the memory
 *
 * Context: any.
 */
void hvmm_mem_reclaim_reset(struct hvmm_mem *mem);

void hvmm_mem_reclaim_init(struct hvmm_mem *mem);

/**
 * hvmm_mem_reclaim_stop - no more of what hvmm_mem_reclaim_kick() began
 * @mem: the memory; its vCPUs are still there
 *
 * Context: may sleep.
 */
void hvmm_mem_reclaim_stop(struct hvmm_mem *mem);

#endif
