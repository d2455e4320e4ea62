// SPDX-License-Identifier: GPL-2.0
/* 16550A: every register, FIFO, interrupt source and mode. */
#include <string.h>

#include "check.h"
#include "dev/uart.h"
#include "rng.h"

unsigned int check_failed;

struct wire {
	struct hvmm_uart u;
	bool irq;
	unsigned int irq_changes;
	unsigned int room;	/* how many more characters the outside takes */
	u8 out[4096];
	unsigned int sent;
	unsigned int rx_rooms;
};

static void wire_irq(struct hvmm_uart *u, bool level)
{
	struct wire *w = (struct wire *)u;

	CHECK(w->irq != level);
	w->irq = level;
	w->irq_changes++;
}

static bool wire_tx(struct hvmm_uart *u, u8 ch)
{
	struct wire *w = (struct wire *)u;

	if (!w->room)
		return false;
	w->room--;
	w->out[w->sent++ % sizeof(w->out)] = ch;
	return true;
}

static void wire_rx_room(struct hvmm_uart *u)
{
	((struct wire *)u)->rx_rooms++;
}

static const struct hvmm_uart_ops wire_ops = {
	.irq = wire_irq,
	.tx = wire_tx,
	.rx_room = wire_rx_room,
};

static void init(struct wire *w, bool fifo)
{
	memset(w, 0, sizeof(*w));
	hvmm_uart_init(&w->u, &wire_ops);
	w->room = ~0U;
	if (fifo)
		hvmm_uart_out(&w->u, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE);
}

static u8 in(struct wire *w, unsigned int reg)
{
	return hvmm_uart_in(&w->u, reg);
}

static void out(struct wire *w, unsigned int reg, u8 val)
{
	hvmm_uart_out(&w->u, reg, val);
}

#define IDLE	(HVMM_UART_LSR_THRE | HVMM_UART_LSR_TEMT)
#define ON	(HVMM_UART_MSR_CTS | HVMM_UART_MSR_DSR | HVMM_UART_MSR_DCD)

static void reset_state(void)
{
	struct wire w;
	unsigned int n;

	init(&w, false);
	for (n = 0; n < 2; n++) {
		CHECK_EQ(in(&w, HVMM_UART_DATA), 0);
		CHECK_EQ(in(&w, HVMM_UART_IER), 0);
		CHECK_EQ(in(&w, HVMM_UART_IIR), HVMM_UART_IIR_NONE);
		CHECK_EQ(in(&w, HVMM_UART_LCR), 0);
		CHECK_EQ(in(&w, HVMM_UART_MCR), 0);
		CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);
		CHECK_EQ(in(&w, HVMM_UART_MSR), ON);
		CHECK_EQ(in(&w, HVMM_UART_SCR), 0);
		out(&w, HVMM_UART_LCR, HVMM_UART_LCR_DLAB);
		CHECK_EQ(in(&w, HVMM_UART_DATA), 12);
		CHECK_EQ(in(&w, HVMM_UART_IER), 0);
		/* Make everything dirty, and reset. */
		out(&w, HVMM_UART_DATA, 0x55);
		out(&w, HVMM_UART_IER, 0x55);
		out(&w, HVMM_UART_LCR, 0);
		w.room = 0;
		out(&w, HVMM_UART_IIR, 0xff);
		out(&w, HVMM_UART_IER, 0xff);
		out(&w, HVMM_UART_MCR, 0xff);
		out(&w, HVMM_UART_SCR, 0xff);
		out(&w, HVMM_UART_DATA, 'x');
		out(&w, HVMM_UART_MCR, 0);
		out(&w, HVMM_UART_DATA, 'y');
		hvmm_uart_rx(&w.u, 'z', HVMM_UART_LSR_PARITY);
		CHECK(w.irq);
		hvmm_uart_reset(&w.u);
		CHECK(!w.irq);
	}
}

