// SPDX-License-Identifier: GPL-2.0
/* Local APIC: registers, modes, priorities, errors, acceptance. */
#include <errno.h>

#include "check.h"
#include "lapic_fake.h"
#include "rng.h"
#include "test_lapic.h"

unsigned int check_failed;

#define BASE_X	(HVMM_APIC_DEFAULT_BASE | HVMM_APIC_BASE_EN)
#define BASE_X2	(BASE_X | HVMM_APIC_BASE_EXTD)
#define BASE_OFF HVMM_APIC_DEFAULT_BASE

static void power_up(void)
{
	static const u32 zero[] = {
		HVMM_APIC_TPR, HVMM_APIC_PPR, HVMM_APIC_APR, HVMM_APIC_LDR, HVMM_APIC_ESR,
		HVMM_APIC_ICR, HVMM_APIC_ICR_HIGH, HVMM_APIC_TIMER_INIT,
		HVMM_APIC_TIMER_COUNT, HVMM_APIC_TIMER_DIV, HVMM_APIC_EOI, HVMM_APIC_RRD,
	};
	struct fake f;
	unsigned int i;

	fake_init(&f, 3);
	for (i = 0; i < ARRAY_SIZE(zero); i++)
		CHECK_EQ(fake_read(&f, zero[i]), 0);
	for (i = 0; i < 8; i++) {
		CHECK_EQ(fake_read(&f, HVMM_APIC_ISR + i * 16), 0);
		CHECK_EQ(fake_read(&f, HVMM_APIC_TMR + i * 16), 0);
		CHECK_EQ(fake_read(&f, HVMM_APIC_IRR + i * 16), 0);
	}
	for (i = HVMM_APIC_LVT_TIMER; i <= HVMM_APIC_LVT_ERROR; i += 16)
		CHECK_EQ(fake_read(&f, i), HVMM_APIC_LVT_MASKED);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ID), 3 << 24);
	CHECK_EQ(fake_read(&f, HVMM_APIC_VERSION), 0x00050014);
	CHECK_EQ(fake_read(&f, HVMM_APIC_DFR), ~0U);
	CHECK_EQ(fake_read(&f, HVMM_APIC_SVR), 0xff);
	CHECK_EQ(hvmm_lapic_get_base(&f.l), BASE_X);
	fake_init(&f, 0);
	CHECK_EQ(hvmm_lapic_get_base(&f.l), BASE_X | HVMM_APIC_BASE_BSP);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ESR), 0);
}

static void xapic_writes(void)
{
	static const struct {
		u32 offset, ones, zeros;
	} reg[] = {
		{ HVMM_APIC_ID, 0xff000000, 0 },
		{ HVMM_APIC_VERSION, 0x00050014, 0x00050014 },
		{ HVMM_APIC_TPR, 0xff, 0 },
		{ HVMM_APIC_PPR, 0xff, 0 },	/* follows the TPR */
		{ HVMM_APIC_LDR, 0xff000000, 0 },
		{ HVMM_APIC_DFR, ~0U, 0x0fffffff },
		{ HVMM_APIC_SVR, 0x3ff, 0 },
		{ HVMM_APIC_ISR, 0, 0 },
		{ HVMM_APIC_TMR, 0, 0 },
		{ HVMM_APIC_IRR, 0, 0 },
		{ HVMM_APIC_ICR_HIGH, 0xff000000, 0 },
		{ HVMM_APIC_LVT_TIMER, 0x700ff, 0 },
		{ HVMM_APIC_LVT_THERMAL, 0x107ff, 0 },
		{ HVMM_APIC_LVT_PERF, 0x107ff, 0 },
		{ HVMM_APIC_LVT_LINT0, 0x1a7ff, 0 },
		{ HVMM_APIC_LVT_LINT1, 0x1a7ff, 0 },
		{ HVMM_APIC_LVT_ERROR, 0x100ff, 0 },
		{ HVMM_APIC_TIMER_DIV, 0xb, 0 },
		{ HVMM_APIC_RRD, 0, 0 },
	};
	struct fake f;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reg); i++) {
		fake_up(&f, 0, false);
		fake_write(&f, reg[i].offset, ~0U);
		if (reg[i].offset == HVMM_APIC_PPR)
			fake_write(&f, HVMM_APIC_TPR, ~0U);
		CHECK_EQ(fake_read(&f, reg[i].offset), reg[i].ones);
		fake_up(&f, 0, false);
		fake_write(&f, reg[i].offset, 0);
		CHECK_EQ(fake_read(&f, reg[i].offset), reg[i].zeros);
		/* None of these is an error. */
		fake_write(&f, HVMM_APIC_ESR, 0);
		CHECK_EQ(fake_read(&f, HVMM_APIC_ESR), 0);
	}

	/* The ICR keeps what has a meaning; delivery status reads idle. */
	fake_up(&f, 0, false);
	fake_write(&f, HVMM_APIC_ICR, ~0U);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ICR), 0xccfff);
	fake_write(&f, HVMM_APIC_ICR_HIGH, 0x12345678);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ICR_HIGH), 0x12000000);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ICR), 0xccfff);

	/* Directed EOI, where offered. */
	f.l.cfg.directed_eoi = true;
	CHECK_EQ(fake_read(&f, HVMM_APIC_VERSION), 0x01050014);
	fake_write(&f, HVMM_APIC_SVR, ~0U);
	CHECK_EQ(fake_read(&f, HVMM_APIC_SVR), 0x13ff);
}

