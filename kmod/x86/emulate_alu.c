// SPDX-License-Identifier: GPL-2.0
/*
 * Arithmetic with exact flags: the CPU does it. Each operation loads the
 * guest's arithmetic flags, executes the very instruction on registers, and
 * takes the flags back, undefined ones included. Only DIV and IDIV, which can
 * raise #DE, and POPCNT, which a CPU might lack, are worked out in C.
 */
#include <linux/types.h>

#include "x86/emulate_priv.h"

#define FL_LOAD		"push %[fl]\n\tpopf\n\t"
#define FL_SAVE		"\n\tpushf\n\tpop %[fl]"

/* Host flags, with the guest's arithmetic ones: nothing else may be loaded. */
static u64 mix_flags(u64 guest)
{
	u64 host;

	asm volatile("pushf\n\tpop %0" : "=r" (host));
	return (host & ~(u64)X86_FL_ARITH) | (guest & X86_FL_ARITH);
}

static void take_flags(u64 *guest, u64 host)
{
	*guest = (*guest & ~(u64)X86_FL_ARITH) | (host & X86_FL_ARITH);
}

#define DO_2(insn, m)								\
	asm volatile(FL_LOAD insn " %" m "[s], %" m "[d]" FL_SAVE		\
		     : [fl] "+r" (fl), [d] "+q" (dst) : [s] "q" (src) : "cc")

#define DO_2_SIZES(insn)							\
	do {									\
		switch (size) {							\
		case 1:								\
			DO_2(insn "b", "b");					\
			break;							\
		case 2:								\
			DO_2(insn "w", "w");					\
			break;							\
		case 4:								\
			DO_2(insn "l", "k");					\
			break;							\
		default:							\
			DO_2(insn "q", "q");					\
			break;							\
		}								\
	} while (0)

#define DO_2_SIZES_NO_BYTE(insn)						\
	do {									\
		switch (size) {							\
		case 2:								\
			DO_2(insn "w", "w");					\
			break;							\
		case 4:								\
			DO_2(insn "l", "k");					\
			break;							\
		default:							\
			DO_2(insn "q", "q");					\
			break;							\
		}								\
	} while (0)

#define DO_1(insn, m)								\
	asm volatile(FL_LOAD insn " %" m "[d]" FL_SAVE				\
		     : [fl] "+r" (fl), [d] "+q" (dst) : : "cc")

#define DO_1_SIZES(insn)							\
	do {									\
		switch (size) {							\
		case 1:								\
			DO_1(insn "b", "b");					\
			break;							\
		case 2:								\
			DO_1(insn "w", "w");					\
			break;							\
		case 4:								\
			DO_1(insn "l", "k");					\
			break;							\
		default:							\
			DO_1(insn "q", "q");					\
			break;							\
		}								\
	} while (0)

#define DO_SHIFT(insn, m)							\
	asm volatile(FL_LOAD insn " %%cl, %" m "[d]" FL_SAVE			\
		     : [fl] "+r" (fl), [d] "+q" (dst) : "c" (count) : "cc")

#define DO_SHIFT_SIZES(insn)							\
	do {									\
		switch (size) {							\
		case 1:								\
			DO_SHIFT(insn "b", "b");				\
			break;							\
		case 2:								\
			DO_SHIFT(insn "w", "w");				\
			break;							\
		case 4:								\
			DO_SHIFT(insn "l", "k");				\
			break;							\
		default:							\
			DO_SHIFT(insn "q", "q");				\
			break;							\
		}								\
	} while (0)

#define DO_SHIFT2(insn, m)							\
	asm volatile(FL_LOAD insn " %%cl, %" m "[s], %" m "[d]" FL_SAVE		\
		     : [fl] "+r" (fl), [d] "+q" (dst)				\
		     : [s] "q" (src), "c" (count) : "cc")

#define DO_SHIFT2_SIZES(insn)							\
	do {									\
		switch (size) {							\
		case 2:								\
			DO_SHIFT2(insn "w", "w");				\
			break;							\
		case 4:								\
			DO_SHIFT2(insn "l", "k");				\
			break;							\
		default:							\
			DO_SHIFT2(insn "q", "q");				\
			break;							\
		}								\
	} while (0)

