// SPDX-License-Identifier: GPL-2.0
#include <linux/irq_work.h>
#include <linux/percpu.h>

#include "host/irq.h"

static void nothing(struct irq_work *work)
{
}

static DEFINE_PER_CPU(struct irq_work, self_work);

void hvmm_irq_init(void)
{
	unsigned int cpu;

	/* Not by an initializer: in a module's per-CPU data pointers stay NULL. */
	for_each_possible_cpu(cpu)
		per_cpu(self_work, cpu) = IRQ_WORK_INIT_HARD(nothing);
}

void hvmm_interrupt_self(void)
{
	/* Already queued: its interrupt is on the way. */
	irq_work_queue(this_cpu_ptr(&self_work));
}
