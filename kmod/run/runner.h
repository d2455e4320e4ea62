/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_RUNNER_H
#define HVMM_RUN_RUNNER_H

#include "run/load.h"
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

/**
 * hvmm_runner_set_nice - how much of a pCPU its runner leaves to the host
 * @cpu: the pCPU, which has been online
 * @nice: nice level of its thread, see hvmm_share_nice()
 *
 * Context: may sleep.
 */
void hvmm_runner_set_nice(unsigned int cpu, int nice);

/**
 * hvmm_runner_load - what a runner did with its time
 * @cpu: any possible pCPU
 * @sample: filled
 *
 * Context: any but NMI.
 */
void hvmm_runner_load(unsigned int cpu, struct hvmm_load_sample *sample);

/**
 * hvmm_runner_domain - which domain a pCPU belongs to
 * @cpu: any possible pCPU
 * @nr_waiting: filled with the number of vCPUs that wait there
 *
 * Context: any.
 * Return: number of the domain.
 */
unsigned int hvmm_runner_domain(unsigned int cpu, unsigned int *nr_waiting);

/**
 * hvmm_runner_resource - the scheduler's view of a pCPU
 * @cpu: any possible pCPU
 *
 * Context: any.
 */
struct hvmm_resource *hvmm_runner_resource(unsigned int cpu);

#endif