static bool xapic_reserved(u32 offset)
{
	switch (offset) {
	case 0x20: case 0x30: case 0x80 ... 0x280: case 0x300 ... 0x390: case 0x3e0:
		return false;
	default:
		return true;
	}
}

static void xapic_reserved_registers(void)
{
	struct fake f;
	u32 offset;
	int rw;

	for (offset = 0; offset < 0x1000; offset += 16) {
		for (rw = 0; rw < 2; rw++) {
			fake_up(&f, 0, false);
			fake_write(&f, HVMM_APIC_LVT_ERROR, 0xfe);
			if (rw)
				fake_write(&f, offset, 0xf00001f0);
			else
				CHECK(fake_read(&f, offset) != 0xdeadbeef);
			fake_write(&f, HVMM_APIC_ESR, 0);
			CHECK_EQ(fake_read(&f, HVMM_APIC_ESR),
				 xapic_reserved(offset) ? BIT(HVMM_APIC_ESR_REGISTER) : 0);
			if (xapic_reserved(offset)) {
				CHECK_EQ(fake_read(&f, offset), 0);
				CHECK_EQ(fake_take(&f), 0xfe);
			}
		}
	}

	/* Between the registers there is nothing, and no error either. */
	fake_up(&f, 0, false);
	for (offset = 0; offset < 0x1000; offset++) {
		if (!(offset & 0xf))
			continue;
		fake_write(&f, offset, ~0U);
		if (offset & 0xc)
			CHECK_EQ(fake_read(&f, offset), 0);
	}
	fake_write(&f, HVMM_APIC_ESR, 0);
	CHECK(!(fake_read(&f, HVMM_APIC_ESR) & ~BIT(HVMM_APIC_ESR_REGISTER)));
	CHECK_EQ(fake_read(&f, HVMM_APIC_SVR), 0x1ff);
}

static void mmio_sizes(void)
{
	struct fake f;

	fake_up(&f, 0x12, false);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION, 4), 0x00050014);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION, 8), 0x00050014);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION, 2), 0x0014);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION, 1), 0x14);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION + 2, 1), 0x05);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION + 2, 4), 0x0005);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION + 4, 4), 0);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_ID + 3, 1), 0x12);

	hvmm_lapic_mmio_write(&f.l, HVMM_APIC_TPR, 1, 0x20);
	hvmm_lapic_mmio_write(&f.l, HVMM_APIC_TPR, 2, 0x20);
	hvmm_lapic_mmio_write(&f.l, HVMM_APIC_TPR, 8, 0x20);
	hvmm_lapic_mmio_write(&f.l, HVMM_APIC_TPR + 1, 4, 0x20);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TPR), 0);
	hvmm_lapic_mmio_write(&f.l, HVMM_APIC_TPR, 4, 0x20);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TPR), 0x20);

	/* Nothing there: the bus floats. */
	hvmm_lapic_set_base(&f.l, BASE_OFF);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION, 1), 0xff);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION, 4), 0xffffffff);
	CHECK_EQ(hvmm_lapic_mmio_read(&f.l, HVMM_APIC_VERSION, 8), ~0ULL);
}

enum access { NONE, RO, WO, RW };

static enum access x2apic_access(u32 msr)
{
	switch (msr) {
	case 0x802: case 0x803: case 0x80a: case 0x80d: case 0x810 ... 0x827: case 0x839:
		return RO;
	case 0x80b: case 0x83f:
		return WO;
	case 0x808: case 0x80f: case 0x828: case 0x830: case 0x832 ... 0x838: case 0x83e:
		return RW;
	default:
		return NONE;
	}
}

static void x2apic_registers(void)
{
	struct fake f;
	u32 msr;
	u64 val;

	for (msr = 0x7ff; msr <= 0x900; msr++) {
		enum access a = x2apic_access(msr);
		/* Zero is legal everywhere, but is no legal IPI vector. */
		u64 legal = msr == 0x830 || msr == 0x83f ? 0x31 : 0;

		fake_up(&f, 0x123, true);
		CHECK_EQ(hvmm_lapic_msr_read(&f.l, msr, &val),
			 a == RO || a == RW ? 0 : (unsigned long long)-EINVAL);
		CHECK_EQ(hvmm_lapic_msr_write(&f.l, msr, legal),
			 a == WO || a == RW ? 0 : (unsigned long long)-EINVAL);
		CHECK_EQ(f.l.esr_pending, 0);
		/* Only in x2APIC mode. */
		fake_up(&f, 0x123, false);
		CHECK_EQ(hvmm_lapic_msr_read(&f.l, msr, &val), (unsigned long long)-EINVAL);
		CHECK_EQ(hvmm_lapic_msr_write(&f.l, msr, legal), (unsigned long long)-EINVAL);
		hvmm_lapic_set_base(&f.l, BASE_OFF);
		CHECK_EQ(hvmm_lapic_msr_read(&f.l, msr, &val), (unsigned long long)-EINVAL);
	}

	fake_up(&f, 0x123, true);
	CHECK_EQ(msr_get(&f, HVMM_APIC_ID), 0x123);
	CHECK_EQ(msr_get(&f, HVMM_APIC_LDR), 0x12 << 16 | 1 << 3);
	CHECK_EQ(msr_get(&f, HVMM_APIC_VERSION), 0x00050014);
}

