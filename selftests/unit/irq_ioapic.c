// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC: edge and level pins, remote IRR, register window, saved state.
 */
#include "mvm_harness.h"

#include "irqchip/model.h"

#define MASKED	  BIT(16)
#define LEVEL	  BIT(15)
#define REMOTE	  BIT(14)
#define LOGICAL	  BIT(11)

/* Where the messages go. */
struct bus {
	struct mvm_apic_msg last;
	int sent;
	int answer;
};

FIXTURE(ioapic) {
	struct mvm_ioapic io;
	struct bus bus;
};

static int record(void *ctx, const struct mvm_apic_msg *msg)
{
	struct bus *bus = ctx;

	bus->last = *msg;
	bus->sent++;
	return bus->answer;
}

FIXTURE_SETUP(ioapic)
{
	memset(&self->io, 0, sizeof(self->io));
	mvm_ioapic_reset(&self->io);
	self->io.send = record;
	self->io.ctx = &self->bus;
	self->bus.sent = 0;
	self->bus.answer = 1;
}

FIXTURE_TEARDOWN(ioapic)
{
}

static void write_reg(struct mvm_ioapic *io, u32 reg, u32 val)
{
	mvm_ioapic_write(io, 0x00, reg);
	mvm_ioapic_write(io, 0x10, val);
}

static u32 read_reg(struct mvm_ioapic *io, u32 reg)
{
	mvm_ioapic_write(io, 0x00, reg);
	return mvm_ioapic_read(io, 0x10);
}

static void set_rte(struct mvm_ioapic *io, int pin, u32 dest, u32 low)
{
	write_reg(io, 0x11 + 2 * pin, dest << 24);
	write_reg(io, 0x10 + 2 * pin, low);
}

TEST_F(ioapic, reset_masks_every_pin)
{
	int pin;

	for (pin = 0; pin < 24; pin++) {
		EXPECT_EQ(MASKED, read_reg(&self->io, 0x10 + 2 * pin));
		EXPECT_EQ(-1, mvm_ioapic_set_line(&self->io, pin, true));
	}
	EXPECT_EQ(0, self->bus.sent);
}

TEST_F(ioapic, version_says_24_pins)
{
	EXPECT_EQ(0x00170011, read_reg(&self->io, 1));
	write_reg(&self->io, 1, ~0);
	EXPECT_EQ(0x00170011, read_reg(&self->io, 1));
	write_reg(&self->io, 0, ~0);
	EXPECT_EQ(0x0f000000, read_reg(&self->io, 0));
	EXPECT_EQ(0x0f000000, read_reg(&self->io, 2));
}

TEST_F(ioapic, registers_beyond_the_last_pin_are_nothing)
{
	int reg;

	for (reg = 0x40; reg < 0x100; reg++) {
		write_reg(&self->io, reg, ~0);
		EXPECT_EQ(0, read_reg(&self->io, reg));
	}
	for (reg = 3; reg < 0x10; reg++)
		EXPECT_EQ(0, read_reg(&self->io, reg));
	EXPECT_EQ(0, mvm_ioapic_read(&self->io, 0x20));
	EXPECT_EQ(-1, mvm_ioapic_set_line(&self->io, 24, true));
	EXPECT_EQ(-1, mvm_ioapic_set_line(&self->io, ~0, true));
}

TEST_F(ioapic, each_rise_of_an_edge_pin_sends_once)
{
	set_rte(&self->io, 4, 3, 0x34 | LOGICAL);
	EXPECT_EQ(1, mvm_ioapic_set_line(&self->io, 4, true));
	EXPECT_EQ(0, mvm_ioapic_set_line(&self->io, 4, true));
	EXPECT_EQ(1, mvm_ioapic_set_line(&self->io, 4, false));
	EXPECT_EQ(1, mvm_ioapic_set_line(&self->io, 4, true));
	EXPECT_EQ(2, self->bus.sent);
	EXPECT_EQ(0x34, self->bus.last.vector);
	EXPECT_EQ(3, self->bus.last.dest);
	EXPECT_TRUE(self->bus.last.logical);
	EXPECT_FALSE(self->bus.last.level);
	EXPECT_EQ(MVM_APIC_FIXED, self->bus.last.mode);
}

TEST_F(ioapic, an_edge_on_a_masked_pin_is_lost)
{
	set_rte(&self->io, 4, 0, 0x34 | MASKED);
	EXPECT_EQ(-1, mvm_ioapic_set_line(&self->io, 4, true));
	set_rte(&self->io, 4, 0, 0x34);
	EXPECT_EQ(0, self->bus.sent);
}

TEST_F(ioapic, a_level_pin_sends_until_its_eoi_finds_the_line_down)
{
	set_rte(&self->io, 9, 0, 0x39 | LEVEL);
	EXPECT_EQ(1, mvm_ioapic_set_line(&self->io, 9, true));
	EXPECT_TRUE(self->bus.last.level);
	EXPECT_EQ(0x39 | LEVEL | REMOTE, read_reg(&self->io, 0x22));
	EXPECT_EQ(-1, mvm_ioapic_set_line(&self->io, 9, true));
	mvm_ioapic_eoi(&self->io, 0x40);
	EXPECT_EQ(1, self->bus.sent);
	mvm_ioapic_eoi(&self->io, 0x39);
	EXPECT_EQ(2, self->bus.sent);
	mvm_ioapic_set_line(&self->io, 9, false);
	mvm_ioapic_eoi(&self->io, 0x39);
	EXPECT_EQ(2, self->bus.sent);
	EXPECT_EQ(0x39 | LEVEL, read_reg(&self->io, 0x22));
}

