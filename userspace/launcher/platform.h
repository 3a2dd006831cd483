/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixed addresses of the machine that the launcher shows its guest: one
 * place for what the devices decode and the ACPI tables describe.
 */
#ifndef LAUNCHER_PLATFORM_H
#define LAUNCHER_PLATFORM_H

#define PLATFORM_UART_PORT		0x3f8
#define PLATFORM_UART_IRQ		4
#define PLATFORM_RTC_PORT		0x70
#define PLATFORM_RTC_IRQ		8
#define PLATFORM_I8042_DATA_PORT	0x60
#define PLATFORM_I8042_CMD_PORT		0x64
#define PLATFORM_DEBUGCON_PORT		0xe9
#define PLATFORM_DEBUG_EXIT_PORT	0xf4

#define PLATFORM_PM1A_EVT_PORT		0x600	/* status and enable, 4 bytes */
#define PLATFORM_PM1A_CNT_PORT		0x604	/* 2 bytes */
#define PLATFORM_SCI_IRQ		9
#define PLATFORM_S5_SLP_TYP		0	/* what \_S5 holds and PM1a_CNT wants */

#define PLATFORM_RESET_PORT		0xcf9
#define PLATFORM_RESET_VALUE		6

#define PLATFORM_IOAPIC_ADDR		0xfec00000u
#define PLATFORM_LAPIC_ADDR		0xfee00000u

#endif
