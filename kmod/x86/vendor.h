/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_VENDOR_H
#define HVMM_X86_VENDOR_H

#include "x86/vcpu.h"

struct hvmm_paging_regs;

/**
 * struct hvmm_arch_ops - what SVM and VMX do differently
 * @name: "svm" or "vmx"
 * @tdp: nested page table format, constant from now on, and how deep the tables are, 4 or 5;
 *       after @probe
 * @present: whether the processor has the extension at all
 * @probe: whether this pCPU has what is needed; fills a reason otherwise. Return 0 or -errno
 * @setup: allocate what all VMs share
 * @teardown: free it
 * @enable_cpu: switch the extension on, on this pCPU, interrupts off. -EBUSY if in use
 * @disable_cpu: switch it off, on this pCPU, interrupts off
 * @vcpu_alloc: allocate a zeroed vCPU with its control block; may sleep
 * @vcpu_free: free it
 * @vcpu_bytes: kernel memory that one vCPU takes
 * @vcpu_reset: state after power-on or INIT
 * @load: the vCPU is about to run on this pCPU; preemption off
 * @put: it leaves this pCPU; preemption off
 * @enter: VM entry and exit; interrupts off, also on return. True if the exit has been handled
 *	already, and only the look before an entry is due. Exits that ask for little may be
 *	handled within and the guest be entered again: see x86/quick.h and locking.rst
 * @exit: handle the exit, if @enter has not; interrupts on, preemption off
 * @get_seg: a segment register, from the control block
 * @set_seg: set it
 * @get_cpl: current privilege level
 * @get_cr: CR0, CR3, CR4 (nr 0, 3, 4)
 * @set_cr: set it as validated by x86/cr.c
 * @set_pdptes: what CR3 points to under PAE paging, validated by x86/cr.c; NULL where the
 *              processor reads it from memory at each use
 * @get_paging: CR0, CR3, CR4 and EFER at once
 * @get_efer: EFER as the guest sees it
 * @set_efer: set it, validated
 * @get_msr: an MSR held in the control block; -ENOENT if it is not one of these
 * @set_msr: likewise
 * @get_dt: IDTR (1) or GDTR (0): base and limit
 * @set_dt: likewise
 * @get_dr: DR6 or DR7 (nr 6, 7)
 * @set_dr: set it, reserved bits fixed
 * @set_tsc_offset: what is added to the host's TSC for this vCPU
 * @inject: put an event into the control block for the next entry
 * @delivers: whether entries take what is requested out of the LAPIC, and the processor delivers
 *            it; %NULL: never
 * @intr_allowed: RFLAGS.IF set and no interrupt shadow
 * @nmi_allowed: no NMI blocking and no interrupt shadow
 * @nmi_masked: an NMI is in service: its IRET is still to come
 * @set_nmi_masked: say so: a task switch has begun or ended its service
 * @open_irq_window: exit as soon as an interrupt of a priority class can be taken
 * @open_tpr_window: exit when a change of the TPR may let through what it holds back now
 * @open_nmi_window: exit as soon as an NMI can be taken
 * @set_shadow: set or clear the interrupt shadow
 * @flush_tlb: at the next entry, use no cached translation of this guest's page tables
 * @flush_nested: the same, and none of the nested page table
 * @set_msr_intercept: whether RDMSR and WRMSR of an MSR exit, on all vCPUs of all VMs
 * @trace: write the state to the trace
 * @dump: write it to the trace and, rate-limited, to the log
 */
