// SPDX-License-Identifier: GPL-2.0-only
/*
 * MC146818 time registers over the host's clock. Time is UTC. A register
 * written by the guest moves an offset, so that the clock goes on from there;
 * with SET in register B the fields are written one by one and take effect
 * when SET is cleared.
 */
#include <stdbool.h>
#include <string.h>

#include "rtc.h"

enum {
	REG_SECONDS = 0x00,
	REG_MINUTES = 0x02,
	REG_HOURS = 0x04,
	REG_WEEKDAY = 0x06,
	REG_DAY = 0x07,
	REG_MONTH = 0x08,
	REG_YEAR = 0x09,
	REG_A = 0x0a,
	REG_B = 0x0b,
	REG_C = 0x0c,
	REG_D = 0x0d,
	REG_EXT_LOW = 0x17,	/* KiB above 1 MiB, at most 64 MiB */
	REG_EXT2_LOW = 0x30,	/* the same once more */
	REG_CENTURY = 0x32,
	REG_MEM16_LOW = 0x34,	/* 64 KiB units above 16 MiB, below 4 GiB */
	REG_HIGH_LOW = 0x5b,	/* 64 KiB units above 4 GiB, three bytes */
};

#define REG_A_DEFAULT	0x26	/* 32 kHz base, 1024 Hz rate, no update now */
#define REG_B_SET	0x80
#define REG_B_BINARY	0x04
#define REG_B_24H	0x02
#define REG_D_VALID	0x80
#define HOUR_PM		0x80

static uint8_t encode(const struct rtc *rtc, int value)
{
	if (rtc->cmos[REG_B] & REG_B_BINARY)
		return value;
	return (value / 10) << 4 | value % 10;
}

static int decode(const struct rtc *rtc, uint8_t byte)
{
	if (rtc->cmos[REG_B] & REG_B_BINARY)
		return byte;
	return (byte >> 4) * 10 + (byte & 0x0f);
}

static uint8_t encode_hour(const struct rtc *rtc, int hour)
{
	int twelve = hour % 12 ? hour % 12 : 12;

	if (rtc->cmos[REG_B] & REG_B_24H)
		return encode(rtc, hour);
	return encode(rtc, twelve) | (hour >= 12 ? HOUR_PM : 0);
}

static int decode_hour(const struct rtc *rtc, uint8_t byte)
{
	if (rtc->cmos[REG_B] & REG_B_24H)
		return decode(rtc, byte);
	return decode(rtc, byte & ~HOUR_PM) % 12 + (byte & HOUR_PM ? 12 : 0);
}

static struct tm guest_time(const struct rtc *rtc)
{
	time_t now = rtc->now() + rtc->offset;
	struct tm tm;

	if (rtc->cmos[REG_B] & REG_B_SET)
		return rtc->frozen;
	memset(&tm, 0, sizeof(tm));
	gmtime_r(&now, &tm);
	return tm;
}

static void set_guest_time(struct rtc *rtc, struct tm tm)
{
	/* timegm() takes fields out of range and normalizes them. */
	rtc->offset = timegm(&tm) - rtc->now();
}

static bool is_time(uint8_t reg)
{
	switch (reg) {
	case REG_SECONDS:
	case REG_MINUTES:
	case REG_HOURS:
	case REG_WEEKDAY:
	case REG_DAY:
	case REG_MONTH:
	case REG_YEAR:
	case REG_CENTURY:
		return true;
	default:
		return false;
	}
}

static uint8_t read_time(const struct rtc *rtc, uint8_t reg)
{
	struct tm tm = guest_time(rtc);
	int year = tm.tm_year > -1900 ? tm.tm_year + 1900 : 0;

	switch (reg) {
	case REG_SECONDS:
		return encode(rtc, tm.tm_sec);
	case REG_MINUTES:
		return encode(rtc, tm.tm_min);
	case REG_HOURS:
		return encode_hour(rtc, tm.tm_hour);
	case REG_WEEKDAY:
		return encode(rtc, tm.tm_wday + 1);
	case REG_DAY:
		return encode(rtc, tm.tm_mday);
	case REG_MONTH:
		return encode(rtc, tm.tm_mon + 1);
	case REG_YEAR:
		return encode(rtc, year % 100);
	default:
		return encode(rtc, year / 100);
	}
}

