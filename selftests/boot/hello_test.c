// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's example, compiled into this test as it is: it prints its line
 * on the device under test, and explains itself where there is none.
 */
#include <fcntl.h>
#include <sys/wait.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define main hello_main
#include "userspace/examples/hello.c"
#undef main

/* Run the example in a child; its status, and what it wrote to @fd. */
static int run_example(const char *device, int fd, char *out, size_t size)
{
	char *argv[3] = { "hello", (char *)device, NULL };
	int fds[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], fd);
		close(fds[0]);
		close(fds[1]);
		exit(hello_main(2, argv));
	}
	close(fds[1]);
	while ((n = read(fds[0], out + len, size - 1 - len)) > 0)
		len += n;
	out[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(hello_prints_its_line)
{
	char out[256];

	if (access(tvm_device(), R_OK | W_OK))
		MVM_SKIP("cannot open %s", tvm_device());
	EXPECT_EQ(0, run_example(tvm_device(), STDOUT_FILENO, out, sizeof(out)));
	EXPECT_STREQ("Hello from a guest in real mode.\n", out);
}

TEST(hello_names_a_missing_device)
{
	char out[1024];

	EXPECT_EQ(1, run_example("/dev/no-such-device", STDERR_FILENO, out, sizeof(out)));
	EXPECT_NE(NULL, strstr(out, "/dev/no-such-device"));
}

MVM_HARNESS_MAIN
