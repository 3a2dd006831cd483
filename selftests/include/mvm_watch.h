/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a host has, before and after: memory, files, tasks, the module's VMs, and
 * what the kernel said meanwhile. For tests that try to take what is not theirs.
 *
 *	watch_begin(&watch);
 *	... whatever was tried is over, everything is closed and unmapped ...
 *	EXPECT_TRUE(watch_end(&watch));
 */
#ifndef MVM_WATCH_H
#define MVM_WATCH_H

#include <stdbool.h>

/* What is measured: the rows of watch.c's table. */
enum watch_what {
	WATCH_AVAILABLE,
	WATCH_SLAB,
	WATCH_VMALLOC,
	WATCH_PERCPU,
	WATCH_STACKS,
	WATCH_FILES,
	WATCH_TASKS,
	WATCH_MODULE,
	WATCH_NR,
};

struct host_watch {
	long value[WATCH_NR];
	int kmsg;	/* at what comes next, -1 = cannot be read */
};

void watch_begin(struct host_watch *watch);

/*
 * Is everything back where it was, with the slack that watch.c's table states,
 * and did the kernel keep quiet? Waits some seconds for what is freed late, and
 * says as comments what is not back. May be called again.
 */
bool watch_end(struct host_watch *watch);

/* Have nobody's VMs survived? False where there is one, true where one cannot tell. */
bool watch_no_vms(void);

#endif /* MVM_WATCH_H */
