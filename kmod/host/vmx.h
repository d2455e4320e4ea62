/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What VMX asks of the host's kernel. After 6.18 it exports the keeping of CR4, and
 * the ownership of VMXON, to KVM alone: there nobody else can have VMX.
 */
#ifndef HVMM_HOST_VMX_H
#define HVMM_HOST_VMX_H

#include <linux/types.h>
#include <linux/version.h>

#include <asm/cpufeature.h>
#include <asm/perf_event.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define HVMM_HOST_HAS_VMX	1
#else
#define HVMM_HOST_HAS_VMX	0
#endif

/**
 * hvmm_host_cr4 - the host's CR4
 *
 * Context: interrupts off.
 */
static __always_inline unsigned long hvmm_host_cr4(void)
{
#if HVMM_HOST_HAS_VMX
	return cr4_read_shadow();
#else
	return __read_cr4();
#endif
}

/**
 * struct hvmm_host_state - what a VM exit must load on a pCPU
 * @gs_base: base of per-CPU data
 * @tr_base: base of the TSS
 * @gdt_base: base of the GDT
 * @idt_base: base of the IDT
 * @sysenter_esp: SYSENTER_ESP
 * @sysenter_eip: SYSENTER_EIP
 * @sysenter_cs: SYSENTER_CS
 * @pat: PAT
 * @efer: EFER
 * @cr0: CR0
 * @tr: selector of the TSS
 */
struct hvmm_host_state {
	u64 gs_base;
	u64 tr_base;
	u64 gdt_base;
	u64 idt_base;
	u64 sysenter_esp;
	u64 sysenter_eip;
	u64 sysenter_cs;
	u64 pat;
	u64 efer;
	u64 cr0;
	u16 tr;
};

/**
 * hvmm_host_state_read - find that out
 * @host: filled, for this pCPU
 *
 * Context: preemption off.
 */
void hvmm_host_state_read(struct hvmm_host_state *host);

/**
 * hvmm_host_vmxon - make VMX ours on this pCPU
 * @pa: address of the VMXON region
 *
 * Context: interrupts off.
 * Return: 0; -EBUSY if somebody else has it; -ENODEV if the processor refuses.
 */
int hvmm_host_vmxon(u64 pa);

/**
 * hvmm_host_vmxoff - give it back
 *
 * Context: interrupts off.
 */
void hvmm_host_vmxoff(void);

/**
 * hvmm_host_vmx_init - let a crash or an emergency reboot switch VMX off
 *
 * Context: module init.
 * Return: 0, or -EOPNOTSUPP where the kernel keeps VMX to KVM.
 */
int hvmm_host_vmx_init(void);
void hvmm_host_vmx_exit(void);

/**
 * hvmm_host_vmx_put - a pCPU turns from guests to the host's tasks
 *
 * A VM exit leaves the limits of TSS, GDT and IDT at fixed values (SDM vol. 3, 28.5.2):
 * the TSS's leaves no room for the map of I/O ports, the GDT's is too large.
 *
 * Context: preemption off.
 */
void hvmm_host_vmx_put(void);

/**
 * hvmm_host_perf_msrs - MSRs that perf wants to have other values in guests
 * @nr: filled: how many
 *
 * Context: interrupts off, until the guest has been left and they have the host's values again.
 */
static __always_inline struct perf_guest_switch_msr *hvmm_host_perf_msrs(int *nr)
{
	*nr = 0;
#if HVMM_HOST_HAS_VMX
	if (static_cpu_has(X86_FEATURE_ARCH_PERFMON))
		return perf_guest_get_msrs(nr, NULL);
#endif
	return NULL;
}

/**
 * hvmm_host_take_nmi - run the host's handler of an NMI that ended a guest
 *
 * Context: interrupts off, NMIs blocked; its IRET ends that.
 */
static __always_inline void hvmm_host_take_nmi(void)
{
	asm volatile("int $2");
}

/**
 * hvmm_host_take_mce - the same of a machine check
 *
 * Context: interrupts off.
 */
static __always_inline void hvmm_host_take_mce(void)
{
	asm volatile("int $18");
}

#endif
