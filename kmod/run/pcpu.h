/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_PCPU_H
#define HVMM_RUN_PCPU_H

/**
 * hvmm_pcpu_init - switch virtualization on, on every pCPU there is or will be
 *
 * Context: module init, may sleep.
 * Return: 0, -EBUSY (another hypervisor has it), -errno.
 */
int hvmm_pcpu_init(void);

/**
 * hvmm_pcpu_exit - switch it off; no VM exists any more
 */
void hvmm_pcpu_exit(void);

#endif
