// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits of control register, debug register and XCR0 accesses.
 *
 * The rules themselves are regs.c's; here are the instructions: operands (decoded
 * where the hardware does not tell them), operand sizes, and the exceptions of
 * MOV to and from DR.
 */
#include <uapi/asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "exit.h"
#include "insn/decode.h"
#include "vcpu.h"

static u64 read_cr(struct mvm_vcpu *vcpu, u8 nr)
{
	mvm_state_get(vcpu, MVM_STATE_CR | MVM_STATE_CR2);
	switch (nr) {
	case 0:
		return vcpu->cr0;
	case 2:
		return vcpu->cr2;
	case 3:
		return vcpu->cr3;
	case 4:
		return vcpu->cr4;
	default:
		return mvm_get_cr8(vcpu);
	}
}

static int write_cr(struct mvm_vcpu *vcpu, u8 nr, u64 val)
{
	switch (nr) {
	case 0:
		return mvm_set_cr0(vcpu, val);
	case 3:
		return mvm_set_cr3(vcpu, val);
	case 4:
		return mvm_set_cr4(vcpu, val);
	case 8:
		return mvm_set_cr8(vcpu, val);
	default:
		return -EINVAL;
	}
}

/* LMSW can set PE but not clear it, and reaches the low four bits only. */
static u64 lmsw_value(u64 cr0, u16 msw)
{
	return (cr0 & ~(u64)0xe) | (msw & 0xf);
}

static u64 gpr_read(struct mvm_vcpu *vcpu, u8 gpr)
{
	if (gpr == MVM_RSP)
		mvm_state_get(vcpu, MVM_STATE_RIP);
	return mvm_cpu_mode(vcpu) == MVM_MODE_LONG ? vcpu->gpr[gpr] : (u32)vcpu->gpr[gpr];
}

/* MOV from CR and DR: 32 bits outside 64-bit mode. */
static void gpr_write(struct mvm_vcpu *vcpu, u8 gpr, u64 val)
{
	if (gpr == MVM_RSP)
		mvm_state_modify(vcpu, MVM_STATE_RIP);
	vcpu->gpr[gpr] = mvm_cpu_mode(vcpu) == MVM_MODE_LONG ? val : (u32)val;
}

/* The one general register among the operands, MVM_REG_NONE where there is none. */
static u8 gpr_operand(const struct mvm_insn *insn)
{
	int i;

	for (i = 0; i < MVM_INSN_OPNDS; i++)
		if (insn->opnd[i].kind == MVM_OPND_REG)
			return insn->opnd[i].reg;
	return MVM_REG_NONE;
}

/* What the hardware left out of a DR exit: the operand. 0; else a handler's answer. */
static int decode_gpr(struct mvm_vcpu *vcpu, struct mvm_insn *insn, u8 *gpr)
{
	int err = mvm_insn_fetch(vcpu, insn);

	if (err)
		return err;
	vcpu->exit.insn_len = insn->len;
	*gpr = gpr_operand(insn);
	return 0;
}

/* SMSW: all of the operand's size to a register, 16 bits to memory. */
static int store_msw(struct mvm_vcpu *vcpu, const struct mvm_insn *insn, u8 gpr)
{
	u16 word = read_cr(vcpu, 0);
	int err;

	if (gpr == MVM_REG_NONE) {
		err = mvm_emulate_word(vcpu, insn, &word, true);
		if (err)
			return err;
	} else if (insn->opsize == 2) {
		gpr_write(vcpu, gpr, (gpr_read(vcpu, gpr) & ~(u64)0xffff) | word);
	} else {
		gpr_write(vcpu, gpr, read_cr(vcpu, 0));
	}
	return mvm_skip_and_resume(vcpu);
}

/*
 * What the hardware left out of a CR exit: the operand, and for CR0 which instruction
 * it was. 0; else a handler's answer.
 */
static int decode_access(struct mvm_vcpu *vcpu, u8 *gpr)
{
	struct mvm_exit *exit = &vcpu->exit;
	struct mvm_insn insn;
	int err = decode_gpr(vcpu, &insn, gpr);

	if (err)
		return err;
	switch (insn.op) {
	case MVM_OP_CLTS:
		exit->u.cr.op = MVM_CR_CLTS;
		return 0;
	case MVM_OP_LMSW:
		exit->u.cr.op = MVM_CR_LMSW;
		if (*gpr == MVM_REG_NONE)
			return mvm_emulate_word(vcpu, &insn, &exit->u.cr.lmsw, false);
		exit->u.cr.lmsw = gpr_read(vcpu, *gpr);
		return 0;
	case MVM_OP_SMSW:
		return store_msw(vcpu, &insn, *gpr);
	default:
		return *gpr == MVM_REG_NONE ? mvm_emulation_error(vcpu) : 0;
	}
}

/* A lower priority may let an interrupt in that only userspace's local APIC knows of. */
static int finish_cr_access(struct mvm_vcpu *vcpu, u64 old_cr8)
{
	int ret = mvm_skip_and_resume(vcpu);

	if (ret != MVM_RESUME || vcpu->lapic || vcpu->cr8 >= old_cr8)
		return ret;
	vcpu->run->exit_reason = KVM_EXIT_SET_TPR;
	return MVM_TO_USER;
}

/**
 * mvm_exit_cr_access() - MOV to and from CR, CLTS, LMSW and SMSW
 * @vcpu: whose exit: exit.u.cr
 *
 * #GP(0) where the value is refused. A lower CR8 leaves to userspace (KVM_EXIT_SET_TPR) where that
 * has the local APIC. Context: the outer loop; may sleep.
 * Return: MVM_RESUME, MVM_TO_USER or -errno.
 */
