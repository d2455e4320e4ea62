/* SPDX-License-Identifier: GPL-2.0 */
/* Between a UART and its tty; for tty.c and console.c, dev/tty.h is what others see. */
#ifndef HVMM_DEV_CONSOLE_H
#define HVMM_DEV_CONSOLE_H

#include <linux/kfifo.h>
#include <linux/spinlock.h>
#include <linux/tty_port.h>
#include <linux/workqueue.h>

#include "dev/tty.h"
#include "dev/uart.h"

#define HVMM_CONSOLE_INPUT	256

/**
 * struct hvmm_console - a VM's console
 * @port: its tty port; also the reference count
 * @irq: drives the guest's interrupt line
 * @priv: argument of @irq
 * @line: n of /dev/ttyHVn
 * @lock: protects all below
 * @uart: what the guest sees
 * @ring: backlog of %HVMM_CONSOLE_BACKLOG bytes, NULL until the first output
 * @head: index in @ring of the oldest byte
 * @used: bytes in @ring
 * @queue: input that does not fit the UART yet
 * @work: allocates @ring where the run loop could not; tries again when the tty
 *	  core's buffers were full
 * @open: somebody has the tty open
 * @throttled: the line discipline asked for a pause
 * @dead: the VM is gone
 * @wake: writers may go on; acted upon after @lock is dropped
 * @modem: modem outputs that the tty's user has set, for TIOCMGET
 * @tx: bytes from the guest
 * @rx: bytes to the guest
 * @dropped: bytes overwritten in @ring
 */
struct hvmm_console {
	struct tty_port port;
	void (*irq)(void *priv, bool level);
	void *priv;
	unsigned int line;
	spinlock_t lock;	/* protects what follows */
	struct hvmm_uart uart;
	u8 *ring;
	unsigned int head;
	unsigned int used;
	DECLARE_KFIFO(queue, u8, HVMM_CONSOLE_INPUT);
	struct delayed_work work;
	bool open;
	bool throttled;
	bool dead;
	bool wake;
	unsigned int modem;
	u64 tx;
	u64 rx;
	u64 dropped;
};

/**
 * hvmm_console_setup - a console's UART, and what lies between it and a tty
 * @con: zeroed
 * @irq: drives the guest's interrupt line
 * @priv: argument of @irq
 */
void hvmm_console_setup(struct hvmm_console *con, void (*irq)(void *priv, bool level), void *priv);

/**
 * hvmm_console_unlock - end a critical section; wake writers if it made room for them
 * @con: the console, locked
 * @flags: of spin_lock_irqsave()
 */
void hvmm_console_unlock(struct hvmm_console *con, unsigned long flags) __releases(&con->lock);

/**
 * hvmm_console_pump - move what can be moved from the UART and the backlog to the tty
 * @con: the console, locked
 */
void hvmm_console_pump(struct hvmm_console *con);

/**
 * hvmm_console_input - queue input for the UART
 * @con: the console, locked
 * @buf: the input
 * @count: bytes of it
 *
 * Return: how many were taken.
 */
ssize_t hvmm_console_input(struct hvmm_console *con, const u8 *buf, size_t count);

#endif
