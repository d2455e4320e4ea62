// SPDX-License-Identifier: GPL-2.0
/*
 * Consoles: the tty driver, and the glue between a UART and its tty.
 *
 *   guest --UART--> backlog ring --pump()--> tty flip buffers --> line discipline
 *   guest <--UART-- input queue  <---------------- write() <----- line discipline
 *
 * Locking: hvmm_console.lock protects the UART, the ring, the queue and the flags. It
 * is taken with interrupts off: in the vCPU run loop with preemption off, in tty
 * operations, and by the work. The interrupt output is driven under it, so the
 * IOAPIC's lock nests inside. consoles_mutex protects the table of lines; it is
 * never taken with a console's lock held.
 *
 * Life: a console is freed with its last tty_port reference. One is the VM's, one is
 * held by the tty_struct while it exists, which may be longer than the VM. Its line
 * number is taken until then: the tty core finds ttys by line, and a stale one must
 * not become the console of another VM.
 */
#include <linux/idr.h>
#include <linux/kfifo.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/serial.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_flip.h>
#include <linux/tty_port.h>
#include <linux/workqueue.h>

#include "dev/tty.h"
#include "dev/uart.h"

#define INPUT_QUEUE	256
#define MAX_LINES	65536

static unsigned int consoles = 1024;
module_param(consoles, uint, 0444);
MODULE_PARM_DESC(consoles, "Most consoles (/dev/ttyHVn) at a time (default 1024)");

static struct tty_driver *hvmm_tty_driver;
static DEFINE_MUTEX(consoles_mutex);
static DEFINE_IDR(consoles_idr);

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
	DECLARE_KFIFO(queue, u8, INPUT_QUEUE);
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

static struct hvmm_console *uart_console(struct hvmm_uart *u)
{
	return container_of(u, struct hvmm_console, uart);
}

static struct hvmm_console *port_console(struct tty_port *port)
{
	return container_of(port, struct hvmm_console, port);
}

/* Ends a critical section; wakes writers if the section made room for them. */
static void console_unlock_irq(struct hvmm_console *con, unsigned long flags)
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
	unsigned int before = kfifo_len(&con->queue), after;
	u8 ch;

	while (hvmm_uart_rx_space(u) && kfifo_get(&con->queue, &ch)) {
		hvmm_uart_rx(u, ch, 0);
		con->rx++;
	}

	/* Writers wait for room, tcdrain() for an empty queue. */
	after = kfifo_len(&con->queue);
	if (before > after && (!after || (before > INPUT_QUEUE / 2 && after <= INPUT_QUEUE / 2)))
		con->wake = true;
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

static void pump(struct hvmm_console *con)
{
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
		pump(con);
	else if (!con->dead)
		schedule_delayed_work(&con->work, HZ);
	console_unlock_irq(con, flags);
	kfree(ring);
}

u8 hvmm_console_in(struct hvmm_console *con, unsigned int reg)
{
	unsigned long flags;
	u8 val = 0xff;

	spin_lock_irqsave(&con->lock, flags);
	if (!con->dead)
		val = hvmm_uart_in(&con->uart, reg);
	console_unlock_irq(con, flags);
	return val;
}

void hvmm_console_out(struct hvmm_console *con, unsigned int reg, u8 val)
{
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	if (!con->dead) {
		hvmm_uart_out(&con->uart, reg, val);
		pump(con);
	}
	console_unlock_irq(con, flags);
}

void hvmm_console_reset(struct hvmm_console *con)
{
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	if (!con->dead)
		hvmm_uart_reset(&con->uart);
	console_unlock_irq(con, flags);
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

static int port_activate(struct tty_port *port, struct tty_struct *tty)
{
	struct hvmm_console *con = port_console(port);
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&con->lock, flags);
	if (con->dead) {
		err = -EIO;
	} else {
		con->throttled = false;
		con->open = true;
		pump(con);
	}
	console_unlock_irq(con, flags);
	return err;
}

static void port_shutdown(struct tty_port *port)
{
	struct hvmm_console *con = port_console(port);
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	con->open = false;
	con->throttled = false;
	/* A guest held back by the reader that left goes on, into the backlog. */
	pump(con);
	console_unlock_irq(con, flags);
}

