/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVDM_H
#define HVDM_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/hvmm_vm.h>

/**
 * struct access - one access of the guest to a device
 * @addr: port or guest physical address
 * @len: bytes, 1 to 16
 * @write: direction
 * @mmio: memory rather than port
 * @data: little endian; of a read: to be filled
 */
struct access {
	uint64_t addr;
	uint8_t len;
	bool write;
	bool mmio;
	uint8_t data[16];
};

#define TESTDEV_MEMORY (64U << 10)

/**
 * struct testdev - the test device and what bare guests look for beside it
 * @vm: VM file descriptor
 * @vcpus: number of vCPUs
 * @ram: bytes of RAM
 * @latch: what ports 0xe0 to 0xe3 hold
 * @key: selected item of the firmware configuration
 * @offset: next byte of it
 * @memory: what is behind 0xff000000
 */
struct testdev {
	int vm;
	uint32_t vcpus;
	uint64_t ram;
	uint8_t latch[4];
	uint16_t key;
	uint32_t offset;
	uint8_t memory[TESTDEV_MEMORY];
};

/**
 * testdev_init - make the doorbell
 * @dev: the device; @vm is set
 *
 * Return: 0, or -1 with errno set.
 */
int testdev_init(struct testdev *dev);

/**
 * testdev_access - serve an access
 * @dev: the device
 * @access: the access; a read that is not for it gives all ones
 * @status: filled with the guest's exit status when it asks for its end
 *
 * Return: whether it asks for its end.
 */
bool testdev_access(struct testdev *dev, struct access *access, int *status);

/**
 * serve - the device process proper: attach, go into the sandbox, serve accesses
 * @vm: VM file descriptor
 * @testdev: whether there is the test device
 * @report: where "ready", "exit N" and "error TEXT" go, each a message
 *
 * Ends with the process.
 */
void serve(int vm, bool testdev, int report) __attribute__((noreturn));

/**
 * sandbox_namespaces - leave everything that a device process has no business with
 *
 * Return: %NULL, or what failed.
 */
const char *sandbox_namespaces(void);

/**
 * sandbox_seal - give up all rights and all system calls but the few that are needed
 * @vm: VM file descriptor
 * @report: see serve()
 *
 * Return: %NULL, or what failed.
 */
const char *sandbox_seal(int vm, int report);

#endif
