/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_SVM_SVM_H
#define HVMM_X86_SVM_SVM_H

#include <linux/percpu.h>

#include "x86/svm/check.h"
#include "x86/svm/vmcb.h"
#include "x86/vendor.h"

/**
 * enum hvmm_svm_insn - instructions whose plain encoding hvmm_svm_length() knows
 */
enum hvmm_svm_insn {
	HVMM_SVM_INSN_CPUID,
	HVMM_SVM_INSN_RDMSR,
	HVMM_SVM_INSN_WRMSR,
	HVMM_SVM_INSN_HLT,
	HVMM_SVM_INSN_PAUSE,
	HVMM_SVM_INSN_VMMCALL,
	HVMM_SVM_INSN_NR
};

/**
 * struct hvmm_svm_vcpu - a vCPU on SVM
 * @x: the common part; first
 * @vmcb: its control block
 * @vmcb_pa: physical address of it
 * @asid_gen: generation of the ASID in @vmcb, 0 for "needs a new one"
 * @asid_cpu: pCPU on which that ASID is valid
 * @nmi_masked: an NMI was injected and the guest has not executed IRET since
 * @iret_pending: it is about to execute that IRET, at @iret_rip
 * @stepping: TF was set by us for this entry, to see the end of the IRET or of a shadow
 * @stepped: the present exit is the #DB of that step, and of nothing else
 * @iret_rip: linear address of the IRET
 * @efer: EFER as the guest sees it; the one in @vmcb has SVME set
 */
struct hvmm_svm_vcpu {
	struct hvmm_x86_vcpu x;
	/* What each entry looks at comes first: scripts/check-layout. */
	struct hvmm_vmcb *vmcb ____cacheline_aligned;
	u64 vmcb_pa;
	u64 asid_gen;
	unsigned int asid_cpu;
	bool nmi_masked;
	bool iret_pending;
	bool stepping;
	bool stepped;
	u64 iret_rip;
	u64 efer;
};

static inline struct hvmm_svm_vcpu *to_svm(struct hvmm_x86_vcpu *x)
{
	return container_of(x, struct hvmm_svm_vcpu, x);
}

/**
 * struct hvmm_svm_cpu - SVM on one pCPU
 * @host_save: page where VMRUN keeps host state (VM_HSAVE_PA)
 * @host_vmcb: page where VMSAVE keeps the rest
 * @host_vmcb_pa: its physical address
 * @asid_gen: generation of ASIDs handed out now
 * @asid_next: next ASID of it
 * @last_vm: id of the VM that ran here last; its predictions may be left
 * @enabled: EFER.SVME was set by us
 * @host_dr: the host's DR0-DR3 while a guest's are loaded
 * @host_tsc_aux: its own TSC_AUX, which the kernel never changes
 * @noted: see hvmm_context_enter()
 */
struct hvmm_svm_cpu {
	struct page *host_save;
	struct page *host_vmcb;
	u64 host_vmcb_pa;
	u64 asid_gen;
	u32 asid_next;
	u32 last_vm;
	bool enabled;
	unsigned long host_dr[4];
	u64 host_tsc_aux;
	unsigned long noted;
};

DECLARE_PER_CPU(struct hvmm_svm_cpu, hvmm_svm_cpu);

/* Features of CPUID 0x8000000a EDX (APM vol. 3, E.4.9), as found by probe(). */
struct hvmm_svm_features {
	u32 nr_asids;
	bool nrips;
	bool flush_by_asid;
	bool decode_assists;
	bool pause_filter;
	bool pause_threshold;
};

extern struct hvmm_svm_features hvmm_svm_features;
extern struct hvmm_svm_limits hvmm_svm_limits;
extern u64 hvmm_svm_iopm_pa;
extern u64 hvmm_svm_msrpm_pa;

static inline void hvmm_svm_dirty(struct hvmm_svm_vcpu *svm, u32 clean_bits)
{
	svm->vmcb->control.clean &= ~clean_bits;
}

static inline void hvmm_svm_intercept(struct hvmm_svm_vcpu *svm, enum hvmm_svm_intercept nr,
				      bool on)
{
	u32 *word = &svm->vmcb->control.intercept[nr / 32];
	u32 val = on ? *word | BIT(nr % 32) : *word & ~BIT(nr % 32);

	if (val == *word)
		return;
	*word = val;
	hvmm_svm_dirty(svm, SVM_CLEAN_INTERCEPTS);
}

