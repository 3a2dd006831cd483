/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user asked "minivmm run" for, and turning arguments into it.
 */
#ifndef LAUNCHER_OPTIONS_H
#define LAUNCHER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_options {
	const char *image;
	const char *initrd;
	const char *cmdline;
	const char *device;
	const char *name;
	uint64_t mem_size;
	uint64_t timeout_ns;	/* 0: none */
	unsigned int cpus;
	bool no_reboot;
	bool no_pvh;
	bool stats;
	bool help;
};

/* Fill @opt from the arguments after the verb; 0 or -EINVAL and a sentence. */
int options_parse_run(struct run_options *opt, int argc, char **argv, char *err, size_t errlen);

/* "512M", "2G", "300" (MiB); 0, or -EINVAL, or -ERANGE where it overflows. */
int parse_size(const char *text, uint64_t *bytes);

/* "1.5", "90s", "2m", "1h"; more than 0. 0, -EINVAL or -ERANGE. */
int parse_duration(const char *text, uint64_t *ns);

extern const char options_run_help[];

#endif
