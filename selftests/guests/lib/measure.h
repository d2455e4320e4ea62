/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an operation costs, in ticks of the TSC: "bench NAME ROUNDS TICKS", TICKS the median of
 * ROUNDS one by one, that of reading the TSC taken off. A median, because the host's timer
 * interrupts hit a few rounds. only=NAME measures one.
 */
#ifndef GUEST_MEASURE_H
#define GUEST_MEASURE_H

#include "cpu.h"

#define ROUNDS	501u
#define WARM	64u
#define NOTHING	((void)0)

extern u64 measured[ROUNDS];

/* Learns what reading the TSC takes; before all else. */
void measure_begin(void);
bool measure_wanted(const char *name);
/* Of the first @rounds of measured[], each of which holds @parts operations. */
void measure_report(const char *name, u32 rounds, u32 parts);

/* What is between two readings of the TSC, @rounds times; what comes before is not measured. */
#define MEASURE_TIMES(name, warm, rounds, before, ...)			\
	do {								\
		u32 __i;						\
									\
		for (__i = 0; measure_wanted(name) && __i < (warm) + (rounds); __i++) { \
			u64 __start, __end;				\
									\
			before;						\
			__start = rdtsc();				\
			__VA_ARGS__;					\
			__end = rdtsc();				\
			if (__i >= (warm))				\
				measured[__i - (warm)] = __end - __start; \
		}							\
		if (measure_wanted(name))				\
			measure_report(name, rounds, 1);		\
	} while (0)

#define MEASURE(name, before, ...) MEASURE_TIMES(name, WARM, ROUNDS, before, __VA_ARGS__)

/* The same, from the reading before to what a handler has left in "stamp". */
#define MEASURE_TO(name, before, stamp, ...)				\
	do {								\
		u32 __i;						\
									\
		for (__i = 0; measure_wanted(name) && __i < WARM + ROUNDS; __i++) { \
			u64 __start;					\
									\
			before;						\
			__start = rdtsc();				\
			__VA_ARGS__;					\
			if (__i >= WARM)				\
				measured[__i - WARM] = (stamp) - __start; \
		}							\
		if (measure_wanted(name))				\
			measure_report(name, ROUNDS, 1);		\
	} while (0)

#endif
