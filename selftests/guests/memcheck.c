// SPDX-License-Identifier: GPL-2.0
/*
 * Checks its memory all the time while the host gives it back, swaps it, and splits it. RAM from
 * 16 MiB up to the middle must keep every word; of what is above it any page may become zero at
 * any time, but hold no other word than the one that was written last. ms=N: for so long
 * (default 10000).
 */
#include "lib/guest.h"
#include "lib/smp.h"
#include "lib/trap.h"

#define START (16ull << 20)
#define MAX_PAGES (1u << 18)

static u32 generation[MAX_PAGES];
static u64 top, middle;
static u32 cpus;
static u64 until;
static volatile u64 wrong[MAX_CPUS], first_wrong[MAX_CPUS], checked[MAX_CPUS];

static u64 word(u64 a, u32 gen)
{
	return (a + gen * 0x1234567811ull) * 0x9e3779b97f4a7c15ull | 1;
}

static void write_page(u64 a)
{
	u32 gen = ++generation[a / PAGE_SIZE];
	u64 w;

	for (w = a; w < a + PAGE_SIZE; w += 8)
		*(volatile u64 *)w = word(w, gen);
}

static void check_page(u64 a, u64 cpu)
{
	u32 gen = generation[a / PAGE_SIZE];
	u64 w, value;

	for (w = a; w < a + PAGE_SIZE; w += 8) {
		value = *(volatile u64 *)w;
		if (value == word(w, gen) || (a >= middle && !value))
			continue;
		if (!wrong[cpu]++)
			first_wrong[cpu] = w;
	}
	checked[cpu]++;
}

/* A CPU has every cpus-th page for itself. */
static void work(void *arg)
{
	u64 cpu = (u64)arg, seed = cpu + 1, pages = (top - START) / PAGE_SIZE / cpus, a, i;

	for (i = 0; i < pages; i++)
		write_page(START + (i * cpus + cpu) * PAGE_SIZE);
	while (rdtsc() < until) {
		a = START + (random_next(&seed) % pages * cpus + cpu) * PAGE_SIZE;
		check_page(a, cpu);
		/* Some pages are never written again. */
		if (random_next(&seed) % 4 == 0 && a / PAGE_SIZE % 8)
			write_page(a);
	}
	for (i = 0; i < pages; i++)
		check_page(START + (i * cpus + cpu) * PAGE_SIZE, cpu);
}

void guest_main(void)
{
	u64 bad = 0, sum = 0, i;

	top = ram_top() & ~(PAGE_SIZE - 1ull);
	if (top / PAGE_SIZE > MAX_PAGES)
		guest_die("more RAM than this test can keep track of");
	middle = (START + top) / 2 & ~((2ull << 20) - 1);
	cpus = nr_cpus() > 1 ? smp_start() : 1;
	until = rdtsc() + arg_u64("ms", 10000) * tsc_khz();
	printf("checking with %u CPUs, may lose 0x%llx to 0x%llx\n", cpus, middle, top);
	smp_run(work);
	for (i = 0; i < cpus; i++) {
		if (wrong[i])
			diag("CPU %llu: the first wrong word is at 0x%llx", i, first_wrong[i]);
		bad += wrong[i];
		sum += checked[i];
	}
	ok_eq(bad, 0, "no wrong word in %llu checks of a page", sum);
}
