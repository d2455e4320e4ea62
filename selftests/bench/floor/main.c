// SPDX-License-Identifier: GPL-2.0
/*
 * insmod measures, and says "bench NAME ROUNDS TICKS" in the kernel's log, as the guest "bench"
 * does on its console. For AMD processors, with hvmm and KVM not loaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/svm.h>

#include "floor.h"

#define ASID		1
#define MSRPM_SIZE	(2 * PAGE_SIZE)
#define IOPM_SIZE	(3 * PAGE_SIZE)
#define STACK_SIZE	(4 * PAGE_SIZE)

/* APM vol. 2, 15.5.1: attributes as in a descriptor, without the limit's bits between. */
#define CODE64		0xa9b
#define DATA		0xc93

static const char * const names[] = {
	[FLOOR_CPUID]		= "cpuid",
	[FLOOR_VMMCALL]		= "vmmcall",
	[FLOOR_RDMSR]		= "rdmsr",
	[FLOOR_WRMSR]		= "wrmsr",
	[FLOOR_PIO_KERNEL]	= "pio_kernel",
	[FLOOR_MAP_PRESENT]	= "map_present",
};

/* What the processor is given, by page. */
struct area {
	struct vmcb *vmcb;
	void *host;
	void *save;
	void *msrpm;
	void *iopm;
	u8 *stack;
};

static struct floor *floor;

static void set_segment(struct vmcb_seg *segment, u16 selector, u16 attributes)
{
	segment->selector = selector;
	segment->attrib = attributes;
	segment->limit = U32_MAX;
}

/* The host's own state: it goes on in another place, that is all. */
static void set_state(const struct area *area)
{
	struct vmcb_save_area *save = &area->vmcb->save;
	struct desc_ptr dt;

	/* FS, GS, TR, LDTR and the MSRs of system calls. */
	asm volatile("vmsave %0" : : "a"(virt_to_phys(area->vmcb)) : "memory");
	set_segment(&save->cs, __KERNEL_CS, CODE64);
	set_segment(&save->ss, __KERNEL_DS, DATA);
	set_segment(&save->ds, __KERNEL_DS, DATA);
	set_segment(&save->es, __KERNEL_DS, DATA);
	native_store_gdt(&dt);
	save->gdtr.base = dt.address;
	save->gdtr.limit = dt.size;
	store_idt(&dt);
	save->idtr.base = dt.address;
	save->idtr.limit = dt.size;
	save->cr0 = read_cr0();
	save->cr3 = __read_cr3();
	save->cr4 = __read_cr4();
	rdmsrl(MSR_EFER, save->efer);
	rdmsrl(MSR_IA32_CR_PAT, save->g_pat);
	save->dr6 = 0xffff0ff0;
	save->dr7 = 0x400;
	save->rflags = X86_EFLAGS_FIXED;
	save->rip = (unsigned long)floor_guest;
	/* As after a call. */
	save->rsp = (unsigned long)area->stack + STACK_SIZE - sizeof(u64);
}

static void set_control(const struct area *area)
{
	struct vmcb_control_area *control = &area->vmcb->control;

	control->intercepts[INTERCEPT_WORD3] = BIT(INTERCEPT_CPUID % 32) |
		BIT(INTERCEPT_RDPMC % 32) | BIT(INTERCEPT_HLT % 32) |
		BIT(INTERCEPT_IOIO_PROT % 32) | BIT(INTERCEPT_MSR_PROT % 32);
	control->intercepts[INTERCEPT_WORD4] = BIT(INTERCEPT_VMRUN % 32) |
		BIT(INTERCEPT_VMMCALL % 32);
	memset(area->msrpm, 0xff, MSRPM_SIZE);
	memset(area->iopm, 0xff, IOPM_SIZE);
	control->msrpm_base_pa = virt_to_phys(area->msrpm);
	control->iopm_base_pa = virt_to_phys(area->iopm);
	control->asid = ASID;
	control->nested_ctl = SVM_NESTED_CTL_NP_ENABLE;
	control->nested_cr3 = floor->root;
}

/* Whether the guest goes on. */
static bool handle(struct vmcb *vmcb, struct floor_regs *regs)
{
	struct vmcb_control_area *control = &vmcb->control;
	struct vmcb_save_area *save = &vmcb->save;

	control->tlb_ctl = TLB_CONTROL_DO_NOTHING;
	switch (control->exit_code) {
	case SVM_EXIT_CPUID:
		save->rax = 0;
		regs->rbx = 0;
		regs->rcx = 0;
		regs->rdx = 0;
		save->rip += 2;
		return true;
	case SVM_EXIT_VMMCALL:
		save->rip += 3;
		return true;
	case SVM_EXIT_MSR:
		if (!control->exit_info_1) {
			save->rax = 0;
			regs->rdx = 0;
		}
		save->rip += 2;
		return true;
	case SVM_EXIT_IOIO:
		save->rip = control->exit_info_2;
		return true;
	case SVM_EXIT_NPF:
		*floor->pte |= _PAGE_PRESENT;
		return true;
	case SVM_EXIT_RDPMC:
		*floor->pte &= ~(u64)_PAGE_PRESENT;
		control->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
		save->rip += 2;
		return true;
	}
	return false;
}

