/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instruction emulator for accesses to emulated memory and for string port
 * I/O. It knows registers, flags, segments and operands; guest page tables,
 * RAM and devices are behind struct hvmm_emul_ops.
 *
 * Order of one instruction (one iteration of a repeated string instruction):
 * compute addresses and check segments; probe what will be written; read;
 * write; and only then change registers. Addresses, and the sequence of calls,
 * depend on registers and on data read alone, so an instruction can be
 * abandoned at any call and run again from the start.
 */
#ifndef HVMM_X86_EMULATE_H
#define HVMM_X86_EMULATE_H

#include <linux/types.h>

#include "x86/insn.h"
#include "x86/regs.h"

/**
 * enum hvmm_emul_status - result of an emulation or of one access
 * @HVMM_EMUL_DONE: complete. Of an emulation: RIP is behind the instruction
 * @HVMM_EMUL_AGAIN: (emulation only) one iteration of a repeated string
 *	instruction is done, more follow. Registers are updated, RIP is not,
 *	RFLAGS.RF is set (APM vol. 2, 13.1.3.3), so an interrupt may be
 *	delivered now; otherwise call hvmm_emulate() again
 * @HVMM_EMUL_RETRY: the host must do something first (bring a page in), then
 *	the whole instruction is run again; no register has changed
 * @HVMM_EMUL_PENDING: an access has gone to a device process; the instruction
 *	is run again when the answer is there; no register has changed. In the
 *	re-run the callbacks give recorded results for accesses already done
 *	and drop writes already done
 * @HVMM_EMUL_FAULT: raise &hvmm_emul.fault; no register has changed. As for
 *	every fault the pushed RFLAGS image has RF set; that is the caller's
 *	business
 * @HVMM_EMUL_UNHANDLED: (emulation only) not a supported form
 */
enum hvmm_emul_status {
	HVMM_EMUL_DONE,
	HVMM_EMUL_AGAIN,
	HVMM_EMUL_RETRY,
	HVMM_EMUL_PENDING,
	HVMM_EMUL_FAULT,
	HVMM_EMUL_UNHANDLED,
};

struct hvmm_emul;

/**
 * struct hvmm_emul_ops - what the emulator needs from its surroundings
 *
 * All memory callbacks take linear addresses and never cross a 4 KiB page;
 * @len is 1 to 16. They return DONE, RETRY, PENDING, or FAULT with
 * &hvmm_emul.fault filled. @val is filled only on DONE.
 *
 * @seg: a segment register; good until the instruction is done
 * @read: read guest memory
 * @write: write guest memory
 * @probe_write: optional. Would a write succeed? Raises the faults of a write
 *	and asks for missing host pages, but must not touch a device. Called
 *	before anything with a side effect when a later write of the same
 *	iteration could fail
 * @cmpxchg: write @new if memory still holds @old, atomically for RAM (@len is
 *	1, 2, 4, 8 or 16, and may be misaligned). RETRY if it does not. For a
 *	device it is a plain write. A locked access over a page boundary comes
 *	as two plain writes instead: one half of it at least is a device
 * @pio_in: read @size (1, 2, 4) bytes from a port into @val
 * @pio_out: write to a port
 * @read_xmm: copy the guest's XMM register @reg (0..15) to @val, 16 bytes
 * @write_xmm: the reverse; upper YMM bits stay (legacy SSE)
 */
struct hvmm_emul_ops {
	const struct hvmm_seg *(*seg)(struct hvmm_emul *e, enum hvmm_seg_reg nr);
	enum hvmm_emul_status (*read)(struct hvmm_emul *e, u64 linear, void *val,
				      unsigned int len);
	enum hvmm_emul_status (*write)(struct hvmm_emul *e, u64 linear, const void *val,
				       unsigned int len);
	enum hvmm_emul_status (*probe_write)(struct hvmm_emul *e, u64 linear, unsigned int len);
	enum hvmm_emul_status (*cmpxchg)(struct hvmm_emul *e, u64 linear, const void *old,
					 const void *new, unsigned int len);
	enum hvmm_emul_status (*pio_in)(struct hvmm_emul *e, u16 port, unsigned int size,
					void *val);
	enum hvmm_emul_status (*pio_out)(struct hvmm_emul *e, u16 port, unsigned int size,
					 const void *val);
	void (*read_xmm)(struct hvmm_emul *e, unsigned int reg, void *val);
	void (*write_xmm)(struct hvmm_emul *e, unsigned int reg, const void *val);
};

