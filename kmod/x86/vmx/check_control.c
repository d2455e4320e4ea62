// SPDX-License-Identifier: GPL-2.0
/*
 * Checks on VMX controls: SDM vol. 3, 27.2.1.
 */
#include <linux/stddef.h>

#include "x86/vmx/check.h"

#define CR0_PE	BIT_ULL(0)

static bool wrong_address(const struct hvmm_vmx_caps *caps, u64 pa, u64 align)
{
	return pa & (align - 1) || pa >> caps->phys_bits;
}

/* A.2: a bit that must be 1 is 0, or one that must be 0 is 1. */
static bool not_allowed(const struct hvmm_vmx_caps *caps, enum hvmm_vmx_word word, u32 ctl)
{
	return ((u32)caps->allowed[word] & ~ctl) || (ctl & ~(caps->allowed[word] >> 32));
}

static const char *check_execution(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	u32 pin = val[VMCS_PIN_CTL], proc = val[VMCS_PROC_CTL];
	u32 proc2 = proc & PROC_SECONDARY ? val[VMCS_PROC2_CTL] : 0;

	if (not_allowed(caps, VMX_PIN, pin))
		return "pin-based controls: not as the processor allows";
	if (not_allowed(caps, VMX_PROC, proc))
		return "primary processor-based controls: not as the processor allows";
	if ((proc & PROC_SECONDARY) && not_allowed(caps, VMX_PROC2, proc2))
		return "secondary processor-based controls: not as the processor allows";
	if (val[VMCS_CR3_TARGETS] > (caps->misc >> 16 & 0x1ff))
		return "more CR3 targets than the processor has";
	if ((proc & PROC_MSR_BITMAP) && wrong_address(caps, val[VMCS_MSR_BITMAP], 4096))
		return "the MSR bitmap is not at a page's physical address";
	if (!(pin & PIN_NMI) && (pin & PIN_VIRTUAL_NMIS))
		return "virtual NMIs without NMI exiting";
	if (!(pin & PIN_VIRTUAL_NMIS) && (proc & PROC_NMI_WINDOW))
		return "NMI-window exiting without virtual NMIs";
	if (proc & PROC_TPR_SHADOW) {
		if (wrong_address(caps, val[VMCS_VIRTUAL_APIC], 4096))
			return "the virtual-APIC page is not at a page's physical address";
		if (!(proc2 & PROC2_INTERRUPT_DELIVERY) && val[VMCS_TPR_THRESHOLD] & ~0xfULL)
			return "the TPR threshold is above 15";
	} else if (proc2 & (PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_INTERRUPT_DELIVERY)) {
		return "virtualized APIC without TPR shadow";
	}
	if ((proc2 & PROC2_X2APIC) && (proc2 & PROC2_APIC_ACCESS))
		return "x2APIC and APIC accesses are virtualized at once";
	if ((proc2 & PROC2_INTERRUPT_DELIVERY) && !(pin & PIN_EXTERNAL_INTERRUPT))
		return "virtual-interrupt delivery without external-interrupt exiting";
	if ((pin & PIN_POSTED_INTERRUPTS) && !(proc2 & PROC2_INTERRUPT_DELIVERY))
		return "posted interrupts without virtual-interrupt delivery";
	if ((proc2 & PROC2_VPID) && !val[VMCS_VPID])
		return "the VPID is zero";
	return NULL;
}

static const char *check_ept(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	u64 eptp = val[VMCS_EPTP];
	u32 proc2 = val[VMCS_PROC_CTL] & PROC_SECONDARY ? val[VMCS_PROC2_CTL] : 0;

	if (!(proc2 & PROC2_EPT))
		return proc2 & PROC2_UNRESTRICTED ? "unrestricted guest without EPT" : NULL;
	if ((eptp & 7) != EPTP_WRITE_BACK)
		return "EPTP: memory type is not write-back";
	if ((eptp & 0x38) != EPTP_LEVELS(4))
		return "EPTP: not four levels";
	if ((eptp & EPTP_ACCESSED_DIRTY) && !(caps->ept_vpid & EPT_ACCESSED_DIRTY))
		return "EPTP: accessed and dirty flags, which the processor has not";
	if (eptp & 0xf80)
		return "EPTP: reserved bits are set";
	if (eptp >> caps->phys_bits)
		return "EPTP: the address is too wide";
	return NULL;
}

