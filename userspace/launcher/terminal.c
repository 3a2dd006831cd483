// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal's modes. What was found is kept in one global, because the
 * handlers of fatal signals must reach it; they restore it and let the signal
 * do its work.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "terminal.h"

#define CTRL_A 0x01

const char terminal_help[] =
"\n"
"Ctrl-a x       end the VM\n"
"Ctrl-a h       this help\n"
"Ctrl-a Ctrl-a  send Ctrl-a to the guest\n";

static struct {
	struct termios found;
	volatile sig_atomic_t is_raw;
} term;

int terminal_open_std(void)
{
	int fd, null;

	for (fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is the one that is missing. */
		null = open("/dev/null", O_RDWR);
		if (null < 0)
			return -errno;
	}
	return 0;
}

bool terminal_readable(void)
{
	/* A background job that reads its terminal is stopped by the kernel. */
	return !isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void terminal_restore(void)
{
	int saved = errno;

	/* In the background the terminal is another's, who would also stop us for it. */
	if (term.is_raw && terminal_readable())
		tcsetattr(STDIN_FILENO, TCSANOW, &term.found);
	term.is_raw = 0;
	errno = saved;
}

static void on_fatal_signal(int sig)
{
	terminal_restore();
	/* SA_RESETHAND put the default action back. */
	raise(sig);
}

static void install_handlers(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	struct sigaction sa = { .sa_handler = on_fatal_signal, .sa_flags = (int)SA_RESETHAND };
	static bool done;
	size_t i;

	if (done)
		return;
	done = true;
	for (i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &sa, NULL);
	atexit(terminal_restore);
}

bool terminal_raw(void)
{
	const sig_atomic_t was_raw = term.is_raw;
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !terminal_readable())
		return false;
	/* A shell that stopped and continued us may have left its own modes. */
	if (!was_raw && tcgetattr(STDIN_FILENO, &term.found))
		return false;
	install_handlers();

	raw = term.found;
	cfmakeraw(&raw);
	/* A guest that prints a bare newline still begins at the left edge. */
	raw.c_oflag |= OPOST;
	term.is_raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw)) {
		term.is_raw = was_raw;
		return false;
	}
	return true;
}

size_t terminal_filter(struct terminal_escape *esc, uint8_t *buf, size_t len,
		       enum terminal_key *key)
{
	size_t in, out = 0;

	*key = TERMINAL_NOTHING;
	for (in = 0; in < len && *key != TERMINAL_QUIT; in++) {
		if (!esc->pending) {
			if (buf[in] == CTRL_A)
				esc->pending = true;
			else
				buf[out++] = buf[in];
			continue;
		}
		esc->pending = false;
		if (buf[in] == 'x')
			*key = TERMINAL_QUIT;
		else if (buf[in] == 'h')
			*key = TERMINAL_HELP;
		else if (buf[in] == CTRL_A)
			buf[out++] = CTRL_A;
		/* Other keys after Ctrl-a mean nothing. */
	}
	return out;
}
