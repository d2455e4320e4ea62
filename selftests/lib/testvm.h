/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One VM for tests of the VM fd: made with RAM of the test's own, its first vCPU started in 32-bit
 * mode without paging. What netlink says stays in nl->text.
 */
#ifndef HVMM_SELFTESTS_TESTVM_H
#define HVMM_SELFTESTS_TESTVM_H

#include <errno.h>
#include <linux/hvmm_vm.h>
#include <sys/ioctl.h>

#include "nl.h"

static inline void vm_take_id(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	*(uint32_t *)arg = nl_get(attrs, len, HVMM_A_VM_ID);
}

/* @ram: a memfd of @size bytes. 0 or -errno, and the VM's ID. */
static inline int vm_new_smp(struct nl *nl, const char *name, uint32_t vcpus, int ram,
			     uint64_t size, uint32_t *id)
{
	static struct nl_msg msg;

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_NEW);
	nl_put_str(&msg, HVMM_A_VM_NAME, name);
	nl_put_u32(&msg, HVMM_A_VM_VCPUS, vcpus);
	nl_put_u64(&msg, HVMM_A_VM_MEMORY, size);
	nl_put_u32(&msg, HVMM_A_VM_RAM_FD, ram);
	return nl_talk(nl, &msg, vm_take_id, id);
}

static inline int vm_new(struct nl *nl, const char *name, int ram, uint64_t size, uint32_t *id)
{
	return vm_new_smp(nl, name, 1, ram, size, id);
}

static inline int vm_start(struct nl *nl, uint32_t id, uint64_t entry)
{
	static struct nl_msg msg;
	size_t nest;

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_START);
	nl_put_u32(&msg, HVMM_A_VM_ID, id);
	nest = nl_nest(&msg, HVMM_A_VM_BOOT);
	nl_put_u32(&msg, HVMM_A_BOOT_MODE, HVMM_START_MODE_PM32);
	nl_put_u64(&msg, HVMM_A_BOOT_RIP, entry);
	nl_nest_end(&msg, nest);
	return nl_talk(nl, &msg, NULL, NULL);
}

/* An ioctl: -errno or its result. */
static inline int vm_call(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

/* The VM's fd or -errno; @dev: /dev/hvmm. */
static inline int vm_open(int dev, uint32_t id)
{
	struct hvmm_open_vm arg = { .size = sizeof(arg), .id = id };

	return vm_call(dev, HVMM_OPEN_VM, &arg);
}

#endif
