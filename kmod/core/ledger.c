// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/string.h>
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
	/* There is one for each vCPU. */
	static_assert(sizeof(struct hvmm_ledger) <= 1024);

	seqcount_init(&ledger->seq);
	ledger->state = state;
	ledger->since = now;
	ledger->created = now;
}

bool hvmm_vcpu_state_parked(enum hvmm_vcpu_state state)
{
	return state != HVMM_VCPU_RUN && state != HVMM_VCPU_HOST && state != HVMM_VCPU_READY &&
	       state != HVMM_VCPU_CAPPED;
}

static void add_wait(struct hvmm_ledger *ledger, enum hvmm_waited kind, u64 ns, u64 now)
{
	struct hvmm_wait_stat *w = &ledger->waits[kind];
	unsigned int i = min(fls64(ns >> 10), HVMM_WAIT_BUCKETS - 1);

	w->count++;
	w->bucket[i]++;
	if (ns >= w->longest) {
		w->longest = ns;
		w->longest_end = now - ledger->created;
	}
}

/* The present state ends. */
static void close_wait(struct hvmm_ledger *ledger, u64 ns, u64 now)
{
	switch (ledger->state) {
	case HVMM_VCPU_READY:
		add_wait(ledger, HVMM_WAITED_READY, ns, now);
		break;
	case HVMM_VCPU_CAPPED:
		add_wait(ledger, HVMM_WAITED_CAPPED, ns, now);
		if (ledger->woken)
			ledger->woken_capped += ns;
		break;
	case HVMM_VCPU_HOST:
		add_wait(ledger, HVMM_WAITED_HOST, ns, now);
		break;
	case HVMM_VCPU_IO:
		add_wait(ledger, HVMM_WAITED_IO, ns, now);
		break;
	case HVMM_VCPU_MEM:
		add_wait(ledger, HVMM_WAITED_MEM, ns, now);
		break;
	default:
		break;
	}
}

/* Time from waking up until running; a wake-up that is parked again has not been one. */
static void follow_wake(struct hvmm_ledger *ledger, enum hvmm_vcpu_state state, u64 now)
{
	if (state == HVMM_VCPU_RUN) {
		if (!ledger->woken)
			return;
		add_wait(ledger, HVMM_WAITED_WAKE, now - ledger->woken, now);
		if (ledger->woken_capped)
			add_wait(ledger, HVMM_WAITED_WAKE_CAPPED, ledger->woken_capped, now);
		ledger->woken = 0;
		ledger->woken_capped = 0;
	} else if (hvmm_vcpu_state_parked(state)) {
		ledger->woken = 0;
		ledger->woken_capped = 0;
	} else if (hvmm_vcpu_state_parked(ledger->state)) {
		ledger->woken = now;
	}
}

void hvmm_ledger_switch(struct hvmm_ledger *ledger, enum hvmm_vcpu_state state, u64 now)
{
	u64 ns;

	if (ledger->state == state)
		return;

	/* Clocks of two pCPUs may be read a few ns out of order. */
	if (unlikely(now < ledger->since))
		now = ledger->since;
	ns = now - ledger->since;

	raw_write_seqcount_begin(&ledger->seq);
	ledger->ns[ledger->state] += ns;
	close_wait(ledger, ns, now);
	follow_wake(ledger, state, now);
	ledger->state = state;
	ledger->since = now;
	raw_write_seqcount_end(&ledger->seq);
}

static void read_times(const struct hvmm_ledger *ledger, struct hvmm_ledger_sample *sample)
{
	u64 since = READ_ONCE(ledger->since);
	u64 now = max(ktime_get_ns(), since);
	unsigned int i;

	sample->state = READ_ONCE(ledger->state);
	sample->wall = now - ledger->created;
	sample->since = now - since;
	for (i = 0; i < HVMM_VCPU_STATE_NR; i++)
		sample->ns[i] = READ_ONCE(ledger->ns[i]);
	if (sample->state < HVMM_VCPU_STATE_NR)
		sample->ns[sample->state] += sample->since;
}

void hvmm_ledger_read(const struct hvmm_ledger *ledger, struct hvmm_ledger_sample *sample)
{
	unsigned int seq;

	do {
		seq = raw_read_seqcount_begin(&ledger->seq);
		read_times(ledger, sample);
	} while (read_seqcount_retry(&ledger->seq, seq));
}

void hvmm_ledger_read_waits(const struct hvmm_ledger *ledger, struct hvmm_ledger_sample *sample,
			    struct hvmm_wait_stat *waits)
{
	unsigned int seq;

	do {
		seq = raw_read_seqcount_begin(&ledger->seq);
		read_times(ledger, sample);
		memcpy(waits, ledger->waits, sizeof(ledger->waits));
	} while (read_seqcount_retry(&ledger->seq, seq));
}
