// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine of mmu_world.h: a host that gives and takes pages, and CPUs that
 * translate by the nested tables as hardware does. Host frames are never used
 * twice, so that a CPU which uses one that was taken back is found out.
 */
#include "mmu/npt.h"

#define MAX_PFN (1UL << 26)

struct cpuinfo boot_cpu_data = { .x86_phys_bits = 46 };
bool world_multihit;
u64 world_pud;
struct mm_struct host_mm;
static struct task task = { .mm = &host_mm };
struct task *current = &task;

struct mvm_backend_caps the_caps;
static const struct mvm_backend backend = { .caps = &the_caps };
struct mvm_vm the_vm;
struct mvm_vcpu cpus[VCPUS];

/* By host frame, never used again: 0 not in use, 1 mapped, 3 mapped writable. */
static u8 frame[MAX_PFN];
static u64 next_pfn;
int violations;
unsigned int host_lookups;
bool slot_gone[HOST_REGIONS];

int mvm_fail(struct mvm_reason *reason, int err, const char *fmt, ...)
{
	(void)reason;
	(void)fmt;
	return err;
}

void violation(const char *what, u64 where)
{
	if (!__atomic_fetch_add(&violations, 1, __ATOMIC_SEQ_CST))
		printf("# violation: %s at %#llx\n", what, (unsigned long long)where);
}

/* ------------------------------------------------------- the host's memory */

int mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *m)
{
	m->notifier = mn;
	return 0;
}

void mmu_notifier_put(struct mmu_notifier *mn)
{
	host_mm.notifier = NULL;
	mn->ops->free_notifier(mn);
}

u64 new_frames(unsigned int n)
{
	u64 pfn = round_down(__atomic_fetch_add(&next_pfn, 2 * n, __ATOMIC_SEQ_CST) + n, n);

	if (pfn + n > MAX_PFN)
		abort();
	return pfn;
}

/* With host_mm.lock held. */
void set_pte(unsigned int page, u64 pfn, bool writable)
{
	struct host_pte *pte = &host_mm.pte[page];

	pte->writable = writable;
	pte->pfn = pfn;
	if (pfn)
		__atomic_store_n(&frame[pfn], writable ? 3 : 1, __ATOMIC_SEQ_CST);
}

static void clear_pte(unsigned int page)
{
	if (host_mm.pte[page].pfn)
		__atomic_store_n(&frame[host_mm.pte[page].pfn], 0, __ATOMIC_SEQ_CST);
	host_mm.pte[page] = (struct host_pte) { };
}

static unsigned int page_of(hva_t hva)
{
	return (hva - HOST_BASE) >> PAGE_SHIFT;
}

static void start(unsigned int first, unsigned int last, struct mmu_notifier_range *range)
{
	range->start = HOST_BASE + first * PAGE_SIZE;
	range->end = HOST_BASE + last * PAGE_SIZE;
	range->blockable = random() % 2;
	host_mm.notifier->ops->invalidate_range_start(host_mm.notifier, range);
	pthread_mutex_lock(&host_mm.lock);
}

static void end(struct mmu_notifier_range *range)
{
	pthread_mutex_unlock(&host_mm.lock);
	world_jitter();
	host_mm.notifier->ops->invalidate_range_end(host_mm.notifier, range);
}

static void split(unsigned int page)
{
	host_mm.pmd[page / 512].v = 0;
}

void host_unmap(unsigned int first, unsigned int last)
{
	struct mmu_notifier_range range;
	unsigned int i;

	start(first, last, &range);
	for (i = first; i < last; i++) {
		split(i);
		clear_pte(i);
	}
	end(&range);
}

void host_protect(unsigned int first, unsigned int last)
{
	struct mmu_notifier_range range;
	unsigned int i;

	start(first, last, &range);
	for (i = first; i < last; i++) {
		split(i);
		if (host_mm.pte[i].pfn)
			set_pte(i, host_mm.pte[i].pfn, false);
	}
	end(&range);
}

