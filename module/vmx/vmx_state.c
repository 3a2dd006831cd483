// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest state between struct mvm_vcpu and the VMCS: fetch() reads groups that the
 * guest may have changed, flush() writes the dirty ones before an entry, inject()
 * puts an event and the windows in place.
 *
 * The vCPU's RIP group is current after every exit, so flush() compares it with
 * what the VMCS holds instead of looking at the dirty mask.
 */
#include <linux/cpu.h>

#include <asm/cpufeatures.h>
#include <uapi/asm/debugreg.h>
#include <asm/msr.h>
#include <asm/traps.h>

#include "../hw.h"
#include "vmx.h"
#include "vmx_insn.h"

/* ---------------------------------------------------------------- segments */

struct vmx_seg_fields {
	u32 selector, base, limit, ar;
};

#define SEG_FIELDS(name)                                                          \
	[MVM_SEG_##name] = { GUEST_##name##_SELECTOR, GUEST_##name##_BASE,        \
			     GUEST_##name##_LIMIT, GUEST_##name##_AR_BYTES }

static const struct vmx_seg_fields seg_fields[MVM_NR_SEGS] = {
	SEG_FIELDS(ES), SEG_FIELDS(CS), SEG_FIELDS(SS), SEG_FIELDS(DS),
	SEG_FIELDS(FS), SEG_FIELDS(GS), SEG_FIELDS(LDTR), SEG_FIELDS(TR),
};

static void fetch_seg(struct mvm_vcpu *vcpu, enum mvm_segreg n)
{
	const struct vmx_seg_fields *f = &seg_fields[n];
	struct kvm_segment *seg = &vcpu->seg[n];
	u32 ar = __vmx_read(f->ar);

	seg->selector = __vmx_read(f->selector);
	seg->base = __vmx_read(f->base);
	seg->limit = __vmx_read(f->limit);
	seg->type = ar & VMX_AR_TYPE_MASK;
	seg->s = !!(ar & VMX_AR_S_MASK);
	seg->dpl = VMX_AR_DPL(ar);
	seg->present = !!(ar & VMX_AR_P_MASK);
	seg->avl = !!(ar & BIT(12));
	seg->l = !!(ar & VMX_AR_L_MASK);
	seg->db = !!(ar & VMX_AR_DB_MASK);
	seg->g = !!(ar & VMX_AR_G_MASK);
	seg->unusable = !!(ar & VMX_AR_UNUSABLE_MASK);
	/* An unusable segment keeps its rights in the VMCS, but is not there. */
	if (seg->unusable)
		seg->present = 0;
	seg->padding = 0;
}

static u32 seg_rights(const struct kvm_segment *seg, enum mvm_segreg n)
{
	u32 type = seg->type;
	u32 ar;

	/* The CPL is SS's DPL, also while SS is unusable. */
	ar = (u32)(seg->dpl & 3) << VMX_AR_DPL_SHIFT;
	if (seg->unusable || !seg->present)
		return ar | VMX_AR_UNUSABLE_MASK;
	/* A loaded code or data segment is accessed, a loaded TSS busy. */
	if (n <= MVM_SEG_GS)
		type |= VMX_AR_TYPE_ACCESSES_MASK;
	else if (n == MVM_SEG_TR)
		type |= 2;
	ar |= type & VMX_AR_TYPE_MASK;
	ar |= VMX_AR_P_MASK;
	if (seg->s)
		ar |= VMX_AR_S_MASK;
	if (seg->avl)
		ar |= BIT(12);
	if (seg->l)
		ar |= VMX_AR_L_MASK;
	if (seg->db)
		ar |= VMX_AR_DB_MASK;
	if (seg->g)
		ar |= VMX_AR_G_MASK;
	return ar;
}

static void flush_seg(const struct mvm_vcpu *vcpu, enum mvm_segreg n)
{
	const struct vmx_seg_fields *f = &seg_fields[n];
	const struct kvm_segment *seg = &vcpu->seg[n];

	__vmx_write(f->selector, seg->selector);
	__vmx_write(f->base, seg->base);
	__vmx_write(f->limit, seg->limit);
	__vmx_write(f->ar, seg_rights(seg, n));
}

/* MVM_STATE_CS is CS and SS, MVM_STATE_SEG the others. */
static bool in_group(enum mvm_segreg n, u32 mask)
{
	if (n == MVM_SEG_CS || n == MVM_SEG_SS)
		return mask & MVM_STATE_CS;
	return mask & MVM_STATE_SEG;
}

/* ------------------------------------------------------------------- fetch */

static void fetch_cr(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;

	vcpu->cr0 = (vmx_read(GUEST_CR0) & VMX_CR0_GUEST_OWNED) |
		    (vcpu->cr0 & ~VMX_CR0_GUEST_OWNED);
	vcpu->cr3 = vmx_read(GUEST_CR3);
	vcpu->cr4 = (vmx_read(GUEST_CR4) & vmx->hw.cr4_owned) |
		    (vcpu->cr4 & ~vmx->hw.cr4_owned);
}

/**
 * mvm_vmx_fetch() - read groups that the guest may have changed out of the VMCS
 * @vmx: the vCPU
 * @mask: MVM_STATE_* groups; those of VMX_LAZY_STATE that are not available are read and become so
 *
 * KERNEL_GS_BASE comes from the processor while the vCPU is loaded. Context: inside the
 * bracket, interrupts off.
 */
void mvm_vmx_fetch(struct vmx_vcpu *vmx, u32 mask)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	int n;

	mask &= VMX_LAZY_STATE & ~vcpu->avail;
	if (mask & MVM_STATE_CS) {
		fetch_seg(vcpu, MVM_SEG_CS);
		fetch_seg(vcpu, MVM_SEG_SS);
	}
	if (mask & MVM_STATE_SEG)
		for (n = 0; n < MVM_NR_SEGS; n++)
			if (in_group(n, MVM_STATE_SEG))
				fetch_seg(vcpu, n);
	if (mask & MVM_STATE_DT) {
		vcpu->gdt.base = vmx_read(GUEST_GDTR_BASE);
		vcpu->gdt.limit = vmx_read32(GUEST_GDTR_LIMIT);
		vcpu->idt.base = vmx_read(GUEST_IDTR_BASE);
		vcpu->idt.limit = vmx_read32(GUEST_IDTR_LIMIT);
	}
	if (mask & MVM_STATE_CR)
		fetch_cr(vmx);
	if (mask & MVM_STATE_PDPTR) {
		vcpu->pdptr[0] = vmx_read64(GUEST_PDPTR0);
		vcpu->pdptr[1] = vmx_read64(GUEST_PDPTR1);
		vcpu->pdptr[2] = vmx_read64(GUEST_PDPTR2);
		vcpu->pdptr[3] = vmx_read64(GUEST_PDPTR3);
	}
	/* The other MSRs of the group do not change without an exit. */
	if ((mask & MVM_STATE_MSR) && vmx->loaded)
		rdmsrl(MSR_KERNEL_GS_BASE, vcpu->msr.kernel_gs_base);
	vcpu->avail |= mask;
}

