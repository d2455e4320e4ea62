/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_SCHED_H
#define HVMM_UNIT_LINUX_SCHED_H

#define cond_resched()	do { } while (0)

#endif
