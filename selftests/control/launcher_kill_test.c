// SPDX-License-Identifier: GPL-2.0-only
/*
 * A launcher that is killed at any moment of its life leaves nothing behind: no
 * memory, no files, no VM.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "mvm_harness.h"
#include "mvm_random.h"
#include "mvm_util.h"
#include "mvm_watch.h"

#define CODE_STEP	0x1000	/* from one vCPU's code to the next one's */

/* Writes page after page and leaves now and then; never waits, so it may be entered again. */
GUEST_CODE(worker, 16,
	   "xor %bx, %bx; 1: mov %bx, %ds; movb $1, 0; add $0x100, %bx; and $0x3fff, %bx;"
	   "or $0x2000, %bx; mov $200, %cx; 2: loop 2b; out %eax, $0xf1; jmp 1b");

/* How far launchers came before they were killed, for the reader. */
enum phase { BORN, HAS_VM, HAS_CHIPS, HAS_VCPUS, RUNNING, HAS_RUN, CLOSING, NR_PHASES };

struct progress {
	unsigned long phase;
	unsigned long ended[NR_PHASES];
};

FIXTURE(kill) {
	struct host_watch watch;
	struct progress *progress;
};

FIXTURE_SETUP(kill)
{
	struct tvm vm;

	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	tvm_destroy(&vm);
	self->progress = mmap(NULL, sizeof(*self->progress), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->progress);
}

FIXTURE_TEARDOWN(kill)
{
	munmap(self->progress, sizeof(*self->progress));
	EXPECT_TRUE(watch_end(&self->watch));
}

static void *run_vcpu(void *arg)
{
	struct tvcpu *vcpu = arg;
	int i;

	for (i = 0; i < 300 && !tvm_ioctl(vcpu->fd, KVM_RUN, NULL); i++)
		;
	return NULL;
}

static int start_worker(struct tvcpu *vcpu, int nr)
{
	struct kvm_sregs sregs;
	int ret = tvcpu_start(vcpu, TVM_REAL, worker, worker_end);

	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (ret)
		return ret;
	memcpy(vcpu->vm->mem + TVM_CODE + nr * CODE_STEP, worker, worker_end - worker);
	sregs.cs.base = TVM_CODE + nr * CODE_STEP;
	sregs.cs.selector = sregs.cs.base >> 4;
	return tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
}

/* One VM's life, as launchers live it. */
static int live(struct rng *rng, volatile unsigned long *phase)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct tvcpu vcpus[2];
	pthread_t threads[2];
	struct tvm vm;
	int i, n;

	*phase = BORN;
	if (tvm_create(&vm, TVM_MEM_SIZE))
		return 1;
	*phase = HAS_VM;
	if (rng_below(rng, 2) && tvm_create_irqchip(&vm, rng_below(rng, 2)))
		return 2;
	*phase = HAS_CHIPS;
	for (n = 0; n < 2 && !tvcpu_create(&vm, &vcpus[n], n); n++) {
		if (start_worker(&vcpus[n], n))
			return 3;
		tvm_ioctl(vcpus[n].fd, KVM_SET_MP_STATE, &runnable);
	}
	if (!n)
		return 4;
	*phase = HAS_VCPUS;
	for (i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, run_vcpu, &vcpus[i]))
			return 5;
	*phase = RUNNING;
	for (i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	*phase = HAS_RUN;
	for (i = 0; i < n; i++)
		tvcpu_destroy(&vcpus[i]);
	*phase = CLOSING;
	tvm_destroy(&vm);
	return 0;
}

static void launcher(uint64_t seed, struct progress *progress)
{
	struct rng rng = rng_start(seed, 0);
	int ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do {
		ret = live(&rng, &progress->phase);
	} while (!ret);
	_exit(ret);
}

TEST_F_TIMEOUT(kill, at_random_moments, 1800)
{
	unsigned long i, rounds = rng_rounds(on_bed("intel") ? 60 : 250, 500);
	/* The slower the host, the longer a life. */
	unsigned int longest_us = on_bed("intel") ? 60000 : 25000;
	uint64_t seed = rng_seed("kills");
	struct rng rng = rng_start(seed, 0);
	int status;
	pid_t pid;

	for (i = 0; i < rounds; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			launcher(seed + i, self->progress);
		usleep(rng_below(&rng, longest_us));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("launcher %lu ended by itself: %x", i, status);
		}
		self->progress->ended[self->progress->phase]++;
	}
	printf("# killed:");
	for (i = 0; i < NR_PHASES; i++)
		printf(" %lu", self->progress->ended[i]);
	printf(" (young, VM, chips, vCPUs, running, run, closing)\n");
	EXPECT_LT(0, self->progress->ended[RUNNING]);
}

MVM_HARNESS_MAIN
