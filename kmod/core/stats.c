// SPDX-License-Identifier: GPL-2.0
#include "core/stats.h"

static const char * const names[HVMM_STAT_NR] = {
#define HVMM_STAT_NAME(name, text) [HVMM_STAT_##name] = #name,
	HVMM_STATS(HVMM_STAT_NAME, HVMM_STAT_NAME)
#undef HVMM_STAT_NAME
};

const char *hvmm_stat_name(enum hvmm_stat stat)
{
	return stat < HVMM_STAT_NR ? names[stat] : "unknown";
}
