// SPDX-License-Identifier: GPL-2.0
/*
 * How long a program takes, from its start, until it says something: in ns,
 * "bench NAME 1 NS". Then it is ended. Usage: stopwatch NAME TEXT COMMAND [ARGUMENT...]
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define ROOM 65536

static void die(const char *what)
{
	fprintf(stderr, "stopwatch: %s: %s\n", what, strerror(errno));
	exit(2);
}

static pid_t run(char **argv, int out)
{
	int null = open("/dev/null", O_RDONLY);
	pid_t pid = fork();

	if (pid < 0 || null < 0)
		die("cannot start");
	if (pid) {
		close(null);
		return pid;
	}
	dup2(null, 0);
	dup2(out, 1);
	execvp(argv[0], argv);
	die(argv[0]);
	return -1;
}

/* Whether @text comes before the end; what has come is shown if it does not. */
static int await(int in, const char *text)
{
	static char said[ROOM];
	size_t len = 0;
	ssize_t n;

	while ((n = read(in, said + len, sizeof(said) - 1 - len)) > 0) {
		len += (size_t)n;
		said[len] = 0;
		if (strstr(said, text))
			return 1;
		/* Half of it is enough to find a text that came in two parts. */
		if (len == sizeof(said) - 1) {
			len /= 2;
			memmove(said, said + sizeof(said) - 1 - len, len);
		}
	}
	fputs(said, stderr);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t start, end;
	int pipes[2], found;
	pid_t pid;

	if (argc < 4) {
		fputs("usage: stopwatch NAME TEXT COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	if (pipe2(pipes, O_CLOEXEC))
		die("pipe");
	start = now();
	pid = run(argv + 3, pipes[1]);
	close(pipes[1]);
	found = await(pipes[0], argv[2]);
	end = now();
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	if (!found) {
		fprintf(stderr, "stopwatch: %s: ended before it said '%s'\n", argv[3], argv[2]);
		return 1;
	}
	printf("bench %s 1 %llu\n", argv[1], (unsigned long long)(end - start));
	return 0;
}
