// SPDX-License-Identifier: GPL-2.0
/* Sessions at a console that is a socket: what ends them, whatever does not move. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../../user/hvadm/session.h"
#include "tap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define SECOND 1000000000ULL
/* What does not come by then never does. */
#define LONG (60 * SECOND)

/* Exit status of the process that holds a session: enum session_end, and this. */
#define THROUGH 0x10

/**
 * struct fixture - a session in a process of its own
 * @s: what it is made of
 * @console: the other end of its console
 * @in: writes its stdin, or the master of a terminal
 * @out: reads its stdout
 * @watch: closed when the VM has stopped
 * @far: its own ends: console, stdin, stdout, watch
 * @pid: its process
 */
static struct fixture {
	struct session s;
	int console, in, out, watch;
	int far[4];
	pid_t pid;
} f;

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static bool watcher(void *arg, int fd)
{
	return true;
}

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void set_up(bool terminal)
{
	int p[2];

	session_init(&f.s);
	f.s.timeout = LONG;
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, p), "socketpair");
	f.console = p[0];
	f.far[0] = p[1];
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	if (terminal) {
		need(!openpty(&f.in, &f.far[1], NULL, NULL, NULL), "openpty");
	} else {
		need(!pipe(p), "pipe");
		f.far[1] = p[0];
		f.in = p[1];
	}
	need(!pipe(p), "pipe");
	f.out = p[0];
	f.far[2] = p[1];
	need(!pipe(p), "pipe");
	f.watch = p[1];
	f.far[3] = p[0];
}

static void start(void)
{
	struct hv_error err;
	enum session_end end;

	fflush(stdout);
	f.pid = fork();
	need(f.pid >= 0, "fork");
	if (f.pid) {
		drop(&f.far[2]);
		return;
	}
	close(f.console);
	close(f.in);
	close(f.out);
	close(f.watch);
	dup2(f.far[1], STDIN_FILENO);
	dup2(f.far[2], STDOUT_FILENO);
	freopen("/dev/null", "w", stderr);
	f.s.tty = f.far[0];
	f.s.watch[0] = f.far[3];
	f.s.watcher = watcher;
	/* For the case that even the session's own time is not kept. */
	alarm(2 * LONG / SECOND);
	end = session_run(&f.s, &err);
	_exit((int)end | (f.s.through ? THROUGH : 0));
}

/* How it ended, -1 if by a signal. */
static int end(void)
{
	int status, i;

	need(waitpid(f.pid, &status, 0) == f.pid, "waitpid");
	drop(&f.console);
	drop(&f.in);
	drop(&f.out);
	drop(&f.watch);
	for (i = 0; i < 4; i++)
		drop(&f.far[i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Until it can take no more. Return: how much it took. */
static size_t fill(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	static char junk[4096];
	size_t total = 0;
	ssize_t n;

	memset(junk, '.', sizeof(junk));
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while ((n = write(fd, junk, sizeof(junk))) > 0)
		total += (size_t)n;
	while ((n = write(fd, junk, 1)) > 0)
		total += (size_t)n;
	fcntl(fd, F_SETFL, flags);
	return total;
}

static void say(const char *text)
{
	need(write(f.console, text, strlen(text)) == (ssize_t)strlen(text), "write");
}

static void pause_a_bit(void)
{
	const struct timespec ms = { 0, 1000000 };

	nanosleep(&ms, NULL);
}

/* Reads up to @len bytes of its stdout. */
static size_t hear(char *buf, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len && (n = read(f.out, buf + got, len - got)) > 0)
		got += (size_t)n;
	return got;
}

/* What was written to its end of something has been read. */
static void wait_empty(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (poll(&p, 1, 0) > 0)
		pause_a_bit();
}

static void leave_when_stuck(void)
{
	struct termios t;

	set_up(true);
	fill(f.far[0]);
	start();
	do {
		pause_a_bit();
		need(!tcgetattr(f.far[1], &t), "tcgetattr");
	} while (t.c_lflag & ICANON);
	need(write(f.in, "x", 1) == 1, "write");
	wait_empty(f.far[1]);
	need(write(f.in, "y\035z", 3) == 3, "write");
	tap_ok(end() == (SESSION_LEFT | THROUGH), "Ctrl-] leaves a console that takes no input");
}

static void untyped(void)
{
	set_up(false);
	fill(f.far[0]);
	start();
	need(write(f.in, "x", 1) == 1, "write");
	wait_empty(f.far[1]);
	drop(&f.watch);
	tap_ok(end() == (SESSION_WATCH | THROUGH), "input that was not typed is no script");
}

static void stdout_stuck(void)
{
	set_up(false);
	fill(f.far[2]);
	f.s.timeout = SECOND / 10;
	say("more");
	start();
	tap_ok(end() == (SESSION_TIMEOUT | THROUGH),
	       "the time's end ends it while stdout takes nothing");

	set_up(false);
	fill(f.far[2]);
	say("more");
	start();
	/* Its output waits when the console's has been read. */
	wait_empty(f.far[0]);
	kill(f.pid, SIGTERM);
	tap_ok(end() == (SESSION_SIGNAL | THROUGH), "so does a signal");
}

/* Through a stdout with little room, and after the VM has stopped. */
static void all_is_printed(void)
{
	enum { LEN = 60000 };
	static char text[LEN], got[LEN + 10];
	size_t i;

	for (i = 0; i < LEN; i++)
		text[i] = (char)('a' + i % 23);
	set_up(false);
	fcntl(f.far[2], F_SETPIPE_SZ, 4096);
	hv_script_add(&f.s.script, false, "\\nend");
	need(write(f.console, text, LEN) == LEN, "write");
	say("\nend");
	drop(&f.watch);
	start();
	tap_ok(hear(got, sizeof(got)) == LEN + 4 && !memcmp(got, text, LEN),
	       "all that the console says is printed");
	tap_ok(end() == (SESSION_DONE | THROUGH), "and a match at its end counts");
}

static void signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	char c;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		set_up(false);
		say("x");
		start();
		need(hear(&c, 1) == 1, "read");
		kill(f.pid, ends[i]);
		tap_ok(end() == (SESSION_SIGNAL | THROUGH), "signal %d ends it", ends[i]);
	}
}

static void no_reader(void)
{
	set_up(false);
	start();
	/* The session's own is the last one. */
	drop(&f.out);
	say("x");
	tap_ok(end() == (SESSION_ERROR | THROUGH), "a stdout without a reader is an error");
}

static void endless(void)
{
	char c;

	set_up(false);
	f.s.timeout = UINT64_MAX;
	say("x");
	start();
	need(hear(&c, 1) == 1, "read");
	drop(&f.watch);
	tap_ok(end() == (SESSION_WATCH | THROUGH), "the longest time is not over at once");
}

static void stopped(void)
{
	char text[8] = "";

	set_up(false);
	f.s.stopped = true;
	hv_script_add(&f.s.script, false, "never");
	say("last");
	start();
	tap_ok(hear(text, 4) == 4 && !strcmp(text, "last") && end() == SESSION_WATCH,
	       "nothing is waited for from a VM that has stopped");

	set_up(false);
	f.s.stopped = true;
	hv_script_add(&f.s.script, true, "in vain");
	start();
	tap_ok(end() == SESSION_WATCH, "and nothing is typed to it");
}

int main(void)
{
	tap_plan(14);
	leave_when_stuck();
	untyped();
	stdout_stuck();
	all_is_printed();
	signals();
	no_reader();
	endless();
	stopped();
	return tap_done();
}
