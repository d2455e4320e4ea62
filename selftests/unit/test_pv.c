// SPDX-License-Identifier: GPL-2.0
/* The KVM guest ABI between vCPUs: preempted, TLB flush, EOI, kick, yield, IPIs; spinning. */
#include "check.h"
#include "guest_cpu.h"
#include "run/early_learn.h"
#include "run/poll_learn.h"
#include "x86/msr.h"
#include "x86/pv.h"
#include "x86/spin.h"

#define NR	70
#define STEAL	0x3040
#define EOI	0x5004
#define VEC	0x41

static struct hvmm_x86_vcpu v[NR];
static struct hvmm_vcpu *vcpus[NR];
static struct hvmm_lapic *lapics[NR];
static unsigned int nmis[NR], eois;

static u64 lapic_now(struct hvmm_lapic *l)
{
	return fake.ns;
}

static void lapic_arm(struct hvmm_lapic *l, u64 when)
{
}

static void lapic_none(struct hvmm_lapic *l)
{
}

static u64 lapic_ns(struct hvmm_lapic *l, u64 tsc)
{
	return tsc;
}

static void lapic_eoi(struct hvmm_lapic *l, u8 vector)
{
	eois++;
}

static void lapic_event(struct hvmm_lapic *l, enum hvmm_delivery event, u8 vector)
{
	nmis[l->cfg.id] += event == HVMM_DELIVER_NMI;
}

static const struct hvmm_lapic_ops lapic_ops = {
	.now = lapic_now,
	.timer_arm = lapic_arm,
	.timer_cancel = lapic_none,
	.tsc_to_ns = lapic_ns,
	.eoi = lapic_eoi,
	.kick = lapic_none,
	.event = lapic_event,
};

/* @nr vCPUs whose LAPICs are enabled, in x2APIC mode. */
static void init(unsigned int nr)
{
	struct hvmm_lapic_config cfg = { .phys_bits = 48, .x2apic = true, .tsc_deadline = true };
	unsigned int i;

	guest_cpu_init_amd(48);
	memset(v, 0, sizeof(v));
	memset(nmis, 0, sizeof(nmis));
	eois = 0;
	kicked = NULL;
	yielded_to = NULL;
	vm.nr_vcpus = nr;
	vm.vcpus = vcpus;
	vm.irq.lapics = lapics;
	vm.irq.nr = nr;
	for (i = 0; i < nr; i++) {
		v[i].vcpu.vm = &vm;
		v[i].vcpu.index = i;
		v[i].vcpu.unit.state = HVMM_UNIT_RUNNING;
		vcpus[i] = &v[i].vcpu;
		lapics[i] = &v[i].vcpu.lapic;
		cfg.id = i;
		cfg.bsp = !i;
		hvmm_lapic_init(lapics[i], &lapic_ops, &cfg);
		hvmm_msr_reset(&v[i], false);
		CHECK_EQ(hvmm_msr_write(&v[i], MSR_IA32_APICBASE,
					lapics[i]->base | HVMM_APIC_BASE_EXTD), 0);
		CHECK_EQ(hvmm_msr_write(&v[i], 0x80f, 0x1ff), 0);
	}
}

static long call(unsigned int from, u64 nr, u64 a, u64 b, u64 c, u64 d, bool wide,
		 enum hvmm_exit_fate *fate)
{
	const u64 arg[4] = { a, b, c, d };
	enum hvmm_exit_fate unused;

	if (!fate)
		fate = &unused;
	*fate = HVMM_EXIT_RESUME;
	return hvmm_pv_hypercall(&v[from], nr, arg, wide, fate);
}

static u8 *preempted(void)
{
	return vm.mem.data + STEAL + offsetof(struct kvm_steal_time, preempted);
}

static void other_asks_for_flush(struct hvmm_mem *mem)
{
	*preempted() |= KVM_VCPU_FLUSH_TLB;
}

