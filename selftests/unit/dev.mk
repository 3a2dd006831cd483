# SPDX-License-Identifier: GPL-2.0-only
# The launcher's devices, buses, console, terminal and arguments.

dev_SRC := $(addprefix userspace/devices/,bus.c uart.c rtc.c i8042.c acpi_pm.c cf9.c \
	debug_ports.c)

TEST_GEN_PROGS += dev_uart dev_bus dev_rtc dev_power dev_hostile dev_guest_mem
TEST_GEN_PROGS += dev_options dev_console dev_terminal

dev_uart_SRC := $(dev_SRC)
dev_bus_SRC := userspace/devices/bus.c
dev_rtc_SRC := $(dev_SRC)
dev_power_SRC := $(dev_SRC)
dev_hostile_SRC := $(dev_SRC)
dev_guest_mem_SRC := userspace/launcher/guest_mem.c
dev_options_SRC := userspace/launcher/options.c
dev_options_CFLAGS := -I../../userspace/lib
dev_console_SRC := userspace/launcher/console.c
dev_console_LIBS := -lpthread
dev_terminal_SRC := userspace/launcher/terminal.c
dev_terminal_LIBS := -lutil
