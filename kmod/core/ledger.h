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
 * struct hvmm_ledger - nanoseconds that a vCPU spent in each state
 * @seq: lets readers see @state, @since and @ns as of one instant
 * @state: present state
 * @since: when it began, ktime_get_ns()
 * @created: when the ledger was started, ktime_get_ns()
 * @ns: closed time per state; the open interval is not in it
 *
 * Writers are serialised by who may change the state: the runner while the
 * vCPU is loaded, the holder of its resource's lock otherwise.
 */
struct hvmm_ledger {
	seqcount_t seq;
	enum hvmm_vcpu_state state;
	u64 since;
	u64 created;
	u64 ns[HVMM_VCPU_STATE_NR];
};

/**
 * struct hvmm_ledger_sample - a ledger as of one instant
 * @state: state at that instant
 * @wall: ns since the ledger was started; equals the sum of @ns exactly
 * @ns: ns per state, the open interval included
 */
struct hvmm_ledger_sample {
	enum hvmm_vcpu_state state;
	u64 wall;
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
 * Context: any, interrupts off or the resource's lock held; see struct hvmm_ledger.
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
 * hvmm_vcpu_state_name - name of a state, as in the ABI
 * @state: the state
 *
 * Context: any.
 * Return: a constant string such as "run".
 */
const char *hvmm_vcpu_state_name(enum hvmm_vcpu_state state);

#endif
