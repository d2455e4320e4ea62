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

/* Sets of CPUs below are bits by APIC id; a restart has given one of them another number. */
static u32 number_of[MAX_CPUS], everyone;
static volatile u32 got[MAX_CPUS], fences[MAX_CPUS], woken[MAX_CPUS];

static void on_tested(struct regs *r)
{
	got[smp_apic_id(this_cpu())]++;
	if (r->vector != NMI_VECTOR)
		apic_eoi();
}

static void on_fence(struct regs *r)
{
	apic_eoi();
	/* An exit: hvmm knows the priority now, should the processor do the APIC's work. */
	cpuid(0, 0);
	if (r->vector == 0x61)
		woken[this_cpu()] = 1;
	else
		fences[smp_apic_id(this_cpu())]++;
}

static void set_tpr(u64 tpr)
{
	apic_write(APIC_TPR, tpr);
	cpuid(0, 0);
}

/* Takes no time from the others, where there are fewer pCPUs. */
static void listen_asleep(void *tpr)
{
	u32 cpu = this_cpu();

	set_tpr((u64)tpr);
	woken[cpu] = 0;
	ready[cpu] = 1;
	for (cli(); !woken[cpu]; cli())
		sti_hlt();
	set_tpr(0);
}

static void on_everyone(void (*fn)(void *))
{
	u32 i;

	fn(NULL);
	for (i = 1; i < cpus; i++) {
		smp_call(number_of[i], fn, NULL);
		smp_wait(number_of[i]);
	}
}

/* All but those of @low have a higher TPR, which lets through what is sent here all the same. */
static void start_listening(u32 low)
{
	u32 i, n = 0;

	clear_hits();
	set_tpr(low & 1 ? 0 : 0x50);
	for (i = 1; i < cpus; i++)
		smp_call(number_of[i], listen_asleep, (void *)(low >> i & 1 ? 0 : 0x50ull));
	for (i = 1; i < cpus; i++)
		n += wait_for(ready[number_of[i]], 5000000);
	if (n != cpus - 1)
		guest_die("%u of %u CPUs listen", n, cpus - 1);
}

static void end_listening(void)
{
	u32 i;

	for (i = 1; i < cpus; i++) {
		apic_icr(i, ICR_ASSERT | 0x61);
		smp_wait(number_of[i]);
	}
	set_tpr(0);
}

static bool all_fenced(void)
{
	u32 i;

	for (i = 0; i < cpus; i++)
		if (!fences[i])
			return false;
	return true;
}

static u32 got_it(void)
{
	u32 i, set = 0;

	for (i = 0; i < cpus; i++)
		set |= (got[i] != 0) << i;
	return set;
}

/* Who has got what was sent, once that has come which was sent later with lower priority. */
static u32 reached(void)
{
	bool fenced;
	u32 i;

	for (i = 0; i < cpus; i++)
		apic_icr(i, ICR_ASSERT | 0x60);
	sti();
	fenced = wait_for(all_fenced(), 5000000);
	cli();
	for (i = 0; i < cpus; i++)
		fenced = fenced && fences[i] == 1 && got[i] <= 1;
	return fenced ? got_it() : ~0u;
}

static u32 send(u32 dest, u32 low)
{
	memset((void *)got, 0, sizeof(got));
	memset((void *)fences, 0, sizeof(fences));
	apic_icr(dest, low | ICR_ASSERT | 0x70);
	return reached();
}

struct addressed {
	u32 dest, set;
};

static void try_each(const char *mode, u32 low, const struct addressed *a, u32 n)
{
	for (; n; n--, a++)
		ok_eq(send(a->dest, low), a->set & everyone, "%s: 0x%x reaches those addressed",
		      mode, a->dest);
}

static void try_nmi(const char *mode, u32 dest, u32 set)
{
	memset((void *)got, 0, sizeof(got));
	memset((void *)fences, 0, sizeof(fences));
	apic_icr(dest, ICR_NMI | ICR_LOGICAL | ICR_ASSERT);
	/* No order holds between an NMI and what comes later. */
	wait_for(got_it() == set, 5000000);
	ok_eq(reached(), set, "%s: an NMI reaches those addressed", mode);
}