static void x2apic_reserved_bits(void)
{
	static const struct {
		u32 offset;
		u64 ok;
	} reg[] = {
		{ HVMM_APIC_TPR, 0xff }, { HVMM_APIC_EOI, 0 }, { HVMM_APIC_SVR, 0x3ff },
		{ HVMM_APIC_ESR, 0 }, { HVMM_APIC_ICR, ~0xfff32000ULL },
		{ HVMM_APIC_LVT_TIMER, 0x710ff }, { HVMM_APIC_LVT_THERMAL, 0x117ff },
		{ HVMM_APIC_LVT_PERF, 0x117ff }, { HVMM_APIC_LVT_LINT0, 0x1f7ff },
		{ HVMM_APIC_LVT_LINT1, 0x1f7ff }, { HVMM_APIC_LVT_ERROR, 0x110ff },
		{ HVMM_APIC_TIMER_INIT, 0xffffffff }, { HVMM_APIC_TIMER_DIV, 0xb },
		{ HVMM_APIC_SELF_IPI, 0xff },
	};
	unsigned int i, bit;
	struct fake f;

	for (i = 0; i < ARRAY_SIZE(reg); i++) {
		for (bit = 0; bit < 64; bit++) {
			bool ok = reg[i].ok & BIT_ULL(bit);

			fake_up(&f, 0, true);
			CHECK_EQ(!msr_write(&f, reg[i].offset, BIT_ULL(bit)), ok);
		}
		CHECK_EQ(msr_write(&f, reg[i].offset, reg[i].ok), 0);
	}
	/* Read-only bits are accepted and not kept. */
	fake_up(&f, 0, true);
	CHECK_EQ(msr_write(&f, HVMM_APIC_LVT_LINT0, 0x5000 | 0x31), 0);
	CHECK_EQ(msr_get(&f, HVMM_APIC_LVT_LINT0), 0x31);
	CHECK_EQ(msr_write(&f, HVMM_APIC_ICR, 7ULL << 32 | 0x1031), 0);
	CHECK_EQ(msr_get(&f, HVMM_APIC_ICR), 7ULL << 32 | 0x31);
	CHECK_EQ(f.ipi.dest, 7);
}

static void base_transitions(void)
{
	/* From state to state; the last is the illegal one. */
	static const u64 state[] = { BASE_OFF, BASE_X, BASE_X2,
				     BASE_OFF | HVMM_APIC_BASE_EXTD };
	static const bool legal[3][4] = {
		{ true, true, false, false },
		{ true, true, true, false },
		{ true, false, true, false },
	};
	unsigned int from, to, bit;
	struct fake f;

	for (from = 0; from < 3; from++) {
		for (to = 0; to < 4; to++) {
			fake_init(&f, 1);
			if (state[from] != BASE_X)
				CHECK_EQ(hvmm_lapic_set_base(&f.l, state[from]), 0);
			CHECK_EQ(hvmm_lapic_set_base(&f.l, state[to]),
				 legal[from][to] ? 0 : (unsigned long long)-EINVAL);
			CHECK_EQ(hvmm_lapic_get_base(&f.l),
				 legal[from][to] ? state[to] : state[from]);
		}
	}

	/* Reserved bits: below the page, and above the physical address width of 40. */
	for (bit = 0; bit < 64; bit++) {
		bool ok = bit == 8 || (bit >= 11 && bit < 40) || bit == 10;
		u64 val = bit == 11 ? BASE_X : BASE_X ^ BIT_ULL(bit);

		fake_init(&f, 1);
		CHECK_EQ(!hvmm_lapic_set_base(&f.l, val), ok);
	}

	/* Without x2APIC in CPUID its bit is reserved. */
	fake_init(&f, 1);
	f.l.cfg.x2apic = false;
	CHECK_EQ(hvmm_lapic_set_base(&f.l, BASE_X2), (unsigned long long)-EINVAL);

	/* The BSP flag cannot be changed. */
	CHECK_EQ(hvmm_lapic_set_base(&f.l, BASE_X | HVMM_APIC_BASE_BSP), 0);
	CHECK_EQ(hvmm_lapic_get_base(&f.l), BASE_X);
	fake_init(&f, 0);
	CHECK_EQ(hvmm_lapic_set_base(&f.l, BASE_X), 0);
	CHECK_EQ(hvmm_lapic_get_base(&f.l), BASE_X | HVMM_APIC_BASE_BSP);

	/* Moving the page. */
	CHECK(hvmm_lapic_claims(&f.l, 0xfee00000));
	CHECK(hvmm_lapic_claims(&f.l, 0xfee00fff));
	CHECK(!hvmm_lapic_claims(&f.l, 0xfee01000));
	CHECK(!hvmm_lapic_claims(&f.l, 0x1fee00000));
	CHECK_EQ(hvmm_lapic_set_base(&f.l, 0xfed40000 | HVMM_APIC_BASE_EN), 0);
	CHECK(hvmm_lapic_claims(&f.l, 0xfed40030));
	CHECK(!hvmm_lapic_claims(&f.l, 0xfee00000));
	CHECK_EQ(fake_read(&f, HVMM_APIC_VERSION), 0x00050014);
	hvmm_lapic_set_base(&f.l, BASE_X2);
	CHECK(!hvmm_lapic_claims(&f.l, 0xfee00000));
}

