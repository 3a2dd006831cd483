/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory slots as plain data: what a slot is, and the arithmetic on an array
 * of them. Pure: builds in userspace for its unit test. Locks, SRCU and the
 * nested entries behind a slot are memslot.c's.
 */
#ifndef MVM_MMU_SLOT_H
#define MVM_MMU_SLOT_H

#include <linux/kvm.h>

#include "../types.h"

#define MVM_PAGE_SHIFT 12
#define MVM_PAGE_SIZE  BIT_ULL(MVM_PAGE_SHIFT)

/* A slot's greatest size, 8 TiB less a page: what KVM allows. */
#define MVM_SLOT_MAX_PAGES (BIT_ULL(31) - 1)

/* [base, base + npages) of guest frames, at @hva in the launcher. */
struct mvm_memslot {
	gfn_t base;
	u64 npages;
	hva_t hva;
	u32 flags; /* KVM_MEM_* */
	u16 id;
	unsigned long *dirty; /* the dirty log, a bit a frame; NULL without (dirty.c) */
};

/* One of the slots, in the order of their addresses in the launcher. */
struct mvm_slot_by_hva {
	hva_t reach; /* the greatest end of this one and those before it: they may overlap */
	int slot; /* which */
};

/* All slots of a VM, sorted by base, without overlap. Immutable once published. */
struct mvm_memslots {
	int nr;
	struct mvm_slot_by_hva *by_hva; /* as many */
	struct mvm_memslot slot[];
};

/* What a new slot must keep to. */
struct mvm_slot_limits {
	u16 max_slots; /* ids are below this */
	u64 max_gfn; /* frames are below this */
	hva_t max_hva; /* the launcher's addresses end here */
};

/* What a request means against the slots there are. */
enum mvm_slot_change {
	MVM_SLOT_ADD,
	MVM_SLOT_DELETE,
	MVM_SLOT_MOVE, /* to other frames; its flags may change, too */
	MVM_SLOT_LOG, /* the dirty log goes on or off */
	MVM_SLOT_SAME, /* nothing to do */
};

int mvm_slot_check(const struct kvm_userspace_memory_region *region,
		   const struct mvm_slot_limits *limits, struct mvm_memslot *slot,
		   const char **why);
int mvm_slot_plan(const struct mvm_memslots *slots, const struct mvm_memslot *new,
		  enum mvm_slot_change *change, const char **why);
void mvm_slot_apply(const struct mvm_memslots *from, struct mvm_memslots *to,
		    const struct mvm_memslot *new);
const struct mvm_memslot *mvm_slot_by_gfn(const struct mvm_memslots *slots, gfn_t gfn);
const struct mvm_memslot *mvm_slot_by_id(const struct mvm_memslots *slots, u16 id);
int mvm_slots_below(const struct mvm_memslots *slots, hva_t end);
const struct mvm_memslot *mvm_slot_before(const struct mvm_memslots *slots, int *place,
					  hva_t start);
bool mvm_slot_hva_range(const struct mvm_memslot *slot, hva_t start, hva_t end,
			gfn_t *first, gfn_t *last);

/* Each slot that some of [start, end) backs; @i is for the loop alone. */
#define mvm_for_each_slot_by_hva(i, s, slots, start, end)		\
	for ((i) = mvm_slots_below(slots, end);				\
	     ((s) = mvm_slot_before(slots, &(i), start));)

static inline hva_t mvm_slot_hva_end(const struct mvm_memslot *slot)
{
	return slot->hva + (slot->npages << MVM_PAGE_SHIFT);
}

static inline hva_t mvm_slot_hva(const struct mvm_memslot *slot, gfn_t gfn)
{
	return slot->hva + ((gfn - slot->base) << MVM_PAGE_SHIFT);
}

#endif
