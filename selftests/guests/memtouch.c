// SPDX-License-Identifier: GPL-2.0
/*
 * Touches RAM one word a page and verifies it. touch=N: so many MiB (default 16), as far as RAM
 * goes; aux=N: TSC_AUX has that value all the while; hold=1: then HLT for ever with the pages
 * held.
 */
#include "lib/guest.h"

static u64 pattern(u64 a)
{
	return a * 0x9e3779b97f4a7c15ull ^ a >> 7;
}

static u32 tsc_aux(void)
{
	u32 lo, hi, aux;

	__asm__ __volatile__("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
	return aux;
}

void guest_main(void)
{
	u64 want = arg_u64("touch", 16) << 20, top = ram_top(), start = 16 << 20, a, bad = 0, n = 0;
	u64 aux = arg_u64("aux", 0), other = 0;
	volatile u64 *zero = (volatile u64 *)0;

	/* The compiler knows that a null pointer is not to be used; the CPU does not. */
	__asm__("" : "+r"(zero));
	zero[1] = 0x1122334455667788;
	zero[511] = 0x8877665544332211;
	ok(zero[1] == 0x1122334455667788 && zero[511] == 0x8877665544332211,
	   "page 0 is RAM and can be written");
	if (aux)
		wrmsr(MSR_TSC_AUX, aux);
	if (start + want > top)
		want = top > start ? top - start : 0;
	for (a = start; a < start + want; a += PAGE_SIZE) {
		if (*(volatile u64 *)a)
			n++;
		*(volatile u64 *)a = pattern(a);
		other += aux && tsc_aux() != aux;
	}
	ok_eq(n, 0, "RAM is zero before it is touched");
	if (aux)
		ok_eq(other, 0, "TSC_AUX stays what it is");
	for (a = start; a < start + want; a += PAGE_SIZE)
		bad += *(volatile u64 *)a != pattern(a);
	ok_eq(bad, 0, "touched %llu pages of RAM up to 0x%llx", want >> 12, start + want);
	*(volatile u64 *)(top - 8) = 0x55aa;
	ok_eq(*(volatile u64 *)(top - 8), 0x55aa, "the last word of RAM at 0x%llx", top - 8);
	if (arg_u64("hold", 0)) {
		printf("# holding\n");
		for (;;)
			__asm__ __volatile__("cli; hlt");
	}
}