static void disable_enable(void)
{
	struct fake f;

	fake_up(&f, 5, false);
	fake_write(&f, HVMM_APIC_ID, 6 << 24);
	fake_write(&f, HVMM_APIC_LVT_LINT0, 0x40);
	hvmm_lapic_accept(&f.l, 0x40, false);
	hvmm_lapic_accept(&f.l, 0x50, false);
	hvmm_lapic_ack(&f.l, 0x50);
	CHECK_EQ(hvmm_lapic_set_base(&f.l, BASE_OFF), 0);

	CHECK_EQ(fake_read(&f, HVMM_APIC_VERSION), ~0U);
	fake_write(&f, HVMM_APIC_TPR, 0x30);
	CHECK(!hvmm_lapic_accept(&f.l, 0x60, false));
	CHECK_EQ(hvmm_lapic_pending(&f.l), -1);
	CHECK(!hvmm_lapic_local(&f.l, HVMM_LVT_LINT0));
	/* CR8 works without an APIC. */
	CHECK_EQ(hvmm_lapic_get_tpr(&f.l), 0);
	hvmm_lapic_set_tpr(&f.l, 9);
	CHECK_EQ(hvmm_lapic_get_tpr(&f.l), 9);

	/* A sender that looked before we disabled. */
	set_bit(0xa0, f.l.irr);
	f.l.irr_pending = 1;
	CHECK_EQ(hvmm_lapic_pending(&f.l), -1);

	CHECK_EQ(hvmm_lapic_set_base(&f.l, BASE_X), 0);
	CHECK_EQ(hvmm_lapic_highest_irr(&f.l), -1);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ID), 5 << 24);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TPR), 0x90);
	CHECK_EQ(fake_read(&f, HVMM_APIC_SVR), 0xff);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ISR + 0x20), 0);
	CHECK_EQ(fake_read(&f, HVMM_APIC_LVT_LINT0), HVMM_APIC_LVT_MASKED);
}

static void x2apic_switch(void)
{
	struct fake f;

	/* State is kept over the switch; ID, LDR and ICR_HIGH are not. */
	fake_up(&f, 0x25, false);
	fake_write(&f, HVMM_APIC_ID, 0x77 << 24);
	fake_write(&f, HVMM_APIC_LDR, 0x40 << 24);
	fake_write(&f, HVMM_APIC_ICR_HIGH, 0x11 << 24);
	fake_write(&f, HVMM_APIC_LVT_LINT1, 0x400);
	hvmm_lapic_accept(&f.l, 0x61, true);
	CHECK_EQ(hvmm_lapic_set_base(&f.l, BASE_X2), 0);
	CHECK_EQ(msr_get(&f, HVMM_APIC_ID), 0x25);
	CHECK_EQ(msr_get(&f, HVMM_APIC_LDR), 2 << 16 | 1 << 5);
	CHECK_EQ(msr_get(&f, HVMM_APIC_ICR), 0);
	CHECK_EQ(msr_get(&f, HVMM_APIC_LVT_LINT1), 0x400);
	CHECK_EQ(msr_get(&f, HVMM_APIC_SVR), 0x1ff);
	CHECK_EQ(msr_get(&f, HVMM_APIC_IRR + 0x30), 1 << 1);
	CHECK_EQ(msr_get(&f, HVMM_APIC_TMR + 0x30), 1 << 1);
	CHECK_EQ(fake_read(&f, HVMM_APIC_VERSION), ~0U);
	CHECK(!hvmm_lapic_write(&f.l, HVMM_APIC_TPR, 0x20));
	CHECK_EQ(msr_get(&f, HVMM_APIC_TPR), 0);

	/* INIT keeps mode and ID, and resets the rest. */
	hvmm_lapic_reset(&f.l, true);
	CHECK_EQ(hvmm_lapic_get_base(&f.l), BASE_X2);
	CHECK_EQ(msr_get(&f, HVMM_APIC_ID), 0x25);
	CHECK_EQ(msr_get(&f, HVMM_APIC_LDR), 2 << 16 | 1 << 5);
	CHECK_EQ(msr_get(&f, HVMM_APIC_SVR), 0xff);
	CHECK_EQ(msr_get(&f, HVMM_APIC_LVT_LINT1), HVMM_APIC_LVT_MASKED);
	CHECK_EQ(hvmm_lapic_pending(&f.l), -1);

	fake_up(&f, 0x25, false);
	fake_write(&f, HVMM_APIC_ID, 0x77 << 24);
	hvmm_lapic_reset(&f.l, true);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ID), 0x77 << 24);
	hvmm_lapic_reset(&f.l, false);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ID), 0x25 << 24);

	fake_up(&f, 0x25, true);
	hvmm_lapic_reset(&f.l, false);
	CHECK_EQ(hvmm_lapic_get_base(&f.l), BASE_X);
}

