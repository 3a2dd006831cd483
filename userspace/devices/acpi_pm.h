/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI PM1a event and control blocks: enough of the fixed hardware for a
 * guest to enter S5. No event is ever raised. Callers hold the devices' lock.
 */
#ifndef DEVICES_ACPI_PM_H
#define DEVICES_ACPI_PM_H

#include <stdint.h>

#include "bus.h"
#include "line.h"

#define ACPI_PM_EVT_PORTS 4
#define ACPI_PM_CNT_PORTS 2

struct acpi_pm {
	struct power_line power;
	uint8_t s5_type;	/* SLP_TYP that means soft-off */
	uint16_t enable;
	uint16_t control;
};

extern const struct bus_ops acpi_pm_evt_ops;
extern const struct bus_ops acpi_pm_cnt_ops;

void acpi_pm_init(struct acpi_pm *pm, struct power_line power, uint8_t s5_type);

#endif
