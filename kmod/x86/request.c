// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to a vCPU: what other CPUs, timers and processes asked of it.
 */
#include <asm/processor-flags.h>

#include "x86/exit.h"
#include "x86/msr.h"
#include "x86/pv.h"
#include "x86/vendor.h"

/* SDM vol. 3, 9.4.4: the page that the vector names becomes the code segment. */
static void start_up(struct hvmm_x86_vcpu *x, u8 vector)
{
	struct hvmm_seg cs;

	hvmm_arch->get_seg(x, HVMM_SEG_CS, &cs);
	cs.sel = vector << 8;
	cs.base = vector << 12;
	hvmm_arch->set_seg(x, HVMM_SEG_CS, &cs);
	x->regs.rip = 0;
	x->vcpu.wait = HVMM_WAIT_NONE;
}

static void init(struct hvmm_x86_vcpu *x)
{
	hvmm_x86_reset(x, true);
	/* The bootstrap processor starts at the reset vector, all others wait. */
	x->vcpu.wait = x->vcpu.lapic.cfg.bsp ? HVMM_WAIT_NONE : HVMM_WAIT_SIPI;
}

/* A page of the guest's is missing: bring it in, then look at the request once more. */
static enum hvmm_exit_fate again(struct hvmm_x86_vcpu *x, enum hvmm_request req)
{
	set_bit(req, &x->vcpu.requests);
	x->missing_write = true;
	return HVMM_EXIT_FAULT_IN;
}

enum hvmm_exit_fate hvmm_x86_requests(struct hvmm_x86_vcpu *x)
{
	struct hvmm_vcpu *vcpu = &x->vcpu;

	if (hvmm_vcpu_test_request(vcpu, HVMM_REQ_TIMER))
		hvmm_lapic_timer_fired(&vcpu->lapic);
	if (hvmm_vcpu_test_request(vcpu, HVMM_REQ_TLB))
		hvmm_arch->flush_nested(x);
	/* One is remembered behind the one in service (APM vol. 2, 8.2.3): no more. */
	if (hvmm_vcpu_test_request(vcpu, HVMM_REQ_NMI) &&
	    x->nmi_pending < (hvmm_arch->nmi_masked(x) ? 1 : 2))
		x->nmi_pending++;

	/* An instruction that waits for its device or page is finished first. */
	if (vcpu->wait == HVMM_WAIT_IO) {
		if (!hvmm_vcpu_test_request(vcpu, HVMM_REQ_IO_DONE))
			return HVMM_EXIT_PARK;
		hvmm_io_answered(x);
		vcpu->wait = HVMM_WAIT_NONE;
		return HVMM_EXIT_REDO;
	}
	if (vcpu->wait == HVMM_WAIT_MEM) {
		if (!hvmm_vcpu_test_request(vcpu, HVMM_REQ_MEM_DONE))
			return HVMM_EXIT_PARK;
		vcpu->wait = HVMM_WAIT_NONE;
		if (vcpu->mem_work_err)
			return hvmm_exit_impossible(x, "a page of RAM could not be brought in");
		/* In the middle of an instruction that has reached devices already. */
		if (x->nr_io)
			return HVMM_EXIT_REDO;
	}

	if (hvmm_vcpu_test_request(vcpu, HVMM_REQ_INIT))
		init(x);
	if (hvmm_vcpu_test_request(vcpu, HVMM_REQ_SIPI) && vcpu->wait == HVMM_WAIT_SIPI)
		start_up(x, vcpu->sipi_vector);

	if (vcpu->wait == HVMM_WAIT_HALT) {
		if (!hvmm_vcpu_halt_over(vcpu))
			return HVMM_EXIT_PARK;
		vcpu->wait = HVMM_WAIT_NONE;
		hvmm_vcpu_unhalted(vcpu);
		hvmm_stat_inc(vcpu, halt_wakes);
	}
	if (vcpu->wait == HVMM_WAIT_SIPI)
		return HVMM_EXIT_PARK;

	if (hvmm_vcpu_test_request(vcpu, HVMM_REQ_CLOCK) && hvmm_pv_update_clock(x) == -EAGAIN)
		return again(x, HVMM_REQ_CLOCK);
	if (hvmm_vcpu_test_request(vcpu, HVMM_REQ_PV) && hvmm_pv_load(x) == -EAGAIN)
		return again(x, HVMM_REQ_PV);
	if (hvmm_vcpu_test_request(vcpu, HVMM_REQ_EOI) && hvmm_pv_eoi_sync(x) == -EAGAIN)
		return again(x, HVMM_REQ_EOI);
	return HVMM_EXIT_RESUME;
}
