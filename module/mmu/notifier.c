// SPDX-License-Identifier: GPL-2.0-only
/*
 * Following the host's page tables: MMU notifiers, and the begin and end of an
 * invalidation (npt.h has the protocol).
 *
 * The subscription is an object of its own, because the kernel frees it some
 * time after the VM is gone. Its users count says how many callbacks are inside
 * of the VM, so that destroying one waits for those alone.
 */
#include <linux/completion.h>
#include <linux/mmu_notifier.h>
#include <linux/slab.h>

#include "npt.h"

struct mvm_notifier {
	struct mmu_notifier mn;
	struct mvm_vm *vm; /* valid while users is held */
	refcount_t users; /* callbacks inside of the VM, and one until detached */
	struct completion idle; /* users is 0 */
};

/**
 * mvm_inval_begin() - from now on nothing in [start, end) is installed
 * @vm: the VM
 * @start: first address of the launcher
 * @end: one past the last
 *
 * Context: no mmu_lock, no fault_lock; does not sleep.
 */
void mvm_inval_begin(struct mvm_vm *vm, hva_t start, hva_t end)
{
	struct mvm_inval *inval = &vm->inval;

	spin_lock(&vm->mmu_lock);
	if (inval->in_progress) {
		start = min(start, inval->start);
		end = max(end, inval->end);
	}
	WRITE_ONCE(inval->start, start);
	WRITE_ONCE(inval->end, end);
	/* Pairs with the acquire in mvm_inval_pending(): the range before the count. */
	smp_store_release(&inval->in_progress, inval->in_progress + 1);
	spin_unlock(&vm->mmu_lock);

	mvm_wait_for_installers(vm);
}

/**
 * mvm_inval_end() - what is learnt of [start, end) from now on may be installed
 * @vm: the VM
 * @start: first address, as given to mvm_inval_begin()
 * @end: one past the last, likewise
 *
 * Context: as mvm_inval_begin().
 */
void mvm_inval_end(struct mvm_vm *vm, hva_t start, hva_t end)
{
	struct mvm_inval *inval = &vm->inval;
	struct mvm_inval_range *range;

	spin_lock(&vm->mmu_lock);
	range = &inval->last[inval->ended % MVM_INVAL_LAST];
	/* Pairs with mvm_inval_missed(): who reads this range sees that many have ended. */
	smp_wmb();
	WRITE_ONCE(range->start, start);
	WRITE_ONCE(range->end, end);
	/* Pairs with mvm_inval_sample() and _missed(): the slots and the range before it. */
	smp_store_release(&inval->ended, inval->ended + 1);
	/* Pairs with mvm_inval_pending(): the end before the count. */
	smp_store_release(&inval->in_progress, inval->in_progress - 1);
	spin_unlock(&vm->mmu_lock);
}

/**
 * mvm_inval_missed() - has an invalidation of a part of [start, end) ended since the sample?
 * @vm: the VM
 * @start: first address of the launcher
 * @end: one past the last
 * @sample: from mvm_inval_sample()
 *
 * Context: takes no lock; does not sleep.
 * Return: true also where as many have ended as are kept, or more, whichever they were.
 */
bool mvm_inval_missed(struct mvm_vm *vm, hva_t start, hva_t end, unsigned long sample)
{
	const struct mvm_inval *inval = &vm->inval;
	/* Pairs with the release in mvm_inval_end(): the ranges before the number. */
	const unsigned long ended = smp_load_acquire(&inval->ended);
	unsigned long n;

	if (ended - sample >= MVM_INVAL_LAST)
		return true;
	for (n = sample; n != ended; n++) {
		const struct mvm_inval_range *range = &inval->last[n % MVM_INVAL_LAST];

		if (end > READ_ONCE(range->start) && start < READ_ONCE(range->end))
			return true;
	}
	/* Pairs with mvm_inval_end(): was a range replaced while it was looked at? */
	smp_rmb();
	return READ_ONCE(inval->ended) - sample >= MVM_INVAL_LAST;
}

static struct mvm_notifier *to_notifier(struct mmu_notifier *mn)
{
	return container_of(mn, struct mvm_notifier, mn);
}

/* The VM, kept from being destroyed until notifier_put(), or NULL. */
static struct mvm_vm *notifier_get(struct mmu_notifier *mn)
{
	struct mvm_notifier *n = to_notifier(mn);

	return refcount_inc_not_zero(&n->users) ? n->vm : NULL;
}

static void notifier_put(struct mmu_notifier *mn)
{
	struct mvm_notifier *n = to_notifier(mn);

	if (refcount_dec_and_test(&n->users))
		complete(&n->idle);
}

