// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's life: a guest of one page in real mode, created, run to its first exit,
 * destroyed. And what an idle VM holds of the kernel's memory, the guest's own being
 * shared and left out.
 */
#include <dirent.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

#define LIVES	20
#define VMS	100
#define DRAIN	(16ul << 30)

struct life {
	int vm, vcpu;
	struct kvm_run *run;
};

enum step { CREATE_VM, CREATE_IRQCHIP, CREATE_VCPU, FIRST_RUN, TO_FIRST_EXIT, TO_FIRST_EXIT_CPU,
	    DESTROY, DESTROY_CPU, STEPS };

static const struct {
	const char *suffix, *unit;
} steps[STEPS] = {
	[CREATE_VM] = { "_create", "ticks" },
	[CREATE_IRQCHIP] = { "_create_irqchip", "ticks" },
	[CREATE_VCPU] = { "_create_vcpu", "ticks" },
	[FIRST_RUN] = { "_first_run", "ticks" },
	[TO_FIRST_EXIT] = { "_to_first_exit", "ticks" },
	[TO_FIRST_EXIT_CPU] = { "_to_first_exit_cpu", "ns" },
	[DESTROY] = { "_destroy", "ticks" },
	[DESTROY_CPU] = { "_destroy_cpu", "ns" },
};

static int sys, run_size;
static void *page;

static int64_t cpu_ns(void)
{
	struct timespec t;

	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t));
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void find_device(void)
{
	static const uint8_t code[] = { 0xe6, BENCH_DONE, 0xf4 }; /* out %al, $BENCH_DONE; hlt */

	sys = CHECK(tvm_open());
	run_size = CHECK(tvm_ioctl(sys, KVM_GET_VCPU_MMAP_SIZE, NULL));
	page = bench_mmap(4096, 0);
	memcpy(page, code, sizeof(code));
}

/* Real mode from the reset's on, at address 0. */
static void begin_at_0(int vcpu)
{
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs s;

	CHECK(tvm_ioctl(vcpu, KVM_GET_SREGS, &s));
	s.cs.base = 0;
	s.cs.selector = 0;
	CHECK(tvm_ioctl(vcpu, KVM_SET_SREGS, &s));
	CHECK(tvm_ioctl(vcpu, KVM_SET_REGS, &regs));
}

static void live(struct life *l, bool irqchip, int64_t took[STEPS])
{
	struct kvm_userspace_memory_region region = {
		.memory_size = 4096, .userspace_addr = (uintptr_t)page,
	};
	uint64_t begin, cpu = cpu_ns(), first = bench_begin();

	l->vm = CHECK(tvm_ioctl(sys, KVM_CREATE_VM, NULL));
	took[CREATE_VM] = bench_end(first);
	if (irqchip) {
		begin = bench_begin();
		CHECK(tvm_ioctl(l->vm, KVM_CREATE_IRQCHIP, NULL));
		took[CREATE_IRQCHIP] = bench_end(begin);
	}
	CHECK(tvm_ioctl(l->vm, KVM_SET_USER_MEMORY_REGION, &region));
	begin = bench_begin();
	l->vcpu = CHECK(tvm_ioctl(l->vm, KVM_CREATE_VCPU, NULL));
	took[CREATE_VCPU] = bench_end(begin);
	l->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, l->vcpu, 0);
	if (l->run == MAP_FAILED)
		err(1, "the run page");
	begin_at_0(l->vcpu);
	begin = bench_begin();
	CHECK(tvm_ioctl(l->vcpu, KVM_RUN, NULL));
	took[FIRST_RUN] = bench_end(begin);
	took[TO_FIRST_EXIT] = bench_end(first);
	took[TO_FIRST_EXIT_CPU] = cpu_ns() - cpu;
	if (l->run->exit_reason != KVM_EXIT_IO)
		errx(1, "unexpected exit %u", l->run->exit_reason);
}

static void die(struct life *l, int64_t took[STEPS])
{
	uint64_t begin, cpu;

	munmap(l->run, run_size);
	cpu = cpu_ns();
	begin = bench_begin();
	close(l->vcpu);
	close(l->vm);
	took[DESTROY] = bench_end(begin);
	took[DESTROY_CPU] = cpu_ns() - cpu;
}

