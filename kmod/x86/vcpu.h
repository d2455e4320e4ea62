/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_X86_VCPU_H
#define HVMM_X86_VCPU_H

#include <linux/types.h>

#include "core/vcpu.h"
#include "core/vm.h"
#include "x86/emulate.h"
#include "x86/regs.h"
#include "x86/walked.h"

/* Guest-visible MTRRs: kept, never acted upon (RAM is write-back, APM vol. 2, 7.7). */
#define HVMM_MTRR_VAR_NR	8

struct hvmm_msr_row;

/**
 * struct hvmm_event - an exception, interrupt or NMI to be injected
 * @valid: there is one
 * @type: enum hvmm_event_type
 * @vector: vector
 * @has_error: an error code goes with it
 * @error: error code
 */
struct hvmm_event {
	bool valid;
	u8 type;
	u8 vector;
	bool has_error;
	u32 error;
};

/**
 * enum hvmm_event_type - kinds of event, numbered as EVENTINJ.TYPE (APM vol. 2, 15.20)
 * @HVMM_EVENT_INTR: external interrupt
 * @HVMM_EVENT_NMI: NMI
 * @HVMM_EVENT_EXCEPTION: exception
 * @HVMM_EVENT_SOFT: INT n
 */
enum hvmm_event_type {
	HVMM_EVENT_INTR = 0,
	HVMM_EVENT_NMI = 2,
	HVMM_EVENT_EXCEPTION = 3,
	HVMM_EVENT_SOFT = 4,
};

/**
 * struct hvmm_msr_state - MSRs whose value hvmm keeps itself
 * @tsc_aux: TSC_AUX
 * @mtrr_def: MTRRdefType
 * @mtrr_fixed: fixed-range MTRRs
 * @mtrr_var: variable-range bases and masks
 * @hwcr: HWCR
 * @tsc_adjust: TSC_ADJUST
 * @kvm_wall: last value of MSR_KVM_WALL_CLOCK_NEW
 * @kvm_time: value of MSR_KVM_SYSTEM_TIME_NEW; bit 0 = enabled
 * @kvm_steal: value of MSR_KVM_STEAL_TIME; bit 0 = enabled
 * @kvm_eoi: value of MSR_KVM_PV_EOI_EN; bit 0 = enabled
 * @kvm_poll: value of MSR_KVM_POLL_CONTROL
 */
struct hvmm_msr_state {
	u64 tsc_aux;
	u64 mtrr_def;
	u64 mtrr_fixed[11];
	u64 mtrr_var[HVMM_MTRR_VAR_NR][2];
	u64 hwcr;
	u64 tsc_adjust;
	u64 kvm_wall;
	u64 kvm_time;
	u64 kvm_steal;
	u64 kvm_eoi;
	u64 kvm_poll;
};

/**
 * enum hvmm_io_kind - what an emulated access went to
 * @HVMM_IO_PORT: a port
 * @HVMM_IO_MMIO: a device in memory
 * @HVMM_IO_RAM: RAM
 */
enum hvmm_io_kind {
	HVMM_IO_PORT,
	HVMM_IO_MMIO,
	HVMM_IO_RAM,
};

/**
 * struct hvmm_io_record - one access of the instruction that is being emulated
 * @addr: port or guest physical address
 * @len: bytes
 * @kind: enum hvmm_io_kind
 * @write: direction
 * @done: carried out; not so while the device process has it
 * @data: data of a read, little endian
 *
 * An instruction that waited for a device process runs again from its start:
 * what it had read it must read again the same, what it had written it must not
 * write twice. RAM is no exception: an instruction across the border of RAM and a
 * device has changed the one half while it waits for the other.
 */
struct hvmm_io_record {
	u64 addr;
	u8 len;
	u8 kind;
	bool write;
	bool done;
	u8 data[16];
};

/*
 * The most that one instruction does: a read and a write of 16 bytes over a page
 * border, each half in naturally sized pieces.
 */
#define HVMM_IO_RECORDS	16

/**
 * struct hvmm_decoded - an instruction that has been decoded before
 * @bytes: all that hvmm_decode() was given: the same gives the same
 * @insn: what it made of them
 */
struct hvmm_decoded {
	u64 bytes[2];
	struct hvmm_insn insn;
};

/* By address; a power of two. */
#define HVMM_DECODED_BITS	2

/**
 * enum hvmm_missing - what is known of a page that is not mapped
 * @HVMM_MISSING: nothing
 * @HVMM_MISSING_HOLE: the file has none there
 * @HVMM_MISSING_BUSY: it is not free to be mapped at once
 */
enum hvmm_missing {
	HVMM_MISSING,
	HVMM_MISSING_HOLE,
	HVMM_MISSING_BUSY,
};

