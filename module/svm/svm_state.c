// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest registers between the vCPU's fields and the VMCB, group by group.
 *
 * The VMCB is plain memory and the entry code does VMSAVE at each exit, so a
 * group may be read at any time; writes are gathered in vcpu->dirty and flushed
 * right before an entry. svm_get_*() and svm_put_*() of a group mirror each other.
 */
#include <linux/smp.h>

#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/tlbflush.h>

#include "../hw.h"
#include "svm.h"

/* A segment's attributes as the VMCB packs them. */
#define SVM_ATTR_TYPE  0x00f
#define SVM_ATTR_S     BIT(4)
#define SVM_ATTR_DPL   5 /* shift, two bits */
#define SVM_ATTR_P     BIT(7)
#define SVM_ATTR_AVL   BIT(8)
#define SVM_ATTR_L     BIT(9)
#define SVM_ATTR_DB    BIT(10)
#define SVM_ATTR_G     BIT(11)

/* The segments of MVM_STATE_CS and MVM_STATE_SEG, and their place in the save area. */
static const struct svm_seg_row {
	enum mvm_segreg seg;
	u16 offset;
	u32 group;
} svm_segs[] = {
	{ MVM_SEG_CS, offsetof(struct vmcb_save_area, cs), MVM_STATE_CS },
	{ MVM_SEG_SS, offsetof(struct vmcb_save_area, ss), MVM_STATE_CS },
	{ MVM_SEG_ES, offsetof(struct vmcb_save_area, es), MVM_STATE_SEG },
	{ MVM_SEG_DS, offsetof(struct vmcb_save_area, ds), MVM_STATE_SEG },
	{ MVM_SEG_FS, offsetof(struct vmcb_save_area, fs), MVM_STATE_SEG },
	{ MVM_SEG_GS, offsetof(struct vmcb_save_area, gs), MVM_STATE_SEG },
	{ MVM_SEG_LDTR, offsetof(struct vmcb_save_area, ldtr), MVM_STATE_SEG },
	{ MVM_SEG_TR, offsetof(struct vmcb_save_area, tr), MVM_STATE_SEG },
};

static struct vmcb_seg *svm_seg(struct vmcb *vmcb, const struct svm_seg_row *row)
{
	return (void *)&vmcb->save + row->offset;
}

static void svm_get_seg(const struct vmcb_seg *from, struct kvm_segment *to)
{
	to->base = from->base;
	to->limit = from->limit;
	to->selector = from->selector;
	to->type = from->attrib & SVM_ATTR_TYPE;
	to->s = !!(from->attrib & SVM_ATTR_S);
	to->dpl = from->attrib >> SVM_ATTR_DPL & 3;
	to->present = !!(from->attrib & SVM_ATTR_P);
	to->avl = !!(from->attrib & SVM_ATTR_AVL);
	to->l = !!(from->attrib & SVM_ATTR_L);
	to->db = !!(from->attrib & SVM_ATTR_DB);
	to->g = !!(from->attrib & SVM_ATTR_G);
	/* AMD-V has no unusable bit: a null segment is one that is not present. */
	to->unusable = !to->present;
	to->padding = 0;
}

static void svm_put_seg(struct vmcb_seg *to, const struct kvm_segment *from)
{
	u16 attrib = from->type & SVM_ATTR_TYPE;

	if (from->s)
		attrib |= SVM_ATTR_S;
	attrib |= (from->dpl & 3) << SVM_ATTR_DPL;
	if (from->present && !from->unusable)
		attrib |= SVM_ATTR_P;
	if (from->avl)
		attrib |= SVM_ATTR_AVL;
	if (from->l)
		attrib |= SVM_ATTR_L;
	if (from->db)
		attrib |= SVM_ATTR_DB;
	if (from->g)
		attrib |= SVM_ATTR_G;
	to->base = from->base;
	to->limit = from->limit;
	to->selector = from->selector;
	to->attrib = attrib;
}

static void svm_get_segs(struct svm_vcpu *svm, u32 mask)
{
	const struct svm_seg_row *row;

	for (row = svm_segs; row < svm_segs + ARRAY_SIZE(svm_segs); row++) {
		if (row->group & mask)
			svm_get_seg(svm_seg(svm->vmcb, row), &svm->base.seg[row->seg]);
	}
	/* The CPL is a field of its own; SS.DPL is where the neutral code looks. */
	if (mask & MVM_STATE_CS)
		svm->base.seg[MVM_SEG_SS].dpl = svm->vmcb->save.cpl;
	/* A loaded TR is busy; the VMCB does not insist, VT-x and migration do. */
	if (mask & MVM_STATE_SEG)
		svm->base.seg[MVM_SEG_TR].type |= 2;
}