static void plain_registers(void)
{
	struct wire w;
	unsigned int v;

	init(&w, true);
	for (v = 0; v < 256; v++) {
		out(&w, HVMM_UART_SCR, v);
		CHECK_EQ(in(&w, HVMM_UART_SCR), v);
		out(&w, HVMM_UART_IER, v);
		CHECK_EQ(in(&w, HVMM_UART_IER), v & 0x0f);
		out(&w, HVMM_UART_MCR, v);
		CHECK_EQ(in(&w, HVMM_UART_MCR), v & 0x1f);
		out(&w, HVMM_UART_MCR, 0);
		out(&w, HVMM_UART_LCR, v);
		CHECK_EQ(in(&w, HVMM_UART_LCR), v);
		/* The divisor has its own place. */
		out(&w, HVMM_UART_LCR, HVMM_UART_LCR_DLAB);
		out(&w, HVMM_UART_DATA, v);
		out(&w, HVMM_UART_IER, ~v);
		CHECK_EQ(in(&w, HVMM_UART_DATA), v);
		CHECK_EQ(in(&w, HVMM_UART_IER), (u8)~v);
		out(&w, HVMM_UART_LCR, 0);
		CHECK_EQ(in(&w, HVMM_UART_IER), v & 0x0f);
		/* LSR and MSR are read-only. */
		in(&w, HVMM_UART_MSR);
		out(&w, HVMM_UART_LSR, v);
		out(&w, HVMM_UART_MSR, v);
		CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);
		CHECK_EQ(in(&w, HVMM_UART_MSR), ON);
	}
	CHECK_EQ(w.sent, 0);
	/* Only three address bits. */
	out(&w, 8 + HVMM_UART_SCR, 0x3c);
	CHECK_EQ(in(&w, 16 + HVMM_UART_SCR), 0x3c);
}

static void fifo_control(void)
{
	struct wire w;
	unsigned int i;

	init(&w, false);
	CHECK_EQ(in(&w, HVMM_UART_IIR) & 0xc0, 0);
	/* Bit 0 gates the rest. */
	out(&w, HVMM_UART_IIR, 0xc0);
	CHECK_EQ(in(&w, HVMM_UART_IIR) & 0xc0, 0);
	out(&w, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE);
	CHECK_EQ(in(&w, HVMM_UART_IIR), HVMM_UART_IIR_FIFO | HVMM_UART_IIR_NONE);

	/* Clearing the receiver. */
	for (i = 0; i < 5; i++)
		CHECK(hvmm_uart_rx(&w.u, i, 0));
	CHECK_EQ(hvmm_uart_rx_space(&w.u), 11);
	w.rx_rooms = 0;
	out(&w, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE | HVMM_UART_FCR_CLEAR_RX);
	CHECK_EQ(w.rx_rooms, 1);
	CHECK_EQ(hvmm_uart_rx_space(&w.u), 16);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);

	/* Clearing the transmitter. */
	w.room = 0;
	out(&w, HVMM_UART_DATA, 'a');
	out(&w, HVMM_UART_DATA, 'b');
	CHECK_EQ(in(&w, HVMM_UART_LSR), 0);
	out(&w, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE | HVMM_UART_FCR_CLEAR_TX);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);
	w.room = 10;
	hvmm_uart_tx_room(&w.u);
	CHECK_EQ(w.sent, 0);

	/* Switching clears both. */
	w.room = 0;
	out(&w, HVMM_UART_DATA, 'a');
	hvmm_uart_rx(&w.u, 'r', 0);
	out(&w, HVMM_UART_IIR, 0);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);
	CHECK_EQ(hvmm_uart_rx_space(&w.u), 1);
	hvmm_uart_rx(&w.u, 'r', 0);
	out(&w, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);
}

