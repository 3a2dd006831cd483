// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nested page tables: installing a leaf, removing and ageing ranges.
 *
 * Works on guest frame ranges; the entries' bits come from the backend's
 * struct mvm_npt_format. The root lives as long as the VM. A table page goes
 * when a removed range covers it whole, after every CPU has left the guest.
 * Who may call what when: npt.h.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "../backend.h"
#include "npt.h"

#define NPT_ENTRIES   (PAGE_SIZE / sizeof(u64))
#define NPT_ADDR_MASK GENMASK_ULL(51, PAGE_SHIFT)

/* Removal works in pieces of 1 GiB, so that nobody waits long for mmu_lock. */
#define NPT_ZAP_FRAMES BIT_ULL(18)

static const struct mvm_npt_format *npt_format(const struct mvm_vm *vm)
{
	return &vm->backend->caps->npt;
}

static unsigned int npt_index(gfn_t gfn, int level)
{
	return (gfn >> (9 * (level - 1))) & (NPT_ENTRIES - 1);
}

static bool npt_present(const struct mvm_npt_format *fmt, u64 entry)
{
	return entry & fmt->read;
}

static bool npt_is_leaf(const struct mvm_npt_format *fmt, u64 entry, int level)
{
	return level == NPT_LEVEL_4K || (entry & fmt->large);
}

static hpa_t npt_address(const struct mvm_npt_format *fmt, u64 entry)
{
	return entry & NPT_ADDR_MASK & ~fmt->enc_mask;
}

static u64 *npt_child(const struct mvm_npt_format *fmt, u64 entry)
{
	return phys_to_virt(npt_address(fmt, entry));
}

static bool npt_allows(const struct mvm_npt_format *fmt, u64 entry, u32 access)
{
	if ((access & MVM_ACCESS_WRITE) && !(entry & fmt->write))
		return false;
	if (!(access & MVM_ACCESS_EXEC))
		return true;
	return fmt->exec ? entry & fmt->exec : !(entry & fmt->noexec);
}

static struct page *npt_alloc_table(const struct mvm_npt_format *fmt)
{
	struct page *page = alloc_page(GFP_KERNEL_ACCOUNT);

	if (page)
		memset64(page_address(page), fmt->nonpresent, NPT_ENTRIES);
	return page;
}

/* Allocate the root. 0 or -ENOMEM. */
int mvm_npt_init(struct mvm_vm *vm)
{
	struct page *root = npt_alloc_table(npt_format(vm));

	if (!root)
		return -ENOMEM;
	vm->npt_root_page = page_address(root);
	vm->npt_root = page_to_phys(root);
	vm->npt_levels = npt_format(vm)->levels;
	return 0;
}

/* The table is unlinked, no CPU and no installer uses it or what is below it. */
static void npt_free_table(struct mvm_vm *vm, u64 *table, int level, bool may_block)
{
	const struct mvm_npt_format *fmt = npt_format(vm);
	int i;

	for (i = 0; level > NPT_LEVEL_4K && i < NPT_ENTRIES; i++) {
		if (!npt_present(fmt, table[i]) || npt_is_leaf(fmt, table[i], level))
			continue;
		npt_free_table(vm, npt_child(fmt, table[i]), level - 1, may_block);
		atomic_long_dec(&vm->nr_npt_pages);
	}
	free_page((unsigned long)table);
	if (may_block && level > NPT_LEVEL_4K)
		cond_resched();
}

/* Free all tables, the root too. No vCPU runs and no notifier calls any more. */
void mvm_npt_destroy(struct mvm_vm *vm)
{
	if (!vm->npt_root_page)
		return;
	npt_free_table(vm, vm->npt_root_page, vm->npt_levels, true);
	vm->npt_root_page = NULL;
	vm->npt_root = 0;
}

/* ------------------------------------------------------------------ install */

