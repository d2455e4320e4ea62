// SPDX-License-Identifier: GPL-2.0
/*
 * The loop over the device channel. It runs in the sandbox, and what it gets from the guest is
 * hostile: at worst this process dies, and the guest's accesses go nowhere.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "hvdm.h"

#define ATTACH_TRIES	250
#define ATTACH_PAUSE_NS 20000000L

static struct testdev testdev;

static void say(int report, const char *text)
{
	/* Without a listener there is nothing left to do with it. */
	if (write(report, text, strlen(text)) < 0)
		_exit(1);
}

static void fail(int report, const char *what, int error) __attribute__((noreturn));

static void fail(int report, const char *what, int error)
{
	char text[256];

	snprintf(text, sizeof(text), "error %s: %s", what, strerror(error));
	say(report, text);
	_exit(1);
}

/*
 * After a stop and a start in short succession the former device process may still be on its
 * way out. Nothing tells when it has gone, so this tries again for a while.
 */
static int attach(int vm)
{
	struct hvmm_vm_attach arg = { .size = sizeof(arg) };
	const struct timespec pause = { 0, ATTACH_PAUSE_NS };
	int i;

	for (i = 0; ioctl(vm, HVMM_VM_ATTACH, &arg) < 0; i++) {
		if (errno != EBUSY || i == ATTACH_TRIES)
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

void serve(int vm, bool with_testdev, int report)
{
	struct hvmm_vm_io_next next = { .size = sizeof(next), .done_vcpu = HVMM_VM_NO_VCPU };
	struct hvmm_vm_info info = { .size = sizeof(info) };
	struct hvmm_vm_slot *slots;
	const char *failed;
	char text[32];
	int status;

	if (ioctl(vm, HVMM_VM_INFO, &info) < 0)
		fail(report, "cannot learn about the VM", errno);
	if (attach(vm) < 0)
		fail(report, "cannot attach to the VM", errno);
	slots = mmap(NULL, info.nr_vcpus * sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED, vm,
		     (off_t)HVMM_VM_MMAP_SLOTS);
	if (slots == MAP_FAILED)
		fail(report, "cannot map the device channel", errno);
	testdev.vm = vm;
	testdev.vcpus = info.nr_vcpus;
	testdev.ram = info.ram_size;
	if (with_testdev && testdev_init(&testdev) < 0)
		fail(report, "cannot make the doorbell", errno);

	failed = sandbox_seal(vm, report);
	if (failed)
		fail(report, failed, errno);
	say(report, "ready");

	for (;;) {
		struct access a;
		uint32_t vcpu;

		if (ioctl(vm, HVMM_VM_IO_NEXT, &next) < 0) {
			/* What was to be completed has been. */
			next.done_vcpu = HVMM_VM_NO_VCPU;
			if (errno == EINTR || errno == EAGAIN)
				continue;
			/* The VM has been destroyed. */
			if (errno == ENODEV)
				_exit(0);
			fail(report, "device channel", errno);
		}
		vcpu = next.vcpu;
		if (vcpu >= info.nr_vcpus)
			continue;
		a.addr = slots[vcpu].addr;
		a.len = slots[vcpu].len;
		a.write = slots[vcpu].write;
		a.mmio = slots[vcpu].space == HVMM_VM_SPACE_MMIO;
		if (a.len > sizeof(a.data))
			a.len = sizeof(a.data);
		memcpy(a.data, slots[vcpu].data, sizeof(a.data));
		if (!with_testdev) {
			memset(a.data, 0xff, sizeof(a.data));
		} else if (testdev_access(&testdev, &a, &status)) {
			/* The vCPU waits in its access until the VM is stopped. */
			snprintf(text, sizeof(text), "exit %d", status);
			say(report, text);
			next.done_vcpu = HVMM_VM_NO_VCPU;
			continue;
		}
		if (!a.write)
			memcpy(slots[vcpu].data, a.data, a.len);
		next.done_vcpu = vcpu;
		next.done_seq = next.seq;
	}
}
