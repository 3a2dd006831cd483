// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VT-x backend: creation of vCPUs, load and put, one entry and exit.
 *
 * Start reading at vmx_vcpu_run(). The backend's table is at the end. Everything
 * runs in the vCPU's thread; what belongs to a physical CPU is vmx_cpu.c's.
 */
#include <linux/slab.h>

#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/traps.h>

#include "../guestmode.h"
#include "../hw.h"
#include "../quick.h"
#include "vmx.h"
#include "vmx_insn.h"

static struct mvm_backend_caps vmx_caps;
static atomic64_t next_serial = ATOMIC64_INIT(0);

/**
 * mvm_vmx_access_failed() - a VMREAD or VMWRITE was refused: warn once, a bug in this backend
 * @field: the field's encoding
 *
 * Context: any.
 */
void mvm_vmx_access_failed(unsigned long field)
{
	WARN_ONCE(1, "minivmm: access to VMCS field %#lx was refused\n", field);
}

/*
 * Nothing between guest_state_enter and guest_state_exit may be traced: RCU is not
 * watching. A host NMI that ended the guest comes first: the exit has consumed it
 * and blocks the next until somebody executes IRET.
 */
static noinstr int enter_guest(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	unsigned long info = 0;
	int failed;

	mvm_guest_state_enter(&vcpu->rcu_told);
	if (vcpu->cr2 != native_read_cr2())
		native_write_cr2(vcpu->cr2);
	failed = mvm_vmx_enter(vcpu->gpr, &vmx->hw.host_rsp, vmx->launched,
			       this_cpu_read(x86_spec_ctrl_current));
	vcpu->cr2 = native_read_cr2();
	if (likely(!failed)) {
		vmx->exit_reason = vmx_read_quick(VM_EXIT_REASON);
		if ((u16)vmx->exit_reason == EXIT_REASON_EXCEPTION_NMI)
			info = vmx_read_quick(VM_EXIT_INTR_INFO);
		vmx->intr_info = info;
		if ((info & (INTR_INFO_VALID_MASK | INTR_INFO_INTR_TYPE_MASK)) ==
		    (INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR))
			asm volatile("int $2" : : : "memory");
	}
	mvm_guest_state_exit();
	return failed;
}

/* Hypercalls that need no look at the guest's mode. */
static bool in_64bit_kernel(const struct mvm_vcpu *vcpu)
{
	return vmx_in_64bit(vcpu) && !VMX_AR_DPL(vmx_read_quick(GUEST_SS_AR_BYTES));
}

/* OUT may be for an eventfd. */
static enum mvm_exit_kind io_kind(struct mvm_vcpu *vcpu)
{
	unsigned long qual;

	if (!mvm_ioeventfd_any(vcpu->vm, MVM_BUS_PORT))
		return MVM_EXIT_UNKNOWN;
	qual = vmx_read_quick(EXIT_QUALIFICATION);
	if (qual & (VMX_IO_IN | VMX_IO_STRING))
		return MVM_EXIT_UNKNOWN;
	mvm_vmx_decode_port(&vcpu->exit, qual);
	return MVM_EXIT_IO;
}

/* The exit's name, if it may be answered between two entries; MVM_EXIT_UNKNOWN: not so. */
static enum mvm_exit_kind quick_kind(struct vmx_vcpu *vmx)
{
	switch (vmx->exit_reason) {
	case EXIT_REASON_CPUID:
		return MVM_EXIT_CPUID;
	case EXIT_REASON_IO_INSTRUCTION:
		return io_kind(&vmx->base);
	case EXIT_REASON_MSR_READ:
		return MVM_EXIT_RDMSR;
	case EXIT_REASON_MSR_WRITE:
		return MVM_EXIT_WRMSR;
	case EXIT_REASON_HLT:
		return MVM_EXIT_HLT;
	case EXIT_REASON_VMCALL:
		return in_64bit_kernel(&vmx->base) ? MVM_EXIT_HYPERCALL : MVM_EXIT_UNKNOWN;
	default:
		return MVM_EXIT_UNKNOWN;
	}
}

/* The exits under a shadow take the ordinary way, but for HLT, which ends STI's in any case. */
static noinline bool ends_shadow(enum mvm_exit_kind kind, u32 blocking)
{
	if (kind != MVM_EXIT_HLT || (blocking & GUEST_INTR_STATE_MOV_SS))
		return false;
	vmx_write32(GUEST_INTERRUPTIBILITY_INFO, blocking & ~GUEST_INTR_STATE_STI);
	return true;
}

