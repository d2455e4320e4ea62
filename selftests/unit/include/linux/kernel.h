/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_LINUX_KERNEL_H
#define HVMM_UNIT_LINUX_KERNEL_H

#include <stddef.h>

#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/types.h>

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#endif
