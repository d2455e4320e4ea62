// SPDX-License-Identifier: GPL-2.0
/* VMX: the choice of controls, and the checks of a VM entry. */
#include <string.h>

#include <linux/errno.h>
#include <linux/kernel.h>

#include "check.h"
#include "x86/vmx/broken.h"
#include "x86/vmx/caps.h"
#include "x86/vmx/check.h"

unsigned int check_failed;

#define EFER_LONG	(BIT_ULL(8) | BIT_ULL(10))

/* A processor of about 2013: SDM vol. 3, appendix A for what is what. */
static struct hvmm_vmx_caps processor(void)
{
	struct hvmm_vmx_caps caps = {
		.basic = 0xda040000000012ULL,
		.misc = 0x300481e5ULL,
		.ept_vpid = 0xf0106334141ULL,
		.cr0_must = 0x80000021,
		.cr0_may = 0xffffffff,
		.cr4_must = 0x2000,
		.cr4_may = 0x1727ff,
		.phys_bits = 39,
		.allowed = {
			[VMX_PIN] = 0x7f00000016ULL,
			[VMX_PROC] = 0xfff9fffe04006172ULL,
			[VMX_PROC2] = 0x7fff00000000ULL,
			[VMX_EXIT] = 0x7fffff00036dfbULL,
			[VMX_ENTRY] = 0xffff000011fbULL,
		},
	};

	return caps;
}

static void write_seg(u64 *val, unsigned int nr, u16 sel, u32 limit, u32 ar)
{
	val[VMCS_GUEST_ES_SEL + nr] = sel;
	val[VMCS_GUEST_ES_LIMIT + nr] = limit;
	val[VMCS_GUEST_ES_AR + nr] = ar;
}

/* What hvmm gives a 32-bit guest without paging, on a 64-bit host. */
static void sound(u64 *val, const struct hvmm_vmx_caps *caps)
{
	unsigned int i;

	memset(val, 0, VMCS_FIELDS_NR * sizeof(*val));
	val[VMCS_PIN_CTL] = caps->ctl[VMX_PIN];
	val[VMCS_PROC_CTL] = caps->ctl[VMX_PROC];
	val[VMCS_PROC2_CTL] = caps->ctl[VMX_PROC2];
	val[VMCS_EXIT_CTL] = caps->ctl[VMX_EXIT];
	val[VMCS_ENTRY_CTL] = caps->ctl[VMX_ENTRY];
	val[VMCS_VPID] = 1;
	val[VMCS_EPTP] = 0x100000 | EPTP_WRITE_BACK | EPTP_LEVELS(4);
	val[VMCS_MSR_BITMAP] = 0x200000;
	val[VMCS_VIRTUAL_APIC] = 0x300000;
	val[VMCS_LINK] = ~0ULL;

	val[VMCS_HOST_CR0] = 0x80050033;
	val[VMCS_HOST_CR4] = 0x1626f0 & caps->cr4_may;
	val[VMCS_HOST_CR3] = 0x1000000;
	val[VMCS_HOST_EFER] = 0xd01;
	val[VMCS_HOST_PAT] = 0x407050600070106ULL;
	val[VMCS_HOST_CS_SEL] = 0x10;
	val[VMCS_HOST_SS_SEL] = 0x18;
	val[VMCS_HOST_TR_SEL] = 0x40;
	val[VMCS_HOST_GS_BASE] = 0xffff888000000000ULL;
	val[VMCS_HOST_TR_BASE] = 0xfffffe0000003000ULL;
	val[VMCS_HOST_GDTR_BASE] = 0xfffffe0000001000ULL;
	val[VMCS_HOST_IDTR_BASE] = 0xfffffe0000000000ULL;
	val[VMCS_HOST_RIP] = 0xffffffff81000000ULL;

	val[VMCS_GUEST_CR0] = 0x31;
	val[VMCS_GUEST_CR4] = 0x2000;
	val[VMCS_GUEST_PAT] = 0x7040600070406ULL;
	val[VMCS_GUEST_DR7] = 0x400;
	val[VMCS_GUEST_RFLAGS] = 2;
	val[VMCS_GUEST_RIP] = 0x400000;
	for (i = 0; i < 6; i++)
		write_seg(val, i, 0x18, 0xffffffff, 0xc093);
	write_seg(val, 1, 0x10, 0xffffffff, 0xc09b);
	write_seg(val, 6, 0, 0xffff, 0x82);
	write_seg(val, 7, 0, 0xffff, 0x8b);
}

/* The same guest in 64-bit mode. */
static void sound64(u64 *val, const struct hvmm_vmx_caps *caps)
{
	sound(val, caps);
	val[VMCS_ENTRY_CTL] |= ENTRY_LONG_MODE;
	val[VMCS_GUEST_CR0] |= BIT_ULL(31);
	val[VMCS_GUEST_CR4] |= BIT_ULL(5);
	val[VMCS_GUEST_EFER] = EFER_LONG;
	write_seg(val, 1, 0x10, 0xffffffff, 0xa09b);
	val[VMCS_GUEST_RIP] = 0xffffffff81000000ULL;
}

