// SPDX-License-Identifier: GPL-2.0
/*
 * The VM fd: bad arguments, rights, mappings, the device channel, eventfds and
 * interrupts. Guests are a few instructions each, 32-bit without paging. The VMs
 * made here are named vmt-*.
 */
#include "kselftest_harness.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "testvm.h"

#define MIB	(1ULL << 20)
#define RAM	(4 * MIB)
#define ENTRY	0x1000
#define RESULT	0x3000
#define PATIENCE_S	20

static struct nl_msg msg;

FIXTURE(vmfd)
{
	struct nl nl;
	int ram, dev, vm;
	uint32_t id;
	volatile uint32_t *result;
	uint8_t *map;
};

FIXTURE_SETUP(vmfd)
{
	ASSERT_EQ(0, nl_open(&self->nl)) {
		TH_LOG("no netlink family hvmm: is the module loaded?");
	}
	self->ram = nl_ram(RAM);
	ASSERT_LE(0, self->ram);
	ASSERT_EQ(0, vm_new(&self->nl, "vmt-one", self->ram, RAM, &self->id)) {
		TH_LOG("%s", self->nl.text);
	}
	self->dev = open("/dev/hvmm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	self->vm = vm_open(self->dev, self->id);
	ASSERT_LE(0, self->vm);
	self->map = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, self->vm,
			 HVMM_VM_MMAP_RAM);
	ASSERT_NE(MAP_FAILED, self->map);
	self->result = (volatile uint32_t *)(self->map + RESULT);
}

FIXTURE_TEARDOWN(vmfd)
{
	munmap(self->map, RAM);
	close(self->vm);
	close(self->dev);
	nl_verb(&self->nl, HVMM_CMD_VM_DEL, self->id);
	close(self->ram);
	close(self->nl.fd);
}

/* Wait until a word of guest memory has the bits @want. */
static bool await(volatile uint32_t *word, uint32_t want)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		if ((*word & want) == want)
			return true;
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begin.tv_sec < PATIENCE_S);
	return false;
}

