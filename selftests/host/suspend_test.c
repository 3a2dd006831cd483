// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests go on after the host slept: to memory, where all CPUs but one are taken off and
 * the firmware resets the last, so that virtualization, its MSRs and, on the Intel bed,
 * the time stamp counter are lost. As owner, beside an idle KVM, and with a KVM guest.
 *
 * On the AMD bed the RTC's alarm wakes the host, and its TSC counts on; Bochs never stays
 * asleep, and its TSC is lost with the kernel argument clearcpuid=tsc_adjust, by hand: else
 * Linux puts it back. Nothing wakes either bed from idle (the "freeze" state): there the
 * kernel's own test levels stand in, which need CONFIG_PM_DEBUG (scripts/debug-check has it).
 */
#include <fcntl.h>
#include <limits.h>
#include <time.h>

#include "mvm_harness.h"
#include "look.h"
#include "mvm_smp.h"

#define ALARM	    "/sys/class/rtc/rtc0/wakealarm"
#define PM_TEST	    "/sys/power/pm_test"
#define TIMER	    0x40 /* the guest's vector */
#define APIC_TIMER  0x32
#define APIC_INIT   0x38
#define APIC_DIVIDE 0x3e
#define SECOND	    1000000000ll
#define MAX_CPUS    8
#define MSR_VM_HSAVE_PA 0xc0010117

/* 0 after it slept and woke, -errno where it did not sleep. */
static int sleep_host(const char *state)
{
	write_file(ALARM, "0");
	write_file(ALARM, "+2");
	return write_file("/sys/power/state", state);
}

/* Is @word among those in the file? */
static bool offers(const char *path, const char *word)
{
	char line[128];

	read_line(path, line, sizeof(line));
	return strstr(line, word);
}

static void skip_without_sleep(struct __test_metadata *_metadata)
{
	write_file("/sys/power/mem_sleep", "deep");
	if (access("/sys/power/state", W_OK) || !offers("/sys/power/state", "mem") ||
	    !offers("/sys/power/mem_sleep", "deep"))
		MVM_SKIP("the host cannot sleep to memory");
	if (access(ALARM, W_OK))
		MVM_SKIP("the host has no RTC that wakes it");
}

static long long boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/*
 * kvmclock less the host's time since it booted, sleep included. Who else runs on this CPU may
 * have it between two readings: the closest ones count.
 */
static long long clock_lead(struct tvm *vm)
{
	long long before, after, window = LLONG_MAX, lead = 0;
	struct kvm_clock_data data = {};
	int i;

	for (i = 0; i < 50; i++) {
		before = boot_time();
		tvm_ioctl(vm->fd, KVM_GET_CLOCK, &data);
		after = boot_time();
		if (after - before >= window)
			continue;
		window = after - before;
		lead = (long long)data.clock - before;
	}
	return lead;
}

/* Where it is not, vCPUs on several CPUs are in step to the millisecond only. */
static bool tsc_is_stable(struct tvm *vm)
{
	struct kvm_clock_data data = {};

	return !tvm_ioctl(vm->fd, KVM_GET_CLOCK, &data) && data.flags & KVM_CLOCK_TSC_STABLE;
}

FIXTURE(suspend) {
	struct runner mine, other;
	bool has_other;
};

FIXTURE_VARIANT(suspend) {
	bool kvm, guest; /* its module is there; and a guest of its own */
};

FIXTURE_VARIANT_ADD(suspend, as_owner) {};
FIXTURE_VARIANT_ADD(suspend, beside_an_idle_kvm) { .kvm = true };
FIXTURE_VARIANT_ADD(suspend, beside_a_kvm_guest) { .kvm = true, .guest = true };

FIXTURE_SETUP(suspend)
{
	int ret;

	if (variant->kvm && tvm_is_kvm())
		MVM_SKIP("the device under test is KVM itself");
	if (variant->guest && !host_is_intel())
		MVM_SKIP("AMD-V is not lent");
	skip_without_sleep(_metadata);
	shell("modprobe msr");
	sleep(variant->kvm ? 4 : 0); /* minivmm lets go three seconds after its last VM */
	if (variant->kvm) {
		if (!host_has_kvm())
			MVM_SKIP("KVM's module is not in this host");
		ASSERT_EQ(0, shell("modprobe kvm_%s", host_is_intel() ? "intel" : "amd"));
	}
	if (variant->guest) {
		ASSERT_EQ(0, look_create(&self->other, "/dev/kvm", 0x22221200));
		self->has_other = true;
		ASSERT_EQ(0, runner_start(&self->other, 0));
	}
	ret = look_create(&self->mine, NULL, 0x11112100);
	if (ret == -EBUSY && variant->kvm) {
		shell("modprobe -r kvm_amd");
		MVM_SKIP("from 6.12 on KVM owns AMD-V from its load on");
	}
	if (ret == -ENODEV)
		MVM_SKIP("%s", self->mine.vm.why);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, runner_start(&self->mine, 0));
	ASSERT_TRUE(runner_wait(&self->mine, 2, 60));
}

