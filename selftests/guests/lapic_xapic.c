// SPDX-License-Identifier: GPL-2.0
/* The LAPIC by its window at 0xfee00000, and its life cycle by APIC_BASE. */
#include "lapic.h"

static void test_window(void)
{
	volatile u32 *reg = (volatile u32 *)APIC_WINDOW;
	u32 v, i;

	v = reg[APIC_VER / 4];
	ok_eq(*(volatile u32 *)(APIC_WINDOW + APIC_VER), v, "version reads the same twice");
	/* What these do is implementation specific; that they end is what counts. */
	for (i = 0; i < 0x1000; i += 4) {
		if (TRY("mov (%0), %%eax", :: "r"(APIC_WINDOW + i) : "rax", "memory") != NO_TRAP)
			break;
	}
	ok_eq(i, 0x1000, "every dword of the window can be read");
	TRY("movb (%0), %%al", :: "r"(APIC_WINDOW + APIC_VER + 1) : "rax", "memory");
	TRY("mov (%0), %%rax", :: "r"(APIC_WINDOW + APIC_VER) : "rax", "memory");
	TRY("mov %%rax, (%0)", :: "r"(APIC_WINDOW + APIC_VER), "a"(0) : "memory");
	TRY("movw %%ax, (%0)", :: "r"(APIC_WINDOW + APIC_VER + 0xe), "a"(0) : "memory");
	ok_eq(reg[APIC_VER / 4], v, "odd accesses are survived, the version is read-only");
	__asm__ __volatile__("lock orl %1, (%0)" :: "r"(APIC_WINDOW + APIC_TPR), "r"(0x20)
			     : "memory");
	ok_eq(apic_read(APIC_TPR), 0x20, "a read-modify-write of TPR");
	__asm__ __volatile__("andl $0, (%0)" :: "r"(APIC_WINDOW + APIC_TPR) : "memory");
	ok_eq(apic_read(APIC_TPR), 0, "... and back");
	apic_write(APIC_LDR, 0x02000000);
	apic_write(APIC_DFR, 0xffffffff);
	ok_eq(apic_read(APIC_LDR), 0x02000000, "LDR reads back");
	ok_eq(apic_read(APIC_DFR), 0xffffffff, "DFR reads back");
}

static void test_life(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);
	const char *why = "QEMU's own LAPIC cannot be enabled again";
	u32 *page;

	ok_eq(base & (APIC_BASE_EN | APIC_BASE_EXTD | APIC_BASE_BSP), APIC_BASE_EN | APIC_BASE_BSP,
	      "APIC_BASE: enabled, xAPIC, boot CPU");
	if (plain_tcg()) {
		skip(why, "APIC_BASE: disable and enable again");
		return;
	}
	ok_eq(wrmsr_try(MSR_APIC_BASE, base | APIC_BASE_EXTD), NO_TRAP,
	      "xAPIC to x2APIC");
	ok_eq(wrmsr_try(MSR_APIC_BASE, base), GP_VECTOR, "x2APIC to xAPIC raises 13");
	ok_eq(wrmsr_try(MSR_APIC_BASE, (base & ~APIC_BASE_EN) | APIC_BASE_EXTD), GP_VECTOR,
	      "x2APIC to extended without enable raises 13");
	ok_eq(wrmsr_try(MSR_APIC_BASE, base & ~APIC_BASE_EN), NO_TRAP, "x2APIC to disabled");
	ok_eq(wrmsr_try(MSR_APIC_BASE, base | APIC_BASE_EXTD), GP_VECTOR,
	      "disabled to x2APIC raises 13");
	ok(!(cpuid(1, 0).d & BIT(9)), "disabled: CPUID offers no LAPIC");
	ok_eq(wrmsr_try(MSR_APIC_BASE, base), NO_TRAP, "disabled to xAPIC");
	ok(cpuid(1, 0).d & BIT(9), "enabled: CPUID offers a LAPIC");
	ok_eq(apic_read(APIC_SPIV), 0xff, "enabled again: SPIV is at its reset value");
	ok_eq(apic_read(APIC_TPR), 0, "enabled again: TPR is 0");
	ok(apic_read(APIC_LVTT) & LVT_MASKED, "enabled again: the timer is masked");
	apic_setup();
	trap_handler(0x50, count);
	reset_counts();
	apic_icr(0, ICR_SELF | ICR_ASSERT | 0x50);
	open_window();
	ok_eq(hits[0x50], 1, "enabled again: delivers");
	trap_handler(0x50, NULL);

	/* Another place in RAM's address space: either it moves or the old place stays; no harm. */
	page = alloc_pages(1);
	if (wrmsr_try(MSR_APIC_BASE, (base & 0xfff) | (u64)page) == NO_TRAP)
		wrmsr(MSR_APIC_BASE, base);
	apic_setup();
	ok(apic_read(APIC_VER), "APIC_BASE moved away and back");
}

void guest_main(void)
{
	apic_setup();
	test_window();
	test_common(2);
	test_life();
}
