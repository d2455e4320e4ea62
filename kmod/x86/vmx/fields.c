// SPDX-License-Identifier: GPL-2.0
/*
 * Fields of the VMCS are kept in memory. VMREAD and VMWRITE cost more than a load or a
 * store, and work only on the pCPU that holds the VMCS; a vCPU that does not run can be
 * reset all the same.
 */
#include "x86/vmx/fields.h"
#include "x86/vmx/vmx.h"

static u16 encoding(enum hvmm_vmcs_field field)
{
	static const u16 encodings[] = {
#define ENCODING(name, encoding, kind) (encoding),
		HVMM_VMCS_FIELDS(ENCODING)
#undef ENCODING
	};

	return encodings[field];
}

enum kind { CONTROL, GUEST, INFO };

static const u8 kinds[] = {
#define KIND(name, encoding, kind) (kind),
	HVMM_VMCS_FIELDS(KIND)
#undef KIND
};

/* Of those that an exit changes the values in memory are old. */
static DECLARE_BITMAP(kept, VMCS_FIELDS_NR);

void hvmm_vmx_fields_init(void)
{
	unsigned int i;

	for (i = 0; i < VMCS_FIELDS_NR; i++)
		__assign_bit(i, kept, kinds[i] == CONTROL);
}

u64 __hvmm_vmx_read(struct hvmm_vmx_vcpu *vmx, enum hvmm_vmcs_field field)
{
	u64 val;

	if (WARN_ON_ONCE(!vmx->loaded))
		return 0;
	if (WARN_ON_ONCE(!hvmm_vmread(encoding(field), &val)))
		val = 0;
	vmx->val[field] = val;
	__set_bit(field, vmx->valid);
	return val;
}

void hvmm_vmx_write_out(struct hvmm_vmx_vcpu *vmx)
{
	unsigned int i;

	for_each_set_bit(i, vmx->dirty, VMCS_FIELDS_NR)
		WARN_ONCE(!hvmm_vmwrite(encoding(i), vmx->val[i]), "VMCS field %#x", encoding(i));
	bitmap_zero(vmx->dirty, VMCS_FIELDS_NR);
}

void hvmm_vmx_forget_fields(struct hvmm_vmx_vcpu *vmx)
{
	bitmap_and(vmx->valid, vmx->valid, kept, VMCS_FIELDS_NR);
}

void hvmm_vmx_read_all(struct hvmm_vmx_vcpu *vmx)
{
	unsigned int i;
	u64 val;

	for (i = 0; i < VMCS_FIELDS_NR; i++)
		/* Some exist only with the control that uses them. */
		if (!test_bit(i, vmx->valid) && hvmm_vmread(encoding(i), &val))
			vmx->val[i] = val;
}

/* Past what is kept in memory: the VMCS is what it was when that is done again. */
void hvmm_vmx_poke(enum hvmm_vmcs_field field, u64 val)
{
	hvmm_vmwrite(encoding(field), val);
}

void hvmm_vmx_poke_all(struct hvmm_vmx_vcpu *vmx)
{
	unsigned int i;

	for (i = 0; i < VMCS_FIELDS_NR; i++)
		if (kinds[i] != INFO)
			hvmm_vmx_poke(i, vmx->val[i]);
}
