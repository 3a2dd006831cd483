// SPDX-License-Identifier: GPL-2.0-only
/*
 * The platform: which device sits at which port, and what its wires are tied
 * to. Addresses come from platform.h.
 */
#include <sys/eventfd.h>
#include <time.h>

#include "machine.h"
#include "platform.h"

/* Callers of the devices hold the machine's lock, which covers the VM handle. */
static void set_irq(void *ctx, unsigned int irq, bool level)
{
	struct machine *m = ctx;

	if (minivmm_vm_irq_line(m->vm, irq, level))
		machine_fail(m, END_FAILED, "%s", minivmm_vm_error(m->vm));
}

static void on_power(void *ctx, enum power_event event, unsigned char status)
{
	static const enum machine_end ends[] = {
		[POWER_RESET] = END_RESET,
		[POWER_OFF] = END_POWER_OFF,
		[POWER_EXIT] = END_EXIT,
	};

	machine_finish(ctx, ends[event], status);
}

static void input_has_room(void *ctx)
{
	struct machine *m = ctx;

	eventfd_write(m->wake_fd, 1);
}

static time_t host_time(void)
{
	return time(NULL);
}

static void init_devices(struct machine *m)
{
	struct irq_line uart_irq = { .set = set_irq, .ctx = m, .irq = PLATFORM_UART_IRQ };
	struct uart_backend backend = {
		.send = console_put, .send_ctx = &m->console,
		.has_room = input_has_room, .room_ctx = m,
	};
	uint64_t low = m->mem.region[0].size;

	m->power = (struct power_line){ .request = on_power, .ctx = m };
	m->debugcon = (struct debugcon){ .send = console_put, .ctx = &m->console };
	uart_init(&m->uart, uart_irq, backend);
	rtc_init(&m->rtc, host_time, low, m->mem.size - low);
	i8042_init(&m->i8042, m->power);
	acpi_pm_init(&m->pm, m->power, PLATFORM_S5_SLP_TYP);
	cf9_init(&m->cf9, m->power);
}

int machine_add_devices(struct machine *m)
{
	const struct {
		uint64_t base, size;
		const struct bus_ops *ops;
		void *dev;
	} table[] = {
		{ PLATFORM_UART_PORT, UART_PORTS, &uart_ops, &m->uart },
		{ PLATFORM_RTC_PORT, RTC_PORTS, &rtc_ops, &m->rtc },
		{ PLATFORM_I8042_DATA_PORT, 1, &i8042_data_ops, &m->i8042 },
		{ PLATFORM_I8042_CMD_PORT, 1, &i8042_cmd_ops, &m->i8042 },
		{ PLATFORM_PM1A_EVT_PORT, ACPI_PM_EVT_PORTS, &acpi_pm_evt_ops, &m->pm },
		{ PLATFORM_PM1A_CNT_PORT, ACPI_PM_CNT_PORTS, &acpi_pm_cnt_ops, &m->pm },
		{ PLATFORM_RESET_PORT, 1, &cf9_ops, &m->cf9 },
		{ PLATFORM_DEBUGCON_PORT, 1, &debugcon_ops, &m->debugcon },
		{ PLATFORM_DEBUG_EXIT_PORT, 1, &debug_exit_ops, &m->power },
	};
	unsigned int i;
	int ret;

	init_devices(m);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ret = bus_add(&m->pio, table[i].base, table[i].size, table[i].ops, table[i].dev);
		if (ret)
			return ret;
	}
	return 0;
}
