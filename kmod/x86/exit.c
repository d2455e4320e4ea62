// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest's exits mean, whatever the vendor.
 */
#include <linux/errno.h>
#include <linux/hash.h>
#include <linux/string.h>

#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "host/fpu.h"
#include "trace.h"
#include "x86/cpuid.h"
#include "x86/cr.h"
#include "x86/exit.h"
#include "x86/msr.h"
#include "x86/pv.h"
#include "x86/spin.h"
#include "x86/vendor.h"
#include "x86/walk.h"

#define DR7_GD			BIT_ULL(13)

static inline void set_gpr32(struct hvmm_x86_vcpu *x, enum hvmm_gpr reg, u32 val)
{
	x->regs.gpr[reg] = val;
}

static bool is_contributory(u8 vector)
{
	return vector == X86_TRAP_DE || (vector >= X86_TRAP_TS && vector <= X86_TRAP_GP);
}

enum hvmm_exit_fate hvmm_queue_exception(struct hvmm_x86_vcpu *x, u8 vector, bool has_error,
					 u32 error)
{
	struct hvmm_event *old = &x->event;
	bool real = !(hvmm_arch->get_cr(x, 0) & X86_CR0_PE);

	/* APM vol. 2, 8.2.9: two in a row make a double fault, three a shutdown. */
	if (old->valid && old->type == HVMM_EVENT_EXCEPTION) {
		if (old->vector == X86_TRAP_DF &&
		    (is_contributory(vector) || vector == X86_TRAP_PF))
			return hvmm_exit_shutdown(x);
		if ((is_contributory(old->vector) && is_contributory(vector)) ||
		    (old->vector == X86_TRAP_PF &&
		     (is_contributory(vector) || vector == X86_TRAP_PF))) {
			vector = X86_TRAP_DF;
			has_error = true;
			error = 0;
		}
	}
	/* An interrupt whose delivery this cut off is lost, as it is on a processor. */
	x->event = (struct hvmm_event) {
		.valid = true,
		.type = HVMM_EVENT_EXCEPTION,
		.vector = vector,
		/* Real mode pushes none (APM vol. 2, 8.4.1). */
		.has_error = has_error && !real,
		.error = error,
	};
	/* 13.1.1.4: the handler may use the debug registers. */
	if (vector == X86_TRAP_DB && (hvmm_arch->get_dr(x, 7) & DR7_GD))
		hvmm_arch->set_dr(x, 7, hvmm_arch->get_dr(x, 7) & ~DR7_GD);
	/* Faults push RF set, so that an instruction breakpoint is not hit twice (8.2.2). */
	if (vector != X86_TRAP_DB && vector != X86_TRAP_BP && vector != X86_TRAP_OF)
		x->regs.rflags |= X86_EFLAGS_RF;
	return HVMM_EXIT_RESUME;
}

static enum hvmm_exit_fate queue_fault(struct hvmm_x86_vcpu *x, const struct hvmm_fault *fault)
{
	if (fault->vector == X86_TRAP_PF)
		x->cr2 = fault->cr2;
	return hvmm_queue_exception(x, fault->vector, fault->has_error, fault->error);
}

enum hvmm_exit_fate hvmm_emul_unfinished(struct hvmm_x86_vcpu *x, enum hvmm_emul_status status)
{
	switch (status) {
	case HVMM_EMUL_PENDING:
		x->vcpu.wait = HVMM_WAIT_IO;
		return HVMM_EXIT_PARK;
	case HVMM_EMUL_RETRY:
		return hvmm_exit_fault_in(x);
	case HVMM_EMUL_FAULT:
		hvmm_io_forget(x);
		return queue_fault(x, &x->emul.fault);
	default:
		return hvmm_exit_impossible(x,
				"a device was accessed by an instruction that is not emulated");
	}
}

static enum hvmm_exit_fate queue_ud(struct hvmm_x86_vcpu *x)
{
	return hvmm_queue_exception(x, X86_TRAP_UD, false, 0);
}

