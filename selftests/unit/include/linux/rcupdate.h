/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One thread: what is freed after a grace period is freed at the next
 * synchronize_rcu(), and neither may happen within a read-side section.
 */
#ifndef HVMM_UNIT_LINUX_RCUPDATE_H
#define HVMM_UNIT_LINUX_RCUPDATE_H

#include <assert.h>
#include <linux/compiler.h>
#include <stddef.h>
#include <stdlib.h>

struct rcu_head {
	struct rcu_head *next;
	void *object;
};

/* Defined by the test. */
extern int fake_rcu_depth;
extern unsigned int fake_rcu_periods;
extern struct rcu_head *fake_rcu_list;

#define rcu_read_lock()		((void)fake_rcu_depth++)
#define rcu_read_unlock()	((void)fake_rcu_depth--)

#define RCU_INIT_POINTER(p, v)			((p) = (v))
#define rcu_assign_pointer(p, v)		__atomic_store_n(&(p), v, __ATOMIC_RELEASE)
#define rcu_dereference(p)			(assert(fake_rcu_depth), READ_ONCE(p))
/* Preemption that is off is a read-side section like any other. */
#define rcu_dereference_sched(p)		(assert(fake_rcu_depth), READ_ONCE(p))
#define rcu_dereference_protected(p, c)		(assert(c), (p))

/* Tests that care look at fake_rcu_depth. */
#define RCU_LOCKDEP_WARN(c, text)		((void)0)

#define kfree_rcu(p, member)			\
do {						\
	(p)->member.object = (p);		\
	(p)->member.next = fake_rcu_list;	\
	fake_rcu_list = &(p)->member;		\
} while (0)

static inline void synchronize_rcu(void)
{
	assert(!fake_rcu_depth);
	fake_rcu_periods++;
	while (fake_rcu_list) {
		void *object = fake_rcu_list->object;

		fake_rcu_list = fake_rcu_list->next;
		free(object);
	}
}

#endif
