/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_CLOCK_H
#define HV_CLOCK_H

#include <stdint.h>
#include <time.h>

/* ns of a clock that only goes on */
static inline uint64_t hv_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#endif