static void software_disable(void)
{
	struct fake f;
	u32 lvt;

	fake_up(&f, 0, false);
	for (lvt = HVMM_APIC_LVT_TIMER; lvt <= HVMM_APIC_LVT_ERROR; lvt += 16) {
		fake_write(&f, lvt, 0x44);
		CHECK_EQ(fake_read(&f, lvt), 0x44);
	}
	hvmm_lapic_accept(&f.l, 0x70, false);
	fake_write(&f, HVMM_APIC_SVR, 0xff);
	for (lvt = HVMM_APIC_LVT_TIMER; lvt <= HVMM_APIC_LVT_ERROR; lvt += 16) {
		CHECK_EQ(fake_read(&f, lvt), HVMM_APIC_LVT_MASKED | 0x44);
		fake_write(&f, lvt, 0x45);
		CHECK_EQ(fake_read(&f, lvt), HVMM_APIC_LVT_MASKED | 0x45);
	}
	/* What was pending stays, and is delivered; nothing new is accepted. */
	CHECK(!hvmm_lapic_accept(&f.l, 0x80, false));
	CHECK_EQ(fake_take(&f), 0x70);
	CHECK_EQ(fake_take(&f), -1);
	/* NMI, INIT, SMI and SIPI still are. */
	CHECK(hvmm_lapic_signal(&f.l, &(struct hvmm_msg){ .delivery = HVMM_DELIVER_NMI }));
	CHECK_EQ(f.events, 1);
	/* Masks do not go away by themselves. */
	fake_write(&f, HVMM_APIC_SVR, 0x1ff);
	CHECK_EQ(fake_read(&f, HVMM_APIC_LVT_LINT0), HVMM_APIC_LVT_MASKED | 0x45);
}

static void priorities(void)
{
	struct fake f;
	int v, w;
	u32 tpr;

	/* Every TPR against every vector. */
	for (tpr = 0; tpr < 256; tpr++) {
		fake_up(&f, 0, false);
		fake_write(&f, HVMM_APIC_TPR, tpr);
		CHECK_EQ(fake_read(&f, HVMM_APIC_PPR), tpr);
		CHECK_EQ(hvmm_lapic_get_tpr(&f.l), tpr >> 4);
		for (v = 16; v < 256; v++) {
			hvmm_lapic_accept(&f.l, v, false);
			CHECK_EQ(hvmm_lapic_pending(&f.l) == v, v >> 4 > (int)tpr >> 4);
			CHECK_EQ(hvmm_lapic_has_wake(&f.l), v >> 4 > (int)tpr >> 4);
			CHECK_EQ(hvmm_lapic_highest_irr(&f.l), v);
			clear_bit(v, f.l.irr);
		}
	}

	/* Every vector in service against every other. */
	for (v = 16; v < 256; v++) {
		for (w = 16; w < 256; w++) {
			fake_up(&f, 0, false);
			hvmm_lapic_accept(&f.l, v, false);
			hvmm_lapic_ack(&f.l, v);
			hvmm_lapic_accept(&f.l, w, false);
			CHECK_EQ(hvmm_lapic_pending(&f.l), w >> 4 > v >> 4 ? w : -1);
			CHECK_EQ(fake_read(&f, HVMM_APIC_PPR), v & 0xf0);
			hvmm_lapic_eoi(&f.l);
			CHECK_EQ(hvmm_lapic_pending(&f.l), w);
			CHECK_EQ(fake_read(&f, HVMM_APIC_PPR), 0);
		}
	}

	/* PPR of TPR and ISR: SDM vol. 3, 11.8.3.1. */
	fake_up(&f, 0, false);
	hvmm_lapic_accept(&f.l, 0x5c, false);
	hvmm_lapic_ack(&f.l, 0x5c);
	for (tpr = 0; tpr < 256; tpr++) {
		fake_write(&f, HVMM_APIC_TPR, tpr);
		CHECK_EQ(fake_read(&f, HVMM_APIC_PPR), tpr >> 4 >= 5 ? tpr : 0x50);
	}

	/* CR8 sets the class, and clears the sub-class. */
	fake_write(&f, HVMM_APIC_TPR, 0xff);
	hvmm_lapic_set_tpr(&f.l, 0xf3);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TPR), 0x30);

	/* After a VM exit: the sub-class goes only if the guest wrote CR8. */
	fake_write(&f, HVMM_APIC_TPR, 0x35);
	hvmm_lapic_sync_tpr(&f.l, 3);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TPR), 0x35);
	hvmm_lapic_sync_tpr(&f.l, 4);
	CHECK_EQ(fake_read(&f, HVMM_APIC_TPR), 0x40);

	/* Nested service ends in order of priority. */
	fake_up(&f, 0, false);
	for (v = 0x1f; v <= 0xff; v += 0x10) {
		hvmm_lapic_accept(&f.l, v, false);
		CHECK_EQ(hvmm_lapic_pending(&f.l), v);
		hvmm_lapic_ack(&f.l, v);
	}
	for (v = 0xff; v >= 0x1f; v -= 0x10) {
		CHECK_EQ(fake_read(&f, HVMM_APIC_PPR), v & 0xf0);
		fake_write(&f, HVMM_APIC_EOI, 0);
	}
	CHECK_EQ(fake_read(&f, HVMM_APIC_PPR), 0);
	/* An EOI with nothing in service does nothing. */
	fake_write(&f, HVMM_APIC_EOI, 0);
	CHECK_EQ(f.eois, 0);

	/* Arbitration priority. */
	fake_up(&f, 0, false);
	fake_write(&f, HVMM_APIC_TPR, 0x35);
	CHECK_EQ(fake_read(&f, HVMM_APIC_APR), 0x35);
	hvmm_lapic_accept(&f.l, 0x48, false);
	CHECK_EQ(fake_read(&f, HVMM_APIC_APR), 0x40);
	hvmm_lapic_ack(&f.l, 0x48);
	CHECK_EQ(fake_read(&f, HVMM_APIC_APR), 0x40);
}

