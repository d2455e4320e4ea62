// SPDX-License-Identifier: GPL-2.0
/* create, list, monitor: VMs as objects. */
#include <errno.h>
#include <inttypes.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvadm.h"
#include "names.h"
#include "signals.h"

static const struct argp_option json_options[] = {
	{ "json", 'j', NULL, 0, "print JSON: base units, stable keys", 0 }, { 0 }
};

void show_vm(struct hv_out *out, const struct hv_vm *vm)
{
	hv_out_number(out, "id", vm->id, HV_AS_NUMBER);
	hv_out_text(out, "name", vm->name);
	hv_out_text(out, "state", hv_state_name(vm->state));
	hv_out_text(out, "reason", hv_reason_name(vm->reason));
	if (*vm->error && !hv_out_in_table(out))
		hv_out_text(out, "error", vm->error);
	hv_out_number(out, "vcpus", vm->vcpus, HV_AS_NUMBER);
	hv_out_number(out, "memory", vm->memory, HV_AS_EXACT_SIZE);
	if (vm->console < 0) {
		hv_out_none(out, "console");
	} else {
		char path[32];

		snprintf(path, sizeof(path), "/dev/ttyHV%d", vm->console);
		hv_out_text(out, "console", path);
	}
	hv_out_number(out, "age", vm->age, HV_AS_TIME);
	if (vm->state == HVMM_STATE_STOPPED)
		hv_out_none(out, "uptime");
	else
		hv_out_number(out, "uptime", vm->uptime, HV_AS_TIME);
	show_quota(out, &vm->quota);
}

struct create {
	struct vm_options vm;
	bool json;
};

