// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "core/bus.h"

/* As many as a VM with dozens of devices needs for its doorbells. */
#define HVMM_BUS_DEVS_MAX	1024

/**
 * struct hvmm_bus_range - one device in a table
 * @base: first address
 * @last: last address
 * @reach: highest @last of this and all ranges before it; never decreases, so
 *         that a binary search by it finds the first range that may hold an address
 * @dev: the device; %NULL once it was taken off
 */
struct hvmm_bus_range {
	u64 base;
	u64 last;
	u64 reach;
	struct hvmm_bus_dev *dev;
};

/**
 * struct hvmm_bus_table - devices in order of their base, equal ones in order of age
 * @rcu: defers freeing
 * @nr: number of entries in @range
 * @range: the entries; constant but for their @dev
 */
struct hvmm_bus_table {
	struct rcu_head rcu;
	unsigned int nr;
	struct hvmm_bus_range range[] __counted_by(nr);
};

void hvmm_bus_init(struct hvmm_bus *bus)
{
	mutex_init(&bus->lock);
	RCU_INIT_POINTER(bus->table, NULL);
}

static struct hvmm_bus_table *hvmm_bus_table(struct hvmm_bus *bus)
{
	return rcu_dereference_protected(bus->table, lockdep_is_held(&bus->lock));
}

void hvmm_bus_exit(struct hvmm_bus *bus)
{
	struct hvmm_bus_table *table;
	unsigned int i;

	mutex_lock(&bus->lock);
	table = hvmm_bus_table(bus);
	RCU_INIT_POINTER(bus->table, NULL);
	mutex_unlock(&bus->lock);
	if (!table)
		return;

	/* No vCPU runs any more, so nobody is reading the table. */
	for (i = 0; i < table->nr; i++) {
		struct hvmm_bus_dev *dev = table->range[i].dev;

		if (dev && dev->ops->release)
			dev->ops->release(dev);
	}
	kfree(table);
}

static void hvmm_bus_append(struct hvmm_bus_table *table, struct hvmm_bus_dev *dev)
{
	struct hvmm_bus_range *range = &table->range[table->nr++];

	range->base = dev->base;
	range->last = dev->base + (dev->len - 1);
	range->reach = range->last;
	if (table->nr > 1)
		range->reach = max(range->reach, table->range[table->nr - 2].reach);
	range->dev = dev;
}

int hvmm_bus_add(struct hvmm_bus *bus, struct hvmm_bus_dev *dev)
{
	struct hvmm_bus_table *old, *new;
	unsigned int i, nr = 0;
	bool placed = false;
	u64 last;
	int err = 0;

	if (!dev->len || check_add_overflow(dev->base, dev->len - 1, &last))
		return -EINVAL;

	mutex_lock(&bus->lock);
	old = hvmm_bus_table(bus);
	for (i = 0; old && i < old->nr; i++)
		nr += !!old->range[i].dev;
	if (nr >= HVMM_BUS_DEVS_MAX) {
		err = -ENOSPC;
		goto unlock;
	}
	new = kzalloc(struct_size(new, range, nr + 1), GFP_KERNEL_ACCOUNT);
	if (!new) {
		err = -ENOMEM;
		goto unlock;
	}

	for (i = 0; old && i < old->nr; i++) {
		struct hvmm_bus_range *range = &old->range[i];

		if (!range->dev)
			continue;
		if (!placed && range->base > dev->base) {
			hvmm_bus_append(new, dev);
			placed = true;
		}
		hvmm_bus_append(new, range->dev);
	}
	if (!placed)
		hvmm_bus_append(new, dev);

	rcu_assign_pointer(bus->table, new);
	if (old)
		kfree_rcu(old, rcu);
unlock:
	mutex_unlock(&bus->lock);
	return err;
}

void hvmm_bus_del(struct hvmm_bus *bus, struct hvmm_bus_dev *dev)
{
	struct hvmm_bus_table *table;
	bool found = false;
	unsigned int i;

	/* In place, so that taking a device off cannot fail; the next add closes the gap. */
	mutex_lock(&bus->lock);
	table = hvmm_bus_table(bus);
	for (i = 0; table && i < table->nr && !found; i++) {
		if (table->range[i].dev != dev)
			continue;
		WRITE_ONCE(table->range[i].dev, NULL);
		found = true;
	}
	mutex_unlock(&bus->lock);
	if (!found)
		return;

	synchronize_rcu();
	if (dev->ops->release)
		dev->ops->release(dev);
}

/* The first range that may hold @addr; all before it end below. */
static unsigned int hvmm_bus_first(const struct hvmm_bus_table *table, u64 addr)
{
	unsigned int low = 0, high = table->nr;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (table->range[mid].reach < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* A table stays until those have gone on who run with preemption off. */
static __always_inline int hvmm_bus_access(struct hvmm_bus *bus, struct hvmm_vcpu *vcpu,
					   u64 addr, unsigned int len, bool quick, void *in,
					   const void *out)
{
	const struct hvmm_bus_table *table = rcu_dereference_sched(bus->table);
	int err = -EOPNOTSUPP;
	unsigned int i;
	u64 last;

	if (!table || check_add_overflow(addr, (u64)len - 1, &last))
		return err;

	for (i = hvmm_bus_first(table, addr); i < table->nr; i++) {
		const struct hvmm_bus_range *range = &table->range[i];
		struct hvmm_bus_dev *dev;

		if (range->base > addr)
			break;
		if (range->last < last)
			continue;
		dev = READ_ONCE(range->dev);
		if (!dev)
			continue;
		if (quick && !dev->quick) {
			err = -EAGAIN;
			break;
		}
		if (in && dev->ops->read)
			err = dev->ops->read(dev, vcpu, addr - range->base, len, in);
		else if (out && dev->ops->write)
			err = dev->ops->write(dev, vcpu, addr - range->base, len, out);
		if (err != -EOPNOTSUPP)
			break;
	}
	return err;
}

int hvmm_bus_read(struct hvmm_bus *bus, struct hvmm_vcpu *vcpu, u64 addr,
		  unsigned int len, void *val)
{
	return hvmm_bus_access(bus, vcpu, addr, len, false, val, NULL);
}

int hvmm_bus_write(struct hvmm_bus *bus, struct hvmm_vcpu *vcpu, u64 addr,
		   unsigned int len, const void *val)
{
	return hvmm_bus_access(bus, vcpu, addr, len, false, NULL, val);
}

int hvmm_bus_quick(struct hvmm_bus *bus, struct hvmm_vcpu *vcpu, u64 addr, unsigned int len,
		   bool write, void *val)
{
	return hvmm_bus_access(bus, vcpu, addr, len, true, write ? NULL : val,
			       write ? val : NULL);
}
