// SPDX-License-Identifier: GPL-2.0
/* The LAPIC by MSRs 0x800 to 0x83f. */
#include "lapic.h"

#define X2(reg) (MSR_X2APIC + ((reg) >> 4))

static void test_msrs(void)
{
	static const u16 readable[] = {
		APIC_ID, APIC_VER, APIC_TPR, APIC_PPR, APIC_LDR, APIC_SPIV, APIC_ISR,
		APIC_ISR + 0x70, APIC_TMR, APIC_TMR + 0x70, APIC_IRR, APIC_IRR + 0x70, APIC_ESR,
		APIC_ICR, APIC_LVTT, APIC_LVT0, APIC_LVT1, APIC_LVTERR, APIC_TMICT, APIC_TMCCT,
		APIC_TDCR,
	};
	static const u16 read_only[] = {
		APIC_ID, APIC_VER, APIC_PPR, APIC_LDR, APIC_ISR, APIC_TMR, APIC_IRR, APIC_TMCCT,
	};
	static const u16 absent[] = { 0, 0x10, 0x40, 0x70, APIC_DFR, APIC_ICR2, 0x3a0, 0x3d0 };
	u64 v;
	u32 i, id = apic_id();

	for (i = 0; i < ARRAY_SIZE(readable); i++)
		if (rdmsr_try(X2(readable[i]), &v) != NO_TRAP)
			break;
	ok_eq(i, ARRAY_SIZE(readable), "every register can be read");
	ok_eq(apic_read(APIC_LDR), (id >> 4) << 16 | 1u << (id & 15), "LDR follows from the id");
	if (plain_tcg()) {
		skip("QEMU's own LAPIC does not check this", "writes that must raise 13");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(read_only); i++)
		ok_eq(wrmsr_try(X2(read_only[i]), 0), GP_VECTOR, "0x%x is read-only",
		      X2(read_only[i]));
	for (i = 0; i < ARRAY_SIZE(absent); i++)
		ok(rdmsr_try(X2(absent[i]), &v) == GP_VECTOR &&
		   wrmsr_try(X2(absent[i]), 0) == GP_VECTOR, "0x%x is not there", X2(absent[i]));
	ok_eq(rdmsr_try(X2(APIC_EOI), &v), GP_VECTOR, "EOI is write-only");
	ok_eq(rdmsr_try(X2(APIC_SELF), &v), GP_VECTOR, "SELF IPI is write-only");
	ok_eq(wrmsr_try(X2(APIC_EOI), 1), GP_VECTOR, "EOI: not 0 raises 13");
	ok_eq(wrmsr_try(X2(APIC_ESR), 1), GP_VECTOR, "ESR: not 0 raises 13");
	ok_eq(wrmsr_try(X2(APIC_TPR), 0x100), GP_VECTOR, "TPR: bit 8 raises 13");
	ok_eq(wrmsr_try(X2(APIC_TPR), BIT(32)), GP_VECTOR, "TPR: bit 32 raises 13");
	ok_eq(wrmsr_try(X2(APIC_SPIV), BIT(32) | 0x1ff), GP_VECTOR, "SPIV: bit 32 raises 13");
	ok_eq(wrmsr_try(X2(APIC_LVTT), BIT(30)), GP_VECTOR, "LVT timer: bit 30 raises 13");
	ok_eq(wrmsr_try(X2(APIC_LVT0), BIT(32)), GP_VECTOR, "LVT0: bit 32 raises 13");
	ok_eq(wrmsr_try(X2(APIC_SELF), 0x100), GP_VECTOR, "SELF IPI: bit 8 raises 13");
}

static void test_self(void)
{
	trap_handler(0x55, count);
	reset_counts();
	apic_write(APIC_SELF, 0x55);
	ok(apic_bit(APIC_IRR, 0x55), "SELF IPI waits in IRR");
	open_window();
	ok_eq(hits[0x55], 1, "SELF IPI");
	ok(!apic_bit(APIC_IRR, 0x55) && !apic_bit(APIC_ISR, 0x55), "... has come to its end");

	reset_counts();
	apic_write(APIC_TPR, 0x5f);
	apic_write(APIC_SELF, 0x55);
	open_window();
	ok(!hits[0x55] && apic_bit(APIC_IRR, 0x55), "TPR holds a SELF IPI back");
	apic_write(APIC_TPR, 0x4f);
	ok_eq(apic_read(APIC_PPR), 0x4f, "PPR follows TPR");
	sti_nop_cli();
	ok_eq(hits[0x55], 1, "... and lets it come");
	apic_write(APIC_TPR, 0);

	reset_counts();
	apic_write(APIC_SELF, 0x55);
	sti_hlt();
	cli();
	ok_eq(hits[0x55], 1, "SELF IPI that is pending ends HLT");
	trap_handler(0x55, NULL);
	if (plain_tcg())
		return;

	apic_write(APIC_ESR, 0);
	apic_write(APIC_SELF, 0xf);
	apic_write(APIC_ESR, 0);
	ok_eq(apic_read(APIC_ESR), 0x20, "SELF IPI below 16 is an error");
	apic_write(APIC_ESR, 0);
	apic_write(APIC_SPIV, 0xff);
	apic_write(APIC_SELF, 0x55);
	ok(!apic_bit(APIC_IRR, 0x55), "SELF IPI with the APIC disabled by software is lost");
	apic_write(APIC_SPIV, 0x1ff);
}

static volatile u32 inner_at, depth;

static void on_self(struct regs *r)
{
	hits[r->vector]++;
	if (r->vector == 0x55) {
		apic_write(APIC_SELF, 0x45);
		apic_write(APIC_SELF, 0x65);
		depth = 1;
		sti_nop_cli();
		depth = 0;
		ok(apic_bit(APIC_ISR, 0x55) && apic_bit(APIC_IRR, 0x45),
		   "in service, and a lower one requested");
	} else {
		inner_at |= depth << (r->vector >> 4);
	}
	apic_eoi();
}

static void test_self_nested(void)
{
	trap_handler(0x45, on_self);
	trap_handler(0x55, on_self);
	trap_handler(0x65, on_self);
	reset_counts();
	apic_write(APIC_SELF, 0x55);
	sti_nop_cli();
	sti_nop_cli();
	ok(hits[0x45] == 1 && hits[0x55] == 1 && hits[0x65] == 1, "SELF IPIs of a handler come");
	ok_eq(inner_at, BIT(6), "... the higher one nested, the lower one afterwards");
	trap_handler(0x45, NULL);
	trap_handler(0x55, NULL);
	trap_handler(0x65, NULL);
}

static void test_icr(void)
{
	apic_icr(0x12345678, ICR_ASSERT | 0x50);
	if (plain_tcg())
		skip("QEMU's own LAPIC reads 0", "ICR: 32-bit destination reads back");
	else
		ok_eq(rdmsr(X2(APIC_ICR)) >> 32, 0x12345678, "ICR: 32-bit destination reads back");
	ok(!(rdmsr(X2(APIC_ICR)) & ICR_BUSY), "ICR: never busy");
}

void guest_main(void)
{
	apic_setup();
	if (!apic_go_x2()) {
		if (on_hvmm())
			ok(false, "x2APIC is offered");
		guest_finish();
	}
	apic_setup();
	ok(apic_is_x2(), "x2APIC mode");
	test_msrs();
	test_icr();
	test_self();
	test_self_nested();
	test_common(apic_read(APIC_LDR));
}
