// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every way a guest has to reset or end its machine, and what looks like one
 * and is not.
 */
#include "mvm_harness.h"
#include "userspace/devices/acpi_pm.h"
#include "userspace/devices/cf9.h"
#include "userspace/devices/debug_ports.h"
#include "userspace/devices/i8042.h"

#define S5 5

struct requests {
	unsigned int resets, offs, exits;
	unsigned char status;
};

FIXTURE(power) {
	struct power_line line;
	struct i8042 kbc;
	struct acpi_pm pm;
	struct cf9 cf9;
	struct requests got;
};

static void on_power(void *ctx, enum power_event event, unsigned char status)
{
	struct requests *r = ctx;

	r->status = status;
	if (event == POWER_RESET)
		r->resets++;
	else if (event == POWER_OFF)
		r->offs++;
	else
		r->exits++;
}

FIXTURE_SETUP(power)
{
	self->line = (struct power_line){ .request = on_power, .ctx = &self->got };
	i8042_init(&self->kbc, self->line);
	acpi_pm_init(&self->pm, self->line, S5);
	cf9_init(&self->cf9, self->line);
}

FIXTURE_TEARDOWN(power)
{
}

static void command(struct i8042 *kbc, uint8_t cmd)
{
	i8042_cmd_ops.write(kbc, 0, 1, cmd);
}

TEST_F(power, i8042_pulse_of_the_reset_line_resets)
{
	command(&self->kbc, 0xff);
	EXPECT_EQ(0, self->got.resets);
	command(&self->kbc, 0xfe);
	EXPECT_EQ(1, self->got.resets);
}

TEST_F(power, i8042_output_port_resets_when_its_line_goes_low)
{
	command(&self->kbc, 0xd1);
	i8042_data_ops.write(&self->kbc, 0, 1, 0x03);
	EXPECT_EQ(0, self->got.resets);
	command(&self->kbc, 0xd1);
	i8042_data_ops.write(&self->kbc, 0, 1, 0x02);
	EXPECT_EQ(1, self->got.resets);
	/* Without the command the byte is for a keyboard. */
	i8042_data_ops.write(&self->kbc, 0, 1, 0x02);
	EXPECT_EQ(1, self->got.resets);
}

TEST_F(power, i8042_answers_its_self_test)
{
	EXPECT_EQ(0, i8042_cmd_ops.read(&self->kbc, 0, 1) & 3);
	command(&self->kbc, 0xaa);
	EXPECT_EQ(1, i8042_cmd_ops.read(&self->kbc, 0, 1) & 3);
	EXPECT_EQ(0x55, i8042_data_ops.read(&self->kbc, 0, 1));
	EXPECT_EQ(0, i8042_cmd_ops.read(&self->kbc, 0, 1) & 3);
}

TEST_F(power, i8042_keeps_its_command_byte)
{
	command(&self->kbc, 0x60);
	i8042_data_ops.write(&self->kbc, 0, 1, 0x47);
	command(&self->kbc, 0x20);
	EXPECT_EQ(0x47, i8042_data_ops.read(&self->kbc, 0, 1));
}

TEST_F(power, cf9_resets_on_the_rise_of_its_bit)
{
	cf9_ops.write(&self->cf9, 0, 1, 0x02);
	EXPECT_EQ(0, self->got.resets);
	EXPECT_EQ(0x02, cf9_ops.read(&self->cf9, 0, 1));
	cf9_ops.write(&self->cf9, 0, 1, 0x06);
	EXPECT_EQ(1, self->got.resets);
	cf9_ops.write(&self->cf9, 0, 1, 0x06);
	EXPECT_EQ(1, self->got.resets);
}

TEST_F(power, acpi_s5_powers_off_and_other_states_do_not)
{
	acpi_pm_cnt_ops.write(&self->pm, 0, 2, S5 << 10);
	EXPECT_EQ(0, self->got.offs);
	acpi_pm_cnt_ops.write(&self->pm, 0, 2, (S5 - 1) << 10 | 0x2000);
	EXPECT_EQ(0, self->got.offs);
	acpi_pm_cnt_ops.write(&self->pm, 0, 2, S5 << 10 | 0x2000);
	EXPECT_EQ(1, self->got.offs);
}

TEST_F(power, acpi_s5_works_by_bytes)
{
	acpi_pm_cnt_ops.write(&self->pm, 1, 1, (S5 << 10 | 0x2000) >> 8);
	EXPECT_EQ(1, self->got.offs);
}

TEST_F(power, acpi_registers_read_as_an_acpi_machine)
{
	EXPECT_EQ(1, acpi_pm_cnt_ops.read(&self->pm, 0, 2) & 1);
	acpi_pm_evt_ops.write(&self->pm, 2, 2, 0x0521);
	EXPECT_EQ(0x0521, acpi_pm_evt_ops.read(&self->pm, 2, 2));
	EXPECT_EQ(0x05, acpi_pm_evt_ops.read(&self->pm, 3, 1) & 0xff);
	EXPECT_EQ(0, acpi_pm_evt_ops.read(&self->pm, 0, 2));
}

TEST_F(power, debug_exit_carries_its_byte)
{
	debug_exit_ops.write(&self->line, 0, 1, 0xa7);
	EXPECT_EQ(1, self->got.exits);
	EXPECT_EQ(0xa7, self->got.status);
}

MVM_HARNESS_MAIN
