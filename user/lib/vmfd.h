/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_VMFD_H
#define HV_VMFD_H

#include <stdint.h>

#include "error.h"

/**
 * hv_vmfd_open - open a VM's file descriptor, through /dev/hvmm
 * @id: the VM's number
 * @err: filled on failure
 *
 * Return: file descriptor, or -1.
 */
int hv_vmfd_open(uint32_t id, struct hv_error *err);

/**
 * hv_vmfd_lock - keep others from loading a VM, until the file descriptor is closed
 * @id: number of the VM
 * @err: filled on failure
 *
 * Waits for one who does. Only those who ask for it are kept out.
 *
 * Return: a file descriptor or -1.
 */
int hv_vmfd_lock(uint32_t id, struct hv_error *err);

/**
 * hv_vmfd_map - map a VM's RAM
 * @fd: the VM's file descriptor
 * @size: RAM's size
 * @err: filled on failure
 *
 * Return: its address, or %NULL.
 */
void *hv_vmfd_map(int fd, uint64_t size, struct hv_error *err);

#endif
