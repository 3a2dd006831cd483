// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 16550A as its data sheet and drivers have it: registers, FIFO,
 * interrupts in order of priority, loopback, and no byte lost on the way in.
 */
#include <linux/serial_reg.h>

#include "mvm_harness.h"
#include "userspace/devices/uart.h"

/* The other ends of its wires. */
struct ends {
	uint8_t sent[64];
	unsigned int nr_sent;
	unsigned int edges;	/* low to high */
	bool level;
	unsigned int room_calls;
};

FIXTURE(uart) {
	struct uart u;
	struct ends ends;
};

static void set_irq(void *ctx, unsigned int irq, bool level)
{
	struct ends *e = ctx;

	(void)irq;
	if (level && !e->level)
		e->edges++;
	e->level = level;
}

static void send_byte(void *ctx, uint8_t byte)
{
	struct ends *e = ctx;

	e->sent[e->nr_sent++ % sizeof(e->sent)] = byte;
}

static void has_room(void *ctx)
{
	struct ends *e = ctx;

	e->room_calls++;
}

FIXTURE_SETUP(uart)
{
	struct irq_line irq = { .set = set_irq, .ctx = &self->ends, .irq = 4 };
	struct uart_backend backend = {
		.send = send_byte, .send_ctx = &self->ends,
		.has_room = has_room, .room_ctx = &self->ends,
	};

	uart_init(&self->u, irq, backend);
}

FIXTURE_TEARDOWN(uart)
{
}

static uint8_t in(struct uart *u, unsigned int reg)
{
	return uart_ops.read(u, reg, 1);
}

static void out(struct uart *u, unsigned int reg, uint8_t value)
{
	uart_ops.write(u, reg, 1, value);
}

static void listen(struct uart *u)
{
	out(u, UART_MCR, UART_MCR_OUT2);
	out(u, UART_IER, UART_IER_RDI);
}

static void feed(struct uart *u, const char *text)
{
	uart_receive(u, (const uint8_t *)text, strlen(text));
}

TEST_F(uart, is_idle_and_connected_after_reset)
{
	EXPECT_EQ(UART_LSR_THRE | UART_LSR_TEMT, in(&self->u, UART_LSR));
	EXPECT_EQ(UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS, in(&self->u, UART_MSR));
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->u, UART_IIR));
	EXPECT_EQ(0, in(&self->u, UART_IER));
	EXPECT_FALSE(self->ends.level);
}

TEST_F(uart, sends_bytes_in_order)
{
	out(&self->u, UART_TX, 'o');
	out(&self->u, UART_TX, 'k');
	ASSERT_EQ(2, self->ends.nr_sent);
	EXPECT_EQ('o', self->ends.sent[0]);
	EXPECT_EQ('k', self->ends.sent[1]);
}

TEST_F(uart, divisor_latch_hides_data_and_ier)
{
	out(&self->u, UART_IER, UART_IER_RLSI);
	out(&self->u, UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	out(&self->u, UART_DLL, 0x0c);
	out(&self->u, UART_DLM, 0x34);
	EXPECT_EQ(0x0c, in(&self->u, UART_DLL));
	EXPECT_EQ(0x34, in(&self->u, UART_DLM));
	out(&self->u, UART_LCR, UART_LCR_WLEN8);
	EXPECT_EQ(0, self->ends.nr_sent);
	EXPECT_EQ(UART_IER_RLSI, in(&self->u, UART_IER));
}

TEST_F(uart, fifo_mode_shows_in_iir_and_scratch_keeps_a_byte)
{
	out(&self->u, UART_SCR, 0xa5);
	EXPECT_EQ(0xa5, in(&self->u, UART_SCR));
	out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO);
	EXPECT_EQ(0xc0, in(&self->u, UART_IIR) & 0xc0);
	out(&self->u, UART_FCR, 0);
	EXPECT_EQ(0, in(&self->u, UART_IIR) & 0xc0);
}

TEST_F(uart, transmit_interrupt_is_an_edge_for_each_byte)
{
	out(&self->u, UART_MCR, UART_MCR_OUT2);
	out(&self->u, UART_IER, UART_IER_THRI);
	EXPECT_EQ(1, self->ends.edges);
	EXPECT_EQ(UART_IIR_THRI, in(&self->u, UART_IIR));
	EXPECT_FALSE(self->ends.level);
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->u, UART_IIR));
	out(&self->u, UART_TX, 'a');
	EXPECT_EQ(2, self->ends.edges);
	out(&self->u, UART_TX, 'b');
	EXPECT_EQ(3, self->ends.edges);
}

TEST_F(uart, no_interrupt_leaves_without_out2)
{
	out(&self->u, UART_IER, UART_IER_THRI);
	EXPECT_EQ(0, self->ends.edges);
	out(&self->u, UART_MCR, UART_MCR_OUT2);
	EXPECT_EQ(1, self->ends.edges);
	out(&self->u, UART_MCR, UART_MCR_OUT2 | UART_MCR_LOOP);
	EXPECT_FALSE(self->ends.level);
}

TEST_F(uart, receive_interrupt_comes_before_transmit)
{
	out(&self->u, UART_MCR, UART_MCR_OUT2);
	out(&self->u, UART_IER, UART_IER_THRI | UART_IER_RDI);
	feed(&self->u, "x");
	EXPECT_EQ(UART_IIR_RDI, in(&self->u, UART_IIR));
	EXPECT_TRUE(in(&self->u, UART_LSR) & UART_LSR_DR);
	EXPECT_EQ('x', in(&self->u, UART_RX));
	EXPECT_FALSE(in(&self->u, UART_LSR) & UART_LSR_DR);
	EXPECT_EQ(UART_IIR_THRI, in(&self->u, UART_IIR));
	EXPECT_FALSE(self->ends.level);
}