static void svm_put_segs(struct svm_vcpu *svm, u32 mask)
{
	const struct svm_seg_row *row;

	for (row = svm_segs; row < svm_segs + ARRAY_SIZE(svm_segs); row++) {
		if (row->group & mask)
			svm_put_seg(svm_seg(svm->vmcb, row), &svm->base.seg[row->seg]);
	}
	if (mask & MVM_STATE_CS)
		svm->vmcb->save.cpl = svm->base.seg[MVM_SEG_SS].dpl & 3;
	svm_vmcb_dirty(svm, SVM_CLEAN_SEG);
}

static void svm_get_tables(struct svm_vcpu *svm)
{
	const struct vmcb_save_area *save = &svm->vmcb->save;

	svm->base.gdt.base = save->gdtr.base;
	svm->base.gdt.limit = save->gdtr.limit;
	svm->base.idt.base = save->idtr.base;
	svm->base.idt.limit = save->idtr.limit;
}

static void svm_put_tables(struct svm_vcpu *svm)
{
	struct vmcb_save_area *save = &svm->vmcb->save;

	save->gdtr.base = svm->base.gdt.base;
	save->gdtr.limit = svm->base.gdt.limit;
	save->idtr.base = svm->base.idt.base;
	save->idtr.limit = svm->base.idt.limit;
	svm_vmcb_dirty(svm, SVM_CLEAN_DT);
}

/* CR4 and EFER cannot change without an exit; CR3 can, and a task switch sets CR0.TS. */
static void svm_get_cr(struct svm_vcpu *svm)
{
	svm->base.cr0 |= svm->vmcb->save.cr0 & X86_CR0_TS;
	svm->base.cr3 = svm->vmcb->save.cr3;
}

/*
 * The hardware's CR0 and CR4 differ from the guest's where they must: caches stay
 * on whatever the guest says, and CR4.MCE is the host's, or a machine check would
 * be a shutdown instead of an exit. Reads exit only while there is a difference.
 */
static void svm_put_cr(struct svm_vcpu *svm)
{
	struct vmcb_save_area *save = &svm->vmcb->save;
	struct mvm_vcpu *vcpu = &svm->base;

	save->cr0 = (vcpu->cr0 & ~(X86_CR0_CD | X86_CR0_NW)) | X86_CR0_ET;
	save->cr3 = vcpu->cr3;
	save->cr4 = vcpu->cr4 | (cr4_read_shadow() & X86_CR4_MCE);
	save->efer = vcpu->efer | EFER_SVME;
	svm_set_intercept(svm, INTERCEPT_CR0_READ, save->cr0 != vcpu->cr0);
	svm_set_intercept(svm, INTERCEPT_CR4_READ, save->cr4 != vcpu->cr4);
	svm_vmcb_dirty(svm, SVM_CLEAN_CR);
}

static void svm_get_msrs(struct svm_vcpu *svm)
{
	const struct vmcb_save_area *save = &svm->vmcb->save;
	struct mvm_hw_msrs *msr = &svm->base.msr;

	msr->star = save->star;
	msr->lstar = save->lstar;
	msr->cstar = save->cstar;
	msr->sfmask = save->sfmask;
	msr->kernel_gs_base = save->kernel_gs_base;
	msr->sysenter_cs = save->sysenter_cs;
	msr->sysenter_esp = save->sysenter_esp;
	msr->sysenter_eip = save->sysenter_eip;
}

static void svm_put_msrs(struct svm_vcpu *svm)
{
	struct vmcb_save_area *save = &svm->vmcb->save;
	const struct mvm_hw_msrs *msr = &svm->base.msr;

	save->star = msr->star;
	save->lstar = msr->lstar;
	save->cstar = msr->cstar;
	save->sfmask = msr->sfmask;
	save->kernel_gs_base = msr->kernel_gs_base;
	save->sysenter_cs = msr->sysenter_cs;
	save->sysenter_esp = msr->sysenter_esp;
	save->sysenter_eip = msr->sysenter_eip;
	if (mvm_svm_features.tsc_aux && svm->guest_tsc_aux != msr->tsc_aux) {
		svm->guest_tsc_aux = msr->tsc_aux;
		wrmsrl(MSR_TSC_AUX, msr->tsc_aux);
	}
}

static void svm_put_rip(struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;

	vmcb->save.rip = svm->base.rip;
	vmcb->save.rsp = svm->base.gpr[MVM_RSP];
	vmcb->save.rflags = svm->base.rflags;
	vmcb->control.int_state = svm->base.int_shadow ? SVM_INTERRUPT_SHADOW_MASK : 0;
}

/**
 * mvm_svm_get_state() - struct mvm_backend's get_state: from the VMCB into the vCPU's fields
 * @vcpu: the vCPU
 * @mask: MVM_STATE_* groups; they are set in vcpu->avail
 *
 * Context: the vCPU's thread, loaded or not; does not sleep.
 */
