// SPDX-License-Identifier: GPL-2.0
/*
 * The loaders of user/lib: good images of each format, images cut off at every length, images
 * with bytes changed at random, and (with HVMM_KERNELS or what scripts/setup has fetched)
 * Debian's kernels.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "tap.h"

#define RAM		(64ULL << 20)
#define MUTATIONS	10000
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static uint8_t *ram_bytes;
static struct hv_ram ram;
static struct hv_boot boot;
static struct hv_error err;
static uint64_t random_state;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

struct image {
	const char *name;
	uint8_t *data;
	uint32_t size;
};

/* A bzImage of the smallest kind: one setup sector, 8 KiB of kernel that wants 1 MiB at 16 MiB. */
static struct image make_linux(void)
{
	struct image i = { "bzImage", calloc(1, 0x400 + 0x2000), 0x400 + 0x2000 };
	struct setup_header *h = (void *)(i.data + 0x1f1);

	h->setup_sects = 1;
	h->header = 0x53726448;
	h->version = 0x20f;
	h->jump = 0xeb | (0x264 - 0x202) << 8;
	h->loadflags = LOADED_HIGH;
	h->xloadflags = XLF_KERNEL_64;
	h->syssize = 0x200;
	h->initrd_addr_max = 0x7fffffff;
	h->cmdline_size = 255;
	h->pref_address = 16 << 20;
	h->init_size = 1 << 20;
	memset(i.data + 0x400, 0xa5, 0x2000);
	return i;
}

/* An ELF64 with two segments, one of them with a BSS, and a note that gives a PVH entry. */
static struct image make_pvh(void)
{
	struct image i = { "PVH", calloc(1, 0x3000), 0x3000 };
	Elf64_Ehdr *e = (void *)i.data;
	Elf64_Phdr *p = (void *)(i.data + sizeof(*e));
	uint32_t *note = (void *)(i.data + 0x800);

	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS64;
	e->e_ident[EI_DATA] = ELFDATA2LSB;
	e->e_type = ET_EXEC;
	e->e_machine = EM_X86_64;
	e->e_phoff = sizeof(*e);
	e->e_phentsize = sizeof(*p);
	e->e_phnum = 3;
	e->e_entry = 0xffffffff81000000;
	p[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = 0x1000, .p_paddr = 0x1000000,
			     .p_filesz = 0x1000, .p_memsz = 0x1000 };
	p[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = 0x2000, .p_paddr = 0x1200000,
			     .p_filesz = 0x1000, .p_memsz = 0x5000 };
	p[2] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 0x800, .p_filesz = 52, .p_align = 4 };
	/* Another owner's note first. */
	memcpy(note, (uint32_t[]){ 4, 8, 18 }, 12);
	memcpy(note + 3, "GNU", 4);
	memcpy(note + 6, (uint32_t[]){ 4, 8, 18 }, 12);
	memcpy(note + 9, "Xen", 4);
	note[10] = 0x1000123;
	memset(i.data + 0x1000, 0x5a, 0x2000);
	return i;
}

/* An ELF32 with a multiboot header. */
static struct image make_multiboot(void)
{
	struct image i = { "multiboot ELF", calloc(1, 0x2000), 0x2000 };
	Elf32_Ehdr *e = (void *)i.data;
	Elf32_Phdr *p = (void *)(i.data + sizeof(*e));
	uint32_t *mb = (void *)(i.data + 0x1000);

	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS32;
	e->e_ident[EI_DATA] = ELFDATA2LSB;
	e->e_type = ET_EXEC;
	e->e_machine = EM_386;
	e->e_phoff = sizeof(*e);
	e->e_phentsize = sizeof(*p);
	e->e_phnum = 1;
	e->e_entry = 0x4000bc;
	p[0] = (Elf32_Phdr){ .p_type = PT_LOAD, .p_offset = 0x1000, .p_paddr = 0x4000b0,
			     .p_filesz = 0x1000, .p_memsz = 14 << 20 };
	mb[0] = 0x1badb002;
	mb[1] = 3;
	mb[2] = -(mb[0] + mb[1]);
	return i;
}