struct hvmm_arch_ops {
	const char *name;
	const struct hvmm_tdp_format *(*tdp)(int *levels);
	bool (*present)(void);
	int (*probe)(const char **why);
	int (*setup)(void);
	void (*teardown)(void);
	int (*enable_cpu)(void);
	void (*disable_cpu)(void);
	struct hvmm_x86_vcpu *(*vcpu_alloc)(struct hvmm_vm *vm);
	void (*vcpu_free)(struct hvmm_x86_vcpu *x);
	size_t (*vcpu_bytes)(void);
	void (*vcpu_reset)(struct hvmm_x86_vcpu *x, bool init);
	void (*load)(struct hvmm_x86_vcpu *x);
	void (*put)(struct hvmm_x86_vcpu *x);
	bool (*enter)(struct hvmm_x86_vcpu *x);
	enum hvmm_exit_fate (*exit)(struct hvmm_x86_vcpu *x);
	void (*get_seg)(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, struct hvmm_seg *seg);
	void (*set_seg)(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, const struct hvmm_seg *seg);
	int (*get_cpl)(struct hvmm_x86_vcpu *x);
	u64 (*get_cr)(struct hvmm_x86_vcpu *x, int nr);
	void (*set_cr)(struct hvmm_x86_vcpu *x, int nr, u64 val);
	void (*set_pdptes)(struct hvmm_x86_vcpu *x, const u64 pdpte[4]);
	void (*get_paging)(struct hvmm_x86_vcpu *x, struct hvmm_paging_regs *r);
	u64 (*get_efer)(struct hvmm_x86_vcpu *x);
	void (*set_efer)(struct hvmm_x86_vcpu *x, u64 efer);
	int (*get_msr)(struct hvmm_x86_vcpu *x, u32 msr, u64 *val);
	int (*set_msr)(struct hvmm_x86_vcpu *x, u32 msr, u64 val);
	void (*get_dt)(struct hvmm_x86_vcpu *x, bool idt, u64 *base, u32 *limit);
	void (*set_dt)(struct hvmm_x86_vcpu *x, bool idt, u64 base, u32 limit);
	u64 (*get_dr)(struct hvmm_x86_vcpu *x, int nr);
	void (*set_dr)(struct hvmm_x86_vcpu *x, int nr, u64 val);
	void (*set_tsc_offset)(struct hvmm_x86_vcpu *x, u64 offset);
	void (*inject)(struct hvmm_x86_vcpu *x, const struct hvmm_event *event);
	bool (*delivers)(const struct hvmm_x86_vcpu *x);
	bool (*intr_allowed)(struct hvmm_x86_vcpu *x);
	bool (*nmi_allowed)(struct hvmm_x86_vcpu *x);
	bool (*nmi_masked)(struct hvmm_x86_vcpu *x);
	void (*set_nmi_masked)(struct hvmm_x86_vcpu *x, bool on);
	void (*open_irq_window)(struct hvmm_x86_vcpu *x, u8 priority);
	void (*open_tpr_window)(struct hvmm_x86_vcpu *x);
	void (*open_nmi_window)(struct hvmm_x86_vcpu *x);
	void (*set_shadow)(struct hvmm_x86_vcpu *x, bool on);
	void (*flush_tlb)(struct hvmm_x86_vcpu *x);
	void (*flush_nested)(struct hvmm_x86_vcpu *x);
	void (*set_msr_intercept)(struct hvmm_x86_vcpu *x, u32 msr, bool read, bool write);
	void (*trace)(struct hvmm_x86_vcpu *x);
	void (*dump)(struct hvmm_x86_vcpu *x, const char *why);
};

/* The vendors' tables. No other line outside of their folders and host/ names one. */
extern const struct hvmm_arch_ops hvmm_svm_ops;
extern const struct hvmm_arch_ops hvmm_vmx_ops;

#define HVMM_ARCH_OPS	{ &hvmm_svm_ops, &hvmm_vmx_ops }

/* The one in use; set before any VM exists, constant from then on. */
extern const struct hvmm_arch_ops *hvmm_arch;

/**
 * hvmm_arch_choose - set hvmm_arch as this processor asks for
 * @why: filled with the reason of a refusal
 *
 * Context: module init.
 * Return: 0 or -errno.
 */
int hvmm_arch_choose(const char **why);

#endif
