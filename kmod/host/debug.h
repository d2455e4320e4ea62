/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's debug registers around an entry. By hand: since 6.18
 * hw_breakpoint_restore() is for KVM only. Where the host uses no breakpoint its
 * DR0-DR3 hold nothing that matters, and DR7 is off, as an exit leaves it.
 */
#ifndef HVMM_HOST_DEBUG_H
#define HVMM_HOST_DEBUG_H

#include <linux/hw_breakpoint.h>

#include <asm/debugreg.h>

/**
 * hvmm_host_save_debug - before the guest's DR0-DR3 are loaded
 * @host: filled, if the host uses them
 *
 * Context: interrupts off until hvmm_host_restore_debug().
 */
static inline void hvmm_host_save_debug(unsigned long host[4])
{
	if (!hw_breakpoint_active())
		return;
	get_debugreg(host[0], 0);
	get_debugreg(host[1], 1);
	get_debugreg(host[2], 2);
	get_debugreg(host[3], 3);
}

/**
 * hvmm_host_restore_debug - put the host's debug registers back after an exit
 * @host: what hvmm_host_save_debug() filled, or %NULL if DR0-DR3 were not touched
 *
 * The exit cleared DR7.
 *
 * Context: as above.
 */
static inline void hvmm_host_restore_debug(const unsigned long *host)
{
	if (likely(!hw_breakpoint_active()))
		return;
	if (host) {
		set_debugreg(host[0], 0);
		set_debugreg(host[1], 1);
		set_debugreg(host[2], 2);
		set_debugreg(host[3], 3);
	}
	set_debugreg(__this_cpu_read(cpu_dr7), 7);
}

/**
 * hvmm_host_clean_dr6 - drop the causes that a guest left in DR6
 *
 * The host reads them at its next #DB as its own, and the processor only adds.
 */
static inline void hvmm_host_clean_dr6(void)
{
	set_debugreg(DR6_RESERVED, 6);
}

#endif