static void accept_one(void)
{
	struct fake f;
	int v;

	fake_up(&f, 0, false);
	for (v = 0; v < 256; v++) {
		unsigned int kicks = f.kicks;
		u32 bit = 1U << (v % 32);
		u32 irr = HVMM_APIC_IRR + v / 32 * 16, isr = irr - 0x100, tmr = irr - 0x80;

		CHECK_EQ(hvmm_lapic_accept(&f.l, v, v & 1), v >= 16);
		CHECK_EQ(f.kicks - kicks, v >= 16);
		if (v < 16)
			continue;
		/* A second one merges, silently. */
		CHECK(!hvmm_lapic_accept(&f.l, v, v & 1));
		CHECK_EQ(f.kicks - kicks, 1);
		CHECK_EQ(fake_read(&f, irr), bit);
		CHECK_EQ(fake_read(&f, tmr) & bit, v & 1 ? bit : 0);
		CHECK_EQ(hvmm_lapic_pending(&f.l), v);
		hvmm_lapic_ack(&f.l, v);
		CHECK_EQ(fake_read(&f, irr), 0);
		CHECK_EQ(fake_read(&f, isr), bit);
		/* In service, it can be requested again. */
		CHECK(hvmm_lapic_accept(&f.l, v, v & 1));
		CHECK_EQ(hvmm_lapic_pending(&f.l), -1);
		f.eois = 0;
		fake_write(&f, HVMM_APIC_EOI, 0);
		CHECK_EQ(f.eois, v & 1);
		CHECK(!(v & 1) || f.eoi_vector == v);
		CHECK_EQ(fake_take(&f), v);
		CHECK_EQ(fake_take(&f), -1);
		CHECK_EQ(f.l.irr_pending, 0);
	}

	/* The trigger mode is that of the latest request. */
	hvmm_lapic_accept(&f.l, 0x41, true);
	hvmm_lapic_accept(&f.l, 0x41, false);
	f.eois = 0;
	fake_take(&f);
	CHECK_EQ(f.eois, 0);

	/* EOI-broadcast suppression. */
	f.l.cfg.directed_eoi = true;
	fake_write(&f, HVMM_APIC_SVR, 0x11ff);
	hvmm_lapic_accept(&f.l, 0x41, true);
	fake_take(&f);
	CHECK_EQ(f.eois, 0);
	fake_write(&f, HVMM_APIC_SVR, 0x1ff);
	hvmm_lapic_accept(&f.l, 0x41, true);
	fake_take(&f);
	CHECK_EQ(f.eois, 1);
}

