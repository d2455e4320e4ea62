/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_LOAD_H
#define HV_LOAD_H

#include "config.h"
#include "elfimage.h"
#include "ram.h"

/**
 * enum hv_boot_mode - state in which vCPU 0 starts; same values as the kernel's ABI
 * @HV_BOOT_RESET: as after power-on
 * @HV_BOOT_PM32: 32-bit flat protected mode, paging off
 * @HV_BOOT_LONG64: 64-bit mode, identity map at @cr3
 */
enum hv_boot_mode {
	HV_BOOT_RESET,
	HV_BOOT_PM32,
	HV_BOOT_LONG64,
};

/**
 * struct hv_boot - registers with which vCPU 0 starts, as in the start request
 */
struct hv_boot {
	enum hv_boot_mode mode;
	uint64_t rip, rsp, rax, rbx, rsi, cr3;
	uint64_t gdt_base;
	uint32_t gdt_limit;
};

/**
 * struct hv_guest - what is being loaded, and where
 * @config: what to boot
 * @vcpus: number of vCPUs, for the ACPI tables
 * @ram: the guest's RAM
 * @boot: filled by the loader
 * @kernel: the kernel's image, open
 * @head: its first bytes
 * @head_len: how many
 * @rsdp: address of the ACPI root pointer
 */
struct hv_guest {
	const struct hv_config *config;
	uint32_t vcpus;
	struct hv_ram *ram;
	struct hv_boot *boot;
	struct hv_file kernel;
	uint8_t head[8192];
	uint32_t head_len;
	uint64_t rsdp;
};

/**
 * hv_load_check - check a boot configuration's images, and that they fit
 * @config: what to boot
 * @vcpus: number of vCPUs
 * @memory: bytes of RAM
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_load_check(const struct hv_config *config, uint32_t vcpus, uint64_t memory,
		  struct hv_error *err);

/**
 * hv_load - check a boot configuration's images and load them
 * @config: what to boot
 * @vcpus: number of vCPUs
 * @ram: RAM, just initialised; without a mapping images are only checked
 * @boot: filled with the first registers
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_load(const struct hv_config *config, uint32_t vcpus, struct hv_ram *ram,
	    struct hv_boot *boot, struct hv_error *err);

/**
 * hv_load_file - the same for a kernel that is open already (tests)
 * @kernel: its image
 */
int hv_load_file(const struct hv_config *config, const struct hv_file *kernel, uint32_t vcpus,
		 struct hv_ram *ram, struct hv_boot *boot, struct hv_error *err);

/* The formats, each in a file of its own. "is" looks at the head only. */
bool hv_is_linux(const struct hv_guest *g);
int hv_load_linux(struct hv_guest *g, struct hv_error *err);
int hv_load_pvh(struct hv_guest *g, const struct hv_elf *elf, uint64_t entry, struct hv_error *err);
bool hv_find_pvh_entry(struct hv_guest *g, const struct hv_elf *elf, uint64_t *entry);
bool hv_is_multiboot(const struct hv_guest *g);
int hv_load_multiboot(struct hv_guest *g, const struct hv_elf *elf, struct hv_error *err);

/**
 * hv_load_segments - load an ELF image's segments at their physical addresses
 * @g: the guest
 * @elf: its kernel
 * @end: filled with the end of the highest one
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_load_segments(struct hv_guest *g, const struct hv_elf *elf, uint64_t *end,
		     struct hv_error *err);

/**
 * hv_load_initrd - concatenate the initrds, each padded to 4 bytes, as high as allowed
 * @g: the guest
 * @max: must end below
 * @gpa: filled with its place
 * @size: filled with its size, 0 if there is none
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_load_initrd(struct hv_guest *g, uint64_t max, uint64_t *gpa, uint64_t *size,
		   struct hv_error *err);

/**
 * hv_load_module - load one module, page aligned, in the lowest free memory
 * @g: the guest
 * @module: which
 * @min: not below this address
 * @gpa: filled with its place
 * @size: filled with its size
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_load_module(struct hv_guest *g, const struct hv_module *module, uint64_t min, uint64_t *gpa,
		   uint64_t *size, struct hv_error *err);

/**
 * hv_load_gdt - a GDT with flat code at 0x10 and flat data at 0x18
 * @g: the guest; its boot registers are filled
 * @code: the code descriptor
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_load_gdt(struct hv_guest *g, uint64_t code, struct hv_error *err);

#define HV_GDT_CODE32 0x00cf9b000000ffffULL
#define HV_GDT_CODE64 0x00af9b000000ffffULL
#define HV_GDT_DATA   0x00cf93000000ffffULL

/* Where loaders begin to look for room for small things; low addresses are popular with guests. */
#define HV_SCRATCH 0x9000ULL

/**
 * struct hv_region - a part of the guest's physical memory, as told to the guest
 * @start: first address
 * @size: bytes
 * @type: as in ACPI's system address map: 1 RAM, 2 reserved
 */
struct hv_region {
	uint64_t start;
	uint64_t size;
	uint32_t type;
};

#define HV_REGIONS 4

/**
 * hv_memory_map - the guest's memory map
 * @ram: its RAM
 * @map: filled
 *
 * Return: number of entries.
 */
unsigned int hv_memory_map(const struct hv_ram *ram, struct hv_region map[HV_REGIONS]);

#endif
