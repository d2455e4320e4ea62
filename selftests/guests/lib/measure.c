// SPDX-License-Identifier: GPL-2.0
#include "guest.h"
#include "measure.h"

u64 measured[ROUNDS];
static u64 nothing;

/* Shell sort. */
static u64 median(u32 rounds)
{
	u32 step, i, j;

	for (step = rounds / 2; step; step /= 2)
		for (i = step; i < rounds; i++) {
			u64 x = measured[i];

			for (j = i; j >= step && measured[j - step] > x; j -= step)
				measured[j] = measured[j - step];
			measured[j] = x;
		}
	return measured[rounds / 2];
}

bool measure_wanted(const char *name)
{
	char only[32];

	return !arg_string("only", only, sizeof(only)) || !strncmp(only, name, sizeof(only));
}

void measure_report(const char *name, u32 rounds, u32 parts)
{
	u64 ticks = median(rounds);

	printf("bench %s %u %llu\n", name, rounds, (ticks > nothing ? ticks - nothing : 0) / parts);
}

void measure_begin(void)
{
	u32 i;

	for (i = 0; i < WARM + ROUNDS; i++) {
		u64 start = rdtsc();

		measured[i % ROUNDS] = rdtsc() - start;
	}
	nothing = median(ROUNDS);
}
