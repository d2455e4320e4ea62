/* SPDX-License-Identifier: GPL-2.0 */
/* One thread: see <linux/spinlock.h>. */
#ifndef HVMM_UNIT_LINUX_MUTEX_H
#define HVMM_UNIT_LINUX_MUTEX_H

#include <assert.h>

struct mutex {
	int held;
};

#define mutex_init(m)		((void)((m)->held = 0))
#define lockdep_is_held(m)	((m)->held)

#define mutex_lock(m)		\
do {				\
	assert(!(m)->held);	\
	(m)->held = 1;		\
} while (0)

#define mutex_unlock(m)		\
do {				\
	assert((m)->held);	\
	(m)->held = 0;		\
} while (0)

#endif
