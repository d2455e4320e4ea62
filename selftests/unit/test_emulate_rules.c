// SPDX-License-Identifier: GPL-2.0
/*
 * Rules that a user process cannot show on its own CPU: segments, real mode,
 * canonical addresses, alignment checks, port strings, wrap-around.
 */
#include <string.h>

#include <linux/kernel.h>

#include "emul_fake.h"
#include "tap.h"

#define GP	13
#define SS	12
#define AC	17
#define PF	14
#define OK	0xff
#define RF	0x10000u

static struct fake f;

static void start(enum hvmm_cpu_mode mode)
{
	unsigned int i;

	fake_init(&f, mode);
	for (i = 0; i < sizeof(f.data); i++)
		f.data[i] = (u8)(i ^ i >> 8);
}

/* A segment whose offset 0 is the start of the data pages. */
static void segment(unsigned int seg, u16 attrib, u32 limit)
{
	f.seg[seg].attrib = attrib;
	f.seg[seg].limit = limit;
	f.seg[seg].base = NATIVE_DATA;
}

/* Decode and run to the end; OK when done, the vector when faulted, else -1. */
static int run(const char *bytes, unsigned int len)
{
	struct hvmm_regs before = f.regs;
	enum hvmm_emul_status st;

	if (hvmm_decode(&f.e.insn, (const u8 *)bytes, len, f.e.mode) || f.e.insn.len != len)
		return -2;
	st = fake_run(&f);
	if (st == HVMM_EMUL_DONE)
		return OK;
	if (memcmp(&before, &f.regs, sizeof(before)))
		return -3;
	return st == HVMM_EMUL_FAULT ? f.e.fault.vector : -1;
}

#define RUN(bytes)	run(bytes, sizeof(bytes) - 1)

static u32 data32(unsigned int at)
{
	u32 v;

	memcpy(&v, f.data + at, 4);
	return v;
}

static bool limits(void)
{
	bool ok = true;

	start(HVMM_CPU_MODE_32);
	segment(HVMM_SEG_DS, 0xcf3, 0xfff);
	ok &= RUN("\x8b\x05\xfc\x0f\x00\x00") == OK;		/* mov 0xffc, %eax */
	ok &= f.regs.gpr[HVMM_RAX] == data32(0xffc);
	ok &= RUN("\x8b\x05\xfd\x0f\x00\x00") == GP && f.e.fault.has_error && !f.e.fault.error;
	segment(HVMM_SEG_SS, 0xcf3, 0xfff);
	f.regs.gpr[HVMM_RBP] = 0xffd;
	ok &= RUN("\x8b\x45\x00") == SS;			/* mov 0(%ebp), %eax */
	ok &= RUN("\x8a\x45\x02") == OK;			/* mov 2(%ebp), %al */
	ok &= RUN("\x3e\x8b\x45\x00") == GP;			/* the same by DS */
	return ok;
}

static bool expand_down(void)
{
	bool ok = true;

	start(HVMM_CPU_MODE_32);
	segment(HVMM_SEG_DS, 0xcf7, 0xfff);
	ok &= RUN("\x8b\x05\xff\x0f\x00\x00") == GP;
	ok &= RUN("\x8b\x05\x00\x10\x00\x00") == OK;
	segment(HVMM_SEG_DS, 0x0f7, 0xfff);			/* B = 0: up to 64 KiB */
	ok &= RUN("\x8b\x05\xfd\xff\x00\x00") == GP;
	return ok;
}

static bool types(void)
{
	bool ok = true;
	u8 was;

	start(HVMM_CPU_MODE_32);
	segment(HVMM_SEG_DS, 0xc73, 0xffff);			/* not present: null selector */
	ok &= RUN("\x8b\x05\x00\x00\x00\x00") == GP;
	segment(HVMM_SEG_DS, 0xcf1, 0xffff);			/* read only */
	was = f.data[0];
	ok &= RUN("\x8b\x05\x00\x00\x00\x00") == OK;
	ok &= RUN("\x89\x05\x00\x00\x00\x00") == GP;
	f.calls = 0;
	ok &= RUN("\xfe\x05\x00\x00\x00\x00") == GP && !f.calls && f.data[0] == was;
	segment(HVMM_SEG_CS, 0xcfb, 0xffff);			/* readable code */
	ok &= RUN("\x2e\x8b\x05\x00\x00\x00\x00") == OK;
	ok &= RUN("\x2e\x89\x05\x00\x00\x00\x00") == GP;
	segment(HVMM_SEG_CS, 0xcf9, 0xffff);			/* execute only */
	ok &= RUN("\x2e\x8b\x05\x00\x00\x00\x00") == GP;
	return ok;
}

