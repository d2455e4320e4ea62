/* SPDX-License-Identifier: GPL-2.0 */
/* The vendor's functions that every exit calls: set by hvmm_arch_choose(). */
#ifndef HVMM_X86_ARCH_CALLS_H
#define HVMM_X86_ARCH_CALLS_H

#include <linux/static_call.h>

#include "x86/vendor.h"

DECLARE_STATIC_CALL(hvmm_arch_enter, *((struct hvmm_arch_ops *)0)->enter);
DECLARE_STATIC_CALL(hvmm_arch_exit, *((struct hvmm_arch_ops *)0)->exit);

#endif
