// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random vCPU states, seeded: each runs or is refused, within a bounded time, with
 * an exit that has a name, and the vCPU is as good as new afterwards.
 */
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "mvm_harness.h"
#include "mvm_watch.h"
#include "random_state.h"

#define TICK_US		3000	/* ends what does not end by itself */
#define LONGEST_S	5	/* one KVM_RUN, on the slowest bed */
#define VM_LIFE		2000	/* states before the VM is replaced by a new one */
#define CHECK_EVERY	64	/* states before a valid one */
#define NR_EXITS	40

static struct state_world world;
static struct vcpu_state state;

struct tally {
	unsigned long runs, refused, interrupted, faults;
	unsigned long exits[NR_EXITS];
};

FIXTURE(states) {
	struct host_watch watch;
	struct tvm vm;
	struct tvcpu vcpu;
	struct tally tally;
	uint64_t seed;
};

FIXTURE_VARIANT(states) {
	bool irqchip;
	unsigned long brief, full;
};

FIXTURE_VARIANT_ADD(states, without_irqchip) {
	.irqchip = false, .brief = 8000, .full = 80000,
};

FIXTURE_VARIANT_ADD(states, with_irqchip) {
	.irqchip = true, .brief = 2000, .full = 20000,
};

static void on_tick(int sig)
{
}

static void set_tick(long us)
{
	struct itimerval tick = { { 0, us }, { 0, us } };
	struct sigaction action = { .sa_handler = on_tick };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
}

static int new_vm(struct tvm *vm, struct tvcpu *vcpu, bool irqchip)
{
	int ret = tvm_create(vm, TVM_MEM_SIZE);

	if (ret)
		return ret;
	if (irqchip)
		ret = tvm_create_irqchip(vm, true);
	if (!ret)
		ret = tvcpu_create(vm, vcpu, 0);
	if (!ret)
		ret = state_world_init(&world, vm, vcpu, irqchip);
	/* A spin with interrupts off is for ever in Bochs, unless guest time is bounded. */
	world.spins = !on_bed("intel") || guest_time_is_bounded();
	return ret;
}

FIXTURE_SETUP(states)
{
	watch_begin(&self->watch);
	memset(&self->tally, 0, sizeof(self->tally));
	self->vcpu.fd = -1;
	self->vcpu.run = NULL;
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	tvm_destroy(&self->vm);
	ASSERT_EQ(0, new_vm(&self->vm, &self->vcpu, variant->irqchip));
	self->seed = rng_seed(variant->irqchip ? "states, irqchip" : "states");
	set_tick(TICK_US);
}

FIXTURE_TEARDOWN(states)
{
	set_tick(0);
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
	EXPECT_TRUE(watch_end(&self->watch));
}

/* Is that an end that a guest may have? Says so if not. */
static bool fair_exit(struct tvcpu *vcpu, int ret, struct tally *tally)
{
	const struct kvm_run *run = vcpu->run;
	char why[256];

	tally->runs++;
	if (ret == -EINTR) {
		tally->interrupted++;
		return true;
	}
	/* An address of a slot's that the host has not; the test's VM has all. */
	if (ret) {
		tvm_reason(vcpu->fd, -ret, why, sizeof(why));
		printf("# KVM_RUN: %d: %s\n", ret, why);
		return false;
	}
	if (run->exit_reason < NR_EXITS)
		tally->exits[run->exit_reason]++;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
	case KVM_EXIT_HLT:
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_FAIL_ENTRY:
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		return run->internal.suberror != KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	default:
		return false;
	}
}

/* Run the state until it leaves twice, or is in the way too long. */
static bool run_state(struct tvcpu *vcpu, struct rng *rng, struct tally *tally)
{
	struct timespec start, end;
	int i, ret;

	for (i = 0; i < 2; i++) {
		clock_gettime(CLOCK_MONOTONIC, &start);
		ret = tvm_ioctl(vcpu->fd, KVM_RUN, NULL);
		clock_gettime(CLOCK_MONOTONIC, &end);
		if (end.tv_sec - start.tv_sec > LONGEST_S) {
			printf("# KVM_RUN took %ld s\n", (long)(end.tv_sec - start.tv_sec));
			return false;
		}
		if (!fair_exit(vcpu, ret, tally)) {
			tvcpu_show(vcpu);
			return false;
		}
		/* The answers to what it asked are random as well. */
		rng_fill(rng, (uint8_t *)vcpu->run + 4096, 8);
		rng_fill(rng, vcpu->run->mmio.data, 8);
	}
	return true;
}

/* After all of that a valid state runs as ever. */
static bool still_works(struct tvcpu *vcpu)
{
	const char *which = "";
	uint32_t value;
	int ret;

	state_make_valid(&world, &state);
	/* What was left half done is finished first. */
	vcpu->run->immediate_exit = 1;
	tvm_ioctl(vcpu->fd, KVM_RUN, NULL);
	vcpu->run->immediate_exit = 0;
	ret = state_load(&world, &state, &which);
	if (ret) {
		printf("# a valid state: %d %s\n", ret, which);
		return false;
	}
	return !tvcpu_run_out(vcpu, &value);
}

static void show_tally(const struct tally *tally, unsigned long states)
{
	unsigned int i;

	printf("# %lu states, %lu of them refused in part, %lu runs, %lu ended by the clock; exits:",
	       states, tally->refused, tally->runs, tally->interrupted);
	for (i = 0; i < NR_EXITS; i++)
		if (tally->exits[i])
			printf(" %u: %lu", i, tally->exits[i]);
	printf("\n");
}

TEST_F_TIMEOUT(states, each_runs_or_is_refused, 3600)
{
	unsigned long i, brief = variant->brief / (on_bed("intel") ? 4 : 1);
	unsigned long rounds = rng_rounds(brief, variant->full);
	/* A host that dies tells nothing: from this state on they are shown first. */
	unsigned long shown = getenv("MVM_FUZZ_SHOW") ? strtoul(getenv("MVM_FUZZ_SHOW"), NULL, 0) :
							~0ul;
	const char *which = "";
	struct rng rng;
	int ret;

	for (i = 0; i < rounds; i++) {
		if (i && i % VM_LIFE == 0) {
			tvcpu_destroy(&self->vcpu);
			tvm_destroy(&self->vm);
			/* Registering the MMU notifier is what a signal may interrupt. */
			set_tick(0);
			ASSERT_EQ(0, new_vm(&self->vm, &self->vcpu, variant->irqchip));
			set_tick(TICK_US);
		}
		rng = rng_start(self->seed, i);
		state_make(&world, &rng, &state);
		if (i >= shown) {
			printf("# state %lu:\n", i);
			state_show(&state);
		}
		ret = state_load(&world, &state, &which);
		ASSERT_LE(0, ret) {
			TH_LOG("state %lu: %s gave %d", i, which, ret);
		}
		self->tally.refused += ret > 0;
		ASSERT_TRUE(run_state(&self->vcpu, &rng, &self->tally)) {
			TH_LOG("state %lu", i);
		}
		if (i % CHECK_EVERY == 0) {
			ASSERT_TRUE(still_works(&self->vcpu)) {
				TH_LOG("after state %lu", i);
			}
		}
	}
	show_tally(&self->tally, rounds);
	EXPECT_LT(rounds / 2, self->tally.runs);
}

MVM_HARNESS_MAIN