/* Fetch from outside the bracket. False: no VMX operation on this CPU. */
static bool fetch_outside(struct vmx_vcpu *vmx, u32 mask)
{
	unsigned long flags;
	bool there;

	preempt_disable();
	/* While it is loaded the VMCS is here already, and interrupts may be off. */
	if (!vmx->loaded)
		mvm_vmx_activate(vmx);
	local_irq_save(flags);
	there = mvm_vmx_vmcs_enter(vmx);
	if (there) {
		mvm_vmx_fetch(vmx, mask);
		mvm_vmx_vmcs_leave(vmx);
	}
	local_irq_restore(flags);
	preempt_enable();
	return there;
}

/**
 * mvm_vmx_get_state() - struct mvm_backend's get_state
 * @vcpu: the vCPU
 * @mask: MVM_STATE_* groups; they are set in vcpu->avail
 *
 * Opens a bracket where none is open. A VMCS that cannot be read kills the VM. Context: the
 * vCPU's thread; while it is loaded preemption and interrupts may be off, else it may sleep.
 */
void mvm_vmx_get_state(struct mvm_vcpu *vcpu, u32 mask)
{
	struct vmx_vcpu *vmx = vmx_vcpu(vcpu);
	bool done = !(mask & VMX_LAZY_STATE & ~vcpu->avail);

	if (!done && vmx->inside) {
		mvm_vmx_fetch(vmx, mask);
		return;
	}
	done = done || fetch_outside(vmx, mask);

	/* On a CPU that is going offline: wait until this thread is on another one. */
	if (unlikely(!done && !vmx->loaded)) {
		cpus_read_lock();
		cpus_read_unlock();
		done = fetch_outside(vmx, mask);
	}
	if (unlikely(!done))
		mvm_vm_kill(vcpu->vm, "the VMCS cannot be read: VMX operation is off");
	vcpu->avail |= mask;
}

