/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doorbells (ioeventfd) and interrupt lines (irqfd) on eventfds. They belong to the
 * VM fd through which they were made and go with it, so that a device process that
 * dies leaves none behind.
 */
#ifndef HVMM_IO_EVENTFD_H
#define HVMM_IO_EVENTFD_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct hvmm_vm;

/* Irqfds per VM fd; ioeventfds are bounded by the bus. */
#define HVMM_IRQFDS_MAX		1024

/**
 * struct hvmm_eventfds - eventfds of one VM fd
 * @vm: the VM; constant
 * @lock: serialises changes
 * @ioeventfds: doorbells
 * @irqfds: interrupts
 * @nr_irqfds: length of @irqfds
 */
struct hvmm_eventfds {
	struct hvmm_vm *vm;
	struct mutex lock; /* both lists */
	struct list_head ioeventfds;
	struct list_head irqfds;
	unsigned int nr_irqfds;
};

/**
 * struct hvmm_ioeventfd_spec - when a doorbell rings
 * @addr: port or guest physical address
 * @datamatch: datum, if @match
 * @len: bytes of the write: 1, 2, 4, 8; 0 is any
 * @mmio: memory rather than port
 * @match: only writes of @datamatch
 */
struct hvmm_ioeventfd_spec {
	u64 addr;
	u64 datamatch;
	u32 len;
	bool mmio;
	bool match;
};

/**
 * struct hvmm_irqfd_spec - what a signal does
 * @msi: deliver a message; else raise and drop a pin
 * @pin: IOAPIC pin
 * @addr: address of the message
 * @data: its data
 */
struct hvmm_irqfd_spec {
	bool msi;
	u32 pin;
	u64 addr;
	u32 data;
};

void hvmm_eventfds_init(struct hvmm_eventfds *e, struct hvmm_vm *vm);

/**
 * hvmm_eventfds_exit - remove all
 * @e: the eventfds
 *
 * Context: may sleep.
 */
void hvmm_eventfds_exit(struct hvmm_eventfds *e);

/**
 * hvmm_ioeventfd_add - let a guest's write signal an eventfd
 * @e: the eventfds
 * @spec: which write
 * @fd: the eventfd
 *
 * Context: may sleep.
 * Return: 0, -EBADF, -EINVAL (not an eventfd, bad range), -EEXIST, -ENOSPC, -ENOMEM.
 */
int hvmm_ioeventfd_add(struct hvmm_eventfds *e, const struct hvmm_ioeventfd_spec *spec, int fd);

/**
 * hvmm_ioeventfd_del - undo hvmm_ioeventfd_add()
 * @e: the eventfds
 * @spec: as added
 * @fd: as added
 *
 * Context: may sleep.
 * Return: 0, -EBADF, -EINVAL, -ENOENT.
 */
int hvmm_ioeventfd_del(struct hvmm_eventfds *e, const struct hvmm_ioeventfd_spec *spec, int fd);

/**
 * hvmm_irqfd_add - let an eventfd interrupt the guest
 * @e: the eventfds
 * @spec: how
 * @fd: the eventfd
 *
 * Context: may sleep.
 * Return: 0, -EBADF, -EINVAL (not an eventfd, no such pin, no MSI address), -EEXIST,
 * -ENOSPC, -ENOMEM.
 */
int hvmm_irqfd_add(struct hvmm_eventfds *e, const struct hvmm_irqfd_spec *spec, int fd);

/**
 * hvmm_irqfd_del - undo hvmm_irqfd_add()
 * @e: the eventfds
 * @spec: as added
 * @fd: as added
 *
 * On return the eventfd causes no interrupt any more.
 *
 * Context: may sleep.
 * Return: 0, -EBADF, -EINVAL, -ENOENT.
 */
int hvmm_irqfd_del(struct hvmm_eventfds *e, const struct hvmm_irqfd_spec *spec, int fd);

#endif
