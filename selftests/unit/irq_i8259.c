// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259 pair: initialisation, priorities, EOI commands, modes, cascade.
 */
#include "mvm_harness.h"

#include "irqchip/model.h"

FIXTURE(pic) {
	struct mvm_i8259 pic;
};

static void out(struct mvm_i8259 *pic, u16 port, u8 val)
{
	mvm_i8259_write(pic, port, val);
}

static void init(struct mvm_i8259 *pic, u8 master_icw4)
{
	out(pic, 0x20, 0x11);
	out(pic, 0x21, 0x30);
	out(pic, 0x21, 0x04);
	out(pic, 0x21, master_icw4);
	out(pic, 0xa0, 0x11);
	out(pic, 0xa1, 0x38);
	out(pic, 0xa1, 0x02);
	out(pic, 0xa1, 0x01);
}

static void pulse(struct mvm_i8259 *pic, int irq)
{
	mvm_i8259_set_line(pic, irq, true);
	mvm_i8259_set_line(pic, irq, false);
}

FIXTURE_SETUP(pic)
{
	mvm_i8259_reset(&self->pic);
	init(&self->pic, 0x01);
}

FIXTURE_TEARDOWN(pic)
{
}

TEST_F(pic, each_input_has_its_vector)
{
	int irq;

	for (irq = 0; irq < 16; irq++) {
		if (irq == 2)
			continue;
		pulse(&self->pic, irq);
		ASSERT_TRUE(self->pic.output);
		ASSERT_EQ(0x30 + irq, mvm_i8259_peek(&self->pic));
		ASSERT_EQ(0x30 + irq, mvm_i8259_ack(&self->pic));
		ASSERT_FALSE(self->pic.output);
		if (irq > 7)
			out(&self->pic, 0xa0, 0x20);
		out(&self->pic, 0x20, 0x20);
	}
	EXPECT_EQ(0, self->pic.chip[0].isr | self->pic.chip[1].isr);
}

TEST_F(pic, the_cascade_and_beyond_are_no_inputs)
{
	EXPECT_EQ(-1, mvm_i8259_set_line(&self->pic, 2, true));
	EXPECT_EQ(-1, mvm_i8259_set_line(&self->pic, 16, true));
	EXPECT_EQ(-1, mvm_i8259_set_line(&self->pic, ~0, true));
	EXPECT_FALSE(self->pic.output);
}

TEST_F(pic, a_mask_holds_back_and_unmasking_lets_through)
{
	out(&self->pic, 0x21, 0xff);
	EXPECT_EQ(-1, mvm_i8259_set_line(&self->pic, 4, true));
	EXPECT_FALSE(self->pic.output);
	out(&self->pic, 0x21, 0xef);
	EXPECT_TRUE(self->pic.output);
	EXPECT_EQ(0xef, mvm_i8259_read(&self->pic, 0x21));
}

TEST_F(pic, an_edge_is_latched_once_and_a_held_line_is_one_edge)
{
	EXPECT_EQ(1, mvm_i8259_set_line(&self->pic, 4, true));
	EXPECT_EQ(1, mvm_i8259_set_line(&self->pic, 4, true));
	EXPECT_EQ(1, mvm_i8259_set_line(&self->pic, 4, false));
	EXPECT_EQ(0, mvm_i8259_set_line(&self->pic, 4, true));
	EXPECT_EQ(0x34, mvm_i8259_ack(&self->pic));
	out(&self->pic, 0x20, 0x20);
	EXPECT_FALSE(self->pic.output);
	mvm_i8259_set_line(&self->pic, 4, false);
	EXPECT_EQ(1, mvm_i8259_set_line(&self->pic, 4, true));
}

TEST_F(pic, a_level_input_asks_again_until_its_line_drops)
{
	out(&self->pic, 0x4d0, 0x20);
	mvm_i8259_set_line(&self->pic, 5, true);
	EXPECT_EQ(0x35, mvm_i8259_ack(&self->pic));
	EXPECT_FALSE(self->pic.output);
	out(&self->pic, 0x20, 0x20);
	EXPECT_TRUE(self->pic.output);
	mvm_i8259_set_line(&self->pic, 5, false);
	EXPECT_FALSE(self->pic.output);
}

TEST_F(pic, the_elcr_leaves_the_fixed_inputs_edge_triggered)
{
	out(&self->pic, 0x4d0, 0xff);
	out(&self->pic, 0x4d1, 0xff);
	EXPECT_EQ(0xf8, mvm_i8259_read(&self->pic, 0x4d0));
	EXPECT_EQ(0xde, mvm_i8259_read(&self->pic, 0x4d1));
}

