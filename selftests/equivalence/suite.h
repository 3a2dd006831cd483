/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the monitor's C files have of each other.
 */
#ifndef SUITE_H
#define SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case.h"

/* The shared block and its events, as layout.h has the offsets for assembly. */
struct start {
	uint64_t regs[16];
	uint64_t rip, flags;
	uint32_t cs, ss, ds, fs;
	uint32_t cr0, cr3, cr4, efer;
	uint32_t how, pad;
	uint64_t on;
	uint32_t nr, esp;
};

struct event {
	uint64_t regs[16];
	uint64_t rip, flags, error, pad0;
	uint32_t vector, cs, ss, ds, es, fs, gs, bits;
	uint64_t cr2, dr6;
	uint32_t hflags;
	uint8_t pad1[44];
};

_Static_assert(sizeof(struct event) == EVENT_SIZE, "as the assembly has it");
_Static_assert(__builtin_offsetof(struct event, hflags) == EV_HFLAGS, "as the assembly has it");
_Static_assert(__builtin_offsetof(struct start, esp) == SH_ESP - SHARED, "as the assembly has it");

#define shared ((struct start *)SHARED)
#define events ((struct event *)LOG)

static inline void outb(uint16_t port, uint8_t val)
{
	asm volatile("outb %0, %1" : : "a"(val), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t val;

	asm volatile("inb %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t *r)
{
	asm volatile("cpuid"
		     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
		     : "a"(leaf), "c"(sub));
}

static inline void wrmsr(uint32_t index, uint64_t val)
{
	asm volatile("wrmsr" : : "c"(index), "A"(val));
}

static inline uint64_t rdtsc(void)
{
	uint64_t val;

	asm volatile("rdtsc" : "=A"(val));
	return val;
}

void *memset(void *to, int byte, unsigned long n);
void *memcpy(void *to, const void *from, unsigned long n);

/* print.c: a line is gathered, then written as a whole. */
void console_init(void);
void put(const char *s);
void put_hex(uint64_t val, unsigned int digits); /* 0 digits: as many as it takes */
void put_name(const char *name, uint64_t val); /* " name=hex" */
void put_decimal(unsigned int val);
void put_signed(int64_t val);
void end_line(void);
void console_drain(void); /* until the last byte is on the line */

/* machine.c: everything a case starts with. */
void machine_init(void);
void machine_reset(void);
void machine_start(const struct test_case *t);

/* report.c: what a case did. */
void report_baseline(void);
void report(const struct test_case *t);

/* cpuid.c: the cases that are no code of their own. */
bool cpu_has(unsigned int need, const char **name);
unsigned int cpuid_cases(void);
unsigned int tsc_cases(void);

void enter_case(void);

#endif /* SUITE_H */
