// SPDX-License-Identifier: GPL-2.0
/*
 * A ticket lock that all CPUs fight for, for ms=N (1000) of the guest's time; inside=N (200) and
 * outside=N (200) are the loops with and without it. A ticket lock is the one that suffers most
 * when a vCPU loses its pCPU: nobody but the next in line may take it. Prints, in ns,
 *
 *	lock cpu=0 taken=N handed=N longest=NS
 *	lock all taken=N handed=N longest=NS
 *
 * handed: times that another CPU had it before; longest: the longest wait for it.
 */
#include "lib/guest.h"
#include "lib/smp.h"
#include "lib/trap.h"

static struct {
	u32 next __aligned(64);
	u32 serving __aligned(64);
	u32 owner;
	u64 inside;
} lock;

static struct {
	u64 taken, handed, longest;
} __aligned(64) counts[MAX_CPUS];

static u64 khz, start, end, nr_inside, nr_outside;

static void delay(u64 loops)
{
	while (loops--)
		barrier();
}

static void fight(void *arg)
{
	u32 cpu = this_cpu(), ticket;
	u64 before, now;

	while (rdtsc() < start)
		pause();
	do {
		before = rdtsc();
		ticket = __atomic_fetch_add(&lock.next, 1, __ATOMIC_RELAXED);
		while (__atomic_load_n(&lock.serving, __ATOMIC_ACQUIRE) != ticket)
			pause();
		now = rdtsc();
		if (now - before > counts[cpu].longest)
			counts[cpu].longest = now - before;
		counts[cpu].handed += lock.owner != cpu;
		counts[cpu].taken++;
		lock.owner = cpu;
		lock.inside++;
		delay(nr_inside);
		__atomic_store_n(&lock.serving, ticket + 1, __ATOMIC_RELEASE);
		delay(nr_outside);
	} while (now < end);
}

void guest_main(void)
{
	u64 taken = 0, handed = 0, longest = 0, ms = arg_u64("ms", 1000);
	u32 cpus = nr_cpus() > 1 ? smp_start() : 1, i;

	khz = tsc_khz();
	nr_inside = arg_u64("inside", 200);
	nr_outside = arg_u64("outside", 200);
	printf("lock begins\n");
	start = rdtsc() + khz;
	end = start + ms * khz;
	smp_run(fight);
	for (i = 0; i < cpus; i++) {
		printf("lock cpu=%u taken=%llu handed=%llu longest=%llu\n", i, counts[i].taken,
		       counts[i].handed, counts[i].longest * 1000000 / khz);
		taken += counts[i].taken;
		handed += counts[i].handed;
		if (counts[i].longest > longest)
			longest = counts[i].longest;
	}
	printf("lock all taken=%llu handed=%llu longest=%llu\n", taken, handed,
	       longest * 1000000 / khz);
	ok_eq(lock.inside, taken, "one at a time has had the lock");
}
