/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_EARLY_LEARN_H
#define HVMM_RUN_EARLY_LEARN_H

#include <linux/minmax.h>
#include <linux/types.h>

/**
 * hvmm_early_learn - by how much a halted vCPU's timer should be early the next time
 * @early: by how much it was this time, ns
 * @late: how late the vCPU was on its pCPU all the same, ns; below 0 it was there too soon
 * @max: the most, ns
 *
 * What is off by far more than @max had another reason than the way to the pCPU: the pCPU was
 * somebody else's, or asleep. A way that takes somewhat more than @max is made shorter by that.
 *
 * Context: any; pure.
 * Return: ns.
 */
static inline u64 hvmm_early_learn(u64 early, s64 late, u64 max)
{
	if (late > 2 * (s64)max || late < -(s64)max)
		return min(early, max);
	/* Too late is worse than too soon, but only that it is not for ever. */
	if (late > 0)
		early += (late + 1) / 2;
	else
		early -= min(early, (u64)-late / 8);
	return min(early, max);
}

#endif
