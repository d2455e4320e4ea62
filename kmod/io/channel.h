/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_IO_CHANNEL_H
#define HVMM_IO_CHANNEL_H

#include "core/vm.h"

/**
 * hvmm_channel_post - hand an access to the device process
 * @vcpu: the vCPU; it is loaded and must be parked in %HVMM_WAIT_IO by the caller
 * @mmio: memory rather than port
 * @write: direction
 * @addr: port or guest physical address
 * @len: 1, 2, 4, 8 or 16
 * @data: data of a write
 *
 * A private copy of the request stays in the kernel; the device process can
 * answer it but not change it.
 *
 * Context: any but NMI; never sleeps.
 * Return: 0 (posted; %HVMM_REQ_IO_DONE will follow), -ENODEV (no device process).
 */
int hvmm_channel_post(struct hvmm_vcpu *vcpu, bool mmio, bool write, u64 addr,
		      unsigned int len, const void *data);

/**
 * hvmm_channel_result - data of an answered read
 * @vcpu: the vCPU, %HVMM_REQ_IO_DONE seen
 * @data: filled with the posted length; all ones if the device process went away
 *
 * Context: the vCPU's runner.
 */
void hvmm_channel_result(struct hvmm_vcpu *vcpu, void *data);

/**
 * hvmm_channel_cancel - forget a vCPU's outstanding request (stop, reset)
 * @vcpu: the vCPU; it does not run
 */
void hvmm_channel_cancel(struct hvmm_vcpu *vcpu);

int hvmm_channel_create(struct hvmm_vm *vm);
void hvmm_channel_destroy(struct hvmm_vm *vm);
size_t hvmm_channel_bytes(const struct hvmm_vm *vm);

#endif
