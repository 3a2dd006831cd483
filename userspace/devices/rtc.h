/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The MC146818 clock and its CMOS memory at ports 70h and 71h: the time of
 * day, which the guest may set for itself, and 114 bytes of memory. Alarm,
 * periodic and update interrupts are not generated. Callers hold the
 * devices' lock.
 */
#ifndef DEVICES_RTC_H
#define DEVICES_RTC_H

#include <stdint.h>
#include <time.h>

#include "bus.h"

#define RTC_PORTS 2
#define RTC_CMOS_SIZE 128

struct rtc {
	time_t (*now)(void);		/* the host's clock, replaced by tests */
	int64_t offset;			/* guest time minus host time, seconds */
	uint8_t index;
	uint8_t cmos[RTC_CMOS_SIZE];
	struct tm frozen;		/* the time while register B says SET */
};

extern const struct bus_ops rtc_ops;

/* @ram_low, @ram_high: RAM below and above 4 GiB, told in the usual bytes. */
void rtc_init(struct rtc *rtc, time_t (*now)(void), uint64_t ram_low, uint64_t ram_high);

#endif
