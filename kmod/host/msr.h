/* SPDX-License-Identifier: GPL-2.0 */
/* MSR access under its present names: 6.16 renamed rdmsrl() and wrmsrl(). */
#ifndef HVMM_HOST_MSR_H
#define HVMM_HOST_MSR_H

#include <linux/version.h>

#include <asm/msr.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define rdmsrq(msr, val)	rdmsrl(msr, val)
#define wrmsrq(msr, val)	wrmsrl(msr, val)
#endif

#endif
