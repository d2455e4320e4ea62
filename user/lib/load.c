// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <string.h>

#include "acpi.h"
#include "load.h"
#include "util.h"

unsigned int hv_memory_map(const struct hv_ram *ram, struct hv_region map[HV_REGIONS])
{
	uint64_t low = hv_ram_low_end(ram), high = hv_ram_high_size(ram);
	unsigned int n = 0;

	map[n++] = (struct hv_region){ 0, HV_FIRMWARE_START, 1 };
	map[n++] = (struct hv_region){ HV_FIRMWARE_START, HV_FIRMWARE_END - HV_FIRMWARE_START, 2 };
	if (low > HV_FIRMWARE_END)
		map[n++] = (struct hv_region){ HV_FIRMWARE_END, low - HV_FIRMWARE_END, 1 };
	if (high)
		map[n++] = (struct hv_region){ HV_RAM_HIGH_BASE, high, 1 };
	return n;
}

int hv_load_segments(struct hv_guest *g, const struct hv_elf *elf, uint64_t *end,
		     struct hv_error *err)
{
	bool any = false;
	unsigned int i;

	*end = 0;
	for (i = 0; i < elf->nr; i++) {
		const struct hv_elf_segment *s = &elf->segment[i];

		if (s->type != PT_LOAD || !s->memsz)
			continue;
		any = true;
		if (hv_ram_reserve(g->ram, s->paddr, s->memsz, "a segment of the kernel", err) ||
		    hv_ram_load(g->ram, s->paddr, &g->kernel, s->offset, s->filesz, "a segment",
				err) ||
		    hv_ram_zero(g->ram, s->paddr + s->filesz, s->memsz - s->filesz, err))
			return -1;
		if (s->paddr + s->memsz > *end)
			*end = s->paddr + s->memsz;
	}
	if (!any)
		return hv_fail(err, "%s: nothing in it is to be loaded", g->kernel.name);
	return 0;
}

int hv_load_initrd(struct hv_guest *g, uint64_t max, uint64_t *gpa, uint64_t *size,
		   struct hv_error *err)
{
	const struct hv_config *config = g->config;
	struct hv_file file[HV_INITRDS_MAX];
	unsigned int i, opened = 0;
	uint64_t at, padded;
	int ret = -1;

	*gpa = *size = 0;
	for (; opened < config->nr_initrds; opened++) {
		if (hv_file_open(&file[opened], config->initrd[opened], err))
			goto close;
		if (file[opened].size > HV_RAM_LOW_MAX) {
			hv_fail(err, "%s: too big", file[opened].name);
			opened++;
			goto close;
		}
		/* The kernel wants every cpio archive to begin at a multiple of four. */
		*size = ((*size + 3) & ~3ULL) + file[opened].size;
	}
	ret = 0;
	if (!*size)
		goto close;
	ret = hv_ram_alloc_top(g->ram, *size, HV_PAGE, HV_FIRMWARE_END, max, "the initrd", gpa,
			       err);
	for (i = 0, at = *gpa; i < opened && !ret; i++) {
		ret = hv_ram_load(g->ram, at, &file[i], 0, file[i].size, "the initrd", err);
		padded = (file[i].size + 3) & ~3ULL;
		if (!ret && i + 1 < opened)
			ret = hv_ram_zero(g->ram, at + file[i].size, padded - file[i].size, err);
		at += padded;
	}
close:
	while (opened)
		hv_file_close(&file[--opened]);
	return ret;
}

int hv_load_module(struct hv_guest *g, const struct hv_module *module, uint64_t min, uint64_t *gpa,
		   uint64_t *size, struct hv_error *err)
{
	struct hv_file file;
	int ret;

	if (hv_file_open(&file, module->file, err))
		return -1;
	*size = file.size;
	ret = hv_ram_alloc(g->ram, file.size, HV_PAGE, min, HV_RAM_LOW_MAX, "a module", gpa, err);
	if (!ret)
		ret = hv_ram_load(g->ram, *gpa, &file, 0, file.size, "the module", err);
	hv_file_close(&file);
	return ret;
}

int hv_load_gdt(struct hv_guest *g, uint64_t code, struct hv_error *err)
{
	const uint64_t gdt[4] = { 0, 0, code, HV_GDT_DATA };
	uint64_t gpa;

	if (hv_ram_alloc(g->ram, sizeof(gdt), 64, HV_SCRATCH, HV_RAM_LOW_MAX, "the GDT", &gpa,
			 err) ||
	    hv_ram_write(g->ram, gpa, gdt, sizeof(gdt), err))
		return -1;
	g->boot->gdt_base = gpa;
	g->boot->gdt_limit = sizeof(gdt) - 1;
	return 0;
}

