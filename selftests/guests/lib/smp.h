/* SPDX-License-Identifier: GPL-2.0 */
/* Application processors: INIT and one SIPI (vector 0) to all but self, then work by mailbox. */
#ifndef GUEST_SMP_H
#define GUEST_SMP_H

#include "cpu.h"

/* Starts all APs; the number of CPUs running, this one included. CPU 0 is the boot CPU. */
u32 smp_start(void);
void smp_call(u32 cpu, void (*fn)(void *), void *arg);
bool smp_done(u32 cpu);
/* Waits for a CPU's work to end; dies after 20 s. */
void smp_wait(u32 cpu);
/* Runs fn(number of the CPU) on all that run, this one is 0; returns when all are done. */
void smp_run(void (*fn)(void *));
u32 smp_apic_id(u32 cpu);
extern volatile u32 smp_online;

#endif
