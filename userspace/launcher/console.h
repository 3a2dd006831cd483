/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's output on its way to stdout. Devices put bytes while they hold
 * their lock; vCPU threads flush after each exit, holding none, so that a
 * reader who does not read stops the guest's CPU and nothing else.
 */
#ifndef LAUNCHER_CONSOLE_H
#define LAUNCHER_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console {
	pthread_mutex_t lock;		/* put: buf, len */
	uint8_t *buf;
	size_t size, len;
	pthread_mutex_t out_lock;	/* flush: out, out_len, order on stdout */
	uint8_t *out;
	size_t out_len;
	int fd;
};

/* Room for what @threads vCPUs can put between two flushes. 0 or -ENOMEM. */
int console_init(struct console *con, int fd, unsigned int threads);
void console_destroy(struct console *con);

/* A send() callback for devices; @ctx is the console. */
void console_put(void *ctx, uint8_t byte);

/*
 * Write what was put. A signal ends the wait for a slow reader when *@stop is
 * true, and the rest stays for the next flush. 0, or -errno of write().
 */
int console_flush(struct console *con, const bool *stop);

#endif
