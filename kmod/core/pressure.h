/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CORE_PRESSURE_H
#define HVMM_CORE_PRESSURE_H

#include <linux/types.h>

/**
 * hvmm_pressure_kick - the host has no memory for a VM: let VMs give back something
 *
 * A work item does so. Who has most idle memory above its mem-min gives first; if that is
 * not enough, all give what they have above it.
 *
 * Context: any but interrupts.
 */
void hvmm_pressure_kick(void);

/**
 * hvmm_pressure_scan_ns - time spent in looking for idle memory
 *
 * Context: any.
 * Return: ns since hvmm_pressure_init().
 */
u64 hvmm_pressure_scan_ns(void);

/**
 * hvmm_pressure_age_ns - time since hvmm_pressure_init(), to compare that with
 *
 * Context: any.
 * Return: ns.
 */
u64 hvmm_pressure_age_ns(void);

/**
 * hvmm_pressure_init - begin to look for idle memory, and to listen for the host's want of it
 *
 * Context: module init, may sleep.
 * Return: 0 or -ENOMEM.
 */
int hvmm_pressure_init(void);
void hvmm_pressure_exit(void);

#endif