/* Allocate what NPT_NEED_TABLES asked for. 0 or -ENOMEM; pages got so far stay in @tables. */
int mvm_npt_fill_tables(struct mvm_vm *vm, struct npt_tables *tables)
{
	while (tables->nr < tables->want) {
		struct page *page = npt_alloc_table(npt_format(vm));

		if (!page)
			return -ENOMEM;
		tables->page[tables->nr++] = page;
	}
	return 0;
}

/* Give back what installing did not use. */
void mvm_npt_free_tables(struct npt_tables *tables)
{
	while (tables->nr)
		__free_page(tables->page[--tables->nr]);
}

static u64 npt_make_leaf(const struct mvm_npt_format *fmt, const struct npt_leaf *leaf, int level)
{
	u64 frame = leaf->pfn & ~(npt_entry_frames(level) - 1);
	u64 entry = (frame << PAGE_SHIFT) | fmt->enc_mask | fmt->leaf | fmt->read | fmt->accessed;

	if (leaf->writable)
		entry |= fmt->write | fmt->dirty;
	if (level > NPT_LEVEL_4K)
		entry |= fmt->large;

	/* Affected processors stop dead on code in a large page whose size changes. */
	if (level > NPT_LEVEL_4K && boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT))
		return entry | fmt->noexec;
	return entry | fmt->exec;
}

/*
 * A leaf is already there. Another CPU was faster, or it lacks a right: add
 * write in place, which needs no flush. Everything else has to go first.
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
			new |= fmt->write | fmt->dirty;
		if (level > leaf->level || !npt_allows(fmt, new, leaf->access))
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
	u64 *table = vm->npt_root_page;
	int level = vm->npt_levels;

	for (;;) {
		u64 *entry = &table[npt_index(leaf->gfn, level)];
		u64 old = READ_ONCE(*entry);

		if (npt_present(fmt, old)) {
			if (npt_is_leaf(fmt, old, level))
				return npt_merge(fmt, entry, old, leaf, level);
			table = npt_child(fmt, old);
			level--;
		} else if (level <= leaf->level) {
			if (try_cmpxchg64(entry, &old, npt_make_leaf(fmt, leaf, level)))
				return NPT_INSTALLED;
		} else if (tables->nr) {
			npt_link_table(vm, entry, old, tables);
		} else {
			tables->want = level - leaf->level;
			return NPT_NEED_TABLES;
		}
	}
}

/* ------------------------------------------------------------------- remove */

/* A removal under way. Under vm->mmu_lock. */
struct npt_zap {
	struct mvm_vm *vm;
	gfn_t first, last;
	bool removed; /* hardware may still hold something */
	struct list_head dead; /* unlinked table pages by lru, their level in private */
};

static void npt_remove(struct npt_zap *zap, u64 *entry, int level)
{
	const struct mvm_npt_format *fmt = npt_format(zap->vm);
	u64 old = xchg(entry, fmt->nonpresent);
	struct page *page;

	zap->removed = true;
	if (npt_is_leaf(fmt, old, level))
		return;
	page = virt_to_page(npt_child(fmt, old));
	set_page_private(page, level - 1);
	list_add(&page->lru, &zap->dead);
}

/* @table maps frames from @base on; every entry that overlaps the range. */
static void npt_zap_table(struct npt_zap *zap, u64 *table, int level, gfn_t base)
{
	const struct mvm_npt_format *fmt = npt_format(zap->vm);
	const u64 span = npt_entry_frames(level);
	gfn_t gfn = max(base, round_down(zap->first, span));
	gfn_t end = min(base + NPT_ENTRIES * span, zap->last);

	for (; gfn < end; gfn += span) {
		u64 *entry = &table[npt_index(gfn, level)];
		u64 old = READ_ONCE(*entry);
		bool covered = gfn >= zap->first && gfn + span <= zap->last;

		if (!npt_present(fmt, old))
			continue;
		if (covered || npt_is_leaf(fmt, old, level))
			npt_remove(zap, entry, level);
		else
			npt_zap_table(zap, npt_child(fmt, old), level - 1, gfn);
	}
}