/**
 * struct hvmm_fault - an exception to raise
 * @vector: exception vector
 * @has_error: @error is to be pushed
 * @error: error code
 * @cr2: new CR2, for #PF only
 */
struct hvmm_fault {
	u8 vector;
	bool has_error;
	u32 error;
	u64 cr2;
};

/**
 * struct hvmm_emul - one emulation
 *
 * All but @fault is filled by the caller; @insn by hvmm_decode(). @mode must
 * be the mode that @insn was decoded for.
 *
 * @ops: callbacks
 * @regs: the vCPU's registers, updated when an iteration is complete
 * @mode: default sizes of CS
 * @cpl: current privilege level, for #AC only
 * @real: real or virtual-8086 mode: segments have no type, only a limit
 * @la57: linear addresses have 57 bits (CR4.LA57)
 * @align_check: CR0.AM
 * @insn: the instruction
 * @fault: exception, valid when the result is FAULT
 */
struct hvmm_emul {
	const struct hvmm_emul_ops *ops;
	struct hvmm_regs *regs;
	enum hvmm_cpu_mode mode;
	u8 cpl;
	bool real;
	bool la57;
	bool align_check;
	struct hvmm_insn insn;
	struct hvmm_fault fault;
};

/**
 * hvmm_emulate() - execute one instruction, or one iteration of it
 * @e: the emulation
 *
 * Context: that of the callbacks; itself it never sleeps and takes no lock.
 * Instructions that do not access memory are not handled. I/O privilege checks
 * for INS and OUTS are the caller's.
 *
 * Return: enum hvmm_emul_status.
 */
enum hvmm_emul_status hvmm_emulate(struct hvmm_emul *e);

/**
 * hvmm_emul_operand_addr() - linear address of the memory operand, unchecked
 * @e: the emulation, whose instruction has HVMM_INSN_MEM
 *
 * For INVLPG (APM vol. 3: no segment checks).
 */
u64 hvmm_emul_operand_addr(struct hvmm_emul *e);

/**
 * hvmm_emul_read_operand() - read the memory operand of an intercepted instruction
 * @e: the emulation, whose instruction has HVMM_INSN_MEM
 * @val: where to
 * @len: 1..16
 *
 * For LMSW, LGDT, LIDT, LLDT, LTR and the like. RIP is not changed.
 *
 * Return: DONE, RETRY, PENDING or FAULT.
 */
enum hvmm_emul_status hvmm_emul_read_operand(struct hvmm_emul *e, void *val, unsigned int len);

/**
 * hvmm_emul_write_operand() - the reverse, for SMSW, SGDT, SIDT, SLDT, STR
 * @e: the emulation, whose instruction has HVMM_INSN_MEM
 * @val: what to write
 * @len: 1..16
 *
 * Return: DONE, RETRY, PENDING or FAULT.
 */
enum hvmm_emul_status hvmm_emul_write_operand(struct hvmm_emul *e, const void *val,
					      unsigned int len);

/**
 * hvmm_emul_skip() - move RIP behind the instruction, as a completed one does
 * @e: the emulation
 *
 * For handlers of intercepts: RIP wraps at 4 GiB outside 64-bit mode and RFLAGS.RF is cleared.
 */
void hvmm_emul_skip(struct hvmm_emul *e);

/**
 * hvmm_emul_gpr() - value of a general-purpose register operand
 * @e: the emulation
 * @reg: register number as encoded
 * @size: 1, 2, 4 or 8; AH..BH are understood where there is no REX prefix
 */
u64 hvmm_emul_gpr(const struct hvmm_emul *e, unsigned int reg, unsigned int size);

/**
 * hvmm_emul_set_gpr() - write a general-purpose register operand
 * @e: the emulation
 * @reg: register number as encoded
 * @size: 1, 2, 4 or 8; a 4-byte write clears the upper half
 * @val: value
 */
void hvmm_emul_set_gpr(struct hvmm_emul *e, unsigned int reg, unsigned int size, u64 val);

#endif
