// SPDX-License-Identifier: GPL-2.0-only
/*
 * What else happens to a launcher while its guest runs: signals without end, a debugger
 * that attaches and lets go, fork, vfork and exec, a core dump. And to its host: the
 * module's removal is asked for, CPUs go and come. The guest goes on, or its end is
 * the launcher's.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* vfork(), sched_setaffinity() */
#endif
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mvm_harness.h"
#include "mvm_random.h"
#include "mvm_util.h"
#include "mvm_watch.h"

#define KICK	SIGUSR1
#define COUNTER	0x30000
#define CPU1	"/sys/devices/system/cpu/cpu1/online"

/* Counts, writes page after page, and says so now and then. */
GUEST_CODE(counter, 64,
	   "1: mov $200, %ecx; 2: loop 2b; incl 0x30000; add $0x1000, %edi; and $0x1fffff, %edi;"
	   "movb $1, 0x100000(%rdi); mov 0x30000, %eax; test $63, %al; jnz 1b;"
	   "out %eax, $0xf1; jmp 1b");

struct runner {
	struct tvm vm;
	struct tvcpu vcpu;
	pthread_t thread;
	volatile pid_t tid;
	volatile bool stop;
	volatile unsigned long interrupted;
	volatile int error;
};

FIXTURE(stress) {
	struct host_watch watch;
	struct runner runner;
};

static void on_kick(int sig)
{
}

static void *run(void *arg)
{
	struct runner *r = arg;
	int ret;

	r->tid = syscall(SYS_gettid);
	while (!r->stop && !r->error) {
		ret = tvm_ioctl(r->vcpu.fd, KVM_RUN, NULL);
		if (ret == -EINTR)
			r->interrupted++;
		else if (ret || r->vcpu.run->exit_reason != KVM_EXIT_IO)
			r->error = ret ? ret : -EPROTO;
	}
	return NULL;
}

static int start(struct runner *r)
{
	int ret;

	memset(r, 0, sizeof(*r));
	ret = tvm_create(&r->vm, TVM_MEM_SIZE);
	if (!ret)
		ret = tvcpu_create(&r->vm, &r->vcpu, 0);
	if (!ret)
		ret = tvcpu_start(&r->vcpu, TVM_LONG, counter, counter_end);
	if (!ret)
		ret = -pthread_create(&r->thread, NULL, run, r);
	while (!ret && !r->tid)
		usleep(100);
	return ret;
}

static void end(struct runner *r)
{
	r->stop = true;
	r->vcpu.run->immediate_exit = 1;
	pthread_kill(r->thread, KICK);
	pthread_join(r->thread, NULL);
	tvcpu_destroy(&r->vcpu);
	tvm_destroy(&r->vm);
}

static uint32_t count_of(struct runner *r)
{
	return *(volatile uint32_t *)(r->vm.mem + COUNTER);
}

/* Does the guest get on? It has some seconds, on a busy machine. */
static bool gets_on(struct runner *r)
{
	uint32_t before = count_of(r);
	int ms;

	for (ms = 0; ms < 20000 && !r->error; ms++) {
		if (count_of(r) - before > 10)
			return true;
		usleep(1000);
	}
	printf("# the guest stands still at %u, error %d\n", count_of(r), r->error);
	return false;
}

FIXTURE_SETUP(stress)
{
	struct sigaction action = { .sa_handler = on_kick };
	struct tvm vm;

	sigaction(KICK, &action, NULL);
	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	tvm_destroy(&vm);
	ASSERT_EQ(0, start(&self->runner));
}

FIXTURE_TEARDOWN(stress)
{
	EXPECT_TRUE(gets_on(&self->runner));
	end(&self->runner);
	EXPECT_TRUE(watch_end(&self->watch));
}

static unsigned int times(unsigned int brief)
{
	return long_run() ? brief * 20 : on_bed("intel") ? brief / 10 : brief;
}

TEST_F_TIMEOUT(stress, signals_without_end, 600)
{
	unsigned int i, n = times(20000);

	for (i = 0; i < n; i++)
		ASSERT_EQ(0, pthread_kill(self->runner.thread, KICK));
	EXPECT_TRUE(gets_on(&self->runner));
	EXPECT_LT(0, self->runner.interrupted);
}

