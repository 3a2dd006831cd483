/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library's files share: the bodies of the three handles, and how a
 * failure becomes a sentence. Nothing here is exported.
 */
#ifndef LIBMINIVMM_INTERNAL_H
#define LIBMINIVMM_INTERNAL_H

#include "libminivmm.h"

#define MVM_API __attribute__((visibility("default")))
#define MVM_ERROR_SIZE 512

struct mvm_error {
	char text[MVM_ERROR_SIZE];
};

struct minivmm {
	int fd;
	struct mvm_error err;
};

struct minivmm_vm {
	int fd;
	size_t run_size;		/* of a vCPU's mmap, asked for once */
	struct mvm_error err;
};

struct minivmm_vcpu {
	int fd;
	size_t run_size;
	struct kvm_run *run;
	struct mvm_error err;
};

/* Store a sentence and return @ret, so that callers can return the call. */
int mvm_error_set(struct mvm_error *err, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The device's sentence behind the last call on @fd, or "". Returns what snprintf() would. */
int mvm_device_reason(int fd, char *buf, size_t size);

/*
 * An ioctl on @fd failed with @error (positive): the sentence is "cannot
 * @what: " and the device's own reason, or one made from @error. Returns -@error.
 */
int mvm_error_ioctl(struct mvm_error *err, int fd, int error, const char *what);

#endif
