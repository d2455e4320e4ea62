// SPDX-License-Identifier: GPL-2.0
/*
 * Consoles: the tty driver, its lines and their ttys. What lies between a tty and its UART is
 * in console.c.
 *
 * Locking: consoles_mutex protects the table of lines; it is never taken with a console's
 * lock held.
 *
 * Life: a console is freed with its last tty_port reference. One is the VM's, one is
 * held by the tty_struct while it exists, which may be longer than the VM. Its line
 * number is taken until then: the tty core finds ttys by line, and a stale one must
 * not become the console of another VM.
 */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/serial.h>
#include <linux/slab.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/tty_port.h>

#include "dev/console.h"
#include "dev/tty.h"

#define MAX_LINES	65536

static unsigned int consoles = 1024;
module_param(consoles, uint, 0444);
MODULE_PARM_DESC(consoles, "Most consoles (/dev/ttyHVn) at a time (default 1024)");

static struct tty_driver *hvmm_tty_driver;
static DEFINE_MUTEX(consoles_mutex);
static DEFINE_IDR(consoles_idr);

static struct hvmm_console *port_console(struct tty_port *port)
{
	return container_of(port, struct hvmm_console, port);
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
		hvmm_console_pump(con);
	}
	hvmm_console_unlock(con, flags);
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
	hvmm_console_pump(con);
	hvmm_console_unlock(con, flags);
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
	if (!con->dead)
		n = hvmm_console_input(con, buf, count);
	hvmm_console_unlock(con, flags);
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
	hvmm_console_unlock(con, flags);
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
	hvmm_console_pump(con);
	hvmm_console_unlock(con, flags);
}

static int console_break_ctl(struct tty_struct *tty, int state)
{
	struct hvmm_console *con = tty->driver_data;
	unsigned long flags;

	spin_lock_irqsave(&con->lock, flags);
	if (state && !con->dead)
		hvmm_uart_rx(&con->uart, 0, HVMM_UART_LSR_BREAK);
	hvmm_console_unlock(con, flags);
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

	hvmm_console_setup(con, irq, priv);
	con->line = line;
	con->modem = TIOCM_DTR | TIOCM_RTS;
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

unsigned int hvmm_tty_lines(void)
{
	return consoles;
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
