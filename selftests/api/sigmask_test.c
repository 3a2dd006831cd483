// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_SIGNAL_MASK: the thread's signal mask while it is in KVM_RUN, and only then.
 *
 * A signal that the caller blocks and the mask does not ends the call and stays pending;
 * one that the mask blocks and the caller does not waits for the end of the call.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define KICK	SIGUSR1
#define OTHER	SIGUSR2
#define LEN	8		/* of the kernel's sigset_t */
#define LEAVE	0x20000		/* the guest reports, and goes on, when this is set */
#define ROUNDS	0x20004		/* it counts them here */
#define PAGE	4096

GUEST_CODE(waits, 32,
	   "sti; 1: incl 0x20004; cmpl $0, 0x20000; je 1b;"
	   "movl $0, 0x20000; out %al, $0xf1; jmp 1b");

static volatile sig_atomic_t handled;

static void on_kick(int sig)
{
	handled++;
}

static volatile uint32_t *word(struct tvm *vm, uint32_t gpa)
{
	return (void *)(vm->mem + gpa);
}

FIXTURE(sigmask) {
	struct tvm vm;
	struct tvcpu vcpu;
	sigset_t own;		/* the caller's mask */
};

FIXTURE_SETUP(sigmask)
{
	struct sigaction sa = { .sa_handler = on_kick };

	sigaction(KICK, &sa, NULL);
	handled = 0;
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_PROTECTED, waits, waits_end));
	sigprocmask(SIG_BLOCK, NULL, &self->own);
}

FIXTURE_TEARDOWN(sigmask)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

/* The mask blocks @sig, 0 = nothing, -1 = all there are. */
static int set_mask(struct tvcpu *vcpu, int sig)
{
	struct {
		struct kvm_signal_mask head;
		uint64_t set;
	} __attribute__((packed)) mask = { .head.len = LEN };

	mask.set = sig < 0 ? ~0ull : sig ? 1ull << (sig - 1) : 0;
	return tvm_ioctl(vcpu->fd, KVM_SET_SIGNAL_MASK, &mask);
}

static void block(int sig, sigset_t *now)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, NULL, now);
}

static bool is_pending(int sig)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, sig);
}

static bool same_mask(const sigset_t *was)
{
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	return !memcmp(was, &now, LEN);
}

/* One KVM_RUN to the guest's next report, which it makes at once. */
static int run_to_report(struct tvm *vm, struct tvcpu *vcpu)
{
	int ret;

	*word(vm, LEAVE) = 1;
	ret = tvm_ioctl(vcpu->fd, KVM_RUN, NULL);
	return ret ? ret : vcpu->run->exit_reason == KVM_EXIT_IO ? 0 : -EPROTO;
}

TEST_F(sigmask, ends_the_call_and_stays_pending)
{
	ASSERT_EQ(0, set_mask(&self->vcpu, 0));
	block(KICK, &self->own);
	raise(KICK);
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	EXPECT_EQ(KVM_EXIT_INTR, self->vcpu.run->exit_reason);
	EXPECT_EQ(0, handled);
	EXPECT_TRUE(is_pending(KICK));
	EXPECT_TRUE(same_mask(&self->own));
}

/* What the helper does meanwhile: a signal to the runner, then the guest may leave. */
struct helper {
	struct tvm *vm;
	pthread_t runner;
	int sig;
};

static void *kick_then_leave(void *arg)
{
	struct helper *helper = arg;
	volatile uint32_t *rounds = word(helper->vm, ROUNDS);
	uint32_t at = *rounds;

	while (*rounds - at < 1000)
		usleep(100);
	pthread_kill(helper->runner, helper->sig);
	at = *rounds;
	while (*rounds - at < 1000)
		usleep(100);
	*word(helper->vm, LEAVE) = 1;
	return NULL;
}

TEST_F(sigmask, holds_a_signal_back_until_the_call_ends)
{
	struct helper helper = { &self->vm, pthread_self(), KICK };
	pthread_t thread;

	ASSERT_EQ(0, set_mask(&self->vcpu, KICK));
	ASSERT_EQ(0, pthread_create(&thread, NULL, kick_then_leave, &helper));
	/* Were it not held back it would end the call, and the helper wait for ever. */
	EXPECT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL)) {
		run_to_report(&self->vm, &self->vcpu);
	}
	EXPECT_EQ(KVM_EXIT_IO, self->vcpu.run->exit_reason);
	EXPECT_EQ(1, handled);
	EXPECT_TRUE(same_mask(&self->own));
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

/* However the call ends, the caller's mask is what it was. */
TEST_F(sigmask, the_callers_mask_comes_back)
{
	ASSERT_EQ(0, set_mask(&self->vcpu, KICK));
	block(OTHER, &self->own);
	EXPECT_EQ(0, run_to_report(&self->vm, &self->vcpu));
	EXPECT_TRUE(same_mask(&self->own));

	self->vcpu.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	EXPECT_TRUE(same_mask(&self->own));
	self->vcpu.run->immediate_exit = 0;

	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_RUN, (void *)1));
	EXPECT_TRUE(same_mask(&self->own));

	raise(OTHER);
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	EXPECT_TRUE(same_mask(&self->own));
	EXPECT_TRUE(is_pending(OTHER));
}

