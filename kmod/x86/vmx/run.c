// SPDX-License-Identifier: GPL-2.0
/*
 * VM entry and exit: SDM vol. 3, 27 and 28; exits that are handled here: x86/quick.h. An
 * interrupt that is pending ends the next entry before the guest's first instruction (26.2).
 */
#include <linux/printk.h>

#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "host/context.h"
#include "host/debug.h"
#include "host/mitigations.h"
#include "host/msr.h"
#include "host/vmx.h"
#include "x86/quick.h"
#include "x86/vmx/apic.h"
#include "x86/vmx/check.h"
#include "x86/vmx/fields.h"
#include "x86/vmx/vmx.h"

/* enter.S knows these. */
static_assert(offsetof(struct hvmm_regs, gpr) == 0);
static_assert(HVMM_RCX == 1 && HVMM_RDX == 2 && HVMM_RBX == 3 && HVMM_RBP == 5);
static_assert(HVMM_RSI == 6 && HVMM_RDI == 7 && HVMM_R8 == 8 && HVMM_R15 == 15);
static_assert(VMCS_ENCODING_HOST_RSP == 0x6c14);

#define DR7_ENABLES	(DR_LOCAL_ENABLE_MASK | DR_GLOBAL_ENABLE_MASK)

/* All VPIDs of a word: 0 is the host's own. */
#define VPID_END	0x10000

void hvmm_vmx_flush_tlb(struct hvmm_x86_vcpu *x)
{
	to_vmx(x)->vpid_gen = 0;
}

/* What comes from EPT alone belongs to no VPID (SDM vol. 3, 29.4.1). */
void hvmm_vmx_flush_nested(struct hvmm_x86_vcpu *x)
{
	to_vmx(x)->vpid_gen = 0;
	to_vmx(x)->flush_nested = true;
}

void hvmm_vmx_flush_all_contexts(void)
{
	WARN_ON_ONCE(!hvmm_invept(HVMM_INVEPT_ALL, 0));
	if (hvmm_vmx_has(VMX_PROC2, PROC2_VPID))
		WARN_ON_ONCE(!hvmm_invvpid(HVMM_INVVPID_ALL, 0));
}

/* The VMCS is of a pCPU's own: what exits load there. */
static void write_host_state(struct hvmm_vmx_vcpu *vmx, const struct hvmm_host_state *host)
{
	hvmm_vmx_write(vmx, VMCS_HOST_CS_SEL, __KERNEL_CS);
	hvmm_vmx_write(vmx, VMCS_HOST_SS_SEL, __KERNEL_DS);
	/* What a task has in these is loaded when it runs: see hvmm_task_is_plain(). */
	hvmm_vmx_write(vmx, VMCS_HOST_DS_SEL, 0);
	hvmm_vmx_write(vmx, VMCS_HOST_ES_SEL, 0);
	hvmm_vmx_write(vmx, VMCS_HOST_FS_SEL, 0);
	hvmm_vmx_write(vmx, VMCS_HOST_GS_SEL, 0);
	hvmm_vmx_write(vmx, VMCS_HOST_GS_BASE, host->gs_base);
	hvmm_vmx_write(vmx, VMCS_HOST_TR_SEL, host->tr);
	hvmm_vmx_write(vmx, VMCS_HOST_TR_BASE, host->tr_base);
	hvmm_vmx_write(vmx, VMCS_HOST_GDTR_BASE, host->gdt_base);
	hvmm_vmx_write(vmx, VMCS_HOST_IDTR_BASE, host->idt_base);
	hvmm_vmx_write(vmx, VMCS_HOST_SYSENTER_CS, host->sysenter_cs);
	hvmm_vmx_write(vmx, VMCS_HOST_SYSENTER_ESP, host->sysenter_esp);
	hvmm_vmx_write(vmx, VMCS_HOST_SYSENTER_EIP, host->sysenter_eip);
	hvmm_vmx_write(vmx, VMCS_HOST_PAT, host->pat);
	hvmm_vmx_write(vmx, VMCS_HOST_EFER, host->efer);
	hvmm_vmx_write(vmx, VMCS_HOST_CR0, host->cr0);
	hvmm_vmx_write(vmx, VMCS_HOST_RIP, (unsigned long)hvmm_vmx_exited);
}

