// SPDX-License-Identifier: GPL-2.0
/*
 * Counts loops for ever, all CPUs with cpus=N: "progress CPU COUNT" each N million loops
 * (each=N, default 100). loops=N ends with a pass after so many reports.
 */
#include "lib/guest.h"
#include "lib/smp.h"
#include "lib/trap.h"

static volatile u64 progress[MAX_CPUS];

static void work(void *arg)
{
	u64 each = arg_u64("each", 100) * 1000000, reports = arg_u64("loops", 0), n = 0, i;
	u32 cpu = this_cpu();

	do {
		for (i = 0; i < each; i++)
			__asm__ __volatile__("");
		progress[cpu] += each;
		printf("progress %u %llu\n", cpu, progress[cpu]);
	} while (++n != reports);
}

void guest_main(void)
{
	if (nr_cpus() > 1)
		smp_start();
	printf("busy\n");
	smp_run(work);
	ok(true, "counted");
}
