/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which address space number (ASID) a vCPU enters with, and what the entry flushes.
 *
 * The processor tags translations with nothing but the number: two vCPUs that used
 * one number on one CPU without a flush in between would see each other's memory. The
 * policy is pure, and selftests/unit/svm_asid.c holds it against a model of the TLBs,
 * for the emulated bed flushes at every entry and would hide any mistake.
 */
#ifndef MVM_SVM_ASID_H
#define MVM_SVM_ASID_H

#include "../types.h"

/**
 * struct mvm_asid_pool - the numbers of one physical CPU, handed out in turn
 * @generation: numbers of an older generation are worthless
 * @next: the next to give
 * @min: the first, above those kept for encrypted guests
 * @max: the last
 * @must_flush: whatever is cached on this CPU is void until an entry has flushed it
 */
struct mvm_asid_pool {
	u64 generation;
	u32 next, min, max;
	bool must_flush;
};

/**
 * struct mvm_asid - the number of one vCPU
 * @generation: the pool's when it was given; 0 = none
 * @cpu: whose pool
 * @nr: the number
 * @stale: what is cached under it must go before the next entry
 */
struct mvm_asid {
	u64 generation;
	int cpu;
	u32 nr;
	bool stale;
};

/* What an entry has to flush. */
enum mvm_asid_flush {
	MVM_ASID_KEEP,
	MVM_ASID_FLUSH_ONE, /* what is cached under the vCPU's number */
	MVM_ASID_FLUSH_ALL,
};

/* asid.c */
void mvm_asid_pool_reset(struct mvm_asid_pool *pool, u32 min, u32 max);

/* The vCPU's cached translations are no longer true. */
static inline void mvm_asid_flush(struct mvm_asid *asid)
{
	asid->stale = true;
}

bool mvm_asid_assign(struct mvm_asid *asid, struct mvm_asid_pool *pool, int cpu, bool by_asid,
		     enum mvm_asid_flush *flush);

void mvm_asid_entered(struct mvm_asid *asid, struct mvm_asid_pool *pool);

#endif