static void test_choice(void)
{
	struct hvmm_vmx_caps caps = processor();
	char why[80] = "";

	CHECK_EQ(hvmm_vmx_caps_choose(&caps, why, sizeof(why)), 0);
	CHECK(!why[0]);
	CHECK_EQ(caps.ctl[VMX_PIN], 0x16 | PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMIS);
	CHECK(caps.ctl[VMX_PROC] & PROC_TPR_SHADOW);
	CHECK(!(caps.ctl[VMX_PROC] & (PROC_CR8_LOAD | PROC_CR8_STORE | PROC_CR3_LOAD)));
	CHECK(!(caps.ctl[VMX_PROC] & (PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW | PROC_PAUSE)));
	CHECK(caps.ctl[VMX_PROC2] & PROC2_VPID);
	CHECK(!(caps.ctl[VMX_EXIT] & EXIT_ACK_INTERRUPT));
	CHECK(!(caps.ctl[VMX_ENTRY] & ENTRY_LONG_MODE));
}

/* Of an APIC in x2APIC mode all, or the TPR, or nothing; and of no other. */
static void test_x2apic(void)
{
	const u32 all = PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_INTERRUPT_DELIVERY;
	struct hvmm_vmx_caps caps = processor();
	char why[80];

	CHECK_EQ(hvmm_vmx_caps_choose(&caps, why, sizeof(why)), 0);
	CHECK_EQ(caps.x2apic, all);
	CHECK(!(caps.ctl[VMX_PROC2] & all));

	caps.allowed[VMX_PROC2] &= ~((u64)PROC2_APIC_REGISTERS << 32);
	CHECK_EQ(hvmm_vmx_caps_choose(&caps, why, sizeof(why)), 0);
	CHECK_EQ(caps.x2apic, PROC2_X2APIC);

	caps.allowed[VMX_PROC2] &= ~((u64)PROC2_X2APIC << 32);
	CHECK_EQ(hvmm_vmx_caps_choose(&caps, why, sizeof(why)), 0);
	CHECK_EQ(caps.x2apic, 0);

	caps = processor();
	caps.allowed[VMX_PROC] &= ~((u64)PROC_TPR_SHADOW << 32);
	CHECK_EQ(hvmm_vmx_caps_choose(&caps, why, sizeof(why)), 0);
	CHECK_EQ(caps.x2apic, 0);
}

static void lacks(unsigned int word, u64 clear, u64 set, const char *what)
{
	struct hvmm_vmx_caps caps = processor();
	char why[80] = "", want[80];

	caps.allowed[word] = (caps.allowed[word] & ~clear) | set;
	snprintf(want, sizeof(want), "this processor's VMX lacks \"%s\"", what);
	CHECK_EQ(-hvmm_vmx_caps_choose(&caps, why, sizeof(why)), ENODEV);
	if (strcmp(why, want)) {
		check_failed++;
		tap_diag("\"%s\", not \"%s\"", why, want);
	}
}

static void test_refusal(void)
{
	struct hvmm_vmx_caps caps = processor();
	char why[80] = "";

	lacks(VMX_PROC2, (u64)PROC2_UNRESTRICTED << 32, 0, "unrestricted guest");
	lacks(VMX_PROC2, (u64)PROC2_EPT << 32, 0, "enable EPT");
	lacks(VMX_PIN, (u64)PIN_VIRTUAL_NMIS << 32, 0, "virtual NMIs");
	lacks(VMX_PROC, (u64)PROC_NMI_WINDOW << 32, 0, "NMI-window exiting");
	lacks(VMX_PROC, 0, PROC_CR3_LOAD, "no CR3-load exiting");
	lacks(VMX_EXIT, (u64)EXIT_LOAD_EFER << 32, 0, "load IA32_EFER on exit");
	lacks(VMX_EXIT, 0, EXIT_ACK_INTERRUPT, "no acknowledge interrupt on exit");
	lacks(VMX_ENTRY, (u64)ENTRY_LONG_MODE << 32, 0, "IA-32e mode guest");
	caps.ept_vpid &= ~EPT_2M;
	CHECK_EQ(-hvmm_vmx_caps_choose(&caps, why, sizeof(why)), ENODEV);
	CHECK(!strcmp(why, "this processor's VMX lacks \"2 MiB pages in EPT\""));
}

