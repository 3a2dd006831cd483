// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit codes of the VMCB to neutral exits: one row a code, decoding only.
 *
 * Runs right after the exit, interrupts off; everything an exit's handler needs
 * is copied out of the VMCB here. What to do about an exit is exit.c's.
 */
#include <linux/nospec.h>
#include <linux/percpu.h>

#include <asm/debugreg.h>
#include <asm/traps.h>

#include "svm.h"

/**
 * struct svm_exit_row - how one exit code is decoded
 * @kind: the neutral exit
 * @insn: an instruction's intercept, so NRIP save gives its length
 * @decode: fills the exit's union; may change the kind; NULL = nothing to add
 */
struct svm_exit_row {
	u8 kind;
	bool insn;
	void (*decode)(struct svm_vcpu *svm, struct mvm_exit *exit);
};

static u8 svm_insn_len(u64 rip, u64 next_rip)
{
	u64 len = next_rip - rip;

	return next_rip && len && len <= MVM_MAX_INSN_LEN ? len : 0;
}

static bool is_64bit(const struct svm_vcpu *svm)
{
	return (svm->base.efer & EFER_LMA) &&
	       (svm->vmcb->save.cs.attrib & SVM_SELECTOR_L_MASK);
}

/* mvm_linear_rip(), from the VMCB. */
static u64 linear_rip(const struct svm_vcpu *svm)
{
	if (is_64bit(svm))
		return svm->base.rip;
	return (u32)(svm->vmcb->save.cs.base + svm->base.rip);
}

static void svm_decode_io(struct svm_vcpu *svm, struct mvm_exit *exit)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;
	u64 info = control->exit_info_1;

	exit->u.io.port = info >> 16;
	exit->u.io.size = (info & SVM_IOIO_SIZE_MASK) >> SVM_IOIO_SIZE_SHIFT;
	exit->u.io.in = info & SVM_IOIO_TYPE_MASK;
	exit->u.io.string = info & SVM_IOIO_STR_MASK;
	exit->u.io.rep = info & BIT(SVM_IOIO_REP_SHIFT);
	exit->u.io.linear_rip = linear_rip(svm);
	/* The next RIP: present on every processor, with or without NRIP save. */
	exit->insn_len = svm_insn_len(svm->base.rip, control->exit_info_2);
}

static void svm_decode_msr(struct svm_vcpu *svm, struct mvm_exit *exit)
{
	if (svm->vmcb->control.exit_info_1 & SVM_EXITINFO1_MSR_WRITE)
		exit->kind = MVM_EXIT_WRMSR;
}

/* Without decode assists, and for LMSW, CLTS and SMSW, the instruction itself tells. */
static void svm_decode_cr(struct svm_vcpu *svm, struct mvm_exit *exit)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;
	bool mov = mvm_svm_features.decode_assists &&
		   control->exit_info_1 & SVM_EXITINFO1_CR_MOV;

	exit->u.cr.nr = control->exit_code & 0xf;
	exit->u.cr.op = control->exit_code >= SVM_EXIT_WRITE_CR0 ? MVM_CR_WRITE : MVM_CR_READ;
	exit->u.cr.gpr = mov ? control->exit_info_1 & SVM_EXITINFO1_CR_GPR : 0xff;
}

static void svm_decode_dr(struct svm_vcpu *svm, struct mvm_exit *exit)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;

	exit->u.dr.nr = control->exit_code & 0xf;
	exit->u.dr.write = control->exit_code >= SVM_EXIT_WRITE_DR0;
	exit->u.dr.gpr = mvm_svm_features.decode_assists ?
			 control->exit_info_1 & SVM_EXITINFO1_DR_GPR : 0xff;
}

static bool svm_has_error_code(u8 vector)
{
	switch (vector) {
	case X86_TRAP_DF:
	case X86_TRAP_TS:
	case X86_TRAP_NP:
	case X86_TRAP_SS:
	case X86_TRAP_GP:
	case X86_TRAP_PF:
	case X86_TRAP_AC:
	case X86_TRAP_CP:
		return true;
	default:
		return false;
	}
}