/* x86/svm/vcpu.c */
struct hvmm_x86_vcpu *hvmm_svm_vcpu_alloc(struct hvmm_vm *vm);
void hvmm_svm_vcpu_free(struct hvmm_x86_vcpu *x);
size_t hvmm_svm_vcpu_bytes(void);
void hvmm_svm_vcpu_reset(struct hvmm_x86_vcpu *x, bool init);
void hvmm_svm_load(struct hvmm_x86_vcpu *x);
void hvmm_svm_put(struct hvmm_x86_vcpu *x);
void hvmm_svm_flush_tlb(struct hvmm_x86_vcpu *x);
void hvmm_svm_watch_pause(struct hvmm_svm_vcpu *svm);

/* x86/svm/run.c */
bool hvmm_svm_enter(struct hvmm_x86_vcpu *x);

/* x86/svm/state.c */
void hvmm_svm_get_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, struct hvmm_seg *seg);
void hvmm_svm_set_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, const struct hvmm_seg *seg);
int hvmm_svm_get_cpl(struct hvmm_x86_vcpu *x);
u64 hvmm_svm_get_cr(struct hvmm_x86_vcpu *x, int nr);
void hvmm_svm_set_cr(struct hvmm_x86_vcpu *x, int nr, u64 val);
void hvmm_svm_get_paging(struct hvmm_x86_vcpu *x, struct hvmm_paging_regs *r);
u64 hvmm_svm_get_efer(struct hvmm_x86_vcpu *x);
void hvmm_svm_set_efer(struct hvmm_x86_vcpu *x, u64 efer);
int hvmm_svm_get_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 *val);
int hvmm_svm_set_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 val);
void hvmm_svm_get_dt(struct hvmm_x86_vcpu *x, bool idt, u64 *base, u32 *limit);
void hvmm_svm_set_dt(struct hvmm_x86_vcpu *x, bool idt, u64 base, u32 limit);
u64 hvmm_svm_get_dr(struct hvmm_x86_vcpu *x, int nr);
void hvmm_svm_set_dr(struct hvmm_x86_vcpu *x, int nr, u64 val);
void hvmm_svm_set_tsc_offset(struct hvmm_x86_vcpu *x, u64 offset);

/* x86/svm/event.c */
void hvmm_svm_inject(struct hvmm_x86_vcpu *x, const struct hvmm_event *event);
bool hvmm_svm_intr_allowed(struct hvmm_x86_vcpu *x);
bool hvmm_svm_nmi_allowed(struct hvmm_x86_vcpu *x);
bool hvmm_svm_nmi_masked(struct hvmm_x86_vcpu *x);
void hvmm_svm_set_nmi_masked(struct hvmm_x86_vcpu *x, bool on);
void hvmm_svm_open_irq_window(struct hvmm_x86_vcpu *x, u8 priority);
void hvmm_svm_open_tpr_window(struct hvmm_x86_vcpu *x);
void hvmm_svm_close_tpr_window(struct hvmm_svm_vcpu *svm);
void hvmm_svm_open_nmi_window(struct hvmm_x86_vcpu *x);
void hvmm_svm_set_shadow(struct hvmm_x86_vcpu *x, bool on);
void hvmm_svm_close_window(struct hvmm_svm_vcpu *svm);
void hvmm_svm_complete_events(struct hvmm_svm_vcpu *svm);
enum hvmm_exit_fate hvmm_svm_exit_iret(struct hvmm_svm_vcpu *svm, unsigned int len);

/* x86/svm/exit.c */
enum hvmm_exit_fate hvmm_svm_exit(struct hvmm_x86_vcpu *x);

/* x86/svm/length.c: 0 where it must be decoded; preemption off */
unsigned int hvmm_svm_length(struct hvmm_svm_vcpu *svm, enum hvmm_svm_insn insn);

/* x86/svm/dump.c */
void hvmm_svm_trace(struct hvmm_x86_vcpu *x);
void hvmm_svm_dump(struct hvmm_x86_vcpu *x, const char *why);

/* x86/svm/broken.c: of debug builds; @enter tells whether the guest was entered */
void hvmm_svm_try_broken(struct hvmm_svm_vcpu *svm, bool (*enter)(struct hvmm_svm_vcpu *svm));

/* x86/svm/enter.S */
void hvmm_svm_vmrun(struct hvmm_regs *regs, u64 guest_pa, u64 host_pa);

#endif
