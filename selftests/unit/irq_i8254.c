// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254: modes, byte access, latches, BCD, and when IRQ 0 is due.
 */
#include "mvm_harness.h"

#include "irqchip/model.h"

#define HZ 1193182ULL
#define SEC 1000000000ULL
#define T0 (77 * SEC + 12345)

FIXTURE(pit) {
	struct mvm_i8254 pit;
};

FIXTURE_SETUP(pit)
{
	mvm_i8254_reset(&self->pit);
}

FIXTURE_TEARDOWN(pit)
{
}

/* The first moment at which @ticks have gone by since T0. */
static u64 after(u64 ticks)
{
	return T0 + (ticks * SEC + HZ - 1) / HZ;
}

/* Low byte, then high byte, at T0. */
static void program(struct mvm_i8254 *pit, int ch, int mode, u16 count)
{
	mvm_i8254_write(pit, 0x43, ch << 6 | 0x30 | mode << 1, T0);
	mvm_i8254_write(pit, 0x40 + ch, count & 0xff, T0);
	mvm_i8254_write(pit, 0x40 + ch, count >> 8, T0);
}

static u32 read16(struct mvm_i8254 *pit, int ch, u64 now)
{
	u32 low = mvm_i8254_read(pit, 0x40 + ch, now);

	return mvm_i8254_read(pit, 0x40 + ch, now) << 8 | low;
}

TEST_F(pit, mode_0_counts_down_raises_its_output_and_goes_on)
{
	program(&self->pit, 0, 0, 1000);
	EXPECT_EQ(1000, read16(&self->pit, 0, T0));
	EXPECT_EQ(600, read16(&self->pit, 0, after(400)));
	EXPECT_FALSE(mvm_i8254_out(&self->pit, 0, after(999)));
	EXPECT_TRUE(mvm_i8254_out(&self->pit, 0, after(1000)));
	EXPECT_EQ(0xffff, read16(&self->pit, 0, after(1001)));
	EXPECT_EQ(after(1000), mvm_i8254_next_irq(&self->pit, T0));
	EXPECT_EQ(MVM_NEVER, mvm_i8254_next_irq(&self->pit, after(1000)));
}

TEST_F(pit, mode_2_is_a_rate_generator)
{
	program(&self->pit, 0, 2, 11932);
	EXPECT_EQ(11932, read16(&self->pit, 0, T0));
	EXPECT_EQ(1, read16(&self->pit, 0, after(11931)));
	EXPECT_EQ(11932, read16(&self->pit, 0, after(11932)));
	EXPECT_TRUE(mvm_i8254_out(&self->pit, 0, after(11930)));
	EXPECT_FALSE(mvm_i8254_out(&self->pit, 0, after(11931)));
	EXPECT_TRUE(mvm_i8254_out(&self->pit, 0, after(11932)));
}

TEST_F(pit, periodic_interrupts_do_not_drift)
{
	u64 now = T0;
	int n;

	program(&self->pit, 0, 2, 11932);
	for (n = 1; n <= 10000; n++) {
		u64 next = mvm_i8254_next_irq(&self->pit, now);

		ASSERT_GT(next, now);
		now = next;
	}
	EXPECT_EQ(after(11932ULL * 10000), now);
	/* Asked late, it names the next one, not those that were missed. */
	EXPECT_EQ(after(11932ULL * 10011), mvm_i8254_next_irq(&self->pit, after(11932ULL * 10010)));
}

TEST_F(pit, mode_3_is_a_square_wave)
{
	program(&self->pit, 2, 3, 1001);
	self->pit.s.channels[2].gate = 1;
	EXPECT_TRUE(mvm_i8254_out(&self->pit, 2, after(500)));
	EXPECT_FALSE(mvm_i8254_out(&self->pit, 2, after(501)));
	EXPECT_FALSE(mvm_i8254_out(&self->pit, 2, after(1000)));
	EXPECT_TRUE(mvm_i8254_out(&self->pit, 2, after(1001)));
	program(&self->pit, 0, 3, 1000);
	EXPECT_EQ(800, read16(&self->pit, 0, after(100)));
}

