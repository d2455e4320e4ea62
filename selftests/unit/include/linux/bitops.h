/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_BITOPS_H
#define HVMM_UNIT_LINUX_BITOPS_H

#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/types.h>

static inline void set_bit(unsigned long n, unsigned long *p)
{
	__atomic_fetch_or(p + n / BITS_PER_LONG, BIT(n % BITS_PER_LONG), __ATOMIC_SEQ_CST);
}

static inline void clear_bit(unsigned long n, unsigned long *p)
{
	__atomic_fetch_and(p + n / BITS_PER_LONG, ~BIT(n % BITS_PER_LONG), __ATOMIC_SEQ_CST);
}

static inline bool test_and_set_bit(unsigned long n, unsigned long *p)
{
	return __atomic_fetch_or(p + n / BITS_PER_LONG, BIT(n % BITS_PER_LONG),
				 __ATOMIC_SEQ_CST) & BIT(n % BITS_PER_LONG);
}

static inline bool test_bit(unsigned long n, const unsigned long *p)
{
	return __atomic_load_n(p + n / BITS_PER_LONG, __ATOMIC_RELAXED) & BIT(n % BITS_PER_LONG);
}

static inline void __set_bit(unsigned long n, unsigned long *p)
{
	p[n / BITS_PER_LONG] |= BIT(n % BITS_PER_LONG);
}

static inline void __clear_bit(unsigned long n, unsigned long *p)
{
	p[n / BITS_PER_LONG] &= ~BIT(n % BITS_PER_LONG);
}

static inline unsigned long __fls(unsigned long w)
{
	return BITS_PER_LONG - 1 - __builtin_clzl(w);
}

static inline unsigned long __ffs(unsigned long w)
{
	return __builtin_ctzl(w);
}

static inline int fls64(__u64 w)
{
	return w ? 64 - __builtin_clzll(w) : 0;
}

static inline unsigned int hweight32(u32 w)
{
	return __builtin_popcount(w);
}

static inline unsigned int hweight64(u64 w)
{
	return __builtin_popcountll(w);
}

#endif
