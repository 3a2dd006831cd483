// SPDX-License-Identifier: GPL-2.0-only
/*
 * Launchers that pass noise to every ioctl, seeded: alone, from two threads at once,
 * after fork and with files that came over a socket. Each answers with an error that
 * the page lists or does something harmless, and the host has lost nothing.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "ioctl_fuzz.h"
#include "mvm_harness.h"
#include "mvm_watch.h"

#define TICK_NS		3000000		/* ends what waits or spins */
#define VM_LIFE		250		/* calls before there is another VM */
#define ALIVE		77		/* a child's status when all went well */

FIXTURE(ioctls) {
	struct host_watch watch;
	uint64_t seed;
	unsigned long rounds;
};

FIXTURE_SETUP(ioctls)
{
	struct tvm vm;

	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	tvm_destroy(&vm);
	self->seed = rng_seed("ioctls");
	self->rounds = rng_rounds(on_bed("intel") ? 8000 : 16000, 200000);
}

FIXTURE_TEARDOWN(ioctls)
{
	EXPECT_TRUE(watch_end(&self->watch));
}

static void on_tick(int sig)
{
}

/* Ticks for this thread alone: a vCPU that spins or sleeps comes back. */
static timer_t start_ticks(long ns)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	struct itimerspec spec = { { 0, ns }, { 0, ns } };
	struct sigaction action = { .sa_handler = on_tick };
	timer_t timer;

	sigaction(SIGUSR1, &action, NULL);
	event._sigev_un._tid = syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		return NULL;
	timer_settime(timer, 0, &spec, NULL);
	return timer;
}

/* Calls until @n are made or one goes wrong. */
static void make_calls(struct fuzz_caller *caller, unsigned long n)
{
	timer_t timer = start_ticks(TICK_NS);

	while (n-- && fuzz_call(caller))
		;
	timer_delete(timer);
}

/* In a child: what a fuzzed guest or call does to this process ends with it. */
static int in_child(struct __test_metadata *_metadata, int (*fn)(uint64_t seed, unsigned long n),
		    uint64_t seed, unsigned long n)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		status = fn(seed, n);
		fflush(NULL);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	if (WIFSIGNALED(status)) {
		TH_LOG("the launcher was ended by signal %d", WTERMSIG(status));
		return -1;
	}
	return WEXITSTATUS(status);
}

static int report(const struct fuzz_caller *caller, unsigned long round)
{
	printf("# VM %lu, after %lu calls: %s\n", round, caller->calls, caller->wrong);
	return 1;
}

static int one_thread(uint64_t seed, unsigned long n)
{
	unsigned long i, calls = 0, succeeded = 0;
	struct fuzz_target target;
	struct fuzz_caller caller;
	struct rng rng;

	for (i = 0; i < n / VM_LIFE; i++) {
		rng = rng_start(seed, i);
		if (fuzz_target_create(&target, &rng) ||
		    fuzz_caller_init(&caller, &target, rng))
			return 2;
		make_calls(&caller, VM_LIFE);
		if (caller.wrong[0])
			return report(&caller, i);
		calls += caller.calls;
		succeeded += caller.succeeded;
		fuzz_caller_free(&caller);
		fuzz_target_destroy(&target);
	}
	printf("# %lu calls, %lu of them succeeded\n", calls, succeeded);
	for (i = 0; i < fuzz_nr_calls(); i++)
		if (!fuzz_successes(i))
			printf("# never with success: %s\n", fuzz_name(i));
	return ALIVE;
}

TEST_F_TIMEOUT(ioctls, noise_is_refused_or_harmless, 1800)
{
	EXPECT_EQ(ALIVE, in_child(_metadata, one_thread, self->seed, self->rounds));
}

static void *second_thread(void *arg)
{
	struct fuzz_caller *caller = arg;

	make_calls(caller, VM_LIFE);
	return NULL;
}

