// SPDX-License-Identifier: GPL-2.0
#include <linux/timekeeping.h>

#include "core/ledger.h"

static const char * const state_names[HVMM_VCPU_STATE_NR] = {
	[HVMM_VCPU_RUN]		= "run",
	[HVMM_VCPU_READY]	= "ready",
	[HVMM_VCPU_CAPPED]	= "capped",
	[HVMM_VCPU_HALTED]	= "halted",
	[HVMM_VCPU_IO]		= "io",
	[HVMM_VCPU_MEM]		= "mem",
	[HVMM_VCPU_PAUSED]	= "paused",
	[HVMM_VCPU_HOST]	= "host",
	[HVMM_VCPU_OFFLINE]	= "offline",
};

const char *hvmm_vcpu_state_name(enum hvmm_vcpu_state state)
{
	return state < HVMM_VCPU_STATE_NR ? state_names[state] : "unknown";
}

void hvmm_ledger_init(struct hvmm_ledger *ledger, enum hvmm_vcpu_state state, u64 now)
{
	seqcount_init(&ledger->seq);
	ledger->state = state;
	ledger->since = now;
	ledger->created = now;
}

void hvmm_ledger_switch(struct hvmm_ledger *ledger, enum hvmm_vcpu_state state, u64 now)
{
	/* Clocks of two pCPUs may be read a few ns out of order. */
	if (unlikely(now < ledger->since))
		now = ledger->since;

	raw_write_seqcount_begin(&ledger->seq);
	ledger->ns[ledger->state] += now - ledger->since;
	ledger->state = state;
	ledger->since = now;
	raw_write_seqcount_end(&ledger->seq);
}

void hvmm_ledger_read(const struct hvmm_ledger *ledger, struct hvmm_ledger_sample *sample)
{
	unsigned int seq, i;
	u64 now;

	do {
		seq = raw_read_seqcount_begin(&ledger->seq);
		now = max(ktime_get_ns(), READ_ONCE(ledger->since));
		sample->state = READ_ONCE(ledger->state);
		sample->wall = now - ledger->created;
		for (i = 0; i < HVMM_VCPU_STATE_NR; i++)
			sample->ns[i] = READ_ONCE(ledger->ns[i]);
		if (sample->state < HVMM_VCPU_STATE_NR)
			sample->ns[sample->state] += now - READ_ONCE(ledger->since);
	} while (read_seqcount_retry(&ledger->seq, seq));
}
