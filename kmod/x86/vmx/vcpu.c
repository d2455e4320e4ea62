// SPDX-License-Identifier: GPL-2.0
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/processor-flags.h>
#include <asm/msr-index.h>

#include "x86/cpuid.h"
#include "x86/exit.h"
#include "x86/spin.h"
#include "x86/vmx/vmx.h"

/*
 * PAUSEs that belong to one loop, and the length of a loop that is one of a spinning
 * lock waiter, in cycles (SDM vol. 3, 26.1.3).
 */
#define PAUSE_GAP	128
#define PAUSE_WINDOW	4096

/*
 * Bits of CR0 that the guest changes without an exit: they ask for nothing from hvmm.
 * The others decide on modes, or are fixed in VMX operation (SDM vol. 3, 24.8).
 */
#define CR0_GUEST	(X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_WP | X86_CR0_AM)

/* The same of CR4; PGE is what Linux flushes its TLB with. */
#define CR4_GUEST	(X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PGE | \
			 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_FSGSBASE)

/* Power-on value: SDM vol. 3, 12.12.4. */
#define PAT_RESET	0x0007040600070406ULL

static u64 eptp(const struct hvmm_vm *vm)
{
	u64 val = __pa(vm->mem.tdp.root) | EPTP_WRITE_BACK | EPTP_LEVELS(4);

	if (hvmm_vmx_caps.ept_vpid & EPT_ACCESSED_DIRTY)
		val |= EPTP_ACCESSED_DIRTY;
	return val;
}

static void init_control(struct hvmm_vmx_vcpu *vmx)
{
	const u32 *ctl = hvmm_vmx_caps.ctl;
	struct hvmm_vm *vm = vmx->x.vcpu.vm;
	u32 proc2 = ctl[VMX_PROC2];

	/* With one vCPU there is nobody else to spin for. */
	if (vm->nr_vcpus < 2)
		proc2 &= ~(u32)PROC2_PAUSE_LOOP;
	/* What the guest is not offered raises #UD. */
	if (!hvmm_guest_has(X86_FEATURE_RDTSCP) && !hvmm_guest_has(X86_FEATURE_RDPID))
		proc2 &= ~(u32)PROC2_RDTSCP;
	if (!hvmm_guest_has(X86_FEATURE_INVPCID))
		proc2 &= ~(u32)PROC2_INVPCID;

	hvmm_vmx_write(vmx, VMCS_PIN_CTL, ctl[VMX_PIN]);
	hvmm_vmx_write(vmx, VMCS_PROC_CTL, ctl[VMX_PROC]);
	hvmm_vmx_write(vmx, VMCS_PROC2_CTL, proc2);
	hvmm_vmx_write(vmx, VMCS_EXIT_CTL, ctl[VMX_EXIT]);
	hvmm_vmx_write(vmx, VMCS_ENTRY_CTL, ctl[VMX_ENTRY]);
	/*
	 * #DB and #AC: a guest can raise either without end while it is being delivered,
	 * and would never leave. #MC is the host's.
	 */
	hvmm_vmx_write(vmx, VMCS_EXCEPTION_BITMAP, BIT(1) | BIT(17) | BIT(18));
	hvmm_vmx_write(vmx, VMCS_PF_ERROR_MASK, 0);
	hvmm_vmx_write(vmx, VMCS_PF_ERROR_MATCH, 0);
	hvmm_vmx_write(vmx, VMCS_CR3_TARGETS, 0);
	hvmm_vmx_write(vmx, VMCS_MSR_BITMAP, hvmm_vmx_msr_bitmap_pa[false]);
	vmx->x2apic = false;
	vmx->delivers = false;
	hvmm_vmx_write(vmx, VMCS_EXIT_MSR_STORE, 0);
	hvmm_vmx_write(vmx, VMCS_EXIT_MSR_LOAD, 0);
	hvmm_vmx_write(vmx, VMCS_ENTRY_MSR_LOAD, 0);
	hvmm_vmx_write(vmx, VMCS_EXIT_MSR_STORE_NR, 0);
	hvmm_vmx_write(vmx, VMCS_EXIT_MSR_LOAD_NR, 0);
	hvmm_vmx_write(vmx, VMCS_ENTRY_MSR_LOAD_NR, 0);
	hvmm_vmx_write(vmx, VMCS_ENTRY_EVENT, 0);
	hvmm_vmx_write(vmx, VMCS_ENTRY_EVENT_ERROR, 0);
	hvmm_vmx_write(vmx, VMCS_ENTRY_INSN_LEN, 0);
	if (hvmm_vmx_has(VMX_PROC, PROC_TPR_SHADOW)) {
		hvmm_vmx_write(vmx, VMCS_VIRTUAL_APIC, __pa(vmx->apic_page));
		hvmm_vmx_write(vmx, VMCS_TPR_THRESHOLD, 0);
	}
	if (proc2 & PROC2_PAUSE_LOOP) {
		hvmm_vmx_write(vmx, VMCS_PLE_GAP, PAUSE_GAP);
		hvmm_vmx_write(vmx, VMCS_PLE_WINDOW, PAUSE_WINDOW);
	}
	if (proc2 & PROC2_ENCLS)
		hvmm_vmx_write(vmx, VMCS_ENCLS_BITMAP, U64_MAX);
	hvmm_vmx_write(vmx, VMCS_EPTP, eptp(vm));
	hvmm_vmx_write(vmx, VMCS_TSC_OFFSET, vm->tsc_offset);
	hvmm_vmx_write(vmx, VMCS_CR0_MASK, ~CR0_GUEST);
	hvmm_vmx_write(vmx, VMCS_CR4_MASK, ~(CR4_GUEST & hvmm_guest_cr4()));
}