static void test_preempted(void)
{
	unsigned int flushes;

	init(2);
	hvmm_pv_put(&v[0]);		/* nothing is registered: nothing is written */
	CHECK(!v[0].preempted);
	/* Left over from an earlier use. */
	*preempted() = KVM_VCPU_PREEMPTED;
	CHECK_EQ(hvmm_msr_write(&v[0], MSR_KVM_STEAL_TIME, STEAL | 1), 0);
	CHECK_EQ(*preempted(), 0);

	flushes = v[0].flushes;
	hvmm_pv_put(&v[0]);
	CHECK_EQ(*preempted(), KVM_VCPU_PREEMPTED);
	CHECK_EQ(hvmm_pv_load(&v[0]), 0);
	CHECK_EQ(*preempted(), 0);
	CHECK_EQ(v[0].flushes, flushes);

	/* A flush is asked for while it is away, and a second put forgets nothing. */
	hvmm_pv_put(&v[0]);
	*preempted() |= KVM_VCPU_FLUSH_TLB;
	hvmm_pv_put(&v[0]);
	CHECK_EQ(*preempted(), KVM_VCPU_PREEMPTED | KVM_VCPU_FLUSH_TLB);
	CHECK_EQ(hvmm_pv_load(&v[0]), 0);
	CHECK_EQ(*preempted(), 0);
	CHECK_EQ(v[0].flushes, flushes + 1);

	/* In the very moment in which it comes back. */
	hvmm_pv_put(&v[0]);
	vm.mem.race = other_asks_for_flush;
	CHECK_EQ(hvmm_pv_load(&v[0]), 0);
	vm.mem.race = NULL;
	CHECK_EQ(*preempted(), 0);
	CHECK_EQ(v[0].flushes, flushes + 2);

	/* Where the page is not there, the hint is not given; it is awaited for the way back. */
	vm.mem.missing = STEAL >> 12;
	hvmm_pv_put(&v[0]);
	CHECK_EQ(*preempted(), 0);
	vm.mem.missing = ~0ULL;
	hvmm_pv_put(&v[0]);
	*preempted() |= KVM_VCPU_FLUSH_TLB;
	vm.mem.missing = STEAL >> 12;
	CHECK_EQ(hvmm_pv_load(&v[0]), -EAGAIN);
	CHECK_EQ(v[0].flushes, flushes + 2);
	vm.mem.missing = ~0ULL;
	CHECK_EQ(hvmm_pv_load(&v[0]), 0);
	CHECK_EQ(*preempted(), 0);
	CHECK_EQ(v[0].flushes, flushes + 3);

	CHECK_EQ(hvmm_msr_write(&v[0], MSR_KVM_STEAL_TIME, 0), 0);
	hvmm_pv_put(&v[0]);
	CHECK_EQ(*preempted(), 0);
}

/* As hvmm_inject_pending() does. */
static void inject(struct hvmm_x86_vcpu *x, u8 vector)
{
	CHECK_EQ(hvmm_pv_eoi_sync(x), 0);
	CHECK_EQ(hvmm_lapic_pending(&x->vcpu.lapic), vector);
	hvmm_lapic_ack(&x->vcpu.lapic, vector);
	hvmm_pv_eoi_arm(x, vector);
}

static bool in_service(u8 vector)
{
	return test_bit(vector, v[0].vcpu.lapic.isr);
}

