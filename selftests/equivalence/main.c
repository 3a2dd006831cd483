// SPDX-License-Identifier: GPL-2.0-only
/*
 * The monitor: runs every case on a machine set up anew, prints its line, and at
 * the end how many lines there were. Then it asks whatever it runs on to end.
 */
#include "suite.h"

extern const struct test_case cases_start[], cases_end[];

#define DEBUG_EXIT	0xf4 /* the launcher's, and QEMU's isa-debug-exit */
#define BOCHS_EXIT	0x8900

static void run(const struct test_case *t)
{
	machine_start(t);
	if (!t->pre)
		report_baseline();
	enter_case();
}

/* Let in what a case has left pending in the local APIC. */
static void drain(void)
{
	static const unsigned char code[] = { 0xfb, 0x90, 0x90, 0xfa, 0xcd, VEC_DONE };
	static const struct test_case open = {
		.start = code, .end = code + sizeof(code), .mode = PM32, .on = { 0, 0xff << 24 },
	};

	if (!(*(volatile uint32_t *)(LAPIC + 0x210) >> 24))
		return;
	machine_start(&open);
	enter_case();
}

static void leave(void)
{
	const char *word = "Shutdown";

	outb(DEBUG_EXIT, 0);
	while (*word)
		outb(BOCHS_EXIT, *word++);
}

/* "from=N" on the command line: what comes before line N is left out. */
static unsigned int first_line(const char *cmdline)
{
	unsigned int n = 0;

	while (*cmdline && __builtin_memcmp(cmdline, "from=", 5))
		cmdline++;
	for (cmdline += *cmdline ? 5 : 0; *cmdline >= '0' && *cmdline <= '9'; cmdline++)
		n = n * 10 + *cmdline - '0';
	return n;
}

static void skip(const struct test_case *t, const char *lacks)
{
	put(t->name);
	put(": not here: ");
	put(lacks);
	end_line();
}

/* The cases of the assembly files; those before line @from are left out. */
static unsigned int run_cases(unsigned int from)
{
	const struct test_case *t;
	const char *lacks;
	bool fresh = true;
	unsigned int n = 0;

	for (t = cases_start; t < cases_end; t++) {
		/* What prepares a case is of its line. */
		if (n < from) {
			n += !t->pre;
			continue;
		}
		if (!cpu_has(t->need, &lacks)) {
			if (!t->pre)
				skip(t, lacks);
		} else {
			if (fresh) {
				drain();
				machine_reset();
			}
			run(t);
			fresh = !t->pre;
			if (!t->pre)
				report(t);
		}
		n += !t->pre;
	}
	return n;
}

void monitor(const char *cmdline)
{
	unsigned int n, from = first_line(cmdline);

	console_init();
	machine_init();
	n = run_cases(from);
	n += cpuid_cases();
	n += tsc_cases();
	put("equivalence: ");
	put_decimal(n);
	put(" lines");
	end_line();
	console_drain();
	leave();
}
