// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the hardware's exit reason to a neutral struct mvm_exit, while the VMCS is
 * still current. Decodes only: what an exit means is exit.c's business.
 *
 * One row a basic exit reason; a reason without a row is MVM_EXIT_UNKNOWN.
 */
#include <linux/nospec.h>

#include <uapi/asm/debugreg.h>
#include <asm/mce.h>
#include <asm/traps.h>

#include "../insn/task.h"
#include "vmx.h"
#include "vmx_insn.h"

/**
 * struct vmx_exit_row - one exit reason
 * @kind: what it is called upstairs
 * @has_len: the instruction length is valid
 * @decode: fills the rest, may be NULL
 */
struct vmx_exit_row {
	enum mvm_exit_kind kind;
	bool has_len;
	void (*decode)(struct vmx_vcpu *vmx, struct mvm_exit *exit);
};

/*
 * IRET ends NMI blocking before it faults. The guest will do it again, so the
 * blocking comes back, unless the exit broke off the delivery of an event.
 */
static void undo_iret_unblock(struct vmx_vcpu *vmx, const struct mvm_exit *exit)
{
	if (exit->vectoring.type == MVM_EVENT_NONE)
		vmx->base.events.nmi.masked = true;
}

static void decode_unknown(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	exit->kind = MVM_EXIT_UNKNOWN;
	exit->u.raw.info1 = vmx_read(EXIT_QUALIFICATION);
	exit->u.raw.info2 = vmx->intr_info;
}

/* A #DB of the step that flush_rip() asked for: without its bit it may be nothing else. */
static void decode_step(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	if (exit->u.exc.vector != X86_TRAP_DB || !(exit->u.exc.payload & DR_STEP))
		return;
	exit->stepped = true;
	exit->pushed_flags = !vmx->guest_tf;
	if (!vmx->guest_tf)
		exit->u.exc.payload &= ~(u64)DR_STEP;
	if (!exit->u.exc.payload)
		exit->kind = MVM_EXIT_STEP;
}

/* An event went in instead of the step: its delivery is one, if nothing broke it off. */
static void decode_delivered(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	if (mvm_is_stepped(&vmx->base) && vmx->inject.event.type != MVM_EVENT_NONE)
		exit->stepped = exit->vectoring.type == MVM_EVENT_NONE;
}

static void decode_guest_exception(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	u32 info = vmx->intr_info;
	u8 vector = info & INTR_INFO_VECTOR_MASK;

	exit->kind = MVM_EXIT_EXCEPTION;
	exit->u.exc.vector = vector;
	exit->u.exc.has_error = info & INTR_INFO_DELIVER_CODE_MASK;
	if (exit->u.exc.has_error)
		exit->u.exc.error = vmx_read32(VM_EXIT_INTR_ERROR_CODE);
	if (vector == X86_TRAP_PF)
		exit->u.exc.payload = vmx_read(EXIT_QUALIFICATION);
	else if (vector == X86_TRAP_DB)
		exit->u.exc.payload = mvm_debug_hits(&vmx->base, vmx_read(EXIT_QUALIFICATION) &
						     (DR_TRAP_BITS | DR_STEP | VMX_DR6_BD));
	if ((info & INTR_INFO_UNBLOCK_NMI) && vector != X86_TRAP_DF)
		undo_iret_unblock(vmx, exit);
	if (unlikely(vmx->stepping))
		decode_step(vmx, exit);

	switch (info & INTR_INFO_INTR_TYPE_MASK) {
	case INTR_TYPE_SOFT_EXCEPTION:
		exit->insn_len = vmx_read32(VM_EXIT_INSTRUCTION_LEN);
		break;
	case INTR_TYPE_PRIV_SW_EXCEPTION:
		/* INT1 traps: its #DB is delivered behind it, and sets no DR6 bit. */
		vmx->base.rip += vmx_read32(VM_EXIT_INSTRUCTION_LEN);
		exit->u.exc.payload = 0;
		break;
	}
}

