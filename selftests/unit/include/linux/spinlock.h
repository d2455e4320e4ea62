/* SPDX-License-Identifier: GPL-2.0 */
/* One thread: a lock is a flag that checks that calls are balanced and never nest. */
#ifndef HVMM_UNIT_LINUX_SPINLOCK_H
#define HVMM_UNIT_LINUX_SPINLOCK_H

#include <assert.h>

typedef struct {
	int held;
} raw_spinlock_t;

#define SINGLE_DEPTH_NESTING	1

#define raw_spin_lock_init(l)	((l)->held = 0)

#define raw_spin_lock(l)			\
do {						\
	assert(!(l)->held);			\
	(l)->held = 1;				\
} while (0)

#define raw_spin_unlock(l)			\
do {						\
	assert((l)->held);			\
	(l)->held = 0;				\
} while (0)

#define raw_spin_lock_nested(l, depth)		raw_spin_lock(l)
#define raw_spin_lock_nest_lock(l, nest)	\
do {						\
	assert((nest)->held);			\
	raw_spin_lock(l);			\
} while (0)

#define local_irq_save(flags)			((flags) = 1)
#define local_irq_restore(flags)		assert(flags)

#define raw_spin_lock_irqsave(l, flags)		\
do {						\
	raw_spin_lock(l);			\
	(flags) = 1;				\
} while (0)

#define raw_spin_unlock_irqrestore(l, flags)	\
do {						\
	assert(flags);				\
	raw_spin_unlock(l);			\
} while (0)

#endif
