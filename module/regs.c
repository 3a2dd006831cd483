// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU's register file: fetching and changing groups of it, the rules for
 * control registers, the reset state, and KVM_GET/SET_SREGS.
 *
 * The checks here are those of the MOV to CR, WRMSR EFER and XSETBV instructions;
 * one place for what the guest does and for what userspace sets.
 */
#include <asm/processor-flags.h>
#include <uapi/asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/fpu/xcr.h>

#include "backend.h"
#include "exit.h"
#include "fpu.h"
#include "irqchip/irqchip.h"
#include "pv.h"
#include "mmu/mmu.h"
#include "vcpu.h"

/* ------------------------------------------------------------------ accessors */

/**
 * __mvm_state_get() - fetch groups of state from the backend
 * @vcpu: the vCPU
 * @missing: MVM_STATE_* that are not in vcpu->avail; they are from now on
 *
 * Use mvm_state_get(). Context: the vCPU's thread, loaded or not; does not sleep.
 */
void __mvm_state_get(struct mvm_vcpu *vcpu, u32 missing)
{
	vcpu->vm->backend->get_state(vcpu, missing);
	vcpu->avail |= missing;
}

/**
 * mvm_cpu_mode() - how the guest executes now
 * @vcpu: the vCPU
 *
 * Makes RIP's, CS's and CR0's groups available. Context: the vCPU's thread; does not sleep.
 * Return: by CR0.PE, RFLAGS.VM, EFER.LMA with CS.L, and CS.D.
 */
enum mvm_cpu_mode mvm_cpu_mode(struct mvm_vcpu *vcpu)
{
	mvm_state_get(vcpu, MVM_STATE_RIP | MVM_STATE_CR | MVM_STATE_CS);
	if (!(vcpu->cr0 & X86_CR0_PE))
		return MVM_MODE_REAL;
	if (vcpu->rflags & X86_EFLAGS_VM)
		return MVM_MODE_VM86;
	if ((vcpu->efer & EFER_LMA) && vcpu->seg[MVM_SEG_CS].l)
		return MVM_MODE_LONG;
	return vcpu->seg[MVM_SEG_CS].db ? MVM_MODE_PROT32 : MVM_MODE_PROT16;
}

/**
 * mvm_cpl() - the guest's current privilege level
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: 0 in real mode, 3 in virtual-8086 mode, else SS.DPL.
 */
int mvm_cpl(struct mvm_vcpu *vcpu)
{
	mvm_state_get(vcpu, MVM_STATE_RIP | MVM_STATE_CR | MVM_STATE_CS);
	if (!(vcpu->cr0 & X86_CR0_PE))
		return 0;
	if (vcpu->rflags & X86_EFLAGS_VM)
		return 3;
	return vcpu->seg[MVM_SEG_SS].dpl;
}

/**
 * mvm_is_long_mode() - is EFER.LMA set?
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: true: IA-32e mode, 64-bit or compatibility.
 */
bool mvm_is_long_mode(struct mvm_vcpu *vcpu)
{
	mvm_state_get(vcpu, MVM_STATE_CR);
	return vcpu->efer & EFER_LMA;
}

static bool is_pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & EFER_LMA);
}

/* --------------------------------------------------------- control registers */

#define CR0_KNOWN                                                                       \
	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | X86_CR0_NE |  \
	 X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | X86_CR0_PG)

/* Bits of CR4 that change translations when they change. */
#define CR4_PAGING                                                                      \
	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE | X86_CR4_SMEP |       \
	 X86_CR4_SMAP | X86_CR4_PKE | X86_CR4_LA57)

#define CR0_PAGING (X86_CR0_PG | X86_CR0_WP)

static bool cr0_valid(u64 val)
{
	if (val >> 32)
		return false;
	if ((val & X86_CR0_NW) && !(val & X86_CR0_CD))
		return false;
	return !(val & X86_CR0_PG) || (val & X86_CR0_PE);
}