/* A change of one field of a good argument, and what it leads to. */
#define REFUSED(error, cmd, type, good, change)				\
	do {								\
		type arg = good;					\
		change;							\
		EXPECT_EQ(-(error), vm_call(self->vm, cmd, &arg)) {	\
			TH_LOG("%s: %s", #cmd, #change);		\
		}							\
	} while (0)

#define GOOD(type, ...)	((type) { .size = sizeof(type), ##__VA_ARGS__ })

TEST_F(vmfd, open_refuses)
{
	struct {
		struct hvmm_open_vm arg;
		uint64_t more;
	} longer = { .arg = { .size = sizeof(longer), .id = self->id } };
	struct hvmm_open_vm arg = { .size = sizeof(arg), .id = self->id };
	int fd, status;
	pid_t pid;

	EXPECT_EQ(-ENODEV, vm_open(self->dev, self->id + 1000));
	EXPECT_EQ(-ENODEV, vm_open(self->dev, 0));
	arg.flags = 1;
	EXPECT_EQ(-EINVAL, vm_call(self->dev, HVMM_OPEN_VM, &arg));
	arg.flags = 0;
	arg.reserved = 1;
	EXPECT_EQ(-EINVAL, vm_call(self->dev, HVMM_OPEN_VM, &arg));
	arg.reserved = 0;
	arg.size = sizeof(arg) - 1;
	EXPECT_EQ(-EINVAL, vm_call(self->dev, HVMM_OPEN_VM, &arg));
	arg.size = 1 << 20;
	EXPECT_EQ(-E2BIG, vm_call(self->dev, HVMM_OPEN_VM, &arg));
	EXPECT_EQ(-EFAULT, vm_call(self->dev, HVMM_OPEN_VM, NULL));
	EXPECT_EQ(-ENOTTY, vm_call(self->dev, HVMM_VM_INFO, &arg));

	/* From a later version of the ABI. */
	fd = vm_call(self->dev, HVMM_OPEN_VM, &longer);
	EXPECT_LE(0, fd);
	close(fd);
	longer.more = 1;
	EXPECT_EQ(-E2BIG, vm_call(self->dev, HVMM_OPEN_VM, &longer));

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (setuid(65534))
			_exit(1);
		_exit(vm_open(self->dev, self->id) == -EPERM ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(vmfd, info)
{
	struct hvmm_vm_info arg = { .size = sizeof(arg) };

	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_INFO, &arg));
	EXPECT_EQ(sizeof(arg), arg.size);
	EXPECT_EQ(HVMM_VM_ABI_VERSION, arg.abi_version);
	EXPECT_EQ(self->id, arg.id);
	EXPECT_EQ(1, arg.nr_vcpus);
	EXPECT_EQ(RAM, arg.ram_size);
}

TEST_F(vmfd, arguments_are_checked)
{
	const struct hvmm_vm_info info = GOOD(struct hvmm_vm_info);
	const struct hvmm_vm_attach attach = GOOD(struct hvmm_vm_attach);
	const struct hvmm_vm_io_next next =
		GOOD(struct hvmm_vm_io_next, .done_vcpu = HVMM_VM_NO_VCPU,
		     .flags = HVMM_VM_IO_NOWAIT);
	const struct hvmm_vm_irq_line line = GOOD(struct hvmm_vm_irq_line, .pin = 5);
	const struct hvmm_vm_msi msi = GOOD(struct hvmm_vm_msi, .addr = 0xfee00000, .data = 40);
	const struct hvmm_vm_unmap_page page = GOOD(struct hvmm_vm_unmap_page);
	const struct hvmm_vm_discard none = GOOD(struct hvmm_vm_discard, .len = 4096);
	int efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	const struct hvmm_vm_ioeventfd bell =
		GOOD(struct hvmm_vm_ioeventfd, .addr = 0x2f0, .len = 4, .fd = efd);
	const struct hvmm_vm_irqfd irqfd = GOOD(struct hvmm_vm_irqfd, .pin = 5, .fd = efd);

	EXPECT_EQ(-ENOTTY, vm_call(self->vm, HVMM_OPEN_VM, NULL));
	REFUSED(EINVAL, HVMM_VM_INFO, struct hvmm_vm_info, info, arg.flags = 1);
	REFUSED(EINVAL, HVMM_VM_INFO, struct hvmm_vm_info, info, arg.reserved = 1);
	REFUSED(EINVAL, HVMM_VM_INFO, struct hvmm_vm_info, info, arg.size = 8);
	REFUSED(EINVAL, HVMM_VM_ATTACH, struct hvmm_vm_attach, attach, arg.flags = 1);
	REFUSED(ENOTCONN, HVMM_VM_IO_NEXT, struct hvmm_vm_io_next, next, arg.flags |= 0);
	REFUSED(EINVAL, HVMM_VM_IO_NEXT, struct hvmm_vm_io_next, next, arg.flags = 4);
	REFUSED(EINVAL, HVMM_VM_IO_NEXT, struct hvmm_vm_io_next, next, arg.done_vcpu = 1);
	REFUSED(EINVAL, HVMM_VM_IRQ_LINE, struct hvmm_vm_irq_line, line, arg.pin = 24);
	REFUSED(EINVAL, HVMM_VM_IRQ_LINE, struct hvmm_vm_irq_line, line, arg.level = 2);
	REFUSED(EINVAL, HVMM_VM_IRQ_LINE, struct hvmm_vm_irq_line, line,
		arg.source = HVMM_VM_IRQ_SOURCES);
	REFUSED(EINVAL, HVMM_VM_IRQ_LINE, struct hvmm_vm_irq_line, line, arg.reserved = 1);
	REFUSED(EINVAL, HVMM_VM_MSI, struct hvmm_vm_msi, msi, arg.addr = 0xfed00000);
	REFUSED(EINVAL, HVMM_VM_MSI, struct hvmm_vm_msi, msi, arg.flags = 1);
	REFUSED(EINVAL, HVMM_VM_UNMAP_PAGE, struct hvmm_vm_unmap_page, page, arg.gpa = 1);
	REFUSED(EFAULT, HVMM_VM_UNMAP_PAGE, struct hvmm_vm_unmap_page, page, arg.gpa = RAM);
	REFUSED(EFAULT, HVMM_VM_UNMAP_PAGE, struct hvmm_vm_unmap_page, page,
		arg.gpa = ~4095ULL);
	REFUSED(0, HVMM_VM_UNMAP_PAGE, struct hvmm_vm_unmap_page, page, arg.gpa = 0);
	REFUSED(EINVAL, HVMM_VM_DISCARD, struct hvmm_vm_discard, none, arg.len = 0);
	REFUSED(EINVAL, HVMM_VM_DISCARD, struct hvmm_vm_discard, none, arg.len = 4095);
	REFUSED(EINVAL, HVMM_VM_DISCARD, struct hvmm_vm_discard, none, arg.gpa = 1);
	REFUSED(EINVAL, HVMM_VM_DISCARD, struct hvmm_vm_discard, none, arg.flags = 1);
	REFUSED(EFAULT, HVMM_VM_DISCARD, struct hvmm_vm_discard, none, arg.gpa = RAM);
	REFUSED(EFAULT, HVMM_VM_DISCARD, struct hvmm_vm_discard, none, arg.len = RAM + 4096);
	REFUSED(EFAULT, HVMM_VM_DISCARD, struct hvmm_vm_discard, none, arg.len = -4096ULL);
	REFUSED(EFAULT, HVMM_VM_DISCARD, struct hvmm_vm_discard, none,
		arg.gpa = -4096ULL; arg.len = 8192);
	REFUSED(0, HVMM_VM_DISCARD, struct hvmm_vm_discard, none, arg.len = RAM);
	REFUSED(EINVAL, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.len = 3);
	REFUSED(EINVAL, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.len = 8);
	REFUSED(EINVAL, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.addr = 0xfffe);
	REFUSED(EINVAL, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.addr = ~0ULL);
	REFUSED(EINVAL, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.space = 2);
	REFUSED(EINVAL, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.datamatch = 1);
	REFUSED(EBADF, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.fd = -1);
	REFUSED(EINVAL, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.fd = self->ram);
	REFUSED(ENOENT, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell,
		arg.flags = HVMM_VM_EVENTFD_DEL);
	REFUSED(EINVAL, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd, arg.pin = 24);
	REFUSED(EINVAL, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd, arg.addr = 0xfee00000);
	REFUSED(EINVAL, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd, arg.flags = 8);
	REFUSED(EOPNOTSUPP, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd,
		arg.flags = HVMM_VM_IRQFD_RESAMPLE);
	REFUSED(EBADF, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd, arg.fd = -1);
	REFUSED(EINVAL, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd, arg.fd = self->ram);
	REFUSED(ENOENT, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd,
		arg.flags = HVMM_VM_EVENTFD_DEL);

	REFUSED(0, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.flags = 0);
	REFUSED(EEXIST, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.flags = 0);
	REFUSED(0, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell,
		arg.flags = HVMM_VM_EVENTFD_DEL);
	REFUSED(0, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd, arg.flags = 0);
	REFUSED(EEXIST, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd, arg.flags = 0);
	REFUSED(0, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd,
		arg.flags = HVMM_VM_EVENTFD_DEL);
	/* One that is left goes with the fd. */
	REFUSED(0, HVMM_VM_IOEVENTFD, struct hvmm_vm_ioeventfd, bell, arg.flags = 0);
	REFUSED(0, HVMM_VM_IRQFD, struct hvmm_vm_irqfd, irqfd, arg.flags = 0);
	close(efd);
}

TEST_F(vmfd, one_device_process)
{
	struct hvmm_vm_attach arg = { .size = sizeof(arg) };
	int other = vm_open(self->dev, self->id);

	ASSERT_LE(0, other);
	EXPECT_EQ(0, vm_call(other, HVMM_VM_ATTACH, &arg));
	EXPECT_EQ(-EALREADY, vm_call(other, HVMM_VM_ATTACH, &arg));
	EXPECT_EQ(-EBUSY, vm_call(self->vm, HVMM_VM_ATTACH, &arg));
	close(other);
	EXPECT_EQ(0, vm_call(self->vm, HVMM_VM_ATTACH, &arg));
}

TEST_F(vmfd, mappings)
{
	uint32_t word = 0x12345678, got = 0;
	void *p;

	/* The memfd's own pages. */
	ASSERT_EQ(sizeof(word), pwrite(self->ram, &word, sizeof(word), RESULT));
	EXPECT_EQ(word, *self->result);
	*self->result = 77;
	ASSERT_EQ(sizeof(got), pread(self->ram, &got, sizeof(got), RESULT));
	EXPECT_EQ(77, got);

	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, self->vm, 0);
	EXPECT_EQ(MAP_FAILED, p);
	EXPECT_EQ(EINVAL, errno);
	p = mmap(NULL, RAM + 4096, PROT_READ, MAP_SHARED, self->vm, 0);
	EXPECT_EQ(MAP_FAILED, p);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->vm, RAM);
	EXPECT_EQ(MAP_FAILED, p);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->vm, RAM - 4096);
	EXPECT_NE(MAP_FAILED, p);
	munmap(p, 4096);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, self->vm, HVMM_VM_MMAP_SLOTS);
	EXPECT_NE(MAP_FAILED, p);
	munmap(p, 4096);
	p = mmap(NULL, 8192, PROT_READ, MAP_SHARED, self->vm, HVMM_VM_MMAP_SLOTS);
	EXPECT_EQ(MAP_FAILED, p);
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->vm, HVMM_VM_MMAP_SLOTS + 4096);
	EXPECT_EQ(MAP_FAILED, p);
}