/* With interrupts off: a few milliseconds, during which nothing comes between. */
static void run(const struct area *area)
{
	struct floor_regs regs = { .rdi = (unsigned long)floor };
	u64 guest = virt_to_phys(area->vmcb), host = virt_to_phys(area->host), efer;
	unsigned long flags;

	local_irq_save(flags);
	rdmsrl(MSR_EFER, efer);
	wrmsrl(MSR_EFER, efer | EFER_SVME);
	wrmsrl(MSR_VM_HSAVE_PA, virt_to_phys(area->save));
	set_state(area);
	set_control(area);
	asm volatile("clgi; vmsave %0" : : "a"(host) : "memory");
	do {
		floor_vmrun(&regs, guest, host);
	} while (handle(area->vmcb, &regs));
	asm volatile("stgi");
	wrmsrl(MSR_VM_HSAVE_PA, 0);
	wrmsrl(MSR_EFER, efer);
	local_irq_restore(flags);
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static u64 median(u64 *ticks)
{
	sort(ticks, FLOOR_ROUNDS, sizeof(*ticks), compare, NULL);
	return ticks[FLOOR_ROUNDS / 2];
}

static void report(void)
{
	u64 reading = median(floor->ticks[FLOOR_NOTHING]);
	int op;

	for (op = FLOOR_NOTHING + 1; op < FLOOR_OPS; op++)
		pr_info("bench %s %u %llu\n", names[op], FLOOR_ROUNDS,
			median(floor->ticks[op]) - reading);
}

static void free_area(struct area *area)
{
	free_page((unsigned long)area->vmcb);
	free_page((unsigned long)area->host);
	free_page((unsigned long)area->save);
	free_pages((unsigned long)area->msrpm, get_order(MSRPM_SIZE));
	free_pages((unsigned long)area->iopm, get_order(IOPM_SIZE));
	free_pages((unsigned long)area->stack, get_order(STACK_SIZE));
}

static bool alloc_area(struct area *area)
{
	area->vmcb = (void *)get_zeroed_page(GFP_KERNEL);
	area->host = (void *)get_zeroed_page(GFP_KERNEL);
	area->save = (void *)get_zeroed_page(GFP_KERNEL);
	area->msrpm = (void *)__get_free_pages(GFP_KERNEL, get_order(MSRPM_SIZE));
	area->iopm = (void *)__get_free_pages(GFP_KERNEL, get_order(IOPM_SIZE));
	area->stack = (void *)__get_free_pages(GFP_KERNEL, get_order(STACK_SIZE));
	return area->vmcb && area->host && area->save && area->msrpm && area->iopm && area->stack;
}

static int measure(void)
{
	struct area area;
	int ret = -ENOMEM;

	if (alloc_area(&area)) {
		ret = floor_npt_build(floor);
		if (!ret)
			run(&area);
		floor_npt_free();
	}
	if (!ret && area.vmcb->control.exit_code != SVM_EXIT_HLT) {
		pr_err("exit %#x at %#llx\n", area.vmcb->control.exit_code, area.vmcb->save.rip);
		ret = -EIO;
	}
	free_area(&area);
	return ret;
}

static int __init floor_init(void)
{
	u64 efer;
	int ret;

	rdmsrl(MSR_EFER, efer);
	if (!boot_cpu_has(X86_FEATURE_SVM) || !boot_cpu_has(X86_FEATURE_NPT) ||
	    !boot_cpu_has(X86_FEATURE_GBPAGES) || __read_cr4() & X86_CR4_LA57)
		return -EOPNOTSUPP;
	if (efer & EFER_SVME)
		return -EBUSY;
	ret = -ENOMEM;
	floor = kvzalloc(sizeof(*floor), GFP_KERNEL);
	if (!floor)
		return ret;
	floor->page = (u8 *)get_zeroed_page(GFP_KERNEL);
	if (floor->page)
		ret = measure();
	if (!ret)
		report();
	free_page((unsigned long)floor->page);
	kvfree(floor);
	return ret;
}

/* There is nothing to undo; a module without an exit could not be unloaded. */
static void __exit floor_exit(void)
{
}

module_init(floor_init);
module_exit(floor_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Cost of bare entries and exits on AMD SVM");
