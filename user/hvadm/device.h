/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVADM_DEVICE_H
#define HVADM_DEVICE_H

#include <stdbool.h>

#include "vm.h"

/**
 * device_start - start a VM's device process, hvdm, and wait until it is attached
 * @vm: the VM
 * @detach: it is to outlive hvadm, after device_release()
 * @err: filled on failure, with hvdm's own words
 *
 * hvdm ends when the file descriptor is closed, unless it was released before.
 *
 * Return: a file descriptor for talking to it, or -1.
 */
int device_start(const struct hv_vm *vm, bool detach, struct hv_error *err);

/**
 * device_release - let a detached device process go on by itself
 * @fd: from device_start()
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int device_release(int fd, struct hv_error *err);

/**
 * device_read - take what the device process says, without waiting
 * @fd: from device_start()
 * @status: the guest's exit status, if it has told one; else left as it is
 * @err: filled on failure
 *
 * Return: 1 to go on, 0 when it has ended, -1 when it has failed.
 */
int device_read(int fd, int *status, struct hv_error *err);

/**
 * device_end - end the device process that does not outlive us, if there is one
 * @fd: from device_start(); closed
 *
 * Returns when it has let go of the VM.
 */
void device_end(int fd);

#endif