static error_t parse_create(int key, char *arg, struct argp_state *state)
{
	struct create *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->vm;
		break;
	case 'j':
		c->json = true;
		break;
	case ARGP_KEY_ARG:
		if (c->vm.name)
			argp_error(state, "more than one name");
		c->vm.name = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a name is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int verb_create(int argc, char **argv)
{
	static const struct argp_child children[] = { { &vm_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.options = json_options,
		.parser = parse_create,
		.args_doc = "NAME",
		.doc = "Create a VM. It is stopped; 'hvadm start' loads its images and starts it.\n"
		       "The images are checked now, and read when the VM is started.",
		.children = children,
	};
	struct create c = { .json = false };
	struct hv_error err;
	struct hv_nl nl;
	struct hv_vm vm;
	sigset_t old;
	int ret;

	vm_options_init(&c.vm);
	argp_parse(&argp, argc, argv, 0, NULL, &c);
	if (vm_options_check(&c.vm, &err) || hv_nl_open(&nl, &err)) {
		hv_config_free(&c.vm.config);
		return complain(NULL, &err);
	}
	/* An interruption must not leave a VM that has not got all it was to have. */
	hv_signals_block(NULL, &old);
	ret = hv_vm_new(&nl, c.vm.name, c.vm.vcpus, c.vm.memory, c.vm.prealloc, &c.vm.config,
			&c.vm.quota, &vm, &err);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (!ret && c.json) {
		struct hv_out *out = hv_out_open(stdout, true);

		hv_out_object(out, NULL);
		show_vm(out, &vm);
		hv_out_object_end(out);
		hv_out_close(out);
	}
	hv_nl_close(&nl);
	hv_config_free(&c.vm.config);
	return ret ? complain(c.vm.name, &err) : HV_OK;
}

static error_t parse_json(int key, char *arg, struct argp_state *state)
{
	bool *json = state->input;

	switch (key) {
	case 'j':
		*json = true;
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "no arguments are taken");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int verb_list(int argc, char **argv)
{
	static const struct argp argp = {
		.options = json_options,
		.parser = parse_json,
		.doc = "List the VMs.",
	};
	struct hv_vm *vms = NULL;
	struct hv_error err;
	struct hv_out *out;
	bool json = false;
	struct hv_nl nl;
	size_t count, i;

	argp_parse(&argp, argc, argv, 0, NULL, &json);
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	if (hv_vm_list(&nl, &vms, &count, &err)) {
		hv_nl_close(&nl);
		return complain(NULL, &err);
	}
	out = hv_out_open(stdout, json);
	hv_out_list(out, NULL);
	for (i = 0; i < count; i++) {
		hv_out_object(out, NULL);
		show_vm(out, &vms[i]);
		hv_out_object_end(out);
	}
	hv_out_list_end(out);
	hv_out_close(out);
	free(vms);
	hv_nl_close(&nl);
	return HV_OK;
}

/* How hvmm uses the pCPUs has changed. */
static int show_host_event(const struct nlmsghdr *nlh, bool json, struct hv_error *err)
{
	char share[HV_CPU_TEXT];
	struct hv_host host;
	struct hv_out *out;

	if (hv_host_parse(nlh, &host, err))
		return -1;
	if (json) {
		out = hv_out_open(stdout, true);
		hv_out_compact(out);
		hv_out_object(out, NULL);
		hv_out_text(out, "event", "pcpu");
		show_host(out, &host);
		hv_out_object_end(out);
		hv_out_close(out);
	} else {
		printf("host: %u pCPUs used, host share %s\n",
		       (unsigned int)host.counts[HVMM_A_HOST_PCPUS],
		       hv_format_cpu_share(share, host.counts[HVMM_A_HOST_HOST_SHARE]));
	}
	fflush(stdout);
	return 0;
}

/* A policy of the scheduler was taken out. */
static int show_policy_event(const struct nlmsghdr *nlh, bool json, struct hv_error *err)
{
	struct hv_policy policy;
	struct hv_out *out;

	if (hv_policy_parse(nlh, &policy, err))
		return -1;
	if (json) {
		out = hv_out_open(stdout, true);
		hv_out_compact(out);
		hv_out_object(out, NULL);
		hv_out_text(out, "event", "policy");
		hv_out_number(out, "domain", policy.domain, HV_AS_NUMBER);
		hv_out_text(out, "policy", policy.name);
		hv_out_text(out, "why", policy.why);
		hv_out_object_end(out);
		hv_out_close(out);
	} else {
		printf("host: scheduling policy %s %s: taken out in domain %u\n", policy.name,
		       policy.why, policy.domain);
	}
	fflush(stdout);
	return 0;
}

static void print_quota(const struct hv_quota *q)
{
	char max[HV_CPU_TEXT], min[HV_CPU_TEXT], mem[HV_UNIT_TEXT];
	char *cpus = hv_format_cpus(&q->affinity);

	printf(" cpu-weight %u, cpu-max %s, cpu-min %s, cpu-affinity %s", q->weight,
	       hv_format_cpu_max(max, q->max, q->period), hv_format_cpu_share(min, q->min), cpus);
	if (q->burst)
		printf(", cpu-burst %s", hv_format_span(mem, q->burst));
	if (q->mem_max)
		printf(", mem-max %s", hv_format_exact_size(mem, q->mem_max));
	if (q->mem_high)
		printf(", mem-high %s", hv_format_exact_size(mem, q->mem_high));
	if (q->mem_min)
		printf(", mem-min %s", hv_format_exact_size(mem, q->mem_min));
	printf(", holds %s", hv_format_size(mem, q->mem_held));
	free(cpus);
}

static int show_event(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	const struct genlmsghdr *genl = nlmsg_data(nlh);
	const bool *json = arg;
	const char *event;
	struct hv_vm vm;

	switch (genl->cmd) {
	case HVMM_CMD_VM_NEW_NTF:
		event = "created";
		break;
	case HVMM_CMD_VM_DEL_NTF:
		event = "destroyed";
		break;
	case HVMM_CMD_VM_STATE_NTF:
		event = "state";
		break;
	case HVMM_CMD_VM_SET_NTF:
		event = "quota";
		break;
	case HVMM_CMD_VM_MEMORY_NTF:
		event = "memory";
		break;
	case HVMM_CMD_PCPU_SET_NTF:
		return show_host_event(nlh, *json, err);
	case HVMM_CMD_PCPU_POLICY_NTF:
		return show_policy_event(nlh, *json, err);
	default:
		return 0;
	}
	if (hv_vm_parse(nlh, &vm, err))
		return -1;
	if (*json) {
		struct hv_out *out = hv_out_open(stdout, true);

		hv_out_compact(out);
		hv_out_object(out, NULL);
		hv_out_text(out, "event", event);
		show_vm(out, &vm);
		hv_out_object_end(out);
		hv_out_close(out);
	} else {
		printf("%s: %s", vm.name, event);
		if (genl->cmd == HVMM_CMD_VM_STATE_NTF)
			printf(" %s (%s)%s%s", hv_state_name(vm.state), hv_reason_name(vm.reason),
			       *vm.error ? ": " : "", vm.error);
		if (genl->cmd == HVMM_CMD_VM_SET_NTF)
			print_quota(&vm.quota);
		if (genl->cmd == HVMM_CMD_VM_MEMORY_NTF)
			printf(" (a vCPU waits for mem-max)");
		putchar('\n');
	}
	/* Readers of a pipe want each event when it happens. */
	fflush(stdout);
	return 0;
}

int verb_monitor(int argc, char **argv)
{
	static const struct argp argp = {
		.options = json_options,
		.parser = parse_json,
		.doc = "Tell of life-cycle events and changes of quotas as they happen,\n"
		       "one on a line.",
	};
	bool json = false, missed;
	struct hv_error err;
	struct pollfd pfd;
	struct hv_nl nl;

	argp_parse(&argp, argc, argv, 0, NULL, &json);
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	pfd.fd = hv_nl_listen(&nl, &err);
	if (pfd.fd >= 0 && hv_nl_listen_quotas(&nl, &err))
		pfd.fd = -1;
	pfd.events = POLLIN;
	while (pfd.fd >= 0) {
		if (poll(&pfd, 1, -1) < 0 && errno != EINTR) {
			hv_fail(&err, "poll: %s", strerror(errno));
			break;
		}
		missed = false;
		if (hv_nl_events(&nl, show_event, &json, &missed, &err))
			break;
		if (missed)
			fprintf(stderr, "hvadm: events were lost\n");
		if (ferror(stdout)) {
			hv_nl_close(&nl);
			return HV_EXIT_USAGE;
		}
	}
	hv_nl_close(&nl);
	return complain(NULL, &err);
}