static void load_msrs(struct hvmm_vmx_vcpu *vmx, const struct hvmm_vmx_cpu *vc)
{
	unsigned int i;

	rdmsrq(MSR_KERNEL_GS_BASE, vmx->host_kernel_gs);
	for (i = 0; i < HVMM_VMX_MSRS; i++)
		wrmsrq(hvmm_vmx_msr_nr[i], vmx->msr[i]);
	if (boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID)) {
		rdmsrq(MSR_TSC_AUX, vmx->host_tsc_aux);
		if (vmx->host_tsc_aux != vmx->x.msr.tsc_aux)
			wrmsrq(MSR_TSC_AUX, vmx->x.msr.tsc_aux);
	}
}

static void put_msrs(struct hvmm_vmx_vcpu *vmx, const struct hvmm_vmx_cpu *vc)
{
	unsigned int i;

	for (i = 0; i < HVMM_VMX_MSRS; i++) {
		rdmsrq(hvmm_vmx_msr_nr[i], vmx->msr[i]);
		wrmsrq(hvmm_vmx_msr_nr[i], hvmm_vmx_msr_nr[i] == MSR_KERNEL_GS_BASE ?
		       vmx->host_kernel_gs : vc->msr[i]);
	}
	if ((boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID)) &&
	    vmx->host_tsc_aux != vmx->x.msr.tsc_aux)
		wrmsrq(MSR_TSC_AUX, vmx->host_tsc_aux);
}

bool hvmm_vmx_allow_split_locks(struct hvmm_vmx_vcpu *vmx)
{
	u64 ctrl;

	if (!boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT))
		return false;
	rdmsrq(MSR_TEST_CTRL, ctrl);
	if (!(ctrl & MSR_TEST_CTRL_SPLIT_LOCK_DETECT))
		return false;
	wrmsrq(MSR_TEST_CTRL, ctrl & ~MSR_TEST_CTRL_SPLIT_LOCK_DETECT);
	vmx->split_locks = true;
	return true;
}

static void detect_split_locks(struct hvmm_vmx_vcpu *vmx)
{
	u64 ctrl;

	rdmsrq(MSR_TEST_CTRL, ctrl);
	wrmsrq(MSR_TEST_CTRL, ctrl | MSR_TEST_CTRL_SPLIT_LOCK_DETECT);
	vmx->split_locks = false;
}

void hvmm_vmx_load(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vmx_cpu *vc = this_cpu_ptr(&hvmm_vmx_cpu);
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	u64 fs_base;

	if (vc->last_vm != x->vcpu.vm->id) {
		if (vc->last_vm)
			hvmm_mitigate_switch();
		vc->last_vm = x->vcpu.vm->id;
	}
	/* The first VMCLEAR of all makes the page a VMCS. */
	if (unlikely(vmx->cpu < 0))
		WARN_ON_ONCE(!hvmm_vmclear(vmx->vmcs_pa));
	WARN_ON_ONCE(!hvmm_vmptrld(vmx->vmcs_pa));
	vmx->loaded = true;
	vmx->launched = false;
	if (vmx->cpu != smp_processor_id()) {
		vmx->cpu = smp_processor_id();
		/* It may hold what it knew of this VM when the vCPU was here last. */
		hvmm_vmx_flush_nested(x);
		write_host_state(vmx, &vc->host);
	}
	/* A thread of the kernel has none, one of the device process has. */
	rdmsrq(MSR_FS_BASE, fs_base);
	hvmm_vmx_write(vmx, VMCS_HOST_FS_BASE, fs_base);
	hvmm_vmx_watch_pause(vmx);
	load_msrs(vmx, vc);
}