/* New pages in one piece, mapped by a large entry. */
void host_collapse(unsigned int region)
{
	struct mmu_notifier_range range;
	u64 pfn = new_frames(512);
	unsigned int i;

	start(region * 512, region * 512 + 512, &range);
	for (i = 0; i < 512; i++) {
		clear_pte(region * 512 + i);
		set_pte(region * 512 + i, pfn + i, true);
	}
	host_mm.pmd[region].v = pfn << PAGE_SHIFT | _PAGE_PRESENT | _PAGE_PSE;
	end(&range);
}

static struct page *handle(hva_t hva)
{
	struct page *page = calloc(1, sizeof(*page));

	page->pfn = host_mm.pte[page_of(hva)].pfn;
	page->hva = hva;
	return page;
}

long get_user_pages_fast_only(hva_t hva, long nr, unsigned int flags, struct page **page)
{
	const struct host_pte *pte = &host_mm.pte[page_of(hva)];
	long n;

	__atomic_fetch_add(&host_lookups, 1, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&host_mm.lock);
	for (n = 0; n < nr; n++, pte++, hva += PAGE_SIZE) {
		if (page_of(hva) >= HOST_PAGES || !pte->pfn ||
		    (!pte->writable && (flags & FOLL_WRITE)))
			break;
		page[n] = handle(hva);
	}
	pthread_mutex_unlock(&host_mm.lock);
	world_jitter();
	return n;
}

/* A page fault: a new page, or for a write a writable copy. */
long get_user_pages_unlocked(hva_t hva, long nr, struct page **page, unsigned int flags)
{
	const unsigned int i = page_of(hva);
	struct mmu_notifier_range range;
	bool copy;

	if (i >= HOST_PAGES || nr != 1)
		return -EFAULT;
	pthread_mutex_lock(&host_mm.lock);
	if (!host_mm.pte[i].pfn)
		set_pte(i, new_frames(1), flags & FOLL_WRITE);
	copy = (flags & FOLL_WRITE) && !host_mm.pte[i].writable;
	if (copy) {
		pthread_mutex_unlock(&host_mm.lock);
		start(i, i + 1, &range);
		split(i);
		clear_pte(i);
		set_pte(i, new_frames(1), true);
	}
	*page = handle(hva);
	if (copy)
		end(&range);
	else
		pthread_mutex_unlock(&host_mm.lock);
	world_jitter();
	return 1;
}

/* Only while the host's own entry is writable: what cleans a page invalidates first. */
void set_page_dirty(struct page *page)
{
	if (__atomic_load_n(&frame[page->pfn], __ATOMIC_SEQ_CST) != 3)
		violation("dirty without a writable mapping", page->hva);
}

/* -------------------------------------------------------------- the hardware */

struct tlb tlb[VCPUS];

void mvm_vm_request_sync(struct mvm_vm *v, enum mvm_request req)
{
	int i;

	for (i = 0; i < v->nr_vcpus; i++)
		__atomic_fetch_or(&v->vcpus[i]->requests, BIT(req), __ATOMIC_SEQ_CST);
	smp_mb();
	for (i = 0; i < v->nr_vcpus; i++) {
		while (__atomic_load_n(&v->vcpus[i]->mode, __ATOMIC_SEQ_CST) == MVM_IN_GUEST &&
		       (__atomic_load_n(&v->vcpus[i]->requests, __ATOMIC_SEQ_CST) & BIT(req)))
			sched_yield();
	}
}

static bool leaf_allows(u64 leaf, u32 access)
{
	const struct mvm_npt_format *f = &the_caps.npt;

	if ((access & MVM_ACCESS_WRITE) && !(leaf & f->write))
		return false;
	if ((access & MVM_ACCESS_EXEC) && (f->exec ? !(leaf & f->exec) : leaf & f->noexec))
		return false;
	return true;
}

