/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_DEBUG_H
#define HVMM_HOST_DEBUG_H

#include <linux/hw_breakpoint.h>

#include <asm/debugreg.h>

/**
 * hvmm_host_restore_debug - put the host's debug registers back after an exit
 *
 * The exit cleared DR7, and DR0-DR3 may be the guest's.
 *
 * Context: interrupts off.
 */
static inline void hvmm_host_restore_debug(void)
{
	if (hw_breakpoint_active())
		hw_breakpoint_restore();
}

#endif
