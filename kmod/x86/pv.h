/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The KVM guest ABI, as far as hvmm speaks it: kvmclock, steal time and what goes with
 * it (preempted, TLB flush), paravirtual EOI, hypercalls (kick, yield, IPIs).
 * See the kernel's Documentation/virt/kvm/x86/{cpuid,msr,hypercalls}.rst.
 *
 * Where the host's TSC is sound, kvmclock is a function of the guest's TSC alone: both
 * are 0 at the same instant, for all vCPUs. So the page is written once, is marked
 * stable, and time never differs between vCPUs. It runs at the TSC's own rate, not at
 * the host's NTP-corrected one. Where the TSC is not sound, the page is written anew
 * whenever the vCPU gets a pCPU.
 */
#ifndef HVMM_X86_PV_H
#define HVMM_X86_PV_H

#include <uapi/linux/kvm_para.h>

#include "x86/vcpu.h"

/* MSR_KVM_POLL_CONTROL: the host may poll at HLT; clear where the guest does so itself. */
#define KVM_POLL_HOST	1ULL

/**
 * hvmm_pv_clock_reset - let the guest's TSC and kvmclock begin at 0 now
 * @vm: the VM, no vCPU runs
 *
 * Sets &hvmm_vm.tsc_offset and &hvmm_vm.clock_offset; hvmm_tsc_sync() must follow for
 * every vCPU (hvmm_msr_reset() does it). Who changes either of them later, to hide a
 * pause from the guest, changes both by the same time, and requests %HVMM_REQ_CLOCK.
 *
 * Context: any.
 */
void hvmm_pv_clock_reset(struct hvmm_vm *vm);

/**
 * hvmm_pv_reset - forget the guest's paravirtual registrations
 * @x: the vCPU
 *
 * Context: the vCPU does not run.
 */
void hvmm_pv_reset(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_wall_clock - MSR_KVM_WALL_CLOCK(_NEW): write struct pvclock_wall_clock
 * @x: the vCPU
 * @gpa: where
 *
 * Return: 0, -EINVAL (not RAM), -EAGAIN (&hvmm_x86_vcpu.missing_gfn).
 */
int hvmm_pv_wall_clock(struct hvmm_x86_vcpu *x, u64 gpa);

/**
 * hvmm_pv_system_time - MSR_KVM_SYSTEM_TIME(_NEW) was written
 * @x: the vCPU
 * @val: gpa with enable bit 0
 *
 * Return: 0, -EINVAL, -EAGAIN; nothing has changed unless 0.
 */
int hvmm_pv_system_time(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_pv_update_clock - write struct pvclock_vcpu_time_info, if enabled
 * @x: the vCPU
 *
 * Context: the vCPU's runner; HVMM_REQ_CLOCK.
 * Return: 0, -EAGAIN (page missing), -EINVAL (page is no RAM any more: switched off).
 */
int hvmm_pv_update_clock(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_steal_time - MSR_KVM_STEAL_TIME was written
 * @x: the vCPU
 * @val: gpa, 64-byte aligned, with enable bit 0
 *
 * Return: 0, -EINVAL, -EAGAIN; nothing has changed unless 0.
 */
int hvmm_pv_steal_time(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_pv_steal - write struct kvm_steal_time, if enabled
 * @x: the vCPU
 *
 * Steal time is ready + capped + host of the ledger. Called when a residency begins.
 *
 * Return: 0, -EAGAIN, -EINVAL (page is no RAM any more: switched off).
 */
int hvmm_pv_steal(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_load - all that is due when a residency begins
 * @x: the vCPU
 *
 * Steal time, and the clock where the host's TSC is not sound. Undoes hvmm_pv_put(): the
 * guest sees the vCPU run again, and what others asked of its TLB is done at the entry.
 *
 * Context: the vCPU's runner.
 * Return: 0, or -EAGAIN (call again once &hvmm_x86_vcpu.missing_gfn is there).
 */
int hvmm_pv_load(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_put - tell the guest that the vCPU does not run, though it wants to
 * @x: the vCPU
 *
 * Sets KVM_VCPU_PREEMPTED in struct kvm_steal_time. From then until hvmm_pv_load() other
 * vCPUs may ask there for a flush of its TLB instead of sending an IPI. Where the page is
 * not mapped, nothing is said.
 *
 * Context: the vCPU's runner, before it gives the vCPU away; never sleeps.
 */
void hvmm_pv_put(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_eoi_enable - MSR_KVM_PV_EOI_EN was written
 * @x: the vCPU
 * @val: gpa, 4-byte aligned, with enable bit 0
 *
 * Context: the vCPU's runner.
 * Return: 0, -EINVAL (not RAM), -EAGAIN; nothing has changed unless 0.
 */
int hvmm_pv_eoi_enable(struct hvmm_x86_vcpu *x, u64 val);

/**
 * hvmm_pv_eoi_arm - let the guest end the interrupt just injected without an exit
 * @x: the vCPU
 * @vector: the interrupt, in service
 *
 * Only if it is the only one, edge-triggered, and no other is requested; one that is
 * requested later makes hvmm_pv_eoi_sync() due.
 *
 * Context: the vCPU's runner, before an entry; never sleeps.
 */
void hvmm_pv_eoi_arm(struct hvmm_x86_vcpu *x, u8 vector);

/**
 * hvmm_pv_eoi_sync - make the LAPIC's in-service state exact
 * @x: the vCPU
 *
 * If the guest has cleared the bit, the interrupt is ended; else the bit is taken back
 * and its EOI will exit. Must come before an interrupt is injected, and before the guest
 * uses its LAPIC or halts.
 *
 * Context: the vCPU's runner, not in the guest; never sleeps.
 * Return: 0, or -EAGAIN (call again once &hvmm_x86_vcpu.missing_gfn is there).
 */
int hvmm_pv_eoi_sync(struct hvmm_x86_vcpu *x);

/**
 * hvmm_pv_is_hypercall - whether hvmm_pv_hypercall() knows a number
 * @nr: RAX
 */
static inline bool hvmm_pv_is_hypercall(u64 nr)
{
	return nr == KVM_HC_VAPIC_POLL_IRQ || nr == KVM_HC_KICK_CPU || nr == KVM_HC_SEND_IPI ||
	       nr == KVM_HC_SCHED_YIELD;
}

/**
 * hvmm_pv_hypercall - KVM hypercall ABI
 * @x: the vCPU
 * @nr: RAX
 * @arg: RBX, RCX, RDX, RSI
 * @wide: made in 64-bit mode
 * @fate: what the vCPU does afterwards; left alone unless it is to yield
 *
 * Return: value for RAX.
 */
long hvmm_pv_hypercall(struct hvmm_x86_vcpu *x, u64 nr, const u64 arg[4], bool wide,
		       enum hvmm_exit_fate *fate);

#endif
