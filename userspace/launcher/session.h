/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The launcher's main thread while a guest runs: input, signals, the timeout,
 * and one machine after the other when the guest resets itself.
 */
#ifndef LAUNCHER_SESSION_H
#define LAUNCHER_SESSION_H

#include "machine.h"

/* The exit status is env(1)'s and timeout(1)'s convention. */
#define EXIT_TIMED_OUT	124
#define EXIT_OWN_FAILURE 125

struct session_result {
	enum machine_end end;
	unsigned int status;		/* the process's exit status */
	char text[MACHINE_TEXT_SIZE];	/* what to tell the user, or empty */
};

/*
 * Run @image until it is over. Signals are blocked in the caller and the
 * terminal is given back when this returns. @stats may be NULL.
 */
void session_run(struct minivmm *sys, const struct run_options *opt,
		 const struct boot_image *image, struct stats *stats,
		 struct session_result *result);

#endif
