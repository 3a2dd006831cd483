// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX operation per CPU, and which VMCS is current where.
 *
 * Owner: minivmm executed VMXON. At most one VMCS is active on a CPU, the one of
 * the vCPU that was loaded there last, and it stays current across vcpu_put; it
 * is cleared when another is loaded, when its vCPU runs elsewhere (by IPI), or
 * when the CPU leaves VMX operation.
 *
 * Borrower: somebody else's VMXON. A VMCS is current only inside the bracket of
 * mvm_vmx_vmcs_enter() and _leave() and active nowhere outside it.
 *
 * struct vmx_cpu changes on its own CPU with interrupts off, so no lock.
 */
#include <linux/gfp.h>
#include <linux/smp.h>
#include <linux/topology.h>

#include <asm/msr.h>
#include <asm/perf_event.h>
#include <asm/tlbflush.h>

#include "vmx.h"
#include "vmx_insn.h"

DEFINE_PER_CPU(struct vmx_cpu, mvm_vmx_cpu);

/**
 * mvm_vmx_cpu_free() - free the VMXON regions, also after a half-done mvm_vmx_cpu_alloc()
 */
void mvm_vmx_cpu_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *vc = per_cpu_ptr(&mvm_vmx_cpu, cpu);

		free_page((unsigned long)vc->vmxon);
		vc->vmxon = NULL;
	}
}

/**
 * mvm_vmx_cpu_alloc() - allocate a VMXON region for every possible CPU
 *
 * Context: module load; may sleep.
 * Return: 0 or -ENOMEM.
 */
int mvm_vmx_cpu_alloc(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct page *page = alloc_pages_node(cpu_to_node(cpu),
						     GFP_KERNEL | __GFP_ZERO, 0);

		if (!page) {
			mvm_vmx_cpu_free();
			return -ENOMEM;
		}
		per_cpu_ptr(&mvm_vmx_cpu, cpu)->vmxon = page_address(page);
	}
	return 0;
}

/* Forget the active VMCS of this CPU, written back to memory. Owner, interrupts off. */
static void clear_active(struct vmx_cpu *vc)
{
	struct vmx_vcpu *vmx = vc->active;

	if (!vmx)
		return;
	vmx_vmclear(vmx->vmcs_pa);
	vmx->launched = false;
	vc->active = NULL;
	/* The VMCS may go to another CPU from here on; pairs with mvm_vmx_activate(). */
	smp_store_release(&vmx->active_cpu, -1);
}

static void clear_active_here(void *info)
{
	struct vmx_cpu *vc = this_cpu_ptr(&mvm_vmx_cpu);

	if (vc->active == info)
		clear_active(vc);
}

/* Owner, interrupts off: the VMCS is active nowhere or here already. */
static bool make_current(struct vmx_cpu *vc, struct vmx_vcpu *vmx)
{
	if (likely(vc->active == vmx))
		return true;
	clear_active(vc);
	/* Known before it is true, so that the crash path never misses it. */
	vc->active = vmx;
	vmx->active_cpu = smp_processor_id();
	/* A region the processor never saw must be cleared before its first use. */
	if (!vmx->initialised)
		vmx_vmclear(vmx->vmcs_pa);
	if (vmx_vmptrld(vmx->vmcs_pa))
		return true;
	vc->active = NULL;
	vmx->active_cpu = -1;
	return false;
}

/**
 * mvm_vmx_activate() - make the VMCS active and current here, and nowhere else
 * @vmx: the vCPU
 *
 * Where it is active on another CPU that one clears it, by IPI. A borrower, or a CPU without
 * VMX operation, activates nothing. Context: the vCPU's thread, preemption off; interrupts
 * on, unless the VMCS is active here already.
 */
void mvm_vmx_activate(struct vmx_vcpu *vmx)
{
	int cpu = smp_load_acquire(&vmx->active_cpu); /* pairs with clear_active() */
	struct vmx_cpu *vc = this_cpu_ptr(&mvm_vmx_cpu);
	unsigned long flags;

	if (cpu == smp_processor_id())
		return;
	if (cpu >= 0)
		smp_call_function_single(cpu, clear_active_here, vmx, 1);
	local_irq_save(flags);
	if (vc->state == VMX_CPU_OWNER)
		make_current(vc, vmx);
	local_irq_restore(flags);
}

/**
 * mvm_vmx_deactivate() - make the VMCS active nowhere
 * @vmx: the vCPU; it runs nowhere
 *
 * Context: preemptible, interrupts on; waits for an IPI.
 */
void mvm_vmx_deactivate(struct vmx_vcpu *vmx)
{
	int cpu;

	preempt_disable();
	cpu = smp_load_acquire(&vmx->active_cpu); /* pairs with clear_active() */
	if (cpu >= 0)
		smp_call_function_single(cpu, clear_active_here, vmx, 1);
	preempt_enable();
}

/* Borrower: VMXE is looked at first, for VMPTRST faults where VMX operation is off. */
static bool borrow(struct vmx_vcpu *vmx)
{
	if (!(native_read_cr4() & X86_CR4_VMXE) || !vmx_vmptrst(&vmx->lender_vmcs))
		return false;
	if (!vmx->initialised)
		vmx_vmclear(vmx->vmcs_pa);
	if (vmx_vmptrld(vmx->vmcs_pa))
		return true;
	/* VMPTRLD refused ours and left theirs. */
	return false;
}

