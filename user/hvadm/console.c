// SPDX-License-Identifier: GPL-2.0
/* console: connect to a VM's serial console. */
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hvadm.h"
#include "session.h"

struct console {
	struct session session;
	const char *name;
	struct hv_nl nl;
	uint32_t id;
	bool restarts;
	bool gone;
	char error[sizeof(((struct hv_vm *)0)->error)];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct console *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->session;
		break;
	case ARGP_KEY_ARG:
		if (c->name)
			argp_error(state, "more than one name");
		c->name = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a name is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Whether it is over; a VM that is started again after a reset goes on printing. */
static bool has_ended(const struct console *c, const struct hv_vm *vm)
{
	return vm->state == HVMM_STATE_STOPPED &&
	       !(c->restarts && vm->reason == HVMM_STATE_REASON_RESET);
}

static int event(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	const struct genlmsghdr *genl = nlmsg_data(nlh);
	struct console *c = arg;
	struct hv_vm vm;

	if (hv_vm_parse(nlh, &vm, err))
		return -1;
	if (vm.id == c->id)
		memcpy(c->error, vm.error, sizeof(c->error));
	if (vm.id == c->id && (genl->cmd == HVMM_CMD_VM_DEL_NTF || has_ended(c, &vm)))
		c->gone = true;
	return 0;
}

static bool watcher(void *arg, int fd)
{
	struct console *c = arg;
	struct hv_error err;
	bool missed = false;
	struct hv_vm vm;

	if (hv_nl_events(&c->nl, event, c, &missed, &err))
		return true;
	if (missed && (hv_vm_get_id(&c->nl, c->id, &vm, &err) || has_ended(c, &vm)))
		c->gone = true;
	return c->gone;
}

int verb_console(int argc, char **argv)
{
	static const struct argp_child children[] = { { &session_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "NAME",
		.doc = "Connect to a VM's serial console; Ctrl-] leaves.\n\n"
		       "Where stdin is not a terminal, it is typed to the console, and the console\n"
		       "is printed until the VM stops. With --expect and --send the console is\n"
		       "worked by these in their order, and left when they are through.",
		.children = children,
	};
	struct console c = { .gone = false };
	enum session_end ended;
	struct hv_config config;
	struct hv_error err;
	struct hv_vm vm;
	bool person;
	int fd;

	session_init(&c.session);
	argp_parse(&argp, argc, argv, 0, NULL, &c);
	person = isatty(STDIN_FILENO) && !c.session.script.nr;
	if (hv_nl_open(&c.nl, &err))
		return complain(NULL, &err);
	/* A person may want to see the VM stop and start again; a script would wait for ever. */
	fd = person ? -1 : hv_nl_listen(&c.nl, &err);
	if ((!person && fd < 0) || hv_vm_get(&c.nl, c.name, &vm, &err) ||
	    session_open(&c.session, vm.console, &err)) {
		hv_nl_close(&c.nl);
		return complain(c.name, &err);
	}
	c.id = vm.id;
	memcpy(c.error, vm.error, sizeof(c.error));
	c.restarts = !hv_config_read(&config, vm.config, vm.config_len, &err) &&
		     config.on_reset == HV_ON_RESET_RESTART;
	hv_config_free(&config);
	c.session.watch[0] = fd;
	c.session.watcher = watcher;
	c.session.arg = &c;
	c.session.stopped = !person && has_ended(&c, &vm) && vm.reason != HVMM_STATE_REASON_NONE;
	ended = session_run(&c.session, &err);
	hv_nl_close(&c.nl);
	switch (ended) {
	case SESSION_TIMEOUT:
		fprintf(stderr, "hvadm: %s: time is up\n", c.name);
		return HV_EXIT_TIMEOUT;
	case SESSION_HANGUP:
	case SESSION_WATCH:
		if (*c.error)
			fprintf(stderr, "hvadm: %s: stopped by an error: %s\n", c.name, c.error);
		if (c.session.through)
			return HV_OK;
		fprintf(stderr, "hvadm: %s: the VM has stopped before the script was through\n",
			c.name);
		return HV_EXIT_ERROR;
	case SESSION_ERROR:
		return complain(c.name, &err);
	case SESSION_SIGNAL:
		return HV_EXIT_USAGE;
	default:
		return HV_OK;
	}
}
