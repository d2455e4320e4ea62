/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_SLICE_H
#define HVMM_RUN_SLICE_H

#include <linux/hrtimer.h>

#include "core/vcpu.h"
#include "sched/sched.h"

/**
 * struct hvmm_slice - a residency of a vCPU on a pCPU
 * @res: the pCPU
 * @timer: ends the slice when others wait
 * @timed: @timer may be set
 */
struct hvmm_slice {
	struct hvmm_resource *res;
	struct hrtimer timer;
	bool timed;
};

void hvmm_slice_init(struct hvmm_slice *slice, struct hvmm_resource *res);

/**
 * hvmm_slice_run - run the vCPU that the scheduler has picked, until it must leave
 * @slice: the pCPU's
 * @vcpu: the vCPU
 *
 * Context: the pCPU's runner, preemption on.
 */
void hvmm_slice_run(struct hvmm_slice *slice, struct hvmm_vcpu *vcpu);

#endif
