// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checked access to guest memory, by guest physical and by linear address.
 *
 * Every access goes through the slots and the launcher's own mapping, from a
 * thread of vm->mm that may sleep. The walk of the guest's tables is walk.c's;
 * this file gives it memory.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include <linux/uaccess.h>

#include <asm/processor-flags.h>

#include "../backend.h"
#include "npt.h"

/* Where a piece of guest memory is in the launcher, and how much follows in the same slot. */
struct place {
	const struct mvm_memslot *slot;
	void __user *user;
	gfn_t gfn;
	u64 room;
};

/* Called with vm->srcu held; false where there is no slot, or none for writing. */
static bool find_place(struct mvm_vm *vm, gpa_t gpa, bool write, struct place *place)
{
	const struct mvm_memslot *slot;
	u64 offset;

	if (current->mm != vm->mm)
		return false;
	slot = mvm_slot_by_gfn(srcu_dereference(vm->slots, &vm->srcu), gpa >> PAGE_SHIFT);
	if (!slot || (write && (slot->flags & KVM_MEM_READONLY)))
		return false;
	offset = gpa - (slot->base << PAGE_SHIFT);
	*place = (struct place) {
		.slot = slot,
		.user = (void __user *)(slot->hva + offset),
		.gfn = gpa >> PAGE_SHIFT,
		.room = (slot->npages << PAGE_SHIFT) - offset,
	};
	return true;
}

static int copy_piece(const struct place *place, void *buf, size_t len, bool write)
{
	unsigned long left = write ? copy_to_user(place->user, buf, len) :
				     copy_from_user(buf, place->user, len);

	return left ? -EFAULT : 0;
}

