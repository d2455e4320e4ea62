/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_RUNNER_H
#define HVMM_RUN_RUNNER_H

#include "sched/sched.h"

/**
 * hvmm_runners_init - create the scheduler's resources and their threads
 *
 * All resources are offline; see hvmm_pcpu_init().
 *
 * Context: module init, may sleep.
 * Return: 0 or -errno.
 */
int hvmm_runners_init(void);

/**
 * hvmm_runners_exit - end the threads; no VM exists any more
 */
void hvmm_runners_exit(void);

/**
 * hvmm_runner_set_online - let a pCPU's runner run vCPUs, or not
 * @cpu: the pCPU
 * @online: whether
 *
 * Going offline, returns once no vCPU is loaded there.
 *
 * Context: may sleep.
 */
void hvmm_runner_set_online(unsigned int cpu, bool online);

#endif
