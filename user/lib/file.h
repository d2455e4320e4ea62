/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_FILE_H
#define HV_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/**
 * struct hv_file - an image, on disk or (in tests) in memory
 * @name: for messages
 * @size: bytes when it was opened
 * @fd: the open file, -1 if @data is used
 * @data: contents in memory
 *
 * Contents are hostile, and may change while they are read: whatever is looked at is
 * copied first.
 */
struct hv_file {
	const char *name;
	uint64_t size;
	int fd;
	const uint8_t *data;
};

/**
 * hv_file_open - open an image for reading
 * @file: filled; @name must stay valid
 * @name: path of a regular file
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_file_open(struct hv_file *file, const char *name, struct hv_error *err);

void hv_file_close(struct hv_file *file);

/**
 * hv_file_read - read a part that must be there
 * @file: the image
 * @offset: where
 * @buf: filled with @len bytes
 * @len: how many
 * @what: name of the part, for the message
 * @err: filled on failure
 *
 * Return: 0 or -1 (outside of the file, or an I/O error).
 */
int hv_file_read(const struct hv_file *file, uint64_t offset, void *buf, uint64_t len,
		 const char *what, struct hv_error *err);

#endif