const struct hvmm_seg *hvmm_insn_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr)
{
	if (!(x->seg_valid & BIT(nr))) {
		hvmm_arch->get_seg(x, nr, &x->seg_cache[nr]);
		x->seg_valid |= BIT(nr);
	}
	return &x->seg_cache[nr];
}

static enum hvmm_cpu_mode mode_of(struct hvmm_x86_vcpu *x, u64 cr0, u64 efer)
{
	const struct hvmm_seg *cs;

	if (!(cr0 & X86_CR0_PE) || (x->regs.rflags & X86_EFLAGS_VM))
		return HVMM_CPU_MODE_16;
	cs = hvmm_insn_seg(x, HVMM_SEG_CS);
	if ((efer & EFER_LMA) && (cs->attrib & HVMM_SEG_ATTR_L))
		return HVMM_CPU_MODE_64;
	return cs->attrib & HVMM_SEG_ATTR_DB ? HVMM_CPU_MODE_32 : HVMM_CPU_MODE_16;
}

static enum hvmm_cpu_mode cpu_mode(struct hvmm_x86_vcpu *x)
{
	return mode_of(x, hvmm_arch->get_cr(x, 0), hvmm_arch->get_efer(x));
}

static void load_emul(struct hvmm_x86_vcpu *x)
{
	struct hvmm_emul *e = &x->emul;
	struct hvmm_paging_regs r;

	hvmm_arch->get_paging(x, &r);
	e->ops = &hvmm_emul_glue;
	e->regs = &x->regs;
	e->mode = mode_of(x, r.cr0, r.efer);
	e->cpl = hvmm_arch->get_cpl(x);
	e->real = !(r.cr0 & X86_CR0_PE) || (x->regs.rflags & X86_EFLAGS_VM);
	e->la57 = r.cr4 & X86_CR4_LA57;
	e->align_check = r.cr0 & X86_CR0_AM;
}

/*
 * Decode what was fetched, or know it again. Another vCPU may have changed the instruction since:
 * all bytes are compared, so that it is decoded then.
 */
static int decode(struct hvmm_x86_vcpu *x, const u64 bytes[2], unsigned int len)
{
	struct hvmm_decoded *d = &x->decoded[hash_32(x->regs.rip, HVMM_DECODED_BITS)];
	struct hvmm_insn *insn = &x->emul.insn;
	int ret;

	/* No mode is 0: one that holds nothing is never the same. */
	if (likely(len == HVMM_INSN_MAX_LEN && d->insn.mode == x->emul.mode &&
		   d->bytes[0] == bytes[0] && d->bytes[1] == bytes[1])) {
		*insn = d->insn;
		return 0;
	}
	ret = hvmm_decode(insn, (const u8 *)bytes, len, x->emul.mode);
	if (!ret && len == HVMM_INSN_MAX_LEN) {
		d->bytes[0] = bytes[0];
		d->bytes[1] = bytes[1];
		d->insn = *insn;
	}
	return ret;
}

int hvmm_insn_prepare(struct hvmm_x86_vcpu *x, enum hvmm_exit_fate *fate)
{
	/* Longer by a byte than an instruction may be, which stays 0. */
	u64 bytes[2] = { 0, 0 };
	bool flat;
	u64 fault_addr;
	u32 fault;
	int len, ret;

	if (x->insn_valid)
		return 0;
	load_emul(x);
	flat = x->emul.mode == HVMM_CPU_MODE_64;
	len = hvmm_fetch(x, hvmm_insn_seg(x, HVMM_SEG_CS), flat, (u8 *)bytes, &fault, &fault_addr);
	if (len == -EAGAIN) {
		*fate = hvmm_exit_fault_in(x);
		return len;
	}
	if (len < 0)
		goto page_fault;

	ret = decode(x, bytes, len);
	switch (ret) {
	case 0:
		x->insn_valid = true;
		return 0;
	case -ENODATA:
		/* It goes on in a page that cannot be fetched; @fault says why. */
		goto page_fault;
	case -E2BIG:
		*fate = hvmm_queue_gp(x);
		return ret;
	default:
		*fate = queue_ud(x);
		return ret;
	}
page_fault:
	x->cr2 = fault_addr;
	*fate = hvmm_queue_exception(x, X86_TRAP_PF, true, fault);
	return -EFAULT;
}