/* The exit consumed the host's #MC: hand it over as one that hit user mode. */
static void host_machine_check(void)
{
	struct pt_regs regs = { .cs = __USER_CS, .flags = X86_EFLAGS_IF };

	if (IS_ENABLED(CONFIG_X86_MCE))
		do_machine_check(&regs);
	else
		pr_crit_ratelimited("machine check in a guest, and this kernel handles none\n");
}

static void decode_exception(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	u32 info = vmx->intr_info;

	if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR)
		exit->kind = MVM_EXIT_NMI;
	else if ((info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_HARD_EXCEPTION &&
		 (info & INTR_INFO_VECTOR_MASK) == X86_TRAP_MC)
		exit->kind = MVM_EXIT_MACHINE_CHECK;
	else
		decode_guest_exception(vmx, exit);
	if (exit->kind == MVM_EXIT_MACHINE_CHECK)
		host_machine_check();
}

/* mvm_linear_rip() with what it needs, and not by groups. */
static u64 linear_rip(const struct vmx_vcpu *vmx)
{
	const struct mvm_vcpu *vcpu = &vmx->base;

	if (vmx_in_64bit(vcpu))
		return vcpu->rip;
	return (u32)(vmx_read(GUEST_CS_BASE) + vcpu->rip);
}

static void decode_io(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	unsigned long qual = vmx_read(EXIT_QUALIFICATION);

	mvm_vmx_decode_port(exit, qual);
	exit->u.io.in = qual & VMX_IO_IN;
	exit->u.io.string = qual & VMX_IO_STRING;
	exit->u.io.rep = qual & BIT(5);
	exit->u.io.linear_rip = linear_rip(vmx);
}

static void decode_cr(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	static const u8 ops[] = { MVM_CR_WRITE, MVM_CR_READ, MVM_CR_CLTS, MVM_CR_LMSW };
	unsigned long qual = vmx_read(EXIT_QUALIFICATION);

	exit->u.cr.nr = qual & 0xf;
	exit->u.cr.op = ops[(qual & CONTROL_REG_ACCESS_TYPE) >> 4];
	exit->u.cr.gpr = (qual & CONTROL_REG_ACCESS_REG) >> 8;
	exit->u.cr.lmsw = qual >> LMSW_SOURCE_DATA_SHIFT;
}

static void decode_dr(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	unsigned long qual = vmx_read(EXIT_QUALIFICATION);

	exit->u.dr.nr = qual & DEBUG_REG_ACCESS_NUM;
	exit->u.dr.gpr = DEBUG_REG_ACCESS_REG(qual);
	exit->u.dr.write = (qual & DEBUG_REG_ACCESS_TYPE) == TYPE_MOV_TO_DR;
}

static void decode_ept_violation(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	unsigned long qual = vmx_read(EXIT_QUALIFICATION);

	exit->u.mem.gpa = vmx_read64(GUEST_PHYSICAL_ADDRESS);
	exit->u.mem.in_64bit = vmx_in_64bit(&vmx->base);
	exit->u.mem.cpl = VMX_AR_DPL(vmx_read_quick(GUEST_SS_AR_BYTES));
	exit->u.mem.in_walk = (qual & EPT_VIOLATION_GVA_IS_VALID) &&
			      !(qual & EPT_VIOLATION_GVA_TRANSLATED);
	exit->u.mem.access = (qual & EPT_VIOLATION_ACC_READ ? MVM_ACCESS_READ : 0) |
			     (qual & EPT_VIOLATION_ACC_WRITE ? MVM_ACCESS_WRITE : 0) |
			     (qual & EPT_VIOLATION_ACC_INSTR ? MVM_ACCESS_EXEC : 0);
	if (qual & EXIT_QUAL_NMI_UNBLOCK_IRET)
		undo_iret_unblock(vmx, exit);
}

/*
 * RIP is at the instruction, if one led here (its length is valid then), and where the
 * old task goes on if an event did.
 */
static void decode_task_switch(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	unsigned long qual = vmx_read(EXIT_QUALIFICATION);

	exit->u.task.selector = qual;
	exit->u.task.source = qual >> 30 & 3;
	if (exit->u.task.source == MVM_TASK_GATE)
		exit->insn_len = exit->vectoring.insn_len;
	else
		exit->insn_len = vmx_read32(VM_EXIT_INSTRUCTION_LEN);
}