/*
 * No pCPU holds the VMCS of a vCPU that does not run: nobody has to be asked for it when
 * the vCPU moves or is destroyed, or when a pCPU goes.
 */
void hvmm_vmx_put(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vmx_cpu *vc = this_cpu_ptr(&hvmm_vmx_cpu);
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	put_msrs(vmx, vc);
	if (unlikely(vmx->split_locks))
		detect_split_locks(vmx);
	WARN_ON_ONCE(!hvmm_vmclear(vmx->vmcs_pa));
	vmx->loaded = false;
	hvmm_host_vmx_put();
	hvmm_mitigate_leave();
}

/* SDM vol. 3, 29.4: a new VPID has nothing in the TLB; when they run out, all go. */
static void new_vpid(struct hvmm_vmx_vcpu *vmx, struct hvmm_vmx_cpu *vc)
{
	if (!hvmm_vmx_has(VMX_PROC2, PROC2_VPID)) {
		/* Entries and exits flush. */
		vmx->vpid_gen = vc->vpid_gen;
		return;
	}
	if (vc->vpid_next >= VPID_END) {
		vc->vpid_gen++;
		vc->vpid_next = 1;
		WARN_ON_ONCE(!hvmm_invvpid(HVMM_INVVPID_ALL, 0));
	}
	vmx->vpid_gen = vc->vpid_gen;
	hvmm_vmx_write(vmx, VMCS_VPID, vc->vpid_next++);
	hvmm_stat_inc(&vmx->x.vcpu, tlb_flushes);
}

static void flush_nested(struct hvmm_vmx_vcpu *vmx)
{
	vmx->flush_nested = false;
	if (hvmm_vmx_caps.ept_vpid & EPT_INVEPT_SINGLE)
		WARN_ON_ONCE(!hvmm_invept(HVMM_INVEPT_SINGLE, hvmm_vmx_read(vmx, VMCS_EPTP)));
	else
		WARN_ON_ONCE(!hvmm_invept(HVMM_INVEPT_ALL, 0));
}

static void load_debug_registers(const u64 *dr)
{
	/* The host's DR7 would act on the guest's addresses. */
	set_debugreg(0, 7);
	set_debugreg(dr[0], 0);
	set_debugreg(dr[1], 1);
	set_debugreg(dr[2], 2);
	set_debugreg(dr[3], 3);
}

/* Before anything else, while NMIs are still blocked: the host's own, natively. */
static __always_inline void take_host_exception(void)
{
	u64 reason, event;

	if (!hvmm_vmread(VMCS_ENCODING_EXIT_REASON, &reason) || (u32)reason != REASON_EXCEPTION ||
	    !hvmm_vmread(VMCS_ENCODING_EXIT_EVENT, &event) || !(event & EVENT_VALID))
		return;
	if (EVENT_TYPE(event) == EVENT_NMI)
		hvmm_host_take_nmi();
	else if (EVENT_TYPE(event) == EVENT_EXCEPTION && (event & EVENT_VECTOR) == 18)
		hvmm_host_take_mce();
}

static noinstr void enter_guest(struct hvmm_vmx_vcpu *vmx, struct hvmm_vmx_cpu *vc)
{
	hvmm_context_enter(&vc->noted);
	if (native_read_cr2() != vmx->x.cr2)
		native_write_cr2(vmx->x.cr2);
	vmx->failed = hvmm_vmx_run(&vmx->x.regs, vmx->launched);
	vmx->x.cr2 = native_read_cr2();
	if (likely(!vmx->failed))
		take_host_exception();
	hvmm_context_exit();
}

#ifdef HVMM_DEBUG
/* For hvmm_vmx_try_broken(). Return: whether the guest was entered. */
static bool try_to_enter(struct hvmm_vmx_vcpu *vmx)
{
	u64 reason;

	enter_guest(vmx, this_cpu_ptr(&hvmm_vmx_cpu));
	hvmm_host_restore_debug(NULL);
	if (vmx->failed)
		return false;
	if (hvmm_vmread(VMCS_ENCODING_EXIT_REASON, &reason) && (reason & REASON_ENTRY_FAILED))
		return false;
	vmx->launched = true;
	return true;
}

