// SPDX-License-Identifier: GPL-2.0
/* The answers of "hvadm why" and the rows of "hvadm top", from made-up samples. */
#include <inttypes.h>
#include <string.h>

#include "tap.h"
#include "usage.h"
#include "why.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MS	      1000000ULL
#define SECOND	      (1000 * MS)

/* A made-up VM of up to four vCPUs among others, at two times. */
struct world {
	struct hv_vcpu vcpus[2][4];
	struct hv_why_vm vms[2][16];
	struct hv_why_sample sample[2];
	struct hv_why_limits limits;
};

static void world_init(struct world *w, unsigned int vcpus, unsigned int pcpus)
{
	unsigned int t, i;

	memset(w, 0, sizeof(*w));
	w->limits.id = 1;
	w->limits.name = "web";
	w->limits.pcpus = pcpus;
	w->limits.all_pcpus = pcpus;
	for (t = 0; t < 2; t++) {
		for (i = 0; i < vcpus; i++)
			w->vcpus[t][i].index = i;
		w->sample[t].vcpus = w->vcpus[t];
		w->sample[t].nr_vcpus = vcpus;
		w->sample[t].vms = w->vms[t];
		w->sample[t].nr_vms = 1;
		w->vms[t][0].id = 1;
		w->vms[t][0].vcpus = vcpus;
		strcpy(w->vms[t][0].name, "web");
	}
}

/* A vCPU spent @ns in @state between the samples; before them it had spent @old. */
static void spend(struct world *w, unsigned int i, int state, uint64_t old, uint64_t ns)
{
	struct hv_vcpu *a = &w->vcpus[0][i], *b = &w->vcpus[1][i];

	a->figures.ledger[state] += old;
	a->figures.wall += old;
	b->figures.ledger[state] += old + ns;
	b->figures.wall += old + ns;
	w->vms[0][0].wall += old;
	w->vms[1][0].wall += old + ns;
	if (state == HVMM_A_LEDGER_RUN) {
		w->vms[0][0].run += old;
		w->vms[1][0].run += old + ns;
	}
	if (state == HVMM_A_LEDGER_HOST) {
		w->vms[0][0].host += old;
		w->vms[1][0].host += old + ns;
	}
}

/* A wait that ended @at ns after the vCPU's creation, in the first sample too or not. */
static void wait_of(struct world *w, unsigned int i, int kind, uint64_t ns, uint64_t at, bool old)
{
	unsigned int bucket = 0, t;

	while (bucket < HVMM_WAIT_BUCKETS - 1 && ns >= hv_why_bucket_end(bucket))
		bucket++;
	for (t = old ? 0 : 1; t < 2; t++) {
		struct hv_wait *x = &w->vcpus[t][i].waits[kind];

		x->count++;
		x->bucket[bucket]++;
		if (ns >= x->longest) {
			x->longest = ns;
			x->longest_end = at;
		}
	}
}

static void other(struct world *w, const char *name, uint64_t run, uint64_t window,
		  enum hv_why_where where)
{
	size_t n = w->sample[0].nr_vms++;
	unsigned int t;

	w->sample[1].nr_vms++;
	for (t = 0; t < 2; t++) {
		struct hv_why_vm *vm = &w->vms[t][n];

		vm->id = (uint32_t)n + 1;
		strcpy(vm->name, name);
		vm->vcpus = 1;
		vm->weight = 100;
		vm->where = where;
		vm->wall = 5 * SECOND + t * window;
		vm->run = SECOND + t * run;
	}
}

static void idle(struct world *w, uint64_t ns)
{
	w->sample[0].idle_known = true;
	w->sample[1].idle_known = true;
	w->sample[0].idle = 77;
	w->sample[1].idle = 77 + ns;
}

/* The exact set of advice. */
static bool advises(const struct hv_why *why, unsigned int set)
{
	unsigned int i, got = 0;

	for (i = 0; i < HV_ADVICE_NR; i++)
		got |= (unsigned int)why->advice[i] << i;
	if (got != set)
		tap_diag("advice %#x, not %#x", got, set);
	return got == set;
}

static bool says(const struct hv_why *why, const char *text)
{
	char *buf = NULL;
	size_t size;
	FILE *file = open_memstream(&buf, &size);
	bool found;

	hv_why_print(file, why);
	fclose(file);
	found = strstr(buf, text);
	if (!found)
		tap_diag("no '%s' in: %s", text, buf);
	free(buf);
	return found;
}

