/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of the local APIC; all for the owner, but for the error. */
#ifndef HVMM_DEV_LAPIC_PRIV_H
#define HVMM_DEV_LAPIC_PRIV_H

#include "dev/lapic.h"

/* Any CPU, any context: record an error (a bit number of ESR), raise LVT error. */
void hvmm_lapic_error(struct hvmm_lapic *l, unsigned int bit);

void hvmm_lapic_update_ppr(struct hvmm_lapic *l);
u8 hvmm_lapic_apr(struct hvmm_lapic *l);

/* Make the host's timer fit what is running and not masked. */
void hvmm_lapic_timer_program(struct hvmm_lapic *l);
void hvmm_lapic_timer_set_lvt(struct hvmm_lapic *l, u32 lvt);
void hvmm_lapic_timer_set_init(struct hvmm_lapic *l, u32 count);
void hvmm_lapic_timer_set_div(struct hvmm_lapic *l, u32 div);
u32 hvmm_lapic_timer_count(struct hvmm_lapic *l);

#endif /* HVMM_DEV_LAPIC_PRIV_H */
