// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may use a VM: the address space that created it. Files passed on by fork or
 * a socket answer -EIO elsewhere; the files' order of closing does not matter; two
 * threads may call at once.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "mvm_harness.h"
#include "mvm_util.h"

GUEST_CODE(spin, 16, "1: out %eax, $0xf1; jmp 1b");

FIXTURE(owner) {
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_SETUP(owner)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_REAL, spin, spin_end));
}

FIXTURE_TEARDOWN(owner)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

/* What a stranger gets: 0 when every call answered -EIO. */
static int stranger(int vm_fd, int vcpu_fd)
{
	struct kvm_userspace_memory_region region = {};
	struct kvm_regs regs;

	if (tvm_ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) != -EIO)
		return 1;
	if (tvm_ioctl(vm_fd, KVM_CREATE_VCPU, (void *)1) != -EIO)
		return 2;
	if (tvm_ioctl(vcpu_fd, KVM_GET_REGS, &regs) != -EIO)
		return 3;
	if (tvm_ioctl(vcpu_fd, KVM_RUN, NULL) != -EIO)
		return 4;
	return 0;
}

TEST_F(owner, a_forked_child_is_refused)
{
	uint32_t value;
	int status;
	pid_t pid;

	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(stranger(self->vm.fd, self->vcpu.fd));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* And the parent goes on. */
	EXPECT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
}

static int send_fds(int sock, int a, int b)
{
	int fds[2] = { a, b };
	char control[CMSG_SPACE(sizeof(fds))] = {}, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

static int receive_fds(int sock, int fds[2])
{
	char control[CMSG_SPACE(2 * sizeof(int))], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };

	if (recvmsg(sock, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)), 2 * sizeof(int));
	return 0;
}

/* The creator dies; its files live on in the receiver, of no use but harmless. */
TEST_F(owner, files_outlive_their_creator)
{
	int pair[2], fds[2], status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct tvcpu vcpu;
		uint32_t value;
		struct tvm vm;

		if (tvm_create(&vm, TVM_MEM_SIZE) || tvcpu_create(&vm, &vcpu, 0) ||
		    tvcpu_start(&vcpu, TVM_REAL, spin, spin_end) || tvcpu_run_out(&vcpu, &value))
			_exit(10);
		_exit(send_fds(pair[1], vm.fd, vcpu.fd) ? 11 : 0);
	}
	ASSERT_EQ(0, receive_fds(pair[0], fds));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	EXPECT_EQ(0, stranger(fds[0], fds[1]));
	close(fds[0]);
	EXPECT_EQ(-EIO, tvm_ioctl(fds[1], KVM_RUN, NULL));
	close(fds[1]);
	close(pair[0]);
	close(pair[1]);
}

TEST_F(owner, a_vcpu_runs_on_without_its_vms_file)
{
	uint32_t value;

	close(self->vm.fd);
	EXPECT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	self->vm.fd = open("/dev/null", O_RDONLY);
}

/* --------------------------------------------------------------- two threads */

struct racer {
	int fd;
	volatile bool stop;
	long bad;
};

static void *race_registers(void *arg)
{
	struct racer *racer = arg;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	while (!racer->stop) {
		if (tvm_ioctl(racer->fd, KVM_GET_REGS, &regs) ||
		    tvm_ioctl(racer->fd, KVM_GET_SREGS, &sregs))
			racer->bad++;
	}
	return NULL;
}

TEST_F(owner, state_can_be_read_while_another_thread_runs)
{
	struct racer racer = { .fd = self->vcpu.fd };
	pthread_t thread;
	uint32_t value;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, race_registers, &racer));
	for (i = 0; i < 500; i++)
		ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	racer.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, racer.bad);
}

static void *race_slots(void *arg)
{
	struct racer *racer = arg;
	struct kvm_userspace_memory_region region = { .slot = 5, .guest_phys_addr = 1 << 30 };
	void *mem = mmap(NULL, 1 << 21, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	region.userspace_addr = (uintptr_t)mem;
	while (!racer->stop) {
		region.memory_size = 1 << 21;
		if (tvm_ioctl(racer->fd, KVM_SET_USER_MEMORY_REGION, &region))
			racer->bad++;
		region.memory_size = 0;
		if (tvm_ioctl(racer->fd, KVM_SET_USER_MEMORY_REGION, &region))
			racer->bad++;
	}
	munmap(mem, 1 << 21);
	return NULL;
}

TEST_F(owner, slots_come_and_go_while_the_guest_runs)
{
	struct racer racer = { .fd = self->vm.fd };
	pthread_t thread;
	uint32_t value;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, race_slots, &racer));
	for (i = 0; i < 500; i++)
		ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	racer.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, racer.bad);
}

TEST_F(owner, memory_may_vanish_under_the_guest)
{
	GUEST_CODE(touch, 16, "mov $1, %al; mov %al, 0x8000; 1: mov 0x8000, %al;"
			      "out %eax, $0xf1; jmp 1b");
	uint32_t value;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_REAL, touch, touch_end));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	/* The page goes back to the host: the guest reads zeros. */
	ASSERT_EQ(0, madvise(self->vm.mem + 0x8000, 0x1000, MADV_DONTNEED));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0, value & 0xff);
	/* No page at all: an error that can be mended. */
	ASSERT_EQ(0, mprotect(self->vm.mem + 0x8000, 0x1000, PROT_NONE));
	EXPECT_EQ(-EFAULT, tvcpu_run(&self->vcpu));
	ASSERT_EQ(0, mprotect(self->vm.mem + 0x8000, 0x1000, PROT_READ | PROT_WRITE));
	self->vm.mem[0x8000] = 42;
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(42, value & 0xff);
}

MVM_HARNESS_MAIN
