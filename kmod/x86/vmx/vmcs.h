/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMCS and what goes with it, by number: SDM vol. 3, chapter 25 and appendices A
 * to C. Builds in the kernel and in userspace.
 */
#ifndef HVMM_X86_VMX_VMCS_H
#define HVMM_X86_VMX_VMCS_H

#include <linux/bits.h>
#include <linux/types.h>

/*
 * Fields that hvmm uses: X(name, encoding, kind). Encodings: SDM vol. 3, appendix B.
 * Kind: CONTROL does not change but by hvmm, GUEST is written by VM exits too, INFO by
 * them alone. Guest state that a guest cannot change without an exit is CONTROL.
 */
#define HVMM_VMCS_FIELDS(X)					\
	X(VPID,			0x0000, CONTROL)		\
	X(GUEST_ES_SEL,		0x0800, GUEST)			\
	X(GUEST_CS_SEL,		0x0802, GUEST)			\
	X(GUEST_SS_SEL,		0x0804, GUEST)			\
	X(GUEST_DS_SEL,		0x0806, GUEST)			\
	X(GUEST_FS_SEL,		0x0808, GUEST)			\
	X(GUEST_GS_SEL,		0x080a, GUEST)			\
	X(GUEST_LDTR_SEL,	0x080c, GUEST)			\
	X(GUEST_TR_SEL,		0x080e, GUEST)			\
	X(HOST_ES_SEL,		0x0c00, CONTROL)		\
	X(HOST_CS_SEL,		0x0c02, CONTROL)		\
	X(HOST_SS_SEL,		0x0c04, CONTROL)		\
	X(HOST_DS_SEL,		0x0c06, CONTROL)		\
	X(HOST_FS_SEL,		0x0c08, CONTROL)		\
	X(HOST_GS_SEL,		0x0c0a, CONTROL)		\
	X(HOST_TR_SEL,		0x0c0c, CONTROL)		\
	X(MSR_BITMAP,		0x2004, CONTROL)		\
	X(EXIT_MSR_STORE,	0x2006, CONTROL)		\
	X(EXIT_MSR_LOAD,	0x2008, CONTROL)		\
	X(ENTRY_MSR_LOAD,	0x200a, CONTROL)		\
	X(TSC_OFFSET,		0x2010, CONTROL)		\
	X(VIRTUAL_APIC,		0x2012, CONTROL)		\
	X(EPTP,			0x201a, CONTROL)		\
	X(EOI_EXIT0,		0x201c, CONTROL)		\
	X(EOI_EXIT1,		0x201e, CONTROL)		\
	X(EOI_EXIT2,		0x2020, CONTROL)		\
	X(EOI_EXIT3,		0x2022, CONTROL)		\
	X(ENCLS_BITMAP,		0x202e, CONTROL)		\
	X(GUEST_PA,		0x2400, INFO)			\
	X(LINK,			0x2800, CONTROL)		\
	X(GUEST_DEBUGCTL,	0x2802, CONTROL)		\
	X(GUEST_PAT,		0x2804, CONTROL)		\
	X(GUEST_EFER,		0x2806, CONTROL)		\
	X(GUEST_PDPTE0,		0x280a, GUEST)			\
	X(GUEST_PDPTE1,		0x280c, GUEST)			\
	X(GUEST_PDPTE2,		0x280e, GUEST)			\
	X(GUEST_PDPTE3,		0x2810, GUEST)			\
	X(HOST_PAT,		0x2c00, CONTROL)		\
	X(HOST_EFER,		0x2c02, CONTROL)		\
	X(PIN_CTL,		0x4000, CONTROL)		\
	X(PROC_CTL,		0x4002, CONTROL)		\
	X(EXCEPTION_BITMAP,	0x4004, CONTROL)		\
	X(PF_ERROR_MASK,	0x4006, CONTROL)		\
	X(PF_ERROR_MATCH,	0x4008, CONTROL)		\
	X(CR3_TARGETS,		0x400a, CONTROL)		\
	X(EXIT_CTL,		0x400c, CONTROL)		\
	X(EXIT_MSR_STORE_NR,	0x400e, CONTROL)		\
	X(EXIT_MSR_LOAD_NR,	0x4010, CONTROL)		\
	X(ENTRY_CTL,		0x4012, CONTROL)		\
	X(ENTRY_MSR_LOAD_NR,	0x4014, CONTROL)		\
	X(ENTRY_EVENT,		0x4016, CONTROL)		\
	X(ENTRY_EVENT_ERROR,	0x4018, CONTROL)		\
	X(ENTRY_INSN_LEN,	0x401a, CONTROL)		\
	X(TPR_THRESHOLD,	0x401c, CONTROL)		\
	X(PROC2_CTL,		0x401e, CONTROL)		\
	X(PLE_GAP,		0x4020, CONTROL)		\
	X(PLE_WINDOW,		0x4022, CONTROL)		\
	X(INSN_ERROR,		0x4400, INFO)			\
	X(EXIT_REASON,		0x4402, INFO)			\
	X(EXIT_EVENT,		0x4404, INFO)			\
	X(EXIT_EVENT_ERROR,	0x4406, INFO)			\
	X(VECTORING,		0x4408, INFO)			\
	X(VECTORING_ERROR,	0x440a, INFO)			\
	X(EXIT_INSN_LEN,	0x440c, INFO)			\
	X(GUEST_ES_LIMIT,	0x4800, GUEST)			\
	X(GUEST_CS_LIMIT,	0x4802, GUEST)			\
	X(GUEST_SS_LIMIT,	0x4804, GUEST)			\
	X(GUEST_DS_LIMIT,	0x4806, GUEST)			\
	X(GUEST_FS_LIMIT,	0x4808, GUEST)			\
	X(GUEST_GS_LIMIT,	0x480a, GUEST)			\
	X(GUEST_LDTR_LIMIT,	0x480c, GUEST)			\
	X(GUEST_TR_LIMIT,	0x480e, GUEST)			\
	X(GUEST_GDTR_LIMIT,	0x4810, GUEST)			\
	X(GUEST_IDTR_LIMIT,	0x4812, GUEST)			\
	X(GUEST_ES_AR,		0x4814, GUEST)			\
	X(GUEST_CS_AR,		0x4816, GUEST)			\
	X(GUEST_SS_AR,		0x4818, GUEST)			\
	X(GUEST_DS_AR,		0x481a, GUEST)			\
	X(GUEST_FS_AR,		0x481c, GUEST)			\
	X(GUEST_GS_AR,		0x481e, GUEST)			\
	X(GUEST_LDTR_AR,	0x4820, GUEST)			\
	X(GUEST_TR_AR,		0x4822, GUEST)			\
	X(INTERRUPTIBILITY,	0x4824, GUEST)			\
	X(ACTIVITY,		0x4826, GUEST)			\
	X(GUEST_SYSENTER_CS,	0x482a, GUEST)			\
	X(HOST_SYSENTER_CS,	0x4c00, CONTROL)		\
	X(CR0_MASK,		0x6000, CONTROL)		\
	X(CR4_MASK,		0x6002, CONTROL)		\
	X(CR0_SHADOW,		0x6004, CONTROL)		\
	X(CR4_SHADOW,		0x6006, CONTROL)		\
	X(QUALIFICATION,	0x6400, INFO)			\
	X(GUEST_LINEAR,		0x640a, INFO)			\
	X(GUEST_CR0,		0x6800, GUEST)			\
	X(GUEST_CR3,		0x6802, GUEST)			\
	X(GUEST_CR4,		0x6804, GUEST)			\
	X(GUEST_ES_BASE,	0x6806, GUEST)			\
	X(GUEST_CS_BASE,	0x6808, GUEST)			\
	X(GUEST_SS_BASE,	0x680a, GUEST)			\
	X(GUEST_DS_BASE,	0x680c, GUEST)			\
	X(GUEST_FS_BASE,	0x680e, GUEST)			\
	X(GUEST_GS_BASE,	0x6810, GUEST)			\
	X(GUEST_LDTR_BASE,	0x6812, GUEST)			\
	X(GUEST_TR_BASE,	0x6814, GUEST)			\
	X(GUEST_GDTR_BASE,	0x6816, GUEST)			\
	X(GUEST_IDTR_BASE,	0x6818, GUEST)			\
	X(GUEST_DR7,		0x681a, CONTROL)		\
	X(GUEST_RSP,		0x681c, GUEST)			\
	X(GUEST_RIP,		0x681e, GUEST)			\
	X(GUEST_RFLAGS,		0x6820, GUEST)			\
	X(PENDING_DEBUG,	0x6822, GUEST)			\
	X(GUEST_SYSENTER_ESP,	0x6824, GUEST)			\
	X(GUEST_SYSENTER_EIP,	0x6826, GUEST)			\
	X(HOST_CR0,		0x6c00, CONTROL)		\
	X(HOST_CR3,		0x6c02, CONTROL)		\
	X(HOST_CR4,		0x6c04, CONTROL)		\
	X(HOST_FS_BASE,		0x6c06, CONTROL)		\
	X(HOST_GS_BASE,		0x6c08, CONTROL)		\
	X(HOST_TR_BASE,		0x6c0a, CONTROL)		\
	X(HOST_GDTR_BASE,	0x6c0c, CONTROL)		\
	X(HOST_IDTR_BASE,	0x6c0e, CONTROL)		\
	X(HOST_SYSENTER_ESP,	0x6c10, CONTROL)		\
	X(HOST_SYSENTER_EIP,	0x6c12, CONTROL)		\
	X(HOST_RIP,		0x6c16, CONTROL)

