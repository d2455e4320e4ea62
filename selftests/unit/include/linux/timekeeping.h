/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_TIMEKEEPING_H
#define HVMM_UNIT_LINUX_TIMEKEEPING_H

#include <linux/types.h>

/* The test's. */
u64 (ktime_get_ns)(void);

#endif
