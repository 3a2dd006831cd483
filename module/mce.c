// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's machine-check banks: their MSRs, how many there are, and errors that
 * userspace reports into them (KVM_X86_SETUP_MCE, KVM_X86_SET_MCE). Real errors are
 * the host's alone.
 *
 * Context: the vCPU's thread, vcpu->lock held. A function that serves an MSR answers
 * 0, or 1 for #GP.
 */
#include <linux/nospec.h>
#include <linux/slab.h>

#include <asm/mce.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/traps.h>

#include "exit.h"

#define BANK_REGS   4 /* CTL, STATUS, ADDR, MISC */
#define BANK_CTL    0
#define BANK_STATUS 1
#define BANK_ADDR   2
#define BANK_MISC   3

/* What KVM_X86_SETUP_MCE may ask for besides the banks; the guest sees it in MCG_CAP. */
#define CAP_FLAGS (MCG_CTL_P | MCG_SER_P)

/* Named after the MSRs they are. */
struct mvm_mce {
	u64 cap, status, ctl; /* MCG_CAP, MCG_STATUS, MCG_CTL */
	u64 bank[BANK_REGS * MVM_MCE_BANKS];
};

/**
 * mvm_mce_supported() - KVM_X86_GET_MCE_CAP_SUPPORTED
 *
 * Return: in MCG_CAP's format: the number of banks, and the flags a guest may have.
 */
u64 mvm_mce_supported(void)
{
	return MVM_MCE_BANKS | CAP_FLAGS;
}

static u32 nr_banks(const struct mvm_vcpu *vcpu)
{
	return vcpu->mce->cap & MCG_BANKCNT_MASK;
}

/**
 * mvm_mce_create() - allocate a new vCPU's banks
 * @vcpu: the vCPU; mvm_mce_reset() fills them
 *
 * Context: its creation; may sleep.
 * Return: 0; -ENOMEM.
 */
int mvm_mce_create(struct mvm_vcpu *vcpu)
{
	vcpu->mce = kzalloc(sizeof(*vcpu->mce), GFP_KERNEL_ACCOUNT);
	return vcpu->mce ? 0 : -ENOMEM;
}

/**
 * mvm_mce_destroy() - reverse of mvm_mce_create()
 * @vcpu: the vCPU, which runs nowhere
 */
void mvm_mce_destroy(struct mvm_vcpu *vcpu)
{
	kfree(vcpu->mce);
	vcpu->mce = NULL;
}

/**
 * mvm_mce_reset() - power-up: all banks there are, without errors
 * @vcpu: the vCPU
 *
 * MCG_CTL is there and all ones; the banks' own CTL are 0.
 */
void mvm_mce_reset(struct mvm_vcpu *vcpu)
{
	memset(vcpu->mce, 0, sizeof(*vcpu->mce));
	vcpu->mce->cap = MVM_MCE_BANKS | MCG_CTL_P;
	vcpu->mce->ctl = ~0ULL;
}

/**
 * mvm_mce_setup() - KVM_X86_SETUP_MCE: how many banks, and which flags
 * @vcpu: the vCPU
 * @cap: the MCG_CAP that the guest is to see
 *
 * MCG_CTL, where there is one, and the banks' CTL become all ones: every error is reported.
 * Return: 0; -EINVAL: no bank, too many, or an unknown flag.
 */
int mvm_mce_setup(struct mvm_vcpu *vcpu, u64 cap)
{
	u32 i, n = cap & MCG_BANKCNT_MASK;

	if (!n || n > MVM_MCE_BANKS || cap & ~(u64)(MCG_BANKCNT_MASK | CAP_FLAGS))
		return -EINVAL;
	vcpu->mce->cap = cap;
	vcpu->mce->ctl = cap & MCG_CTL_P ? ~0ULL : 0;
	for (i = 0; i < n; i++)
		vcpu->mce->bank[i * BANK_REGS + BANK_CTL] = ~0ULL;
	return 0;
}

/**
 * mvm_mce_inject() - KVM_X86_SET_MCE: an error in one of the banks
 * @vcpu: the vCPU
 * @mce: bank, STATUS, ADDR, MISC, and MCG_STATUS for an uncorrected error
 *
 * An uncorrected error raises #MC, or shuts the guest down where it is handling one or has CR4.MCE
 * clear; where its reporting is turned off it goes nowhere. A corrected one is only noted.
 * Return: 0; -EINVAL: no such bank, or STATUS is not marked valid.
 */
