/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the launcher in a child and keeps what it printed.
 */
#ifndef LAUNCH_H
#define LAUNCH_H

#include <stdbool.h>
#include <stddef.h>

#define LAUNCH_OUT_MAX	(256u << 10)
#define LAUNCH_ARGS_MAX	24

struct launch {
	int status;		/* exit status; 128 + N for signal N */
	char out[LAUNCH_OUT_MAX + 1];	/* stdout, what came beyond is dropped */
	char err[LAUNCH_OUT_MAX + 1];	/* stderr */
};

/* What to type, and after which words on stdout. */
struct launch_input {
	const char *after;
	const char *text;
};

/* The launcher's path, or NULL with the reason it cannot be run in @why. */
const char *launch_path(char *why, size_t size);

/*
 * Run "LAUNCHER run --device DEVICE ARGS...", ARGS ending with NULL, and wait
 * for its end. @input may be NULL; stdin is empty then. 0 or -errno.
 */
int launch_run(struct launch *l, const struct launch_input *input,
	       const char *const args[]);

/* How often @word is in what the guest printed. */
unsigned int launch_count(const struct launch *l, const char *word);

/* The ends of both outputs as comments on stdout. */
void launch_show(const struct launch *l);

/* A new file of these bytes; its path, to be unlinked and freed. */
char *launch_file(const void *data, size_t size);

#endif /* LAUNCH_H */
