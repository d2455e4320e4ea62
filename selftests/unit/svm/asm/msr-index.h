/* SPDX-License-Identifier: GPL-2.0 */
/* Bits of EFER (APM vol. 2, 3.1.7), which the kernel's headers for userspace do not have. */
#ifndef HVMM_UNIT_ASM_MSR_INDEX_H
#define HVMM_UNIT_ASM_MSR_INDEX_H

#include <linux/bits.h>

#define EFER_SCE	BIT(0)
#define EFER_LME	BIT(8)
#define EFER_LMA	BIT(10)
#define EFER_NX		BIT(11)
#define EFER_SVME	BIT(12)
#define EFER_LMSLE	BIT(13)
#define EFER_FFXSR	BIT(14)
#define EFER_AUTOIBRS	BIT(21)

#endif
