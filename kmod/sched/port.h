/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one door through which scheduling policy reaches anything that is not
 * policy. The module, the simulator and the unit tests each provide these
 * headers (the latter two from selftests/unit/include), so the same files
 * build in all three.
 */
#ifndef HVMM_SCHED_PORT_H
#define HVMM_SCHED_PORT_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/rbtree.h>
#include <linux/rbtree_augmented.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>

#endif
