/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences between the kernels this module builds for, and the only
 * place where a kernel version or a missing definition is tested for.
 */
#ifndef MVM_COMPAT_H
#define MVM_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 79)
#error "minivmm needs Linux 6.1.79 or later (cleanup.h's guards)"
#endif

#endif