/**
 * struct hvmm_x86_vcpu - the x86 part of a vCPU, common to both vendors
 * @vcpu: the generic part; first
 * @regs: GPRs, RIP and RFLAGS; RAX, RSP, RIP, RFLAGS are copied from and to the
 *        VMCB or VMCS around each entry
 * @cr2: CR2
 * @event: event to be injected at the next entry (exception, or one whose delivery was cut off)
 * @nmi_pending: number of NMIs not yet injected, at most 2
 * @nr_io: how many are in @io
 * @io_next: the next one that a re-run of the instruction will ask for
 * @no_device: hvmm_io_port_quick() has found no device in the kernel at this exit's port
 * @seg_valid: bitmap of valid @seg_cache entries
 * @insn_valid: @emul.insn is the present exit's instruction
 * @redo: the exit is handled again from its start: the device process has answered, or a page
 *        has come that was missing in the middle
 * @missing_write: the access to @missing_gfn is a write
 * @missing: what is known of a page that hvmm_exit_npf_quick() could not map
 * @hole: the file did not have the page that was missing last
 * @aside: see x86/aside.h
 * @preempted: the guest was told by hvmm_pv_put() that the vCPU does not run
 * @eoi_armed: the guest may have ended the interrupt in service: hvmm_pv_eoi_sync() knows
 * @pauses: exits by PAUSE in this residency, where the processor does not count loops
 * @missing_gfn: page that an emulation or pv write needs, valid when it returned retry
 * @dr: DR0-DR3, switched by hand
 * @xcr0: XCR0
 * @fpu: FPU state while it is not in the registers, see host/fpu.h
 * @msr_row: policy of the MSR that was read last, for hvmm_msr_read_quick()
 * @msr: MSRs kept by hvmm
 * @io: accesses that the present instruction has made, for when it is done again
 * @emul: emulation state
 * @seg_cache: segments as of the present exit, filled on demand
 * @time_version: version of the kvmclock page
 * @steal_version: version of the steal time page
 * @steal_base: the ledger's steal time when the guest was reset
 * @decoded: instructions that were emulated
 * @code: pages of code that have exited, by the last bits of their number
 * @data: pages that emulated instructions have accessed, likewise
 */
struct hvmm_x86_vcpu {
	struct hvmm_vcpu vcpu;
	/* What each exit looks at comes first: scripts/check-layout. */
	struct hvmm_regs regs ____cacheline_aligned;
	u64 cr2;
	struct hvmm_event event;
	u8 nmi_pending;
	u8 nr_io;
	u8 io_next;
	bool no_device;
	u8 seg_valid;
	bool insn_valid;
	bool redo;
	bool missing_write;
	enum hvmm_missing missing;
	bool hole;
	bool aside;
	bool preempted;
	bool eoi_armed;
	unsigned int pauses;
	u64 missing_gfn;
	u64 dr[4];
	u64 xcr0;
	void *fpu;
	const struct hvmm_msr_row *msr_row;
	struct hvmm_msr_state msr;
	struct hvmm_io_record io[HVMM_IO_RECORDS];
	struct hvmm_emul emul;
	struct hvmm_seg seg_cache[HVMM_SEG_NR];
	u32 time_version;
	u32 steal_version;
	u64 steal_base;
	struct hvmm_decoded decoded[1 << HVMM_DECODED_BITS] ____cacheline_aligned;
	struct hvmm_walked code[HVMM_WALKED_PAGES];
	struct hvmm_walked data[HVMM_WALKED_PAGES];
};

static inline struct hvmm_x86_vcpu *to_x86(struct hvmm_vcpu *vcpu)
{
	return container_of(vcpu, struct hvmm_x86_vcpu, vcpu);
}

static __always_inline struct hvmm_walked *hvmm_code_slot(struct hvmm_x86_vcpu *x, u64 rip)
{
	return &x->code[(rip >> PAGE_SHIFT) % HVMM_WALKED_PAGES];
}

/**
 * enum hvmm_exit_fate - what a vCPU does after one of its exits was handled
 * @HVMM_EXIT_RESUME: enter the guest again
 * @HVMM_EXIT_PARK: it cannot go on; &hvmm_vcpu.wait says what it waits for
 * @HVMM_EXIT_FAULT_IN: @missing_gfn must be brought in (FPU section ended), then resume
 * @HVMM_EXIT_REDO: the present exit must be handled once more
 * @HVMM_EXIT_YIELD: the rest of its slice is another's (hvmm_vcpu_yield_to()): let that run
 * @HVMM_EXIT_STOP: its VM was stopped with hvmm_vm_stop_async()
 */
enum hvmm_exit_fate {
	HVMM_EXIT_RESUME,
	HVMM_EXIT_PARK,
	HVMM_EXIT_FAULT_IN,
	HVMM_EXIT_REDO,
	HVMM_EXIT_YIELD,
	HVMM_EXIT_STOP,
};

/**
 * hvmm_x86_reset - registers, MSRs and LAPIC after power-on or INIT
 * @x: the vCPU
 * @init: INIT rather than power-on
 *
 * Context: the vCPU's runner, or it does not run.
 */
void hvmm_x86_reset(struct hvmm_x86_vcpu *x, bool init);

#endif
