// SPDX-License-Identifier: GPL-2.0
/*
 * The machine around the guest's CPUs, as far as it lives in the kernel: IOAPIC,
 * serial console, and the ports that end or restart it.
 */
#include <linux/err.h>
#include <linux/slab.h>

#include "core/arch.h"
#include "io/channel.h"
#include "x86/pv.h"

#define UART_PORT	0x3f8
#define UART_PIN	4

/* Keyboard controller: command 0xfe pulses the reset line. */
#define KBD_COMMAND	0x64
#define KBD_RESET	0xfe

/* POST code port: written to for the sake of its delay. */
#define POST_PORT	0x80

/* ACPI sleep control and status registers (ACPI 6.5, 4.8.3.7), as the FADT says. */
#define SLEEP_CONTROL	0x600
#define SLEEP_STATUS	0x601
#define SLEEP_EN	BIT(5)
#define SLEEP_TYPE(v)	((v) >> 2 & 7)
#define SLEEP_S5	5

/* Reset control register of a PC chipset: bit 2 resets. */
#define RESET_PORT	0xcf9
#define RESET_CPU	BIT(2)

enum platform_dev {
	DEV_UART, DEV_KBD, DEV_POST, DEV_SLEEP, DEV_RESET, DEV_IOAPIC, DEV_NR,
};

/**
 * struct hvmm_platform - in-kernel devices of a VM
 * @dev: their places on the buses
 * @storm: lets a held-back IOAPIC pin go on
 * @vm: the VM
 */
struct hvmm_platform {
	struct hvmm_bus_dev dev[DEV_NR];
	struct delayed_work storm;
	struct hvmm_vm *vm;
};

static int uart_read(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		     unsigned int len, void *val)
{
	u8 *bytes = val;
	unsigned int i;

	for (i = 0; i < len; i++)
		bytes[i] = hvmm_console_in(vcpu->vm->console, offset + i);
	return 0;
}

static int uart_write(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		      unsigned int len, const void *val)
{
	const u8 *bytes = val;
	unsigned int i;

	for (i = 0; i < len; i++)
		hvmm_console_out(vcpu->vm->console, offset + i, bytes[i]);
	return 0;
}

static int ioapic_read(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		       unsigned int len, void *val)
{
	u32 reg = hvmm_ioapic_read(&vcpu->vm->ioapic, offset & ~3ULL);

	memset(val, 0, len);
	memcpy(val, (u8 *)&reg + (offset & 3), min_t(unsigned int, len, 4 - (offset & 3)));
	return 0;
}

static int ioapic_write(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
			unsigned int len, const void *val)
{
	u32 reg = 0;

	/* Registers are 32 bits wide and written as a whole; the index takes a byte too. */
	if (offset & 3)
		return 0;
	memcpy(&reg, val, min_t(unsigned int, len, sizeof(reg)));
	hvmm_ioapic_write(&vcpu->vm->ioapic, offset, reg);
	return 0;
}

static int kbd_read(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		    unsigned int len, void *val)
{
	return -EOPNOTSUPP;
}

static int kbd_write(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		     unsigned int len, const void *val)
{
	if (*(const u8 *)val != KBD_RESET)
		return -EOPNOTSUPP;
	hvmm_vm_stop_async(vcpu->vm, HVMM_REASON_RESET, NULL);
	return 0;
}

static int post_read(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		     unsigned int len, void *val)
{
	memset(val, 0xff, len);
	return 0;
}

static int post_write(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		      unsigned int len, const void *val)
{
	return 0;
}

static int sleep_read(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		      unsigned int len, void *val)
{
	memset(val, 0, len);
	return 0;
}

static int sleep_write(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		       unsigned int len, const void *val)
{
	u8 control = *(const u8 *)val;

	if (offset + SLEEP_CONTROL == SLEEP_CONTROL && (control & SLEEP_EN) &&
	    SLEEP_TYPE(control) == SLEEP_S5)
		hvmm_vm_stop_async(vcpu->vm, HVMM_REASON_POWEROFF, NULL);
	return 0;
}

static int reset_read(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		      unsigned int len, void *val)
{
	memset(val, 0, len);
	return 0;
}

static int reset_write(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		       unsigned int len, const void *val)
{
	if (*(const u8 *)val & RESET_CPU)
		hvmm_vm_stop_async(vcpu->vm, HVMM_REASON_RESET, NULL);
	return 0;
}

static const struct hvmm_bus_ops dev_ops[DEV_NR] = {
	[DEV_UART]	= { .read = uart_read, .write = uart_write },
	[DEV_KBD]	= { .read = kbd_read, .write = kbd_write },
	[DEV_POST]	= { .read = post_read, .write = post_write },
	[DEV_SLEEP]	= { .read = sleep_read, .write = sleep_write },
	[DEV_RESET]	= { .read = reset_read, .write = reset_write },
	[DEV_IOAPIC]	= { .read = ioapic_read, .write = ioapic_write },
};

