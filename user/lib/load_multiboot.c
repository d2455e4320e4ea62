// SPDX-License-Identifier: GPL-2.0
/*
 * Multiboot 1 (specification 0.6.96): ELF images, and flat images that say in their header
 * where they want to be.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define HEADER_MAGIC 0x1badb002
#define LOADER_MAGIC 0x2badb002

/* Header flags, 3.1.2 */
#define WANT_ALIGNED  (1U << 0)
#define WANT_MEMORY   (1U << 1)
#define WANT_VIDEO    (1U << 2)
#define WANT_KNOWN    (WANT_ALIGNED | WANT_MEMORY)
#define HAS_ADDRESSES (1U << 16)

/* Information flags, 3.3 */
#define INFO_MEMORY  (1U << 0)
#define INFO_CMDLINE (1U << 2)
#define INFO_MODULES (1U << 3)
#define INFO_MEMMAP  (1U << 6)
#define INFO_LOADER  (1U << 9)

struct header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	uint32_t header_addr;
	uint32_t load_addr;
	uint32_t load_end_addr;
	uint32_t bss_end_addr;
	uint32_t entry_addr;
};

struct info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper;
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
	uint32_t drives_length, drives_addr;
	uint32_t config_table;
	uint32_t boot_loader_name;
	uint32_t apm_table;
	uint32_t vbe[6];
};

struct module_entry {
	uint32_t start, end, string, reserved;
};

struct memmap_entry {
	uint32_t size; /* of what follows */
	uint64_t start, length;
	uint32_t type;
} __attribute__((packed));

/* The header is 4-byte aligned and wholly within the first 8 KiB. */
static bool find_header(const struct hv_guest *g, uint32_t *offset, struct header *header)
{
	uint32_t at;

	for (at = 0; at + 12 <= g->head_len; at += 4) {
		uint32_t word[3];

		memcpy(word, g->head + at, sizeof(word));
		if (word[0] != HEADER_MAGIC || word[0] + word[1] + word[2])
			continue;
		if (word[1] & HAS_ADDRESSES && at + sizeof(*header) > g->head_len)
			continue;
		memset(header, 0, sizeof(*header));
		memcpy(header, g->head + at, word[1] & HAS_ADDRESSES ? sizeof(*header) : 12);
		*offset = at;
		return true;
	}
	return false;
}

bool hv_is_multiboot(const struct hv_guest *g)
{
	struct header header;
	uint32_t offset;

	return find_header(g, &offset, &header);
}

static int load_flat(struct hv_guest *g, const struct header *h, uint32_t at, uint64_t *end,
		     struct hv_error *err)
{
	const char *name = g->kernel.name;
	uint64_t offset, size, bss;

	if (h->load_addr > h->header_addr || h->header_addr - h->load_addr > at)
		return hv_fail(err, "%s: damaged: impossible load address", name);
	offset = at - (h->header_addr - h->load_addr);
	size = g->kernel.size - offset;
	if (h->load_end_addr) {
		if (h->load_end_addr < h->load_addr)
			return hv_fail(err, "%s: damaged: impossible load end", name);
		if (h->load_end_addr - h->load_addr > size)
			return hv_fail(err, "%s: truncated: shorter than its header says", name);
		size = h->load_end_addr - h->load_addr;
	}
	*end = h->load_addr + size;
	if (h->bss_end_addr && h->bss_end_addr < *end)
		return hv_fail(err, "%s: damaged: impossible BSS end", name);
	bss = h->bss_end_addr ? h->bss_end_addr - *end : 0;
	if (hv_ram_reserve(g->ram, h->load_addr, size + bss, "the kernel", err) ||
	    hv_ram_load(g->ram, h->load_addr, &g->kernel, offset, size, "the kernel", err) ||
	    hv_ram_zero(g->ram, *end, bss, err))
		return -1;
	*end += bss;
	if (h->entry_addr < h->load_addr || h->entry_addr >= h->load_addr + size)
		return hv_fail(err, "%s: damaged: its entry lies outside of it", name);
	g->boot->rip = h->entry_addr;
	return 0;
}

/* A place for small data; an array of them is what the guest finds by its information. */
static int place(struct hv_guest *g, const void *data, uint64_t len, const char *what,
		 uint32_t *gpa, struct hv_error *err)
{
	uint64_t at;

	if (hv_ram_alloc(g->ram, len, 16, HV_SCRATCH, HV_RAM_LOW_MAX, what, &at, err) ||
	    hv_ram_write(g->ram, at, data, len, err))
		return -1;
	*gpa = (uint32_t)at;
	return 0;
}

