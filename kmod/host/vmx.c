// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/processor.h>
#include <linux/smp.h>

#include <asm/asm.h>
#include <asm/desc.h>
#include <asm/perf_event.h>
#include <asm/reboot.h>

#include "host/msr.h"
#include "host/vmx.h"

void hvmm_host_state_read(struct hvmm_host_state *host)
{
	int cpu = smp_processor_id();
	const struct ldttss_desc *tss;
	struct desc_ptr idt;
	unsigned long tr;

	store_idt(&idt);
	host->idt_base = idt.address;
	host->gdt_base = (unsigned long)get_cpu_gdt_ro(cpu);
	store_tr(tr);
	host->tr = tr;
	/* SDM vol. 3, figure 8-4: the base of a 64-bit TSS. */
	tss = (const struct ldttss_desc *)(host->gdt_base + tr);
	host->tr_base = tss->base0 | (u64)tss->base1 << 16 | (u64)tss->base2 << 24 |
			(u64)tss->base3 << 32;
	host->cr0 = read_cr0();
	rdmsrq(MSR_GS_BASE, host->gs_base);
	rdmsrq(MSR_IA32_SYSENTER_CS, host->sysenter_cs);
	rdmsrq(MSR_IA32_SYSENTER_ESP, host->sysenter_esp);
	rdmsrq(MSR_IA32_SYSENTER_EIP, host->sysenter_eip);
	rdmsrq(MSR_IA32_CR_PAT, host->pat);
	rdmsrq(MSR_EFER, host->efer);
}

#if HVMM_HOST_HAS_VMX

/* Return: whether the processor took it. */
static bool switch_on(u64 pa)
{
	asm goto("1: vmxon %[pa]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [pa] "m" (pa) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static void switch_off(void)
{
	asm goto("1: vmxoff\n\t"
		 _ASM_EXTABLE(1b, %l[off])
		 : : : "cc", "memory" : off);
off:
	cr4_clear_bits(X86_CR4_VMXE);
}

int hvmm_host_vmxon(u64 pa)
{
	if (hvmm_host_cr4() & X86_CR4_VMXE)
		return -EBUSY;
	/* The tracer of the processor cannot go on in guests on all of them. */
	intel_pt_handle_vmx(1);
	cr4_set_bits(X86_CR4_VMXE);
	if (switch_on(pa))
		return 0;
	cr4_clear_bits(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
	return -ENODEV;
}

void hvmm_host_vmxoff(void)
{
	switch_off();
	intel_pt_handle_vmx(0);
}

/*
 * A pCPU in VMX operation ignores INIT: without this no crash kernel starts. It runs by
 * NMI, on each pCPU, whatever was interrupted.
 */
static void emergency(void)
{
	if (__read_cr4() & X86_CR4_VMXE)
		switch_off();
}

static bool registered;

int hvmm_host_vmx_init(void)
{
	/* There is one such function: where KVM's is, switching on will be refused. */
	registered = !(__read_cr4() & X86_CR4_VMXE);
	if (registered)
		cpu_emergency_register_virt_callback(emergency);
	return 0;
}

void hvmm_host_vmx_exit(void)
{
	if (registered)
		cpu_emergency_unregister_virt_callback(emergency);
	registered = false;
}

#else

int hvmm_host_vmxon(u64 pa)
{
	return -EOPNOTSUPP;
}

void hvmm_host_vmxoff(void)
{
}

int hvmm_host_vmx_init(void)
{
	return -EOPNOTSUPP;
}

void hvmm_host_vmx_exit(void)
{
}

#endif

void hvmm_host_vmx_put(void)
{
	invalidate_tss_limit();
	load_fixmap_gdt(smp_processor_id());
}
