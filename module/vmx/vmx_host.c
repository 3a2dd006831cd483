// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's registers that VMX leaves to software: MSRs the guest's replace from
 * vcpu_load to vcpu_put, userspace's segment selectors, LDTR, the limits of GDTR,
 * IDTR and TR.
 *
 * What is found at load goes back at put, exactly: an MSR may hold the value of
 * another hypervisor's guest, who remembers what it wrote there.
 */
#include <linux/mmu_context.h>

#include <asm/desc.h>
#include <asm/fsgsbase.h>
#include <asm/msr.h>
#include <asm/segment.h>

#include "vmx.h"

/* Non-canonical values were refused when they were set; never trust that here. */
static void write_msr(u32 index, u64 val)
{
	wrmsrl_safe(index, val);
}

/**
 * mvm_vmx_load_msrs() - load the guest's MSRs that no VMCS field switches from vcpu->msr
 * @vmx: the vCPU
 *
 * Context: between mvm_vmx_host_save() and mvm_vmx_host_restore(), preemption off.
 */
void mvm_vmx_load_msrs(struct vmx_vcpu *vmx)
{
	const struct mvm_hw_msrs *msr = &vmx->base.msr;

	write_msr(MSR_STAR, msr->star);
	write_msr(MSR_LSTAR, msr->lstar);
	write_msr(MSR_SYSCALL_MASK, msr->sfmask);
	write_msr(MSR_KERNEL_GS_BASE, msr->kernel_gs_base);
	if (mvm_vmx_config.tsc_aux)
		write_msr(MSR_TSC_AUX, msr->tsc_aux);
}

/**
 * mvm_vmx_host_save() - note the host's registers that no VMCS field restores
 * @vmx: the vCPU; its found is filled
 *
 * MSRs, userspace's selectors, LDTR, FS base, GDTR and IDTR. Context: vcpu_load, preemption
 * off.
 */
void mvm_vmx_host_save(struct vmx_vcpu *vmx)
{
	struct vmx_found *found = &vmx->found;

	found->star = __rdmsr(MSR_STAR);
	found->lstar = __rdmsr(MSR_LSTAR);
	found->sfmask = __rdmsr(MSR_SYSCALL_MASK);
	found->kernel_gs_base = __rdmsr(MSR_KERNEL_GS_BASE);
	if (mvm_vmx_config.tsc_aux)
		found->tsc_aux = __rdmsr(MSR_TSC_AUX);

	savesegment(ds, found->ds);
	savesegment(es, found->es);
	savesegment(fs, found->fs);
	savesegment(gs, found->gs);
	store_ldt(found->ldt);
	found->fs_base = x86_fsbase_read_cpu();
	native_store_gdt(&found->gdt);
	store_idt(&found->idt);
}

static void restore_segments(const struct vmx_found *found)
{
	if (unlikely(found->ldt))
		asm volatile("lldt %0" : : "m" (found->ldt));
	if (unlikely(found->ds | found->es)) {
		loadsegment(ds, found->ds);
		loadsegment(es, found->es);
	}
	if (unlikely(found->fs)) {
		loadsegment(fs, found->fs);
		native_wrmsrl(MSR_FS_BASE, found->fs_base);
	}
	/* Changes KERNEL_GS_BASE, which is restored after. */
	if (unlikely(found->gs))
		load_gs_index(found->gs);
}

/**
 * mvm_vmx_host_restore() - put back what mvm_vmx_host_save() found
 * @vmx: the vCPU
 *
 * Before that takes KERNEL_GS_BASE, the one MSR that the guest changes without an exit, into
 * vcpu->msr. Descriptor tables and selectors only where the guest was entered ("Loading Host
 * Segment and Descriptor-Table Registers"). Context: vcpu_put, preemption off.
 */
void mvm_vmx_host_restore(struct vmx_vcpu *vmx)
{
	const struct vmx_found *found = &vmx->found;
	struct mvm_hw_msrs *msr = &vmx->base.msr;

	/* The others cannot change without an exit. */
	msr->kernel_gs_base = __rdmsr(MSR_KERNEL_GS_BASE);
	vmx->base.avail |= MVM_STATE_MSR;

	if (vmx->entered) {
		/* An exit leaves limits of 64 KiB and, in TR, one without the I/O bitmap. */
		native_load_gdt(&found->gdt);
		native_load_idt(&found->idt);
		invalidate_tss_limit();
		restore_segments(found);
	}
	native_wrmsrl(MSR_STAR, found->star);
	native_wrmsrl(MSR_LSTAR, found->lstar);
	native_wrmsrl(MSR_SYSCALL_MASK, found->sfmask);
	native_wrmsrl(MSR_KERNEL_GS_BASE, found->kernel_gs_base);
	if (mvm_vmx_config.tsc_aux)
		native_wrmsrl(MSR_TSC_AUX, found->tsc_aux);
}
