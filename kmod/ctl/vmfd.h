/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CTL_VMFD_H
#define HVMM_CTL_VMFD_H

/**
 * hvmm_vmfd_init - register /dev/hvmm
 *
 * From here on VM fds are handed out: VMs must be ready for it.
 *
 * Context: module init; may sleep.
 * Return: 0 or what misc_register() says.
 */
int hvmm_vmfd_init(void);

/**
 * hvmm_vmfd_exit - remove /dev/hvmm; no VM fd is left, each holds the module
 *
 * Context: module exit; may sleep.
 */
void hvmm_vmfd_exit(void);

#endif
