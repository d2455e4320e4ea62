// SPDX-License-Identifier: GPL-2.0
#include "guest.h"
#include "apic.h"

bool apic_is_x2(void)
{
	return rdmsr(MSR_APIC_BASE) & APIC_BASE_EXTD;
}

u32 apic_read(u32 reg)
{
	if (apic_is_x2())
		return rdmsr(MSR_X2APIC + (reg >> 4));
	return *(volatile u32 *)(APIC_WINDOW + reg);
}

void apic_write(u32 reg, u32 v)
{
	if (apic_is_x2())
		wrmsr(MSR_X2APIC + (reg >> 4), v);
	else
		*(volatile u32 *)(APIC_WINDOW + reg) = v;
}

void apic_icr(u32 dest, u32 low)
{
	if (apic_is_x2()) {
		wrmsr(MSR_X2APIC + (APIC_ICR >> 4), (u64)dest << 32 | low);
		return;
	}
	apic_write(APIC_ICR2, dest << 24);
	apic_write(APIC_ICR, low);
	while (apic_read(APIC_ICR) & ICR_BUSY)
		pause();
}

u32 apic_id(void)
{
	return apic_is_x2() ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

bool apic_bit(u32 reg, u8 vector)
{
	return apic_read(reg + (vector >> 5) * 16) >> (vector & 31) & 1;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_setup(void)
{
	static const u16 lvts[] = { APIC_LVTT, APIC_LVT0, APIC_LVT1, APIC_LVTERR };
	u32 i;

	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_EN);
	apic_write(APIC_SPIV, 0x1ff);
	for (i = 0; i < ARRAY_SIZE(lvts); i++)
		apic_write(lvts[i], LVT_MASKED);
	apic_write(APIC_TPR, 0);
}

bool apic_go_x2(void)
{
	if (!(cpuid(1, 0).c & BIT(21)))
		return false;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_EN | APIC_BASE_EXTD);
	return true;
}

u32 ioapic_read(u32 reg)
{
	*(volatile u32 *)IOAPIC_WINDOW = reg;
	return *(volatile u32 *)(IOAPIC_WINDOW + 0x10);
}

void ioapic_write(u32 reg, u32 v)
{
	*(volatile u32 *)IOAPIC_WINDOW = reg;
	*(volatile u32 *)(IOAPIC_WINDOW + 0x10) = v;
}

u64 ioapic_entry(u32 pin)
{
	return ioapic_read(0x10 + 2 * pin) | (u64)ioapic_read(0x11 + 2 * pin) << 32;
}

/* The half with the mask bit goes last, so that no half-written entry can fire. */
void ioapic_set(u32 pin, u64 entry)
{
	ioapic_write(0x10 + 2 * pin, LVT_MASKED);
	ioapic_write(0x11 + 2 * pin, entry >> 32);
	ioapic_write(0x10 + 2 * pin, entry);
}
