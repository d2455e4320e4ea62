/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_CPUID_H
#define HVMM_HOST_CPUID_H

#include <linux/version.h>

/* Newer kernels declare cpuid() and its relatives in a header of their own. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <asm/cpuid/api.h>
#else
#include <asm/cpuid.h>
#endif

#endif
