// SPDX-License-Identifier: GPL-2.0
/* run: a VM in the foreground, from creation to destruction. */
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "hvadm.h"
#include "session.h"
#include "signals.h"

/**
 * struct run - one run
 * @options: of the VM
 * @session: its console
 * @nl: connection
 * @id: of the VM
 * @device: talks to its device process, -1 if there is none
 * @stopped: it has stopped, for good
 * @reason: why
 * @text: more about that
 * @status: what the guest told the test device, -1 for nothing
 * @failed: something went wrong here, see @err
 * @err: what
 */
struct run {
	struct vm_options options;
	struct session session;
	struct hv_nl nl;
	uint32_t id;
	int device;
	bool stopped;
	uint32_t reason;
	char text[256];
	int status;
	bool failed;
	struct hv_error err;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct run *r = state->input;
	struct hv_error err;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->options;
		state->child_inputs[1] = &r->session;
		break;
	case 'n':
		r->options.name = arg;
		break;
	case ARGP_KEY_ARG:
		if (r->options.config.kernel)
			argp_error(state, "more than one kernel");
		if (hv_config_set_kernel(&r->options.config, arg, &err))
			argp_failure(state, HV_EXIT_USAGE, 0, "%s", err.text);
		break;
	case ARGP_KEY_END:
		if (!r->options.config.kernel)
			argp_error(state, "a kernel is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void note_state(struct run *r, const struct hv_vm *vm)
{
	if (vm->state != HVMM_STATE_STOPPED || vm->reason == HVMM_STATE_REASON_NONE)
		return;
	/* The device process starts it again. */
	if (vm->reason == HVMM_STATE_REASON_RESET && r->device >= 0 &&
	    r->options.config.on_reset == HV_ON_RESET_RESTART)
		return;
	r->stopped = true;
	r->reason = vm->reason;
	memcpy(r->text, vm->error, sizeof(r->text));
}

static int event(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	const struct genlmsghdr *genl = nlmsg_data(nlh);
	struct run *r = arg;
	struct hv_vm vm;

	if (hv_vm_parse(nlh, &vm, err))
		return -1;
	if (vm.id != r->id)
		return 0;
	if (genl->cmd == HVMM_CMD_VM_DEL_NTF) {
		r->stopped = true;
		r->reason = HVMM_STATE_REASON_REQUEST;
	} else if (genl->cmd == HVMM_CMD_VM_STATE_NTF) {
		note_state(r, &vm);
	}
	return 0;
}

static bool watcher(void *arg, int fd)
{
	struct run *r = arg;
	bool missed = false;
	struct hv_vm vm;

	if (fd == r->device) {
		int ret = device_read(fd, &r->status, &r->err);

		if (ret == 1)
			return false;
		if (ret < 0) {
			r->failed = true;
			return true;
		}
		/* It ends when the VM has stopped; its event follows or has come. */
		close(r->device);
		r->device = -1;
		r->session.watch[1] = -1;
		if (!hv_vm_get_id(&r->nl, r->id, &vm, &r->err))
			note_state(r, &vm);
		else
			r->stopped = true;
		if (r->stopped)
			return true;
		hv_fail_code(&r->err, HV_EXIT_ERROR, "the device process has died");
		r->failed = true;
		return true;
	}
	if (hv_nl_events(&r->nl, event, r, &missed, &r->err)) {
		r->failed = true;
		return true;
	}
	if (missed) {
		if (hv_vm_get_id(&r->nl, r->id, &vm, &r->err))
			r->stopped = true;
		else
			note_state(r, &vm);
	}
	return r->stopped;
}

/* What the guest told, or what became of it. */
static int result(struct run *r, enum session_end ended)
{
	if (r->failed)
		return complain(r->options.name, &r->err);
	switch (ended) {
	case SESSION_TIMEOUT:
		fprintf(stderr, "hvadm: %s: time is up\n", r->options.name);
		return HV_EXIT_TIMEOUT;
	case SESSION_ERROR:
		return complain(r->options.name, &r->err);
	case SESSION_SIGNAL:
		return HV_EXIT_USAGE;
	case SESSION_LEFT:
	case SESSION_DONE:
		return HV_OK;
	default:
		break;
	}
	if (r->device >= 0)
		device_read(r->device, &r->status, &r->err);
	if (r->status >= 0)
		return r->status;
	if (!r->session.through)
		fprintf(stderr, "hvadm: %s: the VM has stopped before the script was through\n",
			r->options.name);
	switch (r->reason) {
	case HVMM_STATE_REASON_RESET:
		fprintf(stderr, "hvadm: %s: the guest has reset itself\n", r->options.name);
		return HV_EXIT_RESET;
	case HVMM_STATE_REASON_ERROR:
		fprintf(stderr, "hvadm: %s: stopped by an error: %s\n", r->options.name, r->text);
		return HV_EXIT_ERROR;
	default:
		return r->session.through ? HV_OK : HV_EXIT_ERROR;
	}
}

static int run(struct run *r)
{
	enum session_end ended;
	struct hv_error ignored;
	struct hv_vm vm;
	int ret;

	/* From here on an interruption must not leave a VM behind; the session looks at it. */
	hv_signals_block(NULL, NULL);
	if (hv_vm_new(&r->nl, r->options.name, r->options.vcpus, r->options.memory,
		      r->options.prealloc, &r->options.config, &r->options.quota, &vm, &r->err))
		return complain(r->options.name, &r->err);
	r->id = vm.id;
	r->session.watch[0] = hv_nl_listen(&r->nl, &r->err);
	if (r->session.watch[0] < 0 || session_open(&r->session, vm.console, &r->err) ||
	    boot_vm(&r->nl, &vm, &r->device, &r->err)) {
		ret = complain(r->options.name, &r->err);
	} else {
		r->session.watch[1] = r->device;
		r->session.watcher = watcher;
		r->session.arg = r;
		ended = session_run(&r->session, &r->err);
		ret = result(r, ended);
	}
	/* Destruction hangs the console up; what it had to say has been printed. */
	hv_vm_simple(&r->nl, HVMM_CMD_VM_DEL, r->id, &ignored);
	/* It holds the VM: who comes next may want to unload the module. */
	device_end(r->device);
	return ret;
}

int verb_run(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "name", 'n', "NAME", 0, "name of the VM (run-PID)", 0 }, { 0 }
	};
	static const struct argp_child children[] = { { &vm_argp, 0, NULL, 0 },
						      { &session_argp, 0, NULL, 0 },
						      { 0 } };
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[FILE]",
		.doc = "Run a VM in the foreground: create it, start it with FILE as its kernel,\n"
		       "connect its console to stdin and stdout, and destroy it at its end.\n\n"
		       "The exit status is the guest's own if it writes one to the test device;\n"
		       "0 if it switches itself off; 124 when time is up; 125 if it resets itself\n"
		       "or ends in a triple fault; 126 if it is stopped by an error, or before the\n"
		       "script is through.",
		.children = children,
	};
	struct run r = { .device = -1, .status = -1 };
	char name[32];
	int ret;

	vm_options_init(&r.options);
	session_init(&r.session);
	r.session.go_on = true;
	snprintf(name, sizeof(name), "run-%d", getpid());
	r.options.name = name;
	argp_parse(&argp, argc, argv, 0, NULL, &r);
	if (vm_options_check(&r.options, &r.err) || hv_nl_open(&r.nl, &r.err)) {
		ret = complain(NULL, &r.err);
	} else {
		ret = run(&r);
		hv_nl_close(&r.nl);
	}
	hv_config_free(&r.options.config);
	return ret;
}
