// SPDX-License-Identifier: GPL-2.0
/* why: what a VM's vCPUs waited for. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hvadm.h"
#include "names.h"
#include "units.h"
#include "why.h"

#define WINDOW_DEFAULT 2000000000ULL
#define WINDOW_MIN     1000000ULL
#define WINDOW_MAX     86400000000000ULL

enum {
	OPT_WINDOW = 0x100,
	OPT_SINCE_START,
};

struct why_args {
	const char *name;
	bool json;
	bool since_start;
	uint64_t window;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct why_args *a = state->input;

	switch (key) {
	case 'j':
		a->json = true;
		break;
	case OPT_SINCE_START:
		a->since_start = true;
		break;
	case OPT_WINDOW:
		if (!hv_parse_time(arg, &a->window) || a->window < WINDOW_MIN ||
		    a->window > WINDOW_MAX)
			argp_error(state, "--window %s: a time from 1ms to 86400s is needed", arg);
		break;
	case ARGP_KEY_ARG:
		if (a->name)
			argp_error(state, "more than one name");
		a->name = arg;
		break;
	case ARGP_KEY_END:
		if (!a->name)
			argp_error(state, "a name is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Idle time of the host's CPUs, to a hundredth of a second (proc(5)). */
static bool read_idle(uint64_t *ns)
{
	FILE *file = fopen("/proc/stat", "re");
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), idle, iowait, sum = 0;
	unsigned int cpu;
	char line[512];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "cpu%u %*u %*u %*u %" SCNu64 " %" SCNu64, &cpu, &idle, &iowait) ==
		    3)
			sum += idle + iowait;
	fclose(file);
	*ns = sum * (1000000000 / hz);
	return true;
}

static void sample_free(struct hv_why_sample *s)
{
	free((void *)s->vcpus);
	free((void *)s->vms);
}

static int sample(struct hv_nl *nl, uint32_t id, struct hv_why_sample *s, struct hv_error *err)
{
	struct hv_vcpu *vcpus = NULL;
	struct hv_stats *stats = NULL;
	struct hv_why_vm *vms;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->idle_known = read_idle(&s->idle);
	if (hv_stats_list(nl, &stats, &s->nr_vms, err))
		return -1;
	if (hv_vcpus_get(nl, id, &vcpus, &s->nr_vcpus, err)) {
		free(stats);
		return -1;
	}
	vms = calloc(s->nr_vms + 1, sizeof(*vms));
	if (!vms) {
		free(vcpus);
		free(stats);
		return hv_fail(err, "out of memory");
	}
	for (i = 0; i < s->nr_vms; i++) {
		vms[i].id = stats[i].id;
		memcpy(vms[i].name, stats[i].name, sizeof(vms[i].name));
		vms[i].vcpus = stats[i].vcpus;
		vms[i].where = HV_WHY_WITHIN;
		vms[i].wall = stats[i].figures.wall;
		vms[i].run = stats[i].figures.ledger[HVMM_A_LEDGER_RUN];
		vms[i].host = stats[i].figures.ledger[HVMM_A_LEDGER_HOST];
	}
	free(stats);
	s->vcpus = vcpus;
	s->vms = vms;
	return 0;
}

static void wait_for(uint64_t ns)
{
	struct timespec left = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		;
}

static void show_wait(struct hv_out *out, const char *key, const struct hv_why_wait *w,
		      bool percentiles)
{
	unsigned int i;
	uint64_t end;

	hv_out_object(out, key);
	hv_out_number(out, "count", w->count, HV_AS_NUMBER);
	hv_out_number(out, "longest", w->longest, HV_AS_TIME);
	hv_out_text(out, "longest-is", hv_why_how_key(w->how));
	if (percentiles && w->count && !w->lost) {
		hv_out_number(out, "p50", w->p50, HV_AS_TIME);
		hv_out_number(out, "p99", w->p99, HV_AS_TIME);
	}
	if (!w->lost) {
		hv_out_list(out, "histogram");
		for (i = 0; i < HVMM_WAIT_BUCKETS; i++) {
			if (!w->bucket[i])
				continue;
			hv_out_object(out, NULL);
			hv_out_number(out, "from", i ? hv_why_bucket_end(i - 1) : 0, HV_AS_TIME);
			end = hv_why_bucket_end(i);
			if (end)
				hv_out_number(out, "to", end, HV_AS_TIME);
			else
				hv_out_none(out, "to");
			hv_out_number(out, "count", w->bucket[i], HV_AS_NUMBER);
			hv_out_object_end(out);
		}
		hv_out_list_end(out);
	}
	hv_out_object_end(out);
}

static void show_ledger(struct hv_out *out, const uint64_t *ledger)
{
	int i;

	hv_out_object(out, "ledger");
	for (i = 1; i <= HVMM_A_LEDGER_MAX; i++)
		hv_out_number(out, hv_ledger_names.name[i], ledger[i], HV_AS_TIME);
	hv_out_object_end(out);
}

