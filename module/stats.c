// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit counters. run.c counts; this file shows them to userspace.
 */
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "exit.h"
#include "minivmm.h"
#include "mvm.h"
#include "stats.h"

static_assert(MVM_NR_EXITS <= MINIVMM_NR_STATS);

/**
 * mvm_stats_get_name() - MINIVMM_GET_STAT_NAME
 * @arg: userspace's struct minivmm_stat_name: .index in, .name out
 *
 * Context: may sleep.
 * Return: 0; -EFAULT; -EINVAL: no such counter, or .reserved is not zero.
 */
long mvm_stats_get_name(unsigned long arg)
{
	struct minivmm_stat_name __user *user = (void __user *)arg;
	struct minivmm_stat_name row;

	if (copy_from_user(&row, user, sizeof(row)))
		return -EFAULT;
	if (row.index >= MVM_NR_EXITS || row.reserved)
		return -EINVAL;
	strscpy(row.name, mvm_exit_name(row.index), sizeof(row.name));
	return copy_to_user(user, &row, sizeof(row)) ? -EFAULT : 0;
}

/**
 * mvm_stats_get() - MINIVMM_GET_STATS
 * @vcpu: the vCPU, which may be running: each counter is read by itself
 * @arg: userspace's struct minivmm_stats
 *
 * Context: any thread, without vcpu->lock; may sleep.
 * Return: 0; -EFAULT.
 */
long mvm_stats_get(struct mvm_vcpu *vcpu, unsigned long arg)
{
	struct minivmm_stats out = {
		.entries = READ_ONCE(vcpu->stat_entries),
		.to_user = READ_ONCE(vcpu->stat_to_user),
		.nr = MVM_NR_EXITS,
	};
	int i;

	for (i = 0; i < MVM_NR_EXITS; i++)
		out.exits[i] = READ_ONCE(vcpu->stat[i]);
	return copy_to_user((void __user *)arg, &out, sizeof(out)) ? -EFAULT : 0;
}
