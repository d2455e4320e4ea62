/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_ELF_H
#define HV_ELF_H

#include <stdbool.h>
#include <stdint.h>

#include "file.h"

#define HV_ELF_SEGMENTS 64

struct hv_elf_segment {
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

/**
 * struct hv_elf - program headers of an ELF image of either class
 * @is64: class
 * @entry: entry point
 * @nr: number of segments
 * @segment: the segments; file ranges are within the file, memory ranges do not wrap
 */
struct hv_elf {
	bool is64;
	uint64_t entry;
	unsigned int nr;
	struct hv_elf_segment segment[HV_ELF_SEGMENTS];
};

/**
 * hv_elf_is - whether a file begins like an ELF image
 * @head: its first bytes
 * @len: how many
 */
bool hv_elf_is(const uint8_t *head, uint32_t len);

/**
 * hv_elf_read - read and check the headers
 * @elf: filled
 * @file: the image
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_elf_read(struct hv_elf *elf, const struct hv_file *file, struct hv_error *err);

#endif