/* Return: whether to enter. */
static bool state_is_sound(struct hvmm_vmx_vcpu *vmx)
{
	const char *why;

	hvmm_vmx_try_broken(vmx, try_to_enter);
	hvmm_vmx_read_all(vmx);
	why = hvmm_vmx_check(vmx->val, &hvmm_vmx_caps);
	if (likely(!why))
		return true;
	pr_err_ratelimited("VM %u vCPU %u: the entry would be refused: %s\n",
			   vmx->x.vcpu.vm->id, vmx->x.vcpu.index, why);
	/* As if it had been: the exit's handler says why and stops the VM. */
	hvmm_vmx_forget_fields(vmx);
	vmx->val[VMCS_EXIT_REASON] = REASON_GUEST_STATE | REASON_ENTRY_FAILED;
	vmx->val[VMCS_QUALIFICATION] = 0;
	__set_bit(VMCS_EXIT_REASON, vmx->valid);
	__set_bit(VMCS_QUALIFICATION, vmx->valid);
	return false;
}
#else
static bool state_is_sound(struct hvmm_vmx_vcpu *vmx)
{
	return true;
}
#endif

static void before(struct hvmm_vmx_vcpu *vmx, struct hvmm_vmx_cpu *vc)
{
	struct hvmm_x86_vcpu *x = &vmx->x;

	if (unlikely(vmx->vpid_gen != vc->vpid_gen))
		new_vpid(vmx, vc);
	if (unlikely(vmx->flush_nested))
		flush_nested(vmx);
	hvmm_vmx_lend_apic(vmx);
	hvmm_vmx_write(vmx, VMCS_GUEST_RSP, x->regs.gpr[HVMM_RSP]);
	hvmm_vmx_write(vmx, VMCS_GUEST_RIP, x->regs.rip);
	hvmm_vmx_write(vmx, VMCS_GUEST_RFLAGS, x->regs.rflags);
	hvmm_vmx_settle_debug(vmx);
	/* Both may change while interrupts are on. */
	hvmm_vmx_write(vmx, VMCS_HOST_CR3, __read_cr3());
	hvmm_vmx_write(vmx, VMCS_HOST_CR4, hvmm_host_cr4());
	hvmm_vmx_write_out(vmx);
}

/* After each exit. Return: its reason; %REASON_ENTRY_FAILED where there was none. */
static u32 left(struct hvmm_vmx_vcpu *vmx)
{
	u32 reason;

	hvmm_vmx_forget_fields(vmx);
	if (unlikely(vmx->failed))
		return REASON_ENTRY_FAILED;
	reason = hvmm_vmx_read(vmx, VMCS_EXIT_REASON);
	/* A failed entry leaves the VMCS as it was, and the event for the next one. */
	vmx->launched = !(reason & REASON_ENTRY_FAILED);
	/* SDM vol. 3, 28.2: an exit clears the valid bit. */
	if (likely(vmx->launched))
		vmx->val[VMCS_ENTRY_EVENT] = 0;
	return reason;
}

static noinline void trace_exit(struct hvmm_vmx_vcpu *vmx)
{
	struct hvmm_vcpu *vcpu = &vmx->x.vcpu;

	trace_hvmm_exit(vcpu->vm->id, vcpu->index, hvmm_vmx_read(vmx, VMCS_EXIT_REASON),
			hvmm_vmx_read(vmx, VMCS_GUEST_RIP), hvmm_vmx_read(vmx, VMCS_QUALIFICATION),
			hvmm_vmx_read(vmx, VMCS_EXIT_EVENT));
}

