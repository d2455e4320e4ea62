/* SPDX-License-Identifier: GPL-2.0 */
/* The monotonic clock, in ns. */
#ifndef HVMM_BENCH_CLOCK_H
#define HVMM_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS	1000000000ULL

static inline uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static inline void sleep_until(uint64_t when)
{
	struct timespec t = { .tv_sec = when / NS, .tv_nsec = when % NS };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
}

#endif
