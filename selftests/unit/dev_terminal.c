// SPDX-License-Identifier: GPL-2.0-only
/*
 * The terminal is raw while the guest has it and as before after every way
 * out, on a real pseudo-terminal; and Ctrl-a does what the help says.
 */
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>

#include "mvm_harness.h"
#include "userspace/launcher/terminal.h"

enum way_out {
	BY_RESTORE,
	BY_EXIT,
	BY_SEGV,
};

static void child(enum way_out way, int ready)
{
	char byte = terminal_raw() ? 'r' : 'n';

	if (write(ready, &byte, 1) != 1)
		_exit(99);
	/* The parent looks at the terminal, then says go on. */
	if (read(STDIN_FILENO, &byte, 1) != 1)
		_exit(98);
	switch (way) {
	case BY_RESTORE:
		terminal_restore();
		terminal_restore();
		_exit(0);
	case BY_EXIT:
		exit(0);
	case BY_SEGV:
		raise(SIGSEGV);
	}
	_exit(97);
}

FIXTURE(tty) {
	int master;
};

FIXTURE_VARIANT(tty) {
	enum way_out way;
	int sig;
};

FIXTURE_VARIANT_ADD(tty, restore) { BY_RESTORE, 0 };
FIXTURE_VARIANT_ADD(tty, exit) { BY_EXIT, 0 };
FIXTURE_VARIANT_ADD(tty, segv) { BY_SEGV, SIGSEGV };

FIXTURE_SETUP(tty)
{
}

FIXTURE_TEARDOWN(tty)
{
}

TEST_F(tty, is_raw_and_then_as_before)
{
	struct termios before, during, after;
	int ready[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(ready));
	pid = forkpty(&self->master, NULL, NULL, NULL);
	ASSERT_GE(pid, 0);
	if (!pid)
		child(variant->way, ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ('r', byte);
	ASSERT_EQ(0, tcgetattr(self->master, &during));
	EXPECT_EQ(0, during.c_lflag & (ICANON | ECHO | ISIG));
	EXPECT_NE(0, during.c_oflag & OPOST);
	before = during;

	ASSERT_EQ(1, write(self->master, "g", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(variant->sig, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	EXPECT_EQ(0, WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	ASSERT_EQ(0, tcgetattr(self->master, &after));
	EXPECT_NE(0, after.c_lflag & ICANON);
	EXPECT_NE(0, after.c_lflag & ECHO);
	EXPECT_NE(0, after.c_lflag & ISIG);
	EXPECT_NE(before.c_lflag, after.c_lflag);
}

TEST(a_pipe_is_never_raw_and_always_readable)
{
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(STDIN_FILENO, dup2(fds[0], STDIN_FILENO));
	EXPECT_FALSE(terminal_raw());
	EXPECT_TRUE(terminal_readable());
	terminal_restore();
}

TEST(closed_standard_files_are_filled)
{
	close(STDIN_FILENO);
	EXPECT_EQ(0, terminal_open_std());
	EXPECT_GE(fcntl(STDIN_FILENO, F_GETFD), 0);
}

static size_t filter(struct terminal_escape *esc, const char *in, char *out,
		     enum terminal_key *key)
{
	uint8_t buf[64];
	size_t n = strlen(in);

	memcpy(buf, in, n);
	n = terminal_filter(esc, buf, n, key);
	memcpy(out, buf, n);
	out[n] = '\0';
	return n;
}

TEST(ctrl_a_is_the_launchers)
{
	struct terminal_escape esc = { false };
	enum terminal_key key;
	char out[64];

	filter(&esc, "plain", out, &key);
	EXPECT_STREQ("plain", out);
	EXPECT_EQ(TERMINAL_NOTHING, key);

	filter(&esc, "a\001\001b", out, &key);
	EXPECT_STREQ("a\001b", out);
	EXPECT_EQ(TERMINAL_NOTHING, key);

	filter(&esc, "a\001hb", out, &key);
	EXPECT_STREQ("ab", out);
	EXPECT_EQ(TERMINAL_HELP, key);

	filter(&esc, "a\001", out, &key);
	EXPECT_STREQ("a", out);
	filter(&esc, "xyz", out, &key);
	EXPECT_STREQ("", out);
	EXPECT_EQ(TERMINAL_QUIT, key);

	filter(&esc, "\001qb", out, &key);
	EXPECT_STREQ("b", out);
	EXPECT_EQ(TERMINAL_NOTHING, key);
}

MVM_HARNESS_MAIN