/*
 * Answer a quick exit and step over its instruction, in the VMCS alone. TF, RF and the end of
 * 4 GiB take the ordinary way. False: nothing has happened.
 */
static bool quick_exit(struct vmx_vcpu *vmx, enum mvm_exit_kind kind)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	u32 blocking;
	u64 rip, next;

	if (kind == MVM_EXIT_UNKNOWN)
		return false;
	vcpu->rflags = vmx_read_quick(GUEST_RFLAGS);
	if (unlikely(vcpu->rflags & (X86_EFLAGS_TF | X86_EFLAGS_RF)))
		return false;
	blocking = vmx_read_quick(GUEST_INTERRUPTIBILITY_INFO);
	if (unlikely(blocking & (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)) &&
	    !ends_shadow(kind, blocking))
		return false;
	rip = vmx_read_quick(GUEST_RIP);
	next = rip + vmx_read_quick(VM_EXIT_INSTRUCTION_LEN);
	if (unlikely((next ^ rip) >> 32))
		return false;
	vcpu->avail = MVM_STATE_ALL & ~(VMX_LAZY_STATE | MVM_STATE_RIP);
	if (!mvm_quick_exit(vcpu, kind))
		return false;
	vmx_write(GUEST_RIP, next);
	return true;
}

/* Into the VMCS with what a quick exit may have changed. Was that it? */
static bool flush_quick(struct mvm_vcpu *vcpu)
{
	if (vcpu->dirty != MVM_STATE_PAT)
		return false;
	vmx_write64(GUEST_IA32_PAT, vcpu->pat);
	vcpu->dirty = 0;
	return true;
}

/* An interrupt goes in with the next entry, and nobody waits for a window any more. */
static void inject_quick(struct vmx_vcpu *vmx, u8 vector)
{
	const u32 info = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | vector;
	const u32 proc = vmx->hw.proc & ~CPU_BASED_INTR_WINDOW_EXITING;

	vmx_write32(VM_ENTRY_INTR_INFO_FIELD, info);
	vmx->hw.intr_info = info;
	if (proc != vmx->hw.proc) {
		vmx_write32(CPU_BASED_VM_EXEC_CONTROL, proc);
		vmx->hw.proc = proc;
	}
}

/* After a quick exit: make ready for the next entry. False: the run loop has its turn. */
static bool may_go_on(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	struct mvm_event *ev = &vmx->inject.event;

	if (unlikely(vcpu->dirty) && !flush_quick(vcpu))
		return false;
	if (unlikely(!mvm_quick_may_go_on(vcpu, ev)))
		return false;
	if (ev->type != MVM_EVENT_NONE)
		inject_quick(vmx, ev->vector);
	return true;
}

/* The VMX-preemption timer counts from each entry anew: what is left until vcpu->deadline. */
static void set_timer(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	u64 now, left = mvm_vmx_config.timer_max;

	if (likely(vcpu->deadline != MVM_NEVER)) {
		now = rdtsc() + mvm_hw_tsc_lost + vcpu->tsc_offset;
		left = vcpu->deadline > now ?
			((vcpu->deadline - now) >> mvm_vmx_config.timer_rate) + 1 : 0;
		left = min_t(u64, left, mvm_vmx_config.timer_max);
	} else {
		vcpu->each_entry &= ~MVM_EACH_DEADLINE;
	}
	vmx_write32(VMX_PREEMPTION_TIMER_VALUE, left);
}

/* What is wanted before every entry. Not inline: the other vCPUs do not pay for it. */
static noinline void before_entry(struct vmx_vcpu *vmx)
{
	if (vmx->base.each_entry & MVM_EACH_DEADLINE)
		set_timer(vmx);
	if (unlikely(mvm_vmx_config.flush_l1d))
		wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
}

/* Enter, and again after each quick exit. The last entry's answer; @done: its exit was quick. */
static int enter_repeatedly(struct vmx_vcpu *vmx, bool *done)
{
	/* A debugger wants to see every instruction. */
	int left = mvm_is_stepped(&vmx->base) ? 0 : MVM_QUICK_MAX;
	enum mvm_exit_kind kind;
	int failed;

	*done = false;
	for (;;) {
		if (vmx->base.each_entry)
			before_entry(vmx);
		failed = enter_guest(vmx);
		if (unlikely(failed || !left--))
			return failed;
		kind = quick_kind(vmx);
		if (!quick_exit(vmx, kind))
			return 0;
		if (!may_go_on(vmx)) {
			*done = true;
			return 0;
		}
		vmx->launched = true;
		vmx->base.stat[kind]++;
		vmx->base.stat_entries++;
	}
}

