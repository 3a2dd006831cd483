// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one way from a guest address to a pointer: its edges, the hole, and
 * sums that would wrap.
 */
#include <errno.h>

#include "mvm_harness.h"
#include "userspace/launcher/guest_mem.h"

#define MIB (1ull << 20)
#define GIB (1ull << 30)

FIXTURE(guest_mem) {
	struct guest_mem mem;
	char err[512];
};

FIXTURE_SETUP(guest_mem)
{
	ASSERT_EQ(0, guest_mem_create(&self->mem, 3 * GIB + 16 * MIB, self->err,
				      sizeof(self->err)));
}

FIXTURE_TEARDOWN(guest_mem)
{
	guest_mem_destroy(&self->mem);
}

TEST_F(guest_mem, has_ram_below_and_above_the_hole)
{
	EXPECT_EQ(2, self->mem.nr_regions);
	EXPECT_EQ(3 * GIB + 16 * MIB, self->mem.size);
	EXPECT_NE(NULL, guest_mem_ptr(&self->mem, 0, 3 * GIB));
	EXPECT_NE(NULL, guest_mem_ptr(&self->mem, 4 * GIB, 16 * MIB));
}

TEST_F(guest_mem, host_addresses_allow_huge_pages)
{
	EXPECT_EQ(0, (uintptr_t)self->mem.region[0].host % (2 * MIB));
	EXPECT_EQ(0, (uintptr_t)self->mem.region[1].host % (2 * MIB));
	/* All of it is there to be written. */
	self->mem.region[1].host[16 * MIB - 1] = 1;
	self->mem.region[0].host[3 * GIB - 1] = 1;
}

TEST_F(guest_mem, refuses_the_hole_and_what_crosses_an_edge)
{
	EXPECT_EQ(NULL, guest_mem_ptr(&self->mem, 3 * GIB, 1));
	EXPECT_EQ(NULL, guest_mem_ptr(&self->mem, 3 * GIB - 1, 2));
	EXPECT_EQ(NULL, guest_mem_ptr(&self->mem, 4 * GIB - 1, 2));
	EXPECT_EQ(NULL, guest_mem_ptr(&self->mem, 4 * GIB + 16 * MIB, 1));
	EXPECT_NE(NULL, guest_mem_ptr(&self->mem, 3 * GIB - 1, 1));
	EXPECT_NE(NULL, guest_mem_ptr(&self->mem, 4 * GIB + 16 * MIB - 1, 1));
}

TEST_F(guest_mem, refuses_lengths_that_wrap)
{
	EXPECT_EQ(NULL, guest_mem_ptr(&self->mem, 4096, UINT64_MAX));
	EXPECT_EQ(NULL, guest_mem_ptr(&self->mem, 4096, UINT64_MAX - 4095));
	EXPECT_EQ(NULL, guest_mem_ptr(&self->mem, UINT64_MAX, 2));
	EXPECT_EQ(NULL, guest_mem_ptr(&self->mem, UINT64_MAX, 0));
}

TEST_F(guest_mem, copies_whole_or_not_at_all)
{
	uint32_t in = 0x12345678, out = 0;

	EXPECT_EQ(0, guest_mem_write(&self->mem, 3 * GIB - 4, &in, 4));
	EXPECT_EQ(0, guest_mem_read(&self->mem, 3 * GIB - 4, &out, 4));
	EXPECT_EQ(in, out);
	EXPECT_EQ(-EFAULT, guest_mem_write(&self->mem, 3 * GIB - 3, &in, 4));
	EXPECT_EQ(-EFAULT, guest_mem_zero(&self->mem, 3 * GIB - 3, 4));
	EXPECT_EQ(0, guest_mem_read(&self->mem, 3 * GIB - 4, &out, 4));
	EXPECT_EQ(in, out);
	EXPECT_EQ(0, guest_mem_zero(&self->mem, 3 * GIB - 4, 4));
	EXPECT_EQ(0, guest_mem_read(&self->mem, 3 * GIB - 4, &out, 4));
	EXPECT_EQ(0, out);
}

TEST(sizes_that_cannot_be_are_refused_in_words)
{
	static const uint64_t sizes[] = { 0, 4096, 2 * MIB + 1, 2048 * GIB, UINT64_MAX - 4095 };
	struct guest_mem mem;
	char err[512];
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		err[0] = '\0';
		EXPECT_EQ(-EINVAL, guest_mem_create(&mem, sizes[i], err, sizeof(err)));
		EXPECT_NE(NULL, strstr(err, "-m"));
		EXPECT_EQ(0, mem.nr_regions);
	}
}

MVM_HARNESS_MAIN
