// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debugging of a guest by userspace: KVM_SET_GUEST_DEBUG and KVM_EXIT_DEBUG.
 *
 * The debugger's steps and breakpoints are kept apart from the guest's own. The
 * guest's debug registers stay in the vCPU's fields, from where MOV DR reads them;
 * only the hardware gets the debugger's instead. The step is the backend's: it sets
 * RFLAGS.TF for the entry, takes it back at the exit, and says in exit->stepped that one
 * instruction, or the delivery of one event, is done. PUSHF, POPF and IRET move
 * the flag between RFLAGS and memory: these are looked for here, before each entry.
 * Faults are intercepted, so that their frames do not show the flag; INT n, INT3, INTO
 * and SYSCALL save and clear it, and are stepped over with their handler, as on KVM.
 * Instructions that the module executes itself end in mvm_insn_ended().
 *
 * All in the vCPU's thread, vcpu->lock held.
 */
#include <asm/processor-flags.h>
#include <asm/traps.h>
#include <uapi/asm/debugreg.h>

#include "exit.h"
#include "mmu/mmu.h"
#include "vcpu.h"

#define INJECT_FLAGS (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP)

/* Of a step: what the debugger may see of the hardware's bits is bit 14 alone. */
#define STEP_DR6 (DR6_RESERVED | DR_STEP)

/* Faults of the stepped instruction: their delivery is a step of its own. */
#define STEP_EXCEPTIONS                                                              \
	(BIT(X86_TRAP_DE) | BIT(X86_TRAP_BR) | BIT(X86_TRAP_UD) | BIT(X86_TRAP_NM) | \
	 BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | \
	 BIT(X86_TRAP_PF) | BIT(X86_TRAP_MF) | BIT(X86_TRAP_XF))

static u32 intercepts(u32 control)
{
	return (control & KVM_GUESTDBG_USE_SW_BP ? BIT(X86_TRAP_BP) : 0) |
	       (control & KVM_GUESTDBG_SINGLESTEP ? STEP_EXCEPTIONS : 0);
}

/**
 * mvm_set_guest_debug() - KVM_SET_GUEST_DEBUG
 * @vcpu: the vCPU
 * @dbg: flags and the debugger's breakpoints, all of them replaced
 *
 * KVM_GUESTDBG_INJECT_DB and _BP raise their exception at once.
 * Return: 0; -EINVAL: an unknown flag, or DR7 is wider than 32 bits; -EBUSY: an exception to
 * inject, and one on its way already.
 */
int mvm_set_guest_debug(struct mvm_vcpu *vcpu, const struct kvm_guest_debug *dbg)
{
	u32 control = dbg->control;

	if (control & ~MVM_GUESTDBG_FLAGS || dbg->arch.debugreg[7] >> 32)
		return -EINVAL;
	if (control & INJECT_FLAGS) {
		if (vcpu->events.exception.pending || vcpu->events.exception.injected)
			return -EBUSY;
		if (control & KVM_GUESTDBG_INJECT_DB)
			mvm_queue_exception(vcpu, X86_TRAP_DB);
		else
			mvm_queue_breakpoint(vcpu);
	}
	vcpu->debug.control = control & KVM_GUESTDBG_ENABLE ? control & ~INJECT_FLAGS : 0;
	memcpy(vcpu->debug.dr, dbg->arch.debugreg, sizeof(vcpu->debug.dr));
	vcpu->debug.dr7 = (dbg->arch.debugreg[7] & ~(u64)MVM_DR7_RESERVED) | MVM_DR7_FIXED;
	vcpu->exception_intercepts = intercepts(vcpu->debug.control);
	/* A step that ended under the old order is no news under the new one. */
	mvm_vcpu_take_request(vcpu, MVM_REQ_STEPPED);
	mvm_state_modify(vcpu, MVM_STATE_DR | MVM_STATE_INTERCEPTS);
	return 0;
}

static int debug_exit(struct mvm_vcpu *vcpu, u8 vector, u64 dr6)
{
	struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;

	vcpu->run->exit_reason = KVM_EXIT_DEBUG;
	arch->exception = vector;
	arch->pad = 0;
	arch->pc = mvm_linear_rip(vcpu);
	arch->dr6 = dr6;
	arch->dr7 = mvm_hw_dr7(vcpu);
	return MVM_TO_USER;
}

/**
 * mvm_debug_exception() - is this exception a breakpoint of the debugger's?
 * @vcpu: the vCPU
 * @vector: of the exception
 * @dr6_bits: of a #DB: its causes
 *
 * Does not sleep.
 * Return: MVM_TO_USER: it is, kvm_run has KVM_EXIT_DEBUG; 0: it is the guest's.
 */
int mvm_debug_exception(struct mvm_vcpu *vcpu, u8 vector, u64 dr6_bits)
{
	bool breakpoint = dr6_bits & (DR_TRAP_BITS | MVM_DR6_BD);

	if (vector == X86_TRAP_BP && vcpu->debug.control & KVM_GUESTDBG_USE_SW_BP)
		return debug_exit(vcpu, vector, 0);
	if (vector == X86_TRAP_DB && breakpoint && vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP)
		return debug_exit(vcpu, vector, DR6_RESERVED | dr6_bits);
	return 0;
}

