// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>

#include "core/stats.h"

/* In the order of enum hvmm_stat, which comes from the same list. */
static const char * const names[] = {
#define HVMM_STAT_NAME(name, text) #name,
	HVMM_STATS(HVMM_STAT_NAME, HVMM_STAT_NAME)
#undef HVMM_STAT_NAME
};

const char *hvmm_stat_name(enum hvmm_stat stat)
{
	static_assert(ARRAY_SIZE(names) == HVMM_STAT_NR);

	return stat < HVMM_STAT_NR ? names[stat] : "unknown";
}
