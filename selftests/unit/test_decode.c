// SPDX-License-Identifier: GPL-2.0
/*
 * The instruction decoder against Zydis, an independent implementation, over
 * instructions made systematically (every opcode, prefix and ModRM byte) and
 * at random; and on its own at the end of readable memory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <Zydis/Zydis.h>

#include <linux/kernel.h>

#include "x86/insn.h"
#include "rng.h"
#include "tap.h"

#define MAX_REPORTS	40	/* at most one a mode, opcode and complaint */

static ZydisDecoder decoders[3];
static const enum hvmm_cpu_mode modes[3] = {
	HVMM_CPU_MODE_16, HVMM_CPU_MODE_32, HVMM_CPU_MODE_64,
};

static unsigned long compared, both_invalid, lenient, failures;

static void init_zydis(void)
{
	static const struct {
		ZydisMachineMode mode;
		ZydisStackWidth width;
	} z[3] = {
		{ ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16 },
		{ ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32 },
		{ ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64 },
	};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		ZydisDecoderInit(&decoders[i], z[i].mode, z[i].width);
		ZydisDecoderEnableMode(&decoders[i], ZYDIS_DECODER_MODE_AMD_BRANCHES, ZYAN_TRUE);
		/* Without these extensions their opcodes are plain multi-byte NOPs. */
		ZydisDecoderEnableMode(&decoders[i], ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
		ZydisDecoderEnableMode(&decoders[i], ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
		ZydisDecoderEnableMode(&decoders[i], ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
	}
}

static void report(const u8 *b, enum hvmm_cpu_mode mode, const char *what, long ours, long theirs)
{
	static struct { u8 mode, map, opcode; const char *what; } seen[MAX_REPORTS];
	static unsigned int nr_seen;
	char hex[64] = "";
	struct hvmm_insn in;
	unsigned int i;

	failures++;
	hvmm_decode(&in, b, 15, mode);
	for (i = 0; i < nr_seen; i++)
		if (seen[i].mode == mode && seen[i].map == in.map &&
		    seen[i].opcode == in.opcode && seen[i].what == what)
			return;
	if (nr_seen == MAX_REPORTS)
		return;
	seen[nr_seen].mode = (u8)mode;
	seen[nr_seen].map = in.map;
	seen[nr_seen].opcode = in.opcode;
	seen[nr_seen++].what = what;
	for (i = 0; i < 15; i++)
		sprintf(hex + 3 * i, "%02x ", b[i]);
	tap_diag("mode %d: %s: %s: ours %ld (0x%lx), Zydis %ld (0x%lx)",
		 mode, hex, what, ours, ours, theirs, theirs);
}

static int gpr_number(ZydisRegister reg)
{
	if (reg == ZYDIS_REGISTER_NONE)
		return HVMM_GPR_NONE;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return HVMM_GPR_RIP;
	return ZydisRegisterGetId(reg);
}

static const ZydisDecodedOperand *find_mem(const ZydisDecodedInstruction *zi,
					   const ZydisDecodedOperand *ops)
{
	unsigned int i;

	for (i = 0; i < zi->operand_count; i++)
		if (ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    ops[i].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
		    (ops[i].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM ||
		     ops[i].encoding == ZYDIS_OPERAND_ENCODING_DISP16_32_64))
			return &ops[i];
	return NULL;
}

static void same(const u8 *bytes, enum hvmm_cpu_mode mode, const char *what, long ours, long theirs)
{
	if (ours != theirs)
		report(bytes, mode, what, ours, theirs);
}

/* Does the operand size mean the same to both for this instruction? */
static bool opsize_comparable(const struct hvmm_insn *in, const ZydisDecodedInstruction *zi)
{
	if (in->enc != HVMM_ENC_LEGACY)
		return false;
	switch (zi->meta.category) {
	case ZYDIS_CATEGORY_BINARY:
	case ZYDIS_CATEGORY_LOGICAL:
	case ZYDIS_CATEGORY_DATAXFER:
	case ZYDIS_CATEGORY_BITBYTE:
	case ZYDIS_CATEGORY_CMOV:
	case ZYDIS_CATEGORY_ROTATE:
	case ZYDIS_CATEGORY_SHIFT:
	case ZYDIS_CATEGORY_SETCC:
	case ZYDIS_CATEGORY_PUSH:
	case ZYDIS_CATEGORY_POP:
	case ZYDIS_CATEGORY_STRINGOP:
	case ZYDIS_CATEGORY_IO:
	case ZYDIS_CATEGORY_IOSTRINGOP:
		break;
	default:
		return false;
	}
	if (in->map == HVMM_MAP_1BYTE) {
		/* Moves of segment registers have a size for each form. */
		return in->opcode != 0x8c && in->opcode != 0x8e && in->opcode != 0x63 &&
		       /* Segment pushes, and I/O, whose size stops at 32 bits. */
		       (in->opcode & 0xe6) != 0x06 && zi->meta.category != ZYDIS_CATEGORY_IO &&
		       zi->meta.category != ZYDIS_CATEGORY_IOSTRINGOP;
	}
	return in->map == HVMM_MAP_0F &&
	       ((in->opcode >= 0x40 && in->opcode <= 0x4f) ||
		(in->opcode >= 0x90 && in->opcode <= 0x9f) ||
		(in->opcode >= 0xa3 && in->opcode <= 0xb1 && in->opcode != 0xae &&
		 (in->opcode & 0xfe) != 0xa8 && in->opcode != 0xaa && in->opcode != 0xa6) ||
		(in->opcode >= 0xb6 && in->opcode <= 0xc1));
}

/* System instructions that 0F 01 encodes in the whole ModRM byte. */
static bool is_group7_reg(const struct hvmm_insn *in)
{
	return in->enc == HVMM_ENC_LEGACY && in->map == HVMM_MAP_0F && in->opcode == 0x01 &&
	       in->mod == 3;
}

static void compare(const u8 *bytes, enum hvmm_cpu_mode mode, const struct hvmm_insn *in,
		    const ZydisDecodedInstruction *zi, const ZydisDecodedOperand *ops)
{
	static const u8 seg_of[] = {
		[ZYDIS_REGISTER_ES - ZYDIS_REGISTER_ES] = HVMM_SEG_ES,
		[ZYDIS_REGISTER_CS - ZYDIS_REGISTER_ES] = HVMM_SEG_CS,
		[ZYDIS_REGISTER_SS - ZYDIS_REGISTER_ES] = HVMM_SEG_SS,
		[ZYDIS_REGISTER_DS - ZYDIS_REGISTER_ES] = HVMM_SEG_DS,
		[ZYDIS_REGISTER_FS - ZYDIS_REGISTER_ES] = HVMM_SEG_FS,
		[ZYDIS_REGISTER_GS - ZYDIS_REGISTER_ES] = HVMM_SEG_GS,
	};
	const ZydisDecodedOperand *mem;
	bool crdr = in->enc == HVMM_ENC_LEGACY && in->map == HVMM_MAP_0F &&
		    in->opcode >= 0x20 && in->opcode <= 0x23;

	compared++;
	same(bytes, mode, "length", in->len, zi->length);
	if (!is_group7_reg(in))
		same(bytes, mode, "address size", in->adsize * 8, zi->address_width);
	same(bytes, mode, "has ModRM", !!(in->flags & HVMM_INSN_MODRM),
	     !!(zi->attributes & ZYDIS_ATTRIB_HAS_MODRM));
	same(bytes, mode, "has SIB", !!(in->flags & HVMM_INSN_SIB),
	     !!(zi->attributes & ZYDIS_ATTRIB_HAS_SIB));
	same(bytes, mode, "lock", !!(in->prefixes & HVMM_PFX_LOCK),
	     !!(zi->attributes & ZYDIS_ATTRIB_HAS_LOCK));
	same(bytes, mode, "disp length", in->disp_len * 8, zi->raw.disp.size);
	if (in->map != HVMM_MAP_3DNOW) {
		same(bytes, mode, "imm length", in->imm_len * 8, zi->raw.imm[0].size);
		if (in->imm_len) {
			unsigned int sh = 64 - 8 * in->imm_len;

			same(bytes, mode, "imm", (u64)in->imm << sh, zi->raw.imm[0].value.u << sh);
			if (zi->raw.imm[1].size)
				same(bytes, mode, "imm2", in->imm2, zi->raw.imm[1].value.u);
		}
		same(bytes, mode, "opcode", in->opcode, zi->opcode);
	}
	if (in->flags & HVMM_INSN_MODRM) {
		same(bytes, mode, "modrm", in->modrm >> 6, zi->raw.modrm.mod);
		if (!crdr)
			same(bytes, mode, "mod", in->mod, zi->raw.modrm.mod);
	}
	if (in->enc == HVMM_ENC_LEGACY)
		same(bytes, mode, "rex", in->rex, zi->attributes & ZYDIS_ATTRIB_HAS_REX ?
		      0x40 | zi->raw.rex.W << 3 | zi->raw.rex.R << 2 |
		      zi->raw.rex.X << 1 | zi->raw.rex.B : 0);
	if (opsize_comparable(in, zi))
		same(bytes, mode, "operand size", in->opsize * 8, zi->operand_width);

	mem = find_mem(zi, ops);
	if (!mem)
		return;
	same(bytes, mode, "has memory operand", !!(in->flags & HVMM_INSN_MEM), 1);
	if (in->flags & HVMM_INSN_VSIB)
		return;
	/*
	 * With mod 0 a SIB base of 5 means none, whatever REX.B is (APM vol. 3,
	 * table A-35). Zydis 4.0 forgets that where the address size is 32 bits;
	 * test_emulate asks the CPU.
	 */
	if (in->flags & HVMM_INSN_SIB && !in->mod && (in->sib & 7) == 5)
		same(bytes, mode, "base", in->mem_base, HVMM_GPR_NONE);
	else
		same(bytes, mode, "base", in->mem_base, gpr_number(mem->mem.base));
	same(bytes, mode, "index", in->mem_index, gpr_number(mem->mem.index));
	if (in->mem_index != HVMM_GPR_NONE)
		same(bytes, mode, "scale", in->mem_scale, mem->mem.scale);
	same(bytes, mode, "rip-relative", !!(in->flags & HVMM_INSN_RIPREL),
	     mem->mem.base == ZYDIS_REGISTER_RIP || mem->mem.base == ZYDIS_REGISTER_EIP);
	if (mem->mem.disp.has_displacement && in->enc != HVMM_ENC_EVEX) {
		/* Zydis does not sign-extend an absolute address. */
		u64 mask = in->adsize == 8 ? ~0ULL : (1ULL << (8 * in->adsize)) - 1;

		same(bytes, mode, "disp", (u64)in->mem_disp & mask,
		     (u64)mem->mem.disp.value & mask);
	}
	/* LEA, and the NOP group, have no segment. */
	if (mem->mem.type == ZYDIS_MEMOP_TYPE_MEM && mem->mem.segment != ZYDIS_REGISTER_NONE)
		same(bytes, mode, "segment", in->mem_seg,
		     seg_of[mem->mem.segment - ZYDIS_REGISTER_ES]);
}

/*
 * What hvmm_decode() takes and Zydis may not: opcodes for which it promises a
 * length only; system instructions with a prefix that may give them another
 * meaning; MOV CR8 by LOCK MOV CR0, which is AMD's; SENDUIPI outside 64-bit mode.
 */
static bool is_lenient(const struct hvmm_insn *in)
{
	if (is_group7_reg(in))
		return true;
	if (in->map == HVMM_MAP_0F && (in->opcode == 0x20 || in->opcode == 0x22) &&
	    in->prefixes & HVMM_PFX_LOCK)
		return in->reg == 0;
	if (in->map == HVMM_MAP_0F && in->opcode == 0xc7 && in->mod == 3 &&
	    in->prefixes & HVMM_PFX_REP)
		return true;
	if (in->enc != HVMM_ENC_LEGACY || in->map == HVMM_MAP_3DNOW)
		return true;
	if (in->map == HVMM_MAP_1BYTE)
		return in->opcode >= 0xd8 && in->opcode <= 0xdf;
	return false;
}

/* Extensions that no CPU with SVM has. */
static bool is_foreign(const ZydisDecodedInstruction *zi)
{
	return zi->meta.isa_ext == ZYDIS_ISA_EXT_KNC ||
	       zi->meta.isa_ext == ZYDIS_ISA_EXT_KNCE ||
	       zi->meta.isa_ext == ZYDIS_ISA_EXT_KNCV ||
	       zi->meta.isa_ext == ZYDIS_ISA_EXT_KEYLOCKER ||
	       zi->meta.isa_ext == ZYDIS_ISA_EXT_KEYLOCKER_WIDE ||
	       zi->meta.isa_ext == ZYDIS_ISA_EXT_HRESET ||
	       zi->meta.isa_ext == ZYDIS_ISA_EXT_PADLOCK;
}

static void one(const u8 *bytes, unsigned int m)
{
	ZydisDecodedInstruction zi;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	struct hvmm_insn in;
	enum hvmm_cpu_mode mode = modes[m];
	bool zok = ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoders[m], bytes, 15, &zi,
						       ops));
	int err = hvmm_decode(&in, bytes, 15, mode);

	if (err && !zok)
		both_invalid++;
	else if ((zok && is_foreign(&zi)) || (!zok && is_lenient(&in)))
		lenient++;
	else if (!err && zok)
		compare(bytes, mode, &in, &zi, ops);
	else
		report(bytes, mode, "validity (0 is valid)", err, zok ? 0 : -1);
}

