/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_POLL_LEARN_H
#define HVMM_RUN_POLL_LEARN_H

#include <linux/types.h>

/* The first poll after a short halt, ns. */
#define HVMM_POLL_START_NS	10000U

/**
 * hvmm_poll_learn - how long to poll the next time
 * @poll: how long it was this time, ns
 * @halted: how long the halt lasted, ns, waiting for a pCPU afterwards included
 * @max: the most, ns; 0 for never
 *
 * Context: any; pure.
 * Return: ns.
 */
static inline u64 hvmm_poll_learn(u64 poll, u64 halted, u64 max)
{
	if (halted > max)
		return 0;
	if (halted > poll)
		poll = poll < HVMM_POLL_START_NS ? HVMM_POLL_START_NS : poll * 2;
	return poll < max ? poll : max;
}

#endif