static void receive(void)
{
	static const u8 level[] = { 1, 4, 8, 14 };
	struct wire w;
	unsigned int t, i;

	/* Trigger levels, and the time-out below them. */
	for (t = 0; t < 4; t++) {
		init(&w, true);
		out(&w, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE | t << 6);
		out(&w, HVMM_UART_IER, HVMM_UART_IER_RX);
		for (i = 1; i <= 16; i++) {
			CHECK(hvmm_uart_rx(&w.u, 0x40 + i, 0));
			CHECK(w.irq);
			CHECK_EQ(in(&w, HVMM_UART_IIR), HVMM_UART_IIR_FIFO |
				 (i >= level[t] ? HVMM_UART_IIR_RX : HVMM_UART_IIR_TIMEOUT));
			CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA);
		}
		CHECK_EQ(hvmm_uart_rx_space(&w.u), 0);
		/* Overrun: what is there stays. */
		CHECK(!hvmm_uart_rx(&w.u, 'X', 0));
		CHECK_EQ(in(&w, HVMM_UART_LSR),
			 IDLE | HVMM_UART_LSR_DATA | HVMM_UART_LSR_OVERRUN);
		CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA);
		CHECK_EQ(w.u.overruns, 1);
		w.rx_rooms = 0;
		for (i = 1; i <= 16; i++) {
			CHECK(w.irq);
			CHECK_EQ(in(&w, HVMM_UART_DATA), 0x40 + i);
			CHECK_EQ(w.rx_rooms, i);
		}
		CHECK(!w.irq);
		CHECK_EQ(in(&w, HVMM_UART_DATA), 0);
		CHECK_EQ(w.rx_rooms, 16);
	}

	/* Without FIFO: one character, and the newest wins. */
	init(&w, false);
	out(&w, HVMM_UART_IER, HVMM_UART_IER_RX);
	CHECK(hvmm_uart_rx(&w.u, 'a', 0));
	CHECK_EQ(in(&w, HVMM_UART_IIR), HVMM_UART_IIR_RX);
	CHECK_EQ(hvmm_uart_rx_space(&w.u), 0);
	CHECK(!hvmm_uart_rx(&w.u, 'b', 0));
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA | HVMM_UART_LSR_OVERRUN);
	CHECK_EQ(in(&w, HVMM_UART_DATA), 'b');
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);
	CHECK(!w.irq);
}

static void line_errors(void)
{
	struct wire w;

	init(&w, true);
	out(&w, HVMM_UART_IER, HVMM_UART_IER_LINE);
	hvmm_uart_rx(&w.u, 'a', 0);
	CHECK(!w.irq);
	hvmm_uart_rx(&w.u, 'b', HVMM_UART_LSR_PARITY | HVMM_UART_LSR_FRAME);
	hvmm_uart_rx(&w.u, 0, HVMM_UART_LSR_BREAK);
	/* An error shows when its character is next, but bit 7 at once. */
	CHECK(!w.irq);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA | HVMM_UART_LSR_FIFOERR);
	CHECK_EQ(in(&w, HVMM_UART_DATA), 'a');
	CHECK(w.irq);
	CHECK_EQ(in(&w, HVMM_UART_IIR), HVMM_UART_IIR_FIFO | HVMM_UART_IIR_LINE);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA | HVMM_UART_LSR_FIFOERR |
		 HVMM_UART_LSR_PARITY | HVMM_UART_LSR_FRAME);
	CHECK(!w.irq);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA | HVMM_UART_LSR_FIFOERR);
	CHECK_EQ(in(&w, HVMM_UART_DATA), 'b');
	CHECK(w.irq);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA | HVMM_UART_LSR_FIFOERR |
		 HVMM_UART_LSR_BREAK);
	CHECK_EQ(in(&w, HVMM_UART_DATA), 0);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);

	/* Only error bits come with a character; without FIFO there is no bit 7. */
	hvmm_uart_rx(&w.u, 'c', 0xff & ~HVMM_UART_LSR_PARITY & ~HVMM_UART_LSR_BREAK);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA | HVMM_UART_LSR_FIFOERR |
		 HVMM_UART_LSR_FRAME);
	init(&w, false);
	hvmm_uart_rx(&w.u, 'c', HVMM_UART_LSR_PARITY);
	CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA | HVMM_UART_LSR_PARITY);
}

