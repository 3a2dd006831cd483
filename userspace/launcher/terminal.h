/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stdin as the guest's keyboard. A terminal is made raw and given back on
 * every way out; its Ctrl-a is the way to talk to the launcher. A pipe, a
 * file or nothing at all are left as they are.
 */
#ifndef LAUNCHER_TERMINAL_H
#define LAUNCHER_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum terminal_key {
	TERMINAL_NOTHING,
	TERMINAL_QUIT,
	TERMINAL_HELP,
};

/* The state between bytes of the Ctrl-a escape. */
struct terminal_escape {
	bool pending;
};

extern const char terminal_help[];

/* Put /dev/null where stdin, stdout or stderr are closed. 0 or -errno. */
int terminal_open_std(void);

/* Raw mode if stdin is a terminal and ours to read; true if it now is raw. */
bool terminal_raw(void);

/* Give the terminal back as it was found; callable at any time, any number of times. */
void terminal_restore(void);

/* May stdin be read without being stopped for it? */
bool terminal_readable(void);

/*
 * Take the launcher's own keys out of @len bytes at @buf, in place. Returns
 * how many are left for the guest; nothing after a quit is.
 */
size_t terminal_filter(struct terminal_escape *esc, uint8_t *buf, size_t len,
		       enum terminal_key *key);

#endif
