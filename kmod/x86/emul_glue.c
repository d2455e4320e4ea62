// SPDX-License-Identifier: GPL-2.0
/*
 * The emulator's accesses: through the guest's page tables, to RAM or devices.
 */
#include <linux/log2.h>

#include <asm/trapnr.h>

#include "host/fpu.h"
#include "x86/exit.h"
#include "x86/walk.h"

static struct hvmm_x86_vcpu *vcpu_of(struct hvmm_emul *e)
{
	return container_of(e, struct hvmm_x86_vcpu, emul);
}

static enum hvmm_emul_status translate(struct hvmm_emul *e, u64 linear, u32 access, u64 *gpa)
{
	u32 error;

	if (e->cpl == 3)
		access |= HVMM_ACCESS_USER;
	switch (hvmm_walk(vcpu_of(e), linear, access, gpa, &error)) {
	case 0:
		return HVMM_EMUL_DONE;
	case -EAGAIN:
		return HVMM_EMUL_RETRY;
	default:
		e->fault = (struct hvmm_fault) {
			.vector = X86_TRAP_PF, .has_error = true, .error = error, .cr2 = linear,
		};
		return HVMM_EMUL_FAULT;
	}
}

static const struct hvmm_seg *glue_seg(struct hvmm_emul *e, enum hvmm_seg_reg nr)
{
	return hvmm_insn_seg(vcpu_of(e), nr);
}

/* A device sees naturally sized accesses: 8, 4, 2 or 1 bytes. */
static enum hvmm_emul_status device(struct hvmm_x86_vcpu *x, bool write, u64 gpa, void *data,
				    unsigned int len)
{
	enum hvmm_emul_status status;
	unsigned int piece;

	while (len) {
		piece = min(rounddown_pow_of_two(len), 8UL);
		status = hvmm_io_access(x, HVMM_IO_MMIO, write, gpa, piece, data);
		if (status != HVMM_EMUL_DONE)
			return status;
		gpa += piece;
		data += piece;
		len -= piece;
	}
	return HVMM_EMUL_DONE;
}

static bool is_ram(struct hvmm_x86_vcpu *x, u64 gpa)
{
	return hvmm_mem_is_ram(&x->vcpu.vm->mem, gpa >> PAGE_SHIFT);
}

static enum hvmm_emul_status glue_read(struct hvmm_emul *e, u64 linear, void *val,
				       unsigned int len)
{
	struct hvmm_x86_vcpu *x = vcpu_of(e);
	enum hvmm_emul_status status;
	u64 gpa;

	status = translate(e, linear, 0, &gpa);
	if (status != HVMM_EMUL_DONE)
		return status;
	if (!is_ram(x, gpa))
		return device(x, false, gpa, val, len);
	if (hvmm_io_replay(x, HVMM_IO_RAM, false, gpa, len, val))
		return HVMM_EMUL_DONE;
	if (hvmm_io_full(x))
		return HVMM_EMUL_UNHANDLED;
	if (hvmm_mem_read(&x->vcpu.vm->mem, gpa, val, len, &x->missing_gfn))
		return HVMM_EMUL_RETRY;
	hvmm_io_record(x, HVMM_IO_RAM, false, gpa, len, val);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status glue_write(struct hvmm_emul *e, u64 linear, const void *val,
					unsigned int len)
{
	struct hvmm_x86_vcpu *x = vcpu_of(e);
	enum hvmm_emul_status status;
	u8 data[16];
	u64 gpa;

	status = translate(e, linear, HVMM_ACCESS_WRITE, &gpa);
	if (status != HVMM_EMUL_DONE)
		return status;
	if (!is_ram(x, gpa)) {
		memcpy(data, val, min_t(unsigned int, len, sizeof(data)));
		return device(x, true, gpa, data, len);
	}
	if (hvmm_io_replay(x, HVMM_IO_RAM, true, gpa, len, NULL))
		return HVMM_EMUL_DONE;
	if (hvmm_io_full(x))
		return HVMM_EMUL_UNHANDLED;
	if (hvmm_mem_write(&x->vcpu.vm->mem, gpa, val, len, &x->missing_gfn))
		return HVMM_EMUL_RETRY;
	hvmm_io_record(x, HVMM_IO_RAM, true, gpa, len, NULL);
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status glue_probe_write(struct hvmm_emul *e, u64 linear, unsigned int len)
{
	struct hvmm_x86_vcpu *x = vcpu_of(e);
	enum hvmm_emul_status status;
	u8 data[16];
	u64 gpa;

	status = translate(e, linear, HVMM_ACCESS_WRITE, &gpa);
	if (status != HVMM_EMUL_DONE || !is_ram(x, gpa))
		return status;
	if (hvmm_mem_read(&x->vcpu.vm->mem, gpa, data, min_t(unsigned int, len, sizeof(data)),
			  &x->missing_gfn))
		return HVMM_EMUL_RETRY;
	return HVMM_EMUL_DONE;
}

static enum hvmm_emul_status glue_cmpxchg(struct hvmm_emul *e, u64 linear, const void *old,
					  const void *new, unsigned int len)
{
	struct hvmm_x86_vcpu *x = vcpu_of(e);
	enum hvmm_emul_status status;
	u8 data[16];
	u64 gpa;

	if (len > sizeof(data))
		return HVMM_EMUL_UNHANDLED;
	status = translate(e, linear, HVMM_ACCESS_WRITE, &gpa);
	if (status != HVMM_EMUL_DONE)
		return status;
	if (!is_ram(x, gpa)) {
		memcpy(data, new, len);
		return device(x, true, gpa, data, len);
	}
	memcpy(data, old, len);
	switch (hvmm_mem_cmpxchg(&x->vcpu.vm->mem, gpa, data, new, len, &x->missing_gfn)) {
	case 0:
		return HVMM_EMUL_DONE;
	case 1:
		/* Another vCPU was first: the page is there, read anew. */
		hvmm_io_forget(x);
		x->missing_gfn = gpa >> PAGE_SHIFT;
		return HVMM_EMUL_RETRY;
	default:
		return HVMM_EMUL_RETRY;
	}
}

static enum hvmm_emul_status glue_pio_in(struct hvmm_emul *e, u16 port, unsigned int size,
					 void *val)
{
	return hvmm_io_access(vcpu_of(e), HVMM_IO_PORT, false, port, size, val);
}

static enum hvmm_emul_status glue_pio_out(struct hvmm_emul *e, u16 port, unsigned int size,
					  const void *val)
{
	u32 data = 0;

	memcpy(&data, val, min_t(unsigned int, size, sizeof(data)));
	return hvmm_io_access(vcpu_of(e), HVMM_IO_PORT, true, port, size, &data);
}

/* A residency holds the guest's FPU state in the registers. */
static void glue_read_xmm(struct hvmm_emul *e, unsigned int reg, void *val)
{
	hvmm_fpu_get_xmm(reg, val);
}

static void glue_write_xmm(struct hvmm_emul *e, unsigned int reg, const void *val)
{
	hvmm_fpu_set_xmm(reg, val);
}

const struct hvmm_emul_ops hvmm_emul_glue = {
	.seg		= glue_seg,
	.read		= glue_read,
	.write		= glue_write,
	.probe_write	= glue_probe_write,
	.cmpxchg	= glue_cmpxchg,
	.pio_in		= glue_pio_in,
	.pio_out	= glue_pio_out,
	.read_xmm	= glue_read_xmm,
	.write_xmm	= glue_write_xmm,
};