static void npt_free_dead(struct npt_zap *zap, bool may_block)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &zap->dead, lru) {
		int level = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		npt_free_table(zap->vm, page_address(page), level, may_block);
		atomic_long_dec(&zap->vm->nr_npt_pages);
	}
}

static void npt_zap_piece(struct mvm_vm *vm, gfn_t first, gfn_t last, bool may_block)
{
	struct npt_zap zap = { .vm = vm, .first = first, .last = last };

	INIT_LIST_HEAD(&zap.dead);
	spin_lock(&vm->mmu_lock);
	npt_zap_table(&zap, vm->npt_root_page, vm->npt_levels, 0);
	/* Callers have held installers off; that no freed table is written hangs on this. */
	if (!list_empty(&zap.dead))
		mvm_wait_for_installers(vm);
	if (zap.removed)
		mvm_vm_request_sync(vm, MVM_REQ_TLB_FLUSH);
	spin_unlock(&vm->mmu_lock);

	npt_free_dead(&zap, may_block);
}

void mvm_npt_zap(struct mvm_vm *vm, gfn_t first, gfn_t last, bool may_block)
{
	gfn_t next;

	for (; first < last; first = next) {
		next = min(last, round_down(first, NPT_ZAP_FRAMES) + NPT_ZAP_FRAMES);
		npt_zap_piece(vm, first, next, may_block);
		if (may_block)
			cond_resched();
	}
}

void mvm_npt_zap_all(struct mvm_vm *vm)
{
	npt_zap_piece(vm, 0, npt_entry_frames(vm->npt_levels + 1), true);
}

/* ---------------------------------------------------------------------- age */

/* The leaf's accessed bit; a leaf that has none counts as used, and clearing removes it. */
static bool npt_age_leaf(struct npt_zap *zap, u64 *entry, u64 old, int level, enum npt_age how)
{
	const struct mvm_npt_format *fmt = npt_format(zap->vm);

	if (!fmt->accessed) {
		if (how != NPT_AGE_TEST)
			npt_remove(zap, entry, level);
		return true;
	}
	if (!(old & fmt->accessed))
		return false;
	if (how != NPT_AGE_TEST)
		clear_bit(__ffs64(fmt->accessed), (unsigned long *)entry);
	return true;
}

static bool npt_age_table(struct npt_zap *zap, u64 *table, int level, gfn_t base, enum npt_age how)
{
	const struct mvm_npt_format *fmt = npt_format(zap->vm);
	const u64 span = npt_entry_frames(level);
	gfn_t gfn = max(base, round_down(zap->first, span));
	gfn_t end = min(base + NPT_ENTRIES * span, zap->last);
	bool young = false;

	for (; gfn < end; gfn += span) {
		u64 *entry = &table[npt_index(gfn, level)];
		u64 old = READ_ONCE(*entry);

		if (!npt_present(fmt, old))
			continue;
		if (npt_is_leaf(fmt, old, level))
			young |= npt_age_leaf(zap, entry, old, level, how);
		else
			young |= npt_age_table(zap, npt_child(fmt, old), level - 1, gfn, how);
	}
	return young;
}

bool mvm_npt_age(struct mvm_vm *vm, gfn_t first, gfn_t last, enum npt_age how)
{
	struct npt_zap zap = { .vm = vm, .first = first, .last = last };
	bool young;

	INIT_LIST_HEAD(&zap.dead); /* stays empty: only leaves go */
	spin_lock(&vm->mmu_lock);
	young = npt_age_table(&zap, vm->npt_root_page, vm->npt_levels, 0, how);
	if (zap.removed || (young && how == NPT_AGE_CLEAR_FLUSH))
		mvm_vm_request_sync(vm, MVM_REQ_TLB_FLUSH);
	spin_unlock(&vm->mmu_lock);
	return young;
}