/*
 * Length of the instruction: what the processor said, or from its bytes.
 * Return: 0, or -errno with *@fate set.
 */
static noinline int decode_len(struct hvmm_x86_vcpu *x, unsigned int *len,
			       enum hvmm_insn_kind kind, enum hvmm_exit_fate *fate)
{
	int ret;

	ret = hvmm_insn_prepare(x, fate);
	if (ret)
		return ret;
	if (hvmm_insn_kind(&x->emul.insn) != kind) {
		/* Changed under our eyes: let the processor look again. */
		*fate = HVMM_EXIT_RESUME;
		return -ESTALE;
	}
	*len = x->emul.insn.len;
	return 0;
}

static int need_len(struct hvmm_x86_vcpu *x, unsigned int *len, enum hvmm_insn_kind kind,
		    enum hvmm_exit_fate *fate)
{
	return likely(*len) ? 0 : decode_len(x, len, kind, fate);
}

/* The instruction is complete; RIP is behind it already. */
static enum hvmm_exit_fate insn_complete(struct hvmm_x86_vcpu *x)
{
	hvmm_arch->set_shadow(x, false);
	x->regs.rflags &= ~(u64)X86_EFLAGS_RF;
	if (unlikely(x->regs.rflags & X86_EFLAGS_TF)) {
		/* The trap that the processor would have raised (APM vol. 2, 13.1.4). */
		hvmm_arch->set_dr(x, 6, hvmm_arch->get_dr(x, 6) | DR_STEP);
		return hvmm_queue_exception(x, X86_TRAP_DB, false, 0);
	}
	return HVMM_EXIT_RESUME;
}

enum hvmm_exit_fate hvmm_insn_done(struct hvmm_x86_vcpu *x, unsigned int len)
{
	u64 rip = x->regs.rip + len;

	if (unlikely(rip >> 32)) {
		/* Outside 64-bit mode EIP wraps. */
		if (cpu_mode(x) != HVMM_CPU_MODE_64)
			rip = (u32)rip;
	}
	x->regs.rip = rip;
	return insn_complete(x);
}

enum hvmm_exit_fate hvmm_exit_cpuid(struct hvmm_x86_vcpu *x, unsigned int len)
{
	enum hvmm_exit_fate fate;
	u32 r[4];

	if (need_len(x, &len, HVMM_KIND_CPUID, &fate))
		return fate;
	hvmm_cpuid(x, x->regs.gpr[HVMM_RAX], x->regs.gpr[HVMM_RCX], r);
	set_gpr32(x, HVMM_RAX, r[0]);
	set_gpr32(x, HVMM_RBX, r[1]);
	set_gpr32(x, HVMM_RCX, r[2]);
	set_gpr32(x, HVMM_RDX, r[3]);
	return hvmm_insn_done(x, len);
}

enum hvmm_exit_fate hvmm_exit_rdmsr(struct hvmm_x86_vcpu *x, unsigned int len)
{
	enum hvmm_exit_fate fate;
	u64 val = 0;
	int ret;

	if (need_len(x, &len, HVMM_KIND_RDMSR, &fate))
		return fate;
	ret = hvmm_msr_read(x, x->regs.gpr[HVMM_RCX], &val);
	if (ret == -EAGAIN)
		return hvmm_exit_fault_in(x);
	trace_hvmm_msr(x->vcpu.vm->id, x->vcpu.index, false, x->regs.gpr[HVMM_RCX], val, ret);
	if (ret)
		return hvmm_queue_gp(x);
	set_gpr32(x, HVMM_RAX, val);
	set_gpr32(x, HVMM_RDX, val >> 32);
	return hvmm_insn_done(x, len);
}

