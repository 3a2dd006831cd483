// SPDX-License-Identifier: GPL-2.0-only
/*
 * See host_util.h.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdarg.h>

#include "host_util.h"

/* Before any thread is bound. */
static cpu_set_t start_cpus;

static void __attribute__((constructor)) note_cpus(void)
{
	if (sched_getaffinity(0, sizeof(start_cpus), &start_cpus))
		CPU_SET(0, &start_cpus);
}

int nr_cpus(void)
{
	return CPU_COUNT(&start_cpus);
}

int host_cpu(int n)
{
	int cpu;

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &start_cpus) && !n--)
			return cpu;
	return -1;
}

int bind_cpu(int n)
{
	int cpu = host_cpu(n);
	cpu_set_t cpus;

	if (cpu < 0)
		return -EINVAL;
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus) ? -errno : 0;
}

long cpu_count(const char *path, const char *row, int n)
{
	FILE *f = fopen(path, "r");
	char line[512], name[32];
	int cpu, at, next;
	long count = -1;

	while (f && count < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %31[^:]:%n", name, &at) != 1 || strcmp(name, row))
			continue;
		for (cpu = 0; cpu <= host_cpu(n); cpu++, at += next)
			if (sscanf(line + at, "%ld%n", &count, &next) != 1)
				break;
	}
	if (f)
		fclose(f);
	return count;
}

int shell(const char *fmt, ...)
{
	char command[256];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(command, sizeof(command) - 20, fmt, args);
	va_end(args);
	strcpy(command + n, " >/dev/null 2>&1");
	return system(command);
}

void read_line(const char *path, char *line, int size)
{
	FILE *f = fopen(path, "r");

	line[0] = '\0';
	if (f && fgets(line, size, f))
		line[strcspn(line, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void nothing(int sig)
{
}

static int plain_run(struct runner *runner)
{
	return tvm_ioctl(runner->vcpu.fd, KVM_RUN, NULL);
}

/* What the guest said at its OUT to TVM_PORT; -EPROTO for any other exit. */
static int report(struct tvcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	uint32_t value = 0;

	if (run->exit_reason != KVM_EXIT_IO || run->io.port != TVM_PORT) {
		tvcpu_show(vcpu);
		return -EPROTO;
	}
	memcpy(&value, (uint8_t *)run + run->io.data_offset, run->io.size);
	return value;
}

static void *runner_thread(void *arg)
{
	struct runner *runner = arg;
	int ret = runner->cpu < 0 ? 0 : bind_cpu(runner->cpu);

	while (!ret && !runner->stop) {
		ret = runner->run(runner);
		if (ret == -EINTR) {
			ret = 0;
		} else if (!ret) {
			ret = report(&runner->vcpu);
			runner->rounds += !ret;
		}
	}
	runner->result = ret;
	return NULL;
}

int runner_start(struct runner *runner, int cpu)
{
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGUSR1, &action, NULL);
	runner->cpu = cpu;
	runner->stop = false;
	if (!runner->run)
		runner->run = plain_run;
	return -pthread_create(&runner->thread, NULL, runner_thread, runner);
}

int runner_stop(struct runner *runner)
{
	runner->stop = true;
	/* Again and again: one may come right before the thread looks at "stop". */
	while (pthread_tryjoin_np(runner->thread, NULL)) {
		pthread_kill(runner->thread, SIGUSR1);
		usleep(1000);
	}
	return runner->result;
}

bool runner_wait(struct runner *runner, unsigned long n, int seconds)
{
	unsigned long until = runner->rounds + n;
	long left = seconds * 200L;

	while (runner->rounds < until && !runner->result && left--)
		usleep(5000);
	return runner->rounds >= until;
}

void runner_destroy(struct runner *runner)
{
	tvcpu_destroy(&runner->vcpu);
	tvm_destroy(&runner->vm);
}