static void thre(void)
{
	unsigned int fifo;
	struct wire w;

	for (fifo = 0; fifo < 2; fifo++) {
		u8 id = (fifo ? HVMM_UART_IIR_FIFO : 0);

		/* Enabling interrupts while empty interrupts; reading IIR ends it. */
		init(&w, fifo);
		out(&w, HVMM_UART_IER, HVMM_UART_IER_THRE);
		CHECK(w.irq);
		CHECK_EQ(in(&w, HVMM_UART_IIR), id | HVMM_UART_IIR_THRE);
		CHECK(!w.irq);
		CHECK_EQ(in(&w, HVMM_UART_IIR), id | HVMM_UART_IIR_NONE);
		/* Writing the bit again does not, toggling it does. */
		out(&w, HVMM_UART_IER, HVMM_UART_IER_THRE | HVMM_UART_IER_RX);
		CHECK(!w.irq);
		out(&w, HVMM_UART_IER, 0);
		out(&w, HVMM_UART_IER, HVMM_UART_IER_THRE);
		CHECK(w.irq);
		/* Writing data ends it too; sent at once it is empty again. */
		out(&w, HVMM_UART_DATA, 'a');
		CHECK(w.irq);
		CHECK_EQ(in(&w, HVMM_UART_IIR), id | HVMM_UART_IIR_THRE);
		/* Not sent: no interrupt until there is room. */
		w.room = 0;
		out(&w, HVMM_UART_DATA, 'b');
		CHECK(!w.irq);
		CHECK_EQ(in(&w, HVMM_UART_LSR), 0);
		out(&w, HVMM_UART_IER, 0);
		out(&w, HVMM_UART_IER, HVMM_UART_IER_THRE);
		CHECK(!w.irq);
		hvmm_uart_tx_room(&w.u);
		CHECK(!w.irq);
		w.room = 1;
		hvmm_uart_tx_room(&w.u);
		CHECK(w.irq);
		CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);
		CHECK_EQ(w.sent, 2);
		CHECK_EQ(w.out[1], 'b');
	}

	/* Reading IIR while something above it is reported keeps it. */
	init(&w, true);
	out(&w, HVMM_UART_IER, HVMM_UART_IER_THRE | HVMM_UART_IER_RX);
	hvmm_uart_rx(&w.u, 'r', 0);
	CHECK_EQ(in(&w, HVMM_UART_IIR) & 0xf, HVMM_UART_IIR_RX);
	in(&w, HVMM_UART_DATA);
	CHECK(w.irq);
	CHECK_EQ(in(&w, HVMM_UART_IIR) & 0xf, HVMM_UART_IIR_THRE);
	CHECK(!w.irq);

	/* Not enabled: pending all the same, for whoever enables it later. */
	init(&w, true);
	out(&w, HVMM_UART_DATA, 'a');
	CHECK(!w.irq);
	CHECK_EQ(in(&w, HVMM_UART_IIR) & 0xf, HVMM_UART_IIR_NONE);
}

static void transmit_backlog(void)
{
	unsigned int fifo, i, cap;
	struct wire w;

	for (fifo = 0; fifo < 2; fifo++) {
		cap = fifo ? 16 : 1;
		init(&w, fifo);
		w.room = 0;
		for (i = 0; i < 20; i++)
			out(&w, HVMM_UART_DATA, 'A' + i);
		CHECK_EQ(w.u.tx_lost, 20 - cap);
		/* Room comes in pieces; order is kept. */
		w.room = cap - 1;
		hvmm_uart_tx_room(&w.u);
		CHECK_EQ(w.sent, cap - 1);
		CHECK_EQ(in(&w, HVMM_UART_LSR), 0);
		/* With something waiting, a new character queues behind it. */
		w.room = 100;
		if (fifo)
			out(&w, HVMM_UART_DATA, '!');
		hvmm_uart_tx_room(&w.u);
		CHECK_EQ(w.sent, fifo ? cap + 1 : cap);
		for (i = 0; i < cap; i++)
			CHECK_EQ(w.out[i], 'A' + i);
		if (fifo)
			CHECK_EQ(w.out[16], '!');
		CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE);
	}
}

