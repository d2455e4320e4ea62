// SPDX-License-Identifier: GPL-2.0
/*
 * Checks on the guest-state area: SDM vol. 3, 27.3.1.
 */
#include <linux/stddef.h>

#include "x86/vmx/check.h"

#define CR0_PE		BIT_ULL(0)
#define CR0_NW		BIT_ULL(29)
#define CR0_CD		BIT_ULL(30)
#define CR0_PG		BIT_ULL(31)
#define CR4_PAE		BIT_ULL(5)
#define CR4_PCIDE	BIT_ULL(17)
#define EFER_LME	BIT_ULL(8)
#define EFER_LMA	BIT_ULL(10)
#define EFER_VALID	(EFER_LME | EFER_LMA | BIT_ULL(0) | BIT_ULL(11))

#define RFLAGS_ONE	BIT_ULL(1)
#define RFLAGS_TF	BIT_ULL(8)
#define RFLAGS_IF	BIT_ULL(9)
#define RFLAGS_VM	BIT_ULL(17)
#define RFLAGS_RESERVED	(GENMASK_ULL(63, 22) | BIT_ULL(15) | BIT_ULL(5) | BIT_ULL(3))

/* LBR, BTF, TR, BTS, BTINT, BTS_OFF_OS, BTS_OFF_USR, two freezes, UNCORE_PMI, FREEZE_IN_SMM */
#define DEBUGCTL_VALID	0x7fc3ULL
#define DEBUGCTL_BTF	BIT_ULL(1)

#define SHADOW		(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)

#define ACTIVITY_ACTIVE	0
#define ACTIVITY_HLT	1
#define ACTIVITY_LAST	3

static bool unrestricted(const u64 *val)
{
	return (val[VMCS_PROC_CTL] & PROC_SECONDARY) && (val[VMCS_PROC2_CTL] & PROC2_UNRESTRICTED);
}

static bool long_mode(const u64 *val)
{
	return val[VMCS_ENTRY_CTL] & ENTRY_LONG_MODE;
}

/* 27.3.1.1 */
static const char *check_control_registers(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	u64 cr0 = val[VMCS_GUEST_CR0], cr4 = val[VMCS_GUEST_CR4];
	u64 must = caps->cr0_must, any = CR0_NW | CR0_CD;

	if (unrestricted(val))
		must &= ~(CR0_PE | CR0_PG);
	if ((must & ~cr0 & ~any) || (cr0 & ~caps->cr0_may & ~any))
		return "guest CR0: not as VMX operation needs it";
	if ((cr0 & CR0_PG) && !(cr0 & CR0_PE))
		return "guest CR0: PG without PE";
	if ((caps->cr4_must & ~cr4) || (cr4 & ~caps->cr4_may))
		return "guest CR4: not as VMX operation needs it";
	if (long_mode(val) && !(cr0 & CR0_PG))
		return "guest CR0: long mode without PG";
	if (long_mode(val) && !(cr4 & CR4_PAE))
		return "guest CR4: long mode without PAE";
	if (!long_mode(val) && (cr4 & CR4_PCIDE))
		return "guest CR4: PCIDE outside of long mode";
	if (val[VMCS_GUEST_CR3] >> caps->phys_bits)
		return "guest CR3: the address is too wide";
	return NULL;
}

static const char *check_msrs(const u64 *val)
{
	u64 efer = val[VMCS_GUEST_EFER];
	u32 entry = val[VMCS_ENTRY_CTL];

	if (entry & ENTRY_LOAD_DEBUG) {
		if (val[VMCS_GUEST_DEBUGCTL] & ~DEBUGCTL_VALID)
			return "guest DEBUGCTL: reserved bits are set";
		if (val[VMCS_GUEST_DR7] >> 32)
			return "guest DR7: bits 63:32 are set";
	}
	if (!hvmm_vmx_canonical(val[VMCS_GUEST_SYSENTER_ESP]))
		return "guest SYSENTER_ESP is not canonical";
	if (!hvmm_vmx_canonical(val[VMCS_GUEST_SYSENTER_EIP]))
		return "guest SYSENTER_EIP is not canonical";
	if ((entry & ENTRY_LOAD_PAT) && !hvmm_vmx_pat_valid(val[VMCS_GUEST_PAT]))
		return "guest PAT: a reserved memory type";
	if (!(entry & ENTRY_LOAD_EFER))
		return NULL;
	if (efer & ~EFER_VALID)
		return "guest EFER: reserved bits are set";
	if (!(efer & EFER_LMA) != !long_mode(val))
		return "guest EFER: LMA is not as the entry controls say";
	if ((val[VMCS_GUEST_CR0] & CR0_PG) && !(efer & EFER_LMA) != !(efer & EFER_LME))
		return "guest EFER: LMA is not LME, with paging on";
	return NULL;
}

/* 27.3.1.4 */
static const char *check_rip(const u64 *val)
{
	u64 rip = val[VMCS_GUEST_RIP], rflags = val[VMCS_GUEST_RFLAGS];
	u32 event = val[VMCS_ENTRY_EVENT];

	if (!long_mode(val) || !(val[VMCS_GUEST_CS_AR] & VMX_AR_L)) {
		if (rip >> 32)
			return "guest RIP: bits 63:32 are set outside of 64-bit mode";
	} else if (!hvmm_vmx_canonical(rip)) {
		return "guest RIP is not canonical";
	}
	if ((rflags & RFLAGS_RESERVED) || !(rflags & RFLAGS_ONE))
		return "guest RFLAGS: reserved bits are wrong";
	if ((rflags & RFLAGS_VM) && (long_mode(val) || !(val[VMCS_GUEST_CR0] & CR0_PE)))
		return "guest RFLAGS: virtual-8086 mode outside of protected mode";
	if ((event & EVENT_VALID) && EVENT_TYPE(event) == EVENT_INTERRUPT && !(rflags & RFLAGS_IF))
		return "guest RFLAGS: an interrupt is injected with IF clear";
	return NULL;
}

