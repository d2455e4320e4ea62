/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layout of the virtual machine control block: APM vol. 2, appendix B.
 */
#ifndef HVMM_X86_SVM_VMCB_H
#define HVMM_X86_SVM_VMCB_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

#include "x86/emulate.h"

/* Sizes of the permission maps, 15.10.1 and 15.11. */
#define SVM_IOPM_SIZE		(12 << 10)
#define SVM_MSRPM_SIZE		(8 << 10)

/* Intercept vector 3 (offset 0x0c) and 4 (0x10), table B-1. */
enum hvmm_svm_intercept {
	SVM_ICPT_INTR		= 0,
	SVM_ICPT_NMI		= 1,
	SVM_ICPT_SMI		= 2,
	SVM_ICPT_INIT		= 3,
	SVM_ICPT_VINTR		= 4,
	SVM_ICPT_CR0_SEL	= 5,
	SVM_ICPT_RDPMC		= 15,
	SVM_ICPT_CPUID		= 18,
	SVM_ICPT_RSM		= 19,
	SVM_ICPT_IRET		= 20,
	SVM_ICPT_INVD		= 22,
	SVM_ICPT_PAUSE		= 23,
	SVM_ICPT_HLT		= 24,
	SVM_ICPT_INVLPGA	= 26,
	SVM_ICPT_IOIO		= 27,
	SVM_ICPT_MSR		= 28,
	SVM_ICPT_SHUTDOWN	= 31,
	SVM_ICPT_VMRUN		= 32,
	SVM_ICPT_VMMCALL	= 33,
	SVM_ICPT_VMLOAD		= 34,
	SVM_ICPT_VMSAVE		= 35,
	SVM_ICPT_STGI		= 36,
	SVM_ICPT_CLGI		= 37,
	SVM_ICPT_SKINIT		= 38,
	SVM_ICPT_WBINVD		= 41,
	SVM_ICPT_MONITOR	= 42,
	SVM_ICPT_MWAIT		= 43,
	SVM_ICPT_MWAIT_ARMED	= 44,
	SVM_ICPT_XSETBV		= 45,
	SVM_ICPT_RDPRU		= 46,
};

/* Exit codes, appendix C. */
enum hvmm_svm_exit {
	SVM_X_CR0_READ		= 0x000,
	SVM_X_CR0_WRITE		= 0x010,
	SVM_X_CR3_WRITE		= 0x013,
	SVM_X_CR4_WRITE		= 0x014,
	SVM_X_CR8_WRITE		= 0x018,
	SVM_X_DR0_READ		= 0x020,
	SVM_X_DR0_WRITE		= 0x030,
	SVM_X_DR15_WRITE	= 0x03f,
	SVM_X_EXCP_BASE		= 0x040,
	SVM_X_EXCP_LAST		= 0x05f,
	SVM_X_INTR		= 0x060,
	SVM_X_NMI		= 0x061,
	SVM_X_SMI		= 0x062,
	SVM_X_INIT		= 0x063,
	SVM_X_VINTR		= 0x064,
	SVM_X_CR0_SEL_WRITE	= 0x065,
	SVM_X_RDPMC		= 0x06f,
	SVM_X_CPUID		= 0x072,
	SVM_X_RSM		= 0x073,
	SVM_X_IRET		= 0x074,
	SVM_X_INVD		= 0x076,
	SVM_X_PAUSE		= 0x077,
	SVM_X_HLT		= 0x078,
	SVM_X_INVLPGA		= 0x07a,
	SVM_X_IOIO		= 0x07b,
	SVM_X_MSR		= 0x07c,
	SVM_X_SHUTDOWN		= 0x07f,
	SVM_X_VMRUN		= 0x080,
	SVM_X_VMMCALL		= 0x081,
	SVM_X_VMLOAD		= 0x082,
	SVM_X_VMSAVE		= 0x083,
	SVM_X_STGI		= 0x084,
	SVM_X_CLGI		= 0x085,
	SVM_X_SKINIT		= 0x086,
	SVM_X_WBINVD		= 0x089,
	SVM_X_MONITOR		= 0x08a,
	SVM_X_MWAIT		= 0x08b,
	SVM_X_MWAIT_ARMED	= 0x08c,
	SVM_X_XSETBV		= 0x08d,
	SVM_X_RDPRU		= 0x08e,
	SVM_X_NPF		= 0x400,
	SVM_X_AVIC_IPI		= 0x401,
};

