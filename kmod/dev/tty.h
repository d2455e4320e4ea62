/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A VM's console: a 16550A for the guest, /dev/ttyHVn for the host.
 *
 * Output is kept while nobody has the tty open: the newest 16 KiB, delivered at
 * open. While the tty is open nothing is lost: a guest that is faster than the
 * reader sees a busy transmitter. The tty starts in raw mode, so that what the guest
 * prints is not echoed back as its input.
 */
#ifndef HVMM_DEV_TTY_H
#define HVMM_DEV_TTY_H

#include <linux/types.h>

#define HVMM_CONSOLE_BACKLOG	16384

struct hvmm_console;

/**
 * struct hvmm_console_stats - counters of a console, since creation
 * @tx: characters from the guest
 * @rx: characters into the guest
 * @dropped: characters from the guest overwritten in the backlog unread, or written
 *	     by it to a full transmitter
 * @memory: bytes of kernel memory held, the tty core's apart
 */
struct hvmm_console_stats {
	u64 tx;
	u64 rx;
	u64 dropped;
	u64 memory;
};

/**
 * hvmm_console_create() - make a console and its /dev/ttyHVn
 * @irq: drives the guest's interrupt line; called with the console's spinlock held
 *	 and interrupts off, from any CPU and context
 * @priv: argument of @irq
 *
 * Context: process, may sleep.
 * Return: the console, or ERR_PTR: -ENOSPC if all lines are in use, -ENOMEM, or what
 * the driver core says.
 */
struct hvmm_console *hvmm_console_create(void (*irq)(void *priv, bool level), void *priv);

/**
 * hvmm_console_destroy() - hang up and give up a console
 * @con: the console, or NULL
 *
 * No vCPU may use it any more. @irq is not called once this has returned. A process
 * that still has the tty open gets end-of-file; the line number is free again when
 * it closes.
 *
 * Context: process, may sleep.
 */
void hvmm_console_destroy(struct hvmm_console *con);

/**
 * hvmm_console_reset() - reset the UART; backlog and queued input stay
 * @con: the console
 *
 * Context: any but NMI.
 */
void hvmm_console_reset(struct hvmm_console *con);

/**
 * hvmm_console_in() - the guest reads a UART register
 * @con: the console
 * @reg: register, 0 to 7
 *
 * Context: any but NMI; vCPU run loop. Never sleeps.
 */
u8 hvmm_console_in(struct hvmm_console *con, unsigned int reg);

/**
 * hvmm_console_out() - the guest writes a UART register
 * @con: the console
 * @reg: register, 0 to 7
 * @val: value
 *
 * Context: any but NMI; vCPU run loop. Never sleeps.
 */
void hvmm_console_out(struct hvmm_console *con, unsigned int reg, u8 val);

/**
 * hvmm_console_line() - n of /dev/ttyHVn
 * @con: the console
 */
unsigned int hvmm_console_line(const struct hvmm_console *con);

/**
 * hvmm_console_stats() - read the counters
 * @con: the console
 * @st: result
 *
 * Context: any but NMI.
 */
void hvmm_console_stats(struct hvmm_console *con, struct hvmm_console_stats *st);

/**
 * hvmm_tty_lines() - most consoles that there can be at a time
 */
unsigned int hvmm_tty_lines(void);

/**
 * hvmm_tty_init() - register the tty driver
 *
 * Context: module load. Return: 0 or an error.
 */
int hvmm_tty_init(void);

/**
 * hvmm_tty_exit() - unregister the tty driver
 *
 * All consoles are destroyed. An open tty holds a reference to the module, so none
 * is open. Context: module unload.
 */
void hvmm_tty_exit(void);

#endif /* HVMM_DEV_TTY_H */
