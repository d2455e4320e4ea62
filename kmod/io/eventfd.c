// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "core/vm.h"
#include "dev/ioapic.h"
#include "dev/irq.h"
#include "io/eventfd.h"

/**
 * struct hvmm_ioeventfd - a doorbell
 * @dev: its place on the bus
 * @node: in &hvmm_eventfds.ioeventfds
 * @spec: when it rings
 * @ctx: the eventfd
 */
struct hvmm_ioeventfd {
	struct hvmm_bus_dev dev;
	struct list_head node;
	struct hvmm_ioeventfd_spec spec;
	struct eventfd_ctx *ctx;
};

/**
 * struct hvmm_irqfd - an interrupt from an eventfd
 * @node: in &hvmm_eventfds.irqfds
 * @vm: the VM
 * @spec: what a signal does
 * @ctx: the eventfd
 * @wait: in the eventfd's wait queue
 * @pt: puts it there
 */
struct hvmm_irqfd {
	struct list_head node;
	struct hvmm_vm *vm;
	struct hvmm_irqfd_spec spec;
	struct eventfd_ctx *ctx;
	wait_queue_entry_t wait;
	poll_table pt;
};

void hvmm_eventfds_init(struct hvmm_eventfds *e, struct hvmm_vm *vm)
{
	e->vm = vm;
	mutex_init(&e->lock);
	INIT_LIST_HEAD(&e->ioeventfds);
	INIT_LIST_HEAD(&e->irqfds);
	e->nr_irqfds = 0;
}

static int hvmm_ioeventfd_write(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
				unsigned int len, const void *val)
{
	struct hvmm_ioeventfd *ioe = container_of(dev, struct hvmm_ioeventfd, dev);

	if (offset || (ioe->spec.len && ioe->spec.len != len))
		return -EOPNOTSUPP;
	/* Little endian on both sides: the datum's low bytes come first. */
	if (ioe->spec.match && memcmp(val, &ioe->spec.datamatch, len))
		return -EOPNOTSUPP;
	eventfd_signal(ioe->ctx);
	return 0;
}

static void hvmm_ioeventfd_release(struct hvmm_bus_dev *dev)
{
	struct hvmm_ioeventfd *ioe = container_of(dev, struct hvmm_ioeventfd, dev);

	eventfd_ctx_put(ioe->ctx);
	kfree(ioe);
}

static const struct hvmm_bus_ops hvmm_ioeventfd_ops = {
	.write = hvmm_ioeventfd_write,
	.release = hvmm_ioeventfd_release,
};

static struct hvmm_bus *hvmm_ioeventfd_bus(struct hvmm_eventfds *e, bool mmio)
{
	return mmio ? &e->vm->mmio : &e->vm->pio;
}

static bool hvmm_ioeventfd_same(const struct hvmm_ioeventfd_spec *a,
				const struct hvmm_ioeventfd_spec *b)
{
	return a->addr == b->addr && a->len == b->len && a->mmio == b->mmio &&
	       a->match == b->match && (!a->match || a->datamatch == b->datamatch);
}

static int hvmm_ioeventfd_check(const struct hvmm_ioeventfd_spec *spec)
{
	switch (spec->len) {
	case 0:
	case 1:
	case 2:
	case 4:
		break;
	case 8:
		if (spec->mmio)
			break;
		fallthrough;
	default:
		return -EINVAL;
	}
	if (spec->match && (!spec->len || (spec->len < 8 && spec->datamatch >> (8 * spec->len))))
		return -EINVAL;
	if (!spec->mmio && (spec->addr > 0xffff || spec->addr + spec->len > 0x10000))
		return -EINVAL;
	return 0;
}