TEST_F(pit, mode_4_strobes_once)
{
	program(&self->pit, 0, 4, 100);
	EXPECT_TRUE(mvm_i8254_out(&self->pit, 0, after(99)));
	EXPECT_FALSE(mvm_i8254_out(&self->pit, 0, after(100)));
	EXPECT_TRUE(mvm_i8254_out(&self->pit, 0, after(101)));
	EXPECT_EQ(after(101), mvm_i8254_next_irq(&self->pit, T0));
	EXPECT_EQ(MVM_NEVER, mvm_i8254_next_irq(&self->pit, after(101)));
}

TEST_F(pit, modes_1_and_5_wait_for_a_gate_that_channel_0_has_not)
{
	program(&self->pit, 0, 1, 100);
	EXPECT_EQ(MVM_NEVER, mvm_i8254_next_irq(&self->pit, T0));
	program(&self->pit, 0, 5, 100);
	EXPECT_EQ(MVM_NEVER, mvm_i8254_next_irq(&self->pit, T0));
}

TEST_F(pit, modes_6_and_7_are_2_and_3)
{
	program(&self->pit, 0, 6, 100);
	EXPECT_EQ(2, self->pit.s.channels[0].mode);
	program(&self->pit, 0, 7, 100);
	EXPECT_EQ(3, self->pit.s.channels[0].mode);
}

TEST_F(pit, a_count_of_zero_is_the_largest)
{
	program(&self->pit, 0, 2, 0);
	EXPECT_EQ(after(65536), mvm_i8254_next_irq(&self->pit, T0));
	EXPECT_EQ(0, read16(&self->pit, 0, T0));
	EXPECT_EQ(0xffff, read16(&self->pit, 0, after(1)));
}

TEST_F(pit, a_count_of_one_does_no_harm)
{
	program(&self->pit, 0, 2, 1);
	EXPECT_EQ(1, read16(&self->pit, 0, after(5)));
	EXPECT_EQ(after(6), mvm_i8254_next_irq(&self->pit, after(5)));
	program(&self->pit, 0, 3, 1);
	EXPECT_EQ(after(6), mvm_i8254_next_irq(&self->pit, after(5)));
}

TEST_F(pit, single_byte_access_takes_one_byte)
{
	mvm_i8254_write(&self->pit, 0x43, 0x14, T0); /* low byte, mode 2 */
	mvm_i8254_write(&self->pit, 0x40, 0x40, T0);
	EXPECT_EQ(0x40, self->pit.s.channels[0].count);
	EXPECT_EQ(0x30, mvm_i8254_read(&self->pit, 0x40, after(0x10)));
	EXPECT_EQ(0x30, mvm_i8254_read(&self->pit, 0x40, after(0x10)));
	mvm_i8254_write(&self->pit, 0x43, 0x24, T0); /* high byte */
	mvm_i8254_write(&self->pit, 0x40, 0x12, T0);
	EXPECT_EQ(0x1200, self->pit.s.channels[0].count);
	EXPECT_EQ(0x11, mvm_i8254_read(&self->pit, 0x40, after(1)));
}

TEST_F(pit, a_latched_count_stands_still_until_it_is_read)
{
	program(&self->pit, 0, 2, 1000);
	mvm_i8254_write(&self->pit, 0x43, 0x00, after(100));
	mvm_i8254_write(&self->pit, 0x43, 0x00, after(200)); /* no effect: latched already */
	EXPECT_EQ(900, read16(&self->pit, 0, after(500)));
	EXPECT_EQ(500, read16(&self->pit, 0, after(500)));
}