enum hvmm_exit_fate hvmm_exit_wrmsr(struct hvmm_x86_vcpu *x, unsigned int len)
{
	enum hvmm_exit_fate fate;
	u64 val;
	int ret;

	if (need_len(x, &len, HVMM_KIND_WRMSR, &fate))
		return fate;
	val = (u32)x->regs.gpr[HVMM_RAX] | x->regs.gpr[HVMM_RDX] << 32;
	ret = hvmm_msr_write(x, x->regs.gpr[HVMM_RCX], val);
	if (ret != -EAGAIN)
		trace_hvmm_msr(x->vcpu.vm->id, x->vcpu.index, true, x->regs.gpr[HVMM_RCX], val,
			       ret);
	switch (ret) {
	case 0:
		return hvmm_insn_done(x, len);
	case -EAGAIN:
		return hvmm_exit_fault_in(x);
	default:
		return hvmm_queue_gp(x);
	}
}

enum hvmm_exit_fate hvmm_exit_hlt(struct hvmm_x86_vcpu *x, unsigned int len)
{
	enum hvmm_exit_fate fate;

	if (need_len(x, &len, HVMM_KIND_HLT, &fate))
		return fate;
	if (hvmm_pv_eoi_sync(x) == -EAGAIN)
		return hvmm_exit_fault_in(x);
	fate = hvmm_insn_done(x, len);
	if (fate != HVMM_EXIT_RESUME || x->event.valid)
		return fate;
	x->vcpu.halt_irqs = x->regs.rflags & X86_EFLAGS_IF;
	if (hvmm_vcpu_halt_over(&x->vcpu)) {
		hvmm_vcpu_unhalted(&x->vcpu);
		return HVMM_EXIT_RESUME;
	}
	x->vcpu.wait = HVMM_WAIT_HALT;
	return HVMM_EXIT_PARK;
}

/* Exits by PAUSE that are a loop, where the processor reports every one. */
#define SPIN_PAUSES	8

enum hvmm_exit_fate hvmm_exit_pause(struct hvmm_x86_vcpu *x, unsigned int len, bool loop)
{
	enum hvmm_exit_fate fate;

	if (need_len(x, &len, HVMM_KIND_PAUSE, &fate))
		return fate;
	fate = hvmm_insn_done(x, len);
	if (!loop && ++x->pauses % SPIN_PAUSES)
		return fate;
	return fate == HVMM_EXIT_RESUME ? hvmm_spin(x) : fate;
}

enum hvmm_exit_fate hvmm_exit_hypercall(struct hvmm_x86_vcpu *x, unsigned int len)
{
	enum hvmm_exit_fate fate, after = HVMM_EXIT_RESUME;
	u64 *gpr = x->regs.gpr;
	u64 mask = ~0ULL;
	u64 arg[4];
	bool wide;

	if (need_len(x, &len, HVMM_KIND_VMMCALL, &fate))
		return fate;
	wide = cpu_mode(x) == HVMM_CPU_MODE_64;
	if (!wide)
		mask = U32_MAX;
	arg[0] = gpr[HVMM_RBX] & mask;
	arg[1] = gpr[HVMM_RCX] & mask;
	arg[2] = gpr[HVMM_RDX] & mask;
	arg[3] = gpr[HVMM_RSI] & mask;
	gpr[HVMM_RAX] = hvmm_pv_hypercall(x, gpr[HVMM_RAX] & mask, arg, wide, &after) & mask;
	fate = hvmm_insn_done(x, len);
	return fate == HVMM_EXIT_RESUME ? after : fate;
}

enum hvmm_exit_fate hvmm_exit_xsetbv(struct hvmm_x86_vcpu *x, unsigned int len)
{
	enum hvmm_exit_fate fate;
	u64 val;

