// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's paravirtual clock (kvmclock): the page that a guest computes its time from, the wall
 * clock beside it, and the ioctls that read, move and carry it.
 */
#include <asm/kvm_para.h>
#include <time.h>

#include "mvm_harness.h"
#include "mvm_smp.h"

#define VCPUS	2
#define MSR_TSC 0x10
#define ENABLED 1 /* in the MSR */
#define JUNK	0x55 /* an odd version, the stable bit, no "stopped" */
#define PAGE	SMP_DATA /* vCPU 0's clock; each vCPU has 4 KiB */
#define WALL	(SMP_DATA + 0x10000)
#define SHARED	(SMP_DATA + 0x20000)
#define STABLE	1 /* flags in the page */
#define STOPPED 2
#define SECOND	1000000000ull
#define AT_ODDS (SECOND / 100) /* how far clocks of unstable TSCs, or of two kinds, may be apart */
#define FAR	(1ull << 44) /* TSC ticks, more than a second at any rate */

struct page {
	uint32_t version, pad0;
	uint64_t tsc, system;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad[2];
} __attribute__((packed));

struct wall {
	uint32_t version, sec, nsec;
};

/* ---------------------------------------------------------- the guest's side */

/* These two are as right for the host. */
GUEST uint64_t read_tsc(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* As Documentation/virt/kvm/x86/msr.rst has it. */
GUEST uint64_t scale(uint64_t ticks, uint32_t mul, int8_t shift)
{
	ticks = shift >= 0 ? ticks << shift : ticks >> -shift;
	return (__uint128_t)ticks * mul >> 32;
}

/* 0: the page is never complete. */
GUEST uint64_t g_now(uint64_t at)
{
	volatile struct page *page = (void *)at;
	uint32_t version, tries;
	uint64_t now;

	for (tries = 0; tries < 10000; tries++) {
		version = page->version;
		now = read_tsc() - page->tsc;
		now = page->system + scale(now, page->mul, page->shift);
		asm volatile("lfence" : : : "memory");
		if (!(version & 1) && version == page->version)
			return now;
	}
	return 0;
}

GUEST uint64_t g_time(uint64_t at, uint64_t b, uint64_t c)
{
	return g_now(at);
}

/* Look on, interrupts open, until the clock has come to @time, or for @ticks. */
GUEST uint64_t g_await(uint64_t at, uint64_t time, uint64_t ticks)
{
	uint64_t start = read_tsc(), now;

	*(volatile uint64_t *)SHARED = 1;
	asm volatile("sti");
	do {
		now = g_now(at);
	} while (now < time && read_tsc() - start < ticks);
	asm volatile("cli");
	return now;
}

/* Check and clear at once, as the ABI asks: what the flag was. */
GUEST uint64_t g_was_stopped(uint64_t at, uint64_t b, uint64_t c)
{
	uint8_t *flags = (uint8_t *)at + offsetof(struct page, flags);

	return !!(__atomic_fetch_and(flags, (uint8_t)~STOPPED, __ATOMIC_SEQ_CST) & STOPPED);
}

/* Read by turns: each reading is to be at least the other vCPU's one before it. */
struct turns {
	volatile uint64_t turn, time, backwards, worst;
};

GUEST uint64_t g_turns(uint64_t me, uint64_t rounds, uint64_t at)
{
	struct turns *turns = (void *)SHARED;
	uint64_t i, now;

	asm volatile("sti");
	for (i = 0; i < rounds; i++) {
		while (turns->turn % VCPUS != me)
			g_pause();
		now = g_now(at);
		if (now < turns->time) {
			turns->backwards++;
			if (turns->time - now > turns->worst)
				turns->worst = turns->time - now;
		}
		turns->time = now;
		turns->turn++;
	}
	asm volatile("cli");
	return 0;
}

/* ------------------------------------------------------------ the host's side */

static uint64_t host_time(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

struct msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

static uint64_t get_msr(struct smp *smp, unsigned int cpu, uint32_t index)
{
	struct msr msr = { .head.nmsrs = 1, .entry.index = index };

	return tvm_ioctl(smp->cpu[cpu].vcpu.fd, KVM_GET_MSRS, &msr) == 1 ? msr.entry.data : ~0ull;
}

static int set_msr(struct smp *smp, unsigned int cpu, uint32_t index, uint64_t data)
{
	struct msr msr = { .head.nmsrs = 1, .entry.index = index, .entry.data = data };

	return tvm_ioctl(smp->cpu[cpu].vcpu.fd, KVM_SET_MSRS, &msr);
}

static struct kvm_clock_data get_clock(struct smp *smp)
{
	struct kvm_clock_data data = {};

	if (tvm_ioctl(smp->vm.fd, KVM_GET_CLOCK, &data))
		data.clock = ~0ull;
	return data;
}

static int move_clock(struct smp *smp, uint64_t by)
{
	struct kvm_clock_data data = { .clock = get_clock(smp).clock + by };

	return tvm_ioctl(smp->vm.fd, KVM_SET_CLOCK, &data);
}

/* How far the guest's time may be out of what KVM_GET_CLOCK says. */
static uint64_t slack(const struct kvm_clock_data *data)
{
	return data->flags & KVM_CLOCK_TSC_STABLE ? 0 : AT_ODDS;
}

static void *host(struct smp *smp, uint64_t gpa)
{
	return smp->vm.mem + gpa;
}

static uint64_t page_of(unsigned int cpu)
{
	return PAGE + cpu * 0x1000;
}

/* The guest turns its clocks on, over junk. */
static void turn_on(struct smp *smp, unsigned int cpu, uint32_t msr, uint64_t at)
{
	memset(host(smp, at & ~0xfffull), JUNK, 0x1000);
	smp_do(smp, cpu, g_msr_put, msr, at | ENABLED, 0);
}

static void turn_all_on(struct smp *smp)
{
	unsigned int i;

	for (i = 0; i < smp->n; i++)
		turn_on(smp, i, MSR_KVM_SYSTEM_TIME_NEW, page_of(i));
}

#define BOOT(smp) do {				\
	SMP_CREATE_OR_SKIP(smp, VCPUS);		\
	ASSERT_EQ(0, smp_boot(smp));		\
} while (0)

/* ---------------------------------------------------------- pages of all kinds */

FIXTURE(page) {
	struct smp smp;
};

FIXTURE_VARIANT(page) {
	uint32_t msr, wall_msr;
	uint64_t at;
};

FIXTURE_VARIANT_ADD(page, new_numbers) {
	.msr = MSR_KVM_SYSTEM_TIME_NEW, .wall_msr = MSR_KVM_WALL_CLOCK_NEW, .at = PAGE
};

FIXTURE_VARIANT_ADD(page, new_numbers_by_4) {
	.msr = MSR_KVM_SYSTEM_TIME_NEW, .wall_msr = MSR_KVM_WALL_CLOCK_NEW, .at = PAGE + 0x124
};

FIXTURE_VARIANT_ADD(page, old_numbers) {
	.msr = MSR_KVM_SYSTEM_TIME, .wall_msr = MSR_KVM_WALL_CLOCK, .at = PAGE
};

FIXTURE_SETUP(page)
{
	BOOT(&self->smp);
	turn_on(&self->smp, 0, variant->msr, variant->at);
}

FIXTURE_TEARDOWN(page)
{
	smp_destroy(&self->smp);
}

/* Ticks of a second make a second; nothing but the structure is written. */
TEST_F(page, is_as_published)
{
	struct page *page = host(&self->smp, variant->at);
	int khz = tvm_ioctl(self->smp.cpu[0].vcpu.fd, KVM_GET_TSC_KHZ, NULL);
	uint8_t *after = (uint8_t *)(page + 1);
	uint64_t second;

	EXPECT_EQ(variant->at | ENABLED, smp_do(&self->smp, 0, g_msr_get, variant->msr, 0, 0));
	EXPECT_NE(0, page->version);
	EXPECT_EQ(0, page->version & 1);
	ASSERT_LT(0, khz);
	second = scale(khz * 1000ull, page->mul, page->shift);
	EXPECT_LT(SECOND / 100 * 99, second);
	EXPECT_GT(SECOND / 100 * 101, second);
	EXPECT_EQ(0, page->flags & ~STABLE);
	EXPECT_EQ(!!(get_clock(&self->smp).flags & KVM_CLOCK_TSC_STABLE), page->flags & STABLE);
	EXPECT_EQ(JUNK, *after);
	EXPECT_EQ(0, memcmp(after, after + 1, 64));
}

TEST_F(page, time_is_the_ioctl_s)
{
	struct kvm_clock_data before, after;
	uint64_t now;
	int i;

	for (i = 0; i < 8; i++) {
		before = get_clock(&self->smp);
		now = smp_do(&self->smp, 0, g_time, variant->at, 0, 0);
		after = get_clock(&self->smp);
		EXPECT_LT(before.clock, now + slack(&before));
		EXPECT_LT(now, after.clock + slack(&after));
		usleep(1000);
	}
}

/* A new address is written, the old one no more; nor is any when disabled. */
TEST_F(page, is_written_where_the_msr_says)
{
	struct smp *smp = &self->smp;
	uint8_t *page = host(smp, variant->at), *other = host(smp, page_of(1)), junk[32];

	memset(junk, JUNK, sizeof(junk));
	turn_on(smp, 0, variant->msr, page_of(1));
	EXPECT_NE(0, memcmp(other, junk, sizeof(junk)));
	memcpy(page, junk, sizeof(junk));
	EXPECT_EQ(0, move_clock(smp, SECOND));
	EXPECT_LT(SECOND, smp_do(smp, 0, g_time, page_of(1), 0, 0));
	EXPECT_EQ(0, memcmp(page, junk, sizeof(junk)));

	smp_do(smp, 0, g_msr_put, variant->msr, page_of(1), 0);
	EXPECT_EQ(page_of(1), get_msr(smp, 0, variant->msr));
	memcpy(other, junk, sizeof(junk));
	EXPECT_EQ(0, move_clock(smp, SECOND));
	smp_do(smp, 0, g_open, 0, 0, 0);
	EXPECT_EQ(0, memcmp(page, junk, sizeof(junk)));
	EXPECT_EQ(0, memcmp(other, junk, sizeof(junk)));
}

/* However the clock was moved: the wall clock is where it began. */
TEST_F(page, wall_clock_plus_time_is_real_time)
{
	struct wall *wall = host(&self->smp, WALL);
	uint64_t now, before, after;
	int i;

	memset(wall, JUNK, 2 * sizeof(*wall));
	for (i = 0; i < 3; i++) {
		before = host_time(CLOCK_REALTIME);
		smp_do(&self->smp, 0, g_msr_put, variant->wall_msr, WALL, 0);
		now = smp_do(&self->smp, 0, g_time, variant->at, 0, 0);
		after = host_time(CLOCK_REALTIME);
		EXPECT_EQ(0, wall->version & 1);
		EXPECT_GT(SECOND, wall->nsec);
		now += wall->sec * SECOND + wall->nsec;
		EXPECT_LT(before - SECOND, now);
		EXPECT_GT(after + SECOND, now);
		EXPECT_EQ(JUNK * 0x1010101u, wall[1].version);
		EXPECT_EQ(0, move_clock(&self->smp, 1000 * SECOND));
	}
}

/* Else a reader that sees half of the old one and half of the new one could not tell. */
TEST_F(page, wall_clock_has_a_new_version_each_time)
{
	struct wall *wall = host(&self->smp, WALL);
	uint32_t version;

	smp_do(&self->smp, 0, g_msr_put, variant->wall_msr, WALL, 0);
	version = wall->version;
	EXPECT_EQ(0, version & 1);
	smp_do(&self->smp, 0, g_msr_put, variant->wall_msr, WALL, 0);
	EXPECT_EQ(0, wall->version & 1);
	EXPECT_NE(version, wall->version);
}

TEST_F(page, stopped_stays_until_the_guest_clears_it)
{
	struct smp *smp = &self->smp;
	struct page *page = host(smp, variant->at);
	int fd = smp->cpu[0].vcpu.fd;

	EXPECT_EQ(0, tvm_ioctl(fd, KVM_KVMCLOCK_CTRL, NULL));
	smp_do(smp, 0, g_open, 0, 0, 0);
	EXPECT_EQ(STOPPED, page->flags & STOPPED);
	EXPECT_EQ(0, move_clock(smp, SECOND));
	EXPECT_EQ(1, smp_do(smp, 0, g_was_stopped, variant->at, 0, 0));
	EXPECT_EQ(0, page->flags & STOPPED);
	EXPECT_EQ(0, move_clock(smp, SECOND));
	EXPECT_EQ(0, smp_do(smp, 0, g_was_stopped, variant->at, 0, 0));
	EXPECT_EQ(0, tvm_ioctl(fd, KVM_KVMCLOCK_CTRL, NULL));
	EXPECT_EQ(1, smp_do(smp, 0, g_was_stopped, variant->at, 0, 0));
}

/* A vCPU's own affair; one without the clock cannot be told. */
TEST_F(page, stopped_is_for_a_vcpu_with_a_clock)
{
	struct smp *smp = &self->smp;
	struct page *page = host(smp, variant->at);

	EXPECT_EQ(-EINVAL, tvm_ioctl(smp->cpu[1].vcpu.fd, KVM_KVMCLOCK_CTRL, NULL));
	turn_on(smp, 1, variant->msr, page_of(1));
	EXPECT_EQ(0, tvm_ioctl(smp->cpu[1].vcpu.fd, KVM_KVMCLOCK_CTRL, NULL));
	smp_do(smp, 0, g_open, 0, 0, 0);
	EXPECT_EQ(0, page->flags & STOPPED);
	EXPECT_EQ(1, smp_do(smp, 1, g_was_stopped, page_of(1), 0, 0));
	smp_do(smp, 0, g_msr_put, variant->msr, 0, 0);
	EXPECT_EQ(-EINVAL, tvm_ioctl(smp->cpu[0].vcpu.fd, KVM_KVMCLOCK_CTRL, NULL));
}

/* ------------------------------------------------------------- KVM_SET_CLOCK */

FIXTURE(set_clock) {
	struct smp smp;
};

FIXTURE_VARIANT(set_clock) {
	uint64_t to, ago;
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(set_clock, forward) { .to = 5000 * SECOND };
FIXTURE_VARIANT_ADD(set_clock, to_zero) { .to = 0 };
FIXTURE_VARIANT_ADD(set_clock, and_real_time_since) {
	.to = 5000 * SECOND, .ago = 700 * SECOND, .flags = KVM_CLOCK_REALTIME
};

/* Time does not go back because the host's clock was set back. */
FIXTURE_VARIANT_ADD(set_clock, and_real_time_to_come) {
	.to = 5000 * SECOND, .ago = -700 * SECOND, .flags = KVM_CLOCK_REALTIME
};

FIXTURE_VARIANT_ADD(set_clock, with_flags_of_the_other_ioctl) {
	.to = 5000 * SECOND, .ago = 700 * SECOND, .flags = KVM_CLOCK_TSC_STABLE | KVM_CLOCK_HOST_TSC
};

FIXTURE_SETUP(set_clock)
{
	BOOT(&self->smp);
	turn_all_on(&self->smp);
}

FIXTURE_TEARDOWN(set_clock)
{
	smp_destroy(&self->smp);
}

TEST_F(set_clock, is_seen_by_each_vcpu_when_it_runs)
{
	struct kvm_clock_data data = { .clock = variant->to, .flags = variant->flags }, after;
	uint64_t want = variant->to, start, now;
	unsigned int i;

	if (variant->flags & KVM_CLOCK_REALTIME && (int64_t)variant->ago > 0)
		want += variant->ago;
	data.realtime = host_time(CLOCK_REALTIME) - variant->ago;
	start = host_time(CLOCK_MONOTONIC);
	ASSERT_EQ(0, tvm_ioctl(self->smp.vm.fd, KVM_SET_CLOCK, &data));
	for (i = 0; i < VCPUS; i++) {
		now = smp_do(&self->smp, i, g_time, page_of(i), 0, 0);
		after = get_clock(&self->smp);
		EXPECT_LE(want, now + slack(&after));
		EXPECT_LT(now, after.clock + slack(&after));
		EXPECT_GE(want + host_time(CLOCK_MONOTONIC) - start + AT_ODDS, after.clock);
	}
}

/* ------------------------------------------------------------------- one clock */

FIXTURE(clock) {
	struct smp smp;
};

FIXTURE_SETUP(clock)
{
	BOOT(&self->smp);
	turn_all_on(&self->smp);
}

FIXTURE_TEARDOWN(clock)
{
	smp_destroy(&self->smp);
}

/* A guest that does not leave by itself is told all the same. */
TEST_F(clock, moves_under_a_guest_that_runs)
{
	struct smp *smp = &self->smp;
	volatile uint64_t *runs = host(smp, SHARED);
	uint64_t target = get_clock(smp).clock + 1000 * SECOND, now = 0;
	int khz = tvm_ioctl(smp->cpu[0].vcpu.fd, KVM_GET_TSC_KHZ, NULL);

	*runs = 0;
	ASSERT_EQ(0, smp_call(smp, 0, g_await, page_of(0), target, khz * 10000ull));
	while (!*runs)
		usleep(100);
	EXPECT_EQ(0, move_clock(smp, 1000 * SECOND));
	ASSERT_EQ(0, smp_wait(smp, 0, &now));
	EXPECT_LE(target, now);
}

TEST_F(clock, ioctl_tells_one_moment)
{
	int khz = tvm_ioctl(self->smp.cpu[0].vcpu.fd, KVM_GET_TSC_KHZ, NULL);
	uint64_t real = host_time(CLOCK_REALTIME), tsc = read_tsc(), passed;
	struct kvm_clock_data first = get_clock(&self->smp), second;
	const uint32_t both = KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC;

	if ((first.flags & both) != both)
		SKIP(return, "no such times where the host distrusts its TSC");
	EXPECT_LE(real, first.realtime);
	EXPECT_LE(tsc, first.host_tsc);
	usleep(20000);
	second = get_clock(&self->smp);
	ASSERT_EQ(both, second.flags & both);
	EXPECT_GE(host_time(CLOCK_REALTIME), second.realtime);
	EXPECT_GE(read_tsc(), second.host_tsc);

	passed = second.clock - first.clock;
	EXPECT_LE(SECOND / 50, passed);
	EXPECT_GE(passed / 100, llabs((int64_t)(second.realtime - first.realtime - passed)));
	tsc = (second.host_tsc - first.host_tsc) * 1000000 / khz;
	EXPECT_GE(passed / 100, llabs((int64_t)(tsc - passed)));
}

/* Who starts the vCPU anew may have other things in that memory. */
TEST_F(clock, is_off_after_init)
{
	struct smp *smp = &self->smp;
	uint8_t *page = host(smp, page_of(1)), junk[32];

	memset(junk, JUNK, sizeof(junk));
	smp_do(smp, 0, g_ipi, ICR_INIT | ICR_ASSERT | ICR_OTHERS, 0, 0);
	smp_do(smp, 0, g_ipi, ICR_SIPI | ICR_ASSERT | ICR_OTHERS | SMP_SIPI, 0, 0);
	smp_do(smp, 1, g_open, 0, 0, 0);
	memcpy(page, junk, sizeof(junk));
	EXPECT_EQ(0, move_clock(smp, SECOND));
	smp_do(smp, 1, g_open, 0, 0, 0);
	EXPECT_EQ(0, get_msr(smp, 1, MSR_KVM_SYSTEM_TIME_NEW));
	EXPECT_EQ(0, memcmp(page, junk, sizeof(junk)));
	EXPECT_EQ(-EINVAL, tvm_ioctl(smp->cpu[1].vcpu.fd, KVM_KVMCLOCK_CTRL, NULL));
}

/* --------------------------------------------------------------- by turns */

FIXTURE(turns) {
	struct smp smp;
};

FIXTURE_VARIANT(turns) {
	bool apart, moved;
};

FIXTURE_VARIANT_ADD(turns, as_booted) {};
FIXTURE_VARIANT_ADD(turns, clock_moved) { .moved = true };
FIXTURE_VARIANT_ADD(turns, tscs_apart) { .apart = true, .moved = true };

FIXTURE_SETUP(turns)
{
	BOOT(&self->smp);
	turn_all_on(&self->smp);
}

FIXTURE_TEARDOWN(turns)
{
	smp_destroy(&self->smp);
}

static bool is_stable(struct smp *smp)
{
	unsigned int i;

	for (i = 0; i < smp->n; i++)
		if (!(((struct page *)host(smp, page_of(i)))->flags & STABLE))
			return false;
	return true;
}

/* Between two vCPUs that spin at the same time, where the host has a CPU for each. */
static void spin(struct __test_metadata *_metadata, struct smp *smp, unsigned int rounds)
{
	struct turns *turns = host(smp, SHARED);
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		ASSERT_EQ(0, smp_call(smp, i, g_turns, i, rounds, page_of(i)));
	for (i = 0; i < VCPUS; i++)
		ASSERT_EQ(0, smp_wait(smp, i, NULL));
	EXPECT_EQ(rounds * VCPUS, turns->turn);
	EXPECT_EQ(0, turns->backwards) {
		TH_LOG("%llu of %u readings go back, by up to %llu ns",
		       (unsigned long long)turns->backwards, rounds * VCPUS,
		       (unsigned long long)turns->worst);
	}
}

/* The stable bit promises it; without the guest has to see to it itself. */
TEST_F(turns, never_go_back_from_one_vcpu_to_another)
{
	struct smp *smp = &self->smp;
	uint64_t last = 0, now;
	unsigned int i, cpu;

	if (variant->apart)
		ASSERT_EQ(1, set_msr(smp, 1, MSR_TSC, FAR));
	if (variant->moved)
		ASSERT_EQ(0, move_clock(smp, 1000 * SECOND));
	for (i = 0; i < VCPUS; i++)
		smp_do(smp, i, g_open, 0, 0, 0);
	if (!is_stable(smp))
		SKIP(return, "no stable bit");
	spin(_metadata, smp, 15);
	/* One after the other is finer where they share a CPU. */
	for (i = 0; i < 100; i++) {
		cpu = i % VCPUS;
		now = smp_do(smp, cpu, g_time, page_of(cpu), 0, 0);
		EXPECT_LT(last, now);
		last = now;
	}
}

/* ------------------------------------------------------------ to another VM */

FIXTURE(transfer) {
	struct smp from, to;
};

FIXTURE_VARIANT(transfer) {
	uint32_t flags;
	bool clock_first;
};

FIXTURE_VARIANT_ADD(transfer, clock_last) {};
FIXTURE_VARIANT_ADD(transfer, clock_first) { .clock_first = true };
FIXTURE_VARIANT_ADD(transfer, with_real_time) { .flags = KVM_CLOCK_REALTIME };

FIXTURE_SETUP(transfer)
{
	BOOT(&self->from);
	BOOT(&self->to);
	turn_all_on(&self->from);
}

FIXTURE_TEARDOWN(transfer)
{
	smp_destroy(&self->to);
	smp_destroy(&self->from);
}

/* The clock of all, each vCPU's TSC and MSR; the pages as part of the memory. */
static int carry(struct smp *from, struct smp *to, struct kvm_clock_data *clock, bool clock_first)
{
	static const uint32_t msrs[] = { MSR_TSC, MSR_KVM_SYSTEM_TIME_NEW };
	unsigned int cpu, i;
	int ret = 0;

	memcpy(host(to, PAGE), host(from, PAGE), VCPUS * 0x1000);
	if (clock_first)
		ret = tvm_ioctl(to->vm.fd, KVM_SET_CLOCK, clock);
	for (cpu = 0; !ret && cpu < VCPUS; cpu++)
		for (i = 0; !ret && i < sizeof(msrs) / sizeof(msrs[0]); i++)
			ret = set_msr(to, cpu, msrs[i], get_msr(from, cpu, msrs[i])) - 1;
	if (!ret && !clock_first)
		ret = tvm_ioctl(to->vm.fd, KVM_SET_CLOCK, clock);
	return ret;
}

TEST_F(transfer, goes_on_without_a_step)
{
	uint64_t old, now, start = host_time(CLOCK_MONOTONIC), least;
	struct kvm_clock_data clock;
	unsigned int i;

	old = smp_do(&self->from, 0, g_time, page_of(0), 0, 0);
	clock = get_clock(&self->from);
	if (variant->flags & ~clock.flags)
		SKIP(return, "no real time where the host distrusts its TSC");
	usleep(20000);
	clock.flags = variant->flags;
	least = clock.clock;
	if (variant->flags)
		least += SECOND / 50;
	else
		start = host_time(CLOCK_MONOTONIC);
	ASSERT_EQ(0, carry(&self->from, &self->to, &clock, variant->clock_first));
	for (i = 0; i < VCPUS; i++) {
		now = smp_do(&self->to, i, g_time, page_of(i), 0, 0);
		EXPECT_LT(old, now);
		EXPECT_LT(least, now);
		EXPECT_GT(clock.clock + host_time(CLOCK_MONOTONIC) - start + AT_ODDS, now);
	}
}

/* Else a guest that was stopped in the middle of reading could not tell. */
TEST_F(transfer, gives_the_page_a_new_version)
{
	struct page *page = host(&self->to, PAGE);
	struct kvm_clock_data clock = get_clock(&self->from);
	struct page old = *(struct page *)host(&self->from, PAGE);

	clock.flags = variant->flags & clock.flags;
	ASSERT_EQ(0, carry(&self->from, &self->to, &clock, variant->clock_first));
	smp_do(&self->to, 0, g_open, 0, 0, 0);
	EXPECT_EQ(0, page->version & 1);
	EXPECT_NE(old.system, page->system);
	EXPECT_NE(old.version, page->version);
}

MVM_HARNESS_MAIN
