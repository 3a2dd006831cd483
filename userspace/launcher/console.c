// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two buffers: devices fill one, and a flush moves its content behind what an
 * interrupted flush left in the other, then writes that. Lock order: out_lock,
 * then lock.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

/* One exit carries at most a page of string I/O. */
#define BYTES_PER_EXIT 4096

int console_init(struct console *con, int fd, unsigned int threads)
{
	memset(con, 0, sizeof(*con));
	con->fd = fd;
	con->size = (size_t)BYTES_PER_EXIT * threads;
	con->buf = malloc(con->size);
	/* An interrupted flush leaves at most one buffer's worth behind. */
	con->out = malloc(2 * con->size);
	if (!con->buf || !con->out) {
		free(con->buf);
		free(con->out);
		con->buf = NULL;
		con->out = NULL;
		return -ENOMEM;
	}
	pthread_mutex_init(&con->lock, NULL);
	pthread_mutex_init(&con->out_lock, NULL);
	return 0;
}

void console_destroy(struct console *con)
{
	pthread_mutex_destroy(&con->lock);
	pthread_mutex_destroy(&con->out_lock);
	free(con->buf);
	free(con->out);
}

void console_put(void *ctx, uint8_t byte)
{
	struct console *con = ctx;

	pthread_mutex_lock(&con->lock);
	if (con->len < con->size)
		con->buf[con->len++] = byte;
	pthread_mutex_unlock(&con->lock);
}

/* Move as much as fits; the rest waits for the next flush. */
static void collect(struct console *con)
{
	size_t room = 2 * con->size - con->out_len, n;

	pthread_mutex_lock(&con->lock);
	n = con->len < room ? con->len : room;
	memcpy(con->out + con->out_len, con->buf, n);
	con->out_len += n;
	con->len -= n;
	memmove(con->buf, con->buf + n, con->len);
	pthread_mutex_unlock(&con->lock);
}

static int write_out(struct console *con, const bool *stop)
{
	while (con->out_len) {
		ssize_t n = write(con->fd, con->out, con->out_len);

		if (n >= 0) {
			con->out_len -= n;
			memmove(con->out, con->out + n, con->out_len);
			continue;
		}
		if (errno == EAGAIN) {
			/* Somebody else's O_NONBLOCK on a shared stdout. */
			struct pollfd p = { .fd = con->fd, .events = POLLOUT };

			poll(&p, 1, -1);
		} else if (errno != EINTR) {
			con->out_len = 0;
			return -errno;
		}
		if (__atomic_load_n(stop, __ATOMIC_ACQUIRE))
			return 0;
	}
	return 0;
}

int console_flush(struct console *con, const bool *stop)
{
	int ret;

	pthread_mutex_lock(&con->out_lock);
	collect(con);
	ret = write_out(con, stop);
	pthread_mutex_unlock(&con->out_lock);
	return ret;
}
