/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_PCPU_H
#define HVMM_RUN_PCPU_H

#include <linux/cpumask.h>

struct netlink_ext_ack;

/**
 * hvmm_pcpu_init - switch virtualization on, on every pCPU there is or will be
 *
 * Context: module init, may sleep.
 * Return: 0, -EBUSY (another hypervisor has it), -errno.
 */
int hvmm_pcpu_init(void);

/**
 * hvmm_pcpu_exit - switch it off; no VM exists any more
 */
void hvmm_pcpu_exit(void);

/**
 * struct hvmm_pcpu_choice - what hvmm should use of the pCPUs
 * @use: which of them, or %NULL to leave that as it is
 * @host_share: millionths of each that are the host's, or 0 to leave that
 * @expected: number that the generation of quotas must have, or %NULL
 * @use_refused: set if it is @use that is refused
 */
struct hvmm_pcpu_choice {
	const struct cpumask *use;
	u32 host_share;
	const u32 *expected;
	bool use_refused;
};

/**
 * hvmm_pcpu_choose - change what hvmm uses of the pCPUs, all or nothing
 * @choice: the change
 * @generation: filled with the generation after it
 * @extack: the reason of a refusal
 *
 * On return no vCPU runs where it must not any more.
 *
 * Context: may sleep.
 * Return: 0; -ESTALE (generation), -EINVAL (no pCPU that is online would be left),
 * -EBUSY (a VM would have none, or what is reserved would not be left), -ENOMEM.
 */
int hvmm_pcpu_choose(struct hvmm_pcpu_choice *choice, u32 *generation,
		     struct netlink_ext_ack *extack);

/**
 * hvmm_pcpu_used - whether hvmm may run vCPUs on a pCPU while it is online
 * @cpu: the pCPU
 */
bool hvmm_pcpu_used(unsigned int cpu);

/**
 * hvmm_pcpu_host_share - the host's share of each pCPU, in millionths
 */
u32 hvmm_pcpu_host_share(void);

#endif