/* Turning paging on or off with EFER.LME set enters or leaves IA-32e mode. */
static int cr0_long_mode(struct mvm_vcpu *vcpu, u64 val, u64 *efer)
{
	bool pg = val & X86_CR0_PG;

	if (!((vcpu->cr0 ^ val) & X86_CR0_PG))
		return 0;
	mvm_state_get(vcpu, MVM_STATE_CS);
	if (pg && (vcpu->efer & EFER_LME)) {
		if (!(vcpu->cr4 & X86_CR4_PAE) || vcpu->seg[MVM_SEG_CS].l)
			return -EINVAL;
		*efer |= EFER_LMA;
	} else if (!pg) {
		if (vcpu->cr4 & X86_CR4_PCIDE)
			return -EINVAL;
		if ((vcpu->efer & EFER_LMA) && vcpu->seg[MVM_SEG_CS].l)
			return -EINVAL;
		*efer &= ~(u64)EFER_LMA;
	}
	return 0;
}

/**
 * mvm_set_cr0() - write CR0 as an instruction does
 * @vcpu: the vCPU
 * @val: the new value; unknown bits of its lower half are dropped, ET is set
 *
 * With EFER.LME a change of PG changes EFER.LMA. Guest translations are flushed where PG or WP
 * changes. Context: the vCPU's thread; may sleep: PAE paging loads its PDPTEs from guest memory.
 * Return: 0; -EINVAL: #GP(0) ("MOV - Move to/from Control Registers"); nothing has changed then.
 */
int mvm_set_cr0(struct mvm_vcpu *vcpu, u64 val)
{
	u64 efer, changed;

	mvm_state_get(vcpu, MVM_STATE_CR);
	efer = vcpu->efer;
	if (!cr0_valid(val) || cr0_long_mode(vcpu, val, &efer))
		return -EINVAL;
	val = (val & CR0_KNOWN) | X86_CR0_ET;
	changed = vcpu->cr0 ^ val;
	if (is_pae_paging(val, vcpu->cr4, efer) &&
	    (changed & (X86_CR0_PG | X86_CR0_CD | X86_CR0_NW)) && mvm_load_pdptrs(vcpu, vcpu->cr3))
		return -EINVAL;

	mvm_state_modify(vcpu, MVM_STATE_CR);
	vcpu->cr0 = val;
	vcpu->efer = efer;
	if (changed & CR0_PAGING)
		mvm_vcpu_set_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST);
	return 0;
}

#define CR3_NOFLUSH BIT_ULL(63)

/* CR3 bits that must be zero in IA-32e mode: above the address, and its own upper ones. */
static u64 cr3_reserved(const struct mvm_vcpu *vcpu, u64 efer)
{
	return (efer & EFER_LMA) ? vcpu->maxphyaddr_rsvd : 0;
}

/**
 * mvm_set_cr3() - write CR3 as an instruction does; flushes guest translations
 * @vcpu: the vCPU
 * @val: the new value; with CR4.PCIDE bit 63 is ignored
 *
 * Context: the vCPU's thread; may sleep: PAE paging loads its PDPTEs from guest memory.
 * Return: 0; -EINVAL: #GP(0): a reserved bit of CR3 or of a PDPTE; nothing has changed then.
 */
int mvm_set_cr3(struct mvm_vcpu *vcpu, u64 val)
{
	mvm_state_get(vcpu, MVM_STATE_CR);
	if (vcpu->cr4 & X86_CR4_PCIDE)
		val &= ~CR3_NOFLUSH;
	if (val & cr3_reserved(vcpu, vcpu->efer))
		return -EINVAL;
	if (is_pae_paging(vcpu->cr0, vcpu->cr4, vcpu->efer) && mvm_load_pdptrs(vcpu, val))
		return -EINVAL;
	mvm_state_modify(vcpu, MVM_STATE_CR);
	vcpu->cr3 = val;
	mvm_vcpu_set_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST);
	return 0;
}

