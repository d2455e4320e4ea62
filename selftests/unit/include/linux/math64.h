/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_MATH64_H
#define HVMM_UNIT_LINUX_MATH64_H

#include <linux/types.h>

static inline u64 div_u64(u64 a, u32 b)
{
	return a / b;
}

static inline u64 div64_u64(u64 a, u64 b)
{
	return a / b;
}

static inline u64 div_u64_rem(u64 a, u32 b, u32 *rem)
{
	*rem = a % b;
	return a / b;
}

static inline u64 mul_u64_u32_shr(u64 a, u32 b, unsigned int shift)
{
	return (u64)(((__uint128_t)a * b) >> shift);
}

/* A quotient that does not fit is as much of a bug as in the kernel, where it traps. */
static inline u64 mul_u64_u64_div_u64(u64 a, u64 b, u64 c)
{
	__uint128_t q = (__uint128_t)a * b / c;

	if (q >> 64)
		__builtin_trap();
	return (u64)q;
}

#define DIV64_U64_ROUND_UP(a, b)	div64_u64((a) + (b) - 1, b)

#endif
