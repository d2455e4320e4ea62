// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <string.h>

#include "ram.h"
#include "units.h"

uint64_t hv_ram_low_end(const struct hv_ram *ram)
{
	return ram->size < HV_RAM_LOW_MAX ? ram->size : HV_RAM_LOW_MAX;
}

uint64_t hv_ram_high_size(const struct hv_ram *ram)
{
	return ram->size < HV_RAM_LOW_MAX ? 0 : ram->size - HV_RAM_LOW_MAX;
}

void hv_ram_init(struct hv_ram *ram, void *base, uint64_t size)
{
	memset(ram, 0, sizeof(*ram));
	ram->base = base;
	ram->size = size;
	ram->pieces[0] = (struct hv_piece){ 0, HV_PAGE, "page 0" };
	ram->pieces[1] =
		(struct hv_piece){ HV_FIRMWARE_START, HV_FIRMWARE_END, "the firmware's area" };
	ram->nr_pieces = 2;
}

/* The offset in the file of RAM that lies wholly in one of its two parts. */
static bool ram_offset(const struct hv_ram *ram, uint64_t gpa, uint64_t len, uint64_t *offset)
{
	uint64_t low = hv_ram_low_end(ram), high = hv_ram_high_size(ram);

	if (gpa < low) {
		if (len > low - gpa)
			return false;
		*offset = gpa;
		return true;
	}
	if (gpa < HV_RAM_HIGH_BASE || gpa - HV_RAM_HIGH_BASE >= high ||
	    len > high - (gpa - HV_RAM_HIGH_BASE))
		return false;
	*offset = gpa - HV_RAM_HIGH_BASE + HV_RAM_LOW_MAX;
	return true;
}

static const struct hv_piece *taken(const struct hv_ram *ram, uint64_t start, uint64_t end)
{
	unsigned int i;

	for (i = 0; i < ram->nr_pieces; i++)
		if (start < ram->pieces[i].end && ram->pieces[i].start < end)
			return &ram->pieces[i];
	return NULL;
}

static int not_ram(const struct hv_ram *ram, uint64_t gpa, uint64_t len, const char *what,
		   struct hv_error *err)
{
	char size[HV_UNIT_TEXT];

	return hv_fail(err,
		       "%s (0x%" PRIx64 " bytes at 0x%" PRIx64 ") does not fit into %s of memory",
		       what, len, gpa, hv_format_size(size, ram->size));
}

int hv_ram_reserve(struct hv_ram *ram, uint64_t gpa, uint64_t len, const char *what,
		   struct hv_error *err)
{
	const struct hv_piece *other;
	uint64_t offset;

	if (!len)
		return 0;
	if (!ram_offset(ram, gpa, len, &offset))
		return not_ram(ram, gpa, len, what, err);
	other = taken(ram, gpa, gpa + len);
	if (other)
		return hv_fail(err,
			       "%s (0x%" PRIx64 " to 0x%" PRIx64 ") would overwrite %s (0x%" PRIx64
			       " to 0x%" PRIx64 ")",
			       what, gpa, gpa + len - 1, other->what, other->start, other->end - 1);
	if (ram->nr_pieces == HV_RAM_PIECES)
		return hv_fail(err, "%s: too many pieces to load", what);
	ram->pieces[ram->nr_pieces++] = (struct hv_piece){ gpa, gpa + len, what };
	return 0;
}

static int no_room(const struct hv_ram *ram, uint64_t len, const char *what, struct hv_error *err)
{
	char size[HV_UNIT_TEXT], need[HV_UNIT_TEXT];

	return hv_fail(err, "no room for %s (%s) in %s of memory", what, hv_format_size(need, len),
		       hv_format_size(size, ram->size));
}

int hv_ram_alloc(struct hv_ram *ram, uint64_t len, uint64_t align, uint64_t min, uint64_t max,
		 const char *what, uint64_t *gpa, struct hv_error *err)
{
	uint64_t low = hv_ram_low_end(ram);
	const struct hv_piece *other;

	if (max > low)
		max = low;
	for (;;) {
		min = (min + align - 1) & ~(align - 1);
		if (min > max || len > max - min)
			return no_room(ram, len, what, err);
		other = taken(ram, min, min + len);
		if (!other)
			break;
		min = other->end;
	}
	*gpa = min;
	return hv_ram_reserve(ram, min, len, what, err);
}

int hv_ram_alloc_top(struct hv_ram *ram, uint64_t len, uint64_t align, uint64_t min, uint64_t max,
		     const char *what, uint64_t *gpa, struct hv_error *err)
{
	uint64_t low = hv_ram_low_end(ram), start;
	const struct hv_piece *other;

	if (max > low)
		max = low;
	for (;;) {
		start = len > max ? 0 : (max - len) & ~(align - 1);
		if (len > max || start < min)
			return no_room(ram, len, what, err);
		other = taken(ram, start, start + len);
		if (!other)
			break;
		max = other->start;
	}
	*gpa = start;
	return hv_ram_reserve(ram, start, len, what, err);
}

int hv_ram_write(struct hv_ram *ram, uint64_t gpa, const void *data, uint64_t len,
		 struct hv_error *err)
{
	uint64_t offset;

	if (!ram_offset(ram, gpa, len, &offset))
		return not_ram(ram, gpa, len, "data", err);
	if (ram->base && len)
		memcpy(ram->base + offset, data, len);
	return 0;
}

int hv_ram_zero(struct hv_ram *ram, uint64_t gpa, uint64_t len, struct hv_error *err)
{
	uint64_t offset;

	if (!ram_offset(ram, gpa, len, &offset))
		return not_ram(ram, gpa, len, "data", err);
	if (ram->base)
		memset(ram->base + offset, 0, len);
	return 0;
}

int hv_ram_load(struct hv_ram *ram, uint64_t gpa, const struct hv_file *file, uint64_t offset,
		uint64_t len, const char *what, struct hv_error *err)
{
	uint64_t to;

	if (!ram_offset(ram, gpa, len, &to))
		return not_ram(ram, gpa, len, what, err);
	if (offset > file->size || len > file->size - offset)
		return hv_fail(err, "%s: truncated: %s ends beyond the file", file->name, what);
	if (!ram->base)
		return 0;
	return hv_file_read(file, offset, ram->base + to, len, what, err);
}
