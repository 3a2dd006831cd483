// SPDX-License-Identifier: GPL-2.0-only
/*
 * Message-signalled interrupts: what each field of address and data becomes.
 */
#include "mvm_harness.h"

#include "irqchip/model.h"

static struct mvm_apic_msg decode(u32 addr, u32 high, u32 data, bool wide)
{
	struct mvm_apic_msg msg;

	memset(&msg, 0xa5, sizeof(msg));
	mvm_msi_decode(addr, high, data, wide, &msg);
	return msg;
}

TEST(a_fixed_message_to_a_physical_destination)
{
	struct mvm_apic_msg msg = decode(0xfee03000, 0, 0x41, false);

	EXPECT_EQ(3, msg.dest);
	EXPECT_EQ(0x41, msg.vector);
	EXPECT_EQ(MVM_APIC_FIXED, msg.mode);
	EXPECT_EQ(MVM_APIC_DEST, msg.shorthand);
	EXPECT_FALSE(msg.logical);
	EXPECT_FALSE(msg.level);
	EXPECT_TRUE(msg.assert);
	EXPECT_FALSE(msg.wide);
}

TEST(address_bit_2_is_the_destination_mode)
{
	EXPECT_TRUE(decode(0xfeeff004, 0, 0x41, false).logical);
	EXPECT_EQ(0xff, decode(0xfeeff004, 0, 0x41, false).dest);
}

TEST(the_redirection_hint_is_lowest_priority)
{
	EXPECT_EQ(MVM_APIC_LOWEST, decode(0xfee0000c, 0, 0x41, false).mode);
	EXPECT_EQ(MVM_APIC_NMI, decode(0xfee0000c, 0, 0x441, false).mode);
}

TEST(data_carry_delivery_and_trigger_mode)
{
	u32 mode;

	for (mode = 0; mode < 8; mode++)
		EXPECT_EQ(mode, decode(0xfee00000, 0, mode << 8 | 0x41, false).mode);
	EXPECT_TRUE(decode(0xfee00000, 0, 0x8041, false).level);
	EXPECT_TRUE(decode(0xfee00000, 0, 0xc041, false).level);
	EXPECT_FALSE(decode(0xfee00000, 0, 0x4041, false).level);
}

TEST(the_high_half_counts_in_the_wide_format_alone)
{
	struct mvm_apic_msg msg;

	EXPECT_EQ(3, decode(0xfee03000, 0x12345600, 0x41, false).dest);
	EXPECT_EQ(0x12345603, decode(0xfee03000, 0x12345600, 0x41, true).dest);
	EXPECT_TRUE(decode(0xfee03000, 0x12345600, 0x41, true).wide);
	EXPECT_TRUE(mvm_msi_decode(0xfee03000, 0x123456ff, 0x41, false, &msg));
	EXPECT_FALSE(mvm_msi_decode(0xfee03000, 0x12345601, 0x41, true, &msg));
}

MVM_HARNESS_MAIN