	/* The intercept comes before this check on some processors (APM vol. 4, XSETBV). */
	if (!(hvmm_arch->get_cr(x, 4) & X86_CR4_OSXSAVE))
		return queue_ud(x);
	if (need_len(x, &len, HVMM_KIND_XSETBV, &fate))
		return fate;
	val = (u32)x->regs.gpr[HVMM_RAX] | x->regs.gpr[HVMM_RDX] << 32;
	if (hvmm_xsetbv(x, x->regs.gpr[HVMM_RCX], val))
		return hvmm_queue_gp(x);
	hvmm_fpu_set_xcr0(x->xcr0);
	return hvmm_insn_done(x, len);
}

/*
 * Guest memory is write-back and coherent, and no device of the guest's bypasses
 * the caches: there is nothing to write back. INVD as such would destroy the
 * host's data.
 */
enum hvmm_exit_fate hvmm_exit_cache(struct hvmm_x86_vcpu *x, unsigned int len)
{
	enum hvmm_insn_kind kind;
	enum hvmm_exit_fate fate;

	if (!len) {
		if (hvmm_insn_prepare(x, &fate))
			return fate;
		kind = hvmm_insn_kind(&x->emul.insn);
		if (kind != HVMM_KIND_INVD && kind != HVMM_KIND_WBINVD)
			return HVMM_EXIT_RESUME;
		len = x->emul.insn.len;
	}
	return hvmm_insn_done(x, len);
}

/* No performance counter is offered: every index is out of range. */
enum hvmm_exit_fate hvmm_exit_rdpmc(struct hvmm_x86_vcpu *x)
{
	return hvmm_queue_gp(x);
}

enum hvmm_exit_fate hvmm_exit_refused(struct hvmm_x86_vcpu *x)
{
	return queue_ud(x);
}

enum hvmm_exit_fate hvmm_exit_shutdown(struct hvmm_x86_vcpu *x)
{
	hvmm_arch->trace(x);
	hvmm_vm_stop_async(x->vcpu.vm, HVMM_REASON_RESET, NULL);
	return HVMM_EXIT_STOP;
}

enum hvmm_exit_fate hvmm_exit_impossible(struct hvmm_x86_vcpu *x, const char *why)
{
	hvmm_arch->dump(x, why);
	hvmm_vm_stop_async(x->vcpu.vm, HVMM_REASON_ERROR, why);
	return HVMM_EXIT_STOP;
}

static enum hvmm_exit_fate task_switched(struct hvmm_x86_vcpu *x, int ret,
					 const struct hvmm_fault *fault)
{
	switch (ret) {
	case 0:
		return HVMM_EXIT_RESUME;
	case -EAGAIN:
		return hvmm_exit_fault_in(x);
	case -EFAULT:
		return queue_fault(x, fault);
	default:
		return hvmm_exit_impossible(x, "a task switch needs what is not in RAM");
	}
}

enum hvmm_exit_fate hvmm_exit_task_switch(struct hvmm_x86_vcpu *x, u16 sel,
					  enum hvmm_task_source source, unsigned int len)
{
	struct hvmm_fault fault;

	return task_switched(x, hvmm_task_switch(x, sel, source, len, &fault), &fault);
}

/* SDM vol. 2, IRET. */
bool hvmm_iret_switches_task(struct hvmm_x86_vcpu *x)
{
	return (x->regs.rflags & (X86_EFLAGS_NT | X86_EFLAGS_VM)) == X86_EFLAGS_NT &&
	       (hvmm_arch->get_cr(x, 0) & X86_CR0_PE) && !(hvmm_arch->get_efer(x) & EFER_LMA);
}

enum hvmm_exit_fate hvmm_exit_task_return(struct hvmm_x86_vcpu *x, unsigned int len)
{
	enum hvmm_exit_fate fate;
	struct hvmm_fault fault;

	if (need_len(x, &len, HVMM_KIND_IRET, &fate))
		return fate;
	return task_switched(x, hvmm_task_return(x, len, &fault), &fault);
}

