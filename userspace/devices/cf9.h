/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reset control register at port 0xCF9. Callers hold the devices' lock.
 */
#ifndef DEVICES_CF9_H
#define DEVICES_CF9_H

#include <stdint.h>

#include "bus.h"
#include "line.h"

struct cf9 {
	struct power_line power;
	uint8_t value;
};

extern const struct bus_ops cf9_ops;

void cf9_init(struct cf9 *cf9, struct power_line power);

#endif
