/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_GFP_TYPES_H
#define HVMM_UNIT_LINUX_GFP_TYPES_H

typedef unsigned int gfp_t;

#define GFP_KERNEL		1U
#define __GFP_ACCOUNT		2U
#define GFP_KERNEL_ACCOUNT	(GFP_KERNEL | __GFP_ACCOUNT)

/*
 * When positive, that many allocations from now on succeed and the next one fails;
 * 0: none fails. A test that uses it defines it.
 */
extern unsigned int fake_fail_in;

static inline int fake_fails(void)
{
	return fake_fail_in && !--fake_fail_in;
}

#endif
