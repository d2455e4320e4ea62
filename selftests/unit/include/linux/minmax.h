/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_MINMAX_H
#define HVMM_UNIT_LINUX_MINMAX_H

/* Each argument is evaluated once, as in the kernel. */
#define min(a, b)	({ __auto_type a_ = (a); __auto_type b_ = (b); a_ < b_ ? a_ : b_; })
#define max(a, b)	({ __auto_type a_ = (a); __auto_type b_ = (b); a_ > b_ ? a_ : b_; })
#define min_t(t, a, b)	min((t)(a), (t)(b))
#define max_t(t, a, b)	max((t)(a), (t)(b))
#define clamp(v, lo, hi)	({ __auto_type v_ = (v); max(min(v_, hi), lo); })

#define swap(a, b)		\
do {				\
	__auto_type t_ = (a);	\
	(a) = (b);		\
	(b) = t_;		\
} while (0)

#endif
