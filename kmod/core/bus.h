/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CORE_BUS_H
#define HVMM_CORE_BUS_H

#include <linux/mutex.h>
#include <linux/types.h>

struct hvmm_vcpu;
struct hvmm_bus_dev;
struct hvmm_bus_table;

/**
 * struct hvmm_bus_ops - a device on a bus
 * @read: fill @val (@len bytes, little endian) from @offset within the device.
 *        Return 0, or -EOPNOTSUPP to let the access go on to userspace.
 * @write: the same for a write (an ioeventfd that does not match its datum
 *         returns -EOPNOTSUPP)
 * @release: last reference from the bus is gone; process context
 *
 * @read and @write run on the vCPU's runner, preemption off: they never sleep. Interrupts may
 * be off too if &hvmm_bus_dev.quick is set.
 */
struct hvmm_bus_ops {
	int (*read)(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		    unsigned int len, void *val);
	int (*write)(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		     unsigned int len, const void *val);
	void (*release)(struct hvmm_bus_dev *dev);
};

/**
 * struct hvmm_bus_dev - a range of addresses and who serves it
 * @ops: the device
 * @base: first address
 * @len: number of addresses
 * @quick: what it does is short, and as well done with interrupts off
 */
struct hvmm_bus_dev {
	const struct hvmm_bus_ops *ops;
	u64 base;
	u64 len;
	bool quick;
};

/**
 * struct hvmm_bus - port or memory address space with in-kernel devices
 * @lock: serialises changes
 * @table: sorted ranges; replaced as a whole, read under RCU
 */
struct hvmm_bus {
	struct mutex lock; /* changes of @table */
	struct hvmm_bus_table __rcu *table;
};

void hvmm_bus_init(struct hvmm_bus *bus);

/**
 * hvmm_bus_exit - release all devices
 * @bus: the bus; nobody uses it any more
 *
 * Context: may sleep.
 */
void hvmm_bus_exit(struct hvmm_bus *bus);

/**
 * hvmm_bus_add - put a device on a bus
 * @bus: the bus
 * @dev: the device, its range filled
 *
 * Several devices may share one range (doorbells that differ in their datum);
 * they are asked in the order of being added.
 *
 * Context: may sleep.
 * Return: 0, -EINVAL (empty or wrapping range), -ENOSPC, -ENOMEM.
 */
int hvmm_bus_add(struct hvmm_bus *bus, struct hvmm_bus_dev *dev);

/**
 * hvmm_bus_del - take a device off a bus; waits until nobody uses it
 * @bus: the bus
 * @dev: the device; its release() is called
 *
 * Context: may sleep.
 */
void hvmm_bus_del(struct hvmm_bus *bus, struct hvmm_bus_dev *dev);

/**
 * hvmm_bus_read - read from the device that claims an address
 * @bus: the bus
 * @vcpu: on whose behalf
 * @addr: address
 * @len: 1, 2, 4 or 8; an access that is not wholly within one device is not claimed
 * @val: filled
 *
 * Context: preemption off; never sleeps.
 * Return: 0, or -EOPNOTSUPP if no device claims it.
 */
int hvmm_bus_read(struct hvmm_bus *bus, struct hvmm_vcpu *vcpu, u64 addr,
		  unsigned int len, void *val);

/**
 * hvmm_bus_write - write to the device that claims an address
 * @bus: the bus
 * @vcpu: on whose behalf
 * @addr: address
 * @len: 1, 2, 4 or 8
 * @val: data, little endian
 *
 * Context: preemption off; never sleeps.
 * Return: 0, or -EOPNOTSUPP if no device claims it.
 */
int hvmm_bus_write(struct hvmm_bus *bus, struct hvmm_vcpu *vcpu, u64 addr,
		   unsigned int len, const void *val);

/**
 * hvmm_bus_quick - an access to a device that does not need interrupts
 * @bus: the bus
 * @vcpu: on whose behalf
 * @addr: address
 * @len: 1, 2, 4 or 8
 * @write: direction
 * @val: data or filled
 *
 * Context: interrupts off.
 * Return: 0, -EOPNOTSUPP if no device claims it, or -EAGAIN if one is there that may: that is
 * for hvmm_bus_read() or hvmm_bus_write().
 */
int hvmm_bus_quick(struct hvmm_bus *bus, struct hvmm_vcpu *vcpu, u64 addr, unsigned int len,
		   bool write, void *val);

#endif