static bool sums_are_exact(const struct hv_why *why)
{
	uint64_t all = 0;
	size_t i;
	int s;

	for (i = 0; i < why->nr_vcpus; i++) {
		uint64_t sum = 0;

		for (s = 1; s <= HVMM_A_LEDGER_MAX; s++)
			sum += why->vcpus[i].ledger[s];
		if (sum != why->vcpus[i].window)
			return false;
		all += sum;
	}
	return all == why->wall;
}

static void capped(void)
{
	struct world w;
	struct hv_why why;
	unsigned int i;

	world_init(&w, 1, 2);
	w.limits.max_ns = 5 * MS;
	w.limits.period_ns = 10 * MS;
	spend(&w, 0, HVMM_A_LEDGER_RUN, 3 * SECOND, 1000 * MS);
	spend(&w, 0, HVMM_A_LEDGER_CAPPED, 0, 920 * MS);
	spend(&w, 0, HVMM_A_LEDGER_HALTED, SECOND, 80 * MS);
	for (i = 0; i < 400; i++)
		wait_of(&w, 0, HVMM_A_WAITS_CAPPED, 2 * MS, 4 * SECOND + i * 2 * MS, false);
	wait_of(&w, 0, HVMM_A_WAITS_CAPPED, 3 * MS, 5 * SECOND, false);
	for (i = 0; i < 99; i++)
		wait_of(&w, 0, HVMM_A_WAITS_WAKE, 700, 5 * SECOND, false);
	wait_of(&w, 0, HVMM_A_WAITS_WAKE, 2 * MS, 5 * SECOND, false);
	wait_of(&w, 0, HVMM_A_WAITS_WAKE_CAPPED, 2 * MS, 5 * SECOND, false);
	idle(&w, 3 * SECOND);
	hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);

	tap_ok(sums_are_exact(&why) && why.window == 2 * SECOND, "capped: sums are exact");
	tap_ok(why.cause == HVMM_A_LEDGER_CAPPED && why.vcpus[0].cause == HVMM_A_LEDGER_CAPPED &&
	       why.vcpus[0].wanted == 1920 * MS,
	       "capped: its cause");
	tap_ok(why.vcpus[0].longest == 3 * MS && why.vcpus[0].longest_how == HV_WHY_EXACT &&
	       why.vcpus[0].longest_cause == HVMM_A_LEDGER_CAPPED,
	       "capped: its longest wait");
	tap_ok(why.vcpus[0].waits[HVMM_A_WAITS_WAKE].p50 == 1024 &&
	       why.vcpus[0].waits[HVMM_A_WAITS_WAKE].p99 == 1024 &&
	       why.vcpus[0].waits[HVMM_A_WAITS_WAKE].longest == 2 * MS,
	       "capped: from waking up to running");
	tap_ok(why.idle == 3 * SECOND && why.host == 0 && why.capacity == 4 * SECOND,
	       "capped: the rest is idle");
	tap_ok(advises(&why, 1U << HV_ADVICE_RAISE_CAP), "capped: raise the cap");
	tap_ok(says(&why, "wanted to run for 1.92 s of 2.00 s: it ran 50.0 %, waited 46.0 % ") &&
	       says(&why, "because its own cap of 50 % was used up; 4.0 % of the time it slept."),
	       "capped: in words");
	tap_ok(says(&why, "Raise --cpu-max") && says(&why, "it wanted 96 % of a pCPU"),
	       "capped: advice in words");
	tap_ok(says(&why, "1 of them held back by the cap, for up to 2.00 ms"),
	       "capped: the cap's part of a late wake-up");
	hv_why_free(&why);
}