/* The instruction is done: step behind it. Nobody steps or is in a shadow: see quick_insn(). */
static __always_inline void step(struct hvmm_vmx_vcpu *vmx, u64 next_rip)
{
	if (trace_hvmm_exit_enabled())
		trace_exit(vmx);
	hvmm_vmx_write(vmx, VMCS_GUEST_RIP, next_rip);
}

static __always_inline enum hvmm_quick quick_pio(struct hvmm_vmx_vcpu *vmx, u64 next)
{
	u64 q = hvmm_vmx_read(vmx, VMCS_QUALIFICATION);
	u64 *rax = &vmx->x.regs.gpr[HVMM_RAX];
	unsigned int size = IO_Q_SIZE(q);
	u64 val = q & IO_Q_IN ? 0 : *rax;

	if ((q & IO_Q_STRING) ||
	    !hvmm_io_port_quick(&vmx->x, !(q & IO_Q_IN), IO_Q_PORT(q), size, &val))
		return HVMM_QUICK_LEAVE;
	step(vmx, next);
	if (q & IO_Q_IN)
		hvmm_quick_in(rax, size, val);
	return hvmm_asks_nothing(&vmx->x) ? HVMM_QUICK_AGAIN : HVMM_QUICK_LOOK;
}

/*
 * Not inline: what it needs of the stack no other exit pays for. These exits are of
 * instructions, and cut no delivery of an event off (SDM vol. 3, 28.2.4).
 */
