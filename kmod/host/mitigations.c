// SPDX-License-Identifier: GPL-2.0
/*
 * Barriers against speculation across VMs, as the host's settings say: the
 * kernel clears a feature bit where mitigations=off or the like leaves it out.
 * What belongs right behind the VM exit (return stack, retbleed) is in the
 * vendors' entry code.
 */
#include <linux/cpu.h>
#include <linux/cpufeature.h>

#include "host/mitigations.h"
#include "host/msr.h"

static void ibpb(void)
{
	wrmsrq(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}

/* Newer kernels keep this setting in a key of KVM's: there only the main switch is seen. */
static bool want_ibpb(void)
{
#ifdef X86_FEATURE_USE_IBPB
	return boot_cpu_has(X86_FEATURE_USE_IBPB);
#else
	return boot_cpu_has(X86_FEATURE_IBPB) && !cpu_mitigations_off();
#endif
}

void hvmm_mitigate_switch(void)
{
	if (want_ibpb())
		ibpb();
}

/*
 * L1TF: where an entry of a guest's page table is not present, the processor looks in its
 * first-level cache for what the entry names, past the nested page table.
 */
void hvmm_mitigate_enter(void)
{
	if (boot_cpu_has_bug(X86_BUG_L1TF) && boot_cpu_has(X86_FEATURE_FLUSH_L1D) &&
	    !cpu_mitigations_off())
		wrmsrq(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
}

void hvmm_mitigate_leave(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	/* VMSCAPE: userspace must not run on predictions that a guest has trained. */
	if (boot_cpu_has(X86_FEATURE_IBPB_EXIT_TO_USER))
		ibpb();
#endif
}

bool hvmm_itlb_multihit(void)
{
	return boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off();
}
