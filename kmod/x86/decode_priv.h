/* SPDX-License-Identifier: GPL-2.0 */
/* Shared by decode*.c only. */
#ifndef HVMM_X86_DECODE_PRIV_H
#define HVMM_X86_DECODE_PRIV_H

#include <linux/errno.h>
#include <linux/types.h>

#include "x86/decode_tables.h"
#include "x86/insn.h"

/* Mandatory-prefix selector, also the encoding of VEX.pp. */
enum { PP_NP, PP_66, PP_F3, PP_F2 };

/**
 * struct cursor - how far an instruction has been read
 * @bytes: the instruction
 * @len: bytes that are there
 * @pos: the next one
 */
struct cursor {
	const u8 *bytes;
	unsigned int len;
	unsigned int pos;
};

static inline int next_byte(struct cursor *c, u8 *val)
{
	if (c->pos >= HVMM_INSN_MAX_LEN)
		return -E2BIG;
	if (c->pos >= c->len)
		return -ENODATA;
	*val = c->bytes[c->pos++];
	return 0;
}

/* decode.c */
int decode_num(struct cursor *c, unsigned int n, s64 *val);
void decode_sizes(struct hvmm_insn *insn, u32 attr);
int decode_modrm(struct hvmm_insn *insn, struct cursor *c, bool no_mem);

/* decode_forms.c: which combinations of prefixes, opcode and ModRM exist. */
int decode_adjust(const struct hvmm_insn *insn, u32 *attr, unsigned int pp);
int decode_check(const struct hvmm_insn *insn, u32 attr, unsigned int pp);

/* decode_vex.c */
int decode_is_vex(const struct hvmm_insn *insn, const struct cursor *c, u8 op);
int decode_vex(struct hvmm_insn *insn, struct cursor *c, u8 esc);

#endif