static void test_optional(void)
{
	struct hvmm_vmx_caps caps = processor();
	char why[80];

	caps.allowed[VMX_PROC] &= ~((u64)PROC_TPR_SHADOW << 32);
	caps.ept_vpid &= ~EPT_INVVPID_ALL;
	CHECK_EQ(hvmm_vmx_caps_choose(&caps, why, sizeof(why)), 0);
	CHECK(!(caps.ctl[VMX_PROC] & PROC_TPR_SHADOW));
	CHECK((caps.ctl[VMX_PROC] & PROC_CR8_LOAD) && (caps.ctl[VMX_PROC] & PROC_CR8_STORE));
	CHECK(!(caps.ctl[VMX_PROC2] & PROC2_VPID));
}

static void expect(const u64 *val, const struct hvmm_vmx_caps *caps, const char *want)
{
	const char *why = hvmm_vmx_check(val, caps);

	if (!why == !want && (!why || !strcmp(why, want)))
		return;
	check_failed++;
	tap_diag("\"%s\", not \"%s\"", why ?: "(sound)", want ?: "(sound)");
}

static void test_sound(void)
{
	struct hvmm_vmx_caps caps = processor();
	u64 val[VMCS_FIELDS_NR];
	char why[80];

	CHECK_EQ(hvmm_vmx_caps_choose(&caps, why, sizeof(why)), 0);
	sound(val, &caps);
	expect(val, &caps, NULL);

	/* Real mode: unrestricted guests need neither PE nor segments of protected mode. */
	val[VMCS_GUEST_CR0] = 0x30;
	write_seg(val, 1, 0xf000, 0xffff, 0x9b);
	val[VMCS_GUEST_CS_BASE] = 0xffff0000;
	expect(val, &caps, NULL);

	sound64(val, &caps);
	expect(val, &caps, NULL);
	/* No segment but CS and TR has to be usable. */
	val[VMCS_GUEST_SS_AR] = VMX_AR_UNUSABLE;
	val[VMCS_GUEST_DS_AR] = VMX_AR_UNUSABLE;
	val[VMCS_GUEST_LDTR_AR] = VMX_AR_UNUSABLE;
	val[VMCS_GUEST_LDTR_BASE] = 0x8000000000000000ULL;
	expect(val, &caps, NULL);
	/* A step that is pending with the shadow that holds it. */
	val[VMCS_INTERRUPTIBILITY] = BLOCKED_BY_MOV_SS;
	val[VMCS_GUEST_RFLAGS] |= BIT_ULL(8);
	val[VMCS_PENDING_DEBUG] = PENDING_DEBUG_STEP;
	expect(val, &caps, NULL);

	/* With virtual-interrupt delivery no threshold counts (27.2.1.1). */
	sound64(val, &caps);
	val[VMCS_PROC2_CTL] |= caps.x2apic;
	val[VMCS_TPR_THRESHOLD] = 16;
	expect(val, &caps, NULL);

	sound64(val, &caps);
	val[VMCS_ENTRY_EVENT] = EVENT_VALID | EVENT_EXCEPTION << 8 | 14 | EVENT_ERROR;
	val[VMCS_ENTRY_EVENT_ERROR] = 6;
	expect(val, &caps, NULL);
	/* Virtual-8086 mode. */
	sound(val, &caps);
	val[VMCS_GUEST_RFLAGS] |= BIT_ULL(17);
	for (unsigned int i = 0; i < 6; i++) {
		write_seg(val, i, 0x1000 * i, 0xffff, 0xf3);
		val[VMCS_GUEST_ES_BASE + i] = 0x10000 * i;
	}
	expect(val, &caps, NULL);
}

static void all_broken(void (*make)(u64 *val, const struct hvmm_vmx_caps *caps))
{
	struct hvmm_vmx_caps caps = processor();
	u64 val[VMCS_FIELDS_NR];
	char why[80];
	unsigned int i;

	CHECK_EQ(hvmm_vmx_caps_choose(&caps, why, sizeof(why)), 0);
	for (i = 0; i < ARRAY_SIZE(hvmm_vmx_broken); i++) {
		make(val, &caps);
		hvmm_vmx_break(val, &hvmm_vmx_broken[i]);
		expect(val, &caps, hvmm_vmx_broken[i].why);
	}
	tap_diag("%zu broken states", ARRAY_SIZE(hvmm_vmx_broken));
}

static void test_broken(void)
{
	all_broken(sound);
}

static void test_broken64(void)
{
	all_broken(sound64);
}

static const struct check_case cases[] = {
	{ "controls are chosen from what the processor has", test_choice },
	{ "what of the local APIC is virtualized", test_x2apic },
	{ "what is missing is named", test_refusal },
	{ "what is optional is left out", test_optional },
	{ "sound states pass", test_sound },
	{ "each broken state of a 32-bit guest is named", test_broken },
	{ "each broken state of a 64-bit guest is named", test_broken64 },
};

int main(void)
{
	return check_main(cases, ARRAY_SIZE(cases));
}
