// SPDX-License-Identifier: GPL-2.0-only
/*
 * How application processors start and stop: INIT, start-up IPIs, the MP state,
 * and as many vCPUs as a VM may have on few processors.
 */
#include "mvm_harness.h"
#include "mvm_smp.h"

#define VECTOR 0x51

FIXTURE(smp) {
	struct smp smp;
};

FIXTURE_SETUP(smp)
{
	SMP_CREATE_OR_SKIP(&self->smp, 2);
	ASSERT_EQ(0, smp_prepare_first(&self->smp));
	ASSERT_EQ(0, smp_start(&self->smp, 0));
	ASSERT_EQ(0, smp_wait(&self->smp, 0, NULL));
	smp_do(&self->smp, 0, g_apic_on, 0, 0, 0);
}

FIXTURE_TEARDOWN(smp)
{
	smp_destroy(&self->smp);
}

static int mp_state(struct smp *smp, unsigned int cpu)
{
	struct kvm_mp_state state;
	int ret = tvm_ioctl(smp->cpu[cpu].vcpu.fd, KVM_GET_MP_STATE, &state);

	return ret ? ret : (int)state.mp_state;
}

static int set_mp_state(struct smp *smp, unsigned int cpu, uint32_t to)
{
	struct kvm_mp_state state = { .mp_state = to };

	return tvm_ioctl(smp->cpu[cpu].vcpu.fd, KVM_SET_MP_STATE, &state);
}

static void ipi(struct smp *smp, uint32_t icr, uint32_t dest)
{
	smp_do(smp, 0, g_ipi, icr, dest, 0);
}

/* One KVM_RUN that is to end at once. */
static int run_once(struct smp *smp, unsigned int cpu)
{
	return tvm_ioctl(smp->cpu[cpu].vcpu.fd, KVM_RUN, NULL);
}

GUEST uint64_t g_wait_for_data(uint64_t want, uint64_t b, uint64_t c)
{
	volatile uint32_t *data = (void *)SMP_DATA;

	asm volatile("sti");
	while (*data != want)
		g_pause();
	asm volatile("cli");
	return 0;
}

TEST_F(smp, only_the_first_runs_by_itself)
{
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, mp_state(&self->smp, 0));
	EXPECT_EQ(KVM_MP_STATE_UNINITIALIZED, mp_state(&self->smp, 1));
}

/* INIT ends the first KVM_RUN with EAGAIN, the second waits for the start-up IPI. */
TEST_F(smp, init_then_startup)
{
	struct smp *smp = &self->smp;

	ASSERT_EQ(0, smp_start(smp, 1));
	usleep(50000);
	EXPECT_EQ(SMP_RUNNING, smp->cpu[1].state);
	EXPECT_EQ(0, smp->cpu[1].again);
	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	usleep(50000);
	EXPECT_EQ(SMP_RUNNING, smp->cpu[1].state);
	ipi(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1);
	ASSERT_EQ(0, smp_wait(smp, 1, NULL));
	EXPECT_LE(1, smp->cpu[1].again);
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, mp_state(smp, 1));
}

TEST_F(smp, both_before_the_first_run)
{
	struct smp *smp = &self->smp;

	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	ipi(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1);
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, mp_state(smp, 1));
	ASSERT_EQ(0, smp_start(smp, 1));
	EXPECT_EQ(0, smp_wait(smp, 1, NULL));
}

TEST_F(smp, a_startup_ipi_without_init_is_nothing)
{
	struct smp *smp = &self->smp;

	ipi(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1);
	EXPECT_EQ(KVM_MP_STATE_UNINITIALIZED, mp_state(smp, 1));
	/* Nor is it kept for an INIT to come. */
	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	EXPECT_EQ(KVM_MP_STATE_INIT_RECEIVED, mp_state(smp, 1));
}

TEST_F(smp, init_voids_a_startup_ipi_before_it)
{
	struct smp *smp = &self->smp;

	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	EXPECT_EQ(KVM_MP_STATE_INIT_RECEIVED, mp_state(smp, 1));
	ipi(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1);
	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	EXPECT_EQ(KVM_MP_STATE_INIT_RECEIVED, mp_state(smp, 1));
}

TEST_F(smp, a_level_deassert_is_no_init)
{
	struct smp *smp = &self->smp;

	ipi(smp, ICR_INIT | ICR_LEVEL, 1);
	EXPECT_EQ(KVM_MP_STATE_UNINITIALIZED, mp_state(smp, 1));
	ipi(smp, ICR_INIT | ICR_LEVEL | ICR_ASSERT, 1);
	EXPECT_EQ(KVM_MP_STATE_INIT_RECEIVED, mp_state(smp, 1));
}