static const u8 tail_sib[] = { 0x24, 0x25, 0x65, 0x04, 0xe5, 0x00 };

static void random_tail(u8 *b, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		b[i] = (u8)rng();
	if (n && !rng_below(4))
		b[0] = tail_sib[rng_below(sizeof(tail_sib))];
}

static void every_modrm(unsigned int m, const u8 *prefix, unsigned int map, u8 op)
{
	unsigned int modrm, pos;
	u8 b[32];

	for (modrm = 0; modrm < 256; modrm++) {
		pos = prefix[0];
		memcpy(b, prefix + 1, pos);
		if (map)
			b[pos++] = 0x0f;
		if (map >= 2)
			b[pos++] = map == 2 ? 0x38 : 0x3a;
		b[pos++] = op;
		b[pos++] = (u8)modrm;
		random_tail(b + pos, 16);
		one(b, m);
	}
}

static void structured(void)
{
	static const u8 prefixes[][3] = {
		{ 0 }, { 1, 0x66 }, { 1, 0xf3 }, { 1, 0xf2 }, { 1, 0xf0 }, { 1, 0x67 },
		{ 2, 0x66, 0xf2 }, { 1, 0x48 }, { 1, 0x45 }, { 2, 0x66, 0x48 }, { 1, 0x2e },
	};
	unsigned int m, map, op, p;

	for (m = 0; m < 3; m++)
		for (map = 0; map < 4; map++)
			for (op = 0; op < 256; op++)
				for (p = 0; p < ARRAY_SIZE(prefixes); p++)
					every_modrm(m, prefixes[p], map, (u8)op);
}

