/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wires that leave a device: its interrupt line, and its way to switch
 * the machine off. What is at the other end is not the device's business.
 */
#ifndef DEVICES_LINE_H
#define DEVICES_LINE_H

#include <stdbool.h>

struct irq_line {
	void (*set)(void *ctx, unsigned int irq, bool level);
	void *ctx;
	unsigned int irq;
	bool level;		/* as last set; starts low */
};

/* Only changes cost a call. */
static inline void irq_line_set(struct irq_line *line, bool level)
{
	if (line->level == level)
		return;
	line->level = level;
	line->set(line->ctx, line->irq, level);
}

enum power_event {
	POWER_RESET,		/* start again from the image */
	POWER_OFF,
	POWER_EXIT,		/* off, with a status byte of the guest's choice */
};

struct power_line {
	void (*request)(void *ctx, enum power_event event, unsigned char status);
	void *ctx;
};

static inline void power_request(const struct power_line *line, enum power_event event,
				 unsigned char status)
{
	line->request(line->ctx, event, status);
}

#endif