/* 27.3.1.5 */
static const char *check_activity(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	u32 activity = val[VMCS_ACTIVITY], event = val[VMCS_ENTRY_EVENT];

	if (activity > ACTIVITY_LAST ||
	    (activity && !(caps->misc >> (5 + activity) & 1)))
		return "activity state: not one that the processor has";
	if (activity == ACTIVITY_HLT && VMX_AR_DPL(val[VMCS_GUEST_SS_AR]))
		return "activity state: halted with a CPL above 0";
	if (activity && (val[VMCS_INTERRUPTIBILITY] & SHADOW))
		return "activity state: not active in an interrupt shadow";
	if (activity > ACTIVITY_HLT && (event & EVENT_VALID))
		return "activity state: an event is injected into one that takes none";
	return NULL;
}

static const char *check_interruptibility(const u64 *val)
{
	u64 blocked = val[VMCS_INTERRUPTIBILITY];
	u32 event = val[VMCS_ENTRY_EVENT];
	bool intr = (event & EVENT_VALID) && EVENT_TYPE(event) == EVENT_INTERRUPT;
	bool nmi = (event & EVENT_VALID) && EVENT_TYPE(event) == EVENT_NMI;

	if (blocked & ~0x1fULL)
		return "interruptibility: reserved bits are set";
	if ((blocked & SHADOW) == SHADOW)
		return "interruptibility: blocked by STI and by MOV SS at once";
	if ((blocked & BLOCKED_BY_STI) && !(val[VMCS_GUEST_RFLAGS] & RFLAGS_IF))
		return "interruptibility: blocked by STI with IF clear";
	if (intr && (blocked & SHADOW))
		return "interruptibility: an interrupt is injected into a shadow";
	if (nmi && (blocked & BLOCKED_BY_MOV_SS))
		return "interruptibility: an NMI is injected into a shadow of MOV SS";
	if (blocked & BLOCKED_BY_SMI)
		return "interruptibility: blocked by SMI outside of SMM";
	if (nmi && (blocked & BLOCKED_BY_NMI) && (val[VMCS_PIN_CTL] & PIN_VIRTUAL_NMIS))
		return "interruptibility: an NMI is injected while NMIs are blocked";
	if (blocked & BLOCKED_IN_ENCLAVE)
		return "interruptibility: in an enclave, which there is none of";
	return NULL;
}

static const char *check_pending_debug(const u64 *val)
{
	u64 pending = val[VMCS_PENDING_DEBUG];
	bool step;

	if (pending & ~(0xfULL | PENDING_DEBUG_ENABLED | PENDING_DEBUG_STEP | PENDING_DEBUG_RTM))
		return "pending debug exceptions: reserved bits are set";
	if (pending & PENDING_DEBUG_RTM)
		return "pending debug exceptions: RTM, which the guest has not";
	if (!(val[VMCS_INTERRUPTIBILITY] & SHADOW) && val[VMCS_ACTIVITY] != ACTIVITY_HLT)
		return NULL;
	step = (val[VMCS_GUEST_RFLAGS] & RFLAGS_TF) &&
	       !(val[VMCS_GUEST_DEBUGCTL] & DEBUGCTL_BTF);
	if (step && !(pending & PENDING_DEBUG_STEP))
		return "pending debug exceptions: no step, with TF set in a shadow";
	if (!step && (pending & PENDING_DEBUG_STEP))
		return "pending debug exceptions: a step, with TF clear in a shadow";
	return NULL;
}

/* 27.3.1.6 */
static const char *check_pdptes(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	const u64 reserved = 0x1e6ULL | ~GENMASK_ULL(caps->phys_bits - 1, 0);
	unsigned int i;
	u64 pdpte;

	if (!(val[VMCS_GUEST_CR0] & CR0_PG) || !(val[VMCS_GUEST_CR4] & CR4_PAE) ||
	    long_mode(val))
		return NULL;
	for (i = 0; i < 4; i++) {
		pdpte = val[VMCS_GUEST_PDPTE0 + i];
		if ((pdpte & 1) && (pdpte & reserved))
			return "guest PDPTE: reserved bits are set";
	}
	return NULL;
}

const char *hvmm_vmx_check_guest(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	const char *why;

	why = check_control_registers(val, caps);
	if (!why)
		why = check_msrs(val);
	if (!why)
		why = hvmm_vmx_check_segments(val);
	if (!why)
		why = check_rip(val);
	if (!why)
		why = check_activity(val, caps);
	if (!why)
		why = check_interruptibility(val);
	if (!why)
		why = check_pending_debug(val);
	if (!why && val[VMCS_LINK] != ~0ULL)
		why = "there is a shadow VMCS";
	if (!why)
		why = check_pdptes(val, caps);
	return why;
}

const char *hvmm_vmx_check(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	const char *why;

	why = hvmm_vmx_check_control(val, caps);
	if (!why)
		why = hvmm_vmx_check_host(val, caps);
	if (!why)
		why = hvmm_vmx_check_guest(val, caps);
	return why;
}