static bool real_mode(void)
{
	bool ok = true;

	start(HVMM_CPU_MODE_16);
	f.e.real = true;
	segment(HVMM_SEG_DS, 0x093, 0xffff);
	segment(HVMM_SEG_CS, 0x09b, 0xffff);
	f.regs.gpr[HVMM_RBX] = 0xffff;
	f.regs.gpr[HVMM_RSI] = 0x11;
	ok &= RUN("\x8b\x00") == OK;				/* mov (%bx,%si), %ax */
	ok &= (u16)f.regs.gpr[HVMM_RAX] == (u16)data32(0x10);
	ok &= RUN("\x8b\x07") == GP;				/* mov (%bx), %ax: two bytes */
	f.regs.gpr[HVMM_RAX] = 0x5a;
	ok &= RUN("\x2e\x88\x04") == OK && f.data[0x11] == 0x5a;	/* to CS:SI */
	/* Bit 256 from 0xfff0 is at 0x10. */
	f.regs.gpr[HVMM_RBX] = 0xfff0;
	f.regs.gpr[HVMM_RCX] = 256;
	f.data[0x10] = 1;
	ok &= RUN("\x0f\xa3\x0f") == OK && f.regs.rflags & 1;
	f.regs.rip = 0xfffe;
	ok &= RUN("\x0f\xa3\x0f") == OK && f.regs.rip == 0x10001;
	f.regs.rip = 0xfffffffe;
	ok &= RUN("\x0f\xa3\x0f") == OK && f.regs.rip == 1;
	return ok;
}

static bool long_mode(void)
{
	bool ok = true;

	start(HVMM_CPU_MODE_64);
	f.regs.gpr[HVMM_RAX] = 0x800000000000;
	f.regs.gpr[HVMM_RBP] = 0x800000000000;
	ok &= RUN("\x8b\x18") == GP;				/* mov (%rax), %ebx */
	ok &= RUN("\x8b\x5d\x00") == SS;			/* mov 0(%rbp), %ebx */
	ok &= RUN("\x64\x8b\x5d\x00") == GP;
	f.regs.gpr[HVMM_RAX] = 0x7ffffffffffe;
	ok &= RUN("\x8b\x18") == GP;				/* its last byte */
	f.e.la57 = true;
	f.regs.gpr[HVMM_RAX] = 0x800000000000;
	ok &= RUN("\x8b\x18") == PF && f.e.fault.cr2 == 0x800000000000;

	/* FS and GS have a base, the others have not, nor limits or types. */
	segment(HVMM_SEG_GS, 0, 0);
	segment(HVMM_SEG_DS, 0, 0);
	f.regs.gpr[HVMM_RAX] = 8;
	ok &= RUN("\x65\x8b\x18") == OK && f.regs.gpr[HVMM_RBX] == data32(8);
	f.regs.gpr[HVMM_RAX] = NATIVE_DATA + 16;
	ok &= RUN("\x3e\x8b\x18") == OK && f.regs.gpr[HVMM_RBX] == data32(16);
	f.regs.gpr[HVMM_RAX] = 8;
	hvmm_decode(&f.e.insn, (const u8 *)"\x65\x0f\x01\x38", 4, f.e.mode);	/* invlpg */
	ok &= hvmm_emul_operand_addr(&f.e) == NATIVE_DATA + 8;
	return ok;
}

static bool alignment(void)
{
	bool ok = true;

	start(HVMM_CPU_MODE_64);
	f.e.align_check = true;
	f.regs.gpr[HVMM_RAX] = NATIVE_DATA + 2;
	ok &= RUN("\x8b\x18") == OK;				/* RFLAGS.AC is 0 */
	f.regs.rflags |= 0x40000;
	ok &= RUN("\x8b\x18") == AC && f.e.fault.has_error;
	ok &= RUN("\x66\x8b\x18") == OK;
	f.e.cpl = 0;
	ok &= RUN("\x8b\x18") == OK;
	return ok;
}