static void loopback(void)
{
	struct wire w;
	unsigned int v;

	init(&w, true);
	out(&w, HVMM_UART_MCR, HVMM_UART_MCR_LOOP);
	in(&w, HVMM_UART_MSR);
	CHECK_EQ(hvmm_uart_rx_space(&w.u), 0);
	CHECK(!hvmm_uart_rx(&w.u, 'x', 0));
	for (v = 0; v < 256; v++) {
		out(&w, HVMM_UART_DATA, v);
		CHECK_EQ(in(&w, HVMM_UART_LSR), IDLE | HVMM_UART_LSR_DATA);
		CHECK_EQ(in(&w, HVMM_UART_DATA), v);
	}
	CHECK_EQ(w.sent, 0);
	for (v = 0; v < 20; v++)
		out(&w, HVMM_UART_DATA, v);
	CHECK(in(&w, HVMM_UART_LSR) & HVMM_UART_LSR_OVERRUN);
	out(&w, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE | HVMM_UART_FCR_CLEAR_RX);

	/* Break: once per rising edge. */
	out(&w, HVMM_UART_LCR, HVMM_UART_LCR_BREAK);
	out(&w, HVMM_UART_LCR, HVMM_UART_LCR_BREAK | 3);
	CHECK(in(&w, HVMM_UART_LSR) & HVMM_UART_LSR_BREAK);
	CHECK_EQ(in(&w, HVMM_UART_DATA), 0);
	CHECK(!(in(&w, HVMM_UART_LSR) & HVMM_UART_LSR_DATA));
	out(&w, HVMM_UART_LCR, 0);

	/* Outputs to inputs, each by itself. */
	for (v = 0; v < 16; v++) {
		u8 want = (v & 1 ? HVMM_UART_MSR_DSR : 0) | (v & 2 ? HVMM_UART_MSR_CTS : 0) |
			  (v & 4 ? HVMM_UART_MSR_RI : 0) | (v & 8 ? HVMM_UART_MSR_DCD : 0);

		out(&w, HVMM_UART_MCR, HVMM_UART_MCR_LOOP | v);
		CHECK_EQ(in(&w, HVMM_UART_MSR) & 0xf0, want);
		CHECK_EQ(in(&w, HVMM_UART_MSR), want);
	}

	/* Interrupts work in loopback; the outside's lines do not get in. */
	out(&w, HVMM_UART_IER, HVMM_UART_IER_MODEM);
	hvmm_uart_set_lines(&w.u, 0);
	CHECK(!w.irq);
	out(&w, HVMM_UART_MCR, HVMM_UART_MCR_LOOP);
	CHECK(w.irq);
	CHECK_EQ(in(&w, HVMM_UART_MSR), HVMM_UART_MSR_DCTS | HVMM_UART_MSR_DDSR |
		 HVMM_UART_MSR_TERI | HVMM_UART_MSR_DDCD);
	CHECK(!w.irq);

	/* An empty transmitter still says so; one with a character stuck does not. */
	out(&w, HVMM_UART_IER, HVMM_UART_IER_THRE);
	CHECK_EQ(in(&w, HVMM_UART_IIR) & 0xf, HVMM_UART_IIR_THRE);
	out(&w, HVMM_UART_DATA, 'l');
	CHECK_EQ(in(&w, HVMM_UART_IIR) & 0xf, HVMM_UART_IIR_THRE);
	out(&w, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE | HVMM_UART_FCR_CLEAR_RX);

	/* Leaving opens the receiver, and shows the lines. */
	w.rx_rooms = 0;
	out(&w, HVMM_UART_MCR, 0);
	CHECK_EQ(w.rx_rooms, 1);
	CHECK_EQ(hvmm_uart_rx_space(&w.u), 16);
	CHECK_EQ(in(&w, HVMM_UART_MSR), 0);
}

