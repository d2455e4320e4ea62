/* SPDX-License-Identifier: GPL-2.0 */
/* Local APIC by xAPIC window or x2APIC MSRs, whichever APIC_BASE says; IOAPIC by its window. */
#ifndef GUEST_APIC_H
#define GUEST_APIC_H

#include "cpu.h"

#define APIC_WINDOW 0xfee00000ull
#define IOAPIC_WINDOW 0xfec00000ull
#define APIC_BASE_BSP BIT(8)
#define APIC_BASE_EXTD BIT(10)
#define APIC_BASE_EN BIT(11)

#define APIC_ID 0x20
#define APIC_VER 0x30
#define APIC_TPR 0x80
#define APIC_PPR 0xa0
#define APIC_EOI 0xb0
#define APIC_LDR 0xd0
#define APIC_DFR 0xe0
#define APIC_SPIV 0xf0
#define APIC_ISR 0x100
#define APIC_TMR 0x180
#define APIC_IRR 0x200
#define APIC_ESR 0x280
#define APIC_ICR 0x300
#define APIC_ICR2 0x310
#define APIC_LVTT 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERF 0x340
#define APIC_LVT0 0x350
#define APIC_LVT1 0x360
#define APIC_LVTERR 0x370
#define APIC_TMICT 0x380
#define APIC_TMCCT 0x390
#define APIC_TDCR 0x3e0
#define APIC_SELF 0x3f0

#define LVT_MASKED BIT(16)
#define LVTT_PERIODIC BIT(17)
#define LVTT_DEADLINE BIT(18)

#define ICR_FIXED 0
#define ICR_LOWEST (1 << 8)
#define ICR_NMI (4 << 8)
#define ICR_INIT (5 << 8)
#define ICR_STARTUP (6 << 8)
#define ICR_LOGICAL BIT(11)
#define ICR_BUSY BIT(12)
#define ICR_ASSERT BIT(14)
#define ICR_SELF (1 << 18)
#define ICR_ALL (2 << 18)
#define ICR_OTHERS (3 << 18)

u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 v);
void apic_icr(u32 dest, u32 low);
u32 apic_id(void);
bool apic_is_x2(void);
/* Bit of a vector in ISR, TMR or IRR. */
bool apic_bit(u32 reg, u8 vector);
void apic_eoi(void);
/* Software-enables the LAPIC with the spurious vector 0xff, LVTs masked, TPR 0, PIC masked. */
void apic_setup(void);
bool apic_go_x2(void);

u32 ioapic_read(u32 reg);
void ioapic_write(u32 reg, u32 v);
u64 ioapic_entry(u32 pin);
void ioapic_set(u32 pin, u64 entry);

#endif
