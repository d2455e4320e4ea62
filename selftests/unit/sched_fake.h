/* SPDX-License-Identifier: GPL-2.0 */
/* Locks that work between threads, in place of those of include/linux/spinlock.h. */
#ifndef HVMM_UNIT_SCHED_FAKE_H
#define HVMM_UNIT_SCHED_FAKE_H

#define HVMM_UNIT_LINUX_SPINLOCK_H

#include <assert.h>
#include <pthread.h>
#include <sched.h>

#include <linux/minmax.h>

#define SINGLE_DEPTH_NESTING 1

/* Held locks of this thread: none is taken twice, two only in order of address. */
extern __thread unsigned int lock_depth;

typedef struct {
	int held;
	pthread_t owner;
} raw_spinlock_t;

static inline void raw_spin_lock_init(raw_spinlock_t *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_SEQ_CST);
}

static inline void raw_spin_lock(raw_spinlock_t *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_SEQ_CST)) {
		/* Ours already: it would never end. */
		assert(!pthread_equal(l->owner, pthread_self()));
		sched_yield();
	}
	l->owner = pthread_self();
	lock_depth++;
}

static inline void raw_spin_unlock(raw_spinlock_t *l)
{
	assert(l->held && pthread_equal(l->owner, pthread_self()));
	l->owner = (pthread_t)0;
	lock_depth--;
	__atomic_store_n(&l->held, 0, __ATOMIC_SEQ_CST);
}

#define raw_spin_lock_nested(l, depth)		raw_spin_lock(l)
#define raw_spin_lock_nest_lock(l, nest)	raw_spin_lock(l)
#define lockdep_assert_held(l)			assert(pthread_equal((l)->owner, pthread_self()))
#define local_irq_save(flags)			((flags) = 1)
#define local_irq_restore(flags)		((void)(flags))
#define raw_spin_lock_irqsave(l, flags)		\
do {						\
	(flags) = 1;				\
	raw_spin_lock(l);			\
} while (0)
#define raw_spin_unlock_irqrestore(l, flags)	\
do {						\
	(void)(flags);				\
	raw_spin_unlock(l);			\
} while (0)

#endif
