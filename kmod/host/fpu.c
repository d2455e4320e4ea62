// SPDX-License-Identifier: GPL-2.0
/*
 * Guest FPU state lives in an area of our own, in XSAVE standard format (SDM
 * vol. 1, 13.4), or FXSAVE format where there is no XSAVE. The host's state is
 * kernel_fpu_begin()'s business; a kthread has none of its own.
 */
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>

#include "host/cpuid.h"
#include "host/fpu.h"
#include "host/msr.h"

#define LEGACY_SIZE	512
#define HEADER_SIZE	64
/* State after reset: SDM vol. 1, 8.1.5 and 10.2.3.1. */
#define FCW_RESET	0x037f
#define MXCSR_RESET	0x1f80

static bool use_xsave;
static u64 guest_xcr0_mask;
static u64 host_xcr0;
static u64 host_xss;
static size_t area_size;
static struct kmem_cache *area_cache;

int hvmm_fpu_setup(u64 xcr0)
{
	u32 eax, ebx, ecx, edx, offset, size;
	int i;

	use_xsave = xcr0 && boot_cpu_has(X86_FEATURE_XSAVE);
	guest_xcr0_mask = xcr0;
	area_size = LEGACY_SIZE;
	if (use_xsave) {
		host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
		if (boot_cpu_has(X86_FEATURE_XSAVES))
			rdmsrq(MSR_IA32_XSS, host_xss);
		area_size += HEADER_SIZE;
		for (i = 2; i < 63; i++) {
			if (!(xcr0 & BIT_ULL(i)))
				continue;
			/* SDM vol. 1, 13.2: size and offset of a component. */
			cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
			size = eax;
			offset = ebx;
			area_size = max_t(size_t, area_size, offset + size);
		}
	}
	area_cache = kmem_cache_create("hvmm_fpu", area_size, 64, SLAB_ACCOUNT, NULL);
	return area_cache ? 0 : -ENOMEM;
}

void hvmm_fpu_teardown(void)
{
	kmem_cache_destroy(area_cache);
}

size_t hvmm_fpu_bytes(void)
{
	return area_size;
}

void hvmm_fpu_reset(void *area)
{
	memset(area, 0, area_size);
	*(u16 *)area = FCW_RESET;
	*(u32 *)(area + 24) = MXCSR_RESET;
	/* An XSTATE_BV of zero in the header means: all components in their initial state. */
}

void *hvmm_fpu_alloc(void)
{
	void *area = kmem_cache_alloc(area_cache, GFP_KERNEL_ACCOUNT);

	if (area)
		hvmm_fpu_reset(area);
	return area;
}

void hvmm_fpu_free(void *area)
{
	if (area)
		kmem_cache_free(area_cache, area);
}

void hvmm_fpu_set_xcr0(u64 xcr0)
{
	if (use_xsave && xgetbv(XCR_XFEATURE_ENABLED_MASK) != xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, xcr0);
}

void hvmm_fpu_begin(void *area, u64 xcr0)
{
	u64 mask = guest_xcr0_mask;

	kernel_fpu_begin_mask(0);
	if (!use_xsave) {
		asm volatile("fxrstor64 (%0)" : : "r" (area) : "memory");
		return;
	}
	asm volatile("xrstor64 (%0)" : : "r" (area), "a" ((u32)mask), "d" ((u32)(mask >> 32))
		     : "memory");
	if (xcr0 != host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, xcr0);
	/* A guest that executes XSAVES or XRSTORS unasked must not reach supervisor state. */
	if (host_xss)
		wrmsrq(MSR_IA32_XSS, 0);
}

void hvmm_fpu_end(void *area)
{
	u64 mask = guest_xcr0_mask;

	if (!use_xsave) {
		asm volatile("fxsave64 (%0)" : : "r" (area) : "memory");
	} else {
		if (xgetbv(XCR_XFEATURE_ENABLED_MASK) != host_xcr0)
			xsetbv(XCR_XFEATURE_ENABLED_MASK, host_xcr0);
		if (host_xss)
			wrmsrq(MSR_IA32_XSS, host_xss);
		asm volatile("xsave64 (%0)" : : "r" (area), "a" ((u32)mask),
			     "d" ((u32)(mask >> 32)) : "memory");
	}
	kernel_fpu_end();
}

#define GET_XMM(n, p)	asm volatile("movups %%xmm" #n ", (%0)" : : "r" (p) : "memory")
#define SET_XMM(n, p)	asm volatile("movups (%0), %%xmm" #n : : "r" (p) : "memory")

void hvmm_fpu_get_xmm(unsigned int nr, void *val)
{
	switch (nr) {
	case 0:
		GET_XMM(0, val);
		break;
	case 1:
		GET_XMM(1, val);
		break;
	case 2:
		GET_XMM(2, val);
		break;
	case 3:
		GET_XMM(3, val);
		break;
	case 4:
		GET_XMM(4, val);
		break;
	case 5:
		GET_XMM(5, val);
		break;
	case 6:
		GET_XMM(6, val);
		break;
	case 7:
		GET_XMM(7, val);
		break;
	case 8:
		GET_XMM(8, val);
		break;
	case 9:
		GET_XMM(9, val);
		break;
	case 10:
		GET_XMM(10, val);
		break;
	case 11:
		GET_XMM(11, val);
		break;
	case 12:
		GET_XMM(12, val);
		break;
	case 13:
		GET_XMM(13, val);
		break;
	case 14:
		GET_XMM(14, val);
		break;
	case 15:
		GET_XMM(15, val);
		break;
	}
}

void hvmm_fpu_set_xmm(unsigned int nr, const void *val)
{
	switch (nr) {
	case 0:
		SET_XMM(0, val);
		break;
	case 1:
		SET_XMM(1, val);
		break;
	case 2:
		SET_XMM(2, val);
		break;
	case 3:
		SET_XMM(3, val);
		break;
	case 4:
		SET_XMM(4, val);
		break;
	case 5:
		SET_XMM(5, val);
		break;
	case 6:
		SET_XMM(6, val);
		break;
	case 7:
		SET_XMM(7, val);
		break;
	case 8:
		SET_XMM(8, val);
		break;
	case 9:
		SET_XMM(9, val);
		break;
	case 10:
		SET_XMM(10, val);
		break;
	case 11:
		SET_XMM(11, val);
		break;
	case 12:
		SET_XMM(12, val);
		break;
	case 13:
		SET_XMM(13, val);
		break;
	case 14:
		SET_XMM(14, val);
		break;
	case 15:
		SET_XMM(15, val);
		break;
	}
}
