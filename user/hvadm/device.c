// SPDX-License-Identifier: GPL-2.0
/*
 * hvadm's side of hvdm. Both talk over a socket in short messages: hvdm says "ready",
 * "exit N" (the guest's status) and "error TEXT"; hvadm says "go" to one that is to outlive it.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"

#define PROGRAM "hvdm"

/* How long to wait for one that should end: not for ever, it is of no use to anybody. */
#define END_MS 10000

extern char **environ;

/* The one that does not outlive us. */
static pid_t child;

/* Beside hvadm where it was built, else in libexec/ beside hvadm's sbin/; %NULL without /proc. */
static const char *program(void)
{
	static char path[PATH_MAX + 32];
	char *slash;
	ssize_t n;

	n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = 0;
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	strcpy(slash, "/" PROGRAM);
	if (access(path, X_OK))
		strcpy(slash, "/../libexec/hvmm/" PROGRAM);
	return path;
}

int device_read(int fd, int *status, struct hv_error *err)
{
	char text[600];
	ssize_t n;

	for (;;) {
		n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 1;
		if (n <= 0)
			return 0;
		text[n] = 0;
		if (!strncmp(text, "error ", 6))
			return hv_fail_code(err, HV_EXIT_ERROR, PROGRAM ": %s", text + 6);
		if (!strncmp(text, "exit ", 5))
			*status = atoi(text + 5);
	}
}

static int wait_ready(int fd, struct hv_error *err)
{
	char text[600];
	ssize_t n;

	do {
		n = recv(fd, text, sizeof(text) - 1, 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return hv_fail_code(err, HV_EXIT_REFUSED, PROGRAM " ended at once");
	text[n] = 0;
	if (!strcmp(text, "ready"))
		return 0;
	return hv_fail_code(err, HV_EXIT_REFUSED, PROGRAM ": %s",
			    strncmp(text, "error ", 6) ? text : text + 6);
}

int device_start(const struct hv_vm *vm, bool detach, struct hv_error *err)
{
	char id[16], socket_arg[32];
	char *args[5], **arg = args;
	posix_spawn_file_actions_t actions;
	const char *path = program();
	int sv[2], ret;
	pid_t pid;

	if (!path)
		return hv_fail(err, "cannot find " PROGRAM ": /proc/self/exe: %s", strerror(errno));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return hv_fail(err, "socketpair: %s", strerror(errno));
	snprintf(id, sizeof(id), "%u", vm->id);
	/* The child's end must have a number of its own: dup2() onto itself keeps close-on-exec. */
	snprintf(socket_arg, sizeof(socket_arg), "--socket=%d", sv[1] + 1);
	*arg++ = (char *)PROGRAM;
	*arg++ = socket_arg;
	if (detach)
		*arg++ = (char *)"--detach";
	*arg++ = id;
	*arg = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, sv[1], sv[1] + 1);
	ret = posix_spawn(&pid, path, &actions, NULL, args, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(sv[1]);
	if (ret) {
		close(sv[0]);
		return hv_fail(err, "cannot start %s: %s", path, strerror(ret));
	}
	if (!detach)
		child = pid;
	if (wait_ready(sv[0], err)) {
		close(sv[0]);
		return -1;
	}
	return sv[0];
}

void device_end(int fd)
{
	struct pollfd pfd = { .events = POLLIN };

	if (fd >= 0)
		close(fd);
	if (!child)
		return;
	pfd.fd = pidfd_open(child, 0);
	if (pfd.fd >= 0) {
		while (poll(&pfd, 1, END_MS) < 0 && errno == EINTR)
			;
		close(pfd.fd);
	}
	waitpid(child, NULL, WNOHANG);
	child = 0;
}

int device_release(int fd, struct hv_error *err)
{
	if (send(fd, "go", 2, MSG_NOSIGNAL) == 2)
		return 0;
	return hv_fail_code(err, HV_EXIT_REFUSED, PROGRAM " has ended");
}
