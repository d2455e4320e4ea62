/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Errors of hosts that are emulated. Nothing here is on where the processor is real.
 */
#ifndef HVMM_HOST_QUIRKS_H
#define HVMM_HOST_QUIRKS_H

#include <linux/jump_label.h>

/*
 * QEMU's TCG (as of 10.0) forgets that it has delivered an interrupt injected by VMRUN:
 * if its CPU loop is interrupted before the next exit, it delivers the interrupt a second
 * time, whatever RFLAGS.IF. An exit right behind the delivery makes it forget the right
 * thing.
 */
DECLARE_STATIC_KEY_FALSE(hvmm_repeats_injection);

/**
 * hvmm_quirks_init - find out what this host gets wrong
 *
 * Context: module init, may sleep.
 */
void hvmm_quirks_init(void);

#endif
