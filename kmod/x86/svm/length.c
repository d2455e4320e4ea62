// SPDX-License-Identifier: GPL-2.0
/* The length of a plain instruction by its bytes, where code.h does not know the page yet. */
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "x86/svm/code.h"

unsigned int hvmm_svm_length(struct hvmm_svm_vcpu *svm, enum hvmm_svm_insn insn)
{
	const struct hvmm_vmcb_save *s = &svm->vmcb->save;
	u64 rip = svm->x.regs.rip;
	const void *bytes;

	/* In 64-bit mode there are no segments in the way, and paging is on. */
	if (!(s->efer & EFER_LMA) || !(s->cs.attrib & HVMM_SEG_ATTR_L) ||
	    offset_in_page(rip) > PAGE_SIZE - HVMM_SVM_PLAIN_BYTES)
		return 0;

	RCU_LOCKDEP_WARN(preemptible(), "guest memory is looked at without protection");
	bytes = hvmm_svm_code_at(svm, rip);
	if (unlikely(!bytes))
		bytes = hvmm_code_at(&svm->x, rip);
	return bytes && hvmm_svm_is_plain(bytes, insn) ? hvmm_svm_plain[insn].len : 0;
}
