// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port 61h: the gate and output of the 8254's counter 2, by which operating
 * systems calibrate their TSC.
 */
#include "mvm_harness.h"

#include "irqchip/model.h"

#define HZ 1193182ULL
#define SEC 1000000000ULL
#define T0 (3 * SEC)
#define GATE 0x01
#define SPEAKER 0x02
#define OUT2 0x20

FIXTURE(gate) {
	struct mvm_i8254 pit;
};

FIXTURE_SETUP(gate)
{
	mvm_i8254_reset(&self->pit);
}

FIXTURE_TEARDOWN(gate)
{
}

static u64 after(u64 ticks)
{
	return T0 + (ticks * SEC + HZ - 1) / HZ;
}

static void program(struct mvm_i8254 *pit, int mode, u16 count)
{
	mvm_i8254_write(pit, 0x43, 0xb0 | mode << 1, T0);
	mvm_i8254_write(pit, 0x42, count & 0xff, T0);
	mvm_i8254_write(pit, 0x42, count >> 8, T0);
}

static bool out2(struct mvm_i8254 *pit, u64 now)
{
	return mvm_i8254_speaker_read(pit, now) & OUT2;
}

TEST_F(gate, calibration_by_mode_0_sees_the_output_rise_in_time)
{
	mvm_i8254_speaker_write(&self->pit, GATE, T0);
	program(&self->pit, 0, 59659); /* 50 ms */
	EXPECT_FALSE(out2(&self->pit, T0));
	EXPECT_FALSE(out2(&self->pit, T0 + 49999000));
	EXPECT_TRUE(out2(&self->pit, T0 + 50001000));
}

TEST_F(gate, what_is_written_reads_back)
{
	EXPECT_EQ(0, mvm_i8254_speaker_read(&self->pit, 0) & 3);
	mvm_i8254_speaker_write(&self->pit, GATE | SPEAKER | 0xfc, T0);
	EXPECT_EQ(3, mvm_i8254_speaker_read(&self->pit, 0) & 0xcf);
	EXPECT_EQ(KVM_PIT_FLAGS_SPEAKER_DATA_ON, self->pit.s.flags);
	mvm_i8254_speaker_write(&self->pit, 0, T0);
	EXPECT_EQ(0, self->pit.s.flags);
}

TEST_F(gate, the_refresh_bit_toggles_every_15_microseconds)
{
	int n = 0, last = mvm_i8254_speaker_read(&self->pit, 0) & 0x10;
	u64 now;

	for (now = 0; now < 1000000; now += 1000) {
		int bit = mvm_i8254_speaker_read(&self->pit, now) & 0x10;

		n += bit != last;
		last = bit;
	}
	EXPECT_EQ(66, n);
}

TEST_F(gate, a_low_gate_holds_mode_0_and_a_rise_lets_it_go_on)
{
	mvm_i8254_speaker_write(&self->pit, GATE, T0);
	program(&self->pit, 0, 1000);
	mvm_i8254_speaker_write(&self->pit, 0, after(400));
	EXPECT_FALSE(out2(&self->pit, after(5000)));
	mvm_i8254_speaker_write(&self->pit, GATE, after(5000));
	EXPECT_FALSE(out2(&self->pit, after(5598)));
	EXPECT_TRUE(out2(&self->pit, after(5602)));
}

TEST_F(gate, a_rise_starts_modes_2_and_3_over)
{
	mvm_i8254_speaker_write(&self->pit, GATE, T0);
	program(&self->pit, 2, 1000);
	mvm_i8254_speaker_write(&self->pit, 0, after(999));
	EXPECT_TRUE(out2(&self->pit, after(999))); /* a low gate forces the output high */
	mvm_i8254_speaker_write(&self->pit, GATE, after(2500));
	EXPECT_TRUE(out2(&self->pit, after(2999)));
	EXPECT_FALSE(out2(&self->pit, after(3500) - 400));
}

TEST_F(gate, a_count_written_under_a_low_gate_waits)
{
	program(&self->pit, 0, 10);
	EXPECT_FALSE(out2(&self->pit, after(100000)));
	mvm_i8254_speaker_write(&self->pit, GATE, after(100000));
	EXPECT_FALSE(out2(&self->pit, after(100005)));
	EXPECT_TRUE(out2(&self->pit, after(100011)));
}

TEST_F(gate, a_rise_triggers_the_one_shot_of_mode_1)
{
	program(&self->pit, 1, 100);
	mvm_i8254_speaker_write(&self->pit, GATE, after(1000));
	EXPECT_FALSE(out2(&self->pit, after(1050)));
	EXPECT_TRUE(out2(&self->pit, after(1101)));
	mvm_i8254_speaker_write(&self->pit, 0, after(1200)); /* low does not matter */
	EXPECT_TRUE(out2(&self->pit, after(1300)));
}

MVM_HARNESS_MAIN
