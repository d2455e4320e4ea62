/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_ATOMIC_H
#define HVMM_UNIT_LINUX_ATOMIC_H

#include <linux/compiler.h>

typedef struct {
	int counter;
} atomic_t;

#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

static inline int atomic_inc_return(atomic_t *a)
{
	/* Wraps, as in the kernel. */
	return (int)((unsigned int)__atomic_fetch_add(&a->counter, 1, __ATOMIC_SEQ_CST) + 1);
}

#endif