/* ------------------------------------------------------------------- flush */

/* What the guest's CPUID and debugging decide. */
static void flush_intercepts(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	u32 proc2 = vmx->hw.proc2 & ~(SECONDARY_EXEC_ENABLE_RDTSCP | SECONDARY_EXEC_ENABLE_INVPCID);
	u64 owned = VMX_CR4_GUEST_OWNED & ~vcpu->cr4_guest_rsvd & mvm_vmx_config.cr4_fixed1;

	/* #DB and #AC: a guest could have the processor deliver them for ever. */
	vmx_write32(EXCEPTION_BITMAP, vcpu->exception_intercepts | BIT(X86_TRAP_DB) |
				      BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC));

	if (mvm_guest_has(vcpu, X86_FEATURE_RDTSCP) || mvm_guest_has(vcpu, X86_FEATURE_RDPID))
		proc2 |= mvm_vmx_config.proc2 & SECONDARY_EXEC_ENABLE_RDTSCP;
	if (mvm_guest_has(vcpu, X86_FEATURE_INVPCID))
		proc2 |= mvm_vmx_config.proc2 & SECONDARY_EXEC_ENABLE_INVPCID;
	if (proc2 != vmx->hw.proc2) {
		vmx_write32(SECONDARY_VM_EXEC_CONTROL, proc2);
		vmx->hw.proc2 = proc2;
	}
	if (owned != vmx->hw.cr4_owned) {
		/* Bits change sides: bring CR4 home by the old mask, write it by the new. */
		mvm_vmx_fetch(vmx, MVM_STATE_CR);
		vcpu->dirty |= MVM_STATE_CR;
		vmx_write(CR4_GUEST_HOST_MASK, ~owned);
		vmx->hw.cr4_owned = owned;
	}
}

static void flush_cr(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	u32 entry = vmx->hw.entry & ~VM_ENTRY_IA32E_MODE;
	/* CD would make all memory uncached; machine checks are the host's. */
	u64 cr0 = (vcpu->cr0 & ~(u64)(X86_CR0_CD | X86_CR0_NW)) | X86_CR0_NE;
	u64 cr4 = (vcpu->cr4 & ~(u64)X86_CR4_MCE) | X86_CR4_VMXE |
		  (vmx->hw.host_cr4 & X86_CR4_MCE);

	vmx_write(GUEST_CR0, cr0);
	vmx_write(CR0_READ_SHADOW, vcpu->cr0);
	vmx_write(GUEST_CR3, vcpu->cr3);
	vmx_write(GUEST_CR4, cr4);
	vmx_write(CR4_READ_SHADOW, vcpu->cr4);
	vmx_write64(GUEST_IA32_EFER, vcpu->efer);
	if (vcpu->efer & EFER_LMA)
		entry |= VM_ENTRY_IA32E_MODE;
	if (entry != vmx->hw.entry) {
		vmx_write32(VM_ENTRY_CONTROLS, entry);
		vmx->hw.entry = entry;
	}
}

static void flush_msr(struct vmx_vcpu *vmx)
{
	const struct mvm_hw_msrs *msr = &vmx->base.msr;

	vmx_write32(GUEST_SYSENTER_CS, msr->sysenter_cs);
	vmx_write(GUEST_SYSENTER_ESP, msr->sysenter_esp);
	vmx_write(GUEST_SYSENTER_EIP, msr->sysenter_eip);
	mvm_vmx_load_msrs(vmx);
}

static void flush_rip(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	u64 rflags = vcpu->rflags | X86_EFLAGS_FIXED;

	/* A debugger's step; the frame of an event that goes in must not show the flag. */
	vmx->stepping = mvm_is_stepped(vcpu) && vmx->inject.event.type == MVM_EVENT_NONE;
	if (unlikely(vmx->stepping)) {
		vmx->guest_tf = rflags & X86_EFLAGS_TF;
		rflags |= X86_EFLAGS_TF;
	}
	if (vcpu->rip != vmx->hw.rip) {
		vmx_write(GUEST_RIP, vcpu->rip);
		vmx->hw.rip = vcpu->rip;
	}
	if (vcpu->gpr[MVM_RSP] != vmx->hw.rsp) {
		vmx_write(GUEST_RSP, vcpu->gpr[MVM_RSP]);
		vmx->hw.rsp = vcpu->gpr[MVM_RSP];
	}
	if (rflags != vmx->hw.rflags) {
		vmx_write(GUEST_RFLAGS, rflags);
		vmx->hw.rflags = rflags;
	}
}

