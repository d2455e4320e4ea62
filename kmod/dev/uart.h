/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 16550A UART (National PC16550D data sheet) without baud timing: a character
 * takes no time. Hence the character time-out interrupt comes as soon as there are
 * characters below the trigger level.
 *
 * The interrupt output does not depend on MCR.OUT2, as it would on a PC's serial
 * card: bare guests that leave OUT2 clear get their interrupts.
 *
 * Locking: none here. The caller holds one lock around every function.
 */
#ifndef HVMM_DEV_UART_H
#define HVMM_DEV_UART_H

#include <linux/bits.h>
#include <linux/types.h>

#define HVMM_UART_FIFO		16

/* Register offsets. */
#define HVMM_UART_DATA		0	/* RBR, THR; DLL with DLAB */
#define HVMM_UART_IER		1	/* DLM with DLAB */
#define HVMM_UART_IIR		2	/* FCR on write */
#define HVMM_UART_LCR		3
#define HVMM_UART_MCR		4
#define HVMM_UART_LSR		5
#define HVMM_UART_MSR		6
#define HVMM_UART_SCR		7

#define HVMM_UART_IER_RX	BIT(0)
#define HVMM_UART_IER_THRE	BIT(1)
#define HVMM_UART_IER_LINE	BIT(2)
#define HVMM_UART_IER_MODEM	BIT(3)

#define HVMM_UART_IIR_NONE	0x01
#define HVMM_UART_IIR_MODEM	0x00
#define HVMM_UART_IIR_THRE	0x02
#define HVMM_UART_IIR_RX	0x04
#define HVMM_UART_IIR_LINE	0x06
#define HVMM_UART_IIR_TIMEOUT	0x0c
#define HVMM_UART_IIR_FIFO	0xc0

#define HVMM_UART_FCR_ENABLE	BIT(0)
#define HVMM_UART_FCR_CLEAR_RX	BIT(1)
#define HVMM_UART_FCR_CLEAR_TX	BIT(2)
#define HVMM_UART_FCR_TRIGGER	0xc0

#define HVMM_UART_LCR_BREAK	BIT(6)
#define HVMM_UART_LCR_DLAB	BIT(7)

#define HVMM_UART_MCR_DTR	BIT(0)
#define HVMM_UART_MCR_RTS	BIT(1)
#define HVMM_UART_MCR_OUT1	BIT(2)
#define HVMM_UART_MCR_OUT2	BIT(3)
#define HVMM_UART_MCR_LOOP	BIT(4)

#define HVMM_UART_LSR_DATA	BIT(0)
#define HVMM_UART_LSR_OVERRUN	BIT(1)
#define HVMM_UART_LSR_PARITY	BIT(2)
#define HVMM_UART_LSR_FRAME	BIT(3)
#define HVMM_UART_LSR_BREAK	BIT(4)
#define HVMM_UART_LSR_THRE	BIT(5)
#define HVMM_UART_LSR_TEMT	BIT(6)
#define HVMM_UART_LSR_FIFOERR	BIT(7)

#define HVMM_UART_MSR_DCTS	BIT(0)
#define HVMM_UART_MSR_DDSR	BIT(1)
#define HVMM_UART_MSR_TERI	BIT(2)
#define HVMM_UART_MSR_DDCD	BIT(3)
#define HVMM_UART_MSR_CTS	BIT(4)
#define HVMM_UART_MSR_DSR	BIT(5)
#define HVMM_UART_MSR_RI	BIT(6)
#define HVMM_UART_MSR_DCD	BIT(7)

struct hvmm_uart;

/**
 * struct hvmm_uart_ops - what a UART is connected to
 * @irq: the interrupt output changed
 * @tx: the guest sent @ch; false if there is no room: the character stays in the
 *	transmitter until hvmm_uart_tx_room()
 * @rx_room: the guest made room in the receiver; more may be given by
 *	hvmm_uart_rx(). May be NULL. Not called from within hvmm_uart_rx().
 */
