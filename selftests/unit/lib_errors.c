// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening what is not a device: an errno, a sentence that names it, nothing
 * left open.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "libminivmm.h"
#include "mvm_harness.h"

static unsigned int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

FIXTURE(lib) {
	struct minivmm *m;
	unsigned int files;
};

FIXTURE_SETUP(lib)
{
	self->files = open_files();
	self->m = minivmm_new();
	ASSERT_NE(NULL, self->m);
}

FIXTURE_TEARDOWN(lib)
{
	minivmm_free(self->m);
	EXPECT_EQ(self->files, open_files());
}

TEST_F(lib, a_missing_device_is_named_with_the_next_step)
{
	EXPECT_EQ(-ENOENT, minivmm_open(self->m, "/dev/no-such-device"));
	EXPECT_NE(NULL, strstr(minivmm_error(self->m), "/dev/no-such-device"));
	EXPECT_NE(NULL, strstr(minivmm_error(self->m), "insmod"));
	EXPECT_EQ(-1, minivmm_fd(self->m));
}

TEST_F(lib, another_device_is_refused)
{
	EXPECT_EQ(-ENOTTY, minivmm_open(self->m, "/dev/null"));
	EXPECT_NE(NULL, strstr(minivmm_error(self->m), "does not speak the KVM ABI"));
	EXPECT_EQ(-1, minivmm_fd(self->m));
}

TEST_F(lib, a_directory_is_refused)
{
	EXPECT_EQ(-EISDIR, minivmm_open(self->m, "/tmp"));
	EXPECT_NE(NULL, strstr(minivmm_error(self->m), "/tmp"));
}

TEST_F(lib, no_permission_is_said_with_the_next_step)
{
	char path[] = "/tmp/minivmm-test-XXXXXX";
	int fd = mkstemp(path);

	ASSERT_GE(fd, 0);
	fchmod(fd, 0);
	close(fd);
	if (!geteuid() && seteuid(65534)) {
		unlink(path);
		SKIP(return, "cannot become another user");
	}
	EXPECT_EQ(-EACCES, minivmm_open(self->m, path));
	EXPECT_NE(NULL, strstr(minivmm_error(self->m), "group"));
	if (getuid() == 0)
		EXPECT_EQ(0, seteuid(0));
	unlink(path);
}

TEST_F(lib, calls_without_an_open_device_fail_and_do_not_crash)
{
	struct minivmm_vm *vm = NULL;
	struct kvm_cpuid2 *cpuid = NULL;

	EXPECT_EQ(-EBADF, minivmm_vm_create(self->m, 0, &vm));
	EXPECT_EQ(NULL, vm);
	EXPECT_EQ(-EBADF, minivmm_supported_cpuid(self->m, &cpuid));
	EXPECT_EQ(-EBADF, minivmm_check(self->m, KVM_CAP_NR_VCPUS));
	EXPECT_NE('\0', minivmm_error(self->m)[0]);
}

TEST_F(lib, freeing_nothing_is_fine)
{
	minivmm_free(NULL);
	minivmm_vm_free(NULL);
	minivmm_vcpu_free(NULL);
}

MVM_HARNESS_MAIN
