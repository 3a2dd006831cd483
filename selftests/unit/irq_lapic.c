// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's priorities: request, delivery, in service, end of interrupt.
 */
#include "mvm_harness.h"

#include "irq_lapic.h"

FIXTURE(lapic) {
	struct mvm_apic apic;
};

FIXTURE_SETUP(lapic)
{
	lapic_new_enabled(&self->apic, 0, true);
}

FIXTURE_TEARDOWN(lapic)
{
	lapic_free(&self->apic);
}

/* Take what is pending, as the processor does. */
static int take(struct mvm_apic *apic)
{
	int vector = mvm_apic_pending(apic);

	if (vector >= 0)
		mvm_apic_accept(apic, vector);
	return vector;
}

TEST_F(lapic, every_vector_from_16_is_delivered_and_ended)
{
	int vector;

	for (vector = 16; vector < 256; vector++) {
		bool level = vector & 1;

		ASSERT_EQ(1, mvm_apic_post(&self->apic, vector, level));
		ASSERT_EQ(vector, take(&self->apic));
		ASSERT_EQ(-1, mvm_apic_pending(&self->apic));
		ASSERT_EQ(vector & 0xf0, mvm_apic_ppr(&self->apic));
		ASSERT_EQ(vector, mvm_apic_eoi(&self->apic));
		ASSERT_EQ(level, self->apic.eoi_level);
		ASSERT_EQ(0, mvm_apic_ppr(&self->apic));
	}
}

TEST_F(lapic, vectors_below_16_are_an_error_not_an_interrupt)
{
	int vector;

	for (vector = 0; vector < 16; vector++)
		ASSERT_EQ(-1, mvm_apic_post(&self->apic, vector, false));
	EXPECT_EQ(-1, mvm_apic_pending(&self->apic));
	EXPECT_EQ(0, lapic_get(&self->apic, MVM_APIC_ESR));
	mvm_apic_write(&self->apic, MVM_APIC_ESR, 0, 0);
	EXPECT_EQ(MVM_APIC_ESR_RECV_VECTOR, lapic_get(&self->apic, MVM_APIC_ESR));
	mvm_apic_write(&self->apic, MVM_APIC_ESR, 0, 0);
	EXPECT_EQ(0, lapic_get(&self->apic, MVM_APIC_ESR));
}

TEST_F(lapic, an_error_raises_the_error_vector_once)
{
	mvm_apic_write(&self->apic, MVM_APIC_LVT_ERROR, 0x44, 0);
	mvm_apic_error(&self->apic, MVM_APIC_ESR_REGISTER);
	EXPECT_EQ(0x44, take(&self->apic));
	mvm_apic_eoi(&self->apic);
	mvm_apic_error(&self->apic, MVM_APIC_ESR_REGISTER);
	EXPECT_EQ(-1, take(&self->apic));
}

TEST_F(lapic, a_request_that_is_pending_is_coalesced)
{
	EXPECT_EQ(1, mvm_apic_post(&self->apic, 0x55, false));
	EXPECT_EQ(0, mvm_apic_post(&self->apic, 0x55, false));
	EXPECT_EQ(0x55, take(&self->apic));
	/* In service, it can be requested once more. */
	EXPECT_EQ(1, mvm_apic_post(&self->apic, 0x55, false));
	EXPECT_EQ(-1, mvm_apic_pending(&self->apic));
	mvm_apic_eoi(&self->apic);
	EXPECT_EQ(0x55, take(&self->apic));
}

TEST_F(lapic, the_highest_vector_comes_first_and_nests_by_class)
{
	mvm_apic_post(&self->apic, 0x31, false);
	mvm_apic_post(&self->apic, 0x35, false);
	mvm_apic_post(&self->apic, 0xe0, false);
	EXPECT_EQ(0xe0, take(&self->apic));
	EXPECT_EQ(-1, take(&self->apic));
	mvm_apic_eoi(&self->apic);
	EXPECT_EQ(0x35, take(&self->apic));
	EXPECT_EQ(-1, take(&self->apic)); /* same class */
	mvm_apic_post(&self->apic, 0x40, false);
	EXPECT_EQ(0x40, take(&self->apic)); /* higher class nests */
	mvm_apic_eoi(&self->apic);
	EXPECT_EQ(0x30, mvm_apic_ppr(&self->apic));
	mvm_apic_eoi(&self->apic);
	EXPECT_EQ(0x31, take(&self->apic));
}

TEST_F(lapic, the_task_priority_holds_back_its_class_and_below)
{
	mvm_apic_post(&self->apic, 0x51, false);
	mvm_apic_write(&self->apic, MVM_APIC_TPR, 0x50, 0);
	EXPECT_EQ(-1, mvm_apic_pending(&self->apic));
	mvm_apic_write(&self->apic, MVM_APIC_TPR, 0x4f, 0);
	EXPECT_EQ(0x4f, lapic_get(&self->apic, MVM_APIC_PPR));
	EXPECT_EQ(0x51, mvm_apic_pending(&self->apic));
	mvm_apic_write(&self->apic, MVM_APIC_TPR, 0xf0, 0);
	mvm_apic_post(&self->apic, 0xff, false);
	EXPECT_EQ(-1, mvm_apic_pending(&self->apic));
}

