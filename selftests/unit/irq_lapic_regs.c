// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's registers in both modes, IA32_APIC_BASE, and saved state.
 */
#include "mvm_harness.h"

#include "irq_lapic.h"

#define ENABLE MVM_APIC_BASE_ENABLE
#define X2APIC MVM_APIC_BASE_X2APIC
#define PHYS   MVM_APIC_DEFAULT_PHYS

FIXTURE(regs) {
	struct mvm_apic apic;
};

FIXTURE_SETUP(regs)
{
	lapic_new_enabled(&self->apic, 0x25, false);
}

FIXTURE_TEARDOWN(regs)
{
	lapic_free(&self->apic);
}

TEST(reset_values_are_the_manuals)
{
	struct mvm_apic apic;
	unsigned int nr;

	lapic_new(&apic, 3, false);
	EXPECT_EQ(PHYS | ENABLE, apic.base);
	EXPECT_EQ(3 << 24, lapic_get(&apic, MVM_APIC_ID));
	EXPECT_EQ(0x50014, lapic_get(&apic, MVM_APIC_VERSION));
	EXPECT_EQ(0xffffffff, lapic_get(&apic, MVM_APIC_DFR));
	EXPECT_EQ(0xff, lapic_get(&apic, MVM_APIC_SVR));
	for (nr = MVM_APIC_LVTT; nr <= MVM_APIC_LVT_ERROR; nr++)
		EXPECT_EQ(0x10000, lapic_get(&apic, nr));
	lapic_free(&apic);
}

TEST_F(regs, init_keeps_base_and_id_and_clears_the_rest)
{
	lapic_to_x2apic(&self->apic);
	mvm_apic_post(&self->apic, 0x80, false);
	mvm_apic_write(&self->apic, MVM_APIC_TPR, 0x20, 0);
	mvm_apic_reset(&self->apic, true, false);
	EXPECT_EQ(PHYS | ENABLE | X2APIC, self->apic.base);
	EXPECT_EQ(0x25, lapic_get(&self->apic, MVM_APIC_ID));
	EXPECT_EQ(0, lapic_get(&self->apic, MVM_APIC_TPR));
	EXPECT_EQ(-1, mvm_apic_pending(&self->apic));
	mvm_apic_reset(&self->apic, false, false);
	EXPECT_EQ(PHYS | ENABLE, self->apic.base);
}

