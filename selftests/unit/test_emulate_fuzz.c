// SPDX-License-Identifier: GPL-2.0
/*
 * Random bytes in random states, with memory that answers at random: whatever
 * the guest does, the emulator keeps to its contract.
 */
#include <stdio.h>
#include <string.h>

#include <linux/kernel.h>

#include "rng.h"
#include "tap.h"
#include "x86/emulate.h"

#define ROUNDS	4000000ul

static struct hvmm_emul e;
static struct hvmm_regs regs;
static struct hvmm_seg seg[HVMM_SEG_NR];
static u64 xmm[16][2];
static unsigned long broken, done, unhandled, faulted;
static bool refused;

static void complain(const char *what)
{
	if (broken++ < 10)
		tap_diag("opcode %u:%02x, mode %u: %s", e.insn.map, e.insn.opcode, e.insn.mode,
			 what);
}

/* What the surroundings answer; a fault or a delay must end the emulation. */
static enum hvmm_emul_status answer(u64 linear, unsigned int len)
{
	if (!len || len > 16)
		complain("length");
	if (linear / 4096 != (linear + len - 1) / 4096)
		complain("over a page boundary");
	if (e.mode != HVMM_CPU_MODE_64 && linear > 0xffffffff)
		complain("beyond 4 GiB");
	if (e.mode == HVMM_CPU_MODE_64 && (s64)(linear << 7) >> 7 != (s64)linear)
		complain("not canonical");
	if (refused)
		complain("goes on after a refusal");
	if (rng_below(8))
		return HVMM_EMUL_DONE;
	refused = true;
	e.fault.vector = 14;
	return HVMM_EMUL_RETRY + rng_below(3);
}

static enum hvmm_emul_status fuzz_read(struct hvmm_emul *em, u64 linear, void *val,
				       unsigned int len)
{
	enum hvmm_emul_status st = answer(linear, len);
	u64 v[2] = { rng_below(3) ? rng() : rng_below(4), rng() };

	/* Left as it was unless it succeeds, as in the kernel. */
	if (st == HVMM_EMUL_DONE)
		memcpy(val, v, len);
	return st;
}

static enum hvmm_emul_status fuzz_write(struct hvmm_emul *em, u64 linear, const void *val,
					unsigned int len)
{
	u8 copy[16];

	if (len <= 16)
		memcpy(copy, val, len);
	return answer(linear, len);
}

static enum hvmm_emul_status fuzz_probe(struct hvmm_emul *em, u64 linear, unsigned int len)
{
	return answer(linear, len);
}

static enum hvmm_emul_status fuzz_cmpxchg(struct hvmm_emul *em, u64 linear, const void *old,
					  const void *val, unsigned int len)
{
	return fuzz_write(em, linear, val, len);
}

static enum hvmm_emul_status fuzz_in(struct hvmm_emul *em, u16 port, unsigned int size, void *val)
{
	if (size != 1 && size != 2 && size != 4)
		complain("port access size");
	return fuzz_read(em, 0, val, size);
}

static enum hvmm_emul_status fuzz_out(struct hvmm_emul *em, u16 port, unsigned int size,
				      const void *val)
{
	if (size != 1 && size != 2 && size != 4)
		complain("port access size");
	return fuzz_write(em, 0, val, size);
}

static void fuzz_read_xmm(struct hvmm_emul *em, unsigned int reg, void *val)
{
	memcpy(val, xmm[reg], 16);
}

static void fuzz_write_xmm(struct hvmm_emul *em, unsigned int reg, const void *val)
{
	memcpy(xmm[reg], val, 16);
}

static const struct hvmm_seg *fuzz_seg(struct hvmm_emul *e, enum hvmm_seg_reg nr)
{
	return &seg[nr];
}

static const struct hvmm_emul_ops ops = {
	.seg = fuzz_seg,
	.read = fuzz_read,
	.write = fuzz_write,
	.cmpxchg = fuzz_cmpxchg,
	.probe_write = fuzz_probe,
	.pio_in = fuzz_in,
	.pio_out = fuzz_out,
	.read_xmm = fuzz_read_xmm,
	.write_xmm = fuzz_write_xmm,
};

static void random_bytes(u8 *b, unsigned int n)
{
	static const u8 prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x36, 0x64, 0x48, 0x4f };
	unsigned int i, pos = 0;

	for (i = 0; i < n; i++)
		b[i] = (u8)rng();
	while (pos < 4 && rng_below(2))
		b[pos++] = prefixes[rng_below(ARRAY_SIZE(prefixes))];
	if (rng_below(2))
		b[pos++] = 0x0f;
	if (b[pos] > 0x3f && rng_below(2))
		b[pos + 1] &= 0x3f;
}

