/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_VMX_VMX_H
#define HVMM_X86_VMX_VMX_H

#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/percpu.h>

#include "host/vmx.h"
#include "x86/vendor.h"
#include "x86/vmx/caps.h"
#include "x86/vmx/vmcs.h"

/* MSRs that neither entry nor exit switches: STAR, LSTAR, CSTAR, SFMASK, KERNEL_GS_BASE. */
#define HVMM_VMX_MSRS	5

/**
 * struct hvmm_vmx_vcpu - a vCPU on VMX
 * @x: the common part; first
 * @vmcs: its VMCS; no pCPU holds it but the one on which the vCPU is loaded
 * @vmcs_pa: physical address of it
 * @apic_page: what the processor keeps of the local APIC
 * @x2apic: it is one in x2APIC mode: the controls say so
 * @delivers: the processor delivers and ends its interrupts
 * @lent: number of requests that it was lent for that
 * @interrupt: guest interrupt status, as the VMCS has it
 * @val: fields of the VMCS, see hvmm_vmx_read() and hvmm_vmx_write()
 * @valid: which of @val are what the VMCS holds, or will hold at the next entry
 * @dirty: which of @val have to be written before the next entry
 * @loaded: the VMCS is current on this pCPU
 * @launched: it was entered since it was loaded
 * @cpu: pCPU on which it ran last, -1 for none
 * @vpid_gen: generation of the VPID, 0 for "needs a new one"
 * @flush_nested: nested translations that the pCPU holds may be old
 * @failed: the last entry was refused with VMfail
 * @split_locks: the host's detection of split locks is off while the vCPU is loaded
 * @dr6: DR6: the processor's own is the host's
 * @msr: the guest's MSRs while they are not in the registers
 * @host_kernel_gs: the host's KERNEL_GS_BASE while they are
 * @host_tsc_aux: the pCPU's own TSC_AUX while the guest's is loaded
 */
struct hvmm_vmx_vcpu {
	struct hvmm_x86_vcpu x;
	void *vmcs;
	u64 vmcs_pa;
	void *apic_page;
	bool x2apic;
	bool delivers;
	u16 lent;
	u16 interrupt;
	u64 val[VMCS_FIELDS_NR];
	DECLARE_BITMAP(valid, VMCS_FIELDS_NR);
	DECLARE_BITMAP(dirty, VMCS_FIELDS_NR);
	bool loaded;
	bool launched;
	int cpu;
	u64 vpid_gen;
	bool flush_nested;
	bool failed;
	bool split_locks;
	u64 dr6;
	u64 msr[HVMM_VMX_MSRS];
	u64 host_kernel_gs;
	u64 host_tsc_aux;
};

static inline struct hvmm_vmx_vcpu *to_vmx(struct hvmm_x86_vcpu *x)
{
	return container_of(x, struct hvmm_vmx_vcpu, x);
}

/**
 * struct hvmm_vmx_cpu - VMX on one pCPU
 * @vmxon: VMXON region
 * @vpid_gen: generation of VPIDs handed out now
 * @vpid_next: next VPID of it
 * @last_vm: id of the VM that ran here last; its predictions may be left
 * @enabled: VMXON was done by us
 * @noted: see hvmm_context_enter()
 * @msr: the host's own values of what struct hvmm_vmx_vcpu.msr holds
 * @host: what exits load
 */
struct hvmm_vmx_cpu {
	struct page *vmxon;
	u64 vpid_gen;
	u32 vpid_next;
	u32 last_vm;
	bool enabled;
	unsigned long noted;
	u64 msr[HVMM_VMX_MSRS];
	struct hvmm_host_state host;
};

DECLARE_PER_CPU(struct hvmm_vmx_cpu, hvmm_vmx_cpu);

extern struct hvmm_vmx_caps hvmm_vmx_caps;
/* By whether the vCPU's APIC is virtualized in x2APIC mode. */
extern u64 hvmm_vmx_msr_bitmap_pa[2];
extern const u32 hvmm_vmx_msr_nr[HVMM_VMX_MSRS];

/* Set on all vCPUs? */
static inline bool hvmm_vmx_has(enum hvmm_vmx_word word, u32 bit)
{
	return hvmm_vmx_caps.ctl[word] & bit;
}

/* x86/vmx/fields.c */
u64 __hvmm_vmx_read(struct hvmm_vmx_vcpu *vmx, enum hvmm_vmcs_field field);
void hvmm_vmx_write_out(struct hvmm_vmx_vcpu *vmx);
void hvmm_vmx_forget_fields(struct hvmm_vmx_vcpu *vmx);
void hvmm_vmx_read_all(struct hvmm_vmx_vcpu *vmx);

/**
 * hvmm_vmx_read - a field of a vCPU's VMCS
 * @vmx: the vCPU
 * @field: the field
 *
 * What was read since the last exit, or written by us, is in memory already.
 *
 * Context: the vCPU's runner, the vCPU loaded; or it does not run, and the field was
 * written since it was reset.
 */
static inline u64 hvmm_vmx_read(struct hvmm_vmx_vcpu *vmx, enum hvmm_vmcs_field field)
{
	return test_bit(field, vmx->valid) ? vmx->val[field] : __hvmm_vmx_read(vmx, field);
}

/**
 * hvmm_vmx_write - set a field; it goes to the VMCS before the next entry
 * @vmx: the vCPU
 * @field: the field
 * @val: value
 *
 * Context: the vCPU's runner, or it does not run.
 */
static inline void hvmm_vmx_write(struct hvmm_vmx_vcpu *vmx, enum hvmm_vmcs_field field, u64 val)
{
	if (test_bit(field, vmx->valid) && vmx->val[field] == val)
		return;
	vmx->val[field] = val;
	__set_bit(field, vmx->valid);
	__set_bit(field, vmx->dirty);
}

