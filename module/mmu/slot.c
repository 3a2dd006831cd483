// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of memory slots: is a request well formed, what does it
 * change, which slot holds a frame, which frames a range of the launcher's
 * addresses backs.
 *
 * Pure: no locks, no memory, nothing of the kernel's. memslot.c calls it under
 * vm->slots_lock or with vm->srcu held for reading.
 */
#include "slot.h"

#define SLOT_FLAGS (KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES)

/**
 * mvm_slot_check() - is a request well formed by itself?
 * @region: as userspace gave it
 * @limits: the VM's
 * @slot: the slot asked for; npages 0 = delete
 * @why: on failure, the sentence
 *
 * Return: 0 or -EINVAL.
 */
int mvm_slot_check(const struct kvm_userspace_memory_region *region,
		   const struct mvm_slot_limits *limits, struct mvm_memslot *slot,
		   const char **why)
{
	const u64 gpa = region->guest_phys_addr, size = region->memory_size;
	const u64 hva = region->userspace_addr;

	*why = NULL;
	if (region->slot >= limits->max_slots)
		*why = "the slot id is too large, or names another address space";
	else if (region->flags & ~SLOT_FLAGS)
		*why = "unknown flag bits are set";
	else if ((gpa | size | hva) & (MVM_PAGE_SIZE - 1))
		*why = "address or size is not a multiple of 4096";
	else if (size >> MVM_PAGE_SHIFT > MVM_SLOT_MAX_PAGES)
		*why = "the slot is larger than 8 TiB";
	else if (gpa + size < gpa || (gpa + size) >> MVM_PAGE_SHIFT > limits->max_gfn)
		*why = "the slot ends above the processor's guest physical addresses";
	else if (hva + size < hva || hva + size > limits->max_hva)
		*why = "the memory does not lie in user space";
	if (*why)
		return -EINVAL;

	*slot = (struct mvm_memslot) {
		.base = gpa >> MVM_PAGE_SHIFT,
		.npages = size >> MVM_PAGE_SHIFT,
		.hva = hva,
		.flags = region->flags,
		.id = region->slot,
	};
	return 0;
}

static bool slots_overlap(const struct mvm_memslot *a, const struct mvm_memslot *b)
{
	return a->base < b->base + b->npages && b->base < a->base + a->npages;
}

