// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's output: nothing lost or reordered by a slow reader, a way out
 * of a write that blocks, and an error where nobody reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "mvm_harness.h"
#include "userspace/launcher/console.h"

FIXTURE(console) {
	struct console con;
	int fds[2];
};

FIXTURE_SETUP(console)
{
	ASSERT_EQ(0, pipe(self->fds));
	ASSERT_EQ(0, console_init(&self->con, self->fds[1], 1));
}

FIXTURE_TEARDOWN(console)
{
	console_destroy(&self->con);
}

static void put_text(struct console *con, const char *text)
{
	while (*text)
		console_put(con, *text++);
}

TEST_F(console, writes_what_was_put_once)
{
	char buf[16] = "";
	bool stop = false;

	put_text(&self->con, "one\n");
	EXPECT_EQ(0, console_flush(&self->con, &stop));
	put_text(&self->con, "two\n");
	EXPECT_EQ(0, console_flush(&self->con, &stop));
	EXPECT_EQ(0, console_flush(&self->con, &stop));
	EXPECT_EQ(8, read(self->fds[0], buf, sizeof(buf)));
	EXPECT_STREQ("one\ntwo\n", buf);
}

static const bool *volatile flag;

static void on_signal(int sig)
{
	(void)sig;
	*(bool *)flag = true;
}

TEST_F(console, a_stopped_write_keeps_its_bytes_for_later)
{
	struct sigaction sa = { .sa_handler = on_signal };
	char buf[4096];
	bool stop = false;
	ssize_t n;
	int size;

	size = fcntl(self->fds[1], F_SETPIPE_SZ, 4096);
	ASSERT_EQ(4096, size);
	memset(buf, '.', sizeof(buf));
	ASSERT_EQ(sizeof(buf), write(self->fds[1], buf, sizeof(buf)));

	flag = &stop;
	sigaction(SIGALRM, &sa, NULL);
	put_text(&self->con, "kept");
	ualarm(50000, 50000);
	EXPECT_EQ(0, console_flush(&self->con, &stop));
	ualarm(0, 0);
	EXPECT_TRUE(stop);

	n = read(self->fds[0], buf, sizeof(buf));
	EXPECT_EQ(sizeof(buf), n);
	stop = false;
	put_text(&self->con, " too");
	EXPECT_EQ(0, console_flush(&self->con, &stop));
	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(8, read(self->fds[0], buf, sizeof(buf)));
	EXPECT_STREQ("kept too", buf);
}

TEST_F(console, waits_for_room_on_a_stdout_that_does_not_block)
{
	static char buf[3 * 4096];
	unsigned int i;
	bool stop = false;
	pid_t reader;

	fcntl(self->fds[1], F_SETPIPE_SZ, 4096);
	fcntl(self->fds[1], F_SETFL, O_NONBLOCK);
	reader = fork();
	if (!reader) {
		size_t got = 0;
		ssize_t n;

		usleep(100000);
		while (got < sizeof(buf)) {
			n = read(self->fds[0], buf, 1000);
			if (n <= 0)
				_exit(1);
			got += n;
		}
		_exit(0);
	}
	for (i = 0; i < sizeof(buf); i++) {
		console_put(&self->con, 'n');
		if (i % 4096 == 4095)
			EXPECT_EQ(0, console_flush(&self->con, &stop));
	}
	EXPECT_EQ(0, self->con.len + self->con.out_len);
}

TEST_F(console, says_when_nobody_reads)
{
	bool stop = false;

	signal(SIGPIPE, SIG_IGN);
	close(self->fds[0]);
	put_text(&self->con, "x");
	EXPECT_EQ(-EPIPE, console_flush(&self->con, &stop));
	/* The byte is gone: the next flush has nothing to fail about. */
	EXPECT_EQ(0, console_flush(&self->con, &stop));
}

MVM_HARNESS_MAIN