/**
 * mvm_set_cr4() - write CR4 as an instruction does
 * @vcpu: the vCPU
 * @val: the new value
 *
 * Guest translations are flushed where a bit changes that they depend on.
 * Context: the vCPU's thread; may sleep: PAE paging loads its PDPTEs from guest memory.
 * Return: 0; -EINVAL: #GP(0): a bit that this guest's CPUID does not have, PAE or LA57 changed in
 * IA-32e mode, PCIDE outside of it or with a PCID in CR3, a PDPTE. Nothing has changed then.
 */
int mvm_set_cr4(struct mvm_vcpu *vcpu, u64 val)
{
	u64 changed;

	mvm_state_get(vcpu, MVM_STATE_CR);
	changed = vcpu->cr4 ^ val;
	if (val & vcpu->cr4_guest_rsvd)
		return -EINVAL;
	if (vcpu->efer & EFER_LMA) {
		if (!(val & X86_CR4_PAE) || (changed & X86_CR4_LA57))
			return -EINVAL;
	}
	if ((changed & val & X86_CR4_PCIDE) &&
	    (!(vcpu->efer & EFER_LMA) || (vcpu->cr3 & X86_CR3_PCID_MASK)))
		return -EINVAL;
	if (is_pae_paging(vcpu->cr0, val, vcpu->efer) &&
	    (changed & (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PSE | X86_CR4_SMEP)) &&
	    mvm_load_pdptrs(vcpu, vcpu->cr3))
		return -EINVAL;

	mvm_state_modify(vcpu, MVM_STATE_CR);
	vcpu->cr4 = val;
	if (changed & CR4_PAGING)
		mvm_vcpu_set_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST);
	return 0;
}

/* EFER bits the guest may have: fixed ones, and those its CPUID says. */
static u64 efer_allowed(struct mvm_vcpu *vcpu)
{
	u64 allowed = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX;

	/* Before userspace gave it a CPUID table the host's features are the limit. */
	if (!vcpu->nr_cpuid)
		return allowed;
	if (!mvm_guest_has(vcpu, X86_FEATURE_LM))
		allowed &= ~(u64)(EFER_LME | EFER_LMA);
	if (!mvm_guest_has(vcpu, X86_FEATURE_NX))
		allowed &= ~(u64)EFER_NX;
	return allowed;
}

/**
 * mvm_set_efer() - write EFER as WRMSR does
 * @vcpu: the vCPU
 * @val: the new value; LMA stays as it is
 *
 * A change of NXE flushes guest translations. Context: the vCPU's thread; does not sleep.
 * Return: 0; -EINVAL: #GP(0): a bit that this guest does not have, or LME changed under paging.
 */
int mvm_set_efer(struct mvm_vcpu *vcpu, u64 val)
{
	mvm_state_get(vcpu, MVM_STATE_CR);
	if (val & ~efer_allowed(vcpu))
		return -EINVAL;
	if ((vcpu->cr0 & X86_CR0_PG) && ((vcpu->efer ^ val) & EFER_LME))
		return -EINVAL;
	val = (val & ~(u64)EFER_LMA) | (vcpu->efer & EFER_LMA);
	if ((vcpu->efer ^ val) & EFER_NX)
		mvm_vcpu_set_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST);
	mvm_state_modify(vcpu, MVM_STATE_CR);
	vcpu->efer = val;
	return 0;
}

/**
 * mvm_set_xcr0() - write XCR0 as XSETBV does
 * @vcpu: the vCPU
 * @val: the new value
 *
 * Takes effect with the next entry. Context: the vCPU's thread; does not sleep.
 * Return: 0; -EINVAL: #GP(0): x87 left out, AVX without SSE, parts of AVX-512 or MPX without the
 * others, or a component beyond the guest's CPUID. Nothing has changed then.
 */
