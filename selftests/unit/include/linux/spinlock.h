/* SPDX-License-Identifier: GPL-2.0 */
/* One thread: a lock is a flag that checks that calls are balanced and never nest. */
#ifndef HVMM_UNIT_LINUX_SPINLOCK_H
#define HVMM_UNIT_LINUX_SPINLOCK_H

#include <assert.h>

typedef struct {
	int held;
} raw_spinlock_t;

#define raw_spin_lock_init(l)	((l)->held = 0)

#define raw_spin_lock_irqsave(l, flags)		\
do {						\
	assert(!(l)->held);			\
	(l)->held = 1;				\
	(flags) = 1;				\
} while (0)

#define raw_spin_unlock_irqrestore(l, flags)	\
do {						\
	assert((l)->held && (flags));		\
	(l)->held = 0;				\
} while (0)

#endif