int mvm_mce_inject(struct mvm_vcpu *vcpu, const struct kvm_x86_mce *mce)
{
	bool uncorrected = mce->status & MCI_STATUS_UC;
	u64 *bank;

	if (mce->bank >= nr_banks(vcpu) || !(mce->status & MCI_STATUS_VAL))
		return -EINVAL;
	bank = &vcpu->mce->bank[array_index_nospec(mce->bank, MVM_MCE_BANKS) * BANK_REGS];
	/* Reporting is turned off for all banks, or for this one: the error goes nowhere. */
	if (uncorrected && ((vcpu->mce->cap & MCG_CTL_P && vcpu->mce->ctl != ~0ULL) ||
			    bank[BANK_CTL] != ~0ULL))
		return 0;
	if (uncorrected) {
		mvm_state_get(vcpu, MVM_STATE_CR);
		/* One error while another is being handled, or nobody to handle it: shutdown. */
		if (vcpu->mce->status & MCG_STATUS_MCIP || !(vcpu->cr4 & X86_CR4_MCE)) {
			mvm_vcpu_set_request(vcpu, MVM_REQ_TRIPLE_FAULT);
			return 0;
		}
	} else if (bank[BANK_STATUS] & MCI_STATUS_VAL && bank[BANK_STATUS] & MCI_STATUS_UC) {
		/* An uncorrected error stays; that there was another is all that is noted. */
		bank[BANK_STATUS] |= MCI_STATUS_OVER;
		return 0;
	}
	bank[BANK_ADDR] = mce->addr;
	bank[BANK_MISC] = mce->misc;
	if (bank[BANK_STATUS] & MCI_STATUS_VAL)
		bank[BANK_STATUS] = mce->status | MCI_STATUS_OVER;
	else
		bank[BANK_STATUS] = mce->status;
	if (uncorrected) {
		vcpu->mce->status = mce->mcg_status;
		mvm_queue_exception(vcpu, X86_TRAP_MC);
	}
	return 0;
}

/* Listed banks can be saved by userspace also where the guest was given fewer. */
static u64 *bank_slot(struct mvm_vcpu *vcpu, u32 index, bool host)
{
	u32 nr = index - MSR_IA32_MC0_CTL;

	if (nr >= (host ? MVM_MCE_BANKS : nr_banks(vcpu)) * BANK_REGS)
		return NULL;
	return &vcpu->mce->bank[array_index_nospec(nr, MVM_MCE_BANKS * BANK_REGS)];
}

/**
 * mvm_mce_msr_read() - read one of the machine-check MSRs
 * @vcpu: the vCPU
 * @index: its number: MCG_CAP, MCG_STATUS, MCG_CTL, or one of a bank's four
 * @data: its value
 * @host: userspace reads, not the guest: all banks, whatever MCG_CAP says
 *
 * Return: 0, or 1: the guest does not have it (#GP).
 */
int mvm_mce_msr_read(struct mvm_vcpu *vcpu, u32 index, u64 *data, bool host)
{
	u64 *slot;

	switch (index) {
	case MSR_IA32_MCG_CAP:
		*data = vcpu->mce->cap;
		return 0;
	case MSR_IA32_MCG_STATUS:
		*data = vcpu->mce->status;
		return 0;
	case MSR_IA32_MCG_CTL:
		*data = vcpu->mce->ctl;
		return !host && !(vcpu->mce->cap & MCG_CTL_P);
	}
	slot = bank_slot(vcpu, index, host);
	if (!slot)
		return 1;
	*data = *slot;
	return 0;
}

/**
 * mvm_mce_msr_write() - write one of the machine-check MSRs
 * @vcpu: the vCPU
 * @index: its number
 * @data: the new value
 * @host: userspace writes, not the guest
 * @any_status: the guest may write what it likes into STATUS, ADDR and MISC (HWCR says so), not
 *	only 0
 *
 * Return: 0, or 1: not there, read-only, or a value it cannot have (#GP).
 */
int mvm_mce_msr_write(struct mvm_vcpu *vcpu, u32 index, u64 data, bool host, bool any_status)
{
	bool is_ctl = (index - MSR_IA32_MC0_CTL) % BANK_REGS == BANK_CTL;
	u64 *slot;

	switch (index) {
	case MSR_IA32_MCG_STATUS:
		/* The guest may only clear it. */
		if (data && !host)
			return 1;
		vcpu->mce->status = data;
		return 0;
	case MSR_IA32_MCG_CTL:
		if ((data && data != ~0ULL) || (!host && !(vcpu->mce->cap & MCG_CTL_P)))
			return 1;
		vcpu->mce->ctl = data;
		return 0;
	}
	slot = bank_slot(vcpu, index, host);
	/* STATUS, ADDR and MISC: the guest writes 0, or what it likes with HWCR's leave. */
	if (!slot || (!host && !is_ctl && data && !any_status))
		return 1;
	*slot = data;
	return 0;
}
