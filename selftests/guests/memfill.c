// SPDX-License-Identifier: GPL-2.0
/*
 * Writes every word of RAM from 16 MiB up, and says so before and after; then reads all of it
 * back. With several CPUs they take the pages in turn, so that neighbours fault at the same time.
 * Meant for a VM that may not hold so much: it has to wait in the middle.
 */
#include "lib/guest.h"
#include "lib/smp.h"
#include "lib/trap.h"

#define START (16ull << 20)

static u64 top;
static u32 cpus;
static volatile u64 bad[MAX_CPUS];

static u64 pattern(u64 a)
{
	return a * 0x9e3779b97f4a7c15ull ^ a >> 7;
}

static void fill(void *arg)
{
	u64 a, w;

	for (a = START + (u64)arg * PAGE_SIZE; a < top; a += cpus * PAGE_SIZE)
		for (w = a; w < a + PAGE_SIZE; w += 8)
			*(volatile u64 *)w = pattern(w);
}

/* What another has written. */
static void verify(void *arg)
{
	u64 cpu = (u64)arg, wrong = 0, a, w;

	for (a = START + (cpu + 1) % cpus * PAGE_SIZE; a < top; a += cpus * PAGE_SIZE)
		for (w = a; w < a + PAGE_SIZE; w += 8)
			wrong += *(volatile u64 *)w != pattern(w);
	bad[cpu] = wrong;
}

void guest_main(void)
{
	u64 wrong = 0;
	u32 i;

	top = ram_top() & ~(PAGE_SIZE - 1ull);
	cpus = nr_cpus() > 1 ? smp_start() : 1;
	printf("filling with %u CPUs\n", cpus);
	smp_run(fill);
	printf("filled\n");
	smp_run(verify);
	for (i = 0; i < cpus; i++)
		wrong += bad[i];
	ok_eq(wrong, 0, "every word of %llu pages is right", (top - START) / PAGE_SIZE);
}
