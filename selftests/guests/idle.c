// SPDX-License-Identifier: GPL-2.0
/* HLT for ever with interrupts on and no source of any: an idle guest that costs nothing. */
#include "lib/guest.h"
#include "lib/apic.h"

void guest_main(void)
{
	apic_setup();
	printf("idle\n");
	for (;;)
		sti_hlt();
}
