// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each exit does: the one table, and the handlers where services meet.
 *
 * A handler answers MVM_RESUME, MVM_TO_USER (kvm_run is filled) or -errno. Rows
 * marked FAST are called from the inner loop first, unless the instruction's
 * length has to be decoded and its bytes are not present; the others from the outer loop.
 */
#include <linux/nospec.h>
#include <asm/traps.h>

#include "backend.h"
#include "emul.h"
#include "exit.h"
#include "hw.h"
#include "insn/decode.h"
#include "irqchip/irqchip.h"
#include "mmu/mmu.h"
#include "pv.h"
#include "vcpu.h"

/**
 * mvm_skip_and_resume() - the end of most handlers: step over the instruction
 * @vcpu: whose exit
 *
 * Context: the vCPU's thread; may sleep where the length has to be decoded.
 * Return: MVM_RESUME, or what mvm_skip_insn() answers.
 */
int mvm_skip_and_resume(struct mvm_vcpu *vcpu)
{
	int err = mvm_skip_insn(vcpu);

	return err ? err : MVM_RESUME;
}

/* The length that the hardware did not tell. 0; else a handler's answer. May sleep. */
static int get_insn_len(struct mvm_vcpu *vcpu)
{
	struct mvm_insn insn;
	int err;

	if (vcpu->exit.insn_len)
		return 0;
	err = mvm_insn_fetch(vcpu, &insn);
	if (!err)
		vcpu->exit.insn_len = insn.len;
	return err;
}

/* The length, known or found without sleep. */
static bool has_insn_len(struct mvm_vcpu *vcpu)
{
	const struct mvm_insn *insn;

	if (vcpu->exit.insn_len)
		return true;
	insn = mvm_emul_peek_insn(vcpu);
	if (insn)
		vcpu->exit.insn_len = insn->len;
	return insn;
}

/**
 * mvm_skip_insn() - step over the instruction that exited
 * @vcpu: whose exit
 *
 * RIP, the interrupt shadow, and the single-step trap. Context: the vCPU's thread; decodes where
 * neither the hardware nor somebody before gave exit.insn_len, and may sleep then.
 * Return: 0; else a handler's answer, as mvm_insn_fetch(): the instruction cannot be read.
 */
int mvm_skip_insn(struct mvm_vcpu *vcpu)
{
	int err = get_insn_len(vcpu);

	if (!err)
		mvm_skip_insn_len(vcpu, vcpu->exit.insn_len);
	return err;
}

/**
 * mvm_inject_gp() - answer an exit with #GP(0)
 * @vcpu: whose exit
 *
 * Return: MVM_RESUME.
 */
int mvm_inject_gp(struct mvm_vcpu *vcpu)
{
	mvm_queue_exception_err(vcpu, X86_TRAP_GP, 0);
	return MVM_RESUME;
}

/**
 * mvm_inject_ud() - answer an exit with #UD
 * @vcpu: whose exit
 *
 * Return: MVM_RESUME.
 */
int mvm_inject_ud(struct mvm_vcpu *vcpu)
{
	mvm_queue_exception(vcpu, X86_TRAP_UD);
	return MVM_RESUME;
}

/* An exit nobody can handle: the raw facts go to userspace. */
static int internal_error(struct mvm_vcpu *vcpu, u32 suberror, const u64 *data, u32 n)
{
	struct kvm_run *run = vcpu->run;
	u32 i;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = n;
	for (i = 0; i < n; i++)
		run->internal.data[i] = data[i];
	return MVM_TO_USER;
}

/* ---------------------------------------------------------------- handlers */

static int exit_resume(struct mvm_vcpu *vcpu)
{
	return MVM_RESUME;
}

static int exit_preempted(struct mvm_vcpu *vcpu)
{
	mvm_lapic_deadline_passed(vcpu);
	return MVM_RESUME;
}

static int exit_irq_window(struct mvm_vcpu *vcpu)
{
	if (!mvm_wants_irq_window(vcpu) || !mvm_irq_window_open(vcpu))
		return MVM_RESUME;
	vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
	return MVM_TO_USER;
}