static int notifier_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct mvm_vm *vm = notifier_get(mn);
	const struct mvm_memslots *slots;
	const struct mvm_memslot *slot;
	gfn_t first, last;
	int i, idx;

	if (!vm)
		return 0;

	/* Before the look at the slots: one added meanwhile must not be filled from the range. */
	mvm_inval_begin(vm, range->start, range->end);
	idx = srcu_read_lock(&vm->srcu);
	slots = srcu_dereference(vm->slots, &vm->srcu);
	mvm_for_each_slot_by_hva(i, slot, slots, range->start, range->end) {
		if (mvm_slot_hva_range(slot, range->start, range->end, &first, &last))
			mvm_npt_zap(vm, first, last, mmu_notifier_range_blockable(range));
	}
	srcu_read_unlock(&vm->srcu, idx);
	notifier_put(mn);
	return 0;
}

static void notifier_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct mvm_vm *vm = notifier_get(mn);

	if (!vm)
		return;
	mvm_inval_end(vm, range->start, range->end);
	notifier_put(mn);
}

static int notifier_age(struct mmu_notifier *mn, hva_t start, hva_t end, enum npt_age how)
{
	struct mvm_vm *vm = notifier_get(mn);
	const struct mvm_memslots *slots;
	const struct mvm_memslot *slot;
	gfn_t first, last;
	int i, idx, young = 0;

	if (!vm)
		return 0;

	idx = srcu_read_lock(&vm->srcu);
	slots = srcu_dereference(vm->slots, &vm->srcu);
	mvm_for_each_slot_by_hva(i, slot, slots, start, end) {
		if (mvm_slot_hva_range(slot, start, end, &first, &last))
			young |= mvm_npt_age(vm, first, last, how);
	}
	srcu_read_unlock(&vm->srcu, idx);
	notifier_put(mn);
	return young;
}

static int notifier_clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
				      unsigned long start, unsigned long end)
{
	return notifier_age(mn, start, end, NPT_AGE_CLEAR_FLUSH);
}

static int notifier_clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
				unsigned long start, unsigned long end)
{
	return notifier_age(mn, start, end, NPT_AGE_CLEAR);
}

static int notifier_test_young(struct mmu_notifier *mn, struct mm_struct *mm,
			       unsigned long address)
{
	return notifier_age(mn, address, address + 1, NPT_AGE_TEST);
}

/* The launcher's memory goes: the VM is of no use any more. */
static void notifier_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct mvm_vm *vm = notifier_get(mn);

	if (!vm)
		return;
	WRITE_ONCE(vm->dead, true);
	mvm_vm_request_sync(vm, MVM_REQ_DEAD);
	mvm_inval_begin(vm, 0, ~(hva_t)0);
	mvm_npt_zap_all(vm);
	mvm_inval_end(vm, 0, ~(hva_t)0);
	notifier_put(mn);
}

static void notifier_free(struct mmu_notifier *mn)
{
	kfree(to_notifier(mn));
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = notifier_release,
	.clear_flush_young = notifier_clear_flush_young,
	.clear_young = notifier_clear_young,
	.test_young = notifier_test_young,
	.invalidate_range_start = notifier_start,
	.invalidate_range_end = notifier_end,
	.free_notifier = notifier_free,
};

/**
 * mvm_notifier_attach() - follow vm->mm, which is the caller's own
 * @vm: the VM; its slots, nested root and locks are ready: callbacks may come at once
 *
 * Context: may sleep; takes vm->mm's mmap_lock.
 * Return: 0, -ENOMEM, or -EINTR: a signal came.
 */
int mvm_notifier_attach(struct mvm_vm *vm)
{
	struct mvm_notifier *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!n)
		return -ENOMEM;
	n->mn.ops = &notifier_ops;
	n->vm = vm;
	refcount_set(&n->users, 1);
	init_completion(&n->idle);

	ret = mmu_notifier_register(&n->mn, vm->mm);
	if (ret) {
		kfree(n);
		return ret;
	}
	vm->notifier = n;
	return 0;
}

/**
 * mvm_notifier_detach() - when it returns no callback uses the VM
 * @vm: the VM
 *
 * The subscription itself is freed later, by the kernel. Context: may sleep.
 */
void mvm_notifier_detach(struct mvm_vm *vm)
{
	struct mvm_notifier *n = vm->notifier;

	if (!n)
		return;
	vm->notifier = NULL;
	notifier_put(&n->mn);
	wait_for_completion(&n->idle);
	mmu_notifier_put(&n->mn);
}

/**
 * mvm_mmu_module_exit() - wait until every notifier that was detached is freed
 *
 * Context: module unload, after the last VM; may sleep.
 */
void mvm_mmu_module_exit(void)
{
	mmu_notifier_synchronize();
}
