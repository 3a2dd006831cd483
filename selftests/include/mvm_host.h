/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host that a test runs on: whose processor it has, its MSRs, its files.
 */
#ifndef MVM_HOST_H
#define MVM_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* VT-x, or else AMD-V. */
bool host_is_intel(void);

/* Is KVM's module for this processor among the kernel's? One that then fails to load is news. */
bool host_has_kvm(void);

/* An MSR of that CPU's. 0 or -errno: the kernel's module "msr" is not there, nor is the MSR. */
int host_msr(int cpu, uint32_t msr, uint64_t *value);

/*
 * Keep this thread, and those that it creates, on one of the CPUs that it may have: not the
 * first, if there are others. 0 or -errno.
 */
int host_take_one_cpu(void);

/* Write @text to a file that is there. 0 or -errno. */
int write_file(const char *path, const char *text);

#endif /* MVM_HOST_H */
