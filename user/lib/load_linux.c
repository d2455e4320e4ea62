// SPDX-License-Identifier: GPL-2.0
/*
 * Linux bzImage, entered by the 64-bit boot protocol: Documentation/arch/x86/boot.rst and
 * zero-page.rst of the kernel.
 */
#include <asm/bootparam.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "load.h"

#define HEADER_OFFSET  0x1f1
#define MAGIC_OFFSET   0x202
#define MAGIC	       0x53726448 /* "HdrS" */
#define VERSION_MIN    0x20c	  /* 2.12: xloadflags, and a header long enough */
#define ENTRY64	       0x200
#define SECTOR	       512ULL
#define LOADER_UNKNOWN 0xff

#define PTE_TABLE 0x3ULL  /* present, writable */
#define PTE_LARGE 0x83ULL /* the same, 2 MiB page */

bool hv_is_linux(const struct hv_guest *g)
{
	uint32_t magic;

	if (g->head_len < MAGIC_OFFSET + sizeof(magic))
		return false;
	memcpy(&magic, g->head + MAGIC_OFFSET, sizeof(magic));
	return magic == MAGIC;
}

static int read_header(struct hv_guest *g, struct setup_header *header, struct hv_error *err)
{
	const char *name = g->kernel.name;
	uint32_t end;

	/* The header ends where the jump in front of the magic number leads to. */
	end = MAGIC_OFFSET + g->head[MAGIC_OFFSET - 1];
	if (end > HEADER_OFFSET + sizeof(*header))
		end = HEADER_OFFSET + sizeof(*header);
	if (g->head_len < end)
		return hv_fail(err, "%s: truncated: setup header ends beyond the file", name);
	memset(header, 0, sizeof(*header));
	memcpy(header, g->head + HEADER_OFFSET, end - HEADER_OFFSET);

	if (header->version < VERSION_MIN)
		return hv_fail(err, "%s: boot protocol %u.%02u; 2.12 or later is needed", name,
			       header->version >> 8, header->version & 0xff);
	if (end < HEADER_OFFSET + offsetof(struct setup_header, init_size) + 4)
		return hv_fail(err, "%s: damaged: setup header of %u bytes", name,
			       end - HEADER_OFFSET);
	if (!(header->xloadflags & XLF_KERNEL_64))
		return hv_fail(err, "%s: a 32-bit kernel; 64-bit entry is needed", name);
	if (!(header->loadflags & LOADED_HIGH))
		return hv_fail(err, "%s: a zImage; a bzImage is needed", name);
	return 0;
}

/* The part behind the setup sectors, at the address it prefers: no relocation is needed there. */
static int load_image(struct hv_guest *g, struct setup_header *header, struct hv_error *err)
{
	uint64_t setup = ((header->setup_sects ? header->setup_sects : 4) + 1ULL) * SECTOR;
	uint64_t size, room = header->init_size, at = header->pref_address;
	const char *name = g->kernel.name;

	/* syssize counts 16-byte units; the kernel's build pads to it. */
	if (setup >= g->kernel.size || g->kernel.size - setup < (uint64_t)header->syssize * 16)
		return hv_fail(err, "%s: truncated: %" PRIu64 " bytes, its header says %" PRIu64,
			       name, g->kernel.size, setup + (uint64_t)header->syssize * 16);
	size = g->kernel.size - setup;
	if (size <= ENTRY64)
		return hv_fail(err, "%s: truncated: no 64-bit entry", name);
	if (room < size)
		room = size;
	if (hv_ram_reserve(g->ram, at, room, "the kernel", err) ||
	    hv_ram_load(g->ram, at, &g->kernel, setup, size, "the kernel", err))
		return -1;
	if (at + room > HV_RAM_LOW_MAX)
		return hv_fail(err, "%s: wants to be loaded above 3 GiB", name);
	header->code32_start = (uint32_t)at;
	g->boot->rip = at + ENTRY64;
	return 0;
}

