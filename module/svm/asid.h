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

/* The CPU was just turned on: every number given before is void, everything cached too. */
void mvm_asid_pool_reset(struct mvm_asid_pool *pool, u32 min, u32 max);

/* The vCPU's cached translations are no longer true. */
static inline void mvm_asid_flush(struct mvm_asid *asid)
{
	asid->stale = true;
}

/**
 * mvm_asid_assign() - see to it that the vCPU has a valid number before it enters
 * @asid: the vCPU's
 * @pool: that of the CPU it enters on
 * @cpu: that CPU
 * @by_asid: the processor can flush a single number
 * @flush: out: what this entry has to flush
 *
 * Return: true when the number is new, or was given by another CPU before.
 */
bool mvm_asid_assign(struct mvm_asid *asid, struct mvm_asid_pool *pool, int cpu, bool by_asid,
		     enum mvm_asid_flush *flush);

/* The entry took place, flush included. Not called where the processor refused it. */
void mvm_asid_entered(struct mvm_asid *asid, struct mvm_asid_pool *pool);

#endif