/* Without one, and after NULL has taken it away, the caller's mask holds in KVM_RUN, too. */
TEST_F(sigmask, none_is_the_callers)
{
	block(KICK, &self->own);
	raise(KICK);
	EXPECT_EQ(0, run_to_report(&self->vm, &self->vcpu));
	ASSERT_EQ(0, set_mask(&self->vcpu, 0));
	EXPECT_EQ(-EINTR, run_to_report(&self->vm, &self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_SIGNAL_MASK, NULL));
	EXPECT_EQ(0, run_to_report(&self->vm, &self->vcpu));
	EXPECT_TRUE(is_pending(KICK));
}

TEST_F(sigmask, each_vcpu_has_its_own)
{
	struct tvcpu second;

	ASSERT_EQ(0, tvcpu_create(&self->vm, &second, 1));
	ASSERT_EQ(0, tvcpu_start(&second, TVM_PROTECTED, waits, waits_end));
	ASSERT_EQ(0, set_mask(&self->vcpu, 0));
	block(KICK, &self->own);
	raise(KICK);
	EXPECT_EQ(0, run_to_report(&self->vm, &second));
	EXPECT_EQ(-EINTR, run_to_report(&self->vm, &self->vcpu));
	tvcpu_destroy(&second);
}

/* Is the mask that lets KICK end the call still in force? It is pending. */
#define EXPECT_OLD_MASK()							\
	EXPECT_EQ(-EINTR, run_to_report(&self->vm, &self->vcpu))

TEST_F(sigmask, other_sizes_are_einval_and_change_nothing)
{
	static const uint32_t sizes[] = { 0, 1, 4, 7, 9, 16, 128, 1u << 31, ~0u };
	uint8_t buf[sizeof(struct kvm_signal_mask) + 128];
	struct kvm_signal_mask *mask = (void *)buf;
	size_t i;

	ASSERT_EQ(0, set_mask(&self->vcpu, 0));
	block(KICK, &self->own);
	raise(KICK);
	memset(buf, 0xff, sizeof(buf));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		mask->len = sizes[i];
		EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_SET_SIGNAL_MASK, mask)) {
			TH_LOG("length %u", sizes[i]);
		}
		EXPECT_OLD_MASK();
	}
}

TEST_F(sigmask, bad_pointers_are_efault_and_change_nothing)
{
	uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0);
	static const unsigned int reach[] = { 0, 2, 4, 8, 11 };
	struct kvm_signal_mask *mask;
	size_t i;

	ASSERT_NE(MAP_FAILED, pages);
	memset(pages, 0xff, 2 * PAGE);
	ASSERT_EQ(0, mprotect(pages + PAGE, PAGE, PROT_NONE));
	ASSERT_EQ(0, set_mask(&self->vcpu, 0));
	block(KICK, &self->own);
	raise(KICK);
	/* From nothing to all but the last byte of it can be read. */
	for (i = 0; i < sizeof(reach) / sizeof(reach[0]); i++) {
		mask = (void *)(pages + PAGE - reach[i]);
		if (reach[i] >= 4)
			memcpy(mask, &(uint32_t){ LEN }, 4);
		EXPECT_EQ(-EFAULT, tvm_ioctl(self->vcpu.fd, KVM_SET_SIGNAL_MASK, mask)) {
			TH_LOG("%u bytes can be read", reach[i]);
		}
		EXPECT_OLD_MASK();
	}
	munmap(pages, 2 * PAGE);
}

/*
 * A child of its own with a VM of its own, in KVM_RUN with all signals blocked. The guest
 * counts in @page, which is the parent's, too.
 */
static void run_for_ever(void *page)
{
	struct tvcpu vcpu;
	struct tvm vm;

	if (tvm_create(&vm, TVM_MEM_SIZE) || tvcpu_create(&vm, &vcpu, 0) ||
	    tvcpu_start(&vcpu, TVM_PROTECTED, waits, waits_end) || set_mask(&vcpu, -1) ||
	    mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, vm.mem + LEAVE) == MAP_FAILED)
		_exit(1);
	tvm_ioctl(vcpu.fd, KVM_RUN, NULL);
	_exit(2);
}

TEST_F_TIMEOUT(sigmask, sigkill_cannot_be_blocked, 120)
{
	volatile uint32_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0, i;
	pid_t child;

	ASSERT_NE(MAP_FAILED, (void *)page);
	child = fork();
	if (!child)
		run_for_ever((void *)page);
	ASSERT_LT(0, child);
	while (!page[(ROUNDS - LEAVE) / 4] && !waitpid(child, &status, WNOHANG))
		usleep(10000);
	ASSERT_EQ(0, status);
	kill(child, SIGUSR2);	/* held back */
	usleep(100000);
	ASSERT_EQ(0, waitpid(child, &status, WNOHANG));
	kill(child, SIGKILL);
	for (i = 0; i < 1000 && !waitpid(child, &status, WNOHANG); i++)
		usleep(10000);
	ASSERT_GT(1000, i);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
}

MVM_HARNESS_MAIN