static void flush_rare(struct vmx_vcpu *vmx, u32 dirty)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	int n;

	for (n = 0; n < MVM_NR_SEGS; n++)
		if (in_group(n, dirty))
			flush_seg(vcpu, n);
	if (dirty & MVM_STATE_DT) {
		vmx_write(GUEST_GDTR_BASE, vcpu->gdt.base);
		vmx_write32(GUEST_GDTR_LIMIT, vcpu->gdt.limit);
		vmx_write(GUEST_IDTR_BASE, vcpu->idt.base);
		vmx_write32(GUEST_IDTR_LIMIT, vcpu->idt.limit);
	}
	if (dirty & MVM_STATE_PDPTR) {
		vmx_write64(GUEST_PDPTR0, vcpu->pdptr[0]);
		vmx_write64(GUEST_PDPTR1, vcpu->pdptr[1]);
		vmx_write64(GUEST_PDPTR2, vcpu->pdptr[2]);
		vmx_write64(GUEST_PDPTR3, vcpu->pdptr[3]);
	}
	if (dirty & MVM_STATE_MSR)
		flush_msr(vmx);
	if (dirty & MVM_STATE_PAT)
		vmx_write64(GUEST_IA32_PAT, vcpu->pat);
	if (dirty & MVM_STATE_DR)
		vmx_write(GUEST_DR7, mvm_hw_dr7(vcpu));
	if (dirty & MVM_STATE_TSC)
		vmx_write64(TSC_OFFSET, vcpu->tsc_offset + mvm_hw_tsc_lost);
	if (dirty & MVM_STATE_TRAPS)
		vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, 0);
}

/**
 * mvm_vmx_flush() - vcpu->dirty into the VMCS, and RIP's group where it differs
 * @vmx: the vCPU
 *
 * Empties vcpu->dirty. Sets TF in the VMCS alone for a debugger's step. Context: inside the
 * bracket after mvm_vmx_vmcs_prepare(), between vcpu_load and vcpu_put.
 */
void mvm_vmx_flush(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	u32 dirty;

	if (unlikely(vcpu->dirty & MVM_STATE_INTERCEPTS))
		flush_intercepts(vmx);
	dirty = vcpu->dirty;
	vcpu->dirty = 0;
	if (dirty & MVM_STATE_CR)
		flush_cr(vmx);
	if (dirty & (MVM_STATE_CS | MVM_STATE_SEG | MVM_STATE_DT | MVM_STATE_PDPTR |
		     MVM_STATE_MSR | MVM_STATE_PAT | MVM_STATE_DR | MVM_STATE_TSC |
		     MVM_STATE_TRAPS))
		flush_rare(vmx, dirty);
	flush_rip(vmx);
}

/* ------------------------------------------------------------------ inject */

static const u32 event_types[] = {
	[MVM_EVENT_INTERRUPT] = INTR_TYPE_EXT_INTR,
	[MVM_EVENT_NMI] = INTR_TYPE_NMI_INTR,
	[MVM_EVENT_EXCEPTION] = INTR_TYPE_HARD_EXCEPTION,
	[MVM_EVENT_SOFT_INT] = INTR_TYPE_SOFT_INTR,
	[MVM_EVENT_PRIV_SOFT_EXC] = INTR_TYPE_PRIV_SW_EXCEPTION,
	[MVM_EVENT_SOFT_EXC] = INTR_TYPE_SOFT_EXCEPTION,
};

/* Exceptions that push an error code in protected mode. */
#define ERROR_CODE_VECTORS                                                        \
	(BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) |                 \
	 BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) | BIT(X86_TRAP_AC))

/* The processor refuses an entry whose error code flag does not fit vector and mode. */
static bool delivers_error(const struct mvm_vcpu *vcpu, const struct mvm_event *ev)
{
	if (ev->type != MVM_EVENT_EXCEPTION || !(vcpu->cr0 & X86_CR0_PE))
		return false;
	if (mvm_vmx_config.any_error_code)
		return ev->has_error;
	return ev->vector < 32 && (BIT(ev->vector) & ERROR_CODE_VECTORS);
}