static void port_destruct(struct tty_port *port)
{
	struct hvmm_console *con = port_console(port);

	mutex_lock(&consoles_mutex);
	idr_remove(&consoles_idr, con->line);
	mutex_unlock(&consoles_mutex);
	kfree(con->ring);
	kfree(con);
}

static const struct tty_port_operations console_port_ops = {
	.activate = port_activate,
	.shutdown = port_shutdown,
	.destruct = port_destruct,
};

static int console_install(struct tty_driver *driver, struct tty_struct *tty)
{
	struct hvmm_console *con;
	int err;

	mutex_lock(&consoles_mutex);
	con = idr_find(&consoles_idr, tty->index);
	if (con)
		tty_port_get(&con->port);
	mutex_unlock(&consoles_mutex);
	if (!con)
		return -ENODEV;

	tty->driver_data = con;
	err = tty_port_install(&con->port, driver, tty);
	if (err)
		tty_port_put(&con->port);
	return err;
}

static void console_cleanup(struct tty_struct *tty)
{
	struct hvmm_console *con = tty->driver_data;

	tty->driver_data = NULL;
	tty_port_put(&con->port);
}

static int console_open(struct tty_struct *tty, struct file *filp)
{
	struct hvmm_console *con = tty->driver_data;

	return tty_port_open(&con->port, tty, filp);
}

static void console_close(struct tty_struct *tty, struct file *filp)
{
	struct hvmm_console *con = tty->driver_data;

	tty_port_close(&con->port, tty, filp);
}

static void console_hangup(struct tty_struct *tty)
{
	struct hvmm_console *con = tty->driver_data;

	tty_port_hangup(&con->port);
}

static ssize_t console_write(struct tty_struct *tty, const u8 *buf, size_t count)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;
	ssize_t n = -EIO;

	spin_lock_irqsave(&con->lock, flags);
	if (!con->dead) {
		n = kfifo_in(&con->queue, buf, count);
		uart_rx_room(&con->uart);
	}
	console_unlock_irq(con, flags);
	return n;
}

static unsigned int console_write_room(struct tty_struct *tty)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;
	unsigned int n;

	spin_lock_irqsave(&con->lock, flags);
	n = kfifo_avail(&con->queue);
	spin_unlock_irqrestore(&con->lock, flags);
	return n;
}

static unsigned int console_chars_in_buffer(struct tty_struct *tty)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;
	unsigned int n;

	/* What waits for a VM that is gone will not be sent. */
	spin_lock_irqsave(&con->lock, flags);
	n = con->dead ? 0 : kfifo_len(&con->queue);
	spin_unlock_irqrestore(&con->lock, flags);
	return n;
}

static void console_flush_buffer(struct tty_struct *tty)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	kfifo_reset(&con->queue);
	con->wake = true;
	console_unlock_irq(con, flags);
}

static void console_throttle(struct tty_struct *tty)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	con->throttled = true;
	spin_unlock_irqrestore(&con->lock, flags);
}

static void console_unthrottle(struct tty_struct *tty)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	con->throttled = false;
	pump(con);
	console_unlock_irq(con, flags);
}

static int console_break_ctl(struct tty_struct *tty, int state)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	if (state && !con->dead)
		hvmm_uart_rx(&con->uart, 0, HVMM_UART_LSR_BREAK);
	console_unlock_irq(con, flags);
	return 0;
}

/*
 * Terminal programs set DTR and RTS and want to read them back. They do not reach
 * the guest: its modem inputs are always on, whether the tty is open or not.
 */
static int console_tiocmget(struct tty_struct *tty)
{
	struct hvmm_console *con = tty->driver_data;

	return READ_ONCE(con->modem) | TIOCM_CAR | TIOCM_DSR | TIOCM_CTS;
}

static int console_tiocmset(struct tty_struct *tty, unsigned int set, unsigned int clear)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	con->modem = ((con->modem & ~clear) | set) & (TIOCM_DTR | TIOCM_RTS);
	spin_unlock_irqrestore(&con->lock, flags);
	return 0;
}

static const struct tty_operations console_tty_ops = {
	.install = console_install,
	.cleanup = console_cleanup,
	.open = console_open,
	.close = console_close,
	.hangup = console_hangup,
	.write = console_write,
	.write_room = console_write_room,
	.chars_in_buffer = console_chars_in_buffer,
	.flush_buffer = console_flush_buffer,
	.throttle = console_throttle,
	.unthrottle = console_unthrottle,
	.break_ctl = console_break_ctl,
	.tiocmget = console_tiocmget,
	.tiocmset = console_tiocmset,
};