static void errors(void)
{
	struct fake f;

	/* Latched by a write, not before; the next write clears. */
	fake_up(&f, 0, false);
	hvmm_lapic_accept(&f.l, 3, false);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ESR), 0);
	fake_write(&f, HVMM_APIC_ESR, 0x55);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ESR), BIT(HVMM_APIC_ESR_RECV_VECTOR));
	fake_write(&f, HVMM_APIC_ESR, 0);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ESR), 0);

	/* Errors add up, and interrupt through the LVT. */
	fake_write(&f, HVMM_APIC_LVT_ERROR, 0xe1);
	fake_write(&f, HVMM_APIC_ICR, 0x0f);
	CHECK_EQ(f.ipis, 0);
	CHECK_EQ(fake_take(&f), 0xe1);
	fake_read(&f, 0x3f0);
	CHECK_EQ(fake_take(&f), 0xe1);
	fake_write(&f, HVMM_APIC_ESR, 0);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ESR),
		 BIT(HVMM_APIC_ESR_SEND_VECTOR) | BIT(HVMM_APIC_ESR_REGISTER));

	/* An illegal vector in the error entry does not recurse. */
	fake_write(&f, HVMM_APIC_LVT_ERROR, 0x02);
	fake_read(&f, 0x3f0);
	CHECK_EQ(hvmm_lapic_highest_irr(&f.l), -1);
	fake_write(&f, HVMM_APIC_ESR, 0);
	CHECK_EQ(fake_read(&f, HVMM_APIC_ESR),
		 BIT(HVMM_APIC_ESR_RECV_VECTOR) | BIT(HVMM_APIC_ESR_REGISTER));

	/* x2APIC: self-IPI. */
	fake_up(&f, 0, true);
	CHECK_EQ(msr_write(&f, HVMM_APIC_SELF_IPI, 9), 0);
	CHECK_EQ(msr_write(&f, HVMM_APIC_ESR, 0), 0);
	CHECK_EQ(msr_get(&f, HVMM_APIC_ESR), BIT(HVMM_APIC_ESR_SEND_VECTOR));
	CHECK_EQ(msr_write(&f, HVMM_APIC_SELF_IPI, 0x99), 0);
	CHECK_EQ(fake_take(&f), 0x99);
}

static void ipis(void)
{
	unsigned int delivery, shorthand, logical;
	struct fake f;

	for (delivery = 0; delivery < 8; delivery++) {
		for (shorthand = 0; shorthand < 4; shorthand++) {
			for (logical = 0; logical < 2; logical++) {
				u32 icr = shorthand << 18 | HVMM_APIC_ICR_ASSERT | logical << 11 |
					  delivery << 8 | 0x6d;

				fake_up(&f, 0, false);
				fake_write(&f, HVMM_APIC_ICR_HIGH, 0x5a << 24);
				CHECK_EQ(f.ipis, 0);
				fake_write(&f, HVMM_APIC_ICR, icr);
				if (shorthand == HVMM_SHORTHAND_SELF) {
					CHECK_EQ(f.ipis, 0);
					continue;
				}
				CHECK_EQ(f.ipis, 1);
				CHECK_EQ(f.ipi.dest, 0x5a);
				CHECK_EQ(f.ipi.vector, 0x6d);
				CHECK_EQ(f.ipi.delivery, delivery);
				CHECK_EQ(f.ipi.shorthand, shorthand);
				CHECK_EQ(f.ipi.logical, logical);
				CHECK(f.ipi.assert && !f.ipi.level_trig && !f.ipi.wide);

				fake_up(&f, 0, true);
				CHECK_EQ(msr_write(&f, HVMM_APIC_ICR, 0x89abcdefULL << 32 | icr),
					 0);
				CHECK_EQ(f.ipi.dest, 0x89abcdef);
				CHECK(f.ipi.wide);
				CHECK_EQ(msr_get(&f, HVMM_APIC_ICR), 0x89abcdefULL << 32 | icr);
			}
		}
	}

	/* To self. */
	fake_up(&f, 0, false);
	fake_write(&f, HVMM_APIC_ICR, HVMM_SHORTHAND_SELF << 18 | 0x42);
	CHECK_EQ(fake_take(&f), 0x42);
	fake_write(&f, HVMM_APIC_ICR, HVMM_SHORTHAND_SELF << 18 | HVMM_DELIVER_NMI << 8);
	CHECK_EQ(f.events, 1);
	CHECK_EQ(f.event, HVMM_DELIVER_NMI);

	/* The level bits count for INIT alone: de-assert is dropped by the target. */
	fake_write(&f, HVMM_APIC_ICR, HVMM_APIC_ICR_LEVEL | 0x42);
	CHECK(f.ipi.assert && !f.ipi.level_trig);
	fake_write(&f, HVMM_APIC_ICR, HVMM_APIC_ICR_LEVEL | HVMM_DELIVER_INIT << 8);
	CHECK(!f.ipi.assert && f.ipi.level_trig);
	CHECK(!hvmm_lapic_signal(&f.l, &f.ipi));
	fake_write(&f, HVMM_APIC_ICR,
		   HVMM_APIC_ICR_LEVEL | HVMM_APIC_ICR_ASSERT | HVMM_DELIVER_INIT << 8);
	CHECK(hvmm_lapic_signal(&f.l, &f.ipi));
	fake_write(&f, HVMM_APIC_ICR, HVMM_DELIVER_INIT << 8);
	CHECK(hvmm_lapic_signal(&f.l, &f.ipi));
	CHECK_EQ(f.event, HVMM_DELIVER_INIT);
	fake_write(&f, HVMM_APIC_ICR, HVMM_DELIVER_SIPI << 8 | 0x9a);
	CHECK(hvmm_lapic_signal(&f.l, &f.ipi));
	CHECK_EQ(f.event, HVMM_DELIVER_SIPI);
	CHECK_EQ(f.event_vector, 0x9a);

	/* Vectors below 16 are sent where they are no vectors. */
	f.ipis = 0;
	fake_write(&f, HVMM_APIC_ICR, HVMM_DELIVER_NMI << 8);
	fake_write(&f, HVMM_APIC_ICR, HVMM_DELIVER_SIPI << 8);
	CHECK_EQ(f.ipis, 2);
	fake_write(&f, HVMM_APIC_ICR, HVMM_DELIVER_LOWEST << 8 | 15);
	CHECK_EQ(f.ipis, 2);
}

