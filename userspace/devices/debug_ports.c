// SPDX-License-Identifier: GPL-2.0-only
/*
 * The debug console and the debug exit. Reading the console gives its own
 * port number, by which guests find out that it is there.
 */
#include "debug_ports.h"

#define DEBUGCON_PRESENT 0xe9

static uint64_t debugcon_read(void *dev, uint64_t offset, unsigned int len)
{
	(void)dev;
	(void)offset;
	(void)len;
	return DEBUGCON_PRESENT;
}

static void debugcon_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct debugcon *con = dev;

	(void)offset;
	(void)len;
	con->send(con->ctx, value);
}

static uint64_t debug_exit_read(void *dev, uint64_t offset, unsigned int len)
{
	(void)dev;
	(void)offset;
	(void)len;
	return 0;
}

static void debug_exit_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	(void)offset;
	(void)len;
	power_request(dev, POWER_EXIT, value);
}

const struct bus_ops debugcon_ops = {
	.name = "debug-console",
	.max_width = 1,
	.read = debugcon_read,
	.write = debugcon_write,
};

const struct bus_ops debug_exit_ops = {
	.name = "debug-exit",
	.max_width = 1,
	.read = debug_exit_read,
	.write = debug_exit_write,
};
