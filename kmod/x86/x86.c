// SPDX-License-Identifier: GPL-2.0
/*
 * Life of an x86 vCPU: creation, reset, first state of a boot protocol; what its
 * LAPIC needs of it.
 */
#include <linux/err.h>
#include <linux/netlink.h>
#include <linux/timekeeping.h>

#include <asm/processor-flags.h>
#include <asm/msr-index.h>
#include <asm/tsc.h>

#include "core/arch.h"
#include "host/fpu.h"
#include "x86/arch_calls.h"
#include "x86/cpuid.h"
#include "x86/exit.h"
#include "x86/msr.h"
#include "x86/pv.h"
#include "x86/vendor.h"

const struct hvmm_arch_ops *hvmm_arch __ro_after_init;

DEFINE_STATIC_CALL_NULL(hvmm_arch_enter, *((struct hvmm_arch_ops *)0)->enter);
DEFINE_STATIC_CALL_NULL(hvmm_arch_exit, *((struct hvmm_arch_ops *)0)->exit);

int __init hvmm_arch_choose(const char **why)
{
	static const struct hvmm_arch_ops *const vendors[] = HVMM_ARCH_OPS;
	unsigned int i;

	/* There the host's NMIs and machine checks cannot be handed to it by INT n. */
	if (cpu_feature_enabled(X86_FEATURE_FRED)) {
		*why = "this host runs with FRED (fred=off turns it off)";
		return -EOPNOTSUPP;
	}
	for (i = 0; i < ARRAY_SIZE(vendors); i++) {
		if (!vendors[i]->present())
			continue;
		hvmm_arch = vendors[i];
		static_call_update(hvmm_arch_enter, hvmm_arch->enter);
		static_call_update(hvmm_arch_exit, hvmm_arch->exit);
		return hvmm_arch->probe(why);
	}
	*why = "this processor has no SVM and no VMX";
	return -ENODEV;
}

static struct hvmm_x86_vcpu *lapic_vcpu(struct hvmm_lapic *l)
{
	return container_of(l, struct hvmm_x86_vcpu, vcpu.lapic);
}

static u64 lapic_now(struct hvmm_lapic *l)
{
	return ktime_get_ns();
}

static void lapic_timer_arm(struct hvmm_lapic *l, u64 when_ns)
{
	hrtimer_start(&lapic_vcpu(l)->vcpu.apic_timer,
		      ns_to_ktime(min_t(u64, when_ns, KTIME_MAX)), HRTIMER_MODE_ABS_HARD);
}

static void lapic_timer_cancel(struct hvmm_lapic *l)
{
	/* A callback that runs right now only sets a request, which is harmless. */
	hrtimer_try_to_cancel(&lapic_vcpu(l)->vcpu.apic_timer);
}

static u64 lapic_tsc_to_ns(struct hvmm_lapic *l, u64 guest_tsc)
{
	u64 tsc = hvmm_guest_tsc(lapic_vcpu(l));
	u64 now = ktime_get_ns();
	u64 delta;

	if (guest_tsc <= tsc)
		return now;
	/* Or the quotient overflows where the TSC is slower than 1 GHz: a #DE in the host. */
	if (div_u64(guest_tsc - tsc, tsc_khz) >= KTIME_MAX / NSEC_PER_MSEC)
		return U64_MAX;
	delta = mul_u64_u64_div_u64(guest_tsc - tsc, NSEC_PER_MSEC, tsc_khz);
	return now + delta < now ? U64_MAX : now + delta;
}

static void lapic_ipi(struct hvmm_lapic *l, const struct hvmm_msg *msg)
{
	hvmm_irq_deliver(&lapic_vcpu(l)->vcpu.vm->irq, l, msg);
}

static void lapic_eoi(struct hvmm_lapic *l, u8 vector)
{
	hvmm_ioapic_eoi(&lapic_vcpu(l)->vcpu.vm->ioapic, vector);
}

