// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launcher on a terminal: raw while the guest runs, Ctrl-a for the
 * launcher, and the terminal as it was after every way out.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>

#include "launch.h"
#include "mvm_harness.h"
#include "mvm_util.h"

#define WAIT_MS 20000

/* Prints a dot, then spins on a port that nobody answers. */
GUEST_CODE(spinner, 16,
	   "mov $0x3f8, %dx; mov $'.', %al; out %al, %dx; 1: in $0x80, %al; jmp 1b");

/* Prints a dot, polls for a key, and ends with it as its status. */
GUEST_CODE(key_as_status, 16,
	   "mov $0x3f8, %dx; mov $'.', %al; out %al, %dx;"
	   "mov $0x3fd, %dx; 1: in %dx, %al; test $1, %al; jz 1b;"
	   "mov $0x3f8, %dx; in %dx, %al; out %al, $0xf4; hlt");

/* A launcher that runs on a pseudo-terminal. */
struct terminal {
	const char *launcher;
	char *image;
	struct termios before;
	int master;
	pid_t pid;
};

FIXTURE(tty) {
	struct terminal t;
};

FIXTURE_SETUP(tty)
{
	char why[128];
	int pty;

	self->t.launcher = launch_path(why, sizeof(why));
	if (!self->t.launcher)
		MVM_SKIP("%s", why);
	pty = posix_openpt(O_RDWR | O_NOCTTY);
	if (pty < 0 || grantpt(pty) || unlockpt(pty) || access(ptsname(pty), R_OK))
		MVM_SKIP("cannot open a pseudo-terminal: %s", strerror(errno));
	close(pty);
}

FIXTURE_TEARDOWN(tty)
{
	if (self->t.pid > 0)
		kill(self->t.pid, SIGKILL);
	if (self->t.image)
		unlink(self->t.image);
	free(self->t.image);
}

/* Wait until @text has come out of the terminal; everything else is dropped. */
static bool expect(int master, const char *text)
{
	char seen[4096] = "";
	size_t len = 0;
	struct pollfd p = { .fd = master, .events = POLLIN };

	while (len < sizeof(seen) - 1 && poll(&p, 1, WAIT_MS) == 1) {
		ssize_t n = read(master, seen + len, sizeof(seen) - 1 - len);

		if (n <= 0)
			return false;
		len += n;
		seen[len] = '\0';
		if (strstr(seen, text))
			return true;
	}
	return false;
}

static pid_t launch(const char *launcher, const char *image, int *master,
		    struct termios *before, const char *timeout)
{
	int go[2];
	pid_t pid;

	if (pipe(go))
		return -1;
	pid = forkpty(master, NULL, NULL, NULL);
	if (pid) {
		tcgetattr(*master, before);
		close(go[0]);
		close(go[1]);
		return pid;
	}
	/* Starts when the parent has seen the terminal's modes. */
	close(go[1]);
	if (read(go[0], &go[1], 1) != 0)
		_exit(99);
	close(go[0]);
	execl(launcher, launcher, "run", "--device", tvm_device(), "--timeout", timeout, image,
	      NULL);
	_exit(127);
}

static int wait_status(pid_t *pid)
{
	int status;

	waitpid(*pid, &status, 0);
	*pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool same_modes(int master, const struct termios *before)
{
	struct termios now;

	tcgetattr(master, &now);
	return now.c_lflag == before->c_lflag && now.c_iflag == before->c_iflag &&
	       now.c_oflag == before->c_oflag && now.c_cflag == before->c_cflag;
}

/* Run @code until it has printed its dot; true if the terminal is raw then. */
static bool start(struct terminal *t, const void *code, size_t size, const char *timeout)
{
	if (t->image)
		unlink(t->image);
	free(t->image);
	t->image = launch_file(code, size);
	if (!t->image)
		return false;
	t->pid = launch(t->launcher, t->image, &t->master, &t->before, timeout);
	return t->pid > 0 && expect(t->master, ".") &&
	       !same_modes(t->master, &t->before);
}

#define START(code, timeout) start(&self->t, code, code##_end - code, timeout)

TEST_F(tty, ctrl_a_x_ends_the_vm)
{
	ASSERT_TRUE(START(spinner, "20"));
	ASSERT_EQ(2, write(self->t.master, "\001h", 2));
	EXPECT_TRUE(expect(self->t.master, "Ctrl-a x"));
	ASSERT_EQ(2, write(self->t.master, "\001x", 2));
	EXPECT_EQ(0, wait_status(&self->t.pid));
	EXPECT_TRUE(same_modes(self->t.master, &self->t.before));
}

TEST_F(tty, ctrl_c_goes_to_the_guest)
{
	ASSERT_TRUE(START(key_as_status, "20"));
	ASSERT_EQ(1, write(self->t.master, "\003", 1));
	EXPECT_EQ(3, wait_status(&self->t.pid));
	EXPECT_TRUE(same_modes(self->t.master, &self->t.before));
}

TEST_F(tty, ctrl_a_ctrl_a_goes_to_the_guest_once)
{
	ASSERT_TRUE(START(key_as_status, "20"));
	ASSERT_EQ(2, write(self->t.master, "\001\001", 2));
	EXPECT_EQ(1, wait_status(&self->t.pid));
	EXPECT_TRUE(same_modes(self->t.master, &self->t.before));
}

TEST_F(tty, timeout_gives_the_terminal_back)
{
	ASSERT_TRUE(START(spinner, "1"));
	EXPECT_EQ(124, wait_status(&self->t.pid));
	EXPECT_TRUE(same_modes(self->t.master, &self->t.before));
}

TEST_F_TIMEOUT(tty, signals_give_the_terminal_back, 120)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT };
	unsigned int i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		ASSERT_TRUE(START(spinner, "20"));
		kill(self->t.pid, signals[i]);
		EXPECT_EQ(128 + signals[i], wait_status(&self->t.pid));
		EXPECT_TRUE(same_modes(self->t.master, &self->t.before));
	}
}

TEST_F_TIMEOUT(tty, a_crash_of_the_launcher_gives_the_terminal_back, 120)
{
	static const int signals[] = { SIGSEGV, SIGABRT };
	unsigned int i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		ASSERT_TRUE(START(spinner, "20"));
		kill(self->t.pid, signals[i]);
		EXPECT_EQ(-signals[i], wait_status(&self->t.pid));
		EXPECT_TRUE(same_modes(self->t.master, &self->t.before));
	}
}

TEST_F(tty, stop_and_continue)
{
	int status;

	ASSERT_TRUE(START(spinner, "20"));
	kill(self->t.pid, SIGTSTP);
	ASSERT_EQ(self->t.pid, waitpid(self->t.pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_TRUE(same_modes(self->t.master, &self->t.before));
	kill(self->t.pid, SIGCONT);
	usleep(500000);
	EXPECT_FALSE(same_modes(self->t.master, &self->t.before));
	ASSERT_EQ(2, write(self->t.master, "\001x", 2));
	EXPECT_EQ(0, wait_status(&self->t.pid));
	EXPECT_TRUE(same_modes(self->t.master, &self->t.before));
}

MVM_HARNESS_MAIN