static int wrong_format(const struct hv_guest *g, const char *what, struct hv_error *err)
{
	return hv_fail(err, "%s: not %s", g->kernel.name, what);
}

static int unknown_format(const struct hv_guest *g, struct hv_error *err)
{
	static const struct {
		const char *magic;
		uint32_t len;
		const char *name;
	} packed[] = {
		{ "\x1f\x8b", 2, "gzip" },
		{ "\xfd\x37zXZ", 5, "xz" },
		{ "\x28\xb5\x2f\xfd", 4, "zstd" },
		{ "BZh", 3, "bzip2" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(packed); i++)
		if (g->head_len > packed[i].len && !memcmp(g->head, packed[i].magic, packed[i].len))
			return hv_fail(err, "%s: compressed with %s; unpack it first",
				       g->kernel.name, packed[i].name);
	return hv_fail(err, "%s: not a kernel that can be booted (bzImage, PVH or multiboot)",
		       g->kernel.name);
}

static int load_kernel(struct hv_guest *g, struct hv_error *err)
{
	enum hv_format format = g->config->format;
	struct hv_elf elf;
	uint64_t entry;
	bool is_elf;

	if (hv_is_linux(g) && (format == HV_FORMAT_AUTO || format == HV_FORMAT_LINUX))
		return hv_load_linux(g, err);
	if (format == HV_FORMAT_LINUX)
		return wrong_format(g, "a Linux bzImage", err);

	is_elf = hv_elf_is(g->head, g->head_len);
	if (is_elf) {
		if (hv_elf_read(&elf, &g->kernel, err))
			return -1;
		if (format != HV_FORMAT_MULTIBOOT && hv_find_pvh_entry(g, &elf, &entry))
			return hv_load_pvh(g, &elf, entry, err);
	}
	if (format == HV_FORMAT_PVH)
		return wrong_format(g, "an ELF image with a PVH entry (note Xen 18)", err);
	if (hv_is_multiboot(g))
		return hv_load_multiboot(g, is_elf ? &elf : NULL, err);
	if (format == HV_FORMAT_MULTIBOOT)
		return wrong_format(g, "a multiboot 1 image", err);
	return unknown_format(g, err);
}

/*
 * Some guests restart by a jump to the BIOS. Linux does so on a hardware-reduced platform
 * without EFI, where it does not try ACPI's reset register first. This is all the BIOS there is:
 * it writes to that register.
 */
static int load_reset_vector(struct hv_guest *g, struct hv_error *err)
{
	/* mov $port, %dx; mov $value, %al; out %al, %dx; 1: hlt; jmp 1b */
	static const uint8_t code[] = { 0xba,
					HV_PORT_RESET & 0xff,
					HV_PORT_RESET >> 8,
					0xb0,
					HV_PORT_RESET_VALUE,
					0xee,
					0xf4,
					0xeb,
					0xfd };

	return hv_ram_write(g->ram, HV_RESET_VECTOR, code, sizeof(code), err);
}

int hv_load_file(const struct hv_config *config, const struct hv_file *kernel, uint32_t vcpus,
		 struct hv_ram *ram, struct hv_boot *boot, struct hv_error *err)
{
	struct hv_guest g = {
		.config = config,
		.vcpus = vcpus,
		.ram = ram,
		.boot = boot,
		.kernel = *kernel,
	};

	memset(boot, 0, sizeof(*boot));
	if (hv_ram_low_end(ram) < 2 * HV_FIRMWARE_END)
		return hv_fail(err, "memory is too small: at least 2M are needed to boot");
	g.head_len = kernel->size < sizeof(g.head) ? (uint32_t)kernel->size : sizeof(g.head);
	if (hv_file_read(kernel, 0, g.head, g.head_len, "its head", err))
		return -1;
	if (hv_acpi_build(ram, vcpus, &g.rsdp, err) || load_reset_vector(&g, err))
		return -1;
	return load_kernel(&g, err);
}

int hv_load(const struct hv_config *config, uint32_t vcpus, struct hv_ram *ram,
	    struct hv_boot *boot, struct hv_error *err)
{
	struct hv_file kernel;
	int ret;

	if (!config->kernel)
		return hv_fail(err, "the VM has no kernel to boot (create it with --kernel)");
	if (hv_file_open(&kernel, config->kernel, err))
		return -1;
	ret = hv_load_file(config, &kernel, vcpus, ram, boot, err);
	hv_file_close(&kernel);
	return ret;
}

int hv_load_check(const struct hv_config *config, uint32_t vcpus, uint64_t memory,
		  struct hv_error *err)
{
	struct hv_boot boot;
	struct hv_ram ram;

	hv_ram_init(&ram, NULL, memory);
	return hv_load(config, vcpus, &ram, &boot, err);
}