/* Written in enter.S alone, so not among those that are kept in memory. */
#define VMCS_ENCODING_HOST_RSP	0x6c14

/* Read and written in apic.c alone: after each exit. */
#define VMCS_ENCODING_GUEST_INTERRUPT	0x0810

/* Looked at before anything else, where nothing may be called. */
#define VMCS_ENCODING_EXIT_REASON	0x4402
#define VMCS_ENCODING_EXIT_EVENT	0x4404

#define HVMM_VMCS_ENUM(name, encoding, kind)	VMCS_##name,

/**
 * enum hvmm_vmcs_field - fields of a VMCS, numbered from 0 without a gap
 *
 * Segment fields are in the order of their encoding, as enum hvmm_seg_reg is.
 */
enum hvmm_vmcs_field {
	HVMM_VMCS_FIELDS(HVMM_VMCS_ENUM)
	VMCS_FIELDS_NR
};

#undef HVMM_VMCS_ENUM

/* Pin-based controls: 25.6.1 */
#define PIN_EXTERNAL_INTERRUPT		BIT(0)
#define PIN_NMI				BIT(3)
#define PIN_VIRTUAL_NMIS		BIT(5)
#define PIN_PREEMPTION_TIMER		BIT(6)
#define PIN_POSTED_INTERRUPTS		BIT(7)

