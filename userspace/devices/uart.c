// SPDX-License-Identifier: GPL-2.0-only
/*
 * 16550A registers and interrupts, after National's data sheet. Register
 * names are those of <linux/serial_reg.h>.
 *
 * The far end hands over whole buffers, much faster than any line. Bytes
 * therefore wait in a queue and "arrive" in the FIFO when the guest listens:
 * when it has enabled and connected the receive interrupt, or polls LSR many
 * times in a row. What is in the FIFO when its mode changes goes back to the queue.
 * A driver that tries out registers while it starts up loses nothing that way;
 * an explicit receiver reset does discard.
 */
#include <linux/serial_reg.h>
#include <string.h>

#include "uart.h"

#define LSR_IDLE (UART_LSR_THRE | UART_LSR_TEMT)
#define MSR_CONNECTED (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS)
#define IER_BITS (UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define MCR_BITS (UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_OUT1 | UART_MCR_RTS | UART_MCR_DTR)
#define IIR_FIFOS_ON 0xc0
#define LSR_READS_OF_A_POLL 8	/* Linux's start-up does up to three */

static unsigned int fifo_depth(const struct uart *u)
{
	return u->fcr & UART_FCR_ENABLE_FIFO ? UART_FIFO_SIZE : 1;
}

static unsigned int trigger_level(const struct uart *u)
{
	static const unsigned int levels[] = { 1, 4, 8, 14 };

	return u->fcr & UART_FCR_ENABLE_FIFO ? levels[u->fcr >> 6] : 1;
}

/* The source of highest priority, as IIR tells it. */
static uint8_t interrupt_id(const struct uart *u)
{
	if (u->ier & UART_IER_RLSI && u->lsr & UART_LSR_BRK_ERROR_BITS)
		return UART_IIR_RLSI;
	if (u->ier & UART_IER_RDI && u->fifo_len >= trigger_level(u))
		return UART_IIR_RDI;
	if (u->ier & UART_IER_RDI && u->fifo_len)
		return UART_IIR_RX_TIMEOUT;
	if (u->ier & UART_IER_THRI && u->thre_pending)
		return UART_IIR_THRI;
	if (u->ier & UART_IER_MSI && u->msr & UART_MSR_ANY_DELTA)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

/* On a PC the OUT2 pin connects the interrupt; loopback holds that pin back. */
static bool connected(const struct uart *u)
{
	return (u->mcr & (UART_MCR_OUT2 | UART_MCR_LOOP)) == UART_MCR_OUT2;
}

static void update_irq(struct uart *u)
{
	irq_line_set(&u->irq, connected(u) && interrupt_id(u) != UART_IIR_NO_INT);
}

static void fifo_push(struct uart *u, uint8_t byte)
{
	if (u->fifo_len >= fifo_depth(u)) {
		u->lsr |= UART_LSR_OE;
		return;
	}
	u->fifo[(u->fifo_head + u->fifo_len++) % UART_FIFO_SIZE] = byte;
	u->lsr |= UART_LSR_DR;
}

static void fifo_clear(struct uart *u)
{
	u->fifo_head = 0;
	u->fifo_len = 0;
	u->lsr &= ~UART_LSR_DR;
}

/* As if those bytes had not arrived yet. Loopback's bytes have no far end. */
static void fifo_put_back(struct uart *u)
{
	while (u->fifo_len && !(u->mcr & UART_MCR_LOOP) && u->queue_len < UART_RING_SIZE) {
		u->fifo_len--;
		u->queue_head = (u->queue_head + UART_RING_SIZE - 1) % UART_RING_SIZE;
		u->queue[u->queue_head] = u->fifo[(u->fifo_head + u->fifo_len) % UART_FIFO_SIZE];
		u->queue_len++;
	}
	fifo_clear(u);
}

/* Let queued bytes arrive as far as the FIFO has room. */
static void arrive(struct uart *u)
{
	bool was_full = u->queue_len >= UART_QUEUE_SIZE;

	if (u->mcr & UART_MCR_LOOP)
		return;
	while (u->queue_len && u->fifo_len < fifo_depth(u)) {
		fifo_push(u, u->queue[u->queue_head]);
		u->queue_head = (u->queue_head + 1) % UART_RING_SIZE;
		u->queue_len--;
	}
	if (was_full && u->queue_len < UART_QUEUE_SIZE && u->backend.has_room)
		u->backend.has_room(u->backend.room_ctx);
}

static void arrive_if_listening(struct uart *u)
{
	if (u->ier & UART_IER_RDI && connected(u))
		arrive(u);
}

/* Recompute the modem inputs; each that changed leaves its delta bit. */
static void update_modem(struct uart *u)
{
	uint8_t now = MSR_CONNECTED, changed;

	if (u->mcr & UART_MCR_LOOP) {
		now = 0;
		if (u->mcr & UART_MCR_RTS)
			now |= UART_MSR_CTS;
		if (u->mcr & UART_MCR_DTR)
			now |= UART_MSR_DSR;
		if (u->mcr & UART_MCR_OUT1)
			now |= UART_MSR_RI;
		if (u->mcr & UART_MCR_OUT2)
			now |= UART_MSR_DCD;
	}
	changed = (u->msr ^ now) & (UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD);
	/* The ring indicator counts only when it goes away. */
	if (u->msr & ~now & UART_MSR_RI)
		changed |= UART_MSR_RI;
	u->msr = now | (u->msr & UART_MSR_ANY_DELTA) | changed >> 4;
}

static uint8_t read_rbr(struct uart *u)
{
	uint8_t byte = 0;

	if (u->fifo_len) {
		byte = u->fifo[u->fifo_head];
		u->fifo_head = (u->fifo_head + 1) % UART_FIFO_SIZE;
		u->fifo_len--;
	}
	if (!u->fifo_len)
		u->lsr &= ~UART_LSR_DR;
	arrive_if_listening(u);
	return byte;
}

static uint8_t read_iir(struct uart *u)
{
	uint8_t id = interrupt_id(u);

	if (id == UART_IIR_THRI)
		u->thre_pending = false;
	if (u->fcr & UART_FCR_ENABLE_FIFO)
		id |= IIR_FIFOS_ON;
	return id;
}

static uint8_t read_lsr(struct uart *u)
{
	uint8_t lsr;

	if (u->lsr_reads >= LSR_READS_OF_A_POLL)
		arrive(u);
	else
		u->lsr_reads++;
	lsr = u->lsr;
	u->lsr &= ~UART_LSR_BRK_ERROR_BITS;
	return lsr;
}

static uint8_t read_msr(struct uart *u)
{
	uint8_t msr = u->msr;

	u->msr &= ~UART_MSR_ANY_DELTA;
	return msr;
}

static uint8_t read_reg(struct uart *u, uint64_t reg)
{
	bool dlab = u->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX:
		return dlab ? u->dll : read_rbr(u);
	case UART_IER:
		return dlab ? u->dlm : u->ier;
	case UART_IIR:
		return read_iir(u);
	case UART_LCR:
		return u->lcr;
	case UART_MCR:
		return u->mcr;
	case UART_LSR:
		return read_lsr(u);
	case UART_MSR:
		return read_msr(u);
	default:
		return u->scr;
	}
}

