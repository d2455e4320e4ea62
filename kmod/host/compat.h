/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernels that hvmm is built for. The only place that
 * knows kernel versions, together with the other files of host/.
 */
#ifndef HVMM_HOST_COMPAT_H
#define HVMM_HOST_COMPAT_H

#include <linux/fs.h>
#include <linux/version.h>

/**
 * hvmm_mmap_file - let another file map itself into an area being set up
 * @file: the file
 * @vma: the area
 *
 * 6.17 renamed call_mmap(), and lets a file have mmap_prepare() instead of mmap().
 *
 * Context: mmap lock held for writing.
 */
static inline int hvmm_mmap_file(struct file *file, struct vm_area_struct *vma)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return vfs_mmap(file, vma);
#else
	return call_mmap(file, vma);
#endif
}

#endif
