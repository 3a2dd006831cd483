/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * minivmm's extensions to the Linux KVM userspace API.
 *
 * /dev/minivmm serves a documented subset of <linux/kvm.h> (see API.md) and what
 * is in this file. Extensions have ioctl type 0xBD; capabilities for
 * KVM_CHECK_EXTENSION and VM types for KVM_CREATE_VM start at 0x4d560000, so
 * that another KVM answers 0 or refuses.
 */
#ifndef _UAPI_MINIVMM_H
#define _UAPI_MINIVMM_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MINIVMM_IOC_TYPE 0xBD

/* Capabilities: KVM_CHECK_EXTENSION answers 1 where they are served. */
#define MINIVMM_CAP_BASE 0x4d560000
#define MINIVMM_CAP_GET_REASON (MINIVMM_CAP_BASE + 0)
#define MINIVMM_CAP_STATS (MINIVMM_CAP_BASE + 1)

/**
 * struct minivmm_reason - why the last call failed, in words
 * @text: one sentence, zero-terminated; empty where there is no more to say than the errno does
 */
struct minivmm_reason {
	char text[256];
};

/*
 * On a system, VM or vCPU fd: the sentence behind the failure of the last ioctl there; on a
 * vCPU's also behind KVM_EXIT_FAIL_ENTRY and KVM_EXIT_INTERNAL_ERROR. Returns 0; -EFAULT.
 */
#define MINIVMM_GET_REASON _IOR(MINIVMM_IOC_TYPE, 0x01, struct minivmm_reason)

#define MINIVMM_NR_STATS 32

/**
 * struct minivmm_stats - how often a vCPU entered and left its guest, and why
 * @entries: guest entries
 * @to_user: KVM_RUN calls that returned to userspace
 * @nr: how many of @exits are in use
 * @reserved: zero
 * @exits: exits by kind, in the order of the names MINIVMM_GET_STAT_NAME gives
 */
struct minivmm_stats {
	__u64 entries;
	__u64 to_user;
	__u32 nr;
	__u32 reserved;
	__u64 exits[MINIVMM_NR_STATS];
};

/* On a vCPU fd: its counters. Returns 0; -EFAULT. */
#define MINIVMM_GET_STATS _IOR(MINIVMM_IOC_TYPE, 0x02, struct minivmm_stats)

/**
 * struct minivmm_stat_name - the name of one exit counter
 * @index: in: which, 0 to nr - 1
 * @reserved: zero
 * @name: out: zero-terminated
 */
struct minivmm_stat_name {
	__u32 index;
	__u32 reserved;
	char name[24];
};

/* On a system fd. Returns 0; -EFAULT; -EINVAL for an index beyond the last. */
#define MINIVMM_GET_STAT_NAME _IOWR(MINIVMM_IOC_TYPE, 0x03, struct minivmm_stat_name)

#endif
