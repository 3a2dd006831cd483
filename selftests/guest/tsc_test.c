// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's time stamp counter: one clock for all vCPUs, and what writes to it and
 * to IA32_TSC_ADJUST do.
 */
#include "mvm_harness.h"
#include "mvm_smp.h"

#define MSR_TSC		0x10
#define MSR_TSC_ADJUST	0x3b
#define VCPUS		2
#define FAR		(1ull << 44)	/* more than a second away at any rate */

FIXTURE(tsc) {
	struct smp smp;
};

FIXTURE_SETUP(tsc)
{
	SMP_CREATE_OR_SKIP(&self->smp, VCPUS);
}

FIXTURE_TEARDOWN(tsc)
{
	smp_destroy(&self->smp);
}

static uint64_t get_msr(struct smp *smp, unsigned int cpu, uint32_t index)
{
	uint64_t data;

	return tvcpu_get_msr(&smp->cpu[cpu].vcpu, index, &data) ? ~0ull : data;
}

static int set_msr(struct smp *smp, unsigned int cpu, uint32_t index, uint64_t data)
{
	return tvcpu_set_msr(&smp->cpu[cpu].vcpu, index, data);
}

GUEST_INLINE uint64_t g_rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* What both share: a ticket lock by turns, the last reading. */
struct shared {
	volatile uint64_t turn, tsc, backwards, worst;
};

/* Read in turns; each reading has to be at least the other's one before it. */
GUEST uint64_t g_turns(uint64_t me, uint64_t rounds, uint64_t c)
{
	struct shared *shared = (void *)SMP_DATA;
	uint64_t i, now;

	asm volatile("sti");
	for (i = 0; i < rounds; i++) {
		while (shared->turn % VCPUS != me)
			g_pause();
		now = g_rdtsc();
		if (now < shared->tsc) {
			shared->backwards++;
			if (shared->tsc - now > shared->worst)
				shared->worst = shared->tsc - now;
		}
		shared->tsc = now;
		shared->turn++;
	}
	asm volatile("cli");
	return 0;
}

/* KVM is in step only where its host trusts the TSC, which emulated ones with two CPUs do not. */
#define KVM_IS_NOT "KVM does without where the host distrusts its TSC"

static void run_turns(struct __test_metadata *_metadata, struct smp *smp, unsigned int rounds)
{
	struct shared *shared = (void *)(smp->vm.mem + SMP_DATA);
	unsigned int i;

	memset(shared, 0, sizeof(*shared));
	for (i = 0; i < VCPUS; i++)
		ASSERT_EQ(0, smp_call(smp, i, g_turns, i, rounds, 0));
	for (i = 0; i < VCPUS; i++)
		ASSERT_EQ(0, smp_wait(smp, i, NULL));
	EXPECT_EQ(0, shared->backwards) {
		TH_LOG("%llu of %u readings go back, by up to %llu cycles",
		       (unsigned long long)shared->backwards, rounds * VCPUS,
		       (unsigned long long)shared->worst);
	}
}

TEST_F(tsc, never_goes_back_from_one_vcpu_to_another)
{
	if (tvm_is_kvm())
		SKIP(return, KVM_IS_NOT);
	ASSERT_EQ(0, smp_boot(&self->smp));
	run_turns(_metadata, &self->smp, 200);
}

/* As a VMM does that restores a VM: the same for each, one after the other. */
TEST_F(tsc, writes_by_userspace_keep_step)
{
	struct smp *smp = &self->smp;
	uint64_t first, second;
	unsigned int i;

	if (tvm_is_kvm())
		SKIP(return, KVM_IS_NOT);
	for (i = 0; i < VCPUS; i++) {
		EXPECT_EQ(0, set_msr(smp, i, MSR_TSC, FAR));
		usleep(2000);
	}
	/* The second is set as if it had been set with the first. */
	first = get_msr(smp, 0, MSR_TSC);
	second = get_msr(smp, 1, MSR_TSC);
	EXPECT_LE(FAR, first);
	EXPECT_LE(first, second);
	ASSERT_EQ(0, smp_boot(smp));
	run_turns(_metadata, smp, 100);
}

/* Zero is no time to go back to but means: like the others. */
TEST_F(tsc, zero_means_in_step)
{
	struct smp *smp = &self->smp;

	if (tvm_is_kvm())
		SKIP(return, KVM_IS_NOT);
	EXPECT_EQ(0, set_msr(smp, 0, MSR_TSC, FAR));
	EXPECT_EQ(0, set_msr(smp, 1, MSR_TSC, 0));
	EXPECT_LE(FAR, get_msr(smp, 1, MSR_TSC));
	EXPECT_EQ(0, set_msr(smp, 1, MSR_TSC, 4 * FAR));
	EXPECT_LE(4 * FAR, get_msr(smp, 1, MSR_TSC));
	EXPECT_GT(2 * FAR, get_msr(smp, 0, MSR_TSC));
}

/* A write by the guest moves both by the same, to the cycle: their difference stays. */
GUEST uint64_t g_write_tsc(uint64_t value, uint64_t times, uint64_t c)
{
	uint64_t i;

	for (i = 0; i < times; i++)
		g_wrmsr(MSR_TSC, value + i * 1000);
	return g_rdmsr(MSR_TSC_ADJUST);
}

TEST_F(tsc, the_guest_s_writes_are_summed_up_exactly)
{
	struct smp *smp = &self->smp;
	uint64_t adjust;

	if (tvm_is_kvm())
		SKIP(return, KVM_IS_NOT);
	ASSERT_EQ(0, smp_boot(smp));
	EXPECT_EQ(0, smp_do(smp, 1, g_msr_get, MSR_TSC_ADJUST, 0, 0));
	adjust = smp_do(smp, 1, g_write_tsc, FAR, 50, 0);
	EXPECT_NE(0, adjust);
	EXPECT_EQ(adjust, get_msr(smp, 1, MSR_TSC_ADJUST));
	EXPECT_EQ(0, get_msr(smp, 0, MSR_TSC_ADJUST));
	EXPECT_LE(FAR, get_msr(smp, 1, MSR_TSC));
	/* Taken back it is in step again: not a cycle was lost. */
	smp_do(smp, 1, g_msr_put, MSR_TSC_ADJUST, 0, 0);
	EXPECT_GT(FAR, get_msr(smp, 1, MSR_TSC));
	run_turns(_metadata, smp, 100);
}

/* Userspace's writes are the machine's, not the guest's. */
TEST_F(tsc, userspace_leaves_adjust_alone)
{
	struct smp *smp = &self->smp;

	EXPECT_EQ(0, set_msr(smp, 0, MSR_TSC_ADJUST, 12345));
	EXPECT_EQ(12345, get_msr(smp, 0, MSR_TSC_ADJUST));
	EXPECT_GT(FAR, get_msr(smp, 0, MSR_TSC));
	EXPECT_EQ(0, set_msr(smp, 0, MSR_TSC, FAR));
	EXPECT_EQ(12345, get_msr(smp, 0, MSR_TSC_ADJUST));
}

MVM_HARNESS_MAIN
