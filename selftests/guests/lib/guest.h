/* SPDX-License-Identifier: GPL-2.0 */
/* What every test guest uses: console, TAP, arguments, platform, time. */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "cpu.h"

/* A guest's body. Returning ends the run as guest_finish() does. */
void guest_main(void);

int printf(const char *fmt, ...) __printf(1, 2);
int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
void *memcpy(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
void *memmove(void *d, const void *s, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strncmp(const char *a, const char *b, size_t n);

/*
 * TAP. ok() counts and prints one result and gives the condition back. skip() counts one result
 * that cannot be had here; the reason says why. guest_finish() prints the plan and leaves through
 * port 0xf4: 0 when all passed, 1 when one failed, 38 (status 77) when all were skipped.
 */
bool ok(bool cond, const char *fmt, ...) __printf(2, 3);
void skip(const char *reason, const char *fmt, ...) __printf(2, 3);
void diag(const char *fmt, ...) __printf(1, 2);
void guest_finish(void) __noreturn;
void guest_exit(u32 value) __noreturn;
void guest_skip_all(const char *reason) __noreturn;
void guest_die(const char *fmt, ...) __printf(1, 2) __noreturn;
int tests_failed(void);

/* ok() on equality, printing both values when they differ. */
#define ok_eq(got, want, ...) ({					\
	u64 __g = (u64)(got), __w = (u64)(want);			\
	bool __r = ok(__g == __w, __VA_ARGS__);				\
	if (!__r)							\
		diag("got 0x%llx, want 0x%llx", __g, __w);		\
	__r; })

/* Arguments are KEY=VALUE words; module 0's lines answer for keys that are not there. */
bool arg_string(const char *key, char *buf, size_t size);
u64 arg_u64(const char *key, u64 otherwise);
bool arg_is(const char *key, const char *value);

/* The emulator's own CPU shows through in a guest: emulator=tcg names one with known gaps. */
bool on_tcg(void);
/* False only where the CPUID signature is that of a machine without hvmm. */
bool on_hvmm(void);
/* TCG with its own devices and MSRs: what hvmm emulates itself is laxer there. */
static inline bool plain_tcg(void)
{
	return on_tcg() && !on_hvmm();
}

bool have_testdev(void);
u32 nr_cpus(void);
u64 ram_top(void);	/* end of the RAM that holds the image */

u64 tsc_khz(void);
void spin_us(u64 us);

/* Spins until the condition holds; false after the time given. */
#define wait_for(cond, us) ({						\
	u64 __end = rdtsc() + (us) * tsc_khz() / 1000;			\
	bool __ok;							\
	while (!(__ok = !!(cond)) && (s64)(rdtsc() - __end) < 0)	\
		pause();						\
	__ok || (cond); })

/* Pages for a test, zeroed, identity mapped, never freed. */
void *alloc_pages(u32 count);

/* Test device: 4-byte latch, unmap of a nested page, doorbell, interrupt lines, MMIO window. */
#define TD_LATCH 0xe0
#define TD_UNMAP 0xe4
#define TD_DOORBELL 0xe8	/* 4 bytes: signals an eventfd that nobody reads */
#define TD_EXIT 0xf4
#define TD_LINE 0x2000
#define TD_MMIO 0xff000000ull
#define TD_MMIO_SIZE 0x10000ull

static inline void testdev_unmap(u64 gpa)
{
	outl(TD_UNMAP, (u32)gpa);
}

static inline void testdev_line(u32 line, u32 level)
{
	outb(TD_LINE + line, level);
}

u64 random_next(u64 *state);

#endif
