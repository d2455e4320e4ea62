// SPDX-License-Identifier: GPL-2.0
/* A session at a VM's console, for people and for scripts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "clock.h"
#include "session.h"
#include "signals.h"
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

/**
 * struct run - a session that is running
 * @s: the session
 * @terminal: stdin is one, with a person before it
 * @signals: those that end it
 * @input: what is to be typed
 * @input_len: its length
 * @input_at: how much of it was typed
 * @stdin_open: stdin is still to be read
 * @out: stdout
 * @output: what is to be printed
 * @output_len: its length
 * @output_at: how much of it was printed
 * @ending: only what the console has to say still is of interest
 * @hung_up: nothing more comes from the console
 */
struct run {
	struct session *s;
	bool terminal;
	int signals;
	char input[1024];
	size_t input_len, input_at;
	bool stdin_open;
	int out;
	char output[1024];
	size_t output_len, output_at;
	bool ending, hung_up;
};

/* One that does not wait: as a description of our own, for others may use the same. */
static int open_stdout(void)
{
	struct stat st;
	int fd = -1, master;

	if ((!fstat(STDOUT_FILENO, &st) && S_ISFIFO(st.st_mode)) ||
	    (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGPTN, &master) < 0))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : fd;
}

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

/* The console has something, or is gone. */
static void listen(struct run *r)
{
	ssize_t n = read(r->s->tty, r->output, sizeof(r->output));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		r->hung_up = true;
		r->ending = true;
		return;
	}
	r->output_len = (size_t)n;
	r->output_at = 0;
	hv_script_see(&r->s->script, r->output, (size_t)n);
	script(r);
}

static bool print(struct run *r)
{
	ssize_t n = write(r->out, r->output + r->output_at, r->output_len - r->output_at);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	r->output_at += (size_t)n;
	if (r->output_at == r->output_len)
		r->output_len = 0;
	return true;
}

/* Return: whether the user wants to leave. */
static bool keyboard(struct run *r)
{
	char keys[sizeof(r->input)];
	ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
	char *leave;
	size_t len, room;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		r->stdin_open = false;
		return r->terminal;
	}
	leave = r->terminal ? memchr(keys, LEAVE, (size_t)n) : NULL;
	len = leave ? (size_t)(leave - keys) : (size_t)n;
	/* Keys that the console does not take are lost, but for the one that leaves. */
	r->input_len -= r->input_at;
	memmove(r->input, r->input + r->input_at, r->input_len);
	r->input_at = 0;
	room = sizeof(r->input) - r->input_len;
	if (len > room)
		len = room;
	memcpy(r->input + r->input_len, keys, len);
	r->input_len += len;
	return leave;
}

static void type(struct run *r)
{
	ssize_t n = write(r->s->tty, r->input + r->input_at, r->input_len - r->input_at);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR) {
			r->hung_up = true;
			r->ending = true;
		}
		return;
	}
	r->input_at += (size_t)n;
	if (r->input_at == r->input_len) {
		r->input_len = 0;
		r->input_at = 0;
		script(r);
	}
}

enum { TTY, STDIN, STDOUT, SIGNALS, WATCH, POLLS = WATCH + WATCH_MAX };

/* What is waited for: output is read when the one before it has been printed. */
static void fill_polls(const struct run *r, struct pollfd *p)
{
	const struct session *s = r->s;
	int i;

	memset(p, 0, POLLS * sizeof(*p));
	for (i = 0; i < POLLS; i++) {
		p[i].fd = -1;
		p[i].events = POLLIN;
	}
	p[SIGNALS].fd = r->signals;
	if (r->output_len) {
		p[STDOUT].fd = r->out;
		p[STDOUT].events = POLLOUT;
	}
	p[TTY].events =
		(short)((r->output_len ? 0 : POLLIN) | (r->input_len && !r->ending ? POLLOUT : 0));
	if (p[TTY].events && !r->hung_up)
		p[TTY].fd = s->tty;
	if (r->ending)
		return;
	if (r->stdin_open && (r->terminal || !r->input_len))
		p[STDIN].fd = STDIN_FILENO;
	for (i = 0; i < WATCH_MAX; i++)
		p[WATCH + i].fd = s->watch[i];
}