static const struct {
	u64 base, len;
	bool quick;
} dev_range[DEV_NR] = {
	[DEV_UART]	= { UART_PORT, 8 },
	[DEV_KBD]	= { KBD_COMMAND, 1 },
	[DEV_POST]	= { POST_PORT, 1, .quick = true },
	[DEV_SLEEP]	= { SLEEP_CONTROL, 2 },
	[DEV_RESET]	= { RESET_PORT, 1 },
	[DEV_IOAPIC]	= { HVMM_IOAPIC_BASE, HVMM_IOAPIC_SIZE },
};

static struct hvmm_bus *bus_of(struct hvmm_vm *vm, enum platform_dev nr)
{
	return nr == DEV_IOAPIC ? &vm->mmio : &vm->pio;
}

static int ioapic_deliver(struct hvmm_ioapic *io, const struct hvmm_msg *msg)
{
	struct hvmm_vm *vm = container_of(io, struct hvmm_vm, ioapic);

	return hvmm_irq_deliver(&vm->irq, NULL, msg);
}

static void ioapic_defer(struct hvmm_ioapic *io)
{
	struct hvmm_vm *vm = container_of(io, struct hvmm_vm, ioapic);

	schedule_delayed_work(&vm->platform->storm, nsecs_to_jiffies(HVMM_IOAPIC_STORM_NS) + 1);
}

static const struct hvmm_ioapic_ops ioapic_ops = {
	.deliver	= ioapic_deliver,
	.defer		= ioapic_defer,
};

static void storm_worker(struct work_struct *work)
{
	struct hvmm_platform *p = container_of(to_delayed_work(work), struct hvmm_platform, storm);

	hvmm_ioapic_resume(&p->vm->ioapic);
}

static void console_irq(void *priv, bool level)
{
	struct hvmm_vm *vm = priv;

	hvmm_ioapic_set_irq(&vm->ioapic, UART_PIN, HVMM_IRQ_SOURCE_CONSOLE, level);
}

int hvmm_platform_create(struct hvmm_vm *vm)
{
	struct hvmm_platform *p;
	unsigned int i;
	int ret;

	hvmm_bus_init(&vm->pio);
	hvmm_bus_init(&vm->mmio);
	hvmm_ioapic_init(&vm->ioapic, &ioapic_ops);

	p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	if (!p)
		return -ENOMEM;
	p->vm = vm;
	INIT_DELAYED_WORK(&p->storm, storm_worker);
	/* From here on hvmm_platform_destroy() undoes everything. */
	vm->platform = p;

	vm->console = hvmm_console_create(console_irq, vm);
	if (IS_ERR(vm->console)) {
		ret = PTR_ERR(vm->console);
		vm->console = NULL;
		return ret;
	}
	for (i = 0; i < DEV_NR; i++) {
		p->dev[i].ops = &dev_ops[i];
		p->dev[i].base = dev_range[i].base;
		p->dev[i].len = dev_range[i].len;
		p->dev[i].quick = dev_range[i].quick;
		ret = hvmm_bus_add(bus_of(vm, i), &p->dev[i]);
		if (ret)
			return ret;
	}
	return hvmm_channel_create(vm);
}

void hvmm_platform_reset(struct hvmm_vm *vm)
{
	hvmm_ioapic_reset(&vm->ioapic);
	hvmm_console_reset(vm->console);
	hvmm_pv_clock_reset(vm);
}

void hvmm_platform_quiesce(struct hvmm_vm *vm)
{
	u32 i;

	cancel_delayed_work_sync(&vm->platform->storm);
	for (i = 0; i < vm->nr_vcpus; i++)
		hvmm_channel_cancel(vm->vcpus[i]);
}

void hvmm_platform_detach(struct hvmm_vm *vm)
{
	hvmm_channel_shutdown(vm);
}

void hvmm_platform_destroy(struct hvmm_vm *vm)
{
	struct hvmm_platform *p = vm->platform;

	if (!p)
		return;
	hvmm_channel_destroy(vm);
	hvmm_bus_exit(&vm->pio);
	hvmm_bus_exit(&vm->mmio);
	hvmm_console_destroy(vm->console);
	cancel_delayed_work_sync(&p->storm);
	kfree(p);
	vm->platform = NULL;
}

u64 hvmm_platform_bytes(struct hvmm_vm *vm)
{
	struct hvmm_console_stats st;

	hvmm_console_stats(vm->console, &st);
	return sizeof(*vm->platform) + st.memory + hvmm_channel_bytes(vm);
}