static void lapic_kick(struct hvmm_lapic *l)
{
	hvmm_vcpu_kick(&lapic_vcpu(l)->vcpu);
}

static void lapic_event(struct hvmm_lapic *l, enum hvmm_delivery event, u8 vector)
{
	struct hvmm_vcpu *vcpu = &lapic_vcpu(l)->vcpu;

	switch (event) {
	case HVMM_DELIVER_NMI:
		hvmm_vcpu_request(vcpu, HVMM_REQ_NMI);
		break;
	case HVMM_DELIVER_INIT:
		/* SDM vol. 3, 9.4.1: a SIPI that was there before it is void. */
		clear_bit(HVMM_REQ_SIPI, &vcpu->requests);
		hvmm_vcpu_request(vcpu, HVMM_REQ_INIT);
		break;
	case HVMM_DELIVER_SIPI:
		WRITE_ONCE(vcpu->sipi_vector, vector);
		hvmm_vcpu_request(vcpu, HVMM_REQ_SIPI);
		break;
	default:
		/* There is no system management mode: SMI goes nowhere. */
		break;
	}
}

static const struct hvmm_lapic_ops lapic_ops = {
	.now		= lapic_now,
	.timer_arm	= lapic_timer_arm,
	.timer_cancel	= lapic_timer_cancel,
	.tsc_to_ns	= lapic_tsc_to_ns,
	.ipi		= lapic_ipi,
	.eoi		= lapic_eoi,
	.kick		= lapic_kick,
	.event		= lapic_event,
};

struct hvmm_vcpu *hvmm_arch_vcpu_create(struct hvmm_vm *vm, u32 index)
{
	const struct hvmm_lapic_config cfg = {
		.id = index,
		.phys_bits = hvmm_guest_maxphyaddr(),
		.bsp = !index,
		.x2apic = true,
		.tsc_deadline = true,
	};
	struct hvmm_x86_vcpu *x;

	x = hvmm_arch->vcpu_alloc(vm);
	if (!x)
		return ERR_PTR(-ENOMEM);
	x->fpu = hvmm_fpu_alloc();
	if (!x->fpu) {
		hvmm_arch->vcpu_free(x);
		return ERR_PTR(-ENOMEM);
	}
	hvmm_vcpu_init(&x->vcpu, vm, index);
	hvmm_lapic_init(&x->vcpu.lapic, &lapic_ops, &cfg);
	hvmm_msr_setup_intercepts(x);
	return &x->vcpu;
}

void hvmm_arch_vcpu_destroy(struct hvmm_vcpu *vcpu)
{
	struct hvmm_x86_vcpu *x = to_x86(vcpu);

	hrtimer_cancel(&vcpu->apic_timer);
	hvmm_fpu_free(x->fpu);
	hvmm_arch->vcpu_free(x);
}

size_t hvmm_arch_vcpu_bytes(void)
{
	return hvmm_arch->vcpu_bytes() + hvmm_fpu_bytes();
}

bool hvmm_arch_event_pending(struct hvmm_vcpu *vcpu)
{
	struct hvmm_x86_vcpu *x = to_x86(vcpu);

	return x->nmi_pending || x->event.valid;
}

void hvmm_x86_reset(struct hvmm_x86_vcpu *x, bool init)
{
	u32 r[4];

	hvmm_arch->vcpu_reset(x, init);
	hvmm_lapic_reset(&x->vcpu.lapic, init);
	hvmm_msr_reset(x, init);
	x->cr2 = 0;
	memset(x->dr, 0, sizeof(x->dr));
	x->event.valid = false;
	WRITE_ONCE(x->vcpu.kicked, false);
	x->nmi_pending = 0;
	x->nr_io = 0;
	x->io_next = 0;
	x->insn_valid = false;
	x->seg_valid = 0;
	/* SDM vol. 3, table 10-1: signature and model, as CPUID leaf 1 gives them. */
	hvmm_cpuid(x, 1, 0, r);
	x->regs.gpr[HVMM_RDX] = r[0];
	if (init)
		return;
	x->xcr0 = XFEATURE_MASK_FP;
	hvmm_fpu_reset(x->fpu);
	hvmm_pv_reset(x);
}