/* in 0xe0; out 0xe0, ax; read from MMIO; halt */
static const uint8_t io_guest[] = {
	0xba, 0xe0, 0x00, 0x00, 0x00,		/* mov $0xe0, %edx */
	0xed,					/* in %dx, %eax */
	0xa3, 0x00, 0x30, 0x00, 0x00,		/* mov %eax, RESULT */
	0x66, 0xef,				/* out %ax, %dx */
	0xa1, 0x10, 0x00, 0x00, 0xff,		/* mov 0xff000010, %eax */
	0xa3, 0x04, 0x30, 0x00, 0x00,		/* mov %eax, RESULT + 4 */
	0xf4, 0xeb, 0xfd,			/* 1: hlt; jmp 1b */
};

TEST_F(vmfd, channel)
{
	struct hvmm_vm_io_next next = { .size = sizeof(next), .done_vcpu = HVMM_VM_NO_VCPU };
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };
	struct pollfd pfd = { .fd = self->vm, .events = POLLIN };
	struct hvmm_vm_slot *slot;
	uint64_t seq;

	memcpy(self->map + ENTRY, io_guest, sizeof(io_guest));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLERR, pfd.revents);
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_ATTACH, &attach));
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	next.flags = HVMM_VM_IO_NOWAIT;
	EXPECT_EQ(-EAGAIN, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	slot = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, self->vm, HVMM_VM_MMAP_SLOTS);
	ASSERT_NE(MAP_FAILED, slot);
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY)) {
		TH_LOG("%s", self->nl.text);
	}

	ASSERT_EQ(1, poll(&pfd, 1, PATIENCE_S * 1000));
	EXPECT_EQ(POLLIN, pfd.revents);
	next.flags = 0;
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	EXPECT_EQ(0, next.vcpu);
	EXPECT_EQ(next.seq, slot->seq);
	EXPECT_EQ(0xe0, slot->addr);
	EXPECT_EQ(4, slot->len);
	EXPECT_EQ(0, slot->write);
	EXPECT_EQ(HVMM_VM_SPACE_PIO, slot->space);
	EXPECT_EQ(0, poll(&pfd, 1, 0));

	/* Answers to other requests do not count. */
	seq = next.seq;
	next.done_vcpu = 0;
	next.done_seq = seq + 1;
	next.flags = HVMM_VM_IO_NOWAIT;
	EXPECT_EQ(-EAGAIN, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));

	/* What is not data is not read back. */
	memset(slot, 0xee, sizeof(*slot));
	memcpy(slot->data, "\x78\x56\x34\x12", 4);
	next.done_seq = seq;
	next.flags = 0;
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	EXPECT_EQ(0x12345678, self->result[0]);
	EXPECT_NE(seq, next.seq);
	EXPECT_EQ(2, slot->len);
	EXPECT_EQ(1, slot->write);
	EXPECT_EQ(0x78, slot->data[0]);
	EXPECT_EQ(0x56, slot->data[1]);
	EXPECT_EQ(0, slot->data[2]);

	next.done_seq = next.seq;
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	EXPECT_EQ(HVMM_VM_SPACE_MMIO, slot->space);
	EXPECT_EQ(0xff000010, slot->addr);
	EXPECT_EQ(4, slot->len);
	memcpy(slot->data, "\x01\x02\x03\x04", 4);
	next.done_seq = next.seq;
	next.flags = HVMM_VM_IO_COMPLETE;
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	EXPECT_EQ(HVMM_VM_NO_VCPU, next.vcpu);
	EXPECT_TRUE(await(&self->result[1], 0x04030201));

	/* Done twice: nothing. */
	EXPECT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	munmap(slot, 4096);
}