int hvmm_ioeventfd_add(struct hvmm_eventfds *e, const struct hvmm_ioeventfd_spec *spec, int fd)
{
	struct hvmm_ioeventfd *ioe, *other;
	struct eventfd_ctx *ctx;
	int err;

	err = hvmm_ioeventfd_check(spec);
	if (err)
		return err;
	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ioe = kzalloc(sizeof(*ioe), GFP_KERNEL_ACCOUNT);
	if (!ioe) {
		err = -ENOMEM;
		goto put;
	}
	ioe->dev.ops = &hvmm_ioeventfd_ops;
	ioe->dev.base = spec->addr;
	/* A doorbell for any length takes the longest there is. */
	ioe->dev.len = spec->len ?: 8;
	ioe->dev.quick = true;
	ioe->spec = *spec;
	ioe->ctx = ctx;

	mutex_lock(&e->lock);
	list_for_each_entry(other, &e->ioeventfds, node) {
		if (hvmm_ioeventfd_same(&other->spec, spec)) {
			err = -EEXIST;
			break;
		}
	}
	if (!err)
		err = hvmm_bus_add(hvmm_ioeventfd_bus(e, spec->mmio), &ioe->dev);
	if (!err)
		list_add_tail(&ioe->node, &e->ioeventfds);
	mutex_unlock(&e->lock);
	if (!err)
		return 0;

	kfree(ioe);
put:
	eventfd_ctx_put(ctx);
	return err;
}

static void hvmm_ioeventfd_remove(struct hvmm_eventfds *e, struct hvmm_ioeventfd *ioe)
{
	list_del(&ioe->node);
	/* Frees it, once no vCPU uses it. */
	hvmm_bus_del(hvmm_ioeventfd_bus(e, ioe->spec.mmio), &ioe->dev);
}

int hvmm_ioeventfd_del(struct hvmm_eventfds *e, const struct hvmm_ioeventfd_spec *spec, int fd)
{
	struct hvmm_ioeventfd *ioe;
	struct eventfd_ctx *ctx;
	int err = -ENOENT;

	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	mutex_lock(&e->lock);
	list_for_each_entry(ioe, &e->ioeventfds, node) {
		if (ioe->ctx == ctx && hvmm_ioeventfd_same(&ioe->spec, spec)) {
			hvmm_ioeventfd_remove(e, ioe);
			err = 0;
			break;
		}
	}
	mutex_unlock(&e->lock);

	eventfd_ctx_put(ctx);
	return err;
}

static void hvmm_irqfd_inject(struct hvmm_irqfd *irqfd)
{
	struct hvmm_vm *vm = irqfd->vm;

	if (irqfd->spec.msi) {
		hvmm_msi_deliver(&vm->irq, irqfd->spec.addr, irqfd->spec.data);
		return;
	}
	hvmm_ioapic_set_irq(&vm->ioapic, irqfd->spec.pin, HVMM_IRQ_SOURCE_IRQFD, true);
	hvmm_ioapic_set_irq(&vm->ioapic, irqfd->spec.pin, HVMM_IRQ_SOURCE_IRQFD, false);
}

/*
 * The eventfd's wait queue lock is held, interrupts are off. The injection takes the
 * IOAPIC's and a vCPU's locks, under which nothing signals an eventfd.
 */
static int hvmm_irqfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct hvmm_irqfd *irqfd = container_of(wait, struct hvmm_irqfd, wait);
	u64 count;

	/* POLLHUP needs nothing: our reference keeps the context until the irqfd goes. */
	if (!(key_to_poll(key) & EPOLLIN))
		return 0;
	eventfd_ctx_do_read(irqfd->ctx, &count);
	hvmm_irqfd_inject(irqfd);
	return 0;
}

static void hvmm_irqfd_queue(struct file *file, wait_queue_head_t *head, poll_table *pt)
{
	struct hvmm_irqfd *irqfd = container_of(pt, struct hvmm_irqfd, pt);

	add_wait_queue(head, &irqfd->wait);
}

static bool hvmm_irqfd_same(const struct hvmm_irqfd_spec *a, const struct hvmm_irqfd_spec *b)
{
	if (a->msi != b->msi)
		return false;
	return a->msi ? a->addr == b->addr && a->data == b->data : a->pin == b->pin;
}

