/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_TIMER_H
#define HVMM_HOST_TIMER_H

#include <linux/hrtimer.h>
#include <linux/version.h>

/**
 * hvmm_hrtimer_setup - set up a timer on CLOCK_MONOTONIC
 * @timer: the timer
 * @fn: called when it expires
 * @mode: HRTIMER_MODE_*
 *
 * Context: any.
 */
static inline void hvmm_hrtimer_setup(struct hrtimer *timer,
				      enum hrtimer_restart (*fn)(struct hrtimer *timer),
				      enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	hrtimer_init(timer, CLOCK_MONOTONIC, mode);
	timer->function = fn;
#else
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, mode);
#endif
}

#endif
