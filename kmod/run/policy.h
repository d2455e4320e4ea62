/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_POLICY_H
#define HVMM_RUN_POLICY_H

/**
 * hvmm_policies_init - make ready for policies that misbehave
 * @nr_domains: scheduling domains
 *
 * Context: module init, may sleep.
 * Return: 0 or -ENOMEM.
 */
int hvmm_policies_init(unsigned int nr_domains);

/**
 * hvmm_policies_exit - no policy is asked any more
 *
 * Context: may sleep.
 */
void hvmm_policies_exit(void);

/**
 * hvmm_policy_broken - the executor's side of &hvmm_sched_exec.broken
 * @dom: the domain, its lock held
 * @policy: name of the policy
 * @why: what it did
 *
 * Says so in the kernel log at once; the listener hears of it soon.
 */
void hvmm_policy_broken(unsigned int dom, const char *policy, const char *why);

/**
 * hvmm_policy_set_listener - who is told of policies that were taken out
 * @fn: called in process context, may sleep; %NULL for nobody. When this returns, the one
 *      before is not called any more
 *
 * Context: may sleep.
 */
void hvmm_policy_set_listener(void (*fn)(unsigned int dom, const char *policy, const char *why));

#endif