int mvm_exit_cr_access(struct mvm_vcpu *vcpu)
{
	struct mvm_exit *exit = &vcpu->exit;
	bool mov = exit->u.cr.op == MVM_CR_READ || exit->u.cr.op == MVM_CR_WRITE;
	u64 old_cr8 = vcpu->cr8;
	u8 gpr = exit->u.cr.gpr;
	int err = 0;

	if (mov && gpr == MVM_REG_NONE) {
		err = decode_access(vcpu, &gpr);
		if (err)
			return err;
	}
	switch (exit->u.cr.op) {
	case MVM_CR_READ:
		gpr_write(vcpu, gpr, read_cr(vcpu, exit->u.cr.nr));
		break;
	case MVM_CR_WRITE:
		err = write_cr(vcpu, exit->u.cr.nr, gpr_read(vcpu, gpr));
		break;
	case MVM_CR_CLTS:
		err = mvm_set_cr0(vcpu, read_cr(vcpu, 0) & ~(u64)X86_CR0_TS);
		break;
	case MVM_CR_LMSW:
		err = mvm_set_cr0(vcpu, lmsw_value(read_cr(vcpu, 0), exit->u.cr.lmsw));
		break;
	}
	return err ? mvm_inject_gp(vcpu) : finish_cr_access(vcpu, old_cr8);
}

#define DR6_UPPER 0xffffffff00000000ULL

/**
 * mvm_set_dr() - write a debug register as MOV to DR does
 * @vcpu: the vCPU
 * @nr: 0 to 3, 6, 7
 * @val: the new value: of DR6 and DR7 32 bits, the fixed ones as they are
 *
 * Context: the vCPU's thread; does not sleep.
 * Return: 0; -EINVAL: #GP(0): an upper bit of DR6 or DR7; nothing has changed then.
 */
int mvm_set_dr(struct mvm_vcpu *vcpu, u8 nr, u64 val)
{
	mvm_state_modify(vcpu, MVM_STATE_DR);
	if (nr < 4) {
		vcpu->dr[nr] = val;
		return 0;
	}
	if (val & DR6_UPPER)
		return -EINVAL;
	if (nr == 6)
		vcpu->dr6 = (val & MVM_DR6_WRITABLE) | DR6_RESERVED;
	else
		vcpu->dr7 = (val & ~(u64)MVM_DR7_RESERVED) | MVM_DR7_FIXED;
	return 0;
}

/**
 * mvm_exit_dr_access() - MOV to and from DR
 * @vcpu: whose exit: exit.u.dr
 *
 * DR4 and DR5 are DR6 and DR7, or #UD with CR4.DE; then #GP at CPL 1 to 3, then #DB where DR7.GD is
 * set ("Debug Registers"). Context: the outer loop; may sleep.
 * Return: MVM_RESUME, MVM_TO_USER or -errno.
 */
int mvm_exit_dr_access(struct mvm_vcpu *vcpu)
{
	struct mvm_exit *exit = &vcpu->exit;
	u8 nr = exit->u.dr.nr, gpr = exit->u.dr.gpr;
	struct mvm_insn insn;
	int err;

	mvm_state_get(vcpu, MVM_STATE_CR | MVM_STATE_DR);
	if (nr == 4 || nr == 5) {
		if (vcpu->cr4 & X86_CR4_DE)
			return mvm_inject_ud(vcpu);
		nr += 2;
	}
	if (mvm_cpl(vcpu))
		return mvm_inject_gp(vcpu);
	if (mvm_hw_dr7(vcpu) & MVM_DR7_GD) {
		err = mvm_debug_exception(vcpu, X86_TRAP_DB, MVM_DR6_BD);
		if (err)
			return err;
		mvm_queue_debug(vcpu, MVM_DR6_BD);
		return MVM_RESUME;
	}
	if (gpr == MVM_REG_NONE) {
		err = decode_gpr(vcpu, &insn, &gpr);
		if (err)
			return err;
		if (gpr == MVM_REG_NONE)
			return mvm_emulation_error(vcpu);
	}
	if (exit->u.dr.write) {
		if (mvm_set_dr(vcpu, nr, gpr_read(vcpu, gpr)))
			return mvm_inject_gp(vcpu);
	} else {
		gpr_write(vcpu, gpr, nr < 4 ? vcpu->dr[nr] : nr == 6 ? vcpu->dr6 : vcpu->dr7);
	}
	return mvm_skip_and_resume(vcpu);
}

/**
 * mvm_exit_xsetbv() - XSETBV
 * @vcpu: whose exit
 *
 * #GP(0) where CPL is not 0, ECX is not XCR0's number, or mvm_set_xcr0() refuses.
 * Context: the vCPU's thread; may sleep where the length has to be decoded.
 * Return: MVM_RESUME, or what mvm_skip_insn() answers.
 */
int mvm_exit_xsetbv(struct mvm_vcpu *vcpu)
{
	u64 val = (u32)vcpu->gpr[MVM_RAX] | (vcpu->gpr[MVM_RDX] << 32);

	if (mvm_cpl(vcpu) || (u32)vcpu->gpr[MVM_RCX] || mvm_set_xcr0(vcpu, val))
		return mvm_inject_gp(vcpu);
	return mvm_skip_and_resume(vcpu);
}

