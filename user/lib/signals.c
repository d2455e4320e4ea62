// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "signals.h"
#include "util.h"

static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

void hv_signals_block(sigset_t *set, sigset_t *old)
{
	sigset_t these;
	size_t i;

	sigemptyset(&these);
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		sigaddset(&these, ends[i]);
	sigprocmask(SIG_BLOCK, &these, old);
	if (set)
		*set = these;
	/* A reader of stdout that has gone is seen by the write. */
	signal(SIGPIPE, SIG_IGN);
}

bool hv_signals_wait(void)
{
	sigset_t set;
	size_t i;

	sigpending(&set);
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		if (sigismember(&set, ends[i]))
			return true;
	return false;
}
