// SPDX-License-Identifier: GPL-2.0
/*
 * Control registers: the checks of APM vol. 2, 3.1 and 14.6, and SDM vol. 3, 2.5
 * and 4.1. What passes here also passes VMRUN's checks (APM vol. 2, 15.5.1).
 *
 * PDPTEs of PAE paging are loaded and checked when CR0 or CR4 is written where the CPU
 * keeps them in registers (SDM vol. 3, 4.4.1). Where it reads them at use under nested
 * paging (APM vol. 2, 15.25.10) they are not, so software sees the same whether the write
 * was intercepted or not.
 */
#include <linux/errno.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "x86/cpuid.h"
#include "x86/cr.h"
#include "x86/vendor.h"

#define CR0_KNOWN	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
			 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
			 X86_CR0_PG)

/* Changes after which the CPU uses no older translation (APM vol. 2, 5.5.3). */
#define CR0_FLUSH	(X86_CR0_PG | X86_CR0_WP)
#define CR4_FLUSH	(X86_CR4_PAE | X86_CR4_PSE | X86_CR4_PGE | X86_CR4_PCIDE | \
			 X86_CR4_SMEP | X86_CR4_SMAP)

#define XCR0_FP		BIT_ULL(0)
#define XCR0_SSE	BIT_ULL(1)
#define XCR0_YMM	BIT_ULL(2)
#define XCR0_AVX512	0xe0ULL

/* Where CR3 points to under PAE paging: SDM vol. 3, 4.4.1. */
#define PDPT_ADDR	0xffffffe0ULL

static bool code_is_64bit(struct hvmm_x86_vcpu *x)
{
	struct hvmm_seg cs;

	hvmm_arch->get_seg(x, HVMM_SEG_CS, &cs);
	return cs.attrib & HVMM_SEG_ATTR_L;
}

static bool has_pdptes(u64 cr0, u64 cr4, u64 efer)
{
	return hvmm_arch->set_pdptes && (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) &&
	       !(efer & EFER_LMA);
}

bool hvmm_has_pdptes(struct hvmm_x86_vcpu *x)
{
	return has_pdptes(hvmm_arch->get_cr(x, 0), hvmm_arch->get_cr(x, 4),
			  hvmm_arch->get_efer(x));
}

int hvmm_read_pdptes(struct hvmm_x86_vcpu *x, u64 cr3, u64 pdpte[4])
{
	const u64 reserved = 0x1e6ULL | ~GENMASK_ULL(hvmm_guest_maxphyaddr() - 1, 0);
	unsigned int i;
	int ret;

	ret = hvmm_mem_read(&x->vcpu.vm->mem, cr3 & PDPT_ADDR, pdpte, 4 * sizeof(*pdpte),
			    &x->missing_gfn);
	/* Nothing is there: all ones, as on a bus. */
	if (ret)
		return ret == -EAGAIN ? ret : -EINVAL;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && (pdpte[i] & reserved))
			return -EINVAL;
	return 0;
}

static int load_pdptes(struct hvmm_x86_vcpu *x, u64 cr0, u64 cr3, u64 cr4, u64 efer)
{
	u64 pdpte[4];
	int ret;

	if (!has_pdptes(cr0, cr4, efer))
		return 0;
	ret = hvmm_read_pdptes(x, cr3, pdpte);
	if (!ret)
		hvmm_arch->set_pdptes(x, pdpte);
	return ret;
}

int hvmm_set_cr0(struct hvmm_x86_vcpu *x, u64 val)
{
	u64 old = hvmm_arch->get_cr(x, 0), cr4 = hvmm_arch->get_cr(x, 4);
	u64 efer = hvmm_arch->get_efer(x);
	int ret;

	if (val >> 32)
		return -EINVAL;
	/* Other reserved bits stay 0, whatever is written (SDM vol. 3, 2.5). */
	val = (val & CR0_KNOWN) | X86_CR0_ET;
	if ((val & X86_CR0_PG) && !(val & X86_CR0_PE))
		return -EINVAL;
	if ((val & X86_CR0_NW) && !(val & X86_CR0_CD))
		return -EINVAL;

	if ((val & ~old & X86_CR0_PG) && (efer & EFER_LME)) {
		if (!(cr4 & X86_CR4_PAE) || code_is_64bit(x))
			return -EINVAL;
		efer |= EFER_LMA;
	}
	if (old & ~val & X86_CR0_PG) {
		if (cr4 & X86_CR4_PCIDE)
			return -EINVAL;
		if ((efer & EFER_LMA) && code_is_64bit(x))
			return -EINVAL;
		efer &= ~EFER_LMA;
	}

	ret = load_pdptes(x, val, hvmm_arch->get_cr(x, 3), cr4, efer);
	if (ret)
		return ret;
	if (efer != hvmm_arch->get_efer(x))
		hvmm_arch->set_efer(x, efer);
	hvmm_arch->set_cr(x, 0, val);
	if ((old ^ val) & CR0_FLUSH)
		hvmm_arch->flush_tlb(x);
	return 0;
}

