// SPDX-License-Identifier: GPL-2.0
/* Formatting, strings, the polled serial console at 0x3f8. */
#include "guest.h"

#define COM1 0x3f8

void *memcpy(void *d, const void *s, size_t n)
{
	void *r = d;

	__asm__ __volatile__("rep movsb" : "+D"(d), "+S"(s), "+c"(n) :: "memory");
	return r;
}

void *memmove(void *d, const void *s, size_t n)
{
	u8 *dp = d;
	const u8 *sp = s;

	if (dp <= sp || dp >= sp + n)
		return memcpy(d, s, n);
	while (n--) {
		dp[n] = sp[n];
		barrier();
	}
	return d;
}

void *memset(void *d, int c, size_t n)
{
	void *r = d;

	__asm__ __volatile__("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
	return r;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}

struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_number(struct out *o, u64 v, u32 base, bool neg, int width, char fill)
{
	char tmp[24];
	int n = 0;

	do {
		tmp[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (neg && fill == '0')
		put(o, '-');
	for (width -= neg; width > n; width--)
		put(o, fill);
	if (neg && fill != '0')
		put(o, '-');
	while (n)
		put(o, tmp[--n]);
}

int vsnprintf(char *buf, size_t size, const char *fmt, __builtin_va_list ap)
{
	struct out o = { buf, size, 0 };
	const char *s;

	for (; *fmt; fmt++) {
		int width = 0, longs = 0, len;
		char fill = ' ';
		bool left = false;
		u64 v;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt++;
		if (*fmt == '-') {
			left = true;
			fmt++;
		}
		if (*fmt == '0')
			fill = *fmt++;
		while (*fmt >= '0' && *fmt <= '9')
			width = width * 10 + *fmt++ - '0';
		while (*fmt == 'l' || *fmt == 'z') {
			longs++;
			fmt++;
		}
		switch (*fmt) {
		case 'd':
			v = longs ? __builtin_va_arg(ap, u64) : (u64)(s64)__builtin_va_arg(ap, int);
			put_number(&o, (s64)v < 0 ? -v : v, 10, (s64)v < 0, width, fill);
			break;
		case 'u':
		case 'x':
			v = longs ? __builtin_va_arg(ap, u64) : __builtin_va_arg(ap, u32);
			put_number(&o, v, *fmt == 'u' ? 10 : 16, false, width, fill);
			break;
		case 'p':
			put_number(&o, (u64)__builtin_va_arg(ap, void *), 16, false, 16, '0');
			break;
		case 'c':
			put(&o, __builtin_va_arg(ap, int));
			break;
		case 's':
			s = __builtin_va_arg(ap, const char *);
			len = strlen(s);
			for (; !left && width > len; width--)
				put(&o, ' ');
			while (*s)
				put(&o, *s++);
			for (; left && width > len; width--)
				put(&o, ' ');
			break;
		default:
			put(&o, *fmt);
		}
	}
	if (size)
		buf[o.len < size ? o.len : size - 1] = 0;
	return o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	__builtin_va_list ap;
	int n;

	__builtin_va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	__builtin_va_end(ap);
	return n;
}

static u32 print_lock;

static void serial_put(char c)
{
	u32 spins = 100000;

	while (!(inb(COM1 + 5) & 0x20) && --spins)
		;
	outb(COM1, c);
}

int printf(const char *fmt, ...)
{
	char buf[512];
	__builtin_va_list ap;
	u64 flags = read_rflags();
	int n, i;

	__builtin_va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	__builtin_va_end(ap);
	cli();
	while (__atomic_exchange_n(&print_lock, 1, __ATOMIC_ACQUIRE))
		pause();
	for (i = 0; buf[i]; i++)
		serial_put(buf[i]);
	__atomic_store_n(&print_lock, 0, __ATOMIC_RELEASE);
	if (flags & RFLAGS_IF)
		sti();
	return n;
}
