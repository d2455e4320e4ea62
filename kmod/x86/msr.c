// SPDX-License-Identifier: GPL-2.0
/* RDMSR and WRMSR as the table in msr_table.c says, and what is more than a value. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/printk.h>
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/tsc.h>
#include <uapi/asm/kvm_para.h>

#include "x86/cpuid.h"
#include "x86/cr.h"
#include "x86/msr.h"
#include "x86/msr_table.h"
#include "x86/mtrr.h"
#include "x86/pv.h"
#include "x86/vendor.h"

#define HWCR_TSC_FREQ_SEL	BIT_ULL(24)
#define HWCR_MC_STATUS_WR_EN	BIT_ULL(18)
/* Cache and TLB workarounds of old CPUs, which systems set without looking. */
#define HWCR_IGNORED		(BIT_ULL(3) | BIT_ULL(6) | BIT_ULL(8))

/*
 * Facts that ask nothing of hvmm: RDCL_NO, SKIP_L1DFL, SSB_NO, MDS_NO, PSCHANGE_MC_NO,
 * TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, FB_CLEAR, RRSBA, BHI_NO, PBRSB_NO, GDS_NO,
 * RFDS_NO, RFDS_CLEAR.
 */
#define ARCH_CAP_OFFERED	(BIT_ULL(0) | BIT_ULL(2) | BIT_ULL(3) | BIT_ULL(4) | BIT_ULL(5) | \
				 BIT_ULL(6) | BIT_ULL(8) | BIT_ULL(13) | BIT_ULL(14) | \
				 BIT_ULL(15) | BIT_ULL(17) | BIT_ULL(19) | BIT_ULL(20) | \
				 BIT_ULL(24) | BIT_ULL(26) | BIT_ULL(27) | BIT_ULL(28))

/* Bits 63:47 alike: all guests have 48-bit linear addresses (no LA57). */
static bool is_canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

