/* SPDX-License-Identifier: GPL-2.0 */
/* What creation and destruction (vm.c) need of a VM's life in between (life.c). */
#ifndef HVMM_CORE_LIFE_H
#define HVMM_CORE_LIFE_H

#include "core/vm.h"

/**
 * hvmm_life_init - what all VMs share
 *
 * Context: process. Return: 0 or -ENOMEM.
 */
int hvmm_life_init(void);

/**
 * hvmm_life_exit - undo hvmm_life_init(); no VM exists any more
 *
 * Context: process; waits for what is stopping or telling of a VM.
 */
void hvmm_life_exit(void);

/**
 * hvmm_life_prepare - for a VM that is being created
 * @vm: nobody else knows it
 */
void hvmm_life_prepare(struct hvmm_vm *vm);

/**
 * hvmm_life_notify - tell the listener, if there is one
 * @vm: the VM
 * @event: what has become of it
 *
 * Context: process; @vm's lock is held where the event is of its state.
 */
void hvmm_life_notify(struct hvmm_vm *vm, enum hvmm_vm_event event);

/**
 * hvmm_life_stop - park all vCPUs and forget what they were about to do
 * @vm: the VM, running or paused
 * @reason: why
 *
 * Context: process, with @vm's lock; waits for the vCPUs.
 */
void hvmm_life_stop(struct hvmm_vm *vm, enum hvmm_vm_reason reason);

#endif
