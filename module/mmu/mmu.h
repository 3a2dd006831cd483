/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory: slots, nested page tables, MMU notifiers, checked guest access.
 *
 * Slots point at the launcher's addresses (struct mvm_memslot); nested entries
 * are filled on demand through get_user_pages and follow the MMU notifiers.
 * Nothing is pinned. Generic code works on guest frame ranges; entry bits come
 * from the backend's struct mvm_npt_format.
 */
#ifndef MVM_MMU_H
#define MVM_MMU_H

#include "../mvm.h"
#include "slot.h"
#include "walk.h"

/*
 * A VM's life. Init: vm->backend and vm->mm (the caller's own) are set; makes
 * vm->srcu, the locks, slots, nested root and notifier. Destroy: no vCPU runs
 * and nobody else has the VM, but its vCPUs still exist: until the notifier is
 * detached it takes their fault_lock. May sleep.
 */
int mvm_mmu_vm_init(struct mvm_vm *vm);
void mvm_mmu_vm_destroy(struct mvm_vm *vm);
/* At module unload, after the last VM: waits for what destroy left to the background. */
void mvm_mmu_module_exit(void);

/**
 * mvm_memslot_set() - KVM_SET_USER_MEMORY_REGION
 * Add, delete, move, re-flag; any time, also while vCPUs run. May sleep.
 * Return: 0, -EINVAL (alignment, flags, range, resizing), -EEXIST (overlap), -ENOMEM.
 */
int mvm_memslot_set(struct mvm_vm *vm, const struct kvm_userspace_memory_region *region);

/**
 * mvm_dirty_get() - KVM_GET_DIRTY_LOG
 * Without manual protection what is reported is clean again, and write-protected.
 * Return: 0, -EINVAL (slot id), -ENOENT (no slot, or no log), -ENOMEM, -EFAULT
 * (what could not be stored stays dirty). May sleep.
 */
int mvm_dirty_get(struct mvm_vm *vm, const struct kvm_dirty_log *log);
/**
 * mvm_dirty_clear() - KVM_CLEAR_DIRTY_LOG: make the chosen frames clean
 * Return: as mvm_dirty_get(); -EINVAL for a range outside the slot, or one that is
 * not a multiple of 64 frames and does not end with the slot.
 */
int mvm_dirty_clear(struct mvm_vm *vm, const struct kvm_clear_dirty_log *log);
/* What KVM_ENABLE_CAP of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 may ask for. */
#define MVM_DIRTY_MANUAL_FLAGS (KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET)
/* The capability: 0, or -EINVAL for flags it does not know. */
int mvm_dirty_set_manual(struct mvm_vm *vm, u64 flags);

/* What mvm_mmu_fault() found. */
enum mvm_fault_result {
	MVM_FAULT_FIXED, /* mapped (or raced): enter again */
	MVM_FAULT_MMIO, /* no slot there, or a write to a readonly slot: emulate */
	MVM_FAULT_SLEEPS, /* mvm_mmu_fault_fast() only: nothing done, call mvm_mmu_fault() */
};

/**
 * mvm_mmu_fault() - make a guest physical address present
 * @access: MVM_ACCESS_READ, _WRITE, _EXEC
 *
 * Return: enum mvm_fault_result, -EFAULT (bad host mapping; the instruction can be
 * restarted), -EHWPOISON, -EINTR (a fatal or other signal wants attention),
 * -ENOMEM. Context: the vCPU's thread; may sleep.
 */
int mvm_mmu_fault(struct mvm_vcpu *vcpu, gpa_t gpa, u32 access);
/* The same for a page that the launcher has mapped just now. Does not sleep; interrupts on. */
int mvm_mmu_fault_fast(struct mvm_vcpu *vcpu, gpa_t gpa, u32 access);

/*
 * Checked access to guest physical memory, through the launcher's mapping. The
 * range may cross pages and slots. 0 or -EFAULT (no slot, readonly, unmapped).
 * Context: a thread of vm->mm; may sleep.
 */
int mvm_gpa_read(struct mvm_vm *vm, gpa_t gpa, void *buf, size_t len);
int mvm_gpa_write(struct mvm_vm *vm, gpa_t gpa, const void *buf, size_t len);
/*
 * The same for what the launcher has mapped just now (-EFAULT: try again where
 * sleeping is allowed). For the small, frequent writes of paravirtual services:
 * follows slots, notifiers and the dirty log like the others, so nothing needs to
 * be kept but the address. Context: a thread of vm->mm; preemption, interrupts
 * and page faults may be off.
 */
int mvm_gpa_read_nofault(struct mvm_vm *vm, gpa_t gpa, void *buf, size_t len);
int mvm_gpa_write_nofault(struct mvm_vm *vm, gpa_t gpa, const void *buf, size_t len);

/*
 * One locked exchange of a byte: @new where it was *@old. 0; 1 where it was another,
 * which is in *@old then; -EFAULT. Without @may_sleep from any context of a thread
 * of vm->mm, and -EFAULT also means that the page is not there at the moment.
 */
int mvm_gpa_cmpxchg_u8(struct mvm_vm *vm, gpa_t gpa, u8 *old, u8 new, bool may_sleep);

/*
 * One locked compare-and-exchange of 1 to 8 bytes. 0; 1: the memory was not @old;
 * -EFAULT as above; -EINVAL: there is memory, but not for this size or alignment.
 */
int mvm_gpa_cmpxchg(struct mvm_vm *vm, gpa_t gpa, u64 old, u64 new, unsigned int size);

/* Fill @walk from the vCPU's registers. Context: the vCPU's thread. */
void mvm_walk_init(struct mvm_vcpu *vcpu, struct mvm_walk *walk);

/**
 * mvm_walk_gva() - translate a linear address as the processor would
 * mvm_walk() on the VM's memory: same arguments, same return values. May sleep.
 */
int mvm_walk_gva(struct mvm_vm *vm, const struct mvm_walk *walk, gva_t gva, u32 access,
		 gpa_t *gpa, struct mvm_fault *fault);

/*
 * The same for a range of guest virtual memory of the vCPU, page by page, then
 * access it. MMIO is not memory: -EFAULT. Return as mvm_walk_gva().
 */
int mvm_gva_read(struct mvm_vcpu *vcpu, gva_t gva, void *buf, size_t len, u32 access,
		 struct mvm_fault *fault);
int mvm_gva_write(struct mvm_vcpu *vcpu, gva_t gva, const void *buf, size_t len, u32 access,
		  struct mvm_fault *fault);

/* Read the four PAE directory pointers at CR3; -EINVAL where the processor would #GP. May sleep. */
int mvm_load_pdptrs(struct mvm_vcpu *vcpu, u64 cr3);

#endif
