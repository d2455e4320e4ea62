/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_ATOMIC_H
#define HVMM_UNIT_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic64_set(a, v)		__atomic_store_n(&(a)->counter, v, __ATOMIC_RELAXED)
#define atomic64_read(a)		__atomic_load_n(&(a)->counter, __ATOMIC_RELAXED)
#define atomic64_read_acquire(a)	__atomic_load_n(&(a)->counter, __ATOMIC_ACQUIRE)
#define atomic64_add(v, a)	((void)__atomic_fetch_add(&(a)->counter, v, __ATOMIC_RELAXED))
#define atomic64_sub(v, a)	((void)__atomic_fetch_sub(&(a)->counter, v, __ATOMIC_RELAXED))
#define atomic64_inc(a)			atomic64_add(1, a)
#define atomic64_dec(a)			atomic64_sub(1, a)

#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

static inline int atomic_read(const atomic_t *a)
{
	return __atomic_load_n(&a->counter, __ATOMIC_RELAXED);
}

static inline void atomic_set(atomic_t *a, int i)
{
	__atomic_store_n(&a->counter, i, __ATOMIC_RELAXED);
}

/* Wraps, as in the kernel. */
static inline int atomic_inc_return(atomic_t *a)
{
	return (int)((unsigned int)__atomic_fetch_add(&a->counter, 1, __ATOMIC_SEQ_CST) + 1);
}

static inline int atomic_dec_return(atomic_t *a)
{
	return (int)((unsigned int)__atomic_fetch_sub(&a->counter, 1, __ATOMIC_SEQ_CST) - 1);
}

static inline void atomic_or(int i, atomic_t *a)
{
	__atomic_fetch_or(&a->counter, i, __ATOMIC_SEQ_CST);
}

static inline void atomic_andnot(int mask, atomic_t *a)
{
	__atomic_fetch_and(&a->counter, ~mask, __ATOMIC_SEQ_CST);
}

static inline int atomic_fetch_andnot(int i, atomic_t *a)
{
	return __atomic_fetch_and(&a->counter, ~i, __ATOMIC_SEQ_CST);
}

#define atomic_inc(a)		((void)atomic_inc_return(a))
#define atomic_dec(a)		((void)atomic_dec_return(a))

#endif