struct hvmm_console *hvmm_console_create(void (*irq)(void *priv, bool level), void *priv)
{
	struct hvmm_console *con;
	struct device *dev;
	int line;

	con = kzalloc(sizeof(*con), GFP_KERNEL);
	if (!con)
		return ERR_PTR(-ENOMEM);

	mutex_lock(&consoles_mutex);
	line = idr_alloc(&consoles_idr, NULL, 0, consoles, GFP_KERNEL);
	mutex_unlock(&consoles_mutex);
	if (line < 0) {
		kfree(con);
		return ERR_PTR(line);
	}

	con->irq = irq;
	con->priv = priv;
	con->line = line;
	con->modem = TIOCM_DTR | TIOCM_RTS;
	spin_lock_init(&con->lock);
	INIT_KFIFO(con->queue);
	INIT_DELAYED_WORK(&con->work, console_work);
	hvmm_uart_init(&con->uart, &console_uart_ops);
	tty_port_init(&con->port);
	con->port.ops = &console_port_ops;
	/* Closing must not wait for a guest that does not read. */
	con->port.closing_wait = ASYNC_CLOSING_WAIT_NONE;

	mutex_lock(&consoles_mutex);
	idr_replace(&consoles_idr, con, line);
	mutex_unlock(&consoles_mutex);

	dev = tty_register_device(hvmm_tty_driver, line, NULL);
	if (IS_ERR(dev)) {
		con->dead = true;
		mutex_lock(&consoles_mutex);
		idr_replace(&consoles_idr, NULL, line);
		mutex_unlock(&consoles_mutex);
		tty_port_put(&con->port);
		return ERR_CAST(dev);
	}
	return con;
}

void hvmm_console_destroy(struct hvmm_console *con)
{
	struct tty_struct *tty;
	unsigned long flags;

	if (!con)
		return;

	/* No new tty_struct from here on; one that exists keeps the console alive. */
	mutex_lock(&consoles_mutex);
	idr_replace(&consoles_idr, NULL, con->line);
	mutex_unlock(&consoles_mutex);

	spin_lock_irqsave(&con->lock, flags);
	con->dead = true;
	spin_unlock_irqrestore(&con->lock, flags);
	cancel_delayed_work_sync(&con->work);

	/* An open that missed @dead has set the port's tty before it looked. */
	tty = tty_port_tty_get(&con->port);
	if (tty) {
		tty_vhangup(tty);
		tty_kref_put(tty);
	}
	tty_unregister_device(hvmm_tty_driver, con->line);
	tty_port_put(&con->port);
}

int hvmm_tty_init(void)
{
	struct tty_driver *driver;
	int err;

	if (!consoles || consoles > MAX_LINES) {
		pr_err("hvmm: consoles=%u is not in 1..%u\n", consoles, MAX_LINES);
		return -EINVAL;
	}

	driver = tty_alloc_driver(consoles, TTY_DRIVER_REAL_RAW | TTY_DRIVER_DYNAMIC_DEV |
				  TTY_DRIVER_RESET_TERMIOS);
	if (IS_ERR(driver))
		return PTR_ERR(driver);

	driver->driver_name = "hvmm";
	driver->name = "ttyHV";
	driver->type = TTY_DRIVER_TYPE_SERIAL;
	driver->subtype = SERIAL_TYPE_NORMAL;
	driver->init_termios = tty_std_termios;
	/* Raw: an echo would come back to the guest as input, before anyone set it. */
	driver->init_termios.c_iflag = 0;
	driver->init_termios.c_oflag = 0;
	driver->init_termios.c_lflag = 0;
	driver->init_termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
	driver->init_termios.c_ispeed = 115200;
	driver->init_termios.c_ospeed = 115200;
	tty_set_operations(driver, &console_tty_ops);

	err = tty_register_driver(driver);
	if (err) {
		tty_driver_kref_put(driver);
		return err;
	}
	hvmm_tty_driver = driver;
	return 0;
}

void hvmm_tty_exit(void)
{
	tty_unregister_driver(hvmm_tty_driver);
	tty_driver_kref_put(hvmm_tty_driver);
	idr_destroy(&consoles_idr);
}
