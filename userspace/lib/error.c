// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sentences for failures. The device's own words come first, by the extension
 * ioctl MINIVMM_GET_REASON; a device without it (KVM) answers ENOTTY or
 * EINVAL, and then the errno is put into words.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "internal.h"
#include "minivmm.h"

static const struct {
	int error;
	const char *text;
} advice[] = {
	{ EACCES, "permission denied; join the group that owns the device, or run as root" },
	{ EPERM, "not permitted; the device or the kernel's policy refused it" },
	{ EBUSY, "something else is using it; end that first" },
	{ EIO, "the VM belongs to another process or is dead; create a new one" },
	{ ENOMEM, "the kernel is out of memory; use less, or free some" },
	{ EEXIST, "it exists already" },
	{ EMFILE, "this process has too many open files; raise the limit (ulimit -n)" },
	{ ENOTTY, "the device does not offer this; use a newer module" },
	{ EOPNOTSUPP, "there is no virtualization here; enable it in the firmware's set-up" },
	{ EINVAL, "the device refused the values; it may not offer this" },
	{ EFAULT, "the guest touched memory that the kernel cannot provide" },
};

int mvm_error_set(struct mvm_error *err, int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return ret;
}

static const char *errno_words(int error)
{
	size_t i;

	for (i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		if (advice[i].error == error)
			return advice[i].text;
	/* Thread safe since glibc 2.32. */
	return strerror(error);
}

int mvm_device_reason(int fd, char *buf, size_t size)
{
	struct minivmm_reason reason;

	memset(&reason, 0, sizeof(reason));
	if (ioctl(fd, MINIVMM_GET_REASON, &reason))
		reason.text[0] = '\0';
	return snprintf(buf, size, "%.*s", (int)sizeof(reason.text), reason.text);
}

int mvm_error_ioctl(struct mvm_error *err, int fd, int error, const char *what)
{
	char reason[sizeof(struct minivmm_reason)];

	if (mvm_device_reason(fd, reason, sizeof(reason)) > 0)
		return mvm_error_set(err, -error, "cannot %s: %s", what, reason);
	return mvm_error_set(err, -error, "cannot %s: %s (errno %d)", what,
			     errno_words(error), error);
}