int hvmm_lmsw(struct hvmm_x86_vcpu *x, u16 msw)
{
	u64 cr0 = hvmm_arch->get_cr(x, 0);

	return hvmm_set_cr0(x, (cr0 & ~(X86_CR0_MP | X86_CR0_EM | X86_CR0_TS)) | (msw & 0xf));
}

int hvmm_clts(struct hvmm_x86_vcpu *x)
{
	hvmm_arch->set_cr(x, 0, hvmm_arch->get_cr(x, 0) & ~X86_CR0_TS);
	return 0;
}

int hvmm_set_cr3(struct hvmm_x86_vcpu *x, u64 val)
{
	u64 cr4 = hvmm_arch->get_cr(x, 4), efer = hvmm_arch->get_efer(x);
	int ret;

	if (efer & EFER_LMA) {
		/* All are flushed even so: allowed, and rare (SDM vol. 3, 4.10.4.1). */
		if (cr4 & X86_CR4_PCIDE)
			val &= ~X86_CR3_PCID_NOFLUSH;
		if (val >> hvmm_guest_maxphyaddr())
			return -EINVAL;
	} else if (val >> 32) {
		return -EINVAL;
	}
	ret = load_pdptes(x, hvmm_arch->get_cr(x, 0), val, cr4, efer);
	if (ret)
		return ret;
	hvmm_arch->set_cr(x, 3, val);
	hvmm_arch->flush_tlb(x);
	return 0;
}

int hvmm_set_cr4(struct hvmm_x86_vcpu *x, u64 val)
{
	u64 old = hvmm_arch->get_cr(x, 4), efer = hvmm_arch->get_efer(x);
	int ret;

	if (val & ~hvmm_guest_cr4())
		return -EINVAL;
	if (efer & EFER_LMA) {
		if (!(val & X86_CR4_PAE))
			return -EINVAL;
	} else if (val & X86_CR4_PCIDE) {
		return -EINVAL;
	}
	if ((val & ~old & X86_CR4_PCIDE) && (hvmm_arch->get_cr(x, 3) & X86_CR3_PCID_MASK))
		return -EINVAL;
	ret = load_pdptes(x, hvmm_arch->get_cr(x, 0), hvmm_arch->get_cr(x, 3), val, efer);
	if (ret)
		return ret;

	hvmm_arch->set_cr(x, 4, val);
	if ((old ^ val) & CR4_FLUSH)
		hvmm_arch->flush_tlb(x);
	return 0;
}

int hvmm_set_cr8(struct hvmm_x86_vcpu *x, u64 val)
{
	if (val & ~0xfULL)
		return -EINVAL;
	hvmm_lapic_set_tpr(&x->vcpu.lapic, val);
	return 0;
}

int hvmm_set_efer(struct hvmm_x86_vcpu *x, u64 val)
{
	u64 old = hvmm_arch->get_efer(x);

	val = (val & ~EFER_LMA) | (old & EFER_LMA);
	if (val & ~hvmm_guest_efer())
		return -EINVAL;
	if (((old ^ val) & EFER_LME) && (hvmm_arch->get_cr(x, 0) & X86_CR0_PG))
		return -EINVAL;

	hvmm_arch->set_efer(x, val);
	if ((old ^ val) & EFER_NX)
		hvmm_arch->flush_tlb(x);
	return 0;
}

int hvmm_xsetbv(struct hvmm_x86_vcpu *x, u32 idx, u64 val)
{
	if (idx || hvmm_arch->get_cpl(x))
		return -EINVAL;
	/* SDM vol. 1, 13.3 */
	if (val & ~hvmm_guest_xcr0() || !(val & XCR0_FP))
		return -EINVAL;
	if ((val & XCR0_YMM) && !(val & XCR0_SSE))
		return -EINVAL;
	if ((val & XCR0_AVX512) &&
	    ((val & XCR0_AVX512) != XCR0_AVX512 || !(val & XCR0_YMM)))
		return -EINVAL;

	x->xcr0 = val;
	return 0;
}