FIXTURE_TEARDOWN(suspend)
{
	if (self->has_other)
		runner_destroy(&self->other);
	runner_destroy(&self->mine);
	if (variant->kvm)
		shell("modprobe -r kvm_%s", host_is_intel() ? "intel" : "amd");
}

static void standing(char *line, int size)
{
	read_line("/sys/devices/virtual/misc/minivmm/standing", line, size);
}

/*
 * AMD-V's host save area, on each CPU: an emulated processor runs guests without one, and
 * EFER.SVME tells nothing, the kernel puts EFER back itself. VT-x cannot be asked.
 */
static void save_areas(struct __test_metadata *_metadata, uint64_t *areas)
{
	int cpu, n = host_is_intel() ? 0 : sysconf(_SC_NPROCESSORS_ONLN);

	memset(areas, 0, MAX_CPUS * sizeof(*areas));
	for (cpu = 0; cpu < n && cpu < MAX_CPUS; cpu++) {
		ASSERT_EQ(0, host_msr(cpu, MSR_VM_HSAVE_PA, &areas[cpu])) {
			TH_LOG("CPU %d has no such MSR, or the kernel no module msr", cpu);
		}
		EXPECT_NE(0, areas[cpu]);
	}
}

/* Sleep, then both guests are seen to run, and nothing of what they look at has changed. */
static void sleep_and_look(struct __test_metadata *_metadata, struct runner *mine,
			   struct runner *other)
{
	uint64_t areas_before[MAX_CPUS], areas_after[MAX_CPUS];
	char before[64], after[64];

	standing(before, sizeof(before));
	save_areas(_metadata, areas_before);
	ASSERT_EQ(0, sleep_host("mem"));
	EXPECT_TRUE(runner_wait(mine, 2, 60));
	EXPECT_TRUE(!other || runner_wait(other, 2, 60));
	standing(after, sizeof(after));
	EXPECT_STREQ(before, after);
	save_areas(_metadata, areas_after);
	EXPECT_EQ(0, memcmp(areas_before, areas_after, sizeof(areas_before)));
}

TEST_F_TIMEOUT(suspend, a_guest_goes_on_after_sleep_to_memory, 120)
{
	struct runner *other = self->has_other ? &self->other : NULL;
	long long lead = clock_lead(&self->mine.vm), moved;
	int i;

	for (i = 0; i < (getenv("MINIVMM_LONG") ? 10 : 1); i++)
		sleep_and_look(_metadata, &self->mine, other);
	/*
	 * The guest's clock counts the sleep as the host's does. That one may know it in whole
	 * seconds of the RTC alone, where a TSC that did not stop has counted more.
	 */
	moved = clock_lead(&self->mine.vm) - lead;
	EXPECT_GT(moved, -SECOND / 5) {
		TH_LOG("kvmclock lost %lld us against the boot time", -moved / 1000);
	}
	EXPECT_LT(moved, SECOND + SECOND / 5) {
		TH_LOG("kvmclock gained %lld us over the boot time", moved / 1000);
	}
	EXPECT_EQ(0, runner_stop(&self->mine));
	EXPECT_TRUE(look_memory_is(&self->mine, 0x11112100));
	if (other) {
		EXPECT_EQ(0, runner_stop(other));
		EXPECT_TRUE(look_memory_is(other, 0x22221200));
	}
}

/* What two vCPUs share: whose turn it is, the last reading, what was wrong. */
struct shared {
	volatile uint64_t turn, tsc, backwards, stop;
};

/*
 * Turn about, each reads the TSC, which is never behind the other's reading; and now and
 * then halts until its own timer has fired.
 */