/* #DB and #AC are intercepted so that their endless delivery cannot hang the CPU. */
static int exit_exception(struct mvm_vcpu *vcpu)
{
	const struct mvm_exit *exit = &vcpu->exit;
	int ret = mvm_debug_exception(vcpu, exit->u.exc.vector, exit->u.exc.payload);

	if (ret)
		return ret;
	if (exit->u.exc.vector == X86_TRAP_DB)
		mvm_queue_debug(vcpu, exit->u.exc.payload);
	else if (exit->u.exc.vector == X86_TRAP_PF)
		mvm_queue_page_fault(vcpu, exit->u.exc.payload, exit->u.exc.error);
	else if (exit->u.exc.has_error)
		mvm_queue_exception_err(vcpu, exit->u.exc.vector, exit->u.exc.error);
	else
		mvm_queue_exception(vcpu, exit->u.exc.vector);
	return MVM_RESUME;
}

static int exit_io(struct mvm_vcpu *vcpu)
{
	return vcpu->exit.u.io.string ? mvm_emulate_string_io(vcpu) : mvm_emulate_io(vcpu);
}

static int exit_io_fast(struct mvm_vcpu *vcpu)
{
	if (vcpu->exit.u.io.string || !vcpu->exit.insn_len)
		return MVM_SLEEP;
	return mvm_emulate_io(vcpu);
}

/*
 * Not where an event's delivery went through device memory, which nobody could finish, nor
 * with page tables or code there, which the emulator cannot fetch either.
 */
static bool can_emulate(const struct mvm_exit *exit)
{
	return exit->vectoring.type == MVM_EVENT_NONE && !exit->u.mem.in_walk &&
	       !(exit->u.mem.access & MVM_ACCESS_EXEC);
}

static int exit_mem_fault(struct mvm_vcpu *vcpu)
{
	const struct mvm_exit *exit = &vcpu->exit;
	int ret = mvm_mmu_fault(vcpu, exit->u.mem.gpa, exit->u.mem.access);

	if (ret == MVM_FAULT_FIXED)
		return MVM_RESUME;
	if (ret != MVM_FAULT_MMIO)
		return ret;
	if (can_emulate(exit))
		return mvm_emulate_mmio(vcpu);
	if (exit->vectoring.type != MVM_EVENT_NONE) {
		u64 data[] = { exit->vectoring.vector, exit->hw_reason, exit->u.mem.access,
			       exit->u.mem.gpa };

		return internal_error(vcpu, KVM_INTERNAL_ERROR_DELIVERY_EV, data,
				      ARRAY_SIZE(data));
	}
	return mvm_emulation_error(vcpu);
}

/* What is mapped and only missing here needs no sleep, nor does a device's register mostly. */
static int exit_mem_fault_fast(struct mvm_vcpu *vcpu)
{
	const struct mvm_exit *exit = &vcpu->exit;
	int ret = mvm_mmu_fault_fast(vcpu, exit->u.mem.gpa, exit->u.mem.access);

	if (ret == MVM_FAULT_FIXED)
		return MVM_RESUME;
	return ret == MVM_FAULT_MMIO && can_emulate(exit) ? mvm_plain_move(vcpu) :
							    MVM_SLEEP;
}

static int exit_cpuid(struct mvm_vcpu *vcpu)
{
	mvm_cpuid_exec(vcpu);
	return mvm_skip_and_resume(vcpu);
}

static int exit_rdmsr(struct mvm_vcpu *vcpu)
{
	u64 data;

	if (mvm_msr_read(vcpu, vcpu->gpr[MVM_RCX], &data, false))
		return mvm_inject_gp(vcpu);
	vcpu->gpr[MVM_RAX] = (u32)data;
	vcpu->gpr[MVM_RDX] = data >> 32;
	return mvm_skip_and_resume(vcpu);
}

static int exit_wrmsr(struct mvm_vcpu *vcpu)
{
	if (mvm_msr_write(vcpu, vcpu->gpr[MVM_RCX], mvm_wrmsr_value(vcpu), false))
		return mvm_inject_gp(vcpu);
	return mvm_skip_and_resume(vcpu);
}

