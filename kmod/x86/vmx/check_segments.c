// SPDX-License-Identifier: GPL-2.0
/*
 * Checks on guest segments: SDM vol. 3, 27.3.1.2 and 27.3.1.3.
 */
#include <linux/kernel.h>

#include "x86/vmx/check.h"

#define CR0_PE		BIT_ULL(0)
#define RFLAGS_VM	BIT_ULL(17)

/* Numbered as the fields are. */
enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

#define SEL(nr)		((u16)val[VMCS_GUEST_ES_SEL + (nr)])
#define AR(nr)		((u32)val[VMCS_GUEST_ES_AR + (nr)])
#define BASE(nr)	(val[VMCS_GUEST_ES_BASE + (nr)])
#define LIMIT(nr)	((u32)val[VMCS_GUEST_ES_LIMIT + (nr)])
#define USABLE(nr)	(!(AR(nr) & VMX_AR_UNUSABLE))

/* One text a segment, as the processor has one check for each. */
#define TEXTS(what)							\
	{ "guest ES: " what, "guest CS: " what, "guest SS: " what,	\
	  "guest DS: " what, "guest FS: " what, "guest GS: " what,	\
	  "guest LDTR: " what, "guest TR: " what }

static bool unrestricted(const u64 *val)
{
	return (val[VMCS_PROC_CTL] & PROC_SECONDARY) && (val[VMCS_PROC2_CTL] & PROC2_UNRESTRICTED);
}

static const char *check_v86(const u64 *val)
{
	static const char *const base[] = TEXTS("the base is not that of virtual-8086 mode");
	static const char *const limit[] = TEXTS("the limit is not that of virtual-8086 mode");
	static const char *const ar[] = TEXTS("the rights are not those of virtual-8086 mode");
	unsigned int nr;

	for (nr = ES; nr <= GS; nr++) {
		if (BASE(nr) != (u64)SEL(nr) << 4)
			return base[nr];
		if (LIMIT(nr) != 0xffff)
			return limit[nr];
		if (AR(nr) != 0xf3)
			return ar[nr];
	}
	return NULL;
}

static const char *check_bases(const u64 *val)
{
	if (!hvmm_vmx_canonical(BASE(TR)))
		return "guest TR: the base is not canonical";
	if (!hvmm_vmx_canonical(BASE(FS)))
		return "guest FS: the base is not canonical";
	if (!hvmm_vmx_canonical(BASE(GS)))
		return "guest GS: the base is not canonical";
	if (USABLE(LDTR) && !hvmm_vmx_canonical(BASE(LDTR)))
		return "guest LDTR: the base is not canonical";
	if (BASE(CS) >> 32)
		return "guest CS: the base has bits 63:32 set";
	if (USABLE(SS) && BASE(SS) >> 32)
		return "guest SS: the base has bits 63:32 set";
	if (USABLE(DS) && BASE(DS) >> 32)
		return "guest DS: the base has bits 63:32 set";
	if (USABLE(ES) && BASE(ES) >> 32)
		return "guest ES: the base has bits 63:32 set";
	return NULL;
}

static bool limit_against_g(u32 limit, u32 ar)
{
	if (ar & VMX_AR_G)
		return (limit & 0xfff) != 0xfff;
	return limit >> 20;
}

/* What all segments but unusable ones have in common. */
static const char *check_rights(const u64 *val, unsigned int nr)
{
	static const char *const p[] = TEXTS("not present");
	static const char *const reserved[] = TEXTS("reserved bits of the rights are set");
	static const char *const g[] = TEXTS("limit and granularity do not fit");

	if (!(AR(nr) & VMX_AR_P))
		return p[nr];
	if (AR(nr) & VMX_AR_RESERVED)
		return reserved[nr];
	if (limit_against_g(LIMIT(nr), AR(nr)))
		return g[nr];
	return NULL;
}

static const char *check_cs(const u64 *val)
{
	u32 ar = AR(CS), type = ar & VMX_AR_TYPE;

	if (!(type == 9 || type == 11 || type == 13 || type == 15 ||
	      (type == 3 && unrestricted(val))))
		return "guest CS: the type is not of accessed code";
	if (!(ar & VMX_AR_S))
		return "guest CS: a system segment";
	if (type == 3 && VMX_AR_DPL(ar))
		return "guest CS: the DPL of a data segment is not zero";
	if ((type == 9 || type == 11) && VMX_AR_DPL(ar) != VMX_AR_DPL(AR(SS)))
		return "guest CS: the DPL is not that of SS";
	if ((type == 13 || type == 15) && VMX_AR_DPL(ar) > VMX_AR_DPL(AR(SS)))
		return "guest CS: the DPL is above that of SS";
	if ((val[VMCS_ENTRY_CTL] & ENTRY_LONG_MODE) && (ar & VMX_AR_L) && (ar & VMX_AR_DB))
		return "guest CS: L and D are both set";
	return check_rights(val, CS);
}

