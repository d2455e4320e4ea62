/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_SLAB_H
#define HVMM_UNIT_LINUX_SLAB_H

#include <linux/gfp_types.h>
#include <stdlib.h>

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return fake_fails() ? NULL : calloc(1, size);
}

static inline void kfree(const void *p)
{
	free((void *)p);
}

#endif
