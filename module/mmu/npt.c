// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nested page tables: the root's life, table pages, and installing a leaf.
 *
 * The entries' bits come from the backend's struct mvm_npt_format. The root lives
 * as long as the VM. Removing, ageing and protecting ranges is range.c's. Who may
 * call what when: npt.h.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "entry.h"

static bool npt_allows(const struct mvm_npt_format *fmt, u64 entry, u32 access)
{
	if ((access & MVM_ACCESS_WRITE) && !(entry & fmt->write))
		return false;
	if (!(access & MVM_ACCESS_EXEC))
		return true;
	return fmt->exec ? entry & fmt->exec : !(entry & fmt->noexec);
}

static struct page *npt_alloc_table(const struct mvm_npt_format *fmt, gfp_t gfp)
{
	const gfp_t zero = fmt->nonpresent ? 0 : __GFP_ZERO;
	struct page *page = alloc_page(gfp | __GFP_ACCOUNT | zero);

	if (page && !zero)
		memset64(page_address(page), fmt->nonpresent, NPT_ENTRIES);
	return page;
}

/**
 * mvm_npt_init() - allocate the empty root of the nested tables
 * @vm: the VM; npt_root, npt_root_page and npt_levels are set
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int mvm_npt_init(struct mvm_vm *vm)
{
	struct page *root = npt_alloc_table(npt_format(vm), GFP_KERNEL);

	if (!root)
		return -ENOMEM;
	vm->npt_root_page = page_address(root);
	vm->npt_root = page_to_phys(root);
	vm->npt_levels = npt_format(vm)->levels;
	return 0;
}

/**
 * mvm_npt_free_table() - free a table page and those below it
 * @vm: the VM
 * @table: the table, unlinked: no CPU and no installer uses it or what is below it
 * @level: its entries' level, NPT_LEVEL_4K and up
 * @may_block: the caller may sleep
 *
 * Counts those below out of vm->nr_npt_pages; @table itself is for the caller to count.
 */
void mvm_npt_free_table(struct mvm_vm *vm, u64 *table, int level, bool may_block)
{
	const struct mvm_npt_format *fmt = npt_format(vm);
	int i;

	for (i = 0; level > NPT_LEVEL_4K && i < NPT_ENTRIES; i++) {
		if (!npt_present(fmt, table[i]) || npt_is_leaf(fmt, table[i], level))
			continue;
		mvm_npt_free_table(vm, npt_child(fmt, table[i]), level - 1, may_block);
		atomic_long_dec(&vm->nr_npt_pages);
	}
	free_page((unsigned long)table);
	if (may_block && level > NPT_LEVEL_4K)
		cond_resched();
}

/**
 * mvm_npt_destroy() - free all tables, the root too
 * @vm: the VM; no vCPU runs and no notifier calls any more
 *
 * Context: may sleep.
 */
void mvm_npt_destroy(struct mvm_vm *vm)
{
	if (!vm->npt_root_page)
		return;
	mvm_npt_free_table(vm, vm->npt_root_page, vm->npt_levels, true);
	vm->npt_root_page = NULL;
	vm->npt_root = 0;
}

/* ------------------------------------------------------------------ install */

/**
 * mvm_npt_fill_tables() - allocate what NPT_NEED_TABLES asked for
 * @vm: the VM
 * @tables: filled up to @tables->want pages, all entries not present
 * @gfp: sleeps if it lets it
 *
 * Return: 0, or -ENOMEM: pages got so far stay in @tables.
 */
int mvm_npt_fill_tables(struct mvm_vm *vm, struct npt_tables *tables, gfp_t gfp)
{
	while (tables->nr < tables->want) {
		struct page *page = npt_alloc_table(npt_format(vm), gfp);

		if (!page)
			return -ENOMEM;
		tables->page[tables->nr++] = page;
	}
	return 0;
}

/**
 * mvm_npt_free_tables() - give back what installing did not use
 * @tables: empty afterwards
 */
void mvm_npt_free_tables(struct npt_tables *tables)
{
	while (tables->nr)
		__free_page(tables->page[--tables->nr]);
}

static u64 npt_make_leaf(const struct mvm_npt_format *fmt, const struct npt_leaf *leaf, int level)
{
	u64 frame = leaf->pfn & ~(npt_entry_frames(level) - 1);
	u64 entry = (frame << PAGE_SHIFT) | fmt->enc_mask | fmt->leaf | fmt->read;

	if (!leaf->ahead)
		entry |= fmt->accessed;
	if (leaf->writable)
		entry |= fmt->write | fmt->dirty | NPT_HOST_WRITABLE;
	if (level > NPT_LEVEL_4K)
		entry |= fmt->large;

	/* Affected processors stop dead on code in a large page whose size changes. */
	if (level > NPT_LEVEL_4K && boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT))
		return entry | fmt->noexec;
	return entry | fmt->exec;
}

/*
 * A leaf is already there. Another CPU was faster, or it lacks a right: add
 * that in place, which needs no flush. A leaf that is larger than may get the
 * right is split by the caller. Everything else has to go first.
 */
