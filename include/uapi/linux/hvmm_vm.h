/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * /dev/hvmm and the VM file descriptor: a VM's data plane. Life cycle, quotas and
 * figures are in <linux/hvmm.h>.
 *
 * Every argument begins with its own size and a flags word. A kernel that knows a
 * shorter structure takes a longer one if the rest is zero, and refuses it with E2BIG
 * otherwise. One that is shorter than the first version of its kind is refused with
 * EINVAL. So are unknown flags and reserved fields that are not zero.
 *
 * All commands on a VM fd fail with ENODEV once the VM has been destroyed.
 */
#ifndef _UAPI_LINUX_HVMM_VM_H
#define _UAPI_LINUX_HVMM_VM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define HVMM_VM_ABI_VERSION	1

#define HVMM_IOC		0xbb

#define HVMM_OPEN_VM		_IO(HVMM_IOC, 0x00)
#define HVMM_VM_INFO		_IO(HVMM_IOC, 0x10)
#define HVMM_VM_ATTACH		_IO(HVMM_IOC, 0x11)
#define HVMM_VM_IO_NEXT		_IO(HVMM_IOC, 0x12)
#define HVMM_VM_IRQ_LINE	_IO(HVMM_IOC, 0x13)
#define HVMM_VM_MSI		_IO(HVMM_IOC, 0x14)
#define HVMM_VM_UNMAP_PAGE	_IO(HVMM_IOC, 0x15)
#define HVMM_VM_IOEVENTFD	_IO(HVMM_IOC, 0x16)
#define HVMM_VM_IRQFD		_IO(HVMM_IOC, 0x17)
#define HVMM_VM_DISCARD		_IO(HVMM_IOC, 0x18)
#define HVMM_VM_DIRTY_TRACK	_IO(HVMM_IOC, 0x20)
#define HVMM_VM_DIRTY_GET	_IO(HVMM_IOC, 0x21)

/*
 * mmap() of a VM fd, MAP_SHARED only: guest RAM begins at offset 0, in the order of
 * the RAM file (3 GiB in the file appear at 4 GiB in the guest); the array of
 * struct hvmm_vm_slot, one per vCPU, at HVMM_VM_MMAP_SLOTS.
 */
#define HVMM_VM_MMAP_RAM	0ULL
#define HVMM_VM_MMAP_SLOTS	(1ULL << 43)

/**
 * struct hvmm_open_vm - argument of HVMM_OPEN_VM, on /dev/hvmm
 * @size: size of this structure
 * @flags: 0
 * @id: the VM's id, as in its netlink object
 * @reserved: 0
 *
 * The ioctl's result is a VM fd, close-on-exec. It keeps the VM's memory, but not
 * the VM, from going away. Needs CAP_SYS_ADMIN in the initial user namespace; the
 * fd itself may be handed to a process without it.
 *
 * Errors: EPERM, ENODEV (no such VM), EMFILE, ENFILE, ENOMEM.
 */
struct hvmm_open_vm {
	__u32 size;
	__u32 flags;
	__u32 id;
	__u32 reserved;
};

/**
 * struct hvmm_vm_info - argument of HVMM_VM_INFO
 * @size: size of this structure; out: the kernel's size of it
 * @flags: 0
 * @abi_version: out: HVMM_VM_ABI_VERSION of the kernel
 * @id: out: the VM's id
 * @nr_vcpus: out: number of vCPUs, and of slots
 * @reserved: 0
 * @ram_size: out: bytes of RAM
 */
struct hvmm_vm_info {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 id;
	__u32 nr_vcpus;
	__u32 reserved;
	__u64 ram_size;
};

/**
 * struct hvmm_vm_attach - argument of HVMM_VM_ATTACH
 * @size: size of this structure
 * @flags: 0
 *
 * The holder of this fd becomes the VM's device process: port and MMIO accesses
 * that the kernel does not serve come to it. While there is none, reads give all
 * ones and writes vanish; the same befalls unanswered accesses when the last
 * reference to the fd is closed.
 *
 * Errors: EBUSY (another fd is attached), EALREADY (this one is).
 */
struct hvmm_vm_attach {
	__u32 size;
	__u32 flags;
};

/**
 * enum hvmm_vm_space - address spaces of a guest's devices
 * @HVMM_VM_SPACE_PIO: I/O ports
 * @HVMM_VM_SPACE_MMIO: guest-physical memory
 */
enum hvmm_vm_space {
	HVMM_VM_SPACE_PIO,
	HVMM_VM_SPACE_MMIO,
};

/**
 * struct hvmm_vm_slot - one vCPU's request to the device process
 * @seq: number of the request, unique in the life of the VM
 * @addr: port or guest-physical address
 * @len: bytes: 1, 2, 4, 8 or 16
 * @write: 1 if the guest writes
 * @space: enum hvmm_vm_space
 * @reserved: 0
 * @data: little endian; of a write: what the guest writes; of a read: for the
 *        device process to fill, @len bytes
 * @reserved2: 0
 *
 * The kernel fills a slot when a vCPU makes a request; it is the vCPU's number
 * that HVMM_VM_IO_NEXT tells. When the request is completed the kernel takes @data
 * of a read and reads nothing else from here.
 */
