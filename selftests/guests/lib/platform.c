// SPDX-License-Identifier: GPL-2.0
/* Multiboot information, arguments, what the machine has, time, pages, random numbers. */
#include "guest.h"
#include "trap.h"

struct mb_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	u32 mmap_length, mmap_addr;
} __attribute__((packed));

struct mb_module {
	u32 start, end, string, reserved;
};

struct mb_mmap {
	u32 size;
	u64 addr, len;
	u32 type;
} __attribute__((packed));

#define MB_MEM BIT(0)
#define MB_CMDLINE BIT(2)
#define MB_MODS BIT(3)
#define MB_MMAP BIT(6)

extern u32 boot_magic, boot_info;
extern char _image_end[];
void guest_boot(void);

static char cmdline[1024], env[1024];
static u64 top, next_page, khz;

static void read_info(void)
{
	struct mb_info *mi = (void *)(u64)boot_info;
	struct mb_module *mod;
	u32 off;

	if (boot_magic != 0x2badb002)
		guest_die("not started by multiboot (EAX = 0x%x)", boot_magic);
	if (mi->flags & MB_CMDLINE)
		snprintf(cmdline, sizeof(cmdline), "%s", (char *)(u64)mi->cmdline);
	if (mi->flags & MB_MODS && mi->mods_count) {
		mod = (void *)(u64)mi->mods_addr;
		off = mod->end - mod->start;
		if (off >= sizeof(env))
			off = sizeof(env) - 1;
		memcpy(env, (void *)(u64)mod->start, off);
	}
	if (mi->flags & MB_MEM)
		top = 0x100000 + (u64)mi->mem_upper * 1024;
	for (off = 0; mi->flags & MB_MMAP && off < mi->mmap_length;) {
		struct mb_mmap *m = (void *)(u64)(mi->mmap_addr + off);

		if (m->type == 1 && m->addr <= 0x400000 && m->addr + m->len > 0x400000)
			top = m->addr + m->len;
		off += m->size + 4;
	}
	if (top > BIT(32) - BIT(30))
		top = BIT(32) - BIT(30);
}

static bool find_value(const char *text, const char *key, char *buf, size_t size)
{
	size_t n = strlen(key), i;
	const char *p;

	for (p = text; *p; p++) {
		if (p != text && p[-1] != ' ' && p[-1] != '\n')
			continue;
		if (strncmp(p, key, n) || p[n] != '=')
			continue;
		for (p += n + 1, i = 0; *p && *p != ' ' && *p != '\n' && i + 1 < size;)
			buf[i++] = *p++;
		buf[i] = 0;
		return true;
	}
	return false;
}

bool arg_string(const char *key, char *buf, size_t size)
{
	return find_value(cmdline, key, buf, size) || find_value(env, key, buf, size);
}

u64 arg_u64(const char *key, u64 otherwise)
{
	char buf[24], *p = buf;
	u64 v = 0, base = 10;

	if (!arg_string(key, buf, sizeof(buf)))
		return otherwise;
	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	for (; *p; p++) {
		u32 digit = *p >= 'a' ? *p - 'a' + 10 : *p - '0';

		if (digit >= base)
			guest_die("bad number: %s=%s", key, buf);
		v = v * base + digit;
	}
	return v;
}

bool arg_is(const char *key, const char *value)
{
	char buf[32];

	return arg_string(key, buf, sizeof(buf)) && !strncmp(buf, value, sizeof(buf));
}

bool on_tcg(void)
{
	return arg_is("emulator", "tcg");
}

bool on_hvmm(void)
{
	struct cpuid_regs r = cpuid(0x40000000, 0);

	return !(r.b == 0x54474354 && r.c == 0x43544743 && r.d == 0x47435447);
}

bool have_testdev(void)
{
	u64 said = arg_u64("TEST_DEVICE", 2);

	if (said != 2)
		return said;
	outl(TD_LATCH, 0x5a3c7e91);
	return inl(TD_LATCH) == 0x5a3c7e91;
}

static u64 fw_cfg(u16 key, int bytes)
{
	u64 v = 0;
	int i;

	outw(0x510, key);
	for (i = 0; i < bytes; i++)
		v |= (u64)inb(0x511) << 8 * i;
	return v;
}

u32 nr_cpus(void)
{
	u64 n = arg_u64("cpus", arg_u64("NR_CPUS", 0));

	if (!n && fw_cfg(0, 4) == 0x554d4551)
		n = fw_cfg(5, 2);
	if (!n)
		n = 1;
	return n > MAX_CPUS ? MAX_CPUS : n;
}

u64 ram_top(void)
{
	return top;
}

void *alloc_pages(u32 count)
{
	u64 p = next_page;

	next_page += count * PAGE_SIZE;
	if (next_page > top)
		guest_die("out of memory: %u pages, RAM ends at 0x%llx", count, top);
	memset((void *)p, 0, count * PAGE_SIZE);
	return (void *)p;
}

/* The frequency that the KVM clock page implies: ns = (tsc << shift) * mul >> 32. */
static u64 khz_from_kvmclock(void)
{
	static struct {
		u32 version, pad;
		u64 tsc, system;
		u32 mul;
		s8 shift;
		u8 flags, pad2[2];
	} volatile page __aligned(64);
	struct cpuid_regs r = cpuid(0x40000000, 0);
	u64 v;

	if (r.b != 0x4b4d564b || r.c != 0x564b4d56 || r.d != 0x4d)
		return 0;
	if (!(cpuid(0x40000001, 0).a & BIT(3)))
		return 0;
	wrmsr(0x4b564d01, (u64)&page | 1);
	/* Filled before the guest goes on; waiting would need the frequency. */
	cpuid(0, 0);
	if (!page.mul)
		return 0;
	v = (1000000ull << 32) / page.mul;
	v = page.shift < 0 ? v << -page.shift : v >> page.shift;
	wrmsr(0x4b564d01, 0);
	return v;
}

/* Channel 2 of the interval timer counts 11932 ticks at 1.193182 MHz: 10 ms. */
static u64 khz_from_pit(void)
{
	u64 start;
	u32 spins = 0;

	outb(0x61, (inb(0x61) & ~2) | 1);
	outb(0x43, 0xb0);
	outb(0x42, 11932 & 0xff);
	outb(0x42, 11932 >> 8);
	start = rdtsc();
	if (inb(0x61) & 0x20)
		return 0;
	while (!(inb(0x61) & 0x20))
		if (++spins > 100000000)
			return 0;
	return (rdtsc() - start) / 10;
}

u64 tsc_khz(void)
{
	if (!khz) {
		khz = arg_u64("tsc_khz", 0);
		if (!khz)
			khz = khz_from_kvmclock();
		if (!khz)
			khz = khz_from_pit();
		if (!khz)
			khz = 1000000;
	}
	return khz;
}

void spin_us(u64 us)
{
	u64 end = rdtsc() + us * tsc_khz() / 1000;

	while ((s64)(rdtsc() - end) < 0)
		pause();
}

u64 random_next(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static void choose_hypercall(void)
{
	extern u8 *__hypercalls_start[], *__hypercalls_end[];
	u8 **p;

	if (!is_intel())
		return;
	for (p = __hypercalls_start; p < __hypercalls_end; p++)
		(*p)[2] = VMCALL_LAST;
}

void guest_boot(void)
{
	cpu_setup(0);
	choose_hypercall();
	read_info();
	next_page = ((u64)_image_end + 2 * 1024 * 1024 - 1) & ~(2 * 1024 * 1024 - 1ull);
	guest_main();
	guest_finish();
}
