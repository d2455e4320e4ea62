// SPDX-License-Identifier: GPL-2.0
/* Application processors, IPIs, locks, one time for all. cpus=N, else what the machine says. */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"
#include "lib/smp.h"

static volatile u32 hits[MAX_CPUS], ready[MAX_CPUS], beat[MAX_CPUS];
static volatile u32 stop;
static u32 cpus;

static void on_ipi(struct regs *r)
{
	hits[this_cpu()]++;
	if (r->vector != NMI_VECTOR)
		apic_eoi();
}

static void clear_hits(void)
{
	memset((void *)hits, 0, sizeof(hits));
	memset((void *)ready, 0, sizeof(ready));
	stop = 0;
}

static u32 sum_ready(void)
{
	u32 i, n = 0;

	for (i = 1; i < cpus; i++)
		n += ready[i];
	return n;
}

static void listen(void *arg)
{
	sti();
	ready[this_cpu()] = 1;
	while (!stop)
		pause();
	cli();
}

static void listen_halted(void *arg)
{
	u32 cpu = this_cpu(), want = (u32)(u64)arg;

	ready[cpu] = 1;
	while (hits[cpu] < want) {
		cli();
		if (hits[cpu] < want)
			sti_hlt();
	}
	cli();
}

static void start_all(void (*fn)(void *), void *arg)
{
	u32 i;

	for (i = 1; i < cpus; i++)
		smp_call(i, fn, arg);
}

static void wait_all(void)
{
	u32 i;

	for (i = 1; i < cpus; i++)
		smp_wait(i);
}

static bool all_hit(u32 n)
{
	u32 i;

	for (i = 1; i < cpus; i++)
		if (hits[i] != n)
			return false;
	return true;
}

static u32 ids[MAX_CPUS], ids_b[MAX_CPUS], base_ok[MAX_CPUS];

static void read_ids(void *arg)
{
	u32 cpu = this_cpu();

	ids[cpu] = cpuid(1, 0).b >> 24;
	ids_b[cpu] = cpuid(0, 0).a >= 0xb && cpuid(0xb, 0).b ? cpuid(0xb, 0).d : ids[cpu];
	base_ok[cpu] = !!(rdmsr(MSR_APIC_BASE) & APIC_BASE_BSP) == !cpu;
}

static void test_ids(void)
{
	u32 i, j, bad = 0, same = 0;

	read_ids(NULL);
	start_all(read_ids, NULL);
	wait_all();
	for (i = 0; i < cpus; i++) {
		bad += ids[i] != smp_apic_id(i) || ids_b[i] != ids[i] || !base_ok[i];
		for (j = 0; j < i; j++)
			same += ids[i] == ids[j];
	}
	ok_eq(bad, 0, "CPUID 1 and 0xb, the LAPIC and APIC_BASE agree on every CPU");
	ok_eq(same, 0, "all APIC ids differ");
}

static void test_ipis(void)
{
	u64 end;
	u32 i;

	trap_handler(0x60, on_ipi);
	trap_handler(NMI_VECTOR, on_ipi);
	clear_hits();
	start_all(listen, NULL);
	ok(wait_for(sum_ready() == cpus - 1, 5000000), "CPUs listen");
	for (i = 1; i < cpus; i++)
		apic_icr(smp_apic_id(i), ICR_ASSERT | 0x60);
	ok(wait_for(all_hit(1), 5000000), "IPI by physical destination");
	apic_icr(0, ICR_OTHERS | ICR_ASSERT | 0x60);
	ok(wait_for(all_hit(2), 5000000), "IPI to all but self");
	ok_eq(hits[0], 0, "... and not to self");
	apic_icr(0xff, ICR_ASSERT | 0x60);
	sti_nop_cli();
	ok(wait_for(all_hit(3), 5000000), "IPI by broadcast destination");
	sti_nop_cli();
	ok_eq(hits[0], 1, "... to self too");
	for (i = 1; i < cpus; i++)
		apic_icr(smp_apic_id(i), ICR_NMI | ICR_ASSERT);
	ok(wait_for(all_hit(4), 5000000), "NMI by IPI");
	apic_icr(0, ICR_STARTUP | ICR_ASSERT | ICR_OTHERS);
	spin_us(10000);
	ok_eq(smp_online, cpus, "a SIPI to a running CPU is ignored");
	stop = 1;
	wait_all();

	clear_hits();
	start_all(listen_halted, (void *)200);
	for (i = 1; i <= 200; i++) {
		apic_icr(0, ICR_OTHERS | ICR_ASSERT | 0x60);
		if (!wait_for(all_hit(i), 5000000))
			break;
	}
	ok_eq(i, 201, "an IPI ends HLT, 200 times");
	wait_all();
	clear_hits();
	start_all(listen_halted, (void *)1);
	ok(wait_for(sum_ready() == cpus - 1, 5000000), "CPUs go to HLT");
	/* One that comes before HLT does not end it: send until every CPU has gone on. */
	for (i = 1; i < cpus; i++) {
		end = rdtsc() + 5000 * tsc_khz();
		while (!smp_done(i) && rdtsc() < end) {
			apic_icr(smp_apic_id(i), ICR_NMI | ICR_ASSERT);
			spin_us(100);
		}
	}
	for (i = 1; i < cpus && smp_done(i); i++)
		;
	ok_eq(i, cpus, "an NMI ends HLT");
	wait_all();
	trap_handler(0x60, NULL);
	/* One NMI more than were needed may still be on its way: its handler stays. */
}

