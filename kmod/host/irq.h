/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_HOST_IRQ_H
#define HVMM_HOST_IRQ_H

/**
 * hvmm_irq_init - set up what is in this file
 *
 * Context: module init.
 */
void hvmm_irq_init(void);

/**
 * hvmm_interrupt_self - send this pCPU an interrupt that does nothing
 *
 * Sent with interrupts off, it ends the guest right after the entry, before its
 * first instruction.
 *
 * Context: interrupts off.
 */
void hvmm_interrupt_self(void);

#endif