int mvm_set_xcr0(struct mvm_vcpu *vcpu, u64 val)
{
	if (!(val & XFEATURE_MASK_FP) || (val & ~vcpu->guest_xcr0_allowed))
		return -EINVAL;
	if ((val & XFEATURE_MASK_YMM) && !(val & XFEATURE_MASK_SSE))
		return -EINVAL;
	/* The three parts of AVX-512 come together, and with AVX; so do those of MPX. */
	if ((val & XFEATURE_MASK_AVX512) &&
	    ((val & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512 || !(val & XFEATURE_MASK_YMM)))
		return -EINVAL;
	if (!(val & XFEATURE_MASK_BNDREGS) != !(val & XFEATURE_MASK_BNDCSR))
		return -EINVAL;
	vcpu->xcr0 = val;
	return 0;
}

/**
 * mvm_get_cr8() - the task priority
 * @vcpu: the vCPU
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: 0 to 15, from the in-kernel local APIC where there is one.
 */
u64 mvm_get_cr8(struct mvm_vcpu *vcpu)
{
	return vcpu->lapic ? mvm_lapic_get_cr8(vcpu) : vcpu->cr8;
}

/**
 * mvm_set_cr8() - set the task priority
 * @vcpu: the vCPU
 * @val: the new value
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: 0; -EINVAL: #GP(0): beyond 15.
 */
int mvm_set_cr8(struct mvm_vcpu *vcpu, u64 val)
{
	if (val & ~15ULL)
		return -EINVAL;
	if (vcpu->lapic)
		mvm_lapic_set_cr8(vcpu, val);
	else
		vcpu->cr8 = val;
	return 0;
}

/* ------------------------------------------------------------------- reset */

/* "Processor State After Reset": the segments, by register. */
static void reset_segments(struct mvm_vcpu *vcpu)
{
	int i;

	for (i = 0; i < MVM_NR_SEGS; i++)
		vcpu->seg[i] = (struct kvm_segment){
			.limit = 0xffff,
			.type = 3, /* data, writable, accessed */
			.s = 1,
			.present = 1,
		};
	vcpu->seg[MVM_SEG_CS].selector = 0xf000;
	vcpu->seg[MVM_SEG_CS].base = 0xffff0000;
	vcpu->seg[MVM_SEG_CS].type = 11; /* code, readable, accessed */
	vcpu->seg[MVM_SEG_LDTR].s = 0;
	vcpu->seg[MVM_SEG_LDTR].type = 2;
	vcpu->seg[MVM_SEG_TR].s = 0;
	vcpu->seg[MVM_SEG_TR].type = 11; /* busy 32-bit TSS: what VM entry wants */
	vcpu->gdt = (struct kvm_dtable){ .limit = 0xffff };
	vcpu->idt = (struct kvm_dtable){ .limit = 0xffff };
}

static u32 reset_mp_state(struct mvm_vcpu *vcpu)
{
	if (!vcpu->lapic || vcpu->id == vcpu->vm->bsp_id)
		return KVM_MP_STATE_RUNNABLE;
	return KVM_MP_STATE_UNINITIALIZED;
}

/**
 * mvm_vcpu_reset() - put the vCPU into its power-up state, or into that after INIT
 * @vcpu: the vCPU
 * @init_event: by INIT, which keeps XCR0, CR0.CD and NW, the mp_state, and MSRs but EFER
 *
 * "Processor State After Reset". Events are void, paravirtual pages off; the FPU's state stays.
 * Context: the vCPU's thread or its creation, vcpu->lock held or nobody else has it yet.
 */
void mvm_vcpu_reset(struct mvm_vcpu *vcpu, bool init_event)
{
	const struct kvm_cpuid_entry2 *version = mvm_cpuid_find(vcpu, 1, 0);

	if (init_event)
		mvm_state_get(vcpu, MVM_STATE_CR);
	memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
	vcpu->gpr[MVM_RDX] = version ? version->eax : 0x600; /* a family 6 without a table */
	vcpu->rip = 0xfff0;
	vcpu->rflags = X86_EFLAGS_FIXED;
	vcpu->int_shadow = 0;
	reset_segments(vcpu);

	/* INIT keeps CD and NW; power-up sets them. */
	vcpu->cr0 = X86_CR0_ET |
		    (init_event ? vcpu->cr0 & (X86_CR0_CD | X86_CR0_NW) : X86_CR0_CD | X86_CR0_NW);
	vcpu->cr2 = 0;
	vcpu->cr3 = 0;
	vcpu->cr4 = 0;
	vcpu->cr8 = 0;
	vcpu->efer = 0;
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->dr6 = DR6_RESERVED;
	vcpu->dr7 = MVM_DR7_FIXED;
	memset(&vcpu->events, 0, sizeof(vcpu->events));
	vcpu->events.user_irq = -1;
	atomic_set(&vcpu->nmi_queued, 0);
	if (!init_event) {
		vcpu->xcr0 = XFEATURE_MASK_FP;
		memset(&vcpu->msr, 0, sizeof(vcpu->msr));
		vcpu->pat = 0x0007040600070406ULL; /* "IA32_PAT": the power-up value */
		mvm_msr_vcpu_reset(vcpu);
		vcpu->mp_state = reset_mp_state(vcpu);
	}
	if (vcpu->lapic)
		mvm_lapic_reset(vcpu, init_event);
	/* Whoever boots next must not find the host writing into his memory. */
	vcpu->pvclock_msr = 0;
	mvm_pv_vcpu_reset(vcpu);

	/* All of it is ours now; what INIT keeps was fetched by nobody and stays in place. */
	vcpu->avail |= MVM_STATE_ALL & ~(init_event ? MVM_STATE_MSR : 0);
	vcpu->dirty |= MVM_STATE_ALL & ~(init_event ? MVM_STATE_MSR | MVM_STATE_PAT : 0);
	mvm_vcpu_set_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST);
}