/* Primary processor-based controls: 25.6.2, table 25-6 */
#define PROC_INTERRUPT_WINDOW		BIT(2)
#define PROC_TSC_OFFSET			BIT(3)
#define PROC_HLT			BIT(7)
#define PROC_INVLPG			BIT(9)
#define PROC_MWAIT			BIT(10)
#define PROC_RDPMC			BIT(11)
#define PROC_RDTSC			BIT(12)
#define PROC_CR3_LOAD			BIT(15)
#define PROC_CR3_STORE			BIT(16)
#define PROC_CR8_LOAD			BIT(19)
#define PROC_CR8_STORE			BIT(20)
#define PROC_TPR_SHADOW			BIT(21)
#define PROC_NMI_WINDOW			BIT(22)
#define PROC_MOV_DR			BIT(23)
#define PROC_IO				BIT(24)
#define PROC_IO_BITMAPS			BIT(25)
#define PROC_MSR_BITMAP			BIT(28)
#define PROC_MONITOR			BIT(29)
#define PROC_PAUSE			BIT(30)
#define PROC_SECONDARY			BIT(31)

/* Secondary processor-based controls: table 25-7 */
#define PROC2_APIC_ACCESS		BIT(0)
#define PROC2_EPT			BIT(1)
#define PROC2_RDTSCP			BIT(3)
#define PROC2_X2APIC			BIT(4)
#define PROC2_VPID			BIT(5)
#define PROC2_WBINVD			BIT(6)
#define PROC2_UNRESTRICTED		BIT(7)
#define PROC2_APIC_REGISTERS		BIT(8)
#define PROC2_INTERRUPT_DELIVERY	BIT(9)
#define PROC2_PAUSE_LOOP		BIT(10)
#define PROC2_INVPCID			BIT(12)
#define PROC2_ENCLS			BIT(15)

