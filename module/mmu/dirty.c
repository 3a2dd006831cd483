// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: which frames of a slot were written since it was last asked.
 *
 * A slot with KVM_MEM_LOG_DIRTY_PAGES has a bitmap. Its leaves are small, and
 * writable only for frames that are marked. Who makes a frame writable, or writes
 * it through the launcher's mapping, marks it after that; who reports frames takes
 * the marks first, then write-protects: so a mark may be seen twice, never missed.
 *
 * A bitmap belongs to the published slots. It is reached under vm->srcu, under
 * vm->slots_lock, or under a fault_lock after mvm_inval_retry() said no.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "npt.h"

/* Marks are handled in pieces of a page. */
#define PIECE_BITS (PAGE_SIZE * BITS_PER_BYTE)

/**
 * mvm_dirty_mark() - frames were written, or may be from now on
 * @slot: the slot that holds them
 * @first: first frame
 * @last: the last one
 *
 * Context: any, where the slot's bitmap may be used.
 */
void mvm_dirty_mark(const struct mvm_memslot *slot, gfn_t first, gfn_t last)
{
	gfn_t gfn;

	if (!slot->dirty)
		return;
	for (gfn = first; gfn <= last; gfn++) {
		/* Looking first keeps the line from travelling between CPUs. */
		if (!test_bit(gfn - slot->base, slot->dirty))
			set_bit(gfn - slot->base, slot->dirty);
	}
}

/**
 * mvm_dirty_attach() - give a slot that is to be published the log it asks for
 * @vm: the VM
 * @old: the slot it replaces, whose log it goes on with, or NULL
 * @new: the slot
 *
 * Called with vm->slots_lock held. Return: 0 or -ENOMEM.
 */
int mvm_dirty_attach(struct mvm_vm *vm, const struct mvm_memslot *old, struct mvm_memslot *new)
{
	new->dirty = NULL;
	if (!new->npages || !(new->flags & KVM_MEM_LOG_DIRTY_PAGES))
		return 0;
	if (old && old->dirty) {
		new->dirty = old->dirty;
		return 0;
	}
	new->dirty = kvcalloc(BITS_TO_LONGS(new->npages), sizeof(long),
			      GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!new->dirty)
		return -ENOMEM;
	if (vm->dirty_manual & KVM_DIRTY_LOG_INITIALLY_SET)
		bitmap_set(new->dirty, 0, new->npages);
	return 0;
}

/**
 * mvm_dirty_set_manual() - KVM_ENABLE_CAP of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2
 * @vm: the VM
 * @flags: KVM_DIRTY_LOG_*: what protects the log's frames, and what a new log starts with; 0 = off
 *
 * Logs that are there keep their marks. Context: may sleep; takes vm->slots_lock.
 * Return: 0; -EINVAL for flags that are unknown, or initially set without manual protection.
 */
int mvm_dirty_set_manual(struct mvm_vm *vm, u64 flags)
{
	/* Initially set means nothing without manual protection. */
	if (flags & ~(u64)MVM_DIRTY_MANUAL_FLAGS || flags == KVM_DIRTY_LOG_INITIALLY_SET)
		return mvm_fail(&vm->reason, -EINVAL,
				"manual dirty log protection does not know the flags %#llx", flags);
	mutex_lock(&vm->slots_lock);
	vm->dirty_manual = flags;
	mutex_unlock(&vm->slots_lock);
	return 0;
}

/* The slot with a log behind a request. Called with vm->slots_lock held. */
static const struct mvm_memslot *slot_with_log(struct mvm_vm *vm, u32 id)
{
	const struct mvm_memslots *slots;
	const struct mvm_memslot *slot;

	if (id >= MVM_MAX_MEMSLOTS)
		return ERR_PTR(mvm_fail(&vm->reason, -EINVAL, "there cannot be a slot %u", id));
	slots = rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->slots_lock));
	slot = mvm_slot_by_id(slots, id);
	if (!slot || !slot->dirty)
		return ERR_PTR(mvm_fail(&vm->reason, -ENOENT, "memory slot %u has no dirty log",
					id));
	return slot;
}

/* Write-protect the frames of a bitmap that starts at @base, and wait for the vCPUs. */
static void protect(struct mvm_vm *vm, gfn_t base, const unsigned long *bits, unsigned int nbits)
{
	unsigned int first, last;
	bool flush = false;

	for_each_set_bitrange(first, last, bits, nbits) {
		flush |= mvm_npt_protect(vm, base + first, base + last);
		cond_resched();
	}
	if (flush)
		mvm_npt_flush(vm);
}

/*
 * Take the marks of a piece: all, or those of @buf, which gets the ones there
 * were. The bits behind the last frame are nobody's: they are always zero.
 */
static void take_marks(unsigned long *dirty, unsigned long *buf, unsigned int nbits, bool all)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(nbits); i++) {
		unsigned long mask = all ? ~0UL : buf[i];

		buf[i] = 0;
		if (mask & READ_ONCE(dirty[i]))
			buf[i] = mask & atomic_long_fetch_andnot(mask, (atomic_long_t *)&dirty[i]);
	}
}