static void try_lowest(const char *mode, u32 dest_all)
{
	u32 i, set, bad = 0, seen = 0;

	start_listening(everyone);
	for (i = 0; i < 64; i++) {
		set = send(dest_all, ICR_LOGICAL | ICR_LOWEST);
		bad += !set || (set & (set - 1));
		seen |= set;
	}
	end_listening();
	ok_eq(bad, 0, "%s, lowest priority: reaches one CPU, 64 times", mode);
	if (plain_tcg()) {
		skip("QEMU's own LAPIC takes the first", "%s, lowest priority: the lowest", mode);
		return;
	}
	ok_eq(seen, everyone, "%s, lowest priority: equals take turns", mode);
	for (i = 0; i < cpus; i++) {
		start_listening(BIT(i));
		seen = 0;
		for (bad = 0; bad < 2 * cpus; bad++)
			seen |= send(dest_all, ICR_LOGICAL | ICR_LOWEST);
		set = send(BIT(i ^ 1), ICR_LOGICAL | ICR_LOWEST);
		end_listening();
		ok_eq(seen, BIT(i), "%s, lowest priority: reaches CPU %u, whose TPR is lower", mode,
		      i);
		ok_eq(set, BIT(i ^ 1) & everyone, "... unless another is addressed");
	}
}

static void be_flat(void *arg)
{
	apic_write(APIC_DFR, 0xffffffff);
	apic_write(APIC_LDR, 1u << (24 + apic_id()));
}

/* Even ids are in cluster 0, odd ones in cluster 1. */
static void be_clustered(void *arg)
{
	u32 id = apic_id();

	apic_write(APIC_DFR, 0x0fffffff);
	apic_write(APIC_LDR, (id & 1) << 28 | 1u << (24 + id / 2));
}

static void find_numbers(void)
{
	u32 i;

	everyone = BIT(cpus) - 1;
	for (i = 0; i < smp_online; i++) {
		if (smp_apic_id(i) >= cpus)
			guest_die("CPU %u has APIC id %u", i, smp_apic_id(i));
		number_of[smp_apic_id(i)] = i;
	}
	trap_handler(0x60, on_fence);
	trap_handler(0x61, on_fence);
	trap_handler(0x70, on_tested);
	trap_handler(NMI_VECTOR, on_tested);
}

static void test_logical(void)
{
	static const struct addressed flat[] = {
		{ 0x01, 0x01 }, { 0x02, 0x02 }, { 0x03, 0x03 }, { 0x06, 0x06 }, { 0xfe, 0xfe },
		{ 0xff, 0xff }, { 0x00, 0x00 },
	}, clusters[] = {
		{ 0x01, 0x01 }, { 0x11, 0x02 }, { 0x03, 0x05 }, { 0x13, 0x0a }, { 0x1e, 0xa8 },
		{ 0xff, 0xff }, { 0x10, 0x00 }, { 0x2f, 0x00 },
	};

	if (cpus > 8) {
		skip("8 CPUs at most", "logical destinations");
		return;
	}
	find_numbers();
	on_everyone(be_flat);
	start_listening(everyone);
	try_each("flat", ICR_LOGICAL, flat, ARRAY_SIZE(flat));
	try_nmi("flat", 0x02, 0x02);
	end_listening();
	try_lowest("flat", everyone);
	on_everyone(be_clustered);
	start_listening(everyone);
	try_each("clusters", ICR_LOGICAL, clusters, ARRAY_SIZE(clusters));
	end_listening();
}

static u32 x2_bad;

static void be_x2(void *arg)
{
	u32 id = apic_id();

	x2_bad += !apic_go_x2() || apic_id() != id || apic_read(APIC_LDR) != BIT(id);
}

/* The last test: there is no way back. */
static void test_x2apic(void)
{
	static const struct addressed physical[] = {
		{ 0, 0x0001 }, { 1, 0x0002 }, { 2, 0x0004 }, { 0xffffffff, 0xffff },
		{ 0x101, 0 }, { 0xff, 0 },
	}, logical[] = {
		{ 0x0001, 0x0001 }, { 0x0002, 0x0002 }, { 0x0003, 0x0003 }, { 0x0006, 0x0006 },
		{ 0xfffe, 0xfffe }, { 0xffff, 0xffff }, { 0xffffffff, 0xffff }, { 0x00010003, 0 },
		{ 0, 0 },
	}, shorthand[] = {
		{ 0, 0xfffe },
	};

	find_numbers();
	on_everyone(be_x2);
	if (!ok_eq(x2_bad, 0, "x2APIC mode on all CPUs, its LDR follows from the id"))
		return;
	start_listening(everyone);
	try_each("x2APIC, physical", 0, physical, ARRAY_SIZE(physical));
	try_each("x2APIC, logical", ICR_LOGICAL, logical, ARRAY_SIZE(logical));
	try_each("x2APIC, all but self", ICR_OTHERS, shorthand, ARRAY_SIZE(shorthand));
	try_nmi("x2APIC", 0x0002, 0x02);
	end_listening();
	try_lowest("x2APIC", everyone);
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
	test_logical();
	test_restart();
	test_x2apic();
}
