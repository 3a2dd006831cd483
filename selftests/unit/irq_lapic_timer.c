// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer against a clock that the test turns.
 */
#include "mvm_harness.h"

#include "irq_lapic.h"

#define VECTOR 0xec
#define ONESHOT 0x00000
#define PERIODIC 0x20000
#define DEADLINE 0x40000
#define DIVIDE_BY_1 0xb
#define DIVIDE_BY_16 0x3
#define KHZ 2500000
#define MS 1000000ULL
#define T0 (5000 * MS)

FIXTURE(timer) {
	struct mvm_apic apic;
};

FIXTURE_SETUP(timer)
{
	lapic_new_enabled(&self->apic, 0, true);
	mvm_apic_write(&self->apic, MVM_APIC_TDCR, DIVIDE_BY_1, 0);
}

FIXTURE_TEARDOWN(timer)
{
	lapic_free(&self->apic);
}

static void start(struct mvm_apic *apic, u32 mode, u32 count)
{
	mvm_apic_write(apic, MVM_APIC_LVTT, mode | VECTOR, T0);
	mvm_apic_write(apic, MVM_APIC_TMICT, count, T0);
}

static u32 count_at(struct mvm_apic *apic, u64 now)
{
	u32 val;

	mvm_apic_read(apic, MVM_APIC_TMCCT, now, &val);
	return val;
}

/* Fire, take the interrupt, end it: was there one? */
static bool fires(struct mvm_apic *apic, u64 now, u64 tsc)
{
	int vector;

	mvm_apic_timer_fire(apic, now, tsc);
	vector = mvm_apic_pending(apic);
	if (vector < 0)
		return false;
	mvm_apic_accept(apic, vector);
	mvm_apic_eoi(apic);
	return vector == VECTOR;
}

TEST_F(timer, one_shot_counts_down_and_fires_once)
{
	start(&self->apic, ONESHOT, 10 * MS);
	EXPECT_EQ(T0 + 10 * MS, mvm_apic_timer_next(&self->apic, T0, 0, KHZ));
	EXPECT_EQ(10 * MS, count_at(&self->apic, T0));
	EXPECT_EQ(7 * MS, count_at(&self->apic, T0 + 3 * MS));
	EXPECT_FALSE(fires(&self->apic, T0 + 10 * MS - 1, 0));
	EXPECT_TRUE(fires(&self->apic, T0 + 10 * MS, 0));
	EXPECT_EQ(0, count_at(&self->apic, T0 + 11 * MS));
	EXPECT_EQ(MVM_NEVER, mvm_apic_timer_next(&self->apic, T0 + 11 * MS, 0, KHZ));
	EXPECT_FALSE(fires(&self->apic, T0 + 100 * MS, 0));
}

TEST_F(timer, each_divide_configuration_divides_as_documented)
{
	static const u8 config[] = { 0, 1, 2, 3, 8, 9, 0xa, 0xb };
	static const u32 divide[] = { 2, 4, 8, 16, 32, 64, 128, 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(config); i++) {
		mvm_apic_write(&self->apic, MVM_APIC_TDCR, config[i], T0);
		start(&self->apic, ONESHOT, 1000000);
		EXPECT_EQ(T0 + 1000000ULL * divide[i],
			  mvm_apic_timer_next(&self->apic, T0, 0, KHZ));
		EXPECT_EQ(999000, count_at(&self->apic, T0 + 1000 * divide[i]));
	}
}

TEST_F(timer, a_new_divide_changes_the_pace_not_the_count)
{
	start(&self->apic, ONESHOT, 10 * MS);
	mvm_apic_write(&self->apic, MVM_APIC_TDCR, DIVIDE_BY_16, T0 + 4 * MS);
	EXPECT_EQ(6 * MS, count_at(&self->apic, T0 + 4 * MS));
	EXPECT_EQ(T0 + 100 * MS, mvm_apic_timer_next(&self->apic, T0, 0, KHZ));
}

TEST_F(timer, periodic_keeps_its_phase_and_coalesces_missed_ticks)
{
	start(&self->apic, PERIODIC, 4 * MS);
	EXPECT_TRUE(fires(&self->apic, T0 + 4 * MS + 1000, 0));
	EXPECT_EQ(T0 + 8 * MS, mvm_apic_timer_next(&self->apic, 0, 0, KHZ));
	EXPECT_TRUE(fires(&self->apic, T0 + 29 * MS, 0));
	EXPECT_FALSE(fires(&self->apic, T0 + 29 * MS, 0));
	EXPECT_EQ(T0 + 32 * MS, mvm_apic_timer_next(&self->apic, 0, 0, KHZ));
	EXPECT_EQ(3 * MS, count_at(&self->apic, T0 + 29 * MS));
}

TEST_F(timer, a_period_of_a_nanosecond_cannot_storm_the_host)
{
	u64 now = T0;
	int n = 0;

	start(&self->apic, PERIODIC, 1);
	while (now < T0 + 100 * MS) {
		now = max(now, mvm_apic_timer_next(&self->apic, now, 0, KHZ));
		n += mvm_apic_timer_fire(&self->apic, now, 0);
		ASSERT_LT(n, 1000);
	}
	EXPECT_GT(n, 100);
}

TEST_F(timer, a_count_of_zero_stops_it)
{
	start(&self->apic, PERIODIC, 4 * MS);
	mvm_apic_write(&self->apic, MVM_APIC_TMICT, 0, T0 + MS);
	EXPECT_EQ(MVM_NEVER, mvm_apic_timer_next(&self->apic, 0, 0, KHZ));
	EXPECT_FALSE(fires(&self->apic, T0 + 100 * MS, 0));
}

