// SPDX-License-Identifier: GPL-2.0-only
/*
 * Launchers that take a VM apart while it runs: files closed, memory and mappings
 * unmapped, in every order; and that map the vCPU's pages in every way.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap() */
#endif
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "mvm_harness.h"
#include "mvm_random.h"
#include "mvm_util.h"
#include "mvm_watch.h"

#define PAGE	0x1000

GUEST_CODE(toucher, 16,
	   "xor %bx, %bx; 1: mov %bx, %ds; incb 0; add $0x100, %bx; and $0x3fff, %bx;"
	   "or $0x2000, %bx; out %eax, $0xf1; jmp 1b");

FIXTURE(take_apart) {
	struct host_watch watch;
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(take_apart)
{
	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_REAL, toucher, toucher_end));
}

FIXTURE_TEARDOWN(take_apart)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
	EXPECT_TRUE(watch_end(&self->watch));
}

struct runner {
	int fd;
	volatile bool stop;
	volatile unsigned long runs;
	int last;
};

/* Runs whatever is behind the file, until it is closed or enough is enough. */
static void *keep_running(void *arg)
{
	struct runner *runner = arg;

	while (!runner->stop) {
		runner->last = tvm_ioctl(runner->fd, KVM_RUN, NULL);
		runner->runs++;
		if (runner->last == -EBADF)
			break;
	}
	return NULL;
}

enum part { SYS_FILE, VM_FILE, VCPU_FILE, RUN_PAGE, MEMORY, NR_PARTS };

static void take(struct tvm *vm, struct tvcpu *vcpu, enum part part)
{
	switch (part) {
	case SYS_FILE:
		close(vm->sys);
		vm->sys = -1;
		break;
	case VM_FILE:
		close(vm->fd);
		vm->fd = -1;
		break;
	case VCPU_FILE:
		close(vcpu->fd);
		vcpu->fd = -1;
		break;
	case RUN_PAGE:
		munmap(vcpu->run, vcpu->run_size);
		vcpu->run = NULL;
		break;
	default:
		munmap(vm->mem, vm->mem_size);
		vm->mem = NULL;
		break;
	}
}

/* The @n-th order of the parts. */
static void permute(unsigned int n, enum part order[NR_PARTS])
{
	unsigned int i, j, at, left[NR_PARTS];

	for (i = 0; i < NR_PARTS; i++)
		left[i] = i;
	for (i = 0; i < NR_PARTS; i++) {
		at = n % (NR_PARTS - i);
		n /= NR_PARTS - i;
		order[i] = left[at];
		for (j = at; j + 1 < NR_PARTS - i; j++)
			left[j] = left[j + 1];
	}
}

TEST_F_TIMEOUT(take_apart, every_order_while_the_guest_runs, 1800)
{
	unsigned int n, i, step = on_bed("intel") && !long_run() ? 5 : 1;
	struct rng rng = rng_start(rng_seed("closing"), 0);
	enum part order[NR_PARTS];
	struct runner runner;
	pthread_t thread;

	for (n = 0; n < 120; n += step) {
		tvcpu_destroy(&self->vcpu);
		tvm_destroy(&self->vm);
		ASSERT_EQ(0, tvm_create(&self->vm, TVM_MEM_SIZE));
		ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
		ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_REAL, toucher, toucher_end));
		permute(n, order);
		runner = (struct runner){ .fd = self->vcpu.fd };
		ASSERT_EQ(0, pthread_create(&thread, NULL, keep_running, &runner));
		while (runner.runs < 3)
			usleep(50);
		for (i = 0; i < NR_PARTS; i++) {
			take(&self->vm, &self->vcpu, order[i]);
			usleep(rng_below(&rng, 200));
		}
		runner.stop = true;
		pthread_join(thread, NULL);
		/* 0 and the file's own end; memory that is gone; nothing else. */
		EXPECT_TRUE(runner.last == 0 || runner.last == -EBADF || runner.last == -EFAULT) {
			TH_LOG("order %u: KVM_RUN ended with %d", n, runner.last);
		}
	}
	self->vcpu.fd = -1;
}

