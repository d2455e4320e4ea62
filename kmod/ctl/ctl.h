/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CTL_CTL_H
#define HVMM_CTL_CTL_H

/**
 * hvmm_ctl_init - register the netlink family and take over VM events
 *
 * From here on requests arrive: everything below must be ready.
 *
 * Context: module init; may sleep.
 * Return: 0 or what genl_register_family() says.
 */
int hvmm_ctl_init(void);

/**
 * hvmm_ctl_exit - no requests and no events any more
 *
 * Waits for requests that are being served.
 *
 * Context: module exit; may sleep.
 */
void hvmm_ctl_exit(void);

#endif