TEST_F(pit, read_back_latches_status_and_count)
{
	program(&self->pit, 0, 2, 1000);
	program(&self->pit, 1, 0, 500);
	mvm_i8254_write(&self->pit, 0x43, 0xc6, after(100)); /* both, channels 0 and 1 */
	EXPECT_EQ(0xb4, mvm_i8254_read(&self->pit, 0x40, after(200)));
	EXPECT_EQ(900, read16(&self->pit, 0, after(200)));
	EXPECT_EQ(0x30, mvm_i8254_read(&self->pit, 0x41, after(200)));
	EXPECT_EQ(400, read16(&self->pit, 1, after(200)));
	EXPECT_EQ(800, read16(&self->pit, 0, after(200)));
}

TEST_F(pit, null_count_shows_that_no_count_was_written)
{
	mvm_i8254_write(&self->pit, 0x43, 0x30, T0);
	mvm_i8254_write(&self->pit, 0x43, 0xe2, T0);
	EXPECT_EQ(0x70, mvm_i8254_read(&self->pit, 0x40, T0));
	EXPECT_EQ(MVM_NEVER, mvm_i8254_next_irq(&self->pit, T0));
	mvm_i8254_write(&self->pit, 0x40, 0x10, T0);
	EXPECT_EQ(MVM_NEVER, mvm_i8254_next_irq(&self->pit, T0)); /* half a count */
	mvm_i8254_write(&self->pit, 0x40, 0x00, T0);
	EXPECT_EQ(after(16), mvm_i8254_next_irq(&self->pit, T0));
}

TEST_F(pit, bcd_counts_in_decimal)
{
	mvm_i8254_write(&self->pit, 0x43, 0x35, T0); /* mode 2, BCD */
	mvm_i8254_write(&self->pit, 0x40, 0x00, T0);
	mvm_i8254_write(&self->pit, 0x40, 0x10, T0);
	EXPECT_EQ(1000, self->pit.s.channels[0].count);
	EXPECT_EQ(0x0999, read16(&self->pit, 0, after(1)));
	mvm_i8254_write(&self->pit, 0x40, 0x34, T0);
	mvm_i8254_write(&self->pit, 0x40, 0x12, T0);
	EXPECT_EQ(1234, self->pit.s.channels[0].count);
	EXPECT_EQ(0x1234, read16(&self->pit, 0, T0));
	mvm_i8254_write(&self->pit, 0x43, 0x31, T0); /* mode 0, BCD */
	mvm_i8254_write(&self->pit, 0x40, 0x00, T0);
	mvm_i8254_write(&self->pit, 0x40, 0x00, T0);
	EXPECT_EQ(10000, self->pit.s.channels[0].count);
	EXPECT_EQ(0x9999, read16(&self->pit, 0, after(10001)));
}

TEST_F(pit, the_control_word_cannot_be_read)
{
	EXPECT_EQ(0xff, mvm_i8254_read(&self->pit, 0x43, T0));
}

TEST_F(pit, hpet_legacy_mode_takes_irq_0_away)
{
	program(&self->pit, 0, 2, 100);
	self->pit.s.flags = KVM_PIT_FLAGS_HPET_LEGACY;
	EXPECT_EQ(MVM_NEVER, mvm_i8254_next_irq(&self->pit, T0));
}

TEST_F(pit, restored_counts_start_over)
{
	struct kvm_pit_state2 s;
	u64 later = 1000 * SEC;

	program(&self->pit, 0, 2, HZ / 100);
	s = self->pit.s;
	mvm_i8254_reset(&self->pit);
	ASSERT_EQ(0, mvm_i8254_set_state(&self->pit, &s, later));
	EXPECT_EQ(later + after(HZ / 100) - T0, mvm_i8254_next_irq(&self->pit, later));
	s.flags = 4;
	EXPECT_EQ(-EINVAL, mvm_i8254_set_state(&self->pit, &s, later));
}

MVM_HARNESS_MAIN
