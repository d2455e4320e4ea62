// SPDX-License-Identifier: GPL-2.0
/*
 * An interrupt that is asked for once is taken once, and never within its own handler, which
 * does nothing that exits until it is over. An emulator's CPU that forgets that it has taken
 * an injected interrupt shows here, if its loop is interrupted while the handler runs: run it
 * with turns far shorter than the handler.
 */
#include "lib/guest.h"
#include "lib/apic.h"
#include "lib/trap.h"

#define VECTOR		0x41
#define ROUNDS		300
#define HANDLER_US	100

static volatile u32 taken, nested, masked;
static volatile bool inside;

static void on_interrupt(struct regs *r)
{
	if (inside)
		nested++;
	if (!(r->rflags & (1 << 9)))
		masked++;
	inside = true;
	taken++;
	spin_us(HANDLER_US);
	inside = false;
	apic_eoi();
}

void guest_main(void)
{
	u32 i, self, lost = 0;

	apic_setup();
	trap_handler(VECTOR, on_interrupt);
	self = apic_id();
	for (i = 0; i < ROUNDS; i++) {
		apic_icr(self, VECTOR);
		sti();
		/* As if busy: an exit would hide it. */
		lost += !wait_for(taken > i, 1000000);
		cli();
		if (lost)
			break;
	}
	ok_eq(lost, 0, "none is lost");
	ok_eq(taken, ROUNDS, "each is taken once");
	ok_eq(nested, 0, "none within its own handler");
	ok_eq(masked, 0, "none while interrupts are off");
}
