// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges of the nested tables: removing, ageing and write-protecting what they
 * map. One walk, three things to do with an entry.
 *
 * A table page goes when a removed range covers it whole, after every CPU has
 * left the guest. Who may call what when: npt.h.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "entry.h"

/* The work is done in pieces of 1 GiB, so that nobody waits long for mmu_lock. */
#define PIECE_FRAMES BIT_ULL(18)

/* A walk under way. Under vm->mmu_lock. */
struct npt_range {
	struct mvm_vm *vm;
	gfn_t first, last;
	/* For each leaf that overlaps the range; false = it has changed, look again. */
	bool (*visit)(struct npt_range *range, u64 *entry, u64 old, int level);
	bool tables; /* and for each table that lies in it whole, not looking inside */
	enum npt_age age; /* for visit_age() */
	bool young; /* found by it */
	bool flush; /* the hardware may still hold something */
	struct list_head dead; /* unlinked table pages by lru, their level in private */
};

/* @table maps frames from @base on. */
static void walk_table(struct npt_range *range, u64 *table, int level, gfn_t base)
{
	const struct mvm_npt_format *fmt = npt_format(range->vm);
	const u64 span = npt_entry_frames(level);
	gfn_t gfn = max(base, round_down(range->first, span));
	gfn_t end = min(base + NPT_ENTRIES * span, range->last);

	while (gfn < end) {
		u64 *entry = &table[npt_index(gfn, level)];
		u64 old = READ_ONCE(*entry);
		bool covered = gfn >= range->first && gfn + span <= range->last;
		bool done = true;

		if (!npt_present(fmt, old))
			;
		else if (npt_is_leaf(fmt, old, level) || (range->tables && covered))
			done = range->visit(range, entry, old, level);
		else
			walk_table(range, npt_child(fmt, old), level - 1, gfn);
		if (done)
			gfn += span;
	}
}

static void walk(struct npt_range *range)
{
	INIT_LIST_HEAD(&range->dead);
	walk_table(range, range->vm->npt_root_page, range->vm->npt_levels, 0);
}

/* The end of the piece that starts at @first. */
static gfn_t piece_end(gfn_t first, gfn_t last)
{
	return min(last, round_down(first, PIECE_FRAMES) + PIECE_FRAMES);
}

/**
 * mvm_npt_flush() - when it returns no CPU uses a right or an entry that was removed before
 * @vm: the VM
 *
 * Context: as mvm_vm_request_sync(): interrupts on; may be called where sleeping is
 * forbidden.
 */
void mvm_npt_flush(struct mvm_vm *vm)
{
	mvm_vm_request_sync(vm, MVM_REQ_TLB_FLUSH);
}

/* ------------------------------------------------------------------- remove */

static bool visit_zap(struct npt_range *range, u64 *entry, u64 old, int level)
{
	const struct mvm_npt_format *fmt = npt_format(range->vm);
	struct page *page;

	/* An installer may have split or linked something here meanwhile. */
	old = xchg(entry, fmt->nonpresent);
	range->flush = true;
	if (npt_is_leaf(fmt, old, level))
		return true;
	page = virt_to_page(npt_child(fmt, old));
	set_page_private(page, level - 1);
	list_add(&page->lru, &range->dead);
	return true;
}

static void free_dead(struct npt_range *range, bool may_block)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &range->dead, lru) {
		int level = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		mvm_npt_free_table(range->vm, page_address(page), level, may_block);
		atomic_long_dec(&range->vm->nr_npt_pages);
	}
}

static void zap_piece(struct mvm_vm *vm, gfn_t first, gfn_t last, bool may_block)
{
	struct npt_range range = {
		.vm = vm, .first = first, .last = last, .visit = visit_zap, .tables = true,
	};

	spin_lock(&vm->mmu_lock);
	walk(&range);
	/* Callers have held installers off; that no freed table is written hangs on this. */
	if (!list_empty(&range.dead))
		mvm_wait_for_installers(vm);
	if (range.flush)
		mvm_npt_flush(vm);
	spin_unlock(&vm->mmu_lock);

	free_dead(&range, may_block);
}

