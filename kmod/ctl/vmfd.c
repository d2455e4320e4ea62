// SPDX-License-Identifier: GPL-2.0
/* /dev/hvmm and the VM fd, as in <linux/hvmm_vm.h>. */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/linux/hvmm_vm.h>

#include "core/vm.h"
#include "ctl/vmfd.h"
#include "host/compat.h"
#include "io/channel.h"
#include "io/eventfd.h"
#include "mem/dirty.h"
#include "run/lend.h"

/**
 * struct hvmm_vmfd - an open VM fd
 * @vm: the VM; a reference is held
 * @eventfds: what was made through this fd
 * @lock: serialises changes of interrupt lines
 * @high: per pin, the sources that this fd holds high
 */
struct hvmm_vmfd {
	struct hvmm_vm *vm;
	struct hvmm_eventfds eventfds;
	struct mutex lock; /* @high and the lines behind it */
	u32 high[HVMM_IOAPIC_PINS];
};

static int hvmm_vmfd_arg_of(void *arg, size_t size, u32 usize, void __user *uarg)
{
	if (usize < size)
		return -EINVAL;
	if (usize > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(arg, size, uarg, usize);
}

/*
 * The size is read once, here; the copy's own size field is not looked at. Inline, so that the
 * compiler knows @size: checks of what is copied where need not be made each time then.
 */
static __always_inline int hvmm_vmfd_arg(void *arg, size_t size, void __user *uarg)
{
	u32 usize;

	if (get_user(usize, (u32 __user *)uarg))
		return -EFAULT;
	if (usize != size)
		return hvmm_vmfd_arg_of(arg, size, usize, uarg);
	return copy_from_user(arg, uarg, size) ? -EFAULT : 0;
}

static long hvmm_vmfd_info(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_info arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags || arg.reserved)
		return -EINVAL;

	arg.size = sizeof(arg);
	arg.abi_version = HVMM_VM_ABI_VERSION;
	arg.id = fd->vm->id;
	arg.nr_vcpus = fd->vm->nr_vcpus;
	arg.ram_size = fd->vm->mem.ram.size;
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long hvmm_vmfd_attach(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_attach arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags)
		return -EINVAL;
	return hvmm_channel_attach(fd->vm, fd);
}

static long hvmm_vmfd_io_next(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_io_next __user *next = uarg;
	struct hvmm_vm_io_next arg;
	bool borrowed, direct = false;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags & ~(HVMM_VM_IO_NOWAIT | HVMM_VM_IO_COMPLETE))
		return -EINVAL;

	if (arg.done_vcpu != HVMM_VM_NO_VCPU) {
		/* Who would only wait may as well run the vCPU that waits for the answer. */
		borrowed = !arg.flags && hvmm_lend_begin(fd->vm, fd);
		err = hvmm_channel_complete(fd->vm, fd, arg.done_vcpu, arg.done_seq);
		if (borrowed)
			direct = hvmm_lend_run(fd->vm, !err, &arg.vcpu, &arg.seq);
		if (err)
			return err;
	}
	if (!direct) {
		arg.vcpu = HVMM_VM_NO_VCPU;
		arg.seq = 0;
		if (!(arg.flags & HVMM_VM_IO_COMPLETE)) {
			err = hvmm_channel_next(fd->vm, fd, !(arg.flags & HVMM_VM_IO_NOWAIT),
						&arg.vcpu, &arg.seq);
			if (err)
				return err;
		}
	}
	if (put_user(arg.vcpu, &next->vcpu) || put_user(arg.seq, &next->seq))
		return -EFAULT;
	return 0;
}