/* Exit controls: table 25-13 */
#define EXIT_SAVE_DEBUG			BIT(2)
#define EXIT_HOST_64			BIT(9)
#define EXIT_ACK_INTERRUPT		BIT(15)
#define EXIT_LOAD_PAT			BIT(19)
#define EXIT_SAVE_EFER			BIT(20)
#define EXIT_LOAD_EFER			BIT(21)

/* Entry controls: table 25-15 */
#define ENTRY_LOAD_DEBUG		BIT(2)
#define ENTRY_LONG_MODE			BIT(9)
#define ENTRY_SMM			BIT(10)
#define ENTRY_DUAL_MONITOR		BIT(11)
#define ENTRY_LOAD_PAT			BIT(14)
#define ENTRY_LOAD_EFER			BIT(15)

/* Event fields of entry, exit and vectoring: tables 25-17, 25-18, 25-19 */
#define EVENT_VECTOR			0xffU
#define EVENT_TYPE(info)		(((info) >> 8) & 7)
#define EVENT_ERROR			BIT(11)
#define EVENT_UNBLOCKED_NMI		BIT(12)
#define EVENT_VALID			BIT(31)
#define EVENT_RESERVED			0x7ffff000U

#define EVENT_INTERRUPT			0
#define EVENT_NMI			2
#define EVENT_EXCEPTION			3
#define EVENT_SOFT_INTERRUPT		4
#define EVENT_ICEBP			5
#define EVENT_SOFT_EXCEPTION		6
#define EVENT_OTHER			7

/* Interruptibility state: table 25-3 */
#define BLOCKED_BY_STI			BIT(0)
#define BLOCKED_BY_MOV_SS		BIT(1)
#define BLOCKED_BY_SMI			BIT(2)
#define BLOCKED_BY_NMI			BIT(3)
#define BLOCKED_IN_ENCLAVE		BIT(4)

/* Pending debug exceptions: table 25-4 */
#define PENDING_DEBUG_ENABLED		BIT_ULL(12)
#define PENDING_DEBUG_STEP		BIT_ULL(14)
#define PENDING_DEBUG_RTM		BIT_ULL(16)

/* Access rights of a segment: table 25-2 */
#define VMX_AR_TYPE				0x000fU
#define VMX_AR_ACCESSED			0x0001U
#define VMX_AR_WRITE			0x0002U
#define VMX_AR_CODE				0x0008U
#define VMX_AR_S				0x0010U
#define VMX_AR_DPL(ar)			(((ar) >> 5) & 3)
#define VMX_AR_P				0x0080U
#define VMX_AR_L				0x2000U
#define VMX_AR_DB				0x4000U
#define VMX_AR_G				0x8000U
#define VMX_AR_UNUSABLE			0x10000U
#define VMX_AR_RESERVED			0xfffe0f00U

/* EPT pointer: 25.6.11 */
#define EPTP_WRITE_BACK			6
#define EPTP_LEVELS(n)			(((n) - 1ULL) << 3)
#define EPTP_ACCESSED_DIRTY		BIT_ULL(6)

