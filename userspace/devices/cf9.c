// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset control: software says which kind of reset it wants, then sets bit 2,
 * and the rise of that bit resets. All kinds are the same here.
 */
#include "cf9.h"

#define RST_CPU 0x04

static uint64_t cf9_read(void *dev, uint64_t offset, unsigned int len)
{
	const struct cf9 *cf9 = dev;

	(void)offset;
	(void)len;
	return cf9->value;
}

static void cf9_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct cf9 *cf9 = dev;
	uint8_t rose = value & ~cf9->value;

	(void)offset;
	(void)len;
	cf9->value = value;
	if (rose & RST_CPU)
		power_request(&cf9->power, POWER_RESET, 0);
}

const struct bus_ops cf9_ops = {
	.name = "cf9-reset",
	.max_width = 1,
	.read = cf9_read,
	.write = cf9_write,
};

void cf9_init(struct cf9 *cf9, struct power_line power)
{
	cf9->power = power;
	cf9->value = 0;
}
