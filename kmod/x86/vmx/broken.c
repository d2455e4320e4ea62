// SPDX-License-Identifier: GPL-2.0
/*
 * In a module built with DEBUG=1, on request: does the processor refuse what the checker
 * refuses? The first vCPU that is about to enter its guest tries each broken state, and
 * enters with the sound one then.
 */

#include <linux/string.h>

#include "host/irq.h"
#include "x86/broken.h"
#include "x86/vmx/broken.h"
#include "x86/vmx/check.h"
#include "x86/vmx/fields.h"
#include "x86/vmx/vmx.h"

/* Return: whether checker and processor agree. */
static bool agree(struct hvmm_vmx_vcpu *vmx, const struct hvmm_vmx_broken *b, u64 *val,
		  bool (*enter)(struct hvmm_vmx_vcpu *vmx))
{
	const char *why;
	unsigned int i;
	bool refused;

	memcpy(val, vmx->val, sizeof(vmx->val));
	hvmm_vmx_break(val, b);
	why = hvmm_vmx_check(val, &hvmm_vmx_caps);
	for (i = 0; i < HVMM_VMX_CHANGES; i++)
		hvmm_vmx_poke(b->change[i].field, val[b->change[i].field]);
	/* Or a guest that is entered, against expectation, would run. */
	hvmm_interrupt_self();
	refused = !enter(vmx);
	for (i = 0; i < HVMM_VMX_CHANGES; i++)
		hvmm_vmx_poke(b->change[i].field, vmx->val[b->change[i].field]);
	if (!refused)
		hvmm_vmx_poke_all(vmx);

	return hvmm_broken_agree(b->why, why, refused);
}

void hvmm_vmx_try_broken(struct hvmm_vmx_vcpu *vmx, bool (*enter)(struct hvmm_vmx_vcpu *vmx))
{
	static u64 val[VMCS_FIELDS_NR];
	unsigned int i, nr = 0;

	if (likely(!hvmm_broken_begin()))
		return;
	hvmm_vmx_read_all(vmx);
	if (!hvmm_broken_is_sound(hvmm_vmx_check(vmx->val, &hvmm_vmx_caps)))
		return;
	for (i = 0; i < ARRAY_SIZE(hvmm_vmx_broken); i++)
		nr += agree(vmx, &hvmm_vmx_broken[i], val, enter);
	hvmm_broken_end(nr, ARRAY_SIZE(hvmm_vmx_broken));
}