/* VMEXIT_INVALID; some processors and emulators set only the low half. */
#define SVM_X_INVALID_LOW	0xffffffffU

/* EVENTINJ and EXITINTINFO, 15.20. */
#define SVM_EVENT_VECTOR	0xffU
#define SVM_EVENT_TYPE(info)	((info) >> 8 & 7)
#define SVM_EVENT_EV		BIT(11)
#define SVM_EVENT_V		BIT(31)

/* EXITINFO1 of IOIO, 15.10.2. */
#define SVM_IOIO_IN		BIT(0)
#define SVM_IOIO_STR		BIT(2)
#define SVM_IOIO_REP		BIT(3)
#define SVM_IOIO_SIZE(info)	((info) >> 4 & 7)

/* EXITINFO1 of NPF, 15.25.6: the access is a write; it was made by the guest's page walk. */
#define SVM_NPF_WRITE		BIT_ULL(1)
#define SVM_NPF_TABLE_WALK	BIT_ULL(33)

/* Virtual interrupt control at 0x60, table B-1. */
#define SVM_V_TPR_MASK		0xffULL
#define SVM_V_IRQ		BIT_ULL(8)
#define SVM_V_INTR_PRIO_SHIFT	16
#define SVM_V_IGN_TPR		BIT_ULL(20)
#define SVM_V_INTR_MASKING	BIT_ULL(24)
#define SVM_V_INTR_VECTOR_SHIFT	32

#define SVM_SHADOW_INTERRUPT	BIT_ULL(0)
#define SVM_NP_ENABLE		BIT_ULL(0)

/* Clean bits, 15.15.3. */
enum hvmm_svm_clean {
	SVM_CLEAN_INTERCEPTS	= BIT(0),
	SVM_CLEAN_IOPM		= BIT(1),
	SVM_CLEAN_ASID		= BIT(2),
	SVM_CLEAN_TPR		= BIT(3),
	SVM_CLEAN_NP		= BIT(4),
	SVM_CLEAN_CR		= BIT(5),
	SVM_CLEAN_DR		= BIT(6),
	SVM_CLEAN_DT		= BIT(7),
	SVM_CLEAN_SEG		= BIT(8),
	SVM_CLEAN_CR2		= BIT(9),
	SVM_CLEAN_LBR		= BIT(10),
	SVM_CLEAN_ALL		= BIT(11) - 1,
};

/* TLB_CONTROL, 15.16.2. */
#define SVM_TLB_NOTHING		0
#define SVM_TLB_FLUSH_ALL	1
#define SVM_TLB_FLUSH_ASID	3

struct hvmm_vmcb_control {
	u32 intercept_cr;		/* 0x000: reads in the low half, writes in the high */
	u32 intercept_dr;		/* 0x004: likewise */
	u32 intercept_exceptions;	/* 0x008 */
	u32 intercept[3];		/* 0x00c */
	u8 reserved_18[0x3c - 0x18];
	u16 pause_threshold;		/* 0x03c */
	u16 pause_count;		/* 0x03e */
	u64 iopm_pa;			/* 0x040 */
	u64 msrpm_pa;			/* 0x048 */
	u64 tsc_offset;			/* 0x050 */
	u32 asid;			/* 0x058 */
	u8 tlb_control;			/* 0x05c */
	u8 reserved_5d[3];
	u64 vintr;			/* 0x060 */
	u64 shadow;			/* 0x068 */
	u64 exit_code;			/* 0x070 */
	u64 exit_info1;			/* 0x078 */
	u64 exit_info2;			/* 0x080 */
	u64 exit_int_info;		/* 0x088 */
	u64 np_control;			/* 0x090 */
	u64 avic_apic_bar;		/* 0x098 */
	u64 ghcb;			/* 0x0a0 */
	u64 event_inject;		/* 0x0a8 */
	u64 nested_cr3;			/* 0x0b0 */
	u64 virt_ext;			/* 0x0b8 */
	u32 clean;			/* 0x0c0 */
	u32 reserved_c4;
	u64 next_rip;			/* 0x0c8 */
	u8 insn_len;			/* 0x0d0 */
	u8 insn_bytes[15];		/* 0x0d1 */
	u8 reserved_e0[0x400 - 0xe0];
} __packed;

