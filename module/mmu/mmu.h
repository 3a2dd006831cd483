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

/* memslot.c: a VM's life, and its slots */
int mvm_mmu_vm_init(struct mvm_vm *vm);
void mvm_mmu_vm_destroy(struct mvm_vm *vm);
int mvm_memslot_set(struct mvm_vm *vm, const struct kvm_userspace_memory_region *region);

/* notifier.c */
void mvm_mmu_module_exit(void);

/* dirty.c */
int mvm_dirty_get(struct mvm_vm *vm, const struct kvm_dirty_log *log);
int mvm_dirty_clear(struct mvm_vm *vm, const struct kvm_clear_dirty_log *log);
/* What KVM_ENABLE_CAP of KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 may ask for. */
#define MVM_DIRTY_MANUAL_FLAGS (KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET)
int mvm_dirty_set_manual(struct mvm_vm *vm, u64 flags);

/* What mvm_mmu_fault() found. */
enum mvm_fault_result {
	MVM_FAULT_FIXED, /* mapped (or raced): enter again */
	MVM_FAULT_MMIO, /* no slot there, or a write to a readonly slot: emulate */
	MVM_FAULT_SLEEPS, /* mvm_mmu_fault_fast() only: nothing done, call mvm_mmu_fault() */
};

/* fault.c: enum mvm_fault_result, or -errno */
int mvm_mmu_fault(struct mvm_vcpu *vcpu, gpa_t gpa, u32 access);
int mvm_mmu_fault_fast(struct mvm_vcpu *vcpu, gpa_t gpa, u32 access);

/* guest.c: checked access to guest memory, through the launcher's mapping */
int mvm_gpa_read(struct mvm_vm *vm, gpa_t gpa, void *buf, size_t len);
int mvm_gpa_write(struct mvm_vm *vm, gpa_t gpa, const void *buf, size_t len);
int mvm_gpa_cmpxchg_u8(struct mvm_vm *vm, gpa_t gpa, u8 *old, u8 new, bool may_sleep);
int mvm_gpa_cmpxchg(struct mvm_vm *vm, gpa_t gpa, u64 old, u64 new, unsigned int size);

void mvm_walk_init(struct mvm_vcpu *vcpu, struct mvm_walk *walk);
int mvm_walk_gva(struct mvm_vm *vm, const struct mvm_walk *walk, gva_t gva, u32 access,
		 gpa_t *gpa, struct mvm_fault *fault);
int mvm_gva_read(struct mvm_vcpu *vcpu, gva_t gva, void *buf, size_t len, u32 access,
		 struct mvm_fault *fault);
int mvm_gva_write(struct mvm_vcpu *vcpu, gva_t gva, const void *buf, size_t len, u32 access,
		  struct mvm_fault *fault);
int mvm_load_pdptrs(struct mvm_vcpu *vcpu, u64 cr3);

#endif
