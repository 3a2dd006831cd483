/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A keyboard controller with nothing plugged in: its self test passes, its
 * commands are answered, and its reset line works. Callers hold the devices'
 * lock.
 */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include <stdint.h>

#include "bus.h"
#include "line.h"

struct i8042 {
	struct power_line power;
	uint8_t config;		/* the command byte */
	uint8_t output;
	bool output_full;
	uint8_t pending;	/* command that waits for its data byte, or 0 */
};

/* Two ranges, one port each: 60h and 64h. */
extern const struct bus_ops i8042_data_ops;
extern const struct bus_ops i8042_cmd_ops;

void i8042_init(struct i8042 *kbc, struct power_line power);

#endif