static u32 lock;
static volatile u64 counter, last_tsc;
static u64 atomic_counter, back;

static void take(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		pause();
}

static void give(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

static void hammer(void *arg)
{
	u32 i;

	for (i = 0; i < 20000; i++) {
		take();
		counter++;
		give();
		__atomic_fetch_add(&atomic_counter, 1, __ATOMIC_SEQ_CST);
		if (!(i & 1023))
			cpuid(0, 0);
	}
}

static void clock(void *arg)
{
	u32 i;
	u64 t;

	for (i = 0; i < 20000; i++) {
		take();
		t = rdtsc();
		if (t < last_tsc)
			back++;
		last_tsc = t;
		give();
		if (!(i & 1023))
			cpuid(0, 0);
	}
}

static u32 msr_bad[MAX_CPUS];

static void own_msr(void *arg)
{
	u64 mine = 0x1000 * (this_cpu() + 1);
	u32 i;

	for (i = 0; i < 500; i++) {
		wrmsr(MSR_KERNEL_GS_BASE, mine);
		wrmsr(MSR_LSTAR, mine + 1);
		write_cr8(this_cpu());
		cpuid(0, 0);
		if (rdmsr(MSR_KERNEL_GS_BASE) != mine || rdmsr(MSR_LSTAR) != mine + 1 ||
		    read_cr8() != this_cpu())
			msr_bad[this_cpu()]++;
		mine += 0x100000;
	}
	write_cr8(0);
}

static void test_shared(void)
{
	u32 i, bad = 0;

	start_all(hammer, NULL);
	hammer(NULL);
	wait_all();
	ok_eq(counter, 20000ull * cpus, "a spin lock counts right");
	ok_eq(atomic_counter, 20000ull * cpus, "locked adds count right");
	start_all(clock, NULL);
	clock(NULL);
	wait_all();
	ok_eq(back, 0, "the TSC does not go back from CPU to CPU");
	start_all(own_msr, NULL);
	own_msr(NULL);
	wait_all();
	for (i = 0; i < cpus; i++)
		bad += msr_bad[i];
	ok_eq(bad, 0, "every CPU has its own MSRs and CR8");
}

static void heartbeat(void *arg)
{
	for (;;)
		beat[this_cpu()]++;
}

static void test_restart(void)
{
	u32 id = smp_apic_id(1), before = smp_online, n;

	smp_call(1, heartbeat, NULL);
	ok(wait_for(beat[1] > 1000, 5000000), "CPU 1 runs");
	apic_icr(id, ICR_INIT | ICR_ASSERT);
	spin_us(1000);
	n = beat[1];
	spin_us(20000);
	ok_eq(beat[1], n, "INIT stops it");
	apic_icr(id, ICR_STARTUP | ICR_ASSERT);
	ok(wait_for(smp_online == before + 1, 5000000), "SIPI starts it again");
	n = before;	/* it took the next number */
	hits[n] = 0;
	trap_handler(0x60, on_ipi);
	ready[n] = 0;
	stop = 0;
	smp_call(n, listen, NULL);
	ok(wait_for(ready[n], 5000000), "it takes work");
	apic_icr(id, ICR_ASSERT | 0x60);
	ok(wait_for(hits[n] == 1, 5000000), "it takes interrupts");
	stop = 1;
	smp_wait(n);
	trap_handler(0x60, NULL);
}

void guest_main(void)
{
	u32 want = nr_cpus();

	cpus = smp_start();
	ok_eq(cpus, want, "INIT and one SIPI to all but self start %u CPUs", want - 1);
	if (want < 2) {
		skip("one CPU", "IPIs, locks, TSC");
		return;
	}
	if (cpus != want)
		return;
	test_ids();
	test_ipis();
	test_shared();
	test_restart();
}
