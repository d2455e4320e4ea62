// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>

#include "x86/vmx/caps.h"
#include "x86/vmx/vmcs.h"

/**
 * enum need - what hvmm asks of a control
 * @REQUIRED: it is set; there is no way without it
 * @OPTIONAL: it is set where it is offered
 * @AVAILABLE: it is set now and then: it must be possible
 * @AVOIDED: it is not set: that must be possible
 */
enum need {
	REQUIRED,
	OPTIONAL,
	AVAILABLE,
	AVOIDED,
};

static const struct {
	u32 bit;
	u8 word;
	u8 need;
	const char *name;
} rows[] = {
	{ PIN_EXTERNAL_INTERRUPT, VMX_PIN,	REQUIRED, "external-interrupt exiting" },
	{ PIN_NMI,		VMX_PIN,	REQUIRED, "NMI exiting" },
	{ PIN_VIRTUAL_NMIS,	VMX_PIN,	REQUIRED, "virtual NMIs" },
	{ PROC_TSC_OFFSET,	VMX_PROC,	REQUIRED, "use TSC offsetting" },
	{ PROC_HLT,		VMX_PROC,	REQUIRED, "HLT exiting" },
	{ PROC_MWAIT,		VMX_PROC,	REQUIRED, "MWAIT exiting" },
	{ PROC_MONITOR,		VMX_PROC,	REQUIRED, "MONITOR exiting" },
	{ PROC_RDPMC,		VMX_PROC,	REQUIRED, "RDPMC exiting" },
	{ PROC_MOV_DR,		VMX_PROC,	REQUIRED, "MOV-DR exiting" },
	{ PROC_IO,		VMX_PROC,	REQUIRED, "unconditional I/O exiting" },
	{ PROC_MSR_BITMAP,	VMX_PROC,	REQUIRED, "use MSR bitmaps" },
	{ PROC_SECONDARY,	VMX_PROC,	REQUIRED, "activate secondary controls" },
	{ PROC_TPR_SHADOW,	VMX_PROC,	OPTIONAL, "use TPR shadow" },
	{ PROC_INTERRUPT_WINDOW, VMX_PROC,	AVAILABLE, "interrupt-window exiting" },
	{ PROC_NMI_WINDOW,	VMX_PROC,	AVAILABLE, "NMI-window exiting" },
	{ PROC_CR8_LOAD,	VMX_PROC,	AVAILABLE, "CR8-load exiting" },
	{ PROC_CR8_STORE,	VMX_PROC,	AVAILABLE, "CR8-store exiting" },
	{ PROC_PAUSE,		VMX_PROC,	AVAILABLE, "PAUSE exiting" },
	{ PROC_CR3_LOAD,	VMX_PROC,	AVOIDED, "no CR3-load exiting" },
	{ PROC_CR3_STORE,	VMX_PROC,	AVOIDED, "no CR3-store exiting" },
	{ PROC_INVLPG,		VMX_PROC,	AVOIDED, "no INVLPG exiting" },
	{ PROC2_EPT,		VMX_PROC2,	REQUIRED, "enable EPT" },
	{ PROC2_UNRESTRICTED,	VMX_PROC2,	REQUIRED, "unrestricted guest" },
	{ PROC2_VPID,		VMX_PROC2,	OPTIONAL, "enable VPID" },
	{ PROC2_RDTSCP,		VMX_PROC2,	OPTIONAL, "enable RDTSCP" },
	{ PROC2_INVPCID,	VMX_PROC2,	OPTIONAL, "enable INVPCID" },
	{ PROC2_WBINVD,		VMX_PROC2,	OPTIONAL, "WBINVD exiting" },
	{ PROC2_PAUSE_LOOP,	VMX_PROC2,	OPTIONAL, "PAUSE-loop exiting" },
	{ PROC2_ENCLS,		VMX_PROC2,	OPTIONAL, "enable ENCLS exiting" },
	{ EXIT_SAVE_DEBUG,	VMX_EXIT,	REQUIRED, "save debug controls" },
	{ EXIT_HOST_64,		VMX_EXIT,	REQUIRED, "host address-space size" },
	{ EXIT_LOAD_PAT,	VMX_EXIT,	REQUIRED, "load IA32_PAT on exit" },
	{ EXIT_LOAD_EFER,	VMX_EXIT,	REQUIRED, "load IA32_EFER on exit" },
	{ EXIT_ACK_INTERRUPT,	VMX_EXIT,	AVOIDED, "no acknowledge interrupt on exit" },
	{ ENTRY_LOAD_DEBUG,	VMX_ENTRY,	REQUIRED, "load debug controls" },
	{ ENTRY_LOAD_PAT,	VMX_ENTRY,	REQUIRED, "load IA32_PAT on entry" },
	{ ENTRY_LOAD_EFER,	VMX_ENTRY,	REQUIRED, "load IA32_EFER on entry" },
	{ ENTRY_LONG_MODE,	VMX_ENTRY,	AVAILABLE, "IA-32e mode guest" },
};

