/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What CPUID tells a guest, as data; builds in the kernel and in userspace.
 * References are to the AMD64 Architecture Programmer's Manual (APM), vol. 3,
 * appendix E, and the Intel SDM, vol. 2, CPUID.
 */
#ifndef HVMM_X86_CPUID_TABLE_H
#define HVMM_X86_CPUID_TABLE_H

#include <linux/types.h>

enum hvmm_cpuid_reg { HVMM_EAX, HVMM_EBX, HVMM_ECX, HVMM_EDX };

/**
 * enum hvmm_cpuid_how - policy of a set of bits
 * @HVMM_CPUID_HOST: offered if the host has them: the guest uses the hardware's
 * @HVMM_CPUID_ON: offered on every host: hvmm emulates them
 * @HVMM_CPUID_OFF: never offered; the row is there for its reason. All that no row
 *	names is not offered either
 * @HVMM_CPUID_LIVE: worked out at each CPUID, from the vCPU
 */
enum hvmm_cpuid_how {
	HVMM_CPUID_HOST,
	HVMM_CPUID_ON,
	HVMM_CPUID_OFF,
	HVMM_CPUID_LIVE,
};

/* Bits of struct hvmm_cpuid_row::vendors. */
#define HVMM_VENDOR_AMD		1	/* AMD and Hygon */
#define HVMM_VENDOR_INTEL	2
#define HVMM_VENDOR_ANY		3

/**
 * struct hvmm_cpuid_row - policy of some bits of one register of one leaf
 * @leaf: EAX
 * @sub: ECX
 * @reg: enum hvmm_cpuid_reg
 * @how: enum hvmm_cpuid_how
 * @vendors: hosts that the row is for
 * @bits: the bits
 * @why: what they are, and why the policy is as it is
 */
struct hvmm_cpuid_row {
	u32 leaf;
	u8 sub;
	u8 reg;
	u8 how;
	u8 vendors;
	u32 bits;
	const char *why;
};

/* Sorted by leaf, then sub. */
extern const struct hvmm_cpuid_row hvmm_cpuid_rows[];
extern const unsigned int hvmm_cpuid_nr_rows;

/**
 * struct hvmm_cpuid_entry - one leaf as guests see it, before the live bits
 * @leaf: EAX
 * @sub: ECX
 * @live: some bits are worked out at each CPUID
 * @r: EAX, EBX, ECX, EDX
 */
struct hvmm_cpuid_entry {
	u32 leaf;
	u8 sub;
	bool live;
	u32 r[4];
};

#define HVMM_CPUID_BASIC_NR	0x20	/* leaves from 0 */
#define HVMM_CPUID_HV_NR	0x11	/* from 0x40000000 */
#define HVMM_CPUID_EXT_NR	0x23	/* from 0x80000000 */
#define HVMM_CPUID_ENTRIES	64

/**
 * struct hvmm_cpuid_slot - where the entries of a leaf are
 * @first: index of the first one
 * @nr: number of entries: sub-leaves from 0; 0 if the leaf is not there
 */
struct hvmm_cpuid_slot {
	u8 first;
	u8 nr;
};

/**
 * struct hvmm_cpuid_policy - all leaves that guests see on this host
 * @nr: entries in use
 * @entries: the leaves, sorted
 * @basic: index of 0x0...
 * @hv: index of 0x40000000...
 * @ext: index of 0x80000000...
 */
struct hvmm_cpuid_policy {
	unsigned int nr;
	struct hvmm_cpuid_entry entries[HVMM_CPUID_ENTRIES];
	struct hvmm_cpuid_slot basic[HVMM_CPUID_BASIC_NR];
	struct hvmm_cpuid_slot hv[HVMM_CPUID_HV_NR];
	struct hvmm_cpuid_slot ext[HVMM_CPUID_EXT_NR];
};

/**
 * hvmm_cpuid_build - apply the table to a host
 * @p: filled
 * @host: tells what the host's CPUID has; leaves above its maximum must read as 0
 * @vendor: HVMM_VENDOR_AMD or HVMM_VENDOR_INTEL
 *
 * Context: any.
 * Return: 0, or -EINVAL if the table itself is wrong.
 */
int hvmm_cpuid_build(struct hvmm_cpuid_policy *p,
		     void (*host)(u32 leaf, u32 sub, u32 r[4]), u8 vendor);

/**
 * hvmm_cpuid_find - the entry that answers a leaf
 * @p: the policy
 * @leaf: EAX
 * @sub: ECX
 *
 * A leaf with one entry ignores ECX. In a leaf with several, an ECX beyond the last
 * gets %NULL, except where the leaf is live throughout (topology): the last one.
 *
 * Context: any. @leaf and @sub may come from a guest.
 * Return: the entry, or %NULL: all four registers are 0.
 */
const struct hvmm_cpuid_entry *hvmm_cpuid_find(const struct hvmm_cpuid_policy *p,
					       u32 leaf, u32 sub);

#endif