/* IA32_VMX_BASIC: A.1 */
#define BASIC_REVISION			0x7fffffffU
#define BASIC_SIZE(b)			(((b) >> 32) & 0x1fff)
#define BASIC_32BIT			BIT_ULL(48)
#define BASIC_MEMORY_TYPE(b)		(((b) >> 50) & 0xf)
#define BASIC_TRUE_CONTROLS		BIT_ULL(55)
#define BASIC_ANY_ERROR_CODE		BIT_ULL(56)

/* IA32_VMX_EPT_VPID_CAP: A.10 */
#define EPT_4_LEVELS			BIT_ULL(6)
#define EPT_WRITE_BACK			BIT_ULL(14)
#define EPT_2M				BIT_ULL(16)
#define EPT_INVEPT			BIT_ULL(20)
#define EPT_ACCESSED_DIRTY		BIT_ULL(21)
#define EPT_INVEPT_SINGLE		BIT_ULL(25)
#define EPT_INVEPT_ALL			BIT_ULL(26)
#define EPT_INVVPID			BIT_ULL(32)
#define EPT_INVVPID_ALL			BIT_ULL(42)

/* IA32_FEATURE_CONTROL, and the MSRs of appendix A */
#define FEATURE_CONTROL_LOCKED		BIT_ULL(0)
#define FEATURE_CONTROL_VMXON		BIT_ULL(2)

/* Basic exit reasons: appendix C */
enum hvmm_vmx_reason {
	REASON_EXCEPTION = 0,
	REASON_INTERRUPT = 1,
	REASON_TRIPLE_FAULT = 2,
	REASON_INIT = 3,
	REASON_SIPI = 4,
	REASON_IO_SMI = 5,
	REASON_SMI = 6,
	REASON_INTERRUPT_WINDOW = 7,
	REASON_NMI_WINDOW = 8,
	REASON_TASK_SWITCH = 9,
	REASON_CPUID = 10,
	REASON_GETSEC = 11,
	REASON_HLT = 12,
	REASON_INVD = 13,
	REASON_INVLPG = 14,
	REASON_RDPMC = 15,
	REASON_RDTSC = 16,
	REASON_RSM = 17,
	REASON_VMCALL = 18,
	REASON_VMCLEAR = 19,
	REASON_VMXON = 27,
	REASON_CR = 28,
	REASON_DR = 29,
	REASON_IO = 30,
	REASON_RDMSR = 31,
	REASON_WRMSR = 32,
	REASON_GUEST_STATE = 33,
	REASON_MSR_LOAD = 34,
	REASON_MWAIT = 36,
	REASON_MONITOR = 39,
	REASON_PAUSE = 40,
	REASON_MACHINE_CHECK = 41,
	REASON_TPR = 43,
	REASON_EOI = 45,
	REASON_EPT_VIOLATION = 48,
	REASON_EPT_MISCONFIGURED = 49,
	REASON_INVEPT = 50,
	REASON_RDTSCP = 51,
	REASON_INVVPID = 53,
	REASON_WBINVD = 54,
	REASON_XSETBV = 55,
	REASON_APIC_WRITE = 56,
	REASON_ENCLS = 60,
	REASON_SEAMCALL = 76,
	REASON_TDCALL = 77,
};

#define REASON_BASIC			0xffffU
#define REASON_ENTRY_FAILED		BIT(31)

/* Exit qualification of EPT violations (table 28-7) and I/O (table 28-5) */
#define EPT_Q_WRITE			BIT_ULL(1)
#define EPT_Q_LINEAR_VALID		BIT_ULL(7)
#define EPT_Q_TRANSLATED		BIT_ULL(8)
#define EPT_Q_UNBLOCKED_NMI		BIT_ULL(12)
#define TASK_Q_SEL(q)			((q) & 0xffff)
#define TASK_Q_SOURCE(q)		(((q) >> 30) & 3)
#define IO_Q_SIZE(q)			(((q) & 7) + 1)
#define IO_Q_IN				BIT_ULL(3)
#define IO_Q_STRING			BIT_ULL(4)
#define IO_Q_PORT(q)			(((q) >> 16) & 0xffff)

#endif