static long hvmm_vmfd_irq_line(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_irq_line arg;
	unsigned int source;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags || arg.reserved || arg.level > 1 || arg.pin >= HVMM_IOAPIC_PINS ||
	    arg.source >= HVMM_VM_IRQ_SOURCES)
		return -EINVAL;
	BUILD_BUG_ON(HVMM_IRQ_SOURCE_DEVICE + HVMM_VM_IRQ_SOURCES - 1 > HVMM_IRQ_SOURCES);

	arg.pin = array_index_nospec(arg.pin, HVMM_IOAPIC_PINS);
	source = arg.source ? HVMM_IRQ_SOURCE_DEVICE + arg.source - 1 : HVMM_IRQ_SOURCE_VM;

	mutex_lock(&fd->lock);
	if (arg.level)
		fd->high[arg.pin] |= BIT(source);
	else
		fd->high[arg.pin] &= ~BIT(source);
	err = hvmm_ioapic_set_irq(&fd->vm->ioapic, arg.pin, source, arg.level);
	mutex_unlock(&fd->lock);

	return err < 0 ? err : 0;
}

static long hvmm_vmfd_msi(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_msi arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags || arg.reserved)
		return -EINVAL;
	return hvmm_msi_deliver(&fd->vm->irq, arg.addr, arg.data);
}

static long hvmm_vmfd_unmap_page(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_unmap_page arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags || !PAGE_ALIGNED(arg.gpa))
		return -EINVAL;
	if (!hvmm_mem_is_ram(&fd->vm->mem, arg.gpa >> PAGE_SHIFT))
		return -EFAULT;
	hvmm_mem_unmap(&fd->vm->mem, arg.gpa >> PAGE_SHIFT, 1);
	return 0;
}

static long hvmm_vmfd_discard(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_discard arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags || !arg.len || !PAGE_ALIGNED(arg.gpa) || !PAGE_ALIGNED(arg.len))
		return -EINVAL;
	return hvmm_mem_discard(&fd->vm->mem, arg.gpa >> PAGE_SHIFT, arg.len >> PAGE_SHIFT);
}

static long hvmm_vmfd_dirty_track(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_dirty_track arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags || arg.reserved || arg.on > 1)
		return -EINVAL;
	return arg.on ? hvmm_dirty_start(&fd->vm->mem, fd) : hvmm_dirty_stop(&fd->vm->mem, fd);
}

/* Notes of a range to userspace, a page of them at a time. */
static int hvmm_vmfd_dirty_copy(struct hvmm_vmfd *fd, struct hvmm_vm_dirty_get *arg)
{
	u8 __user *to = u64_to_user_ptr(arg->bitmap);
	u64 gfn = arg->gpa >> PAGE_SHIFT, nr = arg->len >> PAGE_SHIFT, part;
	struct hvmm_mem *mem = &fd->vm->mem;
	unsigned long *bits;
	int ret = 0;
	size_t len;

	bits = (unsigned long *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!bits)
		return -ENOMEM;
	for (; nr; gfn += part, nr -= part, to += len) {
		part = min_t(u64, nr, HVMM_DIRTY_FRAMES);
		len = BITS_TO_LONGS(part) * sizeof(long);
		ret = hvmm_dirty_take(mem, fd, gfn, part, bits);
		if (ret < 0)
			break;
		arg->dirty += ret;
		ret = copy_to_user(to, bits, len) ? -EFAULT : 0;
		if (ret) {
			hvmm_dirty_return(mem, gfn, part, bits);
			break;
		}
		cond_resched();
	}
	free_page((unsigned long)bits);
	return ret;
}

static long hvmm_vmfd_dirty_get(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_vm_dirty_get arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags || arg.dirty || !arg.len || !PAGE_ALIGNED(arg.len) ||
	    !IS_ALIGNED(arg.gpa, HVMM_VM_DIRTY_ALIGN))
		return -EINVAL;
	BUILD_BUG_ON(!IS_ALIGNED(HVMM_VM_DIRTY_ALIGN, BITS_PER_LONG * PAGE_SIZE));
	if (!hvmm_mem_is_ram_range(&fd->vm->mem, arg.gpa >> PAGE_SHIFT, arg.len >> PAGE_SHIFT))
		return -EFAULT;

	err = hvmm_vmfd_dirty_copy(fd, &arg);
	/* Also after an error: what was delivered must hold. */
	if (arg.dirty)
		hvmm_mem_flush(&fd->vm->mem);
	if (err)
		return err;
	return copy_to_user(uarg, &arg, sizeof(arg)) ? -EFAULT : 0;
}

