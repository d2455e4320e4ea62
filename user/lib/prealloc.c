// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>

#include "prealloc.h"

/* So much at a time takes a fraction of a second. */
#define PIECE (64ULL << 20)

static bool told_to_end(void)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) ||
	       sigismember(&set, SIGHUP) || sigismember(&set, SIGQUIT);
}

int hv_prealloc(int fd, uint64_t size)
{
	uint64_t at, len;

	for (at = 0; at < size; at += len) {
		len = size - at < PIECE ? size - at : PIECE;
		if (told_to_end()) {
			errno = EINTR;
			return -1;
		}
		while (fallocate(fd, 0, (off_t)at, (off_t)len) < 0)
			if (errno != EINTR || told_to_end())
				return -1;
	}
	return 0;
}