TEST_F(vmfd, no_device_process_reads_ones)
{
	memcpy(self->map + ENTRY, io_guest, sizeof(io_guest));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	EXPECT_TRUE(await(&self->result[0], 0xffffffff));
	EXPECT_TRUE(await(&self->result[1], 0xffffffff));
}

TEST_F(vmfd, device_process_dies)
{
	struct hvmm_vm_io_next next = { .size = sizeof(next), .done_vcpu = HVMM_VM_NO_VCPU };
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };
	int other = vm_open(self->dev, self->id);

	ASSERT_LE(0, other);
	memcpy(self->map + ENTRY, io_guest, sizeof(io_guest));
	ASSERT_EQ(0, vm_call(other, HVMM_VM_ATTACH, &attach));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_EQ(0, vm_call(other, HVMM_VM_IO_NEXT, &next));
	close(other);
	EXPECT_TRUE(await(&self->result[0], 0xffffffff));
	EXPECT_TRUE(await(&self->result[1], 0xffffffff));
}

TEST_F(vmfd, stop_cancels_a_request)
{
	struct hvmm_vm_io_next next = { .size = sizeof(next), .done_vcpu = HVMM_VM_NO_VCPU };
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };
	uint64_t old;

	memcpy(self->map + ENTRY, io_guest, sizeof(io_guest));
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_ATTACH, &attach));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_STOP, self->id));
	old = next.seq;
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	EXPECT_NE(old, next.seq);
	/* The old one's answer is not the new one's. */
	next.done_vcpu = 0;
	next.done_seq = old;
	next.flags = HVMM_VM_IO_NOWAIT;
	EXPECT_EQ(-EAGAIN, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	EXPECT_EQ(0, self->result[0]);
}