static void write_thr(struct uart *u, uint8_t byte)
{
	/* The line drops and rises again: the interrupt is an edge. */
	u->thre_pending = false;
	update_irq(u);
	if (u->mcr & UART_MCR_LOOP)
		fifo_push(u, byte);
	else
		u->backend.send(u->backend.send_ctx, byte);
	u->thre_pending = true;
}

static void write_ier(struct uart *u, uint8_t value)
{
	/* Enabling the transmit interrupt while empty raises it at once. */
	if (value & ~u->ier & UART_IER_THRI)
		u->thre_pending = true;
	u->ier = value & IER_BITS;
	arrive_if_listening(u);
}

static void write_fcr(struct uart *u, uint8_t value)
{
	if (value & UART_FCR_CLEAR_RCVR)
		fifo_clear(u);
	else if ((value ^ u->fcr) & UART_FCR_ENABLE_FIFO)
		fifo_put_back(u);
	/* Without the enable bit the others are not taken. */
	u->fcr = value & UART_FCR_ENABLE_FIFO ? value & (UART_FCR_ENABLE_FIFO | 0xc0) : 0;
	arrive_if_listening(u);
}

static void write_mcr(struct uart *u, uint8_t value)
{
	u->mcr = value & MCR_BITS;
	update_modem(u);
	arrive_if_listening(u);
}

static void write_reg(struct uart *u, uint64_t reg, uint8_t value)
{
	bool dlab = u->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (dlab)
			u->dll = value;
		else
			write_thr(u, value);
		break;
	case UART_IER:
		if (dlab)
			u->dlm = value;
		else
			write_ier(u, value);
		break;
	case UART_FCR:
		write_fcr(u, value);
		break;
	case UART_LCR:
		u->lcr = value;
		break;
	case UART_MCR:
		write_mcr(u, value);
		break;
	case UART_SCR:
		u->scr = value;
		break;
	}
}

static uint64_t uart_read(void *dev, uint64_t offset, unsigned int len)
{
	struct uart *u = dev;
	uint8_t value = read_reg(u, offset);

	(void)len;
	if (offset != UART_LSR)
		u->lsr_reads = 0;
	update_irq(u);
	return value;
}

static void uart_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct uart *u = dev;

	(void)len;
	u->lsr_reads = 0;
	write_reg(u, offset, value);
	update_irq(u);
}

const struct bus_ops uart_ops = {
	.name = "uart",
	.max_width = 1,
	.read = uart_read,
	.write = uart_write,
};

void uart_init(struct uart *u, struct irq_line irq, struct uart_backend backend)
{
	memset(u, 0, sizeof(*u));
	u->irq = irq;
	u->backend = backend;
	u->lsr = LSR_IDLE;
	u->msr = MSR_CONNECTED;
	u->dll = 1;	/* 115200 baud, as firmware would leave it */
}

size_t uart_room(const struct uart *u)
{
	return u->queue_len < UART_QUEUE_SIZE ? UART_QUEUE_SIZE - u->queue_len : 0;
}

size_t uart_receive(struct uart *u, const uint8_t *data, size_t len)
{
	size_t taken = 0;

	while (taken < len && u->queue_len < UART_QUEUE_SIZE)
		u->queue[(u->queue_head + u->queue_len++) % UART_RING_SIZE] = data[taken++];
	arrive_if_listening(u);
	update_irq(u);
	return taken;
}