static struct hvmm_irqfd *hvmm_irqfd_find(struct hvmm_eventfds *e, struct eventfd_ctx *ctx,
					  const struct hvmm_irqfd_spec *spec)
{
	struct hvmm_irqfd *irqfd;

	lockdep_assert_held(&e->lock);
	list_for_each_entry(irqfd, &e->irqfds, node)
		if (irqfd->ctx == ctx && hvmm_irqfd_same(&irqfd->spec, spec))
			return irqfd;
	return NULL;
}

int hvmm_irqfd_add(struct hvmm_eventfds *e, const struct hvmm_irqfd_spec *spec, int fd)
{
	struct hvmm_irqfd *irqfd;
	struct hvmm_msg msg;
	struct file *file;
	int err;

	if (spec->msi ? hvmm_msi_decode(spec->addr, spec->data, &msg) < 0 :
			spec->pin >= HVMM_IOAPIC_PINS)
		return -EINVAL;
	file = eventfd_fget(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);

	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd) {
		err = -ENOMEM;
		goto put_file;
	}
	irqfd->vm = e->vm;
	irqfd->spec = *spec;
	irqfd->ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->ctx)) {
		err = PTR_ERR(irqfd->ctx);
		goto free;
	}
	init_waitqueue_func_entry(&irqfd->wait, hvmm_irqfd_wake);
	init_poll_funcptr(&irqfd->pt, hvmm_irqfd_queue);

	mutex_lock(&e->lock);
	if (hvmm_irqfd_find(e, irqfd->ctx, spec))
		err = -EEXIST;
	else if (e->nr_irqfds >= HVMM_IRQFDS_MAX)
		err = -ENOSPC;
	else
		err = 0;
	if (!err) {
		list_add_tail(&irqfd->node, &e->irqfds);
		e->nr_irqfds++;
		/* Puts it into the wait queue; what was signalled before counts too. */
		if (vfs_poll(file, &irqfd->pt) & EPOLLIN)
			hvmm_irqfd_inject(irqfd);
	}
	mutex_unlock(&e->lock);
	if (!err) {
		fput(file);
		return 0;
	}

	eventfd_ctx_put(irqfd->ctx);
free:
	kfree(irqfd);
put_file:
	fput(file);
	return err;
}

static void hvmm_irqfd_remove(struct hvmm_eventfds *e, struct hvmm_irqfd *irqfd)
{
	u64 count;

	list_del(&irqfd->node);
	e->nr_irqfds--;
	/* Takes the wait queue's lock: afterwards no wake-up is under way. */
	eventfd_ctx_remove_wait_queue(irqfd->ctx, &irqfd->wait, &count);
	eventfd_ctx_put(irqfd->ctx);
	kfree(irqfd);
}

int hvmm_irqfd_del(struct hvmm_eventfds *e, const struct hvmm_irqfd_spec *spec, int fd)
{
	struct hvmm_irqfd *irqfd;
	struct eventfd_ctx *ctx;

	ctx = eventfd_ctx_fdget(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	mutex_lock(&e->lock);
	irqfd = hvmm_irqfd_find(e, ctx, spec);
	if (irqfd)
		hvmm_irqfd_remove(e, irqfd);
	mutex_unlock(&e->lock);

	eventfd_ctx_put(ctx);
	return irqfd ? 0 : -ENOENT;
}

void hvmm_eventfds_exit(struct hvmm_eventfds *e)
{
	struct hvmm_ioeventfd *ioe, *ioe_next;
	struct hvmm_irqfd *irqfd, *irqfd_next;

	mutex_lock(&e->lock);
	list_for_each_entry_safe(ioe, ioe_next, &e->ioeventfds, node)
		hvmm_ioeventfd_remove(e, ioe);
	list_for_each_entry_safe(irqfd, irqfd_next, &e->irqfds, node)
		hvmm_irqfd_remove(e, irqfd);
	mutex_unlock(&e->lock);
	mutex_destroy(&e->lock);
}
