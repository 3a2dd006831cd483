// SPDX-License-Identifier: GPL-2.0-only
/*
 * Watching the host's resources; see mvm_watch.h.
 */
#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "mvm_util.h"
#include "mvm_watch.h"

#define SETTLE_MS 5000	/* for RCU, delayed work and the host's own jobs */
#define STEP_MS	  50
#define MODULE	  "/sys/module/minivmm/"

/*
 * The slack is the host's own noise: half-full slabs, page cache of its own, kernel
 * threads that come and go. The module's count has none.
 */
static const struct {
	const char *name;
	const char *file;
	const char *key;	/* the line to find, NULL = the file's first number */
	long slack;
	bool free;		/* less is worse */
} rows[WATCH_NR] = {
	[WATCH_AVAILABLE] = { "available memory (KiB)", "/proc/meminfo", "MemAvailable:", 12288,
			      true },
	[WATCH_SLAB] = { "kernel objects (KiB)", "/proc/meminfo", "SUnreclaim:", 1536, false },
	[WATCH_VMALLOC] = { "vmalloc (KiB)", "/proc/meminfo", "VmallocUsed:", 512, false },
	[WATCH_PERCPU] = { "per-CPU memory (KiB)", "/proc/meminfo", "Percpu:", 512, false },
	[WATCH_STACKS] = { "kernel stacks (KiB)", "/proc/meminfo", "KernelStack:", 256, false },
	[WATCH_FILES] = { "open files", "/proc/sys/fs/file-nr", NULL, 96, false },
	[WATCH_TASKS] = { "tasks", "/proc/loadavg", "/", 8, false },
	[WATCH_MODULE] = { "uses of the module", MODULE "refcnt", NULL, 0, false },
};

/* What the kernel says when an allocation of a page fault failed, which is then done again. */
#define HARMLESS "VM_FAULT_OOM leaked out"

/* Words of the kernel that no test may cause. */
static const char *const complaints[] = {
	"WARNING", "BUG", "Oops", "general protection", "unable to handle", "detected stall", "lockup",
	"refcount", "use-after-free", "Bad page", "bad page", "scheduling while atomic",
	"blocked for more than", "unchecked MSR", "leaked",
};

static long number_in(const char *text, const char *key)
{
	const char *at = key ? strstr(text, key) : text;

	return at ? strtol(at + (key ? strlen(key) : 0), NULL, 10) : -1;
}

/* Free pages that wait in the per-CPU lists: some MiB that no other figure counts. KiB. */
static long in_cpu_lists(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long pages = 0, n;
	char line[128];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " count: %ld", &n) == 1)
			pages += n;
	fclose(f);
	return pages * 4;
}

static long measure(enum watch_what what)
{
	char text[4096];
	ssize_t n;
	int fd;

	fd = open(rows[what].file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -1;
	text[n] = '\0';
	return number_in(text, rows[what].key) + (what == WATCH_AVAILABLE ? in_cpu_lists() : 0);
}

void watch_begin(struct host_watch *watch)
{
	int i;

	for (i = 0; i < WATCH_NR; i++)
		watch->value[i] = measure(i);
	watch->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (watch->kmsg >= 0)
		lseek(watch->kmsg, 0, SEEK_END);
}

/* Lines come one a read; a burst that was overwritten gives EPIPE and goes on. */
static bool kernel_kept_quiet(struct host_watch *watch)
{
	bool quiet = true;
	char line[1024];
	ssize_t n;
	size_t i;

	if (watch->kmsg < 0)
		return true;
	for (;;) {
		n = read(watch->kmsg, line, sizeof(line) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return quiet;
		line[n] = '\0';
		for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]); i++) {
			if (!strstr(line, complaints[i]) || strstr(line, HARMLESS))
				continue;
			printf("# the kernel said: %s", line);
			quiet = false;
			break;
		}
	}
}

static bool is_back(const struct host_watch *watch, int what, long *now)
{
	long more;

	*now = measure(what);
	more = *now - watch->value[what];
	if (rows[what].free)
		more = -more;
	return watch->value[what] < 0 || more <= rows[what].slack;
}

static bool all_back(const struct host_watch *watch, bool tell)
{
	bool back = true;
	long now;
	int i;

	for (i = 0; i < WATCH_NR; i++) {
		if (is_back(watch, i, &now))
			continue;
		back = false;
		if (tell)
			printf("# %s: %ld before, %ld after, %ld may differ\n", rows[i].name,
			       watch->value[i], now, rows[i].slack);
	}
	return back;
}

static void write_number(const char *file, long value)
{
	FILE *f = fopen(file, "w");

	if (f) {
		fprintf(f, "%ld\n", value);
		fclose(f);
	}
}

/* With a limit of one VM a first one can be made only when the module counts none. */
bool watch_no_vms(void)
{
	static const char limit[] = MODULE "parameters/max_vms";
	char text[32] = "";
	int sys, vm, err;
	FILE *f;

	f = fopen(limit, "r");
	if (!f || access(limit, W_OK) || !fgets(text, sizeof(text), f)) {
		if (f)
			fclose(f);
		return true;
	}
	fclose(f);
	sys = tvm_open();
	if (sys < 0)
		return true;
	write_number(limit, 1);
	vm = ioctl(sys, KVM_CREATE_VM, 0);
	err = errno;
	write_number(limit, strtol(text, NULL, 10));
	close(sys);
	if (vm >= 0)
		close(vm);
	return vm >= 0 || err != EMFILE;
}

bool watch_end(struct host_watch *watch)
{
	bool back, none, quiet;
	int ms = 0;

	for (;;) {
		none = watch_no_vms();
		back = all_back(watch, ms >= SETTLE_MS);
		if ((none && back) || ms >= SETTLE_MS)
			break;
		usleep(STEP_MS * 1000);
		ms += STEP_MS;
	}
	if (!none)
		printf("# the module still counts a VM\n");
	quiet = kernel_kept_quiet(watch);
	return none && back && quiet;
}
