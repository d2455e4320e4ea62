/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_PREALLOC_H
#define HV_PREALLOC_H

#include <stdint.h>

/**
 * hv_prealloc - take all of a file's memory from the host
 * @fd: the file
 * @size: bytes
 *
 * Return: 0, or -1 with errno. %EINTR if a signal that ends programs came meanwhile, or waits
 * blocked: the caller has to undo what it has begun.
 */
int hv_prealloc(int fd, uint64_t size);

#endif
