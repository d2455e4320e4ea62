// SPDX-License-Identifier: GPL-2.0
/*
 * The test device of bare guests:
 *   port 0xe0-0xe3     four bytes that keep what is written
 *   port 0xe4          write: take the page at this address out of the nested page table
 *   port 0xe8          write of four bytes: a doorbell that nobody listens to
 *   port 0x2000 + n    write: set interrupt line n to the value
 *   port 0xf4          write v: end with status v * 2 + 1
 *   port 0x510, 0x511  firmware configuration: number of vCPUs (5), RAM (3), signature (0)
 *   memory 0xff000000  64 KiB that are reached by exits
 */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hvdm.h"

#define PORT_LATCH  0xe0
#define PORT_UNMAP  0xe4
#define PORT_BELL   0xe8
#define PORT_EXIT   0xf4
#define PORT_SELECT 0x510
#define PORT_CONFIG 0x511
#define PORT_LINES  0x2000
#define NR_LINES    24
#define MEMORY_BASE 0xff000000ULL

#define KEY_SIGNATURE 0
#define KEY_RAM	      3
#define KEY_CPUS      5

int testdev_init(struct testdev *dev)
{
	struct hvmm_vm_ioeventfd bell = {
		.size = sizeof(bell), .addr = PORT_BELL, .space = HVMM_VM_SPACE_PIO, .len = 4
	};

	int ret;

	bell.fd = eventfd(0, EFD_CLOEXEC);
	if (bell.fd < 0)
		return -1;
	ret = ioctl(dev->vm, HVMM_VM_IOEVENTFD, &bell);
	close(bell.fd);
	return ret;
}

static uint64_t value(const struct access *a)
{
	uint64_t v = 0;

	memcpy(&v, a->data, a->len < sizeof(v) ? a->len : sizeof(v));
	return v;
}

static uint8_t config_byte(struct testdev *dev)
{
	uint32_t at = dev->offset++;
	uint64_t v = 0, len = 0;

	switch (dev->key) {
	case KEY_SIGNATURE:
		v = 0x554d4551; /* "QEMU": guests know the interface by it */
		len = 4;
		break;
	case KEY_RAM:
		v = dev->ram;
		len = 8;
		break;
	case KEY_CPUS:
		v = dev->vcpus;
		len = 2;
		break;
	}
	return at < len ? (uint8_t)(v >> 8 * at) : 0;
}

static void unmap_page(struct testdev *dev, uint64_t gpa)
{
	struct hvmm_vm_unmap_page arg = { .size = sizeof(arg), .gpa = gpa & ~0xfffULL };

	/* An address that is not RAM is the guest's mistake; there is nobody to tell. */
	ioctl(dev->vm, HVMM_VM_UNMAP_PAGE, &arg);
}

static void set_line(struct testdev *dev, uint32_t line, bool level)
{
	struct hvmm_vm_irq_line arg = { .size = sizeof(arg), .pin = line, .level = level };

	ioctl(dev->vm, HVMM_VM_IRQ_LINE, &arg);
}

static bool port_write(struct testdev *dev, const struct access *a, int *status)
{
	uint64_t v = value(a);

	if (a->addr == PORT_EXIT) {
		*status = (int)((v << 1 | 1) & 0xff);
		return true;
	}
	if (a->addr == PORT_UNMAP && a->len == 4)
		unmap_page(dev, v);
	else if (a->addr >= PORT_LINES && a->addr < PORT_LINES + NR_LINES)
		set_line(dev, (uint32_t)(a->addr - PORT_LINES), v);
	else if (a->addr == PORT_SELECT && a->len == 2)
		dev->key = (uint16_t)v, dev->offset = 0;
	return false;
}

bool testdev_access(struct testdev *dev, struct access *a, int *status)
{
	uint8_t *memory = NULL;

	if (!a->write)
		memset(a->data, 0xff, sizeof(a->data));
	if (a->mmio) {
		if (a->addr >= MEMORY_BASE && a->addr - MEMORY_BASE <= TESTDEV_MEMORY - a->len)
			memory = dev->memory + (a->addr - MEMORY_BASE);
	} else if (a->addr >= PORT_LATCH && a->addr + a->len <= PORT_LATCH + sizeof(dev->latch)) {
		memory = dev->latch + (a->addr - PORT_LATCH);
	}
	if (memory) {
		if (a->write)
			memcpy(memory, a->data, a->len);
		else
			memcpy(a->data, memory, a->len);
		return false;
	}
	if (a->mmio)
		return false;
	if (a->write)
		return port_write(dev, a, status);
	if (a->addr == PORT_CONFIG && a->len == 1)
		a->data[0] = config_byte(dev);
	return false;
}