static void svm_decode_exception(struct svm_vcpu *svm, struct mvm_exit *exit)
{
	const struct vmcb *vmcb = svm->vmcb;
	u8 vector = vmcb->control.exit_code - SVM_EXIT_EXCP_BASE;

	exit->u.exc.vector = vector;
	exit->u.exc.has_error = svm_has_error_code(vector);
	if (exit->u.exc.has_error)
		exit->u.exc.error = vmcb->control.exit_info_1;
	if (vector == X86_TRAP_PF)
		exit->u.exc.payload = vmcb->control.exit_info_2;
	if (vector == X86_TRAP_MC)
		exit->kind = MVM_EXIT_MACHINE_CHECK;
	if (vector == X86_TRAP_DB) {
		/* DR6 was loaded with its fixed bits alone: what differs is new. */
		exit->u.exc.payload = mvm_debug_hits(&svm->base, vmcb->save.dr6 ^ DR6_RESERVED);
		if (svm->step_trap)
			exit->u.exc.payload &= ~(u64)DR_STEP;
		if (svm->step_trap && !exit->u.exc.payload)
			exit->kind = MVM_EXIT_STEP;
	}
}

static void svm_decode_npf(struct svm_vcpu *svm, struct mvm_exit *exit)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;
	u64 info = control->exit_info_1;

	exit->u.mem.gpa = control->exit_info_2;
	exit->u.mem.in_walk = info & SVM_EXITINFO1_NPF_WALK;
	exit->u.mem.in_64bit = is_64bit(svm);
	exit->u.mem.cpl = svm->vmcb->save.cpl;
	if (info & SVM_EXITINFO1_NPF_WRITE)
		exit->u.mem.access = MVM_ACCESS_WRITE;
	else if (info & SVM_EXITINFO1_NPF_FETCH)
		exit->u.mem.access = MVM_ACCESS_EXEC;
	else
		exit->u.mem.access = MVM_ACCESS_READ;
	if (mvm_svm_features.decode_assists) {
		exit->nr_insn_bytes = min_t(u8, control->insn_len & 0xf, MVM_MAX_INSN_LEN);
		memcpy(exit->insn_bytes, control->insn_bytes, exit->nr_insn_bytes);
	}
	if (WARN_ONCE(info & SVM_EXITINFO1_NPF_RSVD, "reserved bit in a nested page table"))
		exit->kind = MVM_EXIT_UNKNOWN;
}

static const struct svm_exit_row svm_exits[] = {
	[SVM_EXIT_READ_CR0] = { MVM_EXIT_CR_ACCESS, true, svm_decode_cr },
	[SVM_EXIT_READ_CR4] = { MVM_EXIT_CR_ACCESS, true, svm_decode_cr },
	[SVM_EXIT_READ_CR8] = { MVM_EXIT_CR_ACCESS, true, svm_decode_cr },
	[SVM_EXIT_WRITE_CR0] = { MVM_EXIT_CR_ACCESS, true, svm_decode_cr },
	[SVM_EXIT_WRITE_CR4] = { MVM_EXIT_CR_ACCESS, true, svm_decode_cr },
	[SVM_EXIT_WRITE_CR8] = { MVM_EXIT_CR_ACCESS, true, svm_decode_cr },
	[SVM_EXIT_READ_DR0 ... SVM_EXIT_READ_DR7] = { MVM_EXIT_DR_ACCESS, true, svm_decode_dr },
	[SVM_EXIT_WRITE_DR0 ... SVM_EXIT_WRITE_DR7] = { MVM_EXIT_DR_ACCESS, true, svm_decode_dr },
	[SVM_EXIT_EXCP_BASE ... SVM_EXIT_LAST_EXCP] = { MVM_EXIT_EXCEPTION, false,
							svm_decode_exception },

	/* Pending until STGI, then taken by the host itself. */
	[SVM_EXIT_INTR] = { MVM_EXIT_INTERRUPT },
	[SVM_EXIT_NMI] = { MVM_EXIT_NMI },
	[SVM_EXIT_SMI] = { MVM_EXIT_INTERRUPT },
	[SVM_EXIT_INIT] = { MVM_EXIT_INTERRUPT },
	[SVM_EXIT_VINTR] = { MVM_EXIT_IRQ_WINDOW },
	/* Before the IRET: the mask ends after it, so there is nothing to do yet. */
	[SVM_EXIT_IRET] = { MVM_EXIT_PREEMPTED },

	[SVM_EXIT_RDPMC] = { MVM_EXIT_RDPMC, true },
	[SVM_EXIT_CPUID] = { MVM_EXIT_CPUID, true },
	[SVM_EXIT_RSM] = { MVM_EXIT_UNDEFINED, true },
	[SVM_EXIT_PAUSE] = { MVM_EXIT_PAUSE, true },
	[SVM_EXIT_INVD] = { MVM_EXIT_INVD, true },
	[SVM_EXIT_HLT] = { MVM_EXIT_HLT, true },
	[SVM_EXIT_INVLPGA] = { MVM_EXIT_UNDEFINED, true },
	[SVM_EXIT_IOIO] = { MVM_EXIT_IO, false, svm_decode_io },
	[SVM_EXIT_MSR] = { MVM_EXIT_RDMSR, true, svm_decode_msr },
	[SVM_EXIT_SHUTDOWN] = { MVM_EXIT_SHUTDOWN },
	[SVM_EXIT_VMRUN] = { MVM_EXIT_UNDEFINED, true },
	[SVM_EXIT_VMMCALL] = { MVM_EXIT_HYPERCALL, true },
	[SVM_EXIT_VMLOAD] = { MVM_EXIT_UNDEFINED, true },
	[SVM_EXIT_VMSAVE] = { MVM_EXIT_UNDEFINED, true },
	[SVM_EXIT_STGI] = { MVM_EXIT_UNDEFINED, true },
	[SVM_EXIT_CLGI] = { MVM_EXIT_UNDEFINED, true },
	[SVM_EXIT_SKINIT] = { MVM_EXIT_UNDEFINED, true },
	[SVM_EXIT_WBINVD] = { MVM_EXIT_INVD, true },
	[SVM_EXIT_MONITOR] = { MVM_EXIT_MONITOR, true },
	[SVM_EXIT_MWAIT] = { MVM_EXIT_MWAIT, true },
	[SVM_EXIT_MWAIT_COND] = { MVM_EXIT_MWAIT, true },
	[SVM_EXIT_XSETBV] = { MVM_EXIT_XSETBV, true },
	[SVM_EXIT_RDPRU] = { MVM_EXIT_UNDEFINED, true },
};

