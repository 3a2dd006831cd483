// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Linux by the launcher: what the launcher takes before the guest's first instruction, what the
 * guest takes to its first process (init.S), and how often it exits meanwhile.
 *
 * The guest's clock starts with its vCPU, so what the host's has counted more is the launcher's.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "bench.h"

#define FILES	      "/bench/"
#define LARGE_MAPPING (64UL << 20)

/* The launcher's output; the time just before its exec() is in *@begin. */
struct launch {
	FILE *out, *log;
	pid_t pid;
	volatile uint64_t *begin;
};

static void exec_launcher(struct launch *l, int out, int log)
{
	const char *device = getenv("MINIVMM_DEV") ?: "/dev/minivmm";

	CHECK(dup2(out, STDOUT_FILENO));
	CHECK(dup2(log, STDERR_FILENO));
	*l->begin = rdtsc();
	execlp("minivmm", "minivmm", "run", "--stats", "--device", device, "-m", "256M",
	       "-i", FILES "initrd", "-p",
	       "console=ttyS0 quiet mitigations=off rdinit=/bench-init", FILES "vmlinux", NULL);
	_exit(127);
}

static void launch(struct launch *l)
{
	int out[2], log[2];

	l->begin = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(l->begin == MAP_FAILED ? -1 : 0);
	CHECK(pipe(out));
	CHECK(pipe(log));
	l->pid = CHECK(fork());
	if (!l->pid)
		exec_launcher(l, out[1], log[1]);
	close(out[1]);
	close(log[1]);
	l->out = fdopen(out[0], "r");
	l->log = fdopen(log[0], "r");
}

/* The kernel may say something before. */
static uint64_t guest_clock(FILE *out)
{
	char line[256];

	while (fgets(line, sizeof(line), out))
		if (strspn(line, "0123456789abcdef") == 16)
			return strtoull(line, NULL, 16);
	errx(1, "the guest's first process said nothing");
}

/* The counts by kind as --stats prints them: "minivmm:   KIND N" below "guest entries: N". */
static void report_exits(const struct bench_metric *metric, FILE *log)
{
	bool by_kind = false;
	unsigned long long n;
	char line[256], kind[64], suffix[80];

	while (fgets(line, sizeof(line), log)) {
		if (sscanf(line, "minivmm: guest entries: %llu", &n) == 1) {
			bench_report_one(metric, "_exits", "exits", n);
			by_kind = true;
		} else if (by_kind && sscanf(line, "minivmm: %63s %llu", kind, &n) == 2) {
			snprintf(suffix, sizeof(suffix), "_exits_%s", kind);
			bench_report_one(metric, suffix, "exits", n);
		}
	}
}

/* The launcher's anonymous pages, KiB, without the guest's memory, which is all that is large. */
static void report_memory(const struct bench_metric *metric, pid_t pid)
{
	unsigned long start, end = 0, size = 0, kib, sum = 0;
	char path[32], line[512];
	FILE *smaps;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	smaps = fopen(path, "r");
	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			size = end - start;
		else if (sscanf(line, "Anonymous: %lu kB", &kib) == 1 && size < LARGE_MAPPING)
			sum += kib;
	}
	if (!end)
		errx(1, "the launcher was gone before its memory was counted");
	fclose(smaps);
	bench_report_one(metric, "_launcher_anon", "KiB", sum);
}

static void boot_linux(const struct bench_metric *metric)
{
	struct launch l;
	uint64_t guest, now;
	int status;

	if (access(FILES "vmlinux", R_OK))
		bench_skip("there is no " FILES "vmlinux to boot");
	launch(&l);
	guest = guest_clock(l.out);
	now = rdtsc();
	CHECK(kill(l.pid, SIGSTOP));
	report_memory(metric, l.pid);
	CHECK(kill(l.pid, SIGCONT));
	bench_report_one(metric, "_start_up", "ticks", now - *l.begin - guest);
	bench_report_one(metric, "_to_init", "ticks", now - *l.begin);
	report_exits(metric, l.log);
	CHECK(waitpid(l.pid, &status, 0));
	if (status)
		errx(1, "the launcher ended with status 0x%x", status);
}

const struct bench_metric bench_boot[] = {
	{ "boot", boot_linux },
	{ NULL },
};
