// SPDX-License-Identifier: GPL-2.0
/* 16550A UART; section numbers are those of the PC16550D data sheet. */
#include "dev/uart.h"

#define LSR_ERRORS	(HVMM_UART_LSR_PARITY | HVMM_UART_LSR_FRAME | HVMM_UART_LSR_BREAK)
#define FCR_KEPT	(HVMM_UART_FCR_ENABLE | BIT(3) | HVMM_UART_FCR_TRIGGER)
#define MSR_LINES	0xf0
#define DIVISOR_9600	12

static bool fifo_on(const struct hvmm_uart *u)
{
	return u->fcr & HVMM_UART_FCR_ENABLE;
}

static unsigned int capacity(const struct hvmm_uart *u)
{
	return fifo_on(u) ? HVMM_UART_FIFO : 1;
}

static unsigned int trigger(const struct hvmm_uart *u)
{
	static const u8 level[] = { 1, 4, 8, 14 };

	return level[u->fcr >> 6];
}

static u8 head_errors(const struct hvmm_uart *u)
{
	return u->rx_count ? u->rx_err[u->rx_head] : 0;
}

/* Table III: sources by priority. */
static u8 interrupt_id(const struct hvmm_uart *u)
{
	if ((u->ier & HVMM_UART_IER_LINE) && (u->lsr || head_errors(u)))
		return HVMM_UART_IIR_LINE;
	if ((u->ier & HVMM_UART_IER_RX) && u->rx_count) {
		if (fifo_on(u) && u->rx_count < trigger(u))
			return HVMM_UART_IIR_TIMEOUT;
		return HVMM_UART_IIR_RX;
	}
	if ((u->ier & HVMM_UART_IER_THRE) && u->thre)
		return HVMM_UART_IIR_THRE;
	if ((u->ier & HVMM_UART_IER_MODEM) && u->msr_delta)
		return HVMM_UART_IIR_MODEM;
	return HVMM_UART_IIR_NONE;
}

static void update_irq(struct hvmm_uart *u)
{
	bool level = interrupt_id(u) != HVMM_UART_IIR_NONE;

	if (level != u->irq) {
		u->irq = level;
		u->ops->irq(u, level);
	}
}

static void rx_room(struct hvmm_uart *u)
{
	if (u->ops->rx_room)
		u->ops->rx_room(u);
}

/* Section 8.4: a full FIFO keeps what it has, the single register does not. */
static bool rx_push(struct hvmm_uart *u, u8 ch, u8 err)
{
	unsigned int at;

	if (u->rx_count >= capacity(u)) {
		u->lsr |= HVMM_UART_LSR_OVERRUN;
		u->overruns++;
		if (!fifo_on(u)) {
			u->rx[u->rx_head] = ch;
			u->rx_err[u->rx_head] = err;
		}
		return false;
	}
	at = (u->rx_head + u->rx_count) % HVMM_UART_FIFO;
	u->rx[at] = ch;
	u->rx_err[at] = err;
	u->rx_count++;
	return true;
}

static u8 rx_pop(struct hvmm_uart *u)
{
	u8 ch;

	if (!u->rx_count)
		return 0;
	ch = u->rx[u->rx_head];
	u->rx_head = (u->rx_head + 1) % HVMM_UART_FIFO;
	u->rx_count--;
	rx_room(u);
	return ch;
}

static void tx_clear(struct hvmm_uart *u)
{
	if (u->tx_count)
		u->thre = true;
	u->tx_lost += u->tx_count;
	u->tx_count = 0;
}

static void tx_write(struct hvmm_uart *u, u8 ch)
{
	u->thre = false;
	if (u->mcr & HVMM_UART_MCR_LOOP) {
		rx_push(u, ch, 0);
		u->thre = !u->tx_count;
	} else if (!u->tx_count && u->ops->tx(u, ch)) {
		u->thre = true;
	} else if (u->tx_count < capacity(u)) {
		u->tx[u->tx_count++] = ch;
	} else {
		u->tx_lost++;
	}
}