/*
 * .a: with an interrupt controller in the kernel. Another such VM lives all the time, so that
 * the device does not begin and end with each.
 */
static void lives(const struct bench_metric *metric)
{
	static int64_t values[STEPS][LIVES];
	int64_t took[STEPS];
	struct life l, other;

	find_device();
	live(&other, metric->a, took);
	for (int i = 0; i < LIVES; i++) {
		live(&l, metric->a, took);
		die(&l, took);
		for (int s = 0; s < STEPS; s++)
			values[s][i] = took[s];
	}
	for (int s = 0; s < STEPS; s++)
		if (metric->a || s != CREATE_IRQCHIP)
			bench_report(metric, steps[s].suffix, steps[s].unit, values[s], LIVES);
}

static const char *const meminfo[] = {
	"MemFree", "MemAvailable", "Slab", "SUnreclaim", "KernelStack", "PageTables",
	"SecPageTables", "VmallocUsed", "Percpu",
};

#define MEMINFOS (sizeof(meminfo) / sizeof(meminfo[0]))

static void read_meminfo(double kib[MEMINFOS])
{
	char line[128], name[64];
	unsigned long value;
	FILE *f = fopen("/proc/meminfo", "r");

	if (!f)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^:]: %lu", name, &value) != 2)
			continue;
		for (size_t i = 0; i < MEMINFOS; i++)
			if (!strcmp(name, meminfo[i]))
				kib[i] = value;
	}
	fclose(f);
}

/* Processes, the kernel's threads among them. */
static int processes(void)
{
	const struct dirent *e;
	DIR *proc = opendir("/proc");
	int n = 0;

	if (!proc)
		err(1, "/proc");
	while ((e = readdir(proc)))
		n += e->d_name[0] >= '0' && e->d_name[0] <= '9';
	closedir(proc);
	return n;
}

/*
 * Each CPU keeps lists of free pages that MemFree does not count; what the rows before gave
 * back is there. Page tables take them: one for each page of zeroes that is read 2 MiB
 * after the last.
 */
static void drain_free_lists(void)
{
	const volatile uint8_t *mem = bench_mmap(DRAIN, 0);

	CHECK(madvise((void *)mem, DRAIN, MADV_NOHUGEPAGE));
	for (size_t i = 0; i < DRAIN; i += 2ul << 20)
		(void)mem[i];
}

static void report_memory(const struct bench_metric *metric, const char *kind,
			  const double before[MEMINFOS], const double after[MEMINFOS])
{
	char suffix[64];

	for (size_t i = 0; i < MEMINFOS; i++) {
		double more = after[i] - before[i];

		snprintf(suffix, sizeof(suffix), "%s_%s", kind, meminfo[i]);
		/* The first two count what is free. */
		bench_report_one(metric, suffix, "KiB", (i < 2 ? -more : more) / VMS);
	}
}

static void hundred_more(const struct bench_metric *metric, const char *kind, bool irqchip)
{
	double before[MEMINFOS] = { 0 }, after[MEMINFOS] = { 0 };
	int64_t took[STEPS];
	int threads = processes();
	char suffix[64];
	struct life l;

	read_meminfo(before);
	for (int i = 0; i < VMS; i++)
		live(&l, irqchip, took);
	read_meminfo(after);
	if (!kind)
		return;
	report_memory(metric, kind, before, after);
	snprintf(suffix, sizeof(suffix), "%s_threads", kind);
	bench_report_one(metric, suffix, "threads", (processes() - threads) / (double)VMS);
}

/* All VMs stay. The first hundred use up what earlier rows' left half full or free. */
static void memory_per_vm(const struct bench_metric *metric)
{
	struct rlimit files = { 4096, 4096 };

	setrlimit(RLIMIT_NOFILE, &files);
	find_device();
	/* What others gave back comes late: minivmm lets go of the CPUs after 3 s. */
	sleep(5);
	drain_free_lists();
	hundred_more(metric, NULL, true);
	hundred_more(metric, "", false);
	hundred_more(metric, "_irqchip", true);
}

const struct bench_metric bench_life[] = {
	{ "vm", lives, NULL, false },
	{ "vm_irqchip", lives, NULL, true },
	{ NULL },
};

const struct bench_metric bench_kmem[] = {
	{ "mem_per_vm", memory_per_vm },
	{ NULL },
};
