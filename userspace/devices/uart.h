/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A 16550A UART. Transmission takes no time; reception is a queue of bytes
 * from the far end behind a 16-byte FIFO. Callers hold the devices' lock.
 */
#ifndef DEVICES_UART_H
#define DEVICES_UART_H

#include <stddef.h>
#include <stdint.h>

#include "bus.h"
#include "line.h"

#define UART_PORTS 8
#define UART_FIFO_SIZE 16
#define UART_QUEUE_SIZE 4096
#define UART_RING_SIZE (UART_QUEUE_SIZE + UART_FIFO_SIZE)

/**
 * struct uart_backend - the far end of the serial line
 * @send: takes one byte from the guest
 * @send_ctx: for @send
 * @has_room: the queue was full and is no longer; may be NULL
 * @room_ctx: for @has_room
 */
struct uart_backend {
	void (*send)(void *ctx, uint8_t byte);
	void *send_ctx;
	void (*has_room)(void *ctx);
	void *room_ctx;
};

struct uart {
	struct irq_line irq;
	struct uart_backend backend;
	uint8_t ier, lcr, mcr, lsr, msr, scr, fcr;
	uint8_t dll, dlm;
	bool thre_pending;	/* the "transmitter empty" interrupt is due */
	unsigned int lsr_reads;	/* in a row, nothing else in between */
	uint8_t fifo[UART_FIFO_SIZE];
	unsigned int fifo_head, fifo_len;
	uint8_t queue[UART_RING_SIZE];	/* room for a FIFO that is put back */
	unsigned int queue_head, queue_len;
};

extern const struct bus_ops uart_ops;

void uart_init(struct uart *u, struct irq_line irq, struct uart_backend backend);

/* How many bytes uart_receive() would take now. */
size_t uart_room(const struct uart *u);

/* Bytes from the far end; returns how many were taken. */
size_t uart_receive(struct uart *u, const uint8_t *data, size_t len);

#endif