/* out 5 and 6 to 0x2f0; write 1 to 0xff000020; halt */
static const uint8_t bell_guest[] = {
	0xba, 0xf0, 0x02, 0x00, 0x00,			/* mov $0x2f0, %edx */
	0xb8, 0x05, 0x00, 0x00, 0x00, 0xef,		/* mov $5, %eax; out %eax, %dx */
	0xb8, 0x06, 0x00, 0x00, 0x00, 0xef,		/* mov $6, %eax; out %eax, %dx */
	0xc6, 0x05, 0x20, 0x00, 0x00, 0xff, 0x01,	/* movb $1, 0xff000020 */
	0xf4, 0xeb, 0xfd,
};

TEST_F(vmfd, ioeventfd)
{
	struct hvmm_vm_io_next next = { .size = sizeof(next), .done_vcpu = HVMM_VM_NO_VCPU };
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };
	int port = eventfd(0, EFD_CLOEXEC), mem = eventfd(0, EFD_CLOEXEC);
	struct hvmm_vm_ioeventfd arg = {
		.size = sizeof(arg), .flags = HVMM_VM_IOEVENTFD_DATAMATCH, .addr = 0x2f0,
		.datamatch = 5, .len = 4, .fd = port,
	};
	struct pollfd pfd = { .fd = mem, .events = POLLIN };
	struct hvmm_vm_slot *slot;
	uint64_t count = 0;

	memcpy(self->map + ENTRY, bell_guest, sizeof(bell_guest));
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IOEVENTFD, &arg));
	arg = (struct hvmm_vm_ioeventfd) {
		.size = sizeof(arg), .addr = 0xff000020, .space = HVMM_VM_SPACE_MMIO, .fd = mem,
	};
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IOEVENTFD, &arg));
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_ATTACH, &attach));
	slot = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, self->vm, HVMM_VM_MMAP_SLOTS);
	ASSERT_NE(MAP_FAILED, slot);
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));

	/* The 6 does not match, and comes here. */
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));
	EXPECT_EQ(0x2f0, slot->addr);
	EXPECT_EQ(6, slot->data[0]);
	ASSERT_EQ(sizeof(count), read(port, &count, sizeof(count)));
	EXPECT_EQ(1, count);
	next.done_vcpu = 0;
	next.done_seq = next.seq;
	next.flags = HVMM_VM_IO_COMPLETE;
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IO_NEXT, &next));

	ASSERT_EQ(1, poll(&pfd, 1, PATIENCE_S * 1000));
	ASSERT_EQ(sizeof(count), read(mem, &count, sizeof(count)));
	EXPECT_EQ(1, count);
	munmap(slot, 4096);
	close(port);
	close(mem);
}

/*
 * Enables the LAPIC, routes pins 5 and 6 to vectors 35 and 36, then copies IRR[63:32]
 * to RESULT for ever. Interrupts stay off.
 */
