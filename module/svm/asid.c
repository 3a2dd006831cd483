// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy of asid.h: numbers in turn, a new one rather than a flush where the
 * processor cannot flush one alone, and everything flushed when they run out.
 *
 * A flush counts as done only when the entry that carried it took place: until then
 * the pool, not the vCPU, remembers that it is due.
 */
#include "asid.h"

/**
 * mvm_asid_pool_reset() - every number given before is void, and everything cached too
 * @pool: that of a CPU that was just turned on, or whose numbers have run out
 * @min: the first number to give
 * @max: the last
 *
 * The next entry on that CPU flushes all. Context: the CPU, preemption off.
 */
void mvm_asid_pool_reset(struct mvm_asid_pool *pool, u32 min, u32 max)
{
	pool->generation++;
	pool->min = min;
	pool->max = max;
	pool->next = min;
	pool->must_flush = true;
}

static void take(struct mvm_asid *asid, struct mvm_asid_pool *pool, int cpu)
{
	if (pool->next > pool->max)
		mvm_asid_pool_reset(pool, pool->min, pool->max);
	asid->nr = pool->next++;
	asid->generation = pool->generation;
	asid->cpu = cpu;
	/* Nothing is cached under it, or everything goes with this entry. */
	asid->stale = false;
}

/**
 * mvm_asid_assign() - see to it that the vCPU has a valid number before it enters
 * @asid: the vCPU's
 * @pool: that of the CPU it enters on
 * @cpu: that CPU
 * @by_asid: the processor can flush a single number
 * @flush: out: what this entry has to flush
 *
 * Context: the CPU, preemption off.
 * Return: true when the number is new, or was given by another CPU before.
 */
bool mvm_asid_assign(struct mvm_asid *asid, struct mvm_asid_pool *pool, int cpu, bool by_asid,
		     enum mvm_asid_flush *flush)
{
	bool fresh = asid->cpu != cpu || asid->generation != pool->generation ||
		     (asid->stale && !by_asid);

	if (fresh)
		take(asid, pool, cpu);
	if (pool->must_flush)
		*flush = MVM_ASID_FLUSH_ALL;
	else
		*flush = asid->stale ? MVM_ASID_FLUSH_ONE : MVM_ASID_KEEP;
	return fresh;
}

/**
 * mvm_asid_entered() - the entry took place, the flush it carried included
 * @asid: the vCPU's
 * @pool: that of the CPU it entered on
 *
 * Not called where the processor refused the entry: its flush is still due then.
 * Context: the CPU, preemption off since mvm_asid_assign().
 */
void mvm_asid_entered(struct mvm_asid *asid, struct mvm_asid_pool *pool)
{
	asid->stale = false;
	pool->must_flush = false;
}