TEST_F(lapic, the_end_of_an_interrupt_is_told_with_its_trigger_mode)
{
	mvm_apic_post(&self->apic, 0x61, true);
	mvm_apic_post(&self->apic, 0x71, false);
	take(&self->apic);
	EXPECT_EQ(MVM_APIC_FX_EVENT | MVM_APIC_FX_EOI,
		  mvm_apic_write(&self->apic, MVM_APIC_EOI, 0, 0));
	EXPECT_EQ(0x71, self->apic.eoi_vector);
	EXPECT_FALSE(self->apic.eoi_level);
	take(&self->apic);
	EXPECT_EQ(MVM_APIC_FX_EVENT | MVM_APIC_FX_EOI,
		  mvm_apic_write(&self->apic, MVM_APIC_EOI, 0, 0));
	EXPECT_EQ(0x61, self->apic.eoi_vector);
	EXPECT_TRUE(self->apic.eoi_level);
	/* An edge on the same vector clears the trigger mode register again. */
	mvm_apic_post(&self->apic, 0x61, false);
	take(&self->apic);
	EXPECT_EQ(0x61, mvm_apic_eoi(&self->apic));
	EXPECT_FALSE(self->apic.eoi_level);
}

TEST_F(lapic, an_eoi_with_nothing_in_service_does_nothing)
{
	EXPECT_EQ(-1, mvm_apic_eoi(&self->apic));
	EXPECT_EQ(MVM_APIC_FX_EVENT, mvm_apic_write(&self->apic, MVM_APIC_EOI, 0, 0));
}

TEST_F(lapic, software_disable_masks_lvts_refuses_and_keeps_what_was_accepted)
{
	mvm_apic_write(&self->apic, MVM_APIC_LVTT, 0x30, 0);
	mvm_apic_post(&self->apic, 0x66, false);
	mvm_apic_write(&self->apic, MVM_APIC_SVR, 0xff, 0);
	EXPECT_EQ(0x10030, lapic_get(&self->apic, MVM_APIC_LVTT));
	EXPECT_EQ(-1, mvm_apic_post(&self->apic, 0x67, false));
	EXPECT_EQ(0x66, take(&self->apic));
	/* And an LVT entry cannot be unmasked meanwhile. */
	mvm_apic_write(&self->apic, MVM_APIC_LVT_ERROR, 0x40, 0);
	EXPECT_EQ(0x10040, lapic_get(&self->apic, MVM_APIC_LVT_ERROR));
	mvm_apic_write(&self->apic, MVM_APIC_SVR, 0x1ff, 0);
	EXPECT_EQ(0x10030, lapic_get(&self->apic, MVM_APIC_LVTT));
	EXPECT_EQ(1, mvm_apic_post(&self->apic, 0x67, false));
}

TEST_F(lapic, a_disabled_apic_delivers_nothing)
{
	mvm_apic_post(&self->apic, 0x66, false);
	mvm_apic_set_base(&self->apic, MVM_APIC_DEFAULT_PHYS | MVM_APIC_BASE_BSP, true);
	EXPECT_EQ(-1, mvm_apic_pending(&self->apic));
	EXPECT_EQ(-1, mvm_apic_post(&self->apic, 0x67, false));
}

TEST_F(lapic, extint_passes_as_a_virtual_wire_and_not_when_masked)
{
	EXPECT_TRUE(mvm_apic_takes_extint(&self->apic));
	mvm_apic_write(&self->apic, MVM_APIC_LVT_LINT0, 0x10700, 0);
	EXPECT_FALSE(mvm_apic_takes_extint(&self->apic));
	mvm_apic_write(&self->apic, MVM_APIC_LVT_LINT0, 0x00030, 0); /* Fixed */
	EXPECT_FALSE(mvm_apic_takes_extint(&self->apic));
	mvm_apic_write(&self->apic, MVM_APIC_LVT_LINT0, 0x00700, 0);
	EXPECT_TRUE(mvm_apic_takes_extint(&self->apic));
}

TEST(extint_reaches_the_boot_processor_alone_by_default)
{
	struct mvm_apic boot, other;

	lapic_new(&boot, 0, true);
	lapic_new(&other, 1, false);
	EXPECT_TRUE(mvm_apic_takes_extint(&boot));
	EXPECT_FALSE(mvm_apic_takes_extint(&other));
	mvm_apic_set_base(&boot, boot.base & ~MVM_APIC_BASE_ENABLE, false);
	mvm_apic_set_base(&other, other.base & ~MVM_APIC_BASE_ENABLE, false);
	EXPECT_TRUE(mvm_apic_takes_extint(&boot));
	EXPECT_FALSE(mvm_apic_takes_extint(&other));
	lapic_free(&boot);
	lapic_free(&other);
}

MVM_HARNESS_MAIN
