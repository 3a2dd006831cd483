// SPDX-License-Identifier: GPL-2.0-only
/*
 * AMD-V behind the seam: one run of a vCPU, and SVM on and off per CPU. The
 * backend's table is at the end.
 *
 * svm_vcpu_run() is the function to read first. What the processor has is
 * svm_caps.c's, registers are svm_state.c's, events svm_event.c's, exit codes
 * svm_exit.c's, the choice of ASIDs asid.c's.
 */
#define pr_fmt(fmt) "minivmm: " fmt

#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/debugreg.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>
#include <asm/traps.h>

#include "svm.h"
#include "../guestmode.h"

DEFINE_PER_CPU(struct svm_cpu, mvm_svm_cpus);

static atomic64_t svm_serial = ATOMIC64_INIT(0);

/* ---------------------------------------------------------------- running */

/* The number to enter with, and the flush that goes with it. */
static void svm_assign_asid(struct svm_vcpu *svm, struct svm_cpu *cpu)
{
	static const u8 tlb_ctl[] = {
		[MVM_ASID_KEEP] = TLB_CONTROL_DO_NOTHING,
		[MVM_ASID_FLUSH_ONE] = TLB_CONTROL_FLUSH_ASID,
		[MVM_ASID_FLUSH_ALL] = TLB_CONTROL_FLUSH_ALL_ASID,
	};
	struct vmcb_control_area *control = &svm->vmcb->control;
	enum mvm_asid_flush flush;

	/* Another CPU, or one that was off meanwhile, has an older copy of the VMCB or none. */
	if (mvm_asid_assign(&svm->asid, &cpu->asids, smp_processor_id(),
			    mvm_svm_features.flush_by_asid, &flush))
		control->clean = 0;
	control->asid = svm->asid.nr;
	control->tlb_ctl = tlb_ctl[flush];
}

static noinstr void svm_enter(struct svm_vcpu *svm, hpa_t host_pa)
{
	mvm_guest_state_enter(&svm->base.rcu_told);
	mvm_svm_enter(svm->base.gpr, svm->vmcb_pa, host_pa);
	mvm_guest_state_exit();
}

/* The exit consumed the host's #MC: hand it to the host, as if user mode had run. */
static void svm_machine_check(void)
{
	struct pt_regs regs = { .cs = __USER_CS, .flags = X86_EFLAGS_IF };

	if (IS_ENABLED(CONFIG_X86_MCE))
		do_machine_check(&regs);
	else
		pr_crit_ratelimited("machine check in a guest, and this kernel handles none\n");
}

static void svm_vcpu_run(struct mvm_vcpu *vcpu, struct mvm_exit *exit)
{
	struct svm_cpu *cpu = this_cpu_ptr(&mvm_svm_cpus);
	struct svm_vcpu *svm = svm_vcpu(vcpu);
	struct vmcb_control_area *control = &svm->vmcb->control;
	u64 debugctl;

	lockdep_assert_irqs_disabled();

	mvm_svm_flush_state(svm);
	svm_assign_asid(svm, cpu);
	/* A value no processor reports: still there afterwards if VMRUN did not happen. */
	control->exit_code = SVM_EXIT_SW;
	amd_clear_divider();

	/* The processor does not switch it; a tracer of the host may have it on. */
	rdmsrl(MSR_IA32_DEBUGCTLMSR, debugctl);
	if (unlikely(debugctl))
		wrmsrl(MSR_IA32_DEBUGCTLMSR, 0);
	svm_enter(svm, __sme_set(page_to_phys(cpu->host_vmcb)));
	if (unlikely(debugctl))
		wrmsrl(MSR_IA32_DEBUGCTLMSR, debugctl);

	if (control->exit_code == SVM_EXIT_SW) {
		/* Nothing ran and nothing was flushed; the caller tries again or gives up. */
		*exit = (struct mvm_exit){ .kind = MVM_EXIT_LOST };
		return;
	}
	/* A refused entry may have loaded and flushed nothing. */
	if (likely(control->exit_code != SVM_EXITCODE_INVALID)) {
		mvm_asid_entered(&svm->asid, &cpu->asids);
		control->clean = SVM_CLEAN_ALL;
	} else {
		control->clean = 0;
	}
	/* The predictors hold the guest's branches: a barrier before userspace (VMSCAPE). */
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
	if (control->exit_code == SVM_EXIT_EXCP_BASE + X86_TRAP_MC)
		svm_machine_check();
	/* DR6 still holds the guest's bits; DR7 is off since the exit. */
	if (control->exit_code == SVM_EXIT_EXCP_BASE + X86_TRAP_DB)
		set_debugreg(DR6_RESERVED, 6);

	mvm_svm_after_exit(svm);
	mvm_svm_events_exit(svm);
	mvm_svm_decode_exit(svm, exit);
}

static void svm_tlb_flush(struct mvm_vcpu *vcpu, bool nested)
{
	/* The TLB holds guest-virtual to host-physical: both kinds of flush are one. */
	mvm_asid_flush(&svm_vcpu(vcpu)->asid);
}