GUEST uint64_t g_turns(uint64_t me, uint64_t b, uint64_t c)
{
	volatile uint32_t *count = &g_area()->count[TIMER];
	struct shared *shared = (void *)SMP_DATA;
	uint32_t lo, hi, fired;
	uint64_t now;

	g_apic_write(APIC_SVR, 0x1ff);
	g_apic_write(APIC_TIMER, TIMER);
	g_apic_write(APIC_DIVIDE, 0xb);
	for (;;) {
		asm volatile("sti");
		while (shared->turn % 2 != me && !shared->stop)
			g_pause();
		if (shared->stop)
			return *count;
		asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
		now = (uint64_t)hi << 32 | lo;
		shared->backwards += (int64_t)(now - shared->tsc) < 0;
		shared->tsc = now;
		if (shared->turn % 32 / 2 == 0) {
			asm volatile("cli");
			fired = *count;
			g_apic_write(APIC_INIT, 1000000);
			while (*count == fired)
				asm volatile("sti; hlt; cli" : : : "memory");
		}
		shared->turn++;
	}
}

/* Have the vCPUs taken @n turns more? */
static bool wait_for_turns(struct shared *shared, unsigned int n)
{
	uint64_t until = shared->turn + n;
	int i;

	for (i = 0; i < 60 * 200 && shared->turn < until; i++)
		usleep(5000);
	return shared->turn >= until;
}

FIXTURE(suspend_smp) {
	struct smp smp;
	struct shared *shared;
};

FIXTURE_SETUP(suspend_smp)
{
	skip_without_sleep(_metadata);
	SMP_CREATE_OR_SKIP(&self->smp, 2);
	self->shared = (void *)(self->smp.vm.mem + SMP_DATA);
}

FIXTURE_TEARDOWN(suspend_smp)
{
	smp_destroy(&self->smp);
}

TEST_F_TIMEOUT(suspend_smp, two_vcpus_keep_in_step_and_their_timers_fire, 120)
{
	int i;

	ASSERT_EQ(0, smp_boot(&self->smp));
	ASSERT_EQ(0, smp_call(&self->smp, 0, g_turns, 0, 0, 0));
	ASSERT_EQ(0, smp_call(&self->smp, 1, g_turns, 1, 0, 0));
	ASSERT_TRUE(wait_for_turns(self->shared, 64));
	for (i = 0; i < (getenv("MINIVMM_LONG") ? 10 : 1); i++) {
		ASSERT_EQ(0, sleep_host("mem"));
		EXPECT_TRUE(wait_for_turns(self->shared, 64));
	}
	self->shared->stop = 1;
	EXPECT_EQ(0, smp_wait(&self->smp, 0, NULL));
	EXPECT_EQ(0, smp_wait(&self->smp, 1, NULL));
	if (tsc_is_stable(&self->smp.vm)) {
		EXPECT_EQ(0, self->shared->backwards);
	} else {
		TH_LOG("the host distrusts its TSC: backwards %lu times",
		       (unsigned long)self->shared->backwards);
	}
}

/* The kernel's own tests go as far as @level on the way to @state, and back. */
static void try_level(struct __test_metadata *_metadata, struct runner *runner,
		      const char *level, const char *state)
{
	if (!offers(PM_TEST, level))
		return;
	ASSERT_EQ(0, write_file(PM_TEST, level));
	EXPECT_EQ(0, sleep_host(state)) {
		TH_LOG("%s as far as %s", state, level);
	}
	EXPECT_TRUE(runner_wait(runner, 3, 60)) {
		TH_LOG("no progress after %s as far as %s", state, level);
	}
}

FIXTURE(suspend_levels) {
	struct runner runner;
};

FIXTURE_SETUP(suspend_levels)
{
	if (access(PM_TEST, W_OK))
		MVM_SKIP("the kernel is built without CONFIG_PM_DEBUG");
	TVM_CREATE_OR_SKIP(&self->runner.vm, TVM_MEM_SIZE);
	tvm_destroy(&self->runner.vm);
	ASSERT_EQ(0, look_create(&self->runner, NULL, 0x11112100));
	ASSERT_EQ(0, runner_start(&self->runner, 0));
	ASSERT_TRUE(runner_wait(&self->runner, 2, 60));
}

FIXTURE_TEARDOWN(suspend_levels)
{
	write_file(PM_TEST, "none");
	runner_destroy(&self->runner);
}

TEST_F_TIMEOUT(suspend_levels, a_guest_goes_on_after_each_of_the_kernels_own_tests, 280)
{
	static const char *const levels[] = {
		"freezer", "devices", "platform", "processors", "core",
	};
	int i;

	write_file("/sys/module/suspend/parameters/pm_test_delay", "1");
	for (i = 0; i < 5; i++)
		try_level(_metadata, &self->runner, levels[i], "mem");
	for (i = 0; i < 3; i++)
		try_level(_metadata, &self->runner, levels[i], "freeze");
	EXPECT_EQ(0, runner_stop(&self->runner));
}

MVM_HARNESS_MAIN
