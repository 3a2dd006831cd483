/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two ports for guests without drivers: 0xE9 prints a byte, 0xF4 ends the
 * machine with a byte as its exit status. Callers hold the devices' lock.
 */
#ifndef DEVICES_DEBUG_PORTS_H
#define DEVICES_DEBUG_PORTS_H

#include <stdint.h>

#include "bus.h"
#include "line.h"

struct debugcon {
	void (*send)(void *ctx, uint8_t byte);
	void *ctx;
};

/* The device is a struct debugcon. */
extern const struct bus_ops debugcon_ops;

/* The device is a struct power_line. */
extern const struct bus_ops debug_exit_ops;

#endif
