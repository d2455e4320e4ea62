/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_RUN_SHARE_H
#define HVMM_RUN_SHARE_H

#include <linux/types.h>

#define HVMM_HOST_SHARE_DEFAULT	100000

/**
 * hvmm_share_nice - nice level of runners that leaves the host a share of each pCPU
 * @ppm: what one busy task of nice 0 is to get beside a busy runner, in millionths
 *
 * Return: the level that comes nearest, -20 to 19.
 */
int hvmm_share_nice(u32 ppm);

/**
 * hvmm_share_of_nice - what a nice level of runners leaves the host
 * @nice: the level, -20 to 19
 *
 * Return: what one busy task of nice 0 gets beside a busy runner, in millionths.
 */
u32 hvmm_share_of_nice(int nice);

#endif
