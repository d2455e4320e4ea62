// SPDX-License-Identifier: GPL-2.0
/* stat: figures. */
#include <stdio.h>
#include <stdlib.h>

#include "hvadm.h"
#include "names.h"

struct stat_args {
	const char *name;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stat_args *a = state->input;

	switch (key) {
	case 'j':
		a->json = true;
		break;
	case ARGP_KEY_ARG:
		if (a->name)
			argp_error(state, "more than one name");
		a->name = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static uint64_t sum(const uint64_t *values, int max)
{
	uint64_t total = 0;
	int i;

	for (i = 1; i <= max; i++)
		total += values[i];
	return total;
}

/* JSON has all counters; people are spared those that are zero. */
static void show_counts(struct hv_out *out, const char *key, const struct hv_names *names,
			const uint64_t *values, bool json)
{
	int i;

	hv_out_object(out, key);
	for (i = 1; i < names->count; i++)
		if (json || values[i])
			hv_out_number(out, names->name[i], values[i], HV_AS_NUMBER);
	hv_out_object_end(out);
}

/* @states: bitmap of the states to show */
static void show_ledger(struct hv_out *out, const struct hv_figures *f, uint32_t states)
{
	int i;

	for (i = 1; i < hv_ledger_names.count; i++)
		if (states & 1U << i)
			hv_out_number(out, hv_ledger_names.name[i], f->ledger[i], HV_AS_TIME);
}

/* In JSON the ledger is an object of states only, so that a reader can add them up. */
static void show_times(struct hv_out *out, const struct hv_figures *f, uint32_t states, bool json)
{
	if (json) {
		hv_out_object(out, "ledger");
		show_ledger(out, f, states);
		hv_out_object_end(out);
	} else {
		show_ledger(out, f, states);
		hv_out_number(out, "sum", sum(f->ledger, HVMM_A_LEDGER_MAX), HV_AS_TIME);
	}
	hv_out_number(out, "wall", f->wall, HV_AS_TIME);
}

static void show_vcpus(struct hv_out *out, const struct hv_vcpu *vcpus, size_t count, bool json)
{
	uint32_t states = json ? ~0U : 0;
	size_t i;
	int s;

	/* A table has the same columns in all its rows. */
	for (i = 0; i < count; i++)
		for (s = 1; s < hv_ledger_names.count; s++)
			if (vcpus[i].figures.ledger[s])
				states |= 1U << s;
	hv_out_list(out, "vcpu");
	for (i = 0; i < count; i++) {
		const struct hv_vcpu *v = &vcpus[i];

		hv_out_object(out, NULL);
		hv_out_number(out, "index", v->index, HV_AS_NUMBER);
		hv_out_text(out, "state", hv_cpu_state_name(v->state));
		if (v->pcpu < 0)
			hv_out_none(out, "pcpu");
		else
			hv_out_number(out, "pcpu", (uint64_t)v->pcpu, HV_AS_NUMBER);
		hv_out_number(out, "exits-sum", sum(v->figures.exits, HVMM_A_EXITS_MAX),
			      HV_AS_NUMBER);
		show_times(out, &v->figures, states, json);
		if (json) {
			show_counts(out, "exits", &hv_exit_names, v->figures.exits, true);
			show_counts(out, "counters", &hv_counter_names, v->figures.counters, true);
		}
		hv_out_object_end(out);
	}
	hv_out_list_end(out);
}

static int show_vm_stat(struct hv_nl *nl, const char *name, bool json, struct hv_error *err)
{
	struct hv_vcpu *vcpus = NULL;
	struct hv_stats stats;
	struct hv_out *out;
	struct hv_vm vm;
	size_t count;
	int i;

	if (hv_vm_get(nl, name, &vm, err) || hv_stats_get(nl, vm.id, &stats, err) ||
	    hv_vcpus_get(nl, vm.id, &vcpus, &count, err))
		return -1;
	out = hv_out_open(stdout, json);
	hv_out_object(out, NULL);
	show_vm(out, &vm);
	hv_out_number(out, "exits-sum", sum(stats.figures.exits, HVMM_A_EXITS_MAX), HV_AS_NUMBER);
	hv_out_object(out, "ram");
	for (i = 1; i < hv_memory_names.count; i++) {
		bool plain = i == HVMM_A_MEMORY_LARGE_PAGES || i == HVMM_A_MEMORY_WAITING;
		enum hv_out_as as = plain			? HV_AS_NUMBER
				    : i == HVMM_A_MEMORY_WINDOW ? HV_AS_SPAN
								: HV_AS_SIZE;

		hv_out_number(out, hv_memory_names.name[i], stats.memory[i], as);
	}
	hv_out_object_end(out);
	if (json)
		show_times(out, &stats.figures, ~0U, true);
	show_counts(out, "exits", &hv_exit_names, stats.figures.exits, json);
	show_counts(out, "counters", &hv_counter_names, stats.figures.counters, json);
	show_vcpus(out, vcpus, count, json);
	hv_out_object_end(out);
	hv_out_close(out);
	free(vcpus);
	return 0;
}

void show_host(struct hv_out *out, const struct hv_host *host)
{
	int i;

	hv_out_text(out, "version", host->version);
	hv_out_text(out, "vendor", host->vendor);
	for (i = HVMM_A_HOST_PCPUS; i < hv_host_names.count; i++) {
		bool share = i == HVMM_A_HOST_HOST_SHARE || i == HVMM_A_HOST_CPU_RESERVED ||
			     i == HVMM_A_HOST_CPU_FREE;

		bool time = i == HVMM_A_HOST_SCAN_TIME || i == HVMM_A_HOST_UPTIME;

		hv_out_number(out, hv_host_names.name[i], host->counts[i],
			      share  ? HV_AS_CPU_SHARE
			      : time ? HV_AS_TIME
				     : HV_AS_NUMBER);
	}
}

static int show_host_stat(struct hv_nl *nl, bool json, struct hv_error *err)
{
	struct hv_host host;
	struct hv_out *out;

	if (hv_host_get(nl, &host, err))
		return -1;
	out = hv_out_open(stdout, json);
	hv_out_object(out, NULL);
	show_host(out, &host);
	hv_out_object_end(out);
	hv_out_close(out);
	return 0;
}

int verb_stat(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "json", 'j', NULL, 0, "print JSON: bytes, ns, stable keys", 0 }, { 0 }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[NAME]",
		.doc = "Show a VM's memory, exits by reason, counters, and the ledger of each\n"
		       "vCPU's time, whose states add up to the time since its creation.\n"
		       "Without a name: figures of the host.",
	};
	struct stat_args a = { NULL, false };
	struct hv_error err;
	struct hv_nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	ret = a.name ? show_vm_stat(&nl, a.name, a.json, &err) : show_host_stat(&nl, a.json, &err);
	hv_nl_close(&nl);
	return ret ? complain(a.name, &err) : HV_OK;
}
