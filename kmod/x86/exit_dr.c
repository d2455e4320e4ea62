// SPDX-License-Identifier: GPL-2.0
/* Debug registers: APM vol. 2, 13.1. */
#include <linux/nospec.h>

#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "x86/exit.h"
#include "x86/vendor.h"

#define DR7_GD			BIT_ULL(13)
#define DR6_BD			BIT_ULL(13)
#define HVMM_DR6_WRITABLE	(BIT_ULL(15) | BIT_ULL(14) | DR6_BD | 0xf)
#define HVMM_DR7_WRITABLE	(0xffff0000ULL | DR7_GD | 0x3ff)

enum hvmm_exit_fate hvmm_exit_dr(struct hvmm_x86_vcpu *x)
{
	struct hvmm_emul *e = &x->emul;
	enum hvmm_exit_fate fate;
	enum hvmm_insn_kind kind;
	unsigned int size, nr;
	u64 val, dr7;

	if (hvmm_insn_prepare(x, &fate))
		return fate;
	kind = hvmm_insn_kind(&e->insn);
	if (kind != HVMM_KIND_MOV_TO_DR && kind != HVMM_KIND_MOV_FROM_DR)
		return HVMM_EXIT_RESUME;
	size = e->mode == HVMM_CPU_MODE_64 ? 8 : 4;
	nr = e->insn.reg;

	/* APM vol. 2, 13.1.1: DR4 and DR5 are DR6 and DR7 unless CR4.DE is set. */
	if (nr > 7)
		return hvmm_queue_exception(x, X86_TRAP_UD, false, 0);
	if (nr == 4 || nr == 5) {
		if (hvmm_arch->get_cr(x, 4) & X86_CR4_DE)
			return hvmm_queue_exception(x, X86_TRAP_UD, false, 0);
		nr += 2;
	}
	if (e->cpl)
		return hvmm_queue_gp(x);
	dr7 = hvmm_arch->get_dr(x, 7);
	if (dr7 & DR7_GD) {
		/* General detect is a fault (13.1.1.4). */
		hvmm_arch->set_dr(x, 6, hvmm_arch->get_dr(x, 6) | DR6_BD);
		return hvmm_queue_exception(x, X86_TRAP_DB, false, 0);
	}

	if (kind == HVMM_KIND_MOV_FROM_DR) {
		val = nr < 4 ? x->dr[array_index_nospec(nr, 4)] : hvmm_arch->get_dr(x, nr);
		hvmm_emul_set_gpr(e, e->insn.rm, size, val);
		return hvmm_insn_done(x, e->insn.len);
	}

	val = hvmm_emul_gpr(e, e->insn.rm, size);
	switch (nr) {
	case 6:
		if (val >> 32)
			return hvmm_queue_gp(x);
		hvmm_arch->set_dr(x, 6, (val & HVMM_DR6_WRITABLE) | HVMM_DR6_FIXED);
		break;
	case 7:
		if (val >> 32)
			return hvmm_queue_gp(x);
		hvmm_arch->set_dr(x, 7, (val & HVMM_DR7_WRITABLE) | HVMM_DR7_FIXED);
		break;
	default:
		x->dr[array_index_nospec(nr, 4)] = val;
	}
	return hvmm_insn_done(x, e->insn.len);
}