/**
 * mvm_debug_hits() - which of the causes that a #DB's exit names are so?
 * @vcpu: the vCPU
 * @dr6_bits: what the hardware gives, in the places that DR6 has for them
 *
 * Those of breakpoints that DR7 does not enable may be set as well ("Exit Qualification for Debug
 * Exceptions"; "Debug-Status Register (DR6)"), and where it enables none, from registers that are
 * not this guest's. The sole cause of a #DB was enabled when it hit, and is told of though DR7 may
 * have changed since. Context: inside vcpu_run(), interrupts off.
 * Return: the bits without those; all of them where none would be left.
 */
u64 mvm_debug_hits(const struct mvm_vcpu *vcpu, u64 dr6_bits)
{
	u64 dr7 = mvm_hw_dr7(vcpu), causes = dr6_bits;
	int i;

	for (i = 0; i < HBP_NUM; i++)
		if (!(dr7 >> (i * DR_ENABLE_SIZE) & (BIT(DR_LOCAL_ENABLE_SHIFT) |
						     BIT(DR_GLOBAL_ENABLE_SHIFT))))
			causes &= ~(u64)(DR_TRAP0 << i);
	return causes ?: dr6_bits;
}

static bool is_prefix(u8 byte, bool long_mode)
{
	static const u8 prefixes[] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
				       0x66, 0x67, 0xf0, 0xf2, 0xf3 };

	size_t i;

	for (i = 0; i < sizeof(prefixes); i++)
		if (prefixes[i] == byte)
			return true;
	return long_mode && byte >> 4 == 4; /* REX */
}

/**
 * mvm_debug_prepare_step() - before each entry of a stepped vCPU: look at what it executes
 * @vcpu: the vCPU
 *
 * Sets debug.step and debug.step_rip: does it store TF (PUSHF) or load it (POPF, IRET)?
 * Context: the outer loop; may sleep: the instruction's bytes are read.
 */
void mvm_debug_prepare_step(struct mvm_vcpu *vcpu)
{
	bool long_mode = mvm_cpu_mode(vcpu) == MVM_MODE_LONG;
	u32 user = mvm_cpl(vcpu) == 3 ? MVM_ACCESS_USER : 0;
	gva_t la = mvm_linear_rip(vcpu);
	struct mvm_fault fault;
	u8 byte = 0;
	int i;

	vcpu->debug.step = MVM_STEP_PLAIN;
	vcpu->debug.step_rip = vcpu->rip;
	for (i = 0; i < MVM_MAX_INSN_LEN; i++) {
		/* What cannot be read faults, or is device memory's: no instruction of these. */
		if (mvm_gva_read(vcpu, la + i, &byte, 1, MVM_ACCESS_EXEC | user, &fault))
			return;
		if (!is_prefix(byte, long_mode))
			break;
	}
	if (byte == 0x9c) /* PUSHF */
		vcpu->debug.step = MVM_STEP_STORES;
	else if (byte == 0x9d || byte == 0xcf) /* POPF, IRET */
		vcpu->debug.step = MVM_STEP_LOADS;
}

/*
 * The step's flag was in RFLAGS while PUSHF stored it. The guest's own was clear:
 * take it out of the image, whose second byte it is in. A failure here is a stack
 * that another vCPU took away meanwhile.
 */
static void mend_pushed_flags(struct mvm_vcpu *vcpu)
{
	struct mvm_fault fault;
	u64 sp = vcpu->gpr[MVM_RSP] + 1;
	u32 user = mvm_cpl(vcpu) == 3 ? MVM_ACCESS_USER : 0;
	u8 byte;

	if (mvm_cpu_mode(vcpu) != MVM_MODE_LONG) {
		sp = vcpu->seg[MVM_SEG_SS].db ? (u32)sp : (u16)sp;
		sp = (u32)(vcpu->seg[MVM_SEG_SS].base + sp);
	}
	if (mvm_gva_read(vcpu, sp, &byte, 1, MVM_ACCESS_READ | user, &fault))
		return;
	byte &= ~(X86_EFLAGS_TF >> 8);
	(void)mvm_gva_write(vcpu, sp, &byte, 1, MVM_ACCESS_WRITE | user, &fault);
}

/**
 * mvm_debug_report_step() - MVM_REQ_STEPPED: a step is done
 * @vcpu: the vCPU
 *
 * Takes the step's TF out of what a PUSHF has stored. Context: the outer loop; may sleep.
 * Return: MVM_TO_USER: kvm_run has KVM_EXIT_DEBUG.
 */
int mvm_debug_report_step(struct mvm_vcpu *vcpu)
{
	if (vcpu->debug.pushed_flags && vcpu->debug.step == MVM_STEP_STORES)
		mend_pushed_flags(vcpu);
	vcpu->debug.pushed_flags = false;
	return debug_exit(vcpu, X86_TRAP_DB, STEP_DR6);
}
