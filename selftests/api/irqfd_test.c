// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IRQFD: what is refused, what a signal becomes, and everything that may end an
 * irqfd: deassignment, its eventfd closed, its VM closed, its process killed, each
 * also under signals from another thread. Interrupts are seen in the local APIC's
 * IRR; no guest runs. guest/resample_test.c has the level-triggered ones.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "irq_util.h"
#include "mvm_harness.h"

#define BAD_PTR ((void *)0x8)
#define GSI 50
#define VECTOR 0x51
#define DEASSIGN KVM_IRQFD_FLAG_DEASSIGN
#define RESAMPLE KVM_IRQFD_FLAG_RESAMPLE

FIXTURE(irqfd) {
	struct tvm vm;
	struct tvcpu vcpu;
	int efd;
};

static int route(struct tvm *vm)
{
	struct kvm_irq_routing_entry e[] = { tirq_msi(GSI, VECTOR), tirq_msi(GSI + 1, VECTOR + 1),
					     tirq_pin(9, KVM_IRQCHIP_IOAPIC, 9) };

	return tirq_route(vm, e, 3);
}

FIXTURE_SETUP(irqfd)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tlapic_enable(&self->vcpu));
	ASSERT_EQ(0, route(&self->vm));
	self->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(irqfd)
{
	close(self->efd);
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

/* Was @vector requested? Waits a little: KVM may inject from a worker. */
static int arrives(struct tvcpu *vcpu, uint8_t vector)
{
	int i, ret = 0;

	for (i = 0; i < 200 && !ret; i++) {
		ret = tlapic_requested(vcpu, vector, true);
		if (!ret)
			usleep(1000);
	}
	return ret;
}

static void kick(int efd)
{
	eventfd_write(efd, 1);
}

/* ------------------------------------------------------------------ errors */

TEST(an_irqchip_is_needed)
{
	int efd = eventfd(0, 0);
	struct tvm vm;

	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	EXPECT_EQ(-EINVAL, tirq_irqfd(&vm, efd, GSI, 0, -1));
	EXPECT_EQ(0, tirq_irqfd(&vm, efd, GSI, DEASSIGN, -1));
	tvm_destroy(&vm);
	close(efd);
}

TEST_F(irqfd, arguments_are_checked)
{
	int fds[2], null = open("/dev/null", O_RDWR);

	ASSERT_EQ(0, pipe(fds));
	EXPECT_EQ(1, tvm_ioctl(self->vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_IRQFD));
	EXPECT_EQ(1, tvm_ioctl(self->vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_IRQFD_RESAMPLE));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.fd, KVM_IRQFD, BAD_PTR));
	EXPECT_EQ(-EINVAL, tirq_irqfd(&self->vm, self->efd, GSI, 4, -1));
	EXPECT_EQ(-EINVAL, tirq_irqfd(&self->vm, self->efd, GSI, 4 | DEASSIGN, -1));
	EXPECT_EQ(-EBADF, tirq_irqfd(&self->vm, -1, GSI, 0, -1));
	EXPECT_EQ(-EBADF, tirq_irqfd(&self->vm, 100000, GSI, 0, -1));
	EXPECT_EQ(-EINVAL, tirq_irqfd(&self->vm, null, GSI, 0, -1));
	EXPECT_EQ(-EINVAL, tirq_irqfd(&self->vm, fds[1], GSI, 0, -1));
	EXPECT_EQ(-EINVAL, tirq_irqfd(&self->vm, self->vm.fd, GSI, 0, -1));
	EXPECT_EQ(-EBADF, tirq_irqfd(&self->vm, self->efd, 9, RESAMPLE, -1));
	EXPECT_EQ(-EINVAL, tirq_irqfd(&self->vm, self->efd, 9, RESAMPLE, null));
	EXPECT_EQ(-EBADF, tirq_irqfd(&self->vm, -1, GSI, DEASSIGN, -1));
	EXPECT_EQ(-EINVAL, tirq_irqfd(&self->vm, null, GSI, DEASSIGN, -1));
	/* None of them left anything behind. */
	EXPECT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	close(fds[0]);
	close(fds[1]);
	close(null);
}