TEST_F(uart, fifo_trigger_level_tells_timeout_from_data)
{
	out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_8);
	listen(&self->u);
	feed(&self->u, "1234567");
	EXPECT_EQ(0xc0 | UART_IIR_RX_TIMEOUT, in(&self->u, UART_IIR));
	feed(&self->u, "8");
	EXPECT_EQ(0xc0 | UART_IIR_RDI, in(&self->u, UART_IIR));
}

TEST_F(uart, every_queued_byte_arrives_in_order)
{
	static uint8_t data[UART_QUEUE_SIZE + UART_FIFO_SIZE + 100];
	size_t i, taken;

	for (i = 0; i < sizeof(data); i++)
		data[i] = i * 7;
	out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO);
	taken = uart_receive(&self->u, data, sizeof(data));
	EXPECT_EQ(UART_QUEUE_SIZE, taken);
	EXPECT_EQ(0, uart_room(&self->u));

	listen(&self->u);
	EXPECT_EQ(1, self->ends.room_calls);
	taken += uart_receive(&self->u, data + taken, sizeof(data) - taken);
	EXPECT_EQ(UART_QUEUE_SIZE + UART_FIFO_SIZE, taken);
	for (i = 0; i < taken; i++)
		ASSERT_EQ(data[i], in(&self->u, UART_RX));
	EXPECT_FALSE(in(&self->u, UART_LSR) & UART_LSR_DR);
	EXPECT_EQ(0, in(&self->u, UART_LSR) & UART_LSR_OE);
}

TEST_F(uart, start_up_of_a_driver_loses_no_input)
{
	unsigned int i;

	/* What came before the driver; its probe; its way of clearing everything. */
	feed(&self->u, "go");
	out(&self->u, UART_IER, 0x0f);
	out(&self->u, UART_IER, 0);
	for (i = 0; i < 2; i++) {
		out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO);
		out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR |
		    UART_FCR_CLEAR_XMIT);
		out(&self->u, UART_FCR, 0);
		in(&self->u, UART_LSR);
		in(&self->u, UART_LSR);
		in(&self->u, UART_RX);
		in(&self->u, UART_IIR);
		in(&self->u, UART_MSR);
	}
	listen(&self->u);
	EXPECT_EQ('g', in(&self->u, UART_RX));
	EXPECT_EQ('o', in(&self->u, UART_RX));
}

TEST_F(uart, change_of_fifo_mode_loses_no_input)
{
	static const char text[] = "0123456789abcdefghij";
	unsigned int i;

	listen(&self->u);
	feed(&self->u, text);
	out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO);
	out(&self->u, UART_FCR, 0);
	out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO);
	for (i = 0; i < strlen(text); i++)
		ASSERT_EQ(text[i], in(&self->u, UART_RX));
}

TEST_F(uart, polling_lsr_receives_without_interrupts)
{
	unsigned int i;

	feed(&self->u, "p");
	EXPECT_FALSE(in(&self->u, UART_LSR) & UART_LSR_DR);
	for (i = 0; i < 100 && !(in(&self->u, UART_LSR) & UART_LSR_DR); i++)
		;
	EXPECT_EQ('p', in(&self->u, UART_RX));
}

TEST_F(uart, loopback_returns_bytes_and_reports_overrun)
{
	out(&self->u, UART_MCR, UART_MCR_LOOP);
	out(&self->u, UART_TX, 'L');
	EXPECT_EQ(0, self->ends.nr_sent);
	EXPECT_TRUE(in(&self->u, UART_LSR) & UART_LSR_DR);
	out(&self->u, UART_TX, 'M');
	EXPECT_TRUE(in(&self->u, UART_LSR) & UART_LSR_OE);
	EXPECT_FALSE(in(&self->u, UART_LSR) & UART_LSR_OE);
	EXPECT_EQ('L', in(&self->u, UART_RX));
}

TEST_F(uart, loopback_ties_modem_outputs_to_inputs_with_deltas)
{
	out(&self->u, UART_MCR, UART_MCR_LOOP);
	EXPECT_EQ(UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_DDCD, in(&self->u, UART_MSR));
	EXPECT_EQ(0, in(&self->u, UART_MSR));
	out(&self->u, UART_MCR, UART_MCR_LOOP | UART_MCR_RTS | UART_MCR_OUT1);
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_RI | UART_MSR_DCTS, in(&self->u, UART_MSR));
	out(&self->u, UART_MCR, UART_MCR_LOOP | UART_MCR_RTS);
	EXPECT_EQ(UART_MSR_CTS | UART_MSR_TERI, in(&self->u, UART_MSR));
}

TEST_F(uart, modem_interrupt_has_the_lowest_priority)
{
	out(&self->u, UART_MCR, UART_MCR_LOOP);
	out(&self->u, UART_IER, UART_IER_MSI | UART_IER_THRI);
	EXPECT_EQ(UART_IIR_THRI, in(&self->u, UART_IIR));
	EXPECT_EQ(UART_IIR_MSI, in(&self->u, UART_IIR));
	in(&self->u, UART_MSR);
	EXPECT_EQ(UART_IIR_NO_INT, in(&self->u, UART_IIR));
}

TEST_F(uart, receiver_reset_empties_the_fifo)
{
	out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO);
	listen(&self->u);
	feed(&self->u, "stale");
	EXPECT_TRUE(in(&self->u, UART_LSR) & UART_LSR_DR);
	out(&self->u, UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	EXPECT_FALSE(in(&self->u, UART_LSR) & UART_LSR_DR);
}

MVM_HARNESS_MAIN