static const uint8_t irq_guest[] = {
	0xc7, 0x05, 0xf0, 0x00, 0xe0, 0xfe, 0xff, 0x01, 0x00, 0x00,	/* SVR = 0x1ff */
	0xc7, 0x05, 0x00, 0x00, 0xc0, 0xfe, 0x1b, 0x00, 0x00, 0x00,	/* pin 5, high half */
	0xc7, 0x05, 0x10, 0x00, 0xc0, 0xfe, 0x00, 0x00, 0x00, 0x00,
	0xc7, 0x05, 0x00, 0x00, 0xc0, 0xfe, 0x1a, 0x00, 0x00, 0x00,	/* pin 5, low half */
	0xc7, 0x05, 0x10, 0x00, 0xc0, 0xfe, 0x23, 0x00, 0x00, 0x00,
	0xc7, 0x05, 0x00, 0x00, 0xc0, 0xfe, 0x1d, 0x00, 0x00, 0x00,	/* pin 6, high half */
	0xc7, 0x05, 0x10, 0x00, 0xc0, 0xfe, 0x00, 0x00, 0x00, 0x00,
	0xc7, 0x05, 0x00, 0x00, 0xc0, 0xfe, 0x1c, 0x00, 0x00, 0x00,	/* pin 6, low half */
	0xc7, 0x05, 0x10, 0x00, 0xc0, 0xfe, 0x24, 0x00, 0x00, 0x00,
	0xc7, 0x05, 0x04, 0x30, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,	/* RESULT[1] = 1 */
	0xa1, 0x10, 0x02, 0xe0, 0xfe,					/* 1: mov IRR1, %eax */
	0xa3, 0x00, 0x30, 0x00, 0x00,					/* mov %eax, RESULT */
	0xff, 0x05, 0x08, 0x30, 0x00, 0x00,				/* incl RESULT + 8 */
	0xeb, 0xee,							/* jmp 1b */
};

TEST_F(vmfd, interrupts)
{
	struct hvmm_vm_msi msi = { .size = sizeof(msi), .addr = 0xfee00000, .data = 33 };
	struct hvmm_vm_irq_line line = { .size = sizeof(line), .pin = 5, .source = 3, .level = 1 };
	int efd = eventfd(0, EFD_CLOEXEC), pin = eventfd(0, EFD_CLOEXEC);
	struct hvmm_vm_irqfd irqfd = {
		.size = sizeof(irqfd), .flags = HVMM_VM_IRQFD_MSI, .fd = efd,
		.addr = 0xfee00000, .data = 34,
	};
	uint64_t one = 1;

	memcpy(self->map + ENTRY, irq_guest, sizeof(irq_guest));
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IRQFD, &irqfd));
	irqfd = (struct hvmm_vm_irqfd) { .size = sizeof(irqfd), .fd = pin, .pin = 6 };
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_IRQFD, &irqfd));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_TRUE(await(&self->result[1], 1));
	EXPECT_EQ(0, self->result[0]);

	EXPECT_EQ(1, vm_call(self->vm, HVMM_VM_MSI, &msi));
	EXPECT_TRUE(await(&self->result[0], 1 << 1));
	ASSERT_EQ(sizeof(one), write(efd, &one, sizeof(one)));
	EXPECT_TRUE(await(&self->result[0], 1 << 2));
	EXPECT_EQ(0, vm_call(self->vm, HVMM_VM_IRQ_LINE, &line));
	EXPECT_TRUE(await(&self->result[0], 1 << 3));
	ASSERT_EQ(sizeof(one), write(pin, &one, sizeof(one)));
	EXPECT_TRUE(await(&self->result[0], 1 << 4));
	EXPECT_EQ(0x1e, self->result[0]);

	line.level = 0;
	EXPECT_EQ(0, vm_call(self->vm, HVMM_VM_IRQ_LINE, &line));
	close(efd);
	close(pin);
}

TEST_F(vmfd, unmapped_page_comes_back)
{
	struct hvmm_vm_unmap_page arg = { .size = sizeof(arg) };
	uint32_t seen;
	int i;

	memcpy(self->map + ENTRY, irq_guest, sizeof(irq_guest));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_TRUE(await(&self->result[1], 1));

	/* Code and data go from under a running guest. */
	for (i = 0; i < 20; i++) {
		arg.gpa = i & 1 ? ENTRY : RESULT;
		ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_UNMAP_PAGE, &arg));
		seen = self->result[2];
		while (self->result[2] == seen)
			sched_yield();
	}
}

