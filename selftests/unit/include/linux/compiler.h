/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_COMPILER_H
#define HVMM_UNIT_LINUX_COMPILER_H

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))

#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_store_mb(x, v)	\
do {				\
	WRITE_ONCE(x, v);	\
	smp_mb();		\
} while (0)

#ifndef noinline
#define noinline __attribute__((__noinline__))
#endif

#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif

#endif
