/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_UNIT_TEST_LAPIC_H
#define HVMM_UNIT_TEST_LAPIC_H

void timer_divide(void);
void timer_oneshot(void);
void timer_late_host(void);
void timer_masked(void);
void timer_periodic(void);
void timer_storm(void);
void timer_change_mode(void);
void timer_change_div(void);
void timer_deadline(void);
void timer_bad_vector(void);
void timer_reset(void);
void timer_fuzz(void);

void lapic_fuzz_model(void);
void lapic_fuzz_hostile(void);
void lapic_concurrent(void);

void lend_fuzz(void);
void lend_level(void);
void lend_concurrent(void);

#endif