static int gpa_copy(struct mvm_vm *vm, gpa_t gpa, void *buf, size_t len, bool write)
{
	int idx = srcu_read_lock(&vm->srcu);
	int ret = 0;

	while (len && !ret) {
		struct place place;
		size_t n;

		if (!find_place(vm, gpa, write, &place)) {
			ret = -EFAULT;
			break;
		}
		n = min_t(u64, len, place.room);
		ret = copy_piece(&place, buf, n, write);
		/* Also what was written before a failure. */
		if (write)
			mvm_dirty_mark(place.slot, place.gfn, (gpa + n - 1) >> PAGE_SHIFT);
		gpa += n;
		buf += n;
		len -= n;
	}
	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

/**
 * mvm_gpa_read() - read guest physical memory through the launcher's mapping
 * @vm: the VM
 * @gpa: guest physical address
 * @buf: where to
 * @len: bytes; the range may cross pages and slots
 *
 * Context: a thread of vm->mm; may sleep, or has page faults disabled.
 * Return: 0; -EFAULT: no slot, not mapped, or another thread; @buf may be filled in part.
 */
int mvm_gpa_read(struct mvm_vm *vm, gpa_t gpa, void *buf, size_t len)
{
	return gpa_copy(vm, gpa, buf, len, false);
}

/**
 * mvm_gpa_write() - write guest physical memory through the launcher's mapping
 * @vm: the VM
 * @gpa: guest physical address
 * @buf: where from
 * @len: bytes; the range may cross pages and slots
 *
 * Marks the frames in the dirty log. Context: as mvm_gpa_read().
 * Return: 0; -EFAULT, also for a readonly slot; what comes before the failure may be
 * written.
 */
int mvm_gpa_write(struct mvm_vm *vm, gpa_t gpa, const void *buf, size_t len)
{
	return gpa_copy(vm, gpa, (void *)buf, len, true);
}

/* One locked exchange on the launcher's memory: 0, 1 (it was not @old) or -EFAULT. */
#define DEFINE_USER_CMPXCHG(type)						\
static int user_cmpxchg_##type(void __user *user, u64 old, u64 new)		\
{										\
	type expected = old;							\
	bool same;								\
										\
	if (!user_access_begin(user, sizeof(type)))				\
		return -EFAULT;							\
	same = unsafe_try_cmpxchg_user((type __user *)user, &expected,		\
				       (type)new, fault);			\
	user_access_end();							\
	return !same;								\
fault:										\
	user_access_end();							\
	return -EFAULT;								\
}

DEFINE_USER_CMPXCHG(u8)
DEFINE_USER_CMPXCHG(u16)
DEFINE_USER_CMPXCHG(u32)
DEFINE_USER_CMPXCHG(u64)

static int user_cmpxchg(void __user *user, int size, u64 old, u64 new)
{
	switch (size) {
	case 1:
		return user_cmpxchg_u8(user, old, new);
	case 2:
		return user_cmpxchg_u16(user, old, new);
	case 4:
		return user_cmpxchg_u32(user, old, new);
	default:
		return user_cmpxchg_u64(user, old, new);
	}
}

/**
 * mvm_gpa_cmpxchg() - one locked compare-and-exchange of guest physical memory
 * @vm: the VM
 * @gpa: guest physical address
 * @old: what has to be there
 * @new: what is to be there then; marked in the dirty log
 * @size: bytes: 1, 2, 4 or 8
 *
 * Context: a thread of vm->mm; may sleep.
 * Return: 0; 1: the memory was not @old; -EFAULT: no slot, readonly, or not mapped; -EINVAL:
 * there is memory, but not for this size, or it crosses a cache line.
 */
int mvm_gpa_cmpxchg(struct mvm_vm *vm, gpa_t gpa, u64 old, u64 new, unsigned int size)
{
	int idx = srcu_read_lock(&vm->srcu);
	struct place place;
	int ret = -EFAULT;

	if (find_place(vm, gpa, true, &place)) {
		/* Across cache lines it would lock the bus, which the host may forbid. */
		if (size > 8 || (gpa & (SMP_CACHE_BYTES - 1)) + size > SMP_CACHE_BYTES)
			ret = -EINVAL;
		else
			ret = user_cmpxchg(place.user, size, old, new);
		if (!ret)
			mvm_dirty_mark(place.slot, place.gfn, place.gfn);
	}
	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

/* --------------------------------- memory for the walk; vm->srcu is held: mvm_walk_gva() */

static int walk_read(void *mem, gpa_t gpa, int size, u64 *entry)
{
	struct place place;
	u32 low;
	int ret;

	if (!find_place(mem, gpa, false, &place))
		return -EFAULT;
	if (size == 8)
		return get_user(*entry, (u64 __user *)place.user);
	ret = get_user(low, (u32 __user *)place.user);
	*entry = low;
	return ret;
}

/**
 * mvm_gpa_cmpxchg_u8() - one locked compare-and-exchange of a byte of guest physical memory
 * @vm: the VM
 * @gpa: guest physical address
 * @old: what has to be there; out, on 1: what is
 * @new: what is to be there then
 * @may_sleep: wait for a page that is not there at the moment
 *
 * Context: a thread of vm->mm; any without @may_sleep.
 * Return: 0; 1: the byte was not @old; -EFAULT: no slot, readonly, not mapped, or not at the
 * moment.
 */
int mvm_gpa_cmpxchg_u8(struct mvm_vm *vm, gpa_t gpa, u8 *old, u8 new, bool may_sleep)
{
	int idx = srcu_read_lock(&vm->srcu);
	struct place place;
	int ret = -EFAULT;

	if (!find_place(vm, gpa, true, &place))
		goto out;
	if (!may_sleep)
		pagefault_disable();
	if (user_access_begin(place.user, sizeof(new))) {
		ret = 1;
		if (unsafe_try_cmpxchg_user((u8 __user *)place.user, old, new, fault))
			ret = 0;
		goto end;
fault:
		ret = -EFAULT;
end:
		user_access_end();
	}
	if (!may_sleep)
		pagefault_enable();
	mvm_dirty_mark(place.slot, place.gfn, place.gfn);
out:
	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

static int walk_replace(void *mem, gpa_t gpa, int size, u64 old, u64 new)
{
	struct place place;
	int ret;

	/* Tables in a readonly slot keep the bits they have. */
	if (!find_place(mem, gpa, true, &place))
		return 0;
	ret = user_cmpxchg(place.user, size, old, new);
	mvm_dirty_mark(place.slot, place.gfn, place.gfn);
	return ret;
}

static const struct mvm_walk_ops walk_ops = {
	.read = walk_read,
	.replace = walk_replace,
};

/* ------------------------------------------------------------ linear addresses */

/**
 * mvm_walk_init() - what a translation by the vCPU's present registers depends on
 * @vcpu: the vCPU
 * @walk: filled; its PAE pointers are the vCPU's own, not a copy
 *
 * Fetches RIP's group, the control registers and the pointers where they matter.
 * Context: the vCPU's thread, vcpu->lock held.
 */
void mvm_walk_init(struct mvm_vcpu *vcpu, struct mvm_walk *walk)
{
	bool pdptrs;

	mvm_state_get(vcpu, MVM_STATE_RIP | MVM_STATE_CR);
	pdptrs = vcpu->vm->backend->caps->has_pdptrs && (vcpu->cr4 & X86_CR4_PAE) &&
		 !(vcpu->efer & EFER_LMA);
	if (pdptrs)
		mvm_state_get(vcpu, MVM_STATE_PDPTR);
	*walk = (struct mvm_walk) {
		.cr0 = vcpu->cr0,
		.cr3 = vcpu->cr3,
		.cr4 = vcpu->cr4,
		.efer = vcpu->efer,
		.pdptr = pdptrs ? vcpu->pdptr : NULL,
		.ac = vcpu->rflags & X86_EFLAGS_AC,
		.pkru = vcpu->guest_pkru,
		.rsvd_phys = vcpu->maxphyaddr_rsvd,
	};
}

/**
 * mvm_walk_gva() - mvm_walk() on the VM's memory
 * @vm: the VM
 * @walk: the paging mode
 * @gva: linear address
 * @access: MVM_ACCESS_*
 * @gpa: the physical address
 * @fault: on 1, the fault to raise
 *
 * Context: a thread of vm->mm; may sleep, or has page faults disabled.
 * Return: as mvm_walk(); -EFAULT also for a table that is not mapped.
 */
int mvm_walk_gva(struct mvm_vm *vm, const struct mvm_walk *walk, gva_t gva, u32 access,
		 gpa_t *gpa, struct mvm_fault *fault)
{
	int idx = srcu_read_lock(&vm->srcu);
	int ret = mvm_walk(walk, &walk_ops, vm, gva, access, gpa, fault);

	srcu_read_unlock(&vm->srcu, idx);
	return ret;
}

static size_t rest_of_page(gva_t gva, size_t len)
{
	return min_t(size_t, len, PAGE_SIZE - offset_in_page(gva));
}

/**
 * mvm_gva_read() - read the vCPU's linear addresses
 * @vcpu: the vCPU
 * @gva: linear address
 * @buf: where to
 * @len: bytes; translated page by page
 * @access: MVM_ACCESS_*
 * @fault: on 1, the fault to raise
 *
 * Context: the vCPU's thread; may sleep, or has page faults disabled.
 * Return: 0; 1 with @fault filled; -EFAULT, also for device memory. @buf may be filled in
 * part.
 */
int mvm_gva_read(struct mvm_vcpu *vcpu, gva_t gva, void *buf, size_t len, u32 access,
		 struct mvm_fault *fault)
{
	struct mvm_walk walk;
	int ret = 0;

	mvm_walk_init(vcpu, &walk);
	while (len && !ret) {
		size_t n = rest_of_page(gva, len);
		gpa_t gpa;

		ret = mvm_walk_gva(vcpu->vm, &walk, gva, access, &gpa, fault);
		if (!ret)
			ret = mvm_gpa_read(vcpu->vm, gpa, buf, n);
		gva += n;
		buf += n;
		len -= n;
	}
	return ret;
}

/* Would every page of the range take a write? Return as mvm_walk_gva(). */
static int gva_check_write(struct mvm_vcpu *vcpu, const struct mvm_walk *walk, gva_t gva,
			   size_t len, u32 access, struct mvm_fault *fault)
{
	int ret = 0;

	while (len && !ret) {
		size_t n = rest_of_page(gva, len);
		gpa_t gpa;

		ret = mvm_walk_gva(vcpu->vm, walk, gva, access, &gpa, fault);
		gva += n;
		len -= n;
	}
	return ret;
}

/**
 * mvm_gva_write() - write to the vCPU's linear addresses
 * @vcpu: the vCPU
 * @gva: linear address
 * @buf: where from
 * @len: bytes; translated page by page
 * @access: MVM_ACCESS_*; MVM_ACCESS_WRITE is added
 * @fault: on 1, the fault to raise
 *
 * Every page is translated before the first is written, so that a fault on the second leaves
 * the first as it was. Context: as mvm_gva_read().
 * Return: 0; 1 with @fault filled; -EFAULT, also for device memory.
 */
int mvm_gva_write(struct mvm_vcpu *vcpu, gva_t gva, const void *buf, size_t len, u32 access,
		  struct mvm_fault *fault)
{
	struct mvm_walk walk;
	int ret = 0;

	mvm_walk_init(vcpu, &walk);
	access |= MVM_ACCESS_WRITE;
	/* A fault on the second page must leave the first unwritten. */
	if (rest_of_page(gva, len) < len)
		ret = gva_check_write(vcpu, &walk, gva, len, access, fault);
	while (len && !ret) {
		size_t n = rest_of_page(gva, len);
		gpa_t gpa;

		ret = mvm_walk_gva(vcpu->vm, &walk, gva, access, &gpa, fault);
		if (!ret)
			ret = mvm_gpa_write(vcpu->vm, gpa, buf, n);
		gva += n;
		buf += n;
		len -= n;
	}
	return ret;
}

/**
 * mvm_load_pdptrs() - load the four PAE directory pointers, as a load of CR3 does
 * @vcpu: the vCPU; its MVM_STATE_PDPTR becomes dirty
 * @cr3: bits 31:5 are the table's address
 *
 * "PDPTE Registers". Context: the vCPU's thread; may sleep.
 * Return: 0; -EINVAL: a reserved bit is set (#GP), or the table lies outside of memory.
 */
int mvm_load_pdptrs(struct mvm_vcpu *vcpu, u64 cr3)
{
	u64 pdptr[4];

	/* The table is 32-byte aligned: bits 31:5 of CR3. */
	if (mvm_gpa_read(vcpu->vm, cr3 & 0xffffffe0, pdptr, sizeof(pdptr)))
		return -EINVAL;
	if (!mvm_walk_pdptrs_valid(pdptr, vcpu->maxphyaddr_rsvd))
		return -EINVAL;
	mvm_state_modify(vcpu, MVM_STATE_PDPTR);
	memcpy(vcpu->pdptr, pdptr, sizeof(pdptr));
	return 0;
}