/* A flat image with addresses in its multiboot header, to be loaded at 32 KiB. */
static struct image make_flat(void)
{
	struct image i = { "multiboot flat", calloc(1, 0x1000), 0x1000 };
	uint32_t *mb = (void *)(i.data + 0x40);

	mb[0] = 0x1badb002;
	mb[1] = 1 << 16;
	mb[2] = -(mb[0] + mb[1]);
	mb[3] = 0x8040;
	mb[4] = 0x8000;
	mb[5] = 0x9000;
	mb[6] = 0xb000;
	mb[7] = 0x8100;
	memset(i.data + 0x100, 0x33, 0x100);
	return i;
}

/* The image at the end of its allocation, so that reading behind it is noticed. */
static int load(const struct image *image, uint32_t size, const struct hv_config *config)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct hv_file file = { image->name, size, -1, copy };
	struct hv_config none = { 0 };
	int ret;

	memcpy(copy, image->data, size);
	hv_ram_init(&ram, ram_bytes, RAM);
	ret = hv_load_file(config ? config : &none, &file, 1, &ram, &boot, &err);
	free(copy);
	return ret;
}

static uint32_t get32(uint64_t at)
{
	uint32_t v;

	memcpy(&v, ram_bytes + at, 4);
	return v;
}

static uint64_t get64(uint64_t at)
{
	uint64_t v;

	memcpy(&v, ram_bytes + at, 8);
	return v;
}

/* Two files to be used as initrds or modules. */
static char *make_file(const char *text)
{
	char *path = strdup("/tmp/hvmm-unit.XXXXXX");
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
	close(fd);
	return path;
}

static void good_linux(const char *one, const char *two)
{
	struct image i = make_linux();
	struct hv_config config = { 0 };
	struct boot_params *zero;
	const uint64_t *pml4;
	uint64_t pdpt;

	hv_config_add_initrd(&config, one, &err);
	hv_config_add_initrd(&config, two, &err);
	hv_config_set_cmdline(&config, "console=ttyS0", &err);
	memset(ram_bytes, 0xcc, RAM);
	tap_ok(!load(&i, i.size, &config), "bzImage is loaded");
	zero = (void *)(ram_bytes + boot.rsi);
	tap_ok(boot.mode == HV_BOOT_LONG64 && boot.rip == 0x1000200 &&
	       ram_bytes[0x1000000] == 0xa5,
	       "bzImage: entry");
	tap_ok(!strcmp((char *)ram_bytes + zero->hdr.cmd_line_ptr, "console=ttyS0"),
	       "bzImage: command line");
	tap_ok(zero->hdr.ramdisk_size == 8 + 3 &&
	       !memcmp(ram_bytes + zero->hdr.ramdisk_image, "abcde\0\0\0xyz", 11) &&
	       zero->hdr.ramdisk_image % 4096 == 0,
	       "bzImage: initrds are concatenated, padded to four bytes");
	tap_ok(zero->hdr.type_of_loader == 0xff && zero->hdr.header == 0x53726448 &&
	       !zero->sentinel && zero->acpi_rsdp_addr == 0xe0000 &&
	       zero->e820_entries == 3 && zero->e820_table[2].addr == 1 << 20 &&
	       zero->e820_table[2].size == RAM - (1 << 20),
	       "bzImage: zero page");
	pml4 = (void *)(ram_bytes + boot.cr3);
	pdpt = pml4[0] & ~0xfffULL;
	tap_ok(boot.cr3 % 4096 == 0 && pml4[0] & 1 && !pml4[1] &&
	       get64((get64(pdpt + 8 * 3) & ~0xfffULL) + 8 * 511) == (0xffe00000 | 0x83),
	       "bzImage: identity map");
	tap_ok(get64(boot.gdt_base + 0x10) == HV_GDT_CODE64 &&
	       get64(boot.gdt_base + 0x18) == HV_GDT_DATA && boot.gdt_limit == 0x1f,
	       "bzImage: GDT");
	tap_ok(!memcmp(ram_bytes + 0xffff0, "\xba\xf9\x0c\xb0\x06\xee\xf4\xeb\xfd", 9),
	       "bzImage: a jump to the BIOS resets");
	hv_config_add_module(&config, one, &err);
	tap_ok(load(&i, i.size, &config), "bzImage: modules are refused");
	hv_config_free(&config);

	hv_config_add_initrd(&config, one, &err);
	free(config.initrd[0]);
	config.initrd[0] = strdup("/no/such/file");
	tap_ok(load(&i, i.size, &config) && strstr(err.text, "/no/such/file"),
	       "bzImage: missing initrd");
	hv_config_free(&config);
	config.format = HV_FORMAT_PVH;
	tap_ok(load(&i, i.size, &config), "bzImage: another format asked for");
	free(i.data);
}