static void randomized(unsigned long n)
{
	static const u8 pool[] = {
		0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
		0x40, 0x41, 0x42, 0x44, 0x48, 0x4f,
	};
	unsigned int i, pos, k;
	u8 b[32];

	while (n--) {
		pos = 0;
		k = rng_below(8) ? (unsigned int)rng_below(4) : (unsigned int)rng_below(14);
		for (i = 0; i < k; i++)
			b[pos++] = pool[rng_below(sizeof(pool))];
		switch (rng_below(4)) {
		case 0:
			b[pos++] = 0x0f;
			if (!rng_below(4))
				b[pos++] = rng_below(2) ? 0x38 : 0x3a;
			break;
		case 1:
			if (!rng_below(4))
				b[pos++] = (u8)(rng_below(2) ? 0xc4 + rng_below(2) : 0x62);
			break;
		}
		b[pos++] = (u8)rng();
		b[pos++] = (u8)rng();
		random_tail(b + pos, sizeof(b) - pos);
		one(b, (unsigned int)rng_below(3));
	}
}

/* Short buffers: the answer is -ENODATA until the last byte, then no change. */
static bool truncation(unsigned long n)
{
	long page = sysconf(_SC_PAGESIZE);
	u8 *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool ok = map != MAP_FAILED && !mprotect(map + page, page, PROT_NONE);

	while (ok && n--) {
		enum hvmm_cpu_mode mode = modes[rng_below(3)];
		struct hvmm_insn full, cut;
		u8 b[15];
		unsigned int i, len;
		int err, e;

		for (i = 0; i < sizeof(b); i++)
			b[i] = (u8)rng();
		if (rng_below(2))
			b[0] = 0x0f;
		err = hvmm_decode(&full, b, sizeof(b), mode);
		for (len = 0; len < sizeof(b); len++) {
			u8 *at = map + page - len;

			memcpy(at, b, len);
			e = hvmm_decode(&cut, at, len, mode);
			if (e == -ENODATA && !err && len < full.len)
				continue;
			if (e == -ENODATA && err)
				continue;
			ok = e == err && (err || !memcmp(&cut, &full, sizeof(cut)));
			if (!ok) {
				report(b, mode, "truncated", e, err);
				break;
			}
			if (!e && len < full.len) {
				report(b, mode, "read past the end", len, full.len);
				ok = false;
			}
			break;
		}
	}
	if (map != MAP_FAILED)
		munmap(map, 2 * page);
	return ok;
}

