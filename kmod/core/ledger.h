/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CORE_LEDGER_H
#define HVMM_CORE_LEDGER_H

#include <linux/seqlock.h>
#include <linux/types.h>

/**
 * enum hvmm_vcpu_state - what a vCPU is doing; it is in exactly one at any time
 * @HVMM_VCPU_RUN: in the guest, or its own exits are being handled
 * @HVMM_VCPU_READY: runnable, waits for a pCPU
 * @HVMM_VCPU_CAPPED: runnable, held back by its VM's own cap
 * @HVMM_VCPU_HALTED: executed HLT and waits for an interrupt
 * @HVMM_VCPU_IO: waits for a device in userspace
 * @HVMM_VCPU_MEM: waits for a page or for memory quota
 * @HVMM_VCPU_PAUSED: its VM is paused or stopped
 * @HVMM_VCPU_HOST: loaded, but the host took the pCPU from the runner
 * @HVMM_VCPU_OFFLINE: not started by the guest (waits for INIT and SIPI)
 */
enum hvmm_vcpu_state {
	HVMM_VCPU_RUN,
	HVMM_VCPU_READY,
	HVMM_VCPU_CAPPED,
	HVMM_VCPU_HALTED,
	HVMM_VCPU_IO,
	HVMM_VCPU_MEM,
	HVMM_VCPU_PAUSED,
	HVMM_VCPU_HOST,
	HVMM_VCPU_OFFLINE,
	HVMM_VCPU_STATE_NR
};

/**
 * enum hvmm_waited - waits that are counted one by one
 * @HVMM_WAITED_READY: stays in %HVMM_VCPU_READY
 * @HVMM_WAITED_CAPPED: stays in %HVMM_VCPU_CAPPED
 * @HVMM_WAITED_HOST: stays in %HVMM_VCPU_HOST
 * @HVMM_WAITED_IO: stays in %HVMM_VCPU_IO
 * @HVMM_WAITED_MEM: stays in %HVMM_VCPU_MEM
 * @HVMM_WAITED_WAKE: from when a parked vCPU was made runnable until its residency began
 * @HVMM_WAITED_WAKE_CAPPED: what of that it was capped, of wake-ups for which that is not 0
 */
enum hvmm_waited {
	HVMM_WAITED_READY,
	HVMM_WAITED_CAPPED,
	HVMM_WAITED_HOST,
	HVMM_WAITED_IO,
	HVMM_WAITED_MEM,
	HVMM_WAITED_WAKE,
	HVMM_WAITED_WAKE_CAPPED,
	HVMM_WAITED_NR
};

/*
 * Waits under 2^10 ns are in bucket 0, those from 2^(9 + i) to under 2^(10 + i) ns in
 * bucket i, those of 2^32 ns (4.3 s) and more in the last.
 */
#define HVMM_WAIT_BUCKETS	24

/**
 * struct hvmm_wait_stat - single waits of a kind that have ended
 * @count: how many
 * @longest: the longest of them, ns
 * @longest_end: when that one ended, ns since the ledger was started
 * @bucket: how many by length; each wraps at 2^32, together they are @count modulo that
 */
struct hvmm_wait_stat {
	u64 count;
	u64 longest;
	u64 longest_end;
	u32 bucket[HVMM_WAIT_BUCKETS];
};

/**
 * struct hvmm_ledger - nanoseconds that a vCPU spent in each state
 * @seq: lets readers see all the rest as of one instant
 * @state: present state
 * @since: when it began, ktime_get_ns()
 * @created: when the ledger was started, ktime_get_ns()
 * @woken: when the vCPU was made runnable, if it has not run since, else 0
 * @woken_capped: ns of the time since @woken that it was capped
 * @ns: closed time per state; the open interval is not in it
 * @waits: waits one by one
 *
 * Writers are serialised by who may change the state: the runner while the
 * vCPU is loaded, the holder of its domain's lock otherwise.
 */
struct hvmm_ledger {
	seqcount_t seq;
	enum hvmm_vcpu_state state;
	u64 since;
	u64 created;
	u64 woken;
	u64 woken_capped;
	u64 ns[HVMM_VCPU_STATE_NR];
	struct hvmm_wait_stat waits[HVMM_WAITED_NR];
};

/**
 * struct hvmm_ledger_sample - a ledger as of one instant
 * @state: state at that instant
 * @wall: ns since the ledger was started; equals the sum of @ns exactly
 * @since: ns that it has been in that state
 * @ns: ns per state, the open interval included
 */
struct hvmm_ledger_sample {
	enum hvmm_vcpu_state state;
	u64 wall;
	u64 since;
	u64 ns[HVMM_VCPU_STATE_NR];
};

/**
 * hvmm_ledger_init - start a ledger
 * @ledger: the ledger
 * @state: state to begin in
 * @now: ktime_get_ns()
 *
 * Context: before the vCPU is visible to anybody else.
 */
void hvmm_ledger_init(struct hvmm_ledger *ledger, enum hvmm_vcpu_state state, u64 now);

/**
 * hvmm_ledger_switch - close the present state and enter another
 * @ledger: the ledger
 * @state: state that begins
 * @now: ktime_get_ns(); an instant before the present state began counts as that one
 *
 * To enter the state that it is in already changes nothing: the wait goes on.
 *
 * Context: any, preemption off or the domain's lock held; see struct hvmm_ledger.
 */
void hvmm_ledger_switch(struct hvmm_ledger *ledger, enum hvmm_vcpu_state state, u64 now);

/**
 * hvmm_ledger_read - sample a ledger without stopping its vCPU
 * @ledger: the ledger
 * @sample: filled
 *
 * Context: any but NMI.
 */
void hvmm_ledger_read(const struct hvmm_ledger *ledger, struct hvmm_ledger_sample *sample);

/**
 * hvmm_ledger_read_waits - sample a ledger and its single waits, as of one instant
 * @ledger: the ledger
 * @sample: filled
 * @waits: filled, %HVMM_WAITED_NR of them
 *
 * Context: any but NMI.
 */
void hvmm_ledger_read_waits(const struct hvmm_ledger *ledger, struct hvmm_ledger_sample *sample,
			    struct hvmm_wait_stat *waits);

/**
 * hvmm_vcpu_state_parked - whether a vCPU in a state is not runnable
 * @state: the state
 *
 * Context: any.
 */
bool hvmm_vcpu_state_parked(enum hvmm_vcpu_state state);

/**
 * hvmm_vcpu_state_name - name of a state, as in the ABI
 * @state: the state
 *
 * Context: any.
 * Return: a constant string such as "run".
 */
const char *hvmm_vcpu_state_name(enum hvmm_vcpu_state state);

#endif
