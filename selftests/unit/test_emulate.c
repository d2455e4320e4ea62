// SPDX-License-Identifier: GPL-2.0
/*
 * The emulator against the CPU that runs this test: random registers, flags,
 * memory and addressing forms for each instruction form, executed natively and
 * emulated. Each case is then repeated with an interruption at every access.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/kernel.h>

#include "emul_fake.h"
#include "native.h"
#include "rng.h"
#include "tap.h"

#define CASES		3000
#define MAX_REPORTS	6	/* a form */

#define CF	0x001
#define PF	0x004
#define AF	0x010
#define ZF	0x040
#define SF	0x080
#define DF	0x400
#define OF	0x800
#define ARITH	(CF | PF | AF | ZF | SF | OF)

/* Instruction form flags. */
#define F_BYTE		0x0001	/* byte operation */
#define F_LOCK		0x0002	/* a LOCK prefix is tried */
#define F_ACC		0x0004	/* memory often equals the accumulator */
#define F_DIV		0x0008	/* small rDX, so that quotients may fit */
#define F_BITOFF	0x0010	/* ModRM.reg is a bit offset */
#define F_STACK		0x0020	/* uses the stack */
#define F_STR		0x0040	/* string: rSI, rDI, rCX, DF */
#define F_NO16		0x0080	/* no 66 prefix */
#define F_NO_REXW	0x0100
#define F_XLAT		0x0200
#define F_MOFFS		0x0400
#define F_ONLY64	0x0800
#define F_REXW		0x1000	/* REX.W always, so 64-bit mode only */
#define F_IMM_Z		0x2000	/* immediate by operand size; else @imm bytes */
#define F_TARGET	0x10000	/* jumps: where to is the end of the instruction */
#define F_SMALL_CL	0x4000	/* counts above the operand's size are undefined */
#define F_NO_MODRM	0x8000

struct form {
	const char *name;
	u8 pfx;			/* mandatory prefix */
	u8 map;			/* 0, 1 (0F), 2 (0F 38) */
	u8 op;
	s8 ext;			/* ModRM.reg, or -1: any register */
	u8 imm;
	u32 flags;
	u16 undef;		/* undefined RFLAGS bits */
};

#define ALU(name, o, lock)							\
	{ name " Eb,Gb", 0, 0, (o), -1, 0, F_BYTE | (lock) },			\
	{ name " Ev,Gv", 0, 0, (o) + 1, -1, 0, (lock) },			\
	{ name " Gb,Eb", 0, 0, (o) + 2, -1, 0, F_BYTE },			\
	{ name " Gv,Ev", 0, 0, (o) + 3, -1, 0, 0 },				\
	{ name " Eb,Ib", 0, 0, 0x80, (o) >> 3, 1, F_BYTE | (lock) },		\
	{ name " Ev,Iz", 0, 0, 0x81, (o) >> 3, 0, F_IMM_Z | (lock) },		\
	{ name " Ev,Ib", 0, 0, 0x83, (o) >> 3, 1, (lock) }

#define SHIFT(name, e, undef)							\
	{ name " Eb,Ib", 0, 0, 0xc0, e, 1, F_BYTE, undef },			\
	{ name " Ev,Ib", 0, 0, 0xc1, e, 1, 0, undef },				\
	{ name " Eb,1", 0, 0, 0xd0, e, 0, F_BYTE, (undef) & AF },		\
	{ name " Ev,1", 0, 0, 0xd1, e, 0, 0, (undef) & AF },			\
	{ name " Eb,CL", 0, 0, 0xd2, e, 0, F_BYTE, undef },			\
	{ name " Ev,CL", 0, 0, 0xd3, e, 0, 0, undef }

#define BIT(name, o, e, lock)							\
	{ name " Ev,Gv", 0, 1, (o), -1, 0, F_BITOFF | (lock), OF | SF | AF | PF }, \
	{ name " Ev,Ib", 0, 1, 0xba, (e), 1, (lock), OF | SF | AF | PF }