static void test_eoi(void)
{
	struct hvmm_lapic *l = &v[0].vcpu.lapic;
	u8 *word;
	u64 val;

	init(1);
	word = vm.mem.data + EOI;
	hvmm_lapic_accept(l, VEC, false);
	inject(&v[0], VEC);
	CHECK_EQ(*word, 0);		/* not enabled */
	hvmm_lapic_eoi(l);
	CHECK_EQ(hvmm_msr_write(&v[0], MSR_KVM_PV_EOI_EN, EOI | 2 | 1), -EINVAL);
	CHECK_EQ(hvmm_msr_write(&v[0], MSR_KVM_PV_EOI_EN, HVMM_VM_RAM | 1), -EINVAL);
	vm.mem.missing = EOI >> 12;
	CHECK_EQ(hvmm_msr_write(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1), -EAGAIN);
	vm.mem.missing = ~0ULL;
	CHECK_EQ(hvmm_msr_read(&v[0], MSR_KVM_PV_EOI_EN, &val), 0);
	CHECK_EQ(val, 0);
	CHECK_EQ(hvmm_msr_write(&v[0], MSR_KVM_PV_EOI_EN, EOI | 1), 0);

	/* Alone: the guest ends it by the bit. */
	hvmm_lapic_accept(l, VEC, false);
	inject(&v[0], VEC);
	CHECK_EQ(*word, 1);
	*word = 0;
	CHECK(in_service(VEC));
	hvmm_lapic_accept(l, VEC, false);
	inject(&v[0], VEC);
	CHECK_EQ(*word, 1);

	/* Another comes before the guest has: its EOI must exit, and lets the other in. */
	hvmm_lapic_accept(l, VEC - 1, false);
	CHECK_EQ(hvmm_pv_eoi_sync(&v[0]), 0);
	CHECK_EQ(*word, 0);
	CHECK(in_service(VEC));
	CHECK_EQ(hvmm_lapic_pending(l), -1);
	CHECK_EQ(hvmm_msr_write(&v[0], 0x80b, 0), 0);
	CHECK(!in_service(VEC));
	inject(&v[0], VEC - 1);
	CHECK_EQ(*word, 1);

	/* A look at the LAPIC sees what is so. */
	*word = 0;
	CHECK_EQ(hvmm_msr_read(&v[0], 0x812, &val), 0);
	CHECK_EQ(val, 0);

	/* Nested, or another requested: no bit. */
	hvmm_lapic_accept(l, VEC, false);
	hvmm_lapic_accept(l, VEC + 0x20, false);
	inject(&v[0], VEC + 0x20);
	CHECK_EQ(*word, 0);
	hvmm_lapic_eoi(l);
	inject(&v[0], VEC);
	CHECK_EQ(*word, 1);
	hvmm_lapic_accept(l, VEC + 0x20, false);
	inject(&v[0], VEC + 0x20);
	CHECK_EQ(*word, 0);
	hvmm_lapic_eoi(l);
	hvmm_lapic_eoi(l);

	/* Level-triggered: the IOAPIC must hear of it. */
	hvmm_lapic_accept(l, VEC, true);
	inject(&v[0], VEC);
	CHECK_EQ(*word, 0);
	CHECK_EQ(hvmm_msr_write(&v[0], 0x80b, 0), 0);
	CHECK_EQ(eois, 1);

	/* The page is gone when we must look: nothing is decided until it is back. */
	hvmm_lapic_accept(l, VEC, false);
	inject(&v[0], VEC);
	*word = 0;
	vm.mem.missing = EOI >> 12;
	CHECK_EQ(hvmm_pv_eoi_sync(&v[0]), -EAGAIN);
	CHECK_EQ(v[0].missing_gfn, EOI >> 12);
	CHECK(in_service(VEC));
	CHECK_EQ(hvmm_msr_read(&v[0], 0x812, &val), -EAGAIN);
	CHECK_EQ(hvmm_msr_write(&v[0], 0x80b, 0), -EAGAIN);
	vm.mem.missing = ~0ULL;
	CHECK_EQ(hvmm_pv_eoi_sync(&v[0]), 0);
	CHECK(!in_service(VEC));
	/* ... and when it should be set: an EOI as any other. */
	vm.mem.missing = EOI >> 12;
	hvmm_lapic_accept(l, VEC, false);
	inject(&v[0], VEC);
	CHECK(!v[0].eoi_armed);
	vm.mem.missing = ~0ULL;
	CHECK_EQ(hvmm_msr_write(&v[0], 0x80b, 0), 0);
	CHECK(!in_service(VEC));

	/* Switched off in between, as a guest does that goes down. */
	hvmm_lapic_accept(l, VEC, false);
	inject(&v[0], VEC);
	CHECK_EQ(hvmm_msr_write(&v[0], MSR_KVM_PV_EOI_EN, 0), 0);
	CHECK_EQ(*word, 0);
	CHECK(in_service(VEC));
}

