// SPDX-License-Identifier: GPL-2.0-only
/*
 * The system file descriptor: version, sizes, and what is not served there.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

FIXTURE(system) {
	int fd;
};

FIXTURE_SETUP(system)
{
	self->fd = tvm_open();
	if (self->fd < 0)
		MVM_SKIP("cannot open %s: %s", tvm_device(),
			 strerror(-self->fd));
}

FIXTURE_TEARDOWN(system)
{
	close(self->fd);
}

TEST_F(system, api_version_is_12)
{
	EXPECT_EQ(12, tvm_ioctl(self->fd, KVM_GET_API_VERSION, NULL));
}

TEST_F(system, run_page_holds_struct_kvm_run)
{
	int size = tvm_ioctl(self->fd, KVM_GET_VCPU_MMAP_SIZE, NULL);

	EXPECT_GE(size, (int)sizeof(struct kvm_run));
	EXPECT_EQ(0, size % getpagesize());
}

TEST_F(system, ioctls_without_argument_refuse_one)
{
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_GET_API_VERSION, (void *)1));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_GET_VCPU_MMAP_SIZE, (void *)1));
}

TEST_F(system, vm_and_vcpu_ioctls_are_refused)
{
	EXPECT_GT(0, tvm_ioctl(self->fd, KVM_CREATE_VCPU, NULL));
	EXPECT_GT(0, tvm_ioctl(self->fd, KVM_RUN, NULL));
}

TEST_F(system, unknown_capability_is_0)
{
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_CHECK_EXTENSION, (void *)0x7fffffff));
}

MVM_HARNESS_MAIN
