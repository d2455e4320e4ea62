/* SPDX-License-Identifier: GPL-2.0 */
/* One TAP line for each test function, a diagnostic line for each failed check. */
#ifndef HVMM_UNIT_CHECK_H
#define HVMM_UNIT_CHECK_H

#include "rng.h"
#include "tap.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct check_case {
	const char *name;
	void (*run)(void);
};

extern unsigned int check_failed;

#define CHECK(cond)							\
do {									\
	if (!(cond)) {							\
		check_failed++;						\
		tap_diag("%s:%d: %s", __FILE__, __LINE__, #cond);	\
	}								\
} while (0)

#define CHECK_EQ(a, b)							\
do {									\
	unsigned long long a_ = (a), b_ = (b);				\
									\
	if (a_ != b_) {							\
		check_failed++;						\
		tap_diag("%s:%d: %s = %#llx, not %#llx", __FILE__,	\
			 __LINE__, #a, a_, b_);				\
	}								\
} while (0)

/* Exit status of main(). Every part of the program seeds itself from SEED. */
static inline int check_main(const struct check_case *c, unsigned int n)
{
	char seed[24];
	unsigned int i;

	snprintf(seed, sizeof(seed), "%llu", (unsigned long long)rng_seed());
	setenv("SEED", seed, 1);
	tap_plan(n);
	tap_diag("SEED=%s", seed);
	for (i = 0; i < n; i++) {
		check_failed = 0;
		c[i].run();
		tap_ok(!check_failed, "%s", c[i].name);
	}
	return tap_done();
}

#endif
