/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the trials of broken states share, of debug builds: x86/svm/broken.c, x86/vmx/broken.c.
 */
#ifndef HVMM_X86_BROKEN_H
#define HVMM_X86_BROKEN_H

#include <linux/types.h>

/**
 * hvmm_broken_begin - whether to try broken states now
 *
 * Context: any.
 * Return: true once, if the module was loaded with try_broken=1.
 */
bool hvmm_broken_begin(void);

/**
 * hvmm_broken_is_sound - say so if the state that is to be broken is not sound
 * @why: what the checker says to it
 *
 * Context: any.
 * Return: whether it is.
 */
bool hvmm_broken_is_sound(const char *why);

/**
 * hvmm_broken_agree - say so if the processor and the checker do not agree on a broken state
 * @want: the check that it fails
 * @why: what the checker says
 * @refused: whether the processor refused it
 *
 * Context: any.
 * Return: whether they do.
 */
bool hvmm_broken_agree(const char *want, const char *why, bool refused);

/**
 * hvmm_broken_end - say how many were agreed on
 * @agreed: these
 * @all: of so many
 *
 * Context: any.
 */
void hvmm_broken_end(unsigned int agreed, unsigned int all);

#endif