/* Walk the tables as the processor does: a 4 KiB leaf for @gfn, or 0 for a fault. */
u64 hw_walk(int cpu, gfn_t gfn, u32 access)
{
	const struct mvm_npt_format *f = &the_caps.npt;
	const unsigned int region = (gfn - FIRST_GFN) / 512;
	int level = tlb[cpu].table[region] ? 1 : the_vm.npt_levels;
	u64 *table = tlb[cpu].table[region] ?: the_vm.npt_root_page;

	for (;; level--) {
		u64 *entry = &table[gfn >> 9 * (level - 1) & 511];
		u64 old = __atomic_load_n(entry, __ATOMIC_SEQ_CST), new = old | f->accessed;

		if (!(old & f->read))
			return 0;
		if (level > 1 && !(old & f->large)) {
			table = (u64 *)(old & GENMASK_ULL(51, 12) & ~f->enc_mask);
			if (level == 2)
				tlb[cpu].table[region] = table;
			continue;
		}
		if (!leaf_allows(old, access))
			return 0;
		if (access & MVM_ACCESS_WRITE)
			new |= f->dirty;
		if (!__atomic_compare_exchange_n(entry, &old, new, 0, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			return 0;
		return level == 1 ? new : new + ((gfn & 511) << PAGE_SHIFT);
	}
}

static u64 leaf_pfn(u64 leaf)
{
	return (leaf & GENMASK_ULL(51, 12) & ~the_caps.npt.enc_mask) >> PAGE_SHIFT;
}

/* One access: false = nested page fault. */
bool hw_access(int cpu, gfn_t gfn, u32 access)
{
	u64 *cached = &tlb[cpu].leaf[gfn - FIRST_GFN];
	u64 leaf = *cached;
	u8 state;

	if (!leaf || !leaf_allows(leaf, access)) {
		leaf = hw_walk(cpu, gfn, access);
		if (!leaf)
			return false;
		*cached = leaf;
	}
	state = __atomic_load_n(&frame[leaf_pfn(leaf)], __ATOMIC_SEQ_CST);
	if (!state)
		violation("a page that was taken back", gfn);
	else if ((leaf & the_caps.npt.write) && state != 3)
		violation("a writable entry for a protected page", gfn);
	if (__atomic_load_n(&slot_gone[(gfn - FIRST_GFN) / 512], __ATOMIC_SEQ_CST))
		violation("a slot that was deleted", gfn);
	return true;
}

/* What the run loop does before an entry. */
void hw_enter(int cpu)
{
	__atomic_store_n(&cpus[cpu].mode, MVM_IN_GUEST, __ATOMIC_SEQ_CST);
	smp_mb();
	if (__atomic_load_n(&cpus[cpu].requests, __ATOMIC_SEQ_CST) & BIT(MVM_REQ_TLB_FLUSH)) {
		memset(&tlb[cpu], 0, sizeof(tlb[cpu]));
		__atomic_fetch_and(&cpus[cpu].requests, ~BIT(MVM_REQ_TLB_FLUSH), __ATOMIC_SEQ_CST);
	}
}

void hw_leave(int cpu)
{
	__atomic_store_n(&cpus[cpu].mode, MVM_OUTSIDE_GUEST, __ATOMIC_SEQ_CST);
}

void world_init(const struct mvm_npt_format *format)
{
	unsigned int i;

	memset(&the_vm, 0, sizeof(the_vm));
	memset(&host_mm, 0, sizeof(host_mm));
	memset(tlb, 0, sizeof(tlb));
	memset(cpus, 0, sizeof(cpus));
	memset(slot_gone, 0, sizeof(slot_gone));
	pthread_mutex_init(&host_mm.lock, NULL);
	the_caps.npt = *format;
	world_multihit = false;
	world_pud = 0;
	violations = 0;
	the_vm.backend = &backend;
	the_vm.mm = &host_mm;
	if (mvm_mmu_vm_init(&the_vm))
		abort();
	for (i = 0; i < VCPUS; i++) {
		cpus[i].vm = &the_vm;
		spin_lock_init(&cpus[i].fault_lock);
		the_vm.vcpus[i] = &cpus[i];
	}
	the_vm.nr_vcpus = VCPUS;
}
