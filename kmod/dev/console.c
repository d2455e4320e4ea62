// SPDX-License-Identifier: GPL-2.0
/*
 * A console: the glue between a UART and its tty.
 *
 *   guest --UART--> backlog ring --pump--> tty flip buffers --> line discipline
 *   guest <--UART-- input queue  <--------------- write() <---- line discipline
 *
 * Locking: hvmm_console.lock protects the UART, the ring, the queue and the flags. It
 * is taken with interrupts off: in the vCPU run loop with preemption off, in tty
 * operations, and by the work. The interrupt output is driven under it, so the
 * IOAPIC's lock nests inside.
 */
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <linux/tty_flip.h>

#include "dev/console.h"

static struct hvmm_console *uart_console(struct hvmm_uart *u)
{
	return container_of(u, struct hvmm_console, uart);
}

/* Ends a critical section; wakes writers if the section made room for them. */
void hvmm_console_unlock(struct hvmm_console *con, unsigned long flags)
	__releases(&con->lock)
{
	bool wake = con->wake;

	con->wake = false;
	spin_unlock_irqrestore(&con->lock, flags);
	if (wake)
		tty_port_tty_wakeup(&con->port);
}

static void uart_irq(struct hvmm_uart *u, bool level)
{
	struct hvmm_console *con = uart_console(u);

	con->irq(con->priv, level);
}

static bool uart_tx(struct hvmm_uart *u, u8 ch)
{
	struct hvmm_console *con = uart_console(u);

	if (!con->ring) {
		con->ring = kmalloc(HVMM_CONSOLE_BACKLOG, GFP_NOWAIT | __GFP_NOWARN);
		if (!con->ring) {
			schedule_delayed_work(&con->work, 0);
			return false;
		}
	}

	if (con->used == HVMM_CONSOLE_BACKLOG) {
		/* A reader gets everything; without one the newest is worth most. */
		if (con->open)
			return false;
		con->head = (con->head + 1) % HVMM_CONSOLE_BACKLOG;
		con->used--;
		con->dropped++;
	}
	con->ring[(con->head + con->used) % HVMM_CONSOLE_BACKLOG] = ch;
	con->used++;
	con->tx++;
	return true;
}

static void uart_rx_room(struct hvmm_uart *u)
{
	struct hvmm_console *con = uart_console(u);
	unsigned int before = kfifo_len(&con->queue), after, half = HVMM_CONSOLE_INPUT / 2;
	u8 ch;

	while (hvmm_uart_rx_space(u) && kfifo_get(&con->queue, &ch)) {
		hvmm_uart_rx(u, ch, 0);
		con->rx++;
	}

	/* Writers wait for room, tcdrain() for an empty queue. */
	after = kfifo_len(&con->queue);
	if (before > after && (!after || (before > half && after <= half)))
		con->wake = true;
}

ssize_t hvmm_console_input(struct hvmm_console *con, const u8 *buf, size_t count)
{
	ssize_t n;

	lockdep_assert_held(&con->lock);
	n = kfifo_in(&con->queue, buf, count);
	uart_rx_room(&con->uart);
	return n;
}

static const struct hvmm_uart_ops console_uart_ops = {
	.irq = uart_irq,
	.tx = uart_tx,
	.rx_room = uart_rx_room,
};

/*
 * Moves what it can from the ring to the tty. The tty core tells when the line
 * discipline has room (unthrottle), but not when its own buffers have: for that rare
 * case, a guest far ahead of a reader, the work tries again.
 */
static void flush_ring(struct hvmm_console *con)
{
	unsigned int n, done, total = 0;

	while (con->used) {
		n = min(con->used, HVMM_CONSOLE_BACKLOG - con->head);
		done = tty_insert_flip_string(&con->port, con->ring + con->head, n);
		con->head = (con->head + done) % HVMM_CONSOLE_BACKLOG;
		con->used -= done;
		total += done;
		if (done < n) {
			schedule_delayed_work(&con->work, 1);
			break;
		}
	}
	/* Only queues work: safe with interrupts off, as in any UART driver. */
	if (total)
		tty_flip_buffer_push(&con->port);
}

void hvmm_console_pump(struct hvmm_console *con)
{
	lockdep_assert_held(&con->lock);
	if (con->dead)
		return;
	if (con->open && !con->throttled)
		flush_ring(con);
	if (con->uart.tx_count) {
		hvmm_uart_tx_room(&con->uart);
		if (con->open && !con->throttled)
			flush_ring(con);
	}
}

static void console_work(struct work_struct *work)
{
	struct hvmm_console *con = container_of(to_delayed_work(work), struct hvmm_console, work);
	u8 *ring = NULL;
	unsigned long flags;

	if (!READ_ONCE(con->ring))
		ring = kmalloc(HVMM_CONSOLE_BACKLOG, GFP_KERNEL);

	spin_lock_irqsave(&con->lock, flags);
	if (!con->ring)
		swap(con->ring, ring);
	if (con->ring)
		hvmm_console_pump(con);
	else if (!con->dead)
		schedule_delayed_work(&con->work, HZ);
	hvmm_console_unlock(con, flags);
	kfree(ring);
}

void hvmm_console_setup(struct hvmm_console *con, void (*irq)(void *priv, bool level), void *priv)
{
	con->irq = irq;
	con->priv = priv;
	spin_lock_init(&con->lock);
	INIT_KFIFO(con->queue);
	INIT_DELAYED_WORK(&con->work, console_work);
	hvmm_uart_init(&con->uart, &console_uart_ops);
}

u8 hvmm_console_in(struct hvmm_console *con, unsigned int reg)
{
	unsigned long flags;
	u8 val = 0xff;

	spin_lock_irqsave(&con->lock, flags);
	if (!con->dead)
		val = hvmm_uart_in(&con->uart, reg);
	hvmm_console_unlock(con, flags);
	return val;
}

void hvmm_console_out(struct hvmm_console *con, unsigned int reg, u8 val)
{
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	if (!con->dead) {
		hvmm_uart_out(&con->uart, reg, val);
		hvmm_console_pump(con);
	}
	hvmm_console_unlock(con, flags);
}

void hvmm_console_reset(struct hvmm_console *con)
{
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	if (!con->dead)
		hvmm_uart_reset(&con->uart);
	hvmm_console_unlock(con, flags);
}

unsigned int hvmm_console_line(const struct hvmm_console *con)
{
	return con->line;
}

void hvmm_console_stats(struct hvmm_console *con, struct hvmm_console_stats *st)
{
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	*st = (struct hvmm_console_stats) {
		.tx = con->tx,
		.rx = con->rx,
		.dropped = con->dropped + con->uart.tx_lost,
		.memory = sizeof(*con) + (con->ring ? HVMM_CONSOLE_BACKLOG : 0),
	};
	spin_unlock_irqrestore(&con->lock, flags);
}