TEST_F(irqfd, one_eventfd_raises_one_gsi_of_a_vm)
{
	struct tvm other;

	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	EXPECT_EQ(-EBUSY, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	EXPECT_EQ(-EBUSY, tirq_irqfd(&self->vm, self->efd, GSI + 1, 0, -1));
	EXPECT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI + 1, DEASSIGN, -1)); /* not that one */
	EXPECT_EQ(-EBUSY, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	EXPECT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, DEASSIGN, -1));
	EXPECT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI + 1, 0, -1));
	ASSERT_EQ(0, tvm_create(&other, TVM_MEM_SIZE));
	ASSERT_EQ(0, tvm_create_irqchip(&other, false));
	EXPECT_EQ(0, tirq_irqfd(&other, self->efd, GSI, 0, -1));
	tvm_destroy(&other);
}

/* ----------------------------------------------------------------- signals */

TEST_F(irqfd, a_signal_is_a_message_and_is_consumed)
{
	eventfd_t count;

	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	EXPECT_EQ(0, tlapic_requested(&self->vcpu, VECTOR, false));
	kick(self->efd);
	EXPECT_EQ(1, arrives(&self->vcpu, VECTOR));
	EXPECT_EQ(-1, eventfd_read(self->efd, &count));
	kick(self->efd);
	EXPECT_EQ(1, arrives(&self->vcpu, VECTOR));
}

TEST_F(irqfd, a_signal_is_an_edge_of_an_input)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	ASSERT_EQ(0, tioapic_set(&self->vm, 9, 0x61));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 9, 0, -1));
	kick(self->efd);
	EXPECT_EQ(1, arrives(&self->vcpu, 0x61));
	kick(self->efd);
	EXPECT_EQ(1, arrives(&self->vcpu, 0x61));
	usleep(10000);
	ASSERT_EQ(0, tvm_ioctl(self->vm.fd, KVM_GET_IRQCHIP, &chip));
	EXPECT_EQ(0, chip.chip.ioapic.irr);
}

TEST_F(irqfd, a_signal_before_the_assignment_counts)
{
	kick(self->efd);
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	EXPECT_EQ(1, arrives(&self->vcpu, VECTOR));
}

TEST_F(irqfd, several_raise_one_gsi)
{
	int other = eventfd(0, EFD_NONBLOCK);

	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, other, GSI, 0, -1));
	kick(other);
	EXPECT_EQ(1, arrives(&self->vcpu, VECTOR));
	kick(self->efd);
	EXPECT_EQ(1, arrives(&self->vcpu, VECTOR));
	EXPECT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, DEASSIGN, -1));
	kick(other);
	EXPECT_EQ(1, arrives(&self->vcpu, VECTOR));
	close(other);
}

TEST_F(irqfd, an_unrouted_gsi_is_accepted_and_leads_nowhere_until_it_is_routed)
{
	struct kvm_irq_routing_entry e = tirq_msi(4000, 0x71);

	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, 4000, 0, -1));
	kick(self->efd);
	ASSERT_EQ(0, tirq_route(&self->vm, &e, 1));
	kick(self->efd);
	EXPECT_EQ(1, arrives(&self->vcpu, 0x71));
	e.u.msi.data = 0x72;
	ASSERT_EQ(0, tirq_route(&self->vm, &e, 1));
	kick(self->efd);
	EXPECT_EQ(1, arrives(&self->vcpu, 0x72));
	EXPECT_EQ(0, tlapic_requested(&self->vcpu, 0x71, false));
}

TEST_F(irqfd, deassigned_it_is_an_ordinary_eventfd)
{
	eventfd_t count;

	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, DEASSIGN, -1));
	kick(self->efd);
	EXPECT_EQ(0, eventfd_read(self->efd, &count));
	EXPECT_EQ(1, count);
	EXPECT_EQ(0, tlapic_requested(&self->vcpu, VECTOR, false));
	EXPECT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, DEASSIGN, -1)); /* twice is no error */
}

/* ------------------------------------------------------------ what ends it */

TEST_F(irqfd, closing_the_eventfd_ends_it)
{
	int i;

	for (i = 0; i < 100; i++) {
		int efd = eventfd(0, 0);

		ASSERT_EQ(0, tirq_irqfd(&self->vm, efd, GSI, 0, -1));
		if (i & 1)
			kick(efd);
		close(efd);
	}
	usleep(20000);
	tlapic_requested(&self->vcpu, VECTOR, true);
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	kick(self->efd);
	EXPECT_EQ(1, arrives(&self->vcpu, VECTOR));
}

