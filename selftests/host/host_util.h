/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest on a thread of its own, bound to a CPU, while the test does something to
 * the host. The guest reports by OUT to TVM_PORT: 0 goes on, anything else is what it found
 * wrong and ends the run.
 */
#ifndef HOST_UTIL_H
#define HOST_UTIL_H

#include <pthread.h>

#include "mvm_host.h"
#include "mvm_util.h"

struct runner {
	struct tvm vm;
	struct tvcpu vcpu;
	pthread_t thread;
	int cpu; /* bound to it; -1 = anywhere */
	volatile bool stop;
	volatile unsigned long rounds; /* reports so far */
	int result; /* 0, -errno of KVM_RUN, or what the guest reported */
	/* Called in the thread around each KVM_RUN in place of the plain call, if set. */
	int (*run)(struct runner *runner);
};

/*
 * CPUs are counted among those that the program was started on (taskset(1)), from 0: their
 * number, which one the @n-th is to the host, and binding the calling thread to it (0 or -errno).
 */
int nr_cpus(void);
int host_cpu(int n);
int bind_cpu(int n);
/* In a table such as /proc/interrupts, with all CPUs online: @row's figure for this one, or -1. */
long cpu_count(const char *path, const char *row, int n);
/* Runs a command with its output dropped, printf style. Its status. */
int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The first line of a file without its newline; "" where it cannot be read. */
void read_line(const char *path, char *line, int size);

/* The vCPU is set up; start and stop its thread. runner_stop() returns its result. */
int runner_start(struct runner *runner, int cpu);
int runner_stop(struct runner *runner);
/* Wait until it has reported @n times more, or @seconds passed or it ended: false. */
bool runner_wait(struct runner *runner, unsigned long n, int seconds);
void runner_destroy(struct runner *runner);

#endif
