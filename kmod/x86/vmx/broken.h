/* SPDX-License-Identifier: GPL-2.0 */
/*
 * States that an entry refuses, each one step off a sound one, and the check that says so.
 * The unit test looks whether the checker finds them; a module built with DEBUG=1 whether
 * the processor does too. The sound state may be one of any mode.
 */
#ifndef HVMM_X86_VMX_BROKEN_H
#define HVMM_X86_VMX_BROKEN_H

#include <linux/types.h>

#include "x86/vmx/vmcs.h"

#define HVMM_VMX_CHANGES	6

/**
 * struct hvmm_vmx_broken - how to break a sound state
 * @why: what hvmm_vmx_check() says
 * @change: fields, and which bits of them are cleared and then set
 */
struct hvmm_vmx_broken {
	const char *why;
	struct {
		u8 field;
		u64 clear;
		u64 set;
	} change[HVMM_VMX_CHANGES];
};

/**
 * hvmm_vmx_break - apply the changes to values
 * @val: all fields of a sound state
 * @b: the row
 *
 * A row without a change left has the first field, with no bits.
 */
static inline void hvmm_vmx_break(u64 *val, const struct hvmm_vmx_broken *b)
{
	unsigned int i;

	for (i = 0; i < HVMM_VMX_CHANGES; i++)
		val[b->change[i].field] = (val[b->change[i].field] & ~b->change[i].clear) |
					  b->change[i].set;
}

#define SET(f, v)	{ VMCS_##f, ~0ULL, (v) }
#define OR(f, v)	{ VMCS_##f, 0, (v) }
#define CLEAR(f, v)	{ VMCS_##f, (v), 0 }
#define EVENT(type, v)	SET(ENTRY_EVENT, EVENT_VALID | (type) << 8 | (v))

#define CR0_PG		BIT_ULL(31)
#define CR4_PAE		BIT_ULL(5)
#define LMA		BIT_ULL(10)
#define LME		BIT_ULL(8)
#define NOT_CANONICAL	0x0000800000000000ULL
#define IF		BIT_ULL(9)
#define TF		BIT_ULL(8)

/* Three or four changes that put the guest into a mode. */
#define LONG_MODE	OR(ENTRY_CTL, ENTRY_LONG_MODE), OR(GUEST_EFER, LMA | LME), \
			OR(GUEST_CR0, CR0_PG), OR(GUEST_CR4, CR4_PAE)
#define NO_PAGING	CLEAR(ENTRY_CTL, ENTRY_LONG_MODE), CLEAR(GUEST_EFER, LMA | LME), \
			CLEAR(GUEST_CR0, CR0_PG)
