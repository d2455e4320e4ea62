/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_EXIT_H
#define HVMM_X86_EXIT_H

#include "host/fpu.h"
#include "x86/task.h"
#include "x86/vcpu.h"

/* Bits that are always one: APM vol. 2, 13.1.1.3, 13.1.1.4 and 3.1.6. */
#define HVMM_DR6_FIXED		0xffff0ff0UL
#define HVMM_DR7_FIXED		0x400UL
#define HVMM_RFLAGS_FIXED	0x2UL

/*
 * Handlers of exits that both vendors have. @len is the length of the
 * instruction, or 0 where the processor does not tell it: then the instruction
 * is fetched and decoded.
 *
 * Context for all: the vCPU's runner, interrupts on, preemption off.
 * Return: what to do next.
 */
enum hvmm_exit_fate hvmm_exit_cpuid(struct hvmm_x86_vcpu *x, unsigned int len);
enum hvmm_exit_fate hvmm_exit_rdmsr(struct hvmm_x86_vcpu *x, unsigned int len);
enum hvmm_exit_fate hvmm_exit_wrmsr(struct hvmm_x86_vcpu *x, unsigned int len);
enum hvmm_exit_fate hvmm_exit_hlt(struct hvmm_x86_vcpu *x, unsigned int len);
enum hvmm_exit_fate hvmm_exit_hypercall(struct hvmm_x86_vcpu *x, unsigned int len);
enum hvmm_exit_fate hvmm_exit_xsetbv(struct hvmm_x86_vcpu *x, unsigned int len);
enum hvmm_exit_fate hvmm_exit_cache(struct hvmm_x86_vcpu *x, unsigned int len);
enum hvmm_exit_fate hvmm_exit_rdpmc(struct hvmm_x86_vcpu *x);
enum hvmm_exit_fate hvmm_exit_refused(struct hvmm_x86_vcpu *x);
enum hvmm_exit_fate hvmm_exit_cr(struct hvmm_x86_vcpu *x);
enum hvmm_exit_fate hvmm_exit_dr(struct hvmm_x86_vcpu *x);
enum hvmm_exit_fate hvmm_exit_shutdown(struct hvmm_x86_vcpu *x);

/**
 * hvmm_exit_pause - PAUSE
 * @x: the vCPU
 * @len: as above
 * @loop: the processor has counted, and takes it for a loop
 */
enum hvmm_exit_fate hvmm_exit_pause(struct hvmm_x86_vcpu *x, unsigned int len, bool loop);

/**
 * hvmm_exit_pio - IN or OUT
 * @x: the vCPU
 * @port: port
 * @size: 1, 2 or 4
 * @in: direction
 * @len: as above
 */
enum hvmm_exit_fate hvmm_exit_pio(struct hvmm_x86_vcpu *x, u16 port, unsigned int size, bool in,
				  unsigned int len);

/**
 * hvmm_exit_emulate - an instruction that must be emulated (MMIO, INS, OUTS)
 * @x: the vCPU
 */
enum hvmm_exit_fate hvmm_exit_emulate(struct hvmm_x86_vcpu *x);

/**
 * hvmm_exit_npf - nested page fault
 * @x: the vCPU
 * @gpa: guest physical address
 * @write: the access was a write
 * @table_walk: it was made by the guest's page walk
 */
enum hvmm_exit_fate hvmm_exit_npf(struct hvmm_x86_vcpu *x, u64 gpa, bool write, bool table_walk);

/**
 * hvmm_exit_npf_may_be_quick - whether to try hvmm_exit_npf_quick()
 * @x: the vCPU
 * @gpa: guest physical address
 *
 * Context: the vCPU's runner.
 */
static inline bool hvmm_exit_npf_may_be_quick(const struct hvmm_x86_vcpu *x, u64 gpa)
{
	return hvmm_mem_is_ram(&x->vcpu.vm->mem, gpa >> PAGE_SHIFT);
}

/**
 * hvmm_exit_npf_quick - a nested page fault for a page of RAM that only needs to be mapped
 * @x: the vCPU
 * @gpa: guest physical address
 * @write: the access was a write
 *
 * Context: the vCPU's runner, interrupts off.
 * Return: whether it is mapped now; if not, hvmm_exit_npf() is to be called.
 */
bool hvmm_exit_npf_quick(struct hvmm_x86_vcpu *x, u64 gpa, bool write);

