/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam: how a vCPU runs. One const table a backend, at the end of its main
 * file; nothing outside a backend's folder knows its hardware structures.
 *
 * A backend decodes, generic code decides: vcpu_run() enters, and again after each
 * exit that mvm_quick_exit() has answered (quick.h); the last exit is turned into a
 * struct mvm_exit while the hardware's structure is still loaded. The loop, the
 * events' order, CPUID, MSR and CR policy and memory are the callers'.
 */
#ifndef MVM_BACKEND_H
#define MVM_BACKEND_H

#include "mvm.h"

/**
 * struct mvm_npt_format - the entry format of the nested page tables
 * @levels: table levels (4 or 5), decided at setup
 * @table: bits of a non-leaf entry besides the address
 * @leaf: bits of every leaf besides address and rights (memory type write-back, ...)
 * @read: leaf right; also the bit that says present (with EPT: read)
 * @write: leaf right
 * @exec: leaf right that allows (EPT), 0 where @noexec forbids
 * @noexec: leaf bit that forbids execution (NPT), 0 where @exec allows
 * @large: marks a 2 MiB or 1 GiB leaf
 * @accessed: set by hardware on use, 0 where the hardware does not
 * @dirty: likewise on write
 * @nonpresent: bits of every non-present entry: an address above real memory
 *	(L1TF), 0 where the processor does not need it
 * @enc_mask: the host's memory encryption mask (SME), or 0
 * @has_1g: 1 GiB leaves exist
 */
struct mvm_npt_format {
	int levels;
	u64 table;
	u64 leaf;
	u64 read, write, exec, noexec;
	u64 large, accessed, dirty;
	u64 nonpresent;
	u64 enc_mask;
	bool has_1g;
};

/**
 * struct mvm_inject - what the next entry delivers, and what it asks to be told
 * @event: event to deliver at entry (type NONE: none)
 * @irq_window: exit as soon as the guest can take an interrupt
 * @nmi_window: exit as soon as the guest can take an NMI
 */
struct mvm_inject {
	struct mvm_event event;
	bool irq_window;
	bool nmi_window;
};

/**
 * struct mvm_backend_caps - what a backend has, filled by setup()
 * @npt: entry format of its nested page tables
 * @has_pdptrs: PAE paging uses directory pointers loaded with CR3 (vcpu->pdptr is
 *	current after get_state(MVM_STATE_PDPTR)); else every walk reads them in memory
 * @deadline: it ends the guest's stay with MVM_EXIT_PREEMPTED at vcpu->deadline
 * @features: for the load line, such as "npt nrips flushbyasid"
 */
struct mvm_backend_caps {
	struct mvm_npt_format npt;
	bool has_pdptrs;
	bool deadline;
	char features[128];
};

/* cpu_enable()'s answer besides 0 (we own it now) and -errno. */
#define MVM_HW_BORROWED 1

/**
 * struct mvm_backend - one way to run a vCPU
 *
 * @name: short name of the backend, for messages
 * @caps: filled by @setup
 * @setup: can this processor do it? Reads capability registers, allocates
 *	per-CPU areas; enables nothing. 0 or -errno with the sentence in @reason.
 *	Module load; may sleep.
 * @teardown: reverse of @setup.
 * @cpu_enable: turn virtualization on, on this CPU. 0: on, and ours. MVM_HW_BORROWED:
 *	another owner has it on and it can be borrowed. -EBUSY: another owner and
 *	it cannot be shared. -EIO: refused by the hardware (the reason in @reason).
 *	Interrupts off, on the CPU.
 * @cpu_disable: reverse, only called where cpu_enable() returned 0. Also drops
 *	everything of ours that the CPU still caches (VMCLEAR of all active
 *	structures). Interrupts off, on the CPU.
 * @emergency_disable: the same from the crash path: no locks, NMI-safe.
 * @vcpu_create: allocate (the backend's struct with struct mvm_vcpu first),
 *	zeroed, hardware areas allocated and initialised. Called before the
 *	generic fields are set up but with vcpu->vm, id and index set. ERR_PTR. May sleep.
 * @vcpu_destroy: reverse; the vCPU runs nowhere. May sleep.
 * @vcpu_load: the vCPU will run on this CPU: take the host's MSRs that the guest's
 *	replace (save what is found), load the guest's. Preemption off until @vcpu_put.
 * @vcpu_put: reverse: guest MSRs saved into vcpu->msr (and marked available),
 *	exactly the found host values restored, GDT/IDT/TSS limits mended.
 * @vcpu_run: flush vcpu->dirty, enter, capture the exit into @exit and
 *	vcpu (MVM_STATE_RIP available, changed groups dropped from vcpu->avail).
 *	Interrupts off in and out; GUEST XCR0, PKRU and DR0-3 are already loaded by
 *	the caller. The noinstr part brackets the entry with mvm_guest_state_enter()
 *	and mvm_guest_state_exit() (guestmode.h). A host NMI or #MC that caused the
 *	exit has been delivered when it returns. MVM_EXIT_LOST: no entry took place.
 * @get_state: copy the groups of @mask (MVM_STATE_*) from the hardware's structure
 *	into the vCPU's fields; sets them in vcpu->avail. Any context of the vCPU's
 *	thread, loaded or not, preemptible or not.
 * @load_events: put what is to be injected and the windows in place. Between
 *	vcpu_load and vcpu_put, interrupts off, right before @vcpu_run.
 * @tlb_flush: forget this vCPU's cached translations; @nested: the nested ones too
 *	(else guest-virtual only). Takes effect at the next entry. Between
 *	vcpu_load and vcpu_put.
 */
struct mvm_backend {
	const char *name;
	struct mvm_backend_caps *caps;
	int (*setup)(struct mvm_reason *reason);
	void (*teardown)(void);
	int (*cpu_enable)(struct mvm_reason *reason);
	void (*cpu_disable)(void);
	void (*emergency_disable)(void);
	struct mvm_vcpu *(*vcpu_create)(struct mvm_vm *vm, u32 id, u32 index);
	void (*vcpu_destroy)(struct mvm_vcpu *vcpu);
	void (*vcpu_load)(struct mvm_vcpu *vcpu);
	void (*vcpu_put)(struct mvm_vcpu *vcpu);
	void (*vcpu_run)(struct mvm_vcpu *vcpu, struct mvm_exit *exit);
	void (*get_state)(struct mvm_vcpu *vcpu, u32 mask);
	void (*load_events)(struct mvm_vcpu *vcpu, const struct mvm_inject *inject);
	void (*tlb_flush)(struct mvm_vcpu *vcpu, bool nested);
};

extern const struct mvm_backend mvm_svm_backend;
extern const struct mvm_backend mvm_vmx_backend;

#endif
