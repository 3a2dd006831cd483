// SPDX-License-Identifier: GPL-2.0-only
/*
 * PM1 registers, after the fixed hardware chapter of the ACPI specification.
 * The machine has no legacy mode: SCI_EN always reads as one.
 */
#include <string.h>

#include "acpi_pm.h"

#define EVT_ENABLE_OFFSET	2
#define CNT_SCI_EN		0x0001
#define CNT_SLP_TYP_SHIFT	10
#define CNT_SLP_TYP_MASK	0x7
#define CNT_SLP_EN		0x2000

/* One byte or two at an even or odd place of a 16-bit register. */
static uint16_t merge(uint16_t old, unsigned int byte, unsigned int len, uint64_t value)
{
	unsigned int shift = byte * 8;
	uint16_t mask = (len == 1 ? 0xff : 0xffff) << shift;

	return (old & ~mask) | ((value << shift) & mask);
}

static uint64_t evt_read(void *dev, uint64_t offset, unsigned int len)
{
	const struct acpi_pm *pm = dev;

	(void)len;
	/* Status, the first half, is always clear: nothing ever happens. */
	if (offset < EVT_ENABLE_OFFSET)
		return 0;
	return pm->enable >> (offset - EVT_ENABLE_OFFSET) * 8;
}

static void evt_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct acpi_pm *pm = dev;

	if (offset >= EVT_ENABLE_OFFSET)
		pm->enable = merge(pm->enable, offset - EVT_ENABLE_OFFSET, len, value);
}

static uint64_t cnt_read(void *dev, uint64_t offset, unsigned int len)
{
	const struct acpi_pm *pm = dev;

	(void)len;
	return (pm->control | CNT_SCI_EN) >> offset * 8;
}

static void cnt_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct acpi_pm *pm = dev;
	uint16_t control = merge(pm->control, offset, len, value);

	/* SLP_EN is a trigger and reads as zero. */
	pm->control = control & ~CNT_SLP_EN;
	if (control & CNT_SLP_EN &&
	    (control >> CNT_SLP_TYP_SHIFT & CNT_SLP_TYP_MASK) == pm->s5_type)
		power_request(&pm->power, POWER_OFF, 0);
}

const struct bus_ops acpi_pm_evt_ops = {
	.name = "acpi-pm-event",
	.max_width = 2,
	.read = evt_read,
	.write = evt_write,
};

const struct bus_ops acpi_pm_cnt_ops = {
	.name = "acpi-pm-control",
	.max_width = 2,
	.read = cnt_read,
	.write = cnt_write,
};

void acpi_pm_init(struct acpi_pm *pm, struct power_line power, uint8_t s5_type)
{
	memset(pm, 0, sizeof(*pm));
	pm->power = power;
	pm->s5_type = s5_type;
}