static long hvmm_vmfd_ioeventfd(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_ioeventfd_spec spec;
	struct hvmm_vm_ioeventfd arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags & ~(HVMM_VM_EVENTFD_DEL | HVMM_VM_IOEVENTFD_DATAMATCH) || arg.reserved ||
	    (arg.space != HVMM_VM_SPACE_PIO && arg.space != HVMM_VM_SPACE_MMIO) ||
	    (arg.datamatch && !(arg.flags & HVMM_VM_IOEVENTFD_DATAMATCH)))
		return -EINVAL;

	spec.addr = arg.addr;
	spec.datamatch = arg.datamatch;
	spec.len = arg.len;
	spec.mmio = arg.space == HVMM_VM_SPACE_MMIO;
	spec.match = arg.flags & HVMM_VM_IOEVENTFD_DATAMATCH;
	if (arg.flags & HVMM_VM_EVENTFD_DEL)
		return hvmm_ioeventfd_del(&fd->eventfds, &spec, arg.fd);
	return hvmm_ioeventfd_add(&fd->eventfds, &spec, arg.fd);
}

static long hvmm_vmfd_irqfd(struct hvmm_vmfd *fd, void __user *uarg)
{
	struct hvmm_irqfd_spec spec;
	struct hvmm_vm_irqfd arg;
	int err;

	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags & HVMM_VM_IRQFD_RESAMPLE)
		return -EOPNOTSUPP;
	if (arg.flags & ~(HVMM_VM_EVENTFD_DEL | HVMM_VM_IRQFD_MSI) || arg.reserved)
		return -EINVAL;
	spec.msi = arg.flags & HVMM_VM_IRQFD_MSI;
	if (spec.msi ? arg.pin : (arg.addr || arg.data))
		return -EINVAL;

	spec.pin = arg.pin;
	spec.addr = arg.addr;
	spec.data = arg.data;
	if (arg.flags & HVMM_VM_EVENTFD_DEL)
		return hvmm_irqfd_del(&fd->eventfds, &spec, arg.fd);
	return hvmm_irqfd_add(&fd->eventfds, &spec, arg.fd);
}

static long hvmm_vmfd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct hvmm_vmfd *fd = file->private_data;
	void __user *uarg = (void __user *)arg;

	if (READ_ONCE(fd->vm->dead))
		return -ENODEV;

	/* Each access of the guest comes by here. */
	if (likely(cmd == HVMM_VM_IO_NEXT))
		return hvmm_vmfd_io_next(fd, uarg);

	switch (cmd) {
	case HVMM_VM_INFO:
		return hvmm_vmfd_info(fd, uarg);
	case HVMM_VM_ATTACH:
		return hvmm_vmfd_attach(fd, uarg);
	case HVMM_VM_IRQ_LINE:
		return hvmm_vmfd_irq_line(fd, uarg);
	case HVMM_VM_MSI:
		return hvmm_vmfd_msi(fd, uarg);
	case HVMM_VM_UNMAP_PAGE:
		return hvmm_vmfd_unmap_page(fd, uarg);
	case HVMM_VM_DISCARD:
		return hvmm_vmfd_discard(fd, uarg);
	case HVMM_VM_DIRTY_TRACK:
		return hvmm_vmfd_dirty_track(fd, uarg);
	case HVMM_VM_DIRTY_GET:
		return hvmm_vmfd_dirty_get(fd, uarg);
	case HVMM_VM_IOEVENTFD:
		return hvmm_vmfd_ioeventfd(fd, uarg);
	case HVMM_VM_IRQFD:
		return hvmm_vmfd_irqfd(fd, uarg);
	default:
		return -ENOTTY;
	}
}

