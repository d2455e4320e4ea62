/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_FDS_H
#define HV_FDS_H

#define HV_FDS_FIRST 10

/* Have file descriptors 0 to 2 open: what is opened next must not be taken for stdout. */
void hv_fds_fill(void);

/**
 * hv_fds_keep - close all that were inherited but 0 to 2
 * @fd: this one is kept, from 3, or -1
 */
void hv_fds_keep(int fd);

/**
 * hv_fds_only - close all but two, for a process that is to have no others
 * @first: becomes %HV_FDS_FIRST
 * @second: becomes %HV_FDS_FIRST + 1
 */
void hv_fds_only(int first, int second);

#endif