u64 emul_alu2(enum emul_alu2 op, unsigned int size, u64 dst, u64 src, u64 *guest)
{
	u64 fl = mix_flags(*guest);

	switch (op) {
	case ALU_ADD:
		DO_2_SIZES("add");
		break;
	case ALU_OR:
		DO_2_SIZES("or");
		break;
	case ALU_ADC:
		DO_2_SIZES("adc");
		break;
	case ALU_SBB:
		DO_2_SIZES("sbb");
		break;
	case ALU_AND:
		DO_2_SIZES("and");
		break;
	case ALU_SUB:
		DO_2_SIZES("sub");
		break;
	case ALU_XOR:
		DO_2_SIZES("xor");
		break;
	case ALU_CMP:
		DO_2_SIZES("cmp");
		break;
	}
	take_flags(guest, fl);
	return dst & size_mask(size);
}

u64 emul_alu1(enum emul_alu1 op, unsigned int size, u64 dst, u64 *guest)
{
	u64 fl = mix_flags(*guest);

	switch (op) {
	case ALU_INC:
		DO_1_SIZES("inc");
		break;
	case ALU_DEC:
		DO_1_SIZES("dec");
		break;
	case ALU_NOT:
		DO_1_SIZES("not");
		break;
	case ALU_NEG:
		DO_1_SIZES("neg");
		break;
	}
	take_flags(guest, fl);
	return dst & size_mask(size);
}

u64 emul_shift(enum emul_shift op, unsigned int size, u64 dst, u8 count, u64 *guest)
{
	u64 fl = mix_flags(*guest);

	switch (op) {
	case SH_ROL:
		DO_SHIFT_SIZES("rol");
		break;
	case SH_ROR:
		DO_SHIFT_SIZES("ror");
		break;
	case SH_RCL:
		DO_SHIFT_SIZES("rcl");
		break;
	case SH_RCR:
		DO_SHIFT_SIZES("rcr");
		break;
	case SH_SHL:
	case SH_SAL:
		DO_SHIFT_SIZES("shl");
		break;
	case SH_SHR:
		DO_SHIFT_SIZES("shr");
		break;
	case SH_SAR:
		DO_SHIFT_SIZES("sar");
		break;
	}
	take_flags(guest, fl);
	return dst & size_mask(size);
}

u64 emul_shift_double(bool right, unsigned int size, u64 dst, u64 src, u8 count, u64 *guest)
{
	u64 fl = mix_flags(*guest);

	if (right)
		DO_SHIFT2_SIZES("shrd");
	else
		DO_SHIFT2_SIZES("shld");
	take_flags(guest, fl);
	return dst & size_mask(size);
}

u64 emul_bit(enum emul_bit op, unsigned int size, u64 dst, unsigned int bit, u64 *guest)
{
	u64 fl = mix_flags(*guest);
	u64 src = bit;

	switch (op) {
	case BIT_BT:
		DO_2_SIZES_NO_BYTE("bt");
		break;
	case BIT_BTS:
		DO_2_SIZES_NO_BYTE("bts");
		break;
	case BIT_BTR:
		DO_2_SIZES_NO_BYTE("btr");
		break;
	case BIT_BTC:
		DO_2_SIZES_NO_BYTE("btc");
		break;
	}
	take_flags(guest, fl);
	return dst & size_mask(size);
}

/* The whole register is returned: BSF and BSR of 0 leave it as the CPU does. */
u64 emul_scan(enum emul_scan op, unsigned int size, u64 dst, u64 src, u64 *guest)
{
	u64 fl = mix_flags(*guest);

	switch (op) {
	case SCAN_BSF:
		DO_2_SIZES_NO_BYTE("bsf");
		break;
	case SCAN_BSR:
		DO_2_SIZES_NO_BYTE("bsr");
		break;
	case SCAN_TZCNT:
		/* A CPU without BMI1 takes it as BSF, for the guest as for us. */
		DO_2_SIZES_NO_BYTE("tzcnt");
		break;
	case SCAN_LZCNT:
		DO_2_SIZES_NO_BYTE("lzcnt");
		break;
	case SCAN_POPCNT:
		for (dst = 0, src &= size_mask(size); src; src &= src - 1)
			dst++;
		fl &= ~(u64)X86_FL_ARITH;
		if (!dst)
			fl |= X86_FL_ZF;
		break;
	}
	take_flags(guest, fl);
	return dst;
}

u64 emul_imul2(unsigned int size, u64 dst, u64 src, u64 *guest)
{
	u64 fl = mix_flags(*guest);

	DO_2_SIZES_NO_BYTE("imul");
	take_flags(guest, fl);
	return dst & size_mask(size);
}