/* The registers are those of INIT, and the APIC keeps its id and mode. */
TEST_F(smp, init_resets)
{
	struct smp *smp = &self->smp;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_lapic_state lapic;
	uint32_t svr;

	ASSERT_EQ(0, smp_start(smp, 1));
	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	ipi(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1);
	ASSERT_EQ(0, smp_wait(smp, 1, NULL));
	smp_do(smp, 1, g_apic_on, 1, 0, 0);
	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	EXPECT_EQ(KVM_MP_STATE_INIT_RECEIVED, mp_state(smp, 1));

	ASSERT_EQ(0, tvm_ioctl(smp->cpu[1].vcpu.fd, KVM_GET_SREGS, &sregs));
	ASSERT_EQ(0, tvm_ioctl(smp->cpu[1].vcpu.fd, KVM_GET_REGS, &regs));
	ASSERT_EQ(0, tvm_ioctl(smp->cpu[1].vcpu.fd, KVM_GET_LAPIC, &lapic));
	EXPECT_EQ(0xfee00c00, sregs.apic_base);
	EXPECT_EQ(0, sregs.cr0 & 0x80000001);
	EXPECT_EQ(0, sregs.cr4);
	EXPECT_EQ(0, sregs.efer);
	EXPECT_EQ(0xf000, sregs.cs.selector);
	EXPECT_EQ(0xfff0, regs.rip);
	EXPECT_EQ(2, regs.rflags);
	memcpy(&svr, lapic.regs + APIC_SVR * 16, sizeof(svr));
	EXPECT_EQ(0xff, svr);

	/* And again to the same place: it is as new. */
	ipi(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1);
	ASSERT_EQ(0, smp_call(smp, 1, g_wait_for_data, 0, 0, 0));
	EXPECT_EQ(0, smp_wait(smp, 1, NULL));
	EXPECT_EQ(1, smp_do(smp, 1, g_apic_get, APIC_ID, 0, 0));
}

/* A vCPU that halts, one that spins: INIT takes either. */
TEST_F(smp, init_reaches_it_anywhere)
{
	struct smp *smp = &self->smp;
	guest_fn where[] = { g_halt_for, g_wait_for_data };
	unsigned int i;

	ASSERT_EQ(0, smp_start(smp, 1));
	for (i = 0; i < 6; i++) {
		ipi(smp, ICR_INIT | ICR_ASSERT, 1);
		ipi(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1);
		ASSERT_EQ(0, smp_wait(smp, 1, NULL));
		ASSERT_EQ(0, smp_call(smp, 1, where[i % 2], VECTOR, 1, 0));
		usleep(i * 5000);
	}
	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	ipi(smp, ICR_SIPI | ICR_ASSERT | SMP_SIPI, 1);
	EXPECT_EQ(0, smp_wait(smp, 1, NULL));
}

TEST_F(smp, mp_states_go_in_and_out)
{
	struct smp *smp = &self->smp;
	static const uint32_t states[] = {
		KVM_MP_STATE_HALTED, KVM_MP_STATE_INIT_RECEIVED, KVM_MP_STATE_UNINITIALIZED,
		KVM_MP_STATE_RUNNABLE,
	};
	unsigned int i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		EXPECT_EQ(0, set_mp_state(smp, 1, states[i]));
		EXPECT_EQ(states[i], mp_state(smp, 1));
	}
	EXPECT_EQ(-EINVAL, set_mp_state(smp, 1, 77));
}

/* What a restored vCPU had on its way: state and vector, as they were saved. */
TEST_F(smp, a_startup_ipi_can_be_restored)
{
	struct smp *smp = &self->smp;
	struct kvm_vcpu_events events;
	int fd = smp->cpu[1].vcpu.fd;

	ASSERT_EQ(0, tvm_ioctl(fd, KVM_GET_VCPU_EVENTS, &events));
	events.sipi_vector = SMP_SIPI;
	events.flags |= KVM_VCPUEVENT_VALID_SIPI_VECTOR;
	ASSERT_EQ(0, tvm_ioctl(fd, KVM_SET_VCPU_EVENTS, &events));
	ASSERT_EQ(0, set_mp_state(smp, 1, KVM_MP_STATE_SIPI_RECEIVED));
	ASSERT_EQ(0, smp_start(smp, 1));
	EXPECT_EQ(0, smp_wait(smp, 1, NULL));
}