static void test_kick(void)
{
	init(3);
	CHECK_EQ(call(0, KVM_HC_KICK_CPU, 0, 2, 0, 0, true, NULL), 0);
	CHECK(kicked == vcpus[2]);
	kicked = NULL;
	CHECK_EQ(call(0, KVM_HC_KICK_CPU, 0, 3, 0, 0, true, NULL), 0);
	CHECK_EQ(call(0, KVM_HC_KICK_CPU, 0, ~0ULL, 0, 0, true, NULL), 0);
	CHECK_EQ(call(0, KVM_HC_KICK_CPU, 0, BIT_ULL(32), 0, 0, true, NULL), 0);
	CHECK(!kicked);
	CHECK_EQ(call(0, KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0, true, NULL), 0);
	CHECK_EQ(call(0, 0, 0, 0, 0, 0, true, NULL), -KVM_ENOSYS);
	CHECK_EQ(call(0, ~0ULL, 0, 0, 0, 0, true, NULL), -KVM_ENOSYS);
	v[0].cpl = 3;
	CHECK_EQ(call(0, KVM_HC_KICK_CPU, 0, 2, 0, 0, true, NULL), -KVM_EPERM);
	CHECK(!kicked);
}

static void test_yield(void)
{
	enum hvmm_exit_fate fate;

	init(3);
	CHECK_EQ(call(0, KVM_HC_SCHED_YIELD, 1, 0, 0, 0, true, &fate), 0);
	CHECK(fate == HVMM_EXIT_RESUME && !yielded_to);		/* it runs */
	v[1].vcpu.unit.state = HVMM_UNIT_QUEUED;
	v[0].vcpu.unit.state = HVMM_UNIT_QUEUED;
	CHECK_EQ(call(0, KVM_HC_SCHED_YIELD, 0, 0, 0, 0, true, &fate), 0);
	CHECK(fate == HVMM_EXIT_RESUME && !yielded_to);		/* to itself */
	CHECK_EQ(call(0, KVM_HC_SCHED_YIELD, 3, 0, 0, 0, true, &fate), 0);
	CHECK(fate == HVMM_EXIT_RESUME && !yielded_to);
	CHECK_EQ(call(0, KVM_HC_SCHED_YIELD, 1, 0, 0, 0, true, &fate), 0);
	CHECK(fate == HVMM_EXIT_YIELD && yielded_to == vcpus[1]);
	CHECK_EQ(v[0].vcpu.stats.yields, 1);
	/* The scheduler may know better. */
	refuse_yield = true;
	CHECK_EQ(call(0, KVM_HC_SCHED_YIELD, 1, 0, 0, 0, true, &fate), 0);
	CHECK(fate == HVMM_EXIT_RESUME);
	refuse_yield = false;
	CHECK_EQ(v[0].vcpu.stats.yields, 1);
}

static bool requested(unsigned int i)
{
	return test_bit(VEC, v[i].vcpu.lapic.irr);
}

static void test_send_ipi(void)
{
	unsigned int i;

	init(NR);
	/* 0 and 5, and 64 and 69 in the second half. */
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, BIT_ULL(0) | BIT_ULL(5), BIT_ULL(0) | BIT_ULL(5), 0, VEC,
		      true, NULL), 4);
	for (i = 0; i < NR; i++)
		CHECK_EQ(requested(i), i == 0 || i == 5 || i == 64 || i == 69);
	/* Pending already: taken all the same. */
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, BIT_ULL(5), 0, 0, VEC, true, NULL), 1);

	/* 32-bit mode: halves of 32 bits, from 30 on. */
	init(NR);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 1, 30, VEC, false, NULL), 2);
	CHECK(requested(30) && requested(62));

	/* Beyond the last one. */
	init(NR);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, ~0ULL, ~0ULL, 68, VEC, true, NULL), 2);
	CHECK(requested(68) && requested(69));
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, ~0ULL, ~0ULL, NR, VEC, true, NULL), 0);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, ~0ULL, ~0ULL, ~0ULL, VEC, true, NULL), 0);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, ~0ULL, ~0ULL, 0xffffffff, VEC, true, NULL), 0);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, ~0ULL, ~0ULL, -64ULL, VEC, true, NULL), 0);
	for (i = 0; i < 68; i++)
		CHECK(!requested(i));

	/* NMI, and what is refused: shorthands, logical, INIT, SIPI, exceptions' vectors. */
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 6, 0, 0, 0x400, true, NULL), 2);
	CHECK_EQ(nmis[1] + nmis[2], 2);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 0, 0, VEC | BIT(14), true, NULL), 1);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 0, 0, VEC | BIT(11), true, NULL), -EINVAL);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 0, 0, VEC | BIT(15), true, NULL), -EINVAL);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 0, 0, VEC | BIT(18), true, NULL), -EINVAL);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 0, 0, VEC | BIT_ULL(63), true, NULL), -EINVAL);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 0, 0, 0x500, true, NULL), -EINVAL);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 0, 0, 0x600, true, NULL), -EINVAL);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, 1, 0, 0, 15, true, NULL), -EINVAL);
	/* A LAPIC that is switched off takes none. */
	CHECK_EQ(hvmm_msr_write(&v[3], 0x80f, 0xff), 0);
	CHECK_EQ(call(0, KVM_HC_SEND_IPI, BIT(3) | BIT(4), 0, 0, VEC, true, NULL), 1);
}

