// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ends KVM_RUN from outside, at any moment: a signal, immediate_exit, an
 * interrupt for a halted guest. Each is repeated at ever other distances from the
 * start of KVM_RUN; one that is lost leaves the vCPU where it is, and the test fails.
 */
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "mvm_harness.h"
#include "mvm_host.h"
#include "mvm_random.h"
#include "mvm_smp.h"

#define VECTOR	0x71
#define ROUNDS	200
#define KICK	SIGUSR1

static void on_kick(int sig)
{
}

FIXTURE(kick) {
	struct smp smp;
};

FIXTURE_SETUP(kick)
{
	struct sigaction sa = { .sa_handler = on_kick };

	sigaction(KICK, &sa, NULL);
	SMP_CREATE_OR_SKIP(&self->smp, 2);
}

FIXTURE_TEARDOWN(kick)
{
	smp_destroy(&self->smp);
}

/* A thread that makes one call of KVM_RUN and keeps what it returned. */
struct runner {
	struct tvcpu *vcpu;
	pthread_t thread;
	int ret;
	volatile bool started, done;
};

static void *run_one(void *arg)
{
	struct runner *r = arg;

	r->started = true;
	r->ret = tvm_ioctl(r->vcpu->fd, KVM_RUN, NULL);
	r->done = true;
	return NULL;
}

static bool start_runner(struct runner *r, struct tvcpu *vcpu)
{
	*r = (struct runner){ .vcpu = vcpu };
	return !pthread_create(&r->thread, NULL, run_one, r);
}

/* A distance that differs from round to round, by halves of the scheduler's grain. */
static void wait_a_bit(unsigned int round)
{
	volatile unsigned int i;

	for (i = 0; i < round % 50 * 40; i++)
		;
	if (round % 7 == 0)
		usleep(round);
}

static bool ends(struct runner *r)
{
	unsigned int ms;

	for (ms = 0; ms < SMP_TIMEOUT * 1000 && !r->done; ms++)
		usleep(1000);
	if (r->done)
		pthread_join(r->thread, NULL);
	return r->done;
}

/* The launcher's way: the flag first, then a signal, which may find no KVM_RUN yet. */
static void stop_at_any_moment(struct __test_metadata *_metadata, struct tvcpu *vcpu)
{
	struct runner r;
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		vcpu->run->immediate_exit = 0;
		ASSERT_TRUE(start_runner(&r, vcpu));
		wait_a_bit(i);
		vcpu->run->immediate_exit = 1;
		pthread_kill(r.thread, KICK);
		ASSERT_TRUE(ends(&r)) {
			TH_LOG("round %u: KVM_RUN goes on", i);
		}
		ASSERT_EQ(-EINTR, r.ret);
	}
	vcpu->run->immediate_exit = 0;
}

GUEST uint64_t g_forever(uint64_t a, uint64_t b, uint64_t c)
{
	asm volatile("sti");
	for (;;)
		g_pause();
}

/* vCPU 0 with @fn as what it does, and no thread of the library's. */
static int prepare(struct smp *smp, guest_fn fn)
{
	struct tvcpu *vcpu = &smp->cpu[0].vcpu;
	struct kvm_regs regs;
	int ret = smp_prepare_first(smp);

	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (ret)
		return ret;
	regs.rip = smp_guest_address(fn);
	regs.rdi = VECTOR;
	regs.rsi = 1;
	regs.rsp -= 8;
	return tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

TEST_F(kick, a_spinning_guest)
{
	ASSERT_EQ(0, prepare(&self->smp, g_forever));
	stop_at_any_moment(_metadata, &self->smp.cpu[0].vcpu);
}

GUEST uint64_t g_deaf(uint64_t a, uint64_t b, uint64_t c)
{
	asm volatile("cli");
	for (;;)
		;
}

TEST_F(kick, a_guest_that_spins_with_interrupts_off)
{
	/* Bochs takes no host interrupt in such a guest; max_guest_us stands in for it. */
	if (host_is_intel() && !guest_time_is_bounded())
		SKIP(return, "it would hang an emulated Intel host: load minivmm with max_guest_us");
	ASSERT_EQ(0, prepare(&self->smp, g_deaf));
	stop_at_any_moment(_metadata, &self->smp.cpu[0].vcpu);
}

TEST_F(kick, a_halted_guest)
{
	ASSERT_EQ(0, prepare(&self->smp, g_halt_for));
	stop_at_any_moment(_metadata, &self->smp.cpu[0].vcpu);
}

TEST_F(kick, one_that_waits_for_init)
{
	stop_at_any_moment(_metadata, &self->smp.cpu[1].vcpu);
}

/* A signal alone, blocked until KVM_RUN: it was there before, so the call ends at once. */
TEST_F(kick, a_signal_from_before)
{
	struct kvm_signal_mask *mask;
	unsigned int i;

	ASSERT_EQ(0, prepare(&self->smp, g_forever));
	mask = calloc(1, sizeof(*mask) + 8);
	ASSERT_NE(NULL, mask);
	mask->len = 8;
	ASSERT_EQ(0, tvm_ioctl(self->smp.cpu[0].vcpu.fd, KVM_SET_SIGNAL_MASK, mask));
	for (i = 0; i < 20; i++) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, KICK);
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		raise(KICK);
		EXPECT_EQ(-EINTR, tvm_ioctl(self->smp.cpu[0].vcpu.fd, KVM_RUN, NULL));
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
	free(mask);
}

/* A thread that calls KVM_RUN again and again, and counts how often a signal ended it. */
struct counter {
	struct tvcpu *vcpu;
	pthread_t thread;
	volatile unsigned int ended;
	volatile bool stop;
};

