// SPDX-License-Identifier: GPL-2.0
/*
 * What single operations cost, in ticks of the TSC: "bench NAME ROUNDS TICKS" for each, TICKS
 * the median of ROUNDS of them one by one, that of reading the TSC taken off. A median, because
 * the host's timer interrupts hit a few rounds. only=NAME measures one; kernel_port=N is the port
 * of pio_kernel (0x80).
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"

#define VECTOR		0x51
#define TIMER_VECTOR	0x52
#define ROUNDS		501u
#define WARM		64u
#define MSR_HWCR	0xc0010015
#define X2(reg)		(MSR_X2APIC + ((reg) >> 4))
#define NO_HYPERCALL	0x7fff
#define TIMER_US	100
#define POST_PORT	0x80
#define NOTHING		((void)0)

static u64 took[ROUNDS], nothing;
static volatile u64 entered, ended;
static u8 *page;
static u16 kernel_port;

/* Shell sort. */
static u64 median(void)
{
	u32 step, i, j;

	for (step = ROUNDS / 2; step; step /= 2)
		for (i = step; i < ROUNDS; i++) {
			u64 x = took[i];

			for (j = i; j >= step && took[j - step] > x; j -= step)
				took[j] = took[j - step];
			took[j] = x;
		}
	return took[ROUNDS / 2];
}

static bool wanted(const char *name)
{
	char only[32];

	return !arg_string("only", only, sizeof(only)) || !strncmp(only, name, sizeof(only));
}

static void report(const char *name)
{
	u64 ticks = median();

	printf("bench %s %u %llu\n", name, ROUNDS, ticks > nothing ? ticks - nothing : 0);
}

/* What is between two readings of the TSC; what comes before is not measured. */
#define MEASURE(name, before, ...)					\
	do {								\
		u32 __i;						\
									\
		for (__i = 0; wanted(name) && __i < WARM + ROUNDS; __i++) { \
			u64 __start, __end;				\
									\
			before;						\
			__start = rdtsc();				\
			__VA_ARGS__;					\
			__end = rdtsc();				\
			if (__i >= WARM)				\
				took[__i - WARM] = __end - __start;	\
		}							\
		if (wanted(name))					\
			report(name);					\
	} while (0)

/* The same, from the reading before to what a handler has left in "stamp". */
#define MEASURE_TO(name, before, stamp, ...)				\
	do {								\
		u32 __i;						\
									\
		for (__i = 0; wanted(name) && __i < WARM + ROUNDS; __i++) { \
			u64 __start;					\
									\
			before;						\
			__start = rdtsc();				\
			__VA_ARGS__;					\
			if (__i >= WARM)				\
				took[__i - WARM] = (stamp) - __start;	\
		}							\
		if (wanted(name))					\
			report(name);					\
	} while (0)

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
	cpuid(0, 0);
	MEASURE("cpuid", NOTHING, cpuid(0, 0));
	MEASURE("vmmcall", NOTHING, {
		u64 nr = NO_HYPERCALL;

		__asm__ __volatile__("vmmcall" : "+a"(nr) :: "memory");
	});
	MEASURE("rdmsr", NOTHING, rdmsr(MSR_HWCR));
	MEASURE("wrmsr", NOTHING, wrmsr(MSR_HWCR, 0));
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
	/* How late it is: what comes before falls into the time that is waited for. */
	MEASURE_TO("hlt_timer", {
		entered = 0;
		deadline = rdtsc() + ticks;
		wrmsr(MSR_TSC_DEADLINE, deadline);
		sleep();
	}, entered - deadline + __start, NOTHING);
}

static void measure_devices(void)
{
	volatile u32 *ioapic = (u32 *)IOAPIC_WINDOW, *device = (u32 *)TD_MMIO;

	MEASURE("pio_kernel", NOTHING, outb(kernel_port, 0));
	MEASURE("pio_user", NOTHING, outb(TD_LATCH, 0));
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
	MEASURE("nothing", NOTHING, NOTHING);
	nothing = took[ROUNDS / 2];
	measure_cpu();
	measure_irq();
	measure_devices();
	measure_memory();
	ok(true, "all was measured");
}
