// SPDX-License-Identifier: GPL-2.0
/*
 * MTRRs: kept and validated for the guest's sake, without effect. Guest RAM is
 * write-back in the nested page table; the guest's own page tables and PAT may make
 * it less (APM vol. 2, 15.25.8). Emulated devices are never cached.
 */
#include <linux/errno.h>
#include <linux/nospec.h>

#include "x86/cpuid.h"
#include "x86/mtrr.h"

#define DEF_FIXED_ENABLE	BIT_ULL(10)
#define DEF_ENABLE		BIT_ULL(11)
#define MASK_VALID		BIT_ULL(11)
#define TYPE_WB			6

/* APM vol. 2, table 7-5: UC, WC, WT, WP, WB. */
static bool type_valid(u8 type)
{
	return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

static int fixed_index(u32 msr)
{
	switch (msr) {
	case HVMM_MSR_MTRR_64K:
		return 0;
	case HVMM_MSR_MTRR_16K_FIRST ... HVMM_MSR_MTRR_16K_LAST:
		return 1 + msr - HVMM_MSR_MTRR_16K_FIRST;
	case HVMM_MSR_MTRR_4K_FIRST ... HVMM_MSR_MTRR_4K_LAST:
		return 3 + msr - HVMM_MSR_MTRR_4K_FIRST;
	default:
		return -1;
	}
}

static u64 *slot_of(struct hvmm_x86_vcpu *x, u32 msr)
{
	u32 i = msr - HVMM_MSR_MTRR_VAR_FIRST;
	int fixed;

	if (msr == HVMM_MSR_MTRR_DEF)
		return &x->msr.mtrr_def;
	if (i < 2 * HVMM_MTRR_VAR_NR) {
		i = array_index_nospec(i, 2 * HVMM_MTRR_VAR_NR);
		return &x->msr.mtrr_var[i / 2][i % 2];
	}
	fixed = fixed_index(msr);
	if (fixed < 0)
		return NULL;
	return &x->msr.mtrr_fixed[array_index_nospec(fixed, ARRAY_SIZE(x->msr.mtrr_fixed))];
}

void hvmm_mtrr_reset(struct hvmm_x86_vcpu *x)
{
	memset(x->msr.mtrr_fixed, 0, sizeof(x->msr.mtrr_fixed));
	memset(x->msr.mtrr_var, 0, sizeof(x->msr.mtrr_var));
	/*
	 * As firmware leaves them where all memory is alike. A guest that is started
	 * without firmware takes disabled MTRRs for a defect and drops PAT too.
	 */
	x->msr.mtrr_def = DEF_ENABLE | TYPE_WB;
}

int hvmm_mtrr_read(struct hvmm_x86_vcpu *x, u32 msr, u64 *val)
{
	u64 *slot = slot_of(x, msr);

	if (!slot)
		return -EINVAL;
	*val = *slot;
	return 0;
}

int hvmm_mtrr_write(struct hvmm_x86_vcpu *x, u32 msr, u64 val)
{
	u64 *slot = slot_of(x, msr), reserved = ~0ULL << hvmm_guest_maxphyaddr();
	int i;

	if (!slot)
		return -EINVAL;

	if (msr == HVMM_MSR_MTRR_DEF) {
		if (val & ~(DEF_ENABLE | DEF_FIXED_ENABLE | 0xff) || !type_valid(val))
			return -EINVAL;
	} else if (msr >= HVMM_MSR_MTRR_64K) {
		for (i = 0; i < 64; i += 8) {
			if (!type_valid(val >> i))
				return -EINVAL;
		}
	} else if (msr & 1) {
		if (val & (reserved | (0xfff & ~MASK_VALID)))
			return -EINVAL;
	} else {
		if (val & (reserved | 0xf00) || !type_valid(val))
			return -EINVAL;
	}
	*slot = val;
	return 0;
}
