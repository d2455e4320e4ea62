/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_LOCKDEP_H
#define HVMM_UNIT_LINUX_LOCKDEP_H

/* A test may bring one that looks. */
#ifndef lockdep_assert_held
#define lockdep_assert_held(lock)	((void)(lock))
#endif

#endif