static const struct {
	u64 bit;
	const char *name;
} ept_rows[] = {
	{ EPT_4_LEVELS,		"EPT of four levels" },
	{ EPT_WRITE_BACK,	"write-back EPT structures" },
	{ EPT_2M,		"2 MiB pages in EPT" },
	{ EPT_INVEPT,		"INVEPT" },
	{ EPT_INVEPT_ALL,	"INVEPT of all contexts" },
};

static bool met(const struct hvmm_vmx_caps *caps, unsigned int i)
{
	u64 allowed = caps->allowed[rows[i].word];

	switch (rows[i].need) {
	case REQUIRED:
	case AVAILABLE:
		return allowed >> 32 & rows[i].bit;
	case AVOIDED:
		return !(allowed & rows[i].bit);
	default:
		return true;
	}
}

/* TPR shadow is needed by all (27.2.1.1); delivery is of no use where registers are not read. */
static u32 choose_x2apic(const struct hvmm_vmx_caps *caps)
{
	const u32 all = PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_INTERRUPT_DELIVERY;
	u32 offered = caps->allowed[VMX_PROC2] >> 32;

	if (!(caps->ctl[VMX_PROC] & PROC_TPR_SHADOW))
		return 0;
	return (offered & all) == all ? all : offered & PROC2_X2APIC;
}

int hvmm_vmx_caps_choose(struct hvmm_vmx_caps *caps, char *why, unsigned int len)
{
	unsigned int i;

	/* What must be 1 is: A.2. */
	for (i = 0; i < VMX_NR; i++)
		caps->ctl[i] = caps->allowed[i];

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!met(caps, i)) {
			snprintf(why, len, "this processor's VMX lacks \"%s\"", rows[i].name);
			return -ENODEV;
		}
		if (rows[i].need == REQUIRED || rows[i].need == OPTIONAL)
			caps->ctl[rows[i].word] |= rows[i].bit & caps->allowed[rows[i].word] >> 32;
	}
	for (i = 0; i < ARRAY_SIZE(ept_rows); i++) {
		if (caps->ept_vpid & ept_rows[i].bit)
			continue;
		snprintf(why, len, "this processor's VMX lacks \"%s\"", ept_rows[i].name);
		return -ENODEV;
	}

	/* Without the TPR in hardware CR8 is emulated. */
	if (!(caps->ctl[VMX_PROC] & PROC_TPR_SHADOW))
		caps->ctl[VMX_PROC] |= PROC_CR8_LOAD | PROC_CR8_STORE;
	caps->x2apic = choose_x2apic(caps);
	/* VPIDs are used up one after another, and thrown away all at once. */
	if (!(caps->ept_vpid & EPT_INVVPID) || !(caps->ept_vpid & EPT_INVVPID_ALL))
		caps->ctl[VMX_PROC2] &= ~(u32)PROC2_VPID;
	/* 25.6.1.1: the processor must accept write-back VMCSs, which all do. */
	if (BASIC_MEMORY_TYPE(caps->basic) != EPTP_WRITE_BACK || (caps->basic & BASIC_32BIT)) {
		snprintf(why, len, "this processor's VMCS is not in write-back memory");
		return -ENODEV;
	}
	return 0;
}
