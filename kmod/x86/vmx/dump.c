// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "trace.h"
#include "x86/vmx/vmx.h"

/* Where the guest's segments, registers and what is behind them are, in the VMCS's order. */
#define GUEST_FIRST	VMCS_GUEST_ES_LIMIT
#define GUEST_END	VMCS_HOST_SYSENTER_CS

void hvmm_vmx_trace(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	const u64 *val = vmx->val;
	u64 control[6];

	if (!trace_hvmm_dump_enabled())
		return;
	if (vmx->loaded)
		hvmm_vmx_read_all(vmx);
	control[0] = hvmm_vmx_get_cr(x, 0);
	control[1] = x->cr2;
	control[2] = val[VMCS_GUEST_CR3];
	control[3] = hvmm_vmx_get_cr(x, 4);
	control[4] = val[VMCS_GUEST_EFER];
	control[5] = val[VMCS_VECTORING];
	trace_hvmm_dump(x->vcpu.vm->id, x->vcpu.index, x->regs.rip, x->regs.rflags, x->regs.gpr,
			control, &val[GUEST_FIRST], (GUEST_END - GUEST_FIRST) * sizeof(*val));
}

static void dump_seg(const char *name, const u64 *val, unsigned int nr)
{
	pr_info("  %-4s %04llx ar %05llx limit %08llx base %016llx\n", name,
		val[VMCS_GUEST_ES_SEL + nr], val[VMCS_GUEST_ES_AR + nr],
		val[VMCS_GUEST_ES_LIMIT + nr], val[VMCS_GUEST_ES_BASE + nr]);
}

void hvmm_vmx_dump(struct hvmm_x86_vcpu *x, const char *why)
{
	static const char names[][5] = { "es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr" };
	static DEFINE_RATELIMIT_STATE(limit, 10 * HZ, 2);
	struct hvmm_vmx_vcpu *vmx = to_vmx(x);
	const u64 *g = x->regs.gpr;
	const u64 *val = vmx->val;
	unsigned int i;

	hvmm_vmx_trace(x);
	/* A guest can bring this about at will: it must not fill the host's log. */
	if (!__ratelimit(&limit))
		return;
	if (vmx->loaded)
		hvmm_vmx_read_all(vmx);
	pr_info("VM %u vCPU %u stopped: %s\n", x->vcpu.vm->id, x->vcpu.index, why);
	pr_info("  exit %llx qualification %llx address %llx event %llx vectoring %llx inject %llx\n",
		val[VMCS_EXIT_REASON], val[VMCS_QUALIFICATION], val[VMCS_GUEST_PA],
		val[VMCS_EXIT_EVENT], val[VMCS_VECTORING], val[VMCS_ENTRY_EVENT]);
	pr_info("  rip %llx rflags %llx interruptibility %llx debug %llx efer %llx error %llu\n",
		x->regs.rip, x->regs.rflags, val[VMCS_INTERRUPTIBILITY],
		val[VMCS_PENDING_DEBUG], val[VMCS_GUEST_EFER],
		vmx->failed ? val[VMCS_INSN_ERROR] : 0);
	pr_info("  controls pin %llx proc %llx %llx exit %llx entry %llx\n", val[VMCS_PIN_CTL],
		val[VMCS_PROC_CTL], val[VMCS_PROC2_CTL], val[VMCS_EXIT_CTL],
		val[VMCS_ENTRY_CTL]);
	pr_info("  cr0 %llx (%llx) cr2 %llx cr3 %llx cr4 %llx (%llx) dr6 %llx dr7 %llx\n",
		val[VMCS_GUEST_CR0], val[VMCS_CR0_SHADOW], x->cr2, val[VMCS_GUEST_CR3],
		val[VMCS_GUEST_CR4], val[VMCS_CR4_SHADOW], vmx->dr6, val[VMCS_GUEST_DR7]);
	pr_info("  rax %llx rcx %llx rdx %llx rbx %llx\n", g[0], g[1], g[2], g[3]);
	pr_info("  rsp %llx rbp %llx rsi %llx rdi %llx\n", g[4], g[5], g[6], g[7]);
	pr_info("  r8 %llx r9 %llx r10 %llx r11 %llx\n", g[8], g[9], g[10], g[11]);
	pr_info("  r12 %llx r13 %llx r14 %llx r15 %llx\n", g[12], g[13], g[14], g[15]);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		dump_seg(names[i], val, i);
	pr_info("  gdtr limit %04llx base %016llx idtr limit %04llx base %016llx\n",
		val[VMCS_GUEST_GDTR_LIMIT], val[VMCS_GUEST_GDTR_BASE],
		val[VMCS_GUEST_IDTR_LIMIT], val[VMCS_GUEST_IDTR_BASE]);
}
