// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <linux/kernel.h>

#include "native.h"

/* Prologue and epilogue in one page, the instruction alone at NATIVE_INSN. */
#define CODE		0x20000000ul
#define CODE_SIZE	0x5000ul
#define STATE		0x20010000ul

#define USER_CS64	0x33
#define USER_CS32	0x23

struct native_page {
	struct native_state st;
	u64 host_rsp;
	u8 enter32[6];		/* far pointer: offset, then selector */
};

static struct native_page *const page = (struct native_page *)STATE;
static u8 *emit_at;
static u64 entry64, entry32, leave;
static _Atomic int native_signal, running;
static bool no_mode32;
static u64 signal_rsp;

static void emit(const char *bytes, unsigned int n)
{
	memcpy(emit_at, bytes, n);
	emit_at += n;
}

static void emit32(u32 val)
{
	memcpy(emit_at, &val, 4);
	emit_at += 4;
}

#define EMIT(bytes)	emit(bytes, sizeof(bytes) - 1)
/* Absolute 32-bit address of a member of the state page: SIB without base. */
#define ABS(member)	((u32)(STATE + offsetof(struct native_page, member)))

static void emit_gpr(u8 opcode, unsigned int reg)
{
	u8 b[4] = { 0x48 | (reg >> 3) << 2, opcode, 0x04 | (reg & 7) << 3, 0x25 };

	emit((char *)b, 4);
	emit32(ABS(st.gpr) + 8 * reg);
}

static void emit_xmm(u8 opcode, unsigned int reg)
{
	u8 b[5] = { 0x40 | (reg >> 3) << 2, 0x0f, opcode, 0x04 | (reg & 7) << 3, 0x25 };

	emit((char *)b, 5);
	emit32(ABS(st.xmm) + 16 * reg);
}

static u64 emit_entry(bool compat)
{
	u64 at = (u64)emit_at;
	unsigned int i;

	EMIT("\x53\x55\x41\x54\x41\x55\x41\x56\x41\x57");	/* push callee-saved */
	EMIT("\x48\x89\x24\x25");				/* mov %rsp, host_rsp */
	emit32(ABS(host_rsp));
	if (compat)
		EMIT("\x66\xb8\x2b\x00\x8e\xd8\x8e\xc0");	/* ds = es = 0x2b */
	for (i = 0; i < 16; i++)
		emit_xmm(0x10, i);
	EMIT("\xff\x34\x25");					/* push rflags; popf */
	emit32(ABS(st.rflags));
	EMIT("\x9d");
	for (i = 0; i < 16; i++)
		emit_gpr(0x8b, i);
	if (compat) {
		EMIT("\xff\x2c\x25");				/* ljmp *enter32 */
		emit32(ABS(enter32));
	} else {
		EMIT("\xe9");					/* jmp NATIVE_INSN */
		emit32((u32)(NATIVE_INSN - ((u64)emit_at + 4)));
	}
	return at;
}

static u64 emit_leave(void)
{
	u64 at = (u64)emit_at;
	unsigned int i;

	for (i = 0; i < 16; i++)
		emit_gpr(0x89, i);
	EMIT("\x48\x8b\x24\x25");				/* mov host_rsp, %rsp */
	emit32(ABS(host_rsp));
	EMIT("\x9c\x8f\x04\x25");				/* pushf; pop rflags */
	emit32(ABS(st.rflags));
	EMIT("\xfc");						/* cld */
	for (i = 0; i < 16; i++)
		emit_xmm(0x11, i);
	EMIT("\x31\xc0\x8e\xd8\x8e\xc0");			/* ds = es = 0 */
	EMIT("\x41\x5f\x41\x5e\x41\x5d\x41\x5c\x5d\x5b\xc3");
	return at;
}

static void on_signal(int sig, siginfo_t *info, void *ctx)
{
	ucontext_t *uc = ctx;

	if (!running)
		abort();
	native_signal = sig;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)leave;
	/* Some hypervisors cannot return to what is not an address. */
	signal_rsp = uc->uc_mcontext.gregs[REG_RSP];
	uc->uc_mcontext.gregs[REG_RSP] = (greg_t)page->host_rsp;
	uc->uc_mcontext.gregs[REG_CSGSFS] &= ~0xffffll;
	uc->uc_mcontext.gregs[REG_CSGSFS] |= USER_CS64;
}

static bool map_at(u64 addr, u64 size, int prot)
{
	return mmap((void *)addr, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		    -1, 0) == (void *)addr;
}

int native_init(void)
{
	static const int sigs[] = { SIGFPE, SIGSEGV, SIGILL, SIGBUS };
	static u8 sigstack[65536];
	stack_t ss = { .ss_sp = sigstack, .ss_size = sizeof(sigstack) };
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	const u32 insn = NATIVE_INSN;
	const u16 cs32 = USER_CS32;
	struct native_state st = {};
	const u8 nop = 0x90;
	unsigned int i;

	if (!map_at(CODE, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    !map_at(STATE, 4096, PROT_READ | PROT_WRITE) ||
	    !map_at(NATIVE_DATA, NATIVE_DATA_SIZE, PROT_READ | PROT_WRITE) ||
	    !map_at(NATIVE_STACK, NATIVE_STACK_SIZE, PROT_READ | PROT_WRITE))
		return -1;
	emit_at = (u8 *)CODE;
	entry64 = emit_entry(false);
	entry32 = emit_entry(true);
	leave = emit_leave();
	memcpy(page->enter32, &insn, 4);
	memcpy(page->enter32 + 4, &cs32, 2);

	if (sigaltstack(&ss, NULL))
		return -1;
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		if (sigaction(sigs[i], &sa, NULL))
			return -1;
	no_mode32 = native_run(&st, &nop, 1, 32);
	return 0;
}

int native_run(struct native_state *st, const u8 *insn, unsigned int len, unsigned int mode)
{
	u8 *at = (u8 *)NATIVE_INSN;

	/* Kernels need not have it, and some hypervisors let none have it. */
	if (mode == 32 && no_mode32)
		return SIGILL;
	memcpy(at, insn, len);
	at += len;
	if (mode == 64) {
		u32 rel = (u32)(leave - ((u64)at + 5));

		*at = 0xe9;
		memcpy(at + 1, &rel, 4);
	} else {
		u32 off = (u32)leave;
		u16 sel = USER_CS64;

		*at = 0xea;
		memcpy(at + 1, &off, 4);
		memcpy(at + 5, &sel, 2);
	}
	page->st = *st;
	native_signal = 0;
	running = 1;
	((void (*)(void))(mode == 64 ? entry64 : entry32))();
	running = 0;
	*st = page->st;
	if (native_signal)
		st->gpr[4] = signal_rsp;
	return native_signal;
}
