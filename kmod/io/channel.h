/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device channel: port and MMIO accesses that a process serves.
 *
 * A vCPU has at most one request at a time. It is in one of four states: idle;
 * pending (queued); taken (a thread of the device process has it); done (answered,
 * the vCPU has been told). The slot in shared memory is output only, but for a
 * read's data, which is copied once, when the request is completed.
 *
 * Locking: &hvmm_channel.lock protects everything, interrupts off, but a request that is
 * done, which is its vCPU's runner's. A scheduling domain's lock is taken inside it
 * (hvmm_vcpu_request()), so that an answer and a cancel cannot pass each other.
 */
#ifndef HVMM_IO_CHANNEL_H
#define HVMM_IO_CHANNEL_H

#include "core/vm.h"

struct poll_table_struct;
struct vm_area_struct;

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
 * answer it but not change it. %HVMM_REQ_IO_DONE may be set before this returns.
 *
 * Context: any but NMI, no domain's lock held; never sleeps.
 * Return: 0 (posted; %HVMM_REQ_IO_DONE will follow), -ENODEV (no device process).
 */
int hvmm_channel_post(struct hvmm_vcpu *vcpu, bool mmio, bool write, u64 addr,
		      unsigned int len, const void *data);

/**
 * hvmm_channel_result - data of an answered read
 * @vcpu: the vCPU, %HVMM_REQ_IO_DONE seen
 * @data: filled with the posted length; all ones if the device process went away.
 *        May be %NULL for a write
 *
 * To be called for writes too: it ends the request.
 *
 * Context: the vCPU's runner.
 */
void hvmm_channel_result(struct hvmm_vcpu *vcpu, void *data);

/**
 * hvmm_channel_cancel - forget a vCPU's outstanding request (stop, reset)
 * @vcpu: the vCPU; it does not run
 *
 * Once this has returned the request causes no %HVMM_REQ_IO_DONE any more.
 *
 * Context: any but NMI.
 */
void hvmm_channel_cancel(struct hvmm_vcpu *vcpu);

/**
 * hvmm_channel_create - make a VM's channel; nobody is attached
 * @vm: the VM, its number of vCPUs known
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int hvmm_channel_create(struct hvmm_vm *vm);

/**
 * hvmm_channel_destroy - free a VM's channel, if it has one
 * @vm: the VM; last reference
 *
 * Context: may sleep.
 */
void hvmm_channel_destroy(struct hvmm_vm *vm);

/**
 * hvmm_channel_shutdown - the VM was destroyed: wake everybody with -ENODEV
 * @vm: the VM, &hvmm_vm.dead set
 *
 * Context: any but NMI.
 */
void hvmm_channel_shutdown(struct hvmm_vm *vm);

/**
 * hvmm_channel_bytes - kernel memory that the channel takes
 * @vm: the VM
 *
 * Context: any.
 */
size_t hvmm_channel_bytes(const struct hvmm_vm *vm);

/**
 * hvmm_channel_attach - become the device process
 * @vm: the VM
 * @owner: identifies the holder, not %NULL
 *
 * Context: any but NMI.
 * Return: 0, -EBUSY, -EALREADY (it is @owner), -ENODEV (shut down).
 */
int hvmm_channel_attach(struct hvmm_vm *vm, const void *owner);

/**
 * hvmm_channel_detach - stop being the device process, if it is
 * @vm: the VM
 * @owner: as attached
 *
 * Outstanding reads give all ones.
 *
 * Context: any but NMI.
 */
void hvmm_channel_detach(struct hvmm_vm *vm, const void *owner);

/**
 * hvmm_channel_complete - answer a request with what its slot holds
 * @vm: the VM
 * @owner: as attached
 * @index: vCPU, from userspace
 * @seq: number of the request; one that is not outstanding is ignored
 *
 * Context: any but NMI.
 * Return: 0, -ENOTCONN, -EINVAL (no such vCPU), -ENODEV (shut down).
 */
int hvmm_channel_complete(struct hvmm_vm *vm, const void *owner, u32 index, u64 seq);

/**
 * hvmm_channel_next - take the oldest pending request
 * @vm: the VM
 * @owner: as attached
 * @wait: wait for one
 * @index: filled: vCPU
 * @seq: filled: number of the request
 *
 * Context: sleeps with @wait.
 * Return: 0, -ENOTCONN, -EAGAIN (none), -ERESTARTSYS, -ENODEV (shut down).
 */
int hvmm_channel_next(struct hvmm_vm *vm, const void *owner, bool wait, u32 *index, u64 *seq);

/**
 * hvmm_channel_pending - whether a request waits for the device process
 * @vm: the VM
 *
 * Context: any; what it says may change at once.
 */
bool hvmm_channel_pending(const struct hvmm_vm *vm);

/**
 * hvmm_channel_lend - a thread of the device process is going to run vCPUs of the VM
 * @vm: the VM
 * @owner: as attached
 * @cpu: the pCPU, which is the caller's
 *
 * Until hvmm_channel_lend_end() a request of another pCPU makes this one leave the guest, and wakes
 * nobody.
 *
 * Context: preemption off until then.
 * Return: whether it may: the device process is @owner, and there is one such thread at a time.
 */
bool hvmm_channel_lend(struct hvmm_vm *vm, const void *owner, unsigned int cpu);

/**
 * hvmm_channel_lend_end - it has stopped
 * @vm: the VM
 * @takes: the thread will serve a request: the one that it has come upon as it ran a vCPU, or
 *         the first that hvmm_channel_next() gives it
 * @index: filled: vCPU
 * @seq: filled: number of the request
 *
 * Wakes others for what came meanwhile and is not for the caller.
 *
 * Return: whether it has come upon one, which is its own now.
 */
bool hvmm_channel_lend_end(struct hvmm_vm *vm, bool takes, u32 *index, u64 *seq);

/**
 * hvmm_channel_is_direct - whether a vCPU waits for the answer of the thread that has run it
 * @vcpu: the vCPU
 *
 * Context: between hvmm_channel_lend() and hvmm_channel_lend_end().
 */
bool hvmm_channel_is_direct(const struct hvmm_vcpu *vcpu);

/**
 * hvmm_channel_poll - poll() for pending requests
 * @vm: the VM
 * @owner: as attached
 * @file: the file
 * @pt: poll table
 *
 * Context: may sleep.
 * Return: EPOLLIN, EPOLLERR (not attached), EPOLLHUP (shut down).
 */
__poll_t hvmm_channel_poll(struct hvmm_vm *vm, const void *owner, struct file *file,
			   struct poll_table_struct *pt);

/**
 * hvmm_channel_mmap - map the slots
 * @vm: the VM
 * @vma: where
 * @pgoff: page offset from the first slot
 *
 * Context: mmap lock held for writing.
 * Return: 0 or -EINVAL (beyond the slots).
 */
int hvmm_channel_mmap(struct hvmm_vm *vm, struct vm_area_struct *vma, unsigned long pgoff);

#endif