static void random_state(void)
{
	static const enum hvmm_cpu_mode modes[] = {
		HVMM_CPU_MODE_16, HVMM_CPU_MODE_32, HVMM_CPU_MODE_64,
	};
	unsigned int i;

	memset(&e, 0, sizeof(e));
	e.ops = &ops;
	e.regs = &regs;
	e.mode = modes[rng_below(3)];
	e.cpl = rng_below(2) ? 3 : 0;
	e.real = e.mode == HVMM_CPU_MODE_16 && rng_below(2);
	e.la57 = rng_below(2);
	e.align_check = rng_below(2);
	for (i = 0; i < HVMM_GPR_NR; i++)
		regs.gpr[i] = rng_below(2) ? rng() >> rng_below(64) : rng();
	regs.rip = rng();
	regs.rflags = rng() & 0x257fd7;
	for (i = 0; i < HVMM_SEG_NR; i++) {
		seg[i].sel = (u16)rng();
		seg[i].attrib = rng_below(2) ? 0xcf3 : rng() & 0xfff;
		seg[i].limit = rng_below(2) ? 0xffffffff : (u32)(rng() >> (32 + rng_below(32)));
		seg[i].base = rng_below(2) ? 0 : rng();
	}
}

static bool is_rep_string(void)
{
	return e.insn.flags & HVMM_INSN_STRING &&
	       e.insn.prefixes & (HVMM_PFX_REP | HVMM_PFX_REPNE);
}

static bool is_branch(void)
{
	if (e.insn.map != HVMM_MAP_1BYTE)
		return false;
	switch (e.insn.opcode) {
	case 0xc2: case 0xc3: case 0xe8:
		return true;
	case 0xff:
		return (e.insn.reg & 7) == 2 || (e.insn.reg & 7) == 4;
	}
	return false;
}

static bool bad_target(void)
{
	if (e.mode == HVMM_CPU_MODE_64)
		return (s64)(regs.rip << 7) >> 7 != (s64)regs.rip;
	return regs.rip > seg[HVMM_SEG_CS].limit;
}

static void one(void)
{
	struct hvmm_regs before;
	enum hvmm_emul_status st;
	u64 xmm_before[16][2], mask;
	u8 b[15];

	random_bytes(b, sizeof(b));
	random_state();
	if (hvmm_decode(&e.insn, b, sizeof(b), e.mode))
		return;
	before = regs;
	memcpy(xmm_before, xmm, sizeof(xmm));
	refused = false;
	st = hvmm_emulate(&e);

	mask = e.mode == HVMM_CPU_MODE_64 ? ~0ull : 0xffffffff;
	switch (st) {
	case HVMM_EMUL_DONE:
		done++;
		if (is_branch() ? bad_target() :
				  regs.rip != ((before.rip + e.insn.len) & mask))
			complain("RIP after completion");
		if (refused)
			complain("done in spite of a refusal");
		break;
	case HVMM_EMUL_AGAIN:
		if (!is_rep_string() || regs.rip != before.rip || refused)
			complain("again");
		break;
	case HVMM_EMUL_UNHANDLED:
		unhandled++;
		break;
	case HVMM_EMUL_FAULT:
		faulted++;
		break;
	default:
		if (!refused)
			complain("delayed for no reason");
		break;
	}
	if (st != HVMM_EMUL_DONE && st != HVMM_EMUL_AGAIN)
		if (memcmp(&before, &regs, sizeof(regs)) ||
		    memcmp(xmm_before, xmm, sizeof(xmm)))
			complain("registers changed although not complete");
	/* No instruction writes other flags than these. */
	if ((before.rflags ^ regs.rflags) & ~0x108d5ull)
		complain("flags");
}

int main(void)
{
	unsigned long i;
	u64 seed = rng_seed();

	tap_plan(2);
	tap_diag("seed %llu", seed);
	for (i = 0; i < ROUNDS; i++)
		one();
	tap_ok(!broken, "random instructions keep to the contract");
	tap_diag("%lu done, %lu faulted, %lu unsupported", done, faulted, unhandled);
	tap_ok(done > ROUNDS / 100 && faulted > ROUNDS / 100, "they do get somewhere");
	return tap_done();
}
