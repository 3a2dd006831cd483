// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMCS's controls and host state, and the MSR bitmap.
 *
 * Written in three portions: what never changes, once; what a physical CPU has of
 * its own, when the vCPU comes to another CPU; what the host may change between
 * two entries, by comparing before each. Guest state is vmx_state.c's.
 */
#include <linux/gfp.h>
#include <linux/idr.h>

#include <asm/cpu_entry_area.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/traps.h>

#include "vmx.h"
#include "vmx_insn.h"

static DEFINE_IDA(vpids);

/*
 * What a spin loop is, in cycles: PAUSEs closer together than the gap, for as long as
 * the window. A lock whose holder runs is free again long before.
 */
#define VMX_PLE_GAP    128
#define VMX_PLE_WINDOW 16384

/* ------------------------------------------------------------- MSR bitmap */

#define PASS_READ  BIT(0)
#define PASS_WRITE BIT(1)

/* MSRs that need no exit. All others do. */
static const struct {
	u32 index;
	u32 pass;
} msr_pass[] = {
	/* The segments' bases, in VMCS fields; SWAPGS and WRFSBASE change them anyway. */
	{ MSR_FS_BASE, PASS_READ | PASS_WRITE },
	{ MSR_GS_BASE, PASS_READ | PASS_WRITE },
	/* Swapped at load and put, changed by SWAPGS. */
	{ MSR_KERNEL_GS_BASE, PASS_READ | PASS_WRITE },
	/* VMCS fields; writes exit so that only canonical addresses get in. */
	{ MSR_IA32_SYSENTER_CS, PASS_READ },
	{ MSR_IA32_SYSENTER_ESP, PASS_READ },
	{ MSR_IA32_SYSENTER_EIP, PASS_READ },
};

/* The bitmap's quarters, in bits: reads of low and high MSRs, then writes. */
#define BITMAP_HIGH  (0x400 * 8)
#define BITMAP_WRITE (0x800 * 8)

static void fill_msr_bitmap(unsigned long *bitmap)
{
	size_t i;

	memset(bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(msr_pass); i++) {
		u32 bit = msr_pass[i].index & 0x1fff;

		if (msr_pass[i].index & BIT(31))
			bit += BITMAP_HIGH;
		if (msr_pass[i].pass & PASS_READ)
			__clear_bit(bit, bitmap);
		if (msr_pass[i].pass & PASS_WRITE)
			__clear_bit(bit + BITMAP_WRITE, bitmap);
	}
}

/**
 * mvm_vmx_vmcs_create() - allocate VPID, VMCS region and MSR bitmap
 * @vmx: the vCPU; vmcs, vmcs_pa, msr_bitmap and vpid are set
 *
 * The VMCS's fields are mvm_vmx_vmcs_prepare()'s. Context: may sleep.
 * Return: 0; -ENOMEM; -ENOSPC: no VPID is left.
 */
int mvm_vmx_vmcs_create(struct vmx_vcpu *vmx)
{
	int vpid = 0;

	if (mvm_vmx_config.vpid) {
		vpid = ida_alloc_range(&vpids, 1, VMX_NR_VPIDS - 1, GFP_KERNEL_ACCOUNT);
		if (vpid < 0)
			return vpid;
	}
	vmx->vmcs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->vmcs)
		goto err_vpid;
	vmx->msr_bitmap = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->msr_bitmap)
		goto err_vmcs;
	fill_msr_bitmap(vmx->msr_bitmap);
	*(u32 *)vmx->vmcs = mvm_vmx_config.revision;
	vmx->vmcs_pa = __pa(vmx->vmcs);
	vmx->vpid = vpid;
	return 0;

err_vmcs:
	free_page((unsigned long)vmx->vmcs);
err_vpid:
	if (vpid)
		ida_free(&vpids, vpid);
	return -ENOMEM;
}

/**
 * mvm_vmx_vmcs_destroy() - reverse of mvm_vmx_vmcs_create()
 * @vmx: the vCPU; its VMCS is active nowhere
 */
void mvm_vmx_vmcs_destroy(struct vmx_vcpu *vmx)
{
	free_page((unsigned long)vmx->msr_bitmap);
	free_page((unsigned long)vmx->vmcs);
	if (vmx->vpid)
		ida_free(&vpids, vmx->vpid);
}

/* --------------------------------------------------------- constant fields */

