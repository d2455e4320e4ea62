// SPDX-License-Identifier: GPL-2.0
/*
 * Accesses of emulated instructions to devices: in-kernel ones, then the device
 * process, then nobody; and the records that let an instruction run again.
 */
#include <linux/string.h>

#include "core/bus.h"
#include "io/channel.h"
#include "trace.h"
#include "x86/exit.h"
#include "x86/pv.h"

void hvmm_io_forget(struct hvmm_x86_vcpu *x)
{
	x->nr_io = 0;
	x->io_next = 0;
}

void hvmm_io_answered(struct hvmm_x86_vcpu *x)
{
	struct hvmm_io_record *rec;

	if (!x->nr_io)
		return;
	rec = &x->io[x->nr_io - 1];
	if (rec->done)
		return;
	hvmm_channel_result(&x->vcpu, rec->write ? NULL : rec->data);
	rec->done = true;
}

bool hvmm_io_replay(struct hvmm_x86_vcpu *x, enum hvmm_io_kind kind, bool write, u64 addr,
		    unsigned int len, void *data)
{
	struct hvmm_io_record *rec = &x->io[x->io_next];

	if (x->io_next >= x->nr_io)
		return false;
	if (rec->addr != addr || rec->len != len || rec->kind != kind || rec->write != write ||
	    !rec->done) {
		/* Its registers or page tables were changed meanwhile: another instruction. */
		hvmm_channel_cancel(&x->vcpu);
		x->nr_io = x->io_next;
		return false;
	}
	x->io_next++;
	if (!write)
		memcpy(data, rec->data, len);
	return true;
}

static struct hvmm_io_record *new_record(struct hvmm_x86_vcpu *x, enum hvmm_io_kind kind,
					 bool write, u64 addr, unsigned int len)
{
	struct hvmm_io_record *rec = &x->io[x->nr_io++];

	rec->addr = addr;
	rec->len = len;
	rec->kind = kind;
	rec->write = write;
	rec->done = false;
	return rec;
}

void hvmm_io_record(struct hvmm_x86_vcpu *x, enum hvmm_io_kind kind, bool write, u64 addr,
		    unsigned int len, const void *data)
{
	struct hvmm_io_record *rec = new_record(x, kind, write, addr, len);

	rec->done = true;
	if (!write)
		memcpy(rec->data, data, len);
	x->io_next = x->nr_io;
}

/*
 * Devices in the kernel. Return: 0, -EOPNOTSUPP if none claims the access, or -EAGAIN if
 * a page of RAM is needed first.
 */
static int kernel_device(struct hvmm_x86_vcpu *x, bool mmio, bool write, u64 addr,
			 unsigned int len, void *data)
{
	struct hvmm_bus *bus = mmio ? &x->vcpu.vm->mmio : &x->vcpu.vm->pio;
	struct hvmm_lapic *l = &x->vcpu.lapic;
	u64 val = 0;

	if (mmio && hvmm_lapic_claims(l, addr)) {
		/* Each vCPU sees its own at the same address, so it is on no bus. */
		if (hvmm_pv_eoi_sync(x) == -EAGAIN)
			return -EAGAIN;
		if (write) {
			memcpy(&val, data, len);
			hvmm_lapic_mmio_write(l, addr & ~PAGE_MASK, len, val);
		} else {
			val = hvmm_lapic_mmio_read(l, addr & ~PAGE_MASK, len);
			memcpy(data, &val, len);
		}
		return 0;
	}
	if (write)
		return hvmm_bus_write(bus, &x->vcpu, addr, len, data);
	return hvmm_bus_read(bus, &x->vcpu, addr, len, data);
}

static noinline void do_trace_access(struct hvmm_x86_vcpu *x, bool mmio, bool write, u64 addr,
				     unsigned int len, const void *data, bool user)
{
	u64 val = 0;

	/* What a read gives is not known yet while the device process has it. */
	if (write || !user)
		memcpy(&val, data, min_t(unsigned int, len, sizeof(val)));
	if (mmio)
		trace_hvmm_mmio(x->vcpu.vm->id, x->vcpu.index, write, addr, len, val, user);
	else
		trace_hvmm_pio(x->vcpu.vm->id, x->vcpu.index, write, addr, len, val, user);
}