TEST_F(pic, a_new_trigger_mode_sees_the_lines_and_keeps_latched_edges)
{
	pulse(&self->pic, 1);
	mvm_i8259_set_line(&self->pic, 5, true);
	out(&self->pic, 0x20, 0x10); /* initialisation forgets both */
	out(&self->pic, 0x21, 0x30);
	out(&self->pic, 0x21, 0x04);
	pulse(&self->pic, 1);
	out(&self->pic, 0x4d0, 0x20);
	EXPECT_EQ(BIT(1) | BIT(5), mvm_i8259_read(&self->pic, 0x20));
}

TEST_F(pic, setting_the_rotation_ends_nothing)
{
	pulse(&self->pic, 4);
	mvm_i8259_ack(&self->pic);
	out(&self->pic, 0x20, 0x80);
	EXPECT_EQ(BIT(4), self->pic.chip[0].isr);
	EXPECT_EQ(1, self->pic.chip[0].rotate_on_auto_eoi);
	out(&self->pic, 0x20, 0x00);
	EXPECT_EQ(0, self->pic.chip[0].rotate_on_auto_eoi);
}

TEST_F(pic, lower_numbers_nest_over_higher_ones)
{
	pulse(&self->pic, 5);
	mvm_i8259_ack(&self->pic);
	pulse(&self->pic, 6);
	EXPECT_FALSE(self->pic.output);
	pulse(&self->pic, 1);
	EXPECT_TRUE(self->pic.output);
	EXPECT_EQ(0x31, mvm_i8259_ack(&self->pic));
	out(&self->pic, 0x20, 0x20); /* ends 1, the highest in service */
	EXPECT_EQ(BIT(5), self->pic.chip[0].isr);
	out(&self->pic, 0x20, 0x65); /* specific: 5 */
	EXPECT_EQ(0x36, mvm_i8259_ack(&self->pic));
}

TEST_F(pic, the_slaves_interrupts_rank_at_the_masters_input_2)
{
	pulse(&self->pic, 3);
	pulse(&self->pic, 12);
	EXPECT_EQ(0x3c, mvm_i8259_ack(&self->pic));
	EXPECT_EQ(BIT(2), self->pic.chip[0].isr);
	/* Fully nested: even a better one of the slave waits for the master's EOI. */
	pulse(&self->pic, 8);
	EXPECT_FALSE(self->pic.output);
	out(&self->pic, 0xa0, 0x20);
	out(&self->pic, 0x20, 0x20);
	EXPECT_EQ(0x38, mvm_i8259_ack(&self->pic));
	out(&self->pic, 0xa0, 0x20);
	out(&self->pic, 0x20, 0x20);
	EXPECT_EQ(0x33, mvm_i8259_ack(&self->pic));
}

TEST_F(pic, special_fully_nested_mode_lets_the_slave_nest)
{
	init(&self->pic, 0x11);
	pulse(&self->pic, 12);
	mvm_i8259_ack(&self->pic);
	pulse(&self->pic, 8);
	EXPECT_TRUE(self->pic.output);
	EXPECT_EQ(0x38, mvm_i8259_ack(&self->pic));
}

TEST_F(pic, special_mask_mode_lets_lower_ones_through)
{
	pulse(&self->pic, 1);
	mvm_i8259_ack(&self->pic);
	pulse(&self->pic, 4);
	EXPECT_FALSE(self->pic.output);
	out(&self->pic, 0x21, 0x02);
	out(&self->pic, 0x20, 0x68);
	EXPECT_TRUE(self->pic.output);
	EXPECT_EQ(0x34, mvm_i8259_ack(&self->pic));
	out(&self->pic, 0x20, 0x20); /* passes over the masked 1 */
	EXPECT_EQ(BIT(1), self->pic.chip[0].isr);
	out(&self->pic, 0x20, 0x48);
	EXPECT_EQ(0, self->pic.chip[0].special_mask);
}

TEST_F(pic, automatic_eoi_leaves_nothing_in_service)
{
	init(&self->pic, 0x03);
	pulse(&self->pic, 1);
	EXPECT_EQ(0x31, mvm_i8259_ack(&self->pic));
	EXPECT_EQ(0, self->pic.chip[0].isr);
	out(&self->pic, 0x20, 0x80); /* rotate in automatic EOI */
	pulse(&self->pic, 1);
	mvm_i8259_ack(&self->pic);
	EXPECT_EQ(2, self->pic.chip[0].priority_add);
}