static void good_pvh(const char *one, const char *two)
{
	struct image i = make_pvh();
	struct hv_config config = { 0 };
	char text[64];
	uint64_t mods;

	snprintf(text, sizeof(text), "%s:quiet", two);
	hv_config_add_initrd(&config, one, &err);
	hv_config_add_module(&config, text, &err);
	hv_config_set_cmdline(&config, "x=y", &err);
	memset(ram_bytes, 0xcc, RAM);
	tap_ok(!load(&i, i.size, &config), "PVH is loaded");
	tap_ok(boot.mode == HV_BOOT_PM32 && boot.rip == 0x1000123 && ram_bytes[0x1200fff] == 0x5a &&
	       !ram_bytes[0x1201000] && !ram_bytes[0x1204fff] &&
	       ram_bytes[0x11fffff] == 0xcc,
	       "PVH: entry, segments, BSS");
	tap_ok(get32(boot.rbx) == 0x336ec578 && get32(boot.rbx + 4) == 1 &&
	       get32(boot.rbx + 12) == 2 && get64(boot.rbx + 32) == 0xe0000 &&
	       !strcmp((char *)ram_bytes + get64(boot.rbx + 24), "x=y") &&
	       get32(boot.rbx + 48) == 3,
	       "PVH: start information");
	mods = get64(boot.rbx + 16);
	tap_ok(!memcmp(ram_bytes + get64(mods), "abcde", 5) && get64(mods + 8) == 5 &&
	       !memcmp(ram_bytes + get64(mods + 32), "xyz", 3) && get64(mods + 40) == 3 &&
	       !strcmp((char *)ram_bytes + get64(mods + 48), "quiet"),
	       "PVH: modules");
	hv_config_free(&config);
	((Elf64_Phdr *)(i.data + sizeof(Elf64_Ehdr)))[1].p_paddr = 0x1000800;
	tap_ok(load(&i, i.size, NULL) && strstr(err.text, "overwrite"),
	       "PVH: overlapping segments");
	((Elf64_Phdr *)(i.data + sizeof(Elf64_Ehdr)))[1].p_paddr = 0xe0000;
	tap_ok(load(&i, i.size, NULL), "PVH: a segment in the firmware's area");
	((Elf64_Phdr *)(i.data + sizeof(Elf64_Ehdr)))[1].p_paddr = RAM - 0x1000;
	tap_ok(load(&i, i.size, NULL) && strstr(err.text, "64M"), "PVH: RAM too small");
	free(i.data);
}