static void crowded(void)
{
	struct world w;
	struct hv_why why;

	world_init(&w, 1, 2);
	spend(&w, 0, HVMM_A_LEDGER_RUN, 0, 500 * MS);
	spend(&w, 0, HVMM_A_LEDGER_READY, SECOND, 1500 * MS);
	wait_of(&w, 0, HVMM_A_WAITS_READY, 900 * MS, SECOND, true);
	wait_of(&w, 0, HVMM_A_WAITS_READY, 6 * MS, 3 * SECOND, false);
	other(&w, "small", 30 * MS, 2 * SECOND, HV_WHY_WITHIN);
	/* Its dump came later: a window of 2.5 s, of which 2 are ours. */
	other(&w, "greedy", 2500 * MS, 2500 * MS, HV_WHY_WITHIN);
	other(&w, "wide", 1000 * MS, 2 * SECOND, HV_WHY_PARTLY);
	other(&w, "apart", 2000 * MS, 2 * SECOND, HV_WHY_APART);
	hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);

	tap_ok(why.cause == HVMM_A_LEDGER_READY && sums_are_exact(&why), "crowded: its cause");
	tap_ok(why.nr_others == 4 && !strcmp(why.others[0].name, "greedy") &&
	       why.others[0].run == 2 * SECOND && !strcmp(why.others[1].name, "wide") &&
	       why.others[1].at_most && why.others[2].self &&
	       !strcmp(why.others[3].name, "small"),
	       "crowded: who ran, the busiest first, nobody from elsewhere");
	tap_ok(why.vcpus[0].longest == 8388608 && why.vcpus[0].longest_how == HV_WHY_AT_MOST,
	       "crowded: an older, longer wait leaves a bound");
	tap_ok(advises(&why, 1U << HV_ADVICE_RAISE_SHARE), "crowded: a greater share");
	tap_ok(says(&why, "it waited while 'greedy', 'wide' ran"), "crowded: names the culprits");
	tap_ok(says(&why, "Longest single wait: at most 8.39 ms, for a pCPU"),
	       "crowded: the bound in words");
	hv_why_free(&why);

	/* It still waits, and has for longer than anything before. */
	w.vcpus[1][0].state = HVMM_CPU_STATE_READY;
	w.vcpus[1][0].since = 950 * MS;
	w.limits.all_pcpus = 8;
	hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);
	tap_ok(why.vcpus[0].longest == 950 * MS && why.vcpus[0].longest_how == HV_WHY_STILL,
	       "crowded: a wait that goes on is the longest");
	tap_ok(advises(&why, 1U << HV_ADVICE_RAISE_SHARE | 1U << HV_ADVICE_WIDEN),
	       "crowded: on few pCPUs of many");
	tap_ok(says(&why, "2 of 8"), "crowded: how few");
	hv_why_free(&why);
}

static void own_fault(void)
{
	struct world w;
	struct hv_why why;
	unsigned int i;

	world_init(&w, 4, 2);
	for (i = 0; i < 4; i++) {
		spend(&w, i, HVMM_A_LEDGER_RUN, i * SECOND, 1000 * MS);
		spend(&w, i, HVMM_A_LEDGER_READY, SECOND, 1000 * MS);
	}
	hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);
	tap_ok(advises(&why, 1U << HV_ADVICE_FEWER_VCPUS) && sums_are_exact(&why),
	       "its own vCPUs: fewer of them");
	tap_ok(why.others[0].self && why.others[0].run == 4 * SECOND && !why.idle,
	       "its own vCPUs: nobody else ran");
	hv_why_free(&why);
}

static void others_causes(void)
{
	static const struct {
		int state;
		unsigned int advice;
		const char *words;
	} t[] = {
		{ HVMM_A_LEDGER_HOST, HV_ADVICE_HOST, "hvadm pcpu --host-share" },
		{ HVMM_A_LEDGER_IO, HV_ADVICE_DEVICE, "is its hvdm alive" },
		{ HVMM_A_LEDGER_MEM, HV_ADVICE_MEMORY, "waits for memory" },
		{ HVMM_A_LEDGER_PAUSED, HV_ADVICE_PAUSED, "hvadm resume web" },
		{ HVMM_A_LEDGER_HALTED, HV_ADVICE_SLEEPS, "it sleeps most of the time" },
		{ HVMM_A_LEDGER_OFFLINE, HV_ADVICE_SLEEPS, "not started by its guest" },
		{ HVMM_A_LEDGER_RUN, HV_ADVICE_RUNS, "as much as it wants" },
	};
	struct world w;
	struct hv_why why;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		world_init(&w, 1, 2);
		spend(&w, 0, HVMM_A_LEDGER_RUN, SECOND, 2 * MS);
		spend(&w, 0, t[i].state, 2 * SECOND, 1998 * MS);
		idle(&w, 2 * SECOND);
		hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);
		tap_ok(why.cause == t[i].state && advises(&why, 1U << t[i].advice) &&
		       says(&why, t[i].words) && sums_are_exact(&why),
	       "mostly in state %d", t[i].state);
		hv_why_free(&why);
	}
}

