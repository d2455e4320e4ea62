/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVADM_SIGNALS_H
#define HVADM_SIGNALS_H

#include <signal.h>

/**
 * signals_block - hold back the signals that end a program, for what must be cleaned up
 * @old: filled with the mask to go back to; may be %NULL
 * @set: filled with those that were blocked; may be %NULL
 */
void signals_block(sigset_t *set, sigset_t *old);

#endif