static void good_multiboot(const char *one, const char *two)
{
	struct image i = make_multiboot();
	struct hv_config config = { 0 };
	char text[64];
	uint64_t mods;

	snprintf(text, sizeof(text), "%s:NR=1", one);
	hv_config_add_module(&config, text, &err);
	hv_config_add_module(&config, two, &err);
	hv_config_set_cmdline(&config, "a b", &err);
	tap_ok(!load(&i, i.size, &config), "multiboot ELF is loaded");
	tap_ok(boot.mode == HV_BOOT_PM32 && boot.rip == 0x4000bc && boot.rax == 0x2badb002,
	       "multiboot ELF: entry");
	tap_ok((get32(boot.rbx) & 0x4d) == 0x4d && get32(boot.rbx + 4) == 640 &&
	       get32(boot.rbx + 8) == (RAM >> 10) - 1024 &&
	       !strcmp((char *)ram_bytes + get32(boot.rbx + 16), "multiboot ELF a b"),
	       "multiboot ELF: information");
	mods = get32(boot.rbx + 24);
	tap_ok(get32(boot.rbx + 20) == 2 && get32(mods) == 0x12010b0 / 4096 * 4096 &&
	       get32(mods + 4) == get32(mods) + 5 &&
	       strstr((char *)ram_bytes + get32(mods + 8), " NR=1") &&
	       get32(mods + 16) > get32(mods) && !memcmp(ram_bytes + get32(mods + 16), "xyz", 3),
	       "multiboot ELF: modules lie behind the kernel, page aligned");
	mods = get32(boot.rbx + 48);
	tap_ok(get32(boot.rbx + 44) == 3 * 24 && get32(mods) == 20 && get64(mods + 4) == 0 &&
	       get64(mods + 12) == 0xa0000 && get32(mods + 20) == 1,
	       "multiboot ELF: memory map");
	hv_config_free(&config);
	((uint32_t *)(i.data + 0x1000))[1] = 7;
	((uint32_t *)(i.data + 0x1000))[2] = -(0x1badb002 + 7);
	tap_ok(load(&i, i.size, NULL) && strstr(err.text, "video"),
	       "multiboot ELF: video is refused");
	free(i.data);

	i = make_flat();
	memset(ram_bytes, 0xcc, RAM);
	tap_ok(!load(&i, i.size, NULL) && boot.rip == 0x8100 && ram_bytes[0x8100] == 0x33 &&
	       !ram_bytes[0x9000] && !ram_bytes[0xafff] && boot.rbx >= 0xb000 &&
	       ram_bytes[0] == 0xcc,
	       "multiboot flat is loaded, nothing lies in it or in page 0");
	free(i.data);
}

/* Whatever is cut off, it is refused or (beyond what is needed) loaded; ASan watches. */
static void cut(struct image i)
{
	uint32_t size, loaded = 0;

	for (size = 0; size < i.size; size++)
		loaded += !load(&i, size, NULL);
	tap_ok(!loaded, "%s, cut off at every length: refused", i.name);
	free(i.data);
}

static void mutate(struct image i)
{
	uint8_t *good = malloc(i.size);
	uint32_t n, k, loaded = 0;
	bool ok = true;

	memcpy(good, i.data, i.size);
	for (n = 0; n < MUTATIONS && ok; n++) {
		memcpy(i.data, good, i.size);
		for (k = 1 + random_next() % 4; k; k--) {
			/* Headers are where it matters. */
			uint32_t at = random_next() % (random_next() % 4 ? 0x1100 : i.size);

			if (at >= i.size)
				at %= i.size;
			i.data[at] = random_next() % 3 ? random_next() :
				     random_next() % 2 ? 0xff : 0;
		}
		err.text[0] = 0;
		if (!load(&i, i.size - random_next() % 2 * (random_next() % 64), NULL))
			loaded++;
		else
			ok = err.text[0] && err.code == HV_EXIT_USAGE;
	}
	tap_ok(ok, "%s, %u mutations: %u loaded, the others refused with a reason", i.name, n,
	       loaded);
	free(good);
	free(i.data);
}

