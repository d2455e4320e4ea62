// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "util.h"
#include "why.h"

/* Waiting under this share of the window is not worth a word: one hundredth. */
#define NOTICEABLE 100
/* A vCPU that is late by this when it wakes up has a user who notices. */
#define LATE_NS 10000000ULL

typedef unsigned __int128 u128;

/* State in which each kind of wait is spent. */
static const int state_of[HVMM_A_WAITS_MAX + 1] = {
	[HVMM_A_WAITS_READY] = HVMM_A_LEDGER_READY, [HVMM_A_WAITS_CAPPED] = HVMM_A_LEDGER_CAPPED,
	[HVMM_A_WAITS_HOST] = HVMM_A_LEDGER_HOST,   [HVMM_A_WAITS_IO] = HVMM_A_LEDGER_IO,
	[HVMM_A_WAITS_MEM] = HVMM_A_LEDGER_MEM,
};

static const int waiting[] = {
	HVMM_A_LEDGER_CAPPED, HVMM_A_LEDGER_READY, HVMM_A_LEDGER_HOST,
	HVMM_A_LEDGER_IO,     HVMM_A_LEDGER_MEM,
};

static void *need(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		exit(HV_EXIT_USAGE);
	}
	return p;
}

/* Figures only grow; a reader that is fooled must not show nonsense. */
static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

uint64_t hv_why_bucket_end(unsigned int bucket)
{
	return bucket < HVMM_WAIT_BUCKETS - 1 ? 1ULL << (10 + bucket) : 0;
}

/* Length under which @percent of the waits are. */
static uint64_t percentile(const struct hv_why_wait *w, unsigned int percent)
{
	uint64_t rank = (uint64_t)(((u128)w->count * percent + 99) / 100), seen = 0, end;
	unsigned int i;

	if (!w->count || w->lost)
		return 0;
	for (i = 0; i < HVMM_WAIT_BUCKETS; i++) {
		seen += w->bucket[i];
		if (seen >= rank)
			break;
	}
	end = hv_why_bucket_end(i);
	/* No wait is longer than the longest. */
	return end && (end < w->longest || w->how == HV_WHY_NONE) ? end : w->longest;
}

/* @start: when the window began, ns since the vCPU was created */
static void diff_wait(struct hv_why_wait *w, const struct hv_wait *before,
		      const struct hv_wait *after, uint64_t start)
{
	uint64_t end;
	uint32_t sum = 0;
	int i, top = -1;

	memset(w, 0, sizeof(*w));
	w->count = less(after->count, before->count);
	for (i = 0; i < HVMM_WAIT_BUCKETS; i++) {
		w->bucket[i] = after->bucket[i] - before->bucket[i];
		sum += w->bucket[i];
		if (w->bucket[i])
			top = i;
	}
	/* Each bucket wraps at 2^32. */
	w->lost = w->count > UINT32_MAX || sum != (uint32_t)w->count;
	if (!w->count)
		return;
	if (after->longest_end > start || w->lost || top < 0) {
		w->longest = after->longest;
		w->how = after->longest_end > start ? HV_WHY_EXACT : HV_WHY_AT_MOST;
	} else {
		end = hv_why_bucket_end((unsigned int)top);
		w->longest = end && end < after->longest ? end : after->longest;
		w->how = HV_WHY_AT_MOST;
	}
	w->p50 = percentile(w, 50);
	w->p99 = percentile(w, 99);
}

static int find_cause(const uint64_t *ledger, uint64_t window)
{
	int cause = HVMM_A_LEDGER_RUN;
	uint64_t most = 0;
	size_t i;
	int s;

	for (i = 0; i < ARRAY_SIZE(waiting); i++) {
		if (ledger[waiting[i]] > most) {
			most = ledger[waiting[i]];
			cause = waiting[i];
		}
	}
	if (most && most >= window / NOTICEABLE)
		return cause;
	for (s = 1, most = 0, cause = HVMM_A_LEDGER_RUN; s <= HVMM_A_LEDGER_MAX; s++) {
		if (ledger[s] > most) {
			most = ledger[s];
			cause = s;
		}
	}
	return cause;
}

