// SPDX-License-Identifier: GPL-2.0
/*
 * The KVM guest ABI beside its clock: EOI, kick, IPIs, steal time's flags, yield. cpus=2 shared=1:
 * both CPUs have one pCPU between them, or will have soon.
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"
#include "lib/smp.h"

#define MSR_STEAL	0x4b564d03
#define MSR_EOI		0x4b564d04
#define MSR_POLL	0x4b564d05
#define HC_KICK		5
#define HC_SEND_IPI	10
#define HC_YIELD	11
#define FEATURES	(BIT(5) | BIT(6) | BIT(7) | BIT(9) | BIT(11) | BIT(12) | BIT(13))
#define PREEMPTED	1
#define FLUSH		2
#define LOW		0x61
#define HIGH		0x71

static u32 cpus;
/* apicv=1: in x2APIC mode the processor ends interrupts, without an exit: no bit is needed. */
static bool apicv;

static s64 hypercall(u64 nr, u64 a, u64 b, u64 c, u64 d)
{
	s64 ret;

	__asm__ __volatile__(HYPERCALL : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d)
			     : "memory");
	return ret;
}

/* A page of its own, so that it can be taken out of the nested page table. */
static volatile u32 *word;
static volatile u32 taken[256], by_bit[256];
static volatile u8 nest;	/* the handler asks for this vector before it ends its own */
static volatile bool look, unmap;
static volatile u32 seen_in_service, bit_after;

/* As Linux does. */
static void end(u8 vector)
{
	if (*word & 1) {
		*word = 0;
		by_bit[vector]++;
	} else {
		apic_eoi();
	}
}

static void on_irq(struct regs *r)
{
	u8 other = nest;

	taken[r->vector]++;
	if (other) {
		nest = 0;
		apic_icr(apic_id(), ICR_ASSERT | other);
		bit_after = *word & 1;
	}
	if (look) {
		seen_in_service = apic_bit(APIC_ISR, r->vector);
		bit_after = *word & 1;
	}
	end(r->vector);
	if (unmap)
		testdev_unmap((u64)word);
}

static void forget(void)
{
	memset((void *)taken, 0, sizeof(taken));
	memset((void *)by_bit, 0, sizeof(by_bit));
}

static void self(u8 vector)
{
	apic_icr(apic_id(), ICR_ASSERT | vector);
}

static void test_eoi(const char *mode)
{
	bool no_bit = apicv && apic_is_x2();
	u32 i;

	trap_handler(LOW, on_irq);
	trap_handler(HIGH, on_irq);
	*word = 0;
	ok_eq(wrmsr_try(MSR_EOI, (u64)word | 3), GP_VECTOR, "%s EOI: a reserved bit", mode);
	ok_eq(wrmsr_try(MSR_EOI, (u64)word | 1), NO_TRAP, "%s EOI: switched on", mode);
	forget();
	for (i = 0; i < 100; i++) {
		self(LOW);
		sti_nop_cli();
	}
	ok_eq(taken[LOW], 100, "%s EOI: every interrupt comes", mode);
	ok(no_bit ? !by_bit[LOW] : by_bit[LOW] >= 95, "%s EOI: ended by the %s (%u of 100)", mode,
	   no_bit ? "processor, not the bit" : "bit", by_bit[LOW]);

	forget();
	self(LOW);
	self(HIGH);
	sti_nop_cli();
	sti_nop_cli();
	ok(taken[LOW] == 1 && taken[HIGH] == 1 && !by_bit[HIGH],
	   "%s EOI: none by the bit while another is requested", mode);

	forget();
	nest = LOW;
	self(HIGH);
	sti_nop_cli();
	sti_nop_cli();
	ok(taken[LOW] == 1 && taken[HIGH] == 1, "%s EOI: one requested meanwhile comes", mode);
	ok(!bit_after && !by_bit[HIGH], "%s EOI: ... and takes the bit back", mode);
	forget();
	nest = HIGH;
	self(LOW);
	sti_nop_cli();
	sti_nop_cli();
	ok(taken[LOW] == 1 && taken[HIGH] == 1, "%s EOI: a higher one, too", mode);

	look = true;
	self(LOW);
	sti_nop_cli();
	look = false;
	ok(seen_in_service && !bit_after, "%s EOI: a look at ISR sees it in service", mode);
	self(LOW);
	sti_nop_cli();
	ok(!apic_bit(APIC_ISR, LOW), "%s EOI: ... and ended when it is", mode);

	forget();
	for (i = 0; i < 50; i++) {
		apic_write(APIC_LVTT, LOW);
		apic_write(APIC_TDCR, 0xb);
		apic_write(APIC_TMICT, 20000);
		sti_hlt();
		cli();
	}
	ok_eq(taken[LOW], 50, "%s EOI: timer interrupts end HLT", mode);

	if (have_testdev()) {
		forget();
		unmap = true;
		for (i = 0; i < 20; i++) {
			self(LOW);
			sti_nop_cli();
			self(HIGH);
			sti_nop_cli();
		}
		unmap = false;
		ok(taken[LOW] == 20 && taken[HIGH] == 20,
		   "%s EOI: its page may leave the nested page table", mode);
	} else {
		skip("no test device", "%s EOI: its page may leave the nested page table", mode);
	}
	ok_eq(wrmsr_try(MSR_EOI, 0), NO_TRAP, "%s EOI: switched off", mode);
	forget();
	self(LOW);
	sti_nop_cli();
	ok(taken[LOW] == 1 && !by_bit[LOW], "%s EOI: by the register once it is off", mode);
	trap_handler(LOW, NULL);
	trap_handler(HIGH, NULL);
}