/* An EPT entry the processor cannot make sense of: a bug of the table's writer. */
static void decode_ept_misconfig(struct vmx_vcpu *vmx, struct mvm_exit *exit)
{
	exit->u.raw.info1 = vmx_read64(GUEST_PHYSICAL_ADDRESS);
	exit->u.raw.info2 = 0;
}

static const struct vmx_exit_row exit_rows[] = {
	[EXIT_REASON_EXCEPTION_NMI] = { MVM_EXIT_EXCEPTION, false, decode_exception },
	[EXIT_REASON_EXTERNAL_INTERRUPT] = { MVM_EXIT_INTERRUPT },
	[EXIT_REASON_TRIPLE_FAULT] = { MVM_EXIT_SHUTDOWN },
	[EXIT_REASON_INTERRUPT_WINDOW] = { MVM_EXIT_IRQ_WINDOW },
	[EXIT_REASON_NMI_WINDOW] = { MVM_EXIT_NMI_WINDOW },
	[EXIT_REASON_TASK_SWITCH] = { MVM_EXIT_TASK_SWITCH, false, decode_task_switch },
	[EXIT_REASON_CPUID] = { MVM_EXIT_CPUID, true },
	[EXIT_REASON_HLT] = { MVM_EXIT_HLT, true },
	[EXIT_REASON_INVD] = { MVM_EXIT_INVD, true },
	[EXIT_REASON_WBINVD] = { MVM_EXIT_INVD, true },
	[EXIT_REASON_RDPMC] = { MVM_EXIT_RDPMC, true },
	[EXIT_REASON_VMCALL] = { MVM_EXIT_HYPERCALL, true },
	[EXIT_REASON_CR_ACCESS] = { MVM_EXIT_CR_ACCESS, true, decode_cr },
	[EXIT_REASON_DR_ACCESS] = { MVM_EXIT_DR_ACCESS, true, decode_dr },
	[EXIT_REASON_IO_INSTRUCTION] = { MVM_EXIT_IO, true, decode_io },
	[EXIT_REASON_MSR_READ] = { MVM_EXIT_RDMSR, true },
	[EXIT_REASON_MSR_WRITE] = { MVM_EXIT_WRMSR, true },
	[EXIT_REASON_MWAIT_INSTRUCTION] = { MVM_EXIT_MWAIT, true },
	[EXIT_REASON_MONITOR_INSTRUCTION] = { MVM_EXIT_MONITOR, true },
	[EXIT_REASON_PAUSE_INSTRUCTION] = { MVM_EXIT_PAUSE, true },
	[EXIT_REASON_XSETBV] = { MVM_EXIT_XSETBV, true },
	[EXIT_REASON_EPT_VIOLATION] = { MVM_EXIT_MEM_FAULT, false, decode_ept_violation },
	[EXIT_REASON_EPT_MISCONFIG] = { MVM_EXIT_UNKNOWN, false, decode_ept_misconfig },
	[EXIT_REASON_PREEMPTION_TIMER] = { MVM_EXIT_PREEMPTED },
	/* Instructions that guests do not have but that exit before they take #UD. */
	[VMX_EXIT_GETSEC] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMCLEAR] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMLAUNCH] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMPTRLD] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMPTRST] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMREAD] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMRESUME] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMWRITE] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMOFF] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMON] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_INVEPT] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_INVVPID] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_VMFUNC] = { MVM_EXIT_UNDEFINED, true },
	[EXIT_REASON_ENCLS] = { MVM_EXIT_UNDEFINED, true },
};

static const enum mvm_event_type vectoring_types[] = {
	[INTR_TYPE_EXT_INTR >> 8] = MVM_EVENT_INTERRUPT,
	[INTR_TYPE_NMI_INTR >> 8] = MVM_EVENT_NMI,
	[INTR_TYPE_HARD_EXCEPTION >> 8] = MVM_EVENT_EXCEPTION,
	[INTR_TYPE_SOFT_INTR >> 8] = MVM_EVENT_SOFT_INT,
	[INTR_TYPE_PRIV_SW_EXCEPTION >> 8] = MVM_EVENT_PRIV_SOFT_EXC,
	[INTR_TYPE_SOFT_EXCEPTION >> 8] = MVM_EVENT_SOFT_EXC,
	[INTR_TYPE_OTHER_EVENT >> 8] = MVM_EVENT_NONE,
};

