// SPDX-License-Identifier: GPL-2.0
/*
 * In a module built with DEBUG=1, on request: does VMRUN refuse what the checker refuses? The
 * first vCPU that is about to enter its guest tries each broken state, and enters with the
 * sound one then.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "host/irq.h"
#include "x86/broken.h"
#include "x86/svm/broken.h"
#include "x86/svm/svm.h"

/* Return: whether checker and processor agree. */
static bool agree(struct hvmm_svm_vcpu *svm, const struct hvmm_svm_broken *b,
		  const struct hvmm_vmcb *sound, bool (*enter)(struct hvmm_svm_vcpu *svm))
{
	struct hvmm_vmcb *vmcb = svm->vmcb;
	const char *why;
	bool refused;

	hvmm_svm_break(vmcb, b);
	vmcb->control.clean = 0;
	why = hvmm_svm_check(vmcb, &hvmm_svm_limits);
	/* Or a guest that is entered, against expectation, would run. */
	hvmm_interrupt_self();
	refused = !enter(svm);
	*vmcb = *sound;
	return hvmm_broken_agree(b->why, why, refused);
}

void hvmm_svm_try_broken(struct hvmm_svm_vcpu *svm, bool (*enter)(struct hvmm_svm_vcpu *svm))
{
	static struct hvmm_vmcb sound;
	unsigned int i, nr = 0;

	if (likely(!hvmm_broken_begin()))
		return;
	sound = *svm->vmcb;
	if (!hvmm_broken_is_sound(hvmm_svm_check(&sound, &hvmm_svm_limits)))
		return;
	for (i = 0; i < ARRAY_SIZE(hvmm_svm_broken); i++)
		nr += agree(svm, &hvmm_svm_broken[i], &sound, enter);
	/* What was entered may have left translations behind. */
	svm->vmcb->control.tlb_control = SVM_TLB_FLUSH_ALL;
	svm->vmcb->control.clean = 0;
	hvmm_broken_end(nr, ARRAY_SIZE(hvmm_svm_broken));
}