static void flat_segments(struct hvmm_x86_vcpu *x, u16 code_attrib)
{
	const struct hvmm_seg code = { .sel = 0x10, .attrib = code_attrib, .limit = U32_MAX };
	/* Present, data, writable, accessed; 4 GiB. */
	const struct hvmm_seg data = { .sel = 0x18, .attrib = 0xc93, .limit = U32_MAX };

	hvmm_arch->set_seg(x, HVMM_SEG_CS, &code);
	hvmm_arch->set_seg(x, HVMM_SEG_DS, &data);
	hvmm_arch->set_seg(x, HVMM_SEG_ES, &data);
	hvmm_arch->set_seg(x, HVMM_SEG_FS, &data);
	hvmm_arch->set_seg(x, HVMM_SEG_GS, &data);
	hvmm_arch->set_seg(x, HVMM_SEG_SS, &data);
}

void hvmm_arch_vcpu_reset(struct hvmm_vcpu *vcpu, const struct hvmm_boot *boot)
{
	struct hvmm_x86_vcpu *x = to_x86(vcpu);

	hvmm_x86_reset(x, false);
	if (!boot || boot->mode == HVMM_BOOT_RESET)
		return;

	if (boot->mode == HVMM_BOOT_LONG64) {
		/* Code, readable, 64-bit. */
		flat_segments(x, 0xa9b);
		hvmm_arch->set_efer(x, EFER_LME | EFER_LMA);
		hvmm_arch->set_cr(x, 4, X86_CR4_PAE);
		hvmm_arch->set_cr(x, 3, boot->cr3);
		hvmm_arch->set_cr(x, 0, X86_CR0_PE | X86_CR0_ET | X86_CR0_PG);
	} else {
		/* Code, readable, 32-bit. */
		flat_segments(x, 0xc9b);
		hvmm_arch->set_cr(x, 0, X86_CR0_PE | X86_CR0_ET);
	}
	if (boot->gdt_limit)
		hvmm_arch->set_dt(x, false, boot->gdt_base, boot->gdt_limit);
	hvmm_arch->set_dt(x, true, 0, 0);
	x->regs.rip = boot->rip;
	x->regs.gpr[HVMM_RDX] = 0;
	x->regs.gpr[HVMM_RSP] = boot->rsp;
	x->regs.gpr[HVMM_RAX] = boot->rax;
	x->regs.gpr[HVMM_RBX] = boot->rbx;
	x->regs.gpr[HVMM_RSI] = boot->rsi;
}

static bool canonical(u64 addr)
{
	return (s64)(addr << 16) >> 16 == (s64)addr;
}

int hvmm_arch_boot_check(const struct hvmm_boot *boot, struct netlink_ext_ack *extack)
{
	switch (boot->mode) {
	case HVMM_BOOT_RESET:
		return 0;
	case HVMM_BOOT_PM32:
		if ((boot->rip | boot->rsp | boot->rax | boot->rbx | boot->rsi |
		     boot->gdt_base) >> 32) {
			NL_SET_ERR_MSG(extack, "boot: registers of pm32 have 32 bits");
			return -EINVAL;
		}
		return 0;
	case HVMM_BOOT_LONG64:
		if (!canonical(boot->rip) || !canonical(boot->gdt_base)) {
			NL_SET_ERR_MSG(extack, "boot: rip and gdt-base must be canonical");
			return -EINVAL;
		}
		if (boot->cr3 & ~PAGE_MASK || boot->cr3 >> hvmm_guest_maxphyaddr()) {
			NL_SET_ERR_MSG_FMT(extack, "boot: cr3 0x%llx is no page address of %u bits",
					   boot->cr3, hvmm_guest_maxphyaddr());
			return -EINVAL;
		}
		return 0;
	}
	NL_SET_ERR_MSG(extack, "boot: unknown mode");
	return -EINVAL;
}