/**
 * hvmm_exit_task_switch - a task switch through a TSS
 * @x: the vCPU
 * @sel: selector of the new TSS
 * @source: what asked for it
 * @len: length of the instruction that did; 0 for what is not an instruction
 */
enum hvmm_exit_fate hvmm_exit_task_switch(struct hvmm_x86_vcpu *x, u16 sel,
					  enum hvmm_task_source source, unsigned int len);

/**
 * hvmm_iret_switches_task - whether IRET, which the guest is about to execute, is a task switch
 * @x: the vCPU
 */
bool hvmm_iret_switches_task(struct hvmm_x86_vcpu *x);

/**
 * hvmm_exit_task_return - such an IRET
 * @x: the vCPU
 * @len: its length, 0 if unknown
 */
enum hvmm_exit_fate hvmm_exit_task_return(struct hvmm_x86_vcpu *x, unsigned int len);

/**
 * hvmm_exit_impossible - an exit that hvmm cannot handle: stop the VM
 * @x: the vCPU
 * @why: text for people
 */
enum hvmm_exit_fate hvmm_exit_impossible(struct hvmm_x86_vcpu *x, const char *why);

/**
 * hvmm_exit_fault_in - a handler needs &hvmm_x86_vcpu.missing_gfn
 * @x: the vCPU
 */
static inline enum hvmm_exit_fate hvmm_exit_fault_in(struct hvmm_x86_vcpu *x)
{
	/* Page tables are written (accessed bits), code is not; a write serves both. */
	x->missing_write = true;
	return HVMM_EXIT_FAULT_IN;
}

/**
 * hvmm_emul_unfinished - what becomes of an instruction whose emulation has not come to its end
 * @x: the vCPU
 * @status: how far it came; not %HVMM_EMUL_DONE
 */
enum hvmm_exit_fate hvmm_emul_unfinished(struct hvmm_x86_vcpu *x, enum hvmm_emul_status status);

/**
 * hvmm_queue_exception - raise an exception at the next entry
 * @x: the vCPU
 * @vector: vector
 * @has_error: with error code
 * @error: error code
 *
 * An exception raised while another event was being delivered combines with it
 * as APM vol. 2, 8.2.9 says: #DF, or a triple fault.
 *
 * Return: %HVMM_EXIT_RESUME, or %HVMM_EXIT_STOP after a triple fault.
 */
enum hvmm_exit_fate hvmm_queue_exception(struct hvmm_x86_vcpu *x, u8 vector, bool has_error,
					 u32 error);

static inline enum hvmm_exit_fate hvmm_queue_gp(struct hvmm_x86_vcpu *x)
{
	return hvmm_queue_exception(x, 13, true, 0);
}

/**
 * hvmm_insn_prepare - fetch and decode the instruction that exited, once an exit
 * @x: the vCPU; &hvmm_x86_vcpu.emul is filled
 * @fate: filled if the return is not 0
 *
 * Return: 0, or -errno with *@fate set: a page is missing, or an exception was queued.
 */
int hvmm_insn_prepare(struct hvmm_x86_vcpu *x, enum hvmm_exit_fate *fate);

/**
 * hvmm_insn_seg - a segment register as it was when the guest was left
 * @x: the vCPU
 * @nr: which
 */
const struct hvmm_seg *hvmm_insn_seg(struct hvmm_x86_vcpu *x, enum hvmm_seg_reg nr);

/**
 * hvmm_insn_done - the instruction was carried out: step behind it
 * @x: the vCPU
 * @len: its length
 *
 * Ends the interrupt shadow, and raises #DB if the guest is single-stepping.
 */
enum hvmm_exit_fate hvmm_insn_done(struct hvmm_x86_vcpu *x, unsigned int len);

/**
 * hvmm_io_port - carry out the one access of IN or OUT
 * @x: the vCPU
 * @write: direction
 * @port: port
 * @len: 1, 2 or 4
 * @data: source or destination
 *
 * As hvmm_io_access(), but an access that is done at once leaves no record: nothing else
 * belongs to the instruction.
 *
 * Return: DONE or PENDING.
 */
enum hvmm_emul_status hvmm_io_port(struct hvmm_x86_vcpu *x, bool write, u16 port,
				   unsigned int len, void *data);

/**
 * hvmm_io_port_quick - the same where that takes no interrupts and no other process
 * @x: the vCPU
 * @write: direction
 * @port: port
 * @len: 1, 2 or 4
 * @data: source or destination
 *
 * Context: the vCPU's runner, interrupts off.
 * Return: whether it was done; hvmm_io_port() does all others.
 */
