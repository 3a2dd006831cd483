// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8042's command set as far as software without a keyboard sees it. The
 * answers say that both interfaces work and that no device is there.
 */
#include <string.h>

#include "i8042.h"

#define STATUS_OUTPUT_FULL	0x01
#define STATUS_SYSTEM		0x04	/* the self test has passed */
#define STATUS_COMMAND		0x08	/* the last write was a command */
#define STATUS_UNLOCKED		0x10

#define CMD_READ_CONFIG		0x20
#define CMD_WRITE_CONFIG	0x60
#define CMD_DISABLE_AUX		0xa7
#define CMD_ENABLE_AUX		0xa8
#define CMD_TEST_AUX		0xa9
#define CMD_SELF_TEST		0xaa
#define CMD_TEST_KBD		0xab
#define CMD_DISABLE_KBD		0xad
#define CMD_ENABLE_KBD		0xae
#define CMD_READ_OUTPUT_PORT	0xd0
#define CMD_WRITE_OUTPUT_PORT	0xd1
#define CMD_PULSE_FIRST		0xf0	/* 0xf0 to 0xff pulse output lines */

#define CONFIG_KBD_DISABLED	0x10
#define CONFIG_AUX_DISABLED	0x20
#define SELF_TEST_PASSED	0x55
#define PORT_TEST_PASSED	0x00
#define OUTPUT_RESET_LINE	0x01	/* low resets the processor */
#define OUTPUT_A20		0x02

static void answer(struct i8042 *kbc, uint8_t byte)
{
	kbc->output = byte;
	kbc->output_full = true;
}

static void set_output_port(struct i8042 *kbc, uint8_t value)
{
	if (!(value & OUTPUT_RESET_LINE))
		power_request(&kbc->power, POWER_RESET, 0);
}

static void command(struct i8042 *kbc, uint8_t cmd)
{
	kbc->pending = 0;
	switch (cmd) {
	case CMD_READ_CONFIG:
		answer(kbc, kbc->config);
		break;
	case CMD_WRITE_CONFIG:
	case CMD_WRITE_OUTPUT_PORT:
		kbc->pending = cmd;
		break;
	case CMD_DISABLE_AUX:
		kbc->config |= CONFIG_AUX_DISABLED;
		break;
	case CMD_ENABLE_AUX:
		kbc->config &= ~CONFIG_AUX_DISABLED;
		break;
	case CMD_DISABLE_KBD:
		kbc->config |= CONFIG_KBD_DISABLED;
		break;
	case CMD_ENABLE_KBD:
		kbc->config &= ~CONFIG_KBD_DISABLED;
		break;
	case CMD_SELF_TEST:
		answer(kbc, SELF_TEST_PASSED);
		break;
	case CMD_TEST_KBD:
	case CMD_TEST_AUX:
		answer(kbc, PORT_TEST_PASSED);
		break;
	case CMD_READ_OUTPUT_PORT:
		answer(kbc, OUTPUT_RESET_LINE | OUTPUT_A20);
		break;
	default:
		/* A pulse drives the lines low whose bits are clear. */
		if (cmd >= CMD_PULSE_FIRST)
			set_output_port(kbc, cmd);
	}
}

static uint64_t data_read(void *dev, uint64_t offset, unsigned int len)
{
	struct i8042 *kbc = dev;

	(void)offset;
	(void)len;
	kbc->output_full = false;
	return kbc->output;
}

static void data_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct i8042 *kbc = dev;
	uint8_t pending = kbc->pending;

	(void)offset;
	(void)len;
	kbc->pending = 0;
	if (pending == CMD_WRITE_CONFIG)
		kbc->config = value;
	else if (pending == CMD_WRITE_OUTPUT_PORT)
		set_output_port(kbc, value);
	/* Anything else is for a keyboard, and there is none to answer. */
}

static uint64_t status_read(void *dev, uint64_t offset, unsigned int len)
{
	const struct i8042 *kbc = dev;

	(void)offset;
	(void)len;
	return STATUS_SYSTEM | STATUS_UNLOCKED | (kbc->pending ? STATUS_COMMAND : 0) |
	       (kbc->output_full ? STATUS_OUTPUT_FULL : 0);
}

static void cmd_write(void *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	(void)offset;
	(void)len;
	command(dev, value);
}

const struct bus_ops i8042_data_ops = {
	.name = "i8042-data",
	.max_width = 1,
	.read = data_read,
	.write = data_write,
};

const struct bus_ops i8042_cmd_ops = {
	.name = "i8042-command",
	.max_width = 1,
	.read = status_read,
	.write = cmd_write,
};

void i8042_init(struct i8042 *kbc, struct power_line power)
{
	memset(kbc, 0, sizeof(*kbc));
	kbc->power = power;
	kbc->config = CONFIG_KBD_DISABLED | CONFIG_AUX_DISABLED;
}
