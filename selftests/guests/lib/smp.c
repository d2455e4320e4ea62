// SPDX-License-Identifier: GPL-2.0
#include "guest.h"
#include "trap.h"
#include "apic.h"
#include "smp.h"

extern char ap_trampoline[], ap_trampoline_end[];
void ap_boot(u32 cpu);

volatile u32 smp_online = 1;
static struct {
	void (*volatile fn)(void *);
	void *arg;
	u32 apic_id;
} __aligned(64) work[MAX_CPUS];

void ap_boot(u32 cpu)
{
	cpu_setup(cpu);
	apic_setup();
	work[cpu].apic_id = apic_id();
	__atomic_fetch_add(&smp_online, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		void (*fn)(void *) = work[cpu].fn;

		if (fn) {
			fn(work[cpu].arg);
			barrier();
			work[cpu].fn = NULL;
		}
		pause();
	}
}

u32 smp_start(void)
{
	u32 want = nr_cpus();

	apic_setup();
	work[0].apic_id = apic_id();
	memcpy((void *)0, ap_trampoline, ap_trampoline_end - ap_trampoline);
	apic_icr(0, ICR_INIT | ICR_ASSERT | ICR_OTHERS);
	apic_icr(0, ICR_STARTUP | ICR_ASSERT | ICR_OTHERS);
	if (!wait_for(smp_online >= want, 10000000))
		diag("%u of %u CPUs came up", smp_online, want);
	return smp_online;
}

void smp_call(u32 cpu, void (*fn)(void *), void *arg)
{
	smp_wait(cpu);
	work[cpu].arg = arg;
	barrier();
	work[cpu].fn = fn;
}

bool smp_done(u32 cpu)
{
	return !work[cpu].fn;
}

void smp_wait(u32 cpu)
{
	if (!wait_for(smp_done(cpu), 20000000))
		guest_die("CPU %u does not finish", cpu);
}

void smp_run(void (*fn)(void *))
{
	u32 cpus = smp_online;
	u64 i;

	for (i = 1; i < cpus; i++)
		smp_call(i, fn, (void *)i);
	fn(NULL);
	/* As long as it takes: smp_wait() would give up. */
	for (i = 1; i < cpus; i++)
		while (!smp_done(i))
			pause();
}

u32 smp_apic_id(u32 cpu)
{
	return work[cpu].apic_id;
}