/**
 * mvm_npt_zap() - remove every entry of [first, last)
 * @vm: the VM
 * @first: first guest frame number
 * @last: one past the last
 * @may_block: the caller may sleep
 *
 * When it returns no CPU translates by the removed entries, and tables that the range covers
 * whole are freed. Larger leaves that overlap it go whole. Called between mvm_inval_begin()
 * and _end(), or for a frame that the caller is about to install again.
 * Context: no mmu_lock, no fault_lock; the host's page table locks may be held; interrupts
 * on.
 */
void mvm_npt_zap(struct mvm_vm *vm, gfn_t first, gfn_t last, bool may_block)
{
	gfn_t next;

	for (; first < last; first = next) {
		next = piece_end(first, last);
		zap_piece(vm, first, next, may_block);
		if (may_block)
			cond_resched();
	}
}

/**
 * mvm_npt_zap_all() - remove every entry there is
 * @vm: the VM
 *
 * Context: as mvm_npt_zap(), and may sleep.
 */
void mvm_npt_zap_all(struct mvm_vm *vm)
{
	zap_piece(vm, 0, npt_entry_frames(vm->npt_levels + 1), true);
}

/* ---------------------------------------------------------------------- age */

/* The leaf's accessed bit; a leaf that has none counts as used, and clearing removes it. */
static bool visit_age(struct npt_range *range, u64 *entry, u64 old, int level)
{
	const struct mvm_npt_format *fmt = npt_format(range->vm);

	if (fmt->accessed && !(old & fmt->accessed))
		return true;
	range->young = true;
	if (range->age == NPT_AGE_TEST)
		return true;
	if (!fmt->accessed)
		return visit_zap(range, entry, old, level);
	clear_bit(__ffs64(fmt->accessed), (unsigned long *)entry);
	return true;
}

/**
 * mvm_npt_age() - was a frame of [first, last) used since its accessed bit was cleared?
 * @vm: the VM
 * @first: first guest frame number
 * @last: one past the last
 * @how: what to do besides telling: nothing, clear the bits, or flush as well
 *
 * Where the hardware has no accessed bits every leaf counts as used, and clearing removes
 * it.
 * Context: as mvm_npt_zap(); does not sleep.
 * Return: true where one was used.
 */
bool mvm_npt_age(struct mvm_vm *vm, gfn_t first, gfn_t last, enum npt_age how)
{
	struct npt_range range = {
		.vm = vm, .first = first, .last = last, .visit = visit_age, .age = how,
	};

	spin_lock(&vm->mmu_lock);
	walk(&range);
	if (!list_empty(&range.dead))
		mvm_wait_for_installers(vm);
	if (range.flush || (range.young && how == NPT_AGE_CLEAR_FLUSH))
		mvm_npt_flush(vm);
	spin_unlock(&vm->mmu_lock);

	free_dead(&range, false);
	return range.young;
}

/* ------------------------------------------------------------------ protect */

static bool visit_protect(struct npt_range *range, u64 *entry, u64 old, int level)
{
	const struct mvm_npt_format *fmt = npt_format(range->vm);

	if (!(old & fmt->write))
		return true;
	range->flush = true;
	/* Not clear_bit(): an installer may put a table here, where the bit means another thing. */
	return try_cmpxchg64(entry, &old, old & ~fmt->write);
}

/**
 * mvm_npt_protect() - take the right to write from every leaf that overlaps [first, last)
 * @vm: the VM
 * @first: first guest frame number
 * @last: one past the last
 *
 * Context: no mmu_lock, no fault_lock; may sleep.
 * Return: true where a leaf had the right: mvm_npt_flush() is due, and until that has
 * returned writes may go on.
 */
bool mvm_npt_protect(struct mvm_vm *vm, gfn_t first, gfn_t last)
{
	struct npt_range range = { .vm = vm, .visit = visit_protect };
	gfn_t next;

	for (; first < last; first = next) {
		next = piece_end(first, last);
		range.first = first;
		range.last = next;
		spin_lock(&vm->mmu_lock);
		walk(&range);
		spin_unlock(&vm->mmu_lock);
		cond_resched();
	}
	return range.flush;
}