/* A command line begins with the image's name, as boot loaders do it. */
static int place_cmdline(struct hv_guest *g, const char *file, const char *args, uint32_t *gpa,
			 struct hv_error *err)
{
	size_t len = strlen(file) + strlen(args) + 2;
	char *text = malloc(len);
	int ret;

	if (!text)
		return hv_fail(err, "out of memory");
	strcpy(text, file);
	if (*args) {
		strcat(text, " ");
		strcat(text, args);
	}
	ret = place(g, text, strlen(text) + 1, "a command line", gpa, err);
	free(text);
	return ret;
}

static int load_modules(struct hv_guest *g, struct info *info, uint64_t min, struct hv_error *err)
{
	struct module_entry entry[HV_MODULES_MAX];
	unsigned int i, n = g->config->nr_modules;

	memset(entry, 0, sizeof(entry));
	for (i = 0; i < n; i++) {
		const struct hv_module *module = &g->config->module[i];
		uint64_t gpa, size;

		if (hv_load_module(g, module, min, &gpa, &size, err) ||
		    place_cmdline(g, module->file, module->args, &entry[i].string, err))
			return -1;
		entry[i].start = (uint32_t)gpa;
		entry[i].end = (uint32_t)(gpa + size);
	}
	info->flags |= INFO_MODULES;
	info->mods_count = n;
	return n ? place(g, entry, n * sizeof(entry[0]), "the list of modules", &info->mods_addr,
			 err)
		 : 0;
}

static int load_memmap(struct hv_guest *g, struct info *info, struct hv_error *err)
{
	struct memmap_entry entry[HV_REGIONS];
	struct hv_region map[HV_REGIONS];
	unsigned int i, n = hv_memory_map(g->ram, map);

	for (i = 0; i < n; i++)
		entry[i] = (struct memmap_entry){ sizeof(entry[i]) - 4, map[i].start, map[i].size,
						  map[i].type };
	info->flags |= INFO_MEMMAP | INFO_MEMORY;
	info->mmap_length = n * sizeof(entry[0]);
	info->mem_lower = HV_FIRMWARE_START / 1024;
	info->mem_upper = (uint32_t)((hv_ram_low_end(g->ram) - HV_FIRMWARE_END) / 1024);
	return place(g, entry, info->mmap_length, "the memory map", &info->mmap_addr, err);
}

int hv_load_multiboot(struct hv_guest *g, const struct hv_elf *elf, struct hv_error *err)
{
	const char *name = g->kernel.name;
	struct info info = { .flags = INFO_CMDLINE | INFO_LOADER };
	struct header header;
	uint64_t end, floor;
	uint32_t offset, at;

	if (g->config->nr_initrds)
		return hv_fail(err, "%s: multiboot takes modules, not initrds", name);
	if (!find_header(g, &offset, &header))
		return hv_fail(err, "%s: no multiboot header", name);
	if (header.flags & WANT_VIDEO)
		return hv_fail(err, "%s: asks for a video mode; there is no video", name);
	if (header.flags & 0xffff & ~WANT_KNOWN)
		return hv_fail(err, "%s: asks for an unknown multiboot feature (flags 0x%x)", name,
			       header.flags);
	/* 3.1.3: where both are there, the header's addresses are to be used. */
	if (header.flags & HAS_ADDRESSES) {
		if (load_flat(g, &header, offset, &end, err))
			return -1;
	} else if (elf) {
		if (hv_load_segments(g, elf, &end, err))
			return -1;
		if (elf->entry >= HV_RAM_HIGH_BASE)
			return hv_fail(err, "%s: its entry lies above 4 GiB", name);
		g->boot->rip = elf->entry;
	} else {
		return hv_fail(err, "%s: a multiboot image without load addresses", name);
	}
	/* Modules go where boot loaders put them: behind the kernel, above 1 MiB. */
	floor = end > HV_FIRMWARE_END ? end : HV_FIRMWARE_END;
	if (load_modules(g, &info, floor, err) || load_memmap(g, &info, err) ||
	    place_cmdline(g, name, g->config->cmdline ? g->config->cmdline : "", &info.cmdline,
			  err) ||
	    place(g, "hvadm", sizeof("hvadm"), "the loader's name", &info.boot_loader_name, err) ||
	    hv_load_gdt(g, HV_GDT_CODE32, err) ||
	    place(g, &info, sizeof(info), "the multiboot information", &at, err))
		return -1;
	g->boot->mode = HV_BOOT_PM32;
	g->boot->rax = LOADER_MAGIC;
	g->boot->rbx = at;
	return 0;
}