/* How many slots begin at a frame or below it. */
static int slots_up_to(const struct mvm_memslots *slots, gfn_t gfn)
{
	int low = 0, high = slots->nr;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if (slots->slot[mid].base <= gfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int plan_existing(const struct mvm_memslot *old, const struct mvm_memslot *new,
			 enum mvm_slot_change *change, const char **why)
{
	if (!new->npages) {
		*change = MVM_SLOT_DELETE;
		return 0;
	}
	*why = "a slot's size, memory and readonly flag cannot change: delete it first";
	if (new->npages != old->npages || new->hva != old->hva)
		return -EINVAL;
	if ((new->flags ^ old->flags) & KVM_MEM_READONLY)
		return -EINVAL;

	if (new->base != old->base)
		*change = MVM_SLOT_MOVE;
	else if (new->flags != old->flags)
		*change = MVM_SLOT_LOG;
	else
		*change = MVM_SLOT_SAME;
	return 0;
}

/**
 * mvm_slot_plan() - what does a well-formed slot change?
 * @slots: the slots there are
 * @new: from mvm_slot_check()
 * @change: the answer
 * @why: on failure, the sentence
 *
 * Return: 0; -EINVAL: deletes nothing, or resizes; -EEXIST: overlaps another slot.
 */
int mvm_slot_plan(const struct mvm_memslots *slots, const struct mvm_memslot *new,
		  enum mvm_slot_change *change, const char **why)
{
	const struct mvm_memslot *old = mvm_slot_by_id(slots, new->id);
	int i, ret;

	if (old) {
		ret = plan_existing(old, new, change, why);
		if (ret)
			return ret;
	} else if (new->npages) {
		*change = MVM_SLOT_ADD;
	} else {
		*why = "there is no such slot to delete";
		return -EINVAL;
	}
	if (*change != MVM_SLOT_ADD && *change != MVM_SLOT_MOVE)
		return 0;

	*why = "the slot overlaps another one";
	i = slots_up_to(slots, new->base);
	for (i -= i > 0; i < slots->nr && slots->slot[i].base < new->base + new->npages; i++) {
		if (slots->slot[i].id != new->id && slots_overlap(&slots->slot[i], new))
			return -EEXIST;
	}
	return 0;
}

/* Put slot number @slot behind the @n that are in the order of addresses. */
static void append_by_hva(struct mvm_memslots *slots, int n, int slot)
{
	const hva_t end = mvm_slot_hva_end(&slots->slot[slot]);
	hva_t reach = n ? slots->by_hva[n - 1].reach : 0;

	slots->by_hva[n].slot = slot;
	slots->by_hva[n].reach = end > reach ? end : reach;
}

/* The order of addresses after the slots: number @gone of @from went, @new is @placed. */
static void apply_by_hva(const struct mvm_memslots *from, struct mvm_memslots *to,
			 const struct mvm_memslot *new, int gone, int placed)
{
	bool done = placed < 0;
	int i = 0, n = 0;

	/* A slot above all others renumbers none of them. */
	if (gone < 0 && placed > 0 && placed == from->nr) {
		n = mvm_slots_below(from, new->hva);
		i = n;
		memcpy(to->by_hva, from->by_hva, n * sizeof(to->by_hva[0]));
	}
	for (; i < from->nr; i++) {
		int slot = from->by_hva[i].slot;

		if (slot == gone)
			continue;
		if (!done && new->hva < from->slot[slot].hva) {
			append_by_hva(to, n++, placed);
			done = true;
		}
		slot -= gone >= 0 && slot > gone;
		slot += placed >= 0 && slot >= placed;
		append_by_hva(to, n++, slot);
	}
	if (!done)
		append_by_hva(to, n, placed);
}

static void copy_slots(const struct mvm_memslots *from, int first, int end, struct mvm_memslots *to)
{
	memcpy(&to->slot[to->nr], &from->slot[first], (end - first) * sizeof(to->slot[0]));
	to->nr += end - first;
}

/* Number @gone is left out, if it is among them. */
static void copy_slots_without(const struct mvm_memslots *from, int first, int end, int gone,
			       struct mvm_memslots *to)
{
	if (gone >= first && gone < end) {
		copy_slots(from, first, gone, to);
		first = gone + 1;
	}
	copy_slots(from, first, end, to);
}

/**
 * mvm_slot_apply() - the slots after a planned change
 * @from: the slots there are
 * @to: room for @from->nr + 1 slots, in both orders
 * @new: replaces the slot of the same id; npages 0 removes it
 */
void mvm_slot_apply(const struct mvm_memslots *from, struct mvm_memslots *to,
		    const struct mvm_memslot *new)
{
	const struct mvm_memslot *old = mvm_slot_by_id(from, new->id);
	const int gone = old ? old - from->slot : -1;
	const int place = slots_up_to(from, new->base);
	int placed = -1;

	to->nr = 0;
	copy_slots_without(from, 0, place, gone, to);
	if (new->npages) {
		placed = to->nr;
		to->slot[to->nr++] = *new;
	}
	copy_slots_without(from, place, from->nr, gone, to);
	apply_by_hva(from, to, new, gone, placed);
}

/**
 * mvm_slot_by_gfn() - the slot that holds a guest frame
 * @slots: the slots, sorted by base
 * @gfn: guest frame number
 *
 * Return: the slot, or NULL.
 */
const struct mvm_memslot *mvm_slot_by_gfn(const struct mvm_memslots *slots, gfn_t gfn)
{
	int low = 0, high = slots->nr;

	while (low < high) {
		int mid = low + (high - low) / 2;
		const struct mvm_memslot *s = &slots->slot[mid];

		if (gfn < s->base)
			high = mid;
		else if (gfn - s->base >= s->npages)
			low = mid + 1;
		else
			return s;
	}
	return NULL;
}

/**
 * mvm_slot_by_id() - the slot with this id
 * @slots: the slots
 * @id: userspace's id
 *
 * Return: the slot, or NULL.
 */
const struct mvm_memslot *mvm_slot_by_id(const struct mvm_memslots *slots, u16 id)
{
	int i;

	for (i = 0; i < slots->nr; i++) {
		if (slots->slot[i].id == id)
			return &slots->slot[i];
	}
	return NULL;
}

/**
 * mvm_slots_below() - how many slots start below an address of the launcher
 * @slots: the slots
 * @end: the address
 *
 * For mvm_for_each_slot_by_hva().
 * Return: their number: where mvm_slot_before() starts.
 */
int mvm_slots_below(const struct mvm_memslots *slots, hva_t end)
{
	int low = 0, high = slots->nr;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if (slots->slot[slots->by_hva[mid].slot].hva < end)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/**
 * mvm_slot_before() - going down by address, the next slot that ends above @start
 * @slots: the slots
 * @place: slots before this place are looked at; out: that of the slot found
 * @start: an address of the launcher
 *
 * For mvm_for_each_slot_by_hva().
 * Return: the slot, or NULL.
 */
const struct mvm_memslot *mvm_slot_before(const struct mvm_memslots *slots, int *place,
					  hva_t start)
{
	while (*place > 0 && slots->by_hva[*place - 1].reach > start) {
		const struct mvm_memslot *slot = &slots->slot[slots->by_hva[--*place].slot];

		if (mvm_slot_hva_end(slot) > start)
			return slot;
	}
	return NULL;
}

/**
 * mvm_slot_hva_range() - which of a slot's frames does a range of addresses back?
 * @slot: the slot
 * @start: first address
 * @end: one past the last address
 * @first: first guest frame that the range touches
 * @last: one past the last one
 *
 * Return: false where the range misses the slot.
 */
bool mvm_slot_hva_range(const struct mvm_memslot *slot, hva_t start, hva_t end,
			gfn_t *first, gfn_t *last)
{
	const hva_t limit = mvm_slot_hva_end(slot);

	if (start < slot->hva)
		start = slot->hva;
	if (end > limit)
		end = limit;
	if (start >= end)
		return false;

	*first = slot->base + ((start - slot->hva) >> MVM_PAGE_SHIFT);
	*last = slot->base + ((end - slot->hva + MVM_PAGE_SIZE - 1) >> MVM_PAGE_SHIFT);
	return true;
}
