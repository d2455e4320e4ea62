// SPDX-License-Identifier: GPL-2.0
/*
 * The host's share of a pCPU, as a nice level of the runner there. To the host's
 * scheduler a level is worth a quarter more weight than the next: two busy tasks
 * get time as their weights are.
 */
#include "run/share.h"

#define NICE_LOW	(-20)
#define NICE_HIGH	19
/* Of nice 0, finer than the host's own so that rounding does not add up. */
#define WEIGHT_0	1048576ULL
#define PPM		1000000U

u32 hvmm_share_of_nice(int nice)
{
	u64 weight = WEIGHT_0;

	for (; nice < 0; nice++)
		weight += weight / 4;
	for (; nice > 0; nice--)
		weight -= weight / 5;
	return (u32)(WEIGHT_0 * PPM / (WEIGHT_0 + weight));
}

static u32 distance(u32 a, u32 b)
{
	return a < b ? b - a : a - b;
}

int hvmm_share_nice(u32 ppm)
{
	int nice = NICE_LOW;

	while (nice < NICE_HIGH && distance(hvmm_share_of_nice(nice + 1), ppm) <=
				   distance(hvmm_share_of_nice(nice), ppm))
		nice++;
	return nice;
}