/* ------------------------------------------------------------------- sregs */

/* KVM's field for each segment register. */
static struct kvm_segment *sregs_seg(struct kvm_sregs *sregs, int seg)
{
	struct kvm_segment *const fields[MVM_NR_SEGS] = {
		[MVM_SEG_ES] = &sregs->es, [MVM_SEG_CS] = &sregs->cs,
		[MVM_SEG_SS] = &sregs->ss, [MVM_SEG_DS] = &sregs->ds,
		[MVM_SEG_FS] = &sregs->fs, [MVM_SEG_GS] = &sregs->gs,
		[MVM_SEG_LDTR] = &sregs->ldt, [MVM_SEG_TR] = &sregs->tr,
	};

	return fields[seg];
}

/**
 * mvm_get_sregs() - KVM_GET_SREGS
 * @vcpu: the vCPU
 * @sregs: filled; an interrupt that is on its way in is in its bitmap
 *
 * Context: vcpu->lock held.
 */
void mvm_get_sregs(struct mvm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	int i;

	memset(sregs, 0, sizeof(*sregs));
	mvm_state_get(vcpu, MVM_STATE_CS | MVM_STATE_SEG | MVM_STATE_DT | MVM_STATE_CR |
				    MVM_STATE_CR2);
	for (i = 0; i < MVM_NR_SEGS; i++)
		*sregs_seg(sregs, i) = vcpu->seg[i];
	sregs->gdt = vcpu->gdt;
	sregs->idt = vcpu->idt;
	sregs->cr0 = vcpu->cr0;
	sregs->cr2 = vcpu->cr2;
	sregs->cr3 = vcpu->cr3;
	sregs->cr4 = vcpu->cr4;
	sregs->cr8 = mvm_get_cr8(vcpu);
	sregs->efer = vcpu->efer;
	sregs->apic_base = mvm_lapic_base(vcpu);
	if (vcpu->events.interrupt.injected &&
	    vcpu->events.interrupt.ev.type == MVM_EVENT_INTERRUPT)
		__set_bit(vcpu->events.interrupt.ev.vector,
			  (unsigned long *)sregs->interrupt_bitmap);
	else if (vcpu->events.user_irq >= 0)
		__set_bit(vcpu->events.user_irq, (unsigned long *)sregs->interrupt_bitmap);
}