TEST_F(irqfd, closing_the_vm_ends_it)
{
	struct pollfd poll_in = { .fd = self->efd, .events = POLLIN };

	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
	close(self->vm.fd); /* the vCPU still holds the VM */
	kick(self->efd);
	EXPECT_EQ(1, poll(&poll_in, 1, 0));
	EXPECT_EQ(0, tlapic_requested(&self->vcpu, VECTOR, false));
	self->vm.fd = -1;
}

struct signaller {
	int efd;
	bool stop;
	unsigned long n;
};

static void *signal_all_the_time(void *arg)
{
	struct signaller *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		kick(s->efd);
		s->n++;
		if (!(s->n % 64))
			usleep(50);
	}
	return NULL;
}

static void stop(struct signaller *s, pthread_t thread)
{
	__atomic_store_n(&s->stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

TEST_F(irqfd, assigned_and_deassigned_under_signals)
{
	struct signaller s = { .efd = self->efd };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, signal_all_the_time, &s));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
		if (i % 8 == 0)
			ASSERT_EQ(0, route(&self->vm));
		ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, DEASSIGN, -1));
		ASSERT_LE(0, tlapic_requested(&self->vcpu, VECTOR, true));
		/* Deassigned: nothing comes any more, however often it is signalled. */
		ASSERT_EQ(0, tlapic_requested(&self->vcpu, VECTOR, false));
	}
	stop(&s, thread);
}

TEST_F(irqfd, the_vm_ends_under_signals)
{
	struct signaller s = { .efd = self->efd };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, signal_all_the_time, &s));
	for (i = 0; i < 20; i++) {
		struct tvcpu vcpu;
		struct tvm vm;

		ASSERT_EQ(0, tvm_create(&vm, TVM_MEM_SIZE));
		ASSERT_EQ(0, tvm_create_irqchip(&vm, false));
		ASSERT_EQ(0, tirq_irqfd(&vm, self->efd, 5, 0, -1));
		ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
		tvm_destroy(&vm);
		tvcpu_destroy(&vcpu);
	}
	stop(&s, thread);
}

/* The eventfd goes away in one thread while another deassigns it. */
static void *close_it(void *arg)
{
	close(*(int *)arg);
	return NULL;
}

TEST_F(irqfd, closed_and_deassigned_at_once)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 100; i++) {
		int efd = eventfd(1, 0), same = dup(efd), ret;

		ASSERT_EQ(0, tirq_irqfd(&self->vm, efd, GSI, 0, -1));
		close(same);
		ASSERT_EQ(0, pthread_create(&thread, NULL, close_it, &efd));
		ret = tirq_irqfd(&self->vm, efd, GSI, DEASSIGN, -1);
		EXPECT_TRUE(!ret || ret == -EBADF);
		pthread_join(thread, NULL);
	}
}

TEST_F(irqfd, a_killed_process_leaves_nothing)
{
	int i, status;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		pid = fork();
		if (!pid) {
			struct signaller s = { .efd = self->efd };
			struct tvm vm;

			if (tvm_create(&vm, TVM_MEM_SIZE) || tvm_create_irqchip(&vm, false) ||
			    tirq_irqfd(&vm, self->efd, 5, 0, -1) ||
			    tirq_irqfd(&vm, eventfd(0, 0), 9, RESAMPLE, eventfd(0, 0)))
				_exit(1);
			signal_all_the_time(&s);
		}
		usleep(20000);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	ASSERT_EQ(0, tirq_irqfd(&self->vm, self->efd, GSI, 0, -1));
}

TEST_F(irqfd, as_many_as_there_are_files)
{
	struct rlimit limit = { .rlim_cur = 700, .rlim_max = 700 };
	int i, n = 600, fds[600];

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < n; i++) {
		fds[i] = eventfd(0, 0);
		ASSERT_LE(0, fds[i]);
		ASSERT_EQ(0, tirq_irqfd(&self->vm, fds[i], GSI + (i & 1), 0, -1));
	}
	kick(fds[n - 1]);
	EXPECT_EQ(1, arrives(&self->vcpu, VECTOR + 1));
	for (i = 0; i < n; i += 2)
		ASSERT_EQ(0, tirq_irqfd(&self->vm, fds[i], GSI, DEASSIGN, -1));
}

MVM_HARNESS_MAIN
