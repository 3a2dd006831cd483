// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The device handle: opening it, what it can do, and making a VM's fd. The
 * VM's own functions are in vm.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

#define KVM_ABI_VERSION 12
#define CPUID_MAX_ENTRIES 4096

MVM_API const char *minivmm_version(void)
{
	return LIBMINIVMM_VERSION;
}

MVM_API struct minivmm *minivmm_new(void)
{
	struct minivmm *m = calloc(1, sizeof(*m));

	if (m)
		m->fd = -1;
	return m;
}

static void close_device(struct minivmm *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}

MVM_API void minivmm_free(struct minivmm *m)
{
	if (!m)
		return;
	close_device(m);
	free(m);
}

static int open_failed(struct minivmm *m, const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return mvm_error_set(&m->err, -error,
				     "cannot open %s: there is no such device; load the module that serves it (insmod minivmm.ko), or name another device",
				     path);
	case EACCES:
	case EPERM:
		return mvm_error_set(&m->err, -error,
				     "cannot open %s: permission denied; join the group that owns it (ls -l %s) and log in again, or run as root",
				     path, path);
	default:
		return mvm_error_set(&m->err, -error,
				     "cannot open %s: %s; check that it is the device you mean",
				     path, strerror(error));
	}
}

MVM_API int minivmm_open(struct minivmm *m, const char *path)
{
	int version;

	if (!path)
		path = MINIVMM_DEFAULT_DEVICE;
	if (m->fd >= 0)
		return mvm_error_set(&m->err, -EBUSY,
				     "cannot open %s: this handle has a device open already; make a new handle",
				     path);

	m->fd = open(path, O_RDWR | O_CLOEXEC);
	if (m->fd < 0)
		return open_failed(m, path, errno);

	version = ioctl(m->fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_ABI_VERSION)
		return 0;
	close_device(m);
	if (version < 0)
		return mvm_error_set(&m->err, -ENOTTY,
				     "%s does not speak the KVM ABI; name /dev/minivmm or /dev/kvm",
				     path);
	return mvm_error_set(&m->err, -EPROTO,
			     "%s speaks version %d of the KVM ABI and version %d is needed; use a matching module",
			     path, version, KVM_ABI_VERSION);
}

MVM_API const char *minivmm_error(const struct minivmm *m)
{
	return m->err.text;
}

MVM_API int minivmm_fd(const struct minivmm *m)
{
	return m->fd;
}

MVM_API int minivmm_check(struct minivmm *m, unsigned long cap)
{
	int ret = ioctl(m->fd, KVM_CHECK_EXTENSION, cap);

	if (ret < 0)
		return mvm_error_ioctl(&m->err, m->fd, errno, "ask for a capability");
	return ret;
}

MVM_API int minivmm_max_vcpus(struct minivmm *m)
{
	int max = minivmm_check(m, KVM_CAP_MAX_VCPUS);

	if (max <= 0)
		max = minivmm_check(m, KVM_CAP_NR_VCPUS);
	/* The ABI's own default where neither is told is 4. */
	return max > 0 ? max : 4;
}

MVM_API int minivmm_supported_cpuid(struct minivmm *m, struct kvm_cpuid2 **cpuid)
{
	unsigned int n;
	int error;

	for (n = 128; n <= CPUID_MAX_ENTRIES; n *= 2) {
		struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + n * sizeof(c->entries[0]));

		if (!c)
			return mvm_error_set(&m->err, -ENOMEM,
					     "cannot hold the CPUID table: out of memory");
		c->nent = n;
		if (ioctl(m->fd, KVM_GET_SUPPORTED_CPUID, c) == 0) {
			*cpuid = c;
			return 0;
		}
		error = errno;
		free(c);
		if (error != E2BIG)
			return mvm_error_ioctl(&m->err, m->fd, error,
					       "get the supported CPUID table");
	}
	return mvm_error_set(&m->err, -E2BIG,
			     "cannot get the supported CPUID table: it has more than %d entries",
			     CPUID_MAX_ENTRIES);
}

MVM_API int minivmm_vm_create(struct minivmm *m, unsigned long type, struct minivmm_vm **out)
{
	struct minivmm_vm *vm;
	int run_size, fd;

	run_size = ioctl(m->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (run_size < 0)
		return mvm_error_ioctl(&m->err, m->fd, errno, "get the size of a vCPU's page");
	if ((size_t)run_size < sizeof(struct kvm_run))
		return mvm_error_set(&m->err, -EPROTO,
				     "the device says that a vCPU's page has %d bytes, too few for the KVM ABI; use a matching module",
				     run_size);

	do {
		fd = ioctl(m->fd, KVM_CREATE_VM, type);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return mvm_error_ioctl(&m->err, m->fd, errno, "create a VM");

	vm = calloc(1, sizeof(*vm));
	if (!vm) {
		close(fd);
		return mvm_error_set(&m->err, -ENOMEM, "cannot create a VM: out of memory");
	}
	vm->fd = fd;
	vm->run_size = run_size;
	*out = vm;
	return 0;
}
