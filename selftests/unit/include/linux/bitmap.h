/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_BITMAP_H
#define HVMM_UNIT_LINUX_BITMAP_H

#include <string.h>

#include <linux/bitops.h>
#include <linux/math.h>

#define BITS_TO_LONGS(n)		DIV_ROUND_UP(n, BITS_PER_LONG)
#define DECLARE_BITMAP(name, n)		unsigned long name[BITS_TO_LONGS(n)]

static inline void bitmap_zero(unsigned long *p, unsigned int n)
{
	memset(p, 0, BITS_TO_LONGS(n) * sizeof(*p));
}

static inline void bitmap_fill(unsigned long *p, unsigned int n)
{
	memset(p, 0xff, BITS_TO_LONGS(n) * sizeof(*p));
}

#endif
