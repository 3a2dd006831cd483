// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host that a test runs on; see mvm_host.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* CPU_SET() */
#endif
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mvm_host.h"

bool host_is_intel(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_INTEL_ebx;
}

bool host_has_kvm(void)
{
	return !system(host_is_intel() ?
			       "find /lib/modules/$(uname -r) | grep -q 'kvm[-_]intel[.]ko'" :
			       "find /lib/modules/$(uname -r) | grep -q 'kvm[-_]amd[.]ko'");
}

int host_msr(int cpu, uint32_t msr, uint64_t *value)
{
	char path[32];
	int fd, ret;

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", cpu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = pread(fd, value, sizeof(*value), msr) == sizeof(*value) ? 0 : -EIO;
	close(fd);
	return ret;
}

int host_take_one_cpu(void)
{
	cpu_set_t may, one;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(may), &may))
		return -errno;
	while (!CPU_ISSET(cpu, &may))
		cpu--;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}