struct hvmm_vmcb_save {
	struct hvmm_seg es, cs, ss, ds, fs, gs;		/* 0x000 */
	struct hvmm_seg gdtr, ldtr, idtr, tr;		/* 0x060 */
	u8 reserved_a0[0xcb - 0xa0];
	u8 cpl;				/* 0x0cb */
	u32 reserved_cc;
	u64 efer;			/* 0x0d0 */
	u8 reserved_d8[0x148 - 0xd8];
	u64 cr4;			/* 0x148 */
	u64 cr3;			/* 0x150 */
	u64 cr0;			/* 0x158 */
	u64 dr7;			/* 0x160 */
	u64 dr6;			/* 0x168 */
	u64 rflags;			/* 0x170 */
	u64 rip;			/* 0x178 */
	u8 reserved_180[0x1d8 - 0x180];
	u64 rsp;			/* 0x1d8 */
	u64 s_cet;			/* 0x1e0 */
	u64 ssp;			/* 0x1e8 */
	u64 isst_addr;			/* 0x1f0 */
	u64 rax;			/* 0x1f8 */
	u64 star;			/* 0x200 */
	u64 lstar;			/* 0x208 */
	u64 cstar;			/* 0x210 */
	u64 sfmask;			/* 0x218 */
	u64 kernel_gs_base;		/* 0x220 */
	u64 sysenter_cs;		/* 0x228 */
	u64 sysenter_esp;		/* 0x230 */
	u64 sysenter_eip;		/* 0x238 */
	u64 cr2;			/* 0x240 */
	u8 reserved_248[0x268 - 0x248];
	u64 g_pat;			/* 0x268 */
	u64 dbgctl;			/* 0x270 */
	u64 br_from;			/* 0x278 */
	u64 br_to;			/* 0x280 */
	u64 last_excp_from;		/* 0x288 */
	u64 last_excp_to;		/* 0x290 */
	u8 reserved_298[0x2e0 - 0x298];
	u64 spec_ctrl;			/* 0x2e0 */
	u8 reserved_2e8[0xc00 - 0x2e8];
} __packed;

/**
 * struct hvmm_vmcb - virtual machine control block, one page
 * @control: control area
 * @save: state save area
 */
struct hvmm_vmcb {
	struct hvmm_vmcb_control control;
	struct hvmm_vmcb_save save;
} __packed;

static_assert(sizeof(struct hvmm_seg) == 16);
static_assert(offsetof(struct hvmm_vmcb_control, iopm_pa) == 0x40);
static_assert(offsetof(struct hvmm_vmcb_control, exit_code) == 0x70);
static_assert(offsetof(struct hvmm_vmcb_control, next_rip) == 0xc8);
static_assert(offsetof(struct hvmm_vmcb_save, cpl) == 0xcb);
static_assert(offsetof(struct hvmm_vmcb_save, cr4) == 0x148);
static_assert(offsetof(struct hvmm_vmcb_save, rax) == 0x1f8);
static_assert(offsetof(struct hvmm_vmcb_save, g_pat) == 0x268);
static_assert(offsetof(struct hvmm_vmcb_save, spec_ctrl) == 0x2e0);
static_assert(sizeof(struct hvmm_vmcb) == 4096);

#endif