static void test_msrs(void)
{
	u64 val;

	ok(rdmsr_try(MSR_POLL, &val) == NO_TRAP && val == 1, "the host may poll at first");
	ok(wrmsr_try(MSR_POLL, 0) == NO_TRAP && !rdmsr(MSR_POLL), "... and not when told so");
	ok_eq(wrmsr_try(MSR_POLL, 2), GP_VECTOR, "a reserved bit of POLL_CONTROL");
	wrmsr(MSR_POLL, 1);
}

static volatile u32 asked, done;

/* Halts without interrupts until told to go on; only a kick ends that. */
static void follow(void *arg)
{
	u32 i, rounds = (u32)(u64)arg;

	cli();
	for (i = 1; i <= rounds; i++) {
		while (asked < i)
			hlt();
		done = i;
	}
}

static void test_kick(void)
{
	u32 i, rounds = 2000;

	/* Its own next HLT. */
	cli();
	hypercall(HC_KICK, 0, apic_id(), 0, 0);
	hlt();
	ok(true, "kick: one that comes before HLT ends it, with interrupts off");
	ok_eq(hypercall(HC_KICK, 0, 0x1000, 0, 0), 0, "kick: nobody");
	if (cpus < 2)
		return;
	smp_call(1, follow, (void *)(u64)rounds);
	for (i = 1; i <= rounds; i++) {
		asked = i;
		hypercall(HC_KICK, 0, smp_apic_id(1), 0, 0);
		if (!wait_for(done == i, 5000000))
			break;
		if (i % 4 == 0)
			spin_us(i % 64);
	}
	ok_eq(i, rounds + 1, "kick: none of %u is lost", rounds);
	if (i <= rounds) {
		asked = rounds;
		apic_icr(smp_apic_id(1), ICR_INIT | ICR_ASSERT);
		guest_finish();
	}
	smp_wait(1);
}

static volatile u32 hits[MAX_CPUS], stop;

static void on_ipi(struct regs *r)
{
	hits[this_cpu()]++;
	if (r->vector != NMI_VECTOR)
		apic_eoi();
}

static void listen(void *arg)
{
	sti();
	while (!stop)
		pause();
	cli();
}

