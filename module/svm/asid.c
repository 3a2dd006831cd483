// SPDX-License-Identifier: GPL-2.0-only
/*
 * The policy of asid.h: numbers in turn, a new one rather than a flush where the
 * processor cannot flush one alone, and everything flushed when they run out.
 *
 * A flush counts as done only when the entry that carried it took place: until then
 * the pool, not the vCPU, remembers that it is due.
 */
#include "asid.h"

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

void mvm_asid_entered(struct mvm_asid *asid, struct mvm_asid_pool *pool)
{
	asid->stale = false;
	pool->must_flush = false;
}
