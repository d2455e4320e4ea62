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
	OPT_MEM_HIGH,
	OPT_MEM_MIN,
	OPT_RECLAIM,
	OPT_GENERATION,
	OPT_MEMORY,
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
	{ "mem-high", OPT_MEM_HIGH, "SIZE", 0,
	  "what it may hold before memory that it does not use is taken back (max)", 0 },
	{ "mem-min", OPT_MEM_MIN, "SIZE", 0, "what is left to it then (0)", 0 },
	{ 0 }
};

/* @none: the word for no limit, or NULL */
static void parse_mem(struct argp_state *state, const char *option, const char *arg,
		      const char *none, uint64_t *size)
{
	*size = 0;
	if (none && !strcmp(arg, none))
		return;
	if (!hv_parse_size(arg, size) || (none && !*size) || *size % 4096)
		argp_error(state, "--%s %s: a multiple of 4K like 512M%s%s is needed", option, arg,
			   none ? ", or " : "", none ? none : "");
}

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
		parse_mem(state, "mem-max", arg, "max", &q->mem_max);
		q->given |= 1U << HVMM_A_VM_MEM_MAX;
		break;
	case OPT_MEM_HIGH:
		parse_mem(state, "mem-high", arg, "max", &q->mem_high);
		q->given |= 1U << HVMM_A_VM_MEM_HIGH;
		break;
	case OPT_MEM_MIN:
		parse_mem(state, "mem-min", arg, NULL, &q->mem_min);
		q->given |= 1U << HVMM_A_VM_MEM_MIN;
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

static void show_limit(struct hv_out *out, const char *key, uint64_t limit)
{
	if (limit)
		hv_out_number(out, key, limit, HV_AS_EXACT_SIZE);
	else if (hv_out_is_json(out))
		hv_out_none(out, key);
	else
		hv_out_text(out, key, "max");
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
	show_limit(out, "mem-max", q->mem_max);
	show_limit(out, "mem-high", q->mem_high);
	hv_out_number(out, "mem-min", q->mem_min, HV_AS_EXACT_SIZE);
	if (hv_out_is_json(out))
		hv_out_number(out, "mem-held", q->mem_held, HV_AS_SIZE);
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
	uint64_t reclaim;
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
	case OPT_RECLAIM:
		if (!hv_parse_size(arg, &s->reclaim) || !s->reclaim)
			argp_error(state, "--reclaim %s: a size like 64M is needed", arg);
		break;
	case OPT_MEMORY:
		argp_error(
			state,
			"--memory %s: the size of a VM's RAM is fixed while it exists; --mem-max "
			"limits what it holds of the host's memory",
			arg);
		break;
	case ARGP_KEY_ARGS:
		s->names = state->argv + state->next;
		s->count = state->argc - state->next;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a name is needed");
		break;
	case ARGP_KEY_END:
		if (!s->quota.given && !s->reclaim)
			argp_error(state, "nothing to change is given");
		if (s->expects && !s->quota.given)
			argp_error(state, "--generation goes with a quota; --reclaim changes none");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int reclaim(struct hv_nl *nl, const char *name, uint64_t bytes, struct hv_error *err)
{
	char got[HV_UNIT_TEXT], now[HV_UNIT_TEXT];
	uint64_t reclaimed, held;

	if (hv_reclaim(nl, name, bytes, &reclaimed, &held, err))
		return -1;
	printf("%s: %s reclaimed, holds %s\n", name, hv_format_size(got, reclaimed),
	       hv_format_size(now, held));
	return 0;
}

int verb_set(int argc, char **argv)
{
	static const struct argp_option set_options[] = {
		{ "generation", OPT_GENERATION, "N", 0,
		  "only if no quota has been changed since list -j told this number", 1 },
		{ "reclaim", OPT_RECLAIM, "SIZE", 0,
		  "then take so much memory back from each, what it uses least", 1 },
		/* Known for the sake of its refusal. */
		{ "memory", OPT_MEMORY, "SIZE", OPTION_HIDDEN, NULL, 0 },
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
	char text[HV_UNIT_TEXT];
	struct hv_error err;
	uint64_t reclaimed;
	struct hv_nl nl;
	int i, status, ret = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &s);
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	if (s.quota.given || s.expects) {
		ret = hv_quota_set(&nl, s.names, s.count, &s.quota,
				   s.expects ? &s.generation : NULL, &reclaimed, &err);
		if (!ret && reclaimed)
			printf("%s reclaimed\n", hv_format_size(text, reclaimed));
		if (!ret && *err.text)
			fprintf(stderr, "hvadm: %s\n", err.text);
	}
	status = ret ? complain(NULL, &err) : HV_OK;
	for (i = 0; !ret && s.reclaim && i < s.count; i++) {
		int failed = reclaim(&nl, s.names[i], s.reclaim, &err) ? complain(s.names[i], &err)
								       : HV_OK;

		status = status ?: failed;
	}
	hv_nl_close(&nl);
	return status;
}