static bool port_strings(void)
{
	bool ok = true;
	u32 first = 0x12345678;

	start(HVMM_CPU_MODE_32);
	segment(HVMM_SEG_ES, 0xcf3, 0xffff);
	f.regs.gpr[HVMM_RDX] = 0x1f0;
	f.regs.gpr[HVMM_RDI] = 0x20;
	f.regs.gpr[HVMM_RCX] = 3;
	f.port_value = first;
	ok &= RUN("\x26\xf3\x6d") == OK;			/* rep insl; ES for sure */
	ok &= data32(0x20) == first && data32(0x28) != first;
	ok &= f.regs.gpr[HVMM_RDI] == 0x2c && !f.regs.gpr[HVMM_RCX];

	f.seg[HVMM_SEG_ES].attrib = 0xcf1;			/* not writable: port untouched */
	f.port_value = first;
	f.regs.gpr[HVMM_RCX] = 1;
	ok &= RUN("\xf3\x6d") == GP && f.port_value == first;

	start(HVMM_CPU_MODE_64);
	f.regs.gpr[HVMM_RDX] = 0x1f0;
	f.regs.gpr[HVMM_RDI] = NATIVE_DATA;
	f.port_value = first;
	ok &= RUN("\x48\x6d") == OK && f.regs.gpr[HVMM_RDI] == NATIVE_DATA + 4;

	segment(HVMM_SEG_FS, 0, 0);
	f.regs.gpr[HVMM_RSI] = 0x40;
	ok &= RUN("\x64\x66\x6f") == OK && f.port_last == (u16)data32(0x40);
	f.regs.rflags |= 0x400;
	ok &= RUN("\x64\x6e") == OK && f.port_last == f.data[0x42] &&
	      f.regs.gpr[HVMM_RSI] == 0x41;

	/* A count of 0 touches nothing. */
	f.regs.gpr[HVMM_RCX] = 0;
	f.regs.gpr[HVMM_RSI] = 0x8000000000000000;
	ok &= RUN("\xf3\x6f") == OK && f.calls == 0;
	return ok;
}

static bool resume_flag(void)
{
	bool ok;

	start(HVMM_CPU_MODE_64);
	f.regs.gpr[HVMM_RDI] = NATIVE_DATA;
	f.regs.gpr[HVMM_RCX] = 2;
	hvmm_decode(&f.e.insn, (const u8 *)"\xf3\xaa", 2, f.e.mode);
	ok = hvmm_emulate(&f.e) == HVMM_EMUL_AGAIN && f.regs.rflags & RF && f.regs.rip == 0 &&
	     f.regs.gpr[HVMM_RCX] == 1;
	f.pos = 0;
	f.logged = 0;
	return ok && hvmm_emulate(&f.e) == HVMM_EMUL_DONE && !(f.regs.rflags & RF) &&
	       f.regs.rip == 2;
}

static bool sixteen_bit_strings(void)
{
	bool ok;

	start(HVMM_CPU_MODE_16);
	segment(HVMM_SEG_DS, 0x0f3, 0xffff);
	segment(HVMM_SEG_ES, 0x0f3, 0xffff);
	f.regs.gpr[HVMM_RSI] = 0xabcd0000;
	f.regs.gpr[HVMM_RDI] = 0x12340102;
	f.regs.rflags |= 0x400;
	ok = RUN("\xa4") == OK && f.data[0x102] == f.data[0] &&
	     f.regs.gpr[HVMM_RSI] == 0xabcdffff && f.regs.gpr[HVMM_RDI] == 0x12340101;
	return ok;
}

static bool small_stack(void)
{
	start(HVMM_CPU_MODE_32);
	segment(HVMM_SEG_SS, 0x0f3, 0xffff);			/* SS.B = 0: SP */
	f.regs.gpr[HVMM_RSP] = 0x77770100;
	f.regs.gpr[HVMM_RAX] = NATIVE_DATA + 8;
	return RUN("\xff\x30") == OK && data32(0xfc) == data32(8) &&
	       f.regs.gpr[HVMM_RSP] == 0x777700fc;
}