void hvmm_uart_tx_room(struct hvmm_uart *u)
{
	unsigned int i, sent = 0;

	if (!u->tx_count)
		return;
	while (sent < u->tx_count && u->ops->tx(u, u->tx[sent]))
		sent++;
	u->tx_count -= sent;
	for (i = 0; i < u->tx_count; i++)
		u->tx[i] = u->tx[i + sent];
	if (!u->tx_count)
		u->thre = true;
	update_irq(u);
}

/* Section 8.6.7: in loopback the outputs drive the modem inputs. */
static u8 modem_lines(const struct hvmm_uart *u)
{
	u8 mcr = u->mcr;

	if (!(mcr & HVMM_UART_MCR_LOOP))
		return u->lines;
	return (mcr & HVMM_UART_MCR_RTS ? HVMM_UART_MSR_CTS : 0) |
	       (mcr & HVMM_UART_MCR_DTR ? HVMM_UART_MSR_DSR : 0) |
	       (mcr & HVMM_UART_MCR_OUT1 ? HVMM_UART_MSR_RI : 0) |
	       (mcr & HVMM_UART_MCR_OUT2 ? HVMM_UART_MSR_DCD : 0);
}

static void modem_change(struct hvmm_uart *u, u8 old)
{
	u8 now = modem_lines(u), changed = old ^ now;

	if (changed & HVMM_UART_MSR_CTS)
		u->msr_delta |= HVMM_UART_MSR_DCTS;
	if (changed & HVMM_UART_MSR_DSR)
		u->msr_delta |= HVMM_UART_MSR_DDSR;
	if (changed & old & HVMM_UART_MSR_RI)
		u->msr_delta |= HVMM_UART_MSR_TERI;
	if (changed & HVMM_UART_MSR_DCD)
		u->msr_delta |= HVMM_UART_MSR_DDCD;
}

void hvmm_uart_set_lines(struct hvmm_uart *u, u8 lines)
{
	u8 old = modem_lines(u);

	u->lines = lines & MSR_LINES;
	modem_change(u, old);
	update_irq(u);
}

unsigned int hvmm_uart_rx_space(const struct hvmm_uart *u)
{
	if ((u->mcr & HVMM_UART_MCR_LOOP) || u->rx_count >= capacity(u))
		return 0;
	return capacity(u) - u->rx_count;
}

bool hvmm_uart_rx(struct hvmm_uart *u, u8 ch, u8 err)
{
	bool kept;

	if (u->mcr & HVMM_UART_MCR_LOOP)
		return false;
	kept = rx_push(u, ch, err & LSR_ERRORS);
	update_irq(u);
	return kept;
}

static u8 line_status(const struct hvmm_uart *u)
{
	u8 lsr = u->lsr | head_errors(u);
	unsigned int i;

	if (u->rx_count)
		lsr |= HVMM_UART_LSR_DATA;
	if (!u->tx_count)
		lsr |= HVMM_UART_LSR_THRE | HVMM_UART_LSR_TEMT;
	for (i = 0; fifo_on(u) && i < u->rx_count; i++)
		if (u->rx_err[(u->rx_head + i) % HVMM_UART_FIFO])
			lsr |= HVMM_UART_LSR_FIFOERR;
	return lsr;
}

static u8 read_iir(struct hvmm_uart *u)
{
	u8 id = interrupt_id(u);

	/* Reading clears the THR-empty source, and only when it is the one reported. */
	if (id == HVMM_UART_IIR_THRE)
		u->thre = false;
	return id | (fifo_on(u) ? HVMM_UART_IIR_FIFO : 0);
}