static uint64_t wanted(const uint64_t *ledger)
{
	uint64_t sum = ledger[HVMM_A_LEDGER_RUN];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(waiting); i++)
		sum += ledger[waiting[i]];
	return sum;
}

static void find_longest(struct hv_why_vcpu *v, uint64_t since)
{
	/* Those of equal states: the ledger is numbered as the states are, from 1. */
	int now = (int)v->state + 1;
	int k;

	for (k = HVMM_A_WAITS_READY; k <= HVMM_A_WAITS_MEM; k++) {
		const struct hv_why_wait *w = &v->waits[k];

		if (w->how != HV_WHY_NONE && w->longest > v->longest) {
			v->longest = w->longest;
			v->longest_cause = state_of[k];
			v->longest_how = w->how;
		}
		if (state_of[k] == now && since > v->longest) {
			v->longest = since;
			v->longest_cause = now;
			v->longest_how = HV_WHY_STILL;
		}
	}
}

static void diff_vcpu(struct hv_why_vcpu *v, const struct hv_vcpu *before,
		      const struct hv_vcpu *after)
{
	int i;

	memset(v, 0, sizeof(*v));
	v->index = after->index;
	v->state = after->state;
	v->window = less(after->figures.wall, before->figures.wall);
	for (i = 1; i <= HVMM_A_LEDGER_MAX; i++)
		v->ledger[i] = less(after->figures.ledger[i], before->figures.ledger[i]);
	for (i = 1; i <= HVMM_A_WAITS_MAX; i++)
		diff_wait(&v->waits[i], &before->waits[i], &after->waits[i], before->figures.wall);
	v->wanted = wanted(v->ledger);
	v->cause = find_cause(v->ledger, v->window);
	find_longest(v, after->since);
}

static const struct hv_why_vm *find_vm(const struct hv_why_sample *sample, uint32_t id)
{
	size_t i;

	for (i = 0; sample && i < sample->nr_vms; i++)
		if (sample->vms[i].id == id)
			return &sample->vms[i];
	return NULL;
}

/* @ns of a VM that was looked at for @theirs, as if that had been @window. */
static uint64_t scale(uint64_t ns, uint64_t theirs, uint64_t window)
{
	/* One that is younger than the window has not run before. */
	return theirs > window ? (uint64_t)((u128)ns * window / theirs) : ns;
}