struct hvmm_vm_slot {
	__u64 seq;
	__u64 addr;
	__u8 len;
	__u8 write;
	__u8 space;
	__u8 reserved[5];
	__u8 data[16];
	__u8 reserved2[24];
};

/* No vCPU: nothing is to be completed. */
#define HVMM_VM_NO_VCPU		0xffffffffU

/* Return EAGAIN instead of waiting for a request. */
#define HVMM_VM_IO_NOWAIT	(1U << 0)
/* Complete only: do not look for a request. @vcpu comes back as HVMM_VM_NO_VCPU. */
#define HVMM_VM_IO_COMPLETE	(1U << 1)

/**
 * struct hvmm_vm_io_next - argument of HVMM_VM_IO_NEXT
 * @size: size of this structure
 * @flags: HVMM_VM_IO_NOWAIT, HVMM_VM_IO_COMPLETE
 * @done_vcpu: vCPU whose request is completed first, HVMM_VM_NO_VCPU for none
 * @vcpu: out: vCPU whose slot holds the next request
 * @done_seq: the completed request's &hvmm_vm_slot.seq
 * @seq: out: the next request's
 *
 * Completes one request and waits for the next: in the steady state an access costs
 * the device process one system call. The completion has been done whatever the
 * result is; done again, or for a request that a reset of the VM has cancelled, it
 * has no effect. Several threads may wait, each request goes to one of them.
 * poll() reports POLLIN while requests wait to be taken, POLLERR while this fd is not
 * attached, POLLHUP when the VM was destroyed.
 *
 * Errors: ENOTCONN (this fd is not attached), EINVAL (no such vCPU), EAGAIN, EINTR.
 */
struct hvmm_vm_io_next {
	__u32 size;
	__u32 flags;
	__u32 done_vcpu;
	__u32 vcpu;
	__u64 done_seq;
	__u64 seq;
};

/* Values of &hvmm_vm_irq_line.source. */
#define HVMM_VM_IRQ_SOURCES	28

/**
 * struct hvmm_vm_irq_line - argument of HVMM_VM_IRQ_LINE
 * @size: size of this structure
 * @flags: 0
 * @pin: IOAPIC pin, 0 to 23
 * @source: who drives it, 0 to HVMM_VM_IRQ_SOURCES - 1; a pin is high while any source
 *          holds it high
 * @level: 0 or 1
 * @reserved: 0
 *
 * Lines that an fd holds high drop when its last reference is closed.
 */
struct hvmm_vm_irq_line {
	__u32 size;
	__u32 flags;
	__u32 pin;
	__u32 source;
	__u32 level;
	__u32 reserved;
};

/**
 * struct hvmm_vm_msi - argument of HVMM_VM_MSI
 * @size: size of this structure
 * @flags: 0
 * @addr: address of the message, 0xfee00000 to 0xfeefffff
 * @data: data of the message
 * @reserved: 0
 *
 * The ioctl's result is the number of vCPUs that took the message.
 */
struct hvmm_vm_msi {
	__u32 size;
	__u32 flags;
	__u64 addr;
	__u32 data;
	__u32 reserved;
};

/**
 * struct hvmm_vm_unmap_page - argument of HVMM_VM_UNMAP_PAGE
 * @size: size of this structure
 * @flags: 0
 * @gpa: guest-physical address of a page of RAM, a multiple of 4096
 *
 * Removes the page from the nested page table: the guest's next access faults and
 * finds the same data. On return no vCPU uses the old translation. Meant for tests.
 *
 * Errors: EINVAL (alignment), EFAULT (not RAM).
 */
struct hvmm_vm_unmap_page {
	__u32 size;
	__u32 flags;
	__u64 gpa;
};

/**
 * struct hvmm_vm_discard - argument of HVMM_VM_DISCARD
 * @size: size of this structure
 * @flags: 0
 * @gpa: guest-physical address of the first page, a multiple of 4096
 * @len: bytes, a multiple of 4096, not 0; the range does not span the gap under 4 GiB
 *
 * Gives pages of RAM back to the host. On return they are zero, for the guest and in
 * every mapping of the RAM, unless somebody has written to them since the call began;
 * the next touch takes them anew. Holes must not be punched into the RAM file by other
 * means: the guest would go on with pages that no longer are the file's.
 *
 * Errors: EINVAL (alignment, length), EFAULT (not RAM), EPERM (the RAM file is sealed
 * with F_SEAL_FUTURE_WRITE), EINTR (a fatal signal; a part may have been done).
 */
struct hvmm_vm_discard {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u64 len;
};

