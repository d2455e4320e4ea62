// SPDX-License-Identifier: GPL-2.0
/*
 * FLDENV beside exits, on all CPUs: rounds=N (20000) times a CPUID between some FLDENV. An FPU that
 * is loaded on one CPU must not touch another that enters or leaves a guest: QEMU's TCG loses
 * flags of the first CPU there when it is not mended (selftests/hosts/qemu-patch).
 */
#include "lib/guest.h"
#include "lib/smp.h"
#include "lib/trap.h"

#define PER_ROUND	64

static struct {
	u64 rounds, wrong;
} __aligned(64) done[MAX_CPUS];
static struct cpuid_regs want;
static u64 rounds;

static void work(void *arg)
{
	u32 cpu = this_cpu(), i;
	u8 env[28];
	struct cpuid_regs r;

	/* MP and NE, not EM or TS: the FPU is to be used. */
	write_cr0((read_cr0() & ~0xcull) | 0x22);
	__asm__ __volatile__("fninit; fnstenv %0" : "=m"(env));
	while (done[cpu].rounds < rounds) {
		for (i = 0; i < PER_ROUND; i++)
			__asm__ __volatile__("fldenv %0" : : "m"(env));
		r = cpuid(0, 0);
		done[cpu].wrong += r.b != want.b || r.c != want.c || r.d != want.d;
		done[cpu].rounds++;
	}
}

void guest_main(void)
{
	u32 cpus = nr_cpus() > 1 ? smp_start() : 1, i;

	rounds = arg_u64("rounds", 20000);
	want = cpuid(0, 0);
	smp_run(work);
	for (i = 0; i < cpus; i++)
		ok(done[i].rounds == rounds && !done[i].wrong,
		   "CPU %u: %llu exits beside FLDENV, %llu wrong", i, done[i].rounds,
		   done[i].wrong);
}