static void give_back(struct vmx_vcpu *vmx)
{
	vmx_vmclear(vmx->vmcs_pa);
	vmx->launched = false;
	if (vmx->lender_vmcs != ~0ULL)
		vmx_vmptrld(vmx->lender_vmcs);
}

/**
 * mvm_vmx_vmcs_enter() - begin the bracket in which the VMCS may be read and written
 * @vmx: the vCPU; where this CPU is an owner its VMCS is active nowhere else
 *
 * A borrower saves the owner's VMCS pointer and loads ours. Context: interrupts off until
 * mvm_vmx_vmcs_leave().
 * Return: false: no VMX operation here, or VMPTRLD was refused; there is nothing to leave.
 */
bool mvm_vmx_vmcs_enter(struct vmx_vcpu *vmx)
{
	struct vmx_cpu *vc = this_cpu_ptr(&mvm_vmx_cpu);

	lockdep_assert_irqs_disabled();
	switch (vc->state) {
	case VMX_CPU_OWNER:
		/* Still active elsewhere: the caller did not activate it. */
		if (WARN_ON_ONCE(vmx->active_cpu >= 0 && vc->active != vmx))
			return false;
		return make_current(vc, vmx);
	case VMX_CPU_BORROWER:
		return borrow(vmx);
	case VMX_CPU_OFF:
		break;
	}
	return false;
}

/**
 * mvm_vmx_vmcs_leave() - end of the bracket
 * @vmx: the vCPU
 *
 * An owner's VMCS stays current. A borrower's is cleared and the owner's pointer put back.
 * Context: interrupts off since mvm_vmx_vmcs_enter().
 */
void mvm_vmx_vmcs_leave(struct vmx_vcpu *vmx)
{
	if (this_cpu_read(mvm_vmx_cpu.state) == VMX_CPU_BORROWER)
		give_back(vmx);
}

/* Somebody set CR4.VMXE: can their VMX operation be borrowed? */
static int enable_borrowed(struct vmx_cpu *vc, struct mvm_reason *reason)
{
	hpa_t lender;

	if (!vmx_vmptrst(&lender))
		return mvm_fail(reason, -EBUSY,
				"another hypervisor has taken VT-x (CR4.VMXE is set) but does not run it; unload it");
	vc->state = VMX_CPU_BORROWER;
	return MVM_HW_BORROWED;
}

/**
 * mvm_vmx_cpu_enable() - struct mvm_backend's cpu_enable: VMXON, or borrow another owner's
 * @reason: on failure, the sentence
 *
 * As owner also sets CR4.VMXE, keeps Intel PT out and flushes all tagged translations.
 * Context: the CPU, interrupts off.
 * Return: 0: ours; MVM_HW_BORROWED; -EBUSY: another owner that cannot be shared;
 * -EOPNOTSUPP: as mvm_vmx_cpu_check(); -EIO: VMXON was refused.
 */
int mvm_vmx_cpu_enable(struct mvm_reason *reason)
{
	struct vmx_cpu *vc = this_cpu_ptr(&mvm_vmx_cpu);
	int err = mvm_vmx_cpu_check(reason);

	if (err)
		return err;
	if (native_read_cr4() & X86_CR4_VMXE)
		return enable_borrowed(vc, reason);

	*(u32 *)vc->vmxon = mvm_vmx_config.revision;
	intel_pt_handle_vmx(1);
	/* Owner before VMXON: a crash in between finds something to turn off. */
	vc->state = VMX_CPU_OWNER;
	cr4_set_bits(X86_CR4_VMXE);
	if (!vmx_vmxon(__pa(vc->vmxon))) {
		cr4_clear_bits(X86_CR4_VMXE);
		vc->state = VMX_CPU_OFF;
		intel_pt_handle_vmx(0);
		return mvm_fail(reason, -EIO, "CPU %d refused VMXON", smp_processor_id());
	}
	/* Tags of an earlier owner may be in the caches still. */
	vmx_invept(VMX_EPT_EXTENT_GLOBAL, 0);
	if (mvm_vmx_config.vpid)
		vmx_invvpid(VMX_VPID_EXTENT_ALL_CONTEXT, 0);
	return 0;
}

/**
 * mvm_vmx_cpu_disable() - struct mvm_backend's cpu_disable: VMCLEAR what is active, then VMXOFF
 *
 * Does no more than forget it where the CPU is a borrower. Context: the CPU, interrupts off.
 */
void mvm_vmx_cpu_disable(void)
{
	struct vmx_cpu *vc = this_cpu_ptr(&mvm_vmx_cpu);

	if (vc->state == VMX_CPU_OWNER) {
		clear_active(vc);
		vmx_vmxoff();
		cr4_clear_bits(X86_CR4_VMXE);
		intel_pt_handle_vmx(0);
	}
	vc->state = VMX_CPU_OFF;
}

/**
 * mvm_vmx_emergency_disable() - mvm_vmx_cpu_disable() from the crash path
 *
 * Does nothing where this CPU's VMX operation is not ours. Context: the CPU, interrupts off,
 * perhaps in an NMI: no locks.
 */
void mvm_vmx_emergency_disable(void)
{
	struct vmx_cpu *vc = this_cpu_ptr(&mvm_vmx_cpu);

	if (vc->state != VMX_CPU_OWNER || !(native_read_cr4() & X86_CR4_VMXE))
		return;
	/* Else the processor may write the VMCS back into the next kernel's memory. */
	if (vc->active)
		vmx_vmclear(vc->active->vmcs_pa);
	vc->state = VMX_CPU_OFF;
	vmx_vmxoff();
	cr4_clear_bits(X86_CR4_VMXE);
}