static void test_spin(void)
{
	init(4);
	CHECK(!hvmm_spin_waiter(vcpus[0]));
	CHECK_EQ(hvmm_spin(&v[0]), HVMM_EXIT_RESUME);
	CHECK(!v[0].vcpu.spun);
	v[0].vcpu.unit.state = HVMM_UNIT_QUEUED;
	CHECK(!hvmm_spin_waiter(vcpus[0]));	/* not itself */
	v[0].vcpu.unit.state = HVMM_UNIT_RUNNING;

	/* In turn, those that wait. */
	v[1].vcpu.unit.state = HVMM_UNIT_QUEUED;
	v[2].vcpu.unit.state = HVMM_UNIT_PARKED;
	v[3].vcpu.unit.state = HVMM_UNIT_QUEUED;
	CHECK(hvmm_spin_waiter(vcpus[0]));
	CHECK_EQ(hvmm_spin(&v[0]), HVMM_EXIT_YIELD);
	CHECK(v[0].vcpu.spun && yielded_to == vcpus[1]);
	CHECK(hvmm_spin_target(vcpus[0]) == vcpus[3]);
	CHECK(hvmm_spin_target(vcpus[0]) == vcpus[1]);
	CHECK(hvmm_spin_target(vcpus[0]) == vcpus[3]);

	/* One that spins itself is passed over, but not for ever. */
	v[1].vcpu.spun = true;
	CHECK(hvmm_spin_target(vcpus[0]) == vcpus[3]);
	CHECK(hvmm_spin_target(vcpus[0]) == vcpus[1]);
	v[1].vcpu.spun = true;
	v[3].vcpu.spun = true;
	CHECK(!hvmm_spin_target(vcpus[0]));
	CHECK(hvmm_spin_target(vcpus[0]));
	CHECK_EQ(v[0].vcpu.stats.yields, 1);
	v[0].vcpu.spun = false;
	refuse_yield = true;
	CHECK_EQ(hvmm_spin(&v[0]), HVMM_EXIT_RESUME);
	refuse_yield = false;
	CHECK(!v[0].vcpu.spun);
	CHECK_EQ(v[0].vcpu.stats.yields, 1);
}

#define MAX	50000ULL

/* Runs @nr halts of given lengths, in turn. Return: ns polled in vain. */
static u64 polled(const u64 *halts, unsigned int kinds, unsigned int nr, u64 max,
		  unsigned int *hits)
{
	u64 poll = 0, wasted = 0;
	unsigned int i;

	*hits = 0;
	for (i = 0; i < nr; i++) {
		u64 halted = halts[i % kinds];

		if (poll && halted <= poll)
			++*hits;
		else
			wasted += poll;
		poll = hvmm_poll_learn(poll, halted, max);
		CHECK(poll <= max);
	}
	return wasted;
}