enum hvmm_exit_fate hvmm_exit_pio(struct hvmm_x86_vcpu *x, u16 port, unsigned int size, bool in,
				  unsigned int len)
{
	u64 *rax = &x->regs.gpr[HVMM_RAX];
	enum hvmm_exit_fate fate;
	u64 val = in ? 0 : *rax;

	if (need_len(x, &len, in ? HVMM_KIND_IN : HVMM_KIND_OUT, &fate))
		return fate;
	if (hvmm_io_port(x, !in, port, size, &val) == HVMM_EMUL_PENDING) {
		x->vcpu.wait = HVMM_WAIT_IO;
		return HVMM_EXIT_PARK;
	}
	if (unlikely(x->nr_io))
		hvmm_io_forget(x);
	if (in) {
		if (size == 4)
			*rax = (u32)val;
		else
			memcpy(rax, &val, size);
	}
	return hvmm_insn_done(x, len);
}

/* Iterations of a repeated string instruction before the host gets a look in. */
#define MAX_ITERATIONS	256

enum hvmm_exit_fate hvmm_exit_emulate(struct hvmm_x86_vcpu *x)
{
	unsigned int budget = MAX_ITERATIONS;
	enum hvmm_emul_status status;
	enum hvmm_exit_fate fate;

	if (hvmm_insn_prepare(x, &fate))
		return fate;
	for (;;) {
		x->io_next = 0;
		status = hvmm_emulate(&x->emul);
		if (status != HVMM_EMUL_DONE && status != HVMM_EMUL_AGAIN)
			return hvmm_emul_unfinished(x, status);
		hvmm_io_forget(x);
		hvmm_stat_inc(&x->vcpu, emulated);
		if (status != HVMM_EMUL_AGAIN)
			break;
		/* Between iterations: an interrupt may come, and a single step ends. */
		if ((x->regs.rflags & X86_EFLAGS_TF) || !--budget ||
		    READ_ONCE(x->vcpu.requests) || READ_ONCE(x->vcpu.vm->hold) ||
		    hvmm_lapic_has_wake(&x->vcpu.lapic) || hvmm_fpu_must_yield())
			break;
	}

	if (status == HVMM_EMUL_DONE)
		return insn_complete(x);
	hvmm_arch->set_shadow(x, false);
	if (x->regs.rflags & X86_EFLAGS_TF) {
		hvmm_arch->set_dr(x, 6, hvmm_arch->get_dr(x, 6) | DR_STEP);
		return hvmm_queue_exception(x, X86_TRAP_DB, false, 0);
	}
	return HVMM_EXIT_RESUME;
}

bool hvmm_exit_npf_quick(struct hvmm_x86_vcpu *x, u64 gpa, bool write)
{
	int ret = hvmm_mem_fault_present(&x->vcpu.vm->mem, gpa >> PAGE_SHIFT, write);

	if (likely(!ret)) {
		hvmm_stat_inc(&x->vcpu, fault);
		return true;
	}
	x->missing = ret == -ENOENT ? HVMM_MISSING_HOLE : HVMM_MISSING_BUSY;
	return false;
}

enum hvmm_exit_fate hvmm_exit_npf(struct hvmm_x86_vcpu *x, u64 gpa, bool write, bool table_walk)
{
	u64 gfn = gpa >> PAGE_SHIFT;

	if (likely(hvmm_mem_is_ram(&x->vcpu.vm->mem, gfn))) {
		if (!x->redo)
			hvmm_stat_inc(&x->vcpu, fault);
		x->missing_gfn = gfn;
		x->missing_write = write;
		return HVMM_EXIT_FAULT_IN;
	}
	/*
	 * Emulation cannot put page tables, or an exception's stack frame, into
	 * device space; nor does any real machine make sense of it.
	 */
	if (x->event.valid) {
		hvmm_stat_inc(&x->vcpu, mmio);
		return hvmm_exit_impossible(x, "delivery of an event touched device space");
	}
	if (table_walk) {
		hvmm_stat_inc(&x->vcpu, mmio);
		return hvmm_exit_impossible(x, "page tables lie in device space");
	}
	return hvmm_exit_emulate(x);
}
