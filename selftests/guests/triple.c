// SPDX-License-Identifier: GPL-2.0
/*
 * Triple fault: the machine resets, the image is loaded again, RAM outside it keeps its contents.
 * Argument how=idt (default: a limit of 0), how=paging, how=kbd (port 0x64).
 */
#include "lib/guest.h"
#include "lib/trap.h"

#define MAGIC 0x6b7a1d5e2f3c4b90ull

static int in_data = 42;

void guest_main(void)
{
	volatile u64 *mark = (volatile u64 *)(ram_top() / 2 & PAGE_MASK);
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	if (mark[0] == MAGIC) {
		mark[0] = 0;
		ok_eq(mark[1], 1, "second boot");
		ok_eq(in_data, 42, "the image was loaded again");
		ok(!(rdmsr(MSR_EFER) & EFER_SVME), "EFER is sane");
		return;
	}
	mark[0] = MAGIC;
	mark[1] = 1;
	in_data = 7;
	diag("first boot, RAM ends at 0x%llx", ram_top());
	/* What a reset must bring back: leave as much as possible in an odd state. */
	write_dr7(0x400 | 3);
	write_dr0(0x400000);
	wrmsr(MSR_KERNEL_GS_BASE, 0x12345000);
	write_cr8(15);
	if (arg_is("how", "kbd"))
		outb(0x64, 0xfe);
	else if (arg_is("how", "paging"))
		write_cr3(ram_top() - PAGE_SIZE);
	__asm__ __volatile__("lidt %0; ud2" :: "m"(none));
	ok(false, "the machine was reset");
}
