// SPDX-License-Identifier: GPL-2.0
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "run/load.h"

void hvmm_load_init(struct hvmm_load *load, u64 now)
{
	memset(load, 0, sizeof(*load));
	seqcount_init(&load->seq);
	load->started = now;
	load->since = now;
}

static void change(struct hvmm_load *load, enum hvmm_load_state state, u64 now)
{
	now = max(now, load->since);
	load->ns[load->state] += now - load->since;
	load->since = now;
	load->state = state;
}

void hvmm_load_begin(struct hvmm_load *load, u32 vm, u32 vcpu, u64 now)
{
	unsigned long flags;

	/* The preempt notifier writes on this thread too. */
	local_irq_save(flags);
	raw_write_seqcount_begin(&load->seq);
	change(load, HVMM_LOAD_RUN, now);
	load->vm = vm;
	load->vcpu = vcpu;
	raw_write_seqcount_end(&load->seq);
	local_irq_restore(flags);
}

void hvmm_load_end(struct hvmm_load *load, u64 now)
{
	unsigned long flags;

	local_irq_save(flags);
	raw_write_seqcount_begin(&load->seq);
	change(load, HVMM_LOAD_IDLE, now);
	load->vm = 0;
	raw_write_seqcount_end(&load->seq);
	local_irq_restore(flags);
}

void hvmm_load_host(struct hvmm_load *load, bool took, u64 now)
{
	if (load->state == HVMM_LOAD_IDLE)
		return;
	raw_write_seqcount_begin(&load->seq);
	change(load, took ? HVMM_LOAD_HOST : HVMM_LOAD_RUN, now);
	raw_write_seqcount_end(&load->seq);
}

void hvmm_load_read(const struct hvmm_load *load, struct hvmm_load_sample *sample)
{
	enum hvmm_load_state state;
	unsigned int seq;
	u64 now, since;

	do {
		seq = read_seqcount_begin(&load->seq);
		memcpy(sample->ns, load->ns, sizeof(sample->ns));
		state = load->state;
		since = load->since;
		sample->vm = load->vm;
		sample->vcpu = load->vcpu;
		now = max(ktime_get_ns(), since);
	} while (read_seqcount_retry(&load->seq, seq));
	sample->ns[state] += now - since;
	sample->wall = now - load->started;
}
