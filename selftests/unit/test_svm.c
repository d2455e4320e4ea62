// SPDX-License-Identifier: GPL-2.0
/* SVM: the checks of VMRUN. */
#include <string.h>

#include <linux/kernel.h>

#include "check.h"
#include "x86/svm/broken.h"
#include "x86/svm/check.h"

unsigned int check_failed;

#define PAT_RESET	0x7040600070406ULL

/* A processor with 48 bits of address, whose guests are offered CR4 up to bit 10. */
static const struct hvmm_svm_limits limits = {
	.cr4 = 0x7ff,
	.address = GENMASK_ULL(47, 0),
	.nr_asids = 16,
};

/* What hvmm gives a 32-bit guest without paging. */
static struct hvmm_vmcb sound(void)
{
	struct hvmm_vmcb vmcb = {
		.control.intercept[1] = BIT(SVM_ICPT_VMRUN - 32),
		.control.asid = 1,
		.control.iopm_pa = 0x100000,
		.control.msrpm_pa = 0x200000,
		.control.np_control = SVM_NP_ENABLE,
		.control.nested_cr3 = 0x300000,
		.save.efer = EFER_SVME,
		.save.cr0 = 0x31,
		.save.dr6 = 0xffff0ff0,
		.save.dr7 = 0x400,
		.save.g_pat = PAT_RESET,
		.save.cs.attrib = 0xc9b,
	};

	return vmcb;
}

/* The same guest in 64-bit mode. */
static struct hvmm_vmcb sound64(void)
{
	struct hvmm_vmcb vmcb = sound();

	vmcb.save.efer |= EFER_LME | EFER_LMA | EFER_SCE | EFER_NX;
	vmcb.save.cr0 = 0x80050033;
	vmcb.save.cr3 = 0x1000000;
	vmcb.save.cr4 = 0x6b0;
	vmcb.save.cs.attrib = 0xa9b;
	return vmcb;
}

static void expect(const struct hvmm_vmcb *vmcb, const char *want)
{
	const char *why = hvmm_svm_check(vmcb, &limits);

	if (!why == !want && (!why || !strcmp(why, want)))
		return;
	check_failed++;
	tap_diag("\"%s\", not \"%s\"", why ?: "(sound)", want ?: "(sound)");
}

static void test_sound(void)
{
	struct hvmm_vmcb vmcb = sound();
	unsigned int type;

	expect(&vmcb, NULL);
	/* Real mode, caches off. */
	vmcb.save.cr0 = 0x60000010;
	expect(&vmcb, NULL);
	/* CS.L means nothing before long mode is active, nor does CR3. */
	vmcb.save.cs.attrib = HVMM_SEG_ATTR_L | HVMM_SEG_ATTR_DB | 0x9b;
	vmcb.save.efer |= EFER_LME;
	vmcb.save.cr3 = BIT_ULL(52);
	expect(&vmcb, NULL);

	vmcb = sound64();
	expect(&vmcb, NULL);
	vmcb.save.cr3 |= GENMASK_ULL(51, 48);
	vmcb.control.asid = limits.nr_asids - 1;
	expect(&vmcb, NULL);
	/* Without nested paging neither nCR3 nor g_pat is looked at. */
	vmcb.control.np_control = 0;
	vmcb.control.nested_cr3 = ~0ULL;
	vmcb.save.g_pat = ~0ULL;
	expect(&vmcb, NULL);

	vmcb = sound64();
	for (type = 0; type <= 4; type++) {
		if (type == 1)
			continue;
		vmcb.control.event_inject = SVM_EVENT_V | type << 8 | (type == 3 ? 14 : 0x20);
		expect(&vmcb, NULL);
	}
	/* What is not valid is not looked at. */
	vmcb.control.event_inject = 7 << 8;
	expect(&vmcb, NULL);
}

static void test_edges(void)
{
	struct hvmm_vmcb vmcb = sound();

	vmcb.control.asid = limits.nr_asids;
	expect(&vmcb, "the ASID is above what the processor has");

	/* The maps are of 12 and 8 KiB; the low bits of where they are do not count. */
	vmcb = sound();
	vmcb.control.iopm_pa = limits.address - (12 << 10) + 1;
	vmcb.control.msrpm_pa = limits.address - 0x1000;
	expect(&vmcb, NULL);
	vmcb.control.iopm_pa += 0x1000;
	expect(&vmcb, "the map of I/O ports is not in physical memory");
	vmcb = sound();
	vmcb.control.msrpm_pa = limits.address;
	expect(&vmcb, "the map of MSRs is not in physical memory");

	vmcb = sound();
	vmcb.control.nested_cr3 = limits.address + 1;
	expect(&vmcb, "nCR3 has reserved bits set");
}

static void all_broken(struct hvmm_vmcb (*make)(void))
{
	struct hvmm_vmcb vmcb;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hvmm_svm_broken); i++) {
		vmcb = make();
		hvmm_svm_break(&vmcb, &hvmm_svm_broken[i]);
		expect(&vmcb, hvmm_svm_broken[i].why);
	}
	tap_diag("%zu broken states", ARRAY_SIZE(hvmm_svm_broken));
	CHECK(ARRAY_SIZE(hvmm_svm_broken) >= 40);
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
	{ "sound states pass", test_sound },
	{ "limits are what the processor has, exactly", test_edges },
	{ "each broken state of a 32-bit guest is named", test_broken },
	{ "each broken state of a 64-bit guest is named", test_broken64 },
};

int main(void)
{
	return check_main(cases, ARRAY_SIZE(cases));
}