/* A word of the header replaced, to get past the checks that random bytes fail at. */
static void mutate_words(struct image i)
{
	static const uint64_t odd[] = {
		0, 1, 0x7f, 0xfff, 0x1000, 0x9f000, 0xa0000, 0x100000, RAM - 1, RAM, 0x7fffffff,
		0x80000000, 0xfffff000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
		0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
	};
	uint8_t *good = malloc(i.size);
	uint32_t at, k, width, n = 0;

	memcpy(good, i.data, i.size);
	for (at = 0; at < 0x1100 && at + 8 <= i.size; at += 2) {
		for (width = 4; width <= 8; width += 4) {
			for (k = 0; k < ARRAY_SIZE(odd); k++) {
				/* Only where there is something. */
				if (at > 0x300 && !good[at] && !good[at + 1])
					continue;
				memcpy(i.data, good, i.size);
				memcpy(i.data + at, &odd[k], width);
				load(&i, i.size, NULL);
				n++;
			}
		}
	}
	tap_ok(true, "%s, %u odd words", i.name, n);
	free(good);
	free(i.data);
}

static void real(const char *folder, const char *kernel, enum hv_boot_mode mode)
{
	struct hv_config config = { 0 };
	struct hv_boot b;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, kernel);
	if (access(path, R_OK)) {
		tap_ok(true, "%s # SKIP not there", kernel);
		return;
	}
	if (hv_config_set_kernel(&config, path, &err))
		exit(1);
	hv_ram_init(&ram, ram_bytes, 128 << 20);
	err.text[0] = 0;
	tap_ok(!hv_load(&config, 2, &ram, &b, &err) && b.mode == mode && b.rip >= 0x1000000,
	       "%s is loaded %s", kernel, err.text);
	hv_ram_init(&ram, NULL, 24 << 20);
	tap_ok(hv_load(&config, 2, &ram, &b, &err), "%s in 24M: %s", kernel, err.text);
	hv_config_free(&config);
}

int main(void)
{
	struct image (*const make[])(void) = { make_linux, make_pvh, make_multiboot, make_flat };
	char *one = make_file("abcde"), *two = make_file("xyz"), folder[400];
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	const char *seed = getenv("SEED");
	struct image junk = { "zeros", NULL, 0x4000 };
	size_t i;

	random_state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	tap_diag("SEED=%" PRIu64, random_state);
	random_state = random_state * 2 + 1;
	ram_bytes = malloc(128 << 20);
	printf("TAP version 13\n");
	good_linux(one, two);
	good_pvh(one, two);
	good_multiboot(one, two);
	for (i = 0; i < 4; i++) {
		cut(make[i]());
		mutate(make[i]());
		mutate_words(make[i]());
	}
	junk.data = calloc(1, junk.size);
	tap_ok(load(&junk, junk.size, NULL), "zeros are refused");
	memcpy(junk.data, "\x1f\x8b", 2);
	tap_ok(load(&junk, junk.size, NULL) && strstr(err.text, "gzip"), "gzip is named");
	free(junk.data);
	if (getenv("HVMM_KERNELS"))
		snprintf(folder, sizeof(folder), "%s", getenv("HVMM_KERNELS"));
	else if (cache)
		snprintf(folder, sizeof(folder), "%s/hvmm", cache);
	else
		snprintf(folder, sizeof(folder), "%s/.cache/hvmm", home ? home : "");
	real(folder, "guest-6.1-cloud/vmlinuz", HV_BOOT_LONG64);
	real(folder, "guest-6.12-cloud/vmlinuz", HV_BOOT_LONG64);
	real(folder, "guest-6.1-cloud/vmlinux", HV_BOOT_PM32);
	real(folder, "guest-6.12-cloud/vmlinux", HV_BOOT_PM32);
	printf("1..%u\n", tap_count);
	unlink(one);
	unlink(two);
	free(one);
	free(two);
	free(ram_bytes);
	return tap_done();
}