static int by_run(const void *a, const void *b)
{
	const struct hv_why_other *x = a, *y = b;

	if (x->run != y->run)
		return x->run < y->run ? 1 : -1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Who had the pCPUs: VMs, the host while one was loaded, and the rest. */
static void who_ran(struct hv_why *why, const struct hv_why_sample *before,
		    const struct hv_why_sample *after)
{
	static const struct hv_why_vm none;
	uint64_t run = 0, host = 0, rest;
	size_t i;

	why->others = need(calloc(after->nr_vms + 1, sizeof(*why->others)));
	for (i = 0; i < after->nr_vms; i++) {
		const struct hv_why_vm *b = &after->vms[i], *a = find_vm(before, b->id);
		struct hv_why_other *o = &why->others[why->nr_others];
		uint64_t theirs;

		if (b->where == HV_WHY_APART)
			continue;
		if (!a)
			a = &none;
		theirs = less(b->wall, a->wall) / (b->vcpus ? b->vcpus : 1);
		o->id = b->id;
		memcpy(o->name, b->name, sizeof(o->name));
		o->weight = b->weight;
		o->self = b->id == why->limits.id;
		o->at_most = b->where == HV_WHY_PARTLY;
		o->run = scale(less(b->run, a->run), theirs, why->window);
		run += o->run;
		host += scale(less(b->host, a->host), theirs, why->window);
		if (o->run || o->self)
			why->nr_others++;
	}
	qsort(why->others, why->nr_others, sizeof(*why->others), by_run);

	why->capacity = why->window * why->limits.pcpus;
	why->host = host;
	rest = less(why->capacity, run + host);
	why->idle = rest;
	why->idle_known = before && before->idle_known && after->idle_known;
	if (why->idle_known) {
		uint64_t idle = less(after->idle, before->idle);

		why->idle = idle < rest ? idle : rest;
		why->host += rest - why->idle;
	}
}

static bool noticeable(const struct hv_why *why, int state)
{
	return why->sum[state] && why->sum[state] >= why->wall / NOTICEABLE;
}

static bool wakes_late(const struct hv_why *why)
{
	size_t i;

	for (i = 0; i < why->nr_vcpus; i++) {
		const struct hv_why_wait *w = &why->vcpus[i].waits[HVMM_A_WAITS_WAKE];

		if (w->p99 >= LATE_NS && !why->vcpus[i].waits[HVMM_A_WAITS_WAKE_CAPPED].count)
			return true;
	}
	return false;
}

static void advise(struct hv_why *why)
{
	uint64_t others = 0, own = 0;
	bool any = false;
	size_t i;

	for (i = 0; i < why->nr_others; i++) {
		if (why->others[i].self)
			own += why->others[i].run;
		else
			others += why->others[i].run;
	}
	why->advice[HV_ADVICE_RAISE_CAP] = noticeable(why, HVMM_A_LEDGER_CAPPED);
	if (noticeable(why, HVMM_A_LEDGER_READY)) {
		why->advice[HV_ADVICE_RAISE_SHARE] = others >= why->capacity / NOTICEABLE;
		why->advice[HV_ADVICE_WIDEN] = why->limits.pcpus < why->limits.all_pcpus;
		why->advice[HV_ADVICE_FEWER_VCPUS] = own > others &&
						     why->nr_vcpus > why->limits.pcpus;
	} else if (wakes_late(why)) {
		why->advice[HV_ADVICE_WAKES] = true;
	}
	why->advice[HV_ADVICE_HOST] = noticeable(why, HVMM_A_LEDGER_HOST) ||
				      (noticeable(why, HVMM_A_LEDGER_READY) && why->idle_known &&
				       why->host >= why->capacity / 10);
	why->advice[HV_ADVICE_DEVICE] = noticeable(why, HVMM_A_LEDGER_IO);
	why->advice[HV_ADVICE_MEMORY] = noticeable(why, HVMM_A_LEDGER_MEM);
	why->advice[HV_ADVICE_PAUSED] = why->sum[HVMM_A_LEDGER_PAUSED] > why->wall / 2;
	for (i = 0; i < HV_ADVICE_NR; i++)
		any = any || why->advice[i];
	if (any)
		return;
	if (why->wanted < why->wall / 2)
		why->advice[HV_ADVICE_SLEEPS] = true;
	else
		why->advice[HV_ADVICE_RUNS] = true;
}

static const struct hv_vcpu *find_vcpu(const struct hv_why_sample *sample, uint32_t index)
{
	static const struct hv_vcpu none;
	size_t i;

	for (i = 0; sample && i < sample->nr_vcpus; i++)
		if (sample->vcpus[i].index == index)
			return &sample->vcpus[i];
	return &none;
}

void hv_why_work_out(struct hv_why *why, const struct hv_why_limits *limits,
		     const struct hv_why_sample *before, const struct hv_why_sample *after)
{
	size_t i;
	int s;

	memset(why, 0, sizeof(*why));
	why->limits = *limits;
	why->since_start = !before;
	why->nr_vcpus = after->nr_vcpus;
	why->vcpus = need(calloc(after->nr_vcpus + 1, sizeof(*why->vcpus)));
	for (i = 0; i < after->nr_vcpus; i++) {
		struct hv_why_vcpu *v = &why->vcpus[i];

		diff_vcpu(v, find_vcpu(before, after->vcpus[i].index), &after->vcpus[i]);
		for (s = 1; s <= HVMM_A_LEDGER_MAX; s++)
			why->sum[s] += v->ledger[s];
		why->wall += v->window;
		why->wanted += v->wanted;
	}
	/* The vCPUs are looked at one after another: their windows differ by microseconds. */
	why->window = why->nr_vcpus ? why->wall / why->nr_vcpus : 0;
	why->cause = find_cause(why->sum, why->wall);
	who_ran(why, before, after);
	advise(why);
}

void hv_why_free(struct hv_why *why)
{
	free(why->vcpus);
	free(why->others);
}