/* A little of a wait is not a cause: of 2 s, 19 ms are not noticed, 20 are. */
static void threshold(void)
{
	struct world w;
	struct hv_why why;
	unsigned int ms;

	for (ms = 19; ms <= 20; ms++) {
		world_init(&w, 1, 2);
		spend(&w, 0, HVMM_A_LEDGER_RUN, 0, (2000 - ms) * MS);
		spend(&w, 0, HVMM_A_LEDGER_CAPPED, 0, ms * MS);
		hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);
		tap_ok(why.cause == (ms == 19 ? HVMM_A_LEDGER_RUN : HVMM_A_LEDGER_CAPPED) &&
		       advises(&why,
			       1U << (ms == 19 ? HV_ADVICE_RUNS : HV_ADVICE_RAISE_CAP)),
	       "%u ms of 2 s", ms);
		hv_why_free(&why);
	}
}

static void late(void)
{
	struct world w;
	struct hv_why why;
	unsigned int i;

	world_init(&w, 1, 2);
	spend(&w, 0, HVMM_A_LEDGER_RUN, 0, 5 * MS);
	spend(&w, 0, HVMM_A_LEDGER_READY, 0, 15 * MS - 1);
	spend(&w, 0, HVMM_A_LEDGER_HALTED, 0, 1980 * MS + 1);
	for (i = 0; i < 50; i++)
		wait_of(&w, 0, HVMM_A_WAITS_WAKE, 100000, SECOND, false);
	wait_of(&w, 0, HVMM_A_WAITS_WAKE, 12 * MS, SECOND, false);
	hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);
	tap_ok(advises(&why, 1U << HV_ADVICE_WAKES), "late wake-ups of a sleeper: reserve");
	tap_ok(why.vcpus[0].waits[HVMM_A_WAITS_WAKE].p50 == 131072 &&
	       why.vcpus[0].waits[HVMM_A_WAITS_WAKE].p99 == 12 * MS,
	       "percentiles are not above the longest");
	hv_why_free(&why);
}

static void whole_life(void)
{
	struct world w;
	struct hv_why why;

	world_init(&w, 1, 2);
	spend(&w, 0, HVMM_A_LEDGER_RUN, SECOND, SECOND);
	spend(&w, 0, HVMM_A_LEDGER_READY, SECOND, SECOND);
	wait_of(&w, 0, HVMM_A_WAITS_READY, 900 * MS, SECOND, true);
	/* It is older: half of its life is ours. */
	other(&w, "older", 2 * SECOND, 3 * SECOND, HV_WHY_WITHIN);
	hv_why_work_out(&why, &w.limits, NULL, &w.sample[1]);
	tap_ok(why.since_start && why.window == 4 * SECOND && sums_are_exact(&why) &&
	       why.vcpus[0].longest == 900 * MS && why.vcpus[0].longest_how == HV_WHY_EXACT,
	       "since the start");
	tap_ok(why.others[1].run == 3 * SECOND / 2, "since the start: others in proportion");
	hv_why_free(&why);
}

static void wrapped(void)
{
	struct world w;
	struct hv_why why;
	int k = HVMM_A_WAITS_WAKE;

	/* Within a window a wrap is no harm. */
	world_init(&w, 1, 2);
	spend(&w, 0, HVMM_A_LEDGER_RUN, SECOND, SECOND);
	w.vcpus[0][0].waits[k] = (struct hv_wait){
		.count = UINT32_MAX,
		.longest = 9,
	};
	w.vcpus[0][0].waits[k].bucket[0] = UINT32_MAX;
	w.vcpus[1][0].waits[k] = (struct hv_wait){
		.count = UINT32_MAX + 5ULL,
		.longest = 9,
	};
	w.vcpus[1][0].waits[k].bucket[0] = 4;
	hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);
	tap_ok(!why.vcpus[0].waits[k].lost && why.vcpus[0].waits[k].count == 5 &&
	       why.vcpus[0].waits[k].bucket[0] == 5,
	       "a bucket that wraps within the window");
	hv_why_free(&why);
	hv_why_work_out(&why, &w.limits, NULL, &w.sample[1]);
	tap_ok(why.vcpus[0].waits[k].lost && !why.vcpus[0].waits[k].p99,
	       "a bucket that has wrapped before says nothing of all of life");
	hv_why_free(&why);
}

