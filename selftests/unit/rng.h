/* SPDX-License-Identifier: GPL-2.0 */
/* Seeded pseudo-random numbers (xorshift64*): every run can be repeated. */
#ifndef HVMM_UNIT_RNG_H
#define HVMM_UNIT_RNG_H

#include <stdlib.h>
#include <time.h>

#include <linux/types.h>

static u64 rng_state;

static inline u64 rng(void)
{
	rng_state ^= rng_state >> 12;
	rng_state ^= rng_state << 25;
	rng_state ^= rng_state >> 27;
	return rng_state * 0x2545f4914f6cdd1dULL;
}

/* 0 <= result < n */
static inline u64 rng_below(u64 n)
{
	return (rng() >> 11) % n;
}

/* From the environment variable SEED, else from the clock. */
static inline u64 rng_seed(void)
{
	const char *s = getenv("SEED");
	u64 seed = s ? strtoull(s, NULL, 0) : (u64)time(NULL);

	rng_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	if (!rng_state)
		rng_state = 1;
	return seed;
}

#endif