TEST_F(timer, a_masked_entry_counts_but_does_not_interrupt)
{
	start(&self->apic, ONESHOT | MVM_APIC_LVT_MASKED, MS);
	EXPECT_TRUE(mvm_apic_timer_fire(&self->apic, T0 + MS, 0));
	EXPECT_EQ(-1, mvm_apic_pending(&self->apic));
}

TEST_F(timer, deadline_fires_at_its_tsc_and_never_before)
{
	u64 tsc = 1000000, deadline = tsc + 2 * KHZ + 1;

	mvm_apic_write(&self->apic, MVM_APIC_LVTT, DEADLINE | VECTOR, T0);
	self->apic.tsc_deadline = deadline;
	EXPECT_EQ(T0 + 2 * MS + 1, mvm_apic_timer_next(&self->apic, T0, tsc, KHZ));
	EXPECT_EQ(T0 + 2 * MS, mvm_apic_timer_next(&self->apic, T0, tsc + 1, KHZ));
	EXPECT_FALSE(fires(&self->apic, T0 + 5 * MS, deadline - 1));
	EXPECT_TRUE(fires(&self->apic, T0 + 5 * MS, deadline));
	EXPECT_EQ(0, self->apic.tsc_deadline);
	EXPECT_FALSE(fires(&self->apic, T0 + 6 * MS, ~0ULL));
}

TEST_F(timer, a_deadline_in_the_past_is_due_now)
{
	mvm_apic_write(&self->apic, MVM_APIC_LVTT, DEADLINE | VECTOR, T0);
	self->apic.tsc_deadline = 1;
	EXPECT_EQ(T0, mvm_apic_timer_next(&self->apic, T0, 100, KHZ));
}

TEST_F(timer, a_deadline_is_armed_in_its_mode_alone)
{
	self->apic.tsc_deadline = 7;
	EXPECT_EQ(MVM_NEVER, mvm_apic_timer_deadline(&self->apic));
	mvm_apic_write(&self->apic, MVM_APIC_LVTT, DEADLINE | VECTOR, T0);
	EXPECT_EQ(MVM_NEVER, mvm_apic_timer_deadline(&self->apic));
	self->apic.tsc_deadline = 7;
	EXPECT_EQ(7, mvm_apic_timer_deadline(&self->apic));
}

TEST_F(timer, the_farthest_deadline_does_not_overflow)
{
	u64 next;

	mvm_apic_write(&self->apic, MVM_APIC_LVTT, DEADLINE | VECTOR, T0);
	self->apic.tsc_deadline = ~0ULL;
	next = mvm_apic_timer_next(&self->apic, T0, 0, 1);
	EXPECT_GT(next, T0);
	EXPECT_LT(next, (u64)INT64_MAX);
}

TEST_F(timer, the_initial_count_is_dead_in_deadline_mode)
{
	start(&self->apic, DEADLINE, 5000);
	EXPECT_EQ(0, lapic_get(&self->apic, MVM_APIC_TMICT));
	EXPECT_EQ(MVM_NEVER, mvm_apic_timer_next(&self->apic, T0, 0, KHZ));
}

TEST_F(timer, entering_or_leaving_deadline_mode_disarms)
{
	start(&self->apic, ONESHOT, 10 * MS);
	mvm_apic_write(&self->apic, MVM_APIC_LVTT, DEADLINE | VECTOR, T0);
	EXPECT_EQ(MVM_NEVER, mvm_apic_timer_next(&self->apic, T0, 0, KHZ));
	self->apic.tsc_deadline = 77;
	mvm_apic_write(&self->apic, MVM_APIC_LVTT, ONESHOT | VECTOR, T0);
	EXPECT_EQ(0, self->apic.tsc_deadline);
	EXPECT_EQ(MVM_NEVER, mvm_apic_timer_next(&self->apic, T0, 0, KHZ));
}

TEST_F(timer, one_shot_becomes_periodic_on_the_fly)
{
	start(&self->apic, ONESHOT, 10 * MS);
	mvm_apic_write(&self->apic, MVM_APIC_LVTT, PERIODIC | VECTOR, T0 + MS);
	EXPECT_TRUE(fires(&self->apic, T0 + 10 * MS, 0));
	EXPECT_EQ(T0 + 20 * MS, mvm_apic_timer_next(&self->apic, 0, 0, KHZ));
}

TEST_F(timer, saved_state_continues_the_count)
{
	struct kvm_lapic_state state;
	u64 later = 70000 * MS;

	start(&self->apic, PERIODIC, 10 * MS);
	mvm_apic_get_state(&self->apic, &state, T0 + 4 * MS);
	ASSERT_EQ(0, mvm_apic_set_state(&self->apic, &state, later));
	EXPECT_EQ(later + 6 * MS, mvm_apic_timer_next(&self->apic, later, 0, KHZ));
}

TEST_F(timer, a_one_shot_that_has_fired_stays_so_through_a_save)
{
	struct kvm_lapic_state state;

	start(&self->apic, ONESHOT, 10 * MS);
	fires(&self->apic, T0 + 10 * MS, 0);
	mvm_apic_get_state(&self->apic, &state, T0 + 11 * MS);
	ASSERT_EQ(0, mvm_apic_set_state(&self->apic, &state, T0 + 12 * MS));
	EXPECT_EQ(MVM_NEVER, mvm_apic_timer_next(&self->apic, T0 + 12 * MS, 0, KHZ));
}

MVM_HARNESS_MAIN
