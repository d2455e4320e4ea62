// SPDX-License-Identifier: GPL-2.0
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <uapi/linux/hvmm_vm.h>

#include "core/arch.h"
#include "io/channel.h"

enum hvmm_io_state {
	HVMM_IO_IDLE,
	HVMM_IO_PENDING,
	HVMM_IO_TAKEN,
	HVMM_IO_DONE,
};

/**
 * struct hvmm_io_request - the kernel's own record of a vCPU's request
 * @node: in &hvmm_channel.pending while pending
 * @seq: its number
 * @state: enum hvmm_io_state
 * @len: bytes
 * @write: direction
 * @data: answer to a read, once done
 */
struct hvmm_io_request {
	struct list_head node;
	u64 seq;
	enum hvmm_io_state state;
	u8 len;
	bool write;
	u8 data[16];
};

/**
 * struct hvmm_channel - a VM's device channel
 * @lock: protects the rest, see channel.h
 * @wait: threads of the device process that wait for a request
 * @pending: requests not yet taken, oldest first
 * @owner: the device process, %NULL while there is none
 * @dead: the VM was destroyed
 * @seq: number of the latest request
 * @lent: pCPU that runs the VM's vCPUs in a thread of the device process, or -1
 * @direct: request that this thread has come upon itself, taken by it, or %NULL
 * @slots: shared with the device process, one per vCPU; never trusted
 * @nr: number of vCPUs; constant
 * @req: requests by vCPU
 */
struct hvmm_channel {
	spinlock_t lock; /* all fields */
	wait_queue_head_t wait;
	struct list_head pending;
	const void *owner;
	bool dead;
	u64 seq;
	int lent;
	struct hvmm_io_request *direct;
	struct hvmm_vm_slot *slots;
	u32 nr;
	struct hvmm_io_request req[] __counted_by(nr);
};

static size_t hvmm_channel_slot_bytes(u32 nr)
{
	return PAGE_ALIGN(nr * sizeof(struct hvmm_vm_slot));
}

int hvmm_channel_create(struct hvmm_vm *vm)
{
	struct hvmm_channel *ch;
	u32 i;

	BUILD_BUG_ON(sizeof(struct hvmm_vm_slot) != 64);

	ch = kvzalloc(struct_size(ch, req, vm->nr_vcpus), GFP_KERNEL_ACCOUNT);
	if (!ch)
		return -ENOMEM;
	ch->nr = vm->nr_vcpus;
	ch->lent = -1;
	ch->slots = vmalloc_user(hvmm_channel_slot_bytes(ch->nr));
	if (!ch->slots) {
		kvfree(ch);
		return -ENOMEM;
	}
	spin_lock_init(&ch->lock);
	init_waitqueue_head(&ch->wait);
	INIT_LIST_HEAD(&ch->pending);
	for (i = 0; i < ch->nr; i++)
		INIT_LIST_HEAD(&ch->req[i].node);

	vm->channel = ch;
	return 0;
}

void hvmm_channel_destroy(struct hvmm_vm *vm)
{
	if (!vm->channel)
		return;
	vfree(vm->channel->slots);
	kvfree(vm->channel);
	vm->channel = NULL;
}

void hvmm_channel_shutdown(struct hvmm_vm *vm)
{
	struct hvmm_channel *ch = vm->channel;
	unsigned long flags;

	spin_lock_irqsave(&ch->lock, flags);
	ch->dead = true;
	spin_unlock_irqrestore(&ch->lock, flags);
	wake_up_all(&ch->wait);
}

size_t hvmm_channel_bytes(const struct hvmm_vm *vm)
{
	const struct hvmm_channel *ch = vm->channel;

	return ch ? struct_size(ch, req, ch->nr) + hvmm_channel_slot_bytes(ch->nr) : 0;
}

/* There is a request. A thread that runs vCPUs looks for some when it is done with that. */
static void call_device(struct hvmm_channel *ch)
{
	int lent = READ_ONCE(ch->lent);

	if (lent < 0)
		wake_up_interruptible_poll(&ch->wait, EPOLLIN | EPOLLRDNORM);
	else
		hvmm_run_kick_cpu(lent);
}

