// SPDX-License-Identifier: GPL-2.0
/*
 * A code segment with 64-bit and 32-bit set at once: processors raise 13. TCG loads it, and then
 * refuses the next entry of the guest, which must end the VM with the reason.
 */
#include "lib/guest.h"
#include "lib/trap.h"

#define SEL_SPARE 0x48

void guest_main(void)
{
	gdt[SEL_SPARE >> 3] = 0x00ef9b000000ffffull;
	trap_clear();
	__asm__ __volatile__("mov %%rsp, %%rbx\n"
			     SAFE("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:")
			     "mov %%rbx, %%rsp"
			     :: "r"((u64)SEL_SPARE) : "rax", "rbx", "memory");
	/* An exit, and an entry. */
	cpuid(0, 0);
	if (plain_tcg())
		skip("TCG does not check this", "CS: L and D both set raise 13");
	else
		ok_eq(trap_vector(), GP_VECTOR, "CS: L and D both set raise 13");
}
