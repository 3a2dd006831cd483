// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lines of text on the first serial port. A whole FIFO goes out by one REP OUTSB,
 * which in a VM is one exit.
 */
#include "suite.h"

#define COM1		0x3f8
#define FIFO		16
#define LSR_THRE	0x20
#define LSR_TEMT	0x40

static char line[4096];
static unsigned int len;

void console_init(void)
{
	outb(COM1 + 1, 0); /* no interrupts */
	outb(COM1 + 3, 0x80);
	outb(COM1, 1); /* 115200 */
	outb(COM1 + 1, 0);
	outb(COM1 + 3, 3); /* 8N1 */
	outb(COM1 + 2, 7); /* FIFOs on and empty */
	outb(COM1 + 4, 3);
}

static void put_char(char c)
{
	if (len < sizeof(line) - 2)
		line[len++] = c;
}

void put(const char *s)
{
	while (*s)
		put_char(*s++);
}

void put_hex(uint64_t val, unsigned int digits)
{
	unsigned int i = 16;

	if (!digits)
		for (digits = 1; digits < 16 && val >> (4 * digits); digits++)
			;
	while (i--)
		if (i < digits)
			put_char("0123456789abcdef"[(val >> (4 * i)) & 0xf]);
}

void put_decimal(unsigned int val)
{
	if (val >= 10)
		put_decimal(val / 10);
	put_char('0' + val % 10);
}

void put_signed(int64_t val)
{
	put(val < 0 ? "-" : "+");
	put_hex(val < 0 ? -val : val, 0);
}

void put_name(const char *name, uint64_t val)
{
	put(" ");
	put(name);
	put("=");
	put_hex(val, 0);
}

void end_line(void)
{
	const char *p = line;
	unsigned int n;

	line[len++] = '\n';
	while (len) {
		while (!(inb(COM1 + 5) & LSR_THRE))
			;
		n = len < FIFO ? len : FIFO;
		len -= n;
		asm volatile("rep outsb" : "+S"(p), "+c"(n) : "d"(COM1) : "memory");
	}
}

void console_drain(void)
{
	while (!(inb(COM1 + 5) & LSR_TEMT))
		;
}

/* By words where it can be: on Bochs each repetition costs as much as an instruction. */
void *memset(void *to, int byte, unsigned long n)
{
	unsigned long words = n / 4;
	void *p = to;

	n %= 4;
	asm volatile("rep stosl" : "+D"(p), "+c"(words)
		     : "a"((byte & 0xff) * 0x01010101u) : "memory");
	asm volatile("rep stosb" : "+D"(p), "+c"(n) : "a"(byte) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, unsigned long n)
{
	unsigned long words = n / 4;
	void *p = to;

	n %= 4;
	asm volatile("rep movsl" : "+D"(p), "+S"(from), "+c"(words) : : "memory");
	asm volatile("rep movsb" : "+D"(p), "+S"(from), "+c"(n) : : "memory");
	return to;
}