static void inject_event(struct vmx_vcpu *vmx, const struct mvm_event *ev)
{
	u32 info = 0;

	if (ev->type != MVM_EVENT_NONE) {
		info = INTR_INFO_VALID_MASK | event_types[ev->type] | ev->vector;
		if (delivers_error(&vmx->base, ev)) {
			info |= INTR_INFO_DELIVER_CODE_MASK;
			/* Bits 31:16 of the field are reserved. */
			vmx_write32(VM_ENTRY_EXCEPTION_ERROR_CODE,
				    ev->has_error ? ev->error & 0xffff : 0);
		}
		if (ev->type == MVM_EVENT_SOFT_INT || ev->type == MVM_EVENT_SOFT_EXC ||
		    ev->type == MVM_EVENT_PRIV_SOFT_EXC)
			vmx_write32(VM_ENTRY_INSTRUCTION_LEN, ev->insn_len);
	}
	if (info != vmx->hw.intr_info) {
		vmx_write32(VM_ENTRY_INTR_INFO_FIELD, info);
		vmx->hw.intr_info = info;
	}
}

/* What blocks interrupts and NMIs, in a combination the processor accepts. */
static u32 interruptibility(struct vmx_vcpu *vmx)
{
	const struct mvm_vcpu *vcpu = &vmx->base;
	u32 state = 0;

	/* A shadow would hold back the trap of a step, too. */
	if (unlikely(vmx->stepping))
		state = 0;
	else if (unlikely(vcpu->int_shadow & MVM_INT_SHADOW_MOVSS))
		state = GUEST_INTR_STATE_MOV_SS;
	else if (unlikely(vcpu->int_shadow & MVM_INT_SHADOW_STI) &&
		 (vcpu->rflags & X86_EFLAGS_IF))
		state = GUEST_INTR_STATE_STI;
	/* The NMI that goes in sets the blocking itself. */
	if (vcpu->events.nmi.masked && vmx->inject.event.type != MVM_EVENT_NMI)
		state |= GUEST_INTR_STATE_NMI;
	return state;
}

/**
 * mvm_vmx_inject() - @vmx->inject into the VMCS: the event, the windows, what blocks events
 * @vmx: the vCPU
 *
 * "Event Injection", "Checks on Guest Non-Register State". Context: inside the bracket,
 * after mvm_vmx_flush() and right before the entry.
 */
void mvm_vmx_inject(struct vmx_vcpu *vmx)
{
	u32 proc = vmx->hw.proc & ~(CPU_BASED_INTR_WINDOW_EXITING |
				    CPU_BASED_NMI_WINDOW_EXITING);
	u32 state = interruptibility(vmx);

	inject_event(vmx, &vmx->inject.event);
	if (vmx->inject.irq_window)
		proc |= CPU_BASED_INTR_WINDOW_EXITING;
	if (vmx->inject.nmi_window)
		proc |= CPU_BASED_NMI_WINDOW_EXITING;
	/* Behind the delivery of an event, before the handler's first instruction. */
	if (unlikely(mvm_is_stepped(&vmx->base) && vmx->inject.event.type != MVM_EVENT_NONE))
		proc |= CPU_BASED_NMI_WINDOW_EXITING;
	if (proc != vmx->hw.proc) {
		vmx_write32(CPU_BASED_VM_EXEC_CONTROL, proc);
		vmx->hw.proc = proc;
	}
	if (state != vmx->hw.interruptibility) {
		vmx_write32(GUEST_INTERRUPTIBILITY_INFO, state);
		vmx->hw.interruptibility = state;
	}
	/*
	 * Nothing is stepped yet. Bochs (2.7) leaves the trap pending when an exit, a page
	 * to be mapped say, came before the instruction's end.
	 */
	if (unlikely(vmx->stepping))
		vmx_write(GUEST_PENDING_DBG_EXCEPTIONS,
			  vmx_read(GUEST_PENDING_DBG_EXCEPTIONS) & ~(u64)DR_STEP);
	/* A trap held back by the shadow must be pending, or the entry is refused. */
	if (unlikely(state & (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)) &&
	    (vmx->base.rflags & X86_EFLAGS_TF))
		vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, DR_STEP);
}