/**
 * struct hvmm_vm_dirty_track - argument of HVMM_VM_DIRTY_TRACK
 * @size: size of this structure
 * @flags: 0
 * @on: 1 to begin, 0 to end
 * @reserved: 0
 *
 * While it is on the kernel notes which pages of RAM have been written by the guest, by the
 * kernel on its behalf, or discarded. When the call returns none is noted, and every later
 * write will be. What processes write through mappings of the RAM is not noted: who migrates or
 * saves a VM asks its devices for that. One fd tracks at a time; closing it ends that. Takes
 * kernel memory, a bit for each page up to the end of RAM, which counts for the VM's quota.
 *
 * Errors: EALREADY (this fd tracks), EBUSY (another one does), ENOTCONN (this fd does not track:
 * nothing to end), EDQUOT (no room under mem-max), EINTR (a fatal signal), ENOMEM.
 */
struct hvmm_vm_dirty_track {
	__u32 size;
	__u32 flags;
	__u32 on;
	__u32 reserved;
};

/* &hvmm_vm_dirty_get.gpa is a multiple of this: its bits begin with a byte of their own. */
#define HVMM_VM_DIRTY_ALIGN	(64 * 4096ULL)

/**
 * struct hvmm_vm_dirty_get - argument of HVMM_VM_DIRTY_GET
 * @size: size of this structure
 * @flags: 0
 * @gpa: guest-physical address of the first page, a multiple of HVMM_VM_DIRTY_ALIGN
 * @len: bytes, a multiple of 4096, not 0; the range does not span the gap under 4 GiB
 * @bitmap: address of the bitmap: bit n % 64 of the little-endian 64-bit word n / 64 is page n
 *          of the range. Written up to a whole word; bits behind the range are zero
 * @dirty: 0; out: number of bits set
 *
 * Takes the notes of a range: which of its pages have been written since tracking began, or
 * since they were taken last. A write that comes too late for the bitmap is noted again, and
 * all that came before is in RAM when the call returns. So a copy that is made of what is noted,
 * again and again, becomes the same as RAM when it is made with the VM paused at last.
 *
 * Errors: EINVAL (alignment, length), EFAULT (not RAM, or @bitmap; notes are kept that could
 * not be delivered), ENOTCONN (this fd does not track), EINTR (a fatal signal), ENOMEM.
 */
struct hvmm_vm_dirty_get {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u64 len;
	__u64 bitmap;
	__u64 dirty;
};

/* Remove what was added with the same values. */
#define HVMM_VM_EVENTFD_DEL		(1U << 0)
/* Ioeventfd: only a write of exactly @datamatch. */
#define HVMM_VM_IOEVENTFD_DATAMATCH	(1U << 1)
/* Irqfd: a message instead of a pin. */
#define HVMM_VM_IRQFD_MSI		(1U << 1)
/* Irqfd: resampling of level-triggered pins; not supported, refused with EOPNOTSUPP. */
#define HVMM_VM_IRQFD_RESAMPLE		(1U << 2)

/**
 * struct hvmm_vm_ioeventfd - argument of HVMM_VM_IOEVENTFD
 * @size: size of this structure
 * @flags: HVMM_VM_EVENTFD_DEL, HVMM_VM_IOEVENTFD_DATAMATCH
 * @addr: port or guest-physical address
 * @datamatch: datum to match, of @len bytes; 0 without HVMM_VM_IOEVENTFD_DATAMATCH
 * @space: enum hvmm_vm_space
 * @len: bytes of the write: 1, 2, 4, or 8 (MMIO only); 0: any, not with
 *       HVMM_VM_IOEVENTFD_DATAMATCH
 * @fd: the eventfd
 * @reserved: 0
 *
 * A matching write signals the eventfd and does not reach the device process. Goes
 * when the VM fd is closed.
 *
 * Errors: EBADF, EINVAL, EEXIST, ENOENT (nothing to remove), ENOSPC, ENOMEM.
 */
struct hvmm_vm_ioeventfd {
	__u32 size;
	__u32 flags;
	__u64 addr;
	__u64 datamatch;
	__u32 space;
	__u32 len;
	__s32 fd;
	__u32 reserved;
};

/**
 * struct hvmm_vm_irqfd - argument of HVMM_VM_IRQFD
 * @size: size of this structure
 * @flags: HVMM_VM_EVENTFD_DEL, HVMM_VM_IRQFD_MSI
 * @fd: the eventfd
 * @pin: IOAPIC pin, 0 to 23; 0 with HVMM_VM_IRQFD_MSI
 * @addr: address of the message with HVMM_VM_IRQFD_MSI, 0 without
 * @data: its data
 * @reserved: 0
 *
 * A signal of the eventfd raises and drops the pin, or delivers the message. Goes
 * when the VM fd is closed.
 *
 * Errors: EBADF, EINVAL, EEXIST, ENOENT (nothing to remove), EOPNOTSUPP, ENOSPC, ENOMEM.
 */
struct hvmm_vm_irqfd {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 pin;
	__u64 addr;
	__u32 data;
	__u32 reserved;
};

#endif /* _UAPI_LINUX_HVMM_VM_H */