static int discard(int vm, uint64_t gpa, uint64_t len)
{
	struct hvmm_vm_discard arg = { .size = sizeof(arg), .gpa = gpa, .len = len };

	return vm_call(vm, HVMM_VM_DISCARD, &arg);
}

/* Bytes that the RAM file holds. */
static uint64_t held(int ram)
{
	struct stat st;

	return fstat(ram, &st) ? ~0ULL : (uint64_t)st.st_blocks << 9;
}

TEST_F(vmfd, discard_gives_back_and_clears)
{
	uint64_t before = held(self->ram), i;
	int other = 0;

	memset(self->map + MIB, 0x5a, 64 << 12);
	ASSERT_EQ(before + (64 << 12), held(self->ram));
	ASSERT_EQ(0, discard(self->vm, MIB + 4096, 62 << 12));
	EXPECT_EQ(before + (2 << 12), held(self->ram));
	for (i = MIB; i < MIB + (64 << 12); i++)
		other += self->map[i] != (i < MIB + 4096 || i >= MIB + (63 << 12) ? 0x5a : 0);
	EXPECT_EQ(0, other);
}

/*
 * The guest counts in a page that goes from under it again and again. After each time it
 * counts in the file's page, not in one that it still has: we see it, and it began anew.
 */
TEST_F(vmfd, discard_under_a_running_guest)
{
	uint32_t seen;
	int i;

	memcpy(self->map + ENTRY, irq_guest, sizeof(irq_guest));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_TRUE(await(&self->result[1], 1));
	for (i = 0; i < 50; i++) {
		while (self->result[2] < 100)
			sched_yield();
		ASSERT_EQ(0, discard(self->vm, RESULT, 4096));
		EXPECT_EQ(0, self->result[1]);
		seen = self->result[2];
		while (self->result[2] == seen)
			sched_yield();
	}
}

/* Writes to each page from 1 MiB to 4 MiB, and counts them. */
static const uint8_t touch_guest[] = {
	0xbf, 0x00, 0x00, 0x10, 0x00,			/* mov $0x100000, %edi */
	0xff, 0x07,					/* 1: incl (%edi) */
	0xff, 0x05, 0x00, 0x30, 0x00, 0x00,		/* incl RESULT */
	0x81, 0xc7, 0x00, 0x10, 0x00, 0x00,		/* add $0x1000, %edi */
	0x81, 0xff, 0x00, 0x00, 0x40, 0x00,		/* cmp $0x400000, %edi */
	0x72, 0xea,					/* jb 1b */
	0xf4, 0xeb, 0xfd,				/* 2: hlt; jmp 2b */
};

struct memory {
	uint64_t total, held, waiting;
};

static void take_memory(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct nlattr *nest = nl_find(attrs, len, HVMM_A_STATS_MEMORY);
	struct memory *m = arg;

	m->total = nl_get(nl_data(nest), nl_len(nest), HVMM_A_MEMORY_TOTAL);
	m->held = nl_get(nl_data(nest), nl_len(nest), HVMM_A_MEMORY_HELD);
	m->waiting = nl_get(nl_data(nest), nl_len(nest), HVMM_A_MEMORY_WAITING);
}

static struct memory memory(struct nl *nl, uint32_t id)
{
	struct memory m = {};

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_STATS_GET);
	nl_put_u32(&msg, HVMM_A_STATS_VM, id);
	nl_talk(nl, &msg, take_memory, &m);
	return m;
}

static int set_mem_max(struct nl *nl, uint32_t id, uint64_t max)
{
	size_t nest;

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_SET);
	nest = nl_nest(&msg, HVMM_A_VM_CHANGE);
	nl_put_u32(&msg, HVMM_A_VM_ID, id);
	nl_put_u64(&msg, HVMM_A_VM_MEM_MAX, max);
	nl_nest_end(&msg, nest);
	return nl_talk(nl, &msg, NULL, NULL);
}

/* Wait until a vCPU waits for memory and the guest has come as far as @pages. */
static bool starves(struct nl *nl, uint32_t id, volatile uint32_t *count, uint32_t pages)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		/* In this order: it does not count while it waits. */
		if (memory(nl, id).waiting == 1 && *count == pages)
			return true;
		sched_yield();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - begin.tv_sec < PATIENCE_S);
	return false;
}

