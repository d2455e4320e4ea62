// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>

#include "prealloc.h"
#include "signals.h"

/* So much at a time takes a fraction of a second. */
#define PIECE (64ULL << 20)

int hv_prealloc(int fd, uint64_t size)
{
	uint64_t at, len;

	for (at = 0; at < size; at += len) {
		len = size - at < PIECE ? size - at : PIECE;
		if (hv_signals_wait()) {
			errno = EINTR;
			return -1;
		}
		while (fallocate(fd, 0, (off_t)at, (off_t)len) < 0)
			if (errno != EINTR || hv_signals_wait())
				return -1;
	}
	return 0;
}