#define CC(n)									\
	{ "cmov" #n, 0, 1, 0x40 + (n), -1, 0, 0 },				\
	{ "set" #n, 0, 1, 0x90 + (n), 0, 0, F_BYTE }

#define STR(name, o)								\
	{ name "b", 0, 0, (o), -1, 0, F_BYTE | F_STR },			\
	{ name, 0, 0, (o) + 1, -1, 0, F_STR },					\
	{ "rep " name "b", 0xf3, 0, (o), -1, 0, F_BYTE | F_STR },		\
	{ "rep " name, 0xf3, 0, (o) + 1, -1, 0, F_STR },			\
	{ "repne " name "b", 0xf2, 0, (o), -1, 0, F_BYTE | F_STR },		\
	{ "repne " name, 0xf2, 0, (o) + 1, -1, 0, F_STR }

static const struct form forms[] = {
	ALU("add", 0x00, F_LOCK), ALU("or", 0x08, F_LOCK), ALU("adc", 0x10, F_LOCK),
	ALU("sbb", 0x18, F_LOCK), ALU("and", 0x20, F_LOCK), ALU("sub", 0x28, F_LOCK),
	ALU("xor", 0x30, F_LOCK), ALU("cmp", 0x38, 0),
	{ "test Eb,Gb", 0, 0, 0x84, -1, 0, F_BYTE, AF },
	{ "test Ev,Gv", 0, 0, 0x85, -1, 0, 0, AF },
	{ "test Eb,Ib", 0, 0, 0xf6, 0, 1, F_BYTE, AF },
	{ "test Ev,Iz", 0, 0, 0xf7, 0, 0, F_IMM_Z, AF },
	{ "test (alias) Ev,Iz", 0, 0, 0xf7, 1, 0, F_IMM_Z, AF },
	{ "xchg Eb,Gb", 0, 0, 0x86, -1, 0, F_BYTE | F_LOCK },
	{ "xchg Ev,Gv", 0, 0, 0x87, -1, 0, F_LOCK },
	{ "mov Eb,Gb", 0, 0, 0x88, -1, 0, F_BYTE },
	{ "mov Ev,Gv", 0, 0, 0x89, -1, 0, 0 },
	{ "mov Gb,Eb", 0, 0, 0x8a, -1, 0, F_BYTE },
	{ "mov Gv,Ev", 0, 0, 0x8b, -1, 0, 0 },
	{ "mov Eb,Ib", 0, 0, 0xc6, 0, 1, F_BYTE },
	{ "mov Ev,Iz", 0, 0, 0xc7, 0, 0, F_IMM_Z },
	{ "mov AL,moffs", 0, 0, 0xa0, -1, 0, F_BYTE | F_MOFFS },
	{ "mov rAX,moffs", 0, 0, 0xa1, -1, 0, F_MOFFS },
	{ "mov moffs,AL", 0, 0, 0xa2, -1, 0, F_BYTE | F_MOFFS },
	{ "mov moffs,rAX", 0, 0, 0xa3, -1, 0, F_MOFFS },
	{ "movsxd", 0, 0, 0x63, -1, 0, F_ONLY64 },
	{ "movzx Gv,Eb", 0, 1, 0xb6, -1, 0, 0 },
	{ "movzx Gv,Ew", 0, 1, 0xb7, -1, 0, 0 },
	{ "movsx Gv,Eb", 0, 1, 0xbe, -1, 0, 0 },
	{ "movsx Gv,Ew", 0, 1, 0xbf, -1, 0, 0 },
	{ "movbe load", 0, 2, 0xf0, -1, 0, 0 },
	{ "movbe store", 0, 2, 0xf1, -1, 0, 0 },
	{ "movnti", 0, 1, 0xc3, -1, 0, F_NO16 },
	{ "inc Eb", 0, 0, 0xfe, 0, 0, F_BYTE | F_LOCK },
	{ "dec Eb", 0, 0, 0xfe, 1, 0, F_BYTE | F_LOCK },
	{ "inc Ev", 0, 0, 0xff, 0, 0, F_LOCK },
	{ "dec Ev", 0, 0, 0xff, 1, 0, F_LOCK },
	{ "not Eb", 0, 0, 0xf6, 2, 0, F_BYTE | F_LOCK },
	{ "not Ev", 0, 0, 0xf7, 2, 0, F_LOCK },
	{ "neg Eb", 0, 0, 0xf6, 3, 0, F_BYTE | F_LOCK },
	{ "neg Ev", 0, 0, 0xf7, 3, 0, F_LOCK },
	{ "mul Eb", 0, 0, 0xf6, 4, 0, F_BYTE, SF | ZF | AF | PF },
	{ "mul Ev", 0, 0, 0xf7, 4, 0, 0, SF | ZF | AF | PF },
	{ "imul Eb", 0, 0, 0xf6, 5, 0, F_BYTE, SF | ZF | AF | PF },
	{ "imul Ev", 0, 0, 0xf7, 5, 0, 0, SF | ZF | AF | PF },
	{ "div Eb", 0, 0, 0xf6, 6, 0, F_BYTE | F_DIV, ARITH },
	{ "div Ev", 0, 0, 0xf7, 6, 0, F_DIV, ARITH },
	{ "idiv Eb", 0, 0, 0xf6, 7, 0, F_BYTE | F_DIV, ARITH },
	{ "idiv Ev", 0, 0, 0xf7, 7, 0, F_DIV, ARITH },
	{ "imul Gv,Ev", 0, 1, 0xaf, -1, 0, 0, SF | ZF | AF | PF },
	{ "imul Gv,Ev,Iz", 0, 0, 0x69, -1, 0, F_IMM_Z, SF | ZF | AF | PF },
	{ "imul Gv,Ev,Ib", 0, 0, 0x6b, -1, 1, 0, SF | ZF | AF | PF },
	SHIFT("rol", 0, OF), SHIFT("ror", 1, OF), SHIFT("rcl", 2, OF), SHIFT("rcr", 3, OF),
	SHIFT("shl", 4, OF | AF), SHIFT("shr", 5, OF | AF), SHIFT("sal", 6, OF | AF),
	SHIFT("sar", 7, OF | AF),
	{ "shld Ib", 0, 1, 0xa4, -1, 1, F_SMALL_CL, OF | AF },
	{ "shld CL", 0, 1, 0xa5, -1, 0, F_SMALL_CL, OF | AF },
	{ "shrd Ib", 0, 1, 0xac, -1, 1, F_SMALL_CL, OF | AF },
	{ "shrd CL", 0, 1, 0xad, -1, 0, F_SMALL_CL, OF | AF },
	BIT("bt", 0xa3, 4, 0), BIT("bts", 0xab, 5, F_LOCK), BIT("btr", 0xb3, 6, F_LOCK),
	BIT("btc", 0xbb, 7, F_LOCK),
	{ "bsf", 0, 1, 0xbc, -1, 0, 0, ARITH & ~ZF },
	{ "bsr", 0, 1, 0xbd, -1, 0, 0, ARITH & ~ZF },
	{ "tzcnt", 0xf3, 1, 0xbc, -1, 0, 0, OF | SF | PF | AF },
	{ "lzcnt", 0xf3, 1, 0xbd, -1, 0, 0, OF | SF | PF | AF },
	{ "popcnt", 0xf3, 1, 0xb8, -1, 0, 0 },
	{ "xadd Eb,Gb", 0, 1, 0xc0, -1, 0, F_BYTE | F_LOCK },
	{ "xadd Ev,Gv", 0, 1, 0xc1, -1, 0, F_LOCK },
	{ "cmpxchg Eb,Gb", 0, 1, 0xb0, -1, 0, F_BYTE | F_LOCK | F_ACC },
	{ "cmpxchg Ev,Gv", 0, 1, 0xb1, -1, 0, F_LOCK | F_ACC },
	{ "cmpxchg8b", 0, 1, 0xc7, 1, 0, F_LOCK | F_ACC | F_NO_REXW },
	{ "cmpxchg16b", 0, 1, 0xc7, 1, 0, F_LOCK | F_ACC | F_REXW | F_NO16 },
	{ "push Ev", 0, 0, 0xff, 6, 0, F_STACK },
	{ "pop Ev", 0, 0, 0x8f, 0, 0, F_STACK },
	{ "push rAX", 0, 0, 0x50, -1, 0, F_STACK | F_NO_MODRM },
	{ "push rSP", 0, 0, 0x54, -1, 0, F_STACK | F_NO_MODRM },
	{ "push rDI", 0, 0, 0x57, -1, 0, F_STACK | F_NO_MODRM },
	{ "pop rAX", 0, 0, 0x58, -1, 0, F_STACK | F_NO_MODRM },
	{ "pop rSP", 0, 0, 0x5c, -1, 0, F_STACK | F_NO_MODRM },
	{ "pop rSI", 0, 0, 0x5e, -1, 0, F_STACK | F_NO_MODRM },
	{ "push Ib", 0, 0, 0x6a, -1, 1, F_STACK | F_NO_MODRM },
	{ "push Iz", 0, 0, 0x68, -1, 0, F_STACK | F_NO_MODRM | F_IMM_Z },
	{ "leave", 0, 0, 0xc9, -1, 0, F_STACK | F_NO_MODRM },
	{ "enter", 0, 0, 0xc8, -1, 3, F_STACK | F_NO_MODRM },
	{ "ret", 0, 0, 0xc3, -1, 0, F_STACK | F_NO_MODRM | F_TARGET | F_NO16 },
	{ "ret Iw", 0, 0, 0xc2, -1, 2, F_STACK | F_NO_MODRM | F_TARGET | F_NO16 },
	{ "call rel", 0, 0, 0xe8, -1, 4, F_STACK | F_NO_MODRM | F_TARGET | F_NO16 },
	{ "call Ev", 0, 0, 0xff, 2, 0, F_STACK | F_TARGET | F_NO16 },
	{ "jmp Ev", 0, 0, 0xff, 4, 0, F_STACK | F_TARGET | F_NO16 },
	{ "xlat", 0, 0, 0xd7, -1, 0, F_BYTE | F_XLAT },
	{ "clflush", 0, 1, 0xae, 7, 0, F_NO16 },
	CC(0), CC(1), CC(2), CC(3), CC(4), CC(5), CC(6), CC(7), CC(8), CC(9), CC(10), CC(11),
	CC(12), CC(13), CC(14), CC(15),
	STR("movs", 0xa4), STR("cmps", 0xa6), STR("stos", 0xaa), STR("lods", 0xac),
	STR("scas", 0xae),
	{ "movups load", 0, 1, 0x10, -1, 0, F_NO16 }, { "movups store", 0, 1, 0x11, -1, 0, F_NO16 },
	{ "movupd load", 0x66, 1, 0x10, -1 }, { "movupd store", 0x66, 1, 0x11, -1 },
	{ "movss load", 0xf3, 1, 0x10, -1 }, { "movss store", 0xf3, 1, 0x11, -1 },
	{ "movsd load", 0xf2, 1, 0x10, -1 }, { "movsd store", 0xf2, 1, 0x11, -1 },
	{ "movlps load", 0, 1, 0x12, -1, 0, F_NO16 }, { "movlps store", 0, 1, 0x13, -1, 0, F_NO16 },
	{ "movlpd load", 0x66, 1, 0x12, -1 }, { "movlpd store", 0x66, 1, 0x13, -1 },
	{ "movhps load", 0, 1, 0x16, -1, 0, F_NO16 }, { "movhps store", 0, 1, 0x17, -1, 0, F_NO16 },
	{ "movhpd load", 0x66, 1, 0x16, -1 }, { "movhpd store", 0x66, 1, 0x17, -1 },
	{ "movaps load", 0, 1, 0x28, -1, 0, F_NO16 }, { "movaps store", 0, 1, 0x29, -1, 0, F_NO16 },
	{ "movapd load", 0x66, 1, 0x28, -1 }, { "movapd store", 0x66, 1, 0x29, -1 },
	{ "movntps", 0, 1, 0x2b, -1, 0, F_NO16 }, { "movntpd", 0x66, 1, 0x2b, -1 },
	{ "movd/q load", 0x66, 1, 0x6e, -1 }, { "movd/q store", 0x66, 1, 0x7e, -1 },
	{ "movdqa load", 0x66, 1, 0x6f, -1 }, { "movdqa store", 0x66, 1, 0x7f, -1 },
	{ "movdqu load", 0xf3, 1, 0x6f, -1 }, { "movdqu store", 0xf3, 1, 0x7f, -1 },
	{ "movq load", 0xf3, 1, 0x7e, -1 }, { "movq store", 0x66, 1, 0xd6, -1 },
	{ "movntdq", 0x66, 1, 0xe7, -1 }, { "lddqu", 0xf2, 1, 0xf0, -1 },
	{ "movntdqa", 0x66, 2, 0x2a, -1 },
};

/* One case: the instruction, and the state before it. */
struct test_case {
	u8 bytes[16];
	unsigned int len, mode;
	struct native_state st;
	u8 data[NATIVE_DATA_SIZE];
	u8 stack[NATIVE_STACK_SIZE];
};

static u64 random_value(void)
{
	switch (rng_below(8)) {
	case 0:
		return rng_below(4);
	case 1:
		return ~rng_below(4);
	case 2:
		return 1ULL << rng_below(64);
	case 3:
		return (1ULL << rng_below(64)) - 1;
	default:
		return rng();
	}
}

static void put(struct test_case *c, u8 byte)
{
	c->bytes[c->len++] = byte;
}

static void put32(struct test_case *c, u32 val)
{
	memcpy(c->bytes + c->len, &val, 4);
	c->len += 4;
}

/* Somewhere in the data pages, now and then over their common boundary. */
static u64 random_target(const struct form *f)
{
	u64 t = NATIVE_DATA + 128 + rng_below(NATIVE_DATA_SIZE - 256);

	if (!rng_below(4))
		t = NATIVE_DATA + 4096 - 1 - rng_below(8);
	/* Bit offsets and aligned moves: mostly where they are at home. */
	if (rng_below(4))
		t &= ~15ull;
	return t;
}

static void set_mem(struct test_case *c, u64 addr, const void *val, unsigned int n)
{
	memcpy(c->data + (addr - NATIVE_DATA), val, n);
}

/*
 * ModRM, SIB and displacement for an access to @target, with @tail immediate
 * bytes to follow; sets the registers that the address uses. @fixed is a
 * bitmap of registers that must keep their values; @rex_at is where the REX
 * prefix is, -1 if there is none.
 */
static void put_modrm(struct test_case *c, unsigned int reg, u64 target, u32 fixed,
		      unsigned int tail, int rex_at, bool ad32)
{
	bool m64 = c->mode == 64;
	unsigned int nregs = rex_at >= 0 ? 16 : 8;
	unsigned int base, index, scale, mod;
	u64 *gpr = c->st.gpr, rest;
	s32 disp;

	if (reg & 8)
		c->bytes[rex_at] |= 4;
	reg = (reg & 7) << 3;
	switch (rng_below(6)) {
	case 0:
		/* disp32 alone: RIP-relative in 64-bit mode. */
		put(c, reg | 5);
		if (m64)
			put32(c, (u32)(target - (NATIVE_INSN + c->len + 4 + tail)));
		else
			put32(c, (u32)target);
		return;
	case 1:
		/* SIB without base and index; REX.B must not matter. */
		put(c, reg | 4);
		put(c, 0x25);
		put32(c, (u32)target);
		if (rex_at >= 0 && rng_below(2))
			c->bytes[rex_at] |= 1;
		return;
	}
	do {
		base = (unsigned int)rng_below(nregs);
	} while (fixed & 1u << base);
	mod = 1 + (unsigned int)rng_below(2);
	disp = mod == 1 ? (s8)rng() : (s32)(rng() >> 34) - (1 << 29);
	rest = target - (u64)(s64)disp;
	if ((base & 7) == 4 || rng_below(2)) {
		index = (unsigned int)rng_below(nregs);
		scale = (unsigned int)rng_below(4);
		if (index == base || fixed & 1u << index)
			index = 4;
		put(c, mod << 6 | reg | 4);
		put(c, scale << 6 | (index & 7) << 3 | (base & 7));
		if (index & 8)
			c->bytes[rex_at] |= 2;
		if (index != 4)
			rest -= gpr[index] << scale;
	} else {
		put(c, mod << 6 | reg | (base & 7));
	}
	if (base & 8)
		c->bytes[rex_at] |= 1;
	if (!m64)
		rest = (u32)rest;
	else if (ad32)
		rest = (u32)rest | rng() << 32;
	gpr[base] = rest;
	if (mod == 1)
		put(c, (u8)disp);
	else
		put32(c, (u32)disp);
}

static void random_state(struct test_case *c, const struct form *f)
{
	unsigned int i;

	memset(c, 0, sizeof(*c));
	c->mode = f->flags & (F_ONLY64 | F_REXW) || rng_below(4) ? 64 : 32;
	for (i = 0; i < 16; i++) {
		c->st.gpr[i] = random_value();
		if (c->mode == 32)
			c->st.gpr[i] = i < 8 ? (u32)c->st.gpr[i] : 0;
		c->st.xmm[i][0] = rng();
		c->st.xmm[i][1] = rng();
	}
	for (i = 0; i < NATIVE_DATA_SIZE; i += 8) {
		u64 v = random_value();

		memcpy(c->data + i, &v, 8);
	}
	for (i = 0; i < NATIVE_STACK_SIZE; i += 8)
		memcpy(c->stack + i, &(u64){ rng() }, 8);
	c->st.rflags = 0x202 | (rng() & ARITH);
}

static void string_state(struct test_case *c, const struct form *f, bool ad32)
{
	u64 *gpr = c->st.gpr;
	u64 count = rng_below(20);
	/* Vendors differ in what a count of 0 does to the upper halves. */
	u64 high = ad32 && c->mode == 64 && count ? rng() << 32 : 0;
	unsigned int i;

	gpr[HVMM_RSI] = (NATIVE_DATA + 300 + rng_below(3000)) | high;
	gpr[HVMM_RDI] = (NATIVE_DATA + 4096 - 300 + rng_below(3000)) | high;
	gpr[HVMM_RCX] = count | high;
	if (rng_below(2))
		c->st.rflags |= DF;
	/* Runs of equal data, so that comparisons go on for a while. */
	if (rng_below(2))
		for (i = 0; i < NATIVE_DATA_SIZE; i++)
			c->data[i] = rng_below(40) ? (u8)gpr[HVMM_RAX] : (u8)rng();
	if (rng_below(2))
		gpr[HVMM_RAX] = (gpr[HVMM_RAX] & 0xff) * 0x0101010101010101ULL;
	if (c->mode == 32)
		gpr[HVMM_RAX] = (u32)gpr[HVMM_RAX];
}

/* What remains of an instruction that pushes, pops or jumps. */
static void put_stack_insn(struct test_case *c, const struct form *f, unsigned int size)
{
	unsigned int imm = f->flags & F_IMM_Z ? (size == 2 ? 2 : 4) : f->imm;
	u64 *gpr = c->st.gpr, end = NATIVE_INSN + c->len + imm;
	unsigned int i, at = (unsigned int)(gpr[HVMM_RSP] - NATIVE_STACK);

	switch (f->op) {
	case 0xc8:
		/* Room for a frame of 255 bytes. */
		gpr[HVMM_RSP] = NATIVE_STACK + 512 + rng_below(NATIVE_STACK_SIZE - 1024);
		if (!rng_below(8))
			gpr[HVMM_RSP] = NATIVE_STACK + 64;
		break;
	case 0xc9:
		gpr[HVMM_RBP] = NATIVE_STACK + 64 + rng_below(NATIVE_STACK_SIZE - 128);
		break;
	case 0xc2: case 0xc3:
		memcpy(c->stack + at, &end, 8);
		break;
	}
	for (i = 0; i < imm; i++) {
		bool zero = f->op == 0xe8 || (f->op == 0xc8 && i);

		put(c, zero ? 0 : (u8)rng());
	}
}

static void make_case(struct test_case *c, const struct form *f)
{
	bool op16, rexw, ad32, rex;
	unsigned int size, imm, reg, i;
	int rex_at = -1;
	u64 *gpr = c->st.gpr;
	u32 fixed = 0;
	u64 target;

	random_state(c, f);
	op16 = !f->pfx && !(f->flags & (F_BYTE | F_NO16)) && !rng_below(3);
	if (f->flags & F_STR)
		op16 = !(f->flags & F_BYTE) && !rng_below(3);
	rexw = c->mode == 64 && !(f->flags & F_NO_REXW) &&
	       (f->flags & F_REXW || !rng_below(3));
	ad32 = c->mode == 64 && !rng_below(4);
	if (f->flags & F_STACK && op16)
		rexw = false;
	size = f->flags & F_BYTE ? 1 : rexw ? 8 : op16 ? 2 : 4;
	target = random_target(f);

	/* A redundant segment override, where the length limit leaves room. */
	if (!(f->flags & F_IMM_Z) && !rng_below(4))
		put(c, 0x3e);
	if (op16)
		put(c, 0x66);
	if (ad32)
		put(c, 0x67);
	if (f->pfx)
		put(c, f->pfx);
	if (f->flags & F_LOCK && rng_below(2))
		put(c, 0xf0);
	/* Byte forms without REX name AH..BH. */
	rex = c->mode == 64 && (!(f->flags & F_BYTE) || rng_below(2));
	if (rex) {
		rex_at = (int)c->len;
		put(c, 0x40 | rexw << 3);
	} else {
		rexw = false;
		if (c->mode == 64)
			size = f->flags & F_BYTE ? 1 : op16 ? 2 : 4;
	}
	if (f->map)
		put(c, 0x0f);
	if (f->map == 2)
		put(c, 0x38);
	put(c, f->op);

	if (f->flags & F_STR) {
		string_state(c, f, ad32);
		return;
	}
	if (f->flags & F_XLAT) {
		gpr[HVMM_RBX] = target - (u8)gpr[HVMM_RAX];
		return;
	}
	if (f->flags & F_MOFFS) {
		put32(c, (u32)target);
		if (c->mode == 64 && !ad32)
			put32(c, (u32)(target >> 32));
		return;
	}
	if (f->flags & F_STACK) {
		gpr[HVMM_RSP] = NATIVE_STACK + 64 + rng_below(NATIVE_STACK_SIZE - 128);
		fixed |= 1u << HVMM_RSP;
		if (f->flags & F_NO_MODRM) {
			put_stack_insn(c, f, size);
			return;
		}
	}
	if (f->flags & F_DIV) {
		fixed |= 1u << HVMM_RAX | 1u << HVMM_RDX;
		if (rng_below(2))
			gpr[HVMM_RDX] = rng_below(2) ? rng_below(100) :
					c->mode == 32 ? 0xffffffff : ~0ull;
		if (rng_below(2))
			gpr[HVMM_RAX] &= rng_below(2) ? 0x3ff : ~0ull;
		if (c->mode == 32)
			gpr[HVMM_RAX] = (u32)gpr[HVMM_RAX];
		set_mem(c, target, &(u64){ random_value() }, 8);
	}
	if (f->flags & F_ACC) {
		fixed |= 1u << HVMM_RAX | 1u << HVMM_RDX;
		if (rng_below(2)) {
			unsigned int half = rexw ? 8 : 4;

			set_mem(c, target, &gpr[HVMM_RAX], f->ext == 1 ? half : 8);
			if (f->ext == 1)
				set_mem(c, target + half, &gpr[HVMM_RDX], half);
		}
	}
	if (f->flags & F_SMALL_CL) {
		fixed |= 1u << HVMM_RCX;
		gpr[HVMM_RCX] = rng_below(16) | (rng() & 0xffffff00);
	}
	reg = f->ext >= 0 ? (unsigned int)f->ext : (unsigned int)rng_below(rex ? 16 : 8);
	if (f->flags & F_BITOFF) {
		gpr[reg] = (u64)((s64)rng_below(512) - 256);
		if (size == 2)
			gpr[reg] = (gpr[reg] & 0xffff) | (rng() & 0xffffffffffff0000ull);
		else if (size == 4)
			gpr[reg] = (u32)gpr[reg] | rng() << 32;
		if (c->mode == 32)
			gpr[reg] = (u32)gpr[reg];
		fixed |= 1u << reg;
	}
	if (f->flags & F_STACK && !rng_below(3)) {
		/* An address based on the stack pointer that changes. */
		put(c, 0x84 | reg << 3);
		put(c, 0x24);
		put32(c, (u32)(target - gpr[HVMM_RSP]));
		goto set_target;
	}
	imm = f->flags & F_IMM_Z ? (size == 2 ? 2 : 4) : f->imm;
	put_modrm(c, reg, target, fixed, imm, rex_at, ad32);
	for (i = 0; i < imm; i++)
		put(c, (u8)(f->flags & F_SMALL_CL ? rng_below(16) : rng()));
set_target:
	if (f->flags & F_TARGET)
		set_mem(c, target, &(u64){ NATIVE_INSN + c->len }, 8);
}

static void load_fake(struct fake *k, const struct test_case *c)
{
	fake_init(k, c->mode == 64 ? HVMM_CPU_MODE_64 : HVMM_CPU_MODE_32);
	memcpy(k->regs.gpr, c->st.gpr, sizeof(k->regs.gpr));
	k->regs.rflags = c->st.rflags;
	k->regs.rip = NATIVE_INSN;
	memcpy(k->xmm, c->st.xmm, sizeof(k->xmm));
	memcpy(k->data, c->data, sizeof(k->data));
	memcpy(k->stack, c->stack, sizeof(k->stack));
}

static void report(const struct form *f, const struct test_case *c, const char *what)
{
	char hex[64] = "";
	unsigned int i;

	for (i = 0; i < c->len; i++)
		sprintf(hex + 3 * i, "%02x ", c->bytes[i]);
	tap_diag("%s, mode %u: %s: %s", f->name, c->mode, hex, what);
}

static const char *differs(const struct form *f, const struct test_case *c,
			   const struct native_state *nat, int sig, const struct fake *k,
			   enum hvmm_emul_status st)
{
	static char text[120];
	u64 mask = c->mode == 64 ? ~0ull : 0xffffffff;
	u64 fl = (ARITH | DF) & ~(u64)f->undef;
	unsigned int i;

	/* ENTER alone is let go beyond the stack's end. */
	if ((k->stray && !(f->op == 0xc8 && sig == SIGSEGV)) || k->diverged || k->split_wrong)
		return "stray or wrongly split access";
	if (sig) {
		u8 vector = sig == SIGFPE ? 0 : k->stray ? 14 : 13;

		if (st != HVMM_EMUL_FAULT || k->e.fault.vector != vector) {
			snprintf(text, sizeof(text), "CPU: signal %d; emulator: status %d", sig,
				 st);
			return text;
		}
	} else if (st != HVMM_EMUL_DONE) {
		snprintf(text, sizeof(text), "CPU: done; emulator: status %d vector %u", st,
			 k->e.fault.vector);
		return text;
	} else if (k->regs.rip != NATIVE_INSN + c->len) {
		return "wrong RIP";
	}
	for (i = 0; i < (c->mode == 64 ? 16 : 8); i++)
		if ((nat->gpr[i] ^ k->regs.gpr[i]) & mask) {
			snprintf(text, sizeof(text), "register %u: CPU %llx, emulator %llx", i,
				 nat->gpr[i], k->regs.gpr[i]);
			return text;
		}
	if (!sig && (nat->rflags ^ k->regs.rflags) & fl) {
		snprintf(text, sizeof(text), "flags: CPU %llx, emulator %llx", nat->rflags & ARITH,
			 k->regs.rflags & ARITH);
		return text;
	}
	if (memcmp(nat->xmm, k->xmm, sizeof(k->xmm)))
		return "XMM registers";
	if (memcmp((void *)NATIVE_DATA, k->data, sizeof(k->data)))
		return "data";
	/* The CPU stores rBP before it finds that ENTER's frame is out of bounds. */
	if (!(sig && f->op == 0xc8) && memcmp((void *)NATIVE_STACK, k->stack, sizeof(k->stack)))
		return "stack";
	return NULL;
}

static struct fake ref, again;

/*
 * Interrupt the emulation at each of its calls in turn: no register may have
 * changed, and a second run must end as the uninterrupted one did.
 */
static const char *interrupted(const struct test_case *c, enum hvmm_emul_status ref_st)
{
	unsigned int n = ref.calls, i;

	for (i = 0; i < n; i++) {
		enum hvmm_emul_status want = rng_below(2) ? HVMM_EMUL_RETRY : HVMM_EMUL_PENDING;
		enum hvmm_emul_status st;

		load_fake(&again, c);
		again.e.insn = ref.e.insn;
		again.stop_at = i;
		again.stop_with = want;
		st = fake_run(&again);
		if (st != HVMM_EMUL_RETRY && st != HVMM_EMUL_PENDING)
			return "interruption not passed on";
		if (memcmp(&again.before, &again.regs, sizeof(again.regs)))
			return "registers changed although not complete";
		again.stop_at = FAKE_NO_STOP;
		st = fake_run(&again);
		if (st != ref_st || again.diverged || again.stray != ref.stray)
			return "re-run went another way";
		if (memcmp(&again.regs, &ref.regs, sizeof(ref.regs)) ||
		    memcmp(again.xmm, ref.xmm, sizeof(ref.xmm)) ||
		    memcmp(again.data, ref.data, sizeof(ref.data)) ||
		    memcmp(again.stack, ref.stack, sizeof(ref.stack)))
			return "re-run with another result";
	}
	return NULL;
}

/* Returns the number of cases that the CPU could run. */
static unsigned int test_form(const struct form *f, unsigned int *native_bad,
			      unsigned int *rerun_bad)
{
	static struct test_case c;
	struct native_state nat;
	enum hvmm_emul_status st;
	unsigned int n, known = 0;
	const char *why;
	int sig;

	for (n = 0; n < CASES; n++) {
		make_case(&c, f);
		load_fake(&ref, &c);
		if (hvmm_decode(&ref.e.insn, c.bytes, c.len, ref.e.mode) ||
		    ref.e.insn.len != c.len) {
			if ((*native_bad)++ < MAX_REPORTS)
				report(f, &c, "not decoded");
			continue;
		}
		st = fake_run(&ref);

		memcpy((void *)NATIVE_DATA, c.data, sizeof(c.data));
		memcpy((void *)NATIVE_STACK, c.stack, sizeof(c.stack));
		nat = c.st;
		sig = native_run(&nat, c.bytes, c.len, c.mode);
		/* This CPU does not know the instruction. */
		if (sig == SIGILL)
			continue;
		known++;
		why = differs(f, &c, &nat, sig, &ref, st);
		if (why && (*native_bad)++ < MAX_REPORTS)
			report(f, &c, why);

		/* All of them for a while, then a sample. */
		if (why || (n > 200 && rng_below(8)))
			continue;
		why = interrupted(&c, st);
		if (why && (*rerun_bad)++ < MAX_REPORTS)
			report(f, &c, why);
	}
	return known;
}

int main(int argc, char **argv)
{
	u64 seed = rng_seed();
	unsigned long total = 0;
	unsigned int i, rerun_bad = 0;

	tap_plan(ARRAY_SIZE(forms) + 1);
	tap_diag("seed %llu", seed);
	if (native_init()) {
		perror("Bail out! cannot run instructions natively");
		return EXIT_FAILURE;
	}
	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		unsigned int bad = 0, known = test_form(&forms[i], &bad, &rerun_bad);

		total += known;
		tap_ok(!bad, "%s as on this CPU%s", forms[i].name,
		       known || bad ? "" : " # SKIP it has none");
	}
	tap_ok(!rerun_bad, "interrupted at any access: nothing changed, same end");
	tap_diag("%lu cases", total);
	return tap_done();
}
