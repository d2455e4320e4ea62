/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_SEQLOCK_H
#define HVMM_UNIT_LINUX_SEQLOCK_H

#include <linux/compiler.h>
#include <linux/types.h>

typedef struct {
	unsigned int sequence;
} seqcount_t;

static inline void seqcount_init(seqcount_t *s)
{
	s->sequence = 0;
}

static inline void raw_write_seqcount_begin(seqcount_t *s)
{
	__atomic_store_n(&s->sequence, s->sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void raw_write_seqcount_end(seqcount_t *s)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n(&s->sequence, s->sequence + 1, __ATOMIC_RELAXED);
}

static inline unsigned int raw_read_seqcount_begin(const seqcount_t *s)
{
	unsigned int seq;

	do {
		seq = __atomic_load_n(&s->sequence, __ATOMIC_RELAXED);
	} while (seq & 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return seq;
}

static inline bool read_seqcount_retry(const seqcount_t *s, unsigned int seq)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&s->sequence, __ATOMIC_RELAXED) != seq;
}

#endif