static void write_time(struct rtc *rtc, uint8_t reg, uint8_t byte)
{
	struct tm tm = guest_time(rtc);
	int year = tm.tm_year + 1900;
	int value = decode(rtc, byte);

	switch (reg) {
	case REG_SECONDS:
		tm.tm_sec = value;
		break;
	case REG_MINUTES:
		tm.tm_min = value;
		break;
	case REG_HOURS:
		tm.tm_hour = decode_hour(rtc, byte);
		break;
	case REG_WEEKDAY:
		return;		/* follows from the date */
	case REG_DAY:
		tm.tm_mday = value;
		break;
	case REG_MONTH:
		tm.tm_mon = value - 1;
		break;
	case REG_YEAR:
		tm.tm_year = year / 100 * 100 + value - 1900;
		break;
	default:
		tm.tm_year = value * 100 + year % 100 - 1900;
		break;
	}
	if (rtc->cmos[REG_B] & REG_B_SET)
		rtc->frozen = tm;
	else
		set_guest_time(rtc, tm);
}

static void write_b(struct rtc *rtc, uint8_t value)
{
	struct tm tm = guest_time(rtc);
	bool was_set = rtc->cmos[REG_B] & REG_B_SET;

	rtc->cmos[REG_B] = value;
	if (value & REG_B_SET)
		rtc->frozen = tm;
	else if (was_set)
		set_guest_time(rtc, tm);
}

static uint64_t rtc_read(void *dev, uint64_t offset, unsigned int len)
{
	const struct rtc *rtc = dev;

	(void)len;
	if (offset == 0)
		return 0xff;	/* the index port cannot be read back */
	if (is_time(rtc->index))
		return read_time(rtc, rtc->index);
	return rtc->cmos[rtc->index];
}

static void rtc_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct rtc *rtc = dev;

	(void)len;
	if (offset == 0) {
		/* Bit 7 masks NMIs on a PC; it is no part of the index. */
		rtc->index = value & (RTC_CMOS_SIZE - 1);
		return;
	}
	switch (rtc->index) {
	case REG_A:
		rtc->cmos[REG_A] = value & 0x7f;
		break;
	case REG_B:
		write_b(rtc, value);
		break;
	case REG_C:
	case REG_D:
		break;
	default:
		if (is_time(rtc->index))
			write_time(rtc, rtc->index, value);
		else
			rtc->cmos[rtc->index] = value;
	}
}

const struct bus_ops rtc_ops = {
	.name = "rtc",
	.max_width = 1,
	.read = rtc_read,
	.write = rtc_write,
};

static void put16(struct rtc *rtc, unsigned int reg, uint64_t value)
{
	if (value > 0xffff)
		value = 0xffff;
	rtc->cmos[reg] = value & 0xff;
	rtc->cmos[reg + 1] = value >> 8;
}

void rtc_init(struct rtc *rtc, time_t (*now)(void), uint64_t ram_low, uint64_t ram_high)
{
	const uint64_t mib = 1 << 20;
	uint64_t high = ram_high >> 16;

	memset(rtc, 0, sizeof(*rtc));
	rtc->now = now;
	rtc->cmos[REG_A] = REG_A_DEFAULT;
	rtc->cmos[REG_B] = REG_B_24H;
	rtc->cmos[REG_D] = REG_D_VALID;
	if (ram_low > mib) {
		put16(rtc, REG_EXT_LOW, (ram_low - mib) >> 10);
		put16(rtc, REG_EXT2_LOW, (ram_low - mib) >> 10);
	}
	if (ram_low > 16 * mib)
		put16(rtc, REG_MEM16_LOW, (ram_low - 16 * mib) >> 16);
	put16(rtc, REG_HIGH_LOW, high & 0xffff);
	rtc->cmos[REG_HIGH_LOW + 2] = high >> 16;
}
