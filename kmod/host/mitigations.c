// SPDX-License-Identifier: GPL-2.0
/*
 * Barriers against speculation across VMs, as the host's settings say: the
 * kernel clears a feature bit where mitigations=off or the like leaves it out.
 * What belongs right behind the VM exit (return stack, retbleed) is in the
 * vendors' entry code.
 */
#include <linux/cpufeature.h>

#include <asm/msr.h>

#include "host/mitigations.h"

static void ibpb(void)
{
	wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}

void hvmm_mitigate_switch(void)
{
	if (boot_cpu_has(X86_FEATURE_USE_IBPB))
		ibpb();
}

void hvmm_mitigate_leave(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	/* VMSCAPE: userspace must not run on predictions that a guest has trained. */
	if (boot_cpu_has(X86_FEATURE_IBPB_EXIT_TO_USER))
		ibpb();
#endif
}