/* Memory and the run page go and come back, the guest goes on. */
TEST_F_TIMEOUT(take_apart, memory_goes_and_comes_back, 250)
{
	struct runner runner = { .fd = self->vcpu.fd };
	unsigned int i, times = on_bed("intel") ? 50 : 300;
	pthread_t thread;
	uint32_t value;
	void *mem;

	ASSERT_EQ(0, pthread_create(&thread, NULL, keep_running, &runner));
	for (i = 0; i < times; i++) {
		ASSERT_EQ(0, munmap(self->vm.mem + 0x20000, 0x20000));
		if (i & 1)
			usleep(100);
		mem = mmap(self->vm.mem + 0x20000, 0x20000, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_NE(MAP_FAILED, mem);
		munmap(self->vcpu.run, self->vcpu.run_size);
		mem = mmap(self->vcpu.run, self->vcpu.run_size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, self->vcpu.fd, 0);
		ASSERT_NE(MAP_FAILED, mem);
	}
	runner.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
}

/* ------------------------------------------------------------------ mappings */

static sigjmp_buf escape;

static void on_fault(int sig)
{
	siglongjmp(escape, sig);
}

/* 0, or the signal that touching it raised. */
static int touch(volatile uint8_t *at, bool write)
{
	struct sigaction action = { .sa_handler = on_fault }, segv, bus;
	int sig;

	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	sig = sigsetjmp(escape, 1);
	if (!sig) {
		if (write)
			*at = *at;
		else
			(void)*at;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return sig;
}

TEST_F_TIMEOUT(take_apart, files_are_mapped_only_as_they_may, 250)
{
	const int fds[] = { self->vm.sys, self->vm.fd, self->vcpu.fd };
	size_t limit = self->vcpu.run_size / PAGE;
	unsigned int n, f, offset, pages, prot;
	void *at;
	bool may;

	/* File, first page, how many, protection, shared or private: all of them. */
	for (n = 0; n < 3 * 4 * 3 * 8 * 2; n++) {
		f = n % 3;
		offset = n / 3 % 4;
		pages = 1 + n / 12 % 3;
		prot = n / 36 % 8;
		may = f == 2 && offset + pages <= limit && !(prot & PROT_EXEC);
		at = mmap(NULL, pages * PAGE, prot, n / 288 ? MAP_SHARED : MAP_PRIVATE, fds[f],
			  offset * PAGE);
		EXPECT_EQ(may, at != MAP_FAILED) {
			TH_LOG("file %u, page %u, %u pages, protection %u", f, offset, pages, prot);
		}
		if (at == MAP_FAILED)
			continue;
		if (prot & PROT_READ)
			EXPECT_EQ(0, touch(at, prot & PROT_WRITE));
		munmap(at, pages * PAGE);
	}
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->vcpu.fd, 1ul << 40));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->vcpu.fd,
				   0x7ffffffffffff000));
}

/* What grows beyond the pages that are there ends in SIGBUS. */
TEST_F_TIMEOUT(take_apart, a_mapping_that_grew_has_nothing_behind, 250)
{
	uint8_t *at;
	int i;

	at = mmap(NULL, self->vcpu.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, self->vcpu.fd, 0);
	ASSERT_NE(MAP_FAILED, at);
	at = mremap(at, self->vcpu.run_size, 8 * PAGE, MREMAP_MAYMOVE);
	if (at == MAP_FAILED)
		return;
	for (i = self->vcpu.run_size / PAGE; i < 8; i++)
		EXPECT_EQ(SIGBUS, touch(at + i * PAGE, true));
	munmap(at, 8 * PAGE);
}

/* The pages outlive the files as long as they are mapped, and no longer. */
TEST_F_TIMEOUT(take_apart, the_run_page_outlives_the_vcpu, 250)
{
	struct kvm_run *run = self->vcpu.run;

	close(self->vcpu.fd);
	self->vcpu.fd = -1;
	close(self->vm.fd);
	self->vm.fd = -1;
	memset(run, 0x5a, self->vcpu.run_size);
	EXPECT_EQ(0x5a, ((uint8_t *)run)[self->vcpu.run_size - 1]);
}

MVM_HARNESS_MAIN