static const struct svm_exit_row svm_npf_row = { MVM_EXIT_MEM_FAULT, false, svm_decode_npf };
static const struct svm_exit_row svm_unknown_row = { MVM_EXIT_UNKNOWN };

/* A code without a row is zero there, which is MVM_EXIT_UNKNOWN. */
static const struct svm_exit_row *svm_exit_find(u32 code)
{
	if (code == SVM_EXIT_NPF)
		return &svm_npf_row;
	if (code >= ARRAY_SIZE(svm_exits))
		return &svm_unknown_row;
	return &svm_exits[array_index_nospec(code, ARRAY_SIZE(svm_exits))];
}

/* The processor refused the entry: say with what, in words. */
static void svm_say_refused(struct svm_vcpu *svm, const struct mvm_exit *exit)
{
	const struct vmcb *vmcb = svm->vmcb;

	mvm_fail(&svm->base.reason, -EIO,
		 "the processor refused the guest's state (%#llx, %#llx): CR0 %#llx CR4 %#llx EFER %#llx CS %#x:%#llx RFLAGS %#llx event %#x",
		 exit->u.fail.reason, exit->u.fail.detail, vmcb->save.cr0, vmcb->save.cr4,
		 vmcb->save.efer, vmcb->save.cs.selector, vmcb->save.rip, vmcb->save.rflags,
		 vmcb->control.event_inj);
}

/**
 * mvm_svm_decode_exit() - the VMCB's exit as a neutral one
 * @svm: a vCPU right after its exit
 * @exit: filled
 *
 * Context: interrupts off, on the CPU of the exit.
 */
void mvm_svm_decode_exit(struct svm_vcpu *svm, struct mvm_exit *exit)
{
	const struct vmcb_control_area *control = &svm->vmcb->control;
	const struct svm_exit_row *row = svm_exit_find(control->exit_code);

	BUILD_BUG_ON(MVM_EXIT_UNKNOWN != 0);

	memset(exit, 0, sizeof(*exit));
	exit->hw_reason = control->exit_code;
	if (control->exit_code == SVM_EXITCODE_INVALID) {
		exit->kind = MVM_EXIT_ENTRY_FAILED;
		exit->u.fail.reason = (u64)control->exit_code_hi << 32 | control->exit_code;
		exit->u.fail.detail = control->exit_info_1;
		svm_say_refused(svm, exit);
		return;
	}
	mvm_svm_vectoring(svm, &exit->vectoring);
	mvm_svm_step_done(svm, exit);
	exit->kind = row->kind;
	if (row->insn && mvm_svm_features.nrips)
		exit->insn_len = svm_insn_len(svm->base.rip, control->next_rip);
	if (row->decode)
		row->decode(svm, exit);
	if (exit->kind == MVM_EXIT_UNKNOWN) {
		exit->u.raw.info1 = control->exit_info_1;
		exit->u.raw.info2 = control->exit_info_2;
	}
}