/* A state no instruction can produce is refused as a whole. */
static bool sregs_valid(struct mvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	if (!cr0_valid(sregs->cr0) || (sregs->cr4 & vcpu->cr4_guest_rsvd) ||
	    (sregs->efer & ~efer_allowed(vcpu)) || sregs->cr8 > 15)
		return false;
	if ((sregs->efer & EFER_LME) && (sregs->cr0 & X86_CR0_PG)) {
		/* IA-32e mode: PAE, LMA, and CR3 within the physical address width. */
		if (!(sregs->cr4 & X86_CR4_PAE) || !(sregs->efer & EFER_LMA))
			return false;
		return !(sregs->cr3 & cr3_reserved(vcpu, sregs->efer));
	}
	/* Without it neither LMA nor a 64-bit code segment. */
	return !(sregs->efer & EFER_LMA) && !sregs->cs.l;
}

static void set_sregs_interrupt(struct mvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	unsigned int vector = find_first_bit((const unsigned long *)sregs->interrupt_bitmap,
					     KVM_NR_INTERRUPTS);

	if (vector >= KVM_NR_INTERRUPTS)
		return;
	vcpu->events.interrupt.injected = true;
	vcpu->events.interrupt.ev = (struct mvm_event){
		.type = MVM_EVENT_INTERRUPT,
		.vector = vector,
	};
	/* KVM_GET_SREGS shows a queued one in the same place: it is one interrupt. */
	if (vcpu->events.user_irq == vector)
		vcpu->events.user_irq = -1;
}

/**
 * mvm_set_sregs() - KVM_SET_SREGS, as one checked whole
 * @vcpu: the vCPU
 * @sregs: the new state; the lowest vector in its bitmap goes in at the next entry
 *
 * Flushes guest translations. Wrong PDPTEs are not refused. Context: vcpu->lock held; may sleep.
 * Return: 0; -EINVAL: a state that no instruction produces; nothing has changed then.
 */
int mvm_set_sregs(struct mvm_vcpu *vcpu, const struct kvm_sregs *sregs)
{
	struct kvm_sregs in = *sregs;
	int i;

	if (!sregs_valid(vcpu, sregs))
		return -EINVAL;
	if (vcpu->lapic && mvm_lapic_set_base(vcpu, sregs->apic_base, true))
		return -EINVAL;

	mvm_state_modify(vcpu, MVM_STATE_CS | MVM_STATE_SEG | MVM_STATE_DT | MVM_STATE_CR |
				       MVM_STATE_CR2 | MVM_STATE_PDPTR);
	for (i = 0; i < MVM_NR_SEGS; i++)
		vcpu->seg[i] = *sregs_seg(&in, i);
	vcpu->gdt = sregs->gdt;
	vcpu->idt = sregs->idt;
	vcpu->cr0 = (sregs->cr0 & CR0_KNOWN) | X86_CR0_ET;
	vcpu->cr2 = sregs->cr2;
	vcpu->cr3 = sregs->cr3;
	vcpu->cr4 = sregs->cr4;
	vcpu->efer = sregs->efer;
	mvm_set_cr8(vcpu, sregs->cr8);
	set_sregs_interrupt(vcpu, sregs);
	mvm_vcpu_set_request(vcpu, MVM_REQ_TLB_FLUSH_GUEST);

	/* A wrong directory is the guest's problem at its next use of it, not the caller's. */
	if (is_pae_paging(vcpu->cr0, vcpu->cr4, vcpu->efer))
		(void)mvm_load_pdptrs(vcpu, vcpu->cr3);
	return 0;
}
