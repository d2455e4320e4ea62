/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a processor checks at a VM entry: SDM vol. 3, 27.2 and 27.3. Pure functions on values;
 * they build in the kernel and in userspace.
 *
 * Only what hvmm's VMCSs can have is known: no I/O bitmaps, no SMM, no shadow VMCS.
 */
#ifndef HVMM_X86_VMX_CHECK_H
#define HVMM_X86_VMX_CHECK_H

#include <linux/types.h>

#include "x86/vmx/caps.h"
#include "x86/vmx/vmcs.h"

/**
 * hvmm_vmx_check - whether an entry with this VMCS would be refused
 * @val: all fields, by enum hvmm_vmcs_field
 * @caps: the processor
 *
 * Context: any.
 * Return: %NULL, or which check fails, in words.
 */
const char *hvmm_vmx_check(const u64 *val, const struct hvmm_vmx_caps *caps);

/* Its parts, in the processor's order; x86/vmx/check_control.c, check_host.c, check_guest.c */
const char *hvmm_vmx_check_control(const u64 *val, const struct hvmm_vmx_caps *caps);
const char *hvmm_vmx_check_event(const u64 *val, const struct hvmm_vmx_caps *caps);
const char *hvmm_vmx_check_host(const u64 *val, const struct hvmm_vmx_caps *caps);
const char *hvmm_vmx_check_segments(const u64 *val);
const char *hvmm_vmx_check_guest(const u64 *val, const struct hvmm_vmx_caps *caps);

static inline bool hvmm_vmx_canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

/* Types of memory that PAT knows: SDM vol. 3, 12.12.2. */
static inline bool hvmm_vmx_pat_valid(u64 pat)
{
	unsigned int i;
	u8 type;

	for (i = 0; i < 64; i += 8) {
		type = pat >> i;
		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

#endif
