// SPDX-License-Identifier: GPL-2.0
/*
 * ELF kernels with a PVH entry: an ELF note of owner "Xen", type 18 (XEN_ELFNOTE_PHYS32_ENTRY)
 * gives the 32-bit entry point; EBX points to the start information. Layout: Xen's public
 * header arch-x86/hvm/start_info.h.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

#define NOTE_PHYS32_ENTRY 18
#define NOTES_MAX	  (1U << 20)
#define START_INFO_MAGIC  0x336ec578

struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modules;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memmap;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct module_entry {
	uint64_t start;
	uint64_t size;
	uint64_t cmdline;
	uint64_t reserved;
};

struct memmap_entry {
	uint64_t start;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

/* One pass over a note segment; every length in it is checked before use. */
static bool find_note(const uint8_t *notes, uint64_t size, uint64_t align, uint64_t *entry)
{
	uint64_t at = 0;

	while (size - at >= 12) {
		uint32_t namesz, descsz, type;
		uint64_t name = at + 12, desc, next;

		memcpy(&namesz, notes + at, 4);
		memcpy(&descsz, notes + at + 4, 4);
		memcpy(&type, notes + at + 8, 4);
		desc = name + ((namesz + align - 1) & ~(align - 1));
		next = desc + ((descsz + align - 1) & ~(align - 1));
		if (namesz > size || descsz > size || desc > size || descsz > size - desc)
			return false;
		if (type == NOTE_PHYS32_ENTRY && namesz == 4 && !memcmp(notes + name, "Xen", 4) &&
		    (descsz == 4 || descsz == 8)) {
			*entry = 0;
			memcpy(entry, notes + desc, descsz);
			return true;
		}
		if (next >= size)
			return false;
		at = next;
	}
	return false;
}

bool hv_find_pvh_entry(struct hv_guest *g, const struct hv_elf *elf, uint64_t *entry)
{
	struct hv_error ignored;
	bool found = false;
	unsigned int i;

	for (i = 0; i < elf->nr && !found; i++) {
		const struct hv_elf_segment *s = &elf->segment[i];
		uint8_t *notes;

		if (s->type != PT_NOTE || !s->filesz || s->filesz > NOTES_MAX)
			continue;
		notes = malloc(s->filesz);
		if (!notes)
			continue;
		if (!hv_file_read(&g->kernel, s->offset, notes, s->filesz, "notes", &ignored))
			found = find_note(notes, s->filesz, s->align == 8 ? 8 : 4, entry);
		free(notes);
	}
	return found;
}

static bool entry_loaded(const struct hv_elf *elf, uint64_t entry)
{
	unsigned int i;

	for (i = 0; i < elf->nr; i++)
		if (elf->segment[i].type == PT_LOAD && entry >= elf->segment[i].paddr &&
		    entry - elf->segment[i].paddr < elf->segment[i].filesz)
			return true;
	return false;
}

static int load_text(struct hv_guest *g, const char *text, uint64_t *gpa, struct hv_error *err)
{
	uint64_t len = strlen(text) + 1;

	if (hv_ram_alloc(g->ram, len, 16, HV_SCRATCH, HV_RAM_LOW_MAX, "a command line", gpa, err))
		return -1;
	return hv_ram_write(g->ram, *gpa, text, len, err);
}

/* The initrd is module 0; the modules of the configuration follow. */
static int load_modules(struct hv_guest *g, struct start_info *info, uint64_t min,
			struct hv_error *err)
{
	struct module_entry entry[HV_MODULES_MAX + 1];
	uint64_t gpa, size;
	unsigned int i;

	memset(entry, 0, sizeof(entry));
	if (hv_load_initrd(g, HV_RAM_LOW_MAX, &gpa, &size, err))
		return -1;
	if (size)
		entry[info->nr_modules++] = (struct module_entry){ .start = gpa, .size = size };
	for (i = 0; i < g->config->nr_modules; i++) {
		struct module_entry *e = &entry[info->nr_modules++];
		const struct hv_module *module = &g->config->module[i];

		if (hv_load_module(g, module, min, &e->start, &e->size, err))
			return -1;
		if (*module->args && load_text(g, module->args, &e->cmdline, err))
			return -1;
	}
	if (!info->nr_modules)
		return 0;
	size = info->nr_modules * sizeof(entry[0]);
	if (hv_ram_alloc(g->ram, size, 16, HV_SCRATCH, HV_RAM_LOW_MAX, "the list of modules",
			 &info->modules, err))
		return -1;
	return hv_ram_write(g->ram, info->modules, entry, size, err);
}

static int load_memmap(struct hv_guest *g, struct start_info *info, struct hv_error *err)
{
	struct memmap_entry entry[HV_REGIONS];
	struct hv_region map[HV_REGIONS];
	unsigned int i;

	memset(entry, 0, sizeof(entry));
	info->memmap_entries = hv_memory_map(g->ram, map);
	for (i = 0; i < info->memmap_entries; i++)
		entry[i] = (struct memmap_entry){ map[i].start, map[i].size, map[i].type, 0 };
	if (hv_ram_alloc(g->ram, sizeof(entry), 16, HV_SCRATCH, HV_RAM_LOW_MAX, "the memory map",
			 &info->memmap, err))
		return -1;
	return hv_ram_write(g->ram, info->memmap, entry, sizeof(entry), err);
}

int hv_load_pvh(struct hv_guest *g, const struct hv_elf *elf, uint64_t entry, struct hv_error *err)
{
	struct start_info info = {
		.magic = START_INFO_MAGIC,
		.version = 1,
		.rsdp = g->rsdp,
	};
	uint64_t end, gpa;

	if (!entry_loaded(elf, entry))
		return hv_fail(err, "%s: damaged: its PVH entry 0x%llx is in no segment",
			       g->kernel.name, (unsigned long long)entry);
	if (hv_load_segments(g, elf, &end, err))
		return -1;
	if (end > HV_RAM_LOW_MAX)
		return hv_fail(err, "%s: wants to be loaded above 3 GiB", g->kernel.name);
	if (load_modules(g, &info, end, err) || load_memmap(g, &info, err))
		return -1;
	if (g->config->cmdline && load_text(g, g->config->cmdline, &info.cmdline, err))
		return -1;
	if (hv_load_gdt(g, HV_GDT_CODE32, err) ||
	    hv_ram_alloc(g->ram, sizeof(info), 16, HV_SCRATCH, HV_RAM_LOW_MAX,
			 "the start information", &gpa, err) ||
	    hv_ram_write(g->ram, gpa, &info, sizeof(info), err))
		return -1;
	g->boot->mode = HV_BOOT_PM32;
	g->boot->rip = entry;
	g->boot->rbx = gpa;
	return 0;
}