static bool half_of_a_write(void)
{
	u8 was[2];

	start(HVMM_CPU_MODE_64);
	memcpy(was, f.data + NATIVE_DATA_SIZE - 2, 2);
	f.regs.gpr[HVMM_RAX] = NATIVE_DATA + NATIVE_DATA_SIZE - 2;
	f.regs.gpr[HVMM_RBX] = 0x0badf00d;
	if (RUN("\x89\x18") != PF || f.e.fault.cr2 != NATIVE_DATA + NATIVE_DATA_SIZE)
		return false;
	return !memcmp(was, f.data + NATIVE_DATA_SIZE - 2, 2);
}

static bool locked(void)
{
	start(HVMM_CPU_MODE_64);
	f.regs.gpr[HVMM_RAX] = NATIVE_DATA;
	if (RUN("\xf0\x01\x18") != OK || f.locked != 1)		/* lock add */
		return false;
	if (RUN("\x01\x18") != OK || f.locked != 1)		/* add */
		return false;
	return RUN("\x87\x18") == OK && f.locked == 2;		/* xchg */
}

static bool operand_helpers(void)
{
	u8 gdt[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	u16 msw = 0;
	bool ok;

	start(HVMM_CPU_MODE_64);
	f.regs.gpr[HVMM_RAX] = NATIVE_DATA + 4095;
	ok = !hvmm_decode(&f.e.insn, (const u8 *)"\x0f\x01\x30", 3, f.e.mode);	/* lmsw */
	ok &= hvmm_emul_read_operand(&f.e, &msw, 2) == HVMM_EMUL_DONE;
	ok &= msw == (u16)data32(4095);
	f.logged = 0;
	f.pos = 0;
	ok &= hvmm_emul_write_operand(&f.e, gdt, 10) == HVMM_EMUL_DONE;
	ok &= !memcmp(f.data + 4095, gdt, 10) && !f.split_wrong;
	hvmm_emul_skip(&f.e);
	return ok && f.regs.rip == 3;
}

static bool selector_store(void)
{
	start(HVMM_CPU_MODE_64);
	f.seg[HVMM_SEG_GS].sel = 0x1234;
	f.regs.gpr[HVMM_RAX] = NATIVE_DATA;
	memset(f.data, 0xff, 8);
	return RUN("\x48\x8c\x28") == OK && data32(0) == 0xffff1234;
}

static bool unsupported(void)
{
	static const char *const insns[] = {
		"\xff\x28", "\xff\x18", "\x0f\x01\x20",		/* ljmp, lcall, smsw */
		"\xdf\x28", "\xd9\x00", "\x0f\x6f\x00",		/* fild, fld, movq to MMX */
		"\xc5\xf8\x10\x00", "\x0f\x58\x00",			/* vmovups, addps */
		"\x8e\x00", "\x0f\x01\x10", "\x0f\xae\x00",	/* mov to ES, lgdt, fxsave */
		"\xf2\x0f\x38\xf0\x00",				/* crc32 */
	};
	unsigned int i;
	bool ok = true;

	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		start(HVMM_CPU_MODE_64);
		f.regs.gpr[HVMM_RAX] = NATIVE_DATA;
		if (hvmm_decode(&f.e.insn, (const u8 *)insns[i], 5, f.e.mode) ||
		    hvmm_emulate(&f.e) != HVMM_EMUL_UNHANDLED || f.regs.rip || f.calls) {
			tap_diag("instruction %u", i);
			ok = false;
		}
	}
	return ok;
}

int main(void)
{
	tap_plan(15);
	tap_ok(limits(), "segment limits: #GP, #SS");
	tap_ok(expand_down(), "expand-down segments");
	tap_ok(types(), "segment types: null, read-only, code");
	tap_ok(real_mode(), "real mode: limits without types, 16-bit wrap");
	tap_ok(long_mode(), "64-bit mode: canonical addresses, FS and GS base");
	tap_ok(alignment(), "#AC");
	tap_ok(port_strings(), "INS and OUTS");
	tap_ok(resume_flag(), "RF between iterations");
	tap_ok(sixteen_bit_strings(), "string instructions with 16-bit addresses");
	tap_ok(small_stack(), "16-bit stack pointer");
	tap_ok(half_of_a_write(), "fault in the second page leaves the first alone");
	tap_ok(locked(), "locked accesses are atomic, others plain");
	tap_ok(operand_helpers(), "operands of intercepted instructions");
	tap_ok(selector_store(), "MOV from a segment register");
	tap_ok(unsupported(), "unsupported forms are refused without an access");
	return tap_done();
}
