// SPDX-License-Identifier: GPL-2.0
/*
 * The guest: a function of this module, in the host's own address space, with interrupts off. It
 * measures as the guest "bench" does (selftests/guests/lib/measure.h).
 */
#include <linux/compiler.h>

#include <asm/msr.h>

#include "floor.h"

#define POST_PORT	0x80

#define MEASURE(op, before, ...)					\
	do {								\
		unsigned int __i;					\
									\
		for (__i = 0; __i < FLOOR_WARM + FLOOR_ROUNDS; __i++) {	\
			u64 __start, __end;				\
									\
			before;						\
			__start = rdtsc();				\
			__VA_ARGS__;					\
			__end = rdtsc();				\
			if (__i >= FLOOR_WARM)				\
				floor->ticks[op][__i - FLOOR_WARM] = __end - __start; \
		}							\
	} while (0)

#define NOTHING	((void)0)

/* Every handler but that of RDPMC does what the hypervisors do that are compared. */
static inline void ask_to_unmap(void)
{
	asm volatile("rdpmc" : : "c"(0) : "rax", "rdx", "memory");
}

void floor_guest(struct floor *floor)
{
	MEASURE(FLOOR_NOTHING, NOTHING, NOTHING);
	MEASURE(FLOOR_CPUID, NOTHING, {
		u32 a = 0, c = 0;

		asm volatile("cpuid" : "+a"(a), "+c"(c) : : "rbx", "rdx");
	});
	MEASURE(FLOOR_VMMCALL, NOTHING, asm volatile("vmmcall" : : : "rax", "memory"));
	MEASURE(FLOOR_RDMSR, NOTHING,
		asm volatile("rdmsr" : : "c"(MSR_K7_HWCR) : "rax", "rdx"));
	MEASURE(FLOOR_WRMSR, NOTHING,
		asm volatile("wrmsr" : : "c"(MSR_K7_HWCR), "a"(0), "d"(0) : "memory"));
	MEASURE(FLOOR_PIO_KERNEL, NOTHING,
		asm volatile("outb %%al, %0" : : "N"(POST_PORT), "a"(0)));
	MEASURE(FLOOR_MAP_PRESENT, ask_to_unmap(), WRITE_ONCE(*floor->page, 1));
	for (;;)
		asm volatile("hlt");
}