static void test_poll(void)
{
	static const u64 idle[] = { 4000000 }, dialogue[] = { 20000 }, rare[] = { 60000 };
	static const u64 mixed[] = { 20000, 4000000 }, burst[] = { 5000, 5000, 5000, 1000000 };
	unsigned int hits;
	u64 bits;

	CHECK_EQ(polled(idle, 1, 1000, MAX, &hits), 0);
	CHECK_EQ(hits, 0);
	CHECK_EQ(polled(rare, 1, 1000, MAX, &hits), 0);
	/* Learned after two halts. */
	CHECK_EQ(polled(dialogue, 1, 1000, MAX, &hits), HVMM_POLL_START_NS);
	CHECK_EQ(hits, 998);
	/* What does not help costs one short poll for each halt that could have been one. */
	CHECK(polled(mixed, 2, 1000, MAX, &hits) <= 500 * HVMM_POLL_START_NS);
	CHECK_EQ(hits, 0);
	CHECK(polled(burst, 4, 1000, MAX, &hits) <= 250 * HVMM_POLL_START_NS);
	CHECK_EQ(hits, 500);
	CHECK_EQ(polled(dialogue, 1, 1000, 0, &hits), 0);
	CHECK_EQ(hits, 0);
	/* A limit below the first step; the largest there is. */
	for (bits = 0; bits < 32; bits++)
		polled(dialogue, 1, 100, BIT_ULL(bits), &hits);
	CHECK_EQ(hvmm_poll_learn(U32_MAX, ~0ULL, U32_MAX), 0);
	CHECK_EQ(hvmm_poll_learn(U32_MAX, U32_MAX, U32_MAX), U32_MAX);
}

/* A way that takes so long, with noise: by how much the timer is early in the end. */
static u64 early_after(u64 way, u64 noise, unsigned int halts, u64 max, unsigned int *late)
{
	u64 early = 0;
	unsigned int i;

	*late = 0;
	for (i = 0; i < halts; i++) {
		s64 off = way + (i % 5 ? 0 : noise) - early;

		early = hvmm_early_learn(early, off, max);
		CHECK(early <= max);
		*late += i >= halts / 2 && off > (s64)noise;
	}
	return early;
}

static void test_early(void)
{
	unsigned int late;

	/* The way is made up for, whatever it was before. */
	CHECK_EQ(early_after(4000, 0, 100, 10000, &late), 4000);
	CHECK_EQ(late, 0);
	CHECK(early_after(4000, 800, 200, 10000, &late) >= 4000);
	CHECK_EQ(late, 0);
	CHECK_EQ(hvmm_early_learn(8000, -4000, 10000), 7500);
	/* Not by more than may be. */
	CHECK_EQ(early_after(9000, 0, 100, 5000, &late), 5000);
	CHECK_EQ(early_after(11000, 0, 100, 5000, &late), 0);
	CHECK_EQ(hvmm_early_learn(4900, 4000, 5000), 5000);
	CHECK_EQ(hvmm_early_learn(8000, 0, 5000), 5000);
	CHECK_EQ(early_after(4000, 0, 100, 0, &late), 0);
	/* The pCPU was another's: nothing is learned. */
	CHECK_EQ(hvmm_early_learn(3000, 2000000, 10000), 3000);
	CHECK_EQ(hvmm_early_learn(3000, -2000000, 10000), 3000);
	CHECK_EQ(hvmm_early_learn(100, -5000, 10000), 0);
	CHECK_EQ(hvmm_early_learn(3000, S64_MIN, 10000), 3000);
	CHECK_EQ(hvmm_early_learn(3000, S64_MAX, 10000), 3000);
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "steal time: preempted, and flushes of the TLB", test_preempted },
		{ "EOI: when the guest may, when it must exit", test_eoi },
		{ "kick, and hypercalls that there are not", test_kick },
		{ "yield: only to one that waits", test_yield },
		{ "IPIs: who gets one, what is refused", test_send_ipi },
		{ "spinning: whom it helps", test_spin },
		{ "halt polling: learns, and stops to pay", test_poll },
		{ "early timers: make up for the way to the pCPU", test_early },
	};

	return check_main(cases, ARRAY_SIZE(cases));
}
