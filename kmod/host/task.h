/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_TASK_H
#define HVMM_HOST_TASK_H

#include <linux/types.h>

#include <asm/segment.h>

/**
 * hvmm_task_is_plain - whether the current task has nothing in segments but FS and GS bases
 *
 * VM exits on VMX leave DS, ES, FS, GS and LDTR empty (SDM vol. 3, 28.5.2), as all 64-bit tasks
 * have them that have not asked for something else.
 *
 * Context: process.
 */
static inline bool hvmm_task_is_plain(void)
{
	u16 ds, es, fs, gs, ldt;

	savesegment(ds, ds);
	savesegment(es, es);
	savesegment(fs, fs);
	savesegment(gs, gs);
	asm volatile("sldt %0" : "=m" (ldt));
	return !(ds | es | fs | gs | ldt);
}

#endif
