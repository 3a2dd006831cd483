// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the launcher in a child and keeps what it printed; see launch.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "mvm_util.h"

#define SHOW_BYTES	1500

const char *launch_path(char *why, size_t size)
{
	static const char *const places[] = {
		"/bin/minivmm", "/usr/local/bin/minivmm", "/usr/bin/minivmm",
		"../../userspace/minivmm",
	};
	const char *env = getenv("MINIVMM_LAUNCHER");
	int fd = tvm_open();

	if (fd < 0) {
		snprintf(why, size, "cannot open %s: %s", tvm_device(),
			 strerror(-fd));
		return NULL;
	}
	close(fd);
	if (env)
		return env;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!access(places[i], X_OK))
			return places[i];
	snprintf(why, size, "no launcher: build userspace or set MINIVMM_LAUNCHER");
	return NULL;
}

static void exec_launcher(const char *const args[], int in, int out, int err)
{
	const char *argv[LAUNCH_ARGS_MAX + 5];
	char why[128];
	unsigned int n = 0;

	argv[n++] = launch_path(why, sizeof(why));
	argv[n++] = "run";
	argv[n++] = "--device";
	argv[n++] = tvm_device();
	for (unsigned int i = 0; args[i] && i < LAUNCH_ARGS_MAX; i++)
		argv[n++] = args[i];
	argv[n] = NULL;
	if (!argv[0] || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

/* Append what is there to read; false at the end. */
static bool take(int fd, char *buf, size_t *len)
{
	char beyond[4096];
	bool full = *len == LAUNCH_OUT_MAX;
	ssize_t n = read(fd, full ? beyond : buf + *len,
			 full ? sizeof(beyond) : LAUNCH_OUT_MAX - *len);

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (!full) {
		*len += n;
		buf[*len] = 0;
	}
	return true;
}

/* Both outputs to their ends; the input once its words have been seen. */
static void converse(struct launch *l, const struct launch_input *input,
		     int *in, int out, int err)
{
	struct pollfd p[2] = {
		{ .fd = out, .events = POLLIN }, { .fd = err, .events = POLLIN },
	};
	size_t out_len = 0, err_len = 0;

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents && !take(out, l->out, &out_len))
			p[0].fd = -1;
		if (p[1].revents && !take(err, l->err, &err_len))
			p[1].fd = -1;
		if (*in < 0 || !input || !strstr(l->out, input->after))
			continue;
		if (write(*in, input->text, strlen(input->text)) < 0)
			return;
		close(*in);
		*in = -1;
	}
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int launch_run(struct launch *l, const struct launch_input *input,
	       const char *const args[])
{
	int in[2], out[2], err[2];
	pid_t pid;

	memset(l, 0, sizeof(*l));
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		exec_launcher(args, in[0], out[1], err[1]);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	if (!input) {
		close(in[1]);
		in[1] = -1;
	}
	converse(l, input, &in[1], out[0], err[0]);
	if (in[1] >= 0)
		close(in[1]);
	close(out[0]);
	close(err[0]);
	l->status = reap(pid);
	return l->status < 0 ? l->status : 0;
}

unsigned int launch_count(const struct launch *l, const char *word)
{
	unsigned int n = 0;

	for (const char *p = l->out; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

static void show(const char *name, const char *text)
{
	size_t len = strlen(text);
	char *copy, *save, *line;

	copy = strdup(len > SHOW_BYTES ? text + len - SHOW_BYTES : text);
	for (line = copy ? strtok_r(copy, "\r\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\r\n", &save))
		printf("# %s: %s\n", name, line);
	free(copy);
}

void launch_show(const struct launch *l)
{
	printf("# status %d\n", l->status);
	show("stdout", l->out);
	show("stderr", l->err);
}

char *launch_file(const void *data, size_t size)
{
	char *path = strdup("/tmp/launch.XXXXXX");
	int fd = path ? mkstemp(path) : -1;
	bool ok = fd >= 0;

	for (size_t done = 0; ok && done < size;) {
		ssize_t n = write(fd, (const char *)data + done, size - done);

		ok = n > 0;
		done += ok ? n : 0;
	}
	if (fd >= 0)
		close(fd);
	if (ok)
		return path;
	if (fd >= 0)
		unlink(path);
	free(path);
	return NULL;
}