static void vmx_vcpu_run(struct mvm_vcpu *vcpu, struct mvm_exit *exit)
{
	struct vmx_vcpu *vmx = vmx_vcpu(vcpu);
	u64 debugctl;
	bool done;
	int failed;

	if (!mvm_vmx_vmcs_enter(vmx)) {
		*exit = (struct mvm_exit){ .kind = MVM_EXIT_LOST };
		return;
	}
	vmx->inside = true;
	mvm_vmx_vmcs_prepare(vmx);
	mvm_vmx_flush(vmx);
	mvm_vmx_inject(vmx);

	/* The exit clears it; a tracer of the host may have it on. */
	debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
	failed = enter_repeatedly(vmx, &done);
	vmx->entered = true;
	if (unlikely(debugctl))
		wrmsrl(MSR_IA32_DEBUGCTLMSR, debugctl);
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);

	mvm_vmx_capture(vmx, failed, exit);
	exit->done = done;
	vmx->inside = false;
	mvm_vmx_vmcs_leave(vmx);
}

static void vmx_load_events(struct mvm_vcpu *vcpu, const struct mvm_inject *inject)
{
	vmx_vcpu(vcpu)->inject = *inject;
}

static void vmx_tlb_flush(struct mvm_vcpu *vcpu, bool nested)
{
	struct vmx_vcpu *vmx = vmx_vcpu(vcpu);

	vmx->flush_guest = true;
	if (nested)
		vmx->flush_nested = true;
}

static void vmx_vcpu_load(struct mvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu(vcpu);

	/* One guest must not train the predictors of another. */
	if (this_cpu_read(mvm_vmx_cpu.last_serial) != vmx->serial) {
		indirect_branch_prediction_barrier();
		this_cpu_write(mvm_vmx_cpu.last_serial, vmx->serial);
	}
	mvm_vmx_activate(vmx);
	mvm_vmx_host_save(vmx);
	mvm_vmx_load_msrs(vmx);
	vmx->entered = false;
	vmx->loaded = true;
}

static void vmx_vcpu_put(struct mvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu(vcpu);

	vmx->loaded = false;
	mvm_vmx_host_restore(vmx);
}

static struct mvm_vcpu *vmx_vcpu_create(struct mvm_vm *vm, u32 id, u32 index)
{
	struct vmx_vcpu *vmx = kzalloc(sizeof(*vmx), GFP_KERNEL_ACCOUNT);
	int err;

	if (!vmx)
		return ERR_PTR(-ENOMEM);
	vmx->base.vm = vm;
	vmx->base.id = id;
	vmx->base.index = index;
	vmx->active_cpu = -1;
	vmx->host_cpu = -1;
	vmx->flush_cpu = -1;
	vmx->serial = atomic64_inc_return(&next_serial);
	vmx->base.each_entry = mvm_vmx_config.flush_l1d ? MVM_EACH_OWN : 0;
	err = mvm_vmx_vmcs_create(vmx);
	if (err) {
		kfree(vmx);
		return ERR_PTR(err);
	}
	return &vmx->base;
}

static void vmx_vcpu_destroy(struct mvm_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vmx_vcpu(vcpu);

	mvm_vmx_deactivate(vmx);
	mvm_vmx_vmcs_destroy(vmx);
	kfree(vmx);
}

static int vmx_setup(struct mvm_reason *reason)
{
	int err = mvm_vmx_probe(reason, &vmx_caps);

	return err ? err : mvm_vmx_cpu_alloc();
}

static void vmx_teardown(void)
{
	mvm_vmx_cpu_free();
}

const struct mvm_backend mvm_vmx_backend = {
	.name = "vmx",
	.caps = &vmx_caps,
	.setup = vmx_setup,
	.teardown = vmx_teardown,
	.cpu_enable = mvm_vmx_cpu_enable,
	.cpu_disable = mvm_vmx_cpu_disable,
	.emergency_disable = mvm_vmx_emergency_disable,
	.vcpu_create = vmx_vcpu_create,
	.vcpu_destroy = vmx_vcpu_destroy,
	.vcpu_load = vmx_vcpu_load,
	.vcpu_put = vmx_vcpu_put,
	.vcpu_run = vmx_vcpu_run,
	.get_state = mvm_vmx_get_state,
	.load_events = vmx_load_events,
	.tlb_flush = vmx_tlb_flush,
};
