/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of mmu/: the nested tables, and the protocol that keeps them from
 * holding a page that the host has taken back.
 *
 * Who removes entries (a notifier, a slot change) calls mvm_inval_begin(),
 * removes with mvm_npt_zap(), and calls mvm_inval_end(). Who installs one
 * samples how many invalidations have ended before it looks at the slots or the
 * host's mapping, and installs under its own fault_lock only if mvm_inval_retry()
 * says no: none of that page is under way, and none has ended since.
 * An installer that saw no invalidation is done before mvm_inval_begin()
 * returns, because that takes every fault_lock once; every later one sees the
 * raised count or the ended range. "Check, then install" without the lock
 * would let an invalidation start and end between the two.
 *
 * Locks: vm->mmu_lock serialises removal, and is held until the hardware has
 * let go: a second invalidation of the same page must not find the entry gone
 * while a CPU still translates by it. Installing takes only the fault_lock.
 */
#ifndef MVM_MMU_NPT_H
#define MVM_MMU_NPT_H

#include "../mvm.h"
#include "mmu.h"

#define NPT_LEVEL_4K 1
#define NPT_LEVEL_2M 2
#define NPT_LEVEL_1G 3

/* The root of five levels, less the root: no walk lacks more tables than this. */
#define NPT_MAX_TABLES 4

/* Table pages that the next install may use. */
struct npt_tables {
	int nr, want; /* there are; the last install would have used */
	struct page *page[NPT_MAX_TABLES];
};

/* A leaf to be installed. */
struct npt_leaf {
	gfn_t gfn;
	u64 pfn; /* host frame of @gfn, also where @level is larger */
	int level; /* NPT_LEVEL_*: what the host's mapping allows */
	u32 access; /* MVM_ACCESS_*: what the fault wants */
	bool writable;
	bool ahead; /* not used yet: its accessed bit is the processor's to set */
};

enum npt_install_result {
	NPT_INSTALLED, /* or already there */
	NPT_NEED_TABLES, /* tables->nr was too small: see mvm_npt_fill_tables() */
	NPT_IN_WAY, /* another leaf is there: zap it, try again */
	NPT_TOO_LARGE, /* inside of install only: a leaf has to be split */
};

/* npt.c */
int mvm_npt_init(struct mvm_vm *vm);
void mvm_npt_destroy(struct mvm_vm *vm);

/* Called with vcpu->fault_lock held and after mvm_inval_retry() said no. */
enum npt_install_result mvm_npt_install(struct mvm_vm *vm, const struct npt_leaf *leaf,
					struct npt_tables *tables);
int mvm_npt_fill_tables(struct mvm_vm *vm, struct npt_tables *tables, gfp_t gfp);
void mvm_npt_free_tables(struct npt_tables *tables);
void mvm_npt_free_table(struct mvm_vm *vm, u64 *table, int level, bool may_block);
bool mvm_npt_allow_write(struct mvm_vm *vm, gfn_t gfn);

/* range.c */
void mvm_npt_zap(struct mvm_vm *vm, gfn_t first, gfn_t last, bool may_block);
void mvm_npt_zap_all(struct mvm_vm *vm);

/* What mvm_npt_age() does besides telling. */
enum npt_age { NPT_AGE_TEST, NPT_AGE_CLEAR, NPT_AGE_CLEAR_FLUSH };
bool mvm_npt_age(struct mvm_vm *vm, gfn_t first, gfn_t last, enum npt_age how);
bool mvm_npt_protect(struct mvm_vm *vm, gfn_t first, gfn_t last);
void mvm_npt_flush(struct mvm_vm *vm);

/* dirty.c */
void mvm_dirty_mark(const struct mvm_memslot *slot, gfn_t first, gfn_t last);
int mvm_dirty_attach(struct mvm_vm *vm, const struct mvm_memslot *old, struct mvm_memslot *new);

/* notifier.c */
int mvm_notifier_attach(struct mvm_vm *vm);
void mvm_notifier_detach(struct mvm_vm *vm);
void mvm_inval_begin(struct mvm_vm *vm, hva_t start, hva_t end);
void mvm_inval_end(struct mvm_vm *vm, hva_t start, hva_t end);

/* Take and drop every fault_lock: who installs now is done when it returns. */
static inline void mvm_wait_for_installers(struct mvm_vm *vm)
{
	struct mvm_vcpu *vcpu;
	int i;

	/*
	 * What the caller wrote comes before the look at nr_vcpus. Pairs with a
	 * later vCPU's first spin_lock() of fault_lock, a full barrier on x86.
	 */
	smp_mb();

	mvm_for_each_vcpu(i, vcpu, vm) {
		spin_lock(&vcpu->fault_lock);
		spin_unlock(&vcpu->fault_lock);
	}
}

/* Sample before the slots and the host's mapping are looked at. */
static inline unsigned long mvm_inval_sample(struct mvm_vm *vm)
{
	/* Pairs with the release in mvm_inval_end(): the slots before the number. */
	return smp_load_acquire(&vm->inval.ended);
}

/* Is an invalidation of a part of [start, end) under way? Called with vcpu->fault_lock held. */
static inline bool mvm_inval_pending(struct mvm_vm *vm, hva_t start, hva_t end)
{
	/* Pairs with the release in mvm_inval_end(): count gone means it is among the ended. */
	return smp_load_acquire(&vm->inval.in_progress) &&
	       end > READ_ONCE(vm->inval.start) && start < READ_ONCE(vm->inval.end);
}

bool mvm_inval_missed(struct mvm_vm *vm, hva_t start, hva_t end, unsigned long sample);

/**
 * mvm_inval_retry() - has what was learnt since mvm_inval_sample() gone stale?
 * For the page at @hva; called with vcpu->fault_lock held.
 */
static inline bool mvm_inval_retry(struct mvm_vm *vm, hva_t hva, unsigned long sample)
{
	/* In this order: one that ends in between is found in the second place. */
	return mvm_inval_pending(vm, hva, hva + PAGE_SIZE) ||
	       mvm_inval_missed(vm, hva, hva + PAGE_SIZE, sample);
}

/* memslot.c */
bool mvm_memslot_get(struct mvm_vm *vm, gfn_t gfn, struct mvm_memslot *slot);

#endif