static void put_marks_back(unsigned long *dirty, const unsigned long *buf, unsigned int nbits)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(nbits); i++)
		atomic_long_or(buf[i], (atomic_long_t *)&dirty[i]);
}

static int get_piece(struct mvm_vm *vm, const struct mvm_memslot *slot, u64 at, unsigned int nbits,
		     unsigned long *buf, void __user *to)
{
	unsigned long *dirty = slot->dirty + at / BITS_PER_LONG;
	const size_t bytes = BITS_TO_LONGS(nbits) * sizeof(long);

	if (vm->dirty_manual) {
		memcpy(buf, dirty, bytes);
		return copy_to_user(to, buf, bytes) ? -EFAULT : 0;
	}
	take_marks(dirty, buf, nbits, true);
	protect(vm, slot->base + at, buf, nbits);
	if (!copy_to_user(to, buf, bytes))
		return 0;
	put_marks_back(dirty, buf, nbits);
	return -EFAULT;
}

static int clear_piece(struct mvm_vm *vm, const struct mvm_memslot *slot, u64 at,
		       unsigned int nbits, unsigned long *buf, void __user *from)
{
	const size_t bytes = BITS_TO_LONGS(nbits) * sizeof(long);

	if (copy_from_user(buf, from, bytes))
		return -EFAULT;
	take_marks(slot->dirty + at / BITS_PER_LONG, buf, nbits, false);
	protect(vm, slot->base + at, buf, nbits);
	return 0;
}

typedef int (*piece_fn)(struct mvm_vm *vm, const struct mvm_memslot *slot, u64 at,
			unsigned int nbits, unsigned long *buf, void __user *user);

/* Do @fn for @n frames of @slot from @first on, whose bits are at @user. */
static int do_pieces(struct mvm_vm *vm, const struct mvm_memslot *slot, u64 first, u64 n,
		     void __user *user, piece_fn fn)
{
	unsigned long *buf = (unsigned long *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	u64 done;
	int ret = buf ? 0 : -ENOMEM;

	for (done = 0; done < n && !ret; done += PIECE_BITS)
		ret = fn(vm, slot, first + done, min_t(u64, n - done, PIECE_BITS), buf,
			 user + done / BITS_PER_BYTE);
	free_page((unsigned long)buf);
	return ret;
}

/**
 * mvm_dirty_get() - KVM_GET_DIRTY_LOG
 * @vm: the VM
 * @log: slot id, and where in userspace its bitmap goes, one bit a frame
 *
 * Without manual protection what is reported is clean again, and write-protected on every
 * vCPU; with it nothing changes. Context: may sleep; takes vm->slots_lock.
 * Return: 0; -EINVAL: no slot can have that id; -ENOENT: no such slot, or it has no log;
 * -ENOMEM; -EFAULT: what could not be stored stays dirty.
 */
int mvm_dirty_get(struct mvm_vm *vm, const struct kvm_dirty_log *log)
{
	const struct mvm_memslot *slot;
	int ret;

	mutex_lock(&vm->slots_lock);
	slot = slot_with_log(vm, log->slot);
	ret = PTR_ERR_OR_ZERO(slot);
	if (!ret)
		ret = do_pieces(vm, slot, 0, slot->npages, log->dirty_bitmap, get_piece);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

/* Is the range inside of the slot, in whole words or to the slot's end? */
static bool range_is_valid(const struct mvm_memslot *slot, const struct kvm_clear_dirty_log *log)
{
	if (log->first_page % BITS_PER_LONG || log->first_page > slot->npages ||
	    log->num_pages > slot->npages - log->first_page)
		return false;
	return log->num_pages % BITS_PER_LONG == 0 ||
	       log->num_pages == slot->npages - log->first_page;
}

/**
 * mvm_dirty_clear() - KVM_CLEAR_DIRTY_LOG: make the chosen frames clean
 * @vm: the VM
 * @log: slot id, range of its frames, and userspace's bitmap of those that are meant
 *
 * They are write-protected on every vCPU when it returns. Context: may sleep; takes
 * vm->slots_lock.
 * Return: as mvm_dirty_get(); -EINVAL also for a range outside of the slot, or one that is
 * not in multiples of 64 frames and does not end with the slot.
 */
int mvm_dirty_clear(struct mvm_vm *vm, const struct kvm_clear_dirty_log *log)
{
	const struct mvm_memslot *slot;
	int ret;

	mutex_lock(&vm->slots_lock);
	slot = slot_with_log(vm, log->slot);
	ret = PTR_ERR_OR_ZERO(slot);
	if (!ret && !range_is_valid(slot, log))
		ret = mvm_fail(&vm->reason, -EINVAL,
			       "the range to clear does not fit memory slot %u", log->slot);
	if (!ret)
		ret = do_pieces(vm, slot, log->first_page, log->num_pages, log->dirty_bitmap,
				clear_piece);
	mutex_unlock(&vm->slots_lock);
	return ret;
}
