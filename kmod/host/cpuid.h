/* SPDX-License-Identifier: GPL-2.0 */
/* cpuid() and its kind: 6.15 moved them from asm/cpuid.h. */
#ifndef HVMM_HOST_CPUID_H
#define HVMM_HOST_CPUID_H

#if __has_include(<asm/cpuid/api.h>)
#include <asm/cpuid/api.h>
#else
#include <asm/cpuid.h>
#endif

#endif
