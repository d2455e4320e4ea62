/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_LOAD_H
#define HVMM_RUN_LOAD_H

#include <linux/seqlock.h>
#include <linux/types.h>

/**
 * enum hvmm_load_state - what a pCPU does for hvmm
 * @HVMM_LOAD_IDLE: no vCPU is there
 * @HVMM_LOAD_RUN: it runs vCPUs
 * @HVMM_LOAD_HOST: the host has taken it from a vCPU
 */
enum hvmm_load_state {
	HVMM_LOAD_IDLE,
	HVMM_LOAD_RUN,
	HVMM_LOAD_HOST,
	HVMM_LOAD_NR
};

/**
 * struct hvmm_load - time of a pCPU by what it did for hvmm
 * @seq: lets readers see all of it as of one instant
 * @state: present state
 * @since: when it began
 * @started: when counting began
 * @ns: time in each state, without the present stay
 * @vm: id of the VM that is there, 0 for none
 * @vcpu: its vCPU
 *
 * Written by the pCPU's runner only, with preemption off: its preempt notifier writes, too.
 */
struct hvmm_load {
	seqcount_t seq;
	enum hvmm_load_state state;
	u64 since;
	u64 started;
	u64 ns[HVMM_LOAD_NR];
	u32 vm;
	u32 vcpu;
};

/**
 * struct hvmm_load_sample - the same as of one instant
 * @wall: ns since counting began; exactly the sum of @ns
 * @ns: ns in each state
 * @vm: id of the VM that is there, 0 for none
 * @vcpu: its vCPU
 */
struct hvmm_load_sample {
	u64 wall;
	u64 ns[HVMM_LOAD_NR];
	u32 vm;
	u32 vcpu;
};

void hvmm_load_init(struct hvmm_load *load, u64 now);

/**
 * hvmm_load_begin - a vCPU is there from now on
 * @load: the pCPU's
 * @vm: id of its VM
 * @vcpu: its index
 * @now: ktime_get_ns()
 *
 * Context: the pCPU's runner.
 */
void hvmm_load_begin(struct hvmm_load *load, u32 vm, u32 vcpu, u64 now);

/**
 * hvmm_load_end - no vCPU is there any more
 * @load: the pCPU's
 * @now: ktime_get_ns()
 *
 * Context: the pCPU's runner.
 */
void hvmm_load_end(struct hvmm_load *load, u64 now);

/* Whether the host's taking the pCPU is anything to this. Context: the pCPU's runner. */
static inline bool hvmm_load_is_idle(const struct hvmm_load *load)
{
	return load->state == HVMM_LOAD_IDLE;
}

/**
 * hvmm_load_host - the host takes the pCPU, or gives it back
 * @load: the pCPU's
 * @took: which
 * @now: ktime_get_ns()
 *
 * Context: the pCPU's runner, preemption off: in its preempt notifier, or where it is lent.
 */
void hvmm_load_host(struct hvmm_load *load, bool took, u64 now);

/**
 * hvmm_load_read - sample
 * @load: any pCPU's
 * @sample: filled
 *
 * Context: any but NMI.
 */
void hvmm_load_read(const struct hvmm_load *load, struct hvmm_load_sample *sample);

#endif
