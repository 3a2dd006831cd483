// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's memory slots: published under SRCU, changed by copy under
 * vm->slots_lock, and the life of a VM's memory as a whole.
 *
 * The arithmetic is slot.c's. A change that takes frames away removes their
 * nested entries while the old slots are still published, so that a notifier
 * finds them there until they are gone.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/processor.h>

#include "../backend.h"
#include "npt.h"

static struct mvm_memslots *slots_alloc(int room)
{
	struct mvm_memslots *slots;
	const size_t size = struct_size(slots, slot, room);

	slots = kvzalloc(size + room * sizeof(*slots->by_hva), GFP_KERNEL_ACCOUNT);
	if (slots)
		slots->by_hva = (void *)slots + size;
	return slots;
}

/**
 * mvm_mmu_vm_init() - a new VM's memory: locks, SRCU, slots (none), nested root and notifier
 * @vm: the VM; its backend and mm, which is the caller's own, are set
 *
 * Context: may sleep; takes vm->mm's mmap_lock.
 * Return: 0, -ENOMEM, or -EINTR: a signal came.
 */
int mvm_mmu_vm_init(struct mvm_vm *vm)
{
	struct mvm_memslots *slots = slots_alloc(0);
	int ret = -ENOMEM;

	mutex_init(&vm->slots_lock);
	spin_lock_init(&vm->mmu_lock);
	if (!slots)
		return ret;
	rcu_assign_pointer(vm->slots, slots);
	ret = init_srcu_struct(&vm->srcu);
	if (ret)
		goto err_free_slots;

	ret = mvm_npt_init(vm);
	if (ret)
		goto err_cleanup_srcu;
	ret = mvm_notifier_attach(vm);
	if (ret)
		goto err_destroy_npt;
	return 0;

err_destroy_npt:
	mvm_npt_destroy(vm);
err_cleanup_srcu:
	cleanup_srcu_struct(&vm->srcu);
err_free_slots:
	RCU_INIT_POINTER(vm->slots, NULL);
	kvfree(slots);
	return ret;
}

/**
 * mvm_mmu_vm_destroy() - reverse of mvm_mmu_vm_init()
 * @vm: the VM; nobody else has it, and no vCPU runs
 *
 * Its vCPUs still exist: until the notifier is detached it takes their fault_lock.
 * Context: may sleep.
 */
void mvm_mmu_vm_destroy(struct mvm_vm *vm)
{
	struct mvm_memslots *slots;
	int i;

	mvm_notifier_detach(vm);
	mvm_npt_destroy(vm);
	cleanup_srcu_struct(&vm->srcu);
	slots = rcu_dereference_protected(vm->slots, true);
	for (i = 0; i < slots->nr; i++)
		kvfree(slots->slot[i].dirty);
	kvfree(slots);
	RCU_INIT_POINTER(vm->slots, NULL);
}

/* The tables' reach and the processor's, whichever is smaller. */
static void slot_limits(struct mvm_vm *vm, struct mvm_slot_limits *limits)
{
	int bits = min_t(int, boot_cpu_data.x86_phys_bits, 12 + 9 * vm->npt_levels);

	*limits = (struct mvm_slot_limits) {
		.max_slots = MVM_MAX_MEMSLOTS,
		.max_gfn = 1ULL << (bits - PAGE_SHIFT),
		.max_hva = TASK_SIZE_MAX,
	};
}

/*
 * Bring the nested entries of a slot that changes in line. Between
 * mvm_inval_begin() and _end() for its memory, so nobody installs any.
 */
static void change_entries(struct mvm_vm *vm, const struct mvm_memslot *old,
			   const struct mvm_memslot *new, enum mvm_slot_change change)
{
	const gfn_t end = old->base + old->npages;

	if (change != MVM_SLOT_LOG || !new->dirty) {
		/* With the log's end this makes room for large leaves, too. */
		mvm_npt_zap(vm, old->base, end, true);
	} else if (!(vm->dirty_manual & KVM_DIRTY_LOG_INITIALLY_SET)) {
		/* Else all is marked: KVM_CLEAR_DIRTY_LOG will protect. */
		if (mvm_npt_protect(vm, old->base, end))
			mvm_npt_flush(vm);
	}
}

/* Called with slots_lock held. */
static int slots_change(struct mvm_vm *vm, struct mvm_memslots *old_slots,
			struct mvm_memslot *new, enum mvm_slot_change change)
{
	const struct mvm_memslot *old = mvm_slot_by_id(old_slots, new->id);
	struct mvm_memslots *slots = slots_alloc(old_slots->nr + 1);
	const hva_t end = old ? mvm_slot_hva_end(old) : 0;

	if (!slots || mvm_dirty_attach(vm, old, new)) {
		kvfree(slots);
		return -ENOMEM;
	}
	mvm_slot_apply(old_slots, slots, new);

	if (old) {
		mvm_inval_begin(vm, old->hva, end);
		change_entries(vm, old, new, change);
	}
	rcu_assign_pointer(vm->slots, slots);
	if (old)
		mvm_inval_end(vm, old->hva, end);

	/* Accesses through the old slots end here: the launcher may reuse the memory. */
	synchronize_srcu_expedited(&vm->srcu);
	if (old && old->dirty != new->dirty)
		kvfree(old->dirty);
	kvfree(old_slots);
	return 0;
}

/**
 * mvm_memslot_set() - KVM_SET_USER_MEMORY_REGION: add, delete or move a slot, or change its flags
 * @vm: the VM; a refusal's sentence goes to its reason
 * @region: as userspace gave it; memory_size 0 deletes
 *
 * When it returns nobody uses the memory through the old slot. Context: any time, also while
 * vCPUs run; may sleep; takes vm->slots_lock.
 * Return: 0; -EINVAL: alignment, flags, range, resizing, nothing to delete; -EEXIST:
 * overlap; -ENOMEM.
 */
int mvm_memslot_set(struct mvm_vm *vm, const struct kvm_userspace_memory_region *region)
{
	enum mvm_slot_change change;
	struct mvm_slot_limits limits;
	struct mvm_memslots *slots;
	struct mvm_memslot new;
	const char *why;
	int ret;

	slot_limits(vm, &limits);
	ret = mvm_slot_check(region, &limits, &new, &why);
	if (ret)
		return mvm_fail(&vm->reason, ret, "memory slot %u: %s", region->slot, why);

	mutex_lock(&vm->slots_lock);
	slots = rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->slots_lock));
	ret = mvm_slot_plan(slots, &new, &change, &why);
	if (ret)
		mvm_fail(&vm->reason, ret, "memory slot %u: %s", region->slot, why);
	else if (change != MVM_SLOT_SAME)
		ret = slots_change(vm, slots, &new, change);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

/**
 * mvm_memslot_get() - a copy of the slot that holds a frame
 * @vm: the VM
 * @gfn: guest frame number
 * @slot: the copy; its bitmap may be used as dirty.c has it
 *
 * Context: holds vm->srcu meanwhile; does not sleep.
 * Return: false where there is no slot.
 */
bool mvm_memslot_get(struct mvm_vm *vm, gfn_t gfn, struct mvm_memslot *slot)
{
	const struct mvm_memslot *found;
	int idx = srcu_read_lock(&vm->srcu);

	found = mvm_slot_by_gfn(srcu_dereference(vm->slots, &vm->srcu), gfn);
	if (found)
		*slot = *found;
	srcu_read_unlock(&vm->srcu, idx);
	return found;
}
