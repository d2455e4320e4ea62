// SPDX-License-Identifier: GPL-2.0
/*
 * What two CPUs cost each other (lib/measure.h). Who waits does so in PAUSE: where the emulator
 * lets its CPUs take turns, that ends a turn.
 *
 *	cpus=2			IPIs, and first touches by one CPU and by both at a time
 *	cpus=2 shared=1		both have one pCPU between them: how it goes from one to the other
 */
#include "lib/guest.h"
#include "lib/trap.h"
#include "lib/apic.h"
#include "lib/smp.h"
#include "lib/measure.h"

#define VECTOR		0x51
#define WAKE_VECTOR	0x52
#define X2(reg)		(MSR_X2APIC + ((reg) >> 4))
#define REST_US		30
#define PAGES		512u
#define AREA		(PAGES * PAGE_SIZE)
#define TOUCH_ROUNDS	8u

static volatile u64 entered;
static volatile u32 stop, listening, said[2];

static void send(u32 cpu, u8 vector)
{
	wrmsr(X2(APIC_ICR), (u64)smp_apic_id(cpu) << 32 | ICR_ASSERT | vector);
}

static void on_ipi(struct regs *r)
{
	entered = rdtsc();
	wrmsr(X2(APIC_EOI), 0);
}

static void on_wake(struct regs *r)
{
	wrmsr(X2(APIC_EOI), 0);
}

static void go_x2(void *arg)
{
	if (!apic_go_x2())
		guest_die("no x2APIC");
}

static void listen(void *arg)
{
	listening = 1;
	sti();
	while (!stop)
		pause();
	cli();
}

static void listen_halted(void *arg)
{
	listening = 1;
	while (!stop) {
		sti_hlt();
		cli();
	}
}

static void begin(void (*fn)(void *))
{
	stop = 0;
	listening = 0;
	smp_call(1, fn, NULL);
	while (!listening)
		pause();
}

static void end(void)
{
	stop = 1;
	send(1, VECTOR);
	smp_wait(1);
}

/*
 * Each IPI after a rest: TCG may deliver one twice, and the other CPU must have halted again, and
 * its pCPU gone to rest.
 */
static void measure_ipi(void)
{
	trap_handler(VECTOR, on_ipi);
	begin(listen);
	MEASURE_TO("ipi_running", spin_us(REST_US); entered = 0, entered, {
		send(1, VECTOR);
		while (!entered)
			pause();
	});
	end();
	begin(listen_halted);
	MEASURE_TO("ipi_halted", spin_us(REST_US); entered = 0, entered, {
		send(1, VECTOR);
		while (!entered)
			pause();
	});
	end();
}

static void say(u32 cpu, u32 what)
{
	said[cpu] = what;
	send(!cpu, WAKE_VECTOR);
}

static void hear(u32 cpu, u32 what)
{
	while (said[cpu] < what) {
		sti_hlt();
		cli();
	}
}

static void answer(void *arg)
{
	u32 i;

	for (i = 1; i <= WARM + ROUNDS; i++) {
		hear(0, i);
		say(1, i);
	}
}

/* Each wakes the other and halts: to and fro are two switches. */
static void measure_switch(void)
{
	u32 i;

	trap_handler(WAKE_VECTOR, on_wake);
	smp_call(1, answer, NULL);
	for (i = 1; i <= WARM + ROUNDS; i++) {
		u64 start = rdtsc();

		say(0, i);
		hear(1, i);
		if (i > WARM)
			measured[i - WARM - 1] = rdtsc() - start;
	}
	smp_wait(1);
	measure_report("vcpu_switch", ROUNDS, 2);
}

static void touch(void *arg)
{
	volatile u8 *p = arg;
	u32 i;

	for (i = 0; i < PAGES; i++)
		p[i * PAGE_SIZE] = 1;
}

static u64 touch_alone(u8 *area)
{
	u64 start = rdtsc();

	touch(area);
	return rdtsc() - start;
}

static u64 touch_both(u8 *areas)
{
	u64 start = rdtsc();

	smp_call(1, touch, areas);
	touch(areas + AREA);
	while (!smp_done(1))
		pause();
	return rdtsc() - start;
}

static void report_touch(const char *name, u64 ticks, u32 pages)
{
	printf("bench %s %u %llu\n", name, TOUCH_ROUNDS, ticks / pages);
}

/*
 * Behind all RAM that the guest uses. The least of some rounds: the host's timers hit most, and
 * its allocator refills its lists in the middle of some.
 */
static void measure_touch(void)
{
	u8 *area = (u8 *)((ram_top() & -(2ull << 20)) - 3 * TOUCH_ROUNDS * AREA);
	u64 alone = ~0ull, both = ~0ull;
	u32 i;

	for (i = 0; i < TOUCH_ROUNDS; i++, area += 3 * AREA) {
		u64 ticks = touch_alone(area);

		if (ticks < alone)
			alone = ticks;
		ticks = touch_both(area + AREA);
		if (ticks < both)
			both = ticks;
	}
	report_touch("touch_1vcpu", alone, PAGES);
	report_touch("touch_2vcpus", both, 2 * PAGES);
}

void guest_main(void)
{
	if (!ok_eq(smp_start(), 2, "two CPUs"))
		return;
	tsc_khz();
	go_x2(NULL);
	smp_call(1, go_x2, NULL);
	smp_wait(1);
	cli();
	measure_begin();
	if (arg_u64("shared", 0)) {
		measure_switch();
		return;
	}
	measure_ipi();
	measure_touch();
}
