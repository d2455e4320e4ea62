/* SPDX-License-Identifier: GPL-2.0 */
/* What mem/quota.c needs of the kernel, for several threads: locks are real. */
#ifndef HVMM_UNIT_MEM_QUOTA_FAKE_H
#define HVMM_UNIT_MEM_QUOTA_FAKE_H

/* Instead of the locks for one thread. */
#define HVMM_UNIT_LINUX_SPINLOCK_H

#include <errno.h>
#include <pthread.h>

typedef pthread_mutex_t spinlock_t;

#define spin_lock_init(l)	pthread_mutex_init(l, NULL)
#define spin_lock(l)		pthread_mutex_lock(l)
#define spin_unlock(l)		pthread_mutex_unlock(l)

#endif
