// SPDX-License-Identifier: GPL-2.0
/* top: all VMs live. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "hvadm.h"
#include "names.h"
#include "signals.h"
#include "units.h"
#include "usage.h"

#define DELAY_DEFAULT 2000000000ULL
#define DELAY_MIN     10000000ULL
#define DELAY_MAX     3600000000000ULL

struct top {
	uint64_t delay;
	uint32_t count; /* 0 for ever */
	bool batch;
	enum hv_usage_key key;
	struct termios saved;
	int signals;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top *t = state->input;

	switch (key) {
	case 'd':
		if (!hv_parse_time(arg, &t->delay) || t->delay < DELAY_MIN || t->delay > DELAY_MAX)
			argp_error(state, "--delay %s: a time from 10ms to 3600s is needed", arg);
		break;
	case 'n':
		if (!hv_parse_u32(arg, 1, UINT32_MAX, &t->count))
			argp_error(state, "--count %s: a number from 1 is needed", arg);
		break;
	case 'b':
		t->batch = true;
		break;
	case 's':
		t->key = hv_usage_key(arg);
		if (t->key == HV_USAGE_KEYS)
			argp_error(state,
				   "--sort %s: run, ready, capped, host, exits, memory or name",
				   arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* "12.3", of one pCPU. */
static void print_share(uint64_t ns, uint64_t window)
{
	printf(" %8.1f", window ? (double)ns * 100 / (double)window : 0);
}

static void print_row(const struct hv_usage *u)
{
	char size[HV_UNIT_TEXT];

	printf("%-16s %-8s %5" PRIu32, u->name, hv_state_name(u->state), u->vcpus);
	print_share(u->ns[HVMM_A_LEDGER_RUN], u->window);
	print_share(u->ns[HVMM_A_LEDGER_READY], u->window);
	print_share(u->ns[HVMM_A_LEDGER_CAPPED], u->window);
	print_share(u->ns[HVMM_A_LEDGER_HOST], u->window);
	printf(" %10.0f", u->window ? (double)u->exits * 1000000000 / (double)u->window : 0);
	printf(" %9s\n", hv_format_size(size, u->held & ~1023ULL));
}

/* Rows that fit on the terminal below the two lines of the head. */
static size_t rows(const struct top *t)
{
	struct winsize size;

	if (t->batch || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_row < 4)
		return SIZE_MAX;
	return size.ws_row - 3;
}

static void print(const struct top *t, struct hv_usage *usage, size_t nr)
{
	size_t i, fit = rows(t);

	hv_usage_sort(usage, nr, t->key);
	if (!t->batch)
		fputs("\033[H\033[J", stdout);
	printf("%zu VMs, by %s; percent of one pCPU", nr, hv_usage_key_names[t->key]);
	if (!t->batch)
		fputs("; keys: q, sort by r w c h e m n", stdout);
	printf("\n%-16s %-8s %5s %8s %8s %8s %8s %10s %9s\n", "NAME", "STATE", "VCPUS", "RUN",
	       "READY", "CAPPED", "HOST", "EXITS/S", "MEMORY");
	for (i = 0; i < nr && i < fit; i++)
		print_row(&usage[i]);
	if (t->batch)
		putchar('\n');
	fflush(stdout);
}

/* A key that was typed. Return: whether to go on. */
static bool take_key(struct top *t, bool *again)
{
	char key[2] = { 0 };
	enum hv_usage_key k;

	if (read(STDIN_FILENO, key, 1) != 1 || key[0] == 'q' || key[0] == 3)
		return false;
	k = hv_usage_key(key);
	if (k != HV_USAGE_KEYS) {
		t->key = k;
		*again = true;
	}
	return true;
}

/*
 * Until @end, or for a key that asks for another order, or a signal. Return: whether to go
 * on; @again: print the same figures again.
 */
static bool wait_until(struct top *t, int64_t end, bool *again)
{
	struct pollfd fds[2] = {
		{ .fd = t->signals, .events = POLLIN },
		{ .fd = t->batch ? -1 : STDIN_FILENO, .events = POLLIN },
	};

	*again = false;
	for (;;) {
		int64_t left = end - (int64_t)hv_now();
		struct timespec time = { left / 1000000000, left % 1000000000 };
		int ret;

		if (left <= 0)
			return true;
		ret = ppoll(fds, 2, &time, NULL);
		if (ret < 0 && errno != EINTR)
			return false;
		if (ret <= 0)
			continue;
		if (fds[0].revents)
			return false;
		if (!take_key(t, again))
			return false;
		if (*again)
			return true;
	}
}

static bool begin(struct top *t)
{
	struct termios raw;
	sigset_t set;

	hv_signals_block(&set, NULL);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (t->batch)
		return t->signals >= 0;
	if (tcgetattr(STDIN_FILENO, &t->saved))
		return false;
	raw = t->saved;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	return !tcsetattr(STDIN_FILENO, TCSANOW, &raw) && t->signals >= 0;
}

static void end(struct top *t)
{
	if (!t->batch)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	close(t->signals);
}

static int show(struct hv_nl *nl, struct top *t, struct hv_error *err)
{
	struct hv_stats *before = NULL, *after = NULL;
	struct hv_usage *usage = NULL;
	size_t nr_before = 0, nr = 0;
	int64_t start = (int64_t)hv_now();
	uint32_t shown = 0;
	bool again;
	int ret = -1;

	if (hv_stats_list(nl, &before, &nr_before, err))
		return -1;
	for (;;) {
		if (!wait_until(t, start + (int64_t)t->delay, &again))
			break;
		if (!again) {
			struct hv_usage *more;

			if (hv_stats_list(nl, &after, &nr, err))
				goto free;
			start = (int64_t)hv_now();
			more = reallocarray(usage, nr + 1, sizeof(*usage));
			if (!more) {
				hv_fail(err, "out of memory");
				free(after);
				goto free;
			}
			usage = more;
			hv_usage_diff(before, nr_before, after, nr, usage);
			free(before);
			before = after;
			nr_before = nr;
			shown++;
		}
		/* Before the first window is over there is nothing to sort. */
		if (usage)
			print(t, usage, nr);
		if (ferror(stdout) || (t->count && shown >= t->count))
			break;
	}
	ret = 0;
free:
	free(before);
	free(usage);
	return ret;
}

int verb_top(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "delay", 'd', "TIME", 0, "time between two pictures (2s)", 0 },
		{ "count", 'n', "N", 0, "end after so many", 0 },
		{ "batch", 'b', NULL, 0, "print one below the other, take no keys", 0 },
		{ "sort", 's', "KEY", 0, "run (default), ready, capped, host, exits, memory, name",
		  0 },
		{ 0 }
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Show all VMs, again and again: how much they ran, waited for a pCPU,\n"
		       "were held back by their caps, and lost to the host, in percent of one\n"
		       "pCPU; exits per second; memory held on the host.\v"
		       "Keys: q leaves; r, w, c, h, e, m, n sort by run, ready (waiting),\n"
		       "capped, host, exits, memory, name.",
	};
	struct top t = { .delay = DELAY_DEFAULT, .key = HV_USAGE_RUN };
	const char *term = getenv("TERM");
	struct hv_error err;
	struct hv_nl nl;
	int ret;

	argp_parse(&argp, argc, argv, 0, NULL, &t);
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO) || !term || !strcmp(term, "dumb"))
		t.batch = true;
	if (hv_nl_open(&nl, &err))
		return complain(NULL, &err);
	if (begin(&t)) {
		ret = show(&nl, &t, &err);
		end(&t);
	} else {
		ret = hv_fail(&err, "cannot use the terminal: %s", strerror(errno));
	}
	hv_nl_close(&nl);
	return ret ? complain(NULL, &err) : HV_OK;
}