int hvmm_channel_post(struct hvmm_vcpu *vcpu, bool mmio, bool write, u64 addr,
		      unsigned int len, const void *data)
{
	struct hvmm_channel *ch = vcpu->vm->channel;
	struct hvmm_io_request *req = &ch->req[vcpu->index];
	struct hvmm_vm_slot *slot = &ch->slots[vcpu->index];
	unsigned long flags;
	bool direct;
	int err = 0;

	if (WARN_ON_ONCE(!len || len > sizeof(req->data)))
		return -ENODEV;

	spin_lock_irqsave(&ch->lock, flags);
	if (!ch->owner) {
		err = -ENODEV;
		goto unlock;
	}
	/* A vCPU waits for its answer: it cannot have asked before. */
	if (WARN_ON_ONCE(req->state == HVMM_IO_PENDING))
		list_del(&req->node);

	req->seq = ++ch->seq;
	req->len = len;
	req->write = write;
	/* Nobody's lend begins or ends on this pCPU meanwhile. */
	direct = READ_ONCE(ch->lent) == raw_smp_processor_id();
	if (direct) {
		req->state = HVMM_IO_TAKEN;
		ch->direct = req;
	} else {
		req->state = HVMM_IO_PENDING;
		list_add_tail(&req->node, &ch->pending);
	}

	slot->seq = req->seq;
	slot->addr = addr;
	slot->len = len;
	slot->write = write;
	slot->space = mmio ? HVMM_VM_SPACE_MMIO : HVMM_VM_SPACE_PIO;
	memset(slot->data, 0, sizeof(slot->data));
	if (write)
		memcpy(slot->data, data, len);
unlock:
	spin_unlock_irqrestore(&ch->lock, flags);
	if (!err && !direct)
		call_device(ch);
	return err;
}

void hvmm_channel_result(struct hvmm_vcpu *vcpu, void *data)
{
	struct hvmm_channel *ch = vcpu->vm->channel;
	struct hvmm_io_request *req = &ch->req[vcpu->index];
	unsigned long flags;

	/* Nobody but the runner moves one on that is done; what comes with it is read after. */
	if (smp_load_acquire(&req->state) == HVMM_IO_DONE) {
		if (data && !req->write)
			memcpy(data, req->data, req->len);
		req->state = HVMM_IO_IDLE;
		return;
	}
	spin_lock_irqsave(&ch->lock, flags);
	if (data && !req->write)
		memset(data, 0xff, req->len);
	if (req->state == HVMM_IO_PENDING)
		list_del_init(&req->node);
	req->state = HVMM_IO_IDLE;
	spin_unlock_irqrestore(&ch->lock, flags);
}

void hvmm_channel_cancel(struct hvmm_vcpu *vcpu)
{
	struct hvmm_channel *ch = vcpu->vm->channel;
	struct hvmm_io_request *req = &ch->req[vcpu->index];
	unsigned long flags;

	spin_lock_irqsave(&ch->lock, flags);
	if (req->state == HVMM_IO_PENDING)
		list_del_init(&req->node);
	if (ch->direct == req)
		ch->direct = NULL;
	req->state = HVMM_IO_IDLE;
	spin_unlock_irqrestore(&ch->lock, flags);
}

int hvmm_channel_attach(struct hvmm_vm *vm, const void *owner)
{
	struct hvmm_channel *ch = vm->channel;
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&ch->lock, flags);
	if (ch->dead)
		err = -ENODEV;
	else if (ch->owner)
		err = ch->owner == owner ? -EALREADY : -EBUSY;
	else
		ch->owner = owner;
	spin_unlock_irqrestore(&ch->lock, flags);

	return err;
}

void hvmm_channel_detach(struct hvmm_vm *vm, const void *owner)
{
	struct hvmm_channel *ch = vm->channel;
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&ch->lock, flags);
	if (ch->owner == owner) {
		ch->owner = NULL;
		ch->direct = NULL;
		for (i = 0; i < ch->nr; i++) {
			struct hvmm_io_request *req = &ch->req[i];

			if (req->state != HVMM_IO_PENDING && req->state != HVMM_IO_TAKEN)
				continue;
			list_del_init(&req->node);
			memset(req->data, 0xff, sizeof(req->data));
			/* Pairs with hvmm_channel_result(). */
			smp_store_release(&req->state, HVMM_IO_DONE);
			hvmm_vcpu_request(vm->vcpus[i], HVMM_REQ_IO_DONE);
		}
	}
	spin_unlock_irqrestore(&ch->lock, flags);
}

int hvmm_channel_complete(struct hvmm_vm *vm, const void *owner, u32 index, u64 seq)
{
	struct hvmm_channel *ch = vm->channel;
	struct hvmm_io_request *req;
	unsigned long flags;
	int err = 0;

	if (index >= ch->nr)
		return -EINVAL;
	index = array_index_nospec(index, ch->nr);
	req = &ch->req[index];

	spin_lock_irqsave(&ch->lock, flags);
	if (ch->dead) {
		err = -ENODEV;
	} else if (ch->owner != owner) {
		err = -ENOTCONN;
	} else if (req->state == HVMM_IO_TAKEN && req->seq == seq) {
		if (!req->write)
			memcpy(req->data, ch->slots[index].data, sizeof(req->data));
		/* Pairs with hvmm_channel_result(). */
		smp_store_release(&req->state, HVMM_IO_DONE);
		hvmm_vcpu_request(vm->vcpus[index], HVMM_REQ_IO_DONE);
	}
	spin_unlock_irqrestore(&ch->lock, flags);

	return err;
}