/* immediate_exit counts for a vCPU that waits for INIT as well. */
TEST_F(smp, immediate_exit_before_init)
{
	struct smp *smp = &self->smp;

	smp->cpu[1].vcpu.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, run_once(smp, 1));
	smp->cpu[1].vcpu.run->immediate_exit = 0;
	ipi(smp, ICR_INIT | ICR_ASSERT, 1);
	EXPECT_EQ(-EAGAIN, run_once(smp, 1));
	smp->cpu[1].vcpu.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, run_once(smp, 1));
	smp->cpu[1].vcpu.run->immediate_exit = 0;
}

/* ------------------------------------------------------------ many of them */

FIXTURE(many) {
	struct smp smp;
	unsigned int n;
};

FIXTURE_SETUP(many)
{
	struct tvm vm;

	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	self->n = tvm_ioctl(vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_MAX_VCPUS);
	tvm_destroy(&vm);
	if (self->n > SMP_MAX)
		self->n = SMP_MAX;
	SMP_CREATE_OR_SKIP(&self->smp, self->n);
	ASSERT_EQ(0, smp_boot(&self->smp));
}

FIXTURE_TEARDOWN(many)
{
	smp_destroy(&self->smp);
}

/* To each of the others by physical id, starting with the next one. */
GUEST uint64_t g_send_to_all(uint64_t n, uint64_t icr, uint64_t c)
{
	uint64_t self = g_area()->id, i;

	asm volatile("sti");
	for (i = 1; i < n; i++)
		g_send(icr, (self + i) % n);
	asm volatile("cli");
	return 0;
}

/* Until everybody's interrupt came; one may stand for several. */
GUEST uint64_t g_token(uint64_t n, uint64_t rounds, uint64_t vector)
{
	struct smp_area *area = g_area();
	uint64_t i;

	asm volatile("cli");
	for (i = 1; i <= rounds; i++) {
		while (area->count[vector] < i)
			asm volatile("sti; hlt; cli" : : : "memory");
		g_send(ICR_ASSERT | vector, (area->id + 1) % n);
	}
	return area->count[vector];
}

TEST_F(many, start_and_answer)
{
	unsigned int i;

	TH_LOG("%u vCPUs", self->n);
	for (i = 0; i < self->n; i++)
		EXPECT_EQ(i, smp_do(&self->smp, i, g_apic_get, APIC_ID, 0, 0) >> 24);
}

/* A token goes round among halted vCPUs: an IPI that is lost stops it. */
TEST_F(many, a_token_goes_round)
{
	struct smp *smp = &self->smp;
	const unsigned int rounds = 20;
	unsigned int i;

	for (i = 0; i < self->n; i++)
		smp_do(smp, i, g_apic_on, 0, 0, 0);
	for (i = 1; i < self->n; i++)
		ASSERT_EQ(0, smp_call(smp, i, g_token, self->n, rounds, VECTOR));
	smp_do(smp, 0, g_ipi, VECTOR | ICR_ASSERT | ICR_SELF, 0, 0);
	ASSERT_EQ(0, smp_call(smp, 0, g_token, self->n, rounds, VECTOR));
	for (i = 0; i < self->n; i++)
		ASSERT_EQ(0, smp_wait(smp, i, NULL)) {
			TH_LOG("vCPU %u of %u has %u", i, self->n,
			       smp_area(smp, i)->count[VECTOR]);
		}
	for (i = 1; i < self->n; i++)
		EXPECT_EQ(rounds, smp_area(smp, i)->count[VECTOR]);
}

/* All send to all at once; then each has each vector at least once. */
TEST_F(many, all_to_all)
{
	struct smp *smp = &self->smp;
	unsigned int i;

	for (i = 0; i < self->n; i++)
		smp_do(smp, i, g_apic_on, 0, 0, 0);
	for (i = 0; i < self->n; i++)
		ASSERT_EQ(0, smp_call(smp, i, g_send_to_all, self->n, VECTOR | ICR_ASSERT, 0));
	for (i = 0; i < self->n; i++)
		ASSERT_EQ(0, smp_wait(smp, i, NULL));
	for (i = 0; i < self->n; i++) {
		/* What came while it was parked comes in now. */
		ASSERT_EQ(0, smp_call(smp, i, g_wait_for_data, 0, 0, 0));
		ASSERT_EQ(0, smp_wait(smp, i, NULL));
		EXPECT_LE(1, smp_area(smp, i)->count[VECTOR]);
	}
}

MVM_HARNESS_MAIN
