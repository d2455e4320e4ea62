// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the TSC over and over on all CPUs and notes each gap: what a busy guest sees of being
 * kept waiting. ms=N measures so long, from wait_ms=N (1) on, and prints for each CPU, in ns
 *
 *	spin cpu=0 reads=N stalls=N stalled=NS longest=NS at=NS least=NS
 *
 * least: least time, in any window of window_ms=N (100), that the CPU was not stalled; a gap of
 * gap_us=N (100) or more is a stall. With more than one CPU, "spin all longest=NS" is the longest
 * time in which none of them ran. ms=0 goes on for ever.
 */
#include "lib/guest.h"
#include "lib/smp.h"
#include "lib/trap.h"

#define MAX_GAPS 65536u

/**
 * struct gap - a time in which a CPU did not run
 * @start: its last sign of life
 * @end: its next
 * @before: stalled time before @start
 */
struct gap {
	u64 start, end, before;
};

struct record {
	struct gap *gaps;
	u32 nr;
	u64 lost;	/* gaps that found no room */
	u64 reads, longest, longest_at, stalled;
} __aligned(64);

static struct record records[MAX_CPUS];
static u64 khz, threshold, window, start, end;
static u32 cpus;
static u64 last_sign __aligned(64);
static u64 longest_of_all;

static u64 ticks(u64 us)
{
	return us * khz / 1000;
}

static u64 to_ns(u64 t)
{
	return t / khz * 1000000 + t % khz * 1000000 / khz;
}

static void note(struct record *r, u64 from, u64 to)
{
	struct gap *g;

	if (to - from > r->longest) {
		r->longest = to - from;
		r->longest_at = from;
	}
	if (r->nr == MAX_GAPS) {
		r->lost++;
		return;
	}
	g = &r->gaps[r->nr++];
	g->start = from;
	g->end = to;
	g->before = r->stalled;
	r->stalled += to - from;
}

/* A sign of life of the VM. One that comes late must not undo a newer one. */
static void sign(u64 now)
{
	u64 seen = __atomic_load_n(&last_sign, __ATOMIC_RELAXED), longest;

	if (now <= seen || !__atomic_compare_exchange_n(&last_sign, &seen, now, false,
							__ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	longest = __atomic_load_n(&longest_of_all, __ATOMIC_RELAXED);
	while (now - seen > longest &&
	       !__atomic_compare_exchange_n(&longest_of_all, &longest, now - seen, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

static void spin(void *arg)
{
	struct record *r = &records[this_cpu()];
	u64 now, prev = start, reads = 0;

	while (rdtsc() < start)
		;
	do {
		now = rdtsc();
		if (now - prev >= threshold)
			note(r, prev, now);
		if (cpus > 1)
			sign(now);
		prev = now;
		reads++;
	} while (now < end);
	r->reads = reads;
}

/* Stalled time up to @t; *@at goes along with times that only grow. */
static u64 stalled_before(const struct record *r, u32 *at, u64 t)
{
	const struct gap *g;

	while (*at < r->nr && r->gaps[*at].end <= t)
		(*at)++;
	if (*at == r->nr)
		return r->stalled;
	g = &r->gaps[*at];
	return g->before + (t > g->start ? t - g->start : 0);
}

/* The worst window begins with a gap, or ends with one. */
static u64 least_run(const struct record *r)
{
	u32 ahead = 0, behind = 0, i;
	u64 worst = 0, t, lost;

	for (i = 0; i < r->nr; i++) {
		const struct gap *g = &r->gaps[i];

		t = g->start + window;
		if (t <= end) {
			lost = stalled_before(r, &ahead, t) - g->before;
			if (lost > worst)
				worst = lost;
		}
		t = g->end;
		if (t >= start + window && t <= end) {
			lost = g->before + (t - g->start) - stalled_before(r, &behind, t - window);
			if (lost > worst)
				worst = lost;
		}
	}
	return window - worst;
}

static void report(u32 cpu)
{
	const struct record *r = &records[cpu];

	printf("spin cpu=%u reads=%llu stalls=%llu stalled=%llu longest=%llu at=%llu", cpu,
	       r->reads, r->nr + r->lost, to_ns(r->stalled), to_ns(r->longest),
	       r->longest ? to_ns(r->longest_at - start) : 0);
	if (end - start >= window && !r->lost)
		printf(" least=%llu", to_ns(least_run(r)));
	printf("\n");
}

void guest_main(void)
{
	u64 ms = arg_u64("ms", 0), bad = 0;
	u32 i;

	cpus = nr_cpus() > 1 ? smp_start() : 1;
	khz = tsc_khz();
	threshold = ticks(arg_u64("gap_us", 100));
	window = ticks(arg_u64("window_ms", 100) * 1000);
	for (i = 0; i < cpus; i++)
		records[i].gaps = alloc_pages((MAX_GAPS * sizeof(struct gap)) / PAGE_SIZE);
	printf("spin begins\n");
	start = rdtsc() + ticks(arg_u64("wait_ms", 1) * 1000);
	last_sign = start;
	end = ms ? start + ticks(ms * 1000) : ~0ull;
	smp_run(spin);
	for (i = 0; i < cpus; i++) {
		report(i);
		bad += !records[i].reads;
	}
	if (cpus > 1)
		printf("spin all longest=%llu\n", to_ns(longest_of_all));
	ok_eq(bad, 0, "all CPUs have run");
}
