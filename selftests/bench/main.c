// SPDX-License-Identifier: GPL-2.0-only
/*
 * What operations cost on a device that speaks the KVM ABI, in ticks of the TSC.
 *
 *	bench [--device PATH] [--beside PATH] [--only NAME[,NAME...]] [--list]
 *
 * The device is MINIVMM_DEV or /dev/minivmm by default. A NAME is a group's or a row's;
 * a row prints a line or a few, "METRIC MEDIAN UNIT MIN COUNT". What cannot be measured here is a
 * comment with its reason. The status is 1 if a row failed. --beside keeps a VM of another
 * device alive meanwhile, so that minivmm has to borrow the CPU from it.
 *
 * In an emulated host a tick is an instruction: these figures are path lengths.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/wait.h>

#include "bench.h"

/* Of the emulated host's, which a spinning guest makes dear: 15 times as many real ones. */
#define ROW_SECONDS 20

static const struct bench_group groups[] = {
	{ "exits", bench_exits },
	{ "calls", bench_calls },
	{ "interrupts", bench_interrupts },
	{ "timers", bench_timers },
	{ "memory", bench_memory },
	{ "dirty", bench_dirty },
	{ "life", bench_life },
	{ "kmem", bench_kmem },
	{ "scale", bench_scale },
	{ "pairs", bench_pairs },
	{ "boot", bench_boot },
	{ NULL, NULL },
};

int64_t bench_pair_cost;

void bench_skip(const char *why, ...)
{
	va_list args;

	printf("# not measured: ");
	va_start(args, why);
	vprintf(why, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_exit(4);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

void bench_report(const struct bench_metric *metric, const char *suffix, const char *unit,
		  int64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_value);
	printf("%s%s %lld %s %lld %zu\n", metric->name, suffix, (long long)values[n / 2], unit,
	       (long long)values[0], n);
}

void bench_report_one(const struct bench_metric *metric, const char *suffix,
		      const char *unit, double value)
{
	printf("%s%s %.10g %s %.10g 1\n", metric->name, suffix, value, unit, value);
}

/* What two readings cost that have nothing between them. */
static void find_pair_cost(void)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < 100; i++) {
		uint64_t begin = bench_begin();
		int64_t ticks = bench_end(begin);

		least = ticks < least ? ticks : least;
	}
	bench_pair_cost = least;
}

/* Is it in the comma-separated list? */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = list; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (!strncmp(p, name, len) && (p[len] == ',' || !p[len]))
			return true;
	}
	return false;
}

static bool run_row(const struct bench_metric *metric)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = CHECK(fork());
	if (!pid) {
		alarm(ROW_SECONDS);
		bench_pin(0);
		find_pair_cost();
		asm volatile(BENCH_STR(MARK_ROW) : : : "memory");
		metric->run(metric);
		fflush(stdout);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0));
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 4))
		return true;
	printf("# %s failed: status 0x%x\n", metric->name, status);
	return false;
}

static void keep_vm(const char *path)
{
	int sys = CHECK(open(path, O_RDWR | O_CLOEXEC));

	CHECK(tvm_ioctl(sys, KVM_CREATE_VM, NULL));
}

static void usage(void)
{
	fprintf(stderr, "usage: bench [--device PATH] [--beside PATH] [--only NAME[,NAME...]] [--list]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	bool list = false, good = true;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--list"))
			list = true;
		else if (!strcmp(argv[i], "--device") && i + 1 < argc)
			setenv("MINIVMM_DEV", argv[++i], 1);
		else if (!strcmp(argv[i], "--only") && i + 1 < argc)
			only = argv[++i];
		else if (!strcmp(argv[i], "--beside") && i + 1 < argc)
			keep_vm(argv[++i]);
		else
			usage();
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (const struct bench_group *g = groups; g->name; g++) {
		for (const struct bench_metric *m = g->metrics; m->name; m++) {
			if (only && !listed(only, g->name) && !listed(only, m->name))
				continue;
			if (list)
				printf("%s %s\n", g->name, m->name);
			else
				good &= run_row(m);
		}
	}
	return !good;
}