static const char *check_ss(const u64 *val)
{
	u32 ar = AR(SS), type = ar & VMX_AR_TYPE;

	if (!unrestricted(val) && VMX_AR_DPL(ar) != (SEL(SS) & 3))
		return "guest SS: the DPL is not the RPL";
	if (((AR(CS) & VMX_AR_TYPE) == 3 || !(val[VMCS_GUEST_CR0] & CR0_PE)) && VMX_AR_DPL(ar))
		return "guest SS: the DPL is not zero in real mode";
	if (!USABLE(SS))
		return NULL;
	if (type != 3 && type != 7)
		return "guest SS: the type is not of writable accessed data";
	if (!(ar & VMX_AR_S))
		return "guest SS: a system segment";
	return check_rights(val, SS);
}

static const char *check_data(const u64 *val, unsigned int nr)
{
	static const char *const accessed[] = TEXTS("not accessed");
	static const char *const readable[] = TEXTS("code that is not readable");
	static const char *const s[] = TEXTS("a system segment");
	static const char *const dpl[] = TEXTS("the DPL is below the RPL");
	u32 ar = AR(nr);

	if (!USABLE(nr))
		return NULL;
	if (!(ar & VMX_AR_ACCESSED))
		return accessed[nr];
	if ((ar & VMX_AR_CODE) && !(ar & VMX_AR_WRITE))
		return readable[nr];
	if (!(ar & VMX_AR_S))
		return s[nr];
	if (!unrestricted(val) && (ar & VMX_AR_TYPE) < 12 && VMX_AR_DPL(ar) < (SEL(nr) & 3))
		return dpl[nr];
	return check_rights(val, nr);
}

static const char *check_system(const u64 *val)
{
	bool lma = val[VMCS_ENTRY_CTL] & ENTRY_LONG_MODE;
	u32 type = AR(TR) & VMX_AR_TYPE;
	const char *why;

	if (SEL(TR) & 4)
		return "guest TR: in the LDT";
	if (!USABLE(TR))
		return "guest TR: unusable";
	if (type != 11 && (lma || type != 3))
		return "guest TR: the type is not of a busy TSS";
	if (AR(TR) & VMX_AR_S)
		return "guest TR: not a system segment";
	why = check_rights(val, TR);
	if (why || !USABLE(LDTR))
		return why;
	if (SEL(LDTR) & 4)
		return "guest LDTR: in the LDT";
	if ((AR(LDTR) & VMX_AR_TYPE) != 2)
		return "guest LDTR: the type is not of an LDT";
	if (AR(LDTR) & VMX_AR_S)
		return "guest LDTR: not a system segment";
	return check_rights(val, LDTR);
}

static const char *check_tables(const u64 *val)
{
	if (!hvmm_vmx_canonical(val[VMCS_GUEST_GDTR_BASE]))
		return "guest GDTR: the base is not canonical";
	if (!hvmm_vmx_canonical(val[VMCS_GUEST_IDTR_BASE]))
		return "guest IDTR: the base is not canonical";
	if (val[VMCS_GUEST_GDTR_LIMIT] >> 16)
		return "guest GDTR: the limit is above 0xffff";
	if (val[VMCS_GUEST_IDTR_LIMIT] >> 16)
		return "guest IDTR: the limit is above 0xffff";
	return NULL;
}

const char *hvmm_vmx_check_segments(const u64 *val)
{
	static const u8 data[] = { DS, ES, FS, GS };
	const char *why = NULL;
	unsigned int i;

	if (val[VMCS_GUEST_RFLAGS] & RFLAGS_VM) {
		why = check_v86(val);
	} else {
		if (!unrestricted(val) && ((SEL(SS) ^ SEL(CS)) & 3))
			return "guest SS: the RPL is not that of CS";
		why = check_cs(val);
		if (!why)
			why = check_ss(val);
		for (i = 0; !why && i < ARRAY_SIZE(data); i++)
			why = check_data(val, data[i]);
	}
	if (!why)
		why = check_bases(val);
	if (!why)
		why = check_system(val);
	if (!why)
		why = check_tables(val);
	return why;
}