struct hvmm_uart_ops {
	void (*irq)(struct hvmm_uart *u, bool level);
	bool (*tx)(struct hvmm_uart *u, u8 ch);
	void (*rx_room)(struct hvmm_uart *u);
};

/**
 * struct hvmm_uart - a UART; embedded in its owner
 * @ops: connections; constant
 * @rx: received characters, a ring
 * @rx_err: LSR error bits that came with each
 * @tx: characters that ops->tx() refused, oldest first
 * @rx_head: index of the oldest in @rx
 * @rx_count: characters in @rx
 * @tx_count: characters in @tx
 * @ier: interrupt enable
 * @fcr: FIFO control, as far as it is kept
 * @lcr: line control
 * @mcr: modem control
 * @scr: scratch
 * @dll: divisor, low
 * @dlm: divisor, high
 * @lsr: overrun; all other bits of LSR are computed
 * @msr_delta: change bits of MSR
 * @lines: modem lines as the outside drives them, in MSR's bits 7:4
 * @thre: the THR-empty interrupt is pending
 * @irq: level of the interrupt output
 * @overruns: received characters lost because the guest did not read
 * @tx_lost: sent characters lost because the guest wrote to a full transmitter
 */
struct hvmm_uart {
	const struct hvmm_uart_ops *ops;
	u8 rx[HVMM_UART_FIFO];
	u8 rx_err[HVMM_UART_FIFO];
	u8 tx[HVMM_UART_FIFO];
	u8 rx_head;
	u8 rx_count;
	u8 tx_count;
	u8 ier;
	u8 fcr;
	u8 lcr;
	u8 mcr;
	u8 scr;
	u8 dll;
	u8 dlm;
	u8 lsr;
	u8 msr_delta;
	u8 lines;
	bool thre;
	bool irq;
	u64 overruns;
	u64 tx_lost;
};

/**
 * hvmm_uart_init() - set up a UART in its reset state; CTS, DSR and DCD are on
 * @u: the UART
 * @ops: connections
 */
void hvmm_uart_init(struct hvmm_uart *u, const struct hvmm_uart_ops *ops);

/**
 * hvmm_uart_reset() - master reset; outside lines stay
 * @u: the UART
 *
 * Scratch and divisor are reset too, to the values of a fresh UART.
 */
void hvmm_uart_reset(struct hvmm_uart *u);

/**
 * hvmm_uart_in() - the guest reads a register
 * @u: the UART
 * @reg: offset, only the low three bits count
 */
u8 hvmm_uart_in(struct hvmm_uart *u, unsigned int reg);

/**
 * hvmm_uart_out() - the guest writes a register
 * @u: the UART
 * @reg: offset, only the low three bits count
 * @val: value
 */
void hvmm_uart_out(struct hvmm_uart *u, unsigned int reg, u8 val);

/**
 * hvmm_uart_rx_space() - how many characters the receiver takes without overrun
 * @u: the UART
 *
 * Return: 0 in loopback mode, where the outside is disconnected.
 */
unsigned int hvmm_uart_rx_space(const struct hvmm_uart *u);

/**
 * hvmm_uart_rx() - a character arrives
 * @u: the UART
 * @ch: the character
 * @err: LSR bits PARITY, FRAME, BREAK that come with it
 *
 * Return: false if it was lost: overrun, or loopback mode.
 */
bool hvmm_uart_rx(struct hvmm_uart *u, u8 ch, u8 err);

/**
 * hvmm_uart_tx_room() - ops->tx() may succeed again
 * @u: the UART
 */
void hvmm_uart_tx_room(struct hvmm_uart *u);

/**
 * hvmm_uart_set_lines() - the outside drives the modem lines
 * @u: the UART
 * @lines: CTS, DSR, RI, DCD in MSR's bits 7:4
 */
void hvmm_uart_set_lines(struct hvmm_uart *u, u8 lines);

#endif /* HVMM_DEV_UART_H */