static void test_send_ipi(void)
{
	u32 id = apic_id();

	trap_handler(LOW, on_ipi);
	trap_handler(NMI_VECTOR, on_ipi);
	ok_eq(hypercall(HC_SEND_IPI, 1, 0, id, LOW), 1, "IPIs: to self");
	sti_nop_cli();
	ok_eq(hits[0], 1, "IPIs: ... arrives");
	ok_eq(hypercall(HC_SEND_IPI, ~0ull, ~0ull, 0x1000, LOW), 0, "IPIs: to nobody");
	ok_eq(hypercall(HC_SEND_IPI, ~0ull, ~0ull, ~0ull, LOW), 0, "IPIs: to nobody, far away");
	ok_eq(hypercall(HC_SEND_IPI, 1, 0, id, LOW | ICR_ALL), -22, "IPIs: a shorthand is refused");
	ok_eq(hypercall(HC_SEND_IPI, 1, 0, id, ICR_INIT), -22, "IPIs: INIT is refused");
	ok_eq(hypercall(HC_SEND_IPI, 1, 0, id, 3), -22, "IPIs: an exception's vector is refused");
	if (cpus < 2)
		return;
	stop = 0;
	hits[0] = 0;
	smp_call(1, listen, NULL);
	ok_eq(hypercall(HC_SEND_IPI, 3, 0, 0, LOW), 2, "IPIs: to both");
	sti_nop_cli();
	ok(hits[0] == 1 && wait_for(hits[1] == 1, 5000000), "IPIs: ... arrive");
	ok_eq(hypercall(HC_SEND_IPI, ~0ull << 1, ~0ull, 0, ICR_NMI), 1, "IPIs: NMI to all others");
	ok(wait_for(hits[1] == 2, 5000000), "IPIs: ... arrives");
	stop = 1;
	smp_wait(1);
	trap_handler(LOW, NULL);
	trap_handler(NMI_VECTOR, NULL);
}

static struct {
	u64 steal;
	u32 version, flags;
	u8 preempted, pad[47];
} steal[2] __aligned(64);
static volatile u64 beat;

static void count(void *arg)
{
	wrmsr(MSR_STEAL, (u64)&steal[1] | 1);
	while (!stop)
		beat++;
	wrmsr(MSR_STEAL, 0);
}

static u8 flags(void)
{
	return __atomic_load_n(&steal[1].preempted, __ATOMIC_SEQ_CST);
}

/* CPU 1 has been away and is back again. */
static bool has_run(u64 since)
{
	return wait_for(beat != since, 5000000);
}

/* The cheapest of many, so one that did not give way. */
static u64 pause_cost(void)
{
	u64 t, best = ~0ull;
	u32 i;

	for (i = 0; i < 1000; i++) {
		t = rdtsc();
		pause();
		t = rdtsc() - t;
		if (t < best)
			best = t;
	}
	return best * 1000000 / tsc_khz();
}

static void test_preempted(void)
{
	u32 i, kept = 0, ran = 0, away = 0;
	u8 old;
	u64 b;

	stop = 0;
	steal[1].preempted = PREEMPTED;
	smp_call(1, count, NULL);
	ok(has_run(beat), "CPU 1 counts");
	ok(wait_for(flags() & PREEMPTED, 20000000), "preempted: CPU 1 is, while CPU 0 runs");
	for (i = 0; i < 50; i++) {
		if (!wait_for(flags() & PREEMPTED, 5000000))
			break;
		old = PREEMPTED;
		b = beat;
		if (!__atomic_compare_exchange_n(&steal[1].preempted, &old, PREEMPTED | FLUSH,
						 false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		away++;
		kept += !(flags() & FLUSH) && beat == b;
		if (!has_run(b))
			break;
		kept += !!(flags() & FLUSH);
	}
	ok_eq(i, 50, "preempted: time and again");
	ok(away > 25, "TLB flush: asked for while it is away (%u of 50)", away);
	ok_eq(kept, 0, "TLB flush: every one is taken when it is back, none before");

	for (i = 0; i < 200; i++) {
		wait_for(flags() & PREEMPTED, 5000000);
		b = beat;
		hypercall(HC_YIELD, smp_apic_id(1), 0, 0, 0);
		ran += beat != b;
	}
	ok(ran > 180, "yield: CPU 1 has run when it returns (%u of 200)", ran);
	diag("a PAUSE while CPU 1 waits: %llu ns", pause_cost());
	stop = 1;
	smp_wait(1);
	ok_eq(flags() & FLUSH, 0, "TLB flush: none is left over");
}

static volatile u32 turn;
static volatile bool polite;
#define ROUNDS 100

static void wait_turn(u32 want)
{
	while (turn != want)
		if (polite)
			pause();
}

static void answer(void *arg)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		wait_turn(1);
		turn = 0;
	}
}