static __poll_t hvmm_vmfd_poll(struct file *file, struct poll_table_struct *pt)
{
	struct hvmm_vmfd *fd = file->private_data;

	return hvmm_channel_poll(fd->vm, fd, file, pt);
}

static int hvmm_vmfd_mmap_ram(struct hvmm_vm *vm, struct vm_area_struct *vma)
{
	struct file *file = vm->mem.ram.file;
	u64 pages = vm->mem.ram.size >> PAGE_SHIFT;
	int err;

	if (vma_pages(vma) > pages || vma->vm_pgoff > pages - vma_pages(vma))
		return -EINVAL;
	err = hvmm_mmap_file(file, vma);
	if (err)
		return err;
	/* From here on it is a mapping of the RAM file, which outlives the VM if need be. */
	vma_set_file(vma, file);
	return 0;
}

static int hvmm_vmfd_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long slots = HVMM_VM_MMAP_SLOTS >> PAGE_SHIFT;
	struct hvmm_vmfd *fd = file->private_data;

	if (READ_ONCE(fd->vm->dead))
		return -ENODEV;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff >= slots)
		return hvmm_channel_mmap(fd->vm, vma, vma->vm_pgoff - slots);
	return hvmm_vmfd_mmap_ram(fd->vm, vma);
}

static int hvmm_vmfd_release(struct inode *inode, struct file *file)
{
	struct hvmm_vmfd *fd = file->private_data;
	unsigned int pin, source;

	hvmm_eventfds_exit(&fd->eventfds);
	hvmm_channel_detach(fd->vm, fd);
	hvmm_dirty_stop(&fd->vm->mem, fd);
	for (pin = 0; pin < HVMM_IOAPIC_PINS; pin++)
		for (source = 0; source < HVMM_IRQ_SOURCES; source++)
			if (fd->high[pin] & BIT(source))
				hvmm_ioapic_set_irq(&fd->vm->ioapic, pin, source, false);
	hvmm_vm_put(fd->vm);
	mutex_destroy(&fd->lock);
	kfree(fd);
	return 0;
}

static const struct file_operations hvmm_vmfd_fops = {
	.owner		= THIS_MODULE,
	.release	= hvmm_vmfd_release,
	.unlocked_ioctl	= hvmm_vmfd_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.poll		= hvmm_vmfd_poll,
	.mmap		= hvmm_vmfd_mmap,
};

static long hvmm_dev_open_vm(void __user *uarg)
{
	struct hvmm_open_vm arg;
	struct hvmm_vmfd *fd;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	err = hvmm_vmfd_arg(&arg, sizeof(arg), uarg);
	if (err)
		return err;
	if (arg.flags || arg.reserved)
		return -EINVAL;

	fd = kzalloc(sizeof(*fd), GFP_KERNEL_ACCOUNT);
	if (!fd)
		return -ENOMEM;
	fd->vm = hvmm_vm_by_id(arg.id);
	if (!fd->vm) {
		kfree(fd);
		return -ENODEV;
	}
	mutex_init(&fd->lock);
	hvmm_eventfds_init(&fd->eventfds, fd->vm);

	err = anon_inode_getfd("[hvmm-vm]", &hvmm_vmfd_fops, fd, O_RDWR | O_CLOEXEC);
	if (err < 0) {
		hvmm_eventfds_exit(&fd->eventfds);
		hvmm_vm_put(fd->vm);
		mutex_destroy(&fd->lock);
		kfree(fd);
	}
	return err;
}

static long hvmm_dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case HVMM_OPEN_VM:
		return hvmm_dev_open_vm((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations hvmm_dev_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= hvmm_dev_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

static struct miscdevice hvmm_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "hvmm",
	.fops	= &hvmm_dev_fops,
	.mode	= 0600,
};

int hvmm_vmfd_init(void)
{
	return misc_register(&hvmm_dev);
}

void hvmm_vmfd_exit(void)
{
	misc_deregister(&hvmm_dev);
}
