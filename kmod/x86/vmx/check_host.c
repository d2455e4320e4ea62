// SPDX-License-Identifier: GPL-2.0
/*
 * Checks on the host-state area: SDM vol. 3, 27.2.2 to 27.2.4, of a host in 64-bit mode.
 */
#include <linux/kernel.h>

#include "x86/vmx/check.h"

#define CR4_PAE		BIT_ULL(5)
#define CR4_LA57	BIT_ULL(12)
#define EFER_LONG	(BIT_ULL(8) | BIT_ULL(10))
#define EFER_VALID	(EFER_LONG | BIT_ULL(0) | BIT_ULL(11))

/* The host may have addresses of five levels. */
static bool canonical(const u64 *val, u64 addr)
{
	unsigned int unused = val[VMCS_HOST_CR4] & CR4_LA57 ? 7 : 16;

	return (u64)((s64)(addr << unused) >> unused) == addr;
}

static const char *check_registers(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	if ((caps->cr0_must & ~val[VMCS_HOST_CR0]) || (val[VMCS_HOST_CR0] & ~caps->cr0_may))
		return "host CR0: not as VMX operation needs it";
	if ((caps->cr4_must & ~val[VMCS_HOST_CR4]) || (val[VMCS_HOST_CR4] & ~caps->cr4_may))
		return "host CR4: not as VMX operation needs it";
	if (val[VMCS_HOST_CR3] >> caps->phys_bits)
		return "host CR3: the address is too wide";
	if (!canonical(val, val[VMCS_HOST_SYSENTER_ESP]))
		return "host SYSENTER_ESP is not canonical";
	if (!canonical(val, val[VMCS_HOST_SYSENTER_EIP]))
		return "host SYSENTER_EIP is not canonical";
	if ((val[VMCS_EXIT_CTL] & EXIT_LOAD_PAT) && !hvmm_vmx_pat_valid(val[VMCS_HOST_PAT]))
		return "host PAT: a reserved memory type";
	if (val[VMCS_EXIT_CTL] & EXIT_LOAD_EFER) {
		if (val[VMCS_HOST_EFER] & ~EFER_VALID)
			return "host EFER: reserved bits are set";
		if ((val[VMCS_HOST_EFER] & EFER_LONG) != EFER_LONG)
			return "host EFER: LMA and LME are not those of a 64-bit host";
	}
	return NULL;
}

static const char *check_segments(const u64 *val)
{
	static const struct {
		u8 field;
		const char *why;
	} sel[] = {
		{ VMCS_HOST_ES_SEL, "host ES: RPL or TI is not zero" },
		{ VMCS_HOST_CS_SEL, "host CS: RPL or TI is not zero" },
		{ VMCS_HOST_SS_SEL, "host SS: RPL or TI is not zero" },
		{ VMCS_HOST_DS_SEL, "host DS: RPL or TI is not zero" },
		{ VMCS_HOST_FS_SEL, "host FS: RPL or TI is not zero" },
		{ VMCS_HOST_GS_SEL, "host GS: RPL or TI is not zero" },
		{ VMCS_HOST_TR_SEL, "host TR: RPL or TI is not zero" },
	}, base[] = {
		{ VMCS_HOST_FS_BASE, "host FS: the base is not canonical" },
		{ VMCS_HOST_GS_BASE, "host GS: the base is not canonical" },
		{ VMCS_HOST_GDTR_BASE, "host GDTR: the base is not canonical" },
		{ VMCS_HOST_IDTR_BASE, "host IDTR: the base is not canonical" },
		{ VMCS_HOST_TR_BASE, "host TR: the base is not canonical" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sel); i++)
		if (val[sel[i].field] & 7)
			return sel[i].why;
	if (!val[VMCS_HOST_CS_SEL])
		return "host CS is null";
	if (!val[VMCS_HOST_TR_SEL])
		return "host TR is null";
	for (i = 0; i < ARRAY_SIZE(base); i++)
		if (!canonical(val, val[base[i].field]))
			return base[i].why;
	return NULL;
}

const char *hvmm_vmx_check_host(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	const char *why;

	why = check_registers(val, caps);
	if (!why)
		why = check_segments(val);
	if (why)
		return why;
	if (!(val[VMCS_EXIT_CTL] & EXIT_HOST_64))
		return "exit controls: the host is in 64-bit mode";
	if (!(val[VMCS_HOST_CR4] & CR4_PAE))
		return "host CR4: PAE is zero";
	if (!canonical(val, val[VMCS_HOST_RIP]))
		return "host RIP is not canonical";
	return NULL;
}
