// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two guests on one CPU, at the same addresses with different patterns, each looking
 * at its own registers and memory again and again; the host's threads look at theirs;
 * meanwhile VMs come and go, KVM's module is tried, and CPUs are taken off and on.
 *
 * On VT-x the other guest is KVM's and minivmm borrows; on AMD-V, which is not lent, both
 * are minivmm's. Emulated beds show no stale translation on AMD-V (unit/svm_asid does) and
 * no speculation.
 */
#define _GNU_SOURCE
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "mvm_harness.h"
#include "look.h"

#define NR_MSRS 4

/* A hardware breakpoint of the host, on the CPU of the guests: every hit is counted. */
struct watch {
	volatile long target;
	volatile bool stop;
	long writes;
	long long hits;
	int error;
};

static void *watch_thread(void *arg)
{
	struct watch *watch = arg;
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watch->target, .bp_len = HW_BREAKPOINT_LEN_8,
		.exclude_kernel = 1, .exclude_hv = 1,
	};
	int fd;

	watch->error = bind_cpu(0);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	if (fd < 0) {
		watch->error = -errno;
		return NULL;
	}
	while (!watch->stop) {
		watch->target++;
		watch->writes++;
		usleep(500);
	}
	if (read(fd, &watch->hits, sizeof(watch->hits)) != sizeof(watch->hits))
		watch->error = -EIO;
	close(fd);
	return NULL;
}

/* The host's MSRs that guests have too, on the guests' CPU; 0 where they cannot be read. */
static void read_msrs(uint64_t *values)
{
	static const uint32_t msrs[NR_MSRS] = { MSR_STAR, MSR_LSTAR, MSR_SFMASK, MSR_TSC_AUX };
	int i;

	for (i = 0; i < NR_MSRS; i++)
		if (host_msr(host_cpu(0), msrs[i], &values[i]))
			values[i] = 0;
}

FIXTURE(torture) {
	struct runner a, b;
	const char *other;
	uint64_t before[NR_MSRS];
};

FIXTURE_SETUP(torture)
{
	int ret;

	if (tvm_is_kvm())
		MVM_SKIP("the device under test is KVM itself");
	shell("modprobe msr");
	read_msrs(self->before);
	if (!self->before[1])
		TH_LOG("no /dev/cpu/*/msr: the host's MSRs are not compared at the end");
	self->other = NULL;
	if (host_is_intel()) {
		sleep(4); /* minivmm lets go three seconds after its last VM */
		if (!host_has_kvm())
			MVM_SKIP("KVM's module is not in this host");
		ASSERT_EQ(0, shell("modprobe kvm_intel"));
		self->other = "/dev/kvm";
	}
	ASSERT_EQ(0, look_create(&self->b, self->other, 0x22221200));
	ret = look_create(&self->a, NULL, 0x11112100);
	if (ret == -ENODEV)
		MVM_SKIP("%s", self->a.vm.why);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, runner_start(&self->a, 0));
	ASSERT_EQ(0, runner_start(&self->b, 0));
}

FIXTURE_TEARDOWN(torture)
{
	runner_destroy(&self->b);
	runner_destroy(&self->a);
	shell("modprobe -r kvm_intel");
}

/* One more VM, its first report, and away with it. */
static int come_and_go(const char *device, uint32_t pattern)
{
	struct runner runner = {};
	int ret = look_create(&runner, device, pattern);

	if (!ret && !runner_start(&runner, 0)) {
		if (!runner_wait(&runner, 1, 60))
			ret = -1;
		ret = runner_stop(&runner) ?: ret;
	}
	runner_destroy(&runner);
	return ret;
}

/* A CPU that the guests are not on off and on, and what holds the modules tried. */
static int disturb(const char *other)
{
	char path[64];

	if (shell("rmmod minivmm") == 0)
		return -1;
	if (other && shell("rmmod kvm_intel") == 0)
		return -2;
	if (nr_cpus() < 2)
		return 0;
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", host_cpu(1));
	return write_file(path, "0") || write_file(path, "1") ? -3 : 0;
}

TEST_F_TIMEOUT(torture, each_sees_only_its_own, 280)
{
	int i, rounds = host_is_intel() ? 2 : 6;
	uint64_t after[NR_MSRS];
	struct watch watch = {};
	pthread_t watcher;

	if (getenv("MINIVMM_LONG"))
		rounds *= 20;
	ASSERT_EQ(0, pthread_create(&watcher, NULL, watch_thread, &watch));
	for (i = 0; i < rounds; i++) {
		ASSERT_TRUE(runner_wait(&self->a, 2, 60)) {
			TH_LOG("minivmm's guest: %d", self->a.result);
		}
		ASSERT_TRUE(runner_wait(&self->b, 2, 60)) {
			TH_LOG("the other guest: %d", self->b.result);
		}
		EXPECT_EQ(0, come_and_go(NULL, 0x33333300));
		EXPECT_EQ(0, come_and_go(self->other, 0x44444400));
		EXPECT_EQ(0, disturb(self->other));
	}
	watch.stop = true;
	pthread_join(watcher, NULL);
	EXPECT_EQ(0, runner_stop(&self->a));
	EXPECT_EQ(0, runner_stop(&self->b));
	EXPECT_TRUE(look_memory_is(&self->a, 0x11112100));
	EXPECT_TRUE(look_memory_is(&self->b, 0x22221200));
	EXPECT_EQ(0, watch.error);
	EXPECT_EQ(watch.writes, watch.hits);
	read_msrs(after);
	for (i = 0; i < NR_MSRS; i++)
		EXPECT_EQ(self->before[i], after[i]);
}

MVM_HARNESS_MAIN
