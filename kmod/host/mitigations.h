/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_MITIGATIONS_H
#define HVMM_HOST_MITIGATIONS_H

/**
 * hvmm_mitigate_switch - this pCPU turns from one VM to another
 *
 * Context: preemption off.
 */
void hvmm_mitigate_switch(void);

/**
 * hvmm_mitigate_leave - this pCPU turns from a VM to the host's own tasks
 *
 * Context: preemption off.
 */
void hvmm_mitigate_leave(void);

#endif
