// SPDX-License-Identifier: GPL-2.0
/* pcpu: what hvmm uses of the host's pCPUs, and what it does there. */
#include <stdio.h>
#include <stdlib.h>

#include "hvadm.h"

enum {
	OPT_SHARE = 0x100,
	OPT_USE,
	OPT_GENERATION,
};

struct pcpu_args {
	struct hv_cpus use;
	bool use_given;
	uint32_t share;
	uint32_t generation;
	bool expects;
	bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct pcpu_args *a = state->input;

	switch (key) {
	case 'j':
		a->json = true;
		break;
	case OPT_SHARE:
		if (!hv_parse_cpu_share(arg, &a->share) || a->share < HVMM_HOST_SHARE_MIN ||
		    a->share > HVMM_HOST_SHARE_MAX)
			argp_error(state, "--host-share %s: a share from 1%% to 90%% is needed",
				   arg);
		break;
	case OPT_USE:
		if (!hv_parse_cpus(arg, &a->use))
			argp_error(state, "--use %s: a list of pCPUs like 0-3,8 or all is needed",
				   arg);
		a->use_given = true;
		break;
	case OPT_GENERATION:
		if (!hv_parse_u32(arg, 0, UINT32_MAX, &a->generation))
			argp_error(state, "--generation %s: a number is needed", arg);
		a->expects = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "no arguments are taken");
		break;
	case ARGP_KEY_END:
		if (a->expects && !a->use_given && !a->share)
			argp_error(state, "nothing to change is given");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void show_pcpu(struct hv_out *out, const struct hv_pcpu *p, const struct hv_vm *vms,
		      size_t count)
{
	const uint64_t *v = p->values;
	size_t i;

	hv_out_object(out, NULL);
	hv_out_number(out, "id", v[HVMM_A_PCPU_ID], HV_AS_NUMBER);
	hv_out_bool(out, "online", v[HVMM_A_PCPU_ONLINE]);
	hv_out_bool(out, "used", v[HVMM_A_PCPU_USED]);
	hv_out_number(out, "domain", v[HVMM_A_PCPU_DOMAIN], HV_AS_NUMBER);
	hv_out_number(out, "run", v[HVMM_A_PCPU_RUN], HV_AS_TIME);
	hv_out_number(out, "host", v[HVMM_A_PCPU_HOST], HV_AS_TIME);
	hv_out_number(out, "idle", v[HVMM_A_PCPU_IDLE], HV_AS_TIME);
	hv_out_number(out, "wall", v[HVMM_A_PCPU_WALL], HV_AS_TIME);
	hv_out_number(out, "waiting", v[HVMM_A_PCPU_WAITING], HV_AS_NUMBER);
	hv_out_text(out, "policies", p->policies);
	/* It may have been destroyed since. */
	for (i = 0; p->busy && i < count && vms[i].id != v[HVMM_A_PCPU_VM]; i++)
		;
	if (p->busy && i < count) {
		hv_out_number(out, "vcpu", v[HVMM_A_PCPU_VCPU], HV_AS_NUMBER);
		hv_out_text(out, "vm", vms[i].name);
	} else {
		hv_out_none(out, "vcpu");
		hv_out_none(out, "vm");
	}
	hv_out_object_end(out);
}

static int show(struct hv_nl *nl, bool json, struct hv_error *err)
{
	struct hv_pcpu *pcpus = NULL;
	struct hv_vm *vms = NULL;
	struct hv_host host;
	struct hv_out *out;
	size_t nr_pcpus, nr_vms, i;

	if (hv_host_get(nl, &host, err) || hv_pcpus_get(nl, &pcpus, &nr_pcpus, err))
		return -1;
	if (hv_vm_list(nl, &vms, &nr_vms, err)) {
		free(pcpus);
		return -1;
	}
	out = hv_out_open(stdout, json);
	hv_out_object(out, NULL);
	hv_out_number(out, "host-share", host.counts[HVMM_A_HOST_HOST_SHARE], HV_AS_CPU_SHARE);
	hv_out_number(out, "cpu-reserved", host.counts[HVMM_A_HOST_CPU_RESERVED], HV_AS_CPU_SHARE);
	hv_out_number(out, "cpu-free", host.counts[HVMM_A_HOST_CPU_FREE], HV_AS_CPU_SHARE);
	if (json)
		hv_out_number(out, "generation", host.counts[HVMM_A_HOST_GENERATION], HV_AS_NUMBER);
	hv_out_list(out, "pcpu");
	for (i = 0; i < nr_pcpus; i++)
		show_pcpu(out, &pcpus[i], vms, nr_vms);
	hv_out_list_end(out);
	hv_out_object_end(out);
	hv_out_close(out);
	free(vms);
	free(pcpus);
	return 0;
}

int verb_pcpu(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "host-share", OPT_SHARE, "SHARE", 0,
		  "keep so much of each pCPU for the host's own tasks, 1% to 90% (10%)", 0 },
		{ "use", OPT_USE, "LIST", 0, "run vCPUs on these pCPUs only, as 0-3,8 or all (all)",
		  0 },
		{ "generation", OPT_GENERATION, "N", 0,
		  "only if no quota has been changed since pcpu -j told this number", 0 },
		{ "json", 'j', NULL, 0, "print JSON: ns, millionths, stable keys", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Show what hvmm does on the host's pCPUs, or choose what it uses of them:\n"
		       "all that is asked for is done, or nothing.",
	};
	struct pcpu_args a = { .json = false };
	struct hv_error err;
	struct hv_nl nl;
	int ret = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	if (a.use_given || a.share)
		ret = hv_pcpu_set(&nl, a.use_given ? &a.use : NULL, a.share,
				  a.expects ? &a.generation : NULL, &err);
	if (!ret && (a.json || (!a.use_given && !a.share)))
		ret = show(&nl, a.json, &err);
	hv_nl_close(&nl);
	return ret ? complain(NULL, &err) : HV_OK;
}
