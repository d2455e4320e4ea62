// SPDX-License-Identifier: GPL-2.0
/* A session at a VM's console, for people and for scripts. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "session.h"
#include "units.h"

#define LEAVE 0x1d /* Ctrl-] */

enum {
	OPT_EXPECT = 0x200,
	OPT_SEND,
	OPT_TIMEOUT,
};

static const struct argp_option options[] = {
	{ "expect", OPT_EXPECT, "TEXT", 0,
	  "script: wait for TEXT; \\n \\r \\t \\e \\\\ and \\xNN are known", 0 },
	{ "send", OPT_SEND, "TEXT", 0, "script: type TEXT", 0 },
	{ "timeout", OPT_TIMEOUT, "TIME", 0, "end with status 124 after TIME, as 90 or 500ms", 0 },
	{ 0 }
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct session *s = state->input;

	switch (key) {
	case OPT_EXPECT:
	case OPT_SEND:
		if (s->script.nr == HV_STEPS_MAX)
			argp_error(state, "more than %d steps", HV_STEPS_MAX);
		if (!hv_script_add(&s->script, key == OPT_SEND, arg))
			argp_error(state, "'%s': 1 to %d characters are possible", arg,
				   HV_MATCH_MAX);
		break;
	case OPT_TIMEOUT:
		if (!hv_parse_time(arg, &s->timeout) || !s->timeout)
			argp_error(state, "--timeout %s: a time like 90 or 500ms is needed", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

const struct argp session_argp = { .options = options, .parser = parse };

static bool has_script(const struct session *s)
{
	return s->script.nr;
}

static bool is_through(const struct session *s)
{
	return s->script.at == s->script.nr;
}

void session_init(struct session *s)
{
	int i;

	memset(s, 0, sizeof(*s));
	s->tty = -1;
	for (i = 0; i < WATCH_MAX; i++)
		s->watch[i] = -1;
}

int session_open(struct session *s, int line, struct hv_error *err)
{
	struct termios raw;
	char path[32];

	snprintf(path, sizeof(path), "/dev/ttyHV%d", line);
	s->tty = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (s->tty < 0)
		return hv_fail(err, "%s: %s", path, strerror(errno));
	/* Another program may have left it cooked. */
	if (!tcgetattr(s->tty, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(s->tty, TCSANOW, &raw);
	}
	return 0;
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static bool write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

/**
 * struct run - a session that is running
 * @s: the session
 * @input: what is to be typed
 * @input_len: its length
 * @input_at: how much of it was typed
 * @stdin_open: stdin is still to be read
 */
struct run {
	struct session *s;
	char input[1024];
	size_t input_len, input_at;
	bool stdin_open;
};

/* Take as many steps as are possible. */
static void script(struct run *r)
{
	const struct hv_step *step;

	if (r->input_len)
		return;
	step = hv_script_send(&r->s->script);
	if (!step)
		return;
	memcpy(r->input, step->text, step->len);
	r->input_len = step->len;
	r->input_at = 0;
}

/* Return: 1 something was read, 0 nothing is there, -1 the console is gone, -2 cannot print */
static int output(struct run *r)
{
	char buf[1024];
	ssize_t n = read(r->s->tty, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	if (!write_all(STDOUT_FILENO, buf, (size_t)n))
		return -2;
	hv_script_see(&r->s->script, buf, (size_t)n);
	script(r);
	return 1;
}

void session_drain(struct session *s)
{
	struct pollfd p = { .fd = s->tty, .events = POLLIN };
	struct run r = { .s = s };

	/*
	 * poll() makes the tty layer hand over what it has queued, so with the guest stopped
	 * this finds everything.
	 */
	while (poll(&p, 1, 0) > 0 && p.revents & POLLIN && output(&r) > 0)
		;
}

/* Return: whether the user wants to leave. */
static bool keyboard(struct run *r, bool terminal)
{
	ssize_t n = read(STDIN_FILENO, r->input, sizeof(r->input));
	char *leave;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		r->stdin_open = false;
		return terminal;
	}
	r->input_len = (size_t)n;
	r->input_at = 0;
	leave = terminal ? memchr(r->input, LEAVE, (size_t)n) : NULL;
	if (leave)
		r->input_len = (size_t)(leave - r->input);
	return leave;
}

static bool type(struct run *r)
{
	ssize_t n = write(r->s->tty, r->input + r->input_at, r->input_len - r->input_at);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	r->input_at += (size_t)n;
	if (r->input_at == r->input_len) {
		r->input_len = 0;
		r->input_at = 0;
		script(r);
	}
	return true;
}

static enum session_end loop(struct run *r, int signals, bool terminal, struct hv_error *err)
{
	enum { TTY, STDIN, SIGNALS, WATCH };
	struct pollfd p[WATCH + WATCH_MAX];
	struct session *s = r->s;
	uint64_t end = s->timeout ? now() + s->timeout : 0;
	int i, ret, wait;

	for (;;) {
		if (has_script(s) && is_through(s) && !r->input_len && !s->go_on)
			return SESSION_DONE;
		memset(p, 0, sizeof(p));
		p[TTY].fd = s->tty;
		p[TTY].events = (short)(POLLIN | (r->input_len ? POLLOUT : 0));
		p[STDIN].fd = r->stdin_open && !r->input_len ? STDIN_FILENO : -1;
		p[STDIN].events = POLLIN;
		p[SIGNALS].fd = signals;
		p[SIGNALS].events = POLLIN;
		for (i = 0; i < WATCH_MAX; i++) {
			p[WATCH + i].fd = s->watch[i];
			p[WATCH + i].events = POLLIN;
		}
		wait = -1;
		if (end) {
			uint64_t t = now();

			if (t >= end)
				return SESSION_TIMEOUT;
			t = (end - t + 999999) / 1000000;
			wait = t > 1000000 ? 1000000 : (int)t;
		}
		ret = poll(p, WATCH + WATCH_MAX, wait);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0) {
			hv_fail(err, "poll: %s", strerror(errno));
			return SESSION_ERROR;
		}
		if (p[SIGNALS].revents)
			return SESSION_SIGNAL;
		if (p[TTY].revents & (POLLIN | POLLHUP | POLLERR)) {
			ret = output(r);
			if (ret == -1)
				return SESSION_HANGUP;
			if (ret == -2) {
				hv_fail(err, "cannot write to stdout: %s", strerror(errno));
				return SESSION_ERROR;
			}
		}
		if (p[STDIN].revents && keyboard(r, terminal)) {
			if (r->input_len)
				type(r);
			return SESSION_LEFT;
		}
		if (p[TTY].revents & POLLOUT && r->input_len && !type(r))
			return SESSION_HANGUP;
		for (i = 0; i < WATCH_MAX; i++) {
			if (!p[WATCH + i].revents || !s->watcher(s->arg, p[WATCH + i].fd))
				continue;
			/* What it said before that is still to be matched. */
			while (output(r) > 0)
				;
			session_drain(s);
			if (has_script(s) && is_through(s) && !s->go_on)
				return SESSION_DONE;
			return SESSION_WATCH;
		}
	}
}

enum session_end session_run(struct session *s, struct hv_error *err)
{
	bool terminal = isatty(STDIN_FILENO) && !has_script(s);
	struct run r = { .s = s, .stdin_open = !has_script(s) };
	struct termios saved, raw;
	enum session_end ended;
	sigset_t set, old;
	int signals;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &old);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (terminal && !tcgetattr(STDIN_FILENO, &saved)) {
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
		fprintf(stderr, "Connected; Ctrl-] leaves.\r\n");
	}
	script(&r);
	ended = loop(&r, signals, terminal, err);
	s->through = is_through(s) && !r.input_len;
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
		fputc('\n', stderr);
	}
	if (signals >= 0)
		close(signals);
	/* A signal that ended the session stays blocked: the caller still has to clean up. */
	if (ended != SESSION_SIGNAL)
		sigprocmask(SIG_SETMASK, &old, NULL);
	return ended;
}