static bool known_kinds(void)
{
	static const struct {
		u8 mode, len;
		u8 bytes[11];
		u8 kind;
	} t[] = {
		{ 64, 2, { 0x0f, 0xa2 }, HVMM_KIND_CPUID },
		{ 16, 4, { 0x66, 0x67, 0x0f, 0xa2 }, HVMM_KIND_CPUID },
		{ 64, 3, { 0x48, 0x0f, 0x32 }, HVMM_KIND_RDMSR },
		{ 64, 2, { 0x0f, 0x30 }, HVMM_KIND_WRMSR },
		{ 64, 3, { 0x0f, 0x01, 0xd9 }, HVMM_KIND_VMMCALL },
		{ 32, 3, { 0x0f, 0x01, 0xd8 }, HVMM_KIND_VMRUN },
		{ 64, 3, { 0x0f, 0x01, 0xdf }, HVMM_KIND_INVLPGA },
		{ 64, 3, { 0x0f, 0x01, 0xd1 }, HVMM_KIND_XSETBV },
		{ 64, 3, { 0x0f, 0x01, 0xc8 }, HVMM_KIND_MONITOR },
		{ 64, 1, { 0xf4 }, HVMM_KIND_HLT },
		{ 64, 2, { 0xf3, 0x90 }, HVMM_KIND_PAUSE },
		{ 64, 1, { 0x90 }, HVMM_KIND_OTHER },
		{ 16, 2, { 0xe4, 0x60 }, HVMM_KIND_IN },
		{ 64, 1, { 0xef }, HVMM_KIND_OUT },
		{ 64, 2, { 0xf3, 0x6c }, HVMM_KIND_INS },
		{ 16, 3, { 0xf3, 0x66, 0x6f }, HVMM_KIND_OUTS },
		{ 64, 3, { 0x0f, 0x20, 0x00 }, HVMM_KIND_MOV_FROM_CR },
		{ 64, 4, { 0x44, 0x0f, 0x22, 0xc0 }, HVMM_KIND_MOV_TO_CR },
		{ 32, 4, { 0xf0, 0x0f, 0x22, 0xc0 }, HVMM_KIND_MOV_TO_CR },
		{ 64, 3, { 0x0f, 0x23, 0xf8 }, HVMM_KIND_MOV_TO_DR },
		{ 16, 3, { 0x0f, 0x01, 0xf0 }, HVMM_KIND_LMSW },
		{ 16, 5, { 0x0f, 0x01, 0x36, 0x34, 0x12 }, HVMM_KIND_LMSW },
		{ 64, 7, { 0x0f, 0x01, 0x1d, 1, 2, 3, 4 }, HVMM_KIND_LIDT },
		{ 64, 3, { 0x0f, 0x01, 0x38 }, HVMM_KIND_INVLPG },
		{ 64, 2, { 0x0f, 0x06 }, HVMM_KIND_CLTS },
		{ 64, 3, { 0xf3, 0x0f, 0x09 }, HVMM_KIND_WBINVD },
		{ 64, 2, { 0x0f, 0xaa }, HVMM_KIND_RSM },
		{ 64, 1, { 0xcc }, HVMM_KIND_INT3 },
		{ 32, 1, { 0xce }, HVMM_KIND_INTO },
		{ 64, 2, { 0xcd, 0x80 }, HVMM_KIND_INT },
		{ 64, 1, { 0xf1 }, HVMM_KIND_ICEBP },
		{ 64, 2, { 0x48, 0xcf }, HVMM_KIND_IRET },
	};
	struct hvmm_insn in;
	unsigned int i;
	bool ok = true;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		if (hvmm_decode(&in, t[i].bytes, t[i].len, t[i].mode) || in.len != t[i].len ||
		    hvmm_insn_kind(&in) != t[i].kind) {
			tap_diag("case %u: length %u, kind %u", i, in.len, hvmm_insn_kind(&in));
			ok = false;
		}
	hvmm_decode(&in, t[18].bytes, t[18].len, t[18].mode);
	return ok && hvmm_insn_cr(&in) == 8;
}

int main(void)
{
	u64 seed = rng_seed();
	unsigned long before;

	tap_plan(5);
	tap_diag("seed %llu", (unsigned long long)seed);
	init_zydis();

	structured();
	tap_ok(!failures, "every opcode, prefix and ModRM byte as Zydis says");
	before = failures;
	randomized(1500000);
	tap_ok(failures == before, "random instructions as Zydis says");
	tap_diag("%lu compared, %lu refused by both, %lu length-only", compared, both_invalid,
		 lenient);
	tap_ok(compared >= 1000000, "at least a million instructions compared");
	tap_ok(truncation(300000), "truncated instructions ask for more and never over-read");
	tap_ok(known_kinds(), "interceptable instructions: length and kind");
	return tap_done();
}