u8 hvmm_uart_in(struct hvmm_uart *u, unsigned int reg)
{
	bool dlab = u->lcr & HVMM_UART_LCR_DLAB;
	u8 val;

	switch (reg & 7) {
	case HVMM_UART_DATA:
		val = dlab ? u->dll : rx_pop(u);
		break;
	case HVMM_UART_IER:
		val = dlab ? u->dlm : u->ier;
		break;
	case HVMM_UART_IIR:
		val = read_iir(u);
		break;
	case HVMM_UART_LCR:
		val = u->lcr;
		break;
	case HVMM_UART_MCR:
		val = u->mcr;
		break;
	case HVMM_UART_LSR:
		val = line_status(u);
		u->lsr = 0;
		if (u->rx_count)
			u->rx_err[u->rx_head] = 0;
		break;
	case HVMM_UART_MSR:
		val = modem_lines(u) | u->msr_delta;
		u->msr_delta = 0;
		break;
	default:
		val = u->scr;
		break;
	}
	update_irq(u);
	return val;
}

static void write_ier(struct hvmm_uart *u, u8 val)
{
	u8 enabled = val & ~u->ier;

	u->ier = val & 0x0f;
	/* Drivers toggle the bit to get an interrupt from an idle transmitter. */
	if ((enabled & HVMM_UART_IER_THRE) && !u->tx_count)
		u->thre = true;
}

static void write_fcr(struct hvmm_uart *u, u8 val)
{
	bool rx_clear = val & HVMM_UART_FCR_CLEAR_RX;

	/* Section 8.4: switching the FIFOs clears them; bit 0 gates the other bits. */
	if ((val ^ u->fcr) & HVMM_UART_FCR_ENABLE) {
		rx_clear = true;
		tx_clear(u);
	} else if (!(val & HVMM_UART_FCR_ENABLE)) {
		return;
	} else if (val & HVMM_UART_FCR_CLEAR_TX) {
		tx_clear(u);
	}

	u->fcr = val & HVMM_UART_FCR_ENABLE ? val & FCR_KEPT : 0;
	if (rx_clear) {
		u->rx_count = 0;
		rx_room(u);
	}
}

static void write_lcr(struct hvmm_uart *u, u8 val)
{
	bool starts = val & ~u->lcr & HVMM_UART_LCR_BREAK;

	u->lcr = val;
	if (starts && (u->mcr & HVMM_UART_MCR_LOOP))
		rx_push(u, 0, HVMM_UART_LSR_BREAK);
}

static void write_mcr(struct hvmm_uart *u, u8 val)
{
	u8 old = modem_lines(u);
	bool leaves = u->mcr & ~val & HVMM_UART_MCR_LOOP;

	u->mcr = val & 0x1f;
	modem_change(u, old);
	if (leaves)
		rx_room(u);
}

void hvmm_uart_out(struct hvmm_uart *u, unsigned int reg, u8 val)
{
	bool dlab = u->lcr & HVMM_UART_LCR_DLAB;

	switch (reg & 7) {
	case HVMM_UART_DATA:
		if (dlab)
			u->dll = val;
		else
			tx_write(u, val);
		break;
	case HVMM_UART_IER:
		if (dlab)
			u->dlm = val;
		else
			write_ier(u, val);
		break;
	case HVMM_UART_IIR:
		write_fcr(u, val);
		break;
	case HVMM_UART_LCR:
		write_lcr(u, val);
		break;
	case HVMM_UART_MCR:
		write_mcr(u, val);
		break;
	case HVMM_UART_SCR:
		u->scr = val;
		break;
	default:
		/* LSR and MSR: writes are for the factory (section 8.6.6). */
		break;
	}
	update_irq(u);
}

void hvmm_uart_reset(struct hvmm_uart *u)
{
	u->rx_head = 0;
	u->rx_count = 0;
	tx_clear(u);
	u->ier = 0;
	u->fcr = 0;
	u->lcr = 0;
	u->mcr = 0;
	u->scr = 0;
	u->dll = DIVISOR_9600;
	u->dlm = 0;
	u->lsr = 0;
	u->msr_delta = 0;
	u->thre = false;
	update_irq(u);
	rx_room(u);
}

void hvmm_uart_init(struct hvmm_uart *u, const struct hvmm_uart_ops *ops)
{
	*u = (struct hvmm_uart) {
		.ops = ops,
		.lines = HVMM_UART_MSR_CTS | HVMM_UART_MSR_DSR | HVMM_UART_MSR_DCD,
		.dll = DIVISOR_9600,
	};
}
