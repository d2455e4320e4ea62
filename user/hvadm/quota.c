// SPDX-License-Identifier: GPL-2.0
/* set, and what all verbs have to do with quotas. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvadm.h"

enum {
	OPT_WEIGHT = 0x300,
	OPT_MAX,
	OPT_BURST,
	OPT_MIN,
	OPT_AFFINITY,
	OPT_MEM_MAX,
	OPT_GENERATION,
};

static const struct argp_option options[] = {
	{ "cpu-weight", OPT_WEIGHT, "N", 0,
	  "share of pCPU time that others want too, 1 to 10000 (100)", 0 },
	{ "cpu-max", OPT_MAX, "CAP", 0, "cap, as 150%, 1.5, 15ms/10ms or max (max)", 0 },
	{ "cpu-burst", OPT_BURST, "TIME", 0, "unused time of the cap that can be saved up (0)", 0 },
	{ "cpu-min", OPT_MIN, "SHARE", 0, "reservation, as 30% or 0.3 of a pCPU (0)", 0 },
	{ "cpu-affinity", OPT_AFFINITY, "LIST", 0, "pCPUs that it may use, as 0-3,8 or all (all)",
	  0 },
	{ "mem-max", OPT_MEM_MAX, "SIZE", 0,
	  "memory of the host that it may hold, as 512M or max (max)", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct hv_quota *q = state->input;

	switch (key) {
	case OPT_WEIGHT:
		if (!hv_parse_u32(arg, 1, HVMM_CPU_WEIGHT_MAX, &q->weight))
			argp_error(state, "--cpu-weight %s: a number from 1 to %d is needed", arg,
				   HVMM_CPU_WEIGHT_MAX);
		q->given |= 1U << HVMM_A_VM_CPU_WEIGHT;
		break;
	case OPT_MAX:
		if (!hv_parse_cpu_max(arg, &q->max, &q->period))
			argp_error(
				state,
				"--cpu-max %s: a cap like 150%%, 1.5, 15ms/10ms or max is needed",
				arg);
		q->given |= 1U << HVMM_A_VM_CPU_MAX;
		if (q->period)
			q->given |= 1U << HVMM_A_VM_CPU_PERIOD;
		else
			q->given &= ~(1U << HVMM_A_VM_CPU_PERIOD);
		break;
	case OPT_BURST:
		if (!hv_parse_time(arg, &q->burst))
			argp_error(state, "--cpu-burst %s: a time like 20ms is needed", arg);
		q->given |= 1U << HVMM_A_VM_CPU_BURST;
		break;
	case OPT_MIN:
		if (!hv_parse_cpu_share(arg, &q->min))
			argp_error(state,
				   "--cpu-min %s: a share of a pCPU like 30%% or 0.3 is needed",
				   arg);
		q->given |= 1U << HVMM_A_VM_CPU_MIN;
		break;
	case OPT_AFFINITY:
		if (!hv_parse_cpus(arg, &q->affinity))
			argp_error(state,
				   "--cpu-affinity %s: a list of pCPUs like 0-3,8 or all is needed",
				   arg);
		q->given |= 1U << HVMM_A_VM_CPU_AFFINITY;
		break;
	case OPT_MEM_MAX:
		q->mem_max = 0;
		if (strcmp(arg, "max") &&
		    (!hv_parse_size(arg, &q->mem_max) || !q->mem_max || q->mem_max % 4096))
			argp_error(state,
				   "--mem-max %s: a multiple of 4K like 512M, or max is needed",
				   arg);
		q->given |= 1U << HVMM_A_VM_MEM_MAX;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp quota_argp = { .options = options, .parser = parse };

void show_cpus(struct hv_out *out, const char *key, const struct hv_cpus *cpus)
{
	unsigned int cpu;
	char *text;

	if (!hv_out_is_json(out)) {
		text = hv_format_cpus(cpus);
		hv_out_text(out, key, text);
		free(text);
		return;
	}
	if (!cpus->len) {
		hv_out_none(out, key);
		return;
	}
	hv_out_list(out, key);
	for (cpu = 0; cpu < HV_CPUS_MAX; cpu++)
		if (hv_cpus_has(cpus, cpu))
			hv_out_number(out, NULL, cpu, HV_AS_NUMBER);
	hv_out_list_end(out);
}

void show_quota(struct hv_out *out, const struct hv_quota *q)
{
	char text[HV_CPU_TEXT];

	hv_out_number(out, "cpu-weight", q->weight, HV_AS_NUMBER);
	if (!hv_out_is_json(out)) {
		hv_out_text(out, "cpu-max", hv_format_cpu_max(text, q->max, q->period));
	} else {
		if (q->max)
			hv_out_number(out, "cpu-max", q->max, HV_AS_NUMBER);
		else
			hv_out_none(out, "cpu-max");
		hv_out_number(out, "cpu-period", q->period, HV_AS_NUMBER);
	}
	hv_out_number(out, "cpu-burst", q->burst, HV_AS_SPAN);
	hv_out_number(out, "cpu-min", q->min, HV_AS_CPU_SHARE);
	show_cpus(out, "cpu-affinity", &q->affinity);
	if (q->mem_max)
		hv_out_number(out, "mem-max", q->mem_max, HV_AS_SIZE);
	else if (hv_out_is_json(out))
		hv_out_none(out, "mem-max");
	else
		hv_out_text(out, "mem-max", "max");
	if (hv_out_is_json(out)) {
		hv_out_number(out, "cpu-stall", q->stall, HV_AS_SPAN);
		hv_out_number(out, "generation", q->generation, HV_AS_NUMBER);
	}
}

struct set {
	struct hv_quota quota;
	char **names;
	int count;
	bool expects;
	uint32_t generation;
};

static error_t parse_set(int key, char *arg, struct argp_state *state)
{
	struct set *s = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &s->quota;
		break;
	case OPT_GENERATION:
		if (!hv_parse_u32(arg, 0, UINT32_MAX, &s->generation))
			argp_error(state, "--generation %s: a number is needed", arg);
		s->expects = true;
		break;
	case ARGP_KEY_ARGS:
		s->names = state->argv + state->next;
		s->count = state->argc - state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a name is needed");
		break;
	case ARGP_KEY_END:
		if (!s->quota.given)
			argp_error(state, "nothing to change is given");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int verb_set(int argc, char **argv)
{
	static const struct argp_option set_options[] = {
		{ "generation", OPT_GENERATION, "N", 0,
		  "only if no quota has been changed since list -j told this number", 1 },
		{ 0 }
	};
	static const struct argp_child children[] = { { &quota_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = set_options,
		.parser = parse_set,
		.args_doc = "NAME...",
		.doc = "Change the quotas of VMs, whatever their state, all at one instant,\n"
		       "or none if one is refused. What is not given stays as it is.",
		.children = children,
	};
	struct set s = { .count = 0 };
	struct hv_error err;
	struct hv_nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &s);
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	ret = hv_quota_set(&nl, s.names, s.count, &s.quota, s.expects ? &s.generation : NULL, &err);
	hv_nl_close(&nl);
	if (!ret && *err.text)
		fprintf(stderr, "hvadm: %s\n", err.text);
	return ret ? complain(NULL, &err) : HV_OK;
}
