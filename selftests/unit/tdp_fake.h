/* SPDX-License-Identifier: GPL-2.0 */
/* What mem/tdp.c needs of the kernel and no other unit test does. */
#ifndef HVMM_UNIT_TDP_FAKE_H
#define HVMM_UNIT_TDP_FAKE_H

/* Instead of those for objects that are freed. */
#define HVMM_UNIT_LINUX_RCUPDATE_H
#define rcu_read_lock()		((void)0)
#define rcu_read_unlock()	((void)0)

#include <assert.h>
#include <errno.h>
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>
#include <linux/types.h>

typedef struct {
	long counter;
} atomic_long_t;

#define atomic_long_read(a)	__atomic_load_n(&(a)->counter, __ATOMIC_RELAXED)
#define atomic_long_fetch_andnot(m, a)	\
	__atomic_fetch_and(&(a)->counter, ~(long)(m), __ATOMIC_SEQ_CST)
#define try_cmpxchg(p, old, new)	\
	__atomic_compare_exchange_n(p, old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define hweight_long(w)		__builtin_popcountl(w)
#define ____cacheline_aligned_in_smp

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define WARN_ON_ONCE(c)		assert(!(c))

#ifdef HVMM_UNIT_THREADS

#include <pthread.h>

typedef pthread_mutex_t spinlock_t;

#define spin_lock_init(l)	pthread_mutex_init(l, NULL)
#define spin_lock(l)		pthread_mutex_lock(l)
#define spin_unlock(l)		pthread_mutex_unlock(l)

/* What depends on a pointer comes after it was read: TSan does not know of that. */
#undef READ_ONCE
#undef WRITE_ONCE
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_ONCE(x, v)	__atomic_store_n(&(x), v, __ATOMIC_RELAXED)

#else

typedef raw_spinlock_t spinlock_t;

#define spin_lock_init(l)	raw_spin_lock_init(l)

#define spin_lock(l)		\
do {				\
	assert(!(l)->held);	\
	(l)->held = 1;		\
} while (0)

#define spin_unlock(l)		\
do {				\
	assert((l)->held);	\
	(l)->held = 0;		\
} while (0)

#endif

#endif
