/* SPDX-License-Identifier: GPL-2.0 */
/* The little of TAP (testanything.org, version 13) that the unit tests print. */
#ifndef HVMM_UNIT_TAP_H
#define HVMM_UNIT_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int tap_count, tap_failed;

static inline void tap_plan(unsigned int n)
{
	printf("TAP version 13\n1..%u\n", n);
}

static inline void tap_result(bool ok)
{
	if (!ok)
		tap_failed++;
	printf("%sok %u - ", ok ? "" : "not ", ++tap_count);
}

/* tap_ok(condition, format, ...): one test line. */
#define tap_ok(ok, ...) do {						\
	tap_result(ok);							\
	printf(__VA_ARGS__);						\
	putchar('\n');							\
	fflush(stdout);							\
} while (0)

/* tap_diag(format, ...): a comment line. */
#define tap_diag(...) do {						\
	fputs("# ", stdout);						\
	printf(__VA_ARGS__);						\
	putchar('\n');							\
} while (0)

/* Exit status of main(). */
static inline int tap_done(void)
{
	return tap_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