static void modem(void)
{
	static const struct {
		u8 line, delta;
	} bit[] = {
		{ HVMM_UART_MSR_CTS, HVMM_UART_MSR_DCTS },
		{ HVMM_UART_MSR_DSR, HVMM_UART_MSR_DDSR },
		{ HVMM_UART_MSR_DCD, HVMM_UART_MSR_DDCD },
	};
	struct wire w;
	unsigned int i;

	init(&w, false);
	out(&w, HVMM_UART_IER, HVMM_UART_IER_MODEM);
	for (i = 0; i < 3; i++) {
		hvmm_uart_set_lines(&w.u, ON & ~bit[i].line);
		CHECK(w.irq);
		CHECK_EQ(in(&w, HVMM_UART_IIR), HVMM_UART_IIR_MODEM);
		CHECK(w.irq);
		CHECK_EQ(in(&w, HVMM_UART_MSR), (ON & ~bit[i].line) | bit[i].delta);
		CHECK(!w.irq);
		hvmm_uart_set_lines(&w.u, ON);
		CHECK_EQ(in(&w, HVMM_UART_MSR), ON | bit[i].delta);
	}
	/* The ring indicator counts when it ends. */
	hvmm_uart_set_lines(&w.u, ON | HVMM_UART_MSR_RI);
	CHECK(!w.irq);
	CHECK_EQ(in(&w, HVMM_UART_MSR), ON | HVMM_UART_MSR_RI);
	hvmm_uart_set_lines(&w.u, ON);
	CHECK_EQ(in(&w, HVMM_UART_MSR), ON | HVMM_UART_MSR_TERI);
	/* Delta bits cannot be driven from outside. */
	hvmm_uart_set_lines(&w.u, ON | 0x0f);
	CHECK_EQ(in(&w, HVMM_UART_MSR), ON);
}

static void interrupt_priority(void)
{
	unsigned int set, ier;

	/* Every set of pending sources under every set of enabled ones. */
	for (set = 0; set < 16; set++) {
		for (ier = 0; ier < 16; ier++) {
			bool line = set & ier & HVMM_UART_IER_LINE;
			bool rx = ier & HVMM_UART_IER_RX &&
				  set & (HVMM_UART_IER_RX | HVMM_UART_IER_LINE);
			bool th = set & ier & HVMM_UART_IER_THRE;
			bool ms = set & ier & HVMM_UART_IER_MODEM;
			u8 want = HVMM_UART_IIR_NONE;
			struct wire w;

			init(&w, true);
			w.u.thre = set & HVMM_UART_IER_THRE;
			if (!w.u.thre) {
				/* Busy, so that enabling does not raise it. */
				w.room = 0;
				out(&w, HVMM_UART_DATA, 't');
			}
			if (set & HVMM_UART_IER_MODEM)
				hvmm_uart_set_lines(&w.u, 0);
			if (set & HVMM_UART_IER_LINE)
				hvmm_uart_rx(&w.u, 0, HVMM_UART_LSR_BREAK);
			if (set & HVMM_UART_IER_RX)
				hvmm_uart_rx(&w.u, 'r', 0);
			out(&w, HVMM_UART_IER, ier);
			if (line)
				want = HVMM_UART_IIR_LINE;
			else if (rx)
				want = HVMM_UART_IIR_RX;
			else if (th)
				want = HVMM_UART_IIR_THRE;
			else if (ms)
				want = HVMM_UART_IIR_MODEM;
			CHECK_EQ(w.irq, want != HVMM_UART_IIR_NONE);
			CHECK_EQ(in(&w, HVMM_UART_IIR), HVMM_UART_IIR_FIFO | want);
		}
	}
}

/* The outside feeds more from within a read, as a console with a queue does. */
static unsigned int queued;

static void feed(struct hvmm_uart *u)
{
	while (queued && hvmm_uart_rx_space(u)) {
		CHECK(hvmm_uart_rx(u, queued, 0));
		queued--;
	}
}

static void refill(void)
{
	static const struct hvmm_uart_ops ops = {
		.irq = wire_irq, .tx = wire_tx, .rx_room = feed,
	};
	struct wire w;
	unsigned int n = 0;

	init(&w, true);
	w.u.ops = &ops;
	queued = 200;
	out(&w, HVMM_UART_IER, HVMM_UART_IER_RX);
	feed(&w.u);
	while (w.irq) {
		CHECK(in(&w, HVMM_UART_LSR) & HVMM_UART_LSR_DATA);
		CHECK_EQ(in(&w, HVMM_UART_DATA), 200 - n);
		n++;
	}
	CHECK_EQ(n, 200);
	CHECK_EQ(w.u.overruns, 0);
}