void mvm_svm_get_state(struct mvm_vcpu *vcpu, u32 mask)
{
	struct svm_vcpu *svm = svm_vcpu(vcpu);

	if (mask & (MVM_STATE_CS | MVM_STATE_SEG))
		svm_get_segs(svm, mask);
	if (mask & MVM_STATE_DT)
		svm_get_tables(svm);
	if (mask & MVM_STATE_CR)
		svm_get_cr(svm);
	if (mask & MVM_STATE_MSR)
		svm_get_msrs(svm);
	if (mask & MVM_STATE_CR2)
		vcpu->cr2 = svm->vmcb->save.cr2;
	/* RIP's group is taken at each exit, the others live in the vCPU alone. */
	vcpu->avail |= mask;
}

/**
 * mvm_svm_flush_state() - vcpu->dirty into the VMCB, and what every entry needs
 * @svm: the vCPU
 *
 * Empties vcpu->dirty; clears the clean bits of the groups that change. Writes the TSC_AUX
 * MSR itself where that changed. Context: between vcpu_load and vcpu_put, interrupts off,
 * before an entry.
 */
void mvm_svm_flush_state(struct svm_vcpu *svm)
{
	struct mvm_vcpu *vcpu = &svm->base;
	struct vmcb *vmcb = svm->vmcb;
	u32 dirty = vcpu->dirty;

	if (dirty & MVM_STATE_RIP)
		svm_put_rip(svm);
	if (dirty & (MVM_STATE_CS | MVM_STATE_SEG))
		svm_put_segs(svm, dirty);
	if (dirty & MVM_STATE_DT)
		svm_put_tables(svm);
	if (dirty & MVM_STATE_CR)
		svm_put_cr(svm);
	if (dirty & MVM_STATE_MSR)
		svm_put_msrs(svm);
	if (dirty & MVM_STATE_PAT) {
		vmcb->save.g_pat = vcpu->pat;
		svm_vmcb_dirty(svm, SVM_CLEAN_NPT);
	}
	if (dirty & MVM_STATE_DR) {
		vmcb->save.dr7 = mvm_hw_dr7(vcpu);
		svm_vmcb_dirty(svm, SVM_CLEAN_DR);
	}
	if (dirty & MVM_STATE_TSC) {
		vmcb->control.tsc_offset = vcpu->tsc_offset + mvm_hw_tsc_lost;
		svm_vmcb_dirty(svm, SVM_CLEAN_INTERCEPTS);
	}
	if (dirty & MVM_STATE_CR2) {
		vmcb->save.cr2 = vcpu->cr2;
		svm_vmcb_dirty(svm, SVM_CLEAN_CR2);
	}
	if (dirty & MVM_STATE_INTERCEPTS)
		mvm_svm_update_exceptions(svm);
	vcpu->dirty = 0;

	vmcb->save.rax = vcpu->gpr[MVM_RAX];
	/* So that a #DB exit's DR6 holds that #DB's bits alone; reads of DR6 exit. */
	if (vmcb->save.dr6 != DR6_RESERVED) {
		vmcb->save.dr6 = DR6_RESERVED;
		svm_vmcb_dirty(svm, SVM_CLEAN_DR);
	}
}

/*
 * The guest has switched tasks, which takes the local breakpoints away, or else DR7 changes
 * by an exit only. @lost: what the hardware has cleared; a debugger's come back.
 */
static void svm_lose_breakpoints(struct svm_vcpu *svm, u64 lost)
{
	svm->base.dr7 &= ~(lost | DR_LOCAL_ENABLE_MASK);
	svm->base.dirty |= MVM_STATE_DR;
}

/**
 * mvm_svm_after_exit() - RIP's group, RSP and RAX out of the VMCB
 * @svm: a vCPU right after its exit
 *
 * What else the guest may have changed is dropped from vcpu->avail. Local breakpoints that a
 * task switch has cleared go from vcpu->dr7, too. Context: interrupts off.
 */
void mvm_svm_after_exit(struct svm_vcpu *svm)
{
	const struct vmcb *vmcb = svm->vmcb;
	struct mvm_vcpu *vcpu = &svm->base;
	u64 lost;

	vcpu->gpr[MVM_RAX] = vmcb->save.rax;
	vcpu->gpr[MVM_RSP] = vmcb->save.rsp;
	vcpu->rip = vmcb->save.rip;
	vcpu->rflags = vmcb->save.rflags;
	/* The VMCB does not tell STI from MOV SS: report both, the stricter reading. */
	vcpu->int_shadow = vmcb->control.int_state & SVM_INTERRUPT_SHADOW_MASK ?
			   MVM_INT_SHADOW_STI | MVM_INT_SHADOW_MOVSS : 0;
	vcpu->avail &= ~(MVM_STATE_CS | MVM_STATE_SEG | MVM_STATE_DT | MVM_STATE_CR |
			 MVM_STATE_MSR | MVM_STATE_CR2);
	vcpu->avail |= MVM_STATE_RIP;
	lost = mvm_hw_dr7(vcpu) & ~vmcb->save.dr7 & MVM_DR7_LOCAL;
	if (unlikely(lost))
		svm_lose_breakpoints(svm, lost);
}