static noinline enum hvmm_quick quick_insn(struct hvmm_vmx_vcpu *vmx, u32 reason)
{
	u64 rip = hvmm_vmx_read(vmx, VMCS_GUEST_RIP);
	u64 next = rip + hvmm_vmx_read(vmx, VMCS_EXIT_INSN_LEN);
	struct hvmm_x86_vcpu *x = &vmx->x;
	u64 *gpr = x->regs.gpr;
	u64 val;

	/* RIP may have to wrap around, outside of 64-bit mode; a step or a shadow ends. */
	if (unlikely((rip ^ next) >> 16 ||
		     hvmm_vmx_read(vmx, VMCS_GUEST_RFLAGS) & (X86_EFLAGS_TF | X86_EFLAGS_RF) ||
		     hvmm_vmx_read(vmx, VMCS_INTERRUPTIBILITY) &
			     (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		return HVMM_QUICK_LEAVE;
	switch (reason) {
	case REASON_CPUID:
		step(vmx, next);
		hvmm_quick_cpuid(x, &gpr[HVMM_RAX]);
		return HVMM_QUICK_AGAIN;
	case REASON_RDMSR:
		if (!hvmm_msr_read_quick(x, gpr[HVMM_RCX], &val))
			return HVMM_QUICK_LEAVE;
		step(vmx, next);
		hvmm_quick_rdmsr(x, &gpr[HVMM_RAX], val);
		return HVMM_QUICK_AGAIN;
	case REASON_VMCALL:
		if (hvmm_pv_is_hypercall(gpr[HVMM_RAX]) ||
		    VMX_AR_DPL(hvmm_vmx_read(vmx, VMCS_GUEST_SS_AR)))
			return HVMM_QUICK_LEAVE;
		step(vmx, next);
		hvmm_quick_no_hypercall(x, &gpr[HVMM_RAX]);
		return HVMM_QUICK_AGAIN;
	default:
		return quick_pio(vmx, next);
	}
}

/*
 * The access is done again: what blocks events or steps stays as it is in the VMCS. But an event
 * whose delivery made the access is delivered anew, and an IRET that made it has ended the blocking
 * of NMIs already (SDM vol. 3, 28.2.3, table 28-7): these are for hvmm_vmx_complete_events().
 */
static noinline enum hvmm_quick quick_page(struct hvmm_vmx_vcpu *vmx)
{
	u64 q = hvmm_vmx_read(vmx, VMCS_QUALIFICATION);
	u64 gpa = hvmm_vmx_read(vmx, VMCS_GUEST_PA);

	/* Where one page of the file was not there, the next one is not either, most likely. */
	if (vmx->x.hole || !hvmm_exit_npf_may_be_quick(&vmx->x, gpa) ||
	    (hvmm_vmx_read(vmx, VMCS_VECTORING) & EVENT_VALID) || (q & EPT_Q_UNBLOCKED_NMI) ||
	    !hvmm_exit_npf_quick(&vmx->x, gpa, q & EPT_Q_WRITE))
		return HVMM_QUICK_LEAVE;
	if (trace_hvmm_exit_enabled())
		trace_exit(vmx);
	return HVMM_QUICK_AGAIN;
}

static __always_inline enum hvmm_quick quick_exit(struct hvmm_vmx_vcpu *vmx, u32 reason)
{
	switch (reason) {
	case REASON_CPUID:
	case REASON_RDMSR:
	case REASON_VMCALL:
	case REASON_IO:
		return quick_insn(vmx, reason);
	case REASON_EPT_VIOLATION:
		return quick_page(vmx);
	default:
		return HVMM_QUICK_LEAVE;
	}
}

static void after(struct hvmm_vmx_vcpu *vmx)
{
	struct hvmm_x86_vcpu *x = &vmx->x;

	x->insn_valid = false;
	x->seg_valid = 0;
	hvmm_vmx_take_back_apic(vmx);
	if (unlikely(vmx->failed))
		return;
	x->regs.gpr[HVMM_RSP] = hvmm_vmx_read(vmx, VMCS_GUEST_RSP);
	x->regs.rip = hvmm_vmx_read(vmx, VMCS_GUEST_RIP);
	x->regs.rflags = hvmm_vmx_read(vmx, VMCS_GUEST_RFLAGS);
	if (unlikely(!vmx->launched))
		return;
	hvmm_vmx_complete_events(vmx);
}

/* @guest: rather than the host's */
static void set_perf_msrs(const struct perf_guest_switch_msr *msrs, int nr, bool guest)
{
	int i;

	for (i = 0; i < nr; i++)
		if (msrs[i].guest != msrs[i].host)
			wrmsrq(msrs[i].msr, guest ? msrs[i].guest : msrs[i].host);
}

bool hvmm_vmx_enter(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vmx_cpu *vc = this_cpu_ptr(&hvmm_vmx_cpu);
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	bool debugging = hvmm_vmx_read(vmx, VMCS_GUEST_DR7) & DR7_ENABLES;
	const struct perf_guest_switch_msr *perf;
	enum hvmm_quick quick;
	unsigned long host_dr[4];
	u64 debugctl;
	int nr_perf;

	before(vmx, vc);
	/* The host's counters would go on, and write their records where the guest has memory. */
	perf = hvmm_host_perf_msrs(&nr_perf);
	set_perf_msrs(perf, nr_perf, true);
	/* perf changes it by interrupts, which are off from now on. */
	rdmsrq(MSR_IA32_DEBUGCTLMSR, debugctl);
	for (;;) {
		if (!state_is_sound(vmx)) {
			set_perf_msrs(perf, nr_perf, false);
			hvmm_vmx_take_back_apic(vmx);
			return false;
		}
		if (unlikely(debugging)) {
			hvmm_host_save_debug(host_dr);
			load_debug_registers(x->dr);
		}
		hvmm_mitigate_enter();
		enter_guest(vmx, vc);
		hvmm_host_restore_debug(debugging ? host_dr : NULL);
		if (unlikely(debugctl))
			wrmsrq(MSR_IA32_DEBUGCTLMSR, debugctl);

		quick = quick_exit(vmx, left(vmx));
		if (quick != HVMM_QUICK_AGAIN)
			break;
		hvmm_vmx_write_out(vmx);
		if (trace_hvmm_entry_enabled())
			trace_hvmm_entry(x->vcpu.vm->id, x->vcpu.index,
					 hvmm_vmx_read(vmx, VMCS_GUEST_RIP));
	}
	set_perf_msrs(perf, nr_perf, false);
	after(vmx);
	return quick == HVMM_QUICK_LOOK;
}