#define DO_MUL(insn, m)								\
	asm volatile(FL_LOAD insn " %" m "[s]" FL_SAVE				\
		     : [fl] "+r" (fl), "+a" (a), "+d" (d) : [s] "q" (src) : "cc")

#define DO_MUL_SIZES(insn)							\
	do {									\
		switch (size) {							\
		case 1:								\
			DO_MUL(insn "b", "b");					\
			break;							\
		case 2:								\
			DO_MUL(insn "w", "w");					\
			break;							\
		case 4:								\
			DO_MUL(insn "l", "k");					\
			break;							\
		default:							\
			DO_MUL(insn "q", "q");					\
			break;							\
		}								\
	} while (0)

/* Whole registers in and out: the CPU merges or clears the upper parts. */
void emul_mul(bool is_signed, unsigned int size, u64 *rax, u64 *rdx, u64 src, u64 *guest)
{
	u64 fl = mix_flags(*guest);
	u64 a = *rax, d = *rdx;

	if (is_signed)
		DO_MUL_SIZES("imul");
	else
		DO_MUL_SIZES("mul");
	take_flags(guest, fl);
	*rax = a;
	*rdx = d;
}

/* @hi:@lo / @src, all of @size bytes; false when the quotient does not fit. */
static bool div_unsigned(unsigned int size, u64 *lo, u64 *hi, u64 src)
{
	u64 n, quot, rem;

	if (*hi >= src)
		return false;
	if (size == 8) {
		asm("divq %[s]" : "=a" (quot), "=d" (rem)
		    : "0" (*lo), "1" (*hi), [s] "r" (src) : "cc");
	} else {
		n = *hi << (8 * size) | *lo;
		quot = n / src;
		rem = n % src;
	}
	*lo = quot;
	*hi = rem;
	return true;
}

static void negate_double(unsigned int size, u64 *lo, u64 *hi)
{
	*lo = -*lo & size_mask(size);
	*hi = (~*hi + !*lo) & size_mask(size);
}

/*
 * DIV and IDIV (APM vol. 3). The dividend is AX for bytes, else rDX:rAX. Flags
 * are undefined afterwards; they stay. Returns false for #DE.
 */
bool emul_div(bool is_signed, unsigned int size, u64 *rax, u64 *rdx, u64 src)
{
	u64 mask = size_mask(size), sign = 1ULL << (8 * size - 1);
	u64 lo = *rax & mask, hi = size == 1 ? (*rax >> 8) & 0xff : *rdx & mask;
	bool neg_n = is_signed && hi & sign, neg_d = is_signed && src & sign;

	src &= mask;
	if (neg_n)
		negate_double(size, &lo, &hi);
	if (neg_d)
		src = -src & mask;
	if (!div_unsigned(size, &lo, &hi, src))
		return false;
	if (is_signed && lo > (neg_n == neg_d ? sign - 1 : sign))
		return false;
	if (neg_n != neg_d)
		lo = -lo & mask;
	if (neg_n)
		hi = -hi & mask;

	switch (size) {
	case 1:
		*rax = (*rax & ~0xffffULL) | hi << 8 | lo;
		break;
	case 2:
		*rax = (*rax & ~0xffffULL) | lo;
		*rdx = (*rdx & ~0xffffULL) | hi;
		break;
	default:
		*rax = lo;
		*rdx = hi;
		break;
	}
	return true;
}

/* Condition codes of Jcc, SETcc, CMOVcc (APM vol. 3, table A-1). */
bool emul_condition(unsigned int cc, u64 fl)
{
	bool sf_ne_of = !(fl & X86_FL_SF) != !(fl & X86_FL_OF);
	bool yes;

	switch (cc >> 1) {
	case 0:
		yes = fl & X86_FL_OF;
		break;
	case 1:
		yes = fl & X86_FL_CF;
		break;
	case 2:
		yes = fl & X86_FL_ZF;
		break;
	case 3:
		yes = fl & (X86_FL_CF | X86_FL_ZF);
		break;
	case 4:
		yes = fl & X86_FL_SF;
		break;
	case 5:
		yes = fl & X86_FL_PF;
		break;
	case 6:
		yes = sf_ne_of;
		break;
	default:
		yes = sf_ne_of || fl & X86_FL_ZF;
		break;
	}
	return yes != (cc & 1);
}
