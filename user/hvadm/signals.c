// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "signals.h"
#include "util.h"

void signals_block(sigset_t *set, sigset_t *old)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
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
