/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by emulate*.c only. */
#ifndef HVMM_X86_EMULATE_PRIV_H
#define HVMM_X86_EMULATE_PRIV_H

#include <linux/types.h>

#include "x86/emulate.h"

#define X86_FL_CF	0x0001u
#define X86_FL_PF	0x0004u
#define X86_FL_AF	0x0010u
#define X86_FL_ZF	0x0040u
#define X86_FL_SF	0x0080u
#define X86_FL_DF	0x0400u
#define X86_FL_OF	0x0800u
#define X86_FL_RF	0x10000u
#define X86_FL_AC	0x40000u
#define X86_FL_ARITH	(X86_FL_CF | X86_FL_PF | X86_FL_AF | X86_FL_ZF | X86_FL_SF | X86_FL_OF)

#define X86_VEC_DE	0
#define X86_VEC_UD	6
#define X86_VEC_SS	12
#define X86_VEC_GP	13
#define X86_VEC_AC	17

/* ModRM.reg of the opcode group 80-83, and bits 5:3 of opcodes 00-3f. */
enum emul_alu2 { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };
enum emul_alu1 { ALU_INC, ALU_DEC, ALU_NOT, ALU_NEG };
/* ModRM.reg of the shift group; 6 is another SHL. */
enum emul_shift { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAL, SH_SAR };
/* ModRM.reg & 3 of 0F BA. */
enum emul_bit { BIT_BT, BIT_BTS, BIT_BTR, BIT_BTC };
enum emul_scan { SCAN_BSF, SCAN_BSR, SCAN_TZCNT, SCAN_LZCNT, SCAN_POPCNT };

static inline u64 size_mask(unsigned int size)
{
	return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

static inline s64 sign_extend(u64 val, unsigned int size)
{
	unsigned int sh = 64 - 8 * size;

	return (s64)(val << sh) >> sh;
}

bool emul_is_canonical(const struct hvmm_emul *e, u64 linear);
enum hvmm_emul_status emul_raise(struct hvmm_emul *e, u8 vector, bool has_error);

/* emulate_alu.c: pure; @fl is the guest's RFLAGS, of which arithmetic flags change. */
u64 emul_alu2(enum emul_alu2 op, unsigned int size, u64 dst, u64 src, u64 *fl);
u64 emul_alu1(enum emul_alu1 op, unsigned int size, u64 dst, u64 *fl);
u64 emul_shift(enum emul_shift op, unsigned int size, u64 dst, u8 count, u64 *fl);
u64 emul_shift_double(bool right, unsigned int size, u64 dst, u64 src, u8 count, u64 *fl);
u64 emul_bit(enum emul_bit op, unsigned int size, u64 dst, unsigned int bit, u64 *fl);
u64 emul_scan(enum emul_scan op, unsigned int size, u64 dst, u64 src, u64 *fl);
u64 emul_imul2(unsigned int size, u64 a, u64 b, u64 *fl);
void emul_mul(bool is_signed, unsigned int size, u64 *rax, u64 *rdx, u64 src, u64 *fl);
bool emul_div(bool is_signed, unsigned int size, u64 *rax, u64 *rdx, u64 src);
bool emul_condition(unsigned int cc, u64 fl);

/* emulate_mem.c */

/* Offset of the memory operand in its segment, @rsp_add added to RSP as base. */
u64 emul_operand_offset(const struct hvmm_emul *e, u64 rsp_add);
u64 emul_addr_mask(const struct hvmm_emul *e);
/* Segment, canonical and alignment checks (APM vol. 2, 4.5 and 4.12). */
enum hvmm_emul_status emul_linear(struct hvmm_emul *e, unsigned int seg, u64 off,
				  unsigned int len, bool write, u64 *linear);
enum hvmm_emul_status emul_read(struct hvmm_emul *e, u64 linear, void *val, unsigned int len);
enum hvmm_emul_status emul_write(struct hvmm_emul *e, u64 linear, const void *val,
				 unsigned int len);
enum hvmm_emul_status emul_probe(struct hvmm_emul *e, u64 linear, unsigned int len);
enum hvmm_emul_status emul_write_locked(struct hvmm_emul *e, u64 linear, const void *old,
					const void *new, unsigned int len);

/*
 * Internal status: complete, and RIP has been set. Only emul_stack() and what
 * calls it return it.
 */
#define EMUL_BRANCHED	((enum hvmm_emul_status)(HVMM_EMUL_UNHANDLED + 1))

/* emulate_stack.c: one-byte opcodes that push, pop or jump. */
enum hvmm_emul_status emul_stack(struct hvmm_emul *e);

/* emulate_string.c, emulate_0f.c, emulate_sse.c: one instruction; RIP is moved by the caller. */
enum hvmm_emul_status emul_string(struct hvmm_emul *e);
enum hvmm_emul_status emul_0f(struct hvmm_emul *e);
enum hvmm_emul_status emul_0f38(struct hvmm_emul *e);
enum hvmm_emul_status emul_sse(struct hvmm_emul *e);

/**
 * struct emul_mem - the memory operand of the present instruction
 * @linear: address
 * @size: bytes, 1..8
 * @val: value read
 */
struct emul_mem {
	u64 linear;
	unsigned int size;
	u64 val;
};

/* emulate.c: the ModRM memory operand as a number of up to 8 bytes. */
enum hvmm_emul_status emul_mem_load(struct hvmm_emul *e, struct emul_mem *m, unsigned int size);
/* The same, for a write to follow. */
enum hvmm_emul_status emul_mem_load_rmw(struct hvmm_emul *e, struct emul_mem *m,
					unsigned int size);
/* Ends a read-modify-write; honours LOCK. */
enum hvmm_emul_status emul_mem_update(struct hvmm_emul *e, const struct emul_mem *m, u64 val);
enum hvmm_emul_status emul_mem_store(struct hvmm_emul *e, unsigned int size, u64 val);

#endif
