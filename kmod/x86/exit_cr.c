// SPDX-License-Identifier: GPL-2.0
/* Accesses to control registers, once the guest has been left for them: x86/cr.h has the rules. */
#include <linux/errno.h>

#include "x86/cr.h"
#include "x86/exit.h"
#include "x86/vendor.h"

static int write_cr(struct hvmm_x86_vcpu *x, unsigned int nr, u64 val)
{
	switch (nr) {
	case 0:
		return hvmm_set_cr0(x, val);
	case 3:
		return hvmm_set_cr3(x, val);
	case 4:
		return hvmm_set_cr4(x, val);
	case 8:
		return hvmm_set_cr8(x, val);
	default:
		return -EINVAL;
	}
}

static u64 read_cr(struct hvmm_x86_vcpu *x, unsigned int nr)
{
	switch (nr) {
	case 2:
		return x->cr2;
	case 8:
		return hvmm_lapic_get_tpr(&x->vcpu.lapic);
	default:
		return hvmm_arch->get_cr(x, nr);
	}
}

enum hvmm_exit_fate hvmm_exit_cr(struct hvmm_x86_vcpu *x)
{
	struct hvmm_emul *e = &x->emul;
	enum hvmm_emul_status status;
	enum hvmm_exit_fate fate;
	unsigned int size;
	u16 msw;
	int ret;

	if (hvmm_insn_prepare(x, &fate))
		return fate;
	size = e->mode == HVMM_CPU_MODE_64 ? 8 : 4;

	switch (hvmm_insn_kind(&e->insn)) {
	case HVMM_KIND_MOV_TO_CR:
		ret = write_cr(x, hvmm_insn_cr(&e->insn), hvmm_emul_gpr(e, e->insn.rm, size));
		break;
	case HVMM_KIND_MOV_FROM_CR:
		hvmm_emul_set_gpr(e, e->insn.rm, size, read_cr(x, hvmm_insn_cr(&e->insn)));
		ret = 0;
		break;
	case HVMM_KIND_LMSW:
		if (e->insn.flags & HVMM_INSN_MEM) {
			x->io_next = 0;
			status = hvmm_emul_read_operand(e, &msw, sizeof(msw));
			if (status != HVMM_EMUL_DONE)
				return hvmm_emul_unfinished(x, status);
			hvmm_io_forget(x);
		} else {
			msw = hvmm_emul_gpr(e, e->insn.rm, 2);
		}
		ret = hvmm_lmsw(x, msw);
		break;
	case HVMM_KIND_CLTS:
		ret = hvmm_clts(x);
		break;
	default:
		return HVMM_EXIT_RESUME;
	}
	if (ret == -EAGAIN)
		return hvmm_exit_fault_in(x);
	if (ret)
		return hvmm_queue_gp(x);
	return hvmm_insn_done(x, e->insn.len);
}
