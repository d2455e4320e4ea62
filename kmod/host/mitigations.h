/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_MITIGATIONS_H
#define HVMM_HOST_MITIGATIONS_H

#include <linux/types.h>

/**
 * hvmm_mitigate_switch - this pCPU turns from one VM to another
 *
 * Context: preemption off.
 */
void hvmm_mitigate_switch(void);

/**
 * hvmm_mitigate_enter - a guest is about to be entered
 *
 * Context: interrupts off.
 */
void hvmm_mitigate_enter(void);

/**
 * hvmm_mitigate_leave - this pCPU turns from a VM to the host's own tasks
 *
 * Context: preemption off.
 */
void hvmm_mitigate_leave(void);

/**
 * hvmm_itlb_multihit - whether guests must not execute from 2 MiB pages
 *
 * Context: any.
 * Return: true if this processor has the erratum, and the host's settings do not say that its
 * guests are trusted.
 */
bool hvmm_itlb_multihit(void);

#endif
