// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clock tells and keeps the time in all four of its formats, and CMOS
 * tells the memory's size.
 */
#include "mvm_harness.h"
#include "userspace/devices/rtc.h"

#define MIB (1ull << 20)

static time_t fake_now;

static time_t now(void)
{
	return fake_now;
}

FIXTURE(rtc) {
	struct rtc rtc;
};

FIXTURE_SETUP(rtc)
{
	/* Sunday, 2024-12-29 23:58:59 UTC */
	fake_now = 1735516739;
	rtc_init(&self->rtc, now, 3072 * MIB, 1024 * MIB);
}

FIXTURE_TEARDOWN(rtc)
{
}

static uint8_t get(struct rtc *rtc, uint8_t reg)
{
	rtc_ops.write(rtc, 0, 1, reg);
	return rtc_ops.read(rtc, 1, 1);
}

static void set(struct rtc *rtc, uint8_t reg, uint8_t value)
{
	rtc_ops.write(rtc, 0, 1, reg);
	rtc_ops.write(rtc, 1, 1, value);
}

TEST_F(rtc, tells_time_in_bcd)
{
	EXPECT_EQ(0x59, get(&self->rtc, 0));
	EXPECT_EQ(0x58, get(&self->rtc, 2));
	EXPECT_EQ(0x23, get(&self->rtc, 4));
	EXPECT_EQ(0x01, get(&self->rtc, 6));
	EXPECT_EQ(0x29, get(&self->rtc, 7));
	EXPECT_EQ(0x12, get(&self->rtc, 8));
	EXPECT_EQ(0x24, get(&self->rtc, 9));
	EXPECT_EQ(0x20, get(&self->rtc, 0x32));
}

TEST_F(rtc, tells_time_in_binary_and_twelve_hours)
{
	set(&self->rtc, 0x0b, 0x04);
	EXPECT_EQ(59, get(&self->rtc, 0));
	EXPECT_EQ(0x80 | 11, get(&self->rtc, 4));
	fake_now = 1735430400;	/* midnight is twelve in the morning */
	EXPECT_EQ(12, get(&self->rtc, 4));
	set(&self->rtc, 0x0b, 0x00);
	EXPECT_EQ(0x12, get(&self->rtc, 4));
}

TEST_F(rtc, is_valid_and_never_in_an_update)
{
	EXPECT_EQ(0, get(&self->rtc, 0x0a) & 0x80);
	EXPECT_EQ(0x80, get(&self->rtc, 0x0d));
	EXPECT_EQ(0x02, get(&self->rtc, 0x0b));
}

TEST_F(rtc, goes_on_from_the_time_that_was_set)
{
	set(&self->rtc, 0x0b, 0x82);
	set(&self->rtc, 0, 0x30);
	set(&self->rtc, 2, 0x20);
	set(&self->rtc, 4, 0x10);
	set(&self->rtc, 7, 0x02);
	set(&self->rtc, 8, 0x03);
	set(&self->rtc, 9, 0x95);
	set(&self->rtc, 0x32, 0x19);
	fake_now += 1000;
	EXPECT_EQ(0x30, get(&self->rtc, 0));
	set(&self->rtc, 0x0b, 0x02);
	EXPECT_EQ(0x30, get(&self->rtc, 0));
	fake_now += 31;
	EXPECT_EQ(0x01, get(&self->rtc, 0));
	EXPECT_EQ(0x21, get(&self->rtc, 2));
	EXPECT_EQ(0x10, get(&self->rtc, 4));
	EXPECT_EQ(0x95, get(&self->rtc, 9));
	EXPECT_EQ(0x19, get(&self->rtc, 0x32));
}

TEST_F(rtc, memory_keeps_bytes_and_ignores_the_nmi_bit)
{
	set(&self->rtc, 0x8f, 0x5a);
	EXPECT_EQ(0x5a, get(&self->rtc, 0x0f));
	EXPECT_EQ(0xff, rtc_ops.read(&self->rtc, 0, 1));
}

TEST_F(rtc, tells_the_size_of_memory)
{
	/* 3 GiB - 16 MiB below the hole, 1 GiB above 4 GiB, in 64 KiB units */
	EXPECT_EQ((3056 * MIB) >> 16, get(&self->rtc, 0x34) | get(&self->rtc, 0x35) << 8);
	EXPECT_EQ((1024 * MIB) >> 16, get(&self->rtc, 0x5b) | get(&self->rtc, 0x5c) << 8 |
		  get(&self->rtc, 0x5d) << 16);
	EXPECT_EQ(0xffff, get(&self->rtc, 0x17) | get(&self->rtc, 0x18) << 8);
}

MVM_HARNESS_MAIN