/* ------------------------------------------------------- load and put, mirrored */

static void svm_vcpu_load(struct mvm_vcpu *vcpu)
{
	struct svm_cpu *cpu = this_cpu_ptr(&mvm_svm_cpus);
	struct svm_vcpu *svm = svm_vcpu(vcpu);

	if (cpu->last_vcpu != svm->serial) {
		cpu->last_vcpu = svm->serial;
		indirect_branch_prediction_barrier();
	}
	/* Save what is found, whoever left it there; vcpu_put() restores just that. */
	if (mvm_svm_features.tsc_aux) {
		rdmsrl(MSR_TSC_AUX, svm->host_tsc_aux);
		svm->guest_tsc_aux = vcpu->msr.tsc_aux;
		if (svm->guest_tsc_aux != svm->host_tsc_aux)
			wrmsrl(MSR_TSC_AUX, svm->guest_tsc_aux);
	}
}

static void svm_vcpu_put(struct mvm_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu(vcpu);

	if (mvm_svm_features.tsc_aux && svm->guest_tsc_aux != svm->host_tsc_aux)
		wrmsrl(MSR_TSC_AUX, svm->host_tsc_aux);
	if (!(vcpu->avail & MVM_STATE_MSR))
		mvm_svm_get_state(vcpu, MVM_STATE_MSR);
}

/* ------------------------------------------------------------- VMs and vCPUs */

/* Nothing on AMD-V belongs to the VM as a whole: the permission maps are shared. */
static struct mvm_vcpu *svm_vcpu_create(struct mvm_vm *vm, u32 id, u32 index)
{
	struct svm_vcpu *svm;
	int err;

	svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);
	if (!svm)
		return ERR_PTR(-ENOMEM);
	svm->base.vm = vm;
	svm->base.id = id;
	svm->base.index = index;
	svm->serial = atomic64_inc_return(&svm_serial);
	svm->asid.cpu = -1;
	err = mvm_svm_vmcb_create(svm);
	if (err) {
		kfree(svm);
		return ERR_PTR(err);
	}
	return &svm->base;
}

static void svm_vcpu_destroy(struct mvm_vcpu *vcpu)
{
	struct svm_vcpu *svm = svm_vcpu(vcpu);

	mvm_svm_vmcb_destroy(svm);
	kfree(svm);
}

/* --------------------------------------------------------- per CPU on and off */

static int svm_cpu_enable(struct mvm_reason *reason)
{
	struct svm_cpu *cpu = this_cpu_ptr(&mvm_svm_cpus);
	u64 efer, vm_cr;

	if (!rdmsrl_safe(MSR_VM_CR, &vm_cr) && vm_cr & SVM_VM_CR_SVMDIS)
		return mvm_fail(reason, -EIO,
				"AMD-V is disabled by the firmware on CPU %d: enable SVM in its setup",
				smp_processor_id());
	rdmsrl(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return mvm_fail(reason, -EBUSY,
				"another hypervisor (CPU %d) has AMD-V, which is not shared: end its VMs or unload it",
				smp_processor_id());
	wrmsrl(MSR_EFER, efer | EFER_SVME);
	wrmsrl(MSR_VM_HSAVE_PA, __sme_set(page_to_phys(cpu->hsave)));
	if (mvm_svm_features.tsc_ratio)
		wrmsr(MSR_AMD64_TSC_RATIO, 0, SVM_TSC_RATIO_DEFAULT >> 32);
	mvm_asid_pool_reset(&cpu->asids, mvm_svm_features.min_asid, mvm_svm_features.max_asid);
	cpu->enabled = true;
	return 0;
}

/* Also from the crash path: no locks, safe in an NMI, does nothing when not ours. */
static void svm_cpu_disable(void)
{
	struct svm_cpu *cpu = this_cpu_ptr(&mvm_svm_cpus);
	u64 efer;

	if (!cpu->enabled)
		return;
	cpu->enabled = false;
	/* With GIF clear an INIT or NMI would wait for ever. */
	asm volatile("1: stgi\n2:\n" _ASM_EXTABLE(1b, 2b) : : : "memory");
	wrmsrl(MSR_VM_HSAVE_PA, 0);
	rdmsrl(MSR_EFER, efer);
	wrmsrl(MSR_EFER, efer & ~EFER_SVME);
}

const struct mvm_backend mvm_svm_backend = {
	.name = "svm",
	.caps = &mvm_svm_caps,
	.setup = mvm_svm_setup,
	.teardown = mvm_svm_teardown,
	.cpu_enable = svm_cpu_enable,
	.cpu_disable = svm_cpu_disable,
	.emergency_disable = svm_cpu_disable,
	.vcpu_create = svm_vcpu_create,
	.vcpu_destroy = svm_vcpu_destroy,
	.vcpu_load = svm_vcpu_load,
	.vcpu_put = svm_vcpu_put,
	.vcpu_run = svm_vcpu_run,
	.get_state = mvm_svm_get_state,
	.load_events = mvm_svm_load_events,
	.tlb_flush = svm_tlb_flush,
};