TEST_F(vmfd, memory_quota)
{
	volatile uint32_t *count = self->result;
	struct memory m;
	uint64_t max;
	uint32_t n;

	EXPECT_EQ(-EINVAL, set_mem_max(&self->nl, self->id, 4095));
	EXPECT_EQ(-EINVAL, set_mem_max(&self->nl, self->id, (1 << 20) + 1));

	memcpy(self->map + ENTRY, touch_guest, sizeof(touch_guest));
	m = memory(&self->nl, self->id);
	max = (m.total & ~4095ULL) + (100 << 12);
	ASSERT_EQ(0, set_mem_max(&self->nl, self->id, max));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));

	/* RESULT's page was ours to take. Tables are paid for, too. */
	while (memory(&self->nl, self->id).waiting != 1)
		sched_yield();
	n = *count;
	m = memory(&self->nl, self->id);
	EXPECT_GE(max, m.total);
	EXPECT_LT(max - 4096, m.total);
	EXPECT_LT(90, n);
	EXPECT_GE(100, n);

	/* A page given back is a page that can be taken; a limit that is raised, too. */
	ASSERT_EQ(0, discard(self->vm, MIB, 4096));
	EXPECT_TRUE(starves(&self->nl, self->id, count, n + 1));
	EXPECT_EQ(m.total, memory(&self->nl, self->id).total);
	ASSERT_EQ(0, discard(self->vm, MIB + 4096, 7 << 12));
	EXPECT_TRUE(starves(&self->nl, self->id, count, n + 8));
	ASSERT_EQ(0, set_mem_max(&self->nl, self->id, max + (10 << 12)));
	EXPECT_TRUE(starves(&self->nl, self->id, count, n + 18));
	/* Under what it holds: nothing is taken away, nothing more is given. */
	ASSERT_EQ(0, set_mem_max(&self->nl, self->id, 4096));
	ASSERT_EQ(0, discard(self->vm, MIB + (8 << 12), 4096));
	EXPECT_TRUE(starves(&self->nl, self->id, count, n + 18));
	ASSERT_EQ(0, set_mem_max(&self->nl, self->id, 0));
	EXPECT_TRUE(await(count, 768));
	EXPECT_EQ(0, memory(&self->nl, self->id).waiting);
}

/* A VM is stopped, started and removed while its vCPU waits. */
TEST_F(vmfd, stop_while_it_waits_for_memory)
{
	volatile uint32_t *count = self->result;
	uint32_t n;

	memcpy(self->map + ENTRY, touch_guest, sizeof(touch_guest));
	ASSERT_EQ(0, set_mem_max(&self->nl, self->id,
				 (memory(&self->nl, self->id).total & ~4095ULL) + (20 << 12)));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	while (memory(&self->nl, self->id).waiting != 1)
		sched_yield();
	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_STOP, self->id));
	EXPECT_EQ(0, memory(&self->nl, self->id).waiting);
	n = *count;
	/* Its pages are there: it comes as far as it did, and no farther. */
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	EXPECT_TRUE(starves(&self->nl, self->id, count, 2 * n));
}

struct waiter {
	int vm;
	int ret;
};

static void *wait_for_request(void *arg)
{
	struct hvmm_vm_io_next next = { .size = sizeof(next), .done_vcpu = HVMM_VM_NO_VCPU };
	struct waiter *w = arg;

	w->ret = vm_call(w->vm, HVMM_VM_IO_NEXT, &next);
	return NULL;
}

TEST_F(vmfd, destroyed_vm)
{
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };
	struct hvmm_vm_info info = { .size = sizeof(info) };
	struct pollfd pfd = { .fd = self->vm, .events = POLLIN };
	struct waiter w = { .vm = self->vm };
	pthread_t thread;

	memcpy(self->map + ENTRY, irq_guest, sizeof(irq_guest));
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_ATTACH, &attach));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_TRUE(await(&self->result[1], 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_for_request, &w));
	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_DEL, self->id));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-ENODEV, w.ret);
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLHUP, pfd.revents);
	EXPECT_EQ(-ENODEV, vm_call(self->vm, HVMM_VM_INFO, &info));
	EXPECT_EQ(-ENODEV, vm_open(self->dev, self->id));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->vm, 0));
	/* What was mapped stays. */
	EXPECT_EQ(1, self->result[1]);
}

TEST_HARNESS_MAIN