static void local_sources(void)
{
	static const struct {
		u32 delivery;
		bool taken, event;
	} mode[8] = {
		{ HVMM_DELIVER_FIXED, true, false },
		{ HVMM_DELIVER_LOWEST, false, false },
		{ HVMM_DELIVER_SMI, true, true },
		{ HVMM_DELIVER_REMOTE_READ, false, false },
		{ HVMM_DELIVER_NMI, true, true },
		{ HVMM_DELIVER_INIT, true, true },
		{ HVMM_DELIVER_SIPI, false, false },
		{ HVMM_DELIVER_EXTINT, false, false },
	};
	enum hvmm_lapic_lvt entry;
	struct fake f;
	unsigned int i;

	for (entry = HVMM_LVT_THERMAL; entry <= HVMM_LVT_LINT1; entry++) {
		u32 reg = HVMM_APIC_LVT_TIMER + entry * 16;

		for (i = 0; i < 8; i++) {
			fake_up(&f, 0, false);
			CHECK(!hvmm_lapic_local(&f.l, entry));
			fake_write(&f, reg, mode[i].delivery << 8 | 0x77);
			CHECK_EQ(hvmm_lapic_local(&f.l, entry), mode[i].taken);
			CHECK_EQ(f.events, mode[i].event);
			CHECK_EQ(fake_take(&f), mode[i].taken && !mode[i].event ? 0x77 : -1);
			CHECK_EQ(!!(fake_read(&f, reg) & HVMM_APIC_LVT_MASKED),
				 entry == HVMM_LVT_PERF);
			fake_write(&f, reg, HVMM_APIC_LVT_MASKED | mode[i].delivery << 8 | 0x77);
			CHECK(!hvmm_lapic_local(&f.l, entry));
		}
	}
	/* Timer and error entries have no delivery mode. */
	fake_up(&f, 0, false);
	fake_write(&f, HVMM_APIC_LVT_ERROR, HVMM_DELIVER_NMI << 8 | 0x77);
	CHECK(hvmm_lapic_local(&f.l, HVMM_LVT_ERROR));
	CHECK_EQ(fake_take(&f), 0x77);
}

static const struct check_case cases[] = {
	{ "state after power-up", power_up },
	{ "xAPIC: writable bits of every register", xapic_writes },
	{ "xAPIC: reserved registers", xapic_reserved_registers },
	{ "xAPIC: access sizes", mmio_sizes },
	{ "x2APIC: every MSR in every mode", x2apic_registers },
	{ "x2APIC: reserved bits", x2apic_reserved_bits },
	{ "IA32_APIC_BASE: transitions and reserved bits", base_transitions },
	{ "disable and enable", disable_enable },
	{ "xAPIC to x2APIC, and INIT", x2apic_switch },
	{ "software disable", software_disable },
	{ "priorities", priorities },
	{ "accept, acknowledge and end every vector", accept_one },
	{ "error status", errors },
	{ "interrupt commands", ipis },
	{ "local sources", local_sources },
	{ "timer: divider", timer_divide },
	{ "timer: one-shot", timer_oneshot },
	{ "timer: late and early host timer", timer_late_host },
	{ "timer: masked", timer_masked },
	{ "timer: periodic without drift", timer_periodic },
	{ "timer: short periods", timer_storm },
	{ "timer: change of mode", timer_change_mode },
	{ "timer: change of divider", timer_change_div },
	{ "timer: TSC deadline", timer_deadline },
	{ "timer: illegal vector", timer_bad_vector },
	{ "timer: reset and disable", timer_reset },
	{ "timer: random against a tick-by-tick model", timer_fuzz },
	{ "random operations against a model", lapic_fuzz_model },
	{ "random hostile accesses", lapic_fuzz_hostile },
	{ "senders on other CPUs", lapic_concurrent },
	{ "lent to a processor, against software", lend_fuzz },
	{ "lent to a processor: ends of levels", lend_level },
	{ "lent to a processor: senders on other CPUs", lend_concurrent },
};

int main(void)
{
	return check_main(cases, ARRAY_SIZE(cases));
}
