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
	bool window_given;
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
		a->window_given = true;
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
		if (a->since_start && a->window_given)
			argp_error(state, "--window and --since-start exclude each other");
		if (!a->name)
			argp_error(state, "a name is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* pCPUs that a quota allows, of those that there are. */
static struct hv_cpus allowed(const struct hv_quota *quota, const struct hv_cpus *there)
{
	struct hv_cpus cpus = *there;
	size_t i;

	for (i = 0; quota->affinity.len && i < there->len; i++)
		cpus.bits[i] &= i < quota->affinity.len ? quota->affinity.bits[i] : 0;
	return cpus;
}

static uint32_t count_cpus(const struct hv_cpus *cpus, const struct hv_cpus *among)
{
	uint32_t n = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < cpus->len * 8; cpu++)
		n += hv_cpus_has(cpus, cpu) && hv_cpus_has(among, cpu);
	return n;
}

/* pCPUs that run vCPUs. */
static int read_pcpus(struct hv_nl *nl, struct hv_cpus *there, struct hv_error *err)
{
	struct hv_pcpu *pcpus = NULL;
	size_t count, i;

	if (hv_pcpus_get(nl, &pcpus, &count, err))
		return -1;
	memset(there, 0, sizeof(*there));
	there->len = sizeof(there->bits);
	for (i = 0; i < count; i++) {
		const uint64_t *v = pcpus[i].values;
		uint64_t cpu = v[HVMM_A_PCPU_ID];

		if (v[HVMM_A_PCPU_ONLINE] && v[HVMM_A_PCPU_USED] && cpu < HV_CPUS_MAX)
			there->bits[cpu / 8] |= (uint8_t)(1U << cpu % 8);
	}
	free(pcpus);
	return 0;
}

/* Idle time of these of the host's CPUs, to a hundredth of a second (proc(5)). */
static bool read_idle(const struct hv_cpus *cpus, uint64_t *ns)
{
	FILE *file = fopen("/proc/stat", "re");
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK), idle, iowait, sum = 0;
	unsigned int cpu;
	char line[512];

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "cpu%u %*u %*u %*u %" SCNu64 " %" SCNu64, &cpu, &idle, &iowait) ==
			    3 &&
		    hv_cpus_has(cpus, cpu))
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

static int sample(struct hv_nl *nl, uint32_t id, const struct hv_cpus *mine,
		  struct hv_why_sample *s, struct hv_error *err)
{
	struct hv_vcpu *vcpus = NULL;
	struct hv_stats *stats = NULL;
	struct hv_why_vm *vms;
	size_t i;

	memset(s, 0, sizeof(*s));
	s->idle_known = read_idle(mine, &s->idle);
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

/* What the VMs of a sample were allowed, seen from the one in question. */
static int annotate(struct hv_nl *nl, struct hv_why_sample *s, const struct hv_cpus *there,
		    const struct hv_cpus *mine, struct hv_error *err)
{
	struct hv_why_vm *vms = (struct hv_why_vm *)s->vms;
	struct hv_vm *all = NULL;
	size_t count, i, k;

	if (hv_vm_list(nl, &all, &count, err))
		return -1;
	for (i = 0, k = 0; i < s->nr_vms; i++) {
		struct hv_cpus cpus;
		uint32_t shared;

		/* Both are in the order of numbers; it may have been destroyed since. */
		while (k < count && all[k].id < vms[i].id)
			k++;
		if (k == count || all[k].id != vms[i].id)
			continue;
		vms[i].weight = all[k].quota.weight;
		cpus = allowed(&all[k].quota, there);
		shared = count_cpus(&cpus, mine);
		if (!shared)
			vms[i].where = HV_WHY_APART;
		else if (shared < count_cpus(&cpus, there))
			vms[i].where = HV_WHY_PARTLY;
	}
	free(all);
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
		if (o->weight)
			hv_out_number(out, "cpu-weight", o->weight, HV_AS_NUMBER);
		else
			hv_out_none(out, "cpu-weight");
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
	struct hv_cpus there, mine;
	struct hv_why why;
	struct hv_vm vm;
	int ret = -1;

	if (hv_vm_get(nl, a->name, &vm, err) || read_pcpus(nl, &there, err))
		return -1;
	mine = allowed(&vm.quota, &there);
	if (!a->since_start) {
		if (sample(nl, vm.id, &mine, &before, err))
			return -1;
		wait_for(a->window);
	}
	if (sample(nl, vm.id, &mine, &after, err) || annotate(nl, &after, &there, &mine, err))
		goto free;
	limits.id = vm.id;
	limits.name = vm.name;
	limits.all_pcpus = count_cpus(&there, &there);
	limits.pcpus = count_cpus(&mine, &there);
	limits.weight = vm.quota.weight;
	limits.max_ns = vm.quota.max;
	limits.period_ns = vm.quota.period;
	limits.min_ppm = vm.quota.min;
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
