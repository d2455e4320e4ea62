/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The innermost lock of a device model: a raw spinlock in the kernel, because an
 * irqfd or a host timer may raise a line in hard IRQ context. In a userspace build
 * a flag that checks that calls are balanced and never nest.
 */
#ifndef HVMM_DEV_LOCK_H
#define HVMM_DEV_LOCK_H

#ifdef __KERNEL__

#include <linux/spinlock.h>

typedef raw_spinlock_t hvmm_dev_lock_t;

#define hvmm_dev_lock_init(l)		raw_spin_lock_init(l)
#define hvmm_dev_lock(l, flags)		raw_spin_lock_irqsave(l, flags)
#define hvmm_dev_unlock(l, flags)	raw_spin_unlock_irqrestore(l, flags)

#else

#include <assert.h>

typedef struct {
	int held;
} hvmm_dev_lock_t;

static inline void hvmm_dev_lock_init(hvmm_dev_lock_t *l)
{
	l->held = 0;
}

#define hvmm_dev_lock(l, flags)		\
do {					\
	assert(!(l)->held);		\
	(l)->held = 1;			\
	(flags) = 1;			\
} while (0)

#define hvmm_dev_unlock(l, flags)	\
do {					\
	assert((l)->held && (flags));	\
	(l)->held = 0;			\
} while (0)

#endif

#endif /* HVMM_DEV_LOCK_H */