/* APM vol. 2, 7.8: PA types 2 and 3 and the upper bits are reserved. */
static bool pat_valid(u64 pat)
{
	int i;

	for (i = 0; i < 64; i += 8) {
		u8 type = pat >> i;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

u64 hvmm_guest_tsc(struct hvmm_x86_vcpu *x)
{
	return rdtsc() + x->vcpu.vm->tsc_offset + x->msr.tsc_adjust;
}

void hvmm_tsc_sync(struct hvmm_x86_vcpu *x)
{
	hvmm_arch->set_tsc_offset(x, x->vcpu.vm->tsc_offset + x->msr.tsc_adjust);
}

/* SDM vol. 3, 18.17.3: a write to the TSC shows in TSC_ADJUST and the other way round. */
static void set_tsc_adjust(struct hvmm_x86_vcpu *x, u64 adjust)
{
	if (adjust == x->msr.tsc_adjust)
		return;
	x->msr.tsc_adjust = adjust;
	hvmm_tsc_sync(x);
	hvmm_lapic_tsc_changed(&x->vcpu.lapic);
	set_bit(HVMM_REQ_CLOCK, &x->vcpu.requests);
}

static u64 top_mem(const struct hvmm_x86_vcpu *x, bool high)
{
	u64 size = x->vcpu.vm->mem.ram.size;

	if (!high)
		return min(size, HVMM_RAM_LOW_MAX);
	return size > HVMM_RAM_LOW_MAX ? size - HVMM_RAM_LOW_MAX + HVMM_RAM_HIGH_BASE : 0;
}

static int read_fn(struct hvmm_x86_vcpu *x, u32 msr, u64 *val)
{
	u32 lo, hi;

	switch (msr) {
	case MSR_IA32_TSC:
		*val = hvmm_guest_tsc(x);
		return 0;
	case MSR_IA32_TSC_ADJUST:
		*val = x->msr.tsc_adjust;
		return 0;
	case MSR_TSC_AUX:
		*val = x->msr.tsc_aux;
		return 0;
	case MSR_IA32_APICBASE:
		*val = hvmm_lapic_get_base(&x->vcpu.lapic);
		return 0;
	case MSR_IA32_UCODE_REV:
		*val = boot_cpu_data.microcode;
		if (!hvmm_guest_amd())
			*val <<= 32;
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		rdmsr(MSR_IA32_ARCH_CAPABILITIES, lo, hi);
		*val = (lo | (u64)hi << 32) & ARCH_CAP_OFFERED;
		return 0;
	case HVMM_MSR_MTRR_VAR_FIRST ... HVMM_MSR_MTRR_VAR_LAST:
	case HVMM_MSR_MTRR_64K ... HVMM_MSR_MTRR_4K_LAST:
	case HVMM_MSR_MTRR_DEF:
		return hvmm_mtrr_read(x, msr, val);
	case MSR_EFER:
		*val = hvmm_arch->get_efer(x);
		return 0;
	case MSR_K7_HWCR:
		*val = x->msr.hwcr | HWCR_TSC_FREQ_SEL;
		return 0;
	case MSR_K8_TOP_MEM1:
		*val = top_mem(x, false);
		return 0;
	case MSR_K8_TOP_MEM2:
		*val = top_mem(x, true);
		return 0;
	case MSR_AMD64_DE_CFG:
		*val = boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ?
		       MSR_AMD64_DE_CFG_LFENCE_SERIALIZE : 0;
		return 0;
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*val = x->msr.kvm_wall;
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*val = x->msr.kvm_time;
		return 0;
	case MSR_KVM_STEAL_TIME:
		*val = x->msr.kvm_steal;
		return 0;
	case MSR_KVM_PV_EOI_EN:
		*val = x->msr.kvm_eoi;
		return 0;
	case MSR_KVM_POLL_CONTROL:
		*val = x->msr.kvm_poll;
		return 0;
	default:
		return -EINVAL;
	}
}

static int write_fn(struct hvmm_x86_vcpu *x, u32 msr, u64 val)
{
	int ret;

	switch (msr) {
	case MSR_IA32_TSC:
		set_tsc_adjust(x, val - rdtsc() - x->vcpu.vm->tsc_offset);
		return 0;
	case MSR_IA32_TSC_ADJUST:
		set_tsc_adjust(x, val);
		return 0;
	case MSR_TSC_AUX:
		x->msr.tsc_aux = val;
		/* The guest's value is in the register while the vCPU is loaded. */
		wrmsr(MSR_TSC_AUX, (u32)val, 0);
		return 0;
	case MSR_IA32_APICBASE:
		ret = hvmm_pv_eoi_sync(x);
		return ret ?: hvmm_lapic_set_base(&x->vcpu.lapic, val);
	case MSR_IA32_PRED_CMD:
		if ((val & PRED_CMD_SBPB) && !hvmm_guest_has(X86_FEATURE_SBPB))
			return -EINVAL;
		if (val)
			wrmsr(MSR_IA32_PRED_CMD, (u32)val, 0);
		return 0;
	case MSR_IA32_FLUSH_CMD:
		if (val)
			wrmsr(MSR_IA32_FLUSH_CMD, L1D_FLUSH, 0);
		return 0;
	case MSR_IA32_CR_PAT:
		return pat_valid(val) ? hvmm_arch->set_msr(x, msr, val) : -EINVAL;
	case HVMM_MSR_MTRR_VAR_FIRST ... HVMM_MSR_MTRR_VAR_LAST:
	case HVMM_MSR_MTRR_64K ... HVMM_MSR_MTRR_4K_LAST:
	case HVMM_MSR_MTRR_DEF:
		return hvmm_mtrr_write(x, msr, val);
	case MSR_EFER:
		return hvmm_set_efer(x, val);
	case MSR_K7_HWCR:
		val &= ~HWCR_IGNORED;
		if (val & ~(HWCR_TSC_FREQ_SEL | HWCR_MC_STATUS_WR_EN))
			return -EINVAL;
		x->msr.hwcr = val;
		return 0;
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		ret = hvmm_pv_wall_clock(x, val);
		if (!ret)
			x->msr.kvm_wall = val;
		return ret;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		return hvmm_pv_system_time(x, val);
	case MSR_KVM_STEAL_TIME:
		return hvmm_pv_steal_time(x, val);
	case MSR_KVM_PV_EOI_EN:
		return hvmm_pv_eoi_enable(x, val);
	case MSR_KVM_POLL_CONTROL:
		x->msr.kvm_poll = val;
		return 0;
	default:
		return -EINVAL;
	}
}

static const struct hvmm_msr_row *offered(u32 msr)
{
	const struct hvmm_msr_row *row = hvmm_msr_find(msr);

	if (!row || !(row->vendors & (hvmm_guest_amd() ? HVMM_VENDOR_AMD : HVMM_VENDOR_INTEL)))
		return NULL;
	if (row->feature != HVMM_MSR_ALWAYS && !hvmm_guest_has(row->feature))
		return NULL;
	return row;
}

static bool is_x2apic(u32 msr)
{
	return msr - HVMM_MSR_X2APIC_FIRST <= HVMM_MSR_X2APIC_LAST - HVMM_MSR_X2APIC_FIRST;
}

static int read_row(struct hvmm_x86_vcpu *x, const struct hvmm_msr_row *row, u32 msr, u64 *val)
{
	switch (row->read) {
	case HVMM_MSR_R_VALUE:
		*val = row->value;
		return 0;
	case HVMM_MSR_R_ARCH:
		return hvmm_arch->get_msr(x, msr, val) ? -EINVAL : 0;
	case HVMM_MSR_R_FN:
		return read_fn(x, msr, val);
	default:
		return -EINVAL;
	}
}

int hvmm_msr_read(struct hvmm_x86_vcpu *x, u32 msr, u64 *val)
{
	const struct hvmm_msr_row *row;
	int ret;

	if (is_x2apic(msr)) {
		ret = hvmm_pv_eoi_sync(x);
		return ret ?: hvmm_lapic_msr_read(&x->vcpu.lapic, msr, val);
	}
	if (msr == MSR_IA32_TSC_DEADLINE) {
		*val = hvmm_lapic_get_tscdeadline(&x->vcpu.lapic);
		return 0;
	}

	row = offered(msr);
	return row ? read_row(x, row, msr, val) : -EINVAL;
}

bool hvmm_msr_read_quick(struct hvmm_x86_vcpu *x, u32 msr, u64 *val)
{
	const struct hvmm_msr_row *row = x->msr_row;

	/* The one of the last time does for a guest that reads the same over and over. */
	if (!row || msr - row->first > row->last - row->first) {
		if (is_x2apic(msr) || msr == MSR_IA32_TSC_DEADLINE)
			return false;
		row = offered(msr);
		if (!row)
			return false;
		x->msr_row = row;
	}
	return !read_row(x, row, msr, val);
}

int hvmm_msr_write(struct hvmm_x86_vcpu *x, u32 msr, u64 val)
{
	const struct hvmm_msr_row *row;
	int ret;

	if (is_x2apic(msr)) {
		ret = hvmm_pv_eoi_sync(x);
		return ret ?: hvmm_lapic_msr_write(&x->vcpu.lapic, msr, val);
	}
	if (msr == MSR_IA32_TSC_DEADLINE) {
		hvmm_lapic_set_tscdeadline(&x->vcpu.lapic, val);
		return 0;
	}

	row = offered(msr);
	if (!row || (val & ~row->mask))
		return -EINVAL;
	switch (row->write) {
	case HVMM_MSR_W_IGNORE:
		if (val != row->value)
			pr_debug_ratelimited("VM %u vCPU %u: MSR 0x%x = 0x%llx ignored (%s)\n",
					     x->vcpu.vm->id, x->vcpu.index, msr, val, row->why);
		return 0;
	case HVMM_MSR_W_BASE:
		if (!is_canonical(val))
			return -EINVAL;
		fallthrough;
	case HVMM_MSR_W_ARCH:
		return hvmm_arch->set_msr(x, msr, val) ? -EINVAL : 0;
	case HVMM_MSR_W_FN:
		return write_fn(x, msr, val);
	default:
		return -EINVAL;
	}
}

void hvmm_msr_reset(struct hvmm_x86_vcpu *x, bool init)
{
	/* INIT leaves all of these as they are (SDM vol. 3, table 10-1). */
	if (!init) {
		memset(&x->msr, 0, sizeof(x->msr));
		hvmm_mtrr_reset(x);
	}
	hvmm_pv_reset(x);
	hvmm_tsc_sync(x);
}

void hvmm_msr_setup_intercepts(struct hvmm_x86_vcpu *x)
{
	/*
	 * Switched with the vCPU, so that neither side sees the other's: by VMLOAD and VMSAVE
	 * (APM vol. 2, 15.5.2), or in the VMCS and, what that lacks, by hand (x86/vmx/run.c).
	 */
	static const u32 open[] = {
		MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
		MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
		MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(open); i++)
		hvmm_arch->set_msr_intercept(x, open[i], false, false);
}