static int load_cmdline(struct hv_guest *g, struct setup_header *header, struct hv_error *err)
{
	const char *text = g->config->cmdline ? g->config->cmdline : "";
	uint64_t len = strlen(text), gpa;

	if (len > header->cmdline_size)
		return hv_fail(err, "command line of %" PRIu64 " bytes; %s takes %u", len,
			       g->kernel.name, header->cmdline_size);
	if (hv_ram_alloc(g->ram, len + 1, 16, HV_SCRATCH, HV_RAM_LOW_MAX, "the command line", &gpa,
			 err) ||
	    hv_ram_write(g->ram, gpa, text, len + 1, err))
		return -1;
	header->cmd_line_ptr = (uint32_t)gpa;
	return 0;
}

/* Identity map of 4 GiB: the entry point needs kernel, zero page and command line mapped. */
static int load_page_tables(struct hv_guest *g, struct hv_error *err)
{
	uint64_t table[512], base;
	unsigned int i, j;

	if (hv_ram_alloc(g->ram, 6 * HV_PAGE, HV_PAGE, HV_SCRATCH, HV_RAM_LOW_MAX, "page tables",
			 &base, err))
		return -1;
	memset(table, 0, sizeof(table));
	table[0] = (base + HV_PAGE) | PTE_TABLE;
	if (hv_ram_write(g->ram, base, table, sizeof(table), err))
		return -1;
	for (i = 0; i < 4; i++)
		table[i] = (base + (2 + i) * HV_PAGE) | PTE_TABLE;
	if (hv_ram_write(g->ram, base + HV_PAGE, table, sizeof(table), err))
		return -1;
	for (i = 0; i < 4; i++) {
		for (j = 0; j < 512; j++)
			table[j] = ((uint64_t)(i * 512 + j) << 21) | PTE_LARGE;
		if (hv_ram_write(g->ram, base + (2 + i) * HV_PAGE, table, sizeof(table), err))
			return -1;
	}
	g->boot->cr3 = base;
	return 0;
}

static int load_zero_page(struct hv_guest *g, const struct setup_header *header,
			  struct hv_error *err)
{
	struct hv_region map[HV_REGIONS];
	struct boot_params params;
	unsigned int i;
	uint64_t gpa;

	memset(&params, 0, sizeof(params));
	params.hdr = *header;
	params.acpi_rsdp_addr = g->rsdp;
	params.e820_entries = (uint8_t)hv_memory_map(g->ram, map);
	for (i = 0; i < params.e820_entries; i++) {
		params.e820_table[i].addr = map[i].start;
		params.e820_table[i].size = map[i].size;
		params.e820_table[i].type = map[i].type;
	}
	if (hv_ram_alloc(g->ram, sizeof(params), HV_PAGE, HV_SCRATCH, HV_RAM_LOW_MAX,
			 "the zero page", &gpa, err) ||
	    hv_ram_write(g->ram, gpa, &params, sizeof(params), err))
		return -1;
	g->boot->rsi = gpa;
	return 0;
}

int hv_load_linux(struct hv_guest *g, struct hv_error *err)
{
	struct setup_header header;
	uint64_t initrd, size;

	if (g->config->nr_modules)
		return hv_fail(err, "%s: a bzImage takes initrds, not modules", g->kernel.name);
	if (read_header(g, &header, err) || load_image(g, &header, err) ||
	    load_page_tables(g, err) || load_cmdline(g, &header, err) ||
	    hv_load_gdt(g, HV_GDT_CODE64, err) ||
	    hv_load_initrd(g, (uint64_t)header.initrd_addr_max + 1, &initrd, &size, err))
		return -1;
	header.type_of_loader = LOADER_UNKNOWN;
	/* There is no real-mode heap, and no loader's data chain. */
	header.loadflags &= (uint8_t)~CAN_USE_HEAP;
	header.setup_data = 0;
	header.ramdisk_image = (uint32_t)initrd;
	header.ramdisk_size = (uint32_t)size;
	if (load_zero_page(g, &header, err))
		return -1;
	g->boot->mode = HV_BOOT_LONG64;
	return 0;
}