bool hvmm_channel_pending(const struct hvmm_vm *vm)
{
	return !list_empty(&vm->channel->pending) || READ_ONCE(vm->channel->direct);
}

bool hvmm_channel_lend(struct hvmm_vm *vm, const void *owner, unsigned int cpu)
{
	struct hvmm_channel *ch = vm->channel;

	return READ_ONCE(ch->owner) == owner && cmpxchg(&ch->lent, -1, (int)cpu) == -1;
}

bool hvmm_channel_lend_end(struct hvmm_vm *vm, bool takes, u32 *index, u64 *seq)
{
	struct hvmm_channel *ch = vm->channel;
	struct hvmm_io_request *req;
	unsigned long flags;
	size_t others = 0;

	spin_lock_irqsave(&ch->lock, flags);
	WRITE_ONCE(ch->lent, -1);
	req = ch->direct;
	ch->direct = NULL;
	if (req && !takes) {
		req->state = HVMM_IO_PENDING;
		list_add(&req->node, &ch->pending);
		req = NULL;
	}
	/* For these nobody was woken; if the thread has none yet, it takes the first. */
	if (unlikely(!list_empty(&ch->pending)))
		others = list_count_nodes(&ch->pending) - (takes && !req);
	if (req) {
		*index = req - ch->req;
		*seq = req->seq;
	}
	spin_unlock_irqrestore(&ch->lock, flags);
	if (unlikely(others))
		wake_up_interruptible_nr(&ch->wait, others);
	return req;
}

bool hvmm_channel_is_direct(const struct hvmm_vcpu *vcpu)
{
	struct hvmm_channel *ch = vcpu->vm->channel;

	return READ_ONCE(ch->direct) == &ch->req[vcpu->index];
}

static int hvmm_channel_take(struct hvmm_channel *ch, const void *owner, u32 *index, u64 *seq)
{
	struct hvmm_io_request *req;
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&ch->lock, flags);
	req = list_first_entry_or_null(&ch->pending, struct hvmm_io_request, node);
	if (ch->dead) {
		err = -ENODEV;
	} else if (ch->owner != owner) {
		err = -ENOTCONN;
	} else if (!req) {
		err = -EAGAIN;
	} else {
		list_del_init(&req->node);
		req->state = HVMM_IO_TAKEN;
		*index = req - ch->req;
		*seq = req->seq;
	}
	spin_unlock_irqrestore(&ch->lock, flags);

	return err;
}

static bool hvmm_channel_try(struct hvmm_channel *ch, const void *owner, u32 *index, u64 *seq,
			     int *taken)
{
	*taken = hvmm_channel_take(ch, owner, index, seq);
	return *taken != -EAGAIN;
}

int hvmm_channel_next(struct hvmm_vm *vm, const void *owner, bool wait, u32 *index, u64 *seq)
{
	struct hvmm_channel *ch = vm->channel;
	int err, taken;

	err = hvmm_channel_take(ch, owner, index, seq);
	if (err != -EAGAIN || !wait)
		return err;

	/* Exclusive: one request wakes one thread. */
	err = wait_event_interruptible_exclusive(ch->wait,
						 hvmm_channel_try(ch, owner, index, seq, &taken));
	return err ?: taken;
}

__poll_t hvmm_channel_poll(struct hvmm_vm *vm, const void *owner, struct file *file,
			   struct poll_table_struct *pt)
{
	struct hvmm_channel *ch = vm->channel;
	unsigned long flags;
	__poll_t mask = 0;

	poll_wait(file, &ch->wait, pt);

	spin_lock_irqsave(&ch->lock, flags);
	if (ch->dead)
		mask = EPOLLHUP;
	else if (ch->owner != owner)
		mask = EPOLLERR;
	else if (!list_empty(&ch->pending))
		mask = EPOLLIN | EPOLLRDNORM;
	spin_unlock_irqrestore(&ch->lock, flags);

	return mask;
}

int hvmm_channel_mmap(struct hvmm_vm *vm, struct vm_area_struct *vma, unsigned long pgoff)
{
	return remap_vmalloc_range(vma, vm->channel->slots, pgoff);
}