/* Each waits for the other. Return: us that it took. */
static u64 dialogue(bool with_pause)
{
	u64 t;
	u32 i;

	polite = with_pause;
	smp_call(1, answer, NULL);
	t = rdtsc();
	for (i = 0; i < ROUNDS; i++) {
		turn = 1;
		wait_turn(0);
	}
	t = (rdtsc() - t) * 1000 / tsc_khz();
	smp_wait(1);
	return t;
}

/* Without PAUSE a turn takes a slice. */
static void test_spin(void)
{
	u64 rude = dialogue(false), kind = dialogue(true);

	diag("%u rounds: %llu us, with PAUSE %llu us", ROUNDS, rude, kind);
	ok(kind < rude / 4 * 3, "PAUSE: who waits gives way");
}

static volatile u32 said[2];

static void sleep(void *arg)
{
	cli();
	for (;;)
		hlt();
}

/* Only a kick ends these halts. */
static void say(u32 cpu, u32 what)
{
	said[cpu] = what;
	hypercall(HC_KICK, 0, smp_apic_id(!cpu), 0, 0);
}

static void hear(u32 cpu, u32 what)
{
	while (said[cpu] < what)
		hlt();
}

static void reply(void *arg)
{
	u32 i, rounds = (u32)(u64)arg;

	cli();
	for (i = 1; i <= rounds; i++) {
		hear(0, i);
		say(1, i);
	}
}

/* Two that halt while the other works; for the host's counters, which it reads at the end. */
static void talk(u32 rounds)
{
	u64 t;
	u32 i;

	cli();
	smp_call(1, reply, (void *)(u64)rounds);
	t = rdtsc();
	for (i = 1; i <= rounds; i++) {
		say(0, i);
		hear(1, i);
	}
	t = (rdtsc() - t) * 1000000 / tsc_khz();
	smp_wait(1);
	diag("%u rounds, %llu ns each", rounds, t / rounds);
	ok(true, "talked");
	/* Both sleep for good, without a timer. */
	smp_call(1, sleep, NULL);
	sleep(NULL);
}

/* What an interrupt that the guest sends itself costs, its EOI included. */
static void test_cost(void)
{
	u64 t, ns[2];
	u32 i, pv, rounds = 1000;

	trap_handler(LOW, on_irq);
	for (pv = 0; pv < 2; pv++) {
		wrmsr(MSR_EOI, pv ? (u64)word | 1 : 0);
		t = rdtsc();
		for (i = 0; i < rounds; i++) {
			self(LOW);
			sti_nop_cli();
		}
		ns[pv] = (rdtsc() - t) * 1000000 / tsc_khz() / rounds;
	}
	wrmsr(MSR_EOI, 0);
	trap_handler(LOW, NULL);
	diag("%s: an IPI to itself: %llu ns, with PV EOI %llu ns",
	     apic_is_x2() ? "x2APIC" : "xAPIC", ns[0], ns[1]);
	ok(ns[1] < ns[0] || (apicv && apic_is_x2()), "PV EOI: pays");
}

void guest_main(void)
{
	if (!on_hvmm())
		guest_skip_all("no hypervisor of ours here");
	word = alloc_pages(1);
	cpus = smp_start();
	apicv = arg_u64("apicv", 0);
	if (!ok_eq(cpuid(0x40000001, 0).a & FEATURES, FEATURES, "features are offered"))
		return;
	if (arg_u64("shared", 0)) {
		test_preempted();
		test_spin();
		return;
	}
	if (arg_u64("talk", 0))
		talk(arg_u64("talk", 0));
	if (arg_u64("cost", 0)) {
		test_cost();
		if (apic_go_x2())
			test_cost();
		return;
	}
	test_msrs();
	test_eoi("xAPIC");
	test_kick();
	test_send_ipi();
	if (apic_go_x2())
		test_eoi("x2APIC");
}
