/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_SIGNALS_H
#define HV_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/**
 * hv_signals_block - hold back the signals that end a program, for what must be cleaned up
 * @set: filled with those that were blocked; may be %NULL
 * @old: filled with the mask to go back to; may be %NULL
 */
void hv_signals_block(sigset_t *set, sigset_t *old);

/* Whether one of these has come, and waits blocked. */
bool hv_signals_wait(void);

#endif
