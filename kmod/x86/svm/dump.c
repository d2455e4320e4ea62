// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "trace.h"
#include "x86/svm/svm.h"

static void dump_seg(const char *name, const struct hvmm_seg *seg)
{
	pr_info("  %-4s %04x attr %03x limit %08x base %016llx\n", name, seg->sel, seg->attrib,
		seg->limit, seg->base);
}

void hvmm_svm_trace(struct hvmm_x86_vcpu *x)
{
	const struct hvmm_vmcb *vmcb = to_svm(x)->vmcb;
	const u64 control[] = {
		vmcb->save.cr0, x->cr2, vmcb->save.cr3, vmcb->save.cr4, vmcb->save.efer,
		vmcb->control.exit_int_info,
	};

	/* Segments, descriptor tables and the MSRs behind them, as in the VMCB. */
	trace_hvmm_dump(x->vcpu.vm->id, x->vcpu.index, x->regs.rip, x->regs.rflags, x->regs.gpr,
			control, &vmcb->save, offsetof(struct hvmm_vmcb_save, reserved_298));
}

void hvmm_svm_dump(struct hvmm_x86_vcpu *x, const char *why)
{
	static DEFINE_RATELIMIT_STATE(limit, 10 * HZ, 2);
	const struct hvmm_vmcb_control *c = &to_svm(x)->vmcb->control;
	const struct hvmm_vmcb_save *s = &to_svm(x)->vmcb->save;
	const u64 *g = x->regs.gpr;

	hvmm_svm_trace(x);
	/* A guest can bring this about at will: it must not fill the host's log. */
	if (!__ratelimit(&limit))
		return;
	pr_info("VM %u vCPU %u stopped: %s\n", x->vcpu.vm->id, x->vcpu.index, why);
	pr_info("  exit %llx info1 %llx info2 %llx intinfo %llx inject %llx\n", c->exit_code,
		c->exit_info1, c->exit_info2, c->exit_int_info, c->event_inject);
	pr_info("  rip %llx rflags %llx cpl %u efer %llx\n", x->regs.rip, x->regs.rflags, s->cpl,
		s->efer);
	pr_info("  cr0 %llx cr2 %llx cr3 %llx cr4 %llx dr6 %llx dr7 %llx\n", s->cr0, s->cr2,
		s->cr3, s->cr4, s->dr6, s->dr7);
	pr_info("  rax %llx rcx %llx rdx %llx rbx %llx\n", g[0], g[1], g[2], g[3]);
	pr_info("  rsp %llx rbp %llx rsi %llx rdi %llx\n", g[4], g[5], g[6], g[7]);
	pr_info("  r8 %llx r9 %llx r10 %llx r11 %llx\n", g[8], g[9], g[10], g[11]);
	pr_info("  r12 %llx r13 %llx r14 %llx r15 %llx\n", g[12], g[13], g[14], g[15]);
	dump_seg("cs", &s->cs);
	dump_seg("ss", &s->ss);
	dump_seg("ds", &s->ds);
	dump_seg("es", &s->es);
	dump_seg("fs", &s->fs);
	dump_seg("gs", &s->gs);
	dump_seg("tr", &s->tr);
	dump_seg("ldtr", &s->ldtr);
	dump_seg("gdtr", &s->gdtr);
	dump_seg("idtr", &s->idtr);
}
