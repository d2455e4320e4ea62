// SPDX-License-Identifier: GPL-2.0
/* Results in TAP and the way out through port 0xf4. */
#include "guest.h"

static int count, failed, skipped;

bool ok(bool cond, const char *fmt, ...)
{
	char name[160];
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	__builtin_va_end(ap);
	failed += !cond;
	printf("%sok %d - %s\n", cond ? "" : "not ", ++count, name);
	return cond;
}

void skip(const char *reason, const char *fmt, ...)
{
	char name[160];
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	__builtin_va_end(ap);
	skipped++;
	printf("ok %d - %s # SKIP %s\n", ++count, name, reason);
}

void diag(const char *fmt, ...)
{
	char text[256];
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	__builtin_va_end(ap);
	printf("# %s\n", text);
}

int tests_failed(void)
{
	return failed;
}

void guest_exit(u32 value)
{
	outl(TD_EXIT, value);
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

void guest_finish(void)
{
	printf("1..%d\n", count);
	if (failed || !count) {
		printf("# %d of %d failed\n", failed, count);
		guest_exit(1);
	}
	guest_exit(skipped == count ? 38 : 0);
}

void guest_skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	guest_exit(38);
}

void guest_die(const char *fmt, ...)
{
	char text[256];
	__builtin_va_list ap;

	__builtin_va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	__builtin_va_end(ap);
	printf("Bail out! %s\n", text);
	guest_exit(1);
}