/* Nothing is left of a script, and nobody is waited for besides. */
static bool is_done(const struct run *r)
{
	const struct session *s = r->s;

	return has_script(s) && is_through(s) && !r->input_len && !s->go_on;
}

/* ms for poll() until @end, 0 for none */
static int time_left(uint64_t end)
{
	uint64_t t = hv_now();

	if (!end)
		return -1;
	t = end > t ? (end - t + 999999) / 1000000 : 0;
	return t > 1000000 ? 1000000 : (int)t;
}

static enum session_end loop(struct run *r, struct hv_error *err)
{
	struct pollfd p[POLLS];
	struct session *s = r->s;
	uint64_t end = 0;
	int i, ret;

	if (s->timeout && __builtin_add_overflow(hv_now(), s->timeout, &end))
		end = UINT64_MAX;
	for (;;) {
		if (is_done(r) && !r->output_len)
			return SESSION_DONE;
		if (end && hv_now() >= end)
			return SESSION_TIMEOUT;
		fill_polls(r, p);
		/*
		 * poll() makes the tty layer hand over what it has queued, so with the guest
		 * stopped this finds everything.
		 */
		ret = poll(p, POLLS, r->ending && !r->output_len ? 0 : time_left(end));
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0) {
			hv_fail(err, "poll: %s", strerror(errno));
			return SESSION_ERROR;
		}
		if (p[SIGNALS].revents)
			return SESSION_SIGNAL;
		if (p[STDOUT].revents && !print(r)) {
			hv_fail(err, "cannot write to stdout: %s", strerror(errno));
			return SESSION_ERROR;
		}
		if (p[TTY].events & POLLIN && p[TTY].revents & (POLLIN | POLLHUP | POLLERR)) {
			listen(r);
			continue;
		}
		if (r->ending) {
			if (r->output_len || p[STDOUT].fd >= 0)
				continue;
			if (is_done(r))
				return SESSION_DONE;
			return r->hung_up ? SESSION_HANGUP : SESSION_WATCH;
		}
		if (p[STDIN].revents && keyboard(r)) {
			if (r->input_len)
				type(r);
			return SESSION_LEFT;
		}
		if (p[TTY].revents & (POLLOUT | POLLHUP | POLLERR) && r->input_len)
			type(r);
		for (i = 0; i < WATCH_MAX; i++)
			if (p[WATCH + i].revents && s->watcher(s->arg, p[WATCH + i].fd))
				r->ending = true;
	}
}

enum session_end session_run(struct session *s, struct hv_error *err)
{
	struct run r = { .s = s, .out = open_stdout(), .ending = s->stopped };
	struct termios saved, raw;
	enum session_end ended;
	sigset_t set, old;

	r.terminal = isatty(STDIN_FILENO) && !has_script(s);
	r.stdin_open = !has_script(s);
	hv_signals_block(&set, &old);
	r.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r.terminal && !tcgetattr(STDIN_FILENO, &saved)) {
		raw = saved;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
		fprintf(stderr, "Connected; Ctrl-] leaves.\r\n");
	}
	script(&r);
	ended = loop(&r, err);
	s->through = !has_script(s) || (is_through(s) && !r.input_len);
	if (r.terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
		fputc('\n', stderr);
	}
	if (r.signals >= 0)
		close(r.signals);
	if (r.out >= 0)
		close(r.out);
	/* A signal that ended the session stays blocked: the caller still has to clean up. */
	if (ended != SESSION_SIGNAL)
		sigprocmask(SIG_SETMASK, &old, NULL);
	return ended;
}