TEST_F(regs, reserved_bits_do_not_stick)
{
	static const struct {
		unsigned int nr;
		u32 kept;
	} rows[] = {
		{ MVM_APIC_TPR, 0xff }, { MVM_APIC_SVR, 0x3ff }, { MVM_APIC_LDR, 0xff000000 },
		{ MVM_APIC_DFR, 0xffffffff }, { MVM_APIC_LVT_LINT1, 0x1a7ff },
		{ MVM_APIC_LVT_ERROR, 0x100ff }, { MVM_APIC_TDCR, 0xb },
		{ MVM_APIC_ICR2, 0xff000000 }, { MVM_APIC_ICR, 0xffffefff },
		{ MVM_APIC_ID, 0xff000000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		mvm_apic_write(&self->apic, rows[i].nr, 0xffffffff, 0);
		EXPECT_EQ(rows[i].kept, lapic_get(&self->apic, rows[i].nr));
	}
}

TEST_F(regs, read_only_and_missing_registers_are_refused_and_recorded)
{
	static const unsigned int bad[] = { 0, 1, 4, MVM_APIC_VERSION, MVM_APIC_PPR, MVM_APIC_ISR,
		MVM_APIC_IRR + 7, 0x2f, MVM_APIC_TMCCT, MVM_APIC_SELF_IPI, 0x40, 0xff, 0xffffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		self->apic.esr_pending = 0;
		EXPECT_EQ(MVM_APIC_FX_BAD, mvm_apic_write(&self->apic, bad[i], ~0, 0));
		EXPECT_EQ(MVM_APIC_ESR_REGISTER, self->apic.esr_pending);
	}
	EXPECT_EQ(0x50014, lapic_get(&self->apic, MVM_APIC_VERSION));
}

TEST_F(regs, x2apic_has_its_own_set_of_registers)
{
	u32 val;

	lapic_to_x2apic(&self->apic);
	EXPECT_EQ(0x25, lapic_get(&self->apic, MVM_APIC_ID));
	EXPECT_EQ(2 << 16 | 1 << 5, lapic_get(&self->apic, MVM_APIC_LDR));
	EXPECT_EQ(1, mvm_apic_read(&self->apic, MVM_APIC_DFR, 0, &val));
	EXPECT_EQ(1, mvm_apic_read(&self->apic, MVM_APIC_ICR2, 0, &val));
	EXPECT_EQ(1, mvm_apic_read(&self->apic, MVM_APIC_EOI, 0, &val));
	EXPECT_EQ(1, mvm_apic_read(&self->apic, MVM_APIC_SELF_IPI, 0, &val));
	EXPECT_EQ(MVM_APIC_FX_BAD, mvm_apic_write(&self->apic, MVM_APIC_ID, 0, 0));
	EXPECT_EQ(MVM_APIC_FX_BAD, mvm_apic_write(&self->apic, MVM_APIC_LDR, 0, 0));
	EXPECT_EQ(MVM_APIC_FX_BAD, mvm_apic_write(&self->apic, MVM_APIC_EOI, 1, 0));
	EXPECT_EQ(MVM_APIC_FX_BAD, mvm_apic_write(&self->apic, MVM_APIC_ESR, 1, 0));
	EXPECT_EQ(MVM_APIC_FX_SELF, mvm_apic_write(&self->apic, MVM_APIC_SELF_IPI, 0x40, 0));
	EXPECT_EQ(0, self->apic.esr_pending); /* #GP instead */
}

TEST_F(regs, base_transitions_are_the_manuals)
{
	struct mvm_apic *apic = &self->apic;

	EXPECT_EQ(1, mvm_apic_set_base(apic, PHYS | X2APIC, false));
	EXPECT_EQ(1, mvm_apic_set_base(apic, PHYS | ENABLE | 1, true));
	EXPECT_EQ(0, mvm_apic_set_base(apic, PHYS, false)); /* xAPIC to disabled */
	EXPECT_EQ(1, mvm_apic_set_base(apic, PHYS | ENABLE | X2APIC, false));
	EXPECT_EQ(0, mvm_apic_set_base(apic, PHYS | ENABLE, false));
	EXPECT_EQ(0, mvm_apic_set_base(apic, PHYS | ENABLE | X2APIC, false));
	EXPECT_EQ(1, mvm_apic_set_base(apic, PHYS | ENABLE, false));
	EXPECT_EQ(PHYS | ENABLE | X2APIC, apic->base);
	EXPECT_EQ(0, mvm_apic_set_base(apic, PHYS, false));
	EXPECT_EQ(0, mvm_apic_set_base(apic, PHYS | ENABLE | X2APIC, true)); /* an ioctl may */
	EXPECT_EQ(0, mvm_apic_set_base(apic, PHYS | ENABLE, true));
	EXPECT_EQ(0x25 << 24, lapic_get(apic, MVM_APIC_ID));
	EXPECT_EQ(0, lapic_get(apic, MVM_APIC_LDR));
}

TEST_F(regs, state_goes_out_and_in_unchanged)
{
	struct kvm_lapic_state saved, again;
	struct mvm_apic copy;

	mvm_apic_write(&self->apic, MVM_APIC_TPR, 0x31, 0);
	mvm_apic_write(&self->apic, MVM_APIC_LDR, 0x02000000, 0);
	mvm_apic_write(&self->apic, MVM_APIC_LVT_LINT1, 0x400, 0);
	mvm_apic_write(&self->apic, MVM_APIC_ICR2, 0x07000000, 0);
	mvm_apic_write(&self->apic, MVM_APIC_ICR, 0x4500, 0);
	mvm_apic_post(&self->apic, 0x91, true);
	mvm_apic_accept(&self->apic, 0x91);
	mvm_apic_post(&self->apic, 0xa3, false);
	mvm_apic_get_state(&self->apic, &saved, 0);

	lapic_new(&copy, 0x25, false);
	ASSERT_EQ(0, mvm_apic_set_state(&copy, &saved, 0));
	EXPECT_EQ(0xa3, mvm_apic_pending(&copy));
	EXPECT_EQ(0x91, mvm_apic_eoi(&copy));
	mvm_apic_accept(&copy, 0xa3);
	ASSERT_EQ(0, mvm_apic_set_state(&copy, &saved, 0));
	mvm_apic_get_state(&copy, &again, 0);
	EXPECT_EQ(0, memcmp(&saved, &again, sizeof(saved)));
	lapic_free(&copy);
}

TEST_F(regs, the_reset_state_keeps_its_virtual_wire_through_a_save)
{
	struct kvm_lapic_state saved;
	struct mvm_apic boot;

	lapic_new(&boot, 0, true);
	mvm_apic_get_state(&boot, &saved, 0);
	ASSERT_EQ(0, mvm_apic_set_state(&boot, &saved, 0));
	EXPECT_TRUE(mvm_apic_takes_extint(&boot));
	lapic_free(&boot);
}

TEST_F(regs, hostile_state_is_cleaned)
{
	struct kvm_lapic_state state;

	memset(&state, 0xff, sizeof(state));
	ASSERT_EQ(0, mvm_apic_set_state(&self->apic, &state, 0));
	EXPECT_EQ(0x50014, lapic_get(&self->apic, MVM_APIC_VERSION));
	EXPECT_EQ(0x700ff, lapic_get(&self->apic, MVM_APIC_LVTT));
	EXPECT_EQ(0xffffffff, lapic_get(&self->apic, MVM_APIC_IRR));
	EXPECT_EQ(0xffffffff, lapic_get(&self->apic, MVM_APIC_ISR + 7));
	EXPECT_EQ(0xffffefff, lapic_get(&self->apic, MVM_APIC_ICR));
}

TEST_F(regs, an_x2apics_state_must_carry_its_own_id)
{
	struct kvm_lapic_state state;

	lapic_to_x2apic(&self->apic);
	self->apic.regs[MVM_APIC_ICR2 * 4] = 0x00020001;
	mvm_apic_get_state(&self->apic, &state, 0);
	EXPECT_EQ(0x25, (u8)state.regs[MVM_APIC_ID * 16 + 3]);
	EXPECT_EQ(0, mvm_apic_set_state(&self->apic, &state, 0));
	EXPECT_EQ(0x00020001, mvm_apic_reg(&self->apic, MVM_APIC_ICR2));
	state.regs[MVM_APIC_ID * 16 + 3] = 0x26;
	EXPECT_EQ(-EINVAL, mvm_apic_set_state(&self->apic, &state, 0));
}

MVM_HARNESS_MAIN