static enum npt_install_result npt_merge(const struct mvm_npt_format *fmt, u64 *entry, u64 old,
					 const struct npt_leaf *leaf, int level)
{
	u64 offset = leaf->gfn & (npt_entry_frames(level) - 1);
	u64 new;

	do {
		if (!npt_present(fmt, old))
			return NPT_INSTALLED; /* removed meanwhile: the guest faults again */
		if ((npt_address(fmt, old) >> PAGE_SHIFT) + offset != leaf->pfn)
			return NPT_IN_WAY;
		if (npt_allows(fmt, old, leaf->access))
			return NPT_INSTALLED;
		new = old | fmt->accessed;
		if (leaf->writable)
			new |= fmt->write | fmt->dirty | NPT_HOST_WRITABLE;
		if (level == NPT_LEVEL_4K)
			new = (new | fmt->exec) & ~fmt->noexec;
		if (level > leaf->level)
			return NPT_TOO_LARGE;
		if (!npt_allows(fmt, new, leaf->access))
			return NPT_IN_WAY;
	} while (!try_cmpxchg64(entry, &old, new));
	return NPT_INSTALLED;
}

/* Hang one of @tables below a non-present entry; the caller looks again. */
static void npt_link_table(struct mvm_vm *vm, u64 *entry, u64 old, struct npt_tables *tables)
{
	const struct mvm_npt_format *fmt = npt_format(vm);
	struct page *page = tables->page[tables->nr - 1];

	/* The cmpxchg makes the page's contents visible before the page. */
	if (cmpxchg64(entry, old, page_to_phys(page) | fmt->enc_mask | fmt->table) != old)
		return;
	tables->nr--;
	atomic_long_inc(&vm->nr_npt_pages);
}

/* The leaf at @entry, of @level, as the @i-th leaf one level below. */
static u64 npt_split_leaf(const struct mvm_npt_format *fmt, u64 entry, int level, unsigned int i)
{
	entry += (i * npt_entry_frames(level - 1)) << PAGE_SHIFT;
	return level - 1 == NPT_LEVEL_4K ? entry & ~fmt->large : entry;
}

/*
 * Replace a large leaf by a table of smaller ones that say the same, so no CPU
 * needs to forget anything. The caller looks again. Processors that cannot bear
 * such a change under running code have no executable large leaves.
 */
static void npt_split(struct mvm_vm *vm, u64 *entry, u64 old, int level, struct npt_tables *tables)
{
	u64 *table = page_address(tables->page[tables->nr - 1]);
	unsigned int i;

	for (i = 0; i < NPT_ENTRIES; i++)
		table[i] = npt_split_leaf(npt_format(vm), old, level, i);
	npt_link_table(vm, entry, old, tables);
	/* Not linked: it goes back empty, as the next one to use it expects. */
	if (tables->nr && page_address(tables->page[tables->nr - 1]) == table)
		memset64(table, npt_format(vm)->nonpresent, NPT_ENTRIES);
}

/* Need one more table at @level? Those for the levels below it are wanted, too. */
static bool npt_wants_table(struct npt_tables *tables, int level, const struct npt_leaf *leaf)
{
	tables->want = level - leaf->level;
	return !tables->nr;
}

/**
 * mvm_npt_install() - map one host page, or what grants its rights already
 * @vm: the VM
 * @leaf: what to map; a table that exists where a large leaf could be is used
 * @tables: pages for missing tables
 *
 * Several vCPUs may be here at once: all changes are by compare-and-exchange.
 * Return: enum npt_install_result.
 */
enum npt_install_result mvm_npt_install(struct mvm_vm *vm, const struct npt_leaf *leaf,
					struct npt_tables *tables)
{
	const struct mvm_npt_format *fmt = npt_format(vm);
	enum npt_install_result result;
	u64 *table = vm->npt_root_page;
	int level = vm->npt_levels;

	for (;;) {
		u64 *entry = &table[npt_index(leaf->gfn, level)];
		u64 old = READ_ONCE(*entry);

		if (npt_present(fmt, old) && !npt_is_leaf(fmt, old, level)) {
			table = npt_child(fmt, old);
			level--;
		} else if (npt_present(fmt, old)) {
			result = npt_merge(fmt, entry, old, leaf, level);
			if (result != NPT_TOO_LARGE)
				return result;
			if (npt_wants_table(tables, level, leaf))
				return NPT_NEED_TABLES;
			npt_split(vm, entry, old, level, tables);
		} else if (level <= leaf->level) {
			if (try_cmpxchg64(entry, &old, npt_make_leaf(fmt, leaf, level)))
				return NPT_INSTALLED;
		} else {
			if (npt_wants_table(tables, level, leaf))
				return NPT_NEED_TABLES;
			npt_link_table(vm, entry, old, tables);
		}
	}
}

/**
 * mvm_npt_allow_write() - give a small leaf that lacks it by the log alone the right to write
 * @vm: the VM
 * @gfn: its guest frame number
 *
 * Called as mvm_npt_install(): vcpu->fault_lock held, after mvm_inval_retry() said no. More
 * rights need no flush.
 * Return: false: no such leaf, or it has changed meanwhile.
 */
bool mvm_npt_allow_write(struct mvm_vm *vm, gfn_t gfn)
{
	const struct mvm_npt_format *fmt = npt_format(vm);
	u64 *table = vm->npt_root_page;
	u64 *entry, old;
	int level;

	for (level = vm->npt_levels;; level--) {
		entry = &table[npt_index(gfn, level)];
		old = READ_ONCE(*entry);
		if (!npt_present(fmt, old))
			return false;
		if (npt_is_leaf(fmt, old, level))
			break;
		table = npt_child(fmt, old);
	}
	if (level > NPT_LEVEL_4K || !(old & NPT_HOST_WRITABLE))
		return false;
	return try_cmpxchg64(entry, &old, old | fmt->write | fmt->dirty | fmt->accessed);
}