/* The MSRs whose writing needs no sleep. */
static int exit_wrmsr_fast(struct mvm_vcpu *vcpu)
{
	if (!has_insn_len(vcpu) ||
	    !mvm_msr_write_quick(vcpu, vcpu->gpr[MVM_RCX], mvm_wrmsr_value(vcpu)))
		return MVM_SLEEP;
	return mvm_skip_and_resume(vcpu);
}

/* With an in-kernel LAPIC the vCPU sleeps here; without one userspace decides. */
static int exit_hlt(struct mvm_vcpu *vcpu)
{
	int err = mvm_skip_insn(vcpu);

	if (err)
		return err;
	if (mvm_has_wake_event(vcpu))
		return MVM_RESUME;
	if (mvm_irqchip_in_kernel(vcpu->vm)) {
		vcpu->mp_state = KVM_MP_STATE_HALTED;
		return MVM_RESUME;
	}
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return MVM_TO_USER;
}

static int exit_hypercall(struct mvm_vcpu *vcpu)
{
	mvm_pv_hypercall(vcpu);
	return mvm_skip_and_resume(vcpu);
}

/* Only where the processor tells a loop from a single PAUSE. */
static int exit_pause(struct mvm_vcpu *vcpu)
{
	int ret = mvm_skip_and_resume(vcpu);

	if (ret == MVM_RESUME)
		mvm_vcpu_on_spin(vcpu);
	return ret;
}

static int exit_shutdown(struct mvm_vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return MVM_TO_USER;
}

static int exit_entry_failed(struct mvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason = vcpu->exit.u.fail.reason;
	run->fail_entry.cpu = vcpu->cpu;
	return MVM_TO_USER;
}

/* The owner we borrowed from is gone: find a new standing, then enter again. */
static int exit_lost(struct mvm_vcpu *vcpu)
{
	int err = mvm_hw_reclaim(&vcpu->reason, true);

	return err ? err : MVM_RESUME;
}

static int exit_unknown(struct mvm_vcpu *vcpu)
{
	u64 data[] = { vcpu->exit.hw_reason, vcpu->cpu, vcpu->exit.u.raw.info1,
		       vcpu->exit.u.raw.info2 };

	mvm_fail(&vcpu->reason, -EIO, "unexpected exit: %s reason %#x",
		 vcpu->vm->backend->name, vcpu->exit.hw_reason);
	return internal_error(vcpu, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, data,
			      ARRAY_SIZE(data));
}

/* ------------------------------------------------------------------- table */

#define FAST  BIT(0) /* needs no sleep */
#define SKIPS BIT(1) /* steps over the instruction: its length is fetched before it acts */