struct hvmm_x86_vcpu *hvmm_vmx_vcpu_alloc(struct hvmm_vm *vm)
{
	struct hvmm_vmx_vcpu *vmx;

	vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);
	if (!vmx)
		return NULL;
	vmx->vmcs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vmx->apic_page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->vmcs || !vmx->apic_page) {
		hvmm_vmx_vcpu_free(&vmx->x);
		return NULL;
	}
	*(u32 *)vmx->vmcs = hvmm_vmx_caps.basic & BASIC_REVISION;
	vmx->vmcs_pa = __pa(vmx->vmcs);
	vmx->cpu = -1;
	return &vmx->x;
}

void hvmm_vmx_vcpu_free(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);

	free_page((unsigned long)vmx->apic_page);
	free_page((unsigned long)vmx->vmcs);
	kfree(vmx);
}

size_t hvmm_vmx_vcpu_bytes(void)
{
	return sizeof(struct hvmm_vmx_vcpu) + 2 * PAGE_SIZE;
}

static void reset_seg(struct hvmm_vmx_vcpu *vmx, unsigned int nr, u16 attrib)
{
	hvmm_vmx_write(vmx, VMCS_GUEST_ES_SEL + nr, 0);
	hvmm_vmx_write(vmx, VMCS_GUEST_ES_BASE + nr, 0);
	hvmm_vmx_write(vmx, VMCS_GUEST_ES_LIMIT + nr, 0xffff);
	hvmm_vmx_write(vmx, VMCS_GUEST_ES_AR + nr, hvmm_vmx_ar(attrib));
}

static void reset_segments(struct hvmm_vmx_vcpu *vmx)
{
	const u16 data = HVMM_SEG_ATTR_P | HVMM_SEG_ATTR_S | HVMM_SEG_ATTR_WRITE | 1;
	unsigned int nr;

	for (nr = 0; nr < HVMM_SEG_NR; nr++)
		reset_seg(vmx, nr, data);
	reset_seg(vmx, HVMM_SEG_CS, data | HVMM_SEG_ATTR_CODE);
	hvmm_vmx_write(vmx, VMCS_GUEST_CS_SEL, 0xf000);
	hvmm_vmx_write(vmx, VMCS_GUEST_CS_BASE, 0xffff0000);
	reset_seg(vmx, HVMM_SEG_LDTR, HVMM_SEG_ATTR_P | 2);
	/* A busy TSS of 32 bits: 64-bit mode takes no other. */
	reset_seg(vmx, HVMM_SEG_TR, HVMM_SEG_ATTR_P | 11);
	hvmm_vmx_set_dt(&vmx->x, false, 0, 0xffff);
	hvmm_vmx_set_dt(&vmx->x, true, 0, 0xffff);
}

/* SDM vol. 3, table 10-1: state after power-on and INIT. */
void hvmm_vmx_vcpu_reset(struct hvmm_x86_vcpu *x, bool init)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	unsigned int i;

	init_control(vmx);
	reset_segments(vmx);
	hvmm_vmx_write(vmx, VMCS_LINK, U64_MAX);
	hvmm_vmx_write(vmx, VMCS_GUEST_DEBUGCTL, 0);
	hvmm_vmx_write(vmx, VMCS_INTERRUPTIBILITY, 0);
	hvmm_vmx_write(vmx, VMCS_ACTIVITY, 0);
	hvmm_vmx_write(vmx, VMCS_PENDING_DEBUG, 0);
	for (i = 0; i < 4; i++)
		hvmm_vmx_write(vmx, VMCS_GUEST_PDPTE0 + i, 0);
	hvmm_vmx_set_efer(x, 0);
	hvmm_vmx_set_cr(x, 0, X86_CR0_ET | X86_CR0_NW | X86_CR0_CD);
	hvmm_vmx_set_cr(x, 3, 0);
	hvmm_vmx_set_cr(x, 4, 0);
	hvmm_vmx_write(vmx, VMCS_GUEST_DR7, HVMM_DR7_FIXED);
	vmx->dr6 = HVMM_DR6_FIXED;
	if (!init) {
		/* INIT leaves these alone. */
		hvmm_vmx_write(vmx, VMCS_GUEST_PAT, PAT_RESET);
		hvmm_vmx_write(vmx, VMCS_GUEST_SYSENTER_CS, 0);
		hvmm_vmx_write(vmx, VMCS_GUEST_SYSENTER_ESP, 0);
		hvmm_vmx_write(vmx, VMCS_GUEST_SYSENTER_EIP, 0);
		memset(vmx->msr, 0, sizeof(vmx->msr));
	}
	vmx->vpid_gen = 0;

	memset(&x->regs, 0, sizeof(x->regs));
	x->regs.rip = 0xfff0;
	x->regs.rflags = HVMM_RFLAGS_FIXED;
}

/*
 * Processors that do not count PAUSEs can only report each one. That is worth it while
 * another vCPU of the VM goes without a pCPU. It is found out when this one gets a pCPU,
 * and at the host's interrupts.
 */
void hvmm_vmx_watch_pause(struct hvmm_vmx_vcpu *vmx)
{
	if (hvmm_vmx_has(VMX_PROC2, PROC2_PAUSE_LOOP) || vmx->x.vcpu.vm->nr_vcpus < 2)
		return;
	hvmm_vmx_assign(vmx, VMCS_PROC_CTL, PROC_PAUSE, hvmm_spin_waiter(&vmx->x.vcpu));
}