/* The event whose delivery the exit broke off. */
static void capture_vectoring(struct vmx_vcpu *vmx, struct mvm_event *ev)
{
	u32 info = vmx_read_quick(IDT_VECTORING_INFO_FIELD);

	*ev = (struct mvm_event){ .type = MVM_EVENT_NONE };
	if (likely(!(info & VECTORING_INFO_VALID_MASK)))
		return;
	ev->type = vectoring_types[(info & VECTORING_INFO_TYPE_MASK) >> 8];
	ev->vector = info & VECTORING_INFO_VECTOR_MASK;
	ev->has_error = info & VECTORING_INFO_DELIVER_CODE_MASK;
	if (ev->has_error)
		ev->error = vmx_read32(IDT_VECTORING_ERROR_CODE);
	switch (ev->type) {
	case MVM_EVENT_SOFT_INT:
	case MVM_EVENT_SOFT_EXC:
	case MVM_EVENT_PRIV_SOFT_EXC:
		ev->insn_len = vmx_read32(VM_EXIT_INSTRUCTION_LEN);
		break;
	case MVM_EVENT_NMI:
		/* It blocks further ones from its delivery on. */
		vmx->base.events.nmi.masked = true;
		break;
	default:
		break;
	}
}

static bool vmx_is_step_trap(struct vmx_vcpu *vmx)
{
	return (u16)vmx->exit_reason == EXIT_REASON_EXCEPTION_NMI &&
	       (vmx->intr_info & INTR_INFO_VECTOR_MASK) == X86_TRAP_DB &&
	       vmx_read(EXIT_QUALIFICATION) & DR_STEP;
}

/* RIP's group is current after every exit; the rest is fetched when asked for. */
static void capture_state(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;
	u32 state = vmx_read_quick(GUEST_INTERRUPTIBILITY_INFO);

	vcpu->rip = vmx_read_quick(GUEST_RIP);
	vcpu->gpr[MVM_RSP] = vmx_read_quick(GUEST_RSP);
	vcpu->rflags = vmx_read_quick(GUEST_RFLAGS);
	vcpu->int_shadow = (state & GUEST_INTR_STATE_STI ? MVM_INT_SHADOW_STI : 0) |
			   (state & GUEST_INTR_STATE_MOV_SS ? MVM_INT_SHADOW_MOVSS : 0);
	vcpu->events.nmi.masked = state & GUEST_INTR_STATE_NMI;
	vmx->hw.rip = vcpu->rip;
	vmx->hw.rsp = vcpu->gpr[MVM_RSP];
	vmx->hw.rflags = vcpu->rflags;
	/* The step's flag is not the guest's, unless it has just loaded its own. */
	if (unlikely(vmx->stepping) && !vmx->guest_tf &&
	    !mvm_step_loaded_flags(vcpu, vmx_is_step_trap(vmx)))
		vcpu->rflags &= ~X86_EFLAGS_TF;
	vmx->hw.interruptibility = state;
	/* The processor has cleared the valid bit. */
	vmx->hw.intr_info = 0;
	vcpu->avail = MVM_STATE_ALL & ~VMX_LAZY_STATE;

	/* In a borrowed VMX operation nothing can be read later for sure. */
	if (this_cpu_read(mvm_vmx_cpu.state) == VMX_CPU_BORROWER)
		mvm_vmx_fetch(vmx, VMX_LAZY_STATE);
}

/* The entry did not take place. A quick exit before it may have moved RIP, in the VMCS alone. */
static void capture_moved_rip(struct vmx_vcpu *vmx)
{
	struct mvm_vcpu *vcpu = &vmx->base;

	if (likely(vcpu->avail & MVM_STATE_RIP))
		return;
	vcpu->rip = vmx_read(GUEST_RIP);
	vmx->hw.rip = vcpu->rip;
	vcpu->avail |= MVM_STATE_RIP;
}