/* Random life: no character is lost or invented, and the output tells the truth. */
static void fuzz(void)
{
	unsigned int round, step;

	for (round = 0; round < 300; round++) {
		unsigned int got = 0, given = 0, written = 0;
		struct wire w;

		init(&w, true);
		out(&w, HVMM_UART_IIR, HVMM_UART_FCR_ENABLE | rng_below(4) << 6);
		for (step = 0; step < 1000; step++) {
			u8 lsr;

			switch (rng_below(8)) {
			case 0:
				if (hvmm_uart_rx_space(&w.u))
					CHECK(hvmm_uart_rx(&w.u, given++, 0));
				break;
			case 1:
				if (in(&w, HVMM_UART_LSR) & HVMM_UART_LSR_DATA)
					CHECK_EQ(in(&w, HVMM_UART_DATA), got++ & 0xff);
				break;
			case 2:
				if (in(&w, HVMM_UART_LSR) & HVMM_UART_LSR_THRE)
					out(&w, HVMM_UART_DATA, written++);
				break;
			case 3:
				w.room = rng_below(4);
				hvmm_uart_tx_room(&w.u);
				break;
			case 4:
				out(&w, HVMM_UART_IER, rng());
				break;
			case 5:
				in(&w, HVMM_UART_IIR);
				break;
			case 6:
				in(&w, HVMM_UART_MSR);
				break;
			default:
				hvmm_uart_set_lines(&w.u, rng());
				break;
			}
			lsr = in(&w, HVMM_UART_LSR);
			CHECK_EQ(!!(lsr & HVMM_UART_LSR_DATA), given != got);
			CHECK_EQ(!!(lsr & HVMM_UART_LSR_TEMT), w.sent == written);
			CHECK(w.irq == w.u.irq);
			CHECK(!w.irq || w.u.ier);
			/* Peek: the identification agrees with the output. */
			if (!w.irq)
				CHECK_EQ(in(&w, HVMM_UART_IIR) & 0xf, HVMM_UART_IIR_NONE);
			if (check_failed) {
				tap_diag("round %u step %u", round, step);
				return;
			}
		}
		CHECK_EQ(w.u.overruns + w.u.tx_lost, 0);
		for (step = w.sent > 4096 ? w.sent - 4096 : 0; step < w.sent; step++)
			CHECK_EQ(w.out[step % 4096], step & 0xff);
	}
}

static void fuzz_hostile(void)
{
	unsigned int step;
	struct wire w;

	init(&w, false);
	for (step = 0; step < 500000; step++) {
		if (rng_below(2))
			in(&w, rng_below(8));
		else
			out(&w, rng_below(8), rng());
		if (!rng_below(4))
			hvmm_uart_rx(&w.u, rng(), rng());
		if (!rng_below(8)) {
			w.room = rng_below(20);
			hvmm_uart_tx_room(&w.u);
		}
		if (!rng_below(1000))
			hvmm_uart_reset(&w.u);
		CHECK(w.u.rx_count <= 16 && w.u.tx_count <= 16 && w.u.rx_head < 16);
		CHECK(w.irq == w.u.irq);
		if (check_failed)
			return;
	}
}

static const struct check_case cases[] = {
	{ "reset", reset_state },
	{ "plain registers", plain_registers },
	{ "FIFO control", fifo_control },
	{ "receive, trigger levels, overrun", receive },
	{ "line errors and break", line_errors },
	{ "transmitter-empty interrupt", thre },
	{ "transmitter with no room outside", transmit_backlog },
	{ "loopback", loopback },
	{ "modem lines", modem },
	{ "interrupt priorities", interrupt_priority },
	{ "refill from within a read", refill },
	{ "random use", fuzz },
	{ "random hostile accesses", fuzz_hostile },
};

int main(void)
{
	return check_main(cases, ARRAY_SIZE(cases));
}
