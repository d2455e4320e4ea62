// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include <asm/cpufeature.h>

#include "host/cpuid.h"
#include "host/quirks.h"

/* Where a hypervisor, or an emulator, says its name. */
#define LEAF_HYPERVISOR	0x40000000

DEFINE_STATIC_KEY_FALSE(hvmm_repeats_injection);

void hvmm_quirks_init(void)
{
	u32 max, name[3];

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return;
	cpuid(LEAF_HYPERVISOR, &max, &name[0], &name[1], &name[2]);
	if (!memcmp(name, "TCGTCGTCGTCG", sizeof(name)))
		static_branch_enable(&hvmm_repeats_injection);
}