/* What does not fit together must not crash or divide by 0. */
static void nonsense(void)
{
	struct world w;
	struct hv_why why;

	world_init(&w, 1, 0);
	hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);
	tap_ok(says(&why, "did not want to run") && !why.window, "no time between the samples");
	hv_why_free(&why);
	spend(&w, 0, HVMM_A_LEDGER_RUN, 0, SECOND);
	hv_why_work_out(&why, &w.limits, &w.sample[1], &w.sample[0]);
	tap_ok(!why.window && !why.capacity, "samples in the wrong order");
	hv_why_free(&why);
	w.sample[1].nr_vcpus = 0;
	w.sample[1].nr_vms = 0;
	hv_why_work_out(&why, &w.limits, &w.sample[0], &w.sample[1]);
	tap_ok(!why.nr_vcpus && !why.nr_others && says(&why, "Meanwhile"), "nothing at all");
	hv_why_free(&why);
}

static void usage(void)
{
	struct hv_stats before[3] = { { .id = 2 }, { .id = 5 }, { .id = 9 } };
	struct hv_stats after[3] = { { .id = 5, .name = "b" },
				     { .id = 9, .name = "c" },
				     { .id = 12, .name = "a" } };
	struct hv_usage u[3];
	int k;

	before[1].figures.wall = 10 * SECOND;
	after[0].vcpus = 2;
	after[0].figures.wall = 14 * SECOND;
	before[1].figures.ledger[HVMM_A_LEDGER_RUN] = SECOND;
	after[0].figures.ledger[HVMM_A_LEDGER_RUN] = 4 * SECOND;
	before[1].figures.exits[HVMM_A_EXITS_HLT] = 7;
	after[0].figures.exits[HVMM_A_EXITS_HLT] = 107;
	after[0].figures.exits[HVMM_A_EXITS_MAX] = 50;
	after[1].memory[HVMM_A_MEMORY_HELD] = 65536;
	after[1].memory[HVMM_A_MEMORY_TOTAL] = 4096 + 8192;
	after[2].vcpus = 1;
	after[2].figures.wall = SECOND;
	after[2].figures.ledger[HVMM_A_LEDGER_RUN] = SECOND;
	after[2].figures.ledger[HVMM_A_LEDGER_CAPPED] = MS;
	hv_usage_diff(before, 3, after, 3, u);
	tap_ok(u[0].window == 2 * SECOND && u[0].ns[HVMM_A_LEDGER_RUN] == 3 * SECOND &&
	       u[0].exits == 150,
	       "top: differences of the same VM");
	tap_ok(u[2].window == SECOND && u[2].ns[HVMM_A_LEDGER_RUN] == SECOND,
	       "top: a new VM is counted from its creation");
	tap_ok(u[1].held == 12288 && !u[1].window, "top: memory");

	hv_usage_sort(u, 3, HV_USAGE_RUN);
	tap_ok(u[0].id == 5 && u[1].id == 12 && u[2].id == 9, "top: by share, not by time");
	hv_usage_sort(u, 3, HV_USAGE_NAME);
	tap_ok(u[0].id == 12 && u[1].id == 5 && u[2].id == 9, "top: by name");
	hv_usage_sort(u, 3, HV_USAGE_CAPPED);
	tap_ok(u[0].id == 12 && u[1].id == 5, "top: by cap, equals by number");
	hv_usage_sort(u, 3, HV_USAGE_MEMORY);
	tap_ok(u[0].id == 9, "top: by memory");
	hv_usage_sort(u, 3, HV_USAGE_EXITS);
	tap_ok(u[0].id == 5, "top: by exits");
	for (k = 0; k < HV_USAGE_KEYS; k++)
		if (hv_usage_key(hv_usage_key_names[k]) != (enum hv_usage_key)k)
			break;
	tap_ok(k == HV_USAGE_KEYS && hv_usage_key("w") == HV_USAGE_READY &&
	       hv_usage_key("q") == HV_USAGE_KEYS && hv_usage_key("") == HV_USAGE_KEYS &&
	       hv_usage_key("rx") == HV_USAGE_KEYS,
	       "top: keys by word and letter");
}

int main(void)
{
	tap_plan(47);
	capped();
	crowded();
	own_fault();
	others_causes();
	threshold();
	late();
	whole_life();
	wrapped();
	nonsense();
	usage();
	return tap_done();
}
