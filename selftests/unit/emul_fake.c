// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "emul_fake.h"

static u8 *fake_mem(struct fake *f, u64 addr, unsigned int len)
{
	if (addr / 4096 != (addr + len - 1) / 4096)
		f->split_wrong = true;
	if (addr >= NATIVE_DATA && addr + len <= NATIVE_DATA + NATIVE_DATA_SIZE)
		return f->data + (addr - NATIVE_DATA);
	if (addr >= NATIVE_STACK && addr + len <= NATIVE_STACK + NATIVE_STACK_SIZE)
		return f->stack + (addr - NATIVE_STACK);
	f->stray = true;
	return NULL;
}

static enum hvmm_emul_status stray_fault(struct hvmm_emul *e, u64 addr)
{
	e->fault.vector = 14;
	e->fault.has_error = true;
	e->fault.cr2 = addr;
	return HVMM_EMUL_FAULT;
}

/* True when the call is to end here, with @st. */
static bool stopped(struct fake *f, enum hvmm_emul_status *st)
{
	*st = f->stop_with;
	return f->calls++ == f->stop_at;
}

/* A completed access of an earlier run of this instruction, or NULL. */
static struct fake_access *replay(struct fake *f, char kind, u64 addr, unsigned int len)
{
	struct fake_access *a;

	if (f->pos >= f->logged)
		return NULL;
	a = &f->log[f->pos++];
	if (a->kind != kind || a->addr != addr || a->len != len)
		f->diverged = true;
	return a;
}

static void record(struct fake *f, char kind, u64 addr, unsigned int len, const void *data)
{
	struct fake_access *a = &f->log[f->logged];

	if (f->logged == FAKE_LOG) {
		f->diverged = true;
		return;
	}
	a->kind = kind;
	a->addr = addr;
	a->len = len;
	memcpy(a->data, data, len);
	f->pos = ++f->logged;
}

static const struct hvmm_seg *fake_seg(struct hvmm_emul *e, enum hvmm_seg_reg nr)
{
	return &((struct fake *)e)->seg[nr];
}

static enum hvmm_emul_status fake_read(struct hvmm_emul *e, u64 addr, void *val, unsigned int len)
{
	struct fake *f = (struct fake *)e;
	struct fake_access *a = replay(f, 'r', addr, len);
	enum hvmm_emul_status st;
	u8 *mem;

	if (a) {
		memcpy(val, a->data, a->len < len ? a->len : len);
		return HVMM_EMUL_DONE;
	}
	if (stopped(f, &st))
		return st;
	mem = fake_mem(f, addr, len);
	if (!mem)
		return stray_fault(e, addr);
	memcpy(val, mem, len);
	record(f, 'r', addr, len, val);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status put(struct hvmm_emul *e, char kind, u64 addr, const void *old,
				 const void *val, unsigned int len)
{
	struct fake *f = (struct fake *)e;
	struct fake_access *a = replay(f, kind, addr, len);
	enum hvmm_emul_status st;
	u8 *mem;

	if (a) {
		if (memcmp(a->data, val, len))
			f->diverged = true;
		return HVMM_EMUL_DONE;
	}
	if (stopped(f, &st))
		return st;
	mem = fake_mem(f, addr, len);
	if (!mem)
		return stray_fault(e, addr);
	if (old && memcmp(mem, old, len))
		f->diverged = true;
	memcpy(mem, val, len);
	record(f, kind, addr, len, val);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status fake_write(struct hvmm_emul *e, u64 addr, const void *val,
					unsigned int len)
{
	return put(e, 'w', addr, NULL, val, len);
}

static enum hvmm_emul_status fake_cmpxchg(struct hvmm_emul *e, u64 addr, const void *old,
					  const void *val, unsigned int len)
{
	((struct fake *)e)->locked++;
	return put(e, 'c', addr, old, val, len);
}

static enum hvmm_emul_status fake_probe(struct hvmm_emul *e, u64 addr, unsigned int len)
{
	struct fake *f = (struct fake *)e;
	enum hvmm_emul_status st;

	if (stopped(f, &st))
		return st == HVMM_EMUL_PENDING ? HVMM_EMUL_RETRY : st;
	return fake_mem(f, addr, len) ? HVMM_EMUL_DONE : stray_fault(e, addr);
}

static enum hvmm_emul_status fake_in(struct hvmm_emul *e, u16 port, unsigned int size, void *val)
{
	struct fake *f = (struct fake *)e;
	struct fake_access *a = replay(f, 'i', port, size);
	enum hvmm_emul_status st;

	if (a) {
		memcpy(val, a->data, size);
		return HVMM_EMUL_DONE;
	}
	if (stopped(f, &st))
		return st;
	memcpy(val, &f->port_value, size);
	f->port_value = f->port_value * 1664525 + 1013904223;
	record(f, 'i', port, size, val);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status fake_out(struct hvmm_emul *e, u16 port, unsigned int size,
				      const void *val)
{
	struct fake *f = (struct fake *)e;
	enum hvmm_emul_status st;

	if (replay(f, 'o', port, size))
		return HVMM_EMUL_DONE;
	if (stopped(f, &st))
		return st;
	f->port_last = 0;
	memcpy(&f->port_last, val, size);
	record(f, 'o', port, size, val);
	return HVMM_EMUL_DONE;
}

static void fake_read_xmm(struct hvmm_emul *e, unsigned int reg, void *val)
{
	memcpy(val, ((struct fake *)e)->xmm[reg], 16);
}

static void fake_write_xmm(struct hvmm_emul *e, unsigned int reg, const void *val)
{
	memcpy(((struct fake *)e)->xmm[reg], val, 16);
}

static const struct hvmm_emul_ops fake_ops = {
	.seg = fake_seg,
	.read = fake_read,
	.write = fake_write,
	.probe_write = fake_probe,
	.cmpxchg = fake_cmpxchg,
	.pio_in = fake_in,
	.pio_out = fake_out,
	.read_xmm = fake_read_xmm,
	.write_xmm = fake_write_xmm,
};

void fake_init(struct fake *f, enum hvmm_cpu_mode mode)
{
	unsigned int i;

	memset(f, 0, sizeof(*f));
	f->e.ops = &fake_ops;
	f->e.regs = &f->regs;
	f->e.mode = mode;
	f->e.cpl = 3;
	f->stop_at = FAKE_NO_STOP;
	f->regs.rflags = 0x202;
	for (i = 0; i < HVMM_SEG_NR; i++) {
		f->seg[i].sel = 0x2b;
		f->seg[i].attrib = 0xcf3;
		f->seg[i].limit = 0xffffffff;
	}
	f->seg[HVMM_SEG_CS].sel = 0x23;
	f->seg[HVMM_SEG_CS].attrib = mode == HVMM_CPU_MODE_64 ? 0xafb : 0xcfb;
}

enum hvmm_emul_status fake_run(struct fake *f)
{
	enum hvmm_emul_status st;

	f->calls = 0;
	do {
		f->pos = 0;
		f->before = f->regs;
		st = hvmm_emulate(&f->e);
		if (st == HVMM_EMUL_AGAIN || st == HVMM_EMUL_DONE)
			f->logged = 0;
	} while (st == HVMM_EMUL_AGAIN);
	return st;
}