/* The processor refused the entry: say with what, in words. */
static void capture_failure(struct vmx_vcpu *vmx, int failed, struct mvm_exit *exit)
{
	struct mvm_vcpu *vcpu = &vmx->base;

	capture_moved_rip(vmx);
	exit->kind = MVM_EXIT_ENTRY_FAILED;
	if (failed) {
		exit->u.fail.detail = vmx_read32(VM_INSTRUCTION_ERROR);
		exit->u.fail.reason = exit->u.fail.detail;
		mvm_fail(&vcpu->reason, -EIO,
			 "the processor refused the VM entry: VM-instruction error %llu",
			 exit->u.fail.detail);
		return;
	}
	exit->u.fail.reason = vmx->exit_reason;
	exit->u.fail.detail = vmx_read(EXIT_QUALIFICATION);
	mvm_fail(&vcpu->reason, -EIO,
		 "the processor refused the guest's state (%#x, %#llx): CR0 %#llx CR4 %#llx EFER %#llx CS %#x:%#llx RFLAGS %#llx event %#x",
		 vmx->exit_reason, exit->u.fail.detail, vcpu->cr0, vcpu->cr4, vcpu->efer,
		 vcpu->seg[MVM_SEG_CS].selector, vcpu->rip, vcpu->rflags, vmx->hw.intr_info);
}

/**
 * mvm_vmx_capture() - the exit as a neutral one, and RIP's group into the vCPU
 * @vmx: a vCPU right after an entry
 * @failed: mvm_vmx_enter()'s answer: VMX_ENTERED, VMX_ENTER_FAILED or VMX_ENTER_FAULT
 * @exit: filled; MVM_EXIT_LOST where VMX operation is off, MVM_EXIT_ENTRY_FAILED, with the vCPU's
 *	reason set, where the entry was refused
 *
 * Groups that the guest may have changed are dropped from vcpu->avail; as borrower they are
 * all read now. Context: inside the bracket, interrupts off.
 */
void mvm_vmx_capture(struct vmx_vcpu *vmx, int failed, struct mvm_exit *exit)
{
	u32 basic = vmx->exit_reason & 0xffff;
	const struct vmx_exit_row *row = NULL;

	exit->insn_len = 0;
	exit->nr_insn_bytes = 0;
	exit->stepped = false;
	exit->pushed_flags = false;
	exit->vectoring = (struct mvm_event){ .type = MVM_EVENT_NONE };
	if (unlikely(failed)) {
		exit->hw_reason = 0;
		exit->kind = MVM_EXIT_LOST;
		if (failed != VMX_ENTER_FAULT)
			capture_failure(vmx, failed, exit);
		return;
	}
	exit->hw_reason = vmx->exit_reason;
	if (unlikely(vmx->exit_reason & VMX_EXIT_REASONS_FAILED_VMENTRY)) {
		if (basic != EXIT_REASON_MCE_DURING_VMENTRY) {
			capture_failure(vmx, failed, exit);
			return;
		}
		/* The event still has to go in. */
		capture_moved_rip(vmx);
		exit->kind = MVM_EXIT_MACHINE_CHECK;
		exit->vectoring = vmx->inject.event;
		host_machine_check();
		return;
	}

	vmx->launched = true;
	capture_state(vmx);
	capture_vectoring(vmx, &exit->vectoring);
	decode_delivered(vmx, exit);
	if (basic < ARRAY_SIZE(exit_rows))
		row = &exit_rows[array_index_nospec(basic, ARRAY_SIZE(exit_rows))];
	/* Row zero of the enumeration is MVM_EXIT_UNKNOWN: rows left out decode as such. */
	if (!row || (row->kind == MVM_EXIT_UNKNOWN && !row->decode)) {
		decode_unknown(vmx, exit);
		return;
	}
	exit->kind = row->kind;
	if (row->has_len)
		exit->insn_len = vmx_read_quick(VM_EXIT_INSTRUCTION_LEN);
	if (row->decode)
		row->decode(vmx, exit);
}