static const struct mvm_exit_row {
	const char *name;
	int (*fn)(struct mvm_vcpu *vcpu);
	u32 flags;
	int (*fast)(struct mvm_vcpu *vcpu); /* tried first; MVM_SLEEP: it was in vain */
} mvm_exit_rows[MVM_NR_EXITS] = {
	[MVM_EXIT_UNKNOWN] = { "unknown", exit_unknown, FAST },
	[MVM_EXIT_INTERRUPT] = { "interrupt", exit_resume, FAST },
	[MVM_EXIT_NMI] = { "nmi", exit_resume, FAST },
	[MVM_EXIT_MACHINE_CHECK] = { "machine-check", exit_resume, FAST },
	[MVM_EXIT_EXCEPTION] = { "exception", exit_exception, FAST },
	[MVM_EXIT_IO] = { "io", exit_io, SKIPS, exit_io_fast },
	[MVM_EXIT_MEM_FAULT] = { "mem-fault", exit_mem_fault, 0, exit_mem_fault_fast },
	[MVM_EXIT_CPUID] = { "cpuid", exit_cpuid, FAST | SKIPS },
	[MVM_EXIT_RDMSR] = { "rdmsr", exit_rdmsr, FAST | SKIPS },
	[MVM_EXIT_WRMSR] = { "wrmsr", exit_wrmsr, SKIPS, exit_wrmsr_fast },
	[MVM_EXIT_CR_ACCESS] = { "cr", mvm_exit_cr_access, 0 },
	[MVM_EXIT_DR_ACCESS] = { "dr", mvm_exit_dr_access, 0 },
	[MVM_EXIT_HLT] = { "hlt", exit_hlt, FAST | SKIPS },
	[MVM_EXIT_HYPERCALL] = { "hypercall", exit_hypercall, FAST | SKIPS },
	[MVM_EXIT_IRQ_WINDOW] = { "irq-window", exit_irq_window, FAST },
	[MVM_EXIT_NMI_WINDOW] = { "nmi-window", exit_resume, FAST },
	[MVM_EXIT_SHUTDOWN] = { "shutdown", exit_shutdown, FAST },
	[MVM_EXIT_ENTRY_FAILED] = { "entry-failed", exit_entry_failed, FAST },
	[MVM_EXIT_XSETBV] = { "xsetbv", mvm_exit_xsetbv, FAST | SKIPS },
	[MVM_EXIT_INVD] = { "invd", mvm_skip_and_resume, FAST | SKIPS },
	[MVM_EXIT_PAUSE] = { "pause", exit_pause, SKIPS },
	[MVM_EXIT_MONITOR] = { "monitor", mvm_inject_ud, FAST },
	[MVM_EXIT_MWAIT] = { "mwait", mvm_inject_ud, FAST },
	[MVM_EXIT_RDPMC] = { "rdpmc", mvm_inject_gp, FAST },
	[MVM_EXIT_UNDEFINED] = { "undefined", mvm_inject_ud, FAST },
	[MVM_EXIT_TASK_SWITCH] = { "task-switch", mvm_exit_task_switch, 0 },
	[MVM_EXIT_PREEMPTED] = { "preempted", exit_preempted, FAST },
	[MVM_EXIT_STEP] = { "step", exit_resume, FAST },
	[MVM_EXIT_LOST] = { "lost", exit_lost, 0 },
};

static_assert(ARRAY_SIZE(mvm_exit_rows) == MVM_NR_EXITS);

static const struct mvm_exit_row *exit_row(enum mvm_exit_kind kind)
{
	return &mvm_exit_rows[kind < MVM_NR_EXITS ? array_index_nospec(kind, MVM_NR_EXITS) :
						    MVM_EXIT_UNKNOWN];
}

/**
 * mvm_exit_name() - an exit's name for counters and traces
 * @kind: which; out of range counts as MVM_EXIT_UNKNOWN
 *
 * Context: any.
 * Return: a constant string.
 */
const char *mvm_exit_name(enum mvm_exit_kind kind)
{
	return exit_row(kind)->name;
}

/**
 * __mvm_exit_fast() - call the exit's handler that must not sleep
 * @vcpu: whose exit
 *
 * Context: the inner loop: preemption off, interrupts on.
 * Return: MVM_RESUME, MVM_TO_USER, -errno; MVM_SLEEP: nothing has happened, mvm_exit_slow() is to
 * handle it.
 */
int __mvm_exit_fast(struct mvm_vcpu *vcpu)
{
	const struct mvm_exit_row *row = exit_row(vcpu->exit.kind);

	if (row->fast)
		return row->fast(vcpu);
	if (!(row->flags & FAST) || ((row->flags & SKIPS) && !has_insn_len(vcpu)))
		return MVM_SLEEP;
	return row->fn(vcpu);
}

/**
 * mvm_exit_slow() - call the exit's handler that may sleep
 * @vcpu: whose exit
 *
 * The length of an instruction that is to be stepped over is found first.
 * Context: the outer loop; may sleep.
 * Return: MVM_RESUME, MVM_TO_USER or -errno.
 */
int mvm_exit_slow(struct mvm_vcpu *vcpu)
{
	const struct mvm_exit_row *row = exit_row(vcpu->exit.kind);
	int err;

	if (unlikely(vcpu->exit.done))
		return MVM_RESUME;
	if (row->flags & SKIPS) {
		err = get_insn_len(vcpu);
		if (err)
			return err;
	}
	return row->fn(vcpu);
}
