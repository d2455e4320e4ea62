/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_RAM_H
#define HV_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "file.h"

/* Guest RAM fills addresses from 0 up to 3 GiB; the rest follows from 4 GiB. */
#define HV_RAM_LOW_MAX	 (3ULL << 30)
#define HV_RAM_HIGH_BASE (4ULL << 30)
#define HV_PAGE		 4096ULL

/* Firmware's part of the first MiB: not offered as RAM, ACPI tables are in it. */
#define HV_FIRMWARE_START 0xa0000ULL
#define HV_FIRMWARE_END	  0x100000ULL

#define HV_RAM_PIECES 192

/**
 * struct hv_piece - guest memory that is spoken for
 * @start: first address
 * @end: address behind it
 * @what: for messages
 */
struct hv_piece {
	uint64_t start;
	uint64_t end;
	const char *what;
};

/**
 * struct hv_ram - a guest's RAM while images are being loaded
 * @base: all of it, mapped; %NULL to check only and write nothing
 * @size: bytes
 * @nr_pieces: how many are in @pieces
 * @pieces: what is spoken for
 */
struct hv_ram {
	uint8_t *base;
	uint64_t size;
	unsigned int nr_pieces;
	struct hv_piece pieces[HV_RAM_PIECES];
};

/**
 * hv_ram_init - begin to load into RAM: page 0 and the firmware's area are taken
 * @ram: filled
 * @base: RAM's mapping, or %NULL
 * @size: its size
 */
void hv_ram_init(struct hv_ram *ram, void *base, uint64_t size);

/**
 * hv_ram_low_end - end of the RAM below 4 GiB
 * @ram: the RAM
 */
uint64_t hv_ram_low_end(const struct hv_ram *ram);

/**
 * hv_ram_high_size - bytes of RAM from 4 GiB on
 * @ram: the RAM
 */
uint64_t hv_ram_high_size(const struct hv_ram *ram);

/**
 * hv_ram_reserve - take a certain part of RAM
 * @ram: the RAM
 * @gpa: where
 * @len: bytes
 * @what: what for, a constant string
 * @err: filled on failure
 *
 * Return: 0, or -1 if it is not RAM or taken.
 */
int hv_ram_reserve(struct hv_ram *ram, uint64_t gpa, uint64_t len, const char *what,
		   struct hv_error *err);

/**
 * hv_ram_alloc - take the lowest free part
 * @ram: the RAM
 * @len: bytes
 * @align: alignment, a power of two
 * @min: not below this address
 * @max: must end at or below this address
 * @what: what for, a constant string
 * @gpa: filled
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_ram_alloc(struct hv_ram *ram, uint64_t len, uint64_t align, uint64_t min, uint64_t max,
		 const char *what, uint64_t *gpa, struct hv_error *err);

/**
 * hv_ram_alloc_top - as hv_ram_alloc(), but the highest free part
 */
int hv_ram_alloc_top(struct hv_ram *ram, uint64_t len, uint64_t align, uint64_t min, uint64_t max,
		     const char *what, uint64_t *gpa, struct hv_error *err);

/**
 * hv_ram_write - write to RAM
 * @ram: the RAM
 * @gpa: where
 * @data: what
 * @len: bytes
 * @err: filled on failure
 *
 * Return: 0, or -1 if a part of it is not RAM.
 */
int hv_ram_write(struct hv_ram *ram, uint64_t gpa, const void *data, uint64_t len,
		 struct hv_error *err);

/**
 * hv_ram_zero - write zeros to RAM: what it held may be of an earlier guest
 */
int hv_ram_zero(struct hv_ram *ram, uint64_t gpa, uint64_t len, struct hv_error *err);

/**
 * hv_ram_load - copy a part of a file to RAM
 */
int hv_ram_load(struct hv_ram *ram, uint64_t gpa, const struct hv_file *file, uint64_t offset,
		uint64_t len, const char *what, struct hv_error *err);

#endif