TEST_F(ioapic, unmasking_a_level_pin_with_its_line_up_sends)
{
	set_rte(&self->io, 9, 0, 0x39 | LEVEL | MASKED);
	mvm_ioapic_set_line(&self->io, 9, true);
	EXPECT_EQ(0, self->bus.sent);
	set_rte(&self->io, 9, 0, 0x39 | LEVEL);
	EXPECT_EQ(1, self->bus.sent);
}

TEST_F(ioapic, pins_that_share_a_vector_are_all_served)
{
	set_rte(&self->io, 10, 0, 0x50 | LEVEL);
	set_rte(&self->io, 11, 0, 0x50 | LEVEL);
	mvm_ioapic_set_line(&self->io, 10, true);
	mvm_ioapic_set_line(&self->io, 11, true);
	mvm_ioapic_set_line(&self->io, 10, false);
	self->bus.sent = 0;
	mvm_ioapic_eoi(&self->io, 0x50);
	EXPECT_EQ(1, self->bus.sent);
}

TEST_F(ioapic, nobody_there_leaves_remote_irr_clear)
{
	self->bus.answer = 0;
	set_rte(&self->io, 9, 0, 0x39 | LEVEL);
	EXPECT_EQ(0, mvm_ioapic_set_line(&self->io, 9, true));
	EXPECT_EQ(0x39 | LEVEL, read_reg(&self->io, 0x22));
}

TEST_F(ioapic, remote_irr_is_read_only_and_edge_mode_clears_it)
{
	set_rte(&self->io, 9, 0, 0x39 | LEVEL | REMOTE);
	EXPECT_EQ(0x39 | LEVEL, read_reg(&self->io, 0x22));
	mvm_ioapic_set_line(&self->io, 9, true);
	set_rte(&self->io, 9, 0, 0x39 | LEVEL);
	EXPECT_EQ(0x39 | LEVEL | REMOTE, read_reg(&self->io, 0x22));
	/* How an operating system ends an interrupt without an EOI register. */
	set_rte(&self->io, 9, 0, 0x39 | MASKED);
	EXPECT_EQ(0x39 | MASKED, read_reg(&self->io, 0x22));
	set_rte(&self->io, 9, 0, 0x39 | LEVEL);
	EXPECT_EQ(2, self->bus.sent);
}

TEST_F(ioapic, nmi_and_init_are_edges_whatever_the_trigger_bit)
{
	set_rte(&self->io, 2, 1, 0x400 | LEVEL);
	mvm_ioapic_set_line(&self->io, 2, true);
	EXPECT_EQ(MVM_APIC_NMI, self->bus.last.mode);
	EXPECT_FALSE(self->bus.last.level);
	EXPECT_EQ(0x400 | LEVEL, read_reg(&self->io, 0x14));
	set_rte(&self->io, 3, 1, 0x500 | LEVEL);
	mvm_ioapic_set_line(&self->io, 3, true);
	EXPECT_EQ(MVM_APIC_INIT, self->bus.last.mode);
	EXPECT_TRUE(self->bus.last.assert);
}

TEST_F(ioapic, state_goes_out_and_in)
{
	struct kvm_ioapic_state state;

	set_rte(&self->io, 9, 7, 0x39 | LEVEL);
	mvm_ioapic_set_line(&self->io, 9, true);
	mvm_ioapic_get_state(&self->io, &state);
	EXPECT_EQ(MVM_IOAPIC_BASE, state.base_address);
	EXPECT_EQ(BIT(9), state.irr);
	EXPECT_EQ(0x39, state.redirtbl[9].fields.vector);
	EXPECT_TRUE(state.redirtbl[9].bits & REMOTE);
	EXPECT_EQ(7, state.redirtbl[9].fields.dest_id);

	mvm_ioapic_reset(&self->io);
	self->bus.sent = 0;
	ASSERT_EQ(0, mvm_ioapic_set_state(&self->io, &state));
	EXPECT_EQ(0, self->bus.sent); /* sent before: remote IRR is set */
	mvm_ioapic_eoi(&self->io, 0x39);
	EXPECT_EQ(1, self->bus.sent);
	state.redirtbl[9].fields.remote_irr = 0;
	ASSERT_EQ(0, mvm_ioapic_set_state(&self->io, &state));
	EXPECT_EQ(2, self->bus.sent);
}

TEST_F(ioapic, restored_remote_irr_stays_with_level_pins_alone)
{
	struct kvm_ioapic_state state;

	mvm_ioapic_get_state(&self->io, &state);
	state.redirtbl[0].bits = 0x30 | REMOTE;
	state.redirtbl[23].bits = 0x31 | LEVEL | REMOTE;
	ASSERT_EQ(0, mvm_ioapic_set_state(&self->io, &state));
	EXPECT_EQ(0x30, read_reg(&self->io, 0x10));
	EXPECT_EQ(0x31 | LEVEL | REMOTE, read_reg(&self->io, 0x10 + 2 * 23));
}

TEST_F(ioapic, another_base_address_is_refused)
{
	struct kvm_ioapic_state state = { .base_address = 0xfec10000 };

	EXPECT_EQ(-EINVAL, mvm_ioapic_set_state(&self->io, &state));
	memset(&state, 0xff, sizeof(state));
	state.base_address = MVM_IOAPIC_BASE;
	EXPECT_EQ(0, mvm_ioapic_set_state(&self->io, &state));
	EXPECT_EQ(0xffffff, self->io.line);
}

MVM_HARNESS_MAIN
