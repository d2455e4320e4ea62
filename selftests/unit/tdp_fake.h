/* SPDX-License-Identifier: GPL-2.0 */
/* What mem/tdp.c needs of the kernel and no other unit test does. */
#ifndef HVMM_UNIT_TDP_FAKE_H
#define HVMM_UNIT_TDP_FAKE_H

#include <assert.h>
#include <errno.h>
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>
#include <linux/types.h>

typedef struct {
	s64 counter;
} atomic64_t;

#define atomic64_set(a, v)	((a)->counter = (v))
#define atomic64_read(a)	((a)->counter)
#define atomic64_add(v, a)	((a)->counter += (v))
#define atomic64_sub(v, a)	((a)->counter -= (v))
#define atomic64_inc(a)		((a)->counter++)
#define atomic64_dec(a)		((a)->counter--)

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

#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define WARN_ON_ONCE(c)		assert(!(c))

#endif