TEST_F(pic, rotation_makes_the_served_input_lowest)
{
	pulse(&self->pic, 3);
	mvm_i8259_ack(&self->pic);
	out(&self->pic, 0x20, 0xa0); /* rotate on EOI */
	pulse(&self->pic, 3);
	pulse(&self->pic, 5);
	pulse(&self->pic, 1);
	EXPECT_EQ(0x35, mvm_i8259_ack(&self->pic));
	out(&self->pic, 0x20, 0xe5); /* specific, rotating */
	EXPECT_EQ(6, self->pic.chip[0].priority_add);
	EXPECT_EQ(0x31, mvm_i8259_ack(&self->pic));
	out(&self->pic, 0x20, 0x20);
	out(&self->pic, 0x20, 0xc7); /* lowest is 7: as after reset */
	EXPECT_EQ(0, self->pic.chip[0].priority_add);
}

TEST_F(pic, ocw3_selects_what_is_read)
{
	pulse(&self->pic, 1);
	mvm_i8259_ack(&self->pic);
	pulse(&self->pic, 6);
	EXPECT_EQ(BIT(6), mvm_i8259_read(&self->pic, 0x20));
	out(&self->pic, 0x20, 0x0b);
	EXPECT_EQ(BIT(1), mvm_i8259_read(&self->pic, 0x20));
	out(&self->pic, 0x20, 0x0a);
	EXPECT_EQ(BIT(6), mvm_i8259_read(&self->pic, 0x20));
}

TEST_F(pic, poll_acknowledges_by_reading)
{
	out(&self->pic, 0x20, 0x0c);
	EXPECT_EQ(0, mvm_i8259_read(&self->pic, 0x20));
	pulse(&self->pic, 4);
	out(&self->pic, 0x20, 0x0c);
	EXPECT_EQ(0x84, mvm_i8259_read(&self->pic, 0x20));
	EXPECT_FALSE(self->pic.output);
	EXPECT_EQ(BIT(4), self->pic.chip[0].isr);
	out(&self->pic, 0x20, 0x20);
	pulse(&self->pic, 9);
	out(&self->pic, 0x20, 0x0c);
	EXPECT_EQ(0x82, mvm_i8259_read(&self->pic, 0x20));
	out(&self->pic, 0xa0, 0x0c);
	EXPECT_EQ(0x81, mvm_i8259_read(&self->pic, 0xa1));
}

TEST_F(pic, an_acknowledge_without_request_is_spurious)
{
	EXPECT_EQ(-1, mvm_i8259_peek(&self->pic));
	EXPECT_EQ(0x37, mvm_i8259_ack(&self->pic));
	EXPECT_EQ(0, self->pic.chip[0].isr);
}

TEST_F(pic, initialisation_forgets_requests_and_unmasks)
{
	out(&self->pic, 0x21, 0xff);
	mvm_i8259_set_line(&self->pic, 4, true);
	out(&self->pic, 0x20, 0x10); /* no ICW4 */
	EXPECT_EQ(0, mvm_i8259_read(&self->pic, 0x21));
	out(&self->pic, 0x21, 0x47); /* the low three bits do not count */
	out(&self->pic, 0x21, 0x04);
	out(&self->pic, 0x21, 0x5a); /* a mask already */
	EXPECT_EQ(0x5a, mvm_i8259_read(&self->pic, 0x21));
	EXPECT_EQ(0x40, self->pic.chip[0].irq_base);
	EXPECT_FALSE(self->pic.output);
	mvm_i8259_set_line(&self->pic, 4, false);
	out(&self->pic, 0x21, 0);
	mvm_i8259_set_line(&self->pic, 4, true);
	EXPECT_EQ(0x44, mvm_i8259_ack(&self->pic));
}

TEST_F(pic, only_its_six_ports_are_owned)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	unsigned int port, i, n = 0;

	for (port = 0; port < 0x10000; port++)
		n += mvm_i8259_owns(port);
	EXPECT_EQ(ARRAY_SIZE(ports), n);
	for (i = 0; i < ARRAY_SIZE(ports); i++)
		EXPECT_TRUE(mvm_i8259_owns(ports[i]));
}

TEST_F(pic, saved_state_restores_the_output)
{
	struct mvm_i8259 saved;

	pulse(&self->pic, 11);
	saved = self->pic;
	mvm_i8259_reset(&self->pic);
	mvm_i8259_set_state(&self->pic, 0, &saved.chip[0]);
	mvm_i8259_set_state(&self->pic, 1, &saved.chip[1]);
	EXPECT_EQ(0x3b, mvm_i8259_ack(&self->pic));
}

MVM_HARNESS_MAIN
