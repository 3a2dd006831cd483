// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DSDT: which devices there are, and the way to soft-off, in AML.
 *
 * A small writer emits AML terms; a package length is patched in when its
 * scope is closed. acpi_dsdt() at the end reads like the ASL it stands for.
 * Opcodes and descriptor tags have the names of the ACPI specification.
 */
#include <stdbool.h>
#include <string.h>

#include "../launcher/platform.h"
#include "acpi.h"

#define AML_ZERO_OP		0x00
#define AML_NAME_OP		0x08
#define AML_BYTE_PREFIX		0x0a
#define AML_DWORD_PREFIX	0x0c
#define AML_SCOPE_OP		0x10
#define AML_BUFFER_OP		0x11
#define AML_PACKAGE_OP		0x12
#define AML_ROOT_CHAR		'\\'
#define AML_EXT_OP_PREFIX	0x5b
#define AML_DEVICE_OP		0x82

#define RES_IRQ_NO_FLAGS	0x22
#define RES_IO			0x47
#define RES_IO_DECODE16		0x01
#define RES_END_TAG		0x79
#define RES_TOTAL		(8 + 3 + 2)	/* one of each */

#define PKG_ONE_BYTE_MAX	0x3f
#define PKG_RESERVED		2	/* length bytes set aside at open */
#define PKG_MAX			0xfff	/* what two bytes hold */

struct aml {
	uint8_t *buf;
	size_t len;
	size_t size;
	bool overflow;
};

static void emit(struct aml *a, const void *data, size_t len)
{
	if (len > a->size - a->len) {
		a->overflow = true;
		return;
	}
	memcpy(a->buf + a->len, data, len);
	a->len += len;
}

static void emit8(struct aml *a, uint8_t byte)
{
	emit(a, &byte, 1);
}

static void emit16(struct aml *a, uint16_t word)
{
	emit8(a, word);
	emit8(a, word >> 8);
}

/* Start something with a package length; hand the result to aml_close(). */
static size_t aml_open(struct aml *a)
{
	size_t start = a->len;

	emit16(a, 0);
	return start;
}

static void aml_close(struct aml *a, size_t start)
{
	size_t body, len;

	if (a->overflow)
		return;
	body = a->len - start - PKG_RESERVED;
	len = body + 1;
	if (len <= PKG_ONE_BYTE_MAX) {
		memmove(a->buf + start + 1, a->buf + start + PKG_RESERVED, body);
		a->buf[start] = len;
		a->len--;
		return;
	}
	len = body + PKG_RESERVED;
	a->overflow = len > PKG_MAX;
	a->buf[start] = 0x40 | (len & 0xf);
	a->buf[start + 1] = len >> 4;
}

static void aml_name(struct aml *a, const char *seg)
{
	emit8(a, AML_NAME_OP);
	emit(a, seg, 4);
}

static void aml_byte(struct aml *a, uint8_t value)
{
	if (!value) {
		emit8(a, AML_ZERO_OP);
		return;
	}
	emit8(a, AML_BYTE_PREFIX);
	emit8(a, value);
}

/* Three letters of five bits each, big-endian, then four hex digits. */
static void aml_eisa_id(struct aml *a, const char *vendor, uint16_t product)
{
	uint16_t v = (vendor[0] - '@') << 10 | (vendor[1] - '@') << 5 |
		     (vendor[2] - '@');

	emit8(a, AML_DWORD_PREFIX);
	emit8(a, v >> 8);
	emit8(a, v);
	emit8(a, product >> 8);
	emit8(a, product);
}

/* Name (_S5, Package () { type, type, 0, 0 }) */
static void aml_s5(struct aml *a)
{
	size_t pkg;

	aml_name(a, "_S5_");
	emit8(a, AML_PACKAGE_OP);
	pkg = aml_open(a);
	emit8(a, 4);
	aml_byte(a, PLATFORM_S5_SLP_TYP);
	aml_byte(a, PLATFORM_S5_SLP_TYP);
	emit8(a, AML_ZERO_OP);
	emit8(a, AML_ZERO_OP);
	aml_close(a, pkg);
}

/* Name (_CRS, ResourceTemplate () { IO (...) IRQNoFlags () {irq} }) */
static void aml_crs(struct aml *a, uint16_t port, uint8_t ports,
		    uint8_t irq)
{
	size_t buffer;

	aml_name(a, "_CRS");
	emit8(a, AML_BUFFER_OP);
	buffer = aml_open(a);
	aml_byte(a, RES_TOTAL);
	emit8(a, RES_IO);
	emit8(a, RES_IO_DECODE16);
	emit16(a, port);
	emit16(a, port);
	emit8(a, 1);
	emit8(a, ports);
	emit8(a, RES_IRQ_NO_FLAGS);
	emit16(a, 1u << irq);
	emit8(a, RES_END_TAG);
	emit8(a, 0);	/* a checksum of 0 is one that is not checked */
	aml_close(a, buffer);
}

/* Device (name) with a PNP id, its ports and its interrupt. */
static void aml_device(struct aml *a, const char *name, uint16_t pnp,
		       uint16_t port, uint8_t ports, uint8_t irq)
{
	size_t device;

	emit8(a, AML_EXT_OP_PREFIX);
	emit8(a, AML_DEVICE_OP);
	device = aml_open(a);
	emit(a, name, 4);
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP", pnp);
	aml_name(a, "_UID");
	aml_byte(a, 1);
	aml_crs(a, port, ports, irq);
	aml_close(a, device);
}

/**
 * acpi_dsdt() - write the DSDT
 * @buf: receives it
 * @size: its room
 *
 * Return: the table's length, 0 when it does not fit.
 */
size_t acpi_dsdt(uint8_t *buf, size_t size)
{
	struct aml a = { .buf = buf, .size = size };
	struct acpi_header h = { 0 };
	size_t scope;

	acpi_header_fill(&h, "DSDT", 2);
	emit(&a, &h, sizeof(h));
	aml_s5(&a);
	emit8(&a, AML_SCOPE_OP);
	scope = aml_open(&a);
	emit8(&a, AML_ROOT_CHAR);
	emit(&a, "_SB_", 4);
	aml_device(&a, "COM1", 0x0501, PLATFORM_UART_PORT, 8, PLATFORM_UART_IRQ);
	aml_device(&a, "RTC0", 0x0b00, PLATFORM_RTC_PORT, 2, PLATFORM_RTC_IRQ);
	aml_close(&a, scope);
	if (a.overflow)
		return 0;
	acpi_header_close((struct acpi_header *)buf, a.len);
	return a.len;
}