static const char *check_exit(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	if (not_allowed(caps, VMX_EXIT, val[VMCS_EXIT_CTL]))
		return "exit controls: not as the processor allows";
	if (val[VMCS_EXIT_MSR_STORE_NR] && wrong_address(caps, val[VMCS_EXIT_MSR_STORE], 16))
		return "the MSR-store area of exits has a wrong address";
	if (val[VMCS_EXIT_MSR_LOAD_NR] && wrong_address(caps, val[VMCS_EXIT_MSR_LOAD], 16))
		return "the MSR-load area of exits has a wrong address";
	return NULL;
}

static bool has_error_code(u8 vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* 27.2.1.3: the event to be injected. */
const char *hvmm_vmx_check_event(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	u32 event = val[VMCS_ENTRY_EVENT], type = EVENT_TYPE(event);
	u32 proc2 = val[VMCS_PROC_CTL] & PROC_SECONDARY ? val[VMCS_PROC2_CTL] : 0;
	u8 vector = event & EVENT_VECTOR;
	bool must;

	if (!(event & EVENT_VALID))
		return NULL;
	if (type == 1 || type == EVENT_OTHER)
		return "injected event: reserved type";
	if (type == EVENT_NMI && vector != 2)
		return "injected event: an NMI whose vector is not 2";
	if (type == EVENT_EXCEPTION && vector > 31)
		return "injected event: an exception whose vector is above 31";
	must = type == EVENT_EXCEPTION && has_error_code(vector) &&
	       (!(proc2 & PROC2_UNRESTRICTED) || (val[VMCS_GUEST_CR0] & CR0_PE));
	if ((event & EVENT_ERROR) && !must && !(caps->basic & BASIC_ANY_ERROR_CODE))
		return "injected event: an error code where there is none";
	if (!(event & EVENT_ERROR) && must && !(caps->basic & BASIC_ANY_ERROR_CODE))
		return "injected event: no error code where there is one";
	if (event & EVENT_RESERVED)
		return "injected event: reserved bits are set";
	if ((event & EVENT_ERROR) && val[VMCS_ENTRY_EVENT_ERROR] >> 16)
		return "injected event: reserved bits of the error code are set";
	if (type >= EVENT_SOFT_INTERRUPT &&
	    (val[VMCS_ENTRY_INSN_LEN] > 15 ||
	     (!val[VMCS_ENTRY_INSN_LEN] && !(caps->misc & BIT(30)))))
		return "injected event: not the length of an instruction";
	return NULL;
}

static const char *check_entry(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	if (not_allowed(caps, VMX_ENTRY, val[VMCS_ENTRY_CTL]))
		return "entry controls: not as the processor allows";
	if (val[VMCS_ENTRY_MSR_LOAD_NR] && wrong_address(caps, val[VMCS_ENTRY_MSR_LOAD], 16))
		return "the MSR-load area of entries has a wrong address";
	if (val[VMCS_ENTRY_CTL] & (ENTRY_SMM | ENTRY_DUAL_MONITOR))
		return "entry controls: SMM, outside of it";
	return NULL;
}

const char *hvmm_vmx_check_control(const u64 *val, const struct hvmm_vmx_caps *caps)
{
	const char *why;

	why = check_execution(val, caps);
	if (!why)
		why = check_ept(val, caps);
	if (!why)
		why = check_exit(val, caps);
	if (!why)
		why = check_entry(val, caps);
	if (!why)
		why = hvmm_vmx_check_event(val, caps);
	return why;
}
