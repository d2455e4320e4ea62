// SPDX-License-Identifier: GPL-2.0
/*
 * Sleeps in HLT until a timer wakes it, rounds=N times (200), us=N (5000) each on average, and
 * prints how late it ran then, in ns: "sleeper rounds=N p50=NS p90=NS p99=NS max=NS". busy_us=N
 * (50) is what it does in between. The timer is the LAPIC's in TSC-deadline mode.
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"

#define TIMER_VECTOR 0x50
#define MAX_ROUNDS 65536u

static volatile u64 woken;

static void on_timer(struct regs *r)
{
	woken = rdtsc();
	apic_eoi();
}

static u64 sleep_until(u64 deadline)
{
	woken = 0;
	cli();
	wrmsr(MSR_TSC_DEADLINE, deadline);
	while (!woken) {
		sti_hlt();
		cli();
	}
	return woken;
}

/* Shell sort. */
static void sort(u64 *v, u32 n)
{
	u32 step, i, j;

	for (step = n / 2; step; step /= 2)
		for (i = step; i < n; i++) {
			u64 x = v[i];

			for (j = i; j >= step && v[j - step] > x; j -= step)
				v[j] = v[j - step];
			v[j] = x;
		}
}

void guest_main(void)
{
	u64 rounds = arg_u64("rounds", 200), us = arg_u64("us", 5000), seed = arg_u64("seed", 1);
	u64 busy_us = arg_u64("busy_us", 50), khz = tsc_khz(), early = 0, deadline, t, *late;
	u32 i;

	if (!rounds || rounds > MAX_ROUNDS || !us)
		guest_die("rounds=%llu us=%llu", rounds, us);
	if (!(cpuid(1, 0).c & BIT(24)))
		guest_skip_all("no TSC-deadline timer");
	apic_setup();
	trap_handler(TIMER_VECTOR, on_timer);
	apic_write(APIC_LVTT, LVTT_DEADLINE | TIMER_VECTOR);
	late = alloc_pages(rounds * sizeof(*late) / PAGE_SIZE + 1);
	printf("sleeper begins\n");
	for (i = 0; i < rounds; i++) {
		deadline = rdtsc() + (us / 2 + random_next(&seed) % us) * khz / 1000;
		t = sleep_until(deadline);
		early += t < deadline;
		late[i] = t < deadline ? 0 : (t - deadline) * 1000000 / khz;
		spin_us(busy_us);
	}
	sort(late, rounds);
	printf("sleeper rounds=%llu p50=%llu p90=%llu p99=%llu max=%llu\n", rounds,
	       late[rounds * 50 / 100], late[rounds * 90 / 100], late[rounds * 99 / 100],
	       late[rounds - 1]);
	ok_eq(early, 0, "never woken before its time");
}