static void show_vcpu(struct hv_out *out, const struct hv_why_vcpu *v)
{
	int i;

	hv_out_object(out, NULL);
	hv_out_number(out, "index", v->index, HV_AS_NUMBER);
	hv_out_text(out, "state", hv_cpu_state_name(v->state));
	hv_out_number(out, "wanted", v->wanted, HV_AS_TIME);
	hv_out_text(out, "cause", hv_ledger_names.name[v->cause]);
	show_ledger(out, v->ledger);
	hv_out_number(out, "wall", v->window, HV_AS_TIME);
	hv_out_object(out, "longest");
	hv_out_text(out, "is", hv_why_how_key(v->longest_how));
	if (v->longest_how == HV_WHY_NONE)
		hv_out_none(out, "cause");
	else
		hv_out_text(out, "cause", hv_ledger_names.name[v->longest_cause]);
	hv_out_number(out, "time", v->longest, HV_AS_TIME);
	hv_out_object_end(out);
	hv_out_object(out, "waits");
	for (i = 1; i <= HVMM_A_WAITS_MAX; i++)
		show_wait(out, hv_wait_names.name[i], &v->waits[i], i == HVMM_A_WAITS_WAKE);
	hv_out_object_end(out);
	hv_out_object_end(out);
}

static void show_json(const struct hv_why *why)
{
	struct hv_out *out = hv_out_open(stdout, true);
	char text[HV_WHY_TEXT];
	size_t i;

	hv_out_object(out, NULL);
	hv_out_number(out, "id", why->limits.id, HV_AS_NUMBER);
	hv_out_text(out, "name", why->limits.name);
	hv_out_text(out, "from", why->since_start ? "start" : "window");
	hv_out_number(out, "window", why->window, HV_AS_TIME);
	hv_out_number(out, "wanted", why->wanted, HV_AS_TIME);
	hv_out_text(out, "cause", hv_ledger_names.name[why->cause]);
	show_ledger(out, why->sum);
	hv_out_number(out, "wall", why->wall, HV_AS_TIME);
	hv_out_list(out, "vcpu");
	for (i = 0; i < why->nr_vcpus; i++)
		show_vcpu(out, &why->vcpus[i]);
	hv_out_list_end(out);

	hv_out_object(out, "meanwhile");
	hv_out_number(out, "pcpus", why->limits.pcpus, HV_AS_NUMBER);
	hv_out_number(out, "capacity", why->capacity, HV_AS_TIME);
	hv_out_number(out, "host", why->host, HV_AS_TIME);
	hv_out_number(out, why->idle_known ? "idle" : "no-vm", why->idle, HV_AS_TIME);
	hv_out_list(out, "vm");
	for (i = 0; i < why->nr_others; i++) {
		const struct hv_why_other *o = &why->others[i];

		hv_out_object(out, NULL);
		hv_out_number(out, "id", o->id, HV_AS_NUMBER);
		hv_out_text(out, "name", o->name);
		hv_out_text(out, "who", o->self ? "itself" : "other");
		hv_out_text(out, "run-is", o->at_most ? "at-most" : "exact");
		hv_out_number(out, "run", o->run, HV_AS_TIME);
		hv_out_object_end(out);
	}
	hv_out_list_end(out);
	hv_out_object_end(out);

	hv_out_list(out, "advice");
	for (i = 0; i < HV_ADVICE_NR; i++) {
		if (!why->advice[i])
			continue;
		hv_out_object(out, NULL);
		hv_out_text(out, "do", hv_why_advice_key((enum hv_why_advice)i));
		hv_out_text(out, "text", hv_why_advice_text(why, (enum hv_why_advice)i, text));
		hv_out_object_end(out);
	}
	hv_out_list_end(out);
	hv_out_object_end(out);
	hv_out_close(out);
}

static int explain(struct hv_nl *nl, const struct why_args *a, struct hv_error *err)
{
	struct hv_why_sample before = { 0 }, after = { 0 };
	struct hv_why_limits limits = { 0 };
	struct hv_host host;
	struct hv_why why;
	struct hv_vm vm;
	int ret = -1;

	if (hv_vm_get(nl, a->name, &vm, err) || hv_host_get(nl, &host, err))
		return -1;
	if (!a->since_start) {
		if (sample(nl, vm.id, &before, err))
			return -1;
		wait_for(a->window);
	}
	if (sample(nl, vm.id, &after, err))
		goto free;
	limits.id = vm.id;
	limits.name = vm.name;
	limits.all_pcpus = (uint32_t)host.counts[HVMM_A_HOST_PCPUS];
	limits.pcpus = limits.all_pcpus;
	hv_why_work_out(&why, &limits, a->since_start ? NULL : &before, &after);
	if (a->json)
		show_json(&why);
	else
		hv_why_print(stdout, &why);
	hv_why_free(&why);
	ret = 0;
free:
	sample_free(&before);
	sample_free(&after);
	return ret;
}

int verb_why(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "window", OPT_WINDOW, "TIME", 0, "look for so long (2s)", 0 },
		{ "since-start", OPT_SINCE_START, NULL, 0,
		  "do not wait: all of the time since the VM was created", 0 },
		{ "json", 'j', NULL, 0, "print JSON: ns, stable keys", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "NAME",
		.doc = "Tell how long each vCPU of a VM ran and what it waited for, who ran\n"
		       "meanwhile, its longest single wait, how fast it woke up, and what could\n"
		       "be changed.",
	};
	struct why_args a = { .window = WINDOW_DEFAULT };
	struct hv_error err;
	struct hv_nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	ret = explain(&nl, &a, &err);
	hv_nl_close(&nl);
	return ret ? complain(a.name, &err) : HV_OK;
}
