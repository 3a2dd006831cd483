/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two files that build ACPI tables share: the common table header
 * and the DSDT. boot_acpi_write() in boot.h is the public side.
 */
#ifndef MVM_BOOT_ACPI_H
#define MVM_BOOT_ACPI_H

#include <stddef.h>
#include <stdint.h>

#define ACPI_DSDT_MAX	1024

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

_Static_assert(sizeof(struct acpi_header) == 36, "common table header");

/* Fill all but length and checksum; then those two, over all of the table. */
void acpi_header_fill(struct acpi_header *h, const char *signature,
		      uint8_t revision);
void acpi_header_close(struct acpi_header *h, size_t len);

/* aml.c: the complete DSDT into buf; its length, 0 when it does not fit. */
size_t acpi_dsdt(uint8_t *buf, size_t size);

#endif /* MVM_BOOT_ACPI_H */
