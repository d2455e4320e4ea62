// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "fds.h"

void hv_fds_fill(void)
{
	int fd;

	for (fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			exit(HV_EXIT_USAGE);
}

void hv_fds_only(int first, int second)
{
	/* Either may be where the other is to go. */
	first = fcntl(first, F_DUPFD, HV_FDS_FIRST + 2);
	second = fcntl(second, F_DUPFD, HV_FDS_FIRST + 2);
	dup2(first, HV_FDS_FIRST);
	dup2(second, HV_FDS_FIRST + 1);
	close_range(0, HV_FDS_FIRST - 1, 0);
	close_range(HV_FDS_FIRST + 2, ~0U, 0);
}

void hv_fds_keep(int fd)
{
	if (fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, (unsigned int)fd - 1, 0);
	close_range(fd > STDERR_FILENO ? (unsigned int)fd + 1 : STDERR_FILENO + 1, ~0U, 0);
}
