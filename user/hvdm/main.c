// SPDX-License-Identifier: GPL-2.0
/*
 * hvdm: a VM's device process. The one that is started stays outside of the sandbox, without
 * any contact with the guest, and does what needs rights: it stops the VM when the guest asks
 * the test device for its end, and starts it again after a reset. Its child serves the devices.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "fds.h"
#include "hvdm.h"
#include "units.h"
#include "vm.h"
#include "vmfd.h"

/* ns at least from one restart to the next */
#define PAUSE 100000000ULL

const char *argp_program_version = "hvdm " HVMM_VERSION;

/**
 * struct hvdm - the supervisor
 * @id: the VM's number
 * @front: talks to who started it, -1 if nobody listens
 * @detach: it outlives who started it, once told to go on
 * @child: the device process
 * @report: what that one says
 * @config: the VM's configuration
 * @nl: connection
 * @done: the VM has stopped, for good
 * @restarted: when it was started again last, ns, 0 for never
 * @restart: it is to be started again
 */
struct hvdm {
	uint32_t id;
	int front;
	bool detach;
	pid_t child;
	int report;
	struct hv_config config;
	struct hv_nl nl;
	bool done;
	uint64_t restarted;
	bool restart;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct hvdm *d = state->input;
	uint32_t n;

	switch (key) {
	case 's':
		if (!hv_parse_u32(arg, 3, INT32_MAX, &n))
			argp_error(state, "--socket %s: a file descriptor is needed", arg);
		d->front = (int)n;
		break;
	case 'd':
		d->detach = true;
		break;
	case ARGP_KEY_ARG:
		if (d->id)
			argp_error(state, "more than one VM");
		if (!hv_parse_u32(arg, 1, UINT32_MAX, &d->id))
			argp_error(state, "%s: the number of a VM is needed", arg);
		break;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "the number of a VM is needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void tell(const struct hvdm *d, const char *text)
{
	if (d->front >= 0 && send(d->front, text, strlen(text), MSG_NOSIGNAL) > 0)
		return;
	if (!strncmp(text, "error ", 6)) {
		fprintf(stderr, "hvdm: VM %u: %s\n", d->id, text + 6);
		syslog(LOG_ERR, "VM %u: %s", d->id, text + 6);
	}
}

static int give_up(const struct hvdm *d, const struct hv_error *err)
{
	char text[600];

	snprintf(text, sizeof(text), "error %.500s", err->text);
	tell(d, text);
	return err->code;
}

/* The child has the VM's file descriptor and one end of a socket, nothing else. */
static void child(int vm, bool testdev, int report) __attribute__((noreturn));

static void child(int vm, bool testdev, int report)
{
	const char *failed;
	char text[128];

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	failed = sandbox_namespaces();
	if (failed) {
		snprintf(text, sizeof(text), "error %s: %s", failed, strerror(errno));
		if (write(report, text, strlen(text)) < 0)
			_exit(2);
		_exit(1);
	}
	hv_fds_only(vm, report);
	serve(HV_FDS_FIRST, testdev, HV_FDS_FIRST + 1);
}

static int spawn(struct hvdm *d, struct hv_error *err)
{
	int sv[2], vm;

	vm = hv_vmfd_open(d->id, err);
	if (vm < 0)
		return -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0 ||
	    unshare(CLONE_NEWPID) < 0) {
		close(vm);
		return hv_fail(err, "cannot make a sandbox: %s", strerror(errno));
	}
	d->child = fork();
	if (d->child < 0) {
		close(vm);
		return hv_fail(err, "cannot fork: %s", strerror(errno));
	}
	if (!d->child)
		child(vm, d->config.testdev, sv[1]);
	/* Its end must be seen by the kernel as the end of the device process. */
	close(vm);
	close(sv[1]);
	d->report = sv[0];
	return 0;
}

/* ms until the VM may be started again, -1 for ever: one that only resets itself costs little. */
static int restart_wait(const struct hvdm *d)
{
	uint64_t passed = hv_now() - d->restarted;

	if (!d->restart)
		return -1;
	if (!d->restarted || passed >= PAUSE)
		return 0;
	return (int)((PAUSE - passed + 999999) / 1000000);
}

/* Start over: images are read again, the device process stays. */
static int restart(struct hvdm *d, struct hv_error *err)
{
	d->restart = false;
	d->restarted = hv_now();
	/* Who has stopped it, or was faster, has the word. */
	return hv_vm_boot(&d->nl, d->id, &d->config, HV_VM_RESTART, err) < 0 ? -1 : 0;
}

static int state(struct hvdm *d, const struct hv_vm *vm, struct hv_error *err)
{
	if (vm->state != HVMM_STATE_STOPPED || vm->reason == HVMM_STATE_REASON_NONE)
		return 0;
	if (vm->reason == HVMM_STATE_REASON_RESET && d->config.on_reset == HV_ON_RESET_RESTART)
		d->restart = true;
	else
		d->done = true;
	return 0;
}

static int event(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	const struct genlmsghdr *genl = nlmsg_data(nlh);
	struct hvdm *d = arg;
	struct hv_vm vm;

	if (hv_vm_parse(nlh, &vm, err))
		return -1;
	if (vm.id != d->id)
		return 0;
	if (genl->cmd == HVMM_CMD_VM_DEL_NTF)
		d->done = true;
	else if (genl->cmd == HVMM_CMD_VM_STATE_NTF)
		return state(d, &vm, err);
	return 0;
}

static int events(struct hvdm *d, struct hv_error *err)
{
	bool missed = false;
	struct hv_vm vm;

	if (hv_nl_events(&d->nl, event, d, &missed, err))
		return -1;
	if (!missed)
		return 0;
	if (hv_vm_get_id(&d->nl, d->id, &vm, err)) {
		d->done = true;
		return err->code == HV_EXIT_NO_VM ? 0 : -1;
	}
	return state(d, &vm, err);
}

/* Return: 0 to go on, -1 if the child is not to be trusted any more. */
static int child_says(struct hvdm *d, struct hv_error *err)
{
	struct hv_error ignored;
	unsigned int status;
	char text[300], copy[32];
	ssize_t n;

	n = recv(d->report, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return hv_fail(err, "the device process has died");
	text[n] = 0;
	if (!strcmp(text, "ready")) {
		tell(d, text);
		return 0;
	}
	if (sscanf(text, "exit %u", &status) == 1) {
		/* Said before the VM stops, so that it is known when the VM is seen to stop. */
		snprintf(copy, sizeof(copy), "exit %u", status & 0xff);
		tell(d, copy);
		hv_vm_simple(&d->nl, HVMM_CMD_VM_STOP, d->id, &ignored);
		return 0;
	}
	return hv_fail(err, "%s",
		       strncmp(text, "error ", 6) ? "the device process talks nonsense" : text + 6);
}

/* Return: whether to go on. */
static bool front_says(struct hvdm *d)
{
	char text[16];
	ssize_t n = recv(d->front, text, sizeof(text), MSG_DONTWAIT);
	int null;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (!d->detach || n != 2 || memcmp(text, "go", 2))
		return false;
	close(d->front);
	d->front = -1;
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
	}
	return chdir("/") == 0;
}

/* It may be that the VM has been destroyed, which is no failure. Return: the exit status. */
static int failed(struct hvdm *d, const struct hv_error *err)
{
	struct hv_error other;
	struct hv_vm vm;

	if (hv_vm_get_id(&d->nl, d->id, &vm, &other) && other.code == HV_EXIT_NO_VM)
		return HV_OK;
	return give_up(d, err);
}

static int loop(struct hvdm *d, int listener)
{
	struct hv_error err;

	while (!d->done) {
		struct pollfd p[3] = {
			{ .fd = listener, .events = POLLIN },
			{ .fd = d->report, .events = POLLIN },
			{ .fd = d->front, .events = POLLIN },
		};

		if (poll(p, 3, restart_wait(d)) < 0) {
			if (errno == EINTR)
				continue;
			hv_fail(&err, "poll: %s", strerror(errno));
			return give_up(d, &err);
		}
		if (p[0].revents && events(d, &err))
			return failed(d, &err);
		/* The child ends with the VM: look at the VM first. */
		if (p[1].revents && !d->done && child_says(d, &err)) {
			struct hv_error other;

			if (!events(d, &other) && d->done)
				break;
			return failed(d, &err);
		}
		if (!d->done && !restart_wait(d) && restart(d, &err))
			return failed(d, &err);
		if (d->front >= 0 && p[2].revents && !front_says(d))
			return HV_EXIT_USAGE;
	}
	return HV_OK;
}

int main(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "socket", 's', "FD", 0, "talk to the starting program over this socket", 0 },
		{ "detach", 'd', NULL, 0, "outlive it, once it says so", 0 },
		{ 0 }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "ID",
		.doc = "Serve the devices of VM number ID until it stops.\n"
		       "hvadm starts this where it is needed.",
	};
	struct hvdm d = { .front = -1, .report = -1 };
	struct hv_error err;
	int listener, ret;
	struct hv_vm vm;

	hv_fds_fill();
	argp_err_exit_status = HV_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &d);
	/* Locks and pipes of who started it are not its own to hold for the VM's life. */
	hv_fds_keep(d.front);
	signal(SIGPIPE, SIG_IGN);
	openlog("hvdm", LOG_PID, LOG_DAEMON);
	if (d.front >= 0)
		fcntl(d.front, F_SETFD, FD_CLOEXEC);
	if (hv_nl_open(&d.nl, &err))
		return give_up(&d, &err);
	/* Events first: nothing that happens after the VM has been looked at is missed. */
	listener = hv_nl_listen(&d.nl, &err);
	if (listener < 0 || hv_vm_get_id(&d.nl, d.id, &vm, &err) ||
	    hv_config_read(&d.config, vm.config, vm.config_len, &err) || spawn(&d, &err))
		return give_up(&d, &err);
	ret = loop(&d, listener);
	kill(d.child, SIGKILL);
	waitpid(d.child, NULL, 0);
	hv_nl_close(&d.nl);
	hv_config_free(&d.config);
	return ret;
}