bool hvmm_io_port_quick(struct hvmm_x86_vcpu *x, bool write, u16 port, unsigned int len,
			void *data);

/**
 * hvmm_io_replay - take an access from the records of an earlier run
 * @x: the vCPU
 * @kind: what it goes to
 * @write: direction
 * @addr: port or guest physical address
 * @len: 1 to 16
 * @data: destination of a read
 *
 * Return: true if it was carried out before; nothing more is to be done.
 */
bool hvmm_io_replay(struct hvmm_x86_vcpu *x, enum hvmm_io_kind kind, bool write, u64 addr,
		    unsigned int len, void *data);

/**
 * hvmm_io_record - remember an access that was carried out
 * @x: the vCPU; hvmm_io_replay() said no, and hvmm_io_full() too
 * @kind: what it went to
 * @write: direction
 * @addr: port or guest physical address
 * @len: 1 to 16
 * @data: what was read
 */
void hvmm_io_record(struct hvmm_x86_vcpu *x, enum hvmm_io_kind kind, bool write, u64 addr,
		    unsigned int len, const void *data);

static inline bool hvmm_io_full(const struct hvmm_x86_vcpu *x)
{
	return x->nr_io == HVMM_IO_RECORDS;
}

/**
 * hvmm_io_access - an access to a device
 * @x: the vCPU
 * @kind: %HVMM_IO_PORT or %HVMM_IO_MMIO
 * @write: direction
 * @addr: port or guest physical address
 * @len: 1, 2, 4 or 8
 * @data: source or destination
 *
 * Return: %HVMM_EMUL_DONE, %HVMM_EMUL_PENDING if it has gone to the device process,
 * %HVMM_EMUL_UNHANDLED if an instruction makes more accesses than any known one.
 */
enum hvmm_emul_status hvmm_io_access(struct hvmm_x86_vcpu *x, enum hvmm_io_kind kind, bool write,
				     u64 addr, unsigned int len, void *data);

/**
 * hvmm_io_answered - take the device process's answer to the access that was posted
 * @x: the vCPU
 */
void hvmm_io_answered(struct hvmm_x86_vcpu *x);

/**
 * hvmm_io_forget - an instruction, or an iteration of it, is complete
 * @x: the vCPU
 */
void hvmm_io_forget(struct hvmm_x86_vcpu *x);

/* x86/emul_glue.c */
extern const struct hvmm_emul_ops hvmm_emul_glue;

/* x86/inject.c */

/**
 * hvmm_event_due - whether hvmm_inject_pending() may have something to do
 * @x: the vCPU
 *
 * Context: as hvmm_inject_pending().
 */
static inline bool hvmm_event_due(const struct hvmm_x86_vcpu *x)
{
	return x->event.valid || x->nmi_pending || READ_ONCE(x->vcpu.lapic.irr_pending);
}

/**
 * hvmm_asks_nothing - whether the guest may be entered again without another look
 * @x: the vCPU
 *
 * Others send an interrupt when they want something of a vCPU that is in the guest. A handler
 * on its own pCPU does not, so this is what it may have left.
 *
 * Context: interrupts off since the vCPU was last said to be in the guest.
 */
static inline bool hvmm_asks_nothing(const struct hvmm_x86_vcpu *x)
{
	const struct hvmm_vcpu *vcpu = &x->vcpu;

	return !READ_ONCE(vcpu->requests) && !READ_ONCE(vcpu->lapic.irr_pending) &&
	       !READ_ONCE(vcpu->unit.res->attention) && !READ_ONCE(vcpu->vm->hold) &&
	       !hvmm_fpu_must_yield();
}

/**
 * hvmm_inject_pending - choose what the guest gets at this entry
 * @x: the vCPU
 *
 * Context: interrupts off, right before the entry, after the last look at requests.
 */
void hvmm_inject_pending(struct hvmm_x86_vcpu *x);

/* x86/request.c */

/**
 * hvmm_x86_requests - do what other parts have asked of a vCPU
 * @x: the vCPU
 *
 * Context: its runner, interrupts on, preemption off.
 * Return: RESUME, PARK or FAULT_IN.
 */
enum hvmm_exit_fate hvmm_x86_requests(struct hvmm_x86_vcpu *x);

#endif