#define SEGMENT(seg, clear, set, what)						\
	{ "guest " #seg ": " what, { { VMCS_GUEST_##seg##_AR, clear, set } } }
#define BASE(seg, what)								\
	{ "guest " #seg ": " what, { SET(GUEST_##seg##_BASE, NOT_CANONICAL) } }
#define HOST_BASE(reg)								\
	{ "host " #reg ": the base is not canonical", { SET(HOST_##reg##_BASE, NOT_CANONICAL) } }
#define HOST_SEL(seg)								\
	{ "host " #seg ": RPL or TI is not zero", { OR(HOST_##seg##_SEL, 3) } }

static const struct hvmm_vmx_broken hvmm_vmx_broken[] = {
	/* Controls: SDM vol. 3, 27.2.1. */
	{ "pin-based controls: not as the processor allows", { SET(PIN_CTL, 0) } },
	{ "primary processor-based controls: not as the processor allows", { SET(PROC_CTL, 0) } },
	{ "secondary processor-based controls: not as the processor allows",
	  { OR(PROC2_CTL, BIT_ULL(29)) } },
	{ "more CR3 targets than the processor has", { SET(CR3_TARGETS, 5) } },
	{ "the MSR bitmap is not at a page's physical address", { OR(MSR_BITMAP, 8) } },
	{ "the MSR bitmap is not at a page's physical address", { OR(MSR_BITMAP, BIT_ULL(62)) } },
	{ "the virtual-APIC page is not at a page's physical address", { OR(VIRTUAL_APIC, 8) } },
	{ "the TPR threshold is above 15", { SET(TPR_THRESHOLD, 16) } },
	{ "virtual NMIs without NMI exiting", { CLEAR(PIN_CTL, PIN_NMI) } },
	{ "NMI-window exiting without virtual NMIs",
	  { CLEAR(PIN_CTL, PIN_VIRTUAL_NMIS), OR(PROC_CTL, PROC_NMI_WINDOW) } },
	{ "virtualized APIC without TPR shadow",
	  { CLEAR(PROC_CTL, PROC_TPR_SHADOW), OR(PROC2_CTL, PROC2_X2APIC) } },
	{ "virtualized APIC without TPR shadow",
	  { CLEAR(PROC_CTL, PROC_TPR_SHADOW), OR(PROC2_CTL, PROC2_INTERRUPT_DELIVERY) } },
	{ "virtualized APIC without TPR shadow",
	  { CLEAR(PROC_CTL, PROC_TPR_SHADOW), OR(PROC2_CTL, PROC2_APIC_REGISTERS) } },
	{ "x2APIC and APIC accesses are virtualized at once",
	  { OR(PROC2_CTL, PROC2_X2APIC | PROC2_APIC_ACCESS) } },
	{ "virtual-interrupt delivery without external-interrupt exiting",
	  { CLEAR(PIN_CTL, PIN_EXTERNAL_INTERRUPT), OR(PROC2_CTL, PROC2_INTERRUPT_DELIVERY) } },
	{ "the VPID is zero", { SET(VPID, 0) } },
	{ "EPTP: memory type is not write-back", { OR(EPTP, 7) } },
	{ "EPTP: not four levels", { CLEAR(EPTP, 0x38) } },
	{ "EPTP: reserved bits are set", { OR(EPTP, 0x800) } },
	{ "EPTP: the address is too wide", { OR(EPTP, BIT_ULL(62)) } },
	{ "unrestricted guest without EPT", { CLEAR(PROC2_CTL, PROC2_EPT) } },
	{ "exit controls: not as the processor allows", { SET(EXIT_CTL, 0) } },
	{ "the MSR-store area of exits has a wrong address",
	  { SET(EXIT_MSR_STORE_NR, 1), SET(EXIT_MSR_STORE, 8) } },
	{ "the MSR-load area of exits has a wrong address",
	  { SET(EXIT_MSR_LOAD_NR, 1), SET(EXIT_MSR_LOAD, 8) } },
	{ "entry controls: not as the processor allows", { SET(ENTRY_CTL, 0) } },
	{ "the MSR-load area of entries has a wrong address",
	  { SET(ENTRY_MSR_LOAD_NR, 1), SET(ENTRY_MSR_LOAD, 8) } },
	{ "entry controls: SMM, outside of it", { OR(ENTRY_CTL, ENTRY_SMM) } },

	/* Events: 27.2.1.3. The guest is in protected mode. */
	{ "injected event: reserved type", { EVENT(1, 0x20) } },
	{ "injected event: an NMI whose vector is not 2", { EVENT(EVENT_NMI, 3) } },
	{ "injected event: an exception whose vector is above 31",
	  { EVENT(EVENT_EXCEPTION, 32) } },
	{ "injected event: an error code where there is none",
	  { EVENT(EVENT_EXCEPTION, 6 | EVENT_ERROR) } },
	{ "injected event: no error code where there is one", { EVENT(EVENT_EXCEPTION, 13) } },
	{ "injected event: reserved bits are set",
	  { EVENT(EVENT_EXCEPTION, 6 | BIT_ULL(16)) } },
	{ "injected event: reserved bits of the error code are set",
	  { EVENT(EVENT_EXCEPTION, 13 | EVENT_ERROR), SET(ENTRY_EVENT_ERROR, BIT_ULL(16)) } },
	{ "injected event: not the length of an instruction",
	  { EVENT(EVENT_SOFT_INTERRUPT, 0x20), SET(ENTRY_INSN_LEN, 16) } },

	/* Host: 27.2.2, 27.2.3, 27.2.4. */
	{ "host CR0: not as VMX operation needs it", { CLEAR(HOST_CR0, CR0_PG) } },
	{ "host CR4: not as VMX operation needs it", { CLEAR(HOST_CR4, BIT_ULL(13)) } },
	{ "host CR3: the address is too wide", { OR(HOST_CR3, BIT_ULL(60)) } },
	{ "host SYSENTER_ESP is not canonical", { SET(HOST_SYSENTER_ESP, NOT_CANONICAL) } },
	{ "host SYSENTER_EIP is not canonical", { SET(HOST_SYSENTER_EIP, NOT_CANONICAL) } },
	{ "host PAT: a reserved memory type", { OR(HOST_PAT, 0x0a) } },
	{ "host EFER: reserved bits are set", { OR(HOST_EFER, BIT_ULL(1)) } },
	{ "host EFER: LMA and LME are not those of a 64-bit host", { CLEAR(HOST_EFER, LMA) } },
	{ "host CR4: PAE is zero", { CLEAR(HOST_CR4, CR4_PAE) } },
	{ "host RIP is not canonical", { SET(HOST_RIP, NOT_CANONICAL) } },
	HOST_SEL(ES), HOST_SEL(CS), HOST_SEL(SS), HOST_SEL(DS), HOST_SEL(FS), HOST_SEL(GS),
	HOST_SEL(TR),
	{ "host CS is null", { SET(HOST_CS_SEL, 0) } },
	{ "host TR is null", { SET(HOST_TR_SEL, 0) } },
	HOST_BASE(FS), HOST_BASE(GS), HOST_BASE(GDTR), HOST_BASE(IDTR), HOST_BASE(TR),

	/* Guest's registers: 27.3.1.1. */
	{ "guest CR0: not as VMX operation needs it", { CLEAR(GUEST_CR0, BIT_ULL(5)) } },
	{ "guest CR0: PG without PE", { { VMCS_GUEST_CR0, 1, CR0_PG } } },
	{ "guest CR4: not as VMX operation needs it", { CLEAR(GUEST_CR4, BIT_ULL(13)) } },
	{ "guest CR0: long mode without PG", { LONG_MODE, CLEAR(GUEST_CR0, CR0_PG) } },
	{ "guest CR4: long mode without PAE", { LONG_MODE, CLEAR(GUEST_CR4, CR4_PAE) } },
	{ "guest CR4: PCIDE outside of long mode", { NO_PAGING, OR(GUEST_CR4, BIT_ULL(17)) } },
	{ "guest CR3: the address is too wide", { OR(GUEST_CR3, BIT_ULL(60)) } },
	{ "guest DEBUGCTL: reserved bits are set", { OR(GUEST_DEBUGCTL, BIT_ULL(40)) } },
	{ "guest DR7: bits 63:32 are set", { OR(GUEST_DR7, BIT_ULL(32)) } },
	{ "guest SYSENTER_ESP is not canonical", { SET(GUEST_SYSENTER_ESP, NOT_CANONICAL) } },
	{ "guest SYSENTER_EIP is not canonical", { SET(GUEST_SYSENTER_EIP, NOT_CANONICAL) } },
	{ "guest PAT: a reserved memory type", { OR(GUEST_PAT, 0x0a) } },
	{ "guest EFER: reserved bits are set", { OR(GUEST_EFER, BIT_ULL(1)) } },
	{ "guest EFER: LMA is not as the entry controls say", { NO_PAGING, OR(GUEST_EFER, LMA) } },
	{ "guest EFER: LMA is not LME, with paging on",
	  { NO_PAGING, OR(GUEST_CR0, CR0_PG), OR(GUEST_EFER, LME) } },

	/* Guest's segments: 27.3.1.2, 27.3.1.3. They are flat. */
	SEGMENT(CS, 0xf, 2, "the type is not of accessed code"),
	SEGMENT(CS, VMX_AR_S, 0, "a system segment"),
	SEGMENT(CS, 0xf, 0x63, "the DPL of a data segment is not zero"),
	SEGMENT(CS, 0, 0x60, "the DPL is not that of SS"),
	SEGMENT(CS, 0, 0x64, "the DPL is above that of SS"),
	SEGMENT(CS, VMX_AR_P, 0, "not present"),
	SEGMENT(CS, 0, 0x100, "reserved bits of the rights are set"),
	{ "guest CS: L and D are both set",
	  { LONG_MODE, OR(GUEST_CS_AR, VMX_AR_L | VMX_AR_DB) } },
	{ "guest CS: limit and granularity do not fit", { CLEAR(GUEST_CS_LIMIT, 0xfff) } },
	SEGMENT(SS, VMX_AR_WRITE, 0, "the type is not of writable accessed data"),
	SEGMENT(SS, VMX_AR_S, 0, "a system segment"),
	SEGMENT(SS, VMX_AR_P, 0, "not present"),
	SEGMENT(SS, VMX_AR_G, 0, "limit and granularity do not fit"),
	SEGMENT(DS, VMX_AR_ACCESSED, 0, "not accessed"),
	SEGMENT(DS, VMX_AR_WRITE, VMX_AR_CODE, "code that is not readable"),
	SEGMENT(ES, VMX_AR_S, 0, "a system segment"),
	SEGMENT(FS, VMX_AR_P, 0, "not present"),
	SEGMENT(GS, 0, 0x200, "reserved bits of the rights are set"),
	BASE(FS, "the base is not canonical"), BASE(GS, "the base is not canonical"),
	BASE(TR, "the base is not canonical"), BASE(LDTR, "the base is not canonical"),
	BASE(CS, "the base has bits 63:32 set"), BASE(SS, "the base has bits 63:32 set"),
	BASE(DS, "the base has bits 63:32 set"), BASE(ES, "the base has bits 63:32 set"),
	{ "guest TR: in the LDT", { OR(GUEST_TR_SEL, 4) } },
	SEGMENT(TR, 0, VMX_AR_UNUSABLE, "unusable"),
	SEGMENT(TR, 2, 0, "the type is not of a busy TSS"),
	SEGMENT(TR, 0, VMX_AR_S, "not a system segment"),
	{ "guest LDTR: in the LDT", { OR(GUEST_LDTR_SEL, 4) } },
	SEGMENT(LDTR, 0, 1, "the type is not of an LDT"),
	SEGMENT(LDTR, 0, VMX_AR_S, "not a system segment"),
	{ "guest ES: the base is not that of virtual-8086 mode",
	  { OR(GUEST_RFLAGS, BIT_ULL(17)), SET(GUEST_ES_BASE, 0x123450) } },
	BASE(GDTR, "the base is not canonical"), BASE(IDTR, "the base is not canonical"),
	{ "guest GDTR: the limit is above 0xffff", { SET(GUEST_GDTR_LIMIT, 0x10000) } },
	{ "guest IDTR: the limit is above 0xffff", { SET(GUEST_IDTR_LIMIT, 0x10000) } },

	/* RIP and RFLAGS: 27.3.1.4. */
	{ "guest RIP: bits 63:32 are set outside of 64-bit mode",
	  { NO_PAGING, OR(GUEST_RIP, BIT_ULL(40)) } },
	{ "guest RIP is not canonical",
	  { LONG_MODE, { VMCS_GUEST_CS_AR, VMX_AR_DB, VMX_AR_L },
	    SET(GUEST_RIP, BIT_ULL(62)) } },
	{ "guest RFLAGS: reserved bits are wrong", { CLEAR(GUEST_RFLAGS, 2) } },
	{ "guest RFLAGS: reserved bits are wrong", { OR(GUEST_RFLAGS, BIT_ULL(3)) } },
	{ "guest RFLAGS: an interrupt is injected with IF clear",
	  { EVENT(EVENT_INTERRUPT, 0x20), CLEAR(GUEST_RFLAGS, IF) } },

	/* What is no register: 27.3.1.5. */
	{ "activity state: not one that the processor has", { SET(ACTIVITY, 4) } },
	{ "activity state: halted with a CPL above 0",
	  { SET(ACTIVITY, 1), OR(GUEST_SS_AR, 0x60), OR(GUEST_CS_AR, 0x60) } },
	{ "activity state: not active in an interrupt shadow",
	  { SET(ACTIVITY, 1), SET(INTERRUPTIBILITY, BLOCKED_BY_MOV_SS) } },
	{ "activity state: an event is injected into one that takes none",
	  { SET(ACTIVITY, 3), EVENT(EVENT_NMI, 2) } },
	{ "interruptibility: reserved bits are set", { OR(INTERRUPTIBILITY, BIT_ULL(5)) } },
	{ "interruptibility: blocked by STI and by MOV SS at once",
	  { SET(INTERRUPTIBILITY, BLOCKED_BY_STI | BLOCKED_BY_MOV_SS), OR(GUEST_RFLAGS, IF) } },
	{ "interruptibility: blocked by STI with IF clear",
	  { SET(INTERRUPTIBILITY, BLOCKED_BY_STI), CLEAR(GUEST_RFLAGS, IF) } },
	{ "interruptibility: an interrupt is injected into a shadow",
	  { SET(INTERRUPTIBILITY, BLOCKED_BY_STI), OR(GUEST_RFLAGS, IF),
	    EVENT(EVENT_INTERRUPT, 0x20) } },
	{ "interruptibility: an NMI is injected into a shadow of MOV SS",
	  { SET(INTERRUPTIBILITY, BLOCKED_BY_MOV_SS), EVENT(EVENT_NMI, 2) } },
	{ "interruptibility: blocked by SMI outside of SMM",
	  { SET(INTERRUPTIBILITY, BLOCKED_BY_SMI) } },
	{ "interruptibility: an NMI is injected while NMIs are blocked",
	  { SET(INTERRUPTIBILITY, BLOCKED_BY_NMI), EVENT(EVENT_NMI, 2) } },
	{ "pending debug exceptions: reserved bits are set", { OR(PENDING_DEBUG, BIT_ULL(5)) } },
	{ "pending debug exceptions: no step, with TF set in a shadow",
	  { SET(INTERRUPTIBILITY, BLOCKED_BY_MOV_SS), OR(GUEST_RFLAGS, TF) } },
	{ "pending debug exceptions: a step, with TF clear in a shadow",
	  { SET(INTERRUPTIBILITY, BLOCKED_BY_MOV_SS), CLEAR(GUEST_RFLAGS, TF),
	    OR(PENDING_DEBUG, PENDING_DEBUG_STEP) } },
	{ "there is a shadow VMCS", { SET(LINK, 8) } },
	{ "guest PDPTE: reserved bits are set",
	  { CLEAR(ENTRY_CTL, ENTRY_LONG_MODE), CLEAR(GUEST_EFER, LMA | LME),
	    OR(GUEST_CR0, CR0_PG), OR(GUEST_CR4, CR4_PAE), SET(GUEST_PDPTE0, 3),
	    SET(GUEST_RIP, 0) } },
};

#undef SET
#undef OR
#undef CLEAR
#undef EVENT
#undef CR0_PG
#undef CR4_PAE
#undef LMA
#undef LME
#undef NOT_CANONICAL
#undef IF
#undef TF
#undef LONG_MODE
#undef NO_PAGING
#undef SEGMENT
#undef BASE
#undef HOST_BASE
#undef HOST_SEL

#endif
