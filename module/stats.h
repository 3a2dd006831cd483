/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exit counters: per vCPU through MINIVMM_GET_STATS, names through the system file.
 */
#ifndef MVM_STATS_H
#define MVM_STATS_H

struct mvm_vcpu;

/* stats.c: the handlers' bodies. */
long mvm_stats_get_name(unsigned long arg);
long mvm_stats_get(struct mvm_vcpu *vcpu, unsigned long arg);

#endif
