// SPDX-License-Identifier: GPL-2.0
/*
 * What single operations cost (lib/measure.h). kernel_port=N is the port of pio_kernel (0x80).
 * huge=1: the host has huge pages for RAM, and their first touch is measured, nothing else.
 */
#include "lib/guest.h"
#include "lib/measure.h"
#include "lib/trap.h"
#include "lib/apic.h"

#define VECTOR		0x51
#define TIMER_VECTOR	0x52
#define HUGE_SIZE	(2ull << 20)
#define HUGE_ROUNDS	15u
#define HUGE_WARM	4u
#define MSR_HWCR	0xc0010015
#define MSR_UCODE_REV	0x8b
#define X2(reg)		(MSR_X2APIC + ((reg) >> 4))
#define NO_HYPERCALL	0x7fff
#define TIMER_US	100
#define POST_PORT	0x80

static volatile u64 entered, ended;
static u8 *page;
static u16 kernel_port;

static void on_interrupt(struct regs *r)
{
	u64 start = rdtsc();

	wrmsr(X2(APIC_EOI), 0);
	ended = rdtsc() - start;
	entered = start;
}

static void on_timer(struct regs *r)
{
	entered = rdtsc();
	wrmsr(X2(APIC_EOI), 0);
}

/* Until the interrupt has come, which may end HLT before it or after. */
static void sleep(void)
{
	while (!entered) {
		sti_hlt();
		cli();
	}
}

static void measure_cpu(void)
{
	/* One that exits and costs little. */
	u32 msr = is_intel() ? MSR_UCODE_REV : MSR_HWCR;

	cpuid(0, 0);
	MEASURE("cpuid", NOTHING, cpuid(0, 0));
	MEASURE("vmmcall", NOTHING, {
		u64 nr = NO_HYPERCALL;

		__asm__ __volatile__(HYPERCALL : "+a"(nr) :: "memory");
	});
	MEASURE("rdmsr", NOTHING, rdmsr(msr));
	MEASURE("wrmsr", NOTHING, wrmsr(msr, 0));
	MEASURE("tpr", NOTHING, wrmsr(X2(APIC_TPR), __i & 1 ? 0x10 : 0));
	wrmsr(X2(APIC_TPR), 0);
}

static void measure_irq(void)
{
	u64 deadline, ticks = TIMER_US * tsc_khz() / 1000;

	trap_handler(VECTOR, on_interrupt);
	trap_handler(TIMER_VECTOR, on_timer);
	MEASURE_TO("self_ipi", entered = 0, entered, {
		wrmsr(X2(APIC_SELF), VECTOR);
		sti_nop_cli();
	});
	MEASURE_TO("eoi", wrmsr(X2(APIC_SELF), VECTOR); sti_nop_cli(), __start + ended, NOTHING);
	wrmsr(X2(APIC_LVTT), LVTT_DEADLINE | TIMER_VECTOR);
	MEASURE("timer_set", NOTHING, wrmsr(MSR_TSC_DEADLINE, ~0ull >> 1));
	/* How late it is: what comes before falls into the time that is waited for. */
	MEASURE_TO("hlt_timer", {
		entered = 0;
		deadline = rdtsc() + ticks;
		wrmsr(MSR_TSC_DEADLINE, deadline);
		sleep();
	}, entered - deadline + __start, NOTHING);
	MEASURE_TO("timer_running", {
		entered = 0;
		deadline = rdtsc() + ticks;
		wrmsr(MSR_TSC_DEADLINE, deadline);
		sti();
		while (!entered)
			;
		cli();
	}, entered - deadline + __start, NOTHING);
}

static void measure_devices(void)
{
	volatile u32 *ioapic = (u32 *)IOAPIC_WINDOW, *device = (u32 *)TD_MMIO;

	MEASURE("pio_kernel", NOTHING, outb(kernel_port, 0));
	MEASURE("pio_user", NOTHING, outb(TD_LATCH, 0));
	MEASURE("doorbell", NOTHING, outl(TD_DOORBELL, 0));
	MEASURE("mmio_kernel", NOTHING, *ioapic = 0);
	MEASURE("mmio_user", NOTHING, *device = 0);
}

static void measure_memory(void)
{
	/* Not alloc_pages(): it would touch them. RAM behind all that the guest uses. */
	page = (u8 *)(ram_top() - (WARM + ROUNDS) * PAGE_SIZE);
	MEASURE("touch_4k", NOTHING, *(volatile u8 *)(page + __i * PAGE_SIZE) = 1);
	MEASURE("map_present", testdev_unmap((u64)page), *(volatile u8 *)page = 1);
}

static void measure_huge(void)
{
	u64 start;

	page = (u8 *)((ram_top() & -HUGE_SIZE) - (HUGE_WARM + HUGE_ROUNDS) * HUGE_SIZE);
	MEASURE_TIMES("touch_2m", HUGE_WARM, HUGE_ROUNDS, NOTHING,
		      *(volatile u8 *)(page + __i * HUGE_SIZE) = 1);
	start = rdtsc();
	*(volatile u8 *)(page + HUGE_SIZE - 1) = 1;
	/* Far less than a page fault. */
	ok(rdtsc() - start < 200, "2 MiB are there at once");
}

void guest_main(void)
{
	kernel_port = arg_u64("kernel_port", POST_PORT);
	if (!have_testdev())
		guest_skip_all("no test device");
	apic_setup();
	if (!apic_go_x2())
		guest_die("no x2APIC");
	tsc_khz();
	cli();
	measure_begin();
	if (arg_u64("huge", 0)) {
		measure_huge();
		return;
	}
	measure_cpu();
	measure_irq();
	measure_devices();
	measure_memory();
	ok(true, "all was measured");
}
