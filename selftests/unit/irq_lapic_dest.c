// SPDX-License-Identifier: GPL-2.0-only
/*
 * Destinations: physical, logical flat and cluster, x2APIC, broadcast; and what
 * an ICR value sends.
 */
#include "mvm_harness.h"

#include "irq_lapic.h"

FIXTURE(dest) {
	struct mvm_apic apic; /* id 5, logical id 20h flat */
};

FIXTURE_SETUP(dest)
{
	lapic_new_enabled(&self->apic, 5, false);
	mvm_apic_write(&self->apic, MVM_APIC_LDR, 0x20000000, 0);
}

FIXTURE_TEARDOWN(dest)
{
	lapic_free(&self->apic);
}

static bool match(struct mvm_apic *apic, u32 dest, bool logical, bool wide)
{
	struct mvm_apic_msg msg = { .dest = dest, .logical = logical, .wide = wide };

	return mvm_apic_match(apic, &msg);
}

TEST_F(dest, physical_destination_is_the_id_or_all)
{
	EXPECT_TRUE(match(&self->apic, 5, false, false));
	EXPECT_FALSE(match(&self->apic, 4, false, false));
	EXPECT_FALSE(match(&self->apic, 0x20, false, false));
	EXPECT_TRUE(match(&self->apic, 0xff, false, false));
	EXPECT_FALSE(match(&self->apic, 0x105, false, true));
	EXPECT_TRUE(match(&self->apic, 0xffffffff, false, true));
	mvm_apic_write(&self->apic, MVM_APIC_ID, 0xff000000, 0);
	EXPECT_TRUE(match(&self->apic, 0xff, false, true));
	EXPECT_FALSE(match(&self->apic, 0x1ff, false, true));
}

TEST_F(dest, flat_logical_destination_is_a_bit_mask)
{
	EXPECT_TRUE(match(&self->apic, 0x20, true, false));
	EXPECT_TRUE(match(&self->apic, 0x61, true, false));
	EXPECT_FALSE(match(&self->apic, 0xdf, true, false));
	EXPECT_TRUE(match(&self->apic, 0xff, true, false));
}

TEST_F(dest, cluster_logical_destination_is_a_cluster_and_a_mask)
{
	mvm_apic_write(&self->apic, MVM_APIC_DFR, 0x0fffffff, 0);
	mvm_apic_write(&self->apic, MVM_APIC_LDR, 0x34000000, 0);
	EXPECT_TRUE(match(&self->apic, 0x34, true, false));
	EXPECT_TRUE(match(&self->apic, 0x3f, true, false));
	EXPECT_FALSE(match(&self->apic, 0x38, true, false));
	EXPECT_FALSE(match(&self->apic, 0x24, true, false));
	EXPECT_TRUE(match(&self->apic, 0xff, true, false));
}

TEST_F(dest, x2apic_destinations_have_32_bits)
{
	struct mvm_apic far;

	lapic_new_enabled(&far, 0x123, false);
	lapic_to_x2apic(&far);
	EXPECT_TRUE(match(&far, 0x123, false, true));
	EXPECT_FALSE(match(&far, 0x23, false, true));
	EXPECT_TRUE(match(&far, 0x12 << 16 | 1 << 3, true, true));
	EXPECT_TRUE(match(&far, 0x12 << 16 | 0xffff, true, true));
	EXPECT_FALSE(match(&far, 0x12 << 16 | 1 << 4, true, true));
	EXPECT_FALSE(match(&far, 0x13 << 16 | 1 << 3, true, true));
	EXPECT_FALSE(match(&far, 0xff, false, true)); /* 32 bits: not a broadcast */
	EXPECT_TRUE(match(&far, 0xff, false, false)); /* 8 bits: one */
	EXPECT_TRUE(match(&far, 0xffffffff, true, true));
	lapic_free(&far);
}

TEST_F(dest, a_disabled_apic_is_nobodys_destination)
{
	mvm_apic_set_base(&self->apic, MVM_APIC_DEFAULT_PHYS, true);
	EXPECT_FALSE(match(&self->apic, 5, false, false));
	EXPECT_FALSE(match(&self->apic, 0xff, false, false));
}

static struct mvm_apic_msg icr(struct mvm_apic *apic, u32 high, u32 low)
{
	struct mvm_apic_msg msg;

	mvm_apic_set_reg(apic, MVM_APIC_ICR2, high);
	mvm_apic_write(apic, MVM_APIC_ICR, low, 0);
	mvm_apic_icr_msg(apic, &msg);
	return msg;
}

TEST_F(dest, the_icr_decodes_into_a_message)
{
	struct mvm_apic_msg msg = icr(&self->apic, 0x03000000, 0x000840fd);

	EXPECT_EQ(3, msg.dest);
	EXPECT_EQ(0xfd, msg.vector);
	EXPECT_EQ(MVM_APIC_FIXED, msg.mode);
	EXPECT_EQ(MVM_APIC_ALL, msg.shorthand);
	EXPECT_FALSE(msg.logical);
	EXPECT_FALSE(msg.wide);

	msg = icr(&self->apic, 0x0f000000, 0x00000c00);
	EXPECT_EQ(MVM_APIC_NMI, msg.mode);
	EXPECT_EQ(0x0f, msg.dest);
	EXPECT_TRUE(msg.logical);
}

TEST_F(dest, init_asserts_deasserts_and_startup_carries_its_page)
{
	struct mvm_apic_msg msg = icr(&self->apic, 0x01000000, 0x0000c500);

	EXPECT_EQ(MVM_APIC_INIT, msg.mode);
	EXPECT_TRUE(msg.assert);
	msg = icr(&self->apic, 0x01000000, 0x00008500);
	EXPECT_FALSE(msg.assert);
	msg = icr(&self->apic, 0x01000000, 0x00000500); /* edge: the level bit does not matter */
	EXPECT_TRUE(msg.assert);
	msg = icr(&self->apic, 0x01000000, 0x0000469a);
	EXPECT_EQ(MVM_APIC_SIPI, msg.mode);
	EXPECT_EQ(0x9a, msg.vector);
}

TEST_F(dest, x2apics_icr_has_a_wide_destination)
{
	struct mvm_apic_msg msg;

	lapic_to_x2apic(&self->apic);
	ASSERT_TRUE(mvm_apic_write_icr(&self->apic, 0x0001234500001031));
	mvm_apic_icr_msg(&self->apic, &msg);
	EXPECT_TRUE(msg.wide);
	EXPECT_EQ(0x12345, msg.dest);
	EXPECT_EQ(0x31, msg.vector);
	EXPECT_EQ(0x31, lapic_get(&self->apic, MVM_APIC_ICR)); /* never busy */
	EXPECT_EQ(0x12345, mvm_apic_reg(&self->apic, MVM_APIC_ICR2));
}

TEST_F(dest, x2apics_icr_has_reserved_bits)
{
	int bit;

	lapic_to_x2apic(&self->apic);
	for (bit = 0; bit < 64; bit++) {
		bool reserved = bit == 13 || bit == 16 || bit == 17 || (bit >= 20 && bit < 32);

		EXPECT_EQ(!reserved, mvm_apic_write_icr(&self->apic, 1ULL << bit));
	}
	EXPECT_EQ(0x80000000, mvm_apic_reg(&self->apic, MVM_APIC_ICR2));
}

TEST_F(dest, delivery_status_never_reads_as_busy)
{
	icr(&self->apic, 0, 0x1031);
	EXPECT_EQ(0x31, lapic_get(&self->apic, MVM_APIC_ICR));
}

MVM_HARNESS_MAIN