static void *run_again(void *arg)
{
	struct counter *c = arg;

	while (!c->stop && tvm_ioctl(c->vcpu->fd, KVM_RUN, NULL) == -EINTR)
		c->ended++;
	return NULL;
}

static bool changes(volatile unsigned int *value, unsigned int before)
{
	unsigned int ms;

	for (ms = 0; ms < SMP_TIMEOUT * 1000 && *value == before; ms++)
		usleep(1000);
	return *value != before;
}

/* Counts for ever: who sees that is sure that the vCPU is in KVM_RUN. */
GUEST uint64_t g_count(uint64_t a, uint64_t b, uint64_t c)
{
	asm volatile("sti");
	for (;;)
		g_area()->count[VECTOR]++;
}

/*
 * What a thread has to do when it was interrupted may not take it out of the call for a
 * moment in which a signal ends nothing. Who sends it here is what interrupts it.
 */
TEST_F(kick, a_signal_in_the_midst_of_interruptions)
{
	const struct sched_param first = { .sched_priority = 1 };
	struct counter c = { .vcpu = &self->smp.cpu[0].vcpu };
	volatile unsigned int *rounds = &smp_area(&self->smp, 0)->count[VECTOR];
	const time_t end = time(NULL) + 10;
	unsigned int i, j, before;

	ASSERT_EQ(0, host_take_one_cpu());
	ASSERT_EQ(0, prepare(&self->smp, g_count));
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, run_again, &c));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &first));
	for (i = 0; i < 10 * ROUNDS && time(NULL) < end; i++) {
		before = c.ended;
		ASSERT_TRUE(changes(rounds, *rounds));
		for (j = 0; j < 3; j++)
			usleep(100 + i % 50);
		pthread_kill(c.thread, KICK);
		ASSERT_TRUE(changes(&c.ended, before)) {
			TH_LOG("round %u: KVM_RUN goes on", i);
		}
	}
	ASSERT_TRUE(changes(rounds, *rounds));
	c.stop = true;
	pthread_kill(c.thread, KICK);
	pthread_join(c.thread, NULL);
}

/* immediate_exit is seen by the call that finds it, and by that one alone. */
TEST_F(kick, immediate_exit_counts_for_each_call)
{
	struct tvcpu *vcpu = &self->smp.cpu[0].vcpu;
	unsigned int i;

	ASSERT_EQ(0, smp_prepare_first(&self->smp));
	for (i = 0; i < 10; i++) {
		vcpu->run->immediate_exit = 1;
		EXPECT_EQ(-EINTR, tvm_ioctl(vcpu->fd, KVM_RUN, NULL));
	}
	vcpu->run->immediate_exit = 0;
	EXPECT_EQ(0, tvm_ioctl(vcpu->fd, KVM_RUN, NULL));
	EXPECT_EQ(KVM_EXIT_IO, vcpu->run->exit_reason);
}

/* Interrupt the other and wait for its answer, or, with @second, the other way round. */
GUEST uint64_t g_ping(uint64_t rounds, uint64_t other, uint64_t second)
{
	struct smp_area *me = g_area();
	uint64_t i, j;

	asm volatile("cli");
	for (i = 1; i <= rounds; i++) {
		if (!second)
			g_send(ICR_ASSERT | VECTOR, other);
		while (me->count[VECTOR] < i)
			asm volatile("sti; hlt; cli" : : : "memory");
		/* About as long as the other needs to halt, or not quite. */
		for (j = 0; j < i % 64; j++)
			g_pause();
		if (second)
			g_send(ICR_ASSERT | VECTOR, other);
	}
	return me->count[VECTOR];
}

/* HLT meets the interrupt that ends it, at every distance. */
TEST_F(kick, halts_and_interrupts_meet)
{
	struct smp *smp = &self->smp;
	const unsigned int rounds = 5 * ROUNDS;
	unsigned int i;

	ASSERT_EQ(0, smp_boot(smp));
	for (i = 0; i < 2; i++)
		smp_do(smp, i, g_apic_on, 1, 0, 0);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, smp_call(smp, i, g_ping, rounds, !i, i));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, smp_wait(smp, i, NULL)) {
			TH_LOG("vCPU %u stopped after %u", i, smp_area(smp, i)->count[VECTOR]);
		}
	EXPECT_EQ(rounds, smp_area(smp, 0)->count[VECTOR]);
	EXPECT_EQ(rounds, smp_area(smp, 1)->count[VECTOR]);
}

/* The same while signals come all the time, and no KVM_RUN lasts. */
TEST_F(kick, signals_lose_no_interrupt)
{
	struct smp *smp = &self->smp;
	const unsigned int rounds = 2 * ROUNDS;
	unsigned int i, kicks = 0;

	ASSERT_EQ(0, smp_boot(smp));
	for (i = 0; i < 2; i++)
		smp_do(smp, i, g_apic_on, 1, 0, 0);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, smp_call(smp, i, g_ping, rounds, !i, i));
	while (smp->cpu[0].state == SMP_RUNNING && kicks < 100000) {
		pthread_kill(smp->cpu[kicks++ % 2].thread, KICK);
		usleep(200);
	}
	for (i = 0; i < 2; i++)
		EXPECT_EQ(0, smp_wait(smp, i, NULL));
	EXPECT_LT(0, smp->cpu[0].interrupted + smp->cpu[1].interrupted);
	EXPECT_EQ(rounds, smp_area(smp, 0)->count[VECTOR]);
	EXPECT_EQ(rounds, smp_area(smp, 1)->count[VECTOR]);
}

MVM_HARNESS_MAIN
