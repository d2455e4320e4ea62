/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CORE_STATS_H
#define HVMM_CORE_STATS_H

#include <linux/types.h>

/*
 * One list of per-vCPU counters. The names are ABI: `hvadm stat -j` prints
 * them as keys and the netlink reply carries them in this order.
 *
 * E(): an exit reason; every VM exit increments exactly one of these, so their
 * sum is the number of exits. C(): any other counter.
 */
#define HVMM_STATS(E, C)							\
	E(cpuid,	"CPUID")						\
	E(msr_read,	"RDMSR")						\
	E(msr_write,	"WRMSR")						\
	E(pio,		"port access claimed by the kernel or by nobody")	\
	E(pio_user,	"port access sent to the device process")		\
	E(mmio,		"MMIO access claimed by the kernel or by nobody")	\
	E(mmio_user,	"MMIO access sent to the device process")		\
	E(fault,	"nested page fault on RAM")				\
	E(hlt,		"HLT")							\
	E(hypercall,	"VMMCALL or VMCALL")					\
	E(interrupt,	"host interrupt")					\
	E(nmi,		"host NMI")						\
	E(irq_window,	"guest became able to take an interrupt")		\
	E(nmi_window,	"guest became able to take an NMI")			\
	E(cr,		"control register access")				\
	E(dr,		"debug register access")				\
	E(exception,	"intercepted exception")				\
	E(pause,	"PAUSE loop")						\
	E(xsetbv,	"XSETBV")						\
	E(cache,	"WBINVD, WBNOINVD or INVD")				\
	E(refused,	"instruction that is not offered, answered by #UD")	\
	E(shutdown,	"triple fault")						\
	E(other,	"any other reason")					\
	C(entries,	"residencies: times a pCPU picked the vCPU")		\
	C(irq_injected,	"interrupts injected")					\
	C(nmi_injected,	"NMIs injected")					\
	C(exc_injected,	"exceptions injected")					\
	C(reinjected,	"events injected again after an interrupted delivery")	\
	C(halt_wakes,	"wake-ups from HLT")					\
	C(tlb_flushes,	"flushes of the vCPU's TLB entries")			\
	C(emulated,	"instructions emulated")				\
	C(kicks,	"IPIs sent to get the vCPU's attention")		\
	C(yields,	"times that it gave way to a vCPU that it waited for")	\
	C(polls_hit,	"HLTs whose end came while its runner looked for it")	\
	C(polls_missed,	"HLTs for which its runner looked in vain")		\
	C(lent,		"residencies in the device process's own thread")

/**
 * enum hvmm_stat - index of a counter in struct hvmm_stats
 */
enum hvmm_stat {
#define HVMM_STAT_ENUM(name, text) HVMM_STAT_##name,
	HVMM_STATS(HVMM_STAT_ENUM, HVMM_STAT_ENUM)
#undef HVMM_STAT_ENUM
	HVMM_STAT_NR
};

#define HVMM_STAT_EXITS_NR	(HVMM_STAT_other + 1)

/**
 * struct hvmm_stats - a vCPU's counters
 * @n: counters, indexed by enum hvmm_stat; written by the runner that holds the
 *     vCPU only (HVMM_STAT_kicks excepted: approximate), read by anyone
 */
struct hvmm_stats {
	u64 n[HVMM_STAT_NR];
};

#define hvmm_stat_add(vcpu, name, nr) \
	WRITE_ONCE((vcpu)->stats.n[HVMM_STAT_##name], (vcpu)->stats.n[HVMM_STAT_##name] + (nr))
#define hvmm_stat_inc(vcpu, name)	hvmm_stat_add(vcpu, name, 1)

#endif