/* A debugger for all there is: attach to the vCPU's thread, read its registers, let go. */
static int debug(pid_t tid, unsigned int n)
{
	unsigned long word;
	unsigned int i;
	int status;

	for (i = 0; i < n; i++) {
		if (ptrace(i & 1 ? PTRACE_SEIZE : PTRACE_ATTACH, tid, NULL, NULL))
			return 1;
		if ((i & 1) && ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
			return 2;
		if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			return 3;
		errno = 0;
		word = ptrace(PTRACE_PEEKUSER, tid, NULL, NULL);
		if (errno && word == ~0ul)
			return 4;
		if (i % 3 == 0 && ptrace(PTRACE_SINGLESTEP, tid, NULL, NULL) == 0 &&
		    waitpid(tid, &status, __WALL) != tid)
			return 5;
		if (ptrace(PTRACE_DETACH, tid, NULL, NULL))
			return 6;
	}
	return 0;
}

TEST_F_TIMEOUT(stress, a_debugger_comes_and_goes, 600)
{
	pid_t pid, tid = self->runner.tid;
	int status;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(debug(tid, times(200)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(gets_on(&self->runner));
}

/* Each child has the files and, with fork, a copy of the memory; none has the VM. */
TEST_F_TIMEOUT(stress, children_are_born, 600)
{
	unsigned int i, n = times(100);
	int status, fd = self->runner.vcpu.fd;
	pid_t pid;

	for (i = 0; i < n; i++) {
		if (i & 1) {
			pid = fork();
			if (!pid)
				_exit(ioctl(fd, KVM_RUN, NULL) == -1 && errno == EIO ? 0 : 1);
		} else {
			pid = vfork();
			if (!pid) {
				execl("/bin/true", "true", (char *)NULL);
				_exit(0);
			}
		}
		ASSERT_LT(0, pid);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status) {
			TH_LOG("child %u", i);
		}
	}
}

/* A launcher of its own; @how it ends itself while its guest runs. */
static pid_t launcher(void (*how)(void))
{
	struct runner runner;
	pid_t pid = fork();

	if (pid)
		return pid;
	if (start(&runner) || !gets_on(&runner))
		_exit(1);
	how();
	_exit(2);
}

static void die_of_a_fault(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &all);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static void become_another(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

/* The dump reads all of guest memory, and stops every thread of the launcher first. */
TEST_F_TIMEOUT(stress, launchers_dump_their_core, 600)
{
	static const char pattern[] = "/proc/sys/kernel/core_pattern", mine[] = "/tmp/core.mvm";
	unsigned int i, n = times(10);
	int status, fd, dumped = 0;
	char old[128] = "";
	pid_t pid;

	fd = open(pattern, O_RDWR);
	if (fd < 0 || read(fd, old, sizeof(old) - 1) < 0)
		SKIP(return, "core_pattern cannot be set here");
	mkdir("/tmp", 0755);
	ASSERT_LT(0, pwrite(fd, mine, strlen(mine), 0));
	for (i = 0; i < n; i++) {
		pid = launcher(die_of_a_fault);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
		dumped += WIFSIGNALED(status) && WCOREDUMP(status);
		unlink(mine);
	}
	EXPECT_LT(0, pwrite(fd, old, strlen(old), 0));
	close(fd);
	printf("# %d cores\n", dumped);
	EXPECT_EQ(n, dumped);
}

TEST_F_TIMEOUT(stress, launchers_become_another_program, 600)
{
	unsigned int i, n = times(30);
	int status;
	pid_t pid;

	for (i = 0; i < n; i++) {
		pid = launcher(become_another);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
}

/* The module stays while a file is open, however often one asks. */
TEST_F_TIMEOUT(stress, the_module_is_not_to_be_removed, 600)
{
	unsigned int i, n = times(500);
	struct tvm vm;

	for (i = 0; i < n; i++) {
		ASSERT_EQ(-1, syscall(SYS_delete_module, "minivmm", O_NONBLOCK));
		ASSERT_TRUE(errno == EWOULDBLOCK || errno == EBUSY) {
			TH_LOG("errno %d", errno);
		}
		if (i % 50)
			continue;
		ASSERT_EQ(0, tvm_create(&vm, TVM_MEM_SIZE));
		tvm_destroy(&vm);
	}
}

static int set_online(bool online)
{
	int fd = open(CPU1, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, online ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

static void *make_vms(void *arg)
{
	struct runner *other = arg;
	unsigned long made = 0;

	while (!other->stop && !other->error) {
		struct tvcpu vcpu;
		struct tvm vm;
		uint32_t value;

		other->error = tvm_create(&vm, TVM_MEM_SIZE);
		if (other->error)
			break;
		other->error = tvcpu_create(&vm, &vcpu, 0);
		if (!other->error)
			other->error = tvcpu_start(&vcpu, TVM_LONG, counter, counter_end);
		if (!other->error)
			other->error = tvcpu_run_out(&vcpu, &value);
		tvcpu_destroy(&vcpu);
		tvm_destroy(&vm);
		made++;
	}
	return (void *)made;
}

/* One guest runs, others are made and go, and a CPU goes and comes under all of them. */
TEST_F_TIMEOUT(stress, a_cpu_goes_and_comes, 600)
{
	struct runner other = { .stop = false };
	unsigned int i, n = times(20);
	pthread_t thread;
	void *made;

	if (access(CPU1, W_OK))
		SKIP(return, "this host has one CPU");
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_vms, &other));
	for (i = 0; i < n && !other.error; i++) {
		EXPECT_EQ(0, set_online(false));
		usleep(5000 * (i % 5));
		EXPECT_EQ(0, set_online(true));
		usleep(5000 * (i % 7));
	}
	other.stop = true;
	pthread_join(thread, &made);
	EXPECT_EQ(0, other.error);
	EXPECT_LT(0, (unsigned long)made);
}

MVM_HARNESS_MAIN