static int two_threads(uint64_t seed, unsigned long n)
{
	struct fuzz_caller callers[2];
	struct fuzz_target target;
	pthread_t thread;
	struct rng rng;
	unsigned long i;
	int t;

	for (i = 0; i < n / VM_LIFE / 2; i++) {
		rng = rng_start(seed, i);
		if (fuzz_target_create(&target, &rng))
			return 2;
		for (t = 0; t < 2; t++) {
			if (fuzz_caller_init(&callers[t], &target, rng_start(seed, i * 2 + t)))
				return 2;
			callers[t].shared = true;
		}
		if (pthread_create(&thread, NULL, second_thread, &callers[1]))
			return 2;
		make_calls(&callers[0], VM_LIFE);
		pthread_join(thread, NULL);
		for (t = 0; t < 2; t++) {
			if (callers[t].wrong[0])
				return report(&callers[t], i);
			fuzz_caller_free(&callers[t]);
		}
		fuzz_target_destroy(&target);
	}
	return ALIVE;
}

TEST_F_TIMEOUT(ioctls, two_threads_at_once, 1800)
{
	EXPECT_EQ(ALIVE, in_child(_metadata, two_threads, self->seed + 1, self->rounds / 2));
}

/* ---------------------------------------------------- another address space */

static int make_strange_calls(struct fuzz_target *target, uint64_t seed, unsigned long n)
{
	struct fuzz_caller caller;

	target->stranger = true;
	if (fuzz_caller_init(&caller, target, rng_start(seed, 1)))
		return 2;
	make_calls(&caller, n);
	return caller.wrong[0] ? report(&caller, 0) : ALIVE;
}

/* In a process of its own: what it maps and opens goes with it. */
static int call_as_stranger(struct fuzz_target *target, uint64_t seed, unsigned long n)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		status = make_strange_calls(target, seed, n);
		fflush(NULL);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 2;
	return WEXITSTATUS(status);
}

static int owner_runs(struct tvcpu *vcpu)
{
	GUEST_CODE(out, 16, "out %eax, $0xf1");
	uint32_t value;
	int ret = tvcpu_start(vcpu, TVM_REAL, out, out_end);

	return ret ? ret : tvcpu_run_out(vcpu, &value);
}

TEST_F_TIMEOUT(ioctls, a_forked_child_gets_nothing, 1800)
{
	struct rng rng = rng_start(self->seed, 0);
	struct fuzz_target target;

	do {
		ASSERT_EQ(0, fuzz_target_create(&target, &rng));
	} while (target.vcpu[0].fd < 0 && (fuzz_target_destroy(&target), true));
	EXPECT_EQ(ALIVE, call_as_stranger(&target, self->seed, self->rounds / 8));
	/* And the owner's VM has not noticed. */
	EXPECT_EQ(0, owner_runs(&target.vcpu[0]));
	fuzz_target_destroy(&target);
}

static int pass_files(int sock, int *fds, int n, bool send)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	if (send) {
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
		return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
	}
	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)), n * sizeof(int));
	return 0;
}

/* Files of a launcher that waits, then of one that is gone. */
TEST_F_TIMEOUT(ioctls, files_from_a_socket_give_nothing, 1800)
{
	struct fuzz_target target = { .vm.mem = NULL };
	int pair[2], fds[3], status, round;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct tvcpu vcpu;
		struct tvm vm;

		if (tvm_create(&vm, TVM_MEM_SIZE) || tvcpu_create(&vm, &vcpu, 0))
			_exit(1);
		fds[0] = vm.sys;
		fds[1] = vm.fd;
		fds[2] = vcpu.fd;
		status = pass_files(pair[1], fds, 3, true);
		/* Lives until the receiver says so. */
		if (read(pair[1], fds, 1) != 1 || owner_runs(&vcpu))
			status = 1;
		_exit(status);
	}
	ASSERT_EQ(0, pass_files(pair[0], fds, 3, false));
	target.vm.sys = fds[0];
	target.vm.fd = fds[1];
	target.vcpu[0] = (struct tvcpu){ .vm = &target.vm, .fd = fds[2] };
	target.vcpu[1].fd = -1;
	target.event = -1;
	for (round = 0; round < 2; round++) {
		EXPECT_EQ(ALIVE, call_as_stranger(&target, self->seed + round, self->rounds / 16));
		if (round)
			break;
		ASSERT_EQ(1, write(pair[0], "x", 1));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	close(fds[0]);
	close(fds[1]);
	close(fds[2]);
	close(pair[0]);
	close(pair[1]);
}

MVM_HARNESS_MAIN
