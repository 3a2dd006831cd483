// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which device an access reaches, in what pieces, and what nobody answers.
 */
#include <errno.h>

#include "mvm_harness.h"
#include "userspace/devices/bus.h"

struct seen {
	uint64_t offset;
	unsigned int len;
	uint64_t value;
};

struct device {
	struct seen seen[16];
	unsigned int nr;
};

FIXTURE(bus) {
	struct bus bus;
	struct device dev;
};

static uint64_t dev_read(void *dev, uint64_t offset, unsigned int len)
{
	struct device *d = dev;

	d->seen[d->nr++] = (struct seen){ offset, len, 0 };
	return 0x1122334455667788ull + offset;
}

static void dev_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct device *d = dev;

	d->seen[d->nr++] = (struct seen){ offset, len, value };
}

static const struct bus_ops bytes = { "bytes", 1, dev_read, dev_write };
static const struct bus_ops words = { "words", 2, dev_read, dev_write };

FIXTURE_SETUP(bus)
{
}

FIXTURE_TEARDOWN(bus)
{
}

TEST_F(bus, unclaimed_reads_are_all_ones_and_counted)
{
	uint32_t value = 0;

	bus_read(&self->bus, 0x123, &value, 4);
	EXPECT_EQ(0xffffffff, value);
	bus_write(&self->bus, 0x123, &value, 4);
	EXPECT_EQ(2, self->bus.unclaimed);
}

TEST_F(bus, refuses_bad_and_overlapping_ranges)
{
	EXPECT_EQ(-EINVAL, bus_add(&self->bus, 8, 0, &bytes, &self->dev));
	EXPECT_EQ(-EINVAL, bus_add(&self->bus, UINT64_MAX, 2, &bytes, &self->dev));
	EXPECT_EQ(0, bus_add(&self->bus, UINT64_MAX, 1, &bytes, &self->dev));
	EXPECT_EQ(0, bus_add(&self->bus, 0x10, 0x10, &bytes, &self->dev));
	EXPECT_EQ(-EEXIST, bus_add(&self->bus, 0x1f, 1, &bytes, &self->dev));
	EXPECT_EQ(-EEXIST, bus_add(&self->bus, 0, 0x11, &bytes, &self->dev));
	EXPECT_EQ(-EEXIST, bus_add(&self->bus, 0x12, 2, &bytes, &self->dev));
	EXPECT_EQ(0, bus_add(&self->bus, 0x20, 1, &bytes, &self->dev));
}

TEST_F(bus, refuses_more_ranges_than_it_holds)
{
	unsigned int i;

	for (i = 0; i < BUS_MAX_RANGES; i++)
		ASSERT_EQ(0, bus_add(&self->bus, i, 1, &bytes, &self->dev));
	EXPECT_EQ(-ENOSPC, bus_add(&self->bus, i, 1, &bytes, &self->dev));
}

TEST_F(bus, wide_write_comes_in_pieces)
{
	uint32_t value = 0x44332211;

	bus_add(&self->bus, 0x600, 4, &words, &self->dev);
	bus_write(&self->bus, 0x600, &value, 4);
	ASSERT_EQ(2, self->dev.nr);
	EXPECT_EQ(0, self->dev.seen[0].offset);
	EXPECT_EQ(0x2211, self->dev.seen[0].value);
	EXPECT_EQ(2, self->dev.seen[1].offset);
	EXPECT_EQ(0x4433, self->dev.seen[1].value);
}

TEST_F(bus, access_past_the_end_of_a_range_is_cut)
{
	uint64_t value = 0;

	bus_add(&self->bus, 0x600, 3, &words, &self->dev);
	bus_read(&self->bus, 0x601, &value, 8);
	ASSERT_EQ(1, self->dev.nr);
	EXPECT_EQ(1, self->dev.seen[0].offset);
	EXPECT_EQ(2, self->dev.seen[0].len);
	EXPECT_EQ(0xffffffffffff7789ull, value);
}

TEST_F(bus, access_that_starts_before_a_range_is_not_its_own)
{
	uint32_t pci_address = 0x80000600;

	bus_add(&self->bus, 0xcf9, 1, &bytes, &self->dev);
	bus_write(&self->bus, 0xcf8, &pci_address, 4);
	EXPECT_EQ(0, self->dev.nr);
}

TEST_F(bus, counts_accesses_not_pieces)
{
	uint32_t value = 0;

	bus_add(&self->bus, 0x10, 8, &bytes, &self->dev);
	bus_read(&self->bus, 0x10, &value, 4);
	bus_write(&self->bus, 0x10, &value, 2);
	EXPECT_EQ(1, self->bus.range[0].reads);
	EXPECT_EQ(1, self->bus.range[0].writes);
	EXPECT_EQ(6, self->dev.nr);
}

MVM_HARNESS_MAIN
