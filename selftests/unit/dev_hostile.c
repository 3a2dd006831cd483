// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest: accesses of all sizes, chosen by a seeded generator, to
 * every device and around it, with input coming in between. ASan and UBSan
 * judge; the test also wants the same seed to give the same answers, that the
 * bytes past an access stay as they are, and that each device was reached.
 */
#include <linux/serial_reg.h>

#include "mvm_harness.h"
#include "userspace/devices/acpi_pm.h"
#include "userspace/devices/cf9.h"
#include "userspace/devices/debug_ports.h"
#include "userspace/devices/i8042.h"
#include "userspace/devices/rtc.h"
#include "userspace/devices/uart.h"

#define ROUNDS 400000
#define NR_DEVICES 9
#define GUARD 0x5a

struct world {
	struct bus bus;
	struct uart uart;
	struct rtc rtc;
	struct i8042 kbc;
	struct acpi_pm pm;
	struct cf9 cf9;
	struct debugcon con;
	struct power_line power;
	uint64_t events;
};

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void set_irq(void *ctx, unsigned int irq, bool level)
{
	(void)irq;
	((struct world *)ctx)->events += level;
}

static void send_byte(void *ctx, uint8_t byte)
{
	((struct world *)ctx)->events += byte;
}

static void has_room(void *ctx)
{
	((struct world *)ctx)->events++;
}

static void on_power(void *ctx, enum power_event event, unsigned char status)
{
	((struct world *)ctx)->events += event + status;
}

static time_t fixed_time(void)
{
	return 1700000000;
}

static void build(struct world *w)
{
	struct irq_line irq = { .set = set_irq, .ctx = w };
	struct uart_backend backend = {
		.send = send_byte, .send_ctx = w, .has_room = has_room, .room_ctx = w,
	};

	memset(w, 0, sizeof(*w));
	w->power = (struct power_line){ .request = on_power, .ctx = w };
	w->con = (struct debugcon){ .send = send_byte, .ctx = w };
	uart_init(&w->uart, irq, backend);
	rtc_init(&w->rtc, fixed_time, 1ull << 30, 0);
	i8042_init(&w->kbc, w->power);
	acpi_pm_init(&w->pm, w->power, 0);
	cf9_init(&w->cf9, w->power);
	bus_add(&w->bus, 0x3f8, UART_PORTS, &uart_ops, &w->uart);
	bus_add(&w->bus, 0x70, RTC_PORTS, &rtc_ops, &w->rtc);
	bus_add(&w->bus, 0x60, 1, &i8042_data_ops, &w->kbc);
	bus_add(&w->bus, 0x64, 1, &i8042_cmd_ops, &w->kbc);
	bus_add(&w->bus, 0x600, ACPI_PM_EVT_PORTS, &acpi_pm_evt_ops, &w->pm);
	bus_add(&w->bus, 0x604, ACPI_PM_CNT_PORTS, &acpi_pm_cnt_ops, &w->pm);
	bus_add(&w->bus, 0xcf9, 1, &cf9_ops, &w->cf9);
	bus_add(&w->bus, 0xe9, 1, &debugcon_ops, &w->con);
	bus_add(&w->bus, 0xf4, 1, &debug_exit_ops, &w->power);
}

/* One access near a device; true unless a byte past it changed. */
static bool access_once(struct world *w, uint64_t *seed, uint64_t *sum)
{
	static const unsigned int sizes[] = { 1, 2, 4, 8 };
	const struct bus_range *r = &w->bus.range[next(seed) % w->bus.nr_ranges];
	uint64_t port = r->base + next(seed) % (r->size + 4) - 2;
	unsigned int len = sizes[next(seed) % 4];
	uint8_t data[16];
	uint64_t value = next(seed);

	memset(data, GUARD, sizeof(data));
	memcpy(data, &value, len);
	if (next(seed) & 1)
		bus_write(&w->bus, port, data, len);
	else
		bus_read(&w->bus, port, data, len);
	memcpy(&value, data, len);
	*sum = *sum * 31 + value;
	return data[len] == GUARD && data[15] == GUARD;
}

static bool play(struct world *w, uint64_t seed, uint64_t *sum)
{
	uint8_t input[64];
	unsigned int i;

	build(w);
	*sum = 0;
	for (i = 0; i < ROUNDS; i++) {
		if (!access_once(w, &seed, sum))
			return false;
		if (i % 16 == 0) {
			memset(input, i, sizeof(input));
			*sum += uart_receive(&w->uart, input, next(&seed) % sizeof(input));
		}
		if (w->uart.fifo_len > UART_FIFO_SIZE || w->uart.queue_len > UART_RING_SIZE)
			return false;
	}
	*sum += w->events;
	return true;
}

TEST(random_accesses_of_all_sizes_harm_nothing)
{
	static struct world w;
	uint64_t seed, first, second;
	unsigned int i;

	for (seed = 1; seed <= 3; seed++) {
		ASSERT_TRUE(play(&w, seed * 0x9e3779b97f4a7c15ull, &first));
		for (i = 0; i < NR_DEVICES; i++) {
			EXPECT_GT(w.bus.range[i].reads, 1000);
			EXPECT_GT(w.bus.range[i].writes, 1000);
		}
		ASSERT_TRUE(play(&w, seed * 0x9e3779b97f4a7c15ull, &second));
		EXPECT_EQ(first, second);
	}
}

TEST(a_clock_set_to_nonsense_goes_on)
{
	static struct world w;
	unsigned int i, reg;
	uint8_t byte;

	build(&w);
	for (i = 0; i < 100000; i++) {
		static const uint8_t regs[] = { 0, 2, 4, 7, 8, 9, 0x32 };

		byte = regs[i % sizeof(regs)];
		bus_write(&w.bus, 0x70, &byte, 1);
		byte = i % 3 ? 0xff : 0;
		bus_write(&w.bus, 0x71, &byte, 1);
		for (reg = 0; reg < 10; reg++) {
			byte = reg;
			bus_write(&w.bus, 0x70, &byte, 1);
			bus_read(&w.bus, 0x71, &byte, 1);
		}
	}
	EXPECT_GT(w.bus.range[1].reads, 999999);
}

MVM_HARNESS_MAIN