static inline void trace_access(struct hvmm_x86_vcpu *x, bool mmio, bool write, u64 addr,
				unsigned int len, const void *data, bool user)
{
	if (trace_hvmm_mmio_enabled() || trace_hvmm_pio_enabled())
		do_trace_access(x, mmio, write, addr, len, data, user);
}

/* Not for a device in the kernel: for the device process, or for nobody. */
static enum hvmm_emul_status unclaimed(struct hvmm_x86_vcpu *x, enum hvmm_io_kind kind,
				       bool write, u64 addr, unsigned int len, void *data)
{
	bool mmio = kind == HVMM_IO_MMIO;

	if (!hvmm_channel_post(&x->vcpu, mmio, write, addr, len, data)) {
		new_record(x, kind, write, addr, len);
		trace_access(x, mmio, write, addr, len, data, true);
		if (mmio)
			hvmm_stat_inc(&x->vcpu, mmio_user);
		else
			hvmm_stat_inc(&x->vcpu, pio_user);
		return HVMM_EMUL_PENDING;
	}
	/* Nobody there: as on a PC's bus, reads float high and writes go nowhere. */
	if (!write)
		memset(data, 0xff, len);
	return HVMM_EMUL_DONE;
}

static inline void count_access(struct hvmm_x86_vcpu *x, bool mmio, bool write, u64 addr,
				unsigned int len, const void *data)
{
	if (mmio)
		hvmm_stat_inc(&x->vcpu, mmio);
	else
		hvmm_stat_inc(&x->vcpu, pio);
	trace_access(x, mmio, write, addr, len, data, false);
}

enum hvmm_emul_status hvmm_io_port(struct hvmm_x86_vcpu *x, bool write, u16 port,
				   unsigned int len, void *data)
{
	bool unclaimed_port = x->no_device;

	x->no_device = false;
	if (unlikely(x->nr_io)) {
		x->io_next = 0;
		if (likely(hvmm_io_replay(x, HVMM_IO_PORT, write, port, len, data)))
			return HVMM_EMUL_DONE;
		return hvmm_io_access(x, HVMM_IO_PORT, write, port, len, data);
	}
	if ((unclaimed_port || kernel_device(x, false, write, port, len, data)) &&
	    unclaimed(x, HVMM_IO_PORT, write, port, len, data) == HVMM_EMUL_PENDING)
		return HVMM_EMUL_PENDING;
	count_access(x, false, write, port, len, data);
	return HVMM_EMUL_DONE;
}

bool hvmm_io_port_quick(struct hvmm_x86_vcpu *x, bool write, u16 port, unsigned int len,
			void *data)
{
	int err = hvmm_bus_quick(&x->vcpu.vm->pio, &x->vcpu, port, len, write, data);

	if (err) {
		x->no_device = err == -EOPNOTSUPP;
		return false;
	}
	count_access(x, false, write, port, len, data);
	return true;
}

enum hvmm_emul_status hvmm_io_access(struct hvmm_x86_vcpu *x, enum hvmm_io_kind kind, bool write,
				     u64 addr, unsigned int len, void *data)
{
	bool mmio = kind == HVMM_IO_MMIO;
	int ret;

	if (hvmm_io_replay(x, kind, write, addr, len, data))
		return HVMM_EMUL_DONE;
	if (hvmm_io_full(x))
		return HVMM_EMUL_UNHANDLED;

	ret = kernel_device(x, mmio, write, addr, len, data);
	if (ret == -EAGAIN)
		return HVMM_EMUL_RETRY;
	if (ret && unclaimed(x, kind, write, addr, len, data) == HVMM_EMUL_PENDING)
		return HVMM_EMUL_PENDING;
	count_access(x, mmio, write, addr, len, data);
	hvmm_io_record(x, kind, write, addr, len, data);
	return HVMM_EMUL_DONE;
}