static inline void hvmm_vmx_assign(struct hvmm_vmx_vcpu *vmx, enum hvmm_vmcs_field field,
				   u64 bits, bool on)
{
	u64 val = hvmm_vmx_read(vmx, field);

	hvmm_vmx_write(vmx, field, on ? val | bits : val & ~bits);
}

void hvmm_vmx_poke(enum hvmm_vmcs_field field, u64 val);
void hvmm_vmx_poke_all(struct hvmm_vmx_vcpu *vmx);

/* x86/vmx/broken.c: of debug builds; @enter tells whether the guest was entered */
void hvmm_vmx_try_broken(struct hvmm_vmx_vcpu *vmx, bool (*enter)(struct hvmm_vmx_vcpu *vmx));

/* x86/vmx/vmx.c: whether reads and writes of an MSR exit */
void hvmm_vmx_map_msr(unsigned long *map, u32 msr, bool read, bool write);

/* x86/vmx/vcpu.c */
struct hvmm_x86_vcpu *hvmm_vmx_vcpu_alloc(struct hvmm_vm *vm);
void hvmm_vmx_vcpu_free(struct hvmm_x86_vcpu *x);
size_t hvmm_vmx_vcpu_bytes(void);
void hvmm_vmx_vcpu_reset(struct hvmm_x86_vcpu *x, bool init);
void hvmm_vmx_watch_pause(struct hvmm_vmx_vcpu *vmx);

/* x86/vmx/run.c */
/**
 * hvmm_vmx_allow_split_locks - let the guest have locked accesses over the border of cache lines
 * @vmx: the vCPU, as long as it is loaded
 *
 * Context: the vCPU's runner, preemption off.
 * Return: whether the host has detected them until now.
 */
bool hvmm_vmx_allow_split_locks(struct hvmm_vmx_vcpu *vmx);

void hvmm_vmx_load(struct hvmm_x86_vcpu *x);
void hvmm_vmx_put(struct hvmm_x86_vcpu *x);
bool hvmm_vmx_enter(struct hvmm_x86_vcpu *x);
void hvmm_vmx_flush_tlb(struct hvmm_x86_vcpu *x);
void hvmm_vmx_flush_nested(struct hvmm_x86_vcpu *x);
void hvmm_vmx_flush_all_contexts(void);

/* x86/vmx/state.c */
void hvmm_vmx_get_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, struct hvmm_seg *seg);
void hvmm_vmx_set_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr, const struct hvmm_seg *seg);
u32 hvmm_vmx_ar(u16 attrib);
int hvmm_vmx_get_cpl(struct hvmm_x86_vcpu *x);
u64 hvmm_vmx_get_cr(struct hvmm_x86_vcpu *x, int nr);
void hvmm_vmx_set_cr(struct hvmm_x86_vcpu *x, int nr, u64 val);
void hvmm_vmx_set_pdptes(struct hvmm_x86_vcpu *x, const u64 pdpte[4]);
void hvmm_vmx_get_paging(struct hvmm_x86_vcpu *x, struct hvmm_paging_regs *r);
u64 hvmm_vmx_get_efer(struct hvmm_x86_vcpu *x);
void hvmm_vmx_set_efer(struct hvmm_x86_vcpu *x, u64 efer);
int hvmm_vmx_get_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 *val);
int hvmm_vmx_set_msr(struct hvmm_x86_vcpu *x, u32 msr, u64 val);
void hvmm_vmx_get_dt(struct hvmm_x86_vcpu *x, bool idt, u64 *base, u32 *limit);
void hvmm_vmx_set_dt(struct hvmm_x86_vcpu *x, bool idt, u64 base, u32 limit);
u64 hvmm_vmx_get_dr(struct hvmm_x86_vcpu *x, int nr);
void hvmm_vmx_set_dr(struct hvmm_x86_vcpu *x, int nr, u64 val);
void hvmm_vmx_set_tsc_offset(struct hvmm_x86_vcpu *x, u64 offset);

/* x86/vmx/event.c */
void hvmm_vmx_inject(struct hvmm_x86_vcpu *x, const struct hvmm_event *event);
bool hvmm_vmx_intr_allowed(struct hvmm_x86_vcpu *x);
bool hvmm_vmx_nmi_allowed(struct hvmm_x86_vcpu *x);
bool hvmm_vmx_nmi_masked(struct hvmm_x86_vcpu *x);
void hvmm_vmx_set_nmi_masked(struct hvmm_x86_vcpu *x, bool on);
void hvmm_vmx_open_irq_window(struct hvmm_x86_vcpu *x, u8 priority);
void hvmm_vmx_open_tpr_window(struct hvmm_x86_vcpu *x);
void hvmm_vmx_open_nmi_window(struct hvmm_x86_vcpu *x);
void hvmm_vmx_set_shadow(struct hvmm_x86_vcpu *x, bool on);
void hvmm_vmx_settle_debug(struct hvmm_vmx_vcpu *vmx);
void hvmm_vmx_complete_events(struct hvmm_vmx_vcpu *vmx);

/* x86/vmx/exit.c */
enum hvmm_exit_fate hvmm_vmx_exit(struct hvmm_x86_vcpu *x);

/* x86/vmx/dump.c */
void hvmm_vmx_trace(struct hvmm_x86_vcpu *x);
void hvmm_vmx_dump(struct hvmm_x86_vcpu *x, const char *why);

/* x86/vmx/enter.S: whether the processor refused with VMfail */
bool hvmm_vmx_run(struct hvmm_regs *regs, bool launched);
/* Where exits go to; no function. */
extern const char hvmm_vmx_exited[];

#endif
