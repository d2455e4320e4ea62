// SPDX-License-Identifier: GPL-2.0
/* The thinnest guest: one line, one result, exit. */
#include "lib/guest.h"

void guest_main(void)
{
	printf("hello\n");
	ok(true, "hello");
}