static void init_controls(struct vmx_vcpu *vmx)
{
	const struct vmx_config *cfg = &mvm_vmx_config;

	vmx->hw.proc = cfg->proc;
	vmx->hw.proc2 = cfg->proc2;
	vmx->hw.entry = cfg->entry;
	vmx_write32(PIN_BASED_VM_EXEC_CONTROL, cfg->pin);
	vmx_write32(CPU_BASED_VM_EXEC_CONTROL, cfg->proc);
	vmx_write32(SECONDARY_VM_EXEC_CONTROL, cfg->proc2);
	vmx_write32(VM_EXIT_CONTROLS, cfg->exit);
	vmx_write32(VM_ENTRY_CONTROLS, cfg->entry);
	vmx_write32(PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmx_write32(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmx_write32(CR3_TARGET_COUNT, 0);
	vmx_write32(VM_EXIT_MSR_STORE_COUNT, 0);
	vmx_write32(VM_EXIT_MSR_LOAD_COUNT, 0);
	vmx_write32(VM_ENTRY_MSR_LOAD_COUNT, 0);
	vmx_write32(VM_ENTRY_INTR_INFO_FIELD, 0);
	/* Not saved at exits: each entry starts with it anew. */
	if (cfg->timer_max)
		vmx_write32(VMX_PREEMPTION_TIMER_VALUE, cfg->timer_max);
	if (cfg->proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING) {
		vmx_write32(PLE_GAP, VMX_PLE_GAP);
		vmx_write32(PLE_WINDOW, VMX_PLE_WINDOW);
	}
	vmx_write64(MSR_BITMAP, __pa(vmx->msr_bitmap));
	vmx_write(CR0_GUEST_HOST_MASK, ~VMX_CR0_GUEST_OWNED);
	if (vmx->vpid)
		vmx_write16(VIRTUAL_PROCESSOR_ID, vmx->vpid);
	if (cfg->proc2 & SECONDARY_EXEC_ENCLS_EXITING)
		vmx_write64(ENCLS_EXITING_BITMAP, ~0ULL);
}

static void init_guest(struct vmx_vcpu *vmx)
{
	vmx_write64(VMCS_LINK_POINTER, ~0ULL);
	vmx_write64(GUEST_IA32_DEBUGCTL, 0);
	vmx_write32(GUEST_ACTIVITY_STATE, GUEST_ACTIVITY_ACTIVE);
	vmx_write32(GUEST_INTERRUPTIBILITY_INFO, 0);
	vmx_write(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmx_write(GUEST_RIP, 0);
	vmx_write(GUEST_RSP, 0);
	vmx_write(GUEST_RFLAGS, X86_EFLAGS_FIXED);
	vmx->hw.rflags = X86_EFLAGS_FIXED;
	if (mvm_vmx_config.perf_global_ctrl)
		vmx_write64(GUEST_IA32_PERF_GLOBAL_CTRL, 0);
	/* All of the guest's state is the vCPU's still. */
	vmx->base.dirty = MVM_STATE_ALL;
}

static void init_host(void)
{
	u64 val;

	vmx_write16(HOST_CS_SELECTOR, __KERNEL_CS);
	vmx_write16(HOST_SS_SELECTOR, __KERNEL_DS);
	/* Userspace's selectors cannot be in a VMCS: vmx_host.c restores them. */
	vmx_write16(HOST_DS_SELECTOR, 0);
	vmx_write16(HOST_ES_SELECTOR, 0);
	vmx_write16(HOST_FS_SELECTOR, 0);
	vmx_write16(HOST_GS_SELECTOR, 0);
	vmx_write16(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	vmx_write(HOST_CR0, native_read_cr0() & ~X86_CR0_TS);
	vmx_write(HOST_RIP, (unsigned long)mvm_vmx_exit_point);
	rdmsrl(MSR_EFER, val);
	vmx_write64(HOST_IA32_EFER, val);
	rdmsrl(MSR_IA32_CR_PAT, val);
	vmx_write64(HOST_IA32_PAT, val);
	rdmsrl(MSR_IA32_SYSENTER_CS, val);
	vmx_write32(HOST_IA32_SYSENTER_CS, val);
	rdmsrl(MSR_IA32_SYSENTER_EIP, val);
	vmx_write(HOST_IA32_SYSENTER_EIP, val);
}

static void vmcs_init(struct vmx_vcpu *vmx)
{
	memset(&vmx->hw, 0, sizeof(vmx->hw));
	init_controls(vmx);
	init_guest(vmx);
	init_host();
	vmx->host_cpu = -1;
	vmx->initialised = true;
}

/* -------------------------------------------------------------- host state */

/* What this CPU has of its own. */
static void write_host_cpu(struct vmx_vcpu *vmx, int cpu)
{
	u64 val;

	vmx_write(HOST_TR_BASE, (unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	vmx_write(HOST_GDTR_BASE, vmx->found.gdt.address);
	vmx_write(HOST_IDTR_BASE, vmx->found.idt.address);
	rdmsrl(MSR_GS_BASE, val);
	vmx_write(HOST_GS_BASE, val);
	rdmsrl(MSR_IA32_SYSENTER_ESP, val);
	vmx_write(HOST_IA32_SYSENTER_ESP, val);
	vmx->host_cpu = cpu;
}

/*
 * What the host may have changed since the last entry. FS base and GS base stay
 * between load and put, as no other thread runs here: the first was read at load,
 * the second is the CPU's.
 */
static void write_host_changes(struct vmx_vcpu *vmx)
{
	unsigned long cr3 = __native_read_cr3(), cr4 = native_read_cr4();
	u64 perf;

	if (unlikely(cr3 != vmx->hw.host_cr3)) {
		vmx_write(HOST_CR3, cr3);
		vmx->hw.host_cr3 = cr3;
	}
	if (unlikely(cr4 != vmx->hw.host_cr4)) {
		vmx_write(HOST_CR4, cr4);
		vmx->hw.host_cr4 = cr4;
	}
	if (unlikely(vmx->found.fs_base != vmx->hw.host_fs_base)) {
		vmx_write(HOST_FS_BASE, vmx->found.fs_base);
		vmx->hw.host_fs_base = vmx->found.fs_base;
	}
	if (!mvm_vmx_config.perf_global_ctrl)
		return;
	perf = __rdmsr(MSR_CORE_PERF_GLOBAL_CTRL);
	if (unlikely(perf != vmx->hw.host_perf_global)) {
		vmx_write64(HOST_IA32_PERF_GLOBAL_CTRL, perf);
		vmx->hw.host_perf_global = perf;
	}
}

/* ------------------------------------------------------------ translations */

static void write_eptp(struct vmx_vcpu *vmx)
{
	u64 eptp = vmx->base.vm->npt_root | VMX_EPTP_MT_WB | VMX_EPTP_PWL_4;

	if (mvm_vmx_config.ept_ad)
		eptp |= VMX_EPTP_AD_ENABLE_BIT;
	if (likely(eptp == vmx->hw.eptp))
		return;
	vmx_write64(EPT_POINTER, eptp);
	vmx->hw.eptp = eptp;
	vmx->flush_nested = true;
}

/*
 * Stale translations go before the entry. What this CPU kept from an earlier stay
 * missed the flushes since, and a root page may have been another VM's before.
 */
static void flush_translations(struct vmx_vcpu *vmx, int cpu)
{
	if (unlikely(vmx->flush_cpu != cpu)) {
		vmx->flush_nested = true;
		vmx->flush_guest = true;
		vmx->flush_cpu = cpu;
	}
	if (unlikely(vmx->flush_nested))
		vmx_invept(mvm_vmx_config.invept_context ? VMX_EPT_EXTENT_CONTEXT :
							   VMX_EPT_EXTENT_GLOBAL,
			   vmx->hw.eptp);
	/* Without a VPID each entry and exit does this by itself. */
	if (unlikely(vmx->flush_guest) && vmx->vpid)
		vmx_invvpid(VMX_VPID_EXTENT_SINGLE_CONTEXT, vmx->vpid);
	vmx->flush_nested = false;
	vmx->flush_guest = false;
}

/**
 * mvm_vmx_vmcs_prepare() - controls and host state for the next entry, each where it changed
 * @vmx: the vCPU
 *
 * Constant fields once, this CPU's when the vCPU comes from another, the rest by comparing;
 * then INVEPT and INVVPID for what is stale. Context: inside the bracket, between vcpu_load
 * and vcpu_put.
 */
void mvm_vmx_vmcs_prepare(struct vmx_vcpu *vmx)
{
	int cpu = smp_processor_id();

	if (unlikely(!vmx->initialised))
		vmcs_init(vmx);
	if (unlikely(vmx->host_cpu != cpu))
		write_host_cpu(vmx, cpu);
	write_host_changes(vmx);
	write_eptp(vmx);
	flush_translations(vmx, cpu);
}
